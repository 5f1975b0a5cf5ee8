"""The times that a list of orders can be narrowed to: whole weeks and months of this PC's own calendar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from desktop.ui.language import tr
from desktop.ui.words import is_this_pcs


@dataclass(frozen=True, slots=True)
class Span:
    """From `since` on and before `until`, both aware. None: without a bound."""

    since: datetime | None = None
    until: datetime | None = None


TIMES: tuple[tuple[str, str], ...] = (
    (tr("Any time"), "any"),
    (tr("This week"), "week"),
    (tr("This month"), "month"),
    (tr("Last month"), "last month"),
)
"""The choices with their names."""

NARROWED_WORDS = {
    "week": tr("Only orders placed since Monday are looked at."),
    "month": tr("Only orders placed this month are looked at."),
    "last month": tr("Only orders placed last month are looked at."),
}


def midnight(day: date, now: datetime) -> datetime:
    """When that day begins in the zone of `now`, by the clocks of that day."""
    begins = datetime.combine(day, time())
    if is_this_pcs(now):
        return begins.astimezone()
    return begins.replace(tzinfo=now.tzinfo)


def span_of(name: str, now: datetime) -> Span:
    """What one of TIMES stands for. Weeks begin on Monday."""
    today = now.date()
    first = today.replace(day=1)
    match name:
        case "week":
            return Span(midnight(today - timedelta(days=today.weekday()), now))
        case "month":
            return Span(midnight(first, now))
        case "last month":
            return Span(midnight((first - timedelta(days=1)).replace(day=1), now), midnight(first, now))
    return Span()
