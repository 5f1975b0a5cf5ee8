"""The box in which a cost code is chosen."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QSizePolicy, QWidget

from desktop.services.practice.model import CostCode
from desktop.ui.language import tr


class CodeBox(QComboBox):
    """A cost code: chosen from the firm's live list, or typed when the list can't be had."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setEditable(True)
        self.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(20)
        self.setAccessibleName(name)
        line = self.lineEdit()
        if line is not None:
            line.setPlaceholderText(tr("None chosen"))

    def offer(self, codes: Sequence[CostCode]) -> None:
        """Replaces the list and keeps what stands in the field."""
        kept = self.code()
        self.clear()
        for code in codes:
            if code.code:
                self.addItem(f"{code.code} – {code.description}" if code.description else code.code, code.code)
        self.show_code(kept)

    def show_code(self, code: str) -> None:
        row = self.findData(code) if code else -1
        self.setCurrentIndex(row)
        if row < 0:
            self.setEditText(code)
        line = self.lineEdit()
        if line is not None:
            line.setCursorPosition(0)

    def code(self) -> str:
        text = self.currentText().strip()
        row = self.currentIndex()
        if row >= 0 and text == self.itemText(row):
            return str(self.itemData(row))
        exact = self.findText(text, Qt.MatchFlag.MatchExactly)
        return str(self.itemData(exact)) if exact >= 0 else text
