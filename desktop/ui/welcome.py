"""The first run: what iConnect is, and the few steps to a first search, each ticked off by what is true now."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from desktop.services.desk import ConnectionState, Status
from desktop.ui import state
from desktop.ui.bridge import Bridge
from desktop.ui.connections import InfoTrackCard
from desktop.ui.widgets import Busy, Card, Heading, MessageBar, Muted, Pill, open_at
from desktop.ui.window import Clock, Window, local_now
from desktop.ui.words import Tone


class StepCard(Card):
    """One step: a number, what to do, whether it is done, and the button that does it."""

    def __init__(self, number: int, title: str, text: str, button: str, act: Callable[[], None]) -> None:
        super().__init__()
        self._number = number
        self._title = title
        head = QHBoxLayout()
        head.addWidget(Heading(f"{number}. {title}", level=2), 1)
        self.pill = Pill()
        head.addWidget(self.pill)
        self.text = Muted(text)
        self.button = QPushButton(button)
        self.button.setAccessibleDescription(title)
        self.button.clicked.connect(lambda: act())
        self.foot = QHBoxLayout()
        self.foot.addWidget(self.button)
        self.foot.addStretch(1)
        self.body.addLayout(head)
        self.body.addWidget(self.text)
        self.body.addLayout(self.foot)
        self.mark(False)

    def mark(self, done: bool, text: str = "") -> None:
        self.done = done
        self.pill.show_state("done" if done else "to do", Tone.GOOD if done else Tone.QUIET)
        self.setAccessibleName(f"Step {self._number}: {self._title}, {'done' if done else 'to do'}")
        if text:
            self.text.setText(text)


class WelcomeWindow(Window):
    """Steps for a first run; each looks at the status, so it is right also when a step was done elsewhere.

    Signals:
        connect_wanted(): sign in to the practice system.  settings_wanted(): choose cost codes.
        picker_wanted(): the first search.
    """

    connect_wanted = Signal()
    settings_wanted = Signal()
    picker_wanted = Signal()

    def __init__(self, bridge: Bridge, *, clock: Clock = local_now) -> None:
        super().__init__(bridge, "Welcome", clock=clock)
        open_at(self, 580, 700)
        self.sign_in = StepCard(
            1,
            "Sign in to your practice system",
            "Your browser opens, and you sign in there. iConnect never sees that password.",
            "Connect",
            self.connect_wanted.emit,
        )
        self.sign_in.button.setAccessibleName("Connect")
        self.infotrack = InfoTrackCard(bridge, "2. Sign in to InfoTrack", as_step=True)
        self.matters = StepCard(
            3, "Fetch your matters", "So that you can find one by a few letters, also offline.", "Fetch matters", self._fetch
        )
        self.busy = Busy()
        self.matters.foot.insertWidget(1, self.busy)
        self.message = MessageBar()
        self.matters.body.addWidget(self.message)
        self.codes = StepCard(
            4,
            "Check the cost codes",
            "Which cost code amounts with and without GST get. Your firm's IT may have set them already.",
            "Open Settings",
            self.settings_wanted.emit,
        )
        self.codes.pill.hide()
        self.first = StepCard(
            5,
            "Order your first search",
            "Choose a matter, press New search, and order as usual.",
            "Choose a matter",
            self.picker_wanted.emit,
        )
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(24, 20, 24, 20)
        column.setSpacing(12)
        column.addWidget(Heading("Welcome to iConnect"))
        column.addWidget(
            Muted(
                "Order InfoTrack searches for a matter. Documents and costs then go to that matter by themselves, and each is "
                "shown as done only when it was seen there."
            )
        )
        column.addSpacing(4)
        column.addWidget(self.sign_in)
        column.addWidget(self.infotrack)
        column.addWidget(self.matters)
        column.addWidget(self.codes)
        column.addWidget(self.first)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(page)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scroll)
        self.show_status(None)

    def show_status(self, status: Status | None) -> None:
        live = state.connected(status)
        names = ", ".join(view.tenant or view.title for view in live)
        self.sign_in.mark(bool(live), f"Signed in to {names}." if live else "")
        self.sign_in.button.setVisible(not live)
        if status is not None:
            self.infotrack.show_view(status.infotrack)
        fetched = status is not None and status.refreshed_at is not None
        count = status.matters if status is not None else 0
        self.matters.mark(fetched, f"{count:,} matters can be found." if fetched else "")
        self.matters.button.setEnabled(bool(live) and not self.busy.isVisibleTo(self.matters))
        ready = bool(live) and status is not None and status.infotrack.state is ConnectionState.CONNECTED
        ordered = status is not None and sum(status.deliveries.values()) > 0
        self.first.mark(ordered)
        self.first.button.setEnabled(bool(live))
        self.first.button.setDefault(ready)

    def _fetch(self) -> None:
        self.message.clear()
        self.busy.start("Fetching matters…")
        self.matters.button.setEnabled(False)
        self.bridge.run(self, lambda desk: desk.refresh_matters(), self._fetched, self._not_fetched, network=True)

    def _fetched(self, count: int) -> None:
        self.busy.stop()
        self.matters.mark(True, f"{count:,} matters can be found.")
        self.matters.button.setEnabled(True)
        self.bridge.notify()

    def _not_fetched(self, problem: str) -> None:
        self.busy.stop()
        self.matters.button.setEnabled(True)
        self.message.say(problem)
