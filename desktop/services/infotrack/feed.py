"""The message feed (contracts, section 4): pages of order messages after a cursor, over HTTP."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from zoneinfo import ZoneInfo

from desktop.services.errors import AnswerLost, BadAnswer, SignedOut
from desktop.services.http import Answer, Http, Limits
from desktop.services.infotrack.answers import wait_of, words
from desktop.services.infotrack.credentials import Credentials
from desktop.services.infotrack.fields import Fields
from desktop.services.infotrack.inbox import FeedCursor, Inbox
from desktop.services.infotrack.messages import MAX_BYTES, Batch, MessageUnreadable, batch_of, parse_json
from desktop.services.infotrack.model import Incoming, Source
from desktop.services.infotrack.unreadable import Unreadable

_log = logging.getLogger(__name__)
_JSON = re.compile(r"application/(?:[\w.-]+\+)?json\s*(?:;.*)?", re.IGNORECASE)
_CURSOR = re.compile(r"[\x21-\x7e]{1,500}")
_CURSOR_REFUSED = frozenset({400, 404, 409, 410, 412, 416, 422})
_REJECTED = "The message feed did not accept your InfoTrack login. Sign in again under Connections."


@dataclass(frozen=True, slots=True)
class _Page:
    messages: list[object]
    next: str | None


class _CursorUnknown(Exception):
    """The feed refused a request that carried a cursor, in a way that it may not refuse one without."""


class Feed:
    """One feed. The cursor moves only together with the messages that it covers."""

    name = "message feed"

    def __init__(
        self,
        http: Http,
        pull_url: str,
        credentials: Credentials,
        unreadable: Unreadable,
        zone: ZoneInfo,
        *,
        limit: int = 100,
        most_pages: int = 50,
        limits: Limits | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._http = http
        self._url = pull_url
        self._credentials = credentials
        self._unreadable = unreadable
        self._zone = zone
        self._limit = limit
        self._most_pages = most_pages
        self._limits = limits
        self._now = now
        parts = urlsplit(pull_url)
        self.feed = urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))

    def due_in(self) -> float | None:
        return 0.0 if self._more else None

    _more = False

    def collect(self, inbox: Inbox) -> int:
        """See ResultSource. One pass reads a bounded number of pages; `due_in` is 0 when there was more to read."""
        self._more = False
        position = inbox.cursor(self.feed)
        visited = {position}
        new = 0
        for _ in range(self._most_pages):
            try:
                page = self._page(position)
            except _CursorUnknown:
                # A feed that was set up anew knows nothing of where we stood. From its start nothing is missed, and what comes
                # again changes nothing.
                _log.warning("the message feed does not know the cursor any more; it is read from its start")
                position, visited = None, {None}
                page = self._page(None)
            batch = batch_of(page.messages, self._zone) if page.messages else Batch(())
            for bad in batch.unreadable:
                _log.warning("a message of the feed could not be read; it is kept in the profile's folder `unreadable`")
                self._unreadable.keep(bad.raw, bad.reason)
            incoming = [Incoming(found.message, found.raw, Source.FEED) for found in batch.messages]
            moved = page.next is not None and page.next != position
            if page.next is not None and (incoming or moved):
                new += inbox.record(incoming, cursor=FeedCursor(self.feed, page.next))
            elif incoming:
                # Nothing is lost by taking them again; where to go on from is what is missing.
                inbox.record(incoming)
                raise BadAnswer("The message feed's answer does not say where to go on (next). Tell whoever runs it.")
            if not moved:
                return new
            if page.next in visited:
                raise BadAnswer("The message feed sends its reader in a circle. Tell whoever runs it.")
            position = page.next
            visited.add(position)
        self._more = True
        return new

    def _page(self, position: str | None) -> _Page:
        login = self._credentials.login()
        answer = self._http.send(
            "GET",
            self._address(position),
            headers={"Authorization": login.header(), "Accept": "application/json"},
            cap=MAX_BYTES,
            limits=self._limits,
        )
        if answer.status == 401:
            self._credentials.rejected(login)
            raise SignedOut(_REJECTED)
        if position is not None and answer.status in _CURSOR_REFUSED:
            raise _CursorUnknown
        self._demand_success(answer)
        if not _JSON.fullmatch(answer.headers.get("content-type", "").strip()):
            raise BadAnswer("The message feed answered with something else than JSON. Check results.pull_url.")
        return _read(answer.body)

    def _address(self, position: str | None) -> str:
        parts = urlsplit(self._url)
        query = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in ("after", "limit")]
        if position is not None:
            query.append(("after", position))
        query.append(("limit", str(self._limit)))
        return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(query), ""))

    def _demand_success(self, answer: Answer) -> None:
        if answer.status == 200:
            return
        if answer.status in (429, 503):
            raise wait_of(answer.status, answer.headers, self._now())
        if 300 <= answer.status < 400:
            raise BadAnswer("The message feed answers with a redirect. Ask your IT to enter its final address as results.pull_url.")
        said = words(answer.body)
        told = f"The message feed answered {answer.status}{': ' + said if said else ''}."
        raise AnswerLost(told) if answer.status >= 500 else BadAnswer(told)


def _read(body: bytes) -> _Page:
    try:
        told = parse_json(body)
    except MessageUnreadable as error:
        raise BadAnswer("The message feed's answer could not be read.") from error
    if not isinstance(told, Fields):
        raise BadAnswer("The message feed's answer has not the agreed shape.")
    messages, following = told.get("messages"), told.get("next")
    if isinstance(following, int) and not isinstance(following, bool):
        following = str(following)
    if not isinstance(messages, list) or not isinstance(following, str | None) or (following and not _CURSOR.fullmatch(following)):
        raise BadAnswer("The message feed's answer has not the agreed shape (messages and next).")
    return _Page(messages, following or None)
