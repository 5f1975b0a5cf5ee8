"""Reading an Australian street address out of a matter's name or description, when there can be no doubt about it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TYPES = (
    "street", "st", "road", "rd", "avenue", "ave", "av", "court", "ct", "crt", "drive", "dr", "drv", "place", "pl", "lane", "ln",
    "crescent", "cres", "cr", "terrace", "tce", "ter", "parade", "pde", "highway", "hwy", "close", "cl", "way", "boulevard",
    "blvd", "bvd", "circuit", "cct", "cir", "circle", "grove", "gr", "gve", "esplanade", "esp", "square", "sq", "rise", "row",
    "walk", "mews", "track", "trail", "loop", "view", "vista", "ridge", "quay", "alley", "arcade", "link", "outlook", "retreat",
)  # fmt: skip

_POST_CODES = {
    "NSW": ((1000, 2599), (2619, 2899), (2921, 2999)),
    "ACT": ((200, 299), (2600, 2618), (2900, 2920)),
    "VIC": ((3000, 3999), (8000, 8999)),
    "QLD": ((4000, 4999), (9000, 9999)),
    "SA": ((5000, 5999),),
    "WA": ((6000, 6999),),
    "TAS": ((7000, 7999),),
    "NT": ((800, 999),),
}

_WORD = r"[A-Za-z][A-Za-z'’.-]{0,29}"
_ADDRESS = re.compile(
    rf"""(?<![\w/.-])
    (?:(?:(?:unit|flat|shop|suite|apartment|apt|villa)\s+(?P<unit>[0-9]{{1,5}}[A-Za-z]?)\s*[,/]?\s+)
      | (?P<unit2>[0-9]{{1,5}}[A-Za-z]?)\s?/\s?)?
    (?P<number>[0-9]{{1,5}}[A-Za-z]?)(?:\s?[-–]\s?(?P<to>[0-9]{{1,5}}[A-Za-z]?))?
    \s+(?P<name>{_WORD}(?:\s{_WORD}){{0,3}}?)
    \s+(?P<type>{"|".join(_TYPES)})\.?
    (?:\s*,\s*|\s+)(?P<suburb>{_WORD}(?:\s{_WORD}){{0,3}}?)
    (?:\s*,\s*|\s+)(?P<state>NSW|VIC|QLD|ACT|WA|SA|NT|TAS)
    (?:\s*,\s*|\s+)(?P<post>[0-9]{{4}})(?![\w-])""",
    re.VERBOSE | re.IGNORECASE,
)
_NO_STREET_NUMBER = re.compile(r"(?i)\b(?:lots?|box|bag|level|floor|plan|no\.? of|[a-z]{1,3}p)\s*$")
_LOT = re.compile(
    r"(?i)\blot\s+(?P<lot>[0-9]{1,5}[A-Z]?)\s*(?:,\s*|\s(?:on|in)\s+)?(?P<type>RP|SP|DP|PS|CP|BUP|GTP|LP|PC)\s?(?P<plan>[0-9]{1,7}[A-Z]?)\b"
)


@dataclass(frozen=True, slots=True)
class PropertyAddress:
    """Every part but `unit` and `number_to` is there; `state` is the upper-case abbreviation."""

    number: str
    street: str
    street_type: str
    suburb: str
    state: str
    post_code: str
    unit: str = ""
    number_to: str = ""


@dataclass(frozen=True, slots=True)
class LotPlan:
    lot: str
    plan_type: str
    plan: str


def find(*texts: str) -> PropertyAddress | None:
    """The one address that the texts hold. None when there is none, when there are several, and when the post code does
    not belong to the state: a wrong property would be searched, and charged, in earnest."""
    found = {address for text in texts for address in _each(text[:5000])}
    return found.pop() if len(found) == 1 else None


def lot_plan(*texts: str) -> LotPlan | None:
    """The one «lot on plan» that the texts hold."""
    found = {
        LotPlan(match["lot"].upper(), match["type"].upper(), match["plan"].upper())
        for text in texts
        for match in _LOT.finditer(text[:5000])
    }
    return found.pop() if len(found) == 1 else None


def _each(text: str) -> list[PropertyAddress]:
    found = []
    for match in _ADDRESS.finditer(text):
        state = match["state"].upper()
        post = int(match["post"])
        if _NO_STREET_NUMBER.search(text[: match.start()]) or not any(low <= post <= high for low, high in _POST_CODES[state]):
            continue
        found.append(
            PropertyAddress(
                number=match["number"].upper(),
                street=match["name"],
                street_type=match["type"],
                suburb=match["suburb"],
                state=state,
                post_code=match["post"],
                unit=(match["unit"] or match["unit2"] or "").upper(),
                number_to=(match["to"] or "").upper(),
            )
        )
    return found
