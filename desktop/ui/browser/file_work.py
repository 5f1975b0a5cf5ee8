"""What can be done with the files of a window: stop one, ask for it again, open it, copy it, keep a page as one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtWebEngineCore import QWebEnginePage
from PySide6.QtWidgets import QWidget

from desktop.ui.browser.downloads import Downloads
from desktop.ui.browser.downloads_bar import DownloadRow, DownloadsBar
from desktop.ui.browser.file_copy import FileCopier
from desktop.ui.browser.printing import PdfMaker
from desktop.ui.language import tr
from desktop.ui.widgets import save_as

AskTarget = Callable[[QWidget, str, str, str, Callable[[Path], None]], None]
"""As `widgets.save_as`: asks where to write a file, without waiting."""


class FileWork(QObject):
    """Joins the bar's buttons with the files themselves. `told(sentence)`: news that no row is there for any more.

    `open_file` hands a file to its program."""

    told = Signal(str)

    def __init__(
        self,
        window: QWidget,
        downloads: Downloads,
        bar: DownloadsBar,
        *,
        open_file: Callable[[QUrl], object],
        ask_target: AskTarget = save_as,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._downloads = downloads
        self._bar = bar
        self._open_file = open_file
        self._ask_target = ask_target
        self._copier = FileCopier(self)
        self._pdfs = PdfMaker(self)
        downloads.changed.connect(bar.show_download)
        bar.open_file.connect(self._open)
        bar.copy.connect(self._copy)
        bar.cancel.connect(self._cancel)
        bar.again.connect(self._once_more)
        self._copier.copied.connect(lambda number, words: self._copied(number, words, bad=False))
        self._copier.failed.connect(lambda number, words: self._copied(number, words, bad=True))
        self._pdfs.made.connect(downloads.keep_made)
        self._pdfs.failed.connect(self._no_pdf)

    @property
    def is_busy(self) -> bool:
        """A file is on its way: from the page, or to where a copy was wanted."""
        return self._downloads.is_running or self._copier.is_running

    def finish(self) -> None:
        """Gives copies that are being written a moment to become whole."""
        self._copier.finish()

    def keep_page(self, page: QWebEnginePage) -> None:
        """The page as a PDF among the saved files, where «Add to matter» stands beside it."""
        title = page.title().strip()
        name = tr("InfoTrack page") if not title or "://" in title else title
        download = self._downloads.begin_made(f"{name}.pdf")
        if download is not None:
            self._pdfs.start(page, download.number)

    def page_gone(self, page: QWebEnginePage) -> None:
        """The page's process has ended, or its tab was closed."""
        self._pdfs.page_gone(page)

    def _no_pdf(self, number: int) -> None:
        self._downloads.made_failed(number, tr("The page could not be made into a PDF. Load it again and keep it once more."))

    def _cancel(self, row: DownloadRow) -> None:
        self._pdfs.forget(row.download.number)
        self._downloads.cancel(row.download.number)

    def _once_more(self, row: DownloadRow) -> None:
        self._bar.take_out(row)
        self._downloads.once_more(row.download.number)

    def _open(self, row: DownloadRow) -> None:
        if row.saved is None or not row.saved.path.is_file():
            row.say_beside(tr("The file is no longer where it was saved."), bad=True)
        else:
            self._open_file(QUrl.fromLocalFile(str(row.saved.path)))

    def _copy(self, row: DownloadRow) -> None:
        saved, number = row.saved, row.download.number
        if saved is not None:
            self._ask_target(
                self._window, tr("Save a copy"), saved.name, tr("Files"), lambda target: self._copy_to(number, saved.path, target)
            )

    def _copy_to(self, number: int, source: Path, target: Path) -> None:
        row = self._bar.row_of(number)
        if row is not None:
            row.say_beside(tr("Copying…"))
        self._copier.copy(number, source, target)

    def _copied(self, number: int, words: str, *, bad: bool) -> None:
        row = self._bar.row_of(number)
        if row is not None:
            row.say_beside(words, bad=bad)
        elif bad:
            self.told.emit(words)
