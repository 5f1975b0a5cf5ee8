"""Smokeball: expenses on a matter. A write is accepted and takes effect later; the record can't be read before."""

from __future__ import annotations

import uuid
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from flask import Blueprint, g

from sandbox.clock import Clock
from sandbox.smokeball_answers import Problem, Query, answer, head, instant, link, paged, read_body
from sandbox.smokeball_firm import LIVE, Expense, Matter, SmokeballFirm, iso
from sandbox.smokeball_gate import Effects, caller_name, calling_staff, find_matter
from sandbox.switches import Switches

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

CENT = Decimal("0.01")
ZERO = Decimal("0.00")
_FLAGS = ("taxInclusive", "taxZeroRated", "taxOutOfScope", "taxExempt")
_TEXTS = ("subject", "description", "activityCode", "staffId", "invoiceId", "expenseDate", "costType", "updatedByUserId")
_NUMBERS = ("quantity", "price", "tax", "outputTax")
_TRUTHS = (*_FLAGS, "finalized", "isWrittenOff", "isBillable", "isInvoicedExternally", "assignToFirmOwner")


def make_expenses(clock: Clock, switches: Switches, effects: Effects) -> Blueprint:
    """The calls about expenses. The gate must stand before them."""
    pages = Blueprint("smokeball_expenses", __name__)

    def find(matter: Matter, expense_id: str) -> Expense:
        found = g.firm.expenses.get(matter.id, {}).get(expense_id.lower())
        if found is None:
            raise Problem(404, "There is no such expense.")
        return found  # type: ignore[no-any-return]

    def accepted(expense: Expense) -> ResponseReturnValue:
        return answer(link(f"matters/{expense.matter}/expenses/{expense.id}", expense.id, "Expense"), switches, 202)

    def land(firm: SmokeballFirm, expense: Expense) -> ResponseReturnValue:
        effects.land(lambda: firm.put_expense(expense, clock.now()))
        return accepted(expense)

    @pages.get("/matters/<matter_id>/expenses")
    def listed(matter_id: str) -> ResponseReturnValue:
        query, matter = Query(), find_matter(matter_id)
        since = query.since()
        with g.firm.lock:
            rows = [
                each
                for each in g.firm.expenses.get(matter.id, {}).values()
                if each.updated >= since
                and (switches.smokeball_deleted_listed or not each.deleted)
                and each.at + switches.smokeball_list_seconds <= clock.now()
            ]
        return answer(paged(query, rows, expense_json), switches)

    @pages.get("/matters/<matter_id>/expenses/<expense_id>")
    def one(matter_id: str, expense_id: str) -> ResponseReturnValue:
        return answer(expense_json(find(find_matter(matter_id), expense_id)), switches)

    @pages.post("/matters/<matter_id>/expenses")
    def create(matter_id: str) -> ResponseReturnValue:
        firm, matter, body = g.firm, find_matter(matter_id), read_body()
        expense = _expense(str(uuid.uuid4()), matter, body, firm, clock.now(), switches)
        if matter.status not in LIVE and switches.smokeball_closed_answer == "400":
            raise Problem(400, "The matter is not open.", ("matterId", "not open"))
        if matter.status not in LIVE and switches.smokeball_closed_answer == "late":
            return accepted(expense)
        return land(firm, expense)

    @pages.put("/matters/<matter_id>/expenses/<expense_id>")
    def change(matter_id: str, expense_id: str) -> ResponseReturnValue:
        """Replaces the whole: what is left out falls back to its default."""
        firm, matter = g.firm, find_matter(matter_id)
        old = find(matter, expense_id)
        new = _expense(old.id, matter, read_body(), firm, clock.now(), switches)
        return land(firm, replace(new, at=old.at, by=old.by, user_id=old.user_id))

    @pages.patch("/matters/<matter_id>/expenses/<expense_id>")
    def patch(matter_id: str, expense_id: str) -> ResponseReturnValue:
        """Changes what is named."""
        firm, matter = g.firm, find_matter(matter_id)
        old = find(matter, expense_id)
        new = _expense(old.id, matter, {**_as_body(old), **read_body()}, firm, clock.now(), switches)
        return land(firm, replace(new, at=old.at, by=old.by, user_id=old.user_id))

    @pages.delete("/matters/<matter_id>/expenses/<expense_id>")
    def delete(matter_id: str, expense_id: str) -> ResponseReturnValue:
        """Marks it as deleted; it can still be read."""
        firm = g.firm
        return land(firm, replace(find(find_matter(matter_id), expense_id), deleted=True))

    return pages


def expense_json(expense: Expense) -> dict[str, object]:
    """An expense as it is read."""
    inside = expense.tax_inclusive
    where = f"matters/{expense.matter}"
    return {
        **head(f"{where}/expenses/{expense.id}", expense.id, "Expense"),
        "versionId": expense.version,
        "createdByUserId": expense.user_id or None,
        "staff": link(f"staff/{expense.staff_id}", expense.staff_id, "Staff") if expense.staff_id else None,
        "matter": link(where, expense.matter, "Matter"),
        "invoice": None,
        "staffId": expense.staff_id or None,
        "matterId": expense.matter,
        "invoiceId": expense.invoice_id or None,
        "origin": "Api",
        "activityCode": expense.code or None,
        "subject": expense.subject or None,
        "description": expense.description or None,
        "expenseDate": expense.date,
        "costType": expense.cost_type,
        "quantity": float(expense.quantity),
        "price": float(expense.price),
        "amount": float(expense.amount),
        "amountExcTax": float(expense.amount - expense.tax if inside else expense.amount),
        "amountIncTax": float(expense.amount if inside else expense.amount + expense.tax),
        "tax": float(expense.tax),
        "outputTax": float(expense.output_tax),
        "taxInclusive": expense.tax_inclusive,
        "taxZeroRated": expense.tax_zero_rated,
        "taxOutOfScope": expense.tax_out_of_scope,
        "taxExempt": expense.tax_exempt,
        "finalized": expense.finalized,
        "isWrittenOff": expense.written_off,
        "isBillable": expense.billable,
        "isInvoicedExternally": expense.invoiced_externally,
        "isDeleted": expense.deleted,
    }


def _expense(expense_id: str, matter: Matter, body: dict[str, Any], firm: SmokeballFirm, now: float, switches: Switches) -> Expense:
    """The body as an expense. Raises Problem (400) naming everything that is wrong with it."""
    wrong = _types(body)
    if wrong:
        raise Problem(400, "The expense can't be read.", *wrong)
    price, quantity = _decimal(body, "price"), _decimal(body, "quantity")
    tax = _decimal(body, "tax")
    output = tax if body.get("outputTax") is None else _decimal(body, "outputTax")
    flags = {name: bool(body.get(name)) for name in _FLAGS}
    if body.get("outputTax") is None and flags["taxZeroRated"]:
        output = ZERO
    date = body.get("expenseDate")
    moment = now if date is None else instant(date)
    wrong = [
        *_tax_trouble(tax, output, flags, switches),
        *_trouble(body, price, quantity, moment, firm, switches),
    ]
    if wrong or moment is None:
        raise Problem(400, "The expense is not valid.", *wrong)
    caller = calling_staff()
    staff_id = body.get("staffId") or (caller.id if caller and not body.get("assignToFirmOwner") else "")
    if not staff_id and body.get("assignToFirmOwner"):
        staff_id = firm.staff[0].id
    return Expense(
        id=expense_id,
        matter=matter.id,
        date=_date(date, moment, switches),
        subject=body.get("subject") or "",
        description=body.get("description") or "",
        code=body.get("activityCode") or "",
        cost_type=body.get("costType") or "Hard",
        quantity=quantity,
        price=price.quantize(CENT),
        tax=tax.quantize(CENT),
        output_tax=output.quantize(CENT),
        tax_inclusive=flags["taxInclusive"],
        tax_exempt=flags["taxExempt"],
        tax_zero_rated=flags["taxZeroRated"],
        tax_out_of_scope=flags["taxOutOfScope"],
        billable=bool(body.get("isBillable")),
        finalized=bool(body.get("finalized")),
        written_off=bool(body.get("isWrittenOff")),
        invoiced_externally=bool(body.get("isInvoicedExternally")),
        invoice_id=body.get("invoiceId") or "",
        staff_id=staff_id,
        user_id=caller.user_id if caller else "",
        by=caller_name(),
    )


def _date(text: str | None, moment: float, switches: Switches) -> str:
    """The date as it will be read back."""
    if switches.smokeball_expense_dates == "as_sent" and text:
        return text
    return iso(moment)[:10] if switches.smokeball_expense_dates == "day" else iso(moment)


def _types(body: dict[str, Any]) -> list[tuple[str, str]]:
    """Members of a wrong type, as a strict reader of JSON finds them: an amount as text is one."""
    wrong = [(name, "wants text") for name in _TEXTS if not isinstance(body.get(name), str | None)]
    wrong += [(name, "wants a number") for name in _NUMBERS if not _is_number(body.get(name))]
    wrong += [(name, "wants true or false") for name in _TRUTHS if not isinstance(body.get(name), bool | None)]
    return wrong


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, int | Decimal) and not isinstance(value, bool))


def _decimal(body: dict[str, Any], name: str) -> Decimal:
    return Decimal(body.get(name) or 0)


def _tax_trouble(tax: Decimal, output: Decimal, flags: dict[str, bool], switches: Switches) -> list[tuple[str, str]]:
    """The tax is an amount; the flags exclude one another; two of them are for the UK, and the US has no tax at all."""
    wrong: list[tuple[str, str]] = []
    region = switches.smokeball_region
    if sum(flags.values()) > 1:
        wrong.append(("taxInclusive", "the tax flags exclude one another"))
    if flags["taxExempt"] and tax:
        wrong.append(("tax", "must be 0 where the expense is exempt"))
    if flags["taxZeroRated"] and output:
        wrong.append(("outputTax", "must be 0 where the expense is zero rated"))
    if flags["taxOutOfScope"] and (tax or output):
        wrong.append(("tax", "must be 0 where the expense is out of scope"))
    if region != "uk" and (flags["taxZeroRated"] or flags["taxOutOfScope"]):
        wrong.append(("taxZeroRated", "is not supported in this region"))
    if region == "us" and (tax or output or flags["taxInclusive"]):
        wrong.append(("tax", "is not supported in this region"))
    return wrong


def _trouble(
    body: dict[str, Any], price: Decimal, quantity: Decimal, moment: float | None, firm: SmokeballFirm, switches: Switches
) -> list[tuple[str, str]]:
    wrong: list[tuple[str, str]] = []
    code, staff_id = body.get("activityCode"), body.get("staffId")
    if moment is None:
        wrong.append(("expenseDate", "is not a date"))
    if price != price.quantize(CENT):
        wrong.append(("price", "has more than two decimals"))
    if body.get("costType") not in (None, "Hard", "Soft"):
        wrong.append(("costType", "is Hard or Soft"))
    if code and not any(each.code == code and not each.deleted for each in firm.codes):
        wrong.append(("activityCode", "there is no such activity code"))
    if staff_id and not any(each.id == staff_id for each in firm.staff):
        wrong.append(("staffId", "there is no such member of staff"))
    if body.get("isWrittenOff") and not body.get("isBillable"):
        wrong.append(("isWrittenOff", "only what is billable can be written off"))
    if switches.smokeball_refuse_negative and price * quantity < 0:
        wrong.append(("price", "must not be negative"))
    return wrong


def _as_body(expense: Expense) -> dict[str, Any]:
    """An expense as the body that would make it."""
    return {
        "expenseDate": expense.date,
        "subject": expense.subject,
        "description": expense.description,
        "activityCode": expense.code or None,
        "costType": expense.cost_type,
        "quantity": expense.quantity,
        "price": expense.price,
        "tax": expense.tax,
        "outputTax": expense.output_tax,
        "taxInclusive": expense.tax_inclusive,
        "taxExempt": expense.tax_exempt,
        "taxZeroRated": expense.tax_zero_rated,
        "taxOutOfScope": expense.tax_out_of_scope,
        "isBillable": expense.billable,
        "finalized": expense.finalized,
        "isWrittenOff": expense.written_off,
        "isInvoicedExternally": expense.invoiced_externally,
        "invoiceId": expense.invoice_id or None,
        "staffId": expense.staff_id or None,
    }
