"""A page that scrolls up and down only."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget


class UprightScroll(QScrollArea):
    """Shows `page`, never narrower than the page can be made, so that a longer language or larger letters cut nothing; only
    where the screen itself is narrower does it scroll sideways as well. Takes no focus: its page's widgets do."""

    def __init__(self, page: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidget(page)

    def minimumSizeHint(self) -> QSize:
        least = super().minimumSizeHint()
        page = self.widget()
        if page is None:
            return least
        wanted = page.minimumSizeHint().width() + self.verticalScrollBar().sizeHint().width()
        screen = self.screen()
        return QSize(max(least.width(), min(wanted, screen.availableGeometry().width())), least.height())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest and watched is self.widget():
            self.updateGeometry()
        return super().eventFilter(watched, event)
