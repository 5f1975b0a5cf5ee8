"""Connections tells what was found by trying, what is left of the day's calls, and where in the vendor's menus a right is given."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import datetime

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from desktop.services.desk import ConnectionState
from desktop.services.practice.model import AccessFinding, Finding
from desktop.settings import SYSTEMS
from desktop.ui.connections import ConnectionsWindow, calls_words
from desktop.ui.menu_path import MenuPath
from desktop.ui.signing_in import SigningIn
from desktop.ui.vendor_places import vendor_place
from tests.ui.conftest import MakeBridge
from tests.ui.fake_desk import XPM, FakeDesk, connection, status

Clock = Callable[[], datetime]
MISSING = (AccessFinding("Post costs", Finding.MISSING, "Xero refused.", "Ask an administrator."),)


def opened(qtbot: QtBot, make_bridge: MakeBridge, desk: FakeDesk, clock: Clock) -> ConnectionsWindow:
    bridge = make_bridge(desk)
    window = ConnectionsWindow(bridge, SigningIn(bridge, open_url=lambda _: True, parent=bridge), clock=clock)
    qtbot.addWidget(window)
    window.bring_forward()
    return window


def test_a_missing_right_shows_the_vendors_menu_path(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, desk: FakeDesk) -> None:
    """Product complaint 10: the right to authorise third parties is missing, and nobody says where it is given."""
    desk.findings = MISSING
    window = opened(qtbot, make_bridge, desk, clock)
    card = window.cards[XPM]
    card.test_button.click()
    qtbot.waitUntil(lambda: bool(card.findChildren(MenuPath)))
    first = card.findChildren(MenuPath)[0]
    assert first.steps()[:3] == ("Business", "Settings", "Staff")
    assert first.accessibleName().startswith("Open Business, then Settings, then Staff")


def test_without_a_fault_no_path_is_shown(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, desk: FakeDesk) -> None:
    window = opened(qtbot, make_bridge, desk, clock)
    card = window.cards[XPM]
    card.test_button.click()
    qtbot.waitUntil(lambda: card.result.text() == "Everything works.")
    assert card.findChildren(MenuPath) == []


def test_after_a_sign_in_the_rights_are_tried_without_being_asked(
    qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, desk: FakeDesk
) -> None:
    """Product complaint 10: a pre-flight check before the first write."""
    desk.now_status = status(connection(ConnectionState.DISCONNECTED))
    desk.findings = MISSING
    window = opened(qtbot, make_bridge, desk, clock)
    card = window.cards[XPM]
    card.connect_button.click()
    qtbot.waitUntil(lambda: bool(card.findChildren(MenuPath)))
    assert "Signed in to Harbour & Reed Legal." in card.result.text()


def test_the_calls_left_today_are_shown(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, desk: FakeDesk) -> None:
    """Product complaint 17: show what is left of the day's calls."""
    desk.now_status = dataclasses.replace(status(connection()), budget={XPM: {"day_remaining": 4812, "minute_remaining": 58}})
    window = opened(qtbot, make_bridge, desk, clock)
    assert "Calls left today: 4,812" in window.cards[XPM].facts.text()


@pytest.mark.parametrize("budget", [None, {}, {"day_remaining": None}, {"per_second": 5}, "broken"])
def test_a_budget_that_nobody_told_is_not_guessed(budget: object) -> None:
    assert calls_words(budget) == ""


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_practice_system_has_its_ways(system: str) -> None:
    place = vendor_place(system)
    assert place is not None
    assert all((place.account, place.once, place.sign_in))
    assert all(len(way.steps) > 2 and way.then and way.who for way in place.ways)


@pytest.mark.parametrize("width", [120, 200, 340, 900])
@pytest.mark.parametrize("direction", [Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft])
def test_a_path_takes_as_many_lines_as_it_needs(qtbot: QtBot, width: int, direction: Qt.LayoutDirection) -> None:
    path = MenuPath(("Business", "Settings", "Staff", "the staff member's own page", "API access privileges"))
    qtbot.addWidget(path)
    path.setLayoutDirection(direction)
    path.resize(width, path.heightForWidth(width))
    boxes = path.boxes(width)
    assert all(box.left() >= 0 and box.right() < width for box in boxes)
    assert not any(box.intersects(other) for number, box in enumerate(boxes) for other in boxes[:number])
    assert boxes[-1].bottom() < path.heightForWidth(width) <= boxes[-1].bottom() + 1
    assert not path.grab().isNull()
