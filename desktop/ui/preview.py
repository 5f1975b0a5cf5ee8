"""What will be posted, shown before it is: for approving in bulk, and for moving an order to another matter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QCheckBox, QDialog, QDialogButtonBox, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from desktop.services.books import Preview
from desktop.services.ledger.model import Delivery, DeliveryKind, DeliveryState, OrderView
from desktop.services.practice.model import Matter
from desktop.ui import theme, words
from desktop.ui.flow import FlowLayout, plain_button
from desktop.ui.language import tr
from desktop.ui.rows import AnyIndex
from desktop.ui.tables import LEFT, RIGHT, ColumnLook, Table, TableModel, number
from desktop.ui.upright_scroll import UprightScroll
from desktop.ui.widgets import Card, EmptyState, Heading, MessageBar, Muted, Text, open_at
from desktop.ui.words import Tone


def posting_words(one: Preview) -> str:
    """How a cost will stand in the books, in a sentence."""
    parts = [tr("matter {matter_number}", matter_number=one.matter_number), tr("code {code}", code=one.code) if one.code else ""]
    if one.net is not None:
        parts.append(words.with_gst(one.net, one.gst))
    parts.append(charge_words(one))
    told = ", ".join(part for part in parts if part) + f". {one.rule}."
    if not one.closed:
        return told
    return told + " " + tr("The matter is closed, so {system} may refuse it.", system=words.system_short(one.system))


def charge_words(one: Preview) -> str:
    """What the client is charged."""
    if not one.billable:
        return tr("not billable")
    price = tr("billable at {price}", price=words.money(one.price)) if one.price is not None else tr("billable")
    if not one.markup_percent:
        return price
    return tr("{price} (markup {percent})", price=price, percent=markup_words(one.markup_percent))


def markup_words(percent: Decimal | None) -> str:
    return "" if percent is None else f"{percent.normalize():f} %"


_COLUMNS: tuple[tuple[ColumnLook, Callable[[Preview], str]], ...] = (
    (
        ColumnLook(tr("Matter"), 100),
        lambda one: tr("{number} (closed)", number=one.matter_number) if one.closed else one.matter_number,
    ),
    (ColumnLook(tr("Client"), 210), lambda one: one.client),
    (ColumnLook(tr("What"), 190), lambda one: one.description),
    (ColumnLook(tr("Code"), 84), lambda one: one.code),
    (ColumnLook(tr("Ex GST"), 72, right=True), lambda one: words.money(one.net)),
    (ColumnLook(tr("GST"), 64, right=True), lambda one: words.money(one.gst)),
    (ColumnLook(tr("Client pays"), 84, right=True), lambda one: words.money(one.price) if one.billable else tr("not billable")),
    (ColumnLook(tr("Markup"), 64, right=True), lambda one: markup_words(one.markup_percent)),
    (ColumnLook(tr("GST rule"), 200), lambda one: one.rule),
)
_LOOKS = tuple(look for look, _ in _COLUMNS)
_CLIENT = 1


class PreviewModel(TableModel[Preview]):
    """Postings with a tick each; all are ticked at first."""

    def __init__(self, previews: Sequence[Preview], parent: QWidget | None = None) -> None:
        super().__init__(_LOOKS, previews, parent)
        self._chosen = {one.key for one in previews}

    @property
    def previews(self) -> tuple[Preview, ...]:
        return self.values

    def chosen(self) -> tuple[Preview, ...]:
        return tuple(one for one in self.previews if one.key in self._chosen)

    def toggle(self, row: int) -> None:
        if 0 <= row < len(self.previews):
            self._chosen ^= {self.previews[row].key}
            self.dataChanged.emit(self.index(row, 0), self.index(row, len(_COLUMNS) - 1))

    def tick_all(self, ticked: bool) -> None:
        self._chosen = {one.key for one in self.previews} if ticked else set()
        if self.previews:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self.previews) - 1, 0))

    def flags(self, index: AnyIndex) -> Qt.ItemFlag:
        plain = Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEnabled
        return plain | Qt.ItemFlag.ItemIsUserCheckable if index.column() == 0 else plain

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        one = self.previews[index.row()]
        look, text = _COLUMNS[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return number(text(one)) if look.right else text(one)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return RIGHT if look.right else LEFT
        if role == Qt.ItemDataRole.CheckStateRole and index.column() == 0:
            return Qt.CheckState.Checked if one.key in self._chosen else Qt.CheckState.Unchecked
        if role == Qt.ItemDataRole.ToolTipRole:
            told = f"{one.key}: {posting_words(one)}"
            return f"{one.client}\n{told}" if index.column() == _CLIENT and one.client else told
        if role == Qt.ItemDataRole.AccessibleTextRole and index.column() == 0:
            return f"{one.key}: {posting_words(one)}"
        return None

    def setData(self, index: AnyIndex, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != Qt.ItemDataRole.CheckStateRole or index.column() != 0:
            return False
        self.toggle(index.row())
        return True


class _Table(Table):
    """Space ticks and unticks the current row, wherever in it the cursor stands."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        model = self.model()
        if event.key() == Qt.Key.Key_Space and isinstance(model, PreviewModel):
            model.toggle(self.currentIndex().row())
            return
        super().keyPressEvent(event)


class PreviewDialog(QDialog):
    """Shows what would be posted and asks for a yes. Opens at once, with what is to be shown following."""

    def __init__(self, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setWindowTitle("iConnect - " + tr("Approve postings"))
        open_at(self, 1200, 500)
        self._approve: Callable[[tuple[str, ...]], None] | None = None
        self._model: PreviewModel | None = None
        self.explanation = Muted(
            tr("This is how each posting will stand in the firm's books. Untick what should wait (space bar).")
        )
        self.all_box = QCheckBox(tr("All postings"))
        self.all_box.setTristate(True)
        self.all_box.setToolTip(tr("Ticks all postings, or unticks all"))
        # Not `toggled`: a person's press never means «some of them», which is what the box shows between all and none.
        self.all_box.clicked.connect(self._tick_all)
        self.all_box.hide()
        self.table = _Table(tr("Postings to approve"), _LOOKS)
        self.waiting = EmptyState(framed=True)
        self.waiting.say(tr("One moment…"), tr("iConnect is working out how they will be posted."))
        self.stack = QStackedWidget()
        self.stack.addWidget(self.waiting)
        self.stack.addWidget(self.table)
        self.reason = Muted()
        self.sums = Text()
        self.buttons = QDialogButtonBox()
        self.approve_button = self.buttons.addButton(tr("Approve"), QDialogButtonBox.ButtonRole.AcceptRole)
        self.not_now = self.buttons.addButton(tr("Not now"), QDialogButtonBox.ButtonRole.RejectRole)
        self.approve_button.setEnabled(False)
        self.approve_button.setAutoDefault(False)
        self.not_now.setAutoDefault(False)
        self.buttons.accepted.connect(self._accepted)
        self.buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.MARGIN, theme.MARGIN, theme.MARGIN, theme.MARGIN)
        column.setSpacing(10)
        column.addWidget(self.explanation)
        column.addWidget(self.all_box)
        column.addWidget(self.stack, 1)
        column.addWidget(self.reason)
        column.addWidget(self.sums)
        column.addWidget(self.buttons)

    def ask(self, approve: Callable[[tuple[str, ...]], None]) -> None:
        """`approve` gets the keys that the person said yes to; it is not called on Not now."""
        self._approve = approve
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.open()

    def show_previews(self, previews: Sequence[Preview]) -> None:
        if not previews:
            self.waiting.say(tr("Nothing waits for approval"), tr("Somebody was quicker, or a later message changed it."))
            return
        self._model = PreviewModel(previews, self)
        self._model.dataChanged.connect(lambda *_: self._count())
        self.table.setModel(self._model)
        self.table.selectionModel().currentRowChanged.connect(lambda now, _: self._explain(now.row()))
        self.table.size_columns()
        self.stack.setCurrentWidget(self.table)
        self.all_box.setVisible(len(previews) > 1)
        self.table.selectRow(0)
        self.table.setFocus()
        self._count()

    def refuse(self, problem: str) -> None:
        self.waiting.say(tr("That can't be shown now"), problem)

    def _tick_all(self) -> None:
        if self._model is not None:
            self._model.tick_all(len(self._model.chosen()) < len(self._model.previews))

    def _explain(self, row: int) -> None:
        model = self._model
        if model is not None and 0 <= row < len(model.previews):
            one = model.previews[row]
            self.reason.setText(" ".join(part for part in (f"{one.key}: {one.rule}.", one.reason) if part))

    def _count(self) -> None:
        assert self._model is not None
        chosen = self._model.chosen()
        net = sum((one.net for one in chosen if one.net is not None), Decimal(0))
        gst = sum((one.gst for one in chosen if one.gst is not None), Decimal(0))
        self.sums.setText(tr("{sum} to be posted", sum=words.sum_words(net, gst)))
        many, of = len(chosen), len(self._model.previews)
        some = Qt.CheckState.PartiallyChecked if many else Qt.CheckState.Unchecked
        self.all_box.setCheckState(Qt.CheckState.Checked if many == of else some)
        self.all_box.setText(tr("All postings ({ticked:,} of {count:,} ticked)", ticked=many, count=of))
        self.approve_button.setText(tr("Approve 1 posting") if many == 1 else tr("Approve {count} postings", count=many))
        self.approve_button.setEnabled(bool(chosen))

    def _accepted(self) -> None:
        keys = tuple(one.key for one in self._model.chosen()) if self._model is not None else ()
        self.accept()
        if keys and self._approve is not None:
            self._approve(keys)


_STANDS = (DeliveryState.CONFIRMED, DeliveryState.ACCEPTED)
_MAY_STAND = (DeliveryState.SENDING, DeliveryState.UNKNOWN)


@dataclass(frozen=True, slots=True)
class MoveWords:
    """What moving an order does: `posts` at the new matter; `undo` is to be removed by hand at the old one; `doubtful` may
    stand there without having been seen."""

    posts: tuple[str, ...]
    undo: tuple[str, ...]
    doubtful: tuple[str, ...]


def move_words(order: OrderView) -> MoveWords:
    here = [one for one in order.deliveries if one.state is not DeliveryState.CANCELLED]
    posts: list[str] = []
    for part in dict.fromkeys(one.part for one in here if one.kind is DeliveryKind.COST):
        lines = [one for one in here if one.part == part and one.amount is not None]
        net = sum((one.amount for one in lines if one.amount is not None), Decimal(0))
        gst = sum((one.gst for one in lines if one.gst is not None), Decimal(0))
        name = {"R": tr("Retailer fee"), "S": tr("Supplier fee")}.get(part, tr("Cost"))
        posts.append(f"{name} {words.with_gst(net, gst)}")
    documents = [one for one in here if one.kind is DeliveryKind.DOCUMENT]
    posts += [tr("Document {name}", name=one.description or one.key) for one in documents[-1:]]
    return MoveWords(
        tuple(posts),
        tuple(_line(one) for one in here if one.state in _STANDS),
        tuple(_line(one) for one in here if one.state in _MAY_STAND),
    )


def _line(one: Delivery) -> str:
    what = words.kind_word(one.kind)
    amount = f" {words.with_gst(one.amount, one.gst)}" if one.amount is not None else ""
    return f"{what}{amount}, {one.key}"


class MovePreview(QDialog):
    """The last question before an order is moved: what will be posted where, and what must be undone by hand.

    `open_old` shows the matter that the order is at now in the practice system; None where its address isn't known."""

    def __init__(
        self, parent: QWidget | None, order: OrderView, matter: Matter, open_old: Callable[[], None] | None = None
    ) -> None:
        super().__init__(parent)
        self._order = order
        self._open_old = open_old
        self.open_button: QPushButton | None = None
        self.copy_button: QPushButton | None = None
        self.setWindowTitle("iConnect - " + tr("Move order {order_id}", order_id=order.order_id))
        self.setMinimumWidth(520)
        self._move: Callable[[], None] | None = None
        told = move_words(order)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.MARGIN, theme.MARGIN, theme.MARGIN, theme.MARGIN)
        column.setSpacing(12)
        column.addWidget(Heading(tr("Move order {order_id} to {number}?", order_id=order.order_id, number=matter.number)))
        column.addWidget(Muted(words.matter_line("", matter.name, matter.client)))
        page = QWidget()
        body = QVBoxLayout(page)
        body.setContentsMargins(0, 0, 0, 0)
        body.setSpacing(12)
        # On a small screen its lines scroll, and the buttons stay in sight.
        scroll = UprightScroll(page)
        if matter.is_open is False:
            bar = MessageBar(page)
            state = matter.state or tr("closed")
            bar.say(tr("{number} is {state}: it may refuse costs.", number=matter.number, state=state), Tone.WARN, keep=True)
            body.addWidget(bar)
        self._group(
            body, tr("iConnect posts to {number}", number=matter.number), told.posts or (tr("Nothing yet: no result has come."),)
        )
        by_hand: list[str] = []
        if told.undo:
            system = words.system_title(order.system)
            title = tr("Remove by hand at {number} in {system}", number=order.matter_number, system=system)
            self._group(body, title, told.undo)
            by_hand += [title, *told.undo]
        if told.doubtful:
            title = tr("May already be posted at {number}: look there, and remove it if so", number=order.matter_number)
            self._group(body, title, told.doubtful)
            by_hand += [title, *told.doubtful]
        if by_hand:
            body.addLayout(self._helps("\n".join(by_hand)))
        if not told.undo and not told.doubtful and order.matter_number:
            nothing = tr("Nothing of it was posted to {number}, so nothing is to be undone.", number=order.matter_number)
            body.addWidget(Muted(nothing))
        buttons = QDialogButtonBox()
        self.move_button = buttons.addButton(tr("Move to {number}", number=matter.number), QDialogButtonBox.ButtonRole.AcceptRole)
        self.keep_button = buttons.addButton(tr("Keep it where it is"), QDialogButtonBox.ButtonRole.RejectRole)
        buttons.accepted.connect(self._accepted)
        buttons.rejected.connect(self.reject)
        body.addStretch(1)
        column.addWidget(scroll, 1)
        column.addWidget(buttons)
        self.move_button.setFocus()
        width = max(self.minimumWidth(), page.sizeHint().width() + 2 * theme.MARGIN)
        around = column.totalHeightForWidth(width) - scroll.sizeHint().height()
        open_at(self, width, around + body.totalHeightForWidth(width - 2 * theme.MARGIN))

    def ask(self, move: Callable[[], None]) -> None:
        """`move` is called when the person agrees."""
        self._move = move
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.open()

    def _accepted(self) -> None:
        self.accept()
        if self._move is not None:
            self._move()

    def _helps(self, to_remove: str) -> FlowLayout:
        """What makes the work by hand shorter: the way to the old matter, and what to remove there, for the clipboard."""
        row = FlowLayout()
        if self._open_old is not None:
            number, system = self._order.matter_number, words.system_short(self._order.system)
            self.open_button = plain_button(tr("Open {number} in {system}", number=number, system=system), self._open_old)
            row.addWidget(self.open_button)
        self.copy_button = plain_button(tr("Copy what to remove"), lambda: QGuiApplication.clipboard().setText(to_remove))
        row.addWidget(self.copy_button)
        return row

    @staticmethod
    def _group(column: QVBoxLayout, title: str, lines: Sequence[str]) -> None:
        card = Card()
        card.body.addWidget(Heading(title, level=2))
        for line in lines:
            card.body.addWidget(Text(line))
        column.addWidget(card)
