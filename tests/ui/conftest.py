"""One offscreen application, bridges over fake desks that are let go after each test, and waiting without sleeping."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import desktop.ui  # noqa: F401  # isort: skip  # before any Qt module

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.ui.bridge import Bridge
from desktop.ui.first_icon import prepare
from desktop.ui.focus_in_sight import keep_focus_in_sight
from tests.ui.fake_desk import NOW, FakeDesk

MakeBridge = Callable[[FakeDesk], Bridge]


@pytest.fixture(scope="session")
def qapp() -> QApplication:
    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    prepare(app)
    keep_focus_in_sight(app)
    return app


@pytest.fixture
def clock() -> Callable[[], datetime]:
    return lambda: NOW.astimezone(timezone(timedelta(hours=11)))


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
def make_bridge(qtbot: QtBot) -> Iterator[MakeBridge]:
    made: list[Bridge] = []

    def make(desk: FakeDesk) -> Bridge:
        bridge = Bridge(lambda notify: _with_notify(desk, notify))
        made.append(bridge)
        with qtbot.waitSignal(bridge.status_changed):
            bridge.open()
        return bridge

    yield make
    for bridge in made:
        bridge.close()
        bridge.deleteLater()
    QApplication.processEvents()


@pytest.fixture
def bridge(make_bridge: MakeBridge, desk: FakeDesk) -> Bridge:
    return make_bridge(desk)


def _with_notify(desk: FakeDesk, notify: Callable[[], None]) -> FakeDesk:
    desk.notify = notify
    return desk
