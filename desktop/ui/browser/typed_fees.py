"""What a person types about an order, checked. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from desktop.ui.language import tr

AMOUNTS = ("retailer_fee", "retailer_gst", "supplier_fee", "supplier_gst")
_NAMES = {
    "retailer_fee": tr("InfoTrack's fee"),
    "retailer_gst": tr("the GST on InfoTrack's fee"),
    "supplier_fee": tr("the supplier's fee"),
    "supplier_gst": tr("the GST on the supplier's fee"),
}
_MOST = Decimal("99999.99")


@dataclass(frozen=True, slots=True)
class TypedFees:
    """Checked text. Amounts are decimal text with two places, or empty where nothing was typed."""

    order_id: str
    service: str
    reference: str = ""
    retailer_fee: str = ""
    retailer_gst: str = ""
    supplier_fee: str = ""
    supplier_gst: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with which field, as a sentence."""

    field: str
    sentence: str


def check(typed: dict[str, str], *, fees_needed: bool) -> TypedFees | Fault:
    """The first thing that is wrong, or the values. `fees_needed`: at least one fee must be there (no document comes along)."""
    order_id = re.sub(r"\s", "", typed.get("order_id", "")).lstrip("0")
    if not re.fullmatch(r"[0-9]{1,18}", order_id) or not order_id.isascii():
        return Fault("order_id", tr("The order number is made of digits only, as InfoTrack shows it beside the order."))
    service = " ".join(typed.get("service", "").split())[:200]
    if not service:
        return Fault("service", tr("Say which service this was, for example Title Search."))
    reference = " ".join(typed.get("reference", "").split())[:200]
    amounts: dict[str, str] = {}
    for field in AMOUNTS:
        amount = read_amount(typed.get(field, ""))
        if amount is None:
            given = typed.get(field, "").strip()[:20]
            return Fault(field, tr("«{given}» can't be read as {what}. Type it like 12.50.", given=given, what=_NAMES[field]))
        amounts[field] = amount
    for who in ("retailer", "supplier"):
        fee, gst = amounts[f"{who}_fee"], amounts[f"{who}_gst"]
        if gst and not fee:
            return Fault(f"{who}_fee", tr("There is GST but no fee. Type the fee without GST as well."))
        if fee and not gst:
            return Fault(f"{who}_gst", tr("Type the GST as well: 0 when there is none."))
        if fee and Decimal(gst) > Decimal(fee):
            return Fault(f"{who}_gst", tr("The GST is more than the fee. The fee is the amount without GST."))
    if fees_needed and not any(amounts[f"{who}_fee"] for who in ("retailer", "supplier")):
        return Fault("retailer_fee", tr("Type at least one fee; a fee of nothing is 0."))
    return TypedFees(order_id=order_id, service=service, reference=reference, **amounts)


def read_amount(text: str) -> str | None:
    """Decimal text with two places; "" for nothing typed; None for what is no amount from 0 to 99,999.99."""
    plain = text.strip().removeprefix("$").strip()
    if not plain:
        return ""
    if not plain.isascii() or not re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d{1,2})?|\d+(\.\d{0,2})?|\.\d{1,2}", plain):
        return None
    try:
        value = Decimal(plain.replace(",", ""))
    except InvalidOperation:
        return None
    return f"{value:.2f}" if value <= _MOST else None


def gst_remark(fees: TypedFees) -> str:
    """A sentence where a fee is taxed only in part: it will wait for a person. Empty otherwise."""
    for fee, gst in ((fees.retailer_fee, fees.retailer_gst), (fees.supplier_fee, fees.supplier_gst)):
        if fee and Decimal(gst) and abs(Decimal(gst) - Decimal(fee) / 10) > Decimal("0.01"):
            return tr(
                "The GST is neither nothing nor a tenth of the fee, so this cost will wait for approval in Orders and postings."
            )
    return ""
