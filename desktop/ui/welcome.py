"""The first run: what iConnect is, and the few steps to a first search, each ticked off by what is true now."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.services.desk import ConnectionState, Status
from desktop.services.practice.model import AccessFinding, CostCode
from desktop.ui import state, words
from desktop.ui.bridge import Bridge
from desktop.ui.connections import InfoTrackCard
from desktop.ui.language import tr
from desktop.ui.own_settings import OwnSettings, SettingsDoor
from desktop.ui.step_card import AccessStep, StepCard
from desktop.ui.upright_scroll import UprightScroll
from desktop.ui.vendor_places import vendor_place
from desktop.ui.widgets import Heading, Muted, open_at
from desktop.ui.window import Clock, Window, local_now


class WelcomeWindow(Window):
    """Steps for a first run; each looks at the status, so it is right also when a step was done elsewhere.

    Signals:
        connect_wanted(): sign in to the practice system.  settings_wanted(): choose cost codes.
        picker_wanted(): the first search.
    """

    connect_wanted = Signal()
    settings_wanted = Signal()
    picker_wanted = Signal()

    def __init__(self, bridge: Bridge, *, door: SettingsDoor | None = None, clock: Clock = local_now) -> None:
        """Without a `door` the cost codes are not looked into."""
        super().__init__(bridge, tr("Welcome"), clock=clock)
        open_at(self, 600, 700)
        self._door = door
        self._tried = ""
        self._codes_of = ""
        self._fetched_for = ""
        self._led_to: QWidget | None = None
        self._signing_in_from_here = False
        self.access = AccessStep(1, self.try_access)
        self.sign_in = StepCard(
            2,
            tr("Sign in to your practice system"),
            tr("Your browser opens, and you sign in there. iConnect never sees that password."),
            tr("Connect"),
            self._connect,
        )
        self.sign_in.button.setAccessibleName(tr("Connect"))
        self.infotrack = InfoTrackCard(bridge, tr("3. Sign in to InfoTrack"), as_step=True)
        self.matters = StepCard(
            4,
            tr("Fetch your matters"),
            tr("So that you can find one by a few letters, also offline."),
            tr("Fetch matters"),
            self._fetch,
        )
        self.codes = StepCard(
            5,
            tr("Check the cost codes"),
            tr("Which cost code amounts with and without GST get. Your firm's IT may have set them already."),
            tr("Open Settings"),
            self.settings_wanted.emit,
        )
        self.first = StepCard(
            6,
            tr("Order your first search"),
            tr("Choose a matter, press New search, and order as usual."),
            tr("Choose a matter"),
            self.picker_wanted.emit,
        )
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(24, 20, 24, 20)
        column.setSpacing(12)
        column.addWidget(Heading(tr("Welcome to iConnect")))
        column.addWidget(
            Muted(
                tr(
                    "Order InfoTrack searches for a matter. Documents and costs then go to that matter by themselves, and each is "
                    "shown as done only when it was seen there."
                )
            )
        )
        column.addSpacing(4)
        column.addWidget(self.access)
        column.addWidget(self.sign_in)
        column.addWidget(self.infotrack)
        column.addWidget(self.matters)
        column.addWidget(self.codes)
        column.addWidget(self.first)
        column.addStretch(1)
        scroll = UprightScroll(page)
        self._scroll = scroll
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scroll)
        self.show_status(None)

    def show_status(self, status: Status | None) -> None:
        live = state.connected(status)
        names = ", ".join(view.tenant or view.title for view in live)
        default = state.default_connection(status) if status is not None else None
        first = live[0] if live else default
        if first is not None:
            self.access.show_system(first.system)
        place = vendor_place(first.system) if first is not None else None
        hint = tr("Your browser opens. {sign_in} iConnect sees none of it.", sign_in=place.sign_in) if place is not None else ""
        self.sign_in.mark(bool(live), tr("Signed in to {names}.", names=names) if live else hint)
        self.sign_in.button.setVisible(not live)
        # Pressed before anything is known, it would lead nowhere.
        self.sign_in.button.setEnabled(status is not None)
        if status is None:
            self.sign_in.busy.start(tr("Opening…"))
        else:
            self.sign_in.busy.stop()
        self.access.button.setVisible(bool(live))
        if status is not None:
            self.infotrack.show_view(status.infotrack)
        fetched = status is not None and status.refreshed_at is not None
        count = status.matters if status is not None else 0
        self.matters.mark(fetched, tr("{count:,} matters can be found.", count=count) if fetched else "")
        self.matters.button.setEnabled(bool(live) and not self.matters.busy.isVisibleTo(self.matters))
        ready = bool(live) and status is not None and status.infotrack.state is ConnectionState.CONNECTED
        ordered = status is not None and sum(status.deliveries.values()) > 0
        self.first.mark(ordered)
        self.first.button.setEnabled(bool(live))
        self.first.button.setDefault(ready)
        if live:
            sign_in = f"{live[0].system} {live[0].tenant} {live[0].since}"
            if self._tried != sign_in:
                self._tried = sign_in
                self.try_access()
            if self._codes_of != sign_in:
                self._codes_of = sign_in
                self.check_codes()
            if not fetched and status is not None and not status.refreshing and self._fetched_for != sign_in:
                self._fetched_for = sign_in
                self._fetch()
            if self._signing_in_from_here:
                # The sign-in was followed in another window: the next step is here.
                self._signing_in_from_here = False
                self.bring_forward()
        if status is not None:
            self._lead(self._next_step(status))

    def _next_step(self, status: Status) -> QWidget:
        """Where a person who only ever presses Enter goes on."""
        if not state.connected(status):
            return self.sign_in.button
        if status.infotrack.state is not ConnectionState.CONNECTED:
            return self.infotrack.password if self.infotrack.user.text() else self.infotrack.user
        if status.refreshed_at is None and not self.matters.busy.isVisibleTo(self.matters):
            return self.matters.button
        if self.access.is_missing_something:
            return self.access.button
        return self.codes.button if self.codes.is_missing_something else self.first.button

    def _lead(self, to: QWidget) -> None:
        """Puts the keyboard on the next step, once: a person who has gone elsewhere meanwhile is left there."""
        if to is self._led_to or not to.isEnabled():
            return
        if {to, self._led_to} == {self.infotrack.user, self.infotrack.password}:
            return
        self._led_to = to
        to.setFocus()
        card = next(
            (one for one in (self.access, self.sign_in, self.infotrack, self.matters, self.codes) if one.isAncestorOf(to)),
            self.first,
        )
        self._scroll.ensureWidgetVisible(card)

    def _connect(self) -> None:
        self._signing_in_from_here = True
        self.connect_wanted.emit()

    def try_access(self) -> None:
        """Tries what the signed-in person is allowed to do."""
        live = state.connected(self.bridge.status)
        if not live:
            return
        system = live[0].system
        self.access.message.clear()
        self.access.busy.start(tr("Testing…"))
        self.access.button.setEnabled(False)
        self.bridge.run(
            self, lambda desk: desk.check_access(system), self._tried_access, self._not_tried, lane="rights", network=True
        )

    def _tried_access(self, findings: Sequence[AccessFinding]) -> None:
        self.access.busy.stop()
        self.access.button.setEnabled(True)
        self.access.show_findings(findings)
        self._go_on()

    def _go_on(self) -> None:
        if (status := self.bridge.status) is not None:
            self._lead(self._next_step(status))

    def _not_tried(self, problem: str) -> None:
        self.access.busy.stop()
        self.access.button.setEnabled(True)
        self.access.message.say(problem)

    def check_codes(self) -> None:
        """Holds the chosen cost codes against the practice system's own list."""
        live, door = state.connected(self.bridge.status), self._door
        if not live or door is None:
            return
        system = live[0].system
        self.codes.message.clear()
        self.codes.busy.start(tr("Fetching the firm's cost codes…"))
        self.bridge.run(
            self,
            lambda desk: (door.load().values, desk.cost_codes(system)),
            lambda found: self._took_codes(system, *found),
            self._no_codes,
            lane="codes",
            network=True,
        )

    def _took_codes(self, system: str, chosen: OwnSettings, codes: Sequence[CostCode]) -> None:
        self.codes.busy.stop()
        known = {code.code for code in codes}
        title = words.system_title(system)
        self.codes.is_missing_something = not {chosen.code_taxed, chosen.code_untaxed} <= known
        if not chosen.code_taxed or not chosen.code_untaxed:
            self.codes.mark(False, tr("Choose one code for amounts with GST and one for amounts without."))
            return
        missing = [code for code in (chosen.code_taxed, chosen.code_untaxed) if code not in known]
        if missing:
            self.codes.mark(False, tr("{title} has no cost code “{code}”. Choose one from its list.", title=title, code=missing[0]))
        else:
            self.codes.mark(
                True,
                tr(
                    "Amounts with GST get {code_taxed}, those without {code_untaxed}; both are in {title}'s list.",
                    code_taxed=chosen.code_taxed,
                    code_untaxed=chosen.code_untaxed,
                    title=title,
                ),
            )
        self._go_on()

    def _no_codes(self, problem: str) -> None:
        self.codes.busy.stop()
        self.codes.message.say(problem)

    def _fetch(self) -> None:
        self.matters.message.clear()
        self.matters.busy.start(tr("Fetching matters…"))
        self.matters.button.setEnabled(False)
        self.bridge.run(self, lambda desk: desk.refresh_matters(), self._fetched, self._not_fetched, network=True)

    def _fetched(self, count: int) -> None:
        self.matters.busy.stop()
        self.matters.mark(True, tr("{count:,} matters can be found.", count=count))
        self.matters.button.setEnabled(True)
        self.bridge.notify()

    def _not_fetched(self, problem: str) -> None:
        self.matters.busy.stop()
        self.matters.button.setEnabled(True)
        self.matters.message.say(problem)
        self._go_on()
