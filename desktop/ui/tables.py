"""A table as all our windows show one: whole rows chosen, no grid, headings over their columns, and no cell cursor to get lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from PySide6.QtCore import QAbstractTableModel, QModelIndex, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QTableView, QWidget

from desktop.ui import theme
from desktop.ui.rows import AnyIndex
from desktop.ui.widgets import Muted

T = TypeVar("T")

LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)


@dataclass(frozen=True, slots=True)
class ColumnLook:
    """A column's heading, its first width in pixels, and whether it holds numbers."""

    title: str
    width: int
    right: bool = False


def number(text: str) -> str:
    """A number's text with a little air before the next column."""
    return f"{text}\u2002" if text else ""


def heading(looks: Sequence[ColumnLook], section: int, orientation: Qt.Orientation, role: int) -> object:
    """What a model's headerData answers."""
    if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(looks):
        return None
    if role == Qt.ItemDataRole.DisplayRole:
        return number(looks[section].title) if looks[section].right else looks[section].title
    if role == Qt.ItemDataRole.TextAlignmentRole:
        return RIGHT if looks[section].right else LEFT
    return None


def label_for(box: QWidget, text: str) -> Muted:
    """A word before a box with choices. Of such a box assistive technology hears the choice alone; what it chooses, on Linux, is
    told by the label that belongs to it."""
    label = Muted(text, wrap=False)
    label.setBuddy(box)
    return label


class TableModel(QAbstractTableModel, Generic[T]):
    """Values as rows under fixed headings. Sub-classes say in `data` what a cell shows."""

    def __init__(self, looks: Sequence[ColumnLook], values: Sequence[T] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._looks = tuple(looks)
        self.values = tuple(values)

    def show_values(self, values: Sequence[T]) -> None:
        self.beginResetModel()
        self.values = tuple(values)
        self.endResetModel()

    def rowCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.values)

    def columnCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self._looks)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        return heading(self._looks, section, orientation, role)


class _Cells(QStyledItemDelegate):
    """The row is what is chosen: a frame around one cell of it would say otherwise."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        super().initStyleOption(option, index)
        option.state &= ~QStyle.StateFlag.State_HasFocus
        theme.mark_readably(option.palette)


class Table(QTableView):
    """Signals:
    chosen(int): Enter or a double click on a row."""

    chosen = Signal(int)

    def __init__(self, name: str, looks: Sequence[ColumnLook], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._looks = tuple(looks)
        self.setAccessibleName(name)
        self.setItemDelegate(_Cells(self))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setAlternatingRowColors(True)
        self.setWordWrap(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 12)
        self.horizontalHeader().setHighlightSections(False)
        self.doubleClicked.connect(lambda index: self.chosen.emit(index.row()))

    def size_columns(self) -> None:
        """After a model was set: the first widths, with room for a heading that is longer in another language; the last column
        takes the rest."""
        header = self.horizontalHeader()
        for number, look in enumerate(self._looks):
            self.setColumnWidth(number, max(look.width, header.sectionSizeHint(number)))
        header.setSectionResizeMode(len(self._looks) - 1, QHeaderView.ResizeMode.Stretch)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Who comes by Tab stands on a row, and not before the first one."""
        super().focusInEvent(event)
        if not self.currentIndex().isValid() and event.reason() in (
            Qt.FocusReason.TabFocusReason,
            Qt.FocusReason.BacktabFocusReason,
        ):
            self.selectRow(0)

    def paintEvent(self, event: QPaintEvent) -> None:
        """A frame says that the keyboard is here: no cell has one."""
        super().paintEvent(event)
        if self.hasFocus():
            painter = QPainter(self.viewport())
            painter.setPen(self.palette().color(QPalette.ColorRole.Highlight))
            painter.drawRect(self.viewport().rect().adjusted(0, 0, -1, -1))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.chosen.emit(self.currentIndex().row())
            return
        super().keyPressEvent(event)
