"""Smokeball's records as the house's values, and back. No I/O.

Facts (vendor docs): people stand in a matter as links; an expense has one price, no cost beside it; its tax is two amounts, on
the way in and on the way out, and its flags exclude one another; a file's further data is a map of texts.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import ROUND_HALF_UP, Decimal

from desktop.services.errors import BadAnswer
from desktop.services.practice.json_calls import Body, Found, Json, json_body, number, record, records, text, truth
from desktop.services.practice.keys import keys_in
from desktop.services.practice.model import (
    ClientDetails,
    CostCode,
    CostLine,
    Document,
    PostalAddress,
    PostedCost,
    PostedDocument,
    Staff,
)

OPEN = ("Open", "Pending")
STATUSES = (*OPEN, "Closed", "Deleted", "Cancelled")
MARK = "iconnect"
"""Under this name a file's further data holds our key (contracts, section 5)."""
NOTE = "iconnectNote"
"""And under this one the whole note, which tells the file's word besides."""

LONGEST_FILE_NAME = 256
_EXPENSE = ("2", "expense")
_CENT = Decimal("0.01")
_MOST_CLIENTS = 5
_SAFE_ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}", re.ASCII)


# Reading one field of a record that may hold anything


def flag(found: Found, name: str) -> bool:
    return truth(found, name) is True


def identifier(found: Found, name: str = "id") -> str:
    """An id that can stand in an address; empty for anything else."""
    value = text(found, name)
    return value if is_id(value) else ""


def is_id(value: str) -> bool:
    """Whether this can be an id: one path segment that leads nowhere else."""
    return bool(_SAFE_ID.fullmatch(value)) and bool(value.strip("."))


def inner(found: Found, name: str) -> Found:
    """The record within; an empty one where there is none."""
    value = found.get(name)
    return {} if value is None else record(value)


def inner_list(found: Found, name: str) -> list[Found]:
    value = found.get(name)
    return [] if value is None else records(value)


def day(told: str, zone: tzinfo) -> date | None:
    """The firm's calendar day of a moment; None where it can't be told."""
    try:
        moment = datetime.fromisoformat(told)
        return (moment if moment.tzinfo is None else moment.astimezone(zone)).date()
    except (ValueError, OverflowError):
        return None


# People


def staff_member(found: Found) -> Staff:
    name = " ".join(part for part in (text(found, "firstName"), text(found, "lastName")) if part)
    return Staff(identifier(found), name or text(found, "email") or text(found, "initials"), text(found, "email"))


def contact_name(found: Found) -> str:
    """A contact is one of four kinds in one envelope."""
    person = inner(found, "person")
    parts = (text(person, "firstName"), text(person, "middleName"), text(person, "lastName"))
    for name in (" ".join(part for part in parts if part), *(text(inner(found, kind), "name") for kind in _NAMED)):
        if name:
            return name
    return text(inner(found, "company"), "tradingName")


_NAMED = ("company", "groupOfPeople", "trust")


def client_details(found: Found) -> ClientDetails:
    person, company = inner(found, "person"), inner(found, "company")
    group, trust = inner(found, "groupOfPeople"), inner(found, "trust")
    acn = text(company, "companyNumber") if text(company, "companyNumberType").upper() in ("", "ACN") else ""
    addresses = (
        *(inner(person, name) for name in ("residentialAddress", "mailingAddress")),
        *(inner(company, name) for name in ("businessAddress", "mailingAddress", "registeredAddress")),
        *(inner(group, name) for name in ("residentialAddress", "mailingAddress")),
        inner(trust, "address"),
    )
    phones = (*(inner(person, name) for name in ("phone", "cell", "phone2")), inner(company, "phone"), inner(trust, "phone"))
    return ClientDetails(
        id=identifier(found),
        name=contact_name(found),
        acn=_digits(acn, 9),
        abn=_digits(text(company, "abn"), 11),
        email=text(person, "email") or text(company, "email"),
        phone=next((shown for shown in map(_phone, phones) if shown), ""),
        address=next((found for found in map(_address, addresses) if found != PostalAddress()), PostalAddress()),
    )


def _digits(told: str, length: int) -> str:
    digits = re.sub(r"[ .-]", "", told)
    return digits if re.fullmatch(rf"[0-9]{{{length}}}", digits, re.ASCII) else ""


def _phone(found: Found) -> str:
    number = text(found, "number")
    return " ".join(part for part in (text(found, "areaCode"), number) if part) if number else ""


def _address(found: Found) -> PostalAddress:
    lines = ", ".join(part for part in (text(found, "addressLine1"), text(found, "addressLine2")) if part)
    unit = " ".join(part for part in (text(found, "unitType"), text(found, "unitNumber")) if part)
    street = " ".join(text(found, name) for name in ("streetNumber", "streetName", "streetType") if text(found, name))
    box = inner(found, "poBox")
    in_box = " ".join(part for part in (text(box, "poBoxType"), text(box, "poBoxNumber")) if part)
    place = box if in_box and not street and not lines and not text(found, "city") else found
    return PostalAddress(
        street=", ".join(part for part in (text(found, "buildingLevel"), unit, street) if part) if street else lines or in_box,
        suburb=text(place, "city") or text(found, "locality"),
        state=text(place, "state") or text(found, "county"),
        post_code=text(place, "zipCode"),
        country=text(found, "country"),
    )


# Matters


@dataclass(frozen=True, slots=True)
class MatterRow:
    """A matter as the list gives it: its people are ids yet."""

    id: str
    number: str
    title: str
    description: str
    status: str
    clients: tuple[str, ...]
    staff: tuple[str, ...]

    @property
    def is_open(self) -> bool:
        return self.status.lower() in _OPEN

    @property
    def is_live(self) -> bool:
        """Still a matter of the firm's, open or closed."""
        return self.status.lower() not in ("deleted", "cancelled")


_OPEN = frozenset(word.lower() for word in OPEN)


def matter_row(found: Found) -> MatterRow | None:
    """None for a lead, and for a row without an id: nothing could ever be addressed to it."""
    key = identifier(found)
    if not key or flag(found, "isLead"):
        return None
    people = [inner(found, name) for name in ("personResponsible", "personAssisting")]
    people += [*inner_list(found, "personAssistingStaffs"), inner(found, "supervisor")]
    clients = [identifier(link) for link in inner_list(found, "clients")]
    return MatterRow(
        id=key,
        number=text(found, "number"),
        title=text(found, "title"),
        description=text(found, "description"),
        status=text(found, "status"),
        clients=tuple(dict.fromkeys(one for one in clients if one))[:_MOST_CLIENTS],
        staff=tuple(dict.fromkeys(one for one in map(identifier, people) if one)),
    )


# Costs


def cost_code(found: Found) -> CostCode | None:
    """None for what is no expense's code, and for one that was deleted."""
    kind = found.get("type")
    if flag(found, "isDeleted") or str(kind).lower() not in _EXPENSE:
        return None
    return CostCode(identifier(found), text(found, "code"), text(found, "description"), None, number(found, "rate"))


def posted_cost(found: Found, *, cost_of: Callable[[Decimal], Decimal], zone: tzinfo) -> PostedCost | None:
    """None for an expense that was deleted. Raises BadAnswer where one that carries our key has no price."""
    if flag(found, "isDeleted"):
        return None
    note = text(found, "description")
    keys = keys_in(note)
    try:
        price, quantity = number(found, "price"), number(found, "quantity")
        if price is None:
            # Quantity times price: the next best where a line tells no price of its own.
            price, quantity = number(found, "amount"), Decimal(1)
        if price is None:
            raise BadAnswer("An expense in Smokeball's list has no price.")
    except BadAnswer:
        if keys:
            raise
        price = quantity = Decimal(0)
    return PostedCost(
        remote_id=identifier(found),
        keys=keys,
        description=text(found, "subject"),
        code=text(found, "activityCode"),
        note=note,
        quantity=Decimal(1) if quantity is None else quantity,
        unit_cost=cost_of(price),
        unit_price=price,
        billable=truth(found, "isBillable") if keys or isinstance(found.get("isBillable"), bool) else None,
        on=day(text(found, "expenseDate"), zone),
    )


def cost_without_markup(price: Decimal, markup_percent: Decimal) -> Decimal:
    """What was paid, from what is charged: exact to the cent for every markup from 0 up, since a price is the finer of
    the two; half a cent goes up, a credit's away from zero."""
    return (price * 100 / (100 + markup_percent)).quantize(_CENT, ROUND_HALF_UP)


def output_tax(line: CostLine) -> Decimal:
    """The GST that the client is charged: the fee's own where nothing is added to it, a tenth of the price where something
    is (an eleventh of a price that holds it)."""
    if not line.taxed:
        return Decimal("0.00")
    if line.unit_price == line.unit_cost:
        return line.gst.quantize(_CENT)
    return (line.unit_price / (11 if line.gst_included else 10)).quantize(_CENT, ROUND_HALF_UP)


def expense_body(line: CostLine, *, zone: tzinfo, taxes: bool) -> Body:
    """What is posted. Search fees are the vendor's own example of a Hard cost.

    An untaxed fee is told by its two amounts of 0 alone: each of the three flags would state a reason (exempt, zero rated,
    out of scope) that the fee's message does not give, two of them are for the UK only, and none of them goes together with a
    price that holds its tax. Where there is no such tax (the US), none of the fields is sent."""
    body: dict[str, Json] = {
        "expenseDate": datetime(line.on.year, line.on.month, line.on.day, tzinfo=zone).isoformat(),
        "subject": line.description,
        "description": line.note,
        "costType": "Hard",
        "quantity": 1,
        "price": line.unit_price.quantize(_CENT),
        "isBillable": line.billable,
        "finalized": True,
    }
    if line.code:
        body["activityCode"] = line.code
    if taxes:
        body["tax"] = line.gst.quantize(_CENT) if line.taxed else Decimal("0.00")
        body["outputTax"] = output_tax(line)
        body["taxInclusive"] = line.gst_included
    return json_body(body)


# Files


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file as the matter lists it. One that is not `uploaded` is an entry without contents; a `dead` one was deleted, or its
    upload was given up."""

    document: PostedDocument
    uploaded: bool
    dead: bool
    created: str


def file_entry(found: Found) -> FileEntry:
    further = {name.lower(): told for name, told in reversed(_further_data(found)) if isinstance(told, str)}
    told = further.get(MARK, "")
    name, extension = text(found, "name"), text(found, "fileExtension")
    if extension and not extension.startswith("."):
        extension = f".{extension}"
    if extension and name.lower().endswith(extension.lower()):
        extension = ""
    return FileEntry(
        PostedDocument(
            remote_id=identifier(found),
            keys=keys_in(told),
            title=name,
            text=further.get(NOTE.lower(), told),
            folder=identifier(inner(found, "folder")),
            file_name=name + extension,
        ),
        uploaded=flag(found, "isUploaded"),
        dead=flag(found, "isDeleted") or flag(found, "isCancelled"),
        created=text(found, "dateCreated"),
    )


def _further_data(found: Found) -> list[tuple[str, Json]]:
    """The map, or the pairs that its description speaks of."""
    data = found.get("additionalData")
    if isinstance(data, list):
        pairs = [{name.lower(): told for name, told in record(each).items()} for each in data]
        return [(text(pair, "key"), pair.get("value")) for pair in pairs]
    return list(inner(found, "additionalData").items())


def file_body(document: Document) -> Body:
    """The folder goes by its path: Smokeball looks it up itself. It allows several folders of one name, so that two PCs that
    each looked and then made one would make two."""
    body: dict[str, Json] = {
        "fileName": _short(document.file_name),
        "fileAdditionalData": {MARK: document.key, NOTE: document.text},
    }
    path = "/".join(part.strip()[:LONGEST_FILE_NAME] for part in re.split(r"[/\\]", document.folder) if part.strip(" ."))
    if path:
        body["folderPath"] = path
    return json_body(body)


def _short(name: str) -> str:
    """Cut where it is too long, before its extension."""
    if len(name) <= LONGEST_FILE_NAME:
        return name
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension) > 16:
        return name[:LONGEST_FILE_NAME]
    return stem[: LONGEST_FILE_NAME - len(extension) - 1] + dot + extension
