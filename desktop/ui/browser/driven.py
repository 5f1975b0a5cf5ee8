"""What the order window's parts may know of it: the pages and bars that it is made of. What it does with them is its own."""

from __future__ import annotations

from PySide6.QtWidgets import QMainWindow

from desktop.ui.browser.bars import NoticeBar
from desktop.ui.browser.downloads_bar import DownloadsBar
from desktop.ui.browser.fees_form import FeesForm
from desktop.ui.browser.find_bar import FindBar
from desktop.ui.browser.page_set import PageSet
from desktop.ui.browser.tab import Tab


class DrivenWindow(QMainWindow):
    """A window of pages that can be looked at and driven."""

    page_set: PageSet
    notice: NoticeBar
    find_bar: FindBar
    fees_form: FeesForm
    downloads_bar: DownloadsBar

    @property
    def tab(self) -> Tab:
        """The page that is shown."""
        return self.page_set.current

    @property
    def tabs(self) -> list[Tab]:
        return self.page_set.tabs
