"""The sign-in window's process: reads its start line from the pipe, locks the engine down, shows the window.

As with the order window, the pipe is taken and the environment cleaned before Qt's browser engine is imported."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import queue
import sys
import threading
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from desktop.services.sign_in_protocol import SignInEvent, SignInWindowStart

_OUTBOX = 1000


def main() -> int:
    """Gives the exit status: 0 closed, 2 a start line that can't be read, 77 root without permission to run unsandboxed."""
    from desktop.services.order_protocol import MOST_LINE_BYTES
    from desktop.services.sign_in_protocol import read_sign_in_start
    from desktop.ui.browser.environment import drop_engine_switches, may_run_unsandboxed, set_engine_environment
    from desktop.ui.browser.pipe import take_pipes

    if sys.stderr is not None:
        faulthandler.enable()
    try:
        source, sink = take_pipes()
        start = read_sign_in_start(source.readline(MOST_LINE_BYTES))
    except (OSError, ValueError):
        return 2
    drop_engine_switches(os.environ)
    effective_user = os.geteuid() if hasattr(os, "geteuid") else None
    unsandboxed = may_run_unsandboxed(asked=start.demo_as_root_unsandboxed, effective_user=effective_user)
    if effective_user == 0 and not unsandboxed:
        return 77
    set_engine_environment(os.environ, software_rendering=start.software_rendering, unsandboxed=unsandboxed, platform=sys.platform)
    return run(start, source, sink, unsandboxed=unsandboxed)


class _Out:
    """Events leave on a thread: a starting process that does not read can't freeze the window."""

    def __init__(self, sink: IO[bytes]) -> None:
        self._sink = sink
        self._box: queue.Queue[SignInEvent | None] = queue.Queue(maxsize=_OUTBOX)
        self._thread = threading.Thread(target=self._write, name="pipe-out", daemon=True)
        self._thread.start()

    def send(self, event: SignInEvent | None) -> None:
        with contextlib.suppress(queue.Full):
            self._box.put_nowait(event)

    def finish(self) -> None:
        self.send(None)
        self._thread.join(2)

    def _write(self) -> None:
        from desktop.services.sign_in_protocol import sign_in_line

        with contextlib.suppress(OSError, ValueError):
            while (event := self._box.get()) is not None:
                self._sink.write(sign_in_line(event))


def run(start: SignInWindowStart, source: IO[bytes], sink: IO[bytes], *, unsandboxed: bool) -> int:
    from PySide6.QtCore import QObject, Signal
    from PySide6.QtWidgets import QApplication

    from desktop.services.order_protocol import MOST_LINE_BYTES
    from desktop.services.sign_in_protocol import SignInOpened, is_close

    # Only a name: arguments of this process are no switches for the engine.
    app = QApplication([sys.executable])
    app.setApplicationName("iConnect")
    app.setOrganizationName("iConnect")
    app.setDesktopFileName("iconnect")
    app.setStyle("Fusion")
    app.setQuitOnLastWindowClosed(True)

    from desktop.ui.browser.appearance import apply_theme
    from desktop.ui.browser.sign_in_window import SignInWindow

    class End(QObject):
        wanted = Signal()

    apply_theme(app, start.theme)
    out, end = _Out(sink), End()
    window = SignInWindow(start, out.send)
    end.wanted.connect(window.close)

    def listen() -> None:
        """Asked to close, or the starting process is gone: nobody is left who could use the answer."""
        with contextlib.suppress(OSError, ValueError, RuntimeError):
            while (line := source.readline(MOST_LINE_BYTES)) and not is_close(line):
                pass
            end.wanted.emit()

    window.show()
    window.raise_()
    window.activateWindow()
    out.send(SignInOpened(pid=os.getpid(), sandboxed=not unsandboxed))
    threading.Thread(target=listen, name="pipe-in", daemon=True).start()
    status = app.exec()
    window.finish()
    out.finish()
    # The engine's own threads may still be at work; nothing of ours is left to do or to save.
    os._exit(status)


if __name__ == "__main__":
    sys.exit(main())
