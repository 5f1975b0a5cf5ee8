"""Connections: who is signed in where, since when, whether it works, and what to do if it does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from desktop.services.desk import ConnectionState, ConnectionView, InfoTrackView, Status
from desktop.services.practice.model import AccessFinding, Finding
from desktop.ui import theme, words
from desktop.ui.bridge import Bridge
from desktop.ui.language import tr
from desktop.ui.menu_path import WayView
from desktop.ui.signing_in import SigningIn
from desktop.ui.upright_scroll import UprightScroll
from desktop.ui.vendor_places import vendor_place
from desktop.ui.widgets import Busy, Card, Field, Heading, MessageBar, Muted, Pill, Text, clear_layout, open_at
from desktop.ui.window import Clock, Window, local_now
from desktop.ui.words import Tone

_STATE = {
    ConnectionState.DISCONNECTED: (tr("not connected"), Tone.QUIET),
    ConnectionState.CONNECTING: (tr("connecting"), Tone.CALM),
    ConnectionState.CONNECTED: (tr("connected"), Tone.GOOD),
    ConnectionState.ATTENTION: (tr("needs attention"), Tone.WARN),
}

# In the welcome window the same login is one step among others.
_STEP = {
    **_STATE,
    ConnectionState.DISCONNECTED: (tr("to do"), Tone.QUIET),
    ConnectionState.CONNECTED: (tr("done"), Tone.GOOD),
}

_FINDING = {
    Finding.OK: (tr("ok"), Tone.GOOD),
    Finding.MISSING: (tr("missing"), Tone.BAD),
    Finding.UNKNOWN: (tr("not known"), Tone.QUIET),
}


def connection_words(view: ConnectionView) -> tuple[str, Tone]:
    """The pill of a connection. Signed in but out of reach is not green."""
    if view.state is ConnectionState.CONNECTED and view.offline:
        return "offline", Tone.WARN
    return _STATE[view.state]


class ConnectionCard(Card):
    """One practice system.

    Signals:
        connect_wanted(str), disconnect_wanted(str), test_wanted(str): with the system's contract name.
    """

    connect_wanted = Signal(str)
    disconnect_wanted = Signal(str)
    test_wanted = Signal(str)

    def __init__(self, system: str, signing_in: SigningIn, clock: Clock, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._system = system
        self._signing_in = signing_in
        self._clock = clock
        self._pressed: QPushButton | None = None
        self.title = Heading(level=2, wrap=False)
        self.pill = Pill()
        head = QHBoxLayout()
        head.addWidget(self.title)
        head.addStretch(1)
        head.addWidget(self.pill)
        self.facts = Text()
        self.problem = MessageBar()
        self.result = MessageBar()
        self.progress = self._progress()
        self.findings = QVBoxLayout()
        self.connect_button = self._button(tr("Connect"), self.connect_wanted)
        self.disconnect_button = self._button(tr("Disconnect"), self.disconnect_wanted)
        self.test_button = self._button(tr("Test now"), self.test_wanted)
        self.busy = Busy()
        buttons = QHBoxLayout()
        buttons.setSpacing(theme.GAP)
        for button in (self.connect_button, self.disconnect_button, self.test_button):
            buttons.addWidget(button)
        buttons.addWidget(self.busy)
        buttons.addStretch(1)
        self.body.addLayout(head)
        self.body.addWidget(self.facts)
        self.body.addWidget(self.problem)
        self.body.addWidget(self.result)
        self.body.addWidget(self.progress)
        self.body.addLayout(self.findings)
        self.body.addLayout(buttons)

    def show_view(self, view: ConnectionView, budget: object = None) -> None:
        here = self._signing_in.system == self._system
        self.title.setText(view.title)
        self.setAccessibleName(view.title)
        for button in (self.connect_button, self.disconnect_button, self.test_button):
            button.setAccessibleDescription(view.title)
        word, tone = _STATE[ConnectionState.CONNECTING] if here else connection_words(view)
        self.pill.show_state(word, tone)
        signed_in = view.state in (ConnectionState.CONNECTED, ConnectionState.ATTENTION)
        facts = []
        if view.tenant:
            facts.append(tr("Organisation: {tenant}", tenant=view.tenant))
        if view.user:
            facts.append(tr("Signed in as {user}", user=view.user))
        if signed_in and view.since is not None:
            facts.append(tr("Connected since {when}", when=words.when(view.since, self._clock())))
        if signed_in and view.renewal:
            facts.append(view.renewal)
        if signed_in and (calls := calls_words(budget)):
            facts.append(calls)
        if view.offline and signed_in:
            facts.append(tr("It can't be reached at the moment. Postings wait and are sent as soon as it answers."))
        if not signed_in and not here:
            facts.append(tr("Sign in with your browser. iConnect never sees your password."))
        self.facts.setText("\n".join(facts))
        self.facts.setVisible(bool(facts))
        if view.problem and not here:
            self.problem.say(" ".join(part for part in (view.problem, view.cure) if part), Tone.WARN, keep=True)
        else:
            self.problem.clear()
        self._show_progress(here)
        other = bool(self._signing_in.system) and not here
        connecting = here or view.state is ConnectionState.CONNECTING
        self.connect_button.setVisible(not connecting and (view.state is not ConnectionState.CONNECTED or view.renew_soon))
        self.connect_button.setEnabled(not other and not self.busy.isVisibleTo(self))
        self.disconnect_button.setVisible(signed_in and not here)
        self.test_button.setVisible(signed_in and not here)

    def show_findings(self, findings: Sequence[AccessFinding]) -> None:
        """Stays until the next test or sign-in, with the time at which it was found."""
        clear_layout(self.findings)
        if findings:
            self.findings.addWidget(
                Muted(tr("What you are allowed to do, tried {when}:", when=words.when(self._clock(), self._clock())))
            )
            self.findings.addWidget(findings_view(findings, self._system))

    def set_busy(self, doing: str) -> None:
        buttons = (self.connect_button, self.disconnect_button, self.test_button)
        if doing:
            # A button that is switched off hands the keyboard to the next one, where a second press would do something else.
            self._pressed = next((button for button in buttons if button.hasFocus()), None)
            if self._pressed is not None:
                self.setFocus()
        for button in buttons:
            button.setEnabled(not doing)
        if doing:
            self.busy.start(doing)
            return
        self.busy.stop()
        if self._pressed is not None and self.hasFocus():
            self._pressed.setFocus()
        self._pressed = None

    def _button(self, text: str, signal: object) -> QPushButton:
        button = QPushButton(text)
        button.setAccessibleName(text)
        button.setAutoDefault(True)
        button.clicked.connect(lambda: signal.emit(self._system))  # type: ignore[attr-defined]
        return button

    # sign-in

    def _progress(self) -> QWidget:
        box = QWidget()
        column = QVBoxLayout(box)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.GAP)
        self.waiting = Busy()
        self.explain = Text()
        self.address = Field()
        self.address.setReadOnly(True)
        self.address.setAccessibleName(tr("Address to open"))
        copy = QPushButton(tr("Copy address"))
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.address.text()))
        self.address_row = QWidget()
        row = QHBoxLayout(self.address_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.address, 1)
        row.addWidget(copy)
        self.cancel_button = QPushButton(tr("Cancel"))
        self.cancel_button.clicked.connect(self._signing_in.cancel)
        foot = QHBoxLayout()
        foot.addWidget(self.waiting, 1)
        foot.addWidget(self.cancel_button)
        column.addWidget(self.explain)
        column.addWidget(self.address_row)
        column.addLayout(foot)
        return box

    def _show_progress(self, here: bool) -> None:
        self.progress.setVisible(here)
        if not here:
            self.waiting.stop()
            return
        flow = self._signing_in
        if flow.tenant:
            self.explain.setText(tr("Organisation: {tenant}. Finishing…", tenant=flow.tenant))
        elif flow.in_window:
            self.explain.setText(tr("Sign in in the window that iConnect has opened. Closing it cancels the sign-in."))
        elif flow.address and not flow.browser_opened:
            self.explain.setText(tr("No browser opened. Copy this address into one and sign in there."))
        elif flow.address:
            self.explain.setText(tr("Your browser is open: sign in there. If it shows nothing, copy this address into it."))
        else:
            self.explain.setText(tr("Opening your browser…"))
        self.address_row.setVisible(bool(flow.address) and not flow.tenant)
        if self.address.text() != flow.address:
            self.address.setText(flow.address)
            self.address.setCursorPosition(0)
        self.waiting.start(tr("Cancelling…") if flow.cancelling else tr("Waiting for you to sign in…"))
        self.cancel_button.setEnabled(not flow.cancelling)


def calls_words(budget: object) -> str:
    """What is left of a day's calls, where the vendor counts them; empty where nothing is known."""
    left = budget.get("day_remaining") if isinstance(budget, Mapping) else None
    if not isinstance(left, int):
        return ""
    return tr("Calls left today: {left:,} (the vendor counts those of all your firm's PCs together)", left=left)


def findings_view(findings: Sequence[AccessFinding], system: str) -> QWidget:
    """Each right with its cure; where one is missing, also where in the vendor's menus it is given."""
    box = QWidget()
    column = QVBoxLayout(box)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(6)
    column.addWidget(_findings(findings))
    place = vendor_place(system)
    if place is not None and any(finding.finding is Finding.MISSING for finding in findings):
        column.addWidget(Text(tr("Where that is changed:")))
        for way in place.ways:
            column.addWidget(WayView(way))
    return box


def _findings(findings: Sequence[AccessFinding]) -> QWidget:
    box = QWidget()
    grid = QGridLayout(box)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(12)
    grid.setVerticalSpacing(6)
    grid.setColumnStretch(1, 1)
    for row, finding in enumerate(findings):
        word, tone = _FINDING[finding.finding]
        grid.addWidget(Pill(word, tone), row, 0, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        text = QVBoxLayout()
        text.setSpacing(1)
        text.addWidget(Text(finding.right))
        more = " ".join(part for part in (finding.message, finding.cure) if part)
        if more:
            text.addWidget(Muted(more))
        grid.addLayout(text, row, 1)
    return box


class InfoTrackCard(Card):
    """The InfoTrack login. The password goes to the keyring by way of the services and is never shown again."""

    def __init__(self, bridge: Bridge, title: str = "InfoTrack", parent: QWidget | None = None, *, as_step: bool = False) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._states = _STEP if as_step else _STATE
        self.setAccessibleName("InfoTrack")
        self.pill = Pill()
        head = QHBoxLayout()
        head.addWidget(Heading(title, level=2, wrap=False))
        head.addStretch(1)
        head.addWidget(self.pill)
        self.facts = Muted() if as_step else Text()
        self.message = MessageBar()
        self.user = Field()
        self.user.setPlaceholderText(tr("User name"))
        self.user.setAccessibleName(tr("InfoTrack user name"))
        self.password = Field()
        self.password.setPlaceholderText(tr("Password"))
        self.password.setAccessibleName(tr("InfoTrack password"))
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        self.password.returnPressed.connect(self.sign_in)
        self.user.returnPressed.connect(self.password.setFocus)
        self.form = QWidget()
        fields = QHBoxLayout(self.form)
        fields.setContentsMargins(0, 0, 0, 0)
        fields.setSpacing(theme.GAP)
        fields.addWidget(self.user, 1)
        fields.addWidget(self.password, 1)
        self.sign_in_button = QPushButton(tr("Sign in"))
        self.sign_in_button.setAccessibleDescription("InfoTrack")
        self.sign_in_button.setAutoDefault(True)
        self.sign_in_button.clicked.connect(self.sign_in)
        fields.addWidget(self.sign_in_button)
        self.sign_out_button = QPushButton(tr("Sign out"))
        self.sign_out_button.setAccessibleDescription("InfoTrack")
        self.sign_out_button.clicked.connect(self.sign_out)
        self.busy = Busy()
        foot = QHBoxLayout()
        foot.addWidget(self.sign_out_button)
        foot.addWidget(self.busy)
        foot.addStretch(1)
        self.body.addLayout(head)
        self.body.addWidget(self.facts)
        self.body.addWidget(self.message)
        self.body.addWidget(self.form)
        self.body.addLayout(foot)
        self._told = False

    def show_view(self, view: InfoTrackView) -> None:
        self.pill.show_state(*self._states[view.state])
        signed_in = view.state is ConnectionState.CONNECTED
        if signed_in:
            self.facts.setText(tr("Signed in as {user}", user=view.user) if view.user else tr("Signed in"))
        else:
            self.facts.setText(tr("Your InfoTrack login. It is checked once and kept in this PC's keyring."))
        self.form.setVisible(not signed_in)
        self.sign_out_button.setVisible(view.state is not ConnectionState.DISCONNECTED)
        if view.problem:
            self.message.say(view.problem, Tone.WARN, keep=True)
        elif self._told:
            # What an attempt here came to stays until the next one: only the state's own sentence goes with the state.
            self.message.clear()
        self._told = bool(view.problem)
        if view.user and not self.user.text():
            self.user.setText(view.user)

    def sign_in(self) -> None:
        user, password = self.user.text().strip(), self.password.text()
        if not user or not password:
            self.message.say(tr("Type your InfoTrack user name and password."), Tone.CALM)
            (self.password if user else self.user).setFocus()
            return
        self.password.clear()
        self._set_busy(tr("Checking with InfoTrack…"))
        self._bridge.run(self, lambda desk: desk.sign_in_to_infotrack(user, password), self._signed_in, self._failed, network=True)

    def sign_out(self) -> None:
        self._set_busy(tr("Signing out…"))
        self._bridge.run(self, lambda desk: desk.sign_out_of_infotrack(), lambda _: self._signed_out(), self._failed, network=True)

    def _signed_in(self, view: InfoTrackView) -> None:
        if view.state is not ConnectionState.CONNECTED:
            self._failed(view.problem or tr("InfoTrack did not accept this login."))
            return
        self._set_busy("")
        self.message.clear()
        self.show_view(view)
        self._bridge.notify()

    def _signed_out(self) -> None:
        self._set_busy("")
        self.message.clear()
        self.user.clear()
        self.show_view(InfoTrackView(ConnectionState.DISCONNECTED))
        self._bridge.notify()

    def _failed(self, problem: str) -> None:
        self._set_busy("")
        self.message.say(problem)
        self.password.setFocus()
        self._bridge.notify()

    def _set_busy(self, doing: str) -> None:
        for widget in (self.form, self.sign_out_button):
            widget.setEnabled(not doing)
        if doing:
            self.message.clear()
            self._told = False
            self.busy.start(doing)
        else:
            self.busy.stop()


class ConnectionsWindow(Window):
    """A card for each practice system and one for InfoTrack."""

    def __init__(self, bridge: Bridge, signing_in: SigningIn, *, clock: Clock = local_now) -> None:
        super().__init__(bridge, tr("Connections"), clock=clock)
        open_at(self, 620, 560)
        self._signing_in = signing_in
        signing_in.changed.connect(self._sign_in_changed)
        signing_in.failed.connect(self._sign_in_failed)
        signing_in.finished.connect(self._sign_in_finished)
        self.cards: dict[str, ConnectionCard] = {}
        self.notices = MessageBar()
        self.infotrack = InfoTrackCard(bridge)
        page = QWidget()
        self._column = QVBoxLayout(page)
        self._column.setContentsMargins(theme.MARGIN, theme.MARGIN, theme.MARGIN, theme.MARGIN)
        self._column.setSpacing(12)
        self._column.addWidget(self.notices)
        self._column.addWidget(Heading(tr("Practice system"), level=2))
        self._systems = QVBoxLayout()
        self._systems.setSpacing(12)
        self._column.addLayout(self._systems)
        self.opening = Muted(tr("Opening…"))
        self._systems.addWidget(self.opening)
        self._column.addSpacing(4)
        self._column.addWidget(Heading(tr("Searches"), level=2))
        self._column.addWidget(self.infotrack)
        self._column.addStretch(1)
        scroll = UprightScroll(page)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scroll)

    def show_status(self, status: Status | None) -> None:
        if status is None:
            return
        self.opening.setVisible(not status.connections)
        self.opening.setText(tr("No practice system is set up. Ask your firm's IT for the platform file."))
        for view in status.connections:
            card = self.cards.get(view.system)
            if card is None:
                card = self.cards[view.system] = self._card(view.system)
            card.show_view(view, status.budget.get(view.system))
        self.infotrack.show_view(status.infotrack)
        # A notice that only sends the person to this window says nothing in it: the card below says more.
        notices = [notice for notice in status.notices if not notice.endswith("Sign in under Connections.")]
        if notices:
            self.notices.say("\n".join(notices), Tone.CALM, keep=True)
        else:
            self.notices.clear()

    def look(self) -> None:
        self.show_status(self.bridge.status)

    def connect_system(self, system: str) -> None:
        """Starts a sign-in, as the button does."""
        card = self.cards.get(system)
        if card is not None:
            card.result.clear()
            card.show_findings(())
        if not self._signing_in.start(system) and card is not None:
            card.result.say(tr("Another sign-in is under way. Finish or cancel it first."), Tone.CALM)

    def disconnect_system(self, system: str) -> None:
        card = self.cards[system]
        card.result.clear()
        card.show_findings(())
        card.set_busy(tr("Disconnecting…"))
        self.bridge.run(
            card,
            lambda desk: desk.disconnect(system),
            lambda sentence: self._ended(card, sentence, Tone.CALM),
            lambda problem: self._ended(card, problem, Tone.BAD),
            network=True,
        )

    def test_system(self, system: str) -> None:
        card = self.cards[system]
        card.result.clear()
        card.show_findings(())
        card.set_busy(tr("Testing…"))
        self.bridge.run(
            card,
            lambda desk: desk.check_access(system),
            lambda findings: self._tested(card, findings),
            lambda problem: self._ended(card, problem, Tone.BAD),
            network=True,
        )

    def _card(self, system: str) -> ConnectionCard:
        card = ConnectionCard(system, self._signing_in, self.clock)
        card.connect_wanted.connect(self.connect_system)
        card.disconnect_wanted.connect(self.disconnect_system)
        card.test_wanted.connect(self.test_system)
        self._systems.addWidget(card)
        # Tab goes down the window, and this card stands above the one that was made first.
        for one, other in pairwise([*_stops(card)[-1:], *_stops(self.infotrack)]):
            QWidget.setTabOrder(one, other)
        return card

    def _tested(self, card: ConnectionCard, findings: Sequence[AccessFinding]) -> None:
        card.set_busy("")
        card.show_findings(findings)
        bad = [finding for finding in findings if finding.finding is not Finding.OK]
        if not bad:
            card.result.say(tr("Everything works."), Tone.GOOD)
        self.bridge.notify()

    def _ended(self, card: ConnectionCard, sentence: str, tone: Tone) -> None:
        card.set_busy("")
        card.result.say(sentence, tone)
        self.bridge.notify()

    def _sign_in_changed(self) -> None:
        self.show_status(self.bridge.status)

    def _sign_in_failed(self, system: str, problem: str) -> None:
        card = self.cards.get(system)
        if card is not None and problem:
            card.result.say(problem)

    def _sign_in_finished(self, view: ConnectionView) -> None:
        card = self.cards.get(view.system)
        if card is not None:
            card.show_view(view)
            card.result.say(tr("Signed in to {name}.", name=view.tenant or view.title), Tone.GOOD)
            # A sign-in alone says nothing about what it allows.
            self.bridge.run(
                card, lambda desk: desk.check_access(view.system), card.show_findings, lambda _: None, lane="rights", network=True
            )


def _stops(card: QWidget) -> list[QWidget]:
    """What of it takes the keyboard, in Tab's order."""
    found: list[QWidget] = []
    one = card.nextInFocusChain()
    while one is not None and one is not card:
        if card.isAncestorOf(one) and one.focusPolicy() & Qt.FocusPolicy.TabFocus:
            found.append(one)
        one = one.nextInFocusChain()
    return found
