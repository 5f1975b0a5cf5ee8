"""WorkflowMax's XML interface over real sockets: what it does not share with Practice Manager's."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest

from desktop.services.errors import AccessMissing, AnswerLost, BadAnswer, Refused, ServiceError, SignedOut, Wait
from desktop.services.practice.model import CostLine, Document, Finding, Receipt, Staff
from desktop.services.practice.practice_system import MatterRef, Urgency
from desktop.services.practice.practice_xml import parse
from tests.practice.workflowmax_server import Desk, said
from tests.practice.xpm_server import Asked, Said, ok

REF = MatterRef("u-1", "J000412")
LINE = CostLine(
    key="IT-900123-R-1",
    matter_number="J000412",
    matter_id="u-1",
    on=date(2026, 5, 14),
    description="Title search & more",
    code="SEARCH",
    note="order 900123 IT-900123-R-1",
    unit_cost=Decimal("14.20"),
    unit_price=Decimal("-18.50"),
    billable=True,
)
PAPER = Document(
    key="IT-900123-D-1",
    matter_number="J000412",
    matter_id="u-1",
    title="Title search",
    text="IT-900123-D-1",
    folder="Searches",
    file_name="title.pdf",
    content=b"%PDF-1.7" + bytes(range(256)) * 40,
)
COST = (
    "<Cost><UUID>e-1</UUID><Date>2026-05-14T00:00:00</Date><Description>Title search</Description><Code>SEARCH</Code>"
    "<Note>order IT-900123-R-1</Note><Quantity>1</Quantity><UnitCost>14.2</UnitCost><UnitPrice>18.50</UnitPrice>"
    "<Billable>true</Billable><Supplier><UUID>p-1</UUID><Name>InfoTrack</Name></Supplier></Cost>"
)
DOCUMENT = (
    "<Document><Title>Title search</Title><Text>IT-900123-D-1</Text><Folder>Searches</Folder><Date>20260514</Date>"
    "<CreatedBy>Kim</CreatedBy><{0}>title.pdf</{0}><URL>https://app.test/d/1</URL></Document>"
)
NO = "<Response><Status>Error</Status><ErrorDescription>{}</ErrorDescription></Response>"


def row(n: int) -> str:
    return (
        f"<Job><ID>J{n:06}</ID><UUID>u-{n}</UUID><Name>Job {n} &amp; Co</Name><Description /><State>INPROGRESS</State>"
        "<Type>Conveyance</Type><ClientOrderNumber /><StartDate>2026-04-01T00:00:00</StartDate>"
        "<DateCreatedUtc>2026-04-01T00:00:00</DateCreatedUtc><Assigned><Staff><UUID>s-5</UUID><Name>Kim</Name></Staff></Assigned>"
        "<Client><UUID>c-1</UUID><Name>Tui &amp; Sons</Name></Client><WebURL>https://app.test/j/1</WebURL></Job>"
    )


def jobs(numbers: range, **around: object) -> Said:
    told = "".join(f"<{name}>{value}</{name}>" for name, value in around.items())
    return ok(f"<Jobs>{''.join(map(row, numbers))}</Jobs>{told}", "Current")


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.close()


def test_every_call_names_the_organisation_in_both_spellings(desk: Desk) -> None:
    desk.says(ok("<StaffList><Staff><UUID>s-1</UUID><Name>Jo</Name><Email>jo@firm.test</Email></Staff></StaffList>"))
    assert desk.v1.staff() == (Staff("s-1", "Jo", "jo@firm.test"),)
    asked = desk.asked[0]
    assert (asked.headers["account_id"], asked.headers["account-id"]) == ("tenant-1", "tenant-1")
    assert "xero-tenant-id" not in asked.headers
    assert desk.paths == ["GET /staff.api/list"]


def test_current_jobs_are_read_in_one_call_with_their_clients(desk: Desk) -> None:
    desk.says(jobs(range(1, 4)))
    first, *others = desk.v1.matters()
    assert (first.system, first.id, first.number, first.name) == ("workflowmax", "u-1", "J000001", "Job 1 & Co")
    assert (first.client, first.client_id, first.state, first.is_open) == ("Tui & Sons", "c-1", "INPROGRESS", True)
    assert first.staff == (Staff("s-5", "Kim"),)
    assert [each.number for each in others] == ["J000002", "J000003"]
    assert desk.paths == ["GET /job.api/current"]


@pytest.mark.parametrize("said", [Said(200, f"<Jobs>{row(1)}</Jobs>"), jobs(range(1, 2)), jobs(range(1, 2), TotalRecords=1)])
def test_the_list_is_read_wrapped_and_bare(desk: Desk, said: Said) -> None:
    desk.says(said)
    assert [each.number for each in desk.v1.matters()] == ["J000001"]


def paged(size: int, count: int, *, tells: bool) -> Callable[[Asked], Said]:
    """A server that pages also where it was not asked to."""

    def answer(asked: Asked) -> Said:
        query = parse_qs(urlsplit(asked.path).query)
        page, most = int(query.get("page", ["1"])[0]), min(size, int(query.get("pagesize", [str(size)])[0]))
        numbers = range((page - 1) * most + 1, min(page * most, count) + 1)
        return jobs(numbers, TotalRecords=count, Page=page) if tells else jobs(numbers)

    return answer


@pytest.mark.parametrize(("size", "count"), [(1000, 999), (1000, 1000), (1000, 1001), (1000, 2500), (100, 250), (10, 30)])
@pytest.mark.parametrize("tells", [True, False])
def test_a_server_that_pages_is_asked_for_every_page(desk: Desk, size: int, count: int, tells: bool) -> None:
    desk.answer = paged(size, count, tells=tells)
    assert [each.id for each in desk.v1.matters()] == [f"u-{n}" for n in range(1, count + 1)]


def test_a_server_that_ignores_the_page_is_asked_twice_at_most_and_each_job_comes_once(desk: Desk) -> None:
    desk.says(jobs(range(1, 1001)))
    assert len(list(desk.v1.matters())) == 1000
    assert desk.paths == ["GET /job.api/current", "GET /job.api/current?page=2&pagesize=1000"]
    assert desk.gate.open == 0


def test_a_job_that_moved_to_the_next_page_meanwhile_comes_once(desk: Desk) -> None:
    desk.says(jobs(range(1, 11)), jobs(range(10, 15)))
    assert [each.id for each in desk.v1.matters()] == [f"u-{n}" for n in range(1, 15)]


@pytest.mark.parametrize(
    "answers",
    [
        [jobs(range(1, 11), TotalRecords=25), jobs(range(1, 11), TotalRecords=25)],
        [jobs(range(1, 11), TotalRecords=25), jobs(range(0), TotalRecords=25)],
        [jobs(range(1, 11), TotalRecords="many")],
        [jobs(range(1, 11)), Said(200, NO.format("gone"))],
        [jobs(range(1, 11)), Said(500, "")],
    ],
)
def test_a_list_that_breaks_off_is_no_list(desk: Desk, answers: list[Said]) -> None:
    desk.says(*answers)
    with pytest.raises(ServiceError):
        list(desk.v1.matters())


def test_a_list_that_never_ends_is_left_at_last(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desktop.services.practice.workflowmax_v1._MOST_PAGES", 4)
    desk.answer = lambda asked: jobs(range(len(desk.asked) * 10, len(desk.asked) * 10 + 10))
    with pytest.raises(BadAnswer, match="does not end"):
        list(desk.v1.matters())
    assert len(desk.asked) == 4


def test_changes_are_not_offered_because_closed_jobs_would_be_missing(desk: Desk) -> None:
    desk.says(jobs(range(1, 4)))
    assert not desk.v1.capabilities.changes_since
    assert len(list(desk.v1.matters(since=datetime(2026, 5, 1, tzinfo=UTC)))) == 3
    assert desk.paths == ["GET /job.api/current"]


@pytest.mark.parametrize("wrap", [ok, lambda inside: Said(200, inside)])
def test_a_job_is_read_by_its_number(desk: Desk, wrap: Callable[[str], Said]) -> None:
    extra = "<CompletedDate>2008-09-11T00:00:00</CompletedDate><Manager><UUID>s-1</UUID><Name>Sam</Name></Manager><Tasks /></Job>"
    desk.says(wrap(row(412).replace("</Job>", extra)))
    matter = desk.v1.matter("j000412")
    assert matter is not None
    assert (matter.number, matter.id, matter.is_open, len(matter.staff)) == ("J000412", "u-412", None, 2)
    assert desk.paths == ["GET /job.api/get/j000412"]


@pytest.mark.parametrize("said", [Said(200, NO.format("No such job")), Said(404, ""), Said(400, NO.format("No such job"))])
def test_an_unknown_job_is_none(desk: Desk, said: Said) -> None:
    desk.says(said)
    assert desk.v1.matter("J9") is None
    with pytest.raises(Refused):
        desk.v1.costs(REF)


@pytest.mark.parametrize("wrap", [ok, lambda inside: Said(200, inside)])
def test_costs_and_documents_are_read_wrapped_and_bare(desk: Desk, wrap: Callable[[str], Said]) -> None:
    desk.says(wrap(f"<Costs>{COST}</Costs>"))
    (cost,) = desk.v1.costs(REF)
    assert (cost.remote_id, cost.keys, cost.code, cost.unit_cost, cost.on) == (
        "e-1",
        ("IT-900123-R-1",),
        "SEARCH",
        Decimal("14.2"),
        date(2026, 5, 14),
    )
    desk.says(wrap(f"<Documents>{DOCUMENT.format('Filename')}{DOCUMENT.format('FileName')}</Documents>"))
    papers = desk.v1.documents(REF)
    assert [(each.file_name, each.keys) for each in papers] == [("title.pdf", ("IT-900123-D-1",))] * 2
    assert desk.paths == ["GET /job.api/costs/J000412", "GET /job.api/documents/J000412"]


@pytest.mark.parametrize("told", ["2009-10-23 00:00:00+00:00", "2009-10-23T00:00:00Z", "2009-10-23T00:00:00.000+11:00", "20091023"])
def test_a_date_is_read_as_the_specification_and_live_answers_show_it(desk: Desk, told: str) -> None:
    """H8."""
    desk.says(ok(f"<Costs>{COST.replace('2026-05-14T00:00:00', told)}</Costs>"))
    assert desk.v1.costs(REF)[0].on == date(2009, 10, 23)


def test_the_catalogue_is_read_to_its_end(desk: Desk) -> None:
    page = "<Records>{0}</Records><Costs>" + "<Cost><UUID>a</UUID><Code>C</Code><UnitCost>1</UnitCost></Cost></Costs>"
    desk.says(ok(page.format(1)), ok("<Records>0</Records><Costs />"))
    assert [each.code for each in desk.v1.cost_codes()] == ["C"]
    assert desk.paths == ["GET /cost.api/list?page=1", "GET /cost.api/list?page=2"]


def test_a_client_is_read_with_its_contacts(desk: Desk) -> None:
    contacts = "<Contacts><Contact><Name>Samantha</Name></Contact><Contact><Name>Aroha</Name></Contact></Contacts>"
    desk.says(ok(f"<Client><UUID>c-1</UUID><Name>XYZ &amp; Co</Name><Postcode>1001</Postcode>{contacts}</Client>"))
    client = desk.v1.client("c-1")
    assert client is not None
    assert (client.name, client.contacts, client.address.post_code) == ("XYZ & Co", ("Samantha", "Aroha"), "1001")


def test_a_cost_and_a_document_are_posted_in_the_documented_order(desk: Desk) -> None:
    desk.v1.post_cost(LINE)
    desk.v1.post_document(PAPER)
    assert desk.paths == ["POST /job.api/cost", "POST /job.api/document"]
    assert {asked.headers["content-type"] for asked in desk.asked} == {"application/xml; charset=utf-8"}
    assert [(child.name, child.text) for child in parse(desk.asked[0].body).children] == [
        ("Job", "J000412"),
        ("Date", "20260514"),
        ("Description", "Title search & more"),
        ("Code", "SEARCH"),
        ("Note", "order 900123 IT-900123-R-1"),
        ("Quantity", "1"),
        ("UnitCost", "14.20"),
        ("UnitPrice", "-18.50"),
        ("Billable", "true"),
    ]
    form = parse(desk.asked[1].body)
    assert [child.name for child in form.children] == ["Job", "Title", "Text", "Folder", "Public", "FileName", "Content"]
    assert base64.b64decode(form.value("Content"), validate=True) == PAPER.content
    assert form.value("Public") == "false"


@pytest.mark.parametrize(
    ("answer", "remote_id"),
    [(Said(200, ""), ""), (Said(200, " \r\n"), ""), (ok(), ""), (ok(COST), "e-1"), (Said(200, COST), "e-1")],
)
def test_each_yes_to_a_post_is_taken(desk: Desk, answer: Said, remote_id: str) -> None:
    """The specification's answer is an empty 200; others have been seen."""
    desk.says(answer)
    assert desk.v1.post_cost(LINE) == Receipt(remote_id)
    assert len(desk.asked) == 1


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Said(200, NO.format("No such job")), Refused),
        (Said(200, NO.format("").upper().replace("RESPONSE", "Response")), Refused),
        (Said(400, NO.format("Bad date")), Refused),
        (said({"message": "Bad date"}, 400), Refused),
        (Said(413, ""), Refused),
        (Said(403, ""), AccessMissing),
        (Said(401, ""), SignedOut),
        (Said(429, "", {"Retry-After": "30"}), Wait),
        (Said(201, ""), AnswerLost),
        (Said(202, ""), AnswerLost),
        (Said(204, ""), AnswerLost),
        (Said(200, "<html>Sign in</html>"), AnswerLost),
        (Said(200, "<Response><Status>Pending</Status></Response>"), AnswerLost),
        (said({"status": "OK"}), AnswerLost),
        (Said(302, "", {"Location": "/x"}), AnswerLost),
        (Said(307, "", {"Location": "/x"}), AnswerLost),
        (Said(400, ""), AnswerLost),
        (Said(409, NO.format("Busy")), AnswerLost),
        (Said(500, NO.format("Object reference")), AnswerLost),
        (Said(503, ""), AnswerLost),
    ],
)
@pytest.mark.parametrize("what", ["cost", "document"])
def test_what_a_posts_answer_means(desk: Desk, answer: Said, expected: type[ServiceError], what: str) -> None:
    """D3, D5."""
    desk.says(answer)
    with pytest.raises(expected) as raised:
        desk.v1.post_cost(LINE) if what == "cost" else desk.v1.post_document(PAPER)
    assert len(desk.asked) == (2 if expected is SignedOut else 1)
    if isinstance(raised.value, AccessMissing):
        assert "Authorise 3rd Party Full Access" in raised.value.cure


def test_access_is_tried_by_reading(desk: Desk) -> None:
    desk.answer = lambda asked: Said(403, "") if "cost.api" in asked.path else ok()
    *others, codes = desk.v1.check_access()
    assert ({each.finding for each in others}, codes.finding) == ({Finding.OK}, Finding.MISSING)
    assert "WorkflowMax" in codes.message
    assert {asked.method for asked in desk.asked} == {"GET"}
    assert desk.gate.urgencies == [Urgency.PERSON] * 3
    assert "from=" in desk.asked[1].path  # without dates the list is refused
