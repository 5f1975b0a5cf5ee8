"""One size for all pages of a window, by keys, by the wheel, and kept for the next window."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from PySide6.QtWebEngineCore import QWebEnginePage

from desktop.ui.browser.zoom import ZoomMemory, next_step, percent


class PageSize:
    """`pages` gives those that are open now; `tell` takes the size in words, empty at the natural one."""

    def __init__(self, folder: Path, pages: Callable[[], Iterable[QWebEnginePage]], tell: Callable[[str], None]) -> None:
        self._memory = ZoomMemory(folder)
        self._pages = pages
        self._tell = tell
        self._factor = self._memory.read()

    def change(self, direction: int) -> None:
        """Larger (above 0), smaller, or the natural size (0)."""
        self._factor = next_step(self._factor, direction)
        self._memory.write(self._factor)
        self.show()

    def show(self) -> None:
        for page in self._pages():
            page.setZoomFactor(self._factor)
        self._tell("" if self._factor == 1.0 else percent(self._factor))

    def hold(self, page: QWebEnginePage) -> None:
        """The engine remembers a size for each host; here a page has the window's wherever it goes."""
        if abs(page.zoomFactor() - self._factor) > 0.01:
            page.setZoomFactor(self._factor)
