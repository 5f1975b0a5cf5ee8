"""How a posting that waits for approval will stand in the firm's books, and the rule that made it so. Pure."""

from __future__ import annotations

from decimal import Decimal

from desktop.services.books import Preview
from desktop.services.ledger.facts import Posting
from desktop.services.ledger.model import DeliveryKind, OrderView
from desktop.services.practice.model import Matter

_PARTS = {"R": "Retailer fee", "S": "Supplier fee"}


def rule(part: str, n: int, *, taxed: bool, gst: Decimal | None, net: Decimal | None) -> str:
    """Why the line is as it is, by the rules of the charges: fees that are taxed alike make one line, others one each."""
    if net is None:
        return "The fees could not be read, so nothing can be posted yet"
    kind = "A credit" if net < 0 else "A difference to what was posted before"
    prefix = f"{kind}. " if n > 1 or net < 0 else ""
    if part == "T":
        return prefix + ("GST on the whole fee: one line" if taxed else "No GST on any of it: one line")
    name = _PARTS.get(part, "Fee")
    if taxed and gst is not None and abs(gst * 10 - net) > Decimal("0.10"):
        return f"{prefix}{name} with GST on a part of it: look at the split"
    return f"{prefix}{name} {'with' if taxed else 'without'} GST: a line of its own"


def preview(posting: Posting, order: OrderView | None, matter: Matter | None) -> Preview:
    markup: Decimal | None = None
    if posting.cost and posting.price is not None:
        markup = ((posting.price / posting.cost - 1) * 100).quantize(Decimal("0.1"))
    is_cost = posting.kind is DeliveryKind.COST
    return Preview(
        key=posting.key,
        kind=posting.kind,
        order_id=posting.order_id,
        service=order.service if order is not None else "",
        reference=order.reference if order is not None else "",
        system=posting.place.system,
        matter_number=posting.place.matter_number,
        matter_name=matter.name if matter is not None else "",
        client=matter.client if matter is not None else "",
        code=posting.code,
        description=posting.description if is_cost else (posting.title or posting.file_name),
        net=posting.amount,
        gst=posting.gst,
        cost=posting.cost,
        price=posting.price,
        markup_percent=markup,
        billable=posting.billable,
        on=posting.on,
        rule=rule(posting.part, posting.n, taxed=posting.taxed, gst=posting.gst, net=posting.amount) if is_cost else "A document",
        reason=posting.reason,
        closed=matter is not None and matter.is_open is False,
    )
