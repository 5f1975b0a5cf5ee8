"""How Smokeball's answers look: problem details, links, pages of a list, and parameters in either case of letters."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import Response, request

from sandbox.switches import Switches

Row = TypeVar("Row")
MOST = 500
_WHOLE_SECONDS = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:?\d\d)?|\d{4}-\d\d-\d\d")


class Problem(Exception):
    """The call is refused. `wrong` names members or parameters and says what is wrong with each."""

    def __init__(self, status: int, detail: str, *wrong: tuple[str, str]) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.wrong = wrong


_TITLES = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 415: "Unsupported Media Type"}


def problem_answer(problem: Problem, switches: Switches) -> Response:
    """The refusal as problem details. What stands in `errors` is unpublished, so its shape is a switch."""
    body: dict[str, object] = {
        "type": f"https://httpstatuses.example/{problem.status}",
        "title": _TITLES.get(problem.status, "Error"),
        "status": problem.status,
        "detail": problem.detail,
        "instance": request.path,
    }
    wrong = problem.wrong or (("", problem.detail),)
    match switches.smokeball_errors_shape:
        case "code_message":
            body["errors"] = [{"code": name or "error", "message": words} for name, words in wrong]
        case "property":
            body["errors"] = [{"propertyName": name, "errorMessage": words} for name, words in wrong]
        case "map":
            body["errors"] = {name: [words] for name, words in wrong}
    return Response(json.dumps(body), problem.status, content_type="application/problem+json; charset=utf-8")


def gateway_refusal(status: int, detail: str, switches: Switches, headers: dict[str, str] | None = None) -> Response:
    """A refusal before the application is reached: problem details, or the bare message of a gateway."""
    if switches.smokeball_gateway_errors == "message":
        response = Response(json.dumps({"message": detail}), status, content_type="application/json")
    else:
        response = problem_answer(Problem(status, detail), switches)
    response.headers.update(headers or {})
    return response


def answer(body: object, switches: Switches, status: int = 200) -> Response:
    """JSON; members without a value are null or left out, by a switch."""
    shown = body if switches.smokeball_nulls else _without_nulls(body)
    return Response(json.dumps(shown, ensure_ascii=False), status, content_type="application/json; charset=utf-8")


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(inner) for name, inner in value.items() if inner is not None}
    return [_without_nulls(inner) for inner in value] if isinstance(value, list) else value


def link(path: str, identifier: str, relation: str = "") -> dict[str, object]:
    """A link to one record."""
    return {"id": identifier, "href": f"{request.host_url}{path}", "relation": relation or None, "method": "GET"}


def head(path: str, identifier: str, relation: str) -> dict[str, object]:
    """What every record begins with."""
    itself = link(path, identifier, relation)
    return {"id": identifier, "href": itself["href"], "relation": relation, "method": "GET", "self": itself}


class Query:
    """The parameters of a request; clients write their names in either case."""

    def __init__(self) -> None:
        self._values = [(name.lower(), name, value) for name, value in request.args.items(multi=True)]

    def one(self, name: str) -> str | None:
        """The first value of a parameter; None if it is not there."""
        return next((value for lower, _name, value in self._values if lower == name.lower()), None)

    def all(self, name: str) -> list[str]:
        """Every value of a repeatable parameter."""
        return [value for lower, _name, value in self._values if lower == name.lower() and value]

    def flag(self, name: str) -> bool:
        """A truth value."""
        value = (self.one(name) or "false").lower()
        if value not in ("true", "false"):
            raise Problem(400, f"{name} wants true or false.", (name, "not a truth value"))
        return value == "true"

    def number(self, name: str, least: int, most: int, default: int) -> int:
        """A whole number within bounds."""
        text = self.one(name)
        if text is None or text == "":
            return default
        if not re.fullmatch(r"-?\d{1,19}", text) or not least <= int(text) <= most:
            raise Problem(400, f"{name} wants a number from {least} to {most}.", (name, "out of range"))
        return int(text)

    def since(self) -> int:
        """What UpdatedSince says, in ticks; 0 if it is not there."""
        return self.number("UpdatedSince", 0, 2**63 - 1, 0)

    def moment(self, name: str) -> float | None:
        """A date and time, in seconds since 1970; one with fractions of a second is refused, as was seen."""
        text = self.one(name)
        if not text:
            return None
        found = instant(text) if _WHOLE_SECONDS.fullmatch(text) else None
        if found is None:
            raise Problem(400, f"{name} is not a date and time that is understood.", (name, "invalid date"))
        return found

    def page(self, offset: int, limit: int) -> str:
        """The address of another page of the same list."""
        kept = [(name, value) for lower, name, value in self._values if lower not in ("offset", "limit")]
        return f"{request.base_url}?" + urlencode([*kept, ("offset", str(offset)), ("limit", str(limit))])

    def key(self) -> tuple[tuple[str, str], ...]:
        """What the list is about, whatever page of it."""
        return tuple((lower, value) for lower, _name, value in self._values if lower not in ("offset", "limit"))


def instant(text: str) -> float | None:
    """Seconds since 1970 from an ISO date or date and time; without a zone it is UTC. None if it is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def paged(query: Query, rows: Sequence[Row], show: Callable[[Row], object]) -> dict[str, object]:
    """One page of a list, with the links to the others."""
    offset, limit = query.number("Offset", 0, 2**31 - 1, 0), query.number("Limit", 1, MOST, MOST)
    size = len(rows)

    def to(start: int | None) -> dict[str, object] | None:
        return None if start is None else {"id": None, "href": query.page(start, limit), "relation": None, "method": "GET"}

    last = (size - 1) // limit * limit if size else 0
    return {
        "id": None,
        "href": request.url,
        "relation": None,
        "method": "GET",
        "self": to(offset),
        "value": [show(row) for row in rows[offset : offset + limit]],
        "offset": offset,
        "limit": limit,
        "size": size,
        "first": to(0),
        "previous": to(max(0, offset - limit) if offset else None),
        "next": to(offset + limit if offset + limit < size else None),
        "last": to(last),
    }


def read_body() -> dict[str, Any]:
    """The request's JSON object, its numbers with a point as Decimal."""
    kind = request.mimetype
    if kind not in ("application/json", "text/json") and not (kind.startswith("application/") and kind.endswith("+json")):
        raise Problem(415, "The body wants to be JSON, and to say so.")
    try:
        body = json.loads(request.get_data(), parse_float=Decimal)
    except ValueError:
        raise Problem(400, "The body is not JSON.") from None
    if not isinstance(body, dict):
        raise Problem(400, "The body wants to be a JSON object.")
    return {name[:1].lower() + name[1:]: value for name, value in body.items()}


def matches(term: str, fields: dict[str, str]) -> bool:
    """Whether a search term such as `name:*smith*` fits; `fields` are the searchable ones by lower-case name."""
    found = re.fullmatch(r"\s*(\w+):(!|>=|<=|>|<)?(.*)", term, re.DOTALL)
    if found is None or found[1].lower() not in fields:
        raise Problem(400, "Search wants field:value.", ("Search", "not a search that is understood"))
    value, wanted = fields[found[1].lower()].casefold(), found[3].strip().casefold()
    match found[2]:
        case ">":
            return value > wanted
        case ">=":
            return value >= wanted
        case "<":
            return value < wanted
        case "<=":
            return value <= wanted
    fits = re.fullmatch(".*".join(re.escape(part) for part in wanted.split("*")), value, re.DOTALL) is not None
    return fits != (found[2] == "!")


def order(query: Query, *names: str) -> tuple[str, bool]:
    """What Sort says: one of `names` in lower case (empty if nothing is said), and whether downwards."""
    text = query.one("Sort") or ""
    found = re.fullmatch(r"(?:(asc|desc)\()?(\w+)\)?", text.strip(), re.IGNORECASE)
    if not text:
        return "", False
    if found is None or found[2].lower() not in names:
        raise Problem(400, "Sort names no field that can be sorted by.", ("Sort", "not a field to sort by"))
    return found[2].lower(), (found[1] or "").lower() == "desc"
