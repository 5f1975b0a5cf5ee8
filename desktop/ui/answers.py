"""The sentence that answers «was this order billed, once, when, by whom». Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from desktop.services.books import AuditAnswer, AuditLine
from desktop.services.ledger.model import DeliveryKind, DeliveryState
from desktop.ui import words
from desktop.ui.language import tr
from desktop.ui.words import Tone

_MAY_STAND = (DeliveryState.SENDING, DeliveryState.UNKNOWN, DeliveryState.ACCEPTED)
_REST = {
    DeliveryState.HELD: tr("waits for a person; nothing was sent"),
    DeliveryState.QUEUED: tr("is not sent yet"),
    DeliveryState.SENDING: tr("is being sent now"),
    DeliveryState.UNKNOWN: tr("was sent, but the answer was lost; it may already be posted"),
    DeliveryState.ACCEPTED: tr("was sent and taken, and is not yet seen in the books"),
    DeliveryState.REJECTED: tr("was refused"),
}


_GONE = tr("was cancelled")


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
        unknown = tr("InfoTrack never reported an order {order_id} to this PC.", order_id=answer.order_id)
        return Verdict(tr("Not known here"), unknown, Tone.QUIET)
    costs = [line for line in answer.lines if line.kind is DeliveryKind.COST and line.state is not DeliveryState.CANCELLED]
    posted = [line for line in costs if line.state is DeliveryState.CONFIRMED]
    rest = [line for line in costs if line.state is not DeliveryState.CONFIRMED]
    who = " " + tr("Ordered by {who}.", who=order.ordered_by) if order.ordered_by else ""
    told = "".join(f" {_waits(line)}" for line in rest)
    gone = [line for line in answer.lines if line.kind is DeliveryKind.COST and line.state is DeliveryState.CANCELLED]
    if gone and not costs:
        return _cancelled(gone, who)
    if not costs:
        return Verdict(tr("Not billed"), tr("No cost of it was ever planned: InfoTrack told of no fee yet.") + who, Tone.QUIET)
    if not posted:
        sent = any(line.state in _MAY_STAND for line in rest)
        return Verdict(tr("Sent, not yet seen") if sent else tr("Not billed yet"), f"{told.strip()}{who}", Tone.WARN)
    net = sum((line.net for line in posted if line.net is not None), Decimal(0))
    gst = sum((line.gst for line in posted if line.gst is not None), Decimal(0))
    matters = list(dict.fromkeys(line.matter_number for line in posted))
    text = tr(
        "{amount} = {total} to {numbers} in {system}.",
        amount=words.with_gst(net, gst),
        total=words.money(net + gst),
        numbers=tr(" and ").join(matters),
        system=words.system_title(posted[0].system),
    )
    text += "".join(f" {_posted(line, now)}" for line in posted)
    if len(matters) > 1:
        text += " " + tr("See what is to be undone by hand.") + told + who
        return Verdict(tr("Billed to more than one matter"), text, Tone.WARN)
    if rest:
        return Verdict(tr("Billed in part"), f"{text}{told}{who}", Tone.WARN)
    return Verdict(tr("Billed once"), f"{text}{who}", Tone.GOOD)


def _cancelled(gone: list[AuditLine], who: str) -> Verdict:
    """Cancelling only stops iConnect: what was sent before that may stand."""
    keys = tr(" and ").join(line.key for line in gone)
    sent = list(dict.fromkeys(line.matter_number for line in gone if line.sent_at is not None or line.seen_at is not None))
    if sent:
        look = tr(
            "Look at {numbers} in {system} whether it stands there: {keys}.",
            numbers=tr(" and ").join(sent),
            system=words.system_title(gone[0].system),
            keys=keys,
        )
        return Verdict(tr("Cancelled after it was sent"), look + who, Tone.WARN)
    return Verdict(tr("Not billed"), tr("{keys} was cancelled before it was sent.", keys=keys) + who, Tone.QUIET)


def _posted(line: AuditLine, now: datetime) -> str:
    seen = _moment(line.seen_at, now)
    if line.sent_at is None:
        return tr("{key}: read back {seen}.", key=line.key, seen=seen)
    sent, by = _moment(line.sent_at, now), who_words(line.by)
    return tr("{key}: sent {sent} by {by}, read back {seen}.", key=line.key, sent=sent, by=by, seen=seen)


def _waits(line: AuditLine) -> str:
    rest = _REST.get(line.state, _GONE)
    return f"{line.key} {rest}."


def _moment(at: datetime | None, now: datetime) -> str:
    if at is None:
        return ""
    own = words.local(at, now)
    return f"{own:%d} {words.month(own)} {own:%Y %H:%M}"


def who_words(by: str) -> str:
    """Who did a step of the trail, as people say it."""
    return {"courier": "iConnect", "plan": "iConnect", "person": tr("a person"), "": "iConnect"}.get(by, by)
