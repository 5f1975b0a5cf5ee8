"""Jobs, costs, documents, clients and staff as Practice Manager's XML spells them, read into values and written.

WorkflowMax's XML interface has the same elements (public vendor specification). Nothing here talks to anyone.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from datetime import date, time
from decimal import Decimal
from itertools import chain
from typing import TypeVar

from desktop.services.errors import BadAnswer
from desktop.services.practice.amounts import MOST_PLACES, settled
from desktop.services.practice.keys import keys_in
from desktop.services.practice.model import (
    ClientDetails,
    CostCode,
    CostLine,
    Document,
    Matter,
    PostalAddress,
    PostedCost,
    PostedDocument,
    Staff,
)
from desktop.services.practice.practice_xml import Element, Many, Record, Shape, build

_T = TypeVar("_T")

_PERSON: dict[str, None] = {"UUID": None, "Name": None}

JOBS = Shape(
    "Jobs",
    "Job",
    {
        "ID": None,
        "UUID": None,
        "Name": None,
        "State": None,
        "Description": None,
        "Client": _PERSON,
        "Manager": _PERSON,
        "Partner": _PERSON,
        "Assigned": {"Staff": Many(("UUID", "Name"))},
    },
)


def jobs_as_matters(found: Iterator[Record], *, system: str, tenant: str) -> Iterator[Matter]:
    """Open matters from a job list read in the shape JOBS. Raises BadAnswer for one without number or name."""
    # A firm has few teams and many jobs.
    teams: dict[tuple[str | None, ...], tuple[Staff, ...]] = {}
    for number, uuid, name, state, description, client_id, client, manager, manager_name, partner, partner_name, staff, *_ in found:
        if number is None or name is None or not (number := number.strip()):
            raise BadAnswer("A job in the list lacks its number or its name.")
        who = (manager, manager_name, partner, partner_name, *chain.from_iterable(staff or ()))
        team = teams.get(who)
        if team is None:
            pairs = ((who[at], who[at + 1]) for at in (*range(4, len(who), 2), 0, 2))
            people = (Staff(each.strip(), (called or "").strip()) for each, called in pairs if each and each.strip())
            team = teams[who] = tuple(dict.fromkeys(people))
        yield Matter(
            system,
            tenant,
            (uuid or "").strip() or number,
            number,
            name.strip(),
            (client or "").strip(),
            (client_id or "").strip(),
            (state or "").strip(),
            team,
            (description or "").strip(),
        )


def matter(job: Element, *, system: str, tenant: str) -> Matter:
    """One job's full record. Whether it is open is not told there. Raises BadAnswer."""
    client = job.one("Client") or Element("Client")
    people = [each for group in job.named("Assigned") for each in group.named("Staff")]
    people += [each for each in (job.one("Manager"), job.one("Partner")) if each is not None]
    if job.one("Name") is None:
        raise BadAnswer("The job lacks its name.")
    number = job.need("ID")
    return Matter(
        system=system,
        tenant=tenant,
        id=job.value("UUID") or number,
        number=number,
        name=job.value("Name"),
        client=client.value("Name"),
        client_id=client.value("UUID"),
        state=job.value("State"),
        staff=tuple(dict.fromkeys(Staff(each.value("UUID"), each.value("Name")) for each in people if each.value("UUID"))),
        description=job.value("Description"),
        is_open=None,
    )


def staff_member(found: Element) -> Staff:
    return Staff(found.need("UUID"), found.value("Name"), found.value("Email"))


def cost_code(found: Element) -> CostCode:
    return CostCode(
        id=found.value("UUID"),
        code=found.value("Code"),
        description=found.value("Description"),
        unit_cost=_optional(decimal, found.value("UnitCost")),
        unit_price=_optional(decimal, found.value("UnitPrice")),
    )


def posted_cost(found: Element) -> PostedCost:
    """Raises BadAnswer for an amount or a date that is none. What people enter may lack an amount and is worth nothing then; a
    line that carries a key must have all three."""
    note = found.value("Note")
    keys = keys_in(note)
    quantity, unit_cost, unit_price = (
        decimal(found.need(name) if keys else found.value(name) or "0") for name in ("Quantity", "UnitCost", "UnitPrice")
    )
    return PostedCost(
        remote_id=found.value("UUID"),
        keys=keys,
        description=found.value("Description"),
        code=found.value("Code"),
        note=note,
        quantity=quantity,
        unit_cost=unit_cost,
        unit_price=unit_price,
        billable=_optional(truth if keys else likely_truth, found.value("Billable")),
        on=_optional(day if keys else likely_day, found.value("Date")),
    )


def posted_document(found: Element) -> PostedDocument:
    text = found.value("Text")
    return PostedDocument(
        remote_id=found.value("URL"),
        keys=keys_in(text),
        title=found.value("Title"),
        text=text,
        folder=found.value("Folder"),
        file_name=found.value("FileName"),
    )


def client_details(found: Element) -> ClientDetails:
    """The postal address where there is one, else the street address. Company and business numbers only when they have
    the right length: tax numbers come masked."""
    postal = PostalAddress(
        street=found.value("PostalAddress"),
        suburb=found.value("PostalCity"),
        state=found.value("PostalRegion"),
        post_code=found.value("PostalPostCode"),
        country=found.value("PostalCountry"),
    )
    street = PostalAddress(
        street=found.value("Address"),
        suburb=found.value("City"),
        state=found.value("Region"),
        post_code=found.value("PostCode"),
        country=found.value("Country"),
    )
    contacts = [each for group in found.named("Contacts") for each in group.named("Contact")]
    return ClientDetails(
        id=found.value("UUID"),
        name=found.need("Name"),
        acn=digits(found.value("CompanyNumber"), 9),
        abn=digits(found.value("BusinessNumber"), 11),
        email=found.value("Email"),
        phone=found.value("Phone"),
        address=street if postal == PostalAddress() else postal,
        contacts=tuple(name for each in contacts if (name := each.value("Name"))),
    )


def cost_document(line: CostLine) -> bytes:
    """The body of a cost. Code and note are left out when empty: what an empty one means is not documented."""
    values = [("Job", line.matter_number), ("Date", line.on.strftime("%Y%m%d")), ("Description", line.description)]
    if line.code:
        values.append(("Code", line.code))
    if line.note:
        values.append(("Note", line.note))
    values += [
        ("Quantity", "1"),
        ("UnitCost", format(line.unit_cost, "f")),
        ("UnitPrice", format(line.unit_price, "f")),
        ("Billable", "true" if line.billable else "false"),
    ]
    return build("Cost", values)


def document_document(document: Document) -> bytes:
    """The body of a document: never public, its content as one unbroken line of base64."""
    values = [("Job", document.matter_number), ("Title", document.title), ("Text", document.text)]
    if document.folder:
        values.append(("Folder", document.folder))
    values += [
        ("Public", "false"),
        ("FileName", document.file_name),
        ("Content", base64.b64encode(document.content).decode("ascii")),
    ]
    return build("Document", values)


_NUMBER = re.compile(rf"-?(?:[0-9]{{1,18}}|[0-9]{{1,3}}(?:,[0-9]{{3}}){{1,6}})(?:\.[0-9]{{1,{MOST_PLACES}}})?", re.ASCII)
_MOMENT = re.compile(r"[T ](?!00:00:00)[0-9:.]+(?:Z|[+-][0-9]{2}:?[0-9]{2})$", re.ASCII)
_DAY = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[T ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?"
    r"|([0-9]{4})([0-9]{2})([0-9]{2})",
    re.ASCII,
)


def decimal(text: str) -> Decimal:
    """A plain decimal with a dot; commas only between thousands (seen by a public sync vendor). Raises BadAnswer."""
    if not _NUMBER.fullmatch(text):
        raise BadAnswer("A number in the answer can't be read.")
    return settled(Decimal(text.replace(",", "")))


def day(text: str) -> date:
    """The practice's own calendar day, from the three forms that the vendors document: yyyy-MM-ddTHH:mm:ss, yyyy-MM-dd,
    YYYYMMDD. A zone or parts of a second behind the first change nothing. Raises BadAnswer."""
    match = _DAY.fullmatch(text)
    if match is None:
        raise BadAnswer("A date in the answer can't be read.")
    year, month, of_month, hour, minute, second, *plain = match.groups()
    try:
        if year is None:
            return date(int(plain[0]), int(plain[1]), int(plain[2]))
        time(int(hour or 0), int(minute or 0), int(second or 0))
        return date(int(year), int(month), int(of_month))
    except ValueError as error:
        raise BadAnswer("A date in the answer can't be read.") from error


def likely_day(text: str) -> date | None:
    """As `day`, of a line that is not marked as ours: None where it can't be read, and where a time of day in some zone leaves
    open which day it was to the practice."""
    try:
        found = day(text)
    except BadAnswer:
        return None
    return None if _MOMENT.search(text) else found


def likely_truth(text: str) -> bool | None:
    try:
        return truth(text)
    except BadAnswer:
        return None


def truth(text: str) -> bool:
    """true and false in job data, Yes and No in client data. Raises BadAnswer."""
    try:
        return {"true": True, "yes": True, "false": False, "no": False}[text.lower()]
    except KeyError as error:
        raise BadAnswer("A yes or no in the answer can't be read.") from error


def _optional(read: Callable[[str], _T], text: str) -> _T | None:
    return read(text) if text else None


def digits(text: str, length: int) -> str:
    """A company or business number without what people put between its digits; empty when its length is another."""
    found = re.sub(r"[\s.-]", "", text)
    return found if len(found) == length and found.isascii() and found.isdigit() else ""
