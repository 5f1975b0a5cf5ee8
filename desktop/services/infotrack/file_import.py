"""Order messages out of a file that a person points at (`results import`)."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

from desktop.services.infotrack.inbox import Inbox
from desktop.services.infotrack.messages import MAX_BYTES, MessageUnreadable, read_batch
from desktop.services.infotrack.model import Incoming, Source


def import_file(path: Path, inbox: Inbox, zone: ZoneInfo) -> int:
    """Records every message that the file holds and gives how many were new. A person who imports a file wants it
    delivered here, so it is not asked whose order it is.

    Raises MessageUnreadable with a sentence that does not name the file: nothing could be read, or some messages could
    not (the others are recorded then)."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise MessageUnreadable(f"The file can't be opened ({error.strerror or 'no access'}).") from error
    batch = read_batch(content, zone)
    new = inbox.record([Incoming(found.message, found.raw, Source.FILE) for found in batch.messages])
    if batch.unreadable:
        first = batch.unreadable[0]
        raise MessageUnreadable(
            f"{len(batch.messages)} of {len(batch.messages) + len(batch.unreadable)} messages were taken. "
            f"Message {first.place} could not be read: {first.reason}"
        )
    return new
