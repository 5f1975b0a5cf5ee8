"""A person's hands and eyes on the program's windows, for the demo: real key presses and clicks on real widgets.

The journey runs on a thread of its own and may wait; everything that touches a widget is handed to the GUI thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QObject, QPoint, Qt, Signal, Slot
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QListView, QWidget

T = TypeVar("T")


class Missed(Exception):
    """Something that should have appeared did not, in time."""


class _Door(QObject):
    """Lets work through to the GUI thread, by a queued signal."""

    knocked = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.knocked.connect(self._let_in, Qt.ConnectionType.QueuedConnection)

    @Slot(object)
    def _let_in(self, work: object) -> None:
        assert callable(work)
        work()


class Hands:
    """Made on the GUI thread, used from the journey's."""

    def __init__(self, *, patience: float = 30.0) -> None:
        self._door = _Door()
        self._patience = patience

    def on_screen(self, act: Callable[[], T]) -> T:
        """Runs `act` on the GUI thread and gives what it gave, or raises what it raised."""
        done: Future[T] = Future()

        def work() -> None:
            try:
                done.set_result(act())
            except BaseException as error:  # noqa: BLE001  # carried to the thread that asked
                done.set_exception(error)

        self._door.knocked.emit(work)
        return done.result(timeout=self._patience)

    def wait(self, what: str, look: Callable[[], T | None], *, patience: float | None = None) -> T:
        """Until `look`, on the GUI thread, gives something true. Raises Missed."""
        end = time.monotonic() + (patience or self._patience)
        while True:
            found = self.on_screen(look)
            if found:
                return found
            if time.monotonic() > end:
                raise Missed(f"{what} did not appear in {patience or self._patience:.0f} s")
            time.sleep(0.05)

    def window(self, title: str) -> QWidget:
        """The visible window whose title begins so."""
        return self.wait(
            f"the window «{title}»",
            lambda: next((w for w in QApplication.topLevelWidgets() if w.isVisible() and w.windowTitle().startswith(title)), None),
        )

    def widget(self, window: QWidget, kind: type[QWidget], name: str) -> QWidget:
        """The visible widget of that kind with that accessible name (or, for a button, that text)."""
        return self.wait(f"«{name}»", lambda: next(_named(window, kind, name), None))

    def type_into(self, field: QWidget, text: str) -> None:
        def act() -> None:
            field.setFocus()
            QTest.keyClicks(field, text)

        self.on_screen(act)

    def press(self, field: QWidget, key: Qt.Key) -> None:
        self.on_screen(lambda: QTest.keyClick(field, key))

    def click(self, widget: QWidget) -> None:
        """A click that may open a dialog of its own loop must not hold the journey: it is queued, not waited for."""
        self.wait("an enabled button", lambda: widget.isEnabled() and widget.isVisible())
        self._door.knocked.emit(lambda: QTest.mouseClick(widget, Qt.MouseButton.LeftButton))

    def click_row(self, view: QListView, row: int) -> None:
        def act() -> None:
            where: QPoint = view.visualRect(view.model().index(row, 0)).center()
            QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=where)

        self.on_screen(act)

    def trigger_soon(self, act: Callable[[], object]) -> None:
        """Runs `act` on the GUI thread without waiting for it: it may open a dialog of its own loop."""
        self._door.knocked.emit(act)

    def clear(self, field: QLineEdit) -> None:
        def act() -> None:
            field.setFocus()
            field.selectAll()
            QTest.keyClick(field, Qt.Key.Key_Delete)

        self.on_screen(act)

    def is_enabled(self, window: QWidget, kind: type[QWidget], name: str) -> bool:
        """GUI thread only (inside `wait`)."""
        return any(widget.isEnabled() for widget in _named(window, kind, name))

    def settle(self, seconds: float = 0.6) -> None:
        """Lets what was asked for arrive and be painted, before a picture is taken."""
        time.sleep(seconds)

    def rows(self, view: QListView) -> list[str]:
        """The accessible text of every row."""

        def look() -> list[str]:
            model = view.model()
            role = Qt.ItemDataRole.AccessibleTextRole
            return [str(model.index(row, 0).data(role)) for row in range(model.rowCount())]

        return self.on_screen(look)

    def picture(self, window: QWidget, path: Path) -> Path:
        def act() -> None:
            window.repaint()
            window.grab().save(str(path))

        self.on_screen(act)
        return path


def _named(window: QWidget, kind: type[QWidget], name: str) -> Iterator[QWidget]:
    for widget in window.findChildren(kind):
        text = widget.text() if isinstance(widget, QAbstractButton) else ""
        if widget.isVisible() and name in (widget.accessibleName(), text.replace("&", "")):
            yield widget
