"""How the order window's bars stand round its pages. No engine: what is shown in the middle is the caller's."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop.ui.browser.bars import MatterStrip, NavigationBar, NoticeBar
from desktop.ui.browser.downloads_bar import DownloadsBar
from desktop.ui.browser.fees_form import FeesForm
from desktop.ui.browser.find_bar import FindBar


class Frame(QWidget):
    """From above: the matter, where the page is, a notice, the pages' tabs, find, the page with the fees beside it, files."""

    def __init__(self, matter: MatterStrip, matter_number: str, tabs: QWidget, pages: QWidget) -> None:
        super().__init__()
        self.navigation = NavigationBar()
        self.notice = NoticeBar()
        self.find_bar = FindBar()
        self.fees_form = FeesForm(matter_number)
        self.downloads_bar = DownloadsBar(matter_number)
        middle = QHBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(pages, 1)
        middle.addWidget(self.fees_form)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for widget in (matter, self.navigation, self.notice, tabs, self.find_bar):
            column.addWidget(widget)
        column.addLayout(middle, 1)
        column.addWidget(self.downloads_bar)
