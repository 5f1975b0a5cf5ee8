"""Pure: which matter an order belongs to.

Our own mark first (RetailerReference, machine-made), then the matter's number (ClientReference, which people may edit), then
the parent order. Where two facts point at two matters, or one number at two systems, a person decides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from desktop.services.infotrack.model import OrderMessage, RetailerReference
from desktop.services.ledger.facts import NOWHERE, Place
from desktop.services.practice.model import Matter


@dataclass(frozen=True, slots=True)
class Ask:
    """A practice system should be asked for this number; `matter_id` is what the answer must be, where our mark says so.
    An empty `system` means every connected one."""

    number: str
    system: str = ""
    matter_id: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """Where the order belongs. An empty place: nowhere yet, because of `reason`; `ask` may settle it."""

    place: Place = NOWHERE
    reason: str = ""
    ask: Ask | None = None


def place_of(matter: Matter) -> Place:
    return Place(matter.system, matter.tenant, matter.id, matter.number)


def same_number(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()


def match(
    message: OrderMessage,
    reference: RetailerReference | None,
    parent: Place,
    *,
    by_id: Callable[[str, str], Matter | None],
    by_number: Callable[[str], Sequence[Matter]],
    typed_number: str = "",
) -> Match:
    """`reference` is our own mark in the message, read; `parent` the parent order's matter; `typed_number` the matter that a
    person named when typing the result in. The look-ups answer from local copies."""
    if typed_number:
        return _by_number(typed_number, by_number, f"No matter {typed_number.strip()} is known. Choose one.")
    number = message.client_reference.strip()
    if reference is not None and reference.matter_id:
        return _by_reference(reference, number, by_id, by_number)
    if reference is not None and number:
        # Our mark had no room for the matter's id: its system and the number tell.
        system = reference.system
        return _by_number(
            number,
            lambda text: [one for one in by_number(text) if one.system == system],
            f"No matter has the number {number}. Choose one.",
        )
    if not number:
        if parent:
            return Match(parent)
        if message.retailer_reference.strip():
            return Match(reason="The order carries no matter number. Choose a matter.")
        return Match(reason="The order was started elsewhere and carries no matter number. Choose a matter.")
    found = _by_number(number, by_number, f"No matter has the number {number}. Choose one.")
    if not found.place and parent and not message.retailer_reference.strip() and not by_number(number):
        # A child order that carries its own words, not a number of ours: the parent knows better.
        return Match(parent)
    return found


def _by_reference(
    reference: RetailerReference,
    number: str,
    by_id: Callable[[str, str], Matter | None],
    by_number: Callable[[str], Sequence[Matter]],
) -> Match:
    marked = by_id(reference.system, reference.matter_id)
    others = list(by_number(number)) if number else []
    if marked is None:
        return Match(
            reason="The matter that this order was started from is not in the list of matters (is its practice system connected?).",
            ask=Ask(number, reference.system, reference.matter_id) if number else None,
        )
    if number and not same_number(number, marked.number):
        strangers = [matter for matter in others if (matter.system, matter.id) != (marked.system, marked.id)]
        if strangers and len(strangers) == len(others):
            return Match(
                reason=f"The order was started from {marked.number}, but its reference was changed to {strangers[0].number}. "
                "Choose the matter that is right."
            )
    return Match(place_of(marked))


def _by_number(number: str, by_number: Callable[[str], Sequence[Matter]], none: str) -> Match:
    found = by_number(number)
    if len(found) == 1:
        return Match(place_of(found[0]))
    if not found:
        return Match(reason=none, ask=Ask(number.strip()))
    systems = sorted({matter.system for matter in found})
    if len(systems) > 1:
        return Match(reason=f"{number.strip()} is a matter in {' and in '.join(systems)}. Choose the right one.")
    return Match(reason=f"More than one matter has the number {number.strip()}. Choose the right one.")


def judge_answers(ask: Ask, answers: Sequence[Matter], otherwise: str) -> Match:
    """What the practice systems' answers mean. `otherwise` is the reason to give when they settle nothing."""
    if ask.matter_id:
        marked = [matter for matter in answers if matter.id == ask.matter_id]
        # A list that told no id of its own was marked by its number.
        answers = marked or [matter for matter in answers if same_number(matter.number, ask.matter_id)]
    if len(answers) == 1:
        return Match(place_of(answers[0]))
    if not answers:
        return Match(reason=otherwise)
    return _by_number(ask.number, lambda _: answers, otherwise)
