"""Documents in a matter of Smokeball's: an entry first, then its contents, by two different servers.

What a write's fate is over two steps. The document is delivered when its contents are in; an entry without contents is not a
document, and `listed` does not give it as one. So whatever happened before the contents left is not done, and stays what it
was: NotSent, Wait, SignedOut, AccessMissing, Refused. Once contents may have left, it is unknown: AnswerLost. In both cases the
next try finds the entry by our key and fills that one, and makes no second: from the matter's list, and from memory while the
list does not show it yet (entries appear some time after the yes). Only a yes that nobody could read (AnswerLost from the
first step) leaves an entry that is not remembered; it is in the list by the time that absence is believed.

The contents go to a file store by an address that is signed (vendor docs, and seen in public client code): with a content type
that is there and empty, without the API key and the sign-in; a filled content type breaks the signature. That call is not the
API's and does not count against its limit.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from desktop.services.errors import AnswerLost, BadAnswer, NotSent, Refused, Wait
from desktop.services.http import Http, is_loopback
from desktop.services.practice.gateway import retry_after
from desktop.services.practice.json_calls import Found, record, text
from desktop.services.practice.keys import file_word_in, may_be_one_file
from desktop.services.practice.model import Document, PostedDocument, Receipt
from desktop.services.practice.practice_system import Urgency
from desktop.services.practice.smokeball_calls import SmokeballCalls, told_id
from desktop.services.practice.smokeball_pages import rows
from desktop.services.practice.smokeball_records import FileEntry, file_body, file_entry, is_id

_log = logging.getLogger(__name__)

_ANSWER_BYTES = 200_000
_REMEMBERED = timedelta(minutes=5)
_MOST_REMEMBERED = 500
_LAPSED = frozenset({400, 401, 403, 404, 410})
"""What a file store says to an address whose signature has lapsed, or that it does not like: nothing was stored."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry that was made here and has no contents yet. `address` may be empty."""

    file_id: str
    address: str = field(repr=False)
    made_at: datetime


class Files:
    """Safe to use from several threads; one document's two posts at the same time are the caller's to avoid."""

    def __init__(self, http: Http, reading: SmokeballCalls, writing: SmokeballCalls, *, clock: Callable[[], datetime]) -> None:
        self._http = http
        self._reading = reading
        self._writing = writing
        self._clock = clock
        self._made: dict[tuple[str, str], _Entry] = {}
        self._lock = threading.Lock()

    def listed(self, matter_id: str, urgency: Urgency) -> tuple[PostedDocument, ...]:
        """The documents whose contents are there. Raises what reads raise."""
        return tuple(entry.document for entry in self._entries(matter_id, urgency) if entry.uploaded and not entry.dead)

    def post(self, document: Document, urgency: Urgency) -> Receipt:
        """Raises what writes raise."""
        known = (document.matter_id, document.key)
        entries = self._entries_before_writing(document.matter_id, urgency)
        found = _ours(entries, document)
        if found is not None and found.uploaded:
            return Receipt(found.document.remote_id)
        entry = self._remembered(known)
        if entry is not None and any(one.dead and one.document.remote_id == entry.file_id for one in entries):
            entry = None
        if found is not None and (entry is None or entry.file_id != found.document.remote_id):
            entry = _Entry(found.document.remote_id, "", self._clock())
        if entry is None:
            entry = self._begun(document, urgency)
        self._remember(known, entry)
        try:
            self._fill(document, entry, urgency)
        except Refused as error:
            if error.status == 404:
                # The entry is gone: the next try makes another.
                self._forget(known)
            raise
        self._forget(known)
        return Receipt(entry.file_id)

    # the first step

    def _entries_before_writing(self, matter_id: str, urgency: Urgency) -> list[FileEntry]:
        try:
            return self._entries(matter_id, urgency)
        except (AnswerLost, BadAnswer) as error:
            raise NotSent(f"The matter's documents could not be read, so nothing was sent. {error}") from error

    def _entries(self, matter_id: str, urgency: Urgency) -> list[FileEntry]:
        return [file_entry(each) for each in rows(self._reading, f"matters/{matter_id}/documents/files", (), urgency)]

    def _begun(self, document: Document, urgency: Urgency) -> _Entry:
        answer = self._writing.write(
            f"matters/{document.matter_id}/documents/files",
            file_body(document),
            urgency,
            done=lambda found: is_id(told_id(found, "fileId") or told_id(found)),
        )
        return _Entry(told_id(answer, "fileId") or told_id(answer), _address(record(answer)), self._clock())

    # the second step

    def _fill(self, document: Document, entry: _Entry, urgency: Urgency) -> None:
        address = entry.address or self._fresh_address(document, entry, urgency)
        answered = self._put(address, document.content)
        if answered in _LAPSED:
            answered = self._put(self._fresh_address(document, entry, urgency), document.content)
        if answered in _LAPSED:
            raise Refused("Smokeball's file store does not take the file. Add it to the matter by hand.", status=answered)

    def _fresh_address(self, document: Document, entry: _Entry, urgency: Urgency) -> str:
        path = f"matters/{document.matter_id}/documents/files/{entry.file_id}/upload"
        try:
            address = _address(record(self._writing.read(path, "", urgency)))
        except (AnswerLost, BadAnswer) as error:
            raise NotSent(f"Smokeball did not say where the file goes, so it was not sent. {error}") from error
        except Refused as error:
            if error.status == 404 and self._clock() - entry.made_at < _REMEMBERED:
                # Entries appear some time after they were accepted. Whether this one will, only the list can tell.
                raise AnswerLost("Smokeball accepted the file's entry and does not know it yet.") from error
            raise
        if not address:
            raise NotSent("Smokeball did not say where the file goes, so it was not sent.")
        return address

    def _put(self, address: str, content: bytes) -> int:
        """The status of an answer that says yes, or that this address is no good. Raises for all others."""
        if urlsplit(address).scheme != "https" and not is_loopback(address):
            raise Refused("Smokeball names a place for the file that is not protected (no https), so it was not sent there.")
        try:
            answer = self._http.send("PUT", address, headers={"Content-Type": ""}, body=content, cap=_ANSWER_BYTES)
        except BadAnswer as error:
            raise AnswerLost("The file store's answer could not be read, so it is not known whether it has the file.") from error
        status = answer.status
        _log.info("the file store answered %d", status)
        if status in (200, 201, 204) and answer.body.lstrip().startswith(b"<"):
            raise AnswerLost("Something else than the file store answered with a page, so it is not known whether it has the file.")
        if status in _LAPSED or status in (200, 201, 204):
            return status
        if status == 413:
            raise Refused("The file is larger than Smokeball's file store accepts. Add it to the matter by hand.", status=status)
        if status == 429:
            after = retry_after(answer.headers, self._clock())
            raise Wait("Smokeball's file store asks to wait a little. It goes on by itself.", after=after, limit="server")
        raise AnswerLost(f"Smokeball's file store answered with status {status}, so it is not known whether it has the file.")

    # what was begun

    def _remembered(self, known: tuple[str, str]) -> _Entry | None:
        with self._lock:
            entry = self._made.get(known)
            if entry is not None and not timedelta() <= self._clock() - entry.made_at < _REMEMBERED:
                del self._made[known]
                return None
            return entry

    def _remember(self, known: tuple[str, str], entry: _Entry) -> None:
        with self._lock:
            while len(self._made) >= _MOST_REMEMBERED:
                del self._made[next(iter(self._made))]
            self._made[known] = entry

    def _forget(self, known: tuple[str, str]) -> None:
        with self._lock:
            self._made.pop(known, None)


def _ours(entries: list[FileEntry], document: Document) -> FileEntry | None:
    """One with contents before one without, the oldest before later ones: every PC chooses the same. Never one that another PC
    has made for another version of the document."""
    word = file_word_in(document.text)
    ours = [
        one
        for one in entries
        if not one.dead
        and document.key in one.document.keys
        and one.document.remote_id
        and may_be_one_file(word, file_word_in(one.document.text))
    ]
    return min(ours, key=lambda one: (not one.uploaded, one.created, one.document.remote_id), default=None)


def _address(found: Found) -> str:
    """Where the contents go; empty when it is not told, or is no address of the web."""
    try:
        told = text(found, "uploadUrl")
        parts = urlsplit(told)
        return told if parts.scheme in ("https", "http") and parts.hostname else ""
    except (BadAnswer, ValueError):
        return ""
