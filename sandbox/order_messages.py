"""An order message in each of the dialects that integrations have met: flat, wrapped, all strings, XML."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

Field = str | int | bool | Decimal | None
"""A value of a message before a dialect spells it."""

NO_DATE = "0001-01-01T00:00:00"
DIALECTS = ("flat", "wrapped", "strings")
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "windows-1252")


def moment(seconds: float | None, dates: str) -> str:
    """A time as text: UTC with `Z` and milliseconds, or Sydney's wall clock without an offset; None is the year 0001."""
    if seconds is None:
        return NO_DATE
    at = datetime.fromtimestamp(seconds, UTC)
    if dates == "local":
        return at.astimezone(ZoneInfo("Australia/Sydney")).strftime("%Y-%m-%dT%H:%M:%S")
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def as_json_value(fields: Mapping[str, Field], dialect: str) -> dict[str, object]:
    """The message as a JSON value: numbers as numbers, or everything as text; flat, or inside `Order` with a version."""
    if dialect == "flat":
        return {name: _number(value) for name, value in fields.items()}
    texts: dict[str, object] = {name: _text(value) if value is not None else None for name, value in fields.items()}
    return texts if dialect == "strings" else {"Order": {"-Version": "1.0", **texts}}


def as_xml(fields: Mapping[str, Field], encoding: str) -> bytes:
    """The message as an XML file in that encoding, which is declared."""
    declared = {"utf-8-sig": "utf-8", "utf-16": "utf-16", "windows-1252": "windows-1252"}.get(encoding, "utf-8")
    body = "".join(
        f"<{name}>{escape(_text(value))}</{name}>" if value is not None else f"<{name} />" for name, value in fields.items()
    )
    text = f'<?xml version="1.0" encoding="{declared}"?>\r\n<Order Version="1.0">{body}</Order>\r\n'
    return text.encode(encoding, "xmlcharrefreplace")


def as_json_file(fields: Mapping[str, Field], dialect: str, encoding: str) -> bytes:
    """The message as a JSON file; in an 8-bit encoding what doesn't fit is escaped."""
    return json.dumps(as_json_value(fields, dialect), indent=1, ensure_ascii=encoding == "windows-1252").encode(encoding)


def _number(value: Field) -> object:
    """JSON has no decimals: money goes out as a number with two places at most."""
    return float(value) if isinstance(value, Decimal) else value


def _text(value: Field) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
