"""Matter numbers that are one typing slip away from what was typed: pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from desktop.services.practice.search_text import canonical_number, compact

_NUMBER = re.compile(r"([^\W\d_]{0,4})(0*)([0-9]{4,12})")
_DIGITS = re.compile(r"[0-9]{1,12}")


def number_readings(text: str, leads: Iterable[str]) -> set[str]:
    """The canonical numbers that the text may mean as it stands. `leads`: the letters that the firm's numbers begin with."""
    readings = {canonical_number(text), canonical_number(compact(text))}
    if _DIGITS.fullmatch(text.strip()):
        readings.update(canonical_number(lead + text) for lead in leads)
    return readings - {""}


def number_slips(text: str, leads: Iterable[str], *, all_kinds: bool) -> dict[str, float]:
    """Canonical numbers (as `canonical_number` gives them) with a small plus for the likelier slip.

    Two neighbouring digits swapped; with `all_kinds` also one digit wrong, missing or too many. Empty for anything that does
    not look like a number of four digits or more."""
    typed = _NUMBER.fullmatch(compact(text))
    if typed is None:
        return {}
    digits = typed[2] + typed[3]
    starts = (typed[1],) if typed[1] else tuple(leads)
    own = {canonical_number(start + digits) for start in starts}
    slips: dict[str, float] = {}

    def add(other: str, plus: float) -> None:
        for start in starts:
            canonical = canonical_number(start + other)
            if canonical not in own:
                slips.setdefault(canonical, plus)

    for place in range(len(digits) - 1):
        add(digits[:place] + digits[place + 1] + digits[place] + digits[place + 2 :], 0.03)
    if all_kinds:
        for place in range(len(digits)):
            add(digits[:place] + digits[place + 1 :], 0.02)
            for digit in "0123456789":
                add(digits[:place] + digit + digits[place + 1 :], 0.01 if digit in _NEIGHBOURS[digits[place]] else 0.0)
                add(digits[:place] + digit + digits[place:], 0.02 if digit == digits[place] else 0.0)
    return slips


_NEIGHBOURS = {"0": "9", "1": "2", "2": "13", "3": "24", "4": "35", "5": "46", "6": "57", "7": "68", "8": "79", "9": "80"}
