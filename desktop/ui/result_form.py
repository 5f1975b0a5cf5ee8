"""A result typed in by a person, for a firm without a feed or a folder."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from desktop.services.desk import TypedResult
from desktop.ui import theme
from desktop.ui.language import tr
from desktop.ui.widgets import Field, MessageBar, Muted


class FormProblem(Exception):
    """Something typed can't be used. The message says which field and why."""


def amount(text: str, name: str) -> Decimal | None:
    """A sum of money as people type it; None when empty. Raises FormProblem."""
    clean = text.strip().replace("$", "").replace(" ", "")
    if re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d*)?", clean):
        clean = clean.replace(",", "")
    if not clean:
        return None
    try:
        value = Decimal(clean)
    except InvalidOperation:
        value = Decimal("NaN")
    if not re.fullmatch(r"-?\d{1,9}(\.\d{1,2})?", clean) or not value.is_finite():
        raise FormProblem(tr("{name} must be an amount such as 12.34.", name=name))
    return value.quantize(Decimal("0.01"))


class ResultForm(QDialog):
    """Takes the facts of a result and hands them on as one value; stays open until that was accepted."""

    def __init__(self, parent: QWidget | None = None, *, matter_number: str = "", file: Path | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("iConnect - Add a result"))
        self._hand_on: Callable[[TypedResult], None] | None = None
        self.message = MessageBar()
        self.order_id = Field()
        self.order_id.setPlaceholderText(tr("Number on InfoTrack's confirmation"))
        self.matter = Field(matter_number)
        self.service = Field()
        self.service.setPlaceholderText(tr("Such as Title Search"))
        self.reference = Field()
        self.file = Field(str(file) if file is not None else "")
        self.file.setPlaceholderText(tr("None"))
        self.file.setAccessibleName(tr("PDF file"))
        choose = QPushButton(tr("&Choose…"))
        choose.setAccessibleDescription(tr("Choose the result's PDF"))
        choose.setAutoDefault(False)
        choose.clicked.connect(self._choose)
        files = QHBoxLayout()
        files.setSpacing(theme.GAP)
        files.addWidget(self.file, 1)
        files.addWidget(choose)

        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(theme.GAP)
        form.addRow(tr("&Order number"), self.order_id)
        form.addRow(tr("&Matter number"), self.matter)
        form.addRow(tr("&Service"), self.service)
        form.addRow(tr("&Reference"), self.reference)
        form.addRow(tr("PDF file"), files)
        form.addRow(tr("Fees"), self._fees())

        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.add_button = buttons.addButton(tr("Add"), QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.accepted.connect(self._add)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.MARGIN, theme.MARGIN, theme.MARGIN, theme.MARGIN)
        column.setSpacing(12)
        column.addWidget(
            Muted(
                tr(
                    "For a result that came by e-mail or that you fetched at InfoTrack. A message that comes later "
                    "posts nothing twice."
                )
            )
        )
        column.addWidget(self.message)
        column.addLayout(form)
        column.addStretch(1)
        column.addWidget(buttons)
        self.resize(520, self.sizeHint().height())

    def _fees(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.GAP)
        grid.setVerticalSpacing(6)
        for column, title in enumerate((tr("Without GST"), "GST"), start=1):
            grid.addWidget(Muted(title, wrap=False), 0, column, Qt.AlignmentFlag.AlignRight)
        self.fees: dict[str, Field] = {}
        for row, (who, title) in enumerate(
            (("retailer", tr("Retailer fee (InfoTrack)")), ("supplier", tr("Supplier fee (authority)"))), start=1
        ):
            grid.addWidget(Muted(title, wrap=False), row, 0)
            for column, part in enumerate(("fee", "gst"), start=1):
                field = Field()
                field.setPlaceholderText("0.00")
                field.setAlignment(Qt.AlignmentFlag.AlignRight)
                field.setAccessibleName(tr("{fee} without GST", fee=title) if part == "fee" else f"{title} GST")
                self.fees[f"{who}_{part}"] = field
                grid.addWidget(field, row, column)
        return grid

    def ask(self, hand_on: Callable[[TypedResult], None]) -> None:
        """Opens without waiting; `hand_on` gets the value and then calls `accepted_by_desk` or `refused`."""
        self._hand_on = hand_on
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.open()
        self.order_id.setFocus()

    def result_value(self) -> TypedResult:
        """What stands in the form. Raises FormProblem."""
        for field, name in (
            (self.order_id, tr("The order number")),
            (self.matter, tr("The matter number")),
            (self.service, tr("The service")),
        ):
            if not field.text().strip():
                raise FormProblem(tr("{name} is missing.", name=name))
        if not self.order_id.text().strip().isdecimal():
            raise FormProblem(tr("The order number has digits only."))
        fees = {key: amount(field.text(), field.accessibleName()) for key, field in self.fees.items()}
        file = Path(self.file.text().strip()) if self.file.text().strip() else None
        if file is not None and not file.is_file():
            raise FormProblem(tr("That PDF file does not exist."))
        if file is None and all(value is None for value in fees.values()):
            raise FormProblem(tr("Give a fee, a PDF, or both: there is nothing to deliver yet."))
        return TypedResult(
            order_id=self.order_id.text().strip(),
            matter_number=self.matter.text().strip(),
            service=self.service.text().strip(),
            reference=self.reference.text().strip(),
            retailer_fee=fees["retailer_fee"],
            retailer_gst=fees["retailer_gst"],
            supplier_fee=fees["supplier_fee"],
            supplier_gst=fees["supplier_gst"],
            file=file,
        )

    def refused(self, problem: str) -> None:
        self.add_button.setEnabled(True)
        self._say(problem)

    def _say(self, problem: str) -> None:
        self.message.say(problem)
        # Room for the sentence comes from the window, not from the fields.
        self.resize(self.size().expandedTo(self.sizeHint()))

    def _add(self) -> None:
        try:
            value = self.result_value()
        except FormProblem as problem:
            self._say(str(problem))
            return
        if self._hand_on is not None:
            self.add_button.setEnabled(False)
            self._hand_on(value)

    def _choose(self) -> None:
        dialog = QFileDialog(self, tr("iConnect - Choose the result's PDF"), "", tr("PDF (*.pdf);;All files (*)"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self.file.setText)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()
