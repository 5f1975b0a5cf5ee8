"""The RetailerReference that travels to InfoTrack and back (contracts, section 5)."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

from desktop.services.infotrack.model import RetailerReference

LONGEST = 120

# What may stand as it is; everything else is percent-encoded, separators first of all. InfoTrack is known to carry
# apostrophes and blanks unharmed, but what stands in the middle may be XML, a query or a spreadsheet.
_SAFE = "-_.~:@"
_INSTALLATION = re.compile(r"[A-Za-z0-9]{1,32}")
_SYSTEM = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


def make(tag: str, installation: str, system: str, matter_id: str) -> str:
    """`<tag>_<installation>|<system>|<matter id>`, at most 120 characters. A matter id that is too long for that is left
    out: the order is then known as ours and finds its matter by ClientReference."""
    head = f"{tag}_{installation}|{system}|"
    whole = head + quote(matter_id, safe=_SAFE, errors="replace")
    return whole if len(whole) <= LONGEST else head


def read(tag: str, text: str) -> RetailerReference | None:
    """The parts of a reference that carries exactly our tag; None for anybody else's and for anything damaged.
    `matter_id` may be empty (see `make`)."""
    head, *rest = text.strip().split("|")
    if len(text) > 2 * LONGEST or len(rest) != 2 or not head.startswith(tag + "_"):
        return None
    installation = head[len(tag) + 1 :]
    system, coded = rest
    if not _INSTALLATION.fullmatch(installation) or not _SYSTEM.fullmatch(system):
        return None
    try:
        matter_id = unquote(coded, errors="strict")
    except UnicodeDecodeError:
        return None
    return RetailerReference(tag, installation, system, matter_id)
