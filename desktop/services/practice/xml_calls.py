"""Calls of a practice system that speaks XML.

The meaning follows one rule. A read that can't be believed is BadAnswer. A write is done only when a 2xx answer says so in
its envelope, or shows the record; it is refused only when a 200 or a 4xx says so in one of the two documented forms; anything
else leaves it unknown (see `calls`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from desktop.services.errors import AnswerLost, BadAnswer, Refused
from desktop.services.http import Answer
from desktop.services.practice.calls import Calls, TokenTurnedAway
from desktop.services.practice.gateway import envelope_refusal, status_of, status_refusal
from desktop.services.practice.practice_system import Urgency
from desktop.services.practice.practice_xml import LIST, RECORD, Caps, Element, Envelope, Record, Shape, charset_of, parse, records

# An error's body is a sentence or two; more than this is not read.
_ERROR_BODY = 1_000_000


class XmlCalls(Calls):
    """Safe to use from several threads."""

    accept = "application/xml"

    def read(self, method: str, tail: str, urgency: Urgency, *, caps: Caps = LIST) -> Element:
        """GET `method` + `tail` (already quoted): the document, with an envelope that says OK or without one.

        Raises Refused, NotSent, AnswerLost, BadAnswer, Wait, SignedOut, AccessMissing."""

        def document(answer: Answer) -> Element:
            root = parse(answer.body, caps, charset=charset_of(answer.headers))
            refusal = status_refusal(root)
            if refusal is not None:
                raise Refused(refusal.reason, status=answer.status)
            return root

        return self._get(method, tail, urgency, cap=caps.bytes, read=document)

    def stream(
        self, method: str, tail: str, shape: Shape, urgency: Urgency, *, caps: Caps, envelope: Envelope | None = None
    ) -> Iterator[Record]:
        """As `read`, for a list whose records are given one by one; whether the list was whole is known only at its end.
        `envelope` then holds what stood around it."""
        envelope = Envelope() if envelope is None else envelope
        token = self._tokens.token()
        for last in (False, True):
            try:
                yield from self._streamed(token, method, tail, shape, urgency, caps, envelope)
                return
            except TokenTurnedAway:
                if last:
                    break
                token = self._tokens.rejected(token)
        raise self._signed_out()

    def _streamed(
        self, token: str, method: str, tail: str, shape: Shape, urgency: Urgency, caps: Caps, envelope: Envelope
    ) -> Iterator[Record]:
        with (
            self._gate.call(urgency),
            self._http.open("GET", self._root + method + tail, headers=self._sent(token), cap=caps.bytes) as opened,
        ):
            self._learn(method, opened)
            if not 200 <= opened.status < 300:
                answer = Answer(opened.status, opened.headers, _start_of(opened.pieces()))
                self._turn_away(answer)
                raise self._failed_read(answer)
            yield from records(opened.pieces(), shape, caps, envelope, charset=charset_of(opened.headers))
        if envelope.wrapped:
            verdict = envelope.values.get("status", "").strip()
            if not verdict:
                raise BadAnswer("The answer lacks its status.")
            if verdict.upper() != "OK":
                raise Refused(envelope_refusal(verdict, envelope.values.get("errordescription", "")).reason)
        if not envelope.container_seen:
            raise BadAnswer("The answer lacks the list that was asked for.")

    def write(
        self, method: str, body: bytes, urgency: Urgency, *, records_named: tuple[str, ...], silent_yes: bool = False
    ) -> Element:
        """POST. Gives the answer when it says that it was done: an envelope with OK, or a bare document whose root is one of
        `records_named`; with `silent_yes` also an empty 200, as an element without anything.

        Raises NotSent, Wait, SignedOut, AccessMissing (proved not done), Refused, or AnswerLost."""

        def written(answer: Answer) -> Element:
            if silent_yes and answer.status == 200 and not answer.body.strip():
                return Element("")
            try:
                root = parse(answer.body, RECORD, charset=charset_of(answer.headers))
                refusal = status_refusal(root)
                done = status_of(root) == "OK" or root.name.lower() in records_named
            except BadAnswer as error:
                raise AnswerLost("The answer was no answer of the practice system's, so it is not known what was done.") from error
            if refusal is not None:
                raise Refused(refusal.reason, status=answer.status)
            if not done:
                raise AnswerLost("The answer was not the one expected, so it is not known whether it was done.")
            return root

        return self._send("POST", method, body, "application/xml; charset=utf-8", urgency, cap=RECORD.bytes, read=written)


def _start_of(pieces: Iterable[bytes]) -> bytes:
    start = b""
    for piece in pieces:
        start += piece
        if len(start) >= _ERROR_BODY:
            break
    return start[:_ERROR_BODY]
