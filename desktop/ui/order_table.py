"""The list of orders: any number of them, of which only those in sight are held in full."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PySide6.QtCore import QAbstractListModel, QModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPalette
from PySide6.QtWidgets import QStyle, QStyleOptionViewItem, QWidget

from desktop.services.ledger.model import OrderView
from desktop.ui import theme
from desktop.ui.order_row import order_row
from desktop.ui.order_steps import PathStep, paint_path, path_of, path_text
from desktop.ui.rows import ROW_ROLE, VALUE_ROLE, AnyIndex, Row, RowList, TwoLineDelegate, ground_readable
from desktop.ui.widgets import paint_pill, pill_size, small_font
from desktop.ui.window import Clock

PATH_ROLE = Qt.ItemDataRole.UserRole + 3
MOST_KEPT = 2_000


class OrderModel(QAbstractListModel):
    """Orders by number, newest first. A row whose order was not fetched yet shows its number alone; the window fetches what
    is `missing` among the rows in sight. What was fetched is `stale` after `age`, shown on, and fetched again when in sight."""

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
        """Replaces the list. True when rows came, went or moved: then selection and scroll are the caller's to mend."""
        new = tuple(ids)
        if new == self._ids:
            return False
        self.beginResetModel()
        self._ids = new
        self._places = None
        if len(self._views) > MOST_KEPT:
            self._views.clear()
            self._fresh.clear()
            self._rows.clear()
        self.endResetModel()
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

    def rowCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self._ids)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self._ids):
            return None
        order_id = self._ids[index.row()]
        view = self._views.get(order_id)
        if role == VALUE_ROLE:
            return view
        if role not in (ROW_ROLE, PATH_ROLE, *_TEXT_ROLES):
            return None
        if view is None:
            row = Row(title=f"Order {order_id}", subtitle="…", spoken=f"Order {order_id}, being fetched")
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
        told = path_text(view, self._clock()).replace(", ", "\n") if view is not None else ""
        return "\n".join(part for part in (row.title, row.subtitle, told) if part)

    def _made(self, order_id: str, view: OrderView) -> tuple[Row, tuple[PathStep, ...]]:
        made = self._rows.get(order_id)
        if made is None:
            made = self._rows[order_id] = (order_row(view, self._clock), path_of(view))
        return made


_TEXT_ROLES = (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole)


class OrderDelegate(TwoLineDelegate):
    """Three lines: what was searched and its price; where it belongs, with the one word; the path as four steps."""

    def __init__(self, clock: Clock, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._clock = clock

    def sizeHint(self, option: QStyleOptionViewItem, index: AnyIndex) -> QSize:
        small = QFontMetrics(small_font(option.font)).height()
        return QSize(200, QFontMetrics(option.font).height() + 2 * (small + 4) + 2 * self.LINE_GAP + 2 * self.TOP)

    TOP = 8

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        row: Row = index.data(ROW_ROLE)
        opt = QStyleOptionViewItem(option)
        self.initStyleOption(opt, index)
        opt.text = ""
        ground_readable(opt.palette)
        widget: QWidget = option.widget
        widget.style().drawControl(QStyle.ControlElement.CE_ItemViewItem, opt, painter, widget)
        palette: QPalette = opt.palette
        selected = bool(opt.state & QStyle.StateFlag.State_Selected)
        active = bool(opt.state & QStyle.StateFlag.State_Active)
        group = QPalette.ColorGroup.Active if active else QPalette.ColorGroup.Inactive
        strong = palette.color(group, QPalette.ColorRole.HighlightedText if selected else QPalette.ColorRole.Text)
        quiet = strong if selected else QColor(theme.colours(palette).muted)

        area = option.rect.adjusted(self.PAD, self.TOP, -self.PAD, -self.TOP)
        bold = QFont(option.font)
        bold.setWeight(QFont.Weight.DemiBold)
        small = small_font(option.font)
        tall, low = QFontMetrics(bold).height(), QFontMetrics(small).height() + 4
        first = QRect(area.left(), area.top(), area.width(), tall)
        second = QRect(area.left(), first.bottom() + self.LINE_GAP, area.width(), low)
        third = QRect(area.left(), second.bottom() + self.LINE_GAP, area.width(), low)

        painter.save()
        painter.setFont(bold)
        painter.setPen(strong)
        self._elided(painter, self._right(painter, first, row.right), row.title)
        painter.setFont(small)
        left = second
        if row.pill:
            size = pill_size(QFontMetrics(small), row.pill)
            paint_pill(painter, QRect(left.right() - size.width() + 1, left.top(), size.width(), low), row.pill, row.tone, palette)
            left = left.adjusted(0, 0, -size.width() - 8, 0)
        painter.setPen(quiet)
        self._elided(painter, left, row.subtitle)
        path: tuple[PathStep, ...] = index.data(PATH_ROLE)
        if path:
            paint_path(painter, third, path, self._clock(), palette, strong if selected else None)
        painter.setPen(QColor(theme.colours(palette).line))
        painter.drawLine(option.rect.bottomLeft(), option.rect.bottomRight())
        painter.restore()


class OrderRows(RowList):
    """The list's view. `rows_in_sight` is what the window fetches first."""

    def __init__(self, clock: Clock, parent: QWidget | None = None) -> None:
        super().__init__("Orders", parent)
        self.setItemDelegate(OrderDelegate(clock, self))

    def dataChanged(self, first: AnyIndex, last: AnyIndex, roles: Sequence[int] = ()) -> None:
        """Rows are all alike in height, so only the picture changes: by itself the view would lay out every row anew."""
        self.viewport().update()

    def rows_in_sight(self) -> tuple[int, int]:
        """The first and the last row in sight; the first screenful while nothing was laid out."""
        height = self.sizeHintForRow(0)
        if height <= 0:
            # No row to measure yet: about what one needs.
            height = 4 * self.fontMetrics().height()
        first = self.verticalScrollBar().value() // height
        return first, first + self.viewport().height() // height + 1
