"""The list half of Orders and postings: what is shown, narrowed and summed, however many orders there are.

The list is its orders' numbers; the rows in sight are fetched in full, then those around them. All of it on worker threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QComboBox, QPushButton, QStackedWidget

from desktop.services.books import OrderQuery, OrderSums
from desktop.services.desk import Desk
from desktop.services.ledger.model import DeliveryState, OrderView
from desktop.ui import words
from desktop.ui.bridge import Bridge
from desktop.ui.language import tr
from desktop.ui.matter_picker import MatterChooser
from desktop.ui.order_table import OrderModel, OrderRows, Place
from desktop.ui.order_times import NARROWED_WORDS, TIMES, span_of
from desktop.ui.patience import Patience
from desktop.ui.tables import label_for
from desktop.ui.widgets import Busy, EmptyState, Field, Muted
from desktop.ui.window import Clock, Window

ALL = tr("All")
WAITING = tr("Waiting for me")
NOT_IN_BOOKS = tr("Not in the books yet")
UNMATCHED = tr("Without a matter")
ONE_MATTER = tr("One matter…")

AHEAD = 30
"""Rows fetched beyond those in sight."""
FETCHED_ANYWAY = 300
"""Rows around those in sight that are fetched when there is time, so that scrolling shows them at once."""
AT_A_TIME = 60


@dataclass(frozen=True, slots=True)
class _Listed:
    ids: tuple[str, ...]
    views: tuple[OrderView, ...]


@dataclass(frozen=True, slots=True)
class _Sums:
    sums: OrderSums
    unmatched: int


def _sums(desk: Desk, wanted: OrderQuery) -> _Sums:
    return _Sums(desk.books.sum_orders(wanted), len(desk.books.list_orders(OrderQuery(without_matter=True))))


class OrderListWindow(Window):
    """A window with the list of orders in it. Sub-classes lay out `field`, `filter`, `times`, `list` (in `stack`) and `count`.
    `show_current` is called when another order was chosen, `failed` with what could not be done.

    Signals:
        open_matter(str): a matter's number, to be shown in the picker; empty for the picker itself.
    """

    open_matter = Signal(str)

    def __init__(
        self,
        bridge: Bridge,
        subject: str,
        *,
        clock: Clock,
        show_current: Callable[[], None],
        failed: Callable[[str], None],
    ) -> None:
        super().__init__(bridge, subject, clock=clock)
        self._current_chosen = show_current
        self._could_not = failed
        self._fetched = False
        self._fetching = False
        self._placing = False
        self._to_list = False
        self._wanted_order = ""
        self._absent = ""
        self._matter = ""
        self._shown_filter = 0
        self.sums: OrderSums | None = None

        self.field = Field()
        self.field.setAccessibleName(tr("Find an order"))
        self.field.setPlaceholderText(tr("Order, matter, service or reference"))
        self.field.setClearButtonEnabled(True)
        self.field.textChanged.connect(self._typed)
        self.filter = QComboBox()
        self.filter.setAccessibleName(tr("Show"))
        self.filter_label = label_for(self.filter, tr("Show"))
        self.filter.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        for title, name in self._filters():
            self.filter.addItem(title, name)
        for state in DeliveryState:
            index = self.filter.findData(str(state))
            self.filter.setItemData(index, words.state_meaning(state), Qt.ItemDataRole.ToolTipRole)
        self.filter.currentIndexChanged.connect(self._filter_changed)
        self.times = QComboBox()
        self.times.setAccessibleName(tr("Ordered"))
        self.times_label = label_for(self.times, tr("Ordered"))
        for title, name in TIMES:
            self.times.addItem(title, name)
        self.times.currentIndexChanged.connect(self._refetch)
        self.approve_button = QPushButton(tr("Approve all"))
        self.approve_button.setAutoDefault(False)
        self.approve_button.hide()
        self._scrolled = QTimer(self)
        self._scrolled.setObjectName("fetch the rows in sight")
        self._scrolled.setSingleShot(True)
        self._scrolled.setInterval(15)
        self._scrolled.timeout.connect(self._fetch_in_sight)
        self.busy = Busy()
        self._patience = Patience(self.busy, tr("Looking…"), self)
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

    # what is asked for

    def look(self) -> None:
        wanted = self.query()
        first, last = self.list.rows_in_sight()
        first, last = max(0, first - AHEAD), last + AHEAD

        def work(desk: Desk) -> _Listed:
            ids = desk.books.list_orders(wanted)
            return _Listed(ids, desk.books.orders_by_id(ids[first:last]))

        self._patience.begin()
        self.bridge.run(self, work, lambda got: self._took(wanted, got), self._not_listed, lane="orders")

    def _not_listed(self, problem: str) -> None:
        self._patience.end()
        self._could_not(problem)

    def query(self) -> OrderQuery:
        """What the list shows, by the filter, the time and the field."""
        name = str(self.filter.currentData())
        span = span_of(str(self.times.currentData()), self.clock())
        text = OrderQuery(text=" ".join(self.field.text().split()), since=span.since, until=span.until)
        match name:
            case "waiting":
                return replace(text, waiting_for_person=True)
            case "mine":
                return replace(text, mine=True)
            case "open":
                return replace(text, not_in_books=True)
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
        plain = [(ALL, "all"), (WAITING, "waiting"), (NOT_IN_BOOKS, "open"), (tr("Mine"), "mine"), (UNMATCHED, "unmatched")]
        states = [(words.sentence(words.state_word(state)), str(state)) for state in DeliveryState]
        # The last, because it asks: who steps through the others with the arrow keys should not meet a question.
        return [*plain, *states, (ONE_MATTER, "matter")]

    def choose_filter(self, name: str) -> None:
        self.filter.setCurrentIndex(self.filter.findData(name))

    def choose_time(self, name: str) -> None:
        self.times.setCurrentIndex(self.times.findData(name))

    def narrowed(self) -> bool:
        """Whether the list may leave an order out."""
        return bool(self.filter.currentData() != "all" or self.times.currentData() != "any" or self.field.text().strip())

    def _filter_changed(self) -> None:
        if self.filter.currentData() == "matter" and not self._matter:
            before = self._shown_filter
            chooser = MatterChooser(self.bridge, tr("One matter's orders"), "", tr("Show its orders"), self.clock, self)
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
        self.filter.setItemText(index, tr("Matter {number}", number=number))
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
        self._patience.end()
        self._fetched = True
        here, row = self.model.id_at(self.list.current_row()), self.list.current_row()
        # What was narrowed anew begins at its top; what only went on stays as it was under the person's eyes.
        place = None if self._to_top else self.list.place()
        self._to_top = False
        self.model.age()
        self._placing = True
        moved = self.model.show_ids(got.ids)
        self.model.take(got.views)
        self._settle(here, row, place, moved=moved)
        self._scrolled.start()
        self.bridge.run(
            self, lambda desk: _sums(desk, wanted), lambda found: self._took_sums(wanted, found), self._could_not, lane="sums"
        )

    def _settle(self, here: str = "", before: int = 0, place: Place | None = None, *, moved: bool) -> None:
        """Chooses the row that should be chosen, and shows it. `here` was chosen, in row `before`; `place` is where the list
        stood, None where it should show the chosen row."""
        self._placing = True
        keep = self._wanted_order or here
        row = self.model.row_with_key(keep) if keep else -1
        if self._wanted_order and self._fetched and not self.narrowed():
            self._absent = "" if row >= 0 else self._wanted_order
        if row >= 0 and keep == self._wanted_order:
            self._wanted_order = ""
            self.list.go_to(row)
        elif moved or self.list.current_row() < 0:
            if row < 0:
                # Nothing is chosen in place of an order that somebody asked for. One that left the list, because it was dealt
                # with, gives way to the next.
                count = self.model.rowCount()
                row = -1 if self._wanted_order else min(max(before, 0) if place is not None else 0, count - 1)
            if place is None or row < 0:
                self.list.go_to(row)
            else:
                self.list.choose(row)
                self.list.stand_at(place)
        self._placing = False
        self._explain()
        self._current_chosen()
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
            self._current_chosen()
        if views:
            self._scrolled.start()

    def _no_rows(self, problem: str) -> None:
        self._fetching = False
        self._could_not(problem)

    def _took_sums(self, wanted: OrderQuery, found: _Sums) -> None:
        if wanted == self.query():
            self.sums = found.sums
            index = self.filter.findData("unmatched")
            self.filter.setItemText(index, f"{UNMATCHED} ({found.unmatched:,})" if found.unmatched else UNMATCHED)
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
            self._current_chosen()

    def _explain(self) -> None:
        number, sums = self.model.rowCount(), self.sums
        approvable = sums.approvable if sums is not None else 0
        self.approve_button.setVisible(approvable > 0 and number > 0)
        self.approve_button.setText(
            tr("Approve 1 shown…") if approvable == 1 else tr("Approve all {count:,} shown…", count=approvable)
        )
        told = [tr("1 order") if number == 1 else tr("{count:,} orders", count=number)]
        if sums is not None and number:
            told.append(words.sum_words(sums.net, sums.gst))
            if sums.untold:
                told.append(tr("{count:,} without a fee yet", count=sums.untold))
        self.count.setText(" · ".join(told))
        self.count.setToolTip(tr("What InfoTrack charged for the orders shown"))
        self.count.setVisible(number > 0)
        if number:
            self._stack.setCurrentWidget(self.list)
            return
        self._explain_empty()
        self._stack.setCurrentWidget(self.empty)

    def _explain_empty(self) -> None:
        name, in_time = str(self.filter.currentData()), NARROWED_WORDS.get(str(self.times.currentData()), "")
        empty = {
            "waiting": (tr("Nothing waits for you"), tr("Everything else moves on by itself.")),
            "open": (tr("Everything is in the books"), tr("No cost and no document is still on its way.")),
            "mine": (tr("None of yours"), tr("No order was started on this PC yet.")),
            "unmatched": (tr("Every result has its matter"), tr("Results that no matter claims appear here, with suggestions.")),
            "matter": (tr("None"), tr("No order belongs to matter {number}.", number=self._matter)),
            "all": (tr("No orders in that time"), ""),
        }
        if not self._fetched:
            self.empty.say(tr("One moment…"), tr("iConnect is opening your orders."))
        elif not self.narrowed():
            self.empty.say(
                tr("No orders yet"),
                tr("Choose a matter and press New search; what you order appears here by itself."),
                button=tr("Choose a matter"),
                act=lambda: self.open_matter.emit(""),
            )
        else:
            title, text = empty.get(name, (tr("None"), tr("No posting is {state} at the moment.", state=words.state_word(name))))
            if self.field.text().strip():
                title, text = tr("Nothing found"), tr("No order fits what you typed.")
            told = " ".join(part for part in (text, in_time) if part)
            self.empty.say(title, told, button=tr("Show all orders"), act=self._show_all)

    def _show_all(self) -> None:
        self.field.clear()
        self.choose_time("any")
        self.choose_filter("all")
        self._to_list = True

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._scrolled.start()
