"""The strip of tabs: one for the order, and one for each further page that InfoTrack opened in a window of its own."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QAbstractButton, QTabBar

from desktop.ui.language import tr

_SIDE = 18


class Cross(QAbstractButton):
    """Closes a page. Drawn in the text's colour, because the style's own is a red picture on every ground."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(self.sizeHint())
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    def sizeHint(self) -> QSize:
        return QSize(_SIDE, _SIDE)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ink = QColor(self.palette().color(QPalette.ColorRole.WindowText))
        if self.underMouse() or self.isDown():
            ground = QColor(ink)
            ground.setAlphaF(0.25 if self.isDown() else 0.14)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(ground)
            painter.drawRoundedRect(QRectF(0, 0, _SIDE, _SIDE), 3, 3)
        pen = QPen(ink, 1.6)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        near, far = _SIDE * 0.32, _SIDE * 0.68
        painter.drawLine(QPointF(near, near), QPointF(far, far))
        painter.drawLine(QPointF(near, far), QPointF(far, near))
        painter.end()


class TabStrip(QTabBar):
    """Hidden while there is only the order's page, which has no button to close it. The middle button closes the others."""

    def __init__(self) -> None:
        super().__init__()
        self.setExpanding(False)
        self.setDocumentMode(True)
        self.setDrawBase(True)
        self.setElideMode(Qt.TextElideMode.ElideRight)
        self.setUsesScrollButtons(True)
        self.setAccessibleName(tr("Pages"))
        self.hide()

    def add(self, name: str) -> int:
        """Gives its place. The first is the order's."""
        index = self.addTab(name)
        if index > 0:
            cross = Cross()
            cross.clicked.connect(lambda: self._close(cross))
            self.setTabButton(index, QTabBar.ButtonPosition.RightSide, cross)
        self.rename(index, name)
        self.setVisible(self.count() > 1)
        return index

    def take_out(self, index: int) -> None:
        self.removeTab(index)
        self.setVisible(self.count() > 1)
        for place in range(self.count()):
            self._mark(place)

    def rename(self, index: int, name: str) -> None:
        if self.tabText(index) != name:
            self.setTabText(index, name.replace("&", "&&"))
        self._mark(index)

    def _mark(self, index: int) -> None:
        """Names for those who can't see the tab, and the keys for those who do not use the mouse."""
        name = self.tabText(index).replace("&&", "&")
        keys = f"Ctrl+{index + 1}" if index < 9 else ""
        self.setTabToolTip(index, f"{name} ({keys})" if keys else name)
        self.setAccessibleTabName(index, name)
        for side in (QTabBar.ButtonPosition.LeftSide, QTabBar.ButtonPosition.RightSide):
            button = self.tabButton(index, side)
            if isinstance(button, QAbstractButton):
                button.setAccessibleName(tr("Close {name}", name=name))
                button.setToolTip(tr("Close this page (Ctrl+W)"))

    def _close(self, cross: Cross) -> None:
        right = QTabBar.ButtonPosition.RightSide
        self.tabCloseRequested.emit(next(index for index in range(self.count()) if self.tabButton(index, right) is cross))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.MiddleButton:
            index = self.tabAt(event.position().toPoint())
            if index > 0:
                self.tabCloseRequested.emit(index)
            event.accept()
            return
        super().mouseReleaseEvent(event)

    def event(self, event: QEvent) -> bool:
        """Delete closes the page whose tab has the keyboard."""
        if event.type() == QEvent.Type.KeyPress and getattr(event, "key", lambda: None)() == Qt.Key.Key_Delete:
            if self.currentIndex() > 0:
                self.tabCloseRequested.emit(self.currentIndex())
            return True
        return super().event(event)
