"""What stands in the trail where its oldest steps were purged: the stub by which what is left still proves itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

import apsw

from desktop.services.ledger.facts import from_text, to_text

PURGED = "purged"
"""The step's `what`. Its reason is a stub's text."""

AT_LEAST = 12
"""Months. No setting keeps the trail for less, and no stub that purged younger steps is believed."""

_TEXT = re.compile(
    r"Steps 1 to (?P<last>[1-9][0-9]{0,17}), from (?P<first_at>\S+) to (?P<last_at>\S+), were kept for (?P<months>[1-9][0-9]{0,3}) "
    r"months\. Last hash: (?P<hash>[0-9a-f]{64})"
)


@dataclass(frozen=True, slots=True)
class Purged:
    """All that was ever purged, in one: the steps 1 to `last`, of `first_at` to `last_at` (UTC, as they stood in the trail), which
    were kept for `months`. `hash` is the last one's."""

    last: int
    first_at: datetime
    last_at: datetime
    months: int
    hash: str

    def __str__(self) -> str:
        return (
            f"Steps 1 to {self.last}, from {to_text(self.first_at)} to {to_text(self.last_at)}, "
            f"were kept for {self.months} months. Last hash: {self.hash}"
        )

    def sentence(self) -> str:
        """For a person and an auditor."""
        return (
            f"Purged as the settings say, after {self.months} months: {self.last} steps, 1 to {self.last}, from "
            f"{self.first_at:%d/%m/%Y} to {self.last_at:%d/%m/%Y}; the last one's hash: {self.hash}"
        )


def purged(db: apsw.Connection) -> Purged | None:
    """The newest stub; None where nothing was ever purged, or where the stub is none that this program writes."""
    found = newest_stub(db)
    return None if found is None else found[1]


def newest_stub(db: apsw.Connection) -> tuple[int, Purged] | None:
    """With its step's number. None also for one that can't be true: it reaches beyond itself, or purged what was too young."""
    for number, at, reason in db.execute(
        "SELECT seq, at, reason FROM trail WHERE what = ? AND key = '' AND order_id = '' ORDER BY seq DESC LIMIT 1", (PURGED,)
    ):
        stub, made_at = _read(str(reason)), _moment(str(at))
        if stub is None or made_at is None or stub.last >= int(str(number)) or stub.last_at > months_before(made_at, AT_LEAST):
            return None
        return int(str(number)), stub
    return None


def _read(text: str) -> Purged | None:
    found = _TEXT.fullmatch(text)
    if found is None:
        return None
    first_at, last_at = _moment(found["first_at"]), _moment(found["last_at"])
    if first_at is None or last_at is None:
        return None
    return Purged(int(found["last"]), first_at, last_at, int(found["months"]), found["hash"])


def _moment(text: str) -> datetime | None:
    """What stands in the file may have been changed by anybody."""
    try:
        at = from_text(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


def months_before(at: datetime, months: int) -> datetime:
    """The same day of an earlier month, or that month's last day. Never before the first year there is."""
    year, month = divmod(at.year * 12 + at.month - 1 - months, 12)
    if year < 1:
        return datetime.min.replace(tzinfo=at.tzinfo)
    for day in range(at.day, 27, -1):
        try:
            return at.replace(year=year, month=month + 1, day=day)
        except ValueError:
            continue
    return at.replace(year=year, month=month + 1, day=min(at.day, 28))
