"""The controls that only Smokeball has: what its staff do by hand."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from flask import Blueprint, jsonify, request

from sandbox.clock import Clock
from sandbox.smokeball_firm import STATUSES, Matter
from sandbox.smokeball_house import SmokeballHouse

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

_AMOUNTS = {"price": "price", "quantity": "quantity", "tax": "tax", "output_tax": "output_tax"}
_TEXTS = {"description": "description", "subject": "subject", "code": "code"}


def make_smokeball_controls(house: SmokeballHouse, clock: Clock) -> Blueprint:
    """Calls under /api/smokeball. A ValueError becomes a 400 in words."""
    pages = Blueprint("smokeball_controls", __name__, url_prefix="/api/smokeball")

    def find(name: str) -> Matter:
        matter = house.current().find_matter(name)
        if matter is None:
            raise ValueError(f"there is no matter {name}")
        return matter

    def stands(matter: Matter) -> ResponseReturnValue:
        return jsonify(id=matter.id, number=matter.number, title=matter.title, status=matter.status, version=str(matter.updated))

    @pages.post("/matters/<name>/status")
    def status(name: str) -> ResponseReturnValue:
        wanted = str(_body().get("status", ""))
        if wanted not in STATUSES:
            raise ValueError(f"status is one of {', '.join(STATUSES)}")
        matter = find(name)
        house.current().set_status(matter, wanted, clock.now())
        return stands(matter)

    @pages.post("/matters/<name>/change")
    def change(name: str) -> ResponseReturnValue:
        """Staff edit a matter; without any value it is only touched, and moves in a list by time."""
        matter, body = find(name), _body()
        unknown = body.keys() - {"number", "title", "description", "lead"}
        if unknown:
            raise ValueError(f"a matter has no {', '.join(sorted(unknown))} that can be changed here")
        matter.number = str(body["number"]) if body.get("number") is not None else matter.number
        matter.title = str(body.get("title", matter.title))
        matter.description = str(body.get("description", matter.description))
        matter.lead = bool(body.get("lead", matter.lead))
        house.current().touch(matter, clock.now())
        return stands(matter)

    @pages.post("/expenses/<expense_id>")
    def edit(expense_id: str) -> ResponseReturnValue:
        """Staff edit an expense: description, subject, code, price, quantity, tax, output_tax, deleted, billable."""
        expense, body = house.current().expense(expense_id), _body()
        if expense is None:
            raise ValueError("there is no such expense")
        unknown = body.keys() - {*_AMOUNTS, *_TEXTS, "deleted", "billable"}
        if unknown:
            raise ValueError(f"an expense has no {', '.join(sorted(unknown))} that can be changed here")
        try:
            amounts = {name: Decimal(str(body[name])) for name in _AMOUNTS if name in body}
        except InvalidOperation:
            raise ValueError("an amount looks like 12.50") from None
        texts = {name: str(body[name]) for name in _TEXTS if name in body}
        flags = {name: bool(body[name]) for name in ("deleted", "billable") if name in body}
        house.current().put_expense(replace(expense, **amounts, **texts, **flags), clock.now())  # type: ignore[arg-type]
        return jsonify(id=expense_id)

    @pages.delete("/expenses/<expense_id>")
    def forget(expense_id: str) -> ResponseReturnValue:
        """Takes an expense out without a trace, other than deleting it by hand, which marks it."""
        if not house.current().forget_expense(expense_id):
            raise ValueError("there is no such expense")
        return jsonify(id=expense_id)

    @pages.delete("/files/<file_id>")
    def delete_file(file_id: str) -> ResponseReturnValue:
        file = house.current().file(file_id)
        if file is None:
            raise ValueError("there is no such file")
        file.deleted = True
        return jsonify(id=file_id)

    return pages


def _body() -> dict[str, object]:
    body = request.get_json(force=True, silent=True) if request.get_data() else {}
    if not isinstance(body, dict):
        raise ValueError("the body wants to be a JSON object")
    return body
