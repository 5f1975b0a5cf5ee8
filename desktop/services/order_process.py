"""Starts the order window as a process of its own and talks to it (architecture: its memory goes when it closes, and the
courier does not notice when the browser engine crashes).

The window's environment is built from an allow-list, so that no secret of this process and no switch that weakens the
browser engine reaches it. The one-time link travels over the pipe and is not kept here.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import shutil
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

import msgspec

import desktop
from desktop.services.errors import NotNow
from desktop.services.loggable import loggable
from desktop.services.order_protocol import (
    MOST_LINE_BYTES,
    PASSING_FOLDER,
    Answer,
    AnyEvent,
    BringForward,
    Close,
    Closed,
    Command,
    Crashed,
    Do,
    Opened,
    OpenLink,
    OrderWindowStart,
    PageLoaded,
    line_of,
    read_event,
)

log = logging.getLogger(__name__)

HIDDEN_ARGUMENT = "--order-window-process"
"""First argument by which the frozen program knows that it is to be an order window."""

SOFTWARE_MARK = "order-window-software-rendering"
"""File in the profile folder: the engine died before it showed a page, so the next window paints without the GPU."""

_KEPT = frozenset(
    {
        *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TEMP", "TMP"),
        *("DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "DBUS_SESSION_BUS_ADDRESS", "DESKTOP_SESSION", "GDK_BACKEND", "BROWSER"),
        *("SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "USERPROFILE", "USERNAME", "USERDOMAIN", "HOMEDRIVE"),
        *("HOMEPATH", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "PROGRAMFILES", "PROGRAMFILES(X86)", "PUBLIC", "SESSIONNAME"),
        *("NUMBER_OF_PROCESSORS", "PROCESSOR_ARCHITECTURE", "OS", "COMPUTERNAME", "CLIENTNAME"),
        *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"),
        *("QT_QPA_PLATFORM", "QT_SCALE_FACTOR", "QT_SCREEN_SCALE_FACTORS", "QT_AUTO_SCREEN_SCALE_FACTOR", "QT_FONT_DPI"),
        *("QT_ENABLE_HIGHDPI_SCALING", "QT_ACCESSIBILITY", "QT_LINUX_ACCESSIBILITY_ALWAYS_ON", "QT_IM_MODULE", "XMODIFIERS"),
    }
)
_KEPT_BEGINNINGS = ("LC_", "XDG_")


def command_for_order_window() -> list[str]:
    """How to start this program as an order window: the frozen program itself, or the interpreter that runs this one."""
    if getattr(sys, "frozen", False):
        return [sys.executable, HIDDEN_ARGUMENT]
    return [sys.executable, "-P", "-m", "desktop.ui.browser"]


def environment_for_order_window(environ: Mapping[str, str]) -> dict[str, str]:
    """What of `environ` the window may see. No engine switches, no keyring choices, no paths of ours."""
    kept = {name: value for name, value in environ.items() if name.upper() in _KEPT or name.upper().startswith(_KEPT_BEGINNINGS)}
    if not getattr(sys, "frozen", False):
        kept["PYTHONPATH"] = str(Path(desktop.__file__).resolve().parent.parent)
    return kept


def authorities_from(environ: Mapping[str, str]) -> str:
    """PEM text of the root certificates that IT named for this PC (SSL_CERT_FILE); empty when there are none.

    The browser engine asks the operating system's own store by itself; on Linux it does not know this variable."""
    named = environ.get("SSL_CERT_FILE", "")
    if not named:
        return ""
    try:
        text = Path(named).read_text("ascii", errors="ignore")
    except OSError:
        return ""
    return text if len(text) < MOST_LINE_BYTES // 2 else ""


class OrderWindowProcess:
    """One order window. `on_event` is called on a thread of this object, in order; `Closed` comes last and exactly once.

    `popen_options` is for tests and the demo, e.g. another user to run the window as."""

    def __init__(
        self,
        *,
        command: Sequence[str] | None = None,
        environ: Mapping[str, str] | None = None,
        popen_options: Mapping[str, object] | None = None,
    ) -> None:
        self._command = list(command or command_for_order_window())
        self._environ = environment_for_order_window(os.environ if environ is None else environ)
        self._options = dict(popen_options or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._writing = threading.Lock()
        self._on_event: Callable[[AnyEvent], None] = lambda _event: None
        self._noise: deque[str] = deque(maxlen=40)
        self._closed = threading.Event()
        self._mark = Path()
        self._version = ""
        self._page_seen = False
        self._asked = False
        self.failure = ""
        """Why the window ended badly, as a sentence with what to do; empty while it runs and when a person closed it."""

    def start(self, payload: OrderWindowStart, on_event: Callable[[AnyEvent], None]) -> None:
        """Starts the window and returns at once. Raises NotNow when the process can't be started."""
        if self._process is not None:
            raise RuntimeError("an order window is started once")
        profile = Path(payload.profile_folder)
        self._mark = profile / SOFTWARE_MARK
        self._on_event = on_event
        self._version = payload.version
        if self._software_remembered() or paints_remotely(self._environ):
            payload = msgspec.structs.replace(payload, software_rendering=True)
        options: dict[str, object] = {
            "stdin": subprocess.PIPE,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "env": self._environ,
            "cwd": payload.profile_folder,
            "close_fds": True,
            **self._options,
        }
        if sys.platform == "win32":
            options.setdefault("creationflags", subprocess.CREATE_NO_WINDOW)
        try:
            profile.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._process = subprocess.Popen(self._command, **options)  # type: ignore[call-overload]  # noqa: S603
        except OSError as error:
            raise NotNow(f"The order window could not be started ({error.strerror or 'no reason given'}).") from error
        self._send(payload)
        threading.Thread(target=self._listen, name="order-window", daemon=True).start()

    @property
    def is_running(self) -> bool:
        return self._process is not None and not self._closed.is_set()

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    def bring_forward(self) -> None:
        self._send(BringForward())

    def ask_to_close(self) -> None:
        """Asks once; the window closes as if the person had closed it."""
        self._asked = True
        self._send(Close())

    def answer(self, to: int, *, ok: bool, message: str = "") -> None:
        """Tells the person how what they offered or typed went."""
        self._send(Answer(to=to, ok=ok, message=message))

    def open_link(self, link: str) -> None:
        """Opens a fresh one-time link in the same window."""
        self._send(OpenLink(link=link))

    def do(self, step: Do) -> None:
        """An automation step; its `Done` comes as an event."""
        self._send(step)

    def wait_closed(self, seconds: float | None = None) -> bool:
        return self._closed.wait(seconds)

    def kill(self) -> None:
        """For the end of the program, when asking did not help."""
        if self._process is not None:
            with contextlib.suppress(OSError):
                self._process.kill()

    def last_words(self) -> str:
        """What the engine printed last, with every address taken out. For a person's eyes, never for a log."""
        return "\n".join(self._noise)

    def _send(self, message: OrderWindowStart | Command) -> None:
        process = self._process
        if process is None or process.stdin is None:
            return
        with self._writing, contextlib.suppress(OSError, ValueError):
            process.stdin.write(line_of(message))
            process.stdin.flush()

    def _listen(self) -> None:
        process = self._process
        assert process is not None
        assert process.stdout is not None
        assert process.stderr is not None
        noise = threading.Thread(target=self._collect_noise, args=(process.stderr,), name="order-window-noise", daemon=True)
        noise.start()
        try:
            for line in lines_of(process.stdout):
                event = read_event(line)
                if event is not None and not isinstance(event, Closed):
                    self._tell(event)
        finally:
            code = process.wait()
            noise.join(2)
            self._finish(code)

    def _finish(self, code: int) -> None:
        process = self._process
        assert process is not None
        with self._writing:
            for pipe in (process.stdin, process.stdout, process.stderr):
                with contextlib.suppress(OSError, ValueError):
                    if pipe is not None:
                        pipe.close()
        shutil.rmtree(self._mark.parent / f"{PASSING_FOLDER}{process.pid}", ignore_errors=True)
        if code != 0:
            log.warning("an order window ended with status %d", code)
            if not self._page_seen and not self._asked:
                self._remember_software(code)
            self.failure = reason_of_end(code, self.last_words())
            self._tell(Crashed(where="process", reason=self.failure))
        self._closed.set()
        self._tell(Closed(exit_code=code))

    def _remember_software(self, code: int) -> None:
        fell_over = code < 0 or code > 127  # a signal, or Windows' number for one; a Python error ends with 1
        if fell_over and reason_of_end(code, self.last_words()) == _UNKNOWN_END:
            with contextlib.suppress(OSError):
                self._mark.write_text(self._version, "utf-8")

    def _software_remembered(self) -> bool:
        """A new version of iConnect, with a new engine, tries the graphics card again."""
        try:
            return self._mark.read_text("utf-8") == self._version
        except (OSError, UnicodeDecodeError):
            return False

    def _tell(self, event: AnyEvent) -> None:
        if isinstance(event, PageLoaded) and event.ok:
            self._page_seen = True
        elif isinstance(event, Opened):
            log.info("order window open, pid %d, sandbox %s", event.pid, loggable("on" if event.sandboxed else "OFF"))
        try:
            self._on_event(event)
        except Exception:  # the edge of this thread: a listener's fault must not stop the pipe from being drained
            log.exception("a listener of the order window failed")

    def _collect_noise(self, pipe: IO[bytes]) -> None:
        with contextlib.suppress(OSError, ValueError):
            for line in lines_of(pipe):
                self._noise.append(without_addresses(line.decode("utf-8", "replace")).strip()[:400])


def lines_of(pipe: IO[bytes]) -> Iterator[bytes]:
    """Lines of a pipe as they come. One that is longer than MOST_LINE_BYTES is thrown away whole."""
    too_long = False
    while line := pipe.readline(MOST_LINE_BYTES):
        whole = line.endswith(b"\n")
        if not too_long and (whole or len(line) < MOST_LINE_BYTES):
            yield line
        too_long = not whole


def paints_remotely(environ: Mapping[str, str]) -> bool:
    """True in a Remote Desktop or Citrix session (Windows names it RDP-Tcp#n or ICA-…), where the GPU is better left alone."""
    return environ.get("SESSIONNAME", "").upper().startswith(("RDP", "ICA"))


_UNKNOWN_END = "The browser engine stopped. Order again from the tray; the next window does without the graphics card."


def reason_of_end(code: int, last_words: str) -> str:
    """Why a window ended badly, as a sentence with what to do."""
    if "No usable sandbox" in last_words:
        return "This PC does not let the browser engine lock itself in (user namespaces are off). IT can allow them for iConnect."
    if "without --no-sandbox" in last_words or code == 77:
        return "The order window does not run as root. Start iConnect as an ordinary user."
    if "error while loading shared libraries" in last_words or "ImportError" in last_words:
        return "A part of the browser engine is missing on this PC. Install iConnect again or see the installation guide."
    if "could not connect to display" in last_words or "no Qt platform plugin could be initialized" in last_words:
        return "There is no screen to show the order window on."
    return _UNKNOWN_END


_address = re.compile(r"\b[a-z][a-z0-9+.-]{1,20}:(?://)?\S+", re.IGNORECASE)


def without_addresses(text: str) -> str:
    return _address.sub("<address>", text)
