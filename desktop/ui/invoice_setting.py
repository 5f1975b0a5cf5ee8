"""The row of the Settings window that says how the supplier's invoice names its columns. Kept at once, not by Save: it is asked
of a real invoice and never half typed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from desktop.services.desk import Desk
from desktop.ui import theme
from desktop.ui.bridge import Bridge
from desktop.ui.invoice_columns import ColumnsDialog
from desktop.ui.language import tr
from desktop.ui.widgets import MessageBar, Muted

_TOLD = 3


def columns_words(columns: Mapping[str, str]) -> str:
    """Which columns were told, in a line."""
    if not columns:
        return tr("As InfoTrack's order messages name them: OrderId, RetailerFee and so on.")
    told = [tr("{theirs} is {ours}", theirs=theirs, ours=ours) for ours, theirs in columns.items()]
    more = tr(" and {count} more", count=len(told) - _TOLD) if len(told) > _TOLD else ""
    return f"{', '.join(told[:_TOLD])}{more}."


class InvoiceSetting(QWidget):
    """Asks the books by itself."""

    def __init__(self, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self.text = Muted()
        self.message = MessageBar()
        self.choose_button = QPushButton(tr("Choose from an invoice…"))
        self.choose_button.setAccessibleDescription(tr("Say which of an invoice's columns is which"))
        self.choose_button.clicked.connect(self._choose_file)
        self.forget_button = QPushButton(tr("Forget"))
        self.forget_button.setAccessibleDescription(tr("Forget the invoice's columns"))
        self.forget_button.clicked.connect(lambda: self._keep({}))
        row = QHBoxLayout()
        row.setSpacing(theme.GAP)
        row.addWidget(self.choose_button)
        row.addWidget(self.forget_button)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.text)
        column.addWidget(self.message)
        column.addLayout(row)
        self._show({})

    def look(self) -> None:
        self._bridge.run(self, lambda desk: desk.books.invoice_columns(), self._show, self.message.say, lane="columns")

    def ask_about(self, file: Path) -> None:
        """Reads the invoice's heading and asks which column is which."""
        self.message.clear()

        def work(desk: Desk) -> tuple[tuple[str, ...], Mapping[str, str]]:
            return desk.books.invoice_headings(file), desk.books.invoice_columns()

        self._bridge.run(self, work, lambda got: self._ask(*got), self.message.say)

    def _choose_file(self) -> None:
        dialog = QFileDialog(self, tr("iConnect - Choose an invoice"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters([tr("Invoices (*.csv *.xlsx)"), tr("All files (*)")])
        dialog.fileSelected.connect(lambda file: self.ask_about(Path(file)))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def _ask(self, headings: tuple[str, ...], known: Mapping[str, str]) -> None:
        dialog = ColumnsDialog(self, headings, known)
        dialog.keep_button.setText(tr("Keep"))
        dialog.ask(self._keep)

    def _keep(self, columns: Mapping[str, str]) -> None:
        kept = dict(columns)
        self._bridge.run(
            self, lambda desk: desk.books.keep_invoice_columns(kept), lambda _: self._show(kept), self.message.say, lane="columns"
        )

    def _show(self, columns: Mapping[str, str]) -> None:
        self.text.setText(columns_words(columns))
        self.forget_button.setEnabled(bool(columns))
