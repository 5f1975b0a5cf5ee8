"""A small window for desktops without a tray: the same state in words and the same actions."""

from __future__ import annotations

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout

from desktop.services.desk import Status
from desktop.ui import state, theme
from desktop.ui.bridge import Bridge
from desktop.ui.icons import tray_icon
from desktop.ui.language import tr
from desktop.ui.tray import menu_entries
from desktop.ui.widgets import Heading, MessageBar, Muted, clear_layout, rule
from desktop.ui.window import Clock, Window, local_now
from desktop.ui.words import Tone


class HomeWindow(Window):
    """Stands in for the tray icon.

    Signals:
        chosen(str): as the tray menu's.
    """

    chosen = Signal(str)

    def __init__(self, bridge: Bridge, *, clock: Clock = local_now) -> None:
        super().__init__(bridge, "", clock=clock)
        self.setMinimumWidth(340)
        self.face = QLabel()
        self.face.setFixedSize(QSize(32, 32))
        self.words = Heading(wrap=False)
        self.reasons = Muted()
        self.message = MessageBar()
        head = QHBoxLayout()
        head.setSpacing(12)
        head.addWidget(self.face)
        head.addWidget(self.words, 1)
        self._buttons = QVBoxLayout()
        self._buttons.setSpacing(6)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.MARGIN, theme.MARGIN, theme.MARGIN, theme.MARGIN)
        column.setSpacing(10)
        column.addLayout(head)
        column.addWidget(self.reasons)
        column.addWidget(self.message)
        column.addLayout(self._buttons)
        column.addWidget(rule())
        column.addWidget(
            Muted(
                tr(
                    "This desktop shows no tray icons. Closing this window leaves iConnect running; start it again to choose a "
                    "matter."
                )
            )
        )
        self._shown: tuple[tuple[str, str] | None, ...] = ()
        self.show_status(None)

    def show_status(self, status: Status | None) -> None:
        now = state.icon_state(status)
        self.face.setPixmap(tray_icon(now).pixmap(QSize(32, 32), self.devicePixelRatio()))
        text = state.state_words(now)
        self.words.setText(text[0].upper() + text[1:])
        self.setWindowTitle(f"iConnect - {text}")
        lines = state.reasons(status) if status is not None else []
        self.reasons.setText("\n".join(lines))
        self.reasons.setVisible(bool(lines))
        entries = menu_entries(status)
        if entries != self._shown:
            self._shown = entries
            self._fill(entries)

    def say(self, problem: str) -> None:
        self.message.say(problem, Tone.BAD)

    def _fill(self, entries: tuple[tuple[str, str] | None, ...]) -> None:
        clear_layout(self._buttons)
        for entry in entries:
            if entry is None:
                continue
            name, text = entry
            button = QPushButton(text)
            button.setObjectName(name)
            button.clicked.connect(lambda _=False, name=name: self.chosen.emit(name))
            self._buttons.addWidget(button)
