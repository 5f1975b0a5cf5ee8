"""WorkflowMax's JSON interface over real sockets, in every reading that the facts leave open."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from desktop.services.errors import AccessMissing, AnswerLost, BadAnswer, NotSent, Refused, ServiceError, SignedOut, Wait
from desktop.services.http import Http
from desktop.services.practice.model import CostLine, Document, Finding, PostalAddress, Receipt, Staff
from desktop.services.practice.practice_system import MatterRef, Urgency
from desktop.services.practice.workflowmax_v2 import WorkflowMaxV2
from desktop.services.practice_systems import SYSTEMS
from desktop.settings import Practice, Settings, WorkflowMax
from tests.practice.workflowmax_server import Desk, Firm, form_of, job, said
from tests.practice.xpm_server import Asked, Said

REF = MatterRef("j-1", "J000001")
LINE = CostLine(
    key="IT-71000123-R-1",
    matter_number="J000001",
    matter_id="j-1",
    on=date(2026, 5, 12),
    description='Title search & "more"',
    code="SEARCH",
    note="order 71000123 IT-71000123-R-1",
    unit_cost=Decimal("14.20"),
    unit_price=Decimal("-18.50"),
    billable=False,
)
PAPER = Document(
    key="IT-71000123-D-1",
    matter_number="J000001",
    matter_id="j-1",
    title="Title search Ω",
    text="order IT-71000123-D-1",
    folder="InfoTrack",
    file_name='a "b".pdf',
    content=b"%PDF-1.7\r\n--part" + bytes(range(256)) * 40,
)


def cost(**changes: Any) -> dict[str, Any]:
    return {
        "uuid": "k-1",
        "costCode": "SEARCH",
        "costName": "Title search",
        "date": "2026-05-12",
        "note": "order IT-71000123-R-1",
        "quantity": 1,
        "unitCost": 14.20,
        "unitPrice": 18.5,
        "billable": True,
        "actual": True,
        **changes,
    }


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.close()


@pytest.fixture
def firm(desk: Desk) -> Firm:
    made = Firm()
    desk.answer = made
    return made


# What is asked


def test_every_call_names_the_organisation_in_both_spellings(desk: Desk, firm: Firm, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "desktop")
    desk.v2.staff(urgency=Urgency.PERSON)
    asked = desk.asked[0]
    assert (asked.headers["account-id"], asked.headers["account_id"]) == ("tenant-1", "tenant-1")
    assert (asked.headers["authorization"], asked.headers["accept"]) == ("Bearer first", "application/json")
    assert desk.gate.urgencies == [Urgency.PERSON]
    assert desk.gate.learnt[0][0] == 200
    assert "first" not in caplog.text
    assert "tenant-1" not in caplog.text


@pytest.mark.parametrize("identifier", ["J 1/2?#&%", "Ω-7", "a\\b", "100%25", "+", "\ud800"])
def test_an_identifier_is_free_text_and_quoted(desk: Desk, identifier: str) -> None:
    desk.says(said({"data": [], "total": 0}))
    desk.v2.costs(MatterRef(identifier, "x"))
    assert desk.asked[0].path.count("/") == 4
    assert desk.asked[0].path.startswith("/v2/jobs/")


@pytest.mark.parametrize("identifier", ["", "  ", ".", ".."])
def test_an_identifier_that_would_lead_elsewhere_is_never_asked_for(desk: Desk, firm: Firm, identifier: str) -> None:
    assert desk.v2.matter(identifier) is None
    assert desk.v2.client(identifier) is None
    with pytest.raises(Refused):
        desk.v2.costs(MatterRef(identifier, identifier))
    assert desk.asked == []


def test_a_job_without_an_id_is_addressed_by_its_number(desk: Desk, firm: Firm) -> None:
    assert desk.v2.costs(MatterRef("", "J000001")) == ()
    assert desk.asked[0].path.startswith("/v2/jobs/J000001/costs?")


# The list of jobs


def test_jobs_are_joined_with_their_clients_people_and_labels(desk: Desk, firm: Firm) -> None:
    first, second = desk.v2.matters()
    assert (first.system, first.tenant, first.id, first.number, first.name) == (
        "workflowmax",
        "tenant-1",
        "j-1",
        "J000001",
        "Matter 1",
    )
    assert (first.client, first.client_id, first.state, first.is_open) == ("Tui & Sons", "c-1", "In Progress", True)
    assert first.staff == (Staff("s-1", "Sam Reid", "sam@firm.test"),)
    assert (second.client, second.staff) == ("Aroha Tui", ())


def test_deleted_and_completed_jobs_are_not_open(desk: Desk, firm: Firm) -> None:
    firm.jobs += [
        job(3, deletedAt="2026-05-02T00:00:00Z"),
        job(4, completedDate="2026-05-02"),
        job(5, completedDate=""),
        job(6, jobStatusUUID="st-of-nobody", name=""),
    ]
    firm.statuses[0]["name"] = "Completed"  # a label decides nothing
    found = list(desk.v2.matters())
    assert [each.number for each in found] == ["J000001", "J000002", "J000005", "J000006"]
    assert [each.state for each in found] == ["Completed", "Completed", "Completed", ""]


@pytest.mark.parametrize(
    "changes",
    [
        {"cap": 7},
        {"cap": 7, "counts": False},
        {"cap": 1},
        {"pages": False},
        {"pages": False, "counts": False},
        {"bare": True},
        {"bare": True, "cap": 7},
        {"bare": True, "pages": False},
    ],
)
def test_every_row_comes_once_however_the_list_is_paged(desk: Desk, firm: Firm, changes: dict[str, Any]) -> None:
    """The server may cap a page, ignore the page, not tell the total, or send a bare list."""
    for name, value in changes.items():
        setattr(firm, name, value)
    firm.jobs = [job(n) for n in range(1, 30)]
    assert [each.number for each in desk.v2.matters()] == [f"J{n:06}" for n in range(1, 30)]


def test_a_list_that_tells_its_total_costs_one_call_each(desk: Desk, firm: Firm) -> None:
    assert len(list(desk.v2.matters())) == 2
    assert desk.paths == [
        "GET /v2/staff?page=1&pageSize=1000",
        "GET /v2/job-status?page=1&pageSize=1000",
        "GET /v2/clients?page=1&pageSize=1000",
        "GET /v2/jobs?sort=created&order=asc&page=1&pageSize=1000",
    ]


def test_a_list_shorter_than_it_says_is_no_list(desk: Desk) -> None:
    """H7: nothing may be concluded, above all not that the rest is gone."""
    for answers in (
        [{"data": [job(1)], "total": 2}, {"data": [], "total": 2}],
        [{"data": [job(1)], "total": 2}],
        [{"data": [], "total": 1}],
    ):
        desk.says(*map(said, answers))
        with pytest.raises(BadAnswer, match="shorter"):
            desk.v2.costs(REF)


def test_a_list_that_never_ends_is_left_at_last(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desktop.services.practice.workflowmax_v2._MOST_PAGES", 5)
    desk.answer = lambda asked: said({"data": [{"uuid": str(len(desk.asked))}]})
    with pytest.raises(BadAnswer, match="does not end"):
        desk.v2.cost_codes()
    assert len(desk.asked) == 5


@pytest.mark.parametrize("most", [100, 0])
def test_a_smaller_page_is_asked_for_where_a_large_one_is_refused(desk: Desk, firm: Firm, most: int) -> None:
    def picky(asked: Asked) -> Said:
        size = int(asked.path.partition("pageSize=")[2] or 0)
        return said({"message": "pageSize is too large"}, 400) if size > most else firm(asked)

    desk.answer = picky
    firm.jobs = [job(n) for n in range(1, 251)] if most else firm.jobs
    assert len(list(desk.v2.matters())) == len(firm.jobs)


def test_an_archived_clients_name_is_found_by_one_more_list(desk: Desk, firm: Firm) -> None:
    firm.jobs = [job(1, clientUUID="c-8"), job(2, clientUUID="c-9"), job(3, clientUUID=None)]
    firm.archived = [{"uuid": "c-8", "name": "Old & Gone"}]
    assert [each.client for each in desk.v2.matters()] == ["Old & Gone", "", ""]
    assert desk.asked_for("/v2/clients") == ["page=1&pageSize=1000", "status=archived&page=1&pageSize=1000"]


def test_jobs_are_listed_where_labels_people_or_archived_clients_are_refused(desk: Desk, firm: Firm) -> None:
    def picky(asked: Asked) -> Said:
        refused = "job-status" in asked.path or "/staff" in asked.path or "archived" in asked.path
        return said({"message": "no such path"}, 404) if refused else firm(asked)

    desk.answer = picky
    firm.jobs.append(job(3, clientUUID="c-9"))
    assert [(each.state, each.staff) for each in desk.v2.matters()] == [("", ())] * 3


def test_a_hundred_thousand_jobs_are_read_page_by_page(desk: Desk, firm: Firm) -> None:
    """H3 in JSON: no page is larger than its cap."""
    first, others = (json.dumps([job(n) for n in range(start, start + 1000)]) for start in (0, 1000))

    def many(asked: Asked) -> Said:
        if not asked.path.startswith("/v2/jobs"):
            return firm(asked)
        n = int(asked.path.partition("page=")[2].partition("&")[0]) - 1
        rows = others.replace('"j-1', f'"j-{n}x').replace('"J001', f'"J{n:03}') if n else first
        return Said(200, f'{{"data":{rows if n < 100 else "[]"},"total":100000}}', kind="application/json")

    desk.answer = many
    assert sum(1 for _ in desk.v2.matters()) == 100_000
    assert len(desk.asked_for("/v2/jobs")) == 101


# What changed


def test_changes_are_asked_for_by_the_day_and_sifted_by_the_moment(desk: Desk, firm: Firm) -> None:
    since = datetime(2026, 5, 2, 9, 0, 0, 600_000, tzinfo=UTC).astimezone()
    firm.jobs = [
        job(1, updatedAt="2026-05-02T08:59:59.999Z"),
        job(2, updatedAt="2026-05-02T09:00:00Z"),
        job(3, updatedAt="2026-05-02T19:00:00.1234567+10:00"),
        job(4, updatedAt="2026-05-02T18:59:00+10:00"),
        job(5, updatedAt="2026-05-02T08:00:00"),
        job(6, updatedAt="2026-05-03T00:00:00Z", deletedAt="2026-05-03T00:00:00Z"),
        job(7, updatedAt="2026-05-03T00:00:00Z", completedDate="2026-05-03", clientUUID="c-2"),
    ]
    assert desk.v2.capabilities.changes_since
    found = list(desk.v2.matters(since=since))
    assert [(each.number, each.is_open) for each in found] == [
        ("J000002", True),
        ("J000003", True),
        ("J000005", True),  # without a zone nobody can know
        ("J000006", False),
        ("J000007", False),
    ]
    assert found[-1].client == "Aroha Tui"
    (query,) = desk.asked_for("/v2/jobs")
    assert query == "updatedSince=2026-05-01&sort=updated&order=asc&page=1&pageSize=1000"


def test_a_round_of_changes_asks_only_for_what_it_does_not_know(desk: Desk, firm: Firm) -> None:
    list(desk.v2.matters())
    del desk.asked[:]
    firm.clients.append({"uuid": "c-3", "name": "New Ltd"})
    firm.jobs.append(job(3, clientUUID="c-3", updatedAt="2026-06-01T00:00:00Z"))
    (found,) = desk.v2.matters(since=datetime(2026, 5, 31, 12, tzinfo=UTC))
    assert found.client == "New Ltd"
    assert [path.partition("?")[0] for path in desk.paths] == ["GET /v2/jobs", "GET /v2/clients/c-3"]


def test_many_unknown_clients_are_asked_for_together(desk: Desk, firm: Firm) -> None:
    firm.clients = [{"uuid": f"c-{n}", "name": f"Client {n}"} for n in range(50)]
    firm.jobs = [job(n, clientUUID=f"c-{n}") for n in range(50)]
    found = list(desk.v2.matters(since=datetime(2026, 4, 1, tzinfo=UTC)))
    assert {each.client for each in found} == {f"Client {n}" for n in range(50)}
    assert len(desk.asked) == 4


def test_people_and_labels_are_read_again_after_an_hour(desk: Desk, firm: Firm) -> None:
    now = datetime(2026, 5, 1, tzinfo=UTC)
    practice = WorkflowMaxV2(desk.http, desk.tokens, desk.gate, desk.root, clock=lambda: now)
    for passed, calls in ((timedelta(), 1), (timedelta(minutes=59), 1), (timedelta(minutes=2), 2), (-timedelta(days=1), 3)):
        now += passed
        list(practice.matters())
        assert len(desk.asked_for("/v2/staff")) == calls


# One job, one client, the people and the codes


@pytest.mark.parametrize("wrapped", [True, False])
def test_a_job_is_read_by_number_and_by_id(desk: Desk, firm: Firm, wrapped: bool) -> None:
    firm.wrapped = wrapped
    firm.jobs += [job(3, completedDate="2026-05-02T00:00:00Z"), job(4, deletedAt="2026-05-02T00:00:00Z")]
    for wanted in (" j000001 ".upper(), "j-1"):
        matter = desk.v2.matter(wanted)
        assert matter is not None
        assert (matter.id, matter.number, matter.client, matter.state) == ("j-1", "J000001", "Tui & Sons", "In Progress")
    # By itself a job does not tell whether it was cancelled.
    assert [getattr(desk.v2.matter(f"J00000{n}"), "is_open", "-") for n in (1, 3, 4, 5)] == [None, False, False, "-"]


def test_another_job_than_the_one_asked_for_is_no_answer(desk: Desk, firm: Firm) -> None:
    desk.answer = lambda asked: said(job(2)) if asked.path.startswith("/v2/jobs") else firm(asked)
    with pytest.raises(BadAnswer, match="another job"):
        desk.v2.matter("J000001")


@pytest.mark.parametrize("wrapped", [True, False])
def test_a_client_is_read_for_filling_in_an_order(desk: Desk, firm: Firm, wrapped: bool) -> None:
    firm.wrapped = wrapped
    firm.clients = [
        {
            "uuid": "c-1",
            "name": "Tui & Sons",
            "contactDetails": {"email": "a@tui.test", "phone": "02 1"},
            "addresses": [
                {"type": "Physical", "default": True, "address": "1 Street"},
                {"type": "Postal", "address": "PO 1", "city": "Sydney", "state": "NSW", "postalCode": "2000", "country": None},
            ],
            "contacts": [{"firstName": "Aroha", "lastName": "Tui"}, {"firstName": "Gone", "deletedAt": "2026-01-01"}, {}],
            "billingDetails": {"taxNumbers": [{"name": "ABN/WPN", "number": "51 824 753 556"}, {"name": "ACN", "number": "1"}]},
            "acn": "004 085 616",
        }
    ]
    client = desk.v2.client("c-1")
    assert client is not None
    assert (client.name, client.acn, client.abn, client.contacts) == ("Tui & Sons", "004085616", "51824753556", ("Aroha Tui",))
    assert (client.email, client.phone) == ("a@tui.test", "02 1")
    assert client.address == PostalAddress("PO 1", "Sydney", "NSW", "2000", "")
    assert desk.v2.client("c-none") is None


def test_a_client_is_read_without_its_details_where_they_are_refused(desk: Desk, firm: Firm) -> None:
    desk.answer = lambda asked: said({"message": "includes"}, 400) if "includes" in asked.path else firm(asked)
    client = desk.v2.client("c-1")
    assert client is not None
    assert (client.name, client.address, client.contacts) == ("Tui & Sons", PostalAddress(), ())


def test_the_catalogue_is_read_under_each_name_that_clients_know(desk: Desk, firm: Firm) -> None:
    firm.catalogue = [
        {"uuid": "a", "code": "SEARCH", "description": "Search", "unitCost": 1.10, "unitPrice": "2.20"},
        {"uuid": "b", "costCode": "T", "name": "Title", "unitCost": None},
    ]
    first, second = desk.v2.cost_codes()
    assert (first.code, first.description, first.unit_cost, first.unit_price) == (
        "SEARCH",
        "Search",
        Decimal("1.1"),
        Decimal("2.20"),
    )
    assert (second.code, second.description, second.unit_cost) == ("T", "Title", None)


# What stands on a job


@pytest.mark.parametrize("bare", [True, False])
def test_costs_are_read_without_estimates(desk: Desk, firm: Firm, bare: bool) -> None:
    firm.bare = bare
    firm.costs["j-1"] = [
        cost(),
        cost(uuid="k-2", actual=False),
        cost(uuid="k-3", actual=None, note=None, quantity=None, unitCost=None, unitPrice=None, date=None, costName=None),
        cost(uuid="k-4", deletedAt="2026-05-13T00:00:00Z"),
        cost(uuid="k-5", note="it-71000123-s-2, checked", unitCost="1060.50", quantity=2.5, date="2026-05-12T00:00:00Z"),
    ]
    first, foreign, last = desk.v2.costs(REF)
    assert (first.remote_id, first.keys, first.code, first.description) == (
        "k-1",
        ("IT-71000123-R-1",),
        "SEARCH",
        "Title search",
    )
    assert (first.quantity, first.unit_cost, first.unit_price) == (Decimal(1), Decimal("14.2"), Decimal("18.5"))
    assert (first.billable, first.on) == (True, date(2026, 5, 12))
    assert (foreign.remote_id, foreign.keys, foreign.unit_cost, foreign.on) == ("k-3", (), Decimal(0), None)
    assert (last.keys, last.unit_cost, last.quantity, last.on) == (
        ("IT-71000123-S-2",),
        Decimal("1060.50"),
        Decimal("2.5"),
        date(2026, 5, 12),
    )


def test_costs_beyond_the_servers_page_are_not_overlooked(desk: Desk, firm: Firm) -> None:
    """D9: a key that stands on a further page is seen, or the cost would be posted twice."""
    firm.cap = 20
    firm.counts = False
    firm.costs["j-1"] = [cost(uuid=f"k-{n}", note=f"IT-{n}-R-1") for n in range(1, 46)]
    assert desk.v2.costs(REF)[-1].keys == ("IT-45-R-1",)


@pytest.mark.parametrize(
    "wrong",
    [
        {"unitCost": None},
        {"quantity": None},
        {"unitCost": "14,20"},
        {"unitCost": True},
        {"unitCost": [1]},
        {"unitCost": 10**30},
        {"unitCost": 1e-20},
        {"unitCost": 1e300},
        {"note": ["IT-1-R-1"]},
        {"note": {"text": "IT-1-R-1"}},
        {"actual": "maybe"},
        {"uuid": None},
        {"uuid": ""},
        {"uuid": {}},
        {"date": "12/05/2026"},
        {"date": 5},
        {"billable": 3},
    ],
)
def test_costs_that_cannot_be_believed_are_no_answer(desk: Desk, firm: Firm, wrong: dict[str, Any]) -> None:
    """H7, H8: nothing may be concluded, above all not that a cost is absent."""
    firm.costs["j-1"] = [cost(**wrong)]
    with pytest.raises(BadAnswer):
        desk.v2.costs(REF)


def test_costs_and_documents_of_an_unknown_job_are_refused(desk: Desk, firm: Firm) -> None:
    for read in (desk.v2.costs, desk.v2.documents):
        with pytest.raises(Refused, match="Job not found"):
            read(MatterRef("j-9", "J000009"))


def test_documents_are_read_without_their_address(desk: Desk, firm: Firm) -> None:
    address = "https://files.test/1?secret=2"
    firm.documents["j-1"] = [
        {"uuid": "d-1", "title": "T", "fileName": "a.pdf", "fileSize": 5, "note": "x IT-1-D-1", "downloadURL": address}
    ]
    (paper,) = desk.v2.documents(REF)
    assert (paper.remote_id, paper.keys, paper.title, paper.file_name, paper.folder) == ("d-1", ("IT-1-D-1",), "T", "a.pdf", "")


# What is written


def test_a_cost_is_posted_as_no_estimate_and_found_again(desk: Desk, firm: Firm) -> None:
    assert desk.v2.post_cost(LINE) == Receipt("costs-1")
    asked = desk.asked[0]
    assert desk.paths == ["POST /v2/jobs/j-1/costs"]
    assert asked.headers["content-type"] == "application/json; charset=utf-8"
    assert json.loads(asked.body, parse_float=Decimal) == {
        "costName": 'Title search & "more"',
        "date": "2026-05-12",
        "actual": True,
        "type": "Service",
        "quantity": 1,
        "unitCost": Decimal("14.20"),
        "unitPrice": Decimal("-18.50"),
        "billable": False,
        "note": "SEARCH: order 71000123 IT-71000123-R-1",
        "costCode": "SEARCH",
    }
    assert b'"unitCost":14.20,"unitPrice":-18.50,' in asked.body
    assert desk.gate.urgencies == [Urgency.SEND]
    (posted,) = desk.v2.costs(REF)
    assert (posted.keys, posted.code, posted.unit_cost, posted.unit_price) == (
        ("IT-71000123-R-1",),
        "SEARCH",
        Decimal("14.20"),
        Decimal("-18.50"),
    )


def test_a_line_without_a_code_names_none(desk: Desk, firm: Firm) -> None:
    desk.v2.post_cost(replace(LINE, code=""))
    assert (firm.costs["j-1"][0]["note"], "costCode" in firm.costs["j-1"][0]) == (LINE.note, False)


def test_a_server_that_will_not_take_the_code_gets_it_in_the_note_alone(desk: Desk, firm: Firm) -> None:
    def picky(asked: Asked) -> Said:
        if asked.method == "POST" and b"costCode" in asked.body:
            return said({"message": "Validation failed", "errors": [{"field": "x", "message": "costCode is not allowed"}]}, 400)
        return firm(asked)

    desk.answer = picky
    assert desk.v2.post_cost(LINE) == Receipt("costs-1")
    assert desk.v2.post_cost(LINE) == Receipt("costs-2")
    assert len(desk.asked) == 3
    assert [made["note"] for made in firm.costs["j-1"]] == [f"SEARCH: {LINE.note}"] * 2


@pytest.mark.parametrize("tells", [True, False])
def test_a_note_that_was_dropped_is_added_to_the_line_just_made(desk: Desk, firm: Firm, tells: bool) -> None:
    """D2: one line, whatever the facts turn out to be."""
    put: list[dict[str, Any]] = []

    def dropping(asked: Asked) -> Said:
        if asked.method == "PUT":
            put.append(json.loads(asked.body))
            made = next(each for each in firm.costs["j-1"] if asked.path.endswith(f"/v2/jobs/costs/{each['uuid']}"))
            made["note"] = put[-1]["note"]
            return Said(204, "")
        answer = firm(asked)
        return answer if tells or asked.method == "GET" else said({"uuid": json.loads(str(answer.body))["uuid"]}, 201)

    firm.on_post = lambda made: made.update(note=None)
    desk.answer = dropping
    for n in (1, 2):
        assert desk.v2.post_cost(LINE) == Receipt(f"costs-{n}")
    assert [each["costName"] for each in put] == [LINE.description] * 2
    assert [each.keys for each in desk.v2.costs(REF)] == [(LINE.key,)] * 2
    looks = [] if tells else ["GET"]
    assert [asked.method for asked in desk.asked] == ["POST", *looks, "PUT", "POST", "PUT", "GET"]


def test_a_line_whose_note_was_kept_is_looked_at_once_at_most(desk: Desk, firm: Firm) -> None:
    def silent(asked: Asked) -> Said:
        answer = firm(asked)
        return answer if asked.method == "GET" else said({"uuid": json.loads(str(answer.body))["uuid"]}, 201)

    desk.answer = silent
    for _ in range(3):
        desk.v2.post_cost(LINE)
    assert [asked.method for asked in desk.asked] == ["POST", "GET", "POST", "POST"]


@pytest.mark.parametrize(
    ("answers", "tries"),
    [([Said(500, ""), said({}, 200)], 2), ([Said(500, "")], 3), ([Said(403, "")], 1), ([said({"message": "No"}, 400)], 1)],
)
def test_a_note_that_cannot_be_added_is_left_to_a_person_and_nothing_is_posted_twice(
    desk: Desk, firm: Firm, answers: list[Said], tries: int
) -> None:
    """D2."""
    left = list(answers)

    def failing(asked: Asked) -> Said:
        if asked.method == "PUT":
            return left.pop(0) if len(left) > 1 else left[0]
        return firm(asked)

    firm.on_post = lambda made: made.update(note="")
    desk.answer = failing
    if tries == 2:
        desk.v2.post_cost(LINE)
    else:
        with pytest.raises(Refused, match=LINE.key):
            desk.v2.post_cost(LINE)
    methods = [asked.method for asked in desk.asked]
    assert (methods.count("POST"), methods.count("PUT")) == (1, tries)


def test_a_note_that_was_added_though_its_answer_was_lost_is_no_trouble(desk: Desk, firm: Firm) -> None:
    def lossy(asked: Asked) -> Said:
        if asked.method == "PUT":
            firm.costs["j-1"][0]["note"] = json.loads(asked.body)["note"]
            return Said(502, "")
        return firm(asked)

    firm.on_post = lambda made: made.update(note=None)
    desk.answer = lossy
    assert desk.v2.post_cost(LINE) == Receipt("costs-1")


def test_a_posted_line_that_cannot_be_looked_at_is_left_to_the_read_back(desk: Desk, firm: Firm) -> None:
    desk.answer = lambda asked: said({"uuid": "k-1"}, 201) if asked.method == "POST" else Said(500, "")
    assert desk.v2.post_cost(LINE) == Receipt("k-1")
    assert [asked.method for asked in desk.asked] == ["POST", "GET"]


def test_a_document_is_posted_as_a_form_and_found_again(desk: Desk, firm: Firm) -> None:
    assert desk.v2.post_document(PAPER) == Receipt("documents-1")
    form = form_of(desk.asked[0])
    assert form["file"] == ("a %22b%22.pdf", "application/pdf", PAPER.content)
    assert (form["title"][2].decode(), form["note"][2]) == ("Title search Ω", b"order IT-71000123-D-1")
    assert set(form) == {"title", "note", "file"}
    (paper,) = desk.v2.documents(REF)
    assert paper.keys == ("IT-71000123-D-1",)


def test_a_document_sent_again_is_the_same_to_the_byte(desk: Desk, firm: Firm) -> None:
    """D18."""
    for each in (PAPER, PAPER, replace(PAPER, title="other")):
        desk.v2.post_document(each)
    first, second, other = ((asked.headers["content-type"], asked.body) for asked in desk.asked)
    assert first == second
    assert first[0] != other[0]


def test_a_document_over_the_cap_is_refused_before_it_leaves(desk: Desk) -> None:
    practice = WorkflowMaxV2(desk.http, desk.tokens, desk.gate, desk.root, max_document_bytes=1000)
    with pytest.raises(Refused, match="by hand"):
        practice.post_document(PAPER)
    assert desk.asked == []


@pytest.mark.parametrize(
    "answer",
    [{"uuid": "k-7"}, {"data": {"uuid": "k-7"}}, [{"uuid": "k-7"}], {"data": [{"uuid": "k-7"}]}, {"uuid": "k-7", "note": None}],
)
@pytest.mark.parametrize("status", [200, 201])
def test_a_posts_answer_gives_the_new_id_in_every_wrapping(desk: Desk, answer: object, status: int) -> None:
    desk.says(said(answer, status))
    assert desk.v2.post_cost(LINE) == Receipt("k-7")
    assert desk.v2.post_document(PAPER) == Receipt("k-7")


UNKNOWN = [
    Said(200, "<html><body>Sign in to the network</body></html>", kind="text/html"),
    Said(200, ""),
    Said(201, ""),
    Said(202, ""),
    Said(204, ""),
    Said(200, "OK", kind="text/plain"),
    Said(200, '{"uuid": "k-1"', kind="application/json"),
    Said(200, '{"uuid": "k-1", "uuid": "k-2"}', kind="application/json"),
    Said(200, '{"uuid": "k-1", "unitCost": NaN}', kind="application/json"),
    Said(200, "[" * 100_000, kind="application/json"),
    Said(200, b'{"uuid": "\xff"}', kind="application/json"),
    said({}),
    said({"uuid": ""}),
    said({"uuid": None}),
    said({"uuid": ["k-1"]}),
    said({"message": "Validation failed"}),
    said({"data": []}),
    said([{"uuid": "a"}, {"uuid": "b"}]),
    said(None),
    said("k-1"),
    said({"uuid": "k-1", "more": "x" * 6_000_000}),
    Said(301, "", {"Location": "/x"}),
    Said(302, "", {"Location": "/x"}),
    Said(307, "", {"Location": "/x"}),
    Said(308, "", {"Location": "/x"}),
    Said(400, "Bad Request", kind="text/plain"),
    Said(400, ""),
    said({}, 400),
    said({"code": 17}, 400),
    Said(404, "<html>not found</html>", kind="text/html"),
    Said(405, ""),
    said({"message": "Timeout"}, 408),
    said({"message": "Conflict"}, 409),
    Said(500, "oops"),
    said({"message": "Object reference not set"}, 500),
    Said(502, "<html>bad gateway</html>"),
    said({"message": "maintenance"}, 503, Retry_After="10"),
    Said(504, ""),
    Said(599, ""),
]


@pytest.mark.parametrize("answer", UNKNOWN)
@pytest.mark.parametrize("what", ["cost", "document"])
def test_anything_but_a_clear_word_leaves_a_write_unknown(desk: Desk, answer: Said, what: str) -> None:
    """D3, D5: one request, and no conclusion."""
    desk.says(answer)
    with pytest.raises(AnswerLost):
        desk.v2.post_cost(LINE) if what == "cost" else desk.v2.post_document(PAPER)
    assert len(desk.asked) == 1


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (said({"message": "Cost\r\n not   allowed"}, 400), "Cost not allowed"),
        (said({"error": "invalid_request", "error_description": "No negative"}, 422), "invalid_request: No negative"),
        (said({"error": {"message": "Job is closed"}}, 403 - 3), "Job is closed"),
        (said({"message": "Invalid", "errors": [{"field": "date", "message": "date is required"}]}, 400), "date is required"),
        (said({"errors": {"date": ["is required"]}}, 400), "date is required"),
        (said({"errors": ["one", "two"]}, 400), "one: two"),
        (said({"title": "Bad Request", "detail": "No such job"}, 404), "Bad Request: No such job"),
        (said(["plain words"], 400), "plain words"),
        (Said(413, ""), "larger"),
        (said({"message": "x" * 5000}, 400), "x…"),
    ],
)
@pytest.mark.parametrize("what", ["cost", "document"])
def test_a_clear_no_is_a_refusal_with_its_own_words(desk: Desk, answer: Said, reason: str, what: str) -> None:
    """D3: a 4xx that says why; 413."""
    desk.says(answer)
    with pytest.raises(Refused) as refused:
        desk.v2.post_cost(LINE) if what == "cost" else desk.v2.post_document(PAPER)
    assert reason in refused.value.reason
    assert len(refused.value.reason) <= 300
    assert refused.value.status == answer.status
    assert len(desk.asked) == 1


def test_a_rejected_token_is_renewed_once_and_nothing_is_lost(desk: Desk) -> None:
    """D3, D18: a 401 proves that nothing was done; the same body goes again."""
    desk.says(said({"message": "Unauthorized"}, 401), said({"uuid": "k-1"}, 201))
    assert desk.v2.post_document(PAPER) == Receipt("k-1")
    assert [asked.headers["authorization"] for asked in desk.asked] == ["Bearer first", "Bearer second"]
    assert desk.asked[0].body == desk.asked[1].body


def test_a_second_rejection_means_that_the_sign_in_has_ended(desk: Desk) -> None:
    desk.says(Said(401, ""))
    for call in (lambda: desk.v2.post_cost(LINE), lambda: list(desk.v2.matters())):
        with pytest.raises(SignedOut):
            call()
    assert len(desk.asked) == 3


def test_a_missing_right_names_workflowmaxs_own_privilege(desk: Desk) -> None:
    desk.says(said({"message": "Forbidden"}, 403))
    with pytest.raises(AccessMissing) as missing:
        desk.v2.post_cost(LINE)
    assert "Authorise 3rd Party Full Access" in missing.value.cure
    assert "Xero" not in missing.value.cure + str(missing.value)


@pytest.mark.parametrize(
    ("headers", "after"),
    [({"Retry-After": "22"}, 22), ({}, None), ({"Retry-After": "soon"}, None), ({"Retry-After": "315360000"}, 3600)],
)
def test_a_limit_is_obeyed_within_reason(desk: Desk, headers: dict[str, str], after: int | None) -> None:
    """D13."""
    desk.says(Said(429, "", headers, ""))
    for call in (lambda: desk.v2.post_cost(LINE), lambda: desk.v2.costs(REF)):
        with pytest.raises(Wait) as wait:
            call()
        assert wait.value.after == (None if after is None else timedelta(seconds=after))
    assert [status for status, _ in desk.gate.learnt] == [429, 429]


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({"X-RateLimit-Remaining": "41"}, ("41", None)),
        ({"X-RateLimit-Remaining": "4100"}, (None, "4100")),
        ({"X-RateLimit-Remaining": "7", "X-RateLimit-Limit": "5000"}, (None, "7")),
        ({"X-RateLimit-Remaining": "7", "X-RateLimit-Limit": "60"}, ("7", None)),
        ({"X-RateLimit-Remaining": "many"}, (None, None)),
        ({"X-RateLimit-Remaining": "٧"}, (None, None)),
        ({"X-MinLimit-Remaining": "3", "X-RateLimit-Remaining": "41"}, ("3", None)),
        ({}, (None, None)),
    ],
)
def test_the_budget_learns_what_remains(desk: Desk, headers: dict[str, str], told: tuple[str | None, str | None]) -> None:
    """D14."""
    desk.says(Said(200, '{"data": [], "total": 0}', {k: v for k, v in headers.items() if v.isascii()}, "application/json"))
    desk.v2.cost_codes()
    learnt = desk.gate.learnt[0][1]
    assert (learnt.get("x-minlimit-remaining"), learnt.get("x-daylimit-remaining")) == told


def test_a_server_that_is_away_proves_that_nothing_was_sent(desk: Desk) -> None:
    """D3."""
    practice = WorkflowMaxV2(Http(), desk.tokens, desk.gate, "http://127.0.0.1:1/")
    with pytest.raises(NotSent):
        practice.post_cost(LINE)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (said({"data": {}}), BadAnswer),
        (said({"total": 5}), BadAnswer),
        (said({"data": [1]}), BadAnswer),
        (said({"data": [[]]}), BadAnswer),
        (said({"data": [], "total": "many"}), BadAnswer),
        (said(None), BadAnswer),
        (Said(200, "<html>Please sign in</html>", kind="text/html"), BadAnswer),
        (Said(200, ""), BadAnswer),
        (Said(204, ""), BadAnswer),
        (Said(302, "", {"Location": "/x"}), BadAnswer),
        (Said(400, "nonsense"), BadAnswer),
        (said({"message": "Forbidden"}, 403), AccessMissing),
        (Said(404, ""), Refused),
        (said({"message": "No"}, 418), Refused),
        (Said(408, ""), AnswerLost),
        (Said(429, ""), Wait),
        (Said(500, "oops", kind="text/plain"), AnswerLost),
        (Said(503, "<html>maintenance</html>", {"Retry-After": "120"}, "text/html"), Wait),
    ],
)
def test_a_read_that_cannot_be_believed_raises_by_meaning(desk: Desk, answer: Said, expected: type[ServiceError]) -> None:
    """D3, H7: reads."""
    desk.says(answer)
    for read in (desk.v2.costs, desk.v2.documents):
        with pytest.raises(expected):
            read(REF)
    assert desk.gate.open == 0


@pytest.mark.parametrize(
    "wrong",
    [{"jobNumber": None}, {"jobNumber": ""}, {"name": None}, {"uuid": None}, {"name": 1.5}, {"clientUUID": []}, {"deletedAt": {}}],
)
def test_a_job_without_its_number_or_name_makes_the_list_unbelievable(desk: Desk, firm: Firm, wrong: dict[str, Any]) -> None:
    firm.jobs.append(job(3, **wrong))
    with pytest.raises(BadAnswer):
        list(desk.v2.matters())


# Access and the register


def test_access_is_tried_by_reading_and_each_gap_has_a_cure(desk: Desk, firm: Firm) -> None:
    def picky(asked: Asked) -> Said:
        return Said(403, "") if asked.path.startswith("/v2/costs") else firm(asked)

    desk.answer = picky
    *others, codes = desk.v2.check_access()
    assert {each.finding for each in others} == {Finding.OK}
    assert codes.finding is Finding.MISSING
    assert "Authorise 3rd Party Full Access" in codes.cure
    assert {asked.method for asked in desk.asked} == {"GET"}
    desk.says(Said(500, ""))
    assert {each.finding for each in desk.v2.check_access()} == {Finding.UNKNOWN}


@pytest.mark.parametrize(("api", "path"), [("v1", "/staff.api/list"), ("v2", "/v2/staff")])
def test_the_platform_file_chooses_the_interface(desk: Desk, api: Any, path: str) -> None:
    settings = Settings(practice=Practice(system="workflowmax"), workflowmax=WorkflowMax(api=api, api_url=desk.root))
    practice = SYSTEMS["workflowmax"].make(desk.http, desk.tokens, desk.gate, settings)
    desk.says(Said(200, "neither"))
    with pytest.raises(BadAnswer):
        practice.staff()
    assert (SYSTEMS["workflowmax"].title, practice.name) == ("WorkflowMax", "workflowmax")
    assert desk.asked[0].path.startswith(path)


def test_both_calls_of_a_right_go_through_the_gate_once_each(desk: Desk, firm: Firm) -> None:
    calls: list[Callable[[], object]] = [desk.v2.staff, desk.v2.cost_codes, lambda: desk.v2.costs(REF)]
    for call in calls:
        call()
    assert desk.gate.urgencies == [Urgency.BACKGROUND, Urgency.PERSON, Urgency.READ_BACK]
