"""How large the pages are shown: the same for every page of a window, and for the next window too."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

STEPS = (0.5, 0.67, 0.75, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0)
ZOOM_FILE = "order-window-zoom"
_MOST_BYTES = 16


def next_step(now: float, direction: int) -> float:
    """The next larger (direction above 0), the next smaller, or the natural size (0)."""
    if direction == 0:
        return 1.0
    if direction > 0:
        return next((step for step in STEPS if step > now + 0.01), STEPS[-1])
    return next((step for step in reversed(STEPS) if step < now - 0.01), STEPS[0])


def percent(factor: float) -> str:
    return f"{round(factor * 100)} %"


class ZoomMemory:
    """Keeps the size in a small file of the profile folder. What can't be read or written is no reason to stop: then pages have
    their natural size."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / ZOOM_FILE

    def read(self) -> float:
        try:
            with self._path.open("rb") as file:
                wanted = int(file.read(_MOST_BYTES))
        except (OSError, ValueError):
            return 1.0
        return min(STEPS, key=lambda step: abs(step * 100 - wanted))

    def write(self, factor: float) -> None:
        passing = self._path.with_name(f"{ZOOM_FILE}.{os.getpid()}")
        with contextlib.suppress(OSError):
            if factor == 1.0:
                self._path.unlink(missing_ok=True)
                return
            try:
                passing.write_text(str(round(factor * 100)), "ascii")
                passing.replace(self._path)
            finally:
                passing.unlink(missing_ok=True)
