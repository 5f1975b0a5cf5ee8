"""Orders and postings: where everything is and why, with the buttons that move it on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, QUrl
from PySide6.QtGui import QDesktopServices, QDragEnterEvent, QDropEvent, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QMenu,
    QMessageBox,
    QPushButton,
    QSplitter,
    QVBoxLayout,
)

from desktop.services.books import AuditAnswer, OrderQuery, Preview
from desktop.services.desk import ActionFailed, Desk, Status, TypedResult
from desktop.services.ledger.model import Delivery, DeliveryState, OrderView, Suggestion
from desktop.services.practice.model import Matter
from desktop.ui import theme, words
from desktop.ui.answers import verdict
from desktop.ui.bridge import Bridge
from desktop.ui.flow import plain_button
from desktop.ui.language import tr
from desktop.ui.matter_picker import MatterChooser
from desktop.ui.menus import lined
from desktop.ui.order_listing import WAITING, OrderListWindow
from desktop.ui.order_pane import OrderPane, choices
from desktop.ui.preview import MovePreview, PreviewDialog, move_words
from desktop.ui.result_form import ResultForm
from desktop.ui.unmatched import known_matter, suggested_matter
from desktop.ui.widgets import MessageBar, file_kinds, open_at, save_as
from desktop.ui.window import Clock, local_now
from desktop.ui.words import Tone

if TYPE_CHECKING:
    from desktop.ui.audit_window import AuditWindow
    from desktop.ui.diagnostics_window import DiagnosticsWindow
    from desktop.ui.reconcile_window import ReconcileWindow


FIELD = 240
"""What the field keeps at least, as long as the rarer buttons stand beside it."""
BRIEF_MS = 60
"""How long an order's whole page is waited for before the little is shown that the list knows; too short to be noticed."""


@dataclass(frozen=True, slots=True)
class _Page:
    """An order with what only its own page shows."""

    view: OrderView | None
    previews: tuple[Preview, ...] = ()
    address: str = ""
    answer: AuditAnswer | None = None


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


def _move_back(desk: Desk, order: OrderView) -> None:
    """To the matter that it was at, as long as nothing of it was sent to the new one. Raises ActionFailed."""
    now = desk.order_view(order.order_id)
    told = move_words(now) if now is not None else None
    if told is None or told.undo or told.doubtful:
        raise ActionFailed(
            tr(
                "Order {order_id} was sent to its new matter meanwhile. Move it from its own page: that shows what is to be "
                "removed by hand.",
                order_id=order.order_id,
            )
        )
    desk.move(order.order_id, known_matter(desk, order.system, order.matter_id, order.matter_number))


def _page(desk: Desk, order_id: str) -> _Page:
    view = desk.order_view(order_id)
    if view is None:
        return _Page(None)
    held = any(choices(delivery).approve for delivery in view.deliveries)
    previews = desk.books.previews(OrderQuery(order_id=order_id)) if held else ()
    address = desk.books.job_address(view.system, view.matter_id) if view.matter_id else ""
    return _Page(view, previews, address, desk.books.audit(order_id))


def undo_words(order: OrderView, number: str) -> str:
    """What moving an order will do, and what a person must undo by hand afterwards."""
    standing = [d for d in order.deliveries if d.state in (DeliveryState.CONFIRMED, DeliveryState.ACCEPTED)]
    doubtful = [d for d in order.deliveries if d.state in (DeliveryState.SENDING, DeliveryState.UNKNOWN)]
    target = tr("matter {matter_number}", matter_number=number) if number else tr("the matter that you choose")
    text = tr("iConnect posts the costs and documents of order {order_id} to {target}.", order_id=order.order_id, target=target)
    if standing or doubtful:
        keys = ", ".join(d.key for d in (*standing, *doubtful))
        system = words.system_title(order.system)
        text += " " + tr(
            "What stands at matter {number} in {system} must be removed there by hand: {keys}.",
            number=order.matter_number,
            system=system,
            keys=keys,
        )
    if doubtful:
        text += " " + tr("Some of it was sent without an answer and may already be posted there.")
    return text


class DeliveriesWindow(OrderListWindow):
    """The list of orders on the left, one order's whole path on the right. Files dropped on it are imported."""

    def __init__(
        self,
        bridge: Bridge,
        *,
        clock: Clock = local_now,
        open_url: Callable[[QUrl], bool] = QDesktopServices.openUrl,
    ) -> None:
        super().__init__(bridge, tr("Orders and postings"), clock=clock, show_current=self._show_current, failed=self._failed)
        open_at(self, 1180, 720)
        self.setAcceptDrops(True)
        self._open_url = open_url
        self.reconcile: ReconcileWindow | None = None
        self.audit: AuditWindow | None = None
        self.diagnostics: DiagnosticsWindow | None = None

        self.message = MessageBar()
        self.notice = MessageBar()
        self.add_button = plain_button(tr("Add a result…"), self.add_result)
        self.import_button = plain_button(tr("Import…"), self.choose_import)
        self.deliver_button = plain_button(tr("Deliver now"), self.deliver_now)
        self._rarer = (self.add_button, self.import_button, self.deliver_button)
        self.more_button = QPushButton(tr("More"))
        self.more_button.setAutoDefault(False)
        self.more_button.setMenu(self._more())
        self.approve_button.clicked.connect(self.approve_all)

        self._brief = QTimer(self)
        self._brief.setObjectName("show what the list knows of an order")
        self._brief.setSingleShot(True)
        self._brief.setInterval(BRIEF_MS)
        self._brief.timeout.connect(self._show_briefly)
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
            self.choose_time("any")
            if matter:
                self._use_matter(matter)
            else:
                self.choose_filter("waiting" if waiting and not order_id else "all")
        self._to_list = True
        if order_id:
            self._wanted_order, self._absent = order_id, ""
            self._settle(moved=True)
        self.bring_forward()
        self._focus_list()

    def look(self) -> None:
        super().look()
        self._look_at_current()

    def show_status(self, status: Status | None) -> None:
        if status is None:
            return
        number = status.waiting_for_person
        self.filter.setItemText(1, f"{WAITING} ({number})" if number else WAITING)
        if status.crash_reports:
            self.notice.say(
                tr("iConnect ended unexpectedly. A report for support can be made; you see all of it first."),
                Tone.WARN,
                button=tr("Show the report…"),
                act=self.open_diagnostics,
            )
        else:
            self.notice.clear()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a narrow window the field keeps its room, and the rarer buttons stand in the menu alone."""
        super().resizeEvent(event)
        beside = (self.filter_label, self.filter, self.times_label, self.times, *self._rarer, self.more_button)
        room = self.width() - FIELD - 3 * theme.MARGIN - (len(beside) + 1) * theme.GAP
        wide = room >= sum(widget.sizeHint().width() for widget in beside)
        for button in self._rarer:
            button.setVisible(wide)
        for action in self._also_in_menu:
            action.setVisible(not wide)

    # one order

    def _show_current(self) -> None:
        order_id = self.model.id_at(self.list.current_row())
        self._brief.stop()
        if not order_id:
            wanted = self._wanted_order
            if not wanted:
                self.pane.show_order(None, title="", text="")
            elif wanted == self._absent:
                self.pane.show_order(
                    None,
                    title=tr("Order {order_id} is not here yet", order_id=wanted),
                    text=tr("It appears by itself as soon as InfoTrack reports it."),
                )
            else:
                self.pane.show_order(None, title=tr("Order {order_id}", order_id=wanted), text=tr("One moment…"))
            return
        shown = self.pane.order()
        if shown is None or shown.order_id != order_id:
            self._look_at_current()
            self._brief.start()

    def _show_briefly(self) -> None:
        """What the list knows of an order, where its page takes a while to come. Mostly it is there first: then the page is
        built once and not twice."""
        order_id = self.model.id_at(self.list.current_row())
        shown = self.pane.order()
        if not order_id or (shown is not None and shown.order_id == order_id):
            return
        order = self.model.value(self.list.current_row())
        if order is None:
            self.pane.show_order(None, title=tr("Order {order_id}", order_id=order_id), text=tr("One moment…"))
        else:
            self.pane.show_order(order)

    def _look_at_current(self) -> None:
        order_id = self.model.id_at(self.list.current_row())
        if order_id:
            self.bridge.run(
                self, lambda desk: _page(desk, order_id), lambda page: self._took_page(order_id, page), self._failed, lane="order"
            )

    def _took_page(self, order_id: str, page: _Page) -> None:
        if page.view is not None and self.model.id_at(self.list.current_row()) == order_id:
            self._brief.stop()
            answer = verdict(page.answer, self.clock()) if page.answer is not None else None
            self.pane.show_order(page.view, previews=page.previews, address=page.address, answer=answer, soon=True)

    # actions

    def _connect_pane(self) -> None:
        self.pane.retry.connect(
            lambda key: self._act(lambda desk: desk.retry(key), tr("Trying again…"), tr("{key} is tried again.", key=key))
        )
        self.pane.approve.connect(
            lambda key: self._act(lambda desk: desk.approve(key), tr("Approving…"), tr("{key} is approved.", key=key))
        )
        self.pane.cancel.connect(self._confirm_cancel)
        self.pane.move_order.connect(self._choose_target)
        self.pane.move_to.connect(self._suggested)
        self.pane.take_over.connect(
            lambda order_id: self._act(lambda desk: desk.take_over(order_id), tr("Taking over…"), tr("Taken over."))
        )
        self.pane.open_matter.connect(lambda order: self.open_matter.emit(order.matter_number))
        self.pane.open_document.connect(self.open_document)
        self.pane.open_job.connect(lambda address: self._open(QUrl(address)))
        self.pane.copied.connect(lambda: self.message.say(tr("The order's details are copied."), Tone.GOOD))

    def _act(self, work: Callable[[Desk], None], doing: str, done: str = "", *, undo: Callable[[Desk], None] | None = None) -> None:
        """`done` is said afterwards where the list is narrowed: there the order may be gone from it the next moment. It is said
        everywhere with `undo`, and offers that."""
        order = self.pane.order()
        order_id = order.order_id if order is not None else ""
        self.message.clear()
        self.pane.set_busy(True)
        self.busy.start(doing)

        def acted() -> None:
            self._acted()
            if done and undo is not None:
                taking_back = undo
                self.message.say(
                    done,
                    Tone.GOOD,
                    button=tr("Undo"),
                    act=lambda: self._act(taking_back, tr("Taking it back…"), tr("It is as it was before.")),
                )
            elif done and self.narrowed():
                self.message.say(done, Tone.GOOD, button=tr("Show the order"), act=lambda: self.open_with(order_id))

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
            tr("Stop trying what may already be posted?") if in_flight else words.cancel_question(delivery),
            words.cancel_warning(delivery),
            words.cancel_button(delivery).rstrip("…"),
            tr("Keep it"),
            lambda: self._act(
                lambda desk: desk.cancel(delivery.key),
                tr("Cancelling…"),
                tr("{key} is cancelled.", key=delivery.key),
                # Only what would have gone by itself goes again by a press that takes something back: what waited for a yes has
                # none, and what was refused or may be posted needs a look.
                undo=(lambda desk: desk.retry(delivery.key)) if delivery.state is DeliveryState.QUEUED else None,
            ),
            grave=in_flight,
        )

    def _choose_target(self, order: OrderView) -> None:
        title = (
            tr("Move order {order_id}", order_id=order.order_id)
            if order.matter_number
            else tr("A matter for order {order_id}", order_id=order.order_id)
        )
        chooser = MatterChooser(self.bridge, title, undo_words(order, ""), tr("Move here"), self.clock, self)
        chooser.ask(lambda matter: self._move(order, matter), instead_of=order)

    def _suggested(self, order: OrderView, suggestion: Suggestion) -> None:
        self._act(
            lambda desk: desk.move(order.order_id, suggested_matter(desk, suggestion)),
            tr("Moving to {number}…", number=suggestion.matter_number),
            tr("Order {order_id} now belongs to {number}.", order_id=order.order_id, number=suggestion.matter_number),
        )

    def _move(self, order: OrderView, matter: Matter) -> None:
        """With a last question where something stands at another matter; a result that no matter claims goes at once."""
        if order.matter_number:
            address = self.pane.address_of(order)
            opens = (lambda: self._open(QUrl(address))) if address else None
            MovePreview(self, order, matter, opens).ask(lambda: self._move_now(order, matter))
        else:
            self._move_now(order, matter)

    def _move_now(self, order: OrderView, matter: Matter) -> None:
        told = move_words(order)
        self._act(
            lambda desk: desk.move(order.order_id, matter),
            tr("Moving to {number}…", number=matter.number),
            tr("Order {order_id} now belongs to {number}.", order_id=order.order_id, number=matter.number),
            undo=None if told.undo or told.doubtful or not order.matter_id else lambda desk: _move_back(desk, order),
        )

    def approve_all(self) -> None:
        """Every posting of the list that waits for a yes, shown as it will stand; each is handled alone."""
        wanted = self.query()
        dialog = PreviewDialog(self)
        dialog.ask(lambda keys: self._act(lambda desk: _approve_each(desk, keys), tr("Approving {count}…", count=len(keys))))
        self.bridge.run(dialog, lambda desk: desk.books.previews(wanted), dialog.show_previews, dialog.refuse)

    # documents and lists

    def open_document(self, key: str) -> None:
        self.message.clear()
        self.busy.start(tr("Opening the document…"))
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
            self.message.say(tr("No program on this PC opens {what}.", what=shown))

    def choose_export(self) -> None:
        save_as(self, tr("Export the list"), "orders.csv", tr("Table (*.csv)"), self.export)

    def export(self, file: Path) -> None:
        """Writes the whole list as it is narrowed now."""
        wanted = self.query()
        self.message.clear()
        self.busy.start(tr("Exporting…"))
        self.bridge.run(
            self, lambda desk: desk.books.export_orders(wanted, file), lambda rows: self._exported(file, rows), self._no_document
        )

    def _exported(self, file: Path, rows: int) -> None:
        self.busy.stop()
        self.message.say(words.written(rows, file), Tone.GOOD)

    # the other windows of the bookkeeper

    def _more(self) -> QMenu:
        menu = lined(QMenu(self))
        menu.setAccessibleName(tr("More"))
        self._also_in_menu = [
            menu.addAction(tr("Add a result…"), self.add_result),
            menu.addAction(tr("Import…"), self.choose_import),
            menu.addAction(tr("Deliver now"), self.deliver_now),
            menu.addSeparator(),
        ]
        menu.addAction(tr("Export the list…"), self.choose_export)
        menu.addSeparator()
        menu.addAction(tr("Reconcile an invoice…"), self.open_reconcile)
        menu.addAction(tr("Audit trail…"), self.open_audit)
        menu.addAction(tr("Diagnostics…"), self.open_diagnostics)
        return menu

    def open_reconcile(self) -> None:
        if self.reconcile is None:
            from desktop.ui.reconcile_window import ReconcileWindow

            self.reconcile = ReconcileWindow(self.bridge, clock=self.clock)
            self.reconcile.open_order.connect(self.open_with)
            self.reconcile.open_unmatched.connect(self._open_unmatched)
        self.reconcile.bring_forward()

    def _open_unmatched(self) -> None:
        self.choose_filter("unmatched")
        self.bring_forward()

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
        self.message.say(tr("Order {order_id} was added.", order_id=value.order_id), Tone.GOOD)
        self._acted()

    def choose_import(self) -> None:
        title, kinds = tr("Import order messages"), tr("Order messages (*.xml *.json)")
        dialog = QFileDialog(self, f"iConnect - {title}", "", file_kinds(kinds))
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
        self.busy.start(tr("Importing…"))
        self.bridge.run(self, lambda desk: desk.import_results(chosen), self._imported, self._act_failed)

    def _imported(self, count: int) -> None:
        self.message.say(tr("1 message recorded.") if count == 1 else tr("{count} messages recorded.", count=count), Tone.GOOD)
        self._acted()

    def deliver_now(self) -> None:
        self._act(lambda desk: desk.deliver_now(), tr("Delivering…"))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        files = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if files:
            event.acceptProposedAction()
            self.import_files(files)

    # layout

    def _lay_out(self) -> None:
        # They give way in the next moment: in this one they must not keep the window from being put on half of a small screen.
        for button in self._rarer:
            button.setMinimumWidth(1)
        top = QHBoxLayout()
        top.setSpacing(theme.GAP)
        top.addWidget(self.field, 1)
        top.addWidget(self.filter_label)
        top.addWidget(self.filter)
        top.addWidget(self.times_label)
        top.addWidget(self.times)
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
        split.setSizes([600, 580])
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
        self.setTabOrder(self.filter, self.times)
        self.setTabOrder(self.times, self.list)
        self.setTabOrder(self.list, self.add_button)
