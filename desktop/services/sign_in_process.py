"""Starts the sign-in window as a process of its own and waits for the address that a sign-in ends at.

For vendors that take only an https redirect: nothing of ours serves that address, so the window watches for it. The
environment is the order window's (order_process), and nothing secret is on the command line.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import shutil
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from desktop.services.errors import NotNow
from desktop.services.identity.model import SignInFailed
from desktop.services.loggable import loggable
from desktop.services.order_process import (
    SOFTWARE_MARK,
    authorities_from,
    environment_for_order_window,
    lines_of,
    paints_remotely,
    without_addresses,
)
from desktop.services.order_protocol import PASSING_FOLDER
from desktop.services.sign_in_protocol import (
    AnySignInEvent,
    Arrived,
    CloseSignIn,
    SignInOpened,
    SignInWindowStart,
    read_sign_in_event,
    sign_in_line,
)

log = logging.getLogger(__name__)

HIDDEN_ARGUMENT = "--sign-in-window-process"
"""First argument by which the frozen program knows that it is to be a sign-in window."""

_LOOK = 0.05
_CLOSING = 5.0
_ROOT = 77


def command_for_sign_in_window() -> list[str]:
    if getattr(sys, "frozen", False):
        return [sys.executable, HIDDEN_ARGUMENT]
    return [sys.executable, "-P", "-m", "desktop.ui.browser.sign_in"]


class SignInWindows:
    """Opens a window for each sign-in; `watch` is an identity.model.WatchRedirect.

    `told` hears what the windows tell, on a thread of theirs. `popen_options` is for tests, e.g. another user to run as."""

    def __init__(
        self,
        profile: Path,
        *,
        version: str,
        never_ports: Callable[[], tuple[int, ...]] = tuple,
        command: Sequence[str] | None = None,
        environ: Mapping[str, str] | None = None,
        popen_options: Mapping[str, object] | None = None,
        as_root_unsandboxed: bool = False,
        software_rendering: bool = False,
        told: Callable[[AnySignInEvent], None] = lambda event: None,
    ) -> None:
        self._profile = profile
        self._version = version
        self._never_ports = never_ports
        self._command = list(command or command_for_sign_in_window())
        self._given = os.environ if environ is None else environ
        self._options = dict(popen_options or {})
        self._unsandboxed = as_root_unsandboxed
        self._software = software_rendering
        self._told = told

    def watch(self, address: str, redirect: str, cancelled: Callable[[], bool]) -> str | None:
        """The whole address that begins with `redirect`; None when the window was closed or `cancelled` said so. Raises
        NotNow when the window can't be started, SignInFailed when it ends in any other way."""
        environ = environment_for_order_window(self._given)
        start = SignInWindowStart(
            address=address,
            redirect=redirect,
            profile_folder=str(self._profile),
            version=self._version,
            never_ports=self._never_ports(),
            extra_authorities=authorities_from(self._given),
            software_rendering=self._software or self._software_remembered() or paints_remotely(environ),
            demo_as_root_unsandboxed=self._unsandboxed,
        )
        window = _Window(self._started(environ), self._told)
        try:
            window.send(start)
            while (ended := window.ended()) is None:
                if cancelled():
                    window.send(CloseSignIn())
                    return None
            if window.arrived or ended == 0:
                return window.arrived or None
            log.warning("a sign-in window ended with status %d", ended)
            raise SignInFailed(self._why(ended, window.last_words()))
        finally:
            window.finish()
            shutil.rmtree(self._profile / f"{PASSING_FOLDER}{window.pid}", ignore_errors=True)

    def _started(self, environ: dict[str, str]) -> subprocess.Popen[bytes]:
        options: dict[str, object] = {
            "stdin": subprocess.PIPE,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "env": environ,
            "cwd": str(self._profile),
            "close_fds": True,
            **self._options,
        }
        if sys.platform == "win32":
            options.setdefault("creationflags", subprocess.CREATE_NO_WINDOW)
        try:
            self._profile.mkdir(mode=0o700, parents=True, exist_ok=True)
            return subprocess.Popen(self._command, **options)  # type: ignore[call-overload, no-any-return]  # noqa: S603
        except OSError as error:
            raise NotNow(f"The sign-in window could not be started ({error.strerror or 'no reason given'}).") from error

    def _software_remembered(self) -> bool:
        try:
            return (self._profile / SOFTWARE_MARK).read_text("utf-8") == self._version
        except (OSError, UnicodeDecodeError):
            return False

    def _why(self, code: int, last_words: str) -> str:
        if "could not connect to display" in last_words or "no Qt platform plugin could be initialized" in last_words:
            return (
                "There is no screen to show the sign-in window on. Use «iconnect connect --no-browser», open the address that it "
                "prints in any browser, and paste the address at which the sign-in ends."
            )
        if "without --no-sandbox" in last_words or code == _ROOT:
            return "The sign-in window does not run as root. Start iConnect as an ordinary user. Nothing was stored."
        if "No usable sandbox" in last_words:
            return (
                "This PC does not let the browser engine lock itself in (user namespaces are off). IT can allow them for iConnect. "
                "Nothing was stored."
            )
        if "error while loading shared libraries" in last_words or "ImportError" in last_words:
            return "A part of the browser engine is missing on this PC. Install iConnect again. Nothing was stored."
        if code < 0 or code > 127:
            with contextlib.suppress(OSError):
                (self._profile / SOFTWARE_MARK).write_text(self._version, "utf-8")
        return "The sign-in window stopped before the sign-in was finished. Nothing was stored. Connect again."


class _Window:
    """One running window, from this side of the pipe."""

    def __init__(self, process: subprocess.Popen[bytes], told: Callable[[AnySignInEvent], None]) -> None:
        self._process = process
        self._told = told
        self._noise: deque[str] = deque(maxlen=40)
        self._news: queue.Queue[None] = queue.Queue()
        self._code: int | None = None
        self.arrived = ""
        assert process.stdout is not None
        assert process.stderr is not None
        self._threads = [
            threading.Thread(target=self._listen, args=(process.stdout,), name="sign-in-window", daemon=True),
            threading.Thread(target=self._collect, args=(process.stderr,), name="sign-in-window-noise", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, message: SignInWindowStart | CloseSignIn) -> None:
        pipe = self._process.stdin
        with contextlib.suppress(OSError, ValueError):
            if pipe is not None:
                pipe.write(sign_in_line(message))
                pipe.flush()

    def ended(self) -> int | None:
        """Waits a moment: the exit status, or 0 as soon as the address has arrived; None while it goes on."""
        with contextlib.suppress(queue.Empty):
            self._news.get(timeout=_LOOK)
        if self.arrived:
            return 0
        return self._code

    def finish(self) -> None:
        """The window has a moment to close; then it is ended."""
        self.send(CloseSignIn())
        try:
            self._process.wait(_CLOSING)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for thread in self._threads:
            thread.join(_CLOSING)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            with contextlib.suppress(OSError, ValueError):
                if pipe is not None:
                    pipe.close()

    def last_words(self) -> str:
        self._threads[1].join(2)
        return "\n".join(self._noise)

    def _listen(self, pipe: IO[bytes]) -> None:
        with contextlib.suppress(OSError, ValueError):
            for line in lines_of(pipe):
                event = read_sign_in_event(line)
                if isinstance(event, Arrived):
                    self.arrived = self.arrived or event.address
                    self._news.put(None)
                elif isinstance(event, SignInOpened):
                    log.info("sign-in window open, pid %d, sandbox %s", event.pid, loggable("on" if event.sandboxed else "OFF"))
                if event is not None:
                    self._told(event)
        self._code = self._process.wait()
        self._news.put(None)

    def _collect(self, pipe: IO[bytes]) -> None:
        with contextlib.suppress(OSError, ValueError):
            for line in lines_of(pipe):
                self._noise.append(without_addresses(line.decode("utf-8", "replace")).strip()[:400])
