"""Pure: from everything that is known of an order to what must change among its deliveries.

Applied twice it changes nothing the second time; the same recorded facts always give the same deliveries and keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, tzinfo
from decimal import ROUND_HALF_UP, Decimal

from desktop.services.infotrack.model import OrderMessage
from desktop.services.ledger import wording
from desktop.services.ledger.charges import CENT, Charge, Line, Standing, charges, differences, fees_told, gst_within, money, price
from desktop.services.ledger.facts import (
    BY_PLAN,
    COST_PARTS,
    DOCUMENT_PART,
    FILED,
    BookLine,
    NewPosting,
    OrderFacts,
    Place,
    Plan,
    Posting,
    Recorded,
    Reheld,
    Withdrawn,
    delivery_key,
)
from desktop.services.ledger.model import DeliveryKind, DeliveryState
from desktop.services.practice.keys import file_word

HOLD_MATTER = "matter"
HOLD_FEES = "fees"
HOLD_NEGATIVE = "negative"
HOLD_REVIEW = "review"
HOLD_DECIDED = "decided"
HOLD_EDITED = "edited"
HOLD_TRIES = "tries"
HOLD_UNMARKED = "unmarked"
HOLD_FILE = "file"
HOLD_DELETED = "deleted"

MOST_LINES = 1_000_000
"""No order comes to more lines: a number beyond it in the books was typed there by somebody."""

MOVED = "The order was moved to another matter."
MOVED_BACK = "The order was moved back to a matter that has this document already."
CANCELLED_HERE = (
    "The order was moved back to a matter on which you had cancelled this document. To file it there, try the cancelled one again."
)

FILED_BY_ANOTHER = "Another PC has filed this version of the document already."

PLANNED_HOLDS = frozenset({"", HOLD_MATTER, HOLD_FEES, HOLD_NEGATIVE, HOLD_REVIEW, HOLD_DECIDED, HOLD_EDITED})
"""Reasons to wait that a new look at the facts may lift; the others end only when a person says so."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The firm's choices (section [costs] of the platform file) and its calendar."""

    zone: tzinfo
    code_taxed: str = ""
    code_untaxed: str = ""
    gst_included: bool = False
    markup_percent: Decimal = Decimal(0)
    billable: bool = True
    description: str = "{service} - {reference}"
    file_name: str = "{service} {reference} {order_id}"
    folder: str = "InfoTrack"
    review: str = "never"
    negative_costs: bool = True
    one_price: bool = False


def plan(facts: OrderFacts, rules: Rules) -> Plan:
    """What must change. `facts.place` is the matter that the order belongs to now; empty while none is known."""
    if not facts.messages:
        return Plan()
    costs = _plan_costs(facts, rules)
    documents = _plan_documents(facts, rules)
    return Plan(
        withdrawn=costs.withdrawn + documents.withdrawn,
        added=costs.added + documents.added,
        reheld=costs.reheld + documents.reheld,
    )


# costs


def standing_lines(facts: OrderFacts, *, as_sent: bool = False) -> tuple[Standing, ...]:
    """What counts as posted: sent or in the books on the order's matter, and what a person cancelled (a decision that
    later messages build on instead of undoing it). `as_sent`: as if nobody had changed a line by hand since it was read back."""
    books = {line.key: line for line in facts.books if line.place.is_same(facts.place) and line.cost is not None}
    by_hand = () if as_sent else tuple(part for part in COST_PARTS if edited(facts, part))
    lines: list[tuple[int, Standing]] = []
    for posting in facts.postings:
        seen = books.pop(posting.key, None)
        if posting.kind is not DeliveryKind.COST or posting.cost is None or posting.gst is None:
            continue
        here = posting.place.is_same(facts.place)
        if seen is not None and seen.cost is not None:
            cost, gst = seen.cost, posting.gst
            if posting.state is DeliveryState.CONFIRMED and posting.part not in by_hand:
                cost = posting.cost
            if cost != posting.cost:
                gst = gst_within(cost, taxed=posting.taxed, gst_included=posting.gst_included)
            lines.append((posting.n, Standing(posting.part, posting.n, posting.code, posting.taxed, cost, gst)))
        elif posting.decided_against(facts.place) or (posting.stands and here):
            lines.append((posting.n, Standing(posting.part, posting.n, posting.code, posting.taxed, posting.cost, posting.gst)))
    lines += [(line.n, _foreign(line, facts)) for line in books.values()]
    return tuple(standing for _, standing in sorted(lines, key=lambda pair: (pair[1].part, pair[0])))


def edited(facts: OrderFacts, part: str) -> tuple[tuple[Posting, Decimal], ...]:
    """The part's lines that a person has changed in the books since they were read back, each with what it is now.

    None where the changes are a correction that was spelled out here and then cancelled, because it was made by hand: all of it,
    or what can be seen of it, where the rest may have been taken off lines whose note is gone or that were removed."""
    books = {line.key: line.cost for line in facts.books if line.place.is_same(facts.place)}
    found: list[tuple[Posting, Decimal]] = []
    done_by_hand = unseen = Decimal(0)
    for posting in facts.postings:
        if posting.kind is not DeliveryKind.COST or posting.part != part or posting.cost is None:
            continue
        now = books.get(posting.key)
        if posting.state is DeliveryState.CONFIRMED and now is not None and now != posting.cost:
            found.append((posting, now))
        elif posting.decided_against(facts.place) and now is None:
            done_by_hand += posting.cost
        elif posting.state is DeliveryState.CONFIRMED and now is None and posting.place.is_same(facts.place):
            unseen += max(posting.cost, Decimal(0))
    changed = sum((now - (posting.cost or Decimal(0)) for posting, now in found), Decimal(0))
    return () if found and 0 <= changed - done_by_hand <= unseen else tuple(found)


def _foreign(line: BookLine, facts: OrderFacts) -> Standing:
    """A line that another PC posted: whether it is taxed is told by our own lines of the same code."""
    alike = [one for one in facts.postings if one.part == line.part and one.code == line.code]
    taxed = alike[-1].taxed if alike else False
    included = alike[-1].gst_included if alike else False
    cost = line.cost or Decimal(0)
    return Standing(line.part, line.n, line.code, taxed, cost, gst_within(cost, taxed=taxed, gst_included=included))


def _known_taxed(standing: Sequence[Standing], facts: OrderFacts, rules: Rules) -> tuple[Standing, ...]:
    """Lines of unknown tax (another PC's) get the kind that their code stands for."""
    ours = {posting.key for posting in facts.postings}
    known = []
    for line in standing:
        if delivery_key(facts.order_id, line.part, line.n) not in ours and rules.code_taxed != rules.code_untaxed:
            taxed = line.code == rules.code_taxed
            line = Standing(
                line.part,
                line.n,
                line.code,
                taxed,
                line.cost,
                gst_within(line.cost, taxed=taxed, gst_included=rules.gst_included),
            )
        known.append(line)
    return tuple(known)


def _basis(facts: OrderFacts, rules: Rules) -> bool:
    """An order stays with or without GST as its first line was, whatever the setting says by now."""
    for posting in facts.postings:
        if posting.kind is DeliveryKind.COST and posting.stands:
            return posting.gst_included
    return rules.gst_included


def _plan_costs(facts: OrderFacts, rules: Rules) -> Plan:
    message = fees_told(facts.messages)
    if message is None:
        return Plan()
    wanted = charges(message)
    open_rows = [one for one in facts.postings if one.kind is DeliveryKind.COST and one.is_open]
    unreadable = [charge for charge in wanted if charge.net is None]
    if unreadable:
        return _unreadable(facts, rules, unreadable[0], open_rows)
    included = _basis(facts, rules)
    standing = _known_taxed(standing_lines(facts), facts, rules)
    codes = {"code_taxed": rules.code_taxed, "code_untaxed": rules.code_untaxed}
    needed = differences(wanted, standing, **codes, gst_included=included)
    # What a person changed in the books stays as it is until a message asks for something else than what was sent.
    as_sent = _known_taxed(standing_lines(facts, as_sent=True), facts, rules)
    told = {line.part for line in differences(wanted, as_sent, **codes, gst_included=included)}
    needed = tuple(line for line in needed if line.part in told)
    withdrawn = [
        Withdrawn(one.key, MOVED)
        for one in facts.postings
        if one.kind is DeliveryKind.COST and _never_arrived(one) and not one.place.is_same(facts.place)
    ]
    added: list[NewPosting] = []
    reheld: list[Reheld] = []
    for part in COST_PARTS:
        lines = [line for line in needed if line.part == part]
        rows = [row for row in open_rows if row.part == part]
        if rows and _match(lines, rows, facts.place):
            reheld += _rehold(facts, rules, rows, lines, standing, wanted)
            continue
        reason = "A later message changed this part." if lines or wanted else "Nothing is owed for this part any more."
        withdrawn += [Withdrawn(row.key, reason) for row in rows]
        left = _without(facts, withdrawn)
        n = _highest(facts, part)
        for line in lines:
            n += 1
            added.append(_cost(left, rules, message, line, n, included, standing))
    return Plan(tuple(withdrawn), tuple(added), tuple(reheld))


def _without(facts: OrderFacts, withdrawn: Sequence[Withdrawn]) -> OrderFacts:
    """The facts as they will be: nobody has to wait for what is withdrawn in the same breath."""
    keys = {one.key for one in withdrawn}
    rows = (replace(one, state=DeliveryState.CANCELLED, by=BY_PLAN) if one.key in keys else one for one in facts.postings)
    return replace(facts, postings=tuple(rows))


def _match(lines: Sequence[Line], rows: Sequence[Posting], place: Place) -> bool:
    """Do the open rows already say what is missing? Rows that were answered by another matter do not."""
    if any(row.cost is None or (_stays_behind(row) and not row.place.is_same(place)) for row in rows):
        return False
    missing: dict[str, Decimal] = {}
    for line in lines:
        missing[line.code] = missing.get(line.code, Decimal(0)) + line.cost
    for row in rows:
        missing[row.code] = missing.get(row.code, Decimal(0)) - (row.cost or Decimal(0))
    return bool(lines) and all(rest == 0 for rest in missing.values())


def _rehold(
    facts: OrderFacts,
    rules: Rules,
    rows: Sequence[Posting],
    lines: Sequence[Line],
    standing: Sequence[Standing],
    wanted: Sequence[Charge],
) -> list[Reheld]:
    changed = []
    for row in rows:
        if row.state is DeliveryState.REJECTED or row.hold not in PLANNED_HOLDS:
            continue
        line = next((one for one in lines if one.code == row.code), None)
        if line is None or row.cost is None:
            continue
        hold, reason = _hold(facts, rules, row.part, row.cost, line.problem, standing, n=row.n, approved=row.approved)
        now_held = row.state is DeliveryState.HELD
        if not row.place.is_same(facts.place) or now_held != bool(hold) or (hold and (hold, reason) != (row.hold, row.reason)):
            changed.append(Reheld(row.key, facts.place, hold, reason))
    return changed


def _unreadable(facts: OrderFacts, rules: Rules, charge: Charge, open_rows: Sequence[Posting]) -> Plan:
    reason = f"{charge.problem} Ask InfoTrack for the fees, or type them in with a result of your own."
    for row in open_rows:
        if row.cost is None and row.hold == HOLD_FEES:
            others = tuple(Withdrawn(one.key, "A later message changed this part.") for one in open_rows if one.key != row.key)
            if row.place.is_same(facts.place) and row.reason == reason:
                return Plan(others)
            return Plan(others, (), (Reheld(row.key, facts.place, HOLD_FEES, reason),))
    return Plan(
        tuple(Withdrawn(one.key, "A later message changed this part.") for one in open_rows),
        (
            NewPosting(
                kind=DeliveryKind.COST,
                part=charge.part,
                n=_highest(facts, charge.part) + 1,
                place=facts.place,
                hold=HOLD_FEES,
                reason=reason,
                description=wording.description(rules.description, values_of(facts, facts.latest, rules)),
            ),
        ),
    )


def _highest(facts: OrderFacts, part: str) -> int:
    """The highest number known here or in the books, on whatever matter."""
    numbers = [one.n for one in facts.postings if one.part == part]
    # Whoever may write into the books may write any number there, and one above it might be no key any more: then no read
    # would ever show the line, and it would go out again and again.
    numbers += [line.n for line in facts.books if line.part == part and line.n <= MOST_LINES]
    return max(numbers, default=0)


def _cost(
    facts: OrderFacts,
    rules: Rules,
    message: OrderMessage,
    line: Line,
    n: int,
    included: bool,
    standing: Sequence[Standing],
) -> NewPosting:
    hold, reason = _hold(facts, rules, line.part, line.cost, line.problem, standing, n=n, approved=False)
    key = delivery_key(facts.order_id, line.part, n)
    return NewPosting(
        kind=DeliveryKind.COST,
        part=line.part,
        n=n,
        place=facts.place,
        hold=hold,
        reason=reason,
        undo=_undo(facts, line.part),
        amount=line.net,
        gst=line.gst,
        cost=line.cost,
        gst_included=included,
        taxed=line.taxed,
        code=line.code,
        description=wording.description(rules.description, values_of(facts, described_by(facts, message), rules)),
        price=price(line.cost, rules.markup_percent),
        on=day_of(facts, rules),
        billable=rules.billable,
        note=f"InfoTrack {key}",
    )


def _hold(
    facts: OrderFacts,
    rules: Rules,
    part: str,
    cost: Decimal,
    problem: str,
    standing: Sequence[Standing],
    *,
    n: int,
    approved: bool,
) -> tuple[str, str]:
    """Why this line waits for a person, as a word and a sentence; both empty when it does not."""
    if not facts.place:
        return HOLD_MATTER, facts.reason or "No matter was found for this order. Choose one."
    if approved:
        return "", ""
    if problem:
        return HOLD_FEES, problem
    if any(one.decided_against(facts.place) and one.part == part and one.n < n for one in facts.postings):
        return HOLD_DECIDED, "You cancelled an earlier line of this fee. Approve this one if it should be posted all the same."
    mine = [line for line in standing if line.part == part]
    by_hand = edited(facts, part)
    if by_hand:
        return HOLD_EDITED, _edited_by_hand(by_hand, cost, mine)
    if cost < 0 and not rules.negative_costs:
        as_shown = 1 + rules.markup_percent / 100 if rules.one_price else None
        return HOLD_NEGATIVE, correction(facts, part, cost, mine, n=n, as_shown=as_shown)
    if rules.review == "always":
        return HOLD_REVIEW, "The firm's settings ask for a look at every cost before it is posted."
    if rules.review == "differences" and standing:
        now = sum((line.cost for line in mine), Decimal(0))
        return HOLD_REVIEW, f"The fee has changed: {money(now)} stands, {money(cost)} is to be added. Approve it to post it."
    return "", ""


def _edited_by_hand(lines: Sequence[tuple[Posting, Decimal]], cost: Decimal, standing: Sequence[Standing]) -> str:
    named = ", ".join(f"{one.key} was posted with {money(one.cost or Decimal(0))} and is {money(now)} now" for one, now in lines)
    total = sum((line.cost for line in standing), Decimal(0))
    return (
        f"Somebody changed this fee in the books: {named}. By InfoTrack it is {money(total + cost)}, {money(total)} stands: "
        f"approve this line to post {money(cost)}, or cancel it to leave the books as they are."
    )


def correction(
    facts: OrderFacts, part: str, cost: Decimal, standing: Sequence[Standing], *, n: int, as_shown: Decimal | None = None
) -> str:
    """What to do by hand where the practice system takes no negative line. `as_shown`: where it shows the price alone, what
    that is to the cost; the sentence then speaks of prices, as a person finds them there.

    Nothing yet while an earlier line of the part has not been read back: one that somebody lowers before it is known here would
    be taken for the amount that is left of it, and the credit for one that is still to be made good."""
    keys = ", ".join(delivery_key(facts.order_id, part, line.n) for line in standing if line.cost > 0)
    now = sum((line.cost for line in standing), Decimal(0))
    where = f" on {facts.place.matter_number}" if facts.place.matter_number else ""
    earlier = [one for one in facts.postings if one.part == part and one.n < n and one.place.is_same(facts.place)]
    unsettled = ", ".join(one.key for one in earlier if _is_unsettled(one))
    if unsettled:
        return (
            f"{money(-cost)} is to be taken back{where}. Leave the books as they are until {unsettled} was seen there or is given "
            "up: only then it is said here what to do."
        )
    before, after, what = money(now), money(now + cost), ""
    if as_shown is not None:
        before, after = (money((amount * as_shown).quantize(CENT, ROUND_HALF_UP)) for amount in (now, now + cost))
        gst = "with" if any(one.gst_included for one in facts.postings if one.part == part) else "without"
        what = f" (the price that is shown there, {gst} GST)"
    return (
        f"{money(-cost)} is to be taken back{where}, but the practice system takes no negative costs. "
        f"Change {keys or 'the posted line'} from {before} to {after} there by hand{what}, then cancel this line here."
    )


def _is_unsettled(row: Posting) -> bool:
    """A charge that is or may be in the books, or still may come there, and has not been seen there."""
    is_charge = row.kind is DeliveryKind.COST and row.cost is not None and row.cost > 0
    return is_charge and row.state is not DeliveryState.CONFIRMED and (row.stands or row.is_open)


def _undo(facts: OrderFacts, part: str) -> str:
    """After a move: the lines that may stand on another matter and must be undone there by hand."""
    old = [one for one in facts.postings if one.part == part and one.stands and not one.place.is_same(facts.place)]
    old = [one for one in old if not _never_arrived(one)]
    if not facts.place or not old:
        return ""
    named = ", ".join(
        f"{one.key} on {one.place.matter_number}" + ("" if one.cost is None else f" ({money(one.cost)})") for one in old
    )
    return f"Undo by hand: {named}."


# documents

_HASH = "hash:"


@dataclass(frozen=True, slots=True)
class _Version:
    """One version of an order's document: every mark that stands for it, and where its file comes from."""

    marks: tuple[str, ...]
    download_url: str
    message: OrderMessage
    typed: Recorded | None

    @property
    def word(self) -> str:
        """What tells its file in the books; empty while InfoTrack has told no hash of it."""
        return next((file_word(mark.removeprefix(_HASH)) for mark in self.marks if mark.startswith(_HASH)), "")

    def is_meant_by(self, row: Posting) -> bool:
        return row.file_mark in self.marks or (bool(self.word) and row.file_mark == f"{FILED}{self.word}")


def versions(messages: Sequence[Recorded]) -> tuple[_Version, ...]:
    """The document's versions by sequence. A file that a person typed in, or one without a FileHash, is the same version as
    the first one that comes with a hash after it."""
    found: list[_Version] = []
    for recorded in messages:
        message = recorded.message
        if recorded.file_mark:
            if not any(recorded.file_mark in version.marks for version in found):
                found.append(_Version((recorded.file_mark,), "", message, recorded))
            continue
        if not message.download_url:
            continue
        mark = f"{_HASH}{message.file_hash}" if message.file_hash else ""
        for index, version in enumerate(found):
            claims = not mark or mark in version.marks or not any(one.startswith(_HASH) for one in version.marks)
            if claims:
                marks = version.marks if mark in version.marks else (*version.marks, mark)
                found[index] = _Version(marks, message.download_url, message, version.typed)
                break
        else:
            found.append(_Version((mark,), message.download_url, message, None))
    return tuple(found)


def _plan_documents(facts: OrderFacts, rules: Rules) -> Plan:
    added: list[NewPosting] = []
    reheld: list[Reheld] = []
    withdrawn: list[Withdrawn] = []
    rows = [one for one in facts.postings if one.kind is DeliveryKind.DOCUMENT]
    taken = {row.n for row in rows}
    highest = _highest(facts, DOCUMENT_PART)
    filed = {line.n: line.code.split() for line in facts.books if line.part == DOCUMENT_PART and line.place.is_same(facts.place)}
    for ordinal, version in enumerate(versions(facts.messages), start=1):
        mine = [row for row in rows if version.is_meant_by(row)]
        kept = [row for row in mine if _still_means(row, facts.place)]
        here = [row for row in kept if row.place.is_same(facts.place)]
        # Under a number that means another version here, or none.
        by_others = [n for n, words in filed.items() if version.word in words and not any(row.n == n for row in mine)]
        if by_others or any(row.stands or row.cancelled_by_person for row in here):
            # Moved away and back again: what was planned for the other matter is not filed here beside what stands, or was
            # decided against, on this one. And what another PC has filed is not filed again.
            reason = _why_spare(here, by_others=bool(by_others))
            spare = [row for row in kept if row.is_open and not row.was_tried]
            withdrawn += [Withdrawn(row.key, reason) for row in spare]
            mine = [row for row in mine if row not in spare]
            kept = [row for row in kept if row not in spare]
        withdrawn += [Withdrawn(row.key, MOVED) for row in mine if row not in kept and (row.is_open or _never_arrived(row))]
        if kept:
            reheld += _rehold_documents(facts, kept)
            continue
        if any(n in taken for n in by_others):
            continue
        is_anothers = ordinal in filed and bool(filed[ordinal]) and bool(version.word) and version.word not in filed[ordinal]
        number = ordinal if ordinal not in taken and not is_anothers else max({highest, *taken}) + 1
        number = next(iter(by_others), number)
        taken.add(number)
        highest = max(highest, number)
        added.append(_document(facts, rules, version, number))
    return Plan(tuple(withdrawn), tuple(added), tuple(reheld))


def _why_spare(here: Sequence[Posting], *, by_others: bool) -> str:
    if by_others or any(row.file_mark.startswith(FILED) for row in here):
        return FILED_BY_ANOTHER
    return MOVED_BACK if any(row.stands for row in here) else CANCELLED_HERE


def _never_arrived(row: Posting) -> bool:
    """Sent once, looked for, and put back in the queue: of an order that was moved since, it is not sent again."""
    return row.state is DeliveryState.QUEUED and row.touched


def _still_means(row: Posting, place: Place) -> bool:
    """Does this row still see to its version of the document, or does the matter want a further one?"""
    if row.state is DeliveryState.CANCELLED:
        return row.decided_against(place)
    return row.place.is_same(place) or (row.is_open and not _stays_behind(row))


def _stays_behind(row: Posting) -> bool:
    """An open row that does not go along when its order is moved: it was answered by its matter, or a person must look at it
    there. The new matter gets a row of its own."""
    return row.was_tried or row.state is DeliveryState.REJECTED or row.hold not in PLANNED_HOLDS


def _rehold_documents(facts: OrderFacts, rows: Sequence[Posting]) -> list[Reheld]:
    changed = []
    for row in rows:
        if not row.is_open or row.state is DeliveryState.REJECTED or row.hold not in PLANNED_HOLDS:
            continue
        hold, reason = _hold_document(facts)
        now_held = row.state is DeliveryState.HELD
        if not row.place.is_same(facts.place) or now_held != bool(hold) or (hold and reason != row.reason):
            changed.append(Reheld(row.key, facts.place, hold, reason))
    return changed


def _hold_document(facts: OrderFacts) -> tuple[str, str]:
    if not facts.place:
        return HOLD_MATTER, facts.reason or "No matter was found for this order. Choose one."
    return "", ""


def _document(facts: OrderFacts, rules: Rules, version: _Version, n: int) -> NewPosting:
    values = values_of(facts, described_by(facts, version.message), rules)
    hold, reason = _hold_document(facts)
    key = delivery_key(facts.order_id, DOCUMENT_PART, n)
    title = wording.description(rules.description, values)
    return NewPosting(
        kind=DeliveryKind.DOCUMENT,
        part=DOCUMENT_PART,
        n=n,
        place=facts.place,
        hold=hold,
        reason=reason,
        undo=_undo(facts, DOCUMENT_PART),
        description=title,
        note=wording.document_note(key, version.word),
        title=title,
        folder=wording.plain(rules.folder),
        file_name=wording.file_name(rules.file_name, values),
        file_mark=version.marks[-1],
        file_message=version.typed.seq if version.typed is not None else None,
        download_url="" if version.typed is not None else version.download_url,
    )


# words and days


def described_by(facts: OrderFacts, message: OrderMessage) -> OrderMessage:
    """The message to take the words from: one with a service name, the nearest before where this one is silent."""
    if message.service:
        return message
    return next((one.message for one in reversed(facts.messages) if one.message.service), message)


def day_of(facts: OrderFacts, rules: Rules) -> date:
    """The firm's own calendar day of the order; where no message tells, of its completion, else of its arrival here."""
    told = [one.message.ordered_at for one in facts.messages if one.message.ordered_at is not None]
    told += [one.message.completed_at for one in facts.messages if one.message.completed_at is not None]
    moment = told[0] if told else facts.first_seen_at
    return moment.astimezone(rules.zone).date()


def values_of(facts: OrderFacts, message: OrderMessage, rules: Rules) -> dict[str, str]:
    return {
        "service": message.service,
        "reference": message.reference,
        "order_id": facts.order_id,
        "state": wording.australian_state(message),
        "ordered_by": message.ordered_by,
        "date": day_of(facts, rules).isoformat(),
    }
