"""One finding of `doctor`, and how many checks are done side by side within a time that a person waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from desktop.services.loggable import error_kind


class Verdict(Enum):
    """A note needs nobody; a failure does."""

    OK = "ok"
    NOTE = "note"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One finding. `cure` says what to do; empty when nothing need be done."""

    name: str
    verdict: Verdict
    message: str
    cure: str = ""


LATE = "This did not answer in time."


class Running:
    """A group of checks at work on a thread of its own."""

    def __init__(self, name: str, run: Callable[[], Iterable[Check]], until: float, cure: str) -> None:
        self._name = name
        self._run = run
        self._until = until
        self._cure = cure
        self._found: list[Check] = []
        self._thread = threading.Thread(target=self._work, name="doctor", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        try:
            for check in self._run():
                self._found.append(check)
        except Exception as error:  # noqa: BLE001  # a thread's edge: one broken check must not cost the others
            self._found.append(
                Check(
                    self._name,
                    Verdict.FAIL,
                    f"This could not be looked at ({error_kind(error)}).",
                    "Send support a bundle: iconnect diagnostics.",
                )
            )

    def results(self) -> Iterator[Check]:
        """Waits until the group is done or its time is up; what was found by then is kept, and what hangs is named."""
        self._thread.join(max(0.0, self._until - time.monotonic()))
        late = self._thread.is_alive()
        yield from list(self._found)
        if late:
            yield Check(self._name, Verdict.FAIL, LATE, self._cure)


class SideBySide:
    """Starts groups at once; `seconds` bounds all of them together. Threads that hang end with the process."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def start(self, name: str, run: Callable[[], Iterable[Check]], *, seconds: float, cure: str) -> Running:
        """`name` and `cure` are told where the group takes longer than `seconds`."""
        return Running(name, run, min(self._end, time.monotonic() + seconds), cure)
