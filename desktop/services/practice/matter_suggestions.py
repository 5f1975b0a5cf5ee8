"""Which matters an order without a matter may belong to, each with its reason in words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from desktop.services.infotrack.model import OrderMessage
from desktop.services.ledger.model import Suggestion
from desktop.services.practice.model import Matter, MatterHit
from desktop.services.practice.search_text import canonical_number, compact, words

_DULL = frozenset(
    words(
        "and the of for as in on at to by a v pty ltd limited inc llc co company trust trustee trustees atf family group holdings "
        "nz australia proprietary mr mrs ms dr search title extract current historical certificate report order matter job ref "
        "file"
    )
)
_COMPANY_NUMBER = re.compile(r"(?<!\d)(?:\d[ ]?){8,10}\d(?!\d)")


class MattersToSuggestFrom(Protocol):
    """What of the directory suggestions need."""

    def find(self, text: str, limit: int = ...) -> tuple[MatterHit, ...]: ...

    def with_any_word(self, wanted: Iterable[str], limit: int) -> tuple[Matter, ...]:
        """Matters whose client or name holds at least one of these folded words, those that hold the rarest first."""
        ...

    def with_company_number(self, digits: str, limit: int) -> tuple[Matter, ...]: ...


@dataclass(frozen=True, slots=True)
class _Text:
    """One text of the order, and what a person calls it."""

    title: str
    text: str


def suggest(directory: MattersToSuggestFrom, message: OrderMessage, limit: int) -> tuple[Suggestion, ...]:
    """Best first: a number like the client reference, then company numbers, then names of clients and matters."""
    found: dict[tuple[str, str, str], tuple[float, Matter, str]] = {}

    def add(score: float, matter: Matter, reason: str) -> None:
        key = (matter.system, matter.tenant, matter.id)
        if key not in found or found[key][0] < score:
            found[key] = (score, matter, reason)

    reference = message.client_reference.strip()
    if reference:
        for hit in directory.find(reference, limit * 2):
            reason, score = _like_number(reference, hit.matter.number)
            if reason:
                add(score, hit.matter, reason)
    texts = [
        _Text("client reference", reference),
        _Text("reference", message.reference),
        _Text("description", message.description),
        _Text("service", message.service),
        _Text("status message", message.status_message),
    ]
    for text in texts:
        for digits in {re.sub(r"\D", "", match[0]) for match in _COMPANY_NUMBER.finditer(text.text)}:
            if len(digits) in (9, 11):
                for matter in directory.with_company_number(digits, limit):
                    add(2.5, matter, f"The order's {text.title} holds {digits}, which stands in this matter too.")
    for text in texts:
        _add_named(directory, text, limit, add)
    best = sorted(found.values(), key=lambda one: -one[0])[:limit]
    return tuple(
        Suggestion(
            system=matter.system,
            matter_id=matter.id,
            matter_number=matter.number,
            matter_name=matter.name,
            client=matter.client,
            reason=reason,
        )
        for _, matter, reason in best
    )


class _Add(Protocol):
    def __call__(self, score: float, matter: Matter, reason: str, /) -> None: ...


def _add_named(directory: MattersToSuggestFrom, text: _Text, limit: int, add: _Add) -> None:
    own = words(text.text[:2000])
    telling = [word for word in own if word not in _DULL and len(word) > 1]
    if not telling:
        return
    held = set(own)
    for matter in directory.with_any_word(telling, 200):
        client = _telling(matter.client)
        if client and client <= held:
            weight = 2.0 if len(client) > 1 else 1.0
            add(weight + len(client) / 100, matter, f"The order's {text.title} names the client {matter.client}.")
            continue
        name = _telling(matter.name)
        shared = name & held
        # A year or a street kind alone says nothing: two words of a matter's name, one of them not a number.
        if len(shared) > 1 and len(shared) * 2 >= len(name) and any(not word.isdigit() for word in shared):
            listed = ", ".join(word for word in dict.fromkeys(own) if word in shared)
            reason = f"The order's {text.title} shares the words {listed} with this matter's name."
            add(0.5 + len(shared) / len(name) / 2, matter, reason)


def _telling(name: str) -> set[str]:
    return {word for word in words(name) if word not in _DULL}


def _like_number(reference: str, number: str) -> tuple[str, float]:
    typed, known = compact(reference), compact(number)
    if not typed or not any(letter.isdigit() for letter in typed):
        return "", 0.0
    if typed == known:
        return f"The order's client reference {reference} is this matter's number.", 4.0
    if canonical_number(reference) == canonical_number(number) or canonical_number(typed) == canonical_number(known):
        return f"The order's client reference {reference} is this matter's number, {number}, written another way.", 3.8
    if len(known) >= 3 and known in typed:
        return f"The order's client reference {reference} holds this matter's number, {number}.", 3.6
    digits, known_digits = re.sub(r"\D", "", typed).lstrip("0"), re.sub(r"\D", "", known).lstrip("0")
    if digits and digits == known_digits:
        return f"The order's client reference {reference} has the digits of this matter's number, {number}.", 3.5
    if len(digits) >= 4 and sorted(digits) == sorted(known_digits):
        return f"The order's client reference {reference} is this matter's number, {number}, with digits swapped.", 3.0
    if len(digits) >= 4 and abs(len(digits) - len(known_digits)) <= 1 and _one_apart(digits, known_digits):
        return f"The order's client reference {reference} is one digit from this matter's number, {number}.", 2.2
    return "", 0.0


def _one_apart(one: str, other: str) -> bool:
    if len(one) == len(other):
        return sum(first != second for first, second in zip(one, other, strict=True)) == 1
    short, long = sorted((one, other), key=len)
    return any(long[:place] + long[place + 1 :] == short for place in range(len(long)))
