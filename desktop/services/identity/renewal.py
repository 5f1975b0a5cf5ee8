"""When a sign-in that no use prolongs has to be renewed by a person, in words. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

from desktop.services.identity.model import ConnectionRecord

TOLD_AHEAD = timedelta(days=14)


def renewal(record: ConnectionRecord, zone: tzinfo) -> str:
    """Empty for a sign-in that lasts as long as it is used. The vendor does not tell when it ends, so neither do we."""
    if record.may_lapse is None:
        return ""
    day = record.may_lapse.astimezone(zone)
    return f"The sign-in may lapse from {day.day} {day:%B %Y} on. Connect again before then, so that nothing has to wait."


def is_renewal_near(record: ConnectionRecord, now: datetime) -> bool:
    return record.may_lapse is not None and now >= record.may_lapse - TOLD_AHEAD
