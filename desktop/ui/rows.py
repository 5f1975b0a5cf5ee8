"""Lean list models and two-line delegates: no widget a row, so that a list costs what is visible of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPalette
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from desktop.ui import theme
from desktop.ui.widgets import paint_pill, pill_size, small_font
from desktop.ui.words import Tone

T = TypeVar("T")

AnyIndex = QModelIndex | QPersistentModelIndex

ROW_ROLE = Qt.ItemDataRole.UserRole + 1
VALUE_ROLE = Qt.ItemDataRole.UserRole + 2


@dataclass(frozen=True, slots=True)
class Row:
    """What one row shows. `spoken` is its accessible text; `marks` are small words; `pill` the state's word."""

    title: str
    subtitle: str = ""
    right: str = ""
    pill: str = ""
    tone: Tone = Tone.QUIET
    marks: tuple[str, ...] = ()
    spoken: str = ""
    dim: bool = False


class RowModel(QAbstractListModel, Generic[T]):
    """A list of values, each shown by `row_of` and known again after a refresh by `key_of`."""

    def __init__(self, row_of: Callable[[T], Row], key_of: Callable[[T], object], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._row_of = row_of
        self._key_of = key_of
        self._values: tuple[T, ...] = ()
        self._rows: dict[int, Row] = {}

    def values(self) -> tuple[T, ...]:
        return self._values

    def value(self, row: int) -> T | None:
        return self._values[row] if 0 <= row < len(self._values) else None

    def row_with_key(self, key: object) -> int:
        """-1 when no value has that key."""
        for row, value in enumerate(self._values):
            if self._key_of(value) == key:
                return row
        return -1

    def show_values(self, values: Sequence[T]) -> bool:
        """Replaces the snapshot. True when rows came, went or moved: then selection and scroll are the caller's to mend."""
        new = tuple(values)
        if new == self._values:
            return False
        same_places = [self._key_of(v) for v in new] == [self._key_of(v) for v in self._values]
        if same_places:
            self._values = new
            self._rows.clear()
            if new:
                self.dataChanged.emit(self.index(0), self.index(len(new) - 1))
            return False
        self.beginResetModel()
        self._values = new
        self._rows.clear()
        self.endResetModel()
        return True

    def reword(self) -> None:
        """Rows are made anew: ages and words depend on the time."""
        self._rows.clear()
        if self._values:
            self.dataChanged.emit(self.index(0), self.index(len(self._values) - 1))

    def rowCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self._values)

    def row(self, number: int) -> Row:
        made = self._rows.get(number)
        if made is None:
            made = self._rows[number] = self._row_of(self._values[number])
        return made

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self._values):
            return None
        if role == VALUE_ROLE:
            return self._values[index.row()]
        if role == ROW_ROLE:
            return self.row(index.row())
        if role == Qt.ItemDataRole.DisplayRole:
            return self.row(index.row()).title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            row = self.row(index.row())
            return row.spoken or row.title
        if role == Qt.ItemDataRole.ToolTipRole:
            row = self.row(index.row())
            return f"{row.title}\n{row.subtitle}" if row.subtitle else row.title
        return None


@dataclass(frozen=True, slots=True)
class RowFonts:
    """What a row is written in, worked out once for each font and not at each painting. Heights are in pixels."""

    bold: QFont
    small: QFont
    small_metrics: QFontMetrics
    plain_height: int
    bold_height: int
    small_height: int


def row_fonts(option: QStyleOptionViewItem) -> RowFonts:
    # The height tells when the screen's own scale was changed under the same font.
    return _row_fonts(option.font.toString(), option.fontMetrics.height())


@lru_cache(maxsize=16)
def _row_fonts(description: str, height: int) -> RowFonts:
    font = QFont()
    font.fromString(description)
    bold = QFont(font)
    bold.setWeight(QFont.Weight.DemiBold)
    small = small_font(font)
    metrics = QFontMetrics(small)
    return RowFonts(bold, small, metrics, QFontMetrics(font).height(), QFontMetrics(bold).height(), metrics.height())


@dataclass(frozen=True, slots=True)
class Ink:
    """The colours of one row as it is painted: what is written strongly and what quietly, on its ground."""

    palette: QPalette
    selected: bool
    strong: QColor
    quiet: QColor


class TwoLineDelegate(QStyledItemDelegate):
    """Title and right-hand text on the first line; second line and state pill on the other."""

    PAD = 10
    LINE_GAP = 4

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        fonts = row_fonts(option)
        pill = pill_size(fonts.small_metrics, "x")
        return QSize(200, fonts.plain_height + max(fonts.plain_height, pill.height()) + self.LINE_GAP + 2 * 7)

    def ground(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> Ink:
        """Paints a row's ground and gives the colours for what is written on it."""
        # The view's own option, without the item's text, icon and the rest, which no row of ours gives to the style.
        opt = QStyleOptionViewItem(option)
        theme.mark_readably(opt.palette)
        widget: QWidget = option.widget
        widget.style().drawControl(QStyle.ControlElement.CE_ItemViewItem, opt, painter, widget)
        # A copy: the option's own palette goes with the option.
        palette = QPalette(opt.palette)
        selected = bool(opt.state & QStyle.StateFlag.State_Selected)
        active = bool(opt.state & QStyle.StateFlag.State_Active)
        group = QPalette.ColorGroup.Active if active else QPalette.ColorGroup.Inactive
        strong = palette.color(group, QPalette.ColorRole.HighlightedText if selected else QPalette.ColorRole.Text)
        return Ink(palette, selected, strong, strong if selected else QColor(theme.colours(palette).muted))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        row: Row = index.data(ROW_ROLE)
        ink = self.ground(painter, option, index)
        palette, quiet = ink.palette, ink.quiet
        strong = quiet if row.dim and not ink.selected else ink.strong
        fonts = row_fonts(option)
        bold, small = fonts.bold, fonts.small

        area = option.rect.adjusted(self.PAD, 7, -self.PAD, -7)
        first = QRect(area.left(), area.top(), area.width(), fonts.bold_height)
        second = QRect(area.left(), area.bottom() - fonts.small_height - 3, area.width(), fonts.small_height + 4)

        painter.save()
        painter.setFont(bold)
        painter.setPen(strong)
        left = self._right(painter, first, row.right)
        self._elided(painter, left, row.title)

        painter.setFont(small)
        left = second
        words = [(mark, Tone.QUIET, False) for mark in reversed(row.marks)]
        if row.pill:
            words.insert(0, (row.pill, row.tone, True))
        for word, tone, state in words:
            size = pill_size(fonts.small_metrics, word, state=state)
            rect = QRect(left.right() - size.width() + 1, left.top(), size.width(), left.height())
            paint_pill(painter, rect, word, tone, palette, state=state)
            left = left.adjusted(0, 0, -size.width() - 6, 0)
        painter.setPen(quiet)
        self._elided(painter, left, row.subtitle)
        painter.restore()

    @staticmethod
    def _right(painter: QPainter, rect: QRect, text: str) -> QRect:
        if not text:
            return rect
        width = painter.fontMetrics().horizontalAdvance(text)
        painter.drawText(rect, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)
        return rect.adjusted(0, 0, -width - 10, 0)

    @staticmethod
    def _elided(painter: QPainter, rect: QRect, text: str) -> None:
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
        painter.drawText(rect, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)


class RowList(QListView):
    """A list of two-line rows with one selection."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setItemDelegate(TwoLineDelegate(self))
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)

    def current_row(self) -> int:
        return self.currentIndex().row()

    def go_to(self, row: int) -> None:
        """Makes a row the current one and shows it; -1 for none."""
        model = self.model()
        index = model.index(row, 0) if row >= 0 else QModelIndex()
        self.setCurrentIndex(index)
        if index.isValid():
            self.scrollTo(index)

    def step(self, by: int) -> None:
        """Moves the current row, as arrow keys do, and stops at the ends."""
        count = self.model().rowCount()
        if count:
            here = self.current_row()
            self.go_to(max(0, min(count - 1, here + by if here >= 0 else 0)))

    def page(self) -> int:
        """How many rows a page holds."""
        height = self.sizeHintForRow(0)
        return max(1, self.viewport().height() // height - 1) if height > 0 else 1
