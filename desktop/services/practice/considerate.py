"""Long work beside a window in the same process: what keeps the window's thread waiting is put off or cut short."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_TURN_SECONDS = 0.0005
_NEVER = 1 << 30

_lock = threading.Lock()
_works = 0
_usual_turn = 0.0
_usual_threshold = (0, 0, 0)


@contextmanager
def considerate() -> Iterator[None]:
    """May be entered by several threads at once; the last one to leave restores what was.

    A full collection walks through all objects of the program and lets nobody else run meanwhile: the many new objects of a
    refresh would bring one every second, each longer than the last (up to 80 ms were seen). Short collections go on. And a
    window's thread takes its turn many times for one event: it would wait the usual 5 ms each time."""
    global _works, _usual_turn, _usual_threshold
    with _lock:
        if not _works:
            _usual_turn, _usual_threshold = sys.getswitchinterval(), gc.get_threshold()
            sys.setswitchinterval(min(_TURN_SECONDS, _usual_turn))
            gc.set_threshold(*_usual_threshold[:2], _NEVER)
        _works += 1
    try:
        yield
    finally:
        with _lock:
            _works -= 1
            if not _works:
                sys.setswitchinterval(_usual_turn)
                gc.set_threshold(*_usual_threshold)
