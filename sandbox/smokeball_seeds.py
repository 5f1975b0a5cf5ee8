"""The seeded firm as Smokeball keeps it: the same people, clients and matters as in the other systems, in this one's shapes."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime

from sandbox.firm import Client, Firm, Job
from sandbox.smokeball_firm import ActivityCode, Contact, Matter, MatterType, SmokeballFirm, Staff, ticks

FIRM_ID = "5b0ca110-0000-4000-8000-0000000feed1"
FOREIGN_MATTER = "5b0ca110-0000-4000-8000-00000000f0e1"  # a matter of another account
SIGN_INS = 3  # the first members of the staff are those who can sign in

_COMPANY_WORDS = ("Ltd", "Limited", "LTD", "Pty", "Trust", "Fund", "ATF", "Daughters", "Co")
_TYPES = (
    ("Purchase", "Conveyancing"),
    ("Sale", "Conveyancing"),
    ("Lease", "Conveyancing"),
    ("Deceased estate", "Wills and estates"),
    ("Will", "Wills and estates"),
    ("Company matters", "Commercial"),
    ("Dispute", "Litigation"),
    ("General", "General"),
)
_CODES = (
    ("SEARCH", "Searches and enquiries", 2, "0", "10"),
    ("DISB-GST", "Disbursement, with GST", 2, "0", "10"),
    ("DISB-FREE", "Disbursement, GST free", 2, "0", "0"),
    ("COURIER", "Courier and post", 2, "15.00", "10"),
    ("ATT", "Attendance", 1, "350.00", "10"),
    ("LETTER", "Short letter", 0, "45.00", "10"),
    ("ADMIN", "Administration surcharge", 3, "0", "10"),
)


def make_smokeball_firm(source: Firm, seed: int, today: date) -> SmokeballFirm:
    """The same practice, kept in Smokeball. Current jobs become open or pending matters with the same numbers, but for some that
    have none; beside them there are closed, cancelled and deleted matters, and leads."""
    dice = random.Random(f"smokeball/{seed}/{source.name}")
    now = _seconds(today)
    staff = [_staff(dice, member.name, member.email, position) for position, member in enumerate(source.staff)]
    by_name = dict(zip((member.uuid for member in source.staff), staff, strict=True))
    contacts: dict[str, Contact] = {}
    of_client: dict[str, str] = {}
    for client in source.clients:
        contact = _contact(dice, client, now)
        contacts[contact.id] = contact
        of_client[client.uuid] = contact.id
    types = [MatterType(f"{_guid(dice)}_NSW", name, category, "NSW") for name, category in _TYPES]
    lead_type = MatterType(_guid(dice), "New enquiry", "General", "", lead=True)
    known = list(contacts)
    matters: dict[str, Matter] = {}
    for position, job in enumerate(source.jobs.values()):
        matter = _matter(dice, job, position, types, of_client, known, by_name, staff, now)
        matter.title = f"{contacts[matter.clients[0]].name} - {_type_name(types, matter.matter_type)}"
        matters[matter.id] = matter
    count = len(source.jobs)
    for position in range(max(2, count // 100)):
        matter = _extra(dice, position, types[-1].id, known, staff, now)
        matter.status, matter.closed = "Deleted", now
        matters[matter.id] = matter
    for position in range(max(3, count // 25)):
        matter = _extra(dice, position, lead_type.id, known, staff, now)
        matter.lead = True
        matters[matter.id] = matter
    codes = [ActivityCode(_guid(dice), *row) for row in _CODES]
    codes.append(ActivityCode(_guid(dice), "OLD-SEARCH", "Searches (until 2024)", 2, "0", "10", deleted=True))
    firm = SmokeballFirm(FIRM_ID, source.name, staff, contacts, matters, [*types, lead_type], codes, now - 2000 * 86400)
    firm.last_tick = ticks(now)
    return firm


def _matter(
    dice: random.Random,
    job: Job,
    position: int,
    types: list[MatterType],
    of_client: dict[str, str],
    known: list[str],
    by_name: dict[str, Staff],
    staff: list[Staff],
    now: float,
) -> Matter:
    opened = _seconds(job.created)
    status = {"On Hold": "Pending", "Completed": "Closed", "Cancelled": "Cancelled"}.get(job.state, "Open")
    number: str | None = job.number
    if position % 40 in (35, 37):
        number = None if position % 40 == 35 else ""  # matters that nobody numbered
    kind = next((each for each in types if each.name.split()[0].lower() in job.name.lower()), types[-1])
    clients = [of_client[job.client.uuid]]
    if dice.random() < 0.05:
        clients.append(dice.choice(known))
    responsible = by_name[job.manager.uuid] if job.manager else dice.choice(staff)
    updated = opened + dice.random() * max(0.0, now - opened - 86400)
    return Matter(
        id=_guid(dice),
        number=number,
        title="",
        description=job.name if not job.description else f"{job.name}\n{job.description}",
        status=status,
        matter_type=kind.id,
        clients=tuple(dict.fromkeys(clients)),
        other_sides=(dice.choice(known),) if dice.random() < 0.3 else (),
        responsible=responsible.id,
        assisting=dice.choice(staff).id if dice.random() < 0.5 else "",
        opened=opened,
        closed=None if status in ("Open", "Pending") else opened + 20 * 86400,
        updated=ticks(updated) + position,  # no two alike
        client_code=job.order_number,
    )


def _extra(dice: random.Random, position: int, kind: str, known: list[str], staff: list[Staff], now: float) -> Matter:
    opened = now - 86400 * (2 + dice.randrange(300))
    return Matter(
        id=_guid(dice),
        number=None,
        title="",
        description="Enquiry by telephone" if position % 2 else "",
        status="Open",
        matter_type=kind,
        clients=(dice.choice(known),),
        other_sides=(),
        responsible=dice.choice(staff).id,
        assisting="",
        opened=opened,
        closed=None,
        updated=ticks(opened) + position,
    )


def _staff(dice: random.Random, name: str, email: str, position: int) -> Staff:
    first, _space, last = name.rpartition(" ")
    may_sign_in = position < SIGN_INS or dice.random() < 0.8
    former = position >= SIGN_INS and position % 7 == 5
    user_id = "" if former or not may_sign_in else _guid(dice)
    return Staff(_guid(dice), user_id, first or last, last if first else "", email, 150 + 50 * dice.randrange(8), former)


def _contact(dice: random.Random, client: Client, now: float) -> Contact:
    words = client.name.replace(".", " ").replace(")", " ").split()
    if any(word in _COMPANY_WORDS for word in words):
        kind = "Organisation"
    else:
        kind = "GroupOfPeople" if " & " in client.name else "Person"
    first, _space, last = client.name.rpartition(" ")
    area, _close, number = client.phone.lstrip("(").partition(") ")
    return Contact(
        id=_guid(dice),
        kind=kind,
        name=client.name,
        first_name=first if kind == "Person" else "",
        last_name=last if kind == "Person" else "",
        email=client.email,
        area_code=area,
        phone=number,
        street=client.address,
        city=client.city,
        state=client.region,
        post_code=client.post_code,
        country=client.country,
        company_number=client.company_number,
        business_number=client.business_number,
        updated=ticks(now - dice.random() * 1000 * 86400),
        deleted=client.deleted or client.archived,
    )


def _type_name(types: list[MatterType], type_id: str) -> str:
    return next(each.name for each in types if each.id == type_id)


def _seconds(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()


def _guid(dice: random.Random) -> str:
    text = f"{dice.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-8{text[17:20]}-{text[20:]}"
