"""What a check against a vendor's description found, and the recordings that it can be given."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not as described. `reason`: why it is right all the same; empty if nobody knows."""

    call: str
    where: str
    what: str
    reason: str = ""


@dataclass(slots=True)
class SpecReport:
    """A check's result. `checked` counts by kind, for instance "answers"; `left_out` says what was not checked and why."""

    title: str
    checked: dict[str, int] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def count(self, kind: str) -> None:
        """One more was checked."""
        self.checked[kind] = self.checked.get(kind, 0) + 1

    @property
    def unexplained(self) -> list[Difference]:
        """The differences that nobody can give a reason for."""
        return [each for each in self.differences if not each.reason]

    def lines(self) -> list[str]:
        """The report for a person."""
        numbers = ", ".join(f"{count} {kind}" for kind, count in sorted(self.checked.items())) or "nothing"
        told: dict[tuple[str, str, str], set[str]] = {}
        for each in self.differences:
            told.setdefault((each.where, each.what, each.reason), set()).add(each.call)
        rows = [f"{self.title}: {numbers} checked, {len(told)} differences, {len(self.unexplained)} without a reason"]
        for (where, what, reason), calls in sorted(told.items()):
            some = sorted(calls)
            shown = ", ".join(some[:3]) + (f" and {len(some) - 3} more" if len(some) > 3 else "")
            rows.append(
                f"  {'differs, known' if reason else 'DIFFERS'}: {where}: {what} ({shown}){f'. {reason}' if reason else ''}"
            )
        rows += [f"  not checked: {each}" for each in sorted(set(self.left_out))]
        return rows


@dataclass(frozen=True, slots=True)
class Exchange:
    """A recorded request, and its answer if that was kept. `status` 0: there was no whole answer."""

    server: str
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: str
    cut: bool
    encoding: str
    status: int
    answer: str


def read_recording(path: Path) -> list[Exchange]:
    """A file of JSON lines, as `/api/recording` gives them. Raises ValueError naming the line, or OSError."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            found.append(_exchange(json.loads(line)))
        except (ValueError, KeyError, TypeError, AttributeError) as problem:
            raise ValueError(f"{path.name}, line {number}: not a recorded request ({problem})") from problem
    return found


def _exchange(value: dict[str, Any]) -> Exchange:
    path, _mark, query = str(value["path"]).partition("?")
    return Exchange(
        server=str(value.get("server", "")),
        method=str(value["method"]).upper(),
        path=path.lstrip("/"),
        query=str(value.get("query", "") or query),
        headers={str(name).lower(): str(text) for name, text in dict(value.get("headers", {})).items()},
        body=str(value.get("body") or ""),
        cut=bool(value.get("body_cut", False)),
        encoding=str(value.get("body_encoding", "")),
        status=int(value.get("status", 0)),
        answer="" if value.get("answer_cut") or value.get("answer_encoding") else str(value.get("answer") or ""),
    )
