"""Reconcile: the supplier's invoice, dropped on the window, held against what stands in the firm's books."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from PySide6.QtCore import QMetaMethod, Qt, Signal
from PySide6.QtGui import QColor, QDragEnterEvent, QDropEvent, QFont, QGuiApplication
from PySide6.QtWidgets import QComboBox, QFileDialog, QGridLayout, QHBoxLayout, QWidget

from desktop.services.desk import Desk
from desktop.services.reconcile.comparison import Compared, Reconciliation, Verdict
from desktop.ui import theme, words
from desktop.ui.book_window import BookWindow
from desktop.ui.bridge import Bridge
from desktop.ui.flow import plain_button
from desktop.ui.invoice_columns import ColumnsDialog
from desktop.ui.language import tr
from desktop.ui.rows import AnyIndex
from desktop.ui.tables import LEFT, RIGHT, ColumnLook, TableModel, label_for, number
from desktop.ui.widgets import MessageBar, Muted, Text, file_kinds, save_as
from desktop.ui.window import Clock, local_now
from desktop.ui.words import Tone

_TONES = {
    Verdict.MATCHED: Tone.GOOD,
    Verdict.MISSING: Tone.BAD,
    Verdict.DIFFERENT: Tone.BAD,
    Verdict.UNDER_WAY: Tone.CALM,
    Verdict.CREDITED: Tone.GOOD,
    Verdict.EXTRA: Tone.WARN,
    Verdict.ANOTHER_FIRMS: Tone.QUIET,
}
_SHAPES = {
    Verdict.MATCHED: "✓",
    Verdict.MISSING: "✕",
    Verdict.DIFFERENT: "≠",
    Verdict.UNDER_WAY: "…",
    Verdict.CREDITED: "↩",
    Verdict.EXTRA: "+",
    Verdict.ANOTHER_FIRMS: "–",
}
_WORDS = {
    Verdict.MATCHED: tr("matched"),
    Verdict.MISSING: tr("missing"),
    Verdict.DIFFERENT: tr("different"),
    Verdict.UNDER_WAY: tr("under way"),
    Verdict.CREDITED: tr("credited"),
    Verdict.EXTRA: tr("extra"),
    Verdict.ANOTHER_FIRMS: tr("other firm's"),
}
_FIRST = (
    Verdict.MISSING, Verdict.DIFFERENT, Verdict.EXTRA, Verdict.UNDER_WAY, Verdict.CREDITED, Verdict.ANOTHER_FIRMS, Verdict.MATCHED,
)  # fmt: skip
_SHOW_ORDER, _WITHOUT_A_MATTER = tr("Show the order"), tr("Orders without a matter")

_COLUMNS: tuple[tuple[ColumnLook, Callable[[Compared], str]], ...] = (
    (ColumnLook(tr("Result"), 130), lambda one: f"{_SHAPES[one.verdict]}  {_WORDS[one.verdict]}"),
    (ColumnLook(tr("Order"), 96), lambda one: one.order_id),
    (ColumnLook(tr("Service"), 200), lambda one: one.service),
    (ColumnLook(tr("Matter"), 96), lambda one: one.matter),
    (ColumnLook(tr("Invoice"), 92, right=True), lambda one: words.money(one.invoiced.total)),
    (ColumnLook(tr("Books"), 92, right=True), lambda one: words.money(one.posted.total)),
    (ColumnLook(tr("Difference"), 92, right=True), lambda one: words.money(one.difference) if one.difference else ""),
    (ColumnLook(tr("Remark"), 260), lambda one: one.reason),
)
_LOOKS = tuple(look for look, _ in _COLUMNS)


class ComparedModel(TableModel[Compared]):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(_LOOKS, (), parent)

    @property
    def orders(self) -> tuple[Compared, ...]:
        return self.values

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        one = self.orders[index.row()]
        look, text = _COLUMNS[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return number(text(one)) if look.right else text(one)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return RIGHT if look.right else LEFT
        if role == Qt.ItemDataRole.ForegroundRole and index.column() == 0:
            return QColor(theme.colours(QGuiApplication.palette()).tone(_TONES[one.verdict]).ink)
        if role == Qt.ItemDataRole.FontRole and index.column() == 0:
            font = QFont()
            font.setBold(one.needs_person)
            return font
        if role == Qt.ItemDataRole.ToolTipRole:
            return spoken(one)
        if role == Qt.ItemDataRole.AccessibleTextRole and index.column() == 0:
            return spoken(one)
        return None


def spoken(one: Compared) -> str:
    """A row as a sentence."""
    parts = [tr("Order {order_id}: {order_word}", order_id=one.order_id, order_word=_WORDS[one.verdict]), one.service]
    parts.append(tr("matter {matter_number}", matter_number=one.matter) if one.matter else "")
    invoice, books = words.money(one.invoiced.total), words.money(one.posted.total)
    parts.append(tr("invoice {invoice}, books {books}", invoice=invoice, books=books))
    return ", ".join(part for part in parts if part) + (f". {one.reason}" if one.reason else "")


class _Totals(QWidget):
    """The sums of both sides by GST, and the difference."""

    ROWS = (
        ("taxed", tr("With GST, ex GST")),
        ("untaxed", tr("Without GST")),
        ("gst", tr("GST")),
        ("unknown", tr("Told only with GST")),
        ("total", tr("In all")),
    )

    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(24)
        self._grid.setVerticalSpacing(2)

    def show_totals(self, found: Reconciliation) -> None:
        while (item := self._grid.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        invoice, books = found.totals("invoiced"), found.totals("posted")
        column = 0
        for row, name in enumerate(("", tr("Invoice"), tr("Books"), tr("Difference"))):
            self._grid.addWidget(Muted(name, wrap=False), row, column)
        for key, title in self.ROWS:
            if key == "unknown" and not invoice[key] and not books[key]:
                continue
            column += 1
            for row, text in enumerate((title, *map(words.money, (invoice[key], books[key], invoice[key] - books[key])))):
                label = Muted(text, wrap=False) if row == 0 else Text(text, wrap=False)
                if key == "total" and row:
                    font = label.font()
                    font.setBold(True)
                    label.setFont(font)
                self._grid.addWidget(label, row, column, Qt.AlignmentFlag.AlignRight)
        self._grid.setColumnStretch(column + 1, 1)


class ReconcileWindow(BookWindow):
    """The invoice that was dropped or chosen, order by order, beside the books.

    Signals:
        open_unmatched(): what no matter claims is to be shown, because this PC has no such order. Where nobody listens, such an
            order is opened like any other, and its page says that it is not there."""

    open_unmatched = Signal()

    def __init__(self, bridge: Bridge, *, clock: Clock = local_now) -> None:
        super().__init__(bridge, tr("Reconcile"), tr("Orders compared"), _LOOKS, clock=clock)
        self.setAcceptDrops(True)
        self._found: Reconciliation | None = None
        self._file: Path | None = None
        self._compared_at = ""
        self.choose_button = plain_button(tr("Choose an invoice…"), self.choose_file)
        self.columns_button = plain_button(tr("Columns…"), self.choose_columns)
        self.again_button = plain_button(tr("Compare again"), self.compare_again)
        self.export_button = plain_button(tr("Export…"), self.choose_export)
        self.filter = QComboBox()
        self.filter.setAccessibleName(tr("Show"))
        self.filter_label = label_for(self.filter, tr("Show"))
        self.filter.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.filter.currentIndexChanged.connect(self._narrow)
        self.totals = _Totals()
        self.model = ComparedModel(self)
        self._show_table(self.model)
        self.table.chosen.connect(self._show_order)
        self.table.selectionModel().currentRowChanged.connect(lambda now, _: self._tell(now.row()))
        self.remark = Text()
        self.show_button = plain_button(_SHOW_ORDER, lambda: self._show_order(self.table.currentIndex().row()))
        self.unread = MessageBar()
        about = QHBoxLayout()
        about.addWidget(self.remark, 1)
        about.addWidget(self.show_button, 0, Qt.AlignmentFlag.AlignTop)
        self._rests = (self.choose_button, self.columns_button, self.again_button, self.export_button, self.empty.button)
        self._lay_out(
            1080,
            660,
            (
                self.choose_button, self.filter_label, self.filter, None,
                self.columns_button, self.again_button, self.export_button,
            ),
            self.unread,
            self.stack,
            about,
            self.totals,
        )  # fmt: skip
        self._explain()

    # the file

    def choose_file(self) -> None:
        title, kinds = tr("The supplier's invoice"), tr("Invoices (*.csv *.xlsx *.txt)")
        dialog = QFileDialog(self, f"iConnect - {title}", "", file_kinds(kinds))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda file: self.compare(Path(file)))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def compare(self, file: Path) -> None:
        """Reads the file and the books on a worker thread."""
        self._file = file
        self.message.clear()
        self._working(tr("Comparing {file}…", file=file.name))
        self.bridge.run(
            self, lambda desk: desk.books.reconcile(file), lambda found: self._took(file, found), self._refused, network=True
        )

    def compare_again(self) -> None:
        if self._file is not None:
            self.compare(self._file)

    def _took(self, file: Path, found: Reconciliation) -> None:
        if file != self._file:
            return
        self._working("")
        self._found = found
        self._compared_at = f"{self.clock():%H:%M}"
        self.filter.blockSignals(True)
        self.filter.clear()
        wanting = sum(order.needs_person for order in found.orders)
        self.filter.addItem(tr("All {count:,}", count=len(found.orders)), None)
        if wanting:
            self.filter.addItem(tr("Needs a look ({count:,})", count=wanting), "look")
        for verdict in _FIRST:
            if found.counts.get(verdict):
                self.filter.addItem(f"{words.sentence(_WORDS[verdict])} ({found.counts[verdict]:,})", verdict.value)
        self.filter.blockSignals(False)
        self.totals.show_totals(found)
        if found.unread:
            many = len(found.unread)
            told = [tr("1 line could not be read.") if many == 1 else tr("{count:,} lines could not be read.", count=many)]
            told += [tr("Line {number}: {problem}", number=line.row, problem=line.problem) for line in found.unread[:3]]
            if many > 3:
                told.append(tr("And {count:,} more; the export does not hold them.", count=many - 3))
            self.unread.say(" ".join(told), Tone.WARN, keep=True)
        else:
            self.unread.clear()
        self.filter.setCurrentIndex(1 if wanting else 0)
        self._narrow()
        self.table.setFocus()

    def _refused(self, problem: str) -> None:
        self._patience.end()
        self._working("")
        file = self._file
        if file is not None and "heading" in problem:
            self.message.say(problem.split(" Under Settings")[0], button=tr("Choose its columns…"), act=self.choose_columns)
        else:
            self.message.say(problem)

    # which column is which

    def choose_columns(self) -> None:
        file = self._file
        if file is None:
            return

        def work(desk: Desk) -> tuple[tuple[str, ...], Mapping[str, str]]:
            return desk.books.invoice_headings(file), desk.books.invoice_columns()

        self._patience.begin()
        self.bridge.run(self, work, lambda got: self._ask_columns(file, *got), self._refused)

    def _ask_columns(self, file: Path, headings: tuple[str, ...], known: Mapping[str, str]) -> None:
        self._patience.end()
        ColumnsDialog(self, headings, known).ask(lambda columns: self._keep_columns(file, columns))

    def _keep_columns(self, file: Path, columns: dict[str, str]) -> None:
        self.bridge.run(self, lambda desk: desk.books.keep_invoice_columns(columns), lambda _: self.compare(file), self.message.say)

    # what was found

    def _narrow(self) -> None:
        found = self._found
        if found is None:
            return
        wanted = self.filter.currentData()
        rank = {verdict: number for number, verdict in enumerate(_FIRST)}
        orders = sorted(found.orders, key=lambda order: rank[order.verdict])
        if wanted == "look":
            orders = [order for order in orders if order.needs_person]
        elif wanted is not None:
            orders = [order for order in orders if order.verdict.value == wanted]
        self.model.show_values(orders)
        if orders:
            self.table.selectRow(0)
        self._explain()

    def _explain(self) -> None:
        found, file = self._found, self._file
        ours = (self.filter_label, self.filter, self.export_button, self.again_button, self.columns_button)
        shown: tuple[QWidget, ...] = (*ours, self.totals, self.remark, self.show_button)
        for widget in shown:
            widget.setVisible(found is not None)
        if found is None or file is None:
            self.empty.say(
                tr("Drop the supplier's invoice here"),
                tr(
                    "As CSV or Excel. iConnect compares each order with what was posted, and shows what is missing, different, "
                    "extra or credited. Nothing is changed."
                ),
                button=tr("Choose an invoice…"),
                act=self.choose_file,
            )
            self.stack.setCurrentWidget(self.empty)
            self.choose_button.hide()
            return
        self.choose_button.show()
        many = found.lines
        lines = tr("1 line") if many == 1 else tr("{count:,} lines", count=many)
        self.foot.setText(tr("{file}: {lines}, compared {at}", file=file.name, lines=lines, at=self._compared_at))
        if self.model.orders:
            self.stack.setCurrentWidget(self.table)
        else:
            self.empty.say(tr("Nothing to show"), tr("The invoice holds no order."))
            self.stack.setCurrentWidget(self.empty)

    def _tell(self, row: int) -> None:
        """The chosen row's remark in full: the table has room for half of it."""
        known = 0 <= row < len(self.model.orders)
        self.remark.setText(spoken(self.model.orders[row]) if known else "")
        self.show_button.setEnabled(known)
        self.show_button.setText(_WITHOUT_A_MATTER if known and self._is_unmatched(self.model.orders[row]) else _SHOW_ORDER)

    def _is_unmatched(self, one: Compared) -> bool:
        return not one.known and self.isSignalConnected(QMetaMethod.fromSignal(self.open_unmatched))

    def _show_order(self, row: int) -> None:
        """The order's own page; where this PC has none, the results that nobody has claimed."""
        if not 0 <= row < len(self.model.orders):
            return
        one = self.model.orders[row]
        if self._is_unmatched(one):
            self.open_unmatched.emit()
        else:
            self.open_order.emit(one.order_id)

    # export

    def choose_export(self) -> None:
        save_as(self, tr("Export the comparison"), "reconciled.csv", tr("Table (*.csv)"), self.export)

    def export(self, file: Path) -> None:
        found = self._found
        if found is None:
            return
        self.message.clear()
        self._working(tr("Writing…"))
        self.bridge.run(
            self,
            lambda desk: desk.books.export_reconciliation(found, file),
            lambda rows: self._exported(file, rows),
            self._refused,
        )

    def _exported(self, file: Path, rows: int) -> None:
        self._working("")
        self.message.say(words.written(rows, file), Tone.GOOD)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        files = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if not files:
            return
        event.acceptProposedAction()
        if len(files) > 1:
            self.message.say(tr("Drop one invoice at a time."), Tone.WARN)
            return
        self.compare(files[0])
