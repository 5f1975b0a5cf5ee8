"""Answers as practice systems and what stands before them may spell them, over real sockets: alphabets, noise behind amounts,
lines that people entered, counts that tell of one page, and pages that stay empty."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from desktop.services.errors import BadAnswer, Refused
from desktop.services.practice.directory import Directory
from desktop.services.practice.model import CostLine
from desktop.services.practice.practice_system import MatterRef
from tests.practice.smokeball_server import SmokeballWorld, said_json
from tests.practice.workflowmax_server import Desk
from tests.practice.xpm_server import Asked, Said, ok

REF = MatterRef("j-1", "J000001")
KEY = "IT-71000123-R-1"


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.close()


@pytest.fixture
def world() -> Iterator[SmokeballWorld]:
    made = SmokeballWorld()
    yield made
    made.close()


def xml_cost(note: str = KEY, **changed: str) -> str:
    told = {
        "UUID": "k-1",
        "Date": "2026-05-12T00:00:00",
        "Description": "Café search",
        "Note": note,
        "Quantity": "1",
        "UnitCost": "14.20",
        "UnitPrice": "18.50",
        "Billable": "true",
        **changed,
    }
    return "<Cost>" + "".join(f"<{name}>{value}</{name}>" for name, value in told.items() if value != "-") + "</Cost>"


def json_cost(n: int = 1, **changed: Any) -> dict[str, Any]:
    return {
        "uuid": f"k-{n}",
        "costName": "Title search",
        "note": f"IT-{n}-R-1",
        "date": "2026-05-12",
        "quantity": 1,
        "unitCost": 14.2,
        "unitPrice": 18.5,
        "actual": True,
        "billable": True,
        **changed,
    }


# Alphabets


def enveloped(payload: str) -> str:
    return f"<Response><Status>OK</Status>{payload}</Response>"


JOBS = "<Jobs>" + "".join(f"<Job><ID>J{n}</ID><UUID>u-{n}</UUID><Name>Café {n}</Name></Job>" for n in range(30)) + "</Jobs>"


@pytest.mark.parametrize(
    ("declared", "encoding", "kind"),
    [
        ("", "iso-8859-1", "text/xml; charset=ISO-8859-1"),
        ("", "cp1252", 'application/xml;charset="windows-1252"'),
        ('<?xml version="1.0"?>', "iso-8859-1", "text/xml; charset=iso-8859-1"),
        ('<?xml version="1.0" encoding="utf-8"?>', "utf-8", "text/xml; charset=iso-8859-1"),
        ('<?xml version="1.0" encoding="utf-16"?>', "utf-8-sig", "text/xml; charset=utf-8"),
        ('<?xml version="1.0" encoding="UTF8"?>', "utf-8", "text/xml"),
        ('<?xml version="1.0" encoding="us-ascii"?>', "utf-8", "text/xml"),
        ("", "utf-8", "text/xml; charset=no-such-thing"),
        ("", "utf-8-sig", "text/xml; charset=iso-8859-1"),
    ],
)
def test_letters_are_read_in_the_alphabet_that_the_answer_is_in(desk: Desk, declared: str, encoding: str, kind: str) -> None:
    """H7: the document's own word counts before the header's, and what the bytes are before either."""

    def answer(asked: Asked) -> Said:
        payload = JOBS if "current" in asked.path else f"<Costs>{xml_cost()}</Costs>"
        return Said(200, (declared + enveloped(payload)).encode(encoding), kind=kind)

    desk.answer = answer
    assert [each.name for each in desk.xpm.matters()] == [f"Café {n}" for n in range(30)]
    (read,) = desk.xpm.costs(REF)
    assert (read.description, read.keys) == ("Café search", (KEY,))


def test_what_looks_like_utf8_is_read_as_the_header_says_in_every_row(desk: Desk) -> None:
    """Records alike are cut up without the parser: in UTF-8 only."""
    jobs = "".join(f"<Job><ID>J{n}</ID><UUID>u-{n}</UUID><Name>Ã©{n}</Name></Job>" for n in range(30))
    body = enveloped(f"<Jobs>{jobs}</Jobs>").encode("iso-8859-1")
    desk.says(Said(200, body, kind="text/xml; charset=iso-8859-1"))
    assert [each.name for each in desk.xpm.matters()] == [f"Ã©{n}" for n in range(30)]


# Costs


def test_costs_without_a_container_are_read_in_their_envelope(desk: Desk) -> None:
    """D9: the specification of this list has the records alone."""
    desk.says(ok(xml_cost("a person's") + xml_cost()))
    assert [one.keys for one in desk.v1.costs(REF)] == [(), (KEY,)]


@pytest.mark.parametrize(
    "changed",
    [
        {"Quantity": "-"},
        {"UnitCost": "-", "UnitPrice": ""},
        {"Date": "12/05/2026"},
        {"Billable": "1"},
    ],
)
def test_what_people_left_out_of_their_lines_keeps_no_delivery_waiting(desk: Desk, changed: dict[str, str]) -> None:
    """D11: a line of ours on the same job is read and confirmed; the same gap in a line of ours is not believed."""
    desk.says(ok(f"<Costs>{xml_cost('by hand', **changed)}{xml_cost()}</Costs>"))
    for system in (desk.xpm, desk.v1):
        theirs, ours = system.costs(REF)
        assert (theirs.keys, ours.keys, ours.unit_cost) == ((), (KEY,), Decimal("14.20"))
    desk.says(ok(f"<Costs>{xml_cost(**changed)}</Costs>"))
    with pytest.raises(BadAnswer):
        desk.xpm.costs(REF)


@pytest.mark.parametrize("changed", [{"date": "12/05/2026"}, {"date": 5}, {"billable": 1}, {"billable": "yes"}])
def test_what_people_wrote_oddly_keeps_no_delivery_waiting_in_json_either(desk: Desk, changed: dict[str, Any]) -> None:
    """D11."""
    rows = [json_cost(1, note="by hand", **changed), json_cost(2)]
    desk.says(Said(200, json.dumps({"data": rows, "total": 2}), kind="application/json"))
    assert [one.keys for one in desk.v2.costs(REF)] == [(), ("IT-2-R-1",)]


def test_an_expense_of_a_persons_with_an_odd_flag_keeps_no_delivery_waiting(world: SmokeballWorld) -> None:
    """D11."""
    matter = world.add_matter("AM-1")
    world.add_expense(matter, description="by hand", isBillable=1)
    world.add_expense(matter, description=KEY)
    assert [(one.keys, one.billable) for one in world.smokeball.costs(MatterRef(matter, ""))] == [((), None), ((KEY,), True)]


@pytest.mark.parametrize("told", ["14.199999999999999289", "14.2000000000000001", "14.20"])
def test_noise_behind_an_amount_is_not_part_of_it(desk: Desk, world: SmokeballWorld, told: str) -> None:
    """D19: servers that reckon in binary fractions tell 14.2 so; the line is ours, and nothing is owed on it."""
    desk.says(ok(f"<Costs>{xml_cost(UnitCost=told)}</Costs>"))
    assert [one.unit_cost for one in desk.xpm.costs(REF)] == [Decimal("14.2")]
    for shown in (told, f'"{told}"'):
        row = json.dumps(json_cost(unitCost="@")).replace('"@"', shown)
        desk.says(Said(200, f'{{"data": [{row}], "total": 1}}', kind="application/json"))
        assert [one.unit_cost for one in desk.v2.costs(REF)] == [Decimal("14.2")]
    matter = world.add_matter("AM-1")
    world.add_expense(matter, price=Decimal(told), description=KEY)
    assert [one.unit_price for one in world.smokeball.costs(MatterRef(matter, ""))] == [Decimal("14.2")]


@pytest.mark.parametrize(
    ("told", "on"),
    [
        ("2026-05-11T14:00:00Z", None),
        ("2026-05-12T10:00:00.000+10:00", None),
        ("2026-05-12T00:00:00+10:00", date(2026, 5, 12)),
        ("2026-05-12T00:00:00.000Z", date(2026, 5, 12)),
        ("2026-05-12T09:30:00", date(2026, 5, 12)),
    ],
)
def test_the_day_of_an_unmarked_line_is_left_open_where_a_moment_elsewhere_is_told(desk: Desk, told: str, on: date | None) -> None:
    """D8: a line that may be ours without its note is looked for by its day; the wrong one would let it be posted again."""
    desk.says(ok(f"<Costs>{xml_cost('', Date=told)}</Costs>"))
    assert [one.on for one in desk.xpm.costs(REF)] == [on]
    desk.says(Said(200, json.dumps({"data": [json_cost(note=None, date=told)], "total": 1}), kind="application/json"))
    assert [one.on for one in desk.v2.costs(REF)] == [on]


# Pages


def paged(rows: list[dict[str, Any]], cap: int, *, empty: int = 0, total: int | None = None) -> Any:
    """Tells of each page its own count; the page `empty` has nothing in it."""

    def answer(asked: Asked) -> Said:
        query = {name: values[-1] for name, values in parse_qs(urlsplit(asked.path).query).items()}
        page, size = int(query.get("page", 1)), min(cap, int(query.get("pageSize", cap)))
        here = [] if page == empty else rows[(page - 1) * size : page * size]
        told = {"data": here, "total": len(here) if total is None or page == empty else total}
        return Said(200, json.dumps(told), kind="application/json")

    return answer


@pytest.mark.parametrize(("rows", "cap"), [(1_205, 1_000), (2_000, 1_000), (230, 100), (100, 50), (57, 1_000), (40, 1_000)])
def test_a_count_that_tells_of_its_page_alone_hides_no_line(desk: Desk, rows: int, cap: int) -> None:
    """D9: whoever believes a line absent posts it."""
    desk.answer = paged([json_cost(n) for n in range(rows)], cap)
    assert len(desk.v2.costs(REF)) == rows


def test_an_empty_page_between_others_ends_no_list(desk: Desk) -> None:
    """D9: the first page's count says that there was more."""
    desk.answer = paged([json_cost(n) for n in range(3_000)], 1_000, empty=2, total=3_000)
    with pytest.raises(BadAnswer):
        desk.v2.costs(REF)


@pytest.mark.parametrize(
    "told", [{"data": [], "total": -1}, {"data": None, "total": 0}, {"data": [], "total": None}], ids=["-1", "null", "no count"]
)
def test_an_empty_list_is_empty_however_it_is_told(desk: Desk, told: dict[str, Any]) -> None:
    desk.says(Said(200, json.dumps(told), kind="application/json"))
    assert desk.v2.costs(REF) == ()


def test_a_null_beside_a_count_is_no_empty_list(desk: Desk) -> None:
    """H7: nothing may be concluded."""
    desk.says(Said(200, '{"data": null, "total": 3}', kind="application/json"))
    with pytest.raises(BadAnswer):
        desk.v2.costs(REF)


def test_a_page_of_smokeballs_that_stays_empty_ends_the_reading_soon(world: SmokeballWorld) -> None:
    """D14: going back from it again and again would use up the calls that the whole firm shares."""
    matter = world.add_matter("AM-1")
    rows = [world.add_expense(matter, description=f"IT-{n}-R-1") for n in range(1_207)]

    def answer(asked: Asked) -> Said:
        query = {name.lower(): value for name, value in parse_qsl(urlsplit(asked.path).query)}
        offset = int(query.get("offset", "0"))
        here = [] if 400 < offset < 900 else rows[offset : offset + 500]
        return said_json({"value": here, "offset": offset, "limit": 500, "size": len(rows)})

    world.scripted = answer
    with pytest.raises(BadAnswer):
        world.smokeball.costs(MatterRef(matter, ""))
    assert len(world.asked) < 60


def test_a_catalogue_whose_pages_come_in_turns_ends(desk: Desk) -> None:
    """D14: a server that does not know its pages costs a few calls, not a thousand."""

    def answer(asked: Asked) -> Said:
        even = int(parse_qs(urlsplit(asked.path).query)["page"][0]) % 2
        return ok(f"<Records>1</Records><Costs><Cost><UUID>c-{even}</UUID><Code>A</Code></Cost></Costs>")

    desk.answer = answer
    assert [code.id for code in desk.xpm.cost_codes()] == ["c-1", "c-0"]
    assert len(desk.asked) == 3


def test_a_next_link_that_is_a_bare_address_says_that_more_follows_and_is_not_gone_to(world: SmokeballWorld) -> None:
    """The key and the sign-in go nowhere else."""
    matter = world.add_matter("AM-1")
    rows = [world.add_expense(matter, description=f"IT-{n}-R-1") for n in range(10)]

    def answer(asked: Asked) -> Said:
        query = {name.lower(): value for name, value in parse_qsl(urlsplit(asked.path).query)}
        offset = int(query.get("offset", "0"))
        here = rows[offset : offset + 3]
        more = "http://elsewhere.invalid/next" if offset + 3 < len(rows) else None
        return said_json({"value": here, "offset": offset, "limit": 500, "size": len(here), "next": more})

    world.scripted = answer
    assert len(world.smokeball.costs(MatterRef(matter, ""))) == 10


# What stands before the interface


@pytest.mark.parametrize("system", ["xpm", "v1", "v2"])
def test_a_job_that_is_gone_for_good_is_refused_as_an_unknown_one(desk: Desk, system: str) -> None:
    """D11: a 410 is as clear as a 404, and need not say anything."""
    desk.says(Said(410, "", kind=""))
    with pytest.raises(Refused, match="does not know"):
        getattr(desk, system).costs(REF)


# The list of matters


def test_ids_are_the_same_in_small_and_in_capital_letters(desk: Desk) -> None:
    job = {
        "uuid": "u-1",
        "jobNumber": "J000001",
        "name": "Estate",
        "clientUUID": "C-1",
        "jobManagerUUID": "S-1",
        "jobStatusUUID": "ST-1",
    }
    told: dict[str, list[dict[str, Any]]] = {
        "/v2/jobs": [job],
        "/v2/clients": [{"uuid": "c-1", "name": "Tui & Sons"}],
        "/v2/staff": [{"uuid": "s-1", "name": "Sam Reid"}],
        "/v2/job-status": [{"uuid": "st-1", "name": "In Progress"}],
    }
    desk.answer = lambda asked: Said(
        200, json.dumps({"data": told[urlsplit(asked.path).path], "total": 1}), kind="application/json"
    )
    (found,) = desk.v2.matters()
    assert (found.name, found.client, found.state, [one.name for one in found.staff]) == (
        "Estate",
        "Tui & Sons",
        "In Progress",
        ["Sam Reid"],
    )


def test_a_list_without_ids_and_an_answer_with_one_are_one_matter(desk: Desk, tmp_path: Path) -> None:
    """The vendor's sample of the list has no UUID, live lists do: what is asked for by its number has one either way."""
    job = "<Job><ID>J000001</ID>{}<Name>Estate</Name></Job>"
    listed = [job.format("")]

    def answer(asked: Asked) -> Said:
        if "current" in asked.path:
            return ok(f"<Jobs>{''.join(listed)}</Jobs>")
        return ok(job.format("<UUID>u-1</UUID>"))

    desk.answer = answer
    directory = Directory.open(tmp_path / "directory.db", clock=lambda: datetime(2026, 5, 12, tzinfo=UTC))
    try:
        asked_for = desk.xpm.matter("J000001")
        assert asked_for is not None
        directory.keep(asked_for)
        for listed[0] in (job.format(""), job.format("<UUID>u-1</UUID>"), job.format("")):
            directory.replace(desk.xpm.name, desk.tokens.tenant, desk.xpm.matters())
            assert [(one.id, one.is_open) for one in directory.by_number("J000001")] == [("u-1", True)]
    finally:
        directory.close()


# A note that was dropped, and added

LINE = CostLine(
    key=KEY,
    matter_number="J000001",
    matter_id="j-1",
    on=date(2026, 5, 12),
    description="Title search",
    code="",
    note=f"InfoTrack {KEY}",
    unit_cost=Decimal("14.20"),
    unit_price=Decimal("18.50"),
    billable=True,
)


@pytest.mark.parametrize("told", [Said(429, "", {"Retry-After": "1"}), Said(502, "")], ids=["limit", "lost answer"])
def test_a_note_is_added_past_a_limit_and_found_in_whichever_letters_its_id_comes(desk: Desk, told: Said) -> None:
    """D2: the line stands; to tell a person that its note is missing would be wrong, and nothing is posted again."""
    books: list[dict[str, Any]] = []
    puts: list[str] = []

    def answer(asked: Asked) -> Said:
        if asked.method == "POST":
            books.append({**json.loads(asked.body), "uuid": "ABC-1", "note": None})
            return Said(201, '{"uuid": "abc-1", "note": null}', kind="application/json")
        if asked.method == "PUT":
            puts.append(asked.path)
            if told.status == 429 and len(puts) == 1:
                return told
            books[0]["note"] = json.loads(asked.body)["note"]
            return told if told.status == 502 else Said(204, "")
        return Said(200, json.dumps({"data": books, "total": len(books)}), kind="application/json")

    desk.answer = answer
    assert desk.v2.post_cost(LINE).remote_id == "abc-1"
    assert set(puts) == {"/v2/jobs/costs/abc-1"}
    assert [one.keys for one in desk.v2.costs(REF)] == [(KEY,)]
