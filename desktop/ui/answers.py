"""The sentence that answers «was this order billed, once, when, by whom». Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from desktop.services.books import AuditAnswer, AuditLine
from desktop.services.ledger.model import DeliveryKind, DeliveryState
from desktop.ui import words
from desktop.ui.words import Tone

_MAY_STAND = (DeliveryState.SENDING, DeliveryState.UNKNOWN, DeliveryState.ACCEPTED)
_REST = {
    DeliveryState.HELD: "waits for a person; nothing was sent",
    DeliveryState.QUEUED: "is not sent yet",
    DeliveryState.SENDING: "is being sent now",
    DeliveryState.UNKNOWN: "was sent, but the answer was lost; it may already be posted",
    DeliveryState.ACCEPTED: "was sent and taken, and is not yet seen in the books",
    DeliveryState.REJECTED: "was refused",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer in a word or two, and the sentences that bear it out."""

    title: str
    text: str
    tone: Tone


def verdict(answer: AuditAnswer, now: datetime) -> Verdict:
    """Nothing but what was read back is called billed."""
    order = answer.order
    if order is None:
        return Verdict("Not known here", f"InfoTrack never reported an order {answer.order_id} to this PC.", Tone.QUIET)
    costs = [line for line in answer.lines if line.kind is DeliveryKind.COST and line.state is not DeliveryState.CANCELLED]
    posted = [line for line in costs if line.state is DeliveryState.CONFIRMED]
    rest = [line for line in costs if line.state is not DeliveryState.CONFIRMED]
    who = f" Ordered by {order.ordered_by}." if order.ordered_by else ""
    told = "".join(f" {_waits(line)}" for line in rest)
    gone = [line for line in answer.lines if line.kind is DeliveryKind.COST and line.state is DeliveryState.CANCELLED]
    if gone and not costs:
        return _cancelled(gone, who)
    if not costs:
        return Verdict("Not billed", f"No cost of it was ever planned: InfoTrack told of no fee yet.{who}", Tone.QUIET)
    if not posted:
        sent = any(line.state in _MAY_STAND for line in rest)
        return Verdict("Sent, not yet seen" if sent else "Not billed yet", f"{told.strip()}{who}", Tone.WARN)
    net = sum((line.net for line in posted if line.net is not None), Decimal(0))
    gst = sum((line.gst for line in posted if line.gst is not None), Decimal(0))
    matters = list(dict.fromkeys(line.matter_number for line in posted))
    where = f"{' and '.join(matters)} in {words.system_title(posted[0].system)}"
    text = f"{words.money(net)} + GST {words.money(gst)} = {words.money(net + gst)} to {where}."
    text += "".join(f" {_posted(line, now)}" for line in posted)
    if len(matters) > 1:
        return Verdict("Billed to more than one matter", f"{text} See what is to be undone by hand.{told}{who}", Tone.WARN)
    if rest:
        return Verdict("Billed in part", f"{text}{told}{who}", Tone.WARN)
    return Verdict("Billed once", f"{text}{who}", Tone.GOOD)


def _cancelled(gone: list[AuditLine], who: str) -> Verdict:
    """Cancelling only stops iConnect: what was sent before that may stand."""
    keys = " and ".join(line.key for line in gone)
    sent = list(dict.fromkeys(line.matter_number for line in gone if line.sent_at is not None or line.seen_at is not None))
    if sent:
        where = f"{' and '.join(sent)} in {words.system_title(gone[0].system)}"
        return Verdict("Cancelled after it was sent", f"Look at {where} whether it stands there: {keys}.{who}", Tone.WARN)
    return Verdict("Not billed", f"{keys} was cancelled before it was sent.{who}", Tone.QUIET)


def _posted(line: AuditLine, now: datetime) -> str:
    by = {"courier": "iConnect", "plan": "iConnect", "person": "a person"}.get(line.by, line.by or "iConnect")
    sent = f"sent {_moment(line.sent_at, now)} by {by}, " if line.sent_at is not None else ""
    return f"{line.key}: {sent}read back {_moment(line.seen_at, now)}."


def _waits(line: AuditLine) -> str:
    return f"{line.key} {_REST.get(line.state, 'was cancelled')}."


def _moment(at: datetime | None, now: datetime) -> str:
    return "" if at is None else f"{words.local(at, now):%d %b %Y %H:%M}"


def who_words(by: str) -> str:
    """Who did a step of the trail, as people say it."""
    return {"courier": "iConnect", "plan": "iConnect", "person": "a person", "": "iConnect"}.get(by, by)
