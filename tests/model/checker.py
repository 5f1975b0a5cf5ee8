"""What should stand in a firm's books, worked out from what InfoTrack told and what people decided, and what is wrong there.

Written without the product's rules at hand: from contracts, sections 2 and 5. It looks at the books alone.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

from tests.model.remote import Books, Entry

NOTHING = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class Amount:
    """A fee as InfoTrack tells it: without GST, and its GST."""

    net: Decimal
    gst: Decimal


@dataclass(slots=True)
class Told:
    """All that concerns one order. `matters`: every (tenant, job) that it belonged to, the last one counts. `cancelled`: what
    people took off the list, by mark, with the amount that they saw. `versions`: the marks of its files."""

    sequence: int = -1
    retailer: Amount | None = None
    supplier: Amount | None = None
    versions: list[str] = field(default_factory=list)
    matters: list[tuple[str, str]] = field(default_factory=list)
    perhaps_at: tuple[str, str] | None = None
    cancelled: dict[str, Decimal] = field(default_factory=dict)
    perhaps_cancelled: dict[str, Decimal] = field(default_factory=dict)
    undone_by_hand: set[str] = field(default_factory=set)
    changes: int = 0

    @property
    def left_to_people(self) -> bool:
        """Somebody lowered lines by hand and took others off the list besides: what it should come to then is theirs to say."""
        return bool(self.undone_by_hand) and any(self.cancelled.values())


@dataclass(slots=True)
class Judgement:
    intents: int = 0
    duplicated: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)

    def problems(self) -> list[str]:
        return [f"{name}: {what}" for name in ("duplicated", "lost", "wrong", "unexpected") for what in getattr(self, name)]


def owed(told: Told, *, gst_included: bool) -> dict[tuple[str, str], Decimal]:
    """By part and code, what the lines of an order should come to."""
    fees = {"R": told.retailer, "S": told.supplier}
    given = {part: fee for part, fee in fees.items() if fee is not None}
    if not given:
        return {}
    whole = {part: fee.gst != 0 and abs(fee.gst * 10 - fee.net) <= Decimal("0.10") for part, fee in given.items()}
    partly = {part for part, fee in given.items() if fee.gst != 0 and not whole[part]}
    kinds = {whole.get("R", False), whole.get("S", False)}
    found: dict[tuple[str, str], Decimal] = defaultdict(lambda: NOTHING)
    for part, fee in given.items():
        name = "T" if len(kinds) == 1 and not partly else part
        extra = fee.gst if gst_included else NOTHING
        if part in partly:
            found[name, "GST"] += fee.gst * 10 + extra
            found[name, "FREE"] += fee.net - fee.gst * 10
        else:
            found[name, "GST" if whole[part] else "FREE"] += fee.net + extra
    return {key: amount for key, amount in found.items() if amount}


def judge(books: Books, orders: dict[str, Told], *, gst_included: bool, markup: Decimal) -> Judgement:
    """The verdict over what stands at the end, when nothing is under way any more."""
    verdict = Judgement()
    by_order: dict[str, list[Entry]] = defaultdict(list)
    for entry in books.entries:
        if entry.alive:
            by_order[entry.order].append(entry)
    for order_id in by_order.keys() - orders.keys():
        verdict.unexpected += [f"{one.mark or 'no mark'} on {one.job}" for one in by_order[order_id]]
    for order_id, told in orders.items():
        lines = by_order.get(order_id, [])
        verdict.intents += len({one.mark for one in lines})
        _whereabouts(verdict, lines, told)
        _twice(verdict, lines)
        if not told.left_to_people:
            _amounts(verdict, order_id, [one for one in lines if one.kind == "cost"], told, gst_included=gst_included)
        _files(verdict, order_id, [one for one in lines if one.kind == "document"], told)
        for one in lines:
            by_hand = one.kind != "cost" or one.mark in told.undone_by_hand
            if not by_hand and abs(one.price - one.amount * (1 + markup)) > Decimal("0.005"):
                verdict.wrong.append(f"{one.mark} has the price {one.price} for {one.amount}")
    return verdict


def _whereabouts(verdict: Judgement, lines: list[Entry], told: Told) -> None:
    for one in lines:
        if (one.tenant, one.job) not in told.matters:
            verdict.unexpected.append(f"{one.mark} on {one.job} of {one.tenant}")


def _twice(verdict: Judgement, lines: list[Entry]) -> None:
    counted = Counter(one.mark for one in lines)
    verdict.duplicated += [f"{mark} stands {count} times" for mark, count in counted.items() if count > 1]


def _amounts(verdict: Judgement, order_id: str, lines: list[Entry], told: Told, *, gst_included: bool) -> None:
    wanted = owed(told, gst_included=gst_included)
    here = told.matters[-1]
    stands: dict[tuple[str, str], Decimal] = defaultdict(lambda: NOTHING)
    for one in {one.mark: one for one in lines}.values():
        if (one.tenant, one.job) == here and one.mark not in told.cancelled:
            stands[one.part, one.code] += one.amount
    if told.cancelled:
        # What a person took off counts as if it stood; a code is not asked for then.
        for mark, amount in told.cancelled.items():
            if mark.split("-")[2] != "D":
                stands[mark.split("-")[2], ""] += amount
        wanted, stands = _by_part(wanted), _by_part(stands)
    for key in sorted(wanted.keys() | stands.keys()):
        difference = stands.get(key, NOTHING) - wanted.get(key, NOTHING)
        if difference:
            text = f"{order_id} {key[0]} {key[1]}: {stands.get(key, NOTHING)} stands, {wanted.get(key, NOTHING)} is owed"
            (verdict.lost if key not in stands else verdict.wrong).append(text)


def _by_part(amounts: dict[tuple[str, str], Decimal]) -> dict[tuple[str, str], Decimal]:
    found: dict[tuple[str, str], Decimal] = defaultdict(lambda: NOTHING)
    for (part, _), amount in amounts.items():
        found[part, ""] += amount
    return found


def _files(verdict: Judgement, order_id: str, lines: list[Entry], told: Told) -> None:
    here = told.matters[-1]
    filed = Counter(one.content for one in lines if (one.tenant, one.job) == here)
    cancelled = sum(1 for mark in told.cancelled if mark.split("-")[2] == "D")
    missing = [version for version in told.versions if not filed[version]]
    if len(missing) > cancelled:
        verdict.lost += [f"{order_id} has no file {version[-8:]}" for version in missing]
    # A mark of its own makes a second copy of one version: as bad as a second line.
    verdict.duplicated += [f"{order_id} has a file {count} times" for count in filed.values() if count > 1]
    verdict.unexpected += [f"{order_id} has a file of nobody's" for content in filed if content not in told.versions]
