"""Pure: the cost lines that should stand for an order, and what is missing from those that do (contracts, section 2).

Retailer and supplier fee are taken apart. Where both carry GST, or neither does, they make one line (part T), otherwise one
line each (R, S). Nothing here rounds what InfoTrack charged; only the price with a markup is rounded, half up, to the cent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum

from desktop.services.infotrack.model import Fee, OrderMessage
from desktop.services.ledger.facts import COST_PARTS, Recorded

CENT = Decimal("0.01")
ZERO = Decimal("0.00")


class Taxed(Enum):
    """Whether a fee carries GST: not at all, in full (a tenth, give or take a cent), or only on a part of it."""

    NO = "no"
    FULL = "full"
    PARTLY = "partly"


@dataclass(frozen=True, slots=True)
class Charge:
    """What should stand under one part and one kind of tax. `problem` says why a person must look first; a charge whose
    fees could not be read at all has no amounts."""

    part: str
    taxed: bool
    net: Decimal | None
    gst: Decimal | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """A line that stands: sent, or seen in the books. `cost` is what the books hold for it."""

    part: str
    n: int
    code: str
    taxed: bool
    cost: Decimal
    gst: Decimal


@dataclass(frozen=True, slots=True)
class Line:
    """A further line that brings a part to its sum. `cost` as the books will hold it; negative for a credit."""

    part: str
    code: str
    taxed: bool
    cost: Decimal
    net: Decimal
    gst: Decimal
    problem: str = ""


def money(amount: Decimal) -> str:
    """For sentences: two places, a minus sign for a credit."""
    return f"{amount.quantize(CENT)}"


def how_taxed(fee: Fee) -> Taxed:
    """A cent's difference is rounding; anything more is a fee that is taxed only in part."""
    if fee.gst == 0:
        return Taxed.NO
    if abs(fee.gst - fee.net / 10) <= CENT:
        return Taxed.FULL
    return Taxed.NO if abs(fee.gst) <= CENT else Taxed.PARTLY


def is_zero(fee: Fee | None) -> bool:
    return fee is None or (fee.net == 0 and fee.gst == 0)


def fees_told(messages: Sequence[Recorded]) -> OrderMessage | None:
    """The latest message that says anything of fees; None while none does.

    A message may carry fees, a document, both or neither: one that is silent on fees leaves them alone. One that gives
    only the sum, and the same sum as an earlier one gave in parts, leaves the parts as they were."""
    telling = [one.message for one in messages if _tells_fees(one.message)]
    if not telling:
        return None
    latest = telling[-1]
    if latest.problems or not _only_total(latest) or latest.total is None:
        return latest
    for earlier in reversed(telling[:-1]):
        if earlier.problems:
            break
        if not _only_total(earlier):
            parts = [fee for fee in (earlier.retailer, earlier.supplier) if fee is not None]
            same = sum((f.net for f in parts), ZERO) == latest.total.net and sum((f.gst for f in parts), ZERO) == latest.total.gst
            return earlier if same else latest
    return latest


def _tells_fees(message: OrderMessage) -> bool:
    return bool(message.problems) or not (message.retailer is None and message.supplier is None and message.total is None)


def _only_total(message: OrderMessage) -> bool:
    return message.retailer is None and message.supplier is None


def does_not_add_up(message: OrderMessage) -> str:
    """Why the fees contradict themselves, in a sentence; empty when they add up."""
    for name, fee in (("retailer fee", message.retailer), ("supplier fee", message.supplier), ("total fee", message.total)):
        if fee is not None and abs(fee.net + fee.gst - fee.total) >= CENT:
            return f"The {name} does not add up: {money(fee.net)} and GST {money(fee.gst)} are not {money(fee.total)}."
    if message.total is not None and not _only_total(message):
        parts = [fee for fee in (message.retailer, message.supplier) if fee is not None]
        together = sum((fee.total for fee in parts), ZERO)
        if abs(together - message.total.total) >= CENT:
            said = money(message.total.total)
            return f"The fees do not add up: retailer and supplier together are {money(together)}, the total says {said}."
        taxes = sum((fee.gst for fee in parts), ZERO)
        if abs(taxes - message.total.gst) >= CENT:
            return f"The GST does not add up: the parts carry {money(taxes)}, the total says {money(message.total.gst)}."
    return ""


def charges(message: OrderMessage) -> tuple[Charge, ...]:
    """The lines that should stand for this message's fees. A fee of zero makes none."""
    problem = " ".join(message.problems) or does_not_add_up(message)
    if _only_total(message):
        found = _part("T", message.total)
    else:
        retailer, supplier = message.retailer, message.supplier
        kinds = [how_taxed(fee) if fee is not None else Taxed.NO for fee in (retailer, supplier)]
        if kinds[0] is kinds[1] and kinds[0] is not Taxed.PARTLY:
            found = _part("T", _together(retailer, supplier))
        else:
            found = _part("R", retailer) + _part("S", supplier)
    if problem and not found:
        return (Charge("T", taxed=False, net=None, gst=None, problem=problem),)
    if problem:
        return tuple(replace(charge, problem=problem) for charge in found)
    return found


def _together(retailer: Fee | None, supplier: Fee | None) -> Fee:
    fees = [fee for fee in (retailer, supplier) if fee is not None]
    return Fee(sum((f.net for f in fees), ZERO), sum((f.gst for f in fees), ZERO), sum((f.total for f in fees), ZERO))


def _part(part: str, fee: Fee | None) -> tuple[Charge, ...]:
    if fee is None or is_zero(fee):
        return ()
    kind = how_taxed(fee)
    if part == "T" and kind is Taxed.PARTLY and abs(fee.gst - fee.net / 10) <= 2 * CENT:
        # Two fees that are each within a cent of a tenth may be two cents off together.
        kind = Taxed.FULL
    if kind is not Taxed.PARTLY:
        return (Charge(part, kind is Taxed.FULL, fee.net, fee.gst),)
    taxable = (fee.gst * 10).quantize(CENT)
    rest = fee.net - taxable
    name = {"R": "retailer fee", "S": "supplier fee", "T": "fee"}[part]
    if (taxable < 0) != (fee.net < 0) or abs(taxable) > abs(fee.net):
        problem = f"GST {money(fee.gst)} is more than a tenth of the {name} of {money(fee.net)}: ask InfoTrack what was charged."
        return (Charge(part, True, fee.net, fee.gst, problem),)
    problem = (
        f"The {name} of {money(fee.net)} carries GST {money(fee.gst)}, which is neither 0 nor 10 %. "
        f"By ten times the GST, {money(taxable)} is taxed and {money(rest)} is not."
    )
    return (Charge(part, True, taxable, fee.gst, problem), Charge(part, False, rest, ZERO, problem))


@dataclass(slots=True)
class _Want:
    """What a code should come to within a part."""

    taxed: bool
    cost: Decimal
    gst: Decimal
    problem: str


def differences(
    wanted: Sequence[Charge], standing: Sequence[Standing], *, code_taxed: str, code_untaxed: str, gst_included: bool
) -> tuple[Line, ...]:
    """The lines that bring every part to its new sum, credits of a part before what it is charged anew.

    A sum that moves to another code is taken back under the old code and posted under the new one; a part that falls to
    zero keeps its code. `wanted` must hold amounts only."""
    lines: list[Line] = []
    for part in COST_PARTS:
        lines += _differences_of_part(
            part,
            [charge for charge in wanted if charge.part == part],
            [line for line in standing if line.part == part],
            {True: code_taxed, False: code_untaxed},
            gst_included,
        )
    return tuple(lines)


def _differences_of_part(
    part: str, wanted: Sequence[Charge], standing: Sequence[Standing], codes: Mapping[bool, str], gst_included: bool
) -> list[Line]:
    targets: dict[str, _Want] = {}
    for charge in wanted:
        if charge.net is None or charge.gst is None:
            continue
        # A firm that renames its codes does not thereby move what stands.
        used = [line.code for line in standing if line.taxed == charge.taxed]
        code = used[-1] if used else codes[charge.taxed]
        cost = charge.net + charge.gst if gst_included else charge.net
        if code in targets:
            before = targets[code]
            targets[code] = _Want(before.taxed or charge.taxed, before.cost + cost, before.gst + charge.gst, charge.problem)
        else:
            targets[code] = _Want(charge.taxed, cost, charge.gst, charge.problem)
    lines: list[Line] = []
    problem = next((want.problem for want in targets.values() if want.problem), "")
    for code in dict.fromkeys(line.code for line in standing):
        if code not in targets:
            mine = [line for line in standing if line.code == code]
            targets[code] = _Want(mine[-1].taxed, ZERO, ZERO, problem)
    for code, want in targets.items():
        mine = [line for line in standing if line.code == code]
        cost = want.cost - sum((line.cost for line in mine), ZERO)
        if abs(cost) < CENT:
            continue
        gst = want.gst - sum((line.gst for line in mine), ZERO)
        net = cost - gst if gst_included else cost
        lines.append(Line(part, code, want.taxed, cost, net, gst, want.problem))
    lines.sort(key=lambda line: line.cost > 0)
    return lines


def price(cost: Decimal, markup_percent: Decimal) -> Decimal:
    """Unit price: the cost plus the markup, rounded half up (a credit likewise, away from zero) to the cent."""
    return (cost * (100 + markup_percent) / 100).quantize(CENT, ROUND_HALF_UP)


def gst_within(cost: Decimal, *, taxed: bool, gst_included: bool) -> Decimal:
    """The GST of an amount that was found in the books, where nobody tells it."""
    if not taxed:
        return ZERO
    return (cost / 11 if gst_included else cost / 10).quantize(CENT, ROUND_HALF_UP)
