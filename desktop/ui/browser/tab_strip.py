"""The strip of tabs: one for the order, and one for each further page that InfoTrack opened in a window of its own."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QAbstractButton, QTabBar


class TabStrip(QTabBar):
    """Hidden while there is only the order's page, which has no button to close it. The middle button closes the others."""

    def __init__(self) -> None:
        super().__init__()
        self.setTabsClosable(True)
        self.setExpanding(False)
        self.setDocumentMode(True)
        self.setDrawBase(True)
        self.setElideMode(Qt.TextElideMode.ElideRight)
        self.setUsesScrollButtons(True)
        self.setAccessibleName("Pages")
        self.hide()

    def add(self, name: str) -> int:
        """Gives its place. The first is the order's."""
        index = self.addTab(name)
        if index == 0:
            for side in (QTabBar.ButtonPosition.LeftSide, QTabBar.ButtonPosition.RightSide):
                self.setTabButton(0, side, None)
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
                button.setAccessibleName(f"Close {name}")
                button.setToolTip("Close this page (Ctrl+W)")

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
