"""Where InfoTrack's messages go: the feed, the drop folder, both or neither, in the dialect of the day."""

from __future__ import annotations

import threading
import uuid
from pathlib import Path

from sandbox.clock import Agenda
from sandbox.order_messages import DIALECTS, ENCODINGS, as_json_file, as_json_value, as_xml
from sandbox.orders import CLIENT_ACCOUNT, Message
from sandbox.switches import Switches


class Outbox:
    """Receives each message from the desk; serves the feed's pages and writes the drop folder's files."""

    def __init__(self, folder: Path, agenda: Agenda, switches: Switches) -> None:
        self._folder = folder
        self._agenda = agenda
        self._switches = switches
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        """An empty feed. Files in the drop folder are left alone: they are the firm's by now."""
        with self._lock:
            self._feed: list[tuple[int, dict[str, object]]] = []
            self._count = 0
            self._first: dict[int, int] = {}

    def deliver(self, message: Message) -> None:
        """Takes a message and sends it the ways that the switch says."""
        with self._lock:
            self._count += 1
            count = self._count
            if self._switches.results in ("feed", "both"):
                self._feed.append((message.sequence, as_json_value(message.fields, self._dialect(count))))
                every = self._switches.feed_repeat_every
                if every and count % every == 0:
                    self._feed.append(self._feed[(count * 7) % len(self._feed)])  # an old one once more, after a newer one
        if self._switches.results in ("folder", "both"):
            self._drop(message, count)

    def page(self, after: int, limit: int) -> tuple[list[dict[str, object]], int]:
        """Messages behind a cursor, and the next cursor. The cursor is a place in the feed, not a sequence number."""
        with self._lock:
            rows = self._feed[after : after + limit]
            return [{"sequence": sequence, "order": order} for sequence, order in rows], min(
                after + len(rows), max(after, len(self._feed))
            )

    def length(self) -> int:
        """The newest cursor."""
        with self._lock:
            return len(self._feed)

    def _dialect(self, count: int) -> str:
        return DIALECTS[count % len(DIALECTS)] if self._switches.dialect == "mixed" else self._switches.dialect

    def _drop(self, message: Message, count: int) -> None:
        switches = self._switches
        encoding = ENCODINGS[count % len(ENCODINGS)] if switches.folder_encoding == "mixed" else switches.folder_encoding
        fields = {"SequenceNumber": message.sequence, "ClientId": CLIENT_ACCOUNT, **message.fields}
        if switches.folder_format == "json" or (switches.folder_format == "mixed" and count % 2):
            name, body = f"{uuid.uuid4().hex}.json", as_json_file(fields, self._dialect(count), encoding)
        else:
            name, body = f"{message.order_id} {count:05d}.xml", as_xml(fields, encoding)
        path = self._folder / name
        if switches.folder_slow_seconds <= 0:
            path.write_bytes(body)
            return
        pieces = 5
        step = len(body) // pieces + 1
        path.touch()
        for number in range(pieces):
            piece = body[number * step : (number + 1) * step]
            self._agenda.after(switches.folder_slow_seconds * (number + 1) / pieces, lambda piece=piece: _append(path, piece))  # type: ignore[misc]


def _append(path: Path, piece: bytes) -> None:
    if path.exists():  # who takes the file too early gets what he deserves, but no second file
        with path.open("ab") as file:
            file.write(piece)
