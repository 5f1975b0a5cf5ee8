"""The window's end of the pipe. Standard input and output are taken away from everything else in this process: what Qt or the
engine prints goes to standard error, and no child process inherits the pipe that the one-time link came through."""

from __future__ import annotations

import contextlib
import os
import queue
import sys
import threading
from typing import IO

from PySide6.QtCore import QObject, Signal

from desktop.services.order_protocol import MOST_LINE_BYTES, AnyCommand, Event, line_of, read_command


def take_pipes() -> tuple[IO[bytes], IO[bytes]]:
    """The pipe's reading and writing end, on new descriptors; 0 becomes empty and 1 becomes standard error."""
    reading, writing = _descriptor(0), _descriptor(1)
    source, sink = os.dup(reading), os.dup(writing)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    try:
        os.dup2(2, 1)
    except OSError:  # a windowed program without standard error
        os.dup2(nothing, 1)
    os.close(nothing)
    return os.fdopen(source, "rb"), os.fdopen(sink, "wb", buffering=0)


def _descriptor(number: int) -> int:
    """A windowed program on Windows may have the pipe as a handle without a descriptor."""
    try:
        os.fstat(number)
    except OSError:
        if sys.platform == "win32":
            import ctypes
            import msvcrt

            handle = ctypes.windll.kernel32.GetStdHandle(-10 - number)
            return msvcrt.open_osfhandle(handle, os.O_RDONLY if number == 0 else os.O_WRONLY)
        raise
    return number


class Pipe(QObject):
    """Commands come as `command(AnyCommand)` on the GUI thread; `ended()` when the starting process is gone.

    Events leave on a thread: a starting process that does not read can't freeze the window."""

    command = Signal(object)
    ended = Signal()

    def __init__(self, source: IO[bytes], sink: IO[bytes]) -> None:
        super().__init__()
        self._source = source
        self._sink = sink
        self._outbox: queue.Queue[bytes | None] = queue.Queue(maxsize=10_000)
        self._writer = threading.Thread(target=self._write, name="pipe-out", daemon=True)

    def listen(self) -> None:
        self._writer.start()
        threading.Thread(target=self._read, name="pipe-in", daemon=True).start()

    def send(self, event: Event) -> None:
        with contextlib.suppress(queue.Full):  # a flood of news; the newest is the least missed
            self._outbox.put_nowait(line_of(event))

    def finish(self, seconds: float = 2) -> None:
        """Waits until everything sent has left, at most `seconds`."""
        with contextlib.suppress(queue.Full):
            self._outbox.put(None, timeout=seconds)
        if self._writer.is_alive():
            self._writer.join(seconds)

    def _write(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            while (line := self._outbox.get()) is not None:
                self._sink.write(line)

    def _read(self) -> None:
        with contextlib.suppress(OSError, ValueError, RuntimeError):
            while line := self._source.readline(MOST_LINE_BYTES):
                command: AnyCommand | None = read_command(line)
                if command is not None:
                    self.command.emit(command)
        with contextlib.suppress(RuntimeError):  # the window may be gone already
            self.ended.emit()
