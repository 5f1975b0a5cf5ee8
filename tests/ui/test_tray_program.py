"""The tray program as a whole, without a tray host: what the offscreen platform offers."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest
from PySide6.QtWidgets import QApplication, QPushButton, QSystemTrayIcon, QWidget
from pytestqt.qtbot import QtBot

from desktop.services.desk import ActionFailed, ConnectionState
from desktop.ui.instance import Request
from desktop.ui.tray_app import TrayApp
from tests.ui.fake_desk import XPM, FakeDesk, connection, status
from tests.ui.fake_settings import FakeSettings

C = ConnectionState
ROOT = Path(__file__).resolve().parents[2]


class Running:
    """A started program and what it opened."""

    def __init__(self, qapp: QApplication, desk: FakeDesk, **options: object) -> None:
        self.addresses: list[str] = []
        self.desk = desk
        self.notices: list[str] = []
        self.app = TrayApp(
            qapp,
            self._factory,
            FakeSettings(),
            open_url=self._open_url,
            host_grace_ms=0,
            **options,  # type: ignore[arg-type]
        )
        self.app.tray.notify = self.notices.append  # type: ignore[method-assign, assignment]

    def _open_url(self, address: str) -> bool:
        self.addresses.append(address)
        return True

    def _factory(self, notify: object) -> FakeDesk:
        self.desk.notify = notify  # type: ignore[assignment]
        return self.desk

    def open_windows(self) -> set[str]:
        return {w.windowTitle() for w in self.app._windows() if w.isVisible()}


class Run(Protocol):
    def __call__(self, desk: FakeDesk, **options: object) -> Running: ...


@pytest.fixture
def run(qapp: QApplication, qtbot: QtBot) -> Iterator[Run]:
    made: list[Running] = []

    def start(desk: FakeDesk, **options: object) -> Running:
        running = Running(qapp, desk, **options)
        made.append(running)
        running.app.start()
        qtbot.waitUntil(lambda: running.app.bridge.status is not None)
        return running

    yield start
    for running in made:
        running.app.close()
    QApplication.processEvents()


def activate(running: Running, reason: QSystemTrayIcon.ActivationReason) -> None:
    running.app.tray.icon.activated.emit(reason)


Reason = QSystemTrayIcon.ActivationReason


def test_the_tool_tip_says_the_state_in_words(qtbot: QtBot, run: Run, desk: FakeDesk) -> None:
    desk.now_status = status(connection())
    running = run(desk)
    tray = running.app.tray
    assert tray.icon.toolTip() == "iConnect: connected"
    desk.now_status = status(connection(offline=True))
    desk.notify()
    qtbot.waitUntil(lambda: tray.icon.toolTip().startswith("iConnect: offline"))


def test_a_left_click_opens_the_picker_when_connected(qtbot: QtBot, run: Run, desk: FakeDesk) -> None:
    running = run(desk)
    activate(running, Reason.Context)
    assert "iConnect - Choose a matter" not in running.open_windows()
    activate(running, Reason.Trigger)
    assert "iConnect - Choose a matter" in running.open_windows()


def test_a_left_click_connects_when_disconnected(qtbot: QtBot, run: Run, desk: FakeDesk) -> None:
    desk.now_status = status(connection(C.DISCONNECTED))
    running = run(desk)
    activate(running, Reason.Trigger)
    qtbot.waitUntil(lambda: desk.called("connect") == [(XPM,)])
    assert "iConnect - Connections" in running.open_windows()
    qtbot.waitUntil(lambda: running.app.tray.icon.toolTip() == "iConnect: connected")
    assert running.addresses


def test_a_second_start_opens_the_picker_with_its_text(qtbot: QtBot, run: Run, desk: FakeDesk) -> None:
    running = run(desk)
    running.app.show_request(Request("picker", "J0001"))
    assert "iConnect - Choose a matter" in running.open_windows()
    assert running.app.picker().search.field.text() == "J0001"
    running.app.show_request(Request("settings"))
    assert "iConnect - Settings" in running.open_windows()


def test_without_a_tray_host_a_small_window_stands_in(qtbot: QtBot, run: Run, desk: FakeDesk) -> None:
    running = run(desk)
    home = running.app.home()
    qtbot.waitUntil(home.isVisible)
    assert home.windowTitle() == "iConnect - needs attention"
    wanted = ["Choose a matter", "Orders and postings", "Connections", "Settings", "Welcome", "Disconnect", "Quit"]
    # A status that arrives meanwhile makes the buttons anew, and Qt shows them one turn later.
    qtbot.waitUntil(lambda: [b.text() for b in home.findChildren(QPushButton) if b.isVisible() and b.objectName()] == wanted)
    next(b for b in home.findChildren(QPushButton) if b.objectName() == "deliveries").click()
    assert "iConnect - Orders and postings" in running.open_windows()


def test_a_host_that_comes_late_takes_the_icon(qtbot: QtBot, run: Run, desk: FakeDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    running = run(desk, host_check_ms=10)
    qtbot.waitUntil(running.app.home().isVisible)
    assert not running.app.tray.icon.isVisible()
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", staticmethod(lambda: True))
    qtbot.waitUntil(running.app.tray.icon.isVisible)
    qtbot.waitUntil(lambda: not running.app.home().isVisible())
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", staticmethod(lambda: False))
    qtbot.waitUntil(running.app.home().isVisible)


def test_every_menu_entry_opens_what_it_names(qtbot: QtBot, run: Run, desk: FakeDesk) -> None:
    running = run(desk)
    actions = {action.text(): action for action in running.app.tray.menu.actions() if action.text()}
    for text, title in (
        ("Choose a matter", "iConnect - Choose a matter"),
        ("Orders and postings", "iConnect - Orders and postings"),
        ("Connections", "iConnect - Connections"),
        ("Settings", "iConnect - Settings"),
        ("Welcome", "iConnect - Welcome"),
    ):
        actions[text].trigger()
        assert title in running.open_windows()
    actions["Disconnect"].trigger()
    qtbot.waitUntil(lambda: desk.called("disconnect") == [(XPM,)])
    qtbot.waitUntil(lambda: "Connect" in [action.text() for action in running.app.tray.menu.actions()])


def test_the_first_run_opens_the_welcome_window(qtbot: QtBot, run: Run, desk: FakeDesk) -> None:
    running = run(desk, first_run=True)
    assert "iConnect - Welcome" in running.open_windows()


def test_one_notice_for_what_newly_waits_and_none_if_unwanted(qtbot: QtBot, run: Run, desk: FakeDesk) -> None:
    """J10: in numbers, without names."""
    wanted = "errors"
    running = run(desk, notices_wanted=lambda: wanted)
    assert running.notices == ["3 postings wait for you."]
    desk.now_status = status(connection(), waiting=4)
    desk.notify()
    qtbot.waitUntil(lambda: len(running.notices) == 2)
    wanted = "none"
    desk.now_status = status(connection(), waiting=5)
    with qtbot.waitSignal(running.app.bridge.status_changed):
        desk.notify()
    assert len(running.notices) == 2


def test_a_profile_that_cannot_be_opened_is_explained(qapp: QApplication, qtbot: QtBot) -> None:
    def factory(notify: object) -> FakeDesk:
        raise ActionFailed("This profile was written by a newer iConnect. Install that version.")

    app = TrayApp(qapp, factory, FakeSettings(), host_grace_ms=0)
    app.start()
    qtbot.waitUntil(lambda: "newer iConnect" in app.home().message.text())
    assert app.home().isVisible()
    assert app.tray.icon.toolTip().startswith("iConnect: needs attention")
    app.close()


def test_quit_ends_the_program_also_while_a_sign_in_waits(qtbot: QtBot, run: Run, desk: FakeDesk) -> None:
    gate = desk.hold("browser")
    desk.now_status = status(connection(C.DISCONNECTED))
    running = run(desk)
    running.app.choose("connect")
    qtbot.waitUntil(lambda: bool(running.addresses))
    running.app.close()
    qtbot.waitUntil(lambda: not any(thread.is_alive() for thread in running.app.bridge._network._threads))
    assert not gate.is_set()
    assert not any(isinstance(w, QWidget) and w.isVisible() for w in QApplication.topLevelWidgets())


def test_many_calls_into_qt_do_not_end_the_interpreter() -> None:
    """PySide6 6.12.0 on Python 3.11 would, after some five thousand."""
    code = (
        "import desktop.ui; from PySide6.QtCore import QObject\n"
        "o = QObject()\n"
        "for n in range(50_000):\n    o.setObjectName('x'); o.blockSignals(False); o.signalsBlocked()\n"
        "print('alive')"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, env={**os.environ})
    assert ran.stdout.strip() == "alive", ran.stderr[-300:]


def test_a_notice_names_no_matter_unless_that_is_switched_on(run: Run, qtbot: QtBot) -> None:
    """J10: notices name no matters by default."""
    desk = FakeDesk()
    desk.now_status = status(connection(), waiting=0)
    running = run(desk)
    desk.now_status = status(connection(), waiting=2)
    running.app.bridge.notify()
    qtbot.waitUntil(lambda: bool(running.notices))
    assert running.notices == ["2 postings wait for you."]


def test_a_notice_names_the_matters_that_wait_for_whoever_wants_it(run: Run, qtbot: QtBot) -> None:
    """J10: only when switched on."""
    desk = FakeDesk()
    desk.now_status = status(connection(), waiting=0)
    running = run(desk, matters_in_notices=lambda: True)
    desk.now_status = status(connection(), waiting=3)
    running.app.bridge.notify()
    qtbot.waitUntil(lambda: bool(running.notices))
    assert running.notices == ["3 postings wait for you. Matters: J000099, J000101."]


def test_a_click_on_the_notice_leads_to_the_one_row_that_waits(run: Run, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = FakeDesk()
    running = run(desk)
    opened: list[tuple[str, bool]] = []
    monkeypatch.setattr(running.app, "open_deliveries", lambda order_id="", *, waiting=False: opened.append((order_id, waiting)))
    running.app.tray.notice_clicked.emit()
    qtbot.waitUntil(lambda: opened == [("", True)])
    desk.all_orders = tuple(order for order in desk.all_orders if order.order_id == "71000006")
    running.app.tray.notice_clicked.emit()
    qtbot.waitUntil(lambda: opened[1:] == [("71000006", False)])
