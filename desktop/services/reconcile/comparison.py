"""Pure: an invoice held against what stands in the firm's books, order by order.

Amounts are compared to the cent, without GST and GST each, or the sum where the invoice tells no more. An order may have
several lines on either side: the sums count. What was cancelled does not stand; what is still on its way is told apart
from what is missing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from desktop.services.reconcile.invoice import ZERO, Invoice, InvoiceLine, Unread


class Verdict(StrEnum):
    """What was found for one order."""

    MATCHED = "matched"
    MISSING = "missing"
    DIFFERENT = "different"
    UNDER_WAY = "under way"
    CREDITED = "credited"
    EXTRA = "extra"
    ANOTHER_FIRMS = "other firm's"


@dataclass(frozen=True, slots=True)
class Posted:
    """One cost line of ours. `stands`: seen in the books. `moving`: on its way there. Neither: it waits for a person.

    `old_matter` is true for a line that was left behind at another matter by a move, to be undone there by hand."""

    order_id: str
    key: str
    net: Decimal
    gst: Decimal
    stands: bool
    moving: bool
    matter: str = ""
    system: str = ""
    tenant: str = ""
    reason: str = ""
    service: str = ""
    on: date | None = None
    old_matter: bool = False


@dataclass(frozen=True, slots=True)
class Sums:
    """Without GST, GST, and both. `net` and `gst` are None where only the sum is known."""

    net: Decimal | None
    gst: Decimal | None
    total: Decimal


@dataclass(frozen=True, slots=True)
class Known:
    """What this PC knows of orders beside their live cost lines, by number: all that it has, those without a matter, and those
    whose cost somebody gave up here."""

    orders: frozenset[str] = frozenset()
    without_matter: frozenset[str] = frozenset()
    given_up: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Compared:
    """One order. `needs_person` is true for missing and different ones. `reason` is a sentence, empty when all is well. `known`:
    this PC has the order, so there is a page of it to look at."""

    order_id: str
    verdict: Verdict
    invoiced: Sums
    posted: Sums
    lines: int
    service: str = ""
    matter: str = ""
    system: str = ""
    reason: str = ""
    keys: tuple[str, ...] = ()
    rows: tuple[int, ...] = ()
    known: bool = True

    @property
    def difference(self) -> Decimal:
        """What the invoice has and the books lack, with GST; negative where the books have more."""
        return self.invoiced.total - self.posted.total

    @property
    def needs_person(self) -> bool:
        return self.verdict in (Verdict.MISSING, Verdict.DIFFERENT)


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """All orders of the invoice in its order, then the extra ones."""

    orders: tuple[Compared, ...]
    unread: tuple[Unread, ...] = ()
    lines: int = 0
    counts: dict[Verdict, int] = field(default_factory=dict)

    @property
    def needs_person(self) -> bool:
        return bool(self.unread) or any(order.needs_person for order in self.orders)

    def totals(self, side: str) -> dict[str, Decimal]:
        """Sums of one side ("invoiced" or "posted") by GST: `taxed`, `untaxed`, `gst`, `unknown` (told only with GST), `total`."""
        found = {"taxed": ZERO, "untaxed": ZERO, "gst": ZERO, "unknown": ZERO, "total": ZERO}
        for order in self.orders:
            sums = order.invoiced if side == "invoiced" else order.posted
            found["total"] += sums.total
            if sums.net is None or sums.gst is None:
                found["unknown"] += sums.total
                continue
            found["gst"] += sums.gst
            # A fee with GST in full is ten times its GST; the rest of the order carries none.
            taxed = min(sums.gst * 10, sums.net) if sums.net >= 0 else max(sums.gst * 10, sums.net)
            taxed = sums.net if abs(sums.net - sums.gst * 10) < Decimal("0.10") else taxed
            found["taxed"] += taxed
            found["untaxed"] += sums.net - taxed
        return found


_NOTHING_KNOWN = Known()


def reconcile(
    invoice: Invoice,
    posted: Sequence[Posted],
    *,
    tenants: frozenset[tuple[str, str]] = frozenset(),
    known: Known = _NOTHING_KNOWN,
) -> Reconciliation:
    """`posted` holds every cost line of ours that was not cancelled. `tenants` are the firms that are signed in now as
    (system, tenant): an order that belongs to another one is that firm's. Empty: every order is this firm's. `known` lets a
    missing one say what to do about it."""
    charged: dict[str, list[InvoiceLine]] = defaultdict(list)
    for line in invoice.lines:
        charged[line.order_id].append(line)
    ours: dict[str, list[Posted]] = defaultdict(list)
    for one in posted:
        ours[one.order_id].append(one)
    orders = [_compared(order, lines, ours.get(order, []), tenants, known) for order, lines in charged.items()]
    orders += _extra(invoice, charged, ours, tenants)
    counts = dict.fromkeys(Verdict, 0)
    for order in orders:
        counts[order.verdict] += 1
    return Reconciliation(tuple(orders), invoice.unread, len(invoice.lines), counts)


def _compared(
    order_id: str, lines: list[InvoiceLine], ours: list[Posted], tenants: frozenset[tuple[str, str]], known: Known
) -> Compared:
    invoiced = Sums(
        _whole(line.net for line in lines), _whole(line.gst for line in lines), sum((line.total for line in lines), ZERO)
    )
    standing = [one for one in ours if one.stands and not one.old_matter]
    moving = [one for one in ours if one.moving and not one.stands]
    waiting = [one for one in ours if not one.moving and not one.stands]
    sums = _sums(standing)
    if ours:
        verdict, reason = _verdict(invoiced, sums, lines, standing, moving, waiting)
    else:
        verdict, reason = _without_a_cost(order_id, invoiced, lines, known)
    if any(one.old_matter and one.stands for one in ours):
        reason = f"{reason} A line left at the matter it was moved from is still to be undone there.".strip()
    placed = {(one.system, one.tenant) for one in ours if one.tenant}
    if tenants and placed and not placed & tenants:
        verdict, reason = Verdict.ANOTHER_FIRMS, "It belongs to a firm that is not signed in here now."
    last = ours[-1] if ours else None
    return Compared(
        order_id=order_id,
        verdict=verdict,
        invoiced=invoiced,
        posted=sums,
        lines=len(lines),
        service=next((line.service for line in lines if line.service), last.service if last else ""),
        matter=last.matter if last else next((line.client_reference for line in lines if line.client_reference), ""),
        system=last.system if last else "",
        reason=reason,
        keys=tuple(one.key for one in ours),
        rows=tuple(line.row for line in lines),
        known=bool(ours) or order_id in known.orders,
    )


def _without_a_cost(order_id: str, invoiced: Sums, lines: list[InvoiceLine], known: Known) -> tuple[Verdict, str]:
    """No cost of it lives here: a sentence that says why, and what to do."""
    if _equal(invoiced, Sums(ZERO, ZERO, ZERO)):
        return (Verdict.CREDITED if any(line.total < 0 for line in lines) else Verdict.MATCHED), ""
    if order_id in known.given_up:
        told = "Its cost was given up here. Open the order to see why: retry it there, or look at the job and post it by hand."
    elif order_id in known.without_matter:
        told = "Its result has no matter yet, so no cost was posted. Open the order and choose its matter; the cost follows."
    elif order_id in known.orders:
        told = "InfoTrack has told iConnect of no fee for it, so no cost was posted. Open the order, or post the cost by hand."
    else:
        told = (
            "iConnect has no order with this number. Was it ordered on the web site or on another PC? Its result may "
            "stand under another number among the orders without a matter. If not, import or add it, or post the cost by hand."
        )
    return Verdict.MISSING, told


def _verdict(
    invoiced: Sums, sums: Sums, lines: list[InvoiceLine], standing: list[Posted], moving: list[Posted], waiting: list[Posted]
) -> tuple[Verdict, str]:
    if _equal(invoiced, sums):
        credited = any(line.total < 0 for line in lines) or any(one.net < 0 for one in standing)
        if waiting or moving:
            # Something of ours is still to come on top of what agrees.
            return Verdict.DIFFERENT, _waits(
                waiting or moving, "The books agree with the invoice, but a further line is on its way."
            )
        return (Verdict.CREDITED if credited else Verdict.MATCHED), ""
    if moving and _equal(invoiced, _sums([*standing, *moving])):
        return Verdict.UNDER_WAY, "It was sent or is about to be; look again when it is confirmed."
    if waiting and _equal(invoiced, _sums([*standing, *moving, *waiting])):
        kind = Verdict.MISSING if not standing else Verdict.DIFFERENT
        return kind, _waits(waiting, _what_waits(waiting))
    if not standing and not moving and not waiting:
        return Verdict.MISSING, "No cost of it stands at its matter. Open the order to see why."
    if not standing:
        return Verdict.MISSING, _waits(
            waiting or moving, "It has not reached the books yet, and its amount differs. Open the order to see both."
        )
    if invoiced.total == sums.total:
        return Verdict.DIFFERENT, "The sums agree, but the GST in them does not."
    more = "more" if invoiced.total > sums.total else "less"
    return Verdict.DIFFERENT, f"The invoice has ${abs(invoiced.total - sums.total):,.2f} {more} than the books."


def _what_waits(lines: list[Posted]) -> str:
    if any(not one.matter for one in lines):
        return "It waits for a matter here: open the order and choose one; the cost follows by itself."
    return "It waits for a person here: open the order, and approve it, mend what is said there, or move it."


def _waits(lines: list[Posted], words: str) -> str:
    why = next((one.reason for one in lines if one.reason), "")
    return f"{words} {why}".strip()


def _extra(
    invoice: Invoice, charged: dict[str, list[InvoiceLine]], ours: dict[str, list[Posted]], tenants: frozenset[tuple[str, str]]
) -> Iterable[Compared]:
    """Posted in the invoice's days, and not on it. Without days nobody can tell, so none is called extra."""
    days = invoice.days()
    if days is None:
        return
    for order_id, lines in ours.items():
        if order_id in charged:
            continue
        standing = [one for one in lines if one.stands and not one.old_matter]
        within = [one for one in standing if one.on is not None and days[0] <= one.on <= days[1]]
        if not within or (tenants and any((one.system, one.tenant) not in tenants for one in within)):
            continue
        sums = _sums(standing)
        if sums.total == 0 and sums.gst == 0:
            continue
        last = within[-1]
        yield Compared(
            order_id=order_id,
            verdict=Verdict.EXTRA,
            invoiced=Sums(ZERO, ZERO, ZERO),
            posted=sums,
            lines=0,
            service=last.service,
            matter=last.matter,
            system=last.system,
            reason="Posted in these days, and not on the invoice. It may be on another one.",
            keys=tuple(one.key for one in standing),
        )


def _sums(lines: Sequence[Posted]) -> Sums:
    net, gst = sum((one.net for one in lines), ZERO), sum((one.gst for one in lines), ZERO)
    return Sums(net, gst, net + gst)


def _whole(values: Iterable[Decimal | None]) -> Decimal | None:
    total = ZERO
    for value in values:
        if value is None:
            return None
        total += value
    return total


def _equal(invoiced: Sums, posted: Sums) -> bool:
    if invoiced.net is None or invoiced.gst is None:
        return invoiced.total == posted.total
    return invoiced.net == posted.net and invoiced.gst == posted.gst
