"""The widget that a page is drawn in. Turning the wheel with Ctrl held is for the window, not for the page."""

from __future__ import annotations

from PySide6.QtCore import QChildEvent, QEvent, QObject, Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWebEngineWidgets import QWebEngineView
from PySide6.QtWidgets import QWidget

from desktop.ui.language import tr

_NOTCH = 120


INFOTRACK_PAGE = tr("InfoTrack page")


class PageView(QWebEngineView):
    """Emits `wheel_zoom(1)` or `wheel_zoom(-1)` for each notch. A page can't see these turns, so none can keep them for itself."""

    wheel_zoom = Signal(int)

    def __init__(self, parent: QWidget, name: str = INFOTRACK_PAGE) -> None:
        super().__init__(parent)
        self._turned = 0
        self.setAccessibleName(name)

    def childEvent(self, event: QChildEvent) -> None:
        """The engine draws in a widget of its own, made when it needs one."""
        child = event.child()
        if event.added() and child is not None and child.isWidgetType():
            child.installEventFilter(self)
        super().childEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QWheelEvent) and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._turn(event.angleDelta().y())
            return True
        return False

    def _turn(self, delta: int) -> None:
        """A fine wheel or a touchpad sends parts of a notch."""
        if (delta > 0) is not (self._turned > 0):
            self._turned = 0
        self._turned += delta
        while abs(self._turned) >= _NOTCH:
            direction = 1 if self._turned > 0 else -1
            self._turned -= direction * _NOTCH
            self.wheel_zoom.emit(direction)
