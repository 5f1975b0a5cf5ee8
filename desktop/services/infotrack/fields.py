"""One order message's fields as they were told, and how each kind of value is read.

Both JSON and XML become `Fields`. The readers are tolerant where a value can mean only one thing and give nothing where
it could mean two; only amounts say so aloud, because a guessed amount would end up on an invoice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal, DecimalException
from zoneinfo import ZoneInfo

CENT = Decimal("0.01")
_LARGEST = Decimal(1_000_000_000)
_FLOAT_NOISE = Decimal("0.000001")
_TEXT_CAP = 10_000


@dataclass(frozen=True, slots=True)
class Fields:
    """Names are compared without case. `pairs` keeps names and order as they came; a value is text, an int, a Decimal, a
    bool, None, a list or further Fields. `repeated` holds the names (lower case) that came more than once."""

    pairs: tuple[tuple[str, object], ...]
    values: Mapping[str, object] = field(repr=False)  # the same once more: at each depth twice as long
    repeated: frozenset[str]

    @staticmethod
    def of(pairs: Iterable[tuple[str, object]]) -> Fields:
        kept = tuple(pairs)
        values: dict[str, object] = {}
        repeated: set[str] = set()
        for name, value in kept:
            lower = name.lower()
            if lower in values:
                repeated.add(lower)
            values[lower] = value
        return Fields(kept, values, frozenset(repeated))

    def get(self, name: str) -> object:
        """The value under a lower-case name, None where there is none or it is told to be nil."""
        value = self.values.get(name)
        if isinstance(value, Fields):
            # XML that a converter made into JSON: text beside attributes, or an attribute that says nil.
            if "#text" in value.values:
                return value.values["#text"]
            if all(key.startswith(("-", "@")) for key in value.values):
                return None
        return value


def text_of(value: object) -> str:
    """Text as told, without blanks around it, control characters and lone surrogates; numbers as written."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return str(value)
    if not isinstance(value, str):
        return ""
    return clean(value).strip()[:_TEXT_CAP]


_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def clean(text: str) -> str:
    """Line ends as \\n; what no database and no XML can hold is dropped (controls) or marked (lone surrogates)."""
    return _SURROGATE.sub("\ufffd", _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))


_WHOLE = re.compile(r"[0-9]{1,18}")


def whole_number(value: object) -> int | None:
    """A count or id: digits only, at most 18 of them. `71000123.0` and `true` are not whole numbers."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if 0 <= value < 10**18 else None
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        return int(value.strip())
    return None


def flag(value: object) -> bool | None:
    """`true`, "True", "1"; None for anything that is neither yes nor no."""
    word = text_of(value).lower()
    if word in ("true", "1", "yes"):
        return True
    if word in ("false", "0", "no"):
        return False
    return None


# With a thousands comma only when cents are told too: "1,234" may be a decimal comma.
_MONEY = re.compile(
    r"(?P<sign>[+-]?)(?:(?:AU?)?\$ ?)?(?P<sign2>[+-]?)"
    r"(?:(?P<plain>[0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(?P<exp>[eE][+-]?[0-9]{1,3})?"
    r"|(?P<grouped>[0-9]{1,3}(?:,[0-9]{3})+\.[0-9]{1,30}))"
)


class NotAnAmount(ValueError):
    """The value can't be taken for one amount of money."""


def amount(value: object) -> Decimal | None:
    """Dollars and cents, exactly two places; None where nothing was told. Raises NotAnAmount.

    "7.29", 7.29, "7.2900", "$1,234.50", "A$ 7.29" and "-7.29" are amounts. A value that is off a cent by less than a ten-thousandth
    of one is a binary fraction that was meant to be that cent; any other part of a cent is not guessed at."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, bool) or not isinstance(value, (int, Decimal, str)):
        raise NotAnAmount("is not an amount")
    if isinstance(value, str):
        found = _MONEY.fullmatch(value.strip().replace("\u2212", "-"))
        if not found or (found["sign"] and found["sign2"]):
            raise NotAnAmount("is not an amount")
        digits = (found["plain"] or found["grouped"].replace(",", "")) + (found["exp"] or "")
        try:
            number = Decimal(digits)
        except DecimalException:
            raise NotAnAmount("is not an amount") from None
        if "-" in (found["sign"], found["sign2"]):
            number = -number
    else:
        number = Decimal(value)
    if not number.is_finite() or (number and not -30 <= number.adjusted() <= 12) or abs(number) >= _LARGEST:
        raise NotAnAmount("is too large or too small to be a fee")
    cents = number.quantize(CENT, rounding=ROUND_HALF_UP)
    if abs(cents - number) > _FLOAT_NOISE:
        raise NotAnAmount("has parts of a cent")
    return cents if cents else Decimal("0.00")


_ISO = re.compile(
    r"(?P<y>[0-9]{4})-(?P<mo>[0-9]{2})-(?P<d>[0-9]{2})"
    r"(?:[Tt ](?P<h>[0-9]{2}):(?P<mi>[0-9]{2})(?::(?P<s>[0-9]{2})(?:[.,](?P<f>[0-9]{1,12}))?)?"
    r" ?(?P<zone>[Zz]|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_DAY_FIRST = re.compile(
    r"(?P<d>[0-9]{1,2})/(?P<mo>[0-9]{1,2})/(?P<y>[0-9]{4})"
    r"(?:[Tt ] ?(?P<h>[0-9]{1,2}):(?P<mi>[0-9]{2})(?::(?P<s>[0-9]{2})(?:\.(?P<f>[0-9]{1,12}))?)?"
    r" ?(?P<half>[AaPp])?\.?(?(half)[Mm]\.?))?"
)
_EPOCH = re.compile(r"\\?/Date\((?P<ms>-?[0-9]{1,15})(?:[+-][0-9]{4})?\)\\?/")


def moment(value: object, zone: ZoneInfo) -> datetime | None:
    """A time in UTC. An offset that is told counts; without one the time is taken to be in `zone` (infotrack.timezone).
    None for an empty value, for the year 0001 and for what is no date."""
    text = text_of(value)
    if epoch := _EPOCH.fullmatch(text):
        # An old .NET way: milliseconds since 1970 in UTC; the offset beside it only says where the clock hung.
        try:
            at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(epoch["ms"]))
        except OverflowError:
            return None
        return at if at.year > 1 else None
    found = _ISO.fullmatch(text) or _DAY_FIRST.fullmatch(text)
    if not found or int(found["y"]) <= 1:
        return None
    parts = found.groupdict()
    hour = int(parts["h"] or 0)
    if half := (parts.get("half") or "").lower():
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "p" else 0)
    micro = int((parts["f"] or "")[:6].ljust(6, "0"))
    offset = parts.get("zone")
    try:
        told = datetime(
            int(parts["y"]), int(parts["mo"]), int(parts["d"]), hour, int(parts["mi"] or 0), int(parts["s"] or 0), micro,
            tzinfo=_offset(offset) if offset else zone,
        )  # fmt: skip
        return told.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _offset(text: str) -> timezone:
    if text in ("Z", "z"):
        return UTC
    minutes = int(text[1:3]) * 60 + int(text[-2:])
    if minutes > 14 * 60 or int(text[-2:]) > 59:
        raise ValueError("no such offset")
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))
