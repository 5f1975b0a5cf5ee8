"""New versions, in one small window: what is there, what is new in it, and the one button that helps."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QProgressBar, QPushButton, QVBoxLayout

from desktop.ui import theme
from desktop.ui.bridge import Bridge
from desktop.ui.language import tr
from desktop.ui.update_state import BUSY, UpdateState, UpdateView, words
from desktop.ui.update_watch import UpdateWatch
from desktop.ui.widgets import Heading, Muted, Text, open_at
from desktop.ui.window import Clock, Window, local_now

_PERCENT = 100


class UpdateWindow(Window):
    """Shows the watch's view. What the repository wrote is shown as plain text, never as marks or links."""

    def __init__(self, bridge: Bridge, watch: UpdateWatch, *, current: str, clock: Clock = local_now) -> None:
        super().__init__(bridge, tr("Updates"), clock=clock)
        open_at(self, 520, 380)
        self._watch = watch
        self._current = current
        self.heading = Heading(level=2)
        self.text = Text()
        self.progress = QProgressBar()
        self.progress.setRange(0, _PERCENT)
        self.progress.setAccessibleName(tr("Downloaded"))
        self.notes_label = Muted(tr("What is new"), wrap=False)
        self.notes = QPlainTextEdit()
        self.notes.setReadOnly(True)
        # With the keyboard for choosing comes the mark of where the keyboard is.
        self.notes.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.notes.setTabChangesFocus(True)
        self.notes.setAccessibleName(tr("What is new"))
        self.notes_label.setBuddy(self.notes)
        self.look_button = QPushButton(tr("Look now"))
        self.look_button.clicked.connect(watch.look)
        self.install_button = QPushButton(tr("Install"))
        self.install_button.clicked.connect(watch.install)
        self.not_yet_button = QPushButton(tr("Not yet"))
        self.not_yet_button.clicked.connect(watch.do_not_install)
        self.close_button = QPushButton(tr("Close"))
        self.close_button.clicked.connect(self.close)
        foot = QHBoxLayout()
        foot.setSpacing(theme.GAP)
        foot.addStretch(1)
        for button in (self.look_button, self.not_yet_button, self.install_button, self.close_button):
            button.setAutoDefault(False)
            foot.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.MARGIN, theme.MARGIN, theme.MARGIN, theme.MARGIN)
        column.setSpacing(10)
        for widget in (self.heading, self.text, self.progress, self.notes_label):
            column.addWidget(widget)
        column.addWidget(self.notes, 1)
        column.addStretch()
        column.addLayout(foot)
        watch.changed.connect(self.show_view)
        self.show_view(watch.view)

    def look(self) -> None:
        if self._watch.view.state is UpdateState.NOT_LOOKED:
            self._watch.look()

    def show_view(self, view: UpdateView) -> None:
        title, text = words(view, policy_file=str(self._watch.options.policy_file), current=self._current)
        self.heading.setText(title)
        self.text.setText(text)
        self.progress.setVisible(view.state is UpdateState.FETCHING)
        self.progress.setValue(_PERCENT * view.done // view.of if view.of else 0)
        self.notes.setPlainText(view.notes)
        for widget in (self.notes, self.notes_label):
            widget.setVisible(bool(view.notes))
        self.install_button.setVisible(view.state is UpdateState.READY)
        self.not_yet_button.setVisible(view.state in (UpdateState.WAITING, UpdateState.PROVING))
        self.look_button.setVisible(view.state not in BUSY)
