"""What a step of the audit trail says to a bookkeeper. Pure. The machine's own words stay in the tool tip and in the export."""

from __future__ import annotations

from desktop.services.books import TrailStep
from desktop.services.ledger.model import DeliveryState
from desktop.ui import words
from desktop.ui.answers import who_words
from desktop.ui.language import tr

PLANNED, MOVED = "planned", "moved"

# Steps that are not a cost's or a document's way.
KINDS = {
    "message": tr("InfoTrack reported the order"),
    "matched": tr("The order's matter was found"),
    "matter chosen": tr("A matter was chosen for the order"),
    "moved to another matter": tr("The order was moved to another matter"),
    "taken over": tr("This PC took the order over from another one"),
    "to be looked for again": tr("It is looked for in the books once more"),
    "restored": tr("The ledger was damaged and restored"),
    "purged": tr("The oldest entries were taken out, as the settings say"),
    "signed in": tr("Somebody signed in"),
    "signed out": tr("Somebody signed out"),
    "changed settings": tr("Settings were changed"),
}

_SOURCES = {
    "feed": tr("the firm's feed"),
    "folder": tr("the drop folder"),
    "file": tr("an imported file"),
    "typed": tr("a typed result"),
}
_REACHED = {
    DeliveryState.HELD: tr("waits for a person"),
    DeliveryState.QUEUED: tr("is to be sent by iConnect"),
    DeliveryState.SENDING: tr("is being sent"),
    DeliveryState.UNKNOWN: tr("is looked for in the books"),
    DeliveryState.ACCEPTED: tr("sent and taken, not yet seen"),
    DeliveryState.CONFIRMED: tr("seen in the books"),
    DeliveryState.REJECTED: tr("refused by the practice system"),
    DeliveryState.CANCELLED: tr("given up"),
}
_NO_ANSWER = tr("sent, but no answer came")
_AGAIN = {
    DeliveryState.HELD: tr("released, iConnect sends it"),
    DeliveryState.SENDING: tr("not sent, iConnect tries again"),
    DeliveryState.UNKNOWN: tr("not found in the books, iConnect sends it"),
    DeliveryState.REJECTED: tr("iConnect tries again"),
    DeliveryState.CANCELLED: tr("wanted after all, iConnect sends it"),
}


def step_sentence(step: TrailStep) -> str:
    """One step in plain words. A kind that no release of ours writes stays as it is."""
    if step.what not in (PLANNED, MOVED):
        return KINDS.get(step.what, step.what)
    before, after = _state(step.from_state), _state(step.to_state)
    if after is None:
        return machine_words(step)
    told = _REACHED[after]
    if after is DeliveryState.QUEUED and before is not None:
        told = _AGAIN.get(before, told)
    elif after is DeliveryState.UNKNOWN and before is DeliveryState.SENDING:
        told = _NO_ANSWER
    return f"{words.part_word(step.key)}: {told}"


def machine_words(step: TrailStep) -> str:
    """The step as the trail holds it: what support and an auditor's own tools call it."""
    states = " → ".join(state for state in (step.from_state, step.to_state) if state)
    return f"{step.what}: {states}" if states else step.what


def why_words(step: TrailStep) -> str:
    """What goes with the step: a reason, the matter, or where somebody signed in."""
    if step.what == "matched" and step.reason:
        return tr("matter {matter_number}", matter_number=step.reason)
    if step.what in ("signed in", "signed out"):
        return "InfoTrack" if step.reason == "infotrack" else words.system_title(step.reason)
    return step.reason


def by_words(by: str) -> str:
    """Who or what brought the step about."""
    return _SOURCES.get(by) or who_words(by)


def _state(text: str) -> DeliveryState | None:
    try:
        return DeliveryState(text)
    except ValueError:
        return None
