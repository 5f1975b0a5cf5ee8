"""The composition root of the tray: with `profile_desk`, the one place that knows both services and windows.

The order is the point. The lock first, because of two trays one must not even flash up; then the icon, for which Qt is imported
and nothing else; then, with the event loop running, everything else; and last, on a worker thread, the desk.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import desktop.ui  # before any Qt module: it steadies the interpreter for Qt's bindings
from desktop.lean import one_heap
from desktop.places import Places, places
from desktop.ui.instance_lock import LOCK_FILE, InstanceLock, NotFree

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication, QSystemTrayIcon

    from desktop.profile_desk import ProfileDesk
    from desktop.services.desk import Desk
    from desktop.ui.tray_app import TrayApp

_DONE, _CANNOT, _WRONG = 0, 1, 2


def run_tray(*, platform: str | None, profile: str | None, link: str = "") -> int:
    """Starts the tray and stays until the person quits; with a tray running already, brings that one forward.

    `link` is what somebody followed: the tray shows where it leads, or says what is wrong with it. Gives the exit status."""
    where = places(profile, os.environ)
    wrong = _what_is_wrong_with(link)
    if wrong:
        sys.stderr.write(f"{wrong}\n")
    try:
        lock = _lock_or_hand_over(where, link)
    except (NotFree, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return _CANNOT
    if lock is None:
        return _WRONG if wrong else _DONE
    one_heap()
    desktop.ui.load_qt()
    from PySide6.QtWidgets import QApplication

    from desktop.ui.first_icon import after_first_paint, prepare, show_first_icon

    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    prepare(app)
    program = _Program(app, show_first_icon(), platform, where, lock, link)
    after_first_paint(program.icon, lambda: program.go_on())
    try:
        status = app.exec()
    finally:
        program.close()
    if program.fault is not None:
        raise program.fault
    return status


def _what_is_wrong_with(link: str) -> str:
    """Empty where there is no link, or a right one."""
    if not link:
        return ""
    from desktop.deep_link import BadLink, parse

    try:
        parse(link)
    except BadLink as wrong:
        return str(wrong)
    return ""


def _lock_or_hand_over(where: Places, link: str) -> InstanceLock | None:
    """The lock; None when the running tray took over. Qt's network is loaded only where there is somebody to talk to."""
    lock = InstanceLock(where.profile / LOCK_FILE)
    if lock.take():
        return lock
    from desktop.ui.instance import Request, first_or_hand_over

    return first_or_hand_over(where.profile, Request.for_link(link) if link else Request("picker"))


class _Program:
    """What stands behind the first icon, once it is painted."""

    def __init__(
        self, app: QApplication, icon: QSystemTrayIcon, platform: str | None, where: Places, lock: InstanceLock, link: str
    ) -> None:
        self.icon = icon
        self.fault: BaseException | None = None
        self._app = app
        self._platform = platform
        self._where = where
        self._lock = lock
        self._link = link
        self._desk: ProfileDesk | None = None
        self._tray: TrayApp | None = None

    def go_on(self) -> None:
        try:
            self._go_on()
        except BaseException as error:  # noqa: BLE001  # Qt would print it and leave an icon that answers nobody
            self.fault = error
            self._app.exit(_CANNOT)

    def _go_on(self) -> None:
        from desktop.ui.language_file import use_the_pcs

        # Before the windows: some of their words stand in tables.
        use_the_pcs(self._app, os.environ)

        from desktop.lean import guess_no_encodings, settle
        from desktop.profile_desk import ProfileDesk
        from desktop.ui.instance import Instance, Request
        from desktop.ui.leaving import Leaving
        from desktop.ui.tray_app import TrayApp
        from desktop.ui.update_watch import usual_options

        self._desk = profile_desk = ProfileDesk(self._platform, self._where)

        def open_desk(changed: Callable[[], None]) -> Desk:
            guess_no_encodings()
            desk = profile_desk.open(changed)
            settle()
            return desk

        instance = Instance(self._where.profile, self._lock)
        self._tray = TrayApp(
            self._app,
            open_desk,
            self._desk,
            instance=instance,
            first_run=not self._where.ledger.exists(),
            show=Request.for_link(self._link) if self._link else None,
            notices_wanted=self._desk.notices_wanted,
            matters_in_notices=self._desk.matters_in_notices,
            shortcut_wanted=self._desk.shortcut_wanted,
            icon=self.icon,
            updates=usual_options(self._where.profile, profile_desk.come_to_rest),
        )
        Leaving(instance, self._tray.bridge, profile_desk.come_to_rest, self._tray.quit, self._tray)
        _stop_on_signals(self._app, self._tray)
        self._tray.start()

    def close(self) -> None:
        if self._tray is not None:
            self._tray.close()
        else:
            self.icon.hide()
            self._lock.release()
        if self._desk is not None:
            self._desk.close()


def _stop_on_signals(app: QApplication, tray: TrayApp) -> None:
    """Ctrl-C and a polite stop quit as the menu does. Python's own handler would run only when an event comes."""
    import signal
    import socket

    from PySide6.QtCore import QSocketNotifier

    inside, outside = socket.socketpair()
    inside.setblocking(False)
    outside.setblocking(False)
    signal.set_wakeup_fd(outside.fileno())
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: None)
    notifier = QSocketNotifier(inside.fileno(), QSocketNotifier.Type.Read, app)

    def woken() -> None:
        if inside.recv(64):
            tray.quit()

    notifier.activated.connect(woken)
    # Kept alive as long as the application is.
    app.setProperty("signal_sockets", [inside, outside])
