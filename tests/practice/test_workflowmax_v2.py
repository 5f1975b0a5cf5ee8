"""WorkflowMax's JSON interface over real sockets, in every reading that the facts leave open."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from desktop.services.errors import AccessMissing, AnswerLost, BadAnswer, Refused, ServiceError, Wait
from desktop.services.practice.model import Finding, PostalAddress, Staff
from desktop.services.practice.practice_system import MatterRef, Urgency
from desktop.services.practice.workflowmax_v2 import WorkflowMaxV2
from desktop.services.practice_systems import SYSTEMS
from desktop.settings import Practice, Settings, WorkflowMax
from tests.practice.workflowmax_server import Desk, Firm, job, said
from tests.practice.xpm_server import Asked, Said

REF = MatterRef("j-1", "J000001")


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


def test_a_firms_list_that_is_counted_wrongly_for_good_is_read_twice_and_then_believed(desk: Desk, firm: Firm) -> None:
    """A count that was kept, or of rows that this person may not see, must not end every refresh in a failure."""
    firm.jobs = [job(n) for n in range(1, 4)]

    def miscounted(asked: Asked) -> Said:
        told = firm(asked)
        if not asked.path.startswith("/v2/jobs"):
            return told
        answer = json.loads(told.body)
        return said({"data": answer["data"], "total": 5})

    desk.answer = miscounted
    assert [each.number for each in desk.v2.matters()] == ["J000001", "J000002", "J000003"]
    with pytest.raises(BadAnswer, match="shorter"):
        desk.v2.costs(REF)


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


def test_a_list_that_lost_a_row_while_it_was_read_is_no_list(desk: Desk, firm: Firm) -> None:
    """D9: what moved up to the page before was not seen."""
    firm.cap = 2
    firm.costs["j-1"] = [cost(uuid=f"k-{n}", note=f"IT-{n}-R-1") for n in range(1, 6)]

    def losing(asked: Asked) -> Said:
        answer = firm(asked)
        if "page=1&" in asked.path:
            del firm.costs["j-1"][0]
        return answer

    desk.answer = losing
    with pytest.raises(BadAnswer, match="changed"):
        desk.v2.costs(REF)
    desk.answer = firm
    assert [each.remote_id for each in desk.v2.costs(REF)] == ["k-2", "k-3", "k-4", "k-5"]


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
    # The status of a deleted job stays what it was: it would be shown, and charged, as one in progress.
    assert [getattr(desk.v2.matter(f"J00000{n}"), "is_deleted", "-") for n in (1, 3, 4)] == [False, False, True]


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
