"""Jobs, costs, documents, clients and staff as WorkflowMax's JSON spells them, read into values and written.

Where public clients disagree on a name, each of them is read. Nothing here talks to anyone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from desktop.services.errors import BadAnswer
from desktop.services.practice.job_records import day, digits, likely_day
from desktop.services.practice.json_calls import Found, Json, moment, need, number, record, records, text, truth
from desktop.services.practice.keys import keys_in
from desktop.services.practice.model import (
    DELETED,
    ClientDetails,
    CostCode,
    CostLine,
    Matter,
    PostalAddress,
    PostedCost,
    PostedDocument,
    Staff,
)
from desktop.services.practice.workflowmax import NAME


@dataclass(frozen=True, slots=True)
class Lookups:
    """What a job names by id only: the keys are in small letters, since lists need not spell an id alike. `statuses` holds the
    firm's labels."""

    tenant: str
    people: Mapping[str, Staff]
    statuses: Mapping[str, str]


def listed(answer: Json) -> list[Found]:
    """The rows of a list, under "data" or bare; a null beside a count of 0 is an empty list. Raises BadAnswer."""
    if isinstance(answer, list):
        return records(answer)
    found = record(answer)
    return [] if "data" in found and found["data"] is None and total(answer) == 0 else records(found.get("data"))


def total(answer: Json) -> int | None:
    """How many rows the whole list has, where the answer tells."""
    count = number(answer, "total") if isinstance(answer, dict) else None
    return None if count is None or count < 0 else int(count)


def single(answer: Json) -> Found:
    """A record, under "data" or bare. Raises BadAnswer."""
    found = record(answer)
    return record(found["data"]) if found.get("data") is not None else found


def shown(answer: Json) -> Found:
    """The record in a post's answer: bare, under "data", or as a list's only entry. Empty when there is none."""
    inner = answer.get("data", answer) if isinstance(answer, dict) else answer
    if isinstance(inner, list) and len(inner) == 1:
        inner = inner[0]
    return inner if isinstance(inner, dict) else {}


def new_id(answer: Json) -> str:
    """The id in a post's answer; empty when there is none."""
    return text(shown(answer), "uuid")


def keys_of(found: Found) -> tuple[str, ...]:
    """The delivery keys in a row's note."""
    return keys_in(text(found, "note"))


def name_of(found: Found) -> str:
    return text(found, "name") or f"{text(found, 'firstName')} {text(found, 'lastName')}".strip()


def staff_member(found: Found) -> Staff:
    return Staff(need(found, "uuid"), name_of(found), text(found, "email"))


def client_of(job: Found) -> str:
    return text(job, "clientUUID")


def is_open(job: Found) -> bool:
    return not text(job, "completedDate") and not text(job, "deletedAt")


def changed(job: Found, since: datetime) -> bool:
    """Whether it changed at or after `since`; a moment that can't be read counts as yes. Rows may tell whole seconds only."""
    at = moment(job, "updatedAt")
    return at is None or at >= since.replace(microsecond=0)


def matter(job: Found, lookups: Lookups, *, client: str, single: bool = False) -> Matter:
    """`single`: asked for by itself, where a missing day of completion does not yet make it open: it may be cancelled."""
    if job.get("name") is None:
        raise BadAnswer("A job in the answer lacks its name.")
    people = (lookups.people.get(text(job, name).casefold()) for name in ("jobManagerUUID", "clientManagerUUID"))
    return Matter(
        system=NAME,
        tenant=lookups.tenant,
        id=need(job, "uuid"),
        number=need(job, "jobNumber"),
        name=text(job, "name"),
        client=client,
        client_id=client_of(job),
        # The status stays what it was before the job was deleted.
        state=DELETED if text(job, "deletedAt") else lookups.statuses.get(text(job, "jobStatusUUID").casefold(), ""),
        staff=tuple(dict.fromkeys(each for each in people if each is not None)),
        description=text(job, "description"),
        is_open=(None if single else True) if is_open(job) else False,
    )


def cost_code(found: Found) -> CostCode:
    return CostCode(
        id=need(found, "uuid"),
        code=text(found, "code", "costCode"),
        description=text(found, "description", "name", "costName"),
        unit_cost=number(found, "unitCost"),
        unit_price=number(found, "unitPrice"),
    )


def stands(found: Found) -> bool:
    """Whether it is in the books: not an estimate, not deleted. Where nothing is said, it is: overlooking a line would mean
    posting it twice."""
    return truth(found, "actual") is not False and not text(found, "deletedAt")


def posted_cost(found: Found) -> PostedCost:
    """Raises BadAnswer when a number of a line that carries a key is missing, and for one that is none in any line."""
    keys = keys_of(found)
    amounts = [number(found, name) for name in ("quantity", "unitCost", "unitPrice")]
    if keys and None in amounts:
        raise BadAnswer("A cost in the answer lacks its quantity or its amount.")
    # What people enter without an amount is worth nothing.
    quantity, unit_cost, unit_price = (Decimal(0) if each is None else each for each in amounts)
    on, read_day = text(found, "date"), day if keys else likely_day
    return PostedCost(
        remote_id=need(found, "uuid"),
        keys=keys,
        description=text(found, "costName", "description", "name"),
        code=text(found, "costCode"),
        note=text(found, "note"),
        quantity=quantity,
        unit_cost=unit_cost,
        unit_price=unit_price,
        billable=truth(found, "billable") if keys or isinstance(found.get("billable"), bool) else None,
        on=read_day(on) if on else None,
    )


def posted_document(found: Found) -> PostedDocument:
    """The address for downloading is left out: it may hold a key of its own."""
    return PostedDocument(
        remote_id=need(found, "uuid"),
        keys=keys_of(found),
        title=text(found, "title"),
        text=text(found, "note"),
        folder="",
        file_name=text(found, "fileName"),
    )


def cost_body(line: CostLine, *, with_code: bool) -> Json:
    """A cost that is no estimate. That a new line may name its code is inferred from those that are read, so the code also
    begins the note: it is in the line either way."""
    body: dict[str, Json] = {
        "costName": line.description,
        "date": _iso(line.on),
        "actual": True,
        "type": "Service",
        "quantity": 1,
        "unitCost": line.unit_cost,
        "unitPrice": line.unit_price,
        "billable": line.billable,
        "note": f"{line.code}: {line.note}" if line.code else line.note,
    }
    return body | {"costCode": line.code} if line.code and with_code else body


def client_details(found: Found) -> ClientDetails:
    """The address marked as postal, else the default one, else the first. Company and business numbers only when they have
    the right length."""
    told = record(found.get("contactDetails") or {})
    addresses = _several(found, "addresses")
    addresses.sort(key=lambda one: (text(one, "type").casefold() != "postal", truth(one, "default") is not True))
    taxes = _several(record(found.get("billingDetails") or {}), "taxNumbers")
    numbers = {text(each, "name").casefold(): text(each, "number") for each in taxes}
    return ClientDetails(
        id=text(found, "uuid"),
        name=name_of(found) or need(found, "name"),
        acn=_company_number(found, numbers, ("acn", "companyNumber"), 9),
        abn=_company_number(found, numbers, ("abn", "abn/Wpn"), 11),
        email=text(found, "email") or text(told, "email"),
        phone=text(found, "phone") or text(told, "phone"),
        address=_address(addresses[0]) if addresses else PostalAddress(),
        contacts=tuple(name for each in _several(found, "contacts") if (name := name_of(each)) and not text(each, "deletedAt")),
    )


def _company_number(found: Found, taxes: Mapping[str, str], names: tuple[str, ...], length: int) -> str:
    told = [text(found, name) for name in names] + [value for name, value in taxes.items() if names[0] in name]
    return next((value for each in told if (value := digits(each, length))), "")


def _address(found: Found) -> PostalAddress:
    return PostalAddress(*(text(found, name) for name in ("address", "city", "state", "postalCode", "country")))


def _several(found: Found, name: str) -> list[Found]:
    return records(found.get(name) or [])


def _iso(on: date) -> str:
    return on.isoformat()
