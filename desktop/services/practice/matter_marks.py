"""Which letters of a shown matter answer to what was typed, so that a list can mark them. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from desktop.services.practice.model import Matter
from desktop.services.practice.search_text import AND, canonical_number, compact, fold, words
from desktop.services.practice.vocabulary import Pattern

_LETTERS = re.compile(r"[^\W_]")


@dataclass(frozen=True, slots=True)
class Mark:
    """Letters `start` to `end` (exclusive, in the text as shown) of a matter's `number`, `name`, `client` or `staff`.

    For `staff` the text is the names joined by ", "."""

    field: str
    start: int
    end: int


def marks(text: str, matter: Matter) -> tuple[Mark, ...]:
    """In reading order within each field, not overlapping. Empty when nothing answers."""
    typed = [word for word in words(text)[:12] if word != AND]
    if not typed:
        return ()
    found: list[Mark] = []
    number = matter.number
    wanted = compact(text)
    if wanted and canonical_number(text) == canonical_number(number):
        found.append(Mark("number", 0, len(number)))
        typed = []
    else:
        numeric = [word for word in [*typed, wanted] if any(letter.isdigit() for letter in word)]
        found += _in_field("number", number, numeric, within=True)
    team = ", ".join(member.name for member in matter.staff)
    for field, shown in (("name", matter.name), ("client", matter.client), ("staff", team)):
        found += _in_field(field, shown, typed, within=False)
    return tuple(found)


def _in_field(field: str, shown: str, typed: list[str], *, within: bool) -> list[Mark]:
    folded, places = _folded_with_places(shown)
    marked = bytearray(len(shown))
    parts = [(match.group(), match.start()) for match in re.finditer(r"[^\W_]+", folded)]
    for word in typed:
        best: tuple[int, int, int] | None = None
        for part, start in parts:
            at = part.find(word)
            if at == 0:
                fit = (0 if len(part) == len(word) else 1, start, start + len(word))
            elif at > 0:
                fit = (2, start + at, start + at + len(word))
            elif not within and len(word) > 2 and not word.isdigit() and _near(word, part):
                fit = (3, start, start + len(part))
            else:
                continue
            if best is None or fit[0] < best[0]:
                best = fit
        if best is not None:
            first, last = places[best[1]], places[best[2] - 1]
            marked[first : last + 1] = b"\x01" * (last + 1 - first)
    if not any(marked) and not within and len(typed) == 1:
        _mark_initials(typed[0], parts, places, marked)
    return [Mark(field, match.start(), match.end()) for match in re.finditer(b"\x01+", bytes(marked))]


def _near(word: str, part: str) -> bool:
    limit = 1 if len(word) < 5 else 2
    whole, beginning = Pattern(word).distances(part[: len(word) + limit])
    return (whole if len(part) <= len(word) + limit else beginning) <= limit


def _mark_initials(word: str, parts: list[tuple[str, int]], places: list[int], marked: bytearray) -> None:
    for chosen in (parts, [pair for pair in parts if pair[0] != AND]):
        if len(word) > 1 and "".join(part[0] for part, _ in chosen).startswith(word):
            for _, start in chosen[: len(word)]:
                marked[places[start]] = 1
            return


def _folded_with_places(shown: str) -> tuple[str, list[int]]:
    """The folded text, and for each of its letters which shown letter it came from."""
    folded: list[str] = []
    places: list[int] = []
    for place, letter in enumerate(shown):
        for part in fold(letter):
            folded.append(part)
            places.append(place)
    return "".join(folded), places
