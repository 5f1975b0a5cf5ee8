"""A page on paper, or kept as a PDF. Neither makes the window wait: the engine lays the page out and sends it in its own time.

On paper goes by the system's own print dialog. What belongs to the matter is kept as a PDF instead, which then lies among the
saved files with its «Add to matter», like a document that InfoTrack gave."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QByteArray, QMarginsF, QObject, Signal
from PySide6.QtGui import QPageLayout, QPageSize
from PySide6.QtPrintSupport import QPrintDialog, QPrinter, QPrinterInfo
from PySide6.QtWebEngineCore import QWebEnginePage
from PySide6.QtWebEngineWidgets import QWebEngineView
from PySide6.QtWidgets import QDialog, QWidget

from desktop.ui.language import tr

_MARGIN_MM = 12.0

AskWhere = Callable[[QPrinter, QWidget, Callable[[bool], None]], None]
"""Shows the print dialog for a printer over a window and returns at once; calls back with whether to print."""


def ask_by_dialog(printer: QPrinter, window: QWidget, answered: Callable[[bool], None]) -> None:
    dialog = QPrintDialog(printer, window)
    dialog.setWindowTitle("iConnect - " + tr("Print this page"))
    dialog.setOption(QPrintDialog.PrintDialogOption.PrintPageRange, True)
    dialog.finished.connect(lambda result: answered(result == QDialog.DialogCode.Accepted))
    dialog.finished.connect(dialog.deleteLater)
    QDialog.open(dialog)  # the print dialog's own wants a slot by name


def page_layout() -> QPageLayout:
    margins = QMarginsF(_MARGIN_MM, _MARGIN_MM, _MARGIN_MM, _MARGIN_MM)
    size = QPageSize(QPageSize.PageSizeId.A4)
    return QPageLayout(size, QPageLayout.Orientation.Portrait, margins, QPageLayout.Unit.Millimeter)


class Printing(QObject):
    """Emits `told(sentence, offers_pdf)` with what came of it. One page is printed at a time: the engine can't do two."""

    told = Signal(str, bool)

    def __init__(
        self,
        window: QWidget,
        *,
        printers: Callable[[], list[str]] = QPrinterInfo.availablePrinterNames,
        ask: AskWhere = ask_by_dialog,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._printers = printers
        self._ask = ask
        self._printer: QPrinter | None = None
        self._view: QWebEngineView | None = None
        self._printing = False

    @property
    def is_busy(self) -> bool:
        return self._printer is not None

    def start(self, view: QWebEngineView) -> None:
        if self.is_busy:
            self.told.emit(tr("A page is being printed already. Print this one when it has gone."), False)
            return
        if not self._printers():
            self.told.emit(tr("No printer is set up on this PC, so nothing was printed. The page can be kept as a PDF."), True)
            return
        printer = QPrinter(QPrinter.PrinterMode.HighResolution)
        printer.setPageLayout(page_layout())
        printer.setDocName("iConnect order")  # a page's title may name a client, and a print queue is everybody's
        self._printer, self._view = printer, view
        self._ask(printer, self._window, self._answered)

    def page_gone(self, view: QWebEngineView) -> None:
        """The page's process has ended or its tab was closed: the engine tells no more of its printing."""
        if self._view is view and self.is_busy:
            self._let_go()
            self.told.emit(tr("The page went away before it was printed. Load it again and print again."), False)

    def _answered(self, wanted: bool) -> None:
        view, printer = self._view, self._printer
        if view is None or printer is None:
            return
        if not wanted:
            self._let_go()
            return
        self._printing = True
        view.printFinished.connect(self._finished)
        view.print(printer)

    def _finished(self, ok: bool) -> None:
        self._let_go()
        if ok:
            self.told.emit(tr("The page has gone to the printer."), False)
        else:
            self.told.emit(
                tr("The page could not be printed. Look at the printer and print again, or keep the page as a PDF."), True
            )

    def _let_go(self) -> None:
        if self._view is not None and self._printing:
            self._view.printFinished.disconnect(self._finished)
        self._printing = False
        self._printer = self._view = None


class PdfMaker(QObject):
    """Makes PDFs of pages; each answer comes once: `made(number, content)`, `failed(number)`."""

    made = Signal(int, bytes)
    failed = Signal(int)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._waiting: dict[int, QWebEnginePage] = {}

    def start(self, page: QWebEnginePage, number: int) -> None:
        self._waiting[number] = page

        def done(content: QByteArray | bytes) -> None:
            if self._waiting.pop(number, None) is None:
                return
            whole = bytes(content.data()) if isinstance(content, QByteArray) else content
            if whole:
                self.made.emit(number, whole)
            else:
                self.failed.emit(number)

        page.printToPdf(done, page_layout())

    def forget(self, number: int) -> None:
        """Nobody wants it any more."""
        self._waiting.pop(number, None)

    def page_gone(self, page: QWebEnginePage) -> None:
        for number in [number for number, one in self._waiting.items() if one is page]:
            del self._waiting[number]
            self.failed.emit(number)
