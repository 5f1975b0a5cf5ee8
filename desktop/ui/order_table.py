"""The list of orders: any number of them, of which only those in sight are held in full."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRect, QSize, QStringListModel, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QStyleOptionViewItem, QWidget

from desktop.services.ledger.model import OrderView
from desktop.ui import theme, words
from desktop.ui.language import tr
from desktop.ui.order_row import order_row
from desktop.ui.order_steps import PathStep, paint_path, path_of
from desktop.ui.rows import ROW_ROLE, VALUE_ROLE, AnyIndex, Row, RowList, TwoLineDelegate, row_fonts
from desktop.ui.widgets import paint_pill, pill_size
from desktop.ui.window import Clock

PATH_ROLE = Qt.ItemDataRole.UserRole + 3
MOST_KEPT = 2_000
MOST_MOVED = 400
"""Rows that come and go one by one as far as the view is concerned; of more, it begins anew."""


class OrderModel(QStringListModel):
    """Orders by number, newest first. A row whose order was not fetched yet shows its number alone; the window fetches what
    is `missing` among the rows in sight. What was fetched is `stale` after `age`, shown on, and fetched again when in sight.

    Qt counts the rows by a list of empty strings of its own: a view asks for the count at each row that it lays out, and with a
    count in Python twenty thousand rows cost a frame by themselves."""

    def __init__(self, clock: Clock, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._clock = clock
        self._ids: tuple[str, ...] = ()
        self._places: dict[str, int] | None = None
        self._views: dict[str, OrderView] = {}
        self._fresh: set[str] = set()
        self._rows: dict[str, tuple[Row, tuple[PathStep, ...]]] = {}

    # what the window asks

    def ids(self) -> tuple[str, ...]:
        return self._ids

    def id_at(self, row: int) -> str:
        """Empty where there is no such row."""
        return self._ids[row] if 0 <= row < len(self._ids) else ""

    def value(self, row: int) -> OrderView | None:
        """None also for a row that was not fetched yet."""
        return self._views.get(self.id_at(row))

    def values(self) -> tuple[OrderView, ...]:
        """Those that were fetched, in the list's order."""
        return tuple(self._views[order_id] for order_id in self._ids if order_id in self._views)

    def row_with_key(self, order_id: str) -> int:
        """-1 when it is not in the list."""
        if self._places is None:
            self._places = {one: row for row, one in enumerate(self._ids)}
        return self._places.get(order_id, -1)

    def missing(self, first: int, last: int) -> tuple[str, ...]:
        """The orders of these rows that are not held, or are stale."""
        return tuple(one for one in self._ids[max(0, first) : last + 1] if one not in self._fresh)

    def show_ids(self, ids: Sequence[str]) -> bool:
        """Replaces the list. True when rows came, went or moved.

        Where the lists are alike at both ends, only what is between them is taken out and put in: the other rows keep their
        selection and are not laid out anew."""
        new, old = tuple(ids), self._ids
        if new == old:
            return False
        first, last = _alike(old, new)
        gone, come = len(old) - first - last, len(new) - first - last
        if len(self._views) > MOST_KEPT:
            self._views.clear()
            self._fresh.clear()
            self._rows.clear()
        self._places = None
        if max(gone, come) > MOST_MOVED:
            self._ids = new
            self.setStringList([""] * len(new))
            return True
        if gone:
            self._ids = old[:first] + old[first + gone :]
            self.removeRows(first, gone)
        if come:
            self._ids = new
            self._places = None
            self.insertRows(first, come)
        return True

    def age(self) -> None:
        self._fresh.clear()

    def take(self, views: Iterable[OrderView]) -> bool:
        """Holds what was fetched. True when anything of it is new or differs."""
        changed: list[int] = []
        for view in views:
            self._fresh.add(view.order_id)
            if self._views.get(view.order_id) == view:
                continue
            self._views[view.order_id] = view
            self._rows.pop(view.order_id, None)
            changed.append(self.row_with_key(view.order_id))
        changed = [row for row in changed if row >= 0]
        if changed:
            self.dataChanged.emit(self.index(min(changed)), self.index(max(changed)))
        return bool(changed)

    def reword(self) -> None:
        """Rows are made anew: ages and words depend on the time."""
        self._rows.clear()
        if self._ids:
            self.dataChanged.emit(self.index(0), self.index(len(self._ids) - 1))

    # what Qt asks

    def flags(self, index: AnyIndex) -> Qt.ItemFlag:
        plain = Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemNeverHasChildren
        return plain if index.isValid() else Qt.ItemFlag.NoItemFlags

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role not in _ROLES or not 0 <= index.row() < len(self._ids):
            return None
        order_id = self._ids[index.row()]
        view = self._views.get(order_id)
        if role == VALUE_ROLE:
            return view
        if view is None:
            row = Row(
                title=tr("Order {order_id}", order_id=order_id),
                subtitle="…",
                spoken=tr("Order {order_id}, being fetched", order_id=order_id),
            )
            path: tuple[PathStep, ...] = ()
        else:
            row, path = self._made(order_id, view)
        if role == ROW_ROLE:
            return row
        if role == PATH_ROLE:
            return path
        if role == Qt.ItemDataRole.DisplayRole:
            return row.title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return row.spoken
        if view is None:
            return f"{row.title}\n{row.subtitle}"
        now = self._clock()
        meaning = words.explained(row.pill, words.order_state(view))
        return "\n".join((row.title, row.subtitle, meaning, *(step.text(now) for step in path)))

    def _made(self, order_id: str, view: OrderView) -> tuple[Row, tuple[PathStep, ...]]:
        made = self._rows.get(order_id)
        if made is None:
            made = self._rows[order_id] = (order_row(view, self._clock), path_of(view))
        return made


def _alike(old: Sequence[str], new: Sequence[str]) -> tuple[int, int]:
    """How many are the same at the beginning, and how many of the others at the end."""
    most = min(len(old), len(new))
    first = next((row for row in range(most) if old[row] != new[row]), most)
    most -= first
    return first, next((row for row in range(most) if old[-1 - row] != new[-1 - row]), most)


_TEXT_ROLES = (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole)
_ROLES = frozenset(int(role) for role in (ROW_ROLE, PATH_ROLE, VALUE_ROLE, *_TEXT_ROLES))


class OrderDelegate(TwoLineDelegate):
    """Three lines: what was searched and its price; where it belongs, with the one word; the path as four steps."""

    def __init__(self, clock: Clock, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._clock = clock

    TOP = 8

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        fonts = row_fonts(option)
        return QSize(200, fonts.plain_height + 2 * (fonts.small_height + 4) + 2 * self.LINE_GAP + 2 * self.TOP)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        row: Row = index.data(ROW_ROLE)
        ink = self.ground(painter, option, index)
        palette = ink.palette
        fonts = row_fonts(option)
        area = option.rect.adjusted(self.PAD, self.TOP, -self.PAD, -self.TOP)
        tall, low = fonts.bold_height, fonts.small_height + 4
        first = QRect(area.left(), area.top(), area.width(), tall)
        second = QRect(area.left(), first.bottom() + self.LINE_GAP, area.width(), low)
        third = QRect(area.left(), second.bottom() + self.LINE_GAP, area.width(), low)

        painter.save()
        painter.setFont(fonts.bold)
        painter.setPen(ink.strong)
        self._elided(painter, self._right(painter, first, row.right), row.title)
        painter.setFont(fonts.small)
        left = second
        if row.pill:
            size = pill_size(fonts.small_metrics, row.pill)
            paint_pill(painter, QRect(left.right() - size.width() + 1, left.top(), size.width(), low), row.pill, row.tone, palette)
            left = left.adjusted(0, 0, -size.width() - 8, 0)
        painter.setPen(ink.quiet)
        self._elided(painter, left, row.subtitle)
        path: tuple[PathStep, ...] = index.data(PATH_ROLE)
        if path:
            paint_path(painter, third, path, self._clock(), palette, ink.strong if ink.selected else None)
        painter.setPen(QColor(theme.colours(palette).line))
        painter.drawLine(option.rect.bottomLeft(), option.rect.bottomRight())
        painter.restore()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a list stands: the order at its upper edge, how many pixels of it are above the edge, and the scroll bar's value."""

    order_id: str
    above: int
    value: int


class OrderRows(RowList):
    """The list's view. `rows_in_sight` is what the window fetches first."""

    def __init__(self, clock: Clock, parent: QWidget | None = None) -> None:
        super().__init__(tr("Orders"), parent)
        self.setItemDelegate(OrderDelegate(clock, self))

    def dataChanged(self, first: AnyIndex, last: AnyIndex, roles: Sequence[int] = ()) -> None:
        """Rows are all alike in height, so only the picture changes, and only where it is in sight: by itself the view would lay
        out every row anew."""
        upper, lower = self.rows_in_sight()
        if first.row() <= lower and last.row() >= upper:
            self.viewport().update()

    def row_height(self) -> int:
        """Of every row; while there is none to measure, about what one needs."""
        height = self.sizeHintForRow(0)
        return height if height > 0 else 4 * self.fontMetrics().height()

    def place(self) -> Place:
        model, value, height = self.model(), self.verticalScrollBar().value(), self.row_height()
        first = model.id_at(value // height) if isinstance(model, OrderModel) else ""
        return Place(first, value % height, value)

    def stand_at(self, place: Place) -> None:
        """Keeps the same rows in sight after others came or went above them. A list that stood at its top stays there."""
        model = self.model()
        row = model.row_with_key(place.order_id) if place.value and isinstance(model, OrderModel) else -1
        # Lays out what came: the scroll bar could not go there before.
        self.scrollTo(model.index(max(row, 0), 0), self.ScrollHint.PositionAtTop)
        self.verticalScrollBar().setValue(row * self.row_height() + place.above if row >= 0 else place.value)

    def choose(self, row: int) -> None:
        """Makes a row the current one without bringing it into sight."""
        self.setAutoScroll(False)
        self.setCurrentIndex(self.model().index(row, 0))
        self.setAutoScroll(True)

    def rows_in_sight(self) -> tuple[int, int]:
        """The first and the last row in sight; the first screenful while nothing was laid out."""
        height = self.row_height()
        first = self.verticalScrollBar().value() // height
        return first, first + self.viewport().height() // height + 1
