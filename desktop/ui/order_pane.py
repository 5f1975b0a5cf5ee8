"""One order's whole path: what it is, each posting with its state and buttons, and every step with time and reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QPushButton, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from desktop.services.books import Preview
from desktop.services.ledger.model import Delivery, DeliveryKind, DeliveryState, OrderView, Origin, Step
from desktop.ui import theme, words
from desktop.ui.answers import Verdict
from desktop.ui.flow import FlowLayout
from desktop.ui.language import tr
from desktop.ui.order_steps import PathStrip, path_text
from desktop.ui.preview import posting_words
from desktop.ui.unmatched import SuggestionCard
from desktop.ui.widgets import Card, EmptyState, Heading, MessageBar, Muted, Pill, Text
from desktop.ui.window import Clock
from desktop.ui.words import Tone

NOT_CHOSEN = tr("No order chosen")


@dataclass(frozen=True, slots=True)
class Choices:
    """Which buttons a delivery offers."""

    retry: bool
    approve: bool
    cancel: bool


def choices(delivery: Delivery) -> Choices:
    """Only what can help.

    Approve: a cost that waits, with a matter and an amount; a document never waits for approval. Retry: where something was
    tried and failed, or a person cancelled and thinks again; without a matter, choosing one is what helps. Cancel: as long as
    it may still be kept from being posted; what is on its way too, honestly (words.cancel_warning)."""
    state = delivery.state
    stuck = delivery.waiting_for_person
    held = state is DeliveryState.HELD and bool(delivery.matter_number)
    approve = held and delivery.kind is DeliveryKind.COST and delivery.amount is not None
    return Choices(
        retry=state is DeliveryState.REJECTED
        or (held and not (approve and delivery.attempts == 0))
        or (state in (DeliveryState.UNKNOWN, DeliveryState.ACCEPTED, DeliveryState.CONFIRMED) and stuck)
        or (state is DeliveryState.CANCELLED and bool(delivery.matter_number) and words.cancelled_by_hand(delivery)),
        approve=approve,
        cancel=state
        in (DeliveryState.HELD, DeliveryState.QUEUED, DeliveryState.REJECTED, DeliveryState.SENDING, DeliveryState.UNKNOWN),
    )


def may_take_over(order: OrderView) -> bool:
    """Another's order that waits for its take-over time can be taken at once. Without a matter, choosing one takes it too."""
    return order.take_over_at is not None and bool(order.matter_number)


def may_open(delivery: Delivery) -> bool:
    """Whether a document's file can be asked for."""
    return delivery.kind is DeliveryKind.DOCUMENT and delivery.state is not DeliveryState.CANCELLED


def order_story(order: OrderView, now: datetime) -> str:
    """An order with its postings and every step, as text for a mail or a note."""
    lines = [tr("Order {order_id}: {order_word}", order_id=order.order_id, order_word=words.order_word(order))]
    told = (
        (tr("Service"), order.service),
        (tr("Reference"), order.reference),
        (tr("Matter"), order.matter_number or tr("none")),
        (tr("Practice system"), words.system_title(order.system) if order.system else ""),
        (tr("Total with GST"), words.money(order.total)),
        (tr("GST"), words.money(order.gst)),
        (tr("Ordered by"), order.ordered_by),
        (tr("Path"), path_text(order, now)),
        (tr("Note"), order.reason),
    )
    lines += [f"{name}: {value}" for name, value in told if value]
    for delivery in order.deliveries:
        facts = [words.state_word(delivery.state)]
        if delivery.amount is not None:
            facts.append(tr("{amount} and GST {gst}", amount=words.money(delivery.amount), gst=words.money(delivery.gst)))
        facts.append(tr("{count} attempts", count=delivery.attempts))
        lines.append("")
        lines.append(f"{words.kind_word(delivery.kind)} {delivery.key}: {', '.join(facts)}")
        told_of = (delivery.description, _code(delivery), delivery.reason, delivery.undo)
        lines += [f"  {text}" for text in told_of if text]
    if order.steps:
        lines += ["", tr("What happened")]
        for step in order.steps:
            what, more = words.step_words(step)
            lines.append(f"{words.local(step.at, now):%Y-%m-%d %H:%M:%S %z}  {what}{f' ({more})' if more else ''}")
    return "\n".join(lines)


def _code(delivery: Delivery) -> str:
    return tr("code {code}", code=delivery.code) if delivery.code else ""


def origin_words(order: OrderView, now_words: Callable[[OrderView], str]) -> str:
    match order.origin:
        case Origin.OURS:
            return tr("Ordered on this PC")
        case Origin.ANOTHER_PC:
            return tr("Ordered on another PC") + now_words(order)
        case Origin.ELSEWHERE:
            return tr("Started outside iConnect") + now_words(order)
        case Origin.TYPED:
            return tr("Typed in by hand")


class OrderPane(QWidget):
    """Shows an OrderView. Rebuilt only when the snapshot differs or the minute did, because ages are told; the focus and
    the scroll position stay.

    `tab_after` is the widget from which Tab leads to the pane's buttons. Signals carry what a button asks for; the window
    does it:
        retry(str), approve(str): a delivery key.  cancel(Delivery).
        move_order(OrderView): choose another matter.  move_to(OrderView, Suggestion): to the suggested one at once.
        take_over(str): an order id.  open_matter(OrderView).  open_document(str): a delivery key.
        open_job(str): a web address.  copied(): the order's whole path is in the clipboard, as text.
    """

    retry = Signal(str)
    approve = Signal(str)
    cancel = Signal(object)
    move_order = Signal(object)
    move_to = Signal(object, object)
    take_over = Signal(str)
    open_matter = Signal(object)
    open_document = Signal(str)
    open_job = Signal(str)
    copied = Signal()

    def __init__(self, clock: Clock, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._clock = clock
        self._order: OrderView | None = None
        self._previews: dict[str, Preview] = {}
        self._address = ""
        self._busy = False
        self._answer: Verdict | None = None
        self._drawn: tuple[object, ...] = ()
        self._coming: tuple[OrderView, tuple[object, ...]] | None = None
        self.tab_after: QWidget | None = None
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        # A stop of its own, after the buttons: without one, what happened could be read with a mouse only.
        self._scroll.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._scroll.setAccessibleName(tr("The order's path"))
        # Its frame is painted by the pane: a style sheet for it would slow down every widget of the page.
        self._scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        self._scroll.installEventFilter(self)
        self.nothing = EmptyState()
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 1)
        column.addWidget(self.nothing)
        column.addWidget(self._scroll)
        self.show_order(None)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):
            self.update()
        return super().eventFilter(watched, event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """A frame that says where the keyboard is."""
        if self._scroll.hasFocus():
            painter = QPainter(self)
            painter.setPen(self.palette().color(QPalette.ColorRole.Highlight))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def order(self) -> OrderView | None:
        return self._order

    def address_of(self, order: OrderView) -> str:
        """Where the practice system shows the order's matter, if the pane shows that order; empty where none is known."""
        shown = self._order
        same = shown is not None and (shown.order_id, shown.matter_id) == (order.order_id, order.matter_id)
        return str(self._drawn[2]) if same and self._drawn else ""

    def show_order(
        self,
        order: OrderView | None,
        *,
        title: str = NOT_CHOSEN,
        text: str = "",
        previews: Sequence[Preview] = (),
        address: str = "",
        answer: Verdict | None = None,
        soon: bool = False,
    ) -> None:
        """`answer` says whether it was billed, once, when and by whom, and stands first. `previews` tell of what waits for
        approval how it will be posted; `address` is where the practice system shows the matter in the browser, empty where none
        is known. Without an order: why there is none. `soon`: in the event loop's next turn, so that what else has changed in
        the window is painted first; until then `order()` gives what is still shown."""
        self._coming = None
        if order is None:
            self._order = None
            self._scroll.hide()
            self.nothing.say(title, text)
            self.nothing.show()
            return
        self.nothing.hide()
        self._scroll.show()
        minute = self._clock().replace(second=0, microsecond=0)
        told = {one.key: one for one in previews}
        drawn = (minute, told, address, answer)
        if order == self._order and drawn == self._drawn:
            return
        self._coming = (order, drawn)
        if not soon:
            self._put(self._made(order, told, address, answer), order, drawn)
            return

        def make() -> None:
            if self._coming == (order, drawn):
                page = self._made(order, told, address, answer)
                # To build the page and to lay it out and paint it are two frames.
                QTimer.singleShot(0, self, lambda: self._put(page, order, drawn))

        QTimer.singleShot(0, self, make)

    def _made(self, order: OrderView, previews: dict[str, Preview], address: str, answer: Verdict | None) -> QWidget:
        self._previews, self._address, self._answer = previews, address, answer
        return self._page(order)

    def _put(self, page: QWidget, order: OrderView, drawn: tuple[object, ...]) -> None:
        if self._coming != (order, drawn):
            page.deleteLater()
            return
        self._coming = None
        self._drawn = drawn
        same = self._order is not None and self._order.order_id == order.order_id
        focus = self.focusWidget()
        focused = focus.objectName() if same and focus is not None and self.isAncestorOf(focus) else ""
        position = self._scroll.verticalScrollBar().value() if same else 0
        self._order = order
        self._scroll.setWidget(page)
        self._set_tab_order(page)
        self._set_busy()
        if focused:
            again = page.findChild(QPushButton, focused)
            if again is not None:
                again.setFocus()
        # Last, because a button that gets the focus scrolls itself into sight of a page that is not laid out yet.
        self._scroll.verticalScrollBar().setValue(position)

    def set_busy(self, busy: bool) -> None:
        """While an action runs, no button can be pressed a second time."""
        self._busy = busy
        self._set_busy()

    def _set_busy(self) -> None:
        page = self._scroll.widget()
        if page is not None:
            for button in page.findChildren(QPushButton):
                button.setEnabled(not self._busy)

    def _set_tab_order(self, page: QWidget) -> None:
        """The new page's buttons follow what stands before the pane; by themselves they would come last in the window."""
        before = self.tab_after
        if before is None:
            return
        for button in page.findChildren(QPushButton):
            QWidget.setTabOrder(before, button)
            before = button
        QWidget.setTabOrder(before, self._scroll)

    # building

    def _page(self, order: OrderView) -> QWidget:
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(theme.MARGIN, 0, 4, 4)
        column.setSpacing(10)
        self._head(column, order)
        if order.suggestions:
            card = SuggestionCard(order)
            card.move_to.connect(self.move_to)
            column.addWidget(card)
        # What was cancelled is history: it stands after what counts.
        for delivery in sorted(order.deliveries, key=lambda one: one.state is DeliveryState.CANCELLED):
            column.addWidget(self._delivery(order, delivery))
        if not order.deliveries:
            column.addWidget(Muted(tr("No cost and no document yet: they follow when InfoTrack reports the result.")))
        if order.steps:
            column.addSpacing(4)
            column.addWidget(Heading(tr("What happened"), level=2))
            column.addWidget(self._steps(order.steps))
        column.addStretch(1)
        return page

    def _head(self, column: QVBoxLayout, order: OrderView) -> None:
        row = QHBoxLayout()
        row.addWidget(Heading(order.service or tr("Order {order_id}", order_id=order.order_id)), 1)
        row.addWidget(self._pill(words.order_word(order), words.order_state(order)), 0, Qt.AlignmentFlag.AlignTop)
        column.addLayout(row)
        now = self._clock()
        if self._answer is not None:
            column.addWidget(Text(f"{self._answer.title}. {self._answer.text}"))
        column.addWidget(PathStrip(order, now))
        facts = QGridLayout()
        facts.setHorizontalSpacing(16)
        facts.setVerticalSpacing(4)
        facts.setColumnStretch(1, 1)
        total = words.money(order.total)
        if total and order.gst is not None:
            total = tr("{total}, of which GST {gst}", total=total, gst=words.money(order.gst))
        matter = (
            order.matter_number or tr("none (InfoTrack says “{reference}”)", reference=order.client_reference)
            if order.client_reference
            else order.matter_number
        )
        ordered = words.when(order.ordered_at or order.first_seen_at, now)
        if order.ordered_by:
            ordered = tr("{when} by {who}", when=ordered, who=order.ordered_by)
        lines = (
            (tr("Order"), order.order_id),
            (tr("Reference"), order.reference),
            (
                tr("Matter"),
                ", ".join(p for p in (matter or tr("none"), words.system_title(order.system) if order.system else "") if p),
            ),
            (tr("Total"), total),
            (tr("Ordered"), ordered),
            (tr("Origin"), origin_words(order, self._take_over_words)),
            ("InfoTrack", order.status),
        )
        number = 0
        for name, value in lines:
            if value:
                facts.addWidget(Muted(name, wrap=False), number, 0, Qt.AlignmentFlag.AlignTop)
                facts.addWidget(Text(value), number, 1)
                number += 1
        column.addLayout(facts)
        if order.reason:
            self._bar(column, order.reason)
        # What a person must do elsewhere stands above the postings: below the fold nobody would do it.
        for sentence in dict.fromkeys(words.undo_sentence(delivery) for delivery in order.deliveries if delivery.undo):
            self._bar(column, sentence)
        buttons = FlowLayout()
        if order.matter_number:
            buttons.addWidget(self._button(tr("Open matter"), "open", lambda: self.open_matter.emit(order)))
            buttons.addWidget(self._button(tr("Move to another matter…"), "move", lambda: self.move_order.emit(order)))
            if self._address:
                address, where = self._address, words.system_short(order.system)
                buttons.addWidget(
                    self._button(tr("Open in {system}", system=where), "open job", lambda: self.open_job.emit(address))
                )
        else:
            buttons.addWidget(self._button(tr("Choose a matter…"), "move", lambda: self.move_order.emit(order)))
        if may_take_over(order):
            buttons.addWidget(self._button(tr("Take over now"), "take over", lambda: self.take_over.emit(order.order_id)))
        buttons.addWidget(self._button(tr("Copy details"), "copy", self.copy))
        column.addLayout(buttons)

    @staticmethod
    def _bar(column: QVBoxLayout, sentence: str) -> None:
        # Into the page first: a bar that speaks before it belongs to anything is a window of its own, and takes the keyboard.
        bar = MessageBar(column.parentWidget())
        column.addWidget(bar)
        bar.say(sentence, Tone.WARN, keep=True)

    @staticmethod
    def _pill(word: str, state: DeliveryState | None) -> Pill:
        pill = Pill(word, words.tone_of(state))
        pill.setToolTip(words.explained(word, state))
        pill.setAccessibleDescription(words.state_meaning(state))
        return pill

    def _take_over_words(self, order: OrderView) -> str:
        if order.take_over_at is None or not order.matter_number:
            return ""
        until = words.when(order.take_over_at, self._clock())
        if order.origin is Origin.ELSEWHERE:
            return tr("; waits until {until} in case another PC delivers it", until=until)
        return tr("; left to that PC until {until}", until=until)

    def _delivery(self, order: OrderView, delivery: Delivery) -> QWidget:
        now = self._clock()
        card = Card()
        card.setAccessibleName(f"{words.kind_word(delivery.kind)} {delivery.key}: {words.state_word(delivery.state)}")
        head = QHBoxLayout()
        title = words.kind_word(delivery.kind)
        if delivery.kind is DeliveryKind.COST:
            title = tr("Credit") if delivery.amount is not None and delivery.amount < 0 else title
            title = f"{title} {words.money(delivery.amount)}"
            if delivery.gst is not None:
                title += tr(", GST {gst}", gst=words.money(delivery.gst)) if delivery.gst else tr(", no GST")
        head.addWidget(Heading(title, level=2, wrap=False))
        head.addStretch(1)
        head.addWidget(self._pill(words.state_word(delivery.state), delivery.state))
        card.body.addLayout(head)
        if delivery.description:
            card.body.addWidget(Text(delivery.description))
        small = [delivery.key]
        if delivery.code:
            small.append(_code(delivery))
        if delivery.matter_number and delivery.matter_number != order.matter_number:
            small.append(tr("matter {matter_number}", matter_number=delivery.matter_number))
        if delivery.attempts > 1:
            small.append(tr("{count} attempts", count=delivery.attempts))
        card.body.addWidget(Muted(" · ".join(small)))
        card.body.addWidget(Text(words.plain_state(delivery, now)))
        waiting = self._previews.get(delivery.key)
        if waiting is not None and waiting.kind is DeliveryKind.COST:
            card.body.addWidget(Text(tr("When approved: {words}", words=posting_words(waiting))))
        if delivery.reason and delivery.reason != order.reason:
            card.body.addWidget(Text(tr("Reason: {reason}", reason=delivery.reason)))
        self._delivery_buttons(card, delivery)
        return card

    def _delivery_buttons(self, card: Card, delivery: Delivery) -> None:
        offered = choices(delivery)
        key, send_now = delivery.key, tr("It is posted as it is shown here.")
        give_up, then = words.cancel_button(delivery), words.cancel_tip(delivery)
        wanted: list[tuple[bool, str, str, str, Callable[[], None]]] = [
            (may_open(delivery), "Open document", tr("Open document"), "", lambda: self.open_document.emit(key)),
            (offered.approve, "Approve", tr("Approve"), send_now, lambda: self.approve.emit(key)),
            (offered.retry, "Retry", tr("Retry"), words.retry_tip(delivery), lambda: self.retry.emit(key)),
            (offered.cancel, "Cancel", give_up, then, lambda: self.cancel.emit(delivery)),
        ]
        row = FlowLayout()
        for offer, name, text, tip, act in wanted:
            if offer:
                button = self._button(text, f"{name} {key}", act)
                button.setToolTip(tip)
                told = (f"{text.rstrip('…')} {words.delivery_name(delivery)}", tip)
                button.setAccessibleDescription(". ".join(part for part in told if part))
                row.addWidget(button)
        if row.count():
            card.body.addLayout(row)

    def _steps(self, steps: tuple[Step, ...]) -> QWidget:
        now = self._clock()
        box = QWidget()
        grid = QGridLayout(box)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(1, 1)
        for row, step in enumerate(steps):
            grid.addWidget(Muted(words.when(step.at, now), wrap=False), row, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(self._step(step), row, 1)
        return box

    @staticmethod
    def _step(step: Step) -> QWidget:
        box = QWidget()
        column = QVBoxLayout(box)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(1)
        what, more = words.step_words(step)
        column.addWidget(Text(what))
        if more:
            column.addWidget(Muted(more))
        return box

    def copy(self) -> None:
        """Puts the order's whole path into the clipboard: every attempt, with the vendor's own words."""
        if self._order is not None:
            QGuiApplication.clipboard().setText(order_story(self._order, self._clock()))
            self.copied.emit()

    @staticmethod
    def _button(text: str, name: str, act: Callable[[], None]) -> QPushButton:
        button = QPushButton(text)
        button.setObjectName(name)
        button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        button.clicked.connect(lambda: act())
        return button
