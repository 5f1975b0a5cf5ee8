"""Calls of a practice system, whatever it speaks: through the budget, with a token that is renewed once, and what an answer
that is no success means.

What the gateway turned away (401, 403, 429) was not done. A write is refused only when a 4xx says so in words that are the
other side's own; anything else, also a well-formed error under a 5xx, leaves it unknown: an application exception may come
after the work was done.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from desktop.services.errors import AccessMissing, AnswerLost, BadAnswer, NotNow, Refused, ServiceError, SignedOut, Wait
from desktop.services.http import Answer, Http, StreamedAnswer
from desktop.services.loggable import Loggable, loggable
from desktop.services.practice.gateway import Refusal, limit_named, limits_told, refusal_in, retry_after
from desktop.services.practice.model import AccessFinding, Finding
from desktop.services.practice.practice_system import AccessTokens, CallGate, Urgency

_log = logging.getLogger(__name__)

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Words:
    """What this system is called, and what an administrator does when a right is missing."""

    name: str
    tenant_cure: str
    scope_cure: str


class TokenTurnedAway(Exception):
    """The API would not have this token: nothing was done. Never leaves the calls."""


class Calls:
    """Safe to use from several threads. `headers` gives what a call carries besides the token; `accept` is what it speaks."""

    accept = ""

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
        self.words = words

    def tried(self, right: str, what: str, read: Callable[[], object]) -> AccessFinding:
        """A right, found by trying to read `what`."""
        try:
            read()
        except AccessMissing as error:
            return AccessFinding(right, Finding.MISSING, f"{self.words.name} does not let us read {what}.", error.cure)
        except SignedOut as error:
            return AccessFinding(right, Finding.MISSING, str(error), f"Connect to {self.words.name} again.")
        except NotNow as error:
            return AccessFinding(right, Finding.UNKNOWN, str(error), "Put that right and try again.")
        except ServiceError as error:
            return AccessFinding(right, Finding.UNKNOWN, f"Reading {what} did not work: {error}", "Try again in a few minutes.")
        return AccessFinding(right, Finding.OK)

    def _get(self, method: str, tail: str, urgency: Urgency, *, cap: int, read: Callable[[Answer], _T]) -> _T:
        """GET, and what `read` makes of a success."""

        def call(token: str) -> _T:
            with self._gate.call(urgency):
                answer = self._http.send("GET", self._root + method + tail, headers=self._sent(token), cap=cap)
                self._learn(method, answer)
            self._turn_away(answer)
            if not 200 <= answer.status < 300:
                raise self._failed_read(answer)
            return read(answer)

        return self._with_token(call)

    def _send(
        self, verb: str, method: str, body: bytes, kind: str, urgency: Urgency, *, cap: int, read: Callable[[Answer], _T]
    ) -> _T:
        """A write, and what `read` makes of a success. A token that was turned away is renewed once; apart from that the body
        leaves once. Raises NotSent, Wait, SignedOut, AccessMissing (proved not done), Refused, or AnswerLost."""

        def call(token: str) -> _T:
            headers = {**self._sent(token), "content-type": kind}
            with self._gate.call(urgency):
                try:
                    answer = self._http.send(verb, self._root + method, headers=headers, body=body, cap=cap)
                except BadAnswer as error:
                    raise AnswerLost("The answer could not be read, so it is not known whether it was done.") from error
                self._learn(method, answer)
            self._turn_away(answer)
            if not 200 <= answer.status < 300:
                raise _failed_write(answer)
            return read(answer)

        return self._with_token(call)

    def _with_token(self, call: Callable[[str], _T]) -> _T:
        token = self._tokens.token()
        try:
            return call(token)
        except TokenTurnedAway:
            token = self._tokens.rejected(token)
        try:
            return call(token)
        except TokenTurnedAway:
            raise self._signed_out() from None

    def _signed_out(self) -> SignedOut:
        return SignedOut(f"{self.words.name} no longer accepts this sign-in. Connect again.")

    def _sent(self, token: str) -> dict[str, str]:
        return {"authorization": f"Bearer {token}", "accept": self.accept, **self._headers()}

    def _learn(self, method: str, answer: Answer | StreamedAnswer) -> None:
        self._gate.learn(answer.status, limits_told(answer.headers))
        correlation = answer.headers.get("xero-correlation-id", "")[-8:] or "none"
        _log.info("%s answered %d, correlation %s", _without_ids(method), answer.status, loggable(correlation))

    def _turn_away(self, answer: Answer) -> None:
        """Raises for what the gateway turned away before anything was done."""
        status = answer.status
        if status == 429:
            limit = limit_named(answer.headers)
            raise Wait(_limit_message(limit, self.words.name), after=retry_after(answer.headers, self._clock()), limit=limit)
        if status not in (401, 403):
            return
        refusal = refusal_in(answer.body)
        detail = refusal.detail.lower() if refusal else ""
        if status == 401 and not detail.startswith("authorizationunsuccessful"):
            raise TokenTurnedAway
        if status == 401:
            raise AccessMissing(f"{self.words.name} does not let this app do this.", cure=self.words.scope_cure)
        raise AccessMissing(f"{self.words.name} does not let this person in through this app.", cure=self.words.tenant_cure)

    def _failed_read(self, answer: Answer) -> ServiceError:
        status = answer.status
        if status == 503:
            after = retry_after(answer.headers, self._clock())
            return Wait(f"{self.words.name} is out of service for the moment.", after=after, limit="server")
        refusal = refusal_in(answer.body)
        if status >= 500 or status == 408:
            return AnswerLost(_with_reason(f"{self.words.name} answered with error {status}.", refusal))
        if 400 <= status < 500 and (refusal is not None or status in (404, 410)):
            return Refused(refusal.reason if refusal else f"{self.words.name} does not know what was asked for.", status=status)
        return BadAnswer(f"{self.words.name} answered with status {status}, which is not expected here.")


def _failed_write(answer: Answer) -> ServiceError:
    status = answer.status
    refusal = refusal_in(answer.body)
    if status == 413:
        return Refused(refusal.reason if refusal else "It is larger than the practice system accepts.", status=status)
    # 408 and 409 tell of another try or of time, not of this request's fate.
    if 400 <= status < 500 and status not in (408, 409) and refusal is not None:
        return Refused(refusal.reason, status=status)
    return AnswerLost(_with_reason(f"The practice system answered with error {status}, so it is not known what was done.", refusal))


def _without_ids(method: str) -> Loggable:
    """The call's name, for the log: its fixed words, and no id or number of anybody's."""
    return loggable("/".join(part if re.fullmatch(r"v[0-9]|[a-z.-]+", part) else "…" for part in method.split("?")[0].split("/")))


def _with_reason(message: str, refusal: Refusal | None) -> str:
    return f"{message} It said: {refusal.reason}" if refusal else message


def _limit_message(limit: str, name: str) -> str:
    if limit == "day":
        return f"The firm's calls to {name} for today are used up. It goes on by itself when the day's limit is renewed."
    return f"{name} asks to wait a little. It goes on by itself."
