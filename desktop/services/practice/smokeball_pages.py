"""Smokeball's lists, page by page.

Facts (vendor docs): `offset` and `limit` (500 at most), an answer with `value`, `offset`, `limit`, `size` and links. The
parameters are spelled Offset and Limit in the vendor's machine-readable description and offset and limit in its guides, and
clients use both. The first spelling is asked, being the one that the vendor's own tools generate; where a second page is the
first one over again, the other spelling is tried. All other filters only make a list shorter: whoever asks looks at each row
again, so that one that is not understood costs time and nothing else.

A list changes while it is read. A row that leaves it moves all later ones a place forward, and one of them over the border of
a page that was read already: it would be missed. So each page begins with the row that the last one ended with; where it
begins with one that nobody has seen, it goes back. (That a known row stands further down proves nothing: rows that change may
move to the end.) `size` is told by the same server as everything else, and is believed only where it asks for more, or ends
a page that is shorter than what was asked for: without it, one more page is asked for.

A list that ends before its own count is BadAnswer where it is a matter's: who believes a line absent posts it. A firm's own list
may be counted wrongly for good (rows that this person may not see), and what of it can be had serves.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from desktop.services.errors import BadAnswer
from desktop.services.practice.json_calls import Found, Json, record, records
from desktop.services.practice.practice_system import Urgency
from desktop.services.practice.smokeball_calls import SmokeballCalls
from desktop.services.practice.smokeball_records import identifier

PAGE = 500
MOST_PAGES = 2_000
_PART_BACK = 10
"""By this part of a page it goes back first."""
_MOST_REPEATED = 3
_MOST_BARREN = 20

Filters = Sequence[tuple[str, str]]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Page:
    rows: list[Found]
    size: int | None
    limit: int
    has_next: bool

    @property
    def ids(self) -> list[str]:
        return [identifier(row) or repr(row) for row in self.rows]

    def goes_on(self, offset: int) -> bool:
        """Whether the answer itself says that more follows."""
        return self.has_next or (self.size is not None and self.size > offset + len(self.rows))


def rows(calls: SmokeballCalls, path: str, filters: Filters, urgency: Urgency, *, most_pages: int = MOST_PAGES) -> Iterator[Found]:
    """Every row of the list once. Raises what `read` raises, and BadAnswer for a list that does not end, and for a matter's that
    ends before its own count."""
    seen: set[str] = set()
    first: list[str] = []
    offset = back = repeated = barren = fruitful = 0
    lower = False
    for _ in range(most_pages):
        page = _page(calls, path, filters, urgency, offset=offset, lower=lower)
        ids = page.ids
        brings = not seen.issuperset(ids)
        fruitful, barren = fruitful + brings, 0 if brings else barren + 1
        if barren > _MOST_BARREN + 2 * fruitful:
            # A page that stays empty between others: going back leads to it again.
            break
        if back and offset and not seen.intersection(ids[:1]):
            offset, back = max(0, offset - back), back * 2
            continue
        if not offset:
            first = ids
        # A server that does not understand the offset gives the first page again and again.
        repeated = repeated + 1 if offset and ids == first else 0
        full, new = len(ids) >= page.limit, not seen.issuperset(ids)
        if offset and not new and not lower and (repeated if full else page.goes_on(offset)):
            # It may know the other spelling only.
            lower = True
            continue
        if offset and not new and (not full or repeated >= _MOST_REPEATED):
            if full and not (page.size is not None and page.size <= len(seen)):
                break
            _compare(path, page, len(seen))
            return
        for key, row in zip(ids, page.rows, strict=True):
            if key not in seen:
                seen.add(key)
                yield row
        # A short page ends the list only where it says how long the list is: servers cap a page without a word.
        if not ids or (not full and page.size is not None and not page.goes_on(offset)):
            _compare(path, page, len(seen))
            return
        offset += max(1, len(ids) - 1)
        back = max(1, len(ids) // _PART_BACK) if len(ids) > 1 else 0
    raise BadAnswer("A list of Smokeball's does not end.")


def _compare(path: str, last: _Page, seen: int) -> None:
    if last.size is None or last.size <= seen:
        return
    if path.startswith("matters/"):
        raise BadAnswer("Smokeball's list is shorter than it says.")
    _log.warning("A list of Smokeball's is shorter than it says")


def _page(calls: SmokeballCalls, path: str, filters: Filters, urgency: Urgency, *, offset: int, lower: bool) -> _Page:
    asked = [*filters, ("Offset", str(offset)), ("Limit", str(PAGE))]
    tail = "&".join(f"{name[:1].lower() + name[1:] if lower else name}={quote(value, safe='')}" for name, value in asked)
    found = record(calls.read(path, f"?{tail}", urgency))
    listed = found.get("value")
    if listed is None and "value" not in found:
        raise BadAnswer("Smokeball's answer lacks the list that was asked for.")
    told = _count(found.get("limit"))
    return _Page(
        [] if listed is None else records(listed),
        _count(found.get("size")),
        told if told is not None and 0 < told < PAGE else PAGE,
        _leads_on(found.get("next")),
    )


def _count(value: Json) -> int | None:
    if isinstance(value, str) and value.isdecimal() and len(value) < 10:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _leads_on(link: Json) -> bool:
    href = link.get("href") if isinstance(link, dict) else link
    return isinstance(href, str) and bool(href)
