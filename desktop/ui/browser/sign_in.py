"""The sign-in window's process: reads its start line from the pipe, locks the engine down, shows the window."""

from __future__ import annotations

import contextlib
import os
import queue
import sys
import threading
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from desktop.services.sign_in_protocol import SignInEvent, SignInWindowStart
    from desktop.ui.browser.start_up import Begun

_OUTBOX = 1000


def main() -> int:
    """Gives the exit status: 0 closed, 2 a start line that can't be read, 77 root without permission to run unsandboxed."""
    from desktop.services.sign_in_protocol import read_sign_in_start
    from desktop.ui.browser.start_up import begin

    begun = begin(read_sign_in_start)
    return begun if isinstance(begun, int) else run(begun)


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


def run(begun: Begun[SignInWindowStart]) -> int:
    from PySide6.QtCore import QObject, Signal

    from desktop.services.order_protocol import MOST_LINE_BYTES
    from desktop.services.sign_in_protocol import SignInOpened, is_close
    from desktop.ui.browser.start_up import make_application

    start, source = begun.start, begun.source
    app = make_application(start.theme)

    from desktop.ui.browser.sign_in_window import SignInWindow

    class End(QObject):
        wanted = Signal()

    out, end = _Out(begun.sink), End()
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
    out.send(SignInOpened(pid=os.getpid(), sandboxed=not begun.unsandboxed))
    threading.Thread(target=listen, name="pipe-in", daemon=True).start()
    status = app.exec()
    window.finish()
    out.finish()
    # The engine's own threads may still be at work; nothing of ours is left to do or to save.
    os._exit(status)


if __name__ == "__main__":
    sys.exit(main())
