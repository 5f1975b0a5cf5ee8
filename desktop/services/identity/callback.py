"""What counts as the answer of an authorization server, wherever it arrives: on the loopback listener or in the sign-in
window. Pure."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

_MAX_PARAMETERS = 20
_VISIBLE = re.compile(r"[\x20-\x7e]{1,4096}")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


class NotTheCallback(ValueError):
    """This is not the answer that the sign-in waits for. It changes nothing."""


@dataclass(frozen=True, slots=True)
class Consent:
    """The person agreed."""

    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Refusal:
    """The server or the person said no: `error` is the OAuth error code, such as "access_denied"."""

    error: str


def read_callback(query: str, *, state: str, accepts_issuer: Callable[[str], bool]) -> Consent | Refusal:
    """Raises NotTheCallback unless `query` holds exactly one right `state`, exactly one of `code` and `error`, no name
    twice and, where it names its issuer (RFC 9207), an accepted one."""
    if _BAD_ESCAPE.search(query) or not query.isascii():
        raise NotTheCallback("malformed query")
    try:
        pairs = parse_qsl(
            query, keep_blank_values=True, strict_parsing=True, encoding="utf-8", errors="strict", max_num_fields=_MAX_PARAMETERS
        )
    except ValueError as error:
        raise NotTheCallback("malformed query") from error
    values = dict(pairs)
    if len(values) != len(pairs):
        raise NotTheCallback("a parameter is repeated")
    if not hmac.compare_digest(values.get("state", "").encode(), state.encode()):
        raise NotTheCallback("another state")
    if "iss" in values and not accepts_issuer(values["iss"]):
        raise NotTheCallback("another issuer")
    code, error_code = values.get("code"), values.get("error")
    if (code is None) == (error_code is None):
        raise NotTheCallback("neither or both of code and error")
    chosen = code if code is not None else error_code or ""
    if not _VISIBLE.fullmatch(chosen):
        raise NotTheCallback("an unreadable value")
    return Consent(chosen) if code is not None else Refusal(chosen)
