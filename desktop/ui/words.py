"""The words that the windows use for states, money and time. Pure; the zone for times is the PC's own."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum

from desktop.services.ledger.model import Delivery, DeliveryKind, DeliveryState, OrderView, Step
from desktop.services.practice.model import Matter
from desktop.ui.language import tr


class Tone(Enum):
    """How a thing is coloured. Never the only mark: a word always goes with it."""

    GOOD = "good"
    CALM = "calm"
    WARN = "warn"
    BAD = "bad"
    QUIET = "quiet"


_TITLES = {
    "xero-practice-manager": "Xero Practice Manager",
    "workflowmax": "WorkflowMax",
    "smokeball": "Smokeball",
}

_TONES = {
    DeliveryState.HELD: Tone.WARN,
    DeliveryState.QUEUED: Tone.CALM,
    DeliveryState.SENDING: Tone.CALM,
    DeliveryState.UNKNOWN: Tone.WARN,
    DeliveryState.ACCEPTED: Tone.CALM,
    DeliveryState.CONFIRMED: Tone.GOOD,
    DeliveryState.REJECTED: Tone.BAD,
    DeliveryState.CANCELLED: Tone.QUIET,
}

_STATE_WORDS = {
    DeliveryState.HELD: tr("held"),
    DeliveryState.QUEUED: tr("queued"),
    DeliveryState.SENDING: tr("sending"),
    DeliveryState.UNKNOWN: tr("unknown"),
    DeliveryState.ACCEPTED: tr("accepted"),
    DeliveryState.CONFIRMED: tr("confirmed"),
    DeliveryState.REJECTED: tr("rejected"),
    DeliveryState.CANCELLED: tr("cancelled"),
}

_STATE_MEANINGS = {
    DeliveryState.HELD: tr("It waits for a person: for a matter, or for a yes. Nothing was sent."),
    DeliveryState.QUEUED: tr("It was not sent yet. iConnect sends it by itself."),
    DeliveryState.SENDING: tr("It is being sent now."),
    DeliveryState.UNKNOWN: tr("It was sent, but no answer came. iConnect looks in the books before it sends anything again."),
    DeliveryState.ACCEPTED: tr("It was sent and taken, but iConnect has not seen it in the books yet. It keeps looking."),
    DeliveryState.CONFIRMED: tr("iConnect has seen it in the books. It is done."),
    DeliveryState.REJECTED: tr("The practice system refused it. Mend the cause there and retry, or move the order."),
    DeliveryState.CANCELLED: tr("A person or a later message stopped it. It will not be sent."),
}

_MONTHS = (
    tr("Jan"), tr("Feb"), tr("Mar"), tr("Apr"), tr("May"), tr("Jun"),
    tr("Jul"), tr("Aug"), tr("Sep"), tr("Oct"), tr("Nov"), tr("Dec"),
)  # fmt: skip

# An order's one word is that of the delivery that a person should look at first.
FIRST = (
    DeliveryState.REJECTED,
    DeliveryState.HELD,
    DeliveryState.UNKNOWN,
    DeliveryState.SENDING,
    DeliveryState.QUEUED,
    DeliveryState.ACCEPTED,
    DeliveryState.CONFIRMED,
    DeliveryState.CANCELLED,
)

IN_FLIGHT = frozenset({DeliveryState.SENDING, DeliveryState.UNKNOWN, DeliveryState.ACCEPTED})


def system_title(system: str) -> str:
    """What people call a practice system; an unknown one by its contract name."""
    return _TITLES.get(system, system or tr("the practice system"))


def system_short(system: str) -> str:
    """A name short enough for a sentence in a row."""
    return "Xero" if system == "xero-practice-manager" else system_title(system)


def state_word(state: str) -> str:
    """A delivery's state as a person reads it. `state` may be the ledger's text for one; an unknown one stays as it is."""
    try:
        return _STATE_WORDS[DeliveryState(state)]
    except ValueError:
        return state


def state_meaning(state: DeliveryState | None) -> str:
    """What a state's word means, in a sentence for somebody who meets it for the first time. None: see order_state."""
    return _STATE_MEANINGS[state] if state is not None else tr("InfoTrack has not reported a result yet.")


def explained(word: str, state: DeliveryState | None) -> str:
    """A state's word with its meaning, as a tool tip."""
    return f"{sentence(word)}: {state_meaning(state)}"


def month(at: datetime) -> str:
    """The month's short name."""
    return _MONTHS[at.month - 1]


def tone_of(state: DeliveryState | None) -> Tone:
    return _TONES[state] if state is not None else Tone.QUIET


def kind_word(kind: DeliveryKind) -> str:
    return tr("Cost") if kind is DeliveryKind.COST else tr("Document")


def delivery_name(delivery: Delivery) -> str:
    """What a delivery is called inside a sentence: `cost IT-71000123-R-1`."""
    if delivery.kind is DeliveryKind.COST:
        return tr("cost {key}", key=delivery.key)
    return tr("document {key}", key=delivery.key)


def money(amount: Decimal | None) -> str:
    """Dollars with two places; empty for None."""
    if amount is None:
        return ""
    sign = "-" if amount < 0 else ""
    return f"{sign}${abs(amount):,.2f}"


def sum_words(net: Decimal, gst: Decimal) -> str:
    """A sum with its GST: `$10.00 ex GST + $1.00 GST = $11.00`."""
    return tr("{net} ex GST + {gst} GST = {total}", net=money(net), gst=money(gst), total=money(net + gst))


def sentence(text: str) -> str:
    """With a capital at its beginning, as a choice of its own."""
    return text[:1].upper() + text[1:]


def with_gst(net: Decimal | None, gst: Decimal | None) -> str:
    """An amount beside its GST: `$10.00 + GST $1.00`."""
    return tr("{net} + GST {gst}", net=money(net), gst=money(gst))


def written(orders: int, file: object) -> str:
    """What was exported, and where it lies."""
    if orders == 1:
        return tr("1 order written to {file}.", file=file)
    return tr("{count:,} orders written to {file}.", count=orders, file=file)


def is_this_pcs(now: datetime) -> bool:
    """Whether `now` carries no zone but the hours that this PC is ahead of UTC at the moment: on another day they may be others,
    so the system is to be asked for that day's."""
    return isinstance(now.tzinfo, timezone) and now.utcoffset() == now.astimezone().utcoffset()


def local(moment: datetime, zone_of: datetime) -> datetime:
    """`moment` as the clocks stood at the time in the zone of `zone_of`."""
    if is_this_pcs(zone_of):
        # Windows knows no local time before 1970, which is what a date that was left empty may be read as.
        with suppress(OSError, OverflowError):
            return moment.astimezone()
    return moment.astimezone(zone_of.tzinfo)


def when(moment: datetime | None, now: datetime) -> str:
    """A day and time as a person would say it, in the zone of `now`."""
    if moment is None:
        return ""
    own = local(moment, now)
    days = (now.date() - own.date()).days
    clock = f"{own:%H:%M}"
    if days == 0:
        return tr("today {clock}", clock=clock)
    if days == 1:
        return tr("yesterday {clock}", clock=clock)
    if days == -1:
        return tr("tomorrow {clock}", clock=clock)
    if own.year == now.year:
        return f"{own.day} {month(own)} {clock}"
    return f"{own.day} {month(own)} {own:%Y} {clock}"


def span(duration: timedelta) -> str:
    """A rough length of time: `20 s`, `5 min`, `3 h`, `2 days`."""
    seconds = max(0, int(duration.total_seconds()))
    if seconds < 60:
        return tr("{count} s", count=seconds)
    if seconds < 3600:
        return tr("{count} min", count=seconds // 60)
    if seconds < 172800:
        return tr("{count} h", count=seconds // 3600)
    return tr("{count} days", count=seconds // 86400)


def ago(moment: datetime | None, now: datetime) -> str:
    if moment is None:
        return tr("never")
    passed = now - moment
    return tr("just now") if passed < timedelta(seconds=45) else tr("{span} ago", span=span(passed))


def order_state(order: OrderView) -> DeliveryState | None:
    """The state that stands for the whole order: what needs a person first, then what is doubtful, then what is done.

    None: it has no deliveries yet, and nothing about it needs a person. A cancelled posting beside a live one does not count."""
    present = {delivery.state for delivery in order.deliveries}
    for state in FIRST:
        if state in present:
            return state
    return DeliveryState.HELD if not order.matter_number else None


def order_word(order: OrderView) -> str:
    state = order_state(order)
    return state_word(state) if state is not None else tr("no result yet")


def plain_state(delivery: Delivery, now: datetime) -> str:
    """Where a delivery stands, honestly: nothing but `confirmed` is called posted, and what is not confirmed tells its age."""
    system = system_short(delivery.system)
    age = span(now - delivery.updated_at)
    match delivery.state:
        case DeliveryState.HELD if not delivery.matter_number:
            return tr("Waits for a matter since {when}. Nothing was sent.", when=when(delivery.updated_at, now))
        case DeliveryState.HELD:
            return tr("Waits for you since {when}. Nothing was sent.", when=when(delivery.updated_at, now))
        case DeliveryState.QUEUED:
            if delivery.next_at is not None and delivery.next_at > now:
                does = tr("tries again") if delivery.attempts else tr("sends it")
                return tr("Not sent yet; iConnect {does} {when}.", does=does, when=when(delivery.next_at, now))
            return tr("Not sent yet; goes to {system} as soon as it can be reached.", system=system)
        case DeliveryState.SENDING:
            return tr("Being sent to {system} now.", system=system)
        case DeliveryState.UNKNOWN:
            return tr(
                "Sent {age} ago, but the answer was lost: not yet seen in {system}. iConnect reads the job before it sends again.",
                age=age,
                system=system,
            )
        case DeliveryState.ACCEPTED:
            return tr("Sent {age} ago, not yet seen in {system}. iConnect keeps looking.", age=age, system=system)
        case DeliveryState.CONFIRMED:
            return tr("Posted: seen in {system} {when}.", system=system, when=when(delivery.updated_at, now))
        case DeliveryState.REJECTED:
            return tr(
                "{system} refused it {when}. Mend the cause there and retry, or move the order to another matter.",
                system=system,
                when=when(delivery.updated_at, now),
            )
        case DeliveryState.CANCELLED:
            return tr("Cancelled {when}; will not be sent.", when=when(delivery.updated_at, now))


def cancel_button(delivery: Delivery) -> str:
    """What the button does that gives a posting up. Of what was sent already it can't promise that it isn't posted."""
    if delivery.state in IN_FLIGHT:
        return tr("Stop trying…")
    return tr("Don't post it…") if delivery.kind is DeliveryKind.COST else tr("Don't file it…")


def cancel_question(delivery: Delivery) -> str:
    """What is asked about what was never sent."""
    return tr("Never post this cost?") if delivery.kind is DeliveryKind.COST else tr("Never file this document?")


def cancel_tip(delivery: Delivery) -> str:
    """What follows when it is pressed. The order itself stays as it is."""
    if delivery.state in IN_FLIGHT:
        return tr("iConnect stops sending it and looking for it; what may already stand at the matter stays. It asks first.")
    if delivery.kind is DeliveryKind.COST:
        return tr("This cost is never posted to the matter. InfoTrack's order, its charge and its document stay. It asks first.")
    return tr("This document is never filed to the matter. InfoTrack's order and its costs stay. It asks first.")


def retry_tip(delivery: Delivery) -> str:
    """What a retry does where the posting stands now."""
    if delivery.state is DeliveryState.CONFIRMED:
        return tr("iConnect looks in the books again. Nothing is sent.")
    if delivery.state in IN_FLIGHT:
        return tr("iConnect looks in the books again, and sends it only when it is not there.")
    return tr("iConnect tries it again now, as it is.")


def cancel_warning(delivery: Delivery) -> str:
    """What a person is told before a cancel. One in flight may already be posted, and the text says so."""
    what = f"{kind_word(delivery.kind)} {delivery.key}"
    if delivery.state in IN_FLIGHT:
        system = system_title(delivery.system)
        return tr(
            "{what} was sent and may already be posted in {system}. This only stops iConnect "
            "from trying again: look at matter {matter_number} and remove it there if it "
            "stands.",
            what=what,
            system=system,
            matter_number=delivery.matter_number,
        )
    return tr("{what} was not posted. iConnect will not send it, also not when InfoTrack reports the order again.", what=what)


def cancelled_by_hand(delivery: Delivery) -> bool:
    """Whether a person cancelled it, and may think again. What was withdrawn because another line took its place never goes."""
    return delivery.state is DeliveryState.CANCELLED and delivery.reason.startswith("Cancelled") and not delivery.undo


def undo_sentence(delivery: Delivery) -> str:
    """What a person must undo in the practice system, as a sentence, whether the ledger gave one or only a list."""
    listed = re.fullmatch(r"Undo by hand: (.+)", delivery.undo)
    if listed is None:
        return delivery.undo
    return tr(
        "An earlier posting stands at another matter. Remove it there in {system}: {lines}",
        system=system_title(delivery.system),
        lines=listed[1],
    )


_BY = {
    "person": tr("by a person"),
    "feed": tr("by the firm's feed"),
    "folder": tr("by the drop folder"),
    "file": tr("by an imported file"),
    "typed": tr("typed in by hand"),
    "plan": "",
    "courier": "",
}


def step_words(step: Step) -> tuple[str, str]:
    """One thing that happened, and the small print to it. What iConnect did by itself names nobody."""
    by = _BY.get(step.by, tr("by {by}", by=step.by) if step.by else "")
    reason = step.reason
    if step.what == "message":
        what, reason = (tr("InfoTrack reported: {reason}", reason=reason) if reason else tr("InfoTrack reported the order")), ""
    elif step.what == "matched":
        what, reason = tr("Belongs to matter {reason}", reason=reason), ""
    elif step.to_state:
        what = f"{part_word(step.key)}: " if step.key else ""
        what += f"{state_word(step.from_state)} → {state_word(step.to_state)}" if step.from_state else state_word(step.to_state)
        if step.what not in ("", "planned", "moved"):
            what += f" ({step.what})"
    else:
        what = step.what[:1].upper() + step.what[1:]
    return what, " · ".join(part for part in (step.key, reason, by) if part)


def part_word(key: str) -> str:
    """What a delivery key stands for: `IT-71000123-D-1` is a document."""
    return tr("Document") if re.fullmatch(r".+-D-\d+", key) else tr("Cost")


def matter_line(number: str, name: str, client: str) -> str:
    return ", ".join(part for part in (number, name, client) if part)


def matter_text(matter: Matter) -> str:
    """The accessible text of a matter's row: number, name and client."""
    closed = tr(", closed") if matter.is_open is False else ""
    return matter_line(matter.number, matter.name, matter.client) + closed


def order_text(order: OrderView) -> str:
    """The accessible text of an order's row: its id, the state's word, and what each of its postings has come to."""
    parts = [tr("Order {order_id}: {order_word}", order_id=order.order_id, order_word=order_word(order))]
    if order.service:
        parts.append(order.service)
    parts.append(tr("matter {matter_number}", matter_number=order.matter_number) if order.matter_number else tr("no matter"))
    parts += [f"{delivery_name(d)} {state_word(d.state)}" for d in order.deliveries]
    return ", ".join(parts)


PATTERN_FIELDS = ("service", "reference", "order_id", "state", "ordered_by", "date")
SAMPLE: Mapping[str, str] = {
    "service": "Title Search",
    "reference": "12/SP34567",
    "order_id": "71234567",
    "state": "NSW",
    "ordered_by": "A. Nguyen",
    "date": "2026-03-14",
}


class PatternProblem(Exception):
    """A pattern is empty, names a field that does not exist, or has a stray brace. The message says which."""


def fill_pattern(pattern: str, sample: Mapping[str, str] = SAMPLE) -> str:
    """The pattern with the sample's values, spaces tidied. Raises PatternProblem."""
    try:
        pieces = list(string.Formatter().parse(pattern))
    except ValueError:
        raise PatternProblem(tr("There is a brace too many or too few.")) from None
    filled = ""
    for text, name, spec, conversion in pieces:
        filled += text
        if name is None:
            continue
        if name not in PATTERN_FIELDS or spec or conversion:
            allowed = ", ".join("{" + field + "}" for field in PATTERN_FIELDS)
            raise PatternProblem(tr("{{{name}}} is not a field. Use {allowed}.", name=name, allowed=allowed))
        filled += sample[name]
    if not pattern.strip():
        raise PatternProblem(tr("This can't be empty."))
    return re.sub(r"\s+", " ", filled).strip()


def safe_file_name(name: str) -> str:
    """How a file name will look once it is safe for Windows: forbidden characters become dashes, 120 characters at most."""
    clean = re.sub(r'[<>:"/\\|?*\x00-\x1f]', "-", name).strip(" .")
    return clean[:120].rstrip(" .") or "document"
