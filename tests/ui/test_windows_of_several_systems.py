"""Two practice systems side by side: which is which is always shown."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import datetime

from PySide6.QtWidgets import QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from desktop.services.desk import ConnectionState, MatterHit
from desktop.services.practice.model import Matter
from desktop.ui.connections import ConnectionsWindow
from desktop.ui.matter_picker import MatterPicker
from desktop.ui.matter_rows import matter_row
from desktop.ui.signing_in import SigningIn
from tests.ui.conftest import MakeBridge
from tests.ui.fake_desk import MATTERS, FakeDesk, connection, order, status

Clock = Callable[[], datetime]
SMOKEBALL = "smokeball"
THERE = connection(system=SMOKEBALL, title="Smokeball", tenant="Kauri Law")
OTHER = dataclasses.replace(MATTERS[0], system=SMOKEBALL, tenant="firm-1", id="sb-1")


def opened(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, desk: FakeDesk) -> MatterPicker:
    window = MatterPicker(make_bridge(desk), clock=clock)
    qtbot.addWidget(window)
    window.open_with()
    qtbot.waitUntil(lambda: window.search._shown_for == "")
    return window


def subtitles(window: MatterPicker) -> list[str]:
    hits = [window.search.model.value(row) for row in range(window.search.model.rowCount())]
    return [matter_row(hit, many_systems=window.search._names_system(hit)).subtitle for hit in hits if hit is not None]


def test_each_matter_names_its_system_where_more_than_one_is_connected(
    qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, desk: FakeDesk
) -> None:
    desk.matters = (MATTERS[0], OTHER)
    desk.now_status = status(connection(), THERE)
    window = opened(qtbot, make_bridge, clock, desk)
    qtbot.waitUntil(lambda: window.search.model.rowCount() == 2)
    assert [text.split(" · ")[-1] for text in subtitles(window)] == ["Xero Practice Manager", "Smokeball"]
    hit = MatterHit(OTHER, 1.0)
    assert matter_row(hit, many_systems=True).spoken.endswith(", Smokeball")
    assert "Smokeball" not in matter_row(hit).spoken


def test_with_one_system_its_name_is_left_out_but_not_that_of_a_matter_from_elsewhere(
    qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, desk: FakeDesk
) -> None:
    desk.matters = (MATTERS[0], OTHER)
    desk.now_status = status(connection())
    window = opened(qtbot, make_bridge, clock, desk)
    qtbot.waitUntil(lambda: window.search.model.rowCount() == 2)
    assert ["Xero" in text or "Smokeball" in text for text in subtitles(window)] == [False, True]


def history(qtbot: QtBot, window: MatterPicker, matter: Matter) -> list[str]:
    window.panel.show_matter(None)
    window.panel.show_matter(matter)
    qtbot.waitUntil(lambda: window.panel.model.rowCount() > 0)
    model = window.panel.model
    return [found.order_id for row in range(model.rowCount()) if (found := model.value(row)) is not None]


def test_a_smokeball_matter_shows_its_own_orders_with_their_states_and_a_new_search(
    qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, desk: FakeDesk
) -> None:
    """What its own system's search tab would show; the same number elsewhere has orders of its own."""
    desk.matters = (MATTERS[0], OTHER)
    desk.now_status = status(connection(), THERE)
    ours = dataclasses.replace(order("90000001"), system=SMOKEBALL, tenant="firm-1", matter_id="sb-1")
    another_firms = dataclasses.replace(order("90000002"), system=SMOKEBALL, tenant="firm-2", matter_id="sb-9")
    desk.all_orders = (ours, another_firms, order("90000003"))
    window = opened(qtbot, make_bridge, clock, desk)
    assert history(qtbot, window, OTHER) == ["90000001"]
    assert history(qtbot, window, MATTERS[0]) == ["90000003"]
    assert window.panel.button.accessibleName() == "New search"
    with qtbot.waitSignal(window.panel.open_order) as opened_order:
        window.panel.history.go_to(0)
        window.panel._open()
    assert opened_order.args == ["90000003"]


def test_a_matter_without_a_number_shows_no_other_ones_orders(
    qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, desk: FakeDesk
) -> None:
    desk.now_status = status(connection(), THERE)
    bare = dataclasses.replace(OTHER, number="")
    ours = dataclasses.replace(order("90000001"), system=SMOKEBALL, tenant="firm-1", matter_id="sb-1", matter_number="")
    desk.all_orders = (ours, order("90000003"))
    window = opened(qtbot, make_bridge, clock, desk)
    assert history(qtbot, window, bare) == ["90000001"]


def test_the_picker_says_which_of_several_systems_can_not_be_reached(
    qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, desk: FakeDesk
) -> None:
    desk.now_status = status(connection(), dataclasses.replace(THERE, offline=True))
    window = opened(qtbot, make_bridge, clock, desk)
    assert window.notice.text().startswith("Smokeball can't be reached.")


def words_on(widget: QWidget) -> str:
    return "\n".join(label.text() for label in widget.findChildren(QLabel) if label.isVisibleTo(widget))


def visible_buttons(widget: QWidget) -> list[str]:
    return [b.accessibleName() or b.text() for b in widget.findChildren(QPushButton) if b.isVisibleTo(widget)]


def test_every_system_that_is_set_up_has_a_card_and_one_that_may_lapse_can_be_renewed(
    qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, desk: FakeDesk
) -> None:
    lapsing = dataclasses.replace(THERE, renewal="The sign-in may lapse from 2 July 2026 on.", renew_soon=True)
    unused = connection(ConnectionState.DISCONNECTED, system="workflowmax", title="WorkflowMax")
    desk.now_status = status(connection(renewal=""), lapsing, unused)
    bridge = make_bridge(desk)
    signing_in = SigningIn(bridge, open_url=lambda address: True, parent=bridge)
    window = ConnectionsWindow(bridge, signing_in, clock=clock)
    qtbot.addWidget(window)
    window.bring_forward()
    assert list(window.cards) == ["xero-practice-manager", SMOKEBALL, "workflowmax"]
    assert visible_buttons(window.cards["workflowmax"]) == ["Connect"]
    assert visible_buttons(window.cards["xero-practice-manager"]) == ["Disconnect", "Test now"]
    assert visible_buttons(window.cards[SMOKEBALL]) == ["Connect", "Disconnect", "Test now"]
    assert "may lapse from 2 July 2026 on" in words_on(window.cards[SMOKEBALL])


def test_while_the_sign_in_window_is_up_the_card_says_so(
    qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, desk: FakeDesk
) -> None:
    desk.now_status = status(connection(ConnectionState.DISCONNECTED))
    bridge = make_bridge(desk)
    signing_in = SigningIn(bridge, open_url=lambda address: True, parent=bridge)
    window = ConnectionsWindow(bridge, signing_in, clock=clock)
    qtbot.addWidget(window)
    window.bring_forward()
    signing_in.system = "xero-practice-manager"
    signing_in._window_opens()
    assert "in the window that iConnect has opened" in words_on(window.cards["xero-practice-manager"])
    signing_in.system = ""
