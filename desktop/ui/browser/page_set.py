"""The pages of one window: the order's own, always there, and those that InfoTrack opened for a click."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtWidgets import QStackedWidget

from desktop.ui.browser.page_names import page_name
from desktop.ui.browser.tab import Tab
from desktop.ui.browser.tab_strip import TabStrip
from desktop.ui.language import tr

MOST_PAGES = 9
"""As many as Ctrl and a digit reach."""

_BETWEEN_SECONDS = 0.75
_ORDER = tr("Order")


class PageSet(QObject):
    """Emits
    - `chosen()`: another page is shown;
    - `leaving(Tab)`: a page is about to go;
    - `refused(sentence)`: a further page was not opened.

    `make` makes a page's widget; `now` is a steady clock."""

    chosen = Signal()
    leaving = Signal(object)
    refused = Signal(str)

    def __init__(self, make: Callable[[], Tab], parent: QObject, *, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__(parent)
        self._make = make
        self._now = now
        self._opened = -_BETWEEN_SECONDS
        self._made = 0
        self.strip = TabStrip()
        self.stack = QStackedWidget()
        self.tabs: list[Tab] = []
        self.strip.currentChanged.connect(self._on_current)
        self.strip.tabCloseRequested.connect(self.close)

    @property
    def current(self) -> Tab:
        return self.tabs[max(0, self.strip.currentIndex())]

    @property
    def order(self) -> Tab:
        """The page of the order itself."""
        return self.tabs[0]

    def add(self) -> Tab:
        self._made += 1
        number = self._made
        tab = self._make()
        self.tabs.append(tab)
        self.stack.addWidget(tab)
        self.strip.add(_ORDER if number == 1 else page_name("", number))
        if number > 1:
            tab.page.titleChanged.connect(lambda title: self._rename(tab, page_name(title, number)))
        tab.page.windowCloseRequested.connect(lambda: self._close_itself(tab))
        return tab

    def open_wanted(self, url: QUrl) -> None:
        """A click asked for a window of its own. One for a click: a page that asks for a hundred gets one."""
        now = self._now()
        if now - self._opened < _BETWEEN_SECONDS:
            return
        self._opened = now
        if len(self.tabs) >= MOST_PAGES:
            self.refused.emit(
                tr("{count} pages are open, which is the most. Close one (Ctrl+W), then click once more.", count=MOST_PAGES)
            )
            return
        tab = self.add()
        tab.open(url)
        self.strip.setCurrentIndex(len(self.tabs) - 1)

    def close(self, index: int) -> None:
        """The order's own page stays."""
        if not 0 < index < len(self.tabs):
            return
        tab = self.tabs[index]
        self.leaving.emit(tab)
        del self.tabs[index]
        self.stack.removeWidget(tab)
        self.strip.take_out(index)
        tab.release()
        tab.deleteLater()
        self._on_current(self.strip.currentIndex())

    def choose(self, index: int) -> None:
        """As Ctrl and a digit do; what is not there changes nothing."""
        if 0 <= index < len(self.tabs):
            self.strip.setCurrentIndex(index)

    def step(self, by: int) -> None:
        self.strip.setCurrentIndex((self.strip.currentIndex() + by) % max(1, len(self.tabs)))

    def names(self) -> list[str]:
        return [self.strip.tabText(index).replace("&&", "&") for index in range(self.strip.count())]

    def _on_current(self, index: int) -> None:
        if 0 <= index < len(self.tabs):
            self.stack.setCurrentWidget(self.tabs[index])
            self.chosen.emit()

    def _rename(self, tab: Tab, name: str) -> None:
        if tab in self.tabs:
            self.strip.rename(self.tabs.index(tab), name)

    def _close_itself(self, tab: Tab) -> None:
        if tab in self.tabs:
            self.close(self.tabs.index(tab))
