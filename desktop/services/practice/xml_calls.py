"""Calls of a practice system that speaks XML: one call through the budget, and what its answer means.

The meaning follows one rule. A read that can't be believed is BadAnswer. A write is done only when a 2xx answer says so in
its envelope; it is refused only when a 200 or a 4xx says so in one of the two documented forms; it was not done when the
gateway turned it away (401, 403, 429); anything else, also a well-formed error under a 5xx, leaves it unknown: an
application exception may come after the work was done.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from desktop.services.errors import AccessMissing, AnswerLost, BadAnswer, Refused, SignedOut, Wait
from desktop.services.http import Answer, Http, StreamedAnswer
from desktop.services.practice.gateway import (
    Refusal,
    envelope_refusal,
    limit_named,
    refusal_in,
    retry_after,
    status_of,
    status_refusal,
)
from desktop.services.practice.practice_system import AccessTokens, CallGate, Urgency
from desktop.services.practice.practice_xml import LIST, RECORD, Caps, Element, Envelope, Record, Shape, parse, records

_log = logging.getLogger(__name__)

# An error's body is a sentence or two; more than this is not read.
_ERROR_BODY = 1_000_000

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Words:
    """What this system is called, and what an administrator does when a right is missing."""

    name: str
    tenant_cure: str
    scope_cure: str


class _TokenTurnedAway(Exception):
    """The API would not have this token: nothing was done."""


class XmlCalls:
    """Safe to use from several threads. `headers` gives what a call carries besides the token."""

    def __init__(
        self,
        http: Http,
        tokens: AccessTokens,
        gate: CallGate,
        api_url: str,
        *,
        headers: Callable[[], Mapping[str, str]],
        clock: Callable[[], datetime],
        words: Words,
    ) -> None:
        self._http = http
        self._tokens = tokens
        self._gate = gate
        self._root = api_url.rstrip("/") + "/"
        self._headers = headers
        self._clock = clock
        self._words = words

    def read(self, method: str, tail: str, urgency: Urgency, *, caps: Caps = LIST) -> Element:
        """GET `method` + `tail` (already quoted): the document, with an envelope that says OK or without one.

        Raises Refused, NotSent, AnswerLost, BadAnswer, Wait, SignedOut, AccessMissing."""

        def call(token: str) -> Element:
            with self._gate.call(urgency):
                answer = self._http.send("GET", self._root + method + tail, headers=self._sent(token), cap=caps.bytes)
                self._learn(method, answer)
            self._turn_away(answer)
            if not 200 <= answer.status < 300:
                raise self._failed_read(answer)
            root = parse(answer.body, caps)
            refusal = status_refusal(root)
            if refusal is not None:
                raise Refused(refusal.reason, status=answer.status)
            return root

        return self._with_token(call)

    def stream(self, method: str, tail: str, shape: Shape, urgency: Urgency, *, caps: Caps) -> Iterator[Record]:
        """As `read`, for a list whose records are given one by one; whether the list was whole is known only at its end."""
        token = self._tokens.token()
        for last in (False, True):
            try:
                yield from self._streamed(token, method, tail, shape, urgency, caps)
                return
            except _TokenTurnedAway:
                if last:
                    break
                token = self._tokens.rejected(token)
        raise self._signed_out()

    def _streamed(self, token: str, method: str, tail: str, shape: Shape, urgency: Urgency, caps: Caps) -> Iterator[Record]:
        envelope = Envelope()
        with (
            self._gate.call(urgency),
            self._http.open("GET", self._root + method + tail, headers=self._sent(token), cap=caps.bytes) as opened,
        ):
            self._learn(method, opened)
            if not 200 <= opened.status < 300:
                answer = Answer(opened.status, opened.headers, _start_of(opened.pieces()))
                self._turn_away(answer)
                raise self._failed_read(answer)
            yield from records(opened.pieces(), shape, caps, envelope)
        if envelope.wrapped:
            verdict = envelope.values.get("status", "").strip()
            if not verdict:
                raise BadAnswer("The answer lacks its status.")
            if verdict.upper() != "OK":
                raise Refused(envelope_refusal(verdict, envelope.values.get("errordescription", "")).reason)
        if not envelope.container_seen:
            raise BadAnswer("The answer lacks the list that was asked for.")

    def write(self, method: str, body: bytes, urgency: Urgency, *, records_named: tuple[str, ...]) -> Element:
        """POST. Gives the answer when it says that it was done: an envelope with OK, or a bare document whose root is one of
        `records_named`. A token that was turned away is renewed once; apart from that the body leaves once.

        Raises NotSent, Wait, SignedOut, AccessMissing (proved not done), Refused, or AnswerLost."""

        def call(token: str) -> Element:
            headers = {**self._sent(token), "content-type": "application/xml; charset=utf-8"}
            with self._gate.call(urgency):
                try:
                    answer = self._http.send("POST", self._root + method, headers=headers, body=body, cap=RECORD.bytes)
                except BadAnswer as error:
                    raise AnswerLost("The answer could not be read, so it is not known whether it was done.") from error
                self._learn(method, answer)
            self._turn_away(answer)
            return self._written(answer, records_named)

        return self._with_token(call)

    def _written(self, answer: Answer, records_named: tuple[str, ...]) -> Element:
        status = answer.status
        if 200 <= status < 300:
            try:
                root = parse(answer.body, RECORD)
                refusal = status_refusal(root)
                done = status_of(root) == "OK" or root.name.lower() in records_named
            except BadAnswer as error:
                raise AnswerLost("The answer was no answer of the practice system's, so it is not known what was done.") from error
            if refusal is not None:
                raise Refused(refusal.reason, status=status)
            if not done:
                raise AnswerLost("The answer was not the one expected, so it is not known whether it was done.")
            return root
        refusal = refusal_in(answer.body)
        if status == 413:
            raise Refused(refusal.reason if refusal else "It is larger than the practice system accepts.", status=status)
        # 408 and 409 tell of another try or of time, not of this request's fate.
        if 400 <= status < 500 and status not in (408, 409) and refusal is not None:
            raise Refused(refusal.reason, status=status)
        raise AnswerLost(
            _with_reason(f"The practice system answered with error {status}, so it is not known what was done.", refusal)
        )

    def _with_token(self, call: Callable[[str], _T]) -> _T:
        token = self._tokens.token()
        try:
            return call(token)
        except _TokenTurnedAway:
            token = self._tokens.rejected(token)
        try:
            return call(token)
        except _TokenTurnedAway:
            raise self._signed_out() from None

    def _signed_out(self) -> SignedOut:
        return SignedOut(f"{self._words.name} no longer accepts this sign-in. Connect again.")

    def _sent(self, token: str) -> dict[str, str]:
        return {"authorization": f"Bearer {token}", "accept": "application/xml", **self._headers()}

    def _learn(self, method: str, answer: Answer | StreamedAnswer) -> None:
        self._gate.learn(answer.status, dict(answer.headers))
        correlation = answer.headers.get("xero-correlation-id", "")[-8:] or "none"
        _log.info("%s answered %d, correlation %s", method, answer.status, correlation)

    def _turn_away(self, answer: Answer) -> None:
        """Raises for what the gateway turned away before anything was done."""
        status = answer.status
        if status == 429:
            limit = limit_named(answer.headers)
            raise Wait(_limit_message(limit, self._words.name), after=retry_after(answer.headers, self._clock()), limit=limit)
        if status not in (401, 403):
            return
        refusal = refusal_in(answer.body)
        detail = refusal.detail.lower() if refusal else ""
        if status == 401 and not detail.startswith("authorizationunsuccessful"):
            raise _TokenTurnedAway
        if status == 401:
            raise AccessMissing(f"{self._words.name} does not let this app do this.", cure=self._words.scope_cure)
        raise AccessMissing(f"{self._words.name} does not let this person in through this app.", cure=self._words.tenant_cure)

    def _failed_read(self, answer: Answer) -> Exception:
        status = answer.status
        if status == 503:
            after = retry_after(answer.headers, self._clock())
            return Wait(f"{self._words.name} is out of service for the moment.", after=after, limit="server")
        refusal = refusal_in(answer.body)
        if status >= 500 or status == 408:
            return AnswerLost(_with_reason(f"{self._words.name} answered with error {status}.", refusal))
        if 400 <= status < 500 and (refusal is not None or status == 404):
            return Refused(refusal.reason if refusal else f"{self._words.name} does not know what was asked for.", status=status)
        return BadAnswer(f"{self._words.name} answered with status {status}, which is not expected here.")


def _start_of(pieces: Iterable[bytes]) -> bytes:
    start = b""
    for piece in pieces:
        start += piece
        if len(start) >= _ERROR_BODY:
            break
    return start[:_ERROR_BODY]


def _with_reason(message: str, refusal: Refusal | None) -> str:
    return f"{message} It said: {refusal.reason}" if refusal else message


def _limit_message(limit: str, name: str) -> str:
    if limit == "day":
        return f"The firm's calls to {name} for today are used up. It goes on by itself when the day's limit is renewed."
    return f"{name} asks to wait a little. It goes on by itself."
