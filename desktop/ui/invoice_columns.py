"""Which column of the supplier's invoice is which: asked once, when its heading isn't recognised, and kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QFormLayout, QScrollArea, QVBoxLayout, QWidget

from desktop.ui import theme
from desktop.ui.language import tr
from desktop.ui.widgets import MessageBar, Muted, open_at

NOT_THERE = tr("(not there)")

ASKED = (
    ("OrderId", tr("Order number")),
    ("TotalFeeTotal", tr("Total with GST")),
    ("TotalFee", tr("Total without GST")),
    ("TotalFeeGST", tr("GST of the total")),
    ("RetailerFee", tr("Retailer fee without GST")),
    ("RetailerFeeGST", tr("GST of the retailer fee")),
    ("SupplierFee", tr("Supplier fee without GST")),
    ("SupplierFeeGST", tr("GST of the supplier fee")),
    ("ServiceName", tr("Service")),
    ("ClientReference", tr("Matter")),
    ("Date", tr("Date")),
)

_HINTS = {
    "OrderId": ("orderid", "orderno", "ordernumber", "order"),
    "TotalFeeTotal": ("totalfeetotal", "totalincgst", "totalinc", "gross", "total", "amountincgst"),
    "TotalFee": ("totalfee", "totalexgst", "totalex", "net", "amountexgst"),
    "TotalFeeGST": ("totalfeegst", "totalgst", "gst", "tax"),
    "RetailerFee": ("retailerfee",),
    "RetailerFeeGST": ("retailerfeegst",),
    "SupplierFee": ("supplierfee", "disbursement"),
    "SupplierFeeGST": ("supplierfeegst",),
    "ServiceName": ("servicename", "service", "search", "product", "description"),
    "ClientReference": ("clientreference", "matter", "matterref", "reference", "yourreference"),
    "Date": ("date", "dateordered", "orderdate"),
}


def guessed(headings: Sequence[str], known: Mapping[str, str]) -> dict[str, str]:
    """What was said before counts; the rest is guessed by the names, each column once."""
    plain = {"".join(char for char in name.casefold() if char.isalnum()): name for name in reversed(headings)}
    found = {ours: theirs for ours, theirs in known.items() if theirs in headings}
    for ours, hints in _HINTS.items():
        for hint in hints:
            theirs = plain.get(hint)
            if ours not in found and theirs is not None and theirs not in found.values():
                found[ours] = theirs
    return found


class ColumnsDialog(QDialog):
    """A combo for each of our names. Needs the order's number and at least one amount."""

    def __init__(self, parent: QWidget | None, headings: Sequence[str], known: Mapping[str, str]) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("iConnect - The invoice's columns"))
        open_at(self, 520, 560)
        self._done: Callable[[dict[str, str]], None] | None = None
        self.message = MessageBar()
        self.boxes: dict[str, QComboBox] = {}
        inside = QWidget()
        form = QFormLayout(inside)
        form.setHorizontalSpacing(16)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        first = guessed(headings, known)
        for ours, title in ASKED:
            box = QComboBox()
            box.setAccessibleName(title)
            box.addItem(NOT_THERE)
            box.addItems(list(dict.fromkeys(headings)))
            box.setCurrentText(first.get(ours, NOT_THERE))
            self.boxes[ours] = box
            form.addRow(f"{title}:", box)
        scroll = QScrollArea()
        scroll.setWidget(inside)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.keep_button = buttons.addButton(tr("Keep and compare"), QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.accepted.connect(self._accepted)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.MARGIN, theme.MARGIN, theme.MARGIN, theme.MARGIN)
        column.setSpacing(10)
        column.addWidget(
            Muted(tr("iConnect does not know this invoice's heading. Say which column is which; it is kept for next time."))
        )
        column.addWidget(self.message)
        column.addWidget(scroll, 1)
        column.addWidget(buttons)

    def ask(self, done: Callable[[dict[str, str]], None]) -> None:
        """`done` gets our names with the file's own."""
        self._done = done
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.open()

    def chosen(self) -> dict[str, str]:
        return {ours: box.currentText() for ours, box in self.boxes.items() if box.currentIndex() > 0}

    def _accepted(self) -> None:
        chosen = self.chosen()
        if "OrderId" not in chosen:
            self.message.say(tr("Choose the column that holds the order number."))
            return
        amounts = {"TotalFeeTotal", "TotalFee", "RetailerFee", "SupplierFee"} & set(chosen)
        if not amounts:
            self.message.say(tr("Choose at least one column with an amount."))
            return
        if "TotalFeeTotal" not in chosen and any(f"{name}GST" not in chosen for name in amounts):
            self.message.say(tr("An amount without GST needs the column with its GST, too."))
            return
        if len(set(chosen.values())) < len(chosen):
            self.message.say(tr("One column is chosen twice."))
            return
        self.accept()
        if self._done is not None:
            self._done(chosen)
