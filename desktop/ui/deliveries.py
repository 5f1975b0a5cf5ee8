"""Orders and postings: where everything is and why, with the buttons that move it on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QDragEnterEvent, QDropEvent, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QMenu,
    QMessageBox,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
)

from desktop.services.books import OrderQuery, OrderSums, Preview
from desktop.services.desk import ActionFailed, Desk, Status, TypedResult
from desktop.services.ledger.model import Delivery, DeliveryState, OrderView, Suggestion
from desktop.services.practice.model import Matter
from desktop.ui import theme, words
from desktop.ui.bridge import Bridge
from desktop.ui.matter_picker import MatterChooser
from desktop.ui.order_pane import OrderPane, choices
from desktop.ui.order_table import OrderModel, OrderRows
from desktop.ui.preview import MovePreview, PreviewDialog
from desktop.ui.result_form import ResultForm
from desktop.ui.unmatched import suggested_matter
from desktop.ui.widgets import Busy, EmptyState, Field, MessageBar, Muted, open_at, save_as
from desktop.ui.window import Clock, Window, local_now
from desktop.ui.words import Tone

if TYPE_CHECKING:
    from desktop.ui.audit_window import AuditWindow
    from desktop.ui.diagnostics_window import DiagnosticsWindow
    from desktop.ui.reconcile_window import ReconcileWindow

ALL = "All"
WAITING = "Waiting for me"
UNMATCHED = "Without a matter"
ONE_MATTER = "One matter…"

AHEAD = 30
"""Rows fetched beyond those in sight."""
FETCHED_ANYWAY = 300
"""Rows around those in sight that are fetched when there is time, so that scrolling shows them at once."""
AT_A_TIME = 60


@dataclass(frozen=True, slots=True)
class _Page:
    """An order with what only its own page shows."""

    view: OrderView | None
    previews: tuple[Preview, ...] = ()
    address: str = ""


@dataclass(frozen=True, slots=True)
class _Listed:
    ids: tuple[str, ...]
    views: tuple[OrderView, ...]
    unmatched: int


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


def _page(desk: Desk, order_id: str) -> _Page:
    view = desk.order_view(order_id)
    if view is None:
        return _Page(None)
    held = any(choices(delivery).approve for delivery in view.deliveries)
    previews = desk.books.previews(OrderQuery(order_id=order_id)) if held else ()
    return _Page(view, previews, desk.books.job_address(view.system, view.matter_id) if view.matter_id else "")


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


def monday(now: datetime) -> datetime:
    """The beginning of this week, in the zone of `now`."""
    return datetime.combine(now.date() - timedelta(days=now.weekday()), time(), now.tzinfo)


class DeliveriesWindow(Window):
    """The list of orders on the left, one order's whole path on the right. Files dropped on it are imported.

    Signals:
        open_matter(str): a matter's number, to be shown in the picker.
    """

    open_matter = Signal(str)

    def __init__(
        self,
        bridge: Bridge,
        *,
        clock: Clock = local_now,
        open_url: Callable[[QUrl], bool] = QDesktopServices.openUrl,
    ) -> None:
        super().__init__(bridge, "Orders and postings", clock=clock)
        open_at(self, 1180, 720)
        self.setAcceptDrops(True)
        self._open_url = open_url
        self._fetched = False
        self._fetching = False
        self._placing = False
        self._to_list = False
        self._wanted_order = ""
        self._absent = ""
        self._matter = ""
        self._shown_filter = 0
        self.sums: OrderSums | None = None
        self.reconcile: ReconcileWindow | None = None
        self.audit: AuditWindow | None = None
        self.diagnostics: DiagnosticsWindow | None = None

        self.message = MessageBar()
        self.notice = MessageBar()
        self.field = Field()
        self.field.setAccessibleName("Find an order")
        self.field.setPlaceholderText("Order, matter, service or reference")
        self.field.setClearButtonEnabled(True)
        self.field.textChanged.connect(self._typed)
        self.filter = QComboBox()
        self.filter.setAccessibleName("Show")
        self.filter.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        for title, name in self._filters():
            self.filter.addItem(title, name)
        self.filter.currentIndexChanged.connect(self._filter_changed)
        self.add_button = self._button("Add a result…", self.add_result)
        self.import_button = self._button("Import…", self.choose_import)
        self.deliver_button = self._button("Deliver now", self.deliver_now)
        self.more_button = QPushButton("More")
        self.more_button.setAutoDefault(False)
        self.more_button.setMenu(self._more())
        self.approve_button = self._button("Approve all", self.approve_all)
        self.approve_button.hide()

        self._scrolled = QTimer(self)
        self._scrolled.setObjectName("fetch the rows in sight")
        self._scrolled.setSingleShot(True)
        self._scrolled.setInterval(15)
        self._scrolled.timeout.connect(self._fetch_in_sight)
        self.model = OrderModel(clock, self)
        self.list = OrderRows(clock)
        self.list.setModel(self.model)
        self.list.selectionModel().currentChanged.connect(lambda *_: self._current_changed())
        self.list.verticalScrollBar().valueChanged.connect(lambda _: self._scrolled.start())
        self.empty = EmptyState(framed=True)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.list)
        self._stack.addWidget(self.empty)
        self.count = Muted(wrap=False)
        self.count.setSizePolicy(self.count.sizePolicy().Policy.Ignored, self.count.sizePolicy().verticalPolicy())
        self.busy = Busy()
        self.pane = OrderPane(clock)
        self.pane.tab_after = self.list
        self._connect_pane()
        self._lay_out()
        QShortcut(QKeySequence.StandardKey.Find, self, self._to_field)
        QShortcut(QKeySequence.StandardKey.Copy, self, self.pane.copy)
        self._explain()

    # what others ask

    def open_with(self, order_id: str = "", *, waiting: bool = False, matter: str = "") -> None:
        """Brings the window forward; with an order, with what waits for the person, or with one matter's orders."""
        self.message.clear()
        if order_id or waiting or matter:
            self.field.clear()
            if matter:
                self._use_matter(matter)
            else:
                self._choose("waiting" if waiting and not order_id else "all")
        self._to_list = True
        if order_id:
            self._wanted_order, self._absent = order_id, ""
            self._settle(moved=True)
        self.bring_forward()
        self._focus_list()

    def look(self) -> None:
        wanted = self.query()
        first, last = self.list.rows_in_sight()
        first, last = max(0, first - AHEAD), last + AHEAD

        def work(desk: Desk) -> _Listed:
            ids = desk.books.list_orders(wanted)
            unmatched = len(desk.books.list_orders(OrderQuery(without_matter=True)))
            return _Listed(ids, desk.books.orders_by_id(ids[first:last]), unmatched)

        self.bridge.run(self, work, lambda got: self._took(wanted, got), self._failed, lane="orders")
        self._look_at_current()

    def show_status(self, status: Status | None) -> None:
        if status is None:
            return
        number = status.waiting_for_person
        self.filter.setItemText(1, f"{WAITING} ({number})" if number else WAITING)
        if status.crash_reports:
            self.notice.say(
                "iConnect ended unexpectedly. A report for support can be made; you see all of it first.",
                Tone.WARN,
                button="Show the report…",
                act=self.open_diagnostics,
            )
        else:
            self.notice.clear()

    def query(self) -> OrderQuery:
        """What the list shows, by the filter and the field."""
        name = str(self.filter.currentData())
        text = OrderQuery(text=" ".join(self.field.text().split()))
        match name:
            case "waiting":
                return replace(text, waiting_for_person=True)
            case "mine":
                return replace(text, mine=True)
            case "week":
                return replace(text, since=monday(self.clock()))
            case "unmatched":
                return replace(text, without_matter=True)
            case "matter":
                return replace(text, matter=self._matter)
            case "all":
                return text
        return replace(text, state=DeliveryState(name))

    # the list

    @staticmethod
    def _filters() -> list[tuple[str, str]]:
        plain = [(ALL, "all"), (WAITING, "waiting"), ("Mine", "mine"), ("This week", "week"), (UNMATCHED, "unmatched")]
        states = [(str(state).capitalize(), str(state)) for state in DeliveryState]
        # The last, because it asks: who steps through the others with the arrow keys should not meet a question.
        return [*plain, *states, (ONE_MATTER, "matter")]

    def _choose(self, name: str) -> None:
        self.filter.setCurrentIndex(self.filter.findData(name))

    def _filter_changed(self) -> None:
        if self.filter.currentData() == "matter" and not self._matter:
            before = self._shown_filter
            chooser = MatterChooser(self.bridge, "One matter's orders", "", "Show its orders", self.clock, self)
            chooser.rejected.connect(lambda: self.filter.setCurrentIndex(before))
            chooser.ask(lambda matter: self._use_matter(matter.number))
            return
        self._shown_filter = self.filter.currentIndex()
        if self.filter.currentData() != "matter" and self._matter:
            self._matter = ""
            self.filter.setItemText(self.filter.findData("matter"), ONE_MATTER)
        self._refetch()

    def _use_matter(self, number: str) -> None:
        self._matter = number
        index = self.filter.findData("matter")
        self.filter.setItemText(index, f"Matter {number}")
        if self.filter.currentIndex() == index:
            self._filter_changed()
        else:
            self.filter.setCurrentIndex(index)

    def _refetch(self) -> None:
        self._to_top = True
        if self.isVisible():
            self.look()

    _to_top = False

    def _typed(self) -> None:
        self._wanted_order, self._to_list = "", False
        self._refetch()

    def _took(self, wanted: OrderQuery, got: _Listed) -> None:
        if wanted != self.query():
            return
        self._fetched = True
        here = self.model.id_at(self.list.current_row())
        scroll = 0 if self._to_top else self.list.verticalScrollBar().value()
        self._to_top = False
        self.model.age()
        self._placing = True
        moved = self.model.show_ids(got.ids)
        self.model.take(got.views)
        self.filter.setItemText(self.filter.findData("unmatched"), f"{UNMATCHED} ({got.unmatched})" if got.unmatched else UNMATCHED)
        if moved:
            self.list.verticalScrollBar().setValue(scroll)
        self._settle(here, moved=moved)
        self._placing = False
        self._scrolled.start()
        self.bridge.run(
            self, lambda desk: desk.books.sum_orders(wanted), lambda sums: self._took_sums(wanted, sums), self._failed, lane="sums"
        )

    def _settle(self, here: str = "", *, moved: bool) -> None:
        """Chooses the row that should be chosen, and shows it."""
        self._placing = True
        keep = self._wanted_order or here
        row = self.model.row_with_key(keep) if keep else -1
        if self._wanted_order and self._fetched and self.filter.currentData() == "all" and not self.field.text():
            self._absent = "" if row >= 0 else self._wanted_order
        if row >= 0 and keep == self._wanted_order:
            self._wanted_order = ""
            self.list.go_to(row)
        elif moved or self.list.current_row() < 0:
            # Nothing is chosen in place of an order that somebody asked for.
            count = self.model.rowCount()
            stay = row if row >= 0 else (0 if count and not self._wanted_order else -1)
            self.list.setCurrentIndex(self.model.index(stay)) if row >= 0 else self.list.go_to(stay)
        self._placing = False
        self._explain()
        self._show_current()
        self._focus_list()

    def _fetch_in_sight(self) -> None:
        """The rows in sight first, then those around them."""
        if self._fetching or not self.isVisible():
            return
        first, last = self.list.rows_in_sight()
        ids = self.model.missing(first - AHEAD, last + AHEAD) or self.model.missing(first - FETCHED_ANYWAY, last + FETCHED_ANYWAY)
        if not ids:
            return
        self._fetching = True
        some = ids[:AT_A_TIME]
        self.bridge.run(self, lambda desk: desk.books.orders_by_id(some), lambda views: self._took_rows(some, views), self._no_rows)

    def _took_rows(self, asked: tuple[str, ...], views: Sequence[OrderView]) -> None:
        self._fetching = False
        current = self.model.id_at(self.list.current_row())
        self.model.take(views)
        if any(view.order_id == current for view in views):
            self._show_current()
        if views:
            self._scrolled.start()

    def _no_rows(self, problem: str) -> None:
        self._fetching = False
        self._failed(problem)

    def _took_sums(self, wanted: OrderQuery, sums: OrderSums) -> None:
        if wanted == self.query():
            self.sums = sums
            self._explain()

    def _focus_list(self) -> None:
        """Once, when there are rows: a list without a current row would choose its first when it gets the keyboard."""
        if self._to_list and self.isVisible() and self.list.current_row() >= 0:
            self._to_list = False
            self.list.setFocus()

    def _to_field(self) -> None:
        self.field.setFocus()
        self.field.selectAll()

    def _current_changed(self) -> None:
        if not self._placing:
            self._wanted_order = ""
            self._show_current()

    def _explain(self) -> None:
        number, sums = self.model.rowCount(), self.sums
        approvable = sums.approvable if sums is not None else 0
        self.approve_button.setVisible(approvable > 0 and number > 0)
        self.approve_button.setText("Approve 1 shown…" if approvable == 1 else f"Approve all {approvable:,} shown…")
        told = [f"{number:,} order{'' if number == 1 else 's'}"]
        if sums is not None and number:
            told.append(f"{words.money(sums.net)} ex GST + {words.money(sums.gst)} GST = {words.money(sums.net + sums.gst)}")
            if sums.untold:
                told.append(f"{sums.untold:,} without a fee yet")
        self.count.setText(" · ".join(told))
        self.count.setToolTip("What InfoTrack charged for the orders shown")
        self.count.setVisible(number > 0)
        if number:
            self._stack.setCurrentWidget(self.list)
            return
        self._explain_empty()
        self._stack.setCurrentWidget(self.empty)

    def _explain_empty(self) -> None:
        name = str(self.filter.currentData())
        empty = {
            "waiting": ("Nothing waits for you", "Everything else moves on by itself."),
            "mine": ("None of yours", "No order was started on this PC yet."),
            "week": ("None this week", "No order was placed since Monday."),
            "unmatched": ("Every result has its matter", "Results that no matter claims appear here, with suggestions."),
            "matter": ("None", f"No order belongs to matter {self._matter}."),
        }
        if not self._fetched:
            self.empty.say("One moment…", "iConnect is opening your orders.")
        elif self.field.text().strip():
            self.empty.say("Nothing found", "No order fits what you typed.", button="Show all", act=self._show_all)
        elif name == "all":
            self.empty.say("No orders yet", "Choose a matter and press New search; what you order appears here by itself.")
        else:
            title, text = empty.get(name, ("None", f"No posting is {name} at the moment."))
            self.empty.say(title, text, button="Show all", act=self._show_all)

    def _show_all(self) -> None:
        self.field.clear()
        self._choose("all")
        self._to_list = True

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._scrolled.start()

    # one order

    def _show_current(self) -> None:
        order_id = self.model.id_at(self.list.current_row())
        if not order_id:
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
        order = self.model.value(self.list.current_row())
        shown = self.pane.order()
        if shown is None or shown.order_id != order_id:
            if order is None:
                self.pane.show_order(None, title=f"Order {order_id}", text="One moment…")
            else:
                self.pane.show_order(order)
            self._look_at_current()

    def _look_at_current(self) -> None:
        order_id = self.model.id_at(self.list.current_row())
        if order_id:
            self.bridge.run(
                self, lambda desk: _page(desk, order_id), lambda page: self._took_page(order_id, page), self._failed, lane="order"
            )

    def _took_page(self, order_id: str, page: _Page) -> None:
        if page.view is not None and self.model.id_at(self.list.current_row()) == order_id:
            self.pane.show_order(page.view, previews=page.previews, address=page.address)

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
        self.pane.open_document.connect(self.open_document)
        self.pane.open_job.connect(lambda address: self._open(QUrl(address)))
        self.pane.copied.connect(lambda: self.message.say("The order's details are copied.", Tone.GOOD))

    def _act(self, work: Callable[[Desk], None], doing: str, done: str = "") -> None:
        """`done` is said afterwards where the list is narrowed: there the order may be gone from it the next moment."""
        order = self.pane.order()
        order_id = order.order_id if order is not None else ""
        self.message.clear()
        self.pane.set_busy(True)
        self.busy.start(doing)

        def acted() -> None:
            self._acted()
            if done and self.filter.currentData() != "all":
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
            lambda desk: desk.move(order.order_id, suggested_matter(desk, suggestion)),
            f"Moving to {suggestion.matter_number}…",
            f"Order {order.order_id} now belongs to {suggestion.matter_number}.",
        )

    def _move(self, order: OrderView, matter: Matter) -> None:
        """With a last question where something stands at another matter; a result that no matter claims goes at once."""
        if order.matter_number:
            MovePreview(self, order, matter).ask(lambda: self._move_now(order, matter))
        else:
            self._move_now(order, matter)

    def _move_now(self, order: OrderView, matter: Matter) -> None:
        self._act(
            lambda desk: desk.move(order.order_id, matter),
            f"Moving to {matter.number}…",
            f"Order {order.order_id} now belongs to {matter.number}.",
        )

    def approve_all(self) -> None:
        """Every posting of the list that waits for a yes, shown as it will stand; each is handled alone."""
        wanted = self.query()
        dialog = PreviewDialog(self)
        dialog.ask(lambda keys: self._act(lambda desk: _approve_each(desk, keys), f"Approving {len(keys)}…"))
        self.bridge.run(dialog, lambda desk: desk.books.previews(wanted), dialog.show_previews, dialog.refuse)

    # documents and lists

    def open_document(self, key: str) -> None:
        self.message.clear()
        self.busy.start("Opening the document…")
        self.bridge.run(self, lambda desk: desk.books.document(key), self._got_document, self._no_document, network=True)

    def _got_document(self, file: Path) -> None:
        self.busy.stop()
        self._open(QUrl.fromLocalFile(str(file)))

    def _no_document(self, problem: str) -> None:
        self.busy.stop()
        self._failed(problem)

    def _open(self, address: QUrl) -> None:
        if not self._open_url(address):
            shown = address.toLocalFile() if address.isLocalFile() else address.toString()
            self.message.say(f"No program on this PC opens {shown}.")

    def choose_export(self) -> None:
        save_as(self, "Export the list", "orders.csv", "Table (*.csv)", self.export)

    def export(self, file: Path) -> None:
        """Writes the whole list as it is narrowed now."""
        wanted = self.query()
        self.message.clear()
        self.busy.start("Exporting…")
        self.bridge.run(
            self, lambda desk: desk.books.export_orders(wanted, file), lambda rows: self._exported(file, rows), self._no_document
        )

    def _exported(self, file: Path, rows: int) -> None:
        self.busy.stop()
        self.message.say(f"{rows:,} order{'' if rows == 1 else 's'} written to {file}.", Tone.GOOD)

    # the other windows of the bookkeeper

    def _more(self) -> QMenu:
        menu = QMenu(self)
        menu.setAccessibleName("More")
        menu.addAction("Export the list…", self.choose_export)
        menu.addSeparator()
        menu.addAction("Reconcile an invoice…", self.open_reconcile)
        menu.addAction("Audit trail…", self.open_audit)
        menu.addAction("Diagnostics…", self.open_diagnostics)
        return menu

    def open_reconcile(self) -> None:
        if self.reconcile is None:
            from desktop.ui.reconcile_window import ReconcileWindow

            self.reconcile = ReconcileWindow(self.bridge, clock=self.clock)
            self.reconcile.open_order.connect(self.open_with)
        self.reconcile.bring_forward()

    def open_audit(self) -> None:
        if self.audit is None:
            from desktop.ui.audit_window import AuditWindow

            self.audit = AuditWindow(self.bridge, clock=self.clock)
            self.audit.open_order.connect(self.open_with)
        order = self.pane.order()
        self.audit.open_with(order.order_id if order is not None else "")

    def open_diagnostics(self) -> None:
        if self.diagnostics is None:
            from desktop.ui.diagnostics_window import DiagnosticsWindow

            self.diagnostics = DiagnosticsWindow(self.bridge, clock=self.clock)
        self.diagnostics.bring_forward()

    # results by hand

    def add_result(self, file: Path | None = None) -> None:
        order = self.pane.order()
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
        top.addWidget(self.more_button)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        split.addWidget(self._stack)
        split.addWidget(self.pane)
        split.setStretchFactor(0, 4)
        split.setStretchFactor(1, 5)
        split.setSizes([560, 620])
        foot = QHBoxLayout()
        foot.setSpacing(theme.GAP)
        foot.addWidget(self.count, 1)
        foot.addWidget(self.busy)
        foot.addWidget(self.approve_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.MARGIN, theme.MARGIN, theme.MARGIN, 10)
        column.setSpacing(theme.GAP)
        column.addLayout(top)
        column.addWidget(self.notice)
        column.addWidget(self.message)
        column.addWidget(split, 1)
        column.addLayout(foot)
        self.setTabOrder(self.field, self.filter)
        self.setTabOrder(self.filter, self.list)
        self.setTabOrder(self.list, self.add_button)
