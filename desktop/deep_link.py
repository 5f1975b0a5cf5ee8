"""Links that lead into iConnect from a mail, a spreadsheet or another program: strictly read, and never more than a place to show.

`iconnect://matter/<system>/<number>` and `iconnect://order/<order id>`. A number's own strokes and blanks are written as in any
address (`%2F`, `%20`). Nothing is ordered, sent or asked for because somebody followed a link. Pure.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

from desktop.settings import SYSTEMS

SCHEME = "iconnect:"
LONGEST = 200
LONGEST_NUMBER = 64

_ALLOWED = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@/%-]*")
_ESCAPES = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ORDER = re.compile(r"0*([0-9]{1,20})")


class BadLink(Exception):
    """The message says, for a person, what a link looks like and what is wrong with this one."""


@dataclass(frozen=True, slots=True)
class MatterLink:
    """`system` is a practice system's contract name; `number` is what people say."""

    system: str
    number: str

    def __str__(self) -> str:
        return f"iconnect://matter/{self.system}/{quote(self.number, safe='')}"


@dataclass(frozen=True, slots=True)
class OrderLink:
    """`order_id` is digits without leading zeros."""

    order_id: str

    def __str__(self) -> str:
        return f"iconnect://order/{self.order_id}"


Link = MatterLink | OrderLink


def is_link(argument: str) -> bool:
    """Whether a word on the command line claims to be such a link, right or wrong."""
    return argument[: len(SCHEME)].casefold() == SCHEME


def parse(text: str) -> Link:
    """Raises BadLink."""
    if len(text) > LONGEST:
        raise BadLink(f"The link is longer than {LONGEST} characters. {_SHAPE}")
    if not is_link(text) or text[len(SCHEME) : len(SCHEME) + 2] != "//":
        raise BadLink(f"The link does not begin with iconnect://. {_SHAPE}")
    rest = text[len(SCHEME) + 2 :]
    if not _ALLOWED.fullmatch(rest) or _ESCAPES.search(rest):
        raise BadLink(f"The link holds characters that no link of iConnect has. {_SHAPE}")
    # Some browsers add a stroke at the end.
    kind, *parts = rest.removesuffix("/").split("/")
    values = [_decoded(part) for part in parts]
    match kind.casefold(), values:
        case "matter", [system, number]:
            return _matter(system, number)
        case "order", [order_id]:
            found = _ORDER.fullmatch(order_id)
            if found is None:
                raise BadLink("The link does not name an order: its number has digits only, 20 at most.")
            return OrderLink(found[1])
    raise BadLink(f"The link leads to nothing that iConnect knows. {_SHAPE}")


_SHAPE = "Links look like iconnect://matter/xero-practice-manager/J000101 or iconnect://order/71000123."


def _matter(system: str, number: str) -> MatterLink:
    if system.casefold() not in SYSTEMS:
        raise BadLink(f"The link names a practice system that iConnect does not know. Known are {', '.join(SYSTEMS)}.")
    if not number.strip() or len(number) > LONGEST_NUMBER:
        raise BadLink(f"The link does not name a matter: a number has 1 to {LONGEST_NUMBER} characters.")
    return MatterLink(system.casefold(), number.strip())


def _decoded(part: str) -> str:
    """Decoded once; what cannot be seen (control and direction marks among it) is no part of a number."""
    try:
        plain = unquote_to_bytes(part).decode("utf-8")
    except UnicodeDecodeError:
        raise BadLink(f"The link is not written in UTF-8. {_SHAPE}") from None
    if any(unicodedata.category(letter)[0] == "C" or unicodedata.category(letter) in ("Zl", "Zp") for letter in plain):
        raise BadLink(f"The link holds characters that can't be seen. {_SHAPE}")
    return plain
