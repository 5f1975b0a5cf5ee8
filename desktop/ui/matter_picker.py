"""Choose a matter: search on the left, the chosen matter with its orders and «New search» on the right."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from desktop.services.advice import BeforeOrder
from desktop.services.desk import Desk, OrderFilter, Status
from desktop.services.ledger.model import OrderView
from desktop.services.practice.model import Matter
from desktop.ui import state, theme, words
from desktop.ui.before_order import ClosedMatterDialog, OrderedLately
from desktop.ui.bridge import Bridge
from desktop.ui.language import tr
from desktop.ui.matter_search import MatterSearch
from desktop.ui.order_row import order_row
from desktop.ui.rows import Row, RowList, RowModel
from desktop.ui.state import IconState
from desktop.ui.upright_scroll import UprightScroll
from desktop.ui.widgets import Busy, EmptyState, Heading, MessageBar, Muted, Pill, open_at
from desktop.ui.window import Clock, Window, local_now
from desktop.ui.words import Tone

HISTORY = 100

ORDER_WINDOW_ENDED = "The order window ended"
"""How the notice of an order window that failed begins (order_desk)."""

GRACE_MS = 600
"""How long «New search» waits for the matter's state before it goes on without it."""


class MatterPanel(QWidget):
    """The chosen matter: what it is, whether ordering for it is wise, and what was ordered for it before.

    Signals:
        new_search(Matter): the button was pressed.
        open_order(str): a past order was opened, by its id.
        failed(str): a sentence for a person.
    """

    new_search = Signal(object)
    open_order = Signal(str)
    failed = Signal(str)

    def __init__(self, bridge: Bridge, clock: Clock, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._clock = clock
        self._matter: Matter | None = None

        self.number = Heading(wrap=False)
        self.state = Pill()
        self.name = Heading(level=2)
        self.client = Muted()
        self.staff = Muted()
        self.warning = MessageBar()
        self.lately = OrderedLately(clock)
        self.button = QPushButton(tr("New search"))
        self.button.setAccessibleName(tr("New search"))
        strong = self.button.font()
        strong.setBold(True)
        self.button.setFont(strong)
        self.button.setMinimumSize(140, self.button.fontMetrics().height() + 18)
        self.button.clicked.connect(self._order)
        self.button.setDefault(True)
        # Beside a search field the button's own words can be taken for «clear the field».
        self.purpose = Muted()
        self.busy = Busy()

        self.history_title = Heading(tr("Orders for this matter"), level=2)
        self.model: RowModel[OrderView] = RowModel(self._row, lambda order: order.order_id, self)
        self.history = RowList(tr("Orders for this matter"))
        self.history.setModel(self.model)
        self.history.activated.connect(self._open)
        self.history_empty = EmptyState(framed=True)
        self._history_stack = QStackedWidget()
        self._history_stack.addWidget(self.history)
        self._history_stack.addWidget(self.history_empty)

        head = QHBoxLayout()
        head.addWidget(self.number)
        head.addWidget(self.state)
        head.addStretch(1)
        act = QHBoxLayout()
        act.addWidget(self.button)
        act.addWidget(self.purpose, 1)
        act.addWidget(self.busy, 1)

        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(theme.MARGIN, 0, 0, 0)
        column.setSpacing(theme.GAP)
        column.addLayout(head)
        column.addWidget(self.name)
        column.addWidget(self.client)
        column.addWidget(self.staff)
        column.addWidget(self.warning)
        column.addWidget(self.lately)
        column.addSpacing(4)
        column.addLayout(act)
        column.addSpacing(12)
        column.addWidget(self.history_title)
        column.addWidget(self._history_stack, 1)

        # While nothing is chosen the list on the left says why; two explanations side by side would be one too many.
        self.nothing = QWidget()
        self._stack = QStackedWidget()
        self._stack.addWidget(self.nothing)
        # On a small screen at 200 % nothing is squeezed: the page scrolls.
        self._history_stack.setMinimumHeight(130)
        scroll = UprightScroll(page)
        self._stack.addWidget(scroll)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._stack)

    def matter(self) -> Matter | None:
        return self._matter

    def show_matter(self, matter: Matter | None) -> None:
        if matter == self._matter:
            return
        same = matter is not None and self._matter is not None and _place(matter) == _place(self._matter)
        self._matter = matter
        if matter is None:
            self._stack.setCurrentIndex(0)
            return
        self._stack.setCurrentIndex(1)
        self.number.setText(matter.number)
        told = tr("Order a title, company or certificate from InfoTrack for {matter}.", matter=matter.number or matter.name)
        self.purpose.setText(told)
        self.button.setToolTip(told)
        self.button.setAccessibleDescription(told)
        self.state.show_state(matter.state, Tone.QUIET)
        self.state.setVisible(bool(matter.state))
        self.name.setText(matter.name)
        self.client.setText(" · ".join(part for part in (matter.client, words.system_title(matter.system)) if part))
        self.staff.setText(tr("Staff: {names}", names=", ".join(person.name for person in matter.staff)))
        self.staff.setVisible(bool(matter.staff))
        self._warn(matter)
        if not same:
            self.lately.show_advice(None)
            self.model.show_values(())
            self.history_empty.say("", "")
            self._history_stack.setCurrentWidget(self.history_empty)
        self.look()

    def look(self) -> None:
        """Fetches the chosen matter's orders."""
        matter = self._matter
        if matter is None:
            return
        wanted = OrderFilter(matter=matter.number, limit=HISTORY)
        self._bridge.run(
            self, lambda desk: desk.orders(wanted), lambda orders: self._took(matter, orders), self.failed.emit, lane="history"
        )
        self._bridge.run(
            self,
            lambda desk: desk.advice.before_order(matter),
            lambda advice: self._advised(matter, advice),
            self.failed.emit,
            lane="advice",
        )

    def set_busy(self, doing: str) -> None:
        """While a link is asked for: the word beside the button, which can't be pressed twice."""
        self.button.setEnabled(not doing)
        self.purpose.setVisible(not doing)
        if doing:
            self.busy.start(doing)
        else:
            self.busy.stop()

    def _took(self, matter: Matter, orders: Sequence[OrderView]) -> None:
        if self._matter is None or _place(matter) != _place(self._matter):
            return
        own = tuple(order for order in orders if _belongs(order, matter))
        self.model.show_values(own)
        self.model.reword()
        if own:
            self._history_stack.setCurrentWidget(self.history)
        else:
            self.history_empty.say(
                tr("Nothing ordered yet"),
                tr("Searches that you order for this matter will stand here, with what each has come to."),
            )
            self._history_stack.setCurrentWidget(self.history_empty)

    def _advised(self, matter: Matter, advice: BeforeOrder) -> None:
        if self._matter is not None and _place(matter) == _place(self._matter):
            self.lately.show_advice(advice)

    def _row(self, order: OrderView) -> Row:
        return order_row(order, self._clock, show_matter=False)

    def _warn(self, matter: Matter) -> None:
        if matter.is_open is False:
            system = words.system_title(matter.system)
            self.warning.say(
                tr("This matter is closed in {system}. A search can be ordered, but {system} may refuse its cost.", system=system),
                Tone.WARN,
                keep=True,
            )
        else:
            self.warning.clear()

    def _order(self) -> None:
        if self._matter is not None:
            self.new_search.emit(self._matter)

    def _open(self) -> None:
        order = self.model.value(self.history.current_row())
        if order is not None:
            self.open_order.emit(order.order_id)


def _place(matter: Matter) -> tuple[str, str, str]:
    return matter.system, matter.tenant, matter.id


def _belongs(order: OrderView, matter: Matter) -> bool:
    """A number may stand in two practice systems or organisations, and some matters have none."""
    if not matter.number:
        return (order.system, order.tenant, order.matter_id) == _place(matter)
    return order.system in ("", matter.system) and order.tenant in ("", matter.tenant)


class MatterPicker(Window):
    """The window that a left click opens.

    Signals:
        open_order(str): a past order should be shown in Orders and postings.
        connect_wanted(): the person is not signed in and wants to be.
        found_closed(str): what turned out after a window was opened, as a sentence without names: the matter is closed, or the
            window ended by itself.
    """

    open_order = Signal(str)
    connect_wanted = Signal()
    found_closed = Signal(str)

    def __init__(self, bridge: Bridge, *, clock: Clock = local_now) -> None:
        super().__init__(bridge, tr("Choose a matter"), clock=clock)
        open_at(self, 940, 580)
        self.closed_dialog: ClosedMatterDialog | None = None
        self._waiting: Matter | None = None
        self._order_asked = False
        # Also while the picker is hidden: it goes away as soon as the order window is there.
        bridge.status_changed.connect(self._order_window_ended)
        self.message = MessageBar()
        self.notice = MessageBar()
        self.search = MatterSearch(bridge, clock)
        self.panel = MatterPanel(bridge, clock)
        self.search.current_changed.connect(self.panel.show_matter)
        self.search.chosen.connect(self.order)
        self.search.failed.connect(lambda problem: self._failed(problem, self.search.try_again))
        self.panel.new_search.connect(self.order)
        self.panel.open_order.connect(self.open_order)
        self.panel.failed.connect(lambda problem: self._failed(problem, self.panel.look))

        split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        split.addWidget(self.search)
        split.addWidget(self.panel)
        split.setStretchFactor(0, 5)
        split.setStretchFactor(1, 6)
        split.setSizes([430, 480])
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.MARGIN, theme.MARGIN, theme.MARGIN, theme.MARGIN)
        column.setSpacing(theme.GAP)
        column.addWidget(self.notice)
        column.addWidget(self.message)
        column.addWidget(split, 1)
        self.setTabOrder(self.search.field, self.search.list)
        self.setTabOrder(self.search.list, self.panel.button)
        self.setTabOrder(self.panel.button, self.panel.history)
        self.setTabOrder(self.panel.history, self.search.refresh)

    def open_with(self, text: str | None = None) -> None:
        """Brings the window forward, with the cursor in the field; `text` replaces what stands there."""
        self.bring_forward()
        self.search.start(text)

    def open_matter(self, system: str, number: str) -> None:
        """As a link wants it: looks for that number in that practice system alone."""
        self.message.clear()
        self.open_with(f"{system}:{number}")
        status = self.bridge.status
        if status is not None and all(view.system != system for view in state.connected(status)):
            self.message.say(
                tr(
                    "The link leads to a matter in {system}, where you are not signed in. Connect "
                    "first, then follow the link again.",
                    system=words.system_title(system),
                ),
                Tone.WARN,
            )

    def look(self) -> None:
        self.search.search()
        self.panel.look()

    def show_status(self, status: Status | None) -> None:
        self.search.show_status(status)
        now = state.icon_state(status)
        live = state.connected(status)
        if status is None:
            self.notice.clear()
        elif not live:
            self.notice.say(
                tr("You are not signed in to a practice system."),
                Tone.CALM,
                button=tr("Sign in…"),
                act=self.connect_wanted.emit,
                keep=True,
            )
        elif now is IconState.OFFLINE:
            away = [view.title for view in live if view.offline]
            who = tr("The practice system") if len(live) == 1 else tr(" and ").join(away)
            self.notice.say(
                tr("{who} can't be reached. You can go on ordering; postings wait and are sent later.", who=who),
                Tone.WARN,
                keep=True,
            )
        else:
            self.notice.clear()

    def order(self, matter: Matter) -> None:
        """Opens the order window, after a look at the matter's state; the picker goes away when it stands.

        For a closed matter a person is asked first. The practice system is asked for the state where it can be, but nobody
        waits longer than a moment for its answer."""
        if not self.panel.button.isEnabled() or self.closed_dialog is not None:
            return
        self.message.clear()
        if matter.is_open is False:
            self._ask_about_closed(matter)
            return
        self.panel.set_busy(tr("Opening InfoTrack…"))
        if not self._can_be_asked(matter):
            self._open(matter)
            return
        self._waiting = matter
        QTimer.singleShot(GRACE_MS, self, lambda: self._no_answer_yet(matter))
        self.bridge.run(
            self,
            lambda desk: desk.advice.as_it_is_now(matter),
            lambda now: self._looked(matter, now),
            lambda _: self._looked(matter, matter),
            network=True,
        )

    def _can_be_asked(self, matter: Matter) -> bool:
        return any(view.system == matter.system and not view.offline for view in state.connected(self.bridge.status))

    def _no_answer_yet(self, matter: Matter) -> None:
        if self._waiting is matter:
            self._waiting = None
            self._open(matter)

    def _looked(self, matter: Matter, now: Matter) -> None:
        closed = now.is_open is False
        if self._waiting is not matter:
            if closed:
                self.found_closed.emit(
                    tr(
                        "The matter that you just chose has been closed in {system}. Its cost may be "
                        "refused there; the order can be moved to another matter.",
                        system=words.system_title(matter.system),
                    )
                )
            return
        self._waiting = None
        if closed:
            self._ask_about_closed(now)
        else:
            self._open(matter)

    def _ask_about_closed(self, matter: Matter) -> None:
        """Shows the question with the client's open matters, which the local copy knows."""
        self.panel.set_busy(tr("Looking for open matters…"))
        self.bridge.run(
            self,
            lambda desk: desk.advice.open_matters_of_client(matter),
            lambda others: self._ask(matter, others),
            lambda _: self._ask(matter, ()),
            lane="others",
        )

    def _ask(self, matter: Matter, others: Sequence[Matter]) -> None:
        self.panel.set_busy("")
        if not self.isVisible():
            return
        dialog = self.closed_dialog = ClosedMatterDialog(matter, others, self)
        dialog.decided.connect(self._decided)
        dialog.finished.connect(self._answered)
        dialog.open()

    def _answered(self) -> None:
        self.closed_dialog = None

    def _decided(self, matter: Matter) -> None:
        self.panel.set_busy(tr("Opening InfoTrack…"))
        self._open(matter)

    def _open(self, matter: Matter) -> None:
        self.bridge.run(
            self,
            lambda desk: desk.order(matter),
            lambda _: self._ordered(),
            lambda problem: self._order_failed(matter, problem),
            network=True,
        )

    def _ordered(self) -> None:
        self._order_asked = True
        self.bridge.notify()
        self.panel.set_busy("")
        self.close()

    def _order_failed(self, matter: Matter, problem: str) -> None:
        self.panel.set_busy("")
        self._failed(problem, lambda: self.order(matter))

    def _order_window_ended(self, status: Status) -> None:
        """A person who pressed «New search» and sees nothing must hear why, once."""
        failures = [notice for notice in status.notices if notice.startswith(ORDER_WINDOW_ENDED)]
        if failures and self._order_asked:
            self._order_asked = False
            self.found_closed.emit(failures[0])

    def _failed(self, problem: str, again: Callable[[], None]) -> None:
        def once_more() -> None:
            self.message.clear()
            again()

        self.message.say(problem, button=tr("Try again"), act=once_more)


def _open_ones(desk: Desk, order: OrderView) -> tuple[Matter, ...]:
    """The open matters of the client that the order was made for, as the local copy has them."""
    for hit in desk.find_matters(order.matter_number):
        if (hit.matter.system, hit.matter.id) == (order.system, order.matter_id):
            return desk.advice.open_matters_of_client(hit.matter)
    return ()


class MatterChooser(QDialog):
    """Asks for a matter in one go, with a line above that says what will happen to it."""

    def __init__(self, bridge: Bridge, title: str, explanation: str, button: str, clock: Clock, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("iConnect - {title}", title=title))
        open_at(self, 520, 520)
        self._done: Callable[[Matter], None] | None = None
        self.search = MatterSearch(bridge, clock)
        self.search.show_status(bridge.status)
        self.message = MessageBar()
        self.search.failed.connect(self.message.say)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.accept_button = buttons.addButton(button, QDialogButtonBox.ButtonRole.AcceptRole)
        self.accept_button.setEnabled(False)
        self.search.current_changed.connect(lambda matter: self.accept_button.setEnabled(matter is not None))
        self.search.chosen.connect(self._chosen)
        buttons.accepted.connect(self.search.choose_current)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.MARGIN, theme.MARGIN, theme.MARGIN, theme.MARGIN)
        column.setSpacing(12)
        if explanation:
            column.addWidget(Muted(explanation))
        self.offered = Muted()
        self.offered.hide()
        column.addWidget(self.message)
        column.addWidget(self.offered)
        column.addWidget(self.search, 1)
        column.addWidget(buttons)
        self._bridge = bridge

    def ask(self, done: Callable[[Matter], None], *, instead_of: OrderView | None = None) -> None:
        """Opens without waiting; `done` gets the chosen matter, and is not called on Cancel. `instead_of`: the same client's
        open matters stand first."""
        self._done = done
        if instead_of is not None and instead_of.matter_id:
            self._bridge.run(self, lambda desk: _open_ones(desk, instead_of), self._offer, lambda _: None, lane="offers")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.open()
        self.search.start()

    def _offer(self, matters: Sequence[Matter]) -> None:
        if matters:
            self.offered.setText(
                tr("First in the list: the open matters of {client}.", client=matters[0].client or tr("the same client"))
            )
            self.offered.show()
            self.search.offer_first(matters)

    def _chosen(self, matter: Matter) -> None:
        self.accept()
        if self._done is not None:
            self._done(matter)
