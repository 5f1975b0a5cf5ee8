"""What came in and what a person decided, once more beside the ledger, from before the oldest backup that is kept.

A ledger that had to be restored from a backup hears from here what it has missed: results that were typed in or imported
come from nowhere else. Entries are written inside the ledger's own write transaction and before its commit, so that whatever
the ledger has said yes to is here; what is here and was never committed does no harm, because a message counts once.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import apsw
import msgspec

from desktop.services.infotrack.model import Incoming
from desktop.services.ledger import files
from desktop.services.ledger.facts import NOWHERE, Place

log = logging.getLogger(__name__)

NUMBER = "journal"
"""Under this name the ledger remembers the number of the file that its entries go to."""

_NAME = re.compile(r"journal-(\d{6,})\.jsonl")


@dataclass(frozen=True, slots=True)
class Entry:
    """One message, or one decision: `what` is message, cancel, approve, move or take over."""

    at: datetime
    what: str
    incoming: Incoming | None = None
    key: str = ""
    order_id: str = ""
    place: Place = NOWHERE


_decoder = msgspec.json.Decoder(Entry)


class Journal:
    """The files in `folder`, numbered; each begins with a backup."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, db: apsw.Connection, entries: Sequence[Entry]) -> None:
        """Durable when it returns. To be called inside a write. Raises OSError."""
        lines = []
        for entry in entries:
            text = msgspec.json.encode(entry)
            lines.append(hashlib.sha256(text).hexdigest().encode() + b" " + text + b"\n")
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._path(number_of(db))
        if _ends_torn(path):
            lines.insert(0, b"\n")
        files.append(path, b"".join(lines))

    def begin(self, number: int) -> None:
        """An empty file, so that its being there tells that nothing is missing. Raises OSError."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        files.append(self._path(number), b"")

    def since(self, number: int) -> Iterator[Entry]:
        """Every entry from that file on, in order. What a power cut has torn is passed over: it was never said yes to."""
        for found in self.numbers():
            if found < number:
                continue
            with self._path(found).open("rb") as file:
                for line in file:
                    mark, _, text = line.rstrip(b"\n").partition(b" ")
                    if not text or hashlib.sha256(text).hexdigest().encode() != mark:
                        if line.strip():
                            log.warning("An entry of the ledger's journal can't be read and is passed over")
                        continue
                    try:
                        yield _decoder.decode(text)
                    except msgspec.MsgspecError:
                        log.warning("An entry of the ledger's journal is not understood and is passed over")

    def numbers(self) -> list[int]:
        found = [_NAME.fullmatch(path.name) for path in self._folder.glob("journal-*.jsonl")]
        return sorted(int(name[1]) for name in found if name is not None)

    def forget_before(self, number: int) -> None:
        """Raises OSError."""
        for found in self.numbers():
            if found < number:
                self._path(found).unlink(missing_ok=True)

    def _path(self, number: int) -> Path:
        return self._folder / f"journal-{number:06}.jsonl"


def _ends_torn(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            file.seek(-1, 2)
            return file.read(1) != b"\n"
    except OSError:
        return False


def number_of(db: apsw.Connection) -> int:
    found = list(db.execute("SELECT text FROM memory WHERE name = ?", (NUMBER,)))
    return int(str(found[0][0])) if found else 1


def turn_page(db: apsw.Connection) -> int:
    """From this transaction on, entries go to a file of their own. Gives its number."""
    number = number_of(db) + 1
    db.execute(
        "INSERT INTO memory (name, text) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET text = excluded.text", (NUMBER, str(number))
    )
    return number
