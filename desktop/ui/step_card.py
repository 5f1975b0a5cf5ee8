"""One step of the first run."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from desktop.services.practice.model import AccessFinding, Finding
from desktop.ui.connections import findings_view
from desktop.ui.language import tr
from desktop.ui.menu_path import WayView
from desktop.ui.vendor_places import vendor_place
from desktop.ui.widgets import Busy, Card, Heading, MessageBar, Muted, Pill, Text, clear_layout
from desktop.ui.words import Tone


class StepCard(Card):
    """One step: a number, what to do, whether it is done, and the button that does it."""

    def __init__(self, number: int, title: str, text: str, button: str, act: Callable[[], None]) -> None:
        super().__init__()
        self._number = number
        self._title = title
        self.is_missing_something = False
        """Whether it was tried and something was found to be missing."""
        head = QHBoxLayout()
        head.addWidget(Heading(f"{number}. {title}", level=2), 1)
        self.pill = Pill()
        head.addWidget(self.pill)
        self.text = Muted(text)
        self.busy = Busy()
        self.message = MessageBar()
        self.button = QPushButton(button)
        self.button.setAccessibleDescription(title)
        # Enter presses it, as in a dialog.
        self.button.setAutoDefault(True)
        self.button.clicked.connect(lambda: act())
        self.foot = QHBoxLayout()
        self.foot.addWidget(self.button)
        self.foot.addWidget(self.busy)
        self.foot.addStretch(1)
        self.body.addLayout(head)
        self.body.addWidget(self.text)
        self.body.addWidget(self.message)
        self.body.addLayout(self.foot)
        self.mark(False)

    def mark(self, done: bool, text: str = "") -> None:
        self.done = done
        self.pill.show_state(tr("done") if done else tr("to do"), Tone.GOOD if done else Tone.QUIET)
        self.setAccessibleName(
            tr("Step {number}: {title}, {state}", number=self._number, title=self._title, state=tr("done") if done else tr("to do"))
        )
        if text:
            self.text.setText(text)


class AccessStep(StepCard):
    """What an account and an administrator are needed for, and whether everything is allowed: found by trying it."""

    def __init__(self, number: int, act: Callable[[], None]) -> None:
        super().__init__(number, tr("An account that may do it"), "", tr("Test now"), act)
        self._system = ""
        self._instructions = ""
        self._ways = QWidget()
        self._column = QVBoxLayout(self._ways)
        self._column.setContentsMargins(0, 0, 0, 0)
        self.body.insertWidget(2, self._ways)
        # Whoever sits at the desk seldom needs these words, and can't do what they say.
        self.more = QPushButton(tr("What IT does once"))
        self.more.setCheckable(True)
        self.more.toggled.connect(self._ways.setVisible)
        self.copy = QPushButton(tr("Copy it for IT"))
        self.copy.clicked.connect(self._copy)
        for place, button in enumerate((self.more, self.copy), start=1):
            button.setAutoDefault(False)
            self.foot.insertWidget(place, button)

    def show_system(self, system: str) -> None:
        """What is to be done before the first sign-in; nothing where it is shown already."""
        place = vendor_place(system)
        if system == self._system or place is None:
            return
        self._system = system
        self.mark(
            False,
            tr(
                "{account} Your firm's IT sets iConnect up once and has mostly done so: go on with step 2. If something is "
                "missing, iConnect says what, and for whom.",
                account=place.account,
            ),
        )
        clear_layout(self._column)
        self._column.addWidget(Text(place.once))
        self._column.addWidget(Muted(tr("Then, for each person:")))
        for way in place.ways:
            self._column.addWidget(WayView(way))
        lines = [f"{' > '.join(way.steps)}: {way.then} ({way.who})" for way in place.ways]
        self._instructions = "\n".join([tr("To set up iConnect:"), place.once, *lines])
        self._ways.setVisible(self.more.isChecked())

    def show_findings(self, findings: Sequence[AccessFinding]) -> None:
        clear_layout(self._column)
        missing = [finding for finding in findings if finding.finding is Finding.MISSING]
        self.is_missing_something = bool(missing)
        for button in (self.more, self.copy):
            button.hide()
        self._ways.setVisible(bool(missing))
        if missing:
            self.mark(False, tr("Something is not allowed yet. Show this to your administrator, then test again."))
            self._column.addWidget(findings_view(findings, self._system))
        else:
            self.mark(True, tr("Everything that iConnect needs is allowed: it was tried just now."))

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._instructions)
        self.message.say(tr("Copied. Paste it into a message to your firm's IT."), Tone.GOOD)
