"""Orders and postings: where everything is and why, with the buttons that move it on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QMessageBox,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
)

from desktop.services.desk import ActionFailed, Desk, OrderFilter, Status, TypedResult
from desktop.services.ledger.model import Delivery, DeliveryState, OrderView, Suggestion
from desktop.services.practice.model import Matter
from desktop.ui import theme, words
from desktop.ui.bridge import Bridge
from desktop.ui.matter_picker import MatterChooser
from desktop.ui.order_pane import OrderPane, choices
from desktop.ui.order_row import order_row
from desktop.ui.result_form import ResultForm
from desktop.ui.rows import RowList, RowModel
from desktop.ui.widgets import Busy, EmptyState, Field, MessageBar, Muted, open_at
from desktop.ui.window import Clock, Window, local_now
from desktop.ui.words import Tone

LIMIT = 500

ALL = "All"
WAITING = "Waiting for me"


def fits(order: OrderView, text: str) -> bool:
    """Whether an order fits what was typed: its id, matter, reference, service or a delivery key."""
    wanted = text.casefold()
    places = [order.order_id, order.matter_number, order.client_reference, order.reference, order.service]
    places += [delivery.key for delivery in order.deliveries]
    return any(wanted in place.casefold() for place in places)


def _approve_each(desk: Desk, keys: Sequence[str]) -> None:
    """Raises ActionFailed naming those that could not be approved; the others are."""
    problems: list[str] = []
    for key in keys:
        try:
            desk.approve(key)
        except ActionFailed as problem:
            problems.append(f"{key}: {problem}")
    if problems:
        raise ActionFailed(" ".join(problems))


def _suggested_matter(desk: Desk, suggestion: Suggestion) -> Matter:
    """The suggested matter as the local copy has it: a suggestion does not say which organisation keeps the matter, and what
    goes to no organisation would wait for ever. Raises ActionFailed."""
    for hit in desk.find_matters(suggestion.matter_number):
        if (hit.matter.system, hit.matter.id) == (suggestion.system, suggestion.matter_id):
            return hit.matter
    raise ActionFailed(f"{suggestion.matter_number} is not in the local copy any more. Choose a matter from the list.")


def undo_words(order: OrderView, number: str) -> str:
    """What moving an order will do, and what a person must undo by hand afterwards."""
    standing = [d for d in order.deliveries if d.state in (DeliveryState.CONFIRMED, DeliveryState.ACCEPTED)]
    doubtful = [d for d in order.deliveries if d.state in (DeliveryState.SENDING, DeliveryState.UNKNOWN)]
    target = f"matter {number}" if number else "the matter that you choose"
    text = f"iConnect posts the costs and documents of order {order.order_id} to {target}."
    if standing or doubtful:
        keys = ", ".join(d.key for d in (*standing, *doubtful))
        system = words.system_title(order.system)
        text += f" What stands at matter {order.matter_number} in {system} must be removed there by hand: {keys}."
    if doubtful:
        text += " Some of it was sent without an answer and may already be posted there."
    return text


class DeliveriesWindow(Window):
    """The list of orders on the left, one order's whole path on the right. Files dropped on it are imported.

    Signals:
        open_matter(str): a matter's number, to be shown in the picker.
    """

    open_matter = Signal(str)

    def __init__(self, bridge: Bridge, *, clock: Clock = local_now) -> None:
        super().__init__(bridge, "Orders and postings", clock=clock)
        open_at(self, 1080, 680)
        self.setAcceptDrops(True)
        self._orders: tuple[OrderView, ...] = ()
        self._asked_for = ""
        self._absent = ""
        self._placing = False
        self._to_list = False
        self._wanted_order = ""

        self.message = MessageBar()
        self.field = Field()
        self.field.setAccessibleName("Find an order")
        self.field.setPlaceholderText("Matter, order or service")
        self.field.setClearButtonEnabled(True)
        self.field.textChanged.connect(self._typed)
        self.filter = QComboBox()
        self.filter.setAccessibleName("Show")
        for title, wanted in self._filters():
            self.filter.addItem(title, wanted)
        self.filter.currentIndexChanged.connect(self._refetch)
        self.add_button = self._button("Add a result…", self.add_result)
        self.import_button = self._button("Import…", self.choose_import)
        self.deliver_button = self._button("Deliver now", self.deliver_now)
        self.approve_button = self._button("Approve all", self.approve_all)
        self.approve_button.hide()

        self.model: RowModel[OrderView] = RowModel(lambda order: order_row(order, self.clock), lambda order: order.order_id, self)
        self.list = RowList("Orders")
        self.list.setModel(self.model)
        self.list.selectionModel().currentChanged.connect(lambda *_: self._current_changed())
        self.empty = EmptyState(framed=True)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.list)
        self._stack.addWidget(self.empty)
        self.count = Muted(wrap=False)
        self.busy = Busy()
        self.pane = OrderPane(clock)
        self.pane.tab_after = self.list
        self._connect_pane()
        self._lay_out()
        self._explain(fetched=False)

    # what others ask

    def open_with(self, order_id: str = "", *, waiting: bool = False) -> None:
        """Brings the window forward; with an order, or with what waits for the person."""
        self.message.clear()
        if order_id or waiting:
            self.field.clear()
            self.filter.setCurrentIndex(1 if waiting and not order_id else 0)
        self._to_list = True
        if order_id:
            self._wanted_order, self._absent = order_id, ""
            self._show(self._orders)
        self.bring_forward()
        self._focus_list()

    def look(self) -> None:
        wanted = self._order_filter()
        self.bridge.run(self, lambda desk: desk.orders(wanted), lambda got: self._took(wanted, got), self._failed, lane="orders")
        self._look_at_current()

    def show_status(self, status: Status | None) -> None:
        if status is not None:
            number = status.waiting_for_person
            self.filter.setItemText(1, f"{WAITING} ({number})" if number else WAITING)

    # the list

    @staticmethod
    def _filters() -> list[tuple[str, OrderFilter]]:
        plain = [(ALL, OrderFilter(limit=LIMIT)), (WAITING, OrderFilter(waiting_for_person=True, limit=LIMIT))]
        return plain + [(str(state).capitalize(), OrderFilter(state=state, limit=LIMIT)) for state in DeliveryState]

    def _order_filter(self) -> OrderFilter:
        wanted = self.filter.currentData()
        assert isinstance(wanted, OrderFilter)
        return wanted

    def _refetch(self) -> None:
        self._orders = ()
        if self.isVisible():
            self.look()

    def _took(self, wanted: OrderFilter, orders: Sequence[OrderView]) -> None:
        if wanted != self._order_filter():
            return
        self._orders = tuple(orders)
        self._filter()
        missing = self._wanted_order
        if missing:
            # Older than the list goes back, or not reported yet: it is asked for alone.
            alone = OrderFilter(order_id=missing)
            self.bridge.run(
                self, lambda desk: desk.orders(alone), lambda found: self._found_wanted(missing, found), self._failed, lane="wanted"
            )

    def _found_wanted(self, order_id: str, found: Sequence[OrderView]) -> None:
        if order_id != self._wanted_order:
            return
        if found:
            self._orders = (*self._orders, *found)
            self._filter()
        else:
            self._absent = order_id
            self._show_current()

    def _typed(self) -> None:
        self._wanted_order, self._to_list = "", False
        self._filter()

    def _filter(self) -> None:
        """What was fetched, narrowed to what was typed; an older order is asked for by its id or its matter's number."""
        text = self.field.text().strip()
        shown = tuple(order for order in self._orders if fits(order, text)) if text else self._orders
        if text and not shown and self._asked_for != text and self.bridge.is_open:
            self._asked_for = text
            by_id, by_matter = OrderFilter(order_id=text, limit=LIMIT), OrderFilter(matter=text, limit=LIMIT)
            self.bridge.run(
                self,
                lambda desk: (*desk.orders(by_id), *desk.orders(by_matter)),
                lambda found: self._found_older(text, found),
                self._failed,
                lane="older",
            )
        self._show(shown)

    def _found_older(self, text: str, found: Sequence[OrderView]) -> None:
        if text == self.field.text().strip() and found:
            self._show(tuple({order.order_id: order for order in found}.values()))

    def _show(self, orders: tuple[OrderView, ...]) -> None:
        before = self.model.value(self.list.current_row())
        keep = self._wanted_order or (before.order_id if before is not None else "")
        scroll = self.list.verticalScrollBar().value()
        self._placing = True
        moved = self.model.show_values(orders)
        self.model.reword()
        if moved or self._wanted_order or self.list.current_row() < 0:
            row = self.model.row_with_key(keep) if keep else -1
            if row >= 0 and keep == self._wanted_order:
                self._wanted_order = ""
            self.list.verticalScrollBar().setValue(scroll)
            # Nothing is chosen in place of an order that somebody asked for.
            self.list.go_to(row if row >= 0 else (0 if orders and not self._wanted_order else -1))
        self._placing = False
        self._explain()
        self._show_current()
        self._focus_list()

    def _focus_list(self) -> None:
        """Once, when there are rows: a list without a current row would choose its first when it gets the keyboard."""
        if self._to_list and self.isVisible() and self.list.current_row() >= 0:
            self._to_list = False
            self.list.setFocus()

    def _current_changed(self) -> None:
        if not self._placing:
            self._wanted_order = ""
            self._show_current()

    def _explain(self, *, fetched: bool = True) -> None:
        approvable = len(self._approvable())
        self.approve_button.setVisible(approvable > 1)
        self.approve_button.setText(f"Approve all {approvable}…")
        number = self.model.rowCount()
        more = f"the newest {LIMIT}" if len(self._orders) >= LIMIT else ""
        self.count.setText(" · ".join(part for part in (f"{number:,} order{'' if number == 1 else 's'}", more) if part))
        self.count.setVisible(number > 0)
        if number:
            self._stack.setCurrentWidget(self.list)
            return
        if not fetched:
            self.empty.say("One moment…", "iConnect is opening your orders.")
        elif self.field.text().strip():
            self.empty.say("Nothing found", "No order fits what you typed.", button="Show all", act=self._show_all)
        elif self.filter.currentIndex() == 1:
            self.empty.say("Nothing waits for you", "Everything else moves on by itself.", button="Show all", act=self._show_all)
        elif self.filter.currentIndex() > 1:
            self.empty.say(
                "None", f"No posting is {self._order_filter().state} at the moment.", button="Show all", act=self._show_all
            )
        else:
            self.empty.say("No orders yet", "Choose a matter and press New search; what you order appears here by itself.")
        self._stack.setCurrentWidget(self.empty)

    def _show_all(self) -> None:
        self.field.clear()
        self.filter.setCurrentIndex(0)
        self._to_list = True

    # one order

    def _show_current(self) -> None:
        order = self.model.value(self.list.current_row())
        if order is None:
            wanted = self._wanted_order
            if not wanted:
                self.pane.show_order(None, title="", text="")
            elif wanted == self._absent:
                self.pane.show_order(
                    None, title=f"Order {wanted} is not here yet", text="It appears by itself as soon as InfoTrack reports it."
                )
            else:
                self.pane.show_order(None, title=f"Order {wanted}", text="One moment…")
            return
        shown = self.pane.order()
        if shown is None or shown.order_id != order.order_id:
            self.pane.show_order(order)
            self._look_at_current()

    def _look_at_current(self) -> None:
        order = self.model.value(self.list.current_row())
        if order is not None:
            order_id = order.order_id
            self.bridge.run(
                self,
                lambda desk: desk.order_view(order_id),
                lambda view: self._took_view(order_id, view),
                self._failed,
                lane="order",
            )

    def _took_view(self, order_id: str, view: OrderView | None) -> None:
        current = self.model.value(self.list.current_row())
        if view is not None and current is not None and current.order_id == order_id:
            self.pane.show_order(view)

    # actions

    def _connect_pane(self) -> None:
        self.pane.retry.connect(lambda key: self._act(lambda desk: desk.retry(key), "Trying again…", f"{key} is tried again."))
        self.pane.approve.connect(lambda key: self._act(lambda desk: desk.approve(key), "Approving…", f"{key} is approved."))
        self.pane.cancel.connect(self._confirm_cancel)
        self.pane.move_order.connect(self._choose_target)
        self.pane.move_to.connect(self._suggested)
        self.pane.take_over.connect(
            lambda order_id: self._act(lambda desk: desk.take_over(order_id), "Taking over…", "Taken over.")
        )
        self.pane.open_matter.connect(lambda order: self.open_matter.emit(order.matter_number))

    def _act(self, work: Callable[[Desk], None], doing: str, done: str = "") -> None:
        """`done` is said afterwards where the list is narrowed: there the order may be gone from it the next moment."""
        order = self.pane.order()
        order_id = order.order_id if order is not None else ""
        self.message.clear()
        self.pane.set_busy(True)
        self.busy.start(doing)

        def acted() -> None:
            self._acted()
            if done and self.filter.currentIndex() > 0:
                self.message.say(done, Tone.GOOD, button="Show the order", act=lambda: self.open_with(order_id))

        self.bridge.run(self, work, lambda _: acted(), self._act_failed)

    def _acted(self) -> None:
        self.pane.set_busy(False)
        self.busy.stop()
        self.look()
        self.bridge.notify()

    def _act_failed(self, problem: str) -> None:
        self._acted()
        self._failed(problem)

    def _failed(self, problem: str) -> None:
        self.message.say(problem)

    def _confirm(self, title: str, text: str, yes: str, no: str, act: Callable[[], None], *, grave: bool = False) -> None:
        box = QMessageBox(self)
        box.setIcon(QMessageBox.Icon.Warning if grave else QMessageBox.Icon.Question)
        box.setWindowTitle(f"iConnect - {title}")
        box.setText(title)
        box.setInformativeText(text)
        go = box.addButton(yes, QMessageBox.ButtonRole.AcceptRole)
        stay = box.addButton(no, QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(stay)
        box.setEscapeButton(stay)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.buttonClicked.connect(lambda button: act() if button is go else None)
        box.open()

    def _confirm_cancel(self, delivery: Delivery) -> None:
        in_flight = delivery.state in words.IN_FLIGHT
        self._confirm(
            "Cancel a posting that may already be posted?" if in_flight else "Cancel this posting?",
            words.cancel_warning(delivery),
            "Cancel the posting",
            "Keep it",
            lambda: self._act(lambda desk: desk.cancel(delivery.key), "Cancelling…", f"{delivery.key} is cancelled."),
            grave=in_flight,
        )

    def _choose_target(self, order: OrderView) -> None:
        title = f"Move order {order.order_id}" if order.matter_number else f"A matter for order {order.order_id}"
        chooser = MatterChooser(self.bridge, title, undo_words(order, ""), "Move here", self.clock, self)
        chooser.ask(lambda matter: self._move(order, matter))

    def _suggested(self, order: OrderView, suggestion: Suggestion) -> None:
        self._act(
            lambda desk: desk.move(order.order_id, _suggested_matter(desk, suggestion)),
            f"Moving to {suggestion.matter_number}…",
            f"Order {order.order_id} now belongs to {suggestion.matter_number}.",
        )

    def _move(self, order: OrderView, matter: Matter) -> None:
        self._act(
            lambda desk: desk.move(order.order_id, matter),
            f"Moving to {matter.number}…",
            f"Order {order.order_id} now belongs to {matter.number}.",
        )

    def _approvable(self) -> tuple[Delivery, ...]:
        return tuple(d for order in self.model.values() for d in order.deliveries if choices(d).approve)

    def approve_all(self) -> None:
        """Approves every held posting of the list as it is shown now, after one question; each is handled alone."""
        waiting = self._approvable()
        keys = tuple(delivery.key for delivery in waiting)
        total = sum((d.amount + (d.gst or 0) for d in waiting if d.amount is not None), Decimal(0))
        self._confirm(
            f"Approve {len(keys)} postings?",
            f"They are posted to their matters, {words.money(total)} with GST in all.",
            "Approve them",
            "Not now",
            lambda: self._act(lambda desk: _approve_each(desk, keys), "Approving…"),
        )

    # results by hand

    def add_result(self, file: Path | None = None) -> None:
        order = self.model.value(self.list.current_row())
        form = ResultForm(self, matter_number=order.matter_number if order is not None else "", file=file)
        form.ask(lambda value: self._add(form, value))

    def _add(self, form: ResultForm, value: TypedResult) -> None:
        self.bridge.run(form, lambda desk: desk.add_result(value), lambda _: self._added(form, value), form.refused)

    def _added(self, form: ResultForm, value: TypedResult) -> None:
        form.accept()
        self._wanted_order = value.order_id
        self.message.say(f"Order {value.order_id} was added.", Tone.GOOD)
        self._acted()

    def choose_import(self) -> None:
        dialog = QFileDialog(self, "iConnect - Import order messages", "", "Order messages (*.xml *.json);;All files (*)")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.filesSelected.connect(lambda files: self.import_files([Path(file) for file in files]))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def import_files(self, files: Sequence[Path]) -> None:
        """Order messages are imported; a single PDF opens the form for a typed result with that file."""
        if len(files) == 1 and files[0].suffix.lower() == ".pdf":
            self.add_result(files[0])
            return
        chosen = tuple(files)
        self.message.clear()
        self.busy.start("Importing…")
        self.bridge.run(self, lambda desk: desk.import_results(chosen), self._imported, self._act_failed)

    def _imported(self, count: int) -> None:
        self.message.say(f"{count} message{'' if count == 1 else 's'} recorded.", Tone.GOOD)
        self._acted()

    def deliver_now(self) -> None:
        self._act(lambda desk: desk.deliver_now(), "Delivering…")

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        files = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if files:
            event.acceptProposedAction()
            self.import_files(files)

    # layout

    def _button(self, text: str, act: Callable[[], None]) -> QPushButton:
        button = QPushButton(text)
        button.setAutoDefault(False)
        button.clicked.connect(lambda: act())
        return button

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(theme.GAP)
        top.addWidget(self.field, 1)
        top.addWidget(self.filter)
        top.addSpacing(theme.MARGIN)
        top.addWidget(self.add_button)
        top.addWidget(self.import_button)
        top.addWidget(self.deliver_button)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        split.addWidget(self._stack)
        split.addWidget(self.pane)
        split.setStretchFactor(0, 4)
        split.setStretchFactor(1, 5)
        split.setSizes([470, 570])
        foot = QHBoxLayout()
        foot.addWidget(self.count)
        foot.addWidget(self.approve_button)
        foot.addWidget(self.busy, 1)
        foot.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.MARGIN, theme.MARGIN, theme.MARGIN, 10)
        column.setSpacing(theme.GAP)
        column.addLayout(top)
        column.addWidget(self.message)
        column.addWidget(split, 1)
        column.addLayout(foot)
        self.setTabOrder(self.field, self.filter)
        self.setTabOrder(self.filter, self.list)
        self.setTabOrder(self.list, self.add_button)
