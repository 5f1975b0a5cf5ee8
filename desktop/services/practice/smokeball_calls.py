"""Calls of Smokeball: one object for each right that the app was given, so that what is turned away can be named.

Facts (vendor docs): each call carries the app's API key beside the bearer token; 401 means an expired token or a missing
scope, 403 a wrong key, a missing scope or a record that this person may not see; scopes live inside the token; errors are
problem details with a list `errors` whose shape nobody publishes. Of a token, the refresh alone proves that it lapsed: so a
401 to a token that was renewed because of a 401 is a right that is missing, and only the sign-in service ends a sign-in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from desktop.services.errors import AccessMissing, BadAnswer, Refused, Wait
from desktop.services.http import Answer, Http, StreamedAnswer
from desktop.services.practice.calls import TokenTurnedAway, Words
from desktop.services.practice.gateway import retry_after, shortened
from desktop.services.practice.json_calls import LIST_BYTES, Body, Json, JsonCalls, decode
from desktop.services.practice.practice_system import AccessTokens, CallGate, Urgency

_T = TypeVar("_T")

_PROBLEM_BYTES = 100_000
_TURNS = 4
_LIMIT = "app"
_SAYING = ("message", "errormessage", "detail", "description", "reason", "error", "title")
_NAMING = ("field", "property", "propertyname", "name", "path", "key")


@dataclass(slots=True)
class Standing:
    """What answers have shown of this sign-in, shared by the calls of all rights."""

    renewed: str = field(default="", repr=False)
    """The token that was had because another one was turned away."""
    accepted: frozenset[tuple[str, str]] = field(default=frozenset(), repr=False)
    """The newest token that was accepted, and for what."""
    server_time: datetime | None = None

    def works(self, token: str, right: str) -> None:
        if (token, right) not in self.accepted:
            self.accepted = frozenset({one for one in self.accepted if one[0] == token} | {(token, right)})

    def has(self, right: str) -> bool:
        """Whether this right has worked in this sign-in, for whatever record."""
        return any(one[1] == right for one in self.accepted)


class Forbidden(AccessMissing):
    """A 403: the key, the scope, or just this record."""


class SmokeballCalls(JsonCalls):
    """The calls that one right (a scope's name) allows. Safe to use from several threads."""

    def __init__(
        self,
        http: Http,
        tokens: AccessTokens,
        gate: CallGate,
        api_url: str,
        *,
        api_key: str,
        right: str,
        standing: Standing,
        clock: Callable[[], datetime],
    ) -> None:
        cure = (
            f"In the Smokeball developer console the app needs the scope {right}. The firm's IT also checks region and api_key in "
            "platform.toml: they belong to that app. Then connect again, since scopes are part of the sign-in."
        )
        super().__init__(
            http,
            tokens,
            gate,
            api_url,
            headers=lambda: {"x-api-key": api_key},
            clock=clock,
            words=Words(name="Smokeball", tenant_cure=cure, scope_cure=cure),
        )
        self.right = right
        self.standing = standing

    def read(self, path: str, tail: str, urgency: Urgency, *, cap: int = LIST_BYTES) -> Json:
        """As `JsonCalls.read`. A limit that other desks' calls met is waited for in the gate, a few times: a firm's list takes
        dozens of calls, and would never be read to its end if the first 429 ended it."""
        return self._patiently(lambda: super(SmokeballCalls, self).read(path, tail, urgency, cap=cap))

    def decoded(self, content: bytes) -> Json:
        """The vendor's guides spell an answer's names with a small letter, its machine-readable description leaves it open:
        both are read."""
        return with_small_letters(decode(content))

    def ask(self, path: str, body: Body, urgency: Urgency, *, cap: int = LIST_BYTES) -> Json:
        """A read whose question is too long for an address: it is posted. Raises as `read` does."""

        def call(token: str) -> Json:
            headers = {**self._sent(token), "content-type": body.kind}
            with self._gate.call(urgency):
                answer = self._http.send("POST", self._root + path, headers=headers, body=body.content, cap=cap)
                self._learn(path, answer)
            self._turn_away(answer)
            if not 200 <= answer.status < 300:
                raise self._failed_read(answer)
            return self.decoded(answer.body)

        return self._patiently(lambda: self._with_token(call))

    @staticmethod
    def _patiently(read: Callable[[], _T]) -> _T:
        for _ in range(_TURNS - 1):
            try:
                return read()
            except Wait as error:
                if error.limit != _LIMIT:
                    raise
        return read()

    def _with_token(self, call: Callable[[str], _T]) -> _T:
        token = self._tokens.token()
        try:
            return self._accepted(call, token)
        except TokenTurnedAway:
            if token == self.standing.renewed and (token, self.right) not in self.standing.accepted:
                # Another right met the 401 before: to renew for each of them would end in nothing else.
                raise self._right_missing() from None
            token = self._tokens.rejected(token)
            self.standing.renewed = token
        try:
            return self._accepted(call, token)
        except TokenTurnedAway:
            raise self._right_missing() from None

    def _accepted(self, call: Callable[[str], _T], token: str) -> _T:
        found = call(token)
        self.standing.works(token, self.right)
        return found

    def _right_missing(self) -> AccessMissing:
        return AccessMissing(f"Smokeball turns a fresh sign-in away from what {self.right} allows.", cure=self.words.scope_cure)

    def _learn(self, method: str, answer: Answer | StreamedAnswer) -> None:
        super()._learn(method, answer)
        try:
            told = parsedate_to_datetime(answer.headers.get("date", ""))
        except (TypeError, ValueError, IndexError, OverflowError):
            return
        self.standing.server_time = told if told.tzinfo is not None else None

    def _turn_away(self, answer: Answer) -> None:
        """Everything that proves that nothing was done, and the refusals in Smokeball's own words."""
        status = answer.status
        if status == 401:
            raise TokenTurnedAway
        if status == 403:
            raise Forbidden(_with_words("Smokeball does not let this app in.", answer.body), cure=self.words.tenant_cure)
        if status == 429:
            after = retry_after(answer.headers, self._clock())
            raise Wait("Smokeball asks to wait a little. It goes on by itself.", after=after, limit=_LIMIT)
        # 408 and 409 tell of another try or of time, not of this request's fate.
        if 400 <= status < 500 and status not in (408, 409) and (reason := problem_in(answer.body)):
            raise Refused(reason, status=status)


def with_small_letters(found: Json) -> Json:
    """The same with every name beginning with a small letter, in whichever of its records it stands: a list's envelope and its
    rows need not be spelled alike. A name in capitals alone (ID, ABN) is small throughout. Where a record has a name in both
    spellings, the small one counts."""
    if isinstance(found, list):
        return [with_small_letters(each) for each in found]
    if not isinstance(found, dict):
        return found
    told = {_small(name): with_small_letters(value) for name, value in found.items() if name[:1].isupper()}
    return told | {name: with_small_letters(value) for name, value in found.items() if not name[:1].isupper()}


def _small(name: str) -> str:
    return name.lower() if name.isupper() else name[:1].lower() + name[1:]


def problem_in(body: bytes) -> str:
    """What the body of an error says, on one line; empty when it says nothing in a form that is Smokeball's or its
    gateway's. The entries of `errors` are unpublished, so every known way to say something is read."""
    if len(body) > _PROBLEM_BYTES:
        return ""
    try:
        found = decode(body)
    except BadAnswer:
        return ""
    if not isinstance(found, dict):
        return ""
    told = {name.lower(): value for name, value in found.items()}
    parts = [_words(told.get("title")) or _words(told.get("message")), _words(told.get("detail"))]
    errors = told.get("errors")
    if isinstance(errors, dict):
        # The form that its framework gives by itself: the field's name, and what is wrong with it.
        errors = [{"field": name, "message": each} for name, each in errors.items()]
    if isinstance(errors, list):
        parts += [_one_error(each) for each in errors[:10]]
    return shortened(" ".join(_ended(part) for part in dict.fromkeys(parts) if part))


def _one_error(found: Json) -> str:
    if not isinstance(found, dict):
        return _words(found)
    told = {name.lower(): value for name, value in found.items()}
    saying = next((words for name in _SAYING if (words := _words(told.get(name)))), "")
    naming = next((words for name in _NAMING if (words := _words(told.get(name)))), "")
    if saying:
        return f"{naming}: {saying}" if naming else saying
    return ", ".join(words for value in told.values() if (words := _words(value)))


def _words(value: Json) -> str:
    if isinstance(value, list):
        return ", ".join(words for each in value[:5] if isinstance(each, str) and (words := shortened(each)))
    return shortened(value) if isinstance(value, str) else ""


def _ended(part: str) -> str:
    return part if part.endswith((".", "!", "?")) else f"{part}."


def _with_words(message: str, body: bytes) -> str:
    reason = problem_in(body)
    return f"{message} It said: {reason}" if reason else message


def told_id(found: Json, name: str = "id") -> str:
    """The id that an answer to a write gives, from its own field or from the end of its link; empty when it tells none."""
    if not isinstance(found, dict):
        return ""
    value, href = found.get(name), found.get("href")
    if isinstance(value, str) and value.strip():
        return value.strip()
    return href.split("?")[0].rstrip("/").rpartition("/")[2] if isinstance(href, str) else ""
