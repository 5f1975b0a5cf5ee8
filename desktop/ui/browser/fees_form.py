"""The small form for an order's number and fees: typed in alone, or together with a saved PDF. A panel in the window, so that the
page with the figures stays readable beside it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import (
    QBoxLayout,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from desktop.ui import theme
from desktop.ui.browser.bars import plain_label
from desktop.ui.browser.saved_file import SavedFile
from desktop.ui.browser.typed_fees import Fault, TypedFees, check, gst_remark
from desktop.ui.language import tr
from desktop.ui.words import Tone

_FIELDS = (
    ("order_id", tr("Order number"), tr("as InfoTrack shows it")),
    ("service", tr("Service"), "Title Search"),
    ("reference", tr("Reference"), tr("what was searched")),
    ("retailer_fee", tr("InfoTrack fee (without GST)"), "0.00"),
    ("retailer_gst", tr("GST on InfoTrack fee"), "0.00"),
    ("supplier_fee", tr("Supplier fee (without GST)"), "0.00"),
    ("supplier_gst", tr("GST on supplier fee"), "0.00"),
)
_WIDTH = 330
_SIDE = 14


class FeesForm(QFrame):
    """Emits `sent(TypedFees, SavedFile or None)` once what was typed is in order; then call `answered`."""

    sent = Signal(object, object)
    dismissed = Signal()

    def __init__(self, matter_number: str) -> None:
        super().__init__()
        self.setAccessibleName(tr("Type in fees"))
        self.setFixedWidth(_WIDTH)
        self._matter_number = matter_number
        self._saved: SavedFile | None = None
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the fields scroll it
        outer.addWidget(area)
        inside = QWidget()
        area.setWidget(inside)
        column = QVBoxLayout(inside)
        column.setContentsMargins(_SIDE, 12, _SIDE, 12)
        self._headline = plain_label(wrap=True)
        font = self._headline.font()
        font.setBold(True)
        self._headline.setFont(font)
        self._what = plain_label(wrap=True)
        column.addWidget(self._headline)
        column.addWidget(self._what)
        form = QFormLayout()
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapAllRows)
        form.setVerticalSpacing(4)
        self._edits: dict[str, QLineEdit] = {}
        for field, name, example in _FIELDS:
            edit = QLineEdit()
            edit.setAccessibleName(name)
            edit.setPlaceholderText(example)
            edit.setMaxLength(200)
            edit.returnPressed.connect(self._send)
            form.addRow(name, edit)
            self._edits[field] = edit
        column.addLayout(form)
        self._words = plain_label(wrap=True)
        self._words.setAccessibleName(tr("Remark on the fees"))
        column.addWidget(self._words)
        row = self._buttons = QHBoxLayout()
        self.send_button = QPushButton()
        self.send_button.setDefault(True)
        self.send_button.clicked.connect(self._send)
        cancel = self._close_button = QPushButton(tr("Close form"))
        cancel.setAccessibleName(tr("Close form"))
        cancel.clicked.connect(self.dismissed.emit)
        row.addWidget(self.send_button)
        row.addWidget(cancel)
        column.addLayout(row)
        column.addStretch(1)
        self.hide()

    @property
    def remark(self) -> str:
        return self._words.text()

    def ask(self, saved: SavedFile | None, *, service: str = "") -> None:
        """Opens empty, with suggestions where there are any."""
        self._saved = saved
        for edit in self._edits.values():
            edit.clear()
        number = self._matter_number
        if saved is None:
            self._headline.setText(tr("Fees of an order for {number}", number=number))
            self._what.setText(
                tr("For an order whose result does not come by itself. If it comes later, nothing is charged twice.")
            )
            self._name_button(tr("Record for {number}", number=number))
        else:
            self._headline.setText(tr("Add this PDF to {number}", number=number))
            told = tr("The order number keeps it from being filed or charged twice. Fees may stay empty.")
            self._what.setText(f"{saved.name}\n{told}")
            self._name_button(tr("File in {number}", number=number))
            self._edits["order_id"].setText(saved.order_id)
        self._edits["service"].setText(service)
        self._say("")
        self.send_button.setEnabled(True)
        self.show()
        first_empty = next((edit for edit in self._edits.values() if not edit.text()), self._edits["order_id"])
        first_empty.setFocus(Qt.FocusReason.OtherFocusReason)

    def answered(self, *, ok: bool, message: str) -> None:
        """What became of it. A form that went well is emptied, so that a second press records nothing twice."""
        self.send_button.setEnabled(True)
        if ok:
            for edit in self._edits.values():
                edit.clear()
        self._say(message, bad=not ok)

    def _name_button(self, text: str) -> None:
        self.send_button.setText(text)
        self.send_button.setAccessibleName(text)
        need = self.send_button.sizeHint().width() + self._close_button.sizeHint().width() + self._buttons.spacing()
        # One below the other where a language, or a matter's number, is too long for the form.
        direction = QBoxLayout.Direction.LeftToRight if need <= _WIDTH - 2 * _SIDE else QBoxLayout.Direction.TopToBottom
        self._buttons.setDirection(direction)

    def _send(self) -> None:
        if not self.send_button.isEnabled():
            return
        checked = check({field: edit.text() for field, edit in self._edits.items()}, fees_needed=self._saved is None)
        if isinstance(checked, Fault):
            self._say(checked.sentence, bad=True)
            edit = self._edits[checked.field]
            edit.setFocus(Qt.FocusReason.OtherFocusReason)
            edit.selectAll()
            return
        self.send_button.setEnabled(False)
        self._say(gst_remark(checked) or tr("Recording…"))
        self.sent.emit(checked, self._saved)

    def _say(self, words: str, *, bad: bool = False) -> None:
        self._words.setText(words)
        self._words.setAccessibleDescription(words)
        palette = QPalette()
        if bad:
            palette.setColor(QPalette.ColorRole.WindowText, QColor(theme.colours(self.palette()).tone(Tone.BAD).ink))
        self._words.setPalette(palette)


__all__ = ["FeesForm", "TypedFees"]
