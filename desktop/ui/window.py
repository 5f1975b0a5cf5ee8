"""What every window of ours does alike: its title, its icon, Esc, and looking again only while somebody can see it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QGuiApplication, QHideEvent, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QWidget

from desktop.services.desk import Status
from desktop.ui import theme
from desktop.ui.bridge import Bridge
from desktop.ui.icons import app_icon

Clock = Callable[[], datetime]


def local_now() -> datetime:
    """Now, aware, in the PC's own zone."""
    return datetime.now().astimezone()


class Window(QWidget):
    """A top-level window. Sub-classes override `look` (fetch what is shown) and `show_status`.

    Both are called when the window is shown and when something may have changed, and not while it is hidden."""

    def __init__(self, bridge: Bridge, subject: str, *, clock: Clock = local_now) -> None:
        super().__init__()
        self.bridge = bridge
        self.clock = clock
        self.setWindowTitle(f"iConnect - {subject}" if subject else "iConnect")
        self.setWindowIcon(app_icon())
        self.setPalette(theme.readable_marks())
        bridge.changed.connect(self._changed)
        bridge.status_changed.connect(self._status_changed)
        QGuiApplication.styleHints().accessibility().contrastPreferenceChanged.connect(self.recolour)

    def look(self) -> None:
        """Fetches what the window shows."""

    def show_status(self, status: Status | None) -> None:
        """Shows what depends on the status alone; None while nothing is known."""

    def bring_forward(self) -> None:
        """Shows the window, on top and with the keyboard."""
        if self.isMinimized():
            self.showNormal()
        else:
            self.show()
        self.raise_()
        self.activateWindow()

    def recolour(self) -> None:
        """Lets every widget of the window and of its dialogs choose its colours again. A new palette does so by itself; that the
        person asked for more contrast need not come with one."""
        for widget in (self, *self.findChildren(QWidget)):
            QCoreApplication.sendEvent(widget, QEvent(QEvent.Type.PaletteChange))
            widget.update()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.ApplicationPaletteChange):
            marks = theme.readable_marks()
            if marks.color(theme.Role.Highlight) != self.palette().color(theme.Role.Highlight):
                self.setPalette(marks)
        super().changeEvent(event)

    def _changed(self) -> None:
        if self.isVisible():
            self.look()

    def _status_changed(self, status: Status) -> None:
        if self.isVisible():
            self.show_status(status)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not event.spontaneous():
            self.bridge.watch(self, True)
            self.show_status(self.bridge.status)
            self.look()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        if not event.spontaneous():
            self.bridge.watch(self, False)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close()
        else:
            super().keyPressEvent(event)
