"""The field, the list and what stands below it: how a person finds a matter, in the picker and wherever one is chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QStackedLayout, QVBoxLayout, QWidget

from desktop.services.desk import MatterHit, Status
from desktop.services.practice.model import Matter
from desktop.ui import state, theme, words
from desktop.ui.bridge import Bridge
from desktop.ui.language import tr
from desktop.ui.matter_rows import MatterDelegate, matter_row
from desktop.ui.rows import RowList, RowModel
from desktop.ui.widgets import Busy, EmptyState, Field, Muted
from desktop.ui.window import Clock

LIMIT = 50


class MatterSearch(QWidget):
    """Search as you type. The cursor stays in the field; arrow keys there move the list.

    Signals:
        current_changed(Matter | None): another row is the current one.
        chosen(Matter): Enter or a double click; Enter right after typing waits for the typed text's own answer.
        failed(str): a sentence for a person.
    """

    current_changed = Signal(object)
    chosen = Signal(object)
    failed = Signal(str)

    def __init__(self, bridge: Bridge, clock: Clock, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._clock = clock
        self._systems: frozenset[str] = frozenset()
        self._shown_for: str | None = None
        self._enter_waits = False
        self._asked: Matter | None = None
        self._offered: tuple[Matter, ...] = ()

        self.field = Field()
        self.field.setAccessibleName(tr("Find a matter"))
        self.field.setPlaceholderText(tr("Number, name or client"))
        self.field.setClearButtonEnabled(True)
        self.field.textChanged.connect(self._typed)
        self.field.installEventFilter(self)

        self.model: RowModel[MatterHit] = RowModel(
            lambda hit: matter_row(hit, many_systems=self._names_system(hit)), lambda hit: (hit.matter.system, hit.matter.id), self
        )
        self.list = RowList(tr("Matters"))
        self.list.setModel(self.model)
        self.list.setItemDelegate(MatterDelegate(lambda: self._shown_for or "", self.list))
        self.list.selectionModel().currentChanged.connect(lambda *_: self.current_changed.emit(self.current()))
        self.list.doubleClicked.connect(lambda *_: self.choose_current())
        self.list.installEventFilter(self)

        self._last: Callable[[], None] = self.search
        self.empty = EmptyState(framed=True)
        self.busy = Busy()
        self.freshness = Muted(wrap=False)
        self.refresh = QPushButton(tr("Refresh"))
        self.refresh.setToolTip(tr("Fetch the matters from the practice system again"))
        self.refresh.setAutoDefault(False)
        self.refresh.clicked.connect(self.refresh_matters)

        middle = QWidget()
        self._stack = QStackedLayout(middle)
        self._stack.setContentsMargins(0, 0, 0, 0)
        self._stack.addWidget(self.list)
        self._stack.addWidget(self.empty)

        foot = QHBoxLayout()
        foot.addWidget(self.freshness, 1)
        foot.addWidget(self.busy, 1)
        foot.addWidget(self.refresh)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.GAP)
        column.addWidget(self.field)
        column.addWidget(middle, 1)
        column.addLayout(foot)
        self.setFocusProxy(self.field)

    # what a window asks

    def current(self) -> Matter | None:
        hit = self.model.value(self.list.current_row())
        return hit.matter if hit is not None else None

    def start(self, text: str | None = None) -> None:
        """As at opening: the cursor in the field, old text marked so that typing replaces it."""
        if text is not None and text != self.field.text():
            self.field.setText(text)
        self.field.setFocus()
        self.field.selectAll()
        self.search()

    def offer_first(self, matters: Sequence[Matter]) -> None:
        """What stands above recent and mine while nothing is typed."""
        self._offered = tuple(matters)
        self._shown_for = None if not self.field.text().strip() else self._shown_for
        self.search()

    def search(self) -> None:
        """Looks again for what stands in the field. Rows stay until the answer is there."""
        text = self.field.text().strip()
        self._last = self.search
        self._bridge.run(
            self,
            lambda desk: desk.find_matters(text, LIMIT),
            lambda hits: self._found(text, hits),
            self._failed,
            lane="search",
        )

    def try_again(self) -> None:
        """What failed last: looking in the local copy, fetching it, or asking for a number."""
        self._last()

    def show_status(self, status: Status | None) -> None:
        systems = frozenset(view.system for view in state.connected(status))
        if systems != self._systems:
            self._systems = systems
            self.model.reword()
        if status is None:
            self.freshness.setText(tr("Opening…"))
            self.refresh.setEnabled(False)
            return
        self.refresh.setEnabled(bool(state.connected(status)) and not status.refreshing)
        many = tr("1 matter") if status.matters == 1 else tr("{count:,} matters", count=status.matters)
        if status.refreshing:
            self.freshness.setText(tr("{many}, being refreshed…", many=many))
        elif status.refreshed_at is None:
            self.freshness.setText(many if status.matters else tr("Not fetched yet"))
        else:
            self.freshness.setText(tr("{many}, refreshed {ago}", many=many, ago=words.ago(status.refreshed_at, self._clock())))
        self._explain()

    def _names_system(self, hit: MatterHit) -> bool:
        """Where the matter's practice system is not a matter of course."""
        return bool(self._systems) and self._systems != {hit.matter.system}

    def choose_current(self) -> None:
        """What Enter does."""
        if self._shown_for != self.field.text().strip():
            self._enter_waits = True
            return
        matter = self.current()
        if matter is not None:
            self.chosen.emit(matter)
        elif self._can_ask():
            self.ask_for_number()

    # answers

    def _typed(self) -> None:
        self._enter_waits = False
        self._asked = None
        self.search()

    def _found(self, text: str, hits: tuple[MatterHit, ...]) -> None:
        if text != self.field.text().strip():
            return
        before = self.current()
        new_text = text != self._shown_for
        self._shown_for = text
        if self._asked is not None and not hits:
            hits = (MatterHit(self._asked, 1.0),)
        if not text and self._offered:
            known = {(one.system, one.id) for one in self._offered}
            others = (hit for hit in hits if (hit.matter.system, hit.matter.id) not in known)
            hits = (*(MatterHit(one, 1.0) for one in self._offered), *others)
        moved = self.model.show_values(hits)
        if new_text or moved:
            row = -1 if new_text or before is None else self.model.row_with_key((before.system, before.id))
            self.list.go_to(max(row, 0) if hits else -1)
            if new_text:
                self.list.scrollToTop()
        if self.list.current_row() < 0 and hits:
            self.list.go_to(0)
        self._explain()
        self.current_changed.emit(self.current())
        if self._enter_waits:
            self._enter_waits = False
            self.choose_current()

    def _failed(self, problem: str) -> None:
        self._enter_waits = False
        self.failed.emit(problem)

    def _explain(self) -> None:
        """The list, or why it is empty and what to do about it."""
        if self.model.rowCount():
            self._stack.setCurrentWidget(self.list)
            return
        status, text = self._bridge.status, self.field.text().strip()
        if status is None:
            self.empty.say(tr("One moment…"), tr("iConnect is opening your matters."))
        elif text and self._shown_for != text:
            return
        elif text and self._can_ask():
            name = self._ask_name(status)
            self.empty.say(
                tr("Nothing found"),
                tr(
                    "No matter in the local copy fits “{text}”. If it is new, {name} can be asked for that number.",
                    text=text,
                    name=name,
                ),
                button=tr("Ask {name} for {text}", name=name, text=text) if len(text) <= 30 else tr("Ask {name}", name=name),
                act=self.ask_for_number,
            )
        elif text:
            self.empty.say(tr("Nothing found"), tr("No matter fits “{text}”.", text=text))
        elif not state.connected(status):
            self.empty.say(tr("No matters yet"), tr("Sign in to your practice system first: its matters then appear here."))
        elif status.matters == 0:
            self.empty.say(
                tr("No matters yet"),
                tr("Your matters have not been fetched from the practice system."),
                button=tr("Fetch matters"),
                act=self.refresh_matters,
            )
        else:
            self.empty.say(tr("Type to find a matter"), tr("Matters that you ordered for or opened lately will stand here."))
        self._stack.setCurrentWidget(self.empty)

    # network

    def _can_ask(self) -> bool:
        return bool(self.field.text().strip()) and bool(state.connected(self._bridge.status))

    @staticmethod
    def _ask_name(status: Status) -> str:
        live = state.connected(status)
        return words.system_short(live[0].system) if len(live) == 1 else tr("the practice systems")

    def ask_for_number(self) -> None:
        number = self.field.text().strip()
        self._last = self.ask_for_number
        self._network(tr("Asking for {number}…", number=number))
        self._bridge.run(
            self,
            lambda desk: desk.ask_for_matter(number),
            lambda matter: self._answered(number, matter),
            self._network_failed,
            lane="ask",
            network=True,
        )

    def refresh_matters(self) -> None:
        self._last = self.refresh_matters
        self._network(tr("Fetching matters…"))
        self._bridge.run(
            self, lambda desk: desk.refresh_matters(), self._refreshed, self._network_failed, lane="refresh", network=True
        )

    def _answered(self, number: str, matter: Matter | None) -> None:
        self._network("")
        if number != self.field.text().strip():
            return
        if matter is None:
            self.empty.say(
                tr("No such matter"), tr("The practice system does not know a matter with the number “{number}”.", number=number)
            )
            self._stack.setCurrentWidget(self.empty)
            return
        self._asked = matter
        self.search()
        self.field.setFocus()

    def _refreshed(self, count: int) -> None:
        self._network("")
        self.search()
        self._bridge.notify()

    def _network_failed(self, problem: str) -> None:
        self._network("")
        self.failed.emit(problem)

    def _network(self, doing: str) -> None:
        self.refresh.setEnabled(not doing)
        self.empty.button.setEnabled(not doing)
        self.freshness.setVisible(not doing)
        if doing:
            self.busy.start(doing)
        else:
            self.busy.stop()

    # keys

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if watched is self.field and self._field_key(event):
                return True
            if watched is self.list and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self.choose_current()
                return True
        return super().eventFilter(watched, event)

    def _field_key(self, event: QKeyEvent) -> bool:
        moves: dict[int, Callable[[], int]] = {
            Qt.Key.Key_Down: lambda: 1,
            Qt.Key.Key_Up: lambda: -1,
            Qt.Key.Key_PageDown: self.list.page,
            Qt.Key.Key_PageUp: lambda: -self.list.page(),
        }
        move = moves.get(event.key())
        if move is not None:
            self.list.step(move())
            return True
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.choose_current()
            return True
        return False
