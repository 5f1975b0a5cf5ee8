"""Looks for new versions once a day, and begins an installation that the person asked for as soon as nothing is in flight: no send,
and no order window that a person has open.

Looking is a process of its own (`desktop.services.updates.looking`); here its lines become one view. Nothing is installed that
the person did not ask for, and what is installed was proved a moment before.
"""

from __future__ import annotations

import errno
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, QTimer, Signal

from desktop.places import machine_wide_folder
from desktop.services.desk import Desk
from desktop.services.loggable import error_kind
from desktop.services.updates.policy import POLICY_FILE, PolicyError, read_policy
from desktop.services.updates.told import Told, read
from desktop.ui.bridge import Bridge
from desktop.ui.language import tr
from desktop.ui.update_state import BUSY, UpdateState, UpdateView

log = logging.getLogger(__name__)

FIRST_MS = 60_000
EVERY_MS = 24 * 3_600_000
QUIET_CHECK_MS = 2_000

S = UpdateState


def command_for_looking() -> list[str]:
    """How to start this program as the process that looks: the frozen program itself, or the interpreter that runs this one."""
    if getattr(sys, "frozen", False):
        return [sys.executable, "-m", "desktop.services.updates.looking"]
    return [sys.executable, "-P", "-m", "desktop.services.updates.looking"]


def start_setup(file: Path) -> None:
    """Starts the proved setup apart from this program, by way of the desktop, which asks for an administrator where one is needed.
    Raises OSError."""
    if sys.platform == "win32":
        os.startfile(file)  # noqa: S606  # the package was proved to be the maker's
    else:
        raise OSError(errno.ENOTSUP, tr("on this system the package manager installs it"))


def _nobody_knows() -> int:
    return 1


@dataclass(frozen=True, slots=True)
class UpdateOptions:
    """`folder` is where lists and packages are kept, private to the person. `installs_itself`: a release for this kind of PC is a
    setup; elsewhere it is announced only. `come_to_rest` runs on a worker thread: begins nothing new for a while and gives how many
    things are in flight (Background.come_to_rest); while nobody knows that, nothing is installed."""

    folder: Path
    command: Sequence[str]
    environment: Mapping[str, str]
    installs_itself: bool
    start: Callable[[Path], None] = start_setup
    come_to_rest: Callable[[], int] = _nobody_knows
    first_ms: int = FIRST_MS
    every_ms: int = EVERY_MS
    quiet_check_ms: int = QUIET_CHECK_MS

    @property
    def policy_file(self) -> Path:
        return machine_wide_folder(self.environment) / POLICY_FILE


def usual_options(profile: Path, come_to_rest: Callable[[], int]) -> UpdateOptions:
    """For a program of this PC."""
    return UpdateOptions(
        profile / "updates",
        command_for_looking(),
        os.environ,
        installs_itself=sys.platform == "win32",
        come_to_rest=come_to_rest,
    )


class UpdateWatch(QObject):
    """Lives on the GUI thread.

    Signals:
        changed(UpdateView): what is known, whenever that differs.
        leave(): the setup runs and nothing is in flight; the program should quit, as the menu does.
    """

    changed = Signal(object)
    leave = Signal()

    def __init__(self, bridge: Bridge, options: UpdateOptions, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self.options = options
        self._process: QProcess | None = None
        self._rest = b""
        self._heard = False
        self._installing = False
        self._again = False
        self.view = UpdateView(installs_itself=options.installs_itself)
        self._timer = QTimer(self)
        self._timer.setObjectName("look for new versions")
        self._timer.timeout.connect(self._on_timer)
        self._quiet = QTimer(self)
        self._quiet.setObjectName("wait until nothing is sent")
        self._quiet.setInterval(options.quiet_check_ms)
        self._quiet.timeout.connect(self._check_quiet)

    def start(self) -> None:
        """Begins to look, a while after the start and then once a day."""
        self._timer.start(self.options.first_ms)

    def stop(self) -> None:
        """Ends timers and a look that is on its way; a download that is cut off leaves nothing."""
        self._timer.stop()
        self._quiet.stop()
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.waitForFinished(2_000)

    def look(self) -> None:
        """Looks now, if the PC's policy lets it and nothing of it runs already."""
        if self.view.state in BUSY:
            return
        if self._process is not None:
            # It has told all that it had to, and is about to end.
            self._again = True
            return
        folder = machine_wide_folder(self.options.environment)
        self._bridge.run(self, lambda _: _allowed(folder), self._policy_read, lane="policy")

    def install(self) -> None:
        """Proves the package once more, waits until nothing is in flight, then starts it, and asks to leave as soon as nothing is.
        Only when it is ready."""
        if self.view.state is S.READY:
            self._installing = True
            self._show(replace(self.view, state=S.PROVING))
            if self._process is None:
                self._begin(fetch=True)

    def do_not_install(self) -> None:
        """Takes back `install` while it waits."""
        if self.view.state in (S.WAITING, S.PROVING):
            self._installing = False
            self._quiet.stop()
            self._show(replace(self.view, state=S.READY))

    # a look

    def _on_timer(self) -> None:
        self._timer.start(self.options.every_ms)
        self.look()

    def _policy_read(self, found: tuple[bool, str]) -> None:
        enabled, problem = found
        plain = UpdateView(installs_itself=self.options.installs_itself)
        if problem:
            self._show(replace(plain, state=S.PROBLEM, problem=problem))
        elif not enabled:
            self._show(replace(plain, state=S.OFF))
        elif self._process is None:
            if self.view.state is not S.READY:
                self._show(replace(plain, state=S.LOOKING))
            self._begin(fetch=self.options.installs_itself)

    def _begin(self, *, fetch: bool) -> None:
        self._rest, self._heard = b"", False
        process = QProcess(self)
        self._process = process
        process.readyReadStandardOutput.connect(self._read)
        process.finished.connect(lambda *_: self._ended(process))
        process.errorOccurred.connect(lambda error: self._failed(process, error))
        process.setStandardErrorFile(QProcess.nullDevice())
        program, *arguments = self.options.command
        process.start(program, [*arguments, str(self.options.folder), *(["--fetch"] if fetch else [])])

    def _read(self) -> None:
        if self._process is None:
            return
        *lines, self._rest = (self._rest + bytes(self._process.readAllStandardOutput().data())).split(b"\n")
        for line in lines:
            told = read(line)
            if told is not None:
                self._hear(told)

    def _hear(self, told: Told) -> None:
        if told.kind not in ("offer", "progress"):
            self._heard = True
        view = replace(
            UpdateView(installs_itself=self.options.installs_itself),
            version=told.version,
            notes=told.notes,
            done=told.done,
            of=told.of,
        )
        match told.kind:
            case "off":
                self._show(replace(view, state=S.OFF))
            case "newest":
                self._show(replace(view, state=S.NEWEST))
            case "problem":
                self._installing = False
                self._show(replace(view, state=S.PROBLEM, problem=told.words, refused=told.refused))
            case "ready" if self._installing:
                self._show(replace(view, state=S.WAITING, file=told.file))
                self._quiet.start()
                self._check_quiet()
            case "ready":
                self._show(replace(view, state=S.READY, file=told.file))
            case "offer" if not self.options.installs_itself:
                self._heard = True
                self._show(replace(view, state=S.OFFERED))
            case "offer" | "progress" if not self._installing and self.view.state is not S.READY:
                self._show(replace(view, state=S.FETCHING))

    def _ended(self, process: QProcess) -> None:
        if process is self._process:
            self._read()
            self._process = None
            if not self._heard:
                self._no_answer(tr("it ended without an answer"))
            elif self.view.state is S.PROVING:
                self._begin(fetch=True)
            elif self._again:
                self._again = False
                self.look()
        process.deleteLater()

    def _failed(self, process: QProcess, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart and process is self._process:
            self._process = None
            self._no_answer(tr("its process could not be started"))
            process.deleteLater()

    def _no_answer(self, why: str) -> None:
        self._installing = False
        words = tr("iConnect could not look for a new version: {why}.", why=why)
        self._show(UpdateView(S.PROBLEM, problem=words, installs_itself=self.options.installs_itself))

    # an installation

    def _check_quiet(self) -> None:
        come_to_rest = self.options.come_to_rest

        def work(_: Desk) -> int:
            return come_to_rest()

        def failed(_: str) -> None:
            # A desk that was never opened sends nothing; of one that is open nothing is known now, so it counts as busy.
            self._quiet_known(1 if self._bridge.is_open else 0)

        self._bridge.run(self, work, self._quiet_known, failed, lane="quiet")

    def _quiet_known(self, in_flight: int) -> None:
        if in_flight or not self._quiet.isActive():
            return
        if self.view.state is S.STARTED:
            self._quiet.stop()
            self.leave.emit()
        elif self._installing and self.view.state is S.WAITING:
            self._start_setup()

    def _start_setup(self) -> None:
        self._installing = False
        try:
            self.options.start(Path(self.view.file))
        except OSError as error:
            self._quiet.stop()
            log.warning("the setup did not start: %s", error_kind(error))
            words = tr(
                "The setup could not be started ({why}). Nothing was changed.", why=error.strerror or tr("the system refused it")
            )
            self._show(replace(self.view, state=S.PROBLEM, problem=words))
            return
        self._show(replace(self.view, state=S.STARTED))
        # The desktop may have asked for an administrator meanwhile, and a person may have opened a window: another look.
        self._check_quiet()

    def _show(self, view: UpdateView) -> None:
        if view != self.view:
            self.view = view
            self.changed.emit(view)


def _allowed(folder: Path) -> tuple[bool, str]:
    """Whether the PC's policy lets it look, and what is wrong with the policy. On a worker thread."""
    try:
        return read_policy(folder).updates.enabled, ""
    except PolicyError as error:
        return False, str(error)
