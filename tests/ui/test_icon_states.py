"""What the icon says, as a table over statuses."""

from __future__ import annotations

import dataclasses
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication

from desktop.services.desk import ConnectionState, ConnectionView, InfoTrackView, Status
from desktop.services.ledger.model import DeliveryState
from desktop.ui import theme
from desktop.ui.icons import app_icon, tray_icon
from desktop.ui.state import Click, IconState, click, connected, icon_state, state_words, tooltip
from desktop.ui.tray import menu_entries
from desktop.ui.tray_app import notice
from installer import pictures
from tests.ui.fake_desk import connection, status

C = ConnectionState
OUT = connection(C.DISCONNECTED)
IN = connection()
GOING = connection(C.CONNECTING)
BROKEN = connection(C.ATTENTION, problem="ended", cure="sign in")
OFFLINE = connection(offline=True)
OTHER = ConnectionView("workflowmax", "WorkflowMax", C.CONNECTED)
REFUSED = InfoTrackView(C.ATTENTION, "u", "refused")


@pytest.mark.parametrize(
    ("given_status", "icon", "pressed"),
    [
        (None, IconState.CONNECTING, Click.PICKER),
        (status(), IconState.DISCONNECTED, Click.CONNECT),
        (status(OUT), IconState.DISCONNECTED, Click.CONNECT),
        (status(OUT, waiting=4), IconState.DISCONNECTED, Click.CONNECT),
        (status(GOING), IconState.CONNECTING, Click.CONNECTIONS),
        (status(IN), IconState.CONNECTED, Click.PICKER),
        (status(IN, infotrack=InfoTrackView(C.DISCONNECTED)), IconState.CONNECTED, Click.PICKER),
        (status(IN, OUT), IconState.CONNECTED, Click.PICKER),
        (status(IN, dataclasses.replace(OTHER, state=C.CONNECTING)), IconState.CONNECTED, Click.PICKER),
        (status(IN, waiting=1), IconState.ATTENTION, Click.PICKER),
        (status(BROKEN), IconState.ATTENTION, Click.CONNECTIONS),
        (status(BROKEN, OTHER), IconState.ATTENTION, Click.PICKER),
        (status(IN, infotrack=REFUSED), IconState.ATTENTION, Click.PICKER),
        (status(connection(problem="no right")), IconState.ATTENTION, Click.PICKER),
        (status(OFFLINE), IconState.OFFLINE, Click.PICKER),
        (status(OFFLINE, waiting=2), IconState.OFFLINE, Click.PICKER),
        (status(OFFLINE, infotrack=REFUSED), IconState.ATTENTION, Click.PICKER),
    ],
)
def test_the_icon_and_its_click_follow_the_status(given_status: Status | None, icon: IconState, pressed: Click) -> None:
    assert icon_state(given_status) is icon
    assert click(given_status) is pressed
    assert tooltip(given_status).splitlines()[0] == f"iConnect: {state_words(icon)}"


views = st.builds(
    ConnectionView,
    st.sampled_from(["xero-practice-manager", "workflowmax"]),
    st.just("X"),
    st.sampled_from(ConnectionState),
    problem=st.sampled_from(["", "trouble"]),
    offline=st.booleans(),
)


@given(st.lists(views, max_size=3), st.sampled_from(ConnectionState), st.integers(0, 3))
def test_green_means_that_it_works(seen: list[ConnectionView], infotrack: ConnectionState, waiting: int) -> None:
    now = status(*seen, infotrack=InfoTrackView(infotrack), waiting=waiting)
    if icon_state(now) is IconState.CONNECTED:
        assert any(view.state is C.CONNECTED for view in seen)
        assert not any(view.state is C.ATTENTION for view in seen)
        assert not any(view.offline or view.problem for view in seen if view.state is C.CONNECTED)
        assert waiting == 0
        assert infotrack is not C.ATTENTION


@given(st.lists(views, max_size=3), st.integers(0, 3))
def test_the_tool_tip_names_no_tenant_and_no_person(seen: list[ConnectionView], waiting: int) -> None:
    """J10: what others may see over a shoulder holds no names."""
    told = tuple(
        dataclasses.replace(view, tenant="Kestrel Holdings", user="priya", problem=view.problem and "for J000101") for view in seen
    )
    tip = tooltip(status(*told, waiting=waiting))
    assert not any(name in tip for name in ("Kestrel", "priya", "J000101"))


def test_the_words_are_the_contracts() -> None:
    assert {state_words(s) for s in IconState} == {"connected", "not connected", "connecting", "needs attention", "offline"}


def names(now: Status | None) -> list[str]:
    return [entry[1] for entry in menu_entries(now) if entry is not None]


def test_the_menu_offers_connect_or_disconnect_and_all_windows() -> None:
    """What is done each day stands first; what ends a sign-in stands where no hand comes by habit."""
    daily = ["Choose a matter", "Orders and postings", "Connections", "Settings", "Welcome"]
    assert names(None) == ["Connect", *daily, "Quit"]
    assert names(status(OUT)) == ["Connect", *daily, "Quit"]
    assert names(status(IN)) == [*daily, "Disconnect", "Quit"]
    assert names(status(BROKEN)) == ["Connect", *daily, "Disconnect", "Quit"]


def test_a_notice_comes_once_for_what_newly_needs_a_person() -> None:
    """J10: one summary, in numbers, without names."""
    assert notice(None, status(IN)) == ""
    assert notice(None, status(IN, waiting=2)) == "2 postings wait for you."
    assert notice(status(IN, waiting=2), status(IN, waiting=2)) == ""
    assert notice(status(IN, waiting=2), status(IN, waiting=1)) == ""
    assert notice(status(IN), status(BROKEN)) == "Xero Practice Manager needs you to sign in again."
    assert notice(status(BROKEN), status(BROKEN)) == ""
    assert notice(status(IN), status(IN, infotrack=REFUSED)) == "InfoTrack needs you to sign in again."


def test_what_was_posted_is_told_only_to_who_wants_to_know_all() -> None:
    before, after = status(IN), status(IN)
    after = dataclasses.replace(after, deliveries={**after.deliveries, DeliveryState.CONFIRMED: 2})
    assert notice(before, after) == ""
    assert notice(before, after, "all") == "2 postings are done."
    assert notice(after, after, "all") == ""
    assert notice(None, after, "all") == ""
    assert notice(status(IN), status(IN, waiting=1), "none") == ""


def test_connected_counts_a_broken_sign_in_but_not_one_under_way() -> None:
    assert connected(status(BROKEN, GOING, OUT)) == (BROKEN,)
    assert connected(None) == ()


SIZES = (16, 20, 22, 24, 32, 48, 64, 128, 256)
"""What trays ask for on Windows and Linux at 100 to 250 per cent, and what larger places do."""

PANELS = {"light": "#f3f3f3", "white": "#ffffff", "dark": "#202327", "black": "#000000"}


def picture(state: IconState, size: int) -> QImage:
    return tray_icon(state).pixmap(QSize(size, size)).toImage().convertToFormat(QImage.Format.Format_ARGB32)


def drawn(image: QImage) -> list[bool]:
    """Where a picture has ink at all, whatever its colour."""
    return [image.pixelColor(x, y).alpha() > 100 for y in range(image.height()) for x in range(image.width())]


@pytest.mark.parametrize("size", SIZES)
def test_the_five_icons_differ_in_shape(qapp: QApplication, size: int) -> None:
    shapes = {state: drawn(picture(state, size)) for state in IconState}
    for state, shape in shapes.items():
        assert len(shape) == size * size
        assert sum(shape) > size, f"{state} shows nothing at {size} pixels"
        for other, its in shapes.items():
            if other is not state:
                differing = sum(a != b for a, b in zip(shape, its, strict=True))
                assert differing > max(size, size * size // 16), f"{state} and {other} look alike"


@pytest.mark.parametrize("panel", PANELS)
@pytest.mark.parametrize("state", IconState)
@pytest.mark.parametrize("size", [16, 22])
def test_each_icon_stands_out_on_a_light_and_on_a_dark_panel(qapp: QApplication, state: IconState, panel: str, size: int) -> None:
    """One icon serves both: a program can't ask which colour the panel has. WCAG 2 wants 3 to 1 of a mark."""
    image = picture(state, size)
    pixels = [image.pixelColor(x, y) for y in range(size) for x in range(size)]
    inked = [colour.name() for colour in pixels if colour.alpha() > 250]
    clear = [name for name in inked if theme.contrast(name, PANELS[panel]) >= 3]
    assert len(clear) >= size, f"{len(clear)} of {len(inked)} pixels stand out"


def test_the_programs_own_icon_can_be_drawn(qapp: QApplication) -> None:
    assert not app_icon().pixmap(64, 64).isNull()


def far_apart(one: QColor, other: QColor) -> bool:
    pairs = ((one.red(), other.red()), (one.green(), other.green()), (one.blue(), other.blue()), (one.alpha(), other.alpha()))
    return any(abs(a - b) > 24 for a, b in pairs)


def test_the_setups_icon_is_the_programs(qapp: QApplication) -> None:
    """`python -m installer.pictures` was run after the last change of the drawing."""
    body = pictures.ICO.read_bytes()
    kind, count = struct.unpack_from("<HH", body, 2)
    assert kind == 1
    sizes = []
    for number in range(count):
        size, _, _, _, _, depth, length, offset = struct.unpack_from("<BBBBHHII", body, 6 + 16 * number)
        kept, made = QImage(), QImage()
        assert kept.loadFromData(body[offset : offset + length])
        assert made.loadFromData(pictures.png(size or 256))
        assert depth == 32
        assert kept.size() == made.size()
        far = [
            (x, y)
            for y in range(kept.height())
            for x in range(kept.width())
            if far_apart(kept.pixelColor(x, y), made.pixelColor(x, y))
        ]
        assert len(far) <= kept.width() * kept.height() // 200
        sizes.append(size or 256)
    assert tuple(sizes) == pictures.ICO_SIZES
