"""What an InfoTrack server's answer says besides its content: words for a person, and how long to wait."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from desktop.services.errors import Wait
from desktop.services.infotrack.fields import Fields, clean, text_of
from desktop.services.infotrack.messages import MessageUnreadable, parse_json

LONGEST_WAIT = timedelta(days=1)
_ADDRESS = re.compile(r"(?i)\b(?:https?|ftp)://\S+|\bwww\.\S+")
_LONG_WORD = re.compile(r"\S{60,}")
_TAG = re.compile(r"<[^>]{0,500}>")
_BLANKS = re.compile(r"\s+")


def words(body: bytes, *, longest: int = 200) -> str:
    """The human-readable part of an answer's body, on one line and shortened; empty when there is none. Addresses and
    long codes are left out: they may be a link that signs somebody in."""
    text = ""
    start = body[:20_000].lstrip()
    if start.startswith((b"{", b'"', b"[")):
        try:
            text = _told(parse_json(body[:200_000]), 0)
        except MessageUnreadable:
            text = ""
    elif not start.startswith(b"<"):
        text = start.decode("utf-8", errors="replace")
    else:
        title = re.search(rb"(?is)<title[^>]{0,100}>(.{1,300}?)</title>", start)
        text = title[1].decode("utf-8", errors="replace") if title else ""
    text = _TAG.sub(" ", clean(text))
    text = _LONG_WORD.sub("…", _ADDRESS.sub("…", text))
    text = _BLANKS.sub(" ", text).strip()
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def _told(value: object, depth: int) -> str:
    if isinstance(value, str):
        return value
    if depth > 3:
        return ""
    if isinstance(value, list):
        return "; ".join(filter(None, (_told(part, depth + 1) for part in value[:3])))
    if isinstance(value, Fields):
        for name in ("message", "exceptionmessage", "error_description", "detail", "error", "title", "errors", "statusmessage"):
            if told := _told(value.values.get(name), depth + 1):
                return told
    return ""


def wait_of(status: int, headers: Mapping[str, str], now: datetime) -> Wait:
    """What a 429 or 503 asks for."""
    after = retry_after(headers.get("retry-after", ""), now)
    if status == 429:
        return Wait("InfoTrack asks for a pause: too many requests.", after=after, limit="minute")
    return Wait("InfoTrack is not available at the moment.", after=after, limit="server")


def retry_after(text: str, now: datetime) -> timedelta | None:
    """`Retry-After` in either form (seconds, or a date), never longer than a day; None where it says nothing usable."""
    text = text.strip()
    if re.fullmatch(r"[0-9]{1,12}", text):
        return min(timedelta(seconds=int(text)), LONGEST_WAIT)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return min(max(at - now, timedelta(0)), LONGEST_WAIT)


def url_and_token(body: bytes) -> tuple[str, str]:
    """The mapping answer's `Url` and `Token`, whatever their case; empty where not told. Raises MessageUnreadable."""
    told = parse_json(body)
    if not isinstance(told, Fields):
        raise MessageUnreadable("The answer is not the object that was expected.")
    return text_of(told.get("url")), text_of(told.get("token"))
