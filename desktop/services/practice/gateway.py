"""Answers that are not the list or record that was asked for: refusals in XML and in JSON, limits, and pages of others.

In front of Practice Manager stands a gateway that speaks JSON; its 429 has no body; an outage may bring HTML or text
(public recordings and vendor docs). Other systems' refusals are JSON with one of several names for their sentence.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from desktop.services.errors import BadAnswer
from desktop.services.practice.practice_xml import RECORD, Element, parse

_LONGEST_REASON = 300
_SAID = ("title", "detail", "message", "error", "errordescription", "errormessage", "errors", "description")
_LONGEST_PAUSE = timedelta(hours=1)
_LONGEST_DAY = timedelta(hours=24)
_LIMITS = {"appminute": "app", "app-minute": "app", "minute": "minute", "day": "day", "daily": "day", "concurrent": "concurrent"}


@dataclass(frozen=True, slots=True)
class Refusal:
    """The other side's own no. `detail` is the gateway's word for it where it has one, `reason` is for a person."""

    reason: str
    detail: str = ""


def refusal_in(body: bytes) -> Refusal | None:
    """What the body of an error says, if it is one of the two known forms."""
    start = body[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith((b"{", b"[")):
        return _json_refusal(body)
    if not body:
        return None
    try:
        root = parse(body, RECORD)
        return status_refusal(root)
    except BadAnswer:
        return None


def _json_refusal(body: bytes) -> Refusal | None:
    try:
        found = json.loads(body[:1_000_000].decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    reason = shortened(": ".join(dict.fromkeys(_sentences(found, 3))))
    detail = {str(name).lower(): value for name, value in found.items()}.get("detail") if isinstance(found, dict) else None
    return Refusal(reason, detail if isinstance(detail, str) else "") if reason else None


def _sentences(found: object, depth: int) -> Iterator[str]:
    """What is said under the names that interfaces use for it, the outer words first."""
    if isinstance(found, str):
        yield from (found.strip(),) if found.strip() else ()
    elif isinstance(found, list) and depth:
        for each in found[:10]:
            yield from _sentences(each, depth - 1)
    elif isinstance(found, dict) and depth:
        told = {str(name).lower().replace("_", ""): value for name, value in found.items()}
        for name in _SAID:
            yield from _sentences(told.get(name), depth - 1)
        if depth < 3:  # by field: {"errors": {"date": ["is required"]}}
            for name, value in told.items():
                if isinstance(value, list) and name not in _SAID:
                    yield from (f"{name} {each}" for each in _sentences(value, depth - 1))


def status_of(root: Element) -> str:
    """The envelope's verdict in upper case; empty where there is no envelope. Raises BadAnswer when it can't be told."""
    if root.name.lower() != "response":
        return ""
    return root.need("Status").upper()


def status_refusal(root: Element) -> Refusal | None:
    """The refusal in an envelope; None when there is no envelope or it says OK. Raises BadAnswer for an envelope without
    a status, or with a word that is neither OK nor explained."""
    verdict = status_of(root)
    if verdict in ("", "OK"):
        return None
    return envelope_refusal(verdict, root.value("ErrorDescription"))


def envelope_refusal(verdict: str, description: str) -> Refusal:
    """Raises BadAnswer for a word that nobody documents and that comes without an explanation."""
    if verdict.upper() != "ERROR" and not description.strip():
        raise BadAnswer("The answer says neither that it was done nor that it was refused.")
    return Refusal(shortened(description) or "The practice system refused without giving a reason.")


def shortened(text: str) -> str:
    """One line for a person."""
    plain = re.sub(r"[\x00-\x1f\x7f\s]+", " ", text).strip()
    return plain if len(plain) <= _LONGEST_REASON else plain[: _LONGEST_REASON - 1] + "…"


def limit_named(headers: Mapping[str, str]) -> str:
    """Which limit was met: minute, day, concurrent, app, or the vendor's own word; "server" where nothing was said."""
    word = re.sub(r"[^a-z0-9_-]", "", headers.get("x-rate-limit-problem", "").strip().lower())[:40]
    return _LIMITS.get(word, word) or "server"


def limits_told(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers, with what others than Xero say of their limits under the names that the budget knows.

    X-RateLimit-Remaining (seen in public client code of WorkflowMax's) does not tell which limit it means: a number that
    fits into a minute's sixty is taken for the minute's, a larger one for the day's."""
    told = dict(headers)
    remaining = told.get("x-ratelimit-remaining", "").strip()
    limit = told.get("x-ratelimit-limit", "").strip() or remaining
    if remaining.isascii() and remaining.isdigit() and limit.isascii() and limit.isdigit():
        told.setdefault("x-minlimit-remaining" if len(limit) < 6 and int(limit) <= 60 else "x-daylimit-remaining", remaining)
    return told


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """How long the other side asks to wait, from seconds or a date; None when it does not say so in a way that can be
    believed. Never longer than a day for the day's limit, and than an hour for any other: an absurd value would stop
    everything."""
    text = headers.get("retry-after", "").strip()
    most = _LONGEST_DAY if limit_named(headers) == "day" else _LONGEST_PAUSE
    if re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,6})?", text, re.ASCII):
        return min(timedelta(seconds=min(float(text), 1e6)), most)
    try:
        until = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    pause = until - now
    return None if pause < timedelta() else min(pause, most)
