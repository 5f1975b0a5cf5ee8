"""What takes longer than half a second says so; what is quicker flickers nothing."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer

from desktop.ui.widgets import Busy

SLOW_MS = 500


class Patience(QObject):
    """Shows `text` in a window's busy bar while something that was begun takes long. What a person's action says there stays."""

    def __init__(self, busy: Busy, text: str, parent: QObject) -> None:
        super().__init__(parent)
        self._busy = busy
        self._text = text
        self._says = False
        self._timer = QTimer(self)
        self._timer.setObjectName("say that it takes a while")
        self._timer.setSingleShot(True)
        self._timer.setInterval(SLOW_MS)
        self._timer.timeout.connect(self._slow)

    def begin(self) -> None:
        if not self._says and not self._timer.isActive():
            self._timer.start()

    def end(self) -> None:
        self._timer.stop()
        if self._says:
            self._says = False
            self._busy.stop()

    def _slow(self) -> None:
        if self._busy.isHidden():
            self._says = True
            self._busy.start(self._text)
