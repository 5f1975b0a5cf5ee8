"""The tray program over a desk in memory, for tests that click it from outside. Prints a line for what a test waits for."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import desktop.ui  # noqa: F401  # isort: skip  # before any Qt module

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication

from desktop.services.desk import ConnectionState
from desktop.ui.tray_app import TrayApp
from tests.ui.fake_desk import FakeDesk, connection, status
from tests.ui.fake_settings import FakeSettings


class Reporter(QObject):
    """Says where the icon is, once it is somewhere, and what opens."""

    def __init__(self, app: TrayApp) -> None:
        super().__init__()
        self._app = app
        self._told: set[str] = set()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look)
        self._timer.start(20)

    def _say(self, line: str) -> None:
        if line not in self._told:
            self._told.add(line)
            print(line, flush=True)

    def _look(self) -> None:
        box = self._app.tray.icon.geometry()
        if box.width() > 0 and self._app.bridge.status is not None:
            self._say(f"icon {box.center().x()} {box.center().y()}")
        if self._app.tray.menu.isVisible():
            self._say("menu " + "|".join(action.text() for action in self._app.tray.menu.actions() if action.text()))
        for window in self._app._windows():
            if window.isVisible() and window.isActiveWindow():
                self._say(f"window {window.windowTitle()}")


def main() -> int:
    qt = QApplication([])
    desk = FakeDesk()
    if "signed-out" in sys.argv:
        desk.now_status = status(connection(ConnectionState.DISCONNECTED))
        desk.hold("browser")
    keys = next((argument.removeprefix("keys=") for argument in sys.argv if argument.startswith("keys=")), "")
    app = TrayApp(
        qt, lambda notify: desk, FakeSettings(), open_url=lambda address: True, host_check_ms=100, shortcut_wanted=lambda: keys
    )
    app.tray.notify = lambda text: print(f"notice {text}", flush=True)  # type: ignore[method-assign]
    reporter = Reporter(app)
    done = app.run()
    reporter.deleteLater()
    print("ended", flush=True)
    return done


if __name__ == "__main__":
    sys.exit(main())
