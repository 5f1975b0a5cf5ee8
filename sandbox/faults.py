"""Faults on demand: which request meets which mishap. What each name does is in `mishaps` and in README.md."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

NAMES = {
    "drop_before": "the connection closes without an answer; nothing happened",
    "drop_after": "it happened; the connection closes without an answer",
    "reset_before": "the connection is reset before the request was read; nothing happened",
    "reset_after": "it happened; the connection is reset",
    "half_answer": "it happened; half of the answer arrives, then the connection closes",
    "wrong_length": "it happened; the answer promises more bytes than it has",
    "trickle": "it happened; the answer arrives in small pieces over `seconds`",
    "slow": "waits `seconds`, then does it and answers",
    "slow_answer": "does it, then waits `seconds` before it answers",
    "late_effect": "the connection closes after `hold` seconds without an answer; it happens `seconds` after the request came",
    "late_failure": "the answer is the usual one; where writes take effect later (Smokeball), this one never does",
    "status": "answers `status` with `body`, `content_type` and `headers`; nothing happened",
    "status_after": "it happened; the answer is `status` all the same",
    "html_503": "a maintenance page with 503; nothing happened",
    "html_200": "a login page with 200; nothing happened",
    "empty_200": "200 and no body; nothing happened",
    "empty_200_after": "it happened; 200 and no body",
    "json_error": "a gateway's JSON error with `status`; nothing happened",
    "xml_500": "the envelope of an application exception with 500; nothing happened",
    "error_200": "the envelope of an error with 200 and `body` as its sentence; nothing happened",
    "limited": "429 without a body, `problem` and, if above 0, `retry_after` as headers; nothing happened",
    "token_expired": "401 as for an expired token; nothing happened",
    "redirect": "`status` (307 if not given) to `location`; nothing happened",
}


@dataclass(slots=True)
class Fault:
    """One fault. `where` is matched against "server METHOD path", the path without its leading slash: a glob if it holds `*`,
    else a part of it."""

    id: int
    name: str
    where: str
    count: int | None
    skip: int
    probability: float
    dice: random.Random
    seconds: float = 1.0
    hold: float = 0.0
    status: int = 0
    body: str = ""
    content_type: str = "text/plain; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    problem: str = "minute"
    retry_after: str = ""
    location: str = ""
    hits: int = 0

    def matches(self, request: str) -> bool:
        """Whether the fault is about this request, whatever its count says."""
        return fnmatchcase(request, self.where) if "*" in self.where else self.where in request

    def as_json(self) -> dict[str, object]:
        """What the controls show."""
        return {
            "id": self.id,
            "name": self.name,
            "where": self.where,
            "count": self.count,
            "skip": self.skip,
            "probability": self.probability,
            "seconds": self.seconds,
            "status": self.status,
            "hits": self.hits,
        }


class Faults:
    """The faults in force. Thread-safe; the first one that matches and is due wins."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._next = 1

    def add(self, values: dict[str, object]) -> Fault:
        """Puts a fault in force from its JSON. Raises ValueError in plain words."""
        name = _text(values, "name", "")
        if name not in NAMES:
            raise ValueError(f"there is no fault called {name!r}; there are {', '.join(sorted(NAMES))}")
        unknown = values.keys() - _KEYS
        if unknown:
            raise ValueError(f"a fault has no {', '.join(sorted(unknown))}")
        count = values.get("count")
        headers = values.get("headers", {})
        if not isinstance(headers, dict):
            raise ValueError("headers wants an object")
        fault = Fault(
            id=0,
            name=name,
            where=_text(values, "where", "*"),
            count=None if count is None else int(_number(values, "count", 0)),
            skip=int(_number(values, "skip", 0)),
            probability=_number(values, "probability", 1),
            dice=random.Random(int(_number(values, "seed", 0))),
            seconds=_number(values, "seconds", 1),
            hold=_number(values, "hold", 0),
            status=int(_number(values, "status", 0)),
            body=_text(values, "body", ""),
            content_type=_text(values, "content_type", "text/plain; charset=utf-8"),
            headers={str(key): str(value) for key, value in headers.items()},
            problem=_text(values, "problem", "minute"),
            retry_after=str(values.get("retry_after", "")),
            location=_text(values, "location", ""),
        )
        with self._lock:
            fault.id = self._next
            self._next += 1
            self._faults.append(fault)
        return fault

    def choose(self, request: str) -> Fault | None:
        """The fault that this request meets; it is counted."""
        with self._lock:
            for fault in self._faults:
                if fault.count == 0 or not fault.matches(request):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                if fault.probability < 1 and fault.dice.random() >= fault.probability:
                    continue
                if fault.count is not None:
                    fault.count -= 1
                fault.hits += 1
                return fault
        return None

    def remove(self, fault_id: int | None = None) -> int:
        """Ends one fault, or all of them. Returns how many."""
        with self._lock:
            before = len(self._faults)
            self._faults = [fault for fault in self._faults if fault_id is not None and fault.id != fault_id]
            return before - len(self._faults)

    def all(self) -> list[Fault]:
        """The faults in force, spent ones included."""
        with self._lock:
            return list(self._faults)


_KEYS = {
    "name",
    "where",
    "count",
    "skip",
    "probability",
    "seed",
    "seconds",
    "hold",
    "status",
    "body",
    "content_type",
    "headers",
    "problem",
    "retry_after",
    "location",
}


def _text(values: dict[str, object], key: str, default: str) -> str:
    value = values.get(key, default)
    if not isinstance(value, str):
        raise ValueError(f"{key} wants text")
    return value


def _number(values: dict[str, object], key: str, default: float) -> float:
    value = values.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{key} wants a number")
    return float(value)
