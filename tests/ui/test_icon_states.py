"""What the icon says, as a table over statuses."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QSize
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from desktop.services.desk import ConnectionState, ConnectionView, InfoTrackView, Status
from desktop.services.ledger.model import DeliveryState
from desktop.ui.icons import app_icon, tray_icon
from desktop.ui.state import Click, IconState, click, connected, icon_state, state_words, tooltip
from desktop.ui.tray import menu_entries
from desktop.ui.tray_app import notice
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
    always = ["Choose a matter", "Orders and postings", "Connections", "Settings", "Welcome", "Quit"]
    assert names(None) == ["Connect", *always]
    assert names(status(OUT)) == ["Connect", *always]
    assert names(status(IN)) == ["Disconnect", *always]
    assert names(status(BROKEN)) == ["Connect", "Disconnect", *always]


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


def drawn(image: QImage) -> list[bool]:
    """Where a picture has ink at all, whatever its colour."""
    return [image.pixelColor(x, y).alpha() > 100 for y in range(image.height()) for x in range(image.width())]


@pytest.mark.parametrize("size", [16, 22])
def test_the_five_icons_differ_in_shape(qapp: QApplication, size: int) -> None:
    shapes = {state: drawn(tray_icon(state).pixmap(QSize(size, size)).toImage()) for state in IconState}
    for state, shape in shapes.items():
        assert sum(shape) > size, f"{state} shows nothing at {size} pixels"
        for other, its in shapes.items():
            if other is not state:
                assert sum(a != b for a, b in zip(shape, its, strict=True)) > size, f"{state} and {other} look alike"


def test_the_programs_own_icon_can_be_drawn(qapp: QApplication) -> None:
    assert not app_icon().pixmap(64, 64).isNull()
