"""A practice made up from a seed: the same seed and size give the same firm, to the last identifier."""

from __future__ import annotations

import random
from datetime import date, timedelta

from sandbox import names
from sandbox.firm import CatalogueCost, Client, Firm, Job, StaffMember

FIRST_NUMBER = 4500  # so that even the smallest firm has J004521


def make_firm(
    tenant_id: str, name: str, matters: int, seed: int, today: date, staff: list[tuple[str, str, bool]] | None = None
) -> Firm:
    """A firm with `matters` current jobs and, beside them, some closed ones. `staff` adds members as (name, e-mail, privilege)."""
    dice = random.Random(f"{seed}/{name}")
    members = [StaffMember(_uuid(dice), who, email, api) for who, email, api in staff or []]
    for _ in range(max(3, min(60, matters // 200 + 5))):
        who = _person(dice)
        members.append(StaffMember(_uuid(dice), who, _email(who, "firm.example")))
    twin = members[-1]
    members.append(StaffMember(_uuid(dice), twin.name, twin.email.replace("@", "2@")))  # two people of one name, as real firms have
    clients = [_client(dice, members, position) for position in range(max(len(names.AWKWARD), matters // 3))]
    jobs: dict[str, Job] = {}
    closed = max(2, matters // 50)
    for position in range(matters + closed):
        job = _job(dice, members, clients, position, today, closed=position >= matters)
        jobs[job.number] = job
    return Firm(tenant_id, name, members, clients, jobs, _catalogue(dice))


def _job(dice: random.Random, staff: list[StaffMember], clients: list[Client], position: int, today: date, *, closed: bool) -> Job:
    awkward = names.AWKWARD[position] if position < len(names.AWKWARD) else None
    client = clients[position] if awkward else dice.choice(clients)
    created = today - timedelta(days=int(dice.random() ** 2 * 1500))
    number = f"J{FIRST_NUMBER + position:06d}"
    if position >= 30 and position % 97 == 33:
        number = _custom_number(dice, position)
    roll = dice.random()
    state = "In Progress" if roll < 0.6 else "Planned" if roll < 0.8 else "On Hold" if roll < 0.9 else "Awaiting Settlement"
    if closed:
        state = "Completed" if position % 2 else "Cancelled"
    description = ""
    if roll < 0.15:
        description = (
            "Settlement expected soon.\nAsk before ordering further searches." if roll < 0.05 else f"Referred by {_person(dice)}"
        )
    return Job(
        number=number,
        uuid=_uuid(dice),
        name=awkward[1] if awkward else _matter_name(dice, created),
        description=description,
        state=state,
        order_number=f"PO-{dice.randrange(10000)}" if roll > 0.95 else "",
        client=client,
        manager=dice.choice(staff) if roll < 0.9 else None,
        partner=dice.choice(staff) if roll < 0.5 else None,
        assigned=tuple(dice.sample(staff, dice.randrange(3))),
        created=created,
        start=created,
        due=created + timedelta(days=30 + dice.randrange(300)),
        completed=created + timedelta(days=20) if closed and position % 2 else None,
    )


def _custom_number(dice: random.Random, position: int) -> str:
    """A number that somebody typed: text like any other, so it wants care in an address."""
    kinds = (
        f"{2020 + position % 7}/{position}",
        f"TUI-{position:04d}",
        f"M&A {position}",
        f"KR {position}/B",
        f"Ōt-{position}",
        f"{position}+1",
        f"P#{position}?",
    )
    return kinds[dice.randrange(len(kinds))]


def _matter_name(dice: random.Random, created: date) -> str:
    pattern = dice.choice(names.MATTERS)
    town, region, post_code = dice.choice(names.AU_PLACES)
    number, street, kind = dice.randrange(1, 400), dice.choice(names.STREETS), dice.choice(names.STREET_TYPES)
    return pattern.format(
        place=f"{number} {street} {kind}, {town} {region} {post_code}",
        number=number,
        street=street,
        type=kind,
        town=town,
        person=_person(dice),
        other=_person(dice),
        yy=f"{created.year % 100:02d}",
        year=created.year,
        month=dice.choice(names.MONTHS),
        bank=dice.choice(names.BANKS),
        plan=dice.randrange(10000, 1300000),
    )


def _client(dice: random.Random, staff: list[StaffMember], position: int) -> Client:
    person = _person(dice)
    roll = dice.random()
    australian = dice.random() < 0.75
    company_number = business_number = ""
    if position < len(names.AWKWARD):
        name = names.AWKWARD[position][0]
        company = any(word in name for word in ("Ltd", "Limited", "LTD"))
    else:
        company = 0.35 <= roll < 0.75
        name = _company(dice, australian) if company else person
        if roll >= 0.75:
            family = dice.choice(names.FAMILY)
            name = (
                f"{family} Family Trust"
                if roll < 0.85
                else f"{family} & {dice.choice(names.FAMILY)}"
                if roll < 0.95
                else f"ATF {family} Super Fund"
            )
    if company or roll >= 0.75:
        company_number = acn(dice) if australian else str(dice.randrange(1000000, 9999999))
        business_number = abn(dice) if australian else ""
    town, region, post_code = dice.choice(names.AU_PLACES if australian else names.NZ_PLACES)
    street = f"{dice.randrange(1, 400)} {dice.choice(names.STREETS)} {dice.choice(names.STREET_TYPES)}"
    return Client(
        uuid=_uuid(dice),
        name=name,
        email=_email(person, "client.example") if roll < 0.9 else "",
        phone=f"(0{dice.randrange(2, 9)}) {dice.randrange(1000, 9999)} {dice.randrange(1000, 9999)}" if roll < 0.8 else "",
        address=("Level 3, " if roll < 0.1 else "") + street,
        city=town,
        region=region,
        post_code=post_code,
        country="Australia" if australian else "New Zealand",
        company_number=company_number,
        business_number=business_number,
        contact=(_uuid(dice), person),
        manager=dice.choice(staff),
        archived=position >= 40 and position % 53 == 7,
        deleted=position >= 40 and position % 101 == 11,
    )


def _company(dice: random.Random, australian: bool) -> str:
    ending = dice.choice(names.AU_COMPANY if australian else names.NZ_COMPANY)
    return f"{dice.choice(names.COMPANY_FIRST)} {dice.choice(names.COMPANY_SECOND)} {ending}"


def _person(dice: random.Random) -> str:
    return f"{dice.choice(names.GIVEN)} {dice.choice(names.FAMILY)}"


def _email(person: str, domain: str) -> str:
    plain = "".join(letter if letter.isascii() and letter.isalnum() else "." for letter in person.lower())
    return f"{plain.strip('.') or 'someone'}@{domain}"


def _catalogue(dice: random.Random) -> list[CatalogueCost]:
    rows = (
        ("DISB-GST", "Disbursement, with GST", "0.00", "0.00"),
        ("DISB-FREE", "Disbursement, GST free", "0.00", "0.00"),
        ("FILING", "Company filing fee", "45.00", "60.00"),
        ("COURIER", "Courier & post", "12.50", "15.00"),
        ("", "Photocopying (no code)", "0.20", "0.40"),
        ("PHONE", "Telephone", "1.00", "1.00"),
        ("PHONE", "Telephone, overseas", "3.00", "4.50"),  # codes need not be unique
    )
    return [CatalogueCost(_uuid(dice), code, description, cost, price) for code, description, cost, price in rows]


def acn(dice: random.Random) -> str:
    """An Australian company number with a right check digit."""
    digits = [dice.randrange(10) for _ in range(8)]
    check = (10 - sum(d * w for d, w in zip(digits, range(8, 0, -1), strict=True)) % 10) % 10
    return "".join(map(str, [*digits, check]))


def abn(dice: random.Random) -> str:
    """An Australian business number with right check digits."""
    tail = [dice.randrange(10) for _ in range(9)]
    rest = sum(d * w for d, w in zip(tail, (3, 5, 7, 9, 11, 13, 15, 17, 19), strict=True))
    # with the two leading digits a b: (a - 1) * 10 + b + rest must be a multiple of 89
    lead = 89 - rest % 89 + 10
    return f"{lead:02d}" + "".join(map(str, tail)) if lead <= 99 else abn(dice)


def _uuid(dice: random.Random) -> str:
    text = f"{dice.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-8{text[17:20]}-{text[20:]}"
