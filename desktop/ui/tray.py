"""The tray icon and its menu. Both are made from the status; nothing is patched.

A host for tray icons may come late, go away and come back: the icon is offered again whenever one is there.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from desktop.services.desk import ConnectionState, Status
from desktop.ui import state
from desktop.ui.icons import tray_icon
from desktop.ui.language import tr
from desktop.ui.menus import lined
from desktop.ui.state import IconState

HOST_CHECK_MS = 3_000


class Tray(QObject):
    """The icon.

    Signals:
        clicked(): a left click (or the platform's own way to activate it).
        chosen(str): a menu entry: connect, disconnect, picker, deliveries, connections, settings, welcome, updates, quit.
        notice_clicked(): the shown notice was clicked.
        host_changed(bool): a host for tray icons came or went; also emitted by the first check.
    """

    clicked = Signal()
    chosen = Signal(str)
    notice_clicked = Signal()
    host_changed = Signal(bool)

    def __init__(
        self, parent: QObject | None = None, *, check_ms: int = HOST_CHECK_MS, icon: QSystemTrayIcon | None = None
    ) -> None:
        """Takes over an `icon` that is shown already."""
        super().__init__(parent)
        self._status: Status | None = None
        self._host: bool | None = None
        self._updates = ""
        self.icon_state: IconState | None = None
        self.icon = icon or QSystemTrayIcon()
        self.icon.setParent(self)
        self.menu = lined(QMenu())
        self.menu.aboutToShow.connect(self._fill_menu)
        self.icon.setContextMenu(self.menu)
        self.icon.activated.connect(self._activated)
        self.icon.messageClicked.connect(self.notice_clicked)
        self._watch = QTimer(self)
        self._watch.setObjectName("look for a tray host")
        self._watch.setInterval(check_ms)
        self._watch.timeout.connect(self.check_host)
        self.show_status(None)

    def start(self) -> None:
        """Shows the icon if there is a host for it, and goes on looking for one."""
        self.check_host()
        self._watch.start()

    def stop(self) -> None:
        self._watch.stop()
        self.icon.hide()

    @property
    def has_host(self) -> bool:
        return bool(self._host)

    def check_host(self) -> None:
        """Looks whether there is a host now. One that comes gets the icon; Qt loses it with the one that goes."""
        host = QSystemTrayIcon.isSystemTrayAvailable()
        if host == self._host:
            return
        self._host = host
        self.icon.setVisible(host)
        self.host_changed.emit(host)

    def show_status(self, status: Status | None) -> None:
        self._status = status
        now = state.icon_state(status)
        if now is not self.icon_state:
            self.icon_state = now
            self.icon.setIcon(tray_icon(now))
        tip = state.tooltip(status)
        if tip != self.icon.toolTip():
            self.icon.setToolTip(tip)
        if not self.menu.isVisible():
            # Some hosts fetch the menu before they say that it opens.
            self._fill_menu()

    def show_problem(self, text: str) -> None:
        """For when there will be no status: the program could not open what it needs."""
        self.icon_state = IconState.ATTENTION
        self.icon.setIcon(tray_icon(self.icon_state))
        self.icon.setToolTip(f"iConnect: {state.state_words(self.icon_state)}\n{text}")

    def show_updates(self, text: str) -> None:
        """What the menu says of new versions; empty for no such entry."""
        self._updates = text
        if not self.menu.isVisible():
            self._fill_menu()

    def notify(self, text: str) -> None:
        """Shows one notice; it replaces the one before."""
        if self.has_host:
            self.icon.showMessage("iConnect", text, tray_icon(IconState.ATTENTION), 10_000)

    def _activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        # A right click reports Context and opens the menu by itself; a double click comes as a Trigger first.
        if reason == QSystemTrayIcon.ActivationReason.Trigger:
            self.clicked.emit()

    def _fill_menu(self) -> None:
        self.menu.clear()
        for entry in menu_entries(self._status, self._updates):
            if entry is None:
                self.menu.addSeparator()
                continue
            name, text = entry
            action = self.menu.addAction(text)
            action.setObjectName(name)
            action.triggered.connect(lambda _=False, name=name: self.chosen.emit(name))


def menu_entries(status: Status | None, updates: str = "") -> tuple[tuple[str, str] | None, ...]:
    """The menu as (what is emitted, what is read); None is a line between groups. `updates` is the words of their entry. Pure."""
    live = state.connected(status)
    broken = any(view.state is ConnectionState.ATTENTION for view in live)
    entries: list[tuple[str, str] | None] = []
    if not live or broken:
        entries += [("connect", tr("Connect")), None]
    entries += [
        ("picker", tr("Choose a matter")),
        ("deliveries", tr("Orders and postings")),
        None,
        ("connections", tr("Connections")),
        ("settings", tr("Settings")),
        ("welcome", tr("Welcome")),
        *([("updates", updates)] if updates else []),
        None,
        *([("disconnect", tr("Disconnect"))] if live else []),
        ("quit", tr("Quit")),
    ]
    return tuple(entries)
