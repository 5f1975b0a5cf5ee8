"""Both of WorkflowMax's interfaces against the stand-in that others wrote from the same facts, in its switches' readings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from desktop.services.errors import AccessMissing, AnswerLost, Refused
from desktop.services.http import Http, Limits
from desktop.services.practice.model import CostLine, Document, Finding, Matter
from desktop.services.practice.practice_system import MatterRef, PracticeSystem
from desktop.services.practice.workflowmax_v1 import WorkflowMaxV1
from desktop.services.practice.workflowmax_v2 import WorkflowMaxV2
from sandbox import world as w
from sandbox.house import Sandbox
from sandbox.workflowmax_books import MAIN_ORGANISATION
from tests.practice.xpm_server import Gate
from tests.sandbox.visitors import Controls
from tests.sandbox.workflowmax_visitor import Person


class Tokens:
    tenant = MAIN_ORGANISATION

    def __init__(self, token: str) -> None:
        self.word = token

    def token(self) -> str:
        return self.word

    def rejected(self, token: str) -> str:
        raise AssertionError(f"the stand-in did not like {token[-4:]}")


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    folder: Path = tmp_path_factory.mktemp("stand-in")
    with Sandbox(folder, matters=130, delay=0, limits=False) as running:
        yield running


@pytest.fixture(scope="module")
def tokens(box: Sandbox) -> Tokens:
    person = Person(box)
    try:
        return Tokens(person.tokens()["access_token"])
    finally:
        person.browser.close()


@pytest.fixture
def switch(box: Sandbox) -> Iterator[Controls]:
    controls = Controls(box.url("controls"))
    before = controls.get("switches")
    yield controls
    controls.post("switches", **before)


def made(kind: type[WorkflowMaxV1] | type[WorkflowMaxV2], box: Sandbox, tokens: Tokens) -> PracticeSystem:
    return kind(Http(limits=Limits(5, 10, 30)), tokens, Gate(), box.url("workflowmax"))


@pytest.fixture(params=[WorkflowMaxV1, WorkflowMaxV2])
def practice(request: pytest.FixtureRequest, box: Sandbox, tokens: Tokens) -> PracticeSystem:
    return made(request.param, box, tokens)


@pytest.fixture
def v2(box: Sandbox, tokens: Tokens) -> PracticeSystem:
    return made(WorkflowMaxV2, box, tokens)


def line(matter: Matter, order: int, **changes: Any) -> CostLine:
    key = f"IT-{order}-R-1"
    made = CostLine(
        key=key,
        matter_number=matter.number,
        matter_id=matter.id,
        on=date(2026, 5, 12),
        description="Title search & more",
        code="DISB-GST",
        note=f"order {order} {key}",
        unit_cost=Decimal("14.20"),
        unit_price=Decimal("18.50"),
        billable=True,
    )
    return replace(made, **changes)


READINGS: list[dict[str, Any]] = [
    {},
    {"workflowmax_cost_answer": "record", "workflowmax_document_answer": "record", "workflowmax_filename": "FileName"},
    {"workflowmax_cost_answer": "empty", "workflowmax_document_answer": "empty", "wrap_lists": False},
    {"workflowmax_single": "data", "workflowmax_v2_created": 200, "workflowmax_cost_name": "costName"},
    {"workflowmax_v2_answer": "uuid", "workflowmax_v2_page": "overlaps"},
    {"workflowmax_v2_page": "ignored", "workflowmax_page_size": 3, "workflowmax_current_pages": True},
    {"workflowmax_account_header": "account-id", "workflowmax_drops_underscores": True},
    {"workflowmax_account_header": "account_id", "workflowmax_rate_headers": True, "workflowmax_strict_order": True},
    {"workflowmax_keeps_code": False},
    {"workflowmax_keeps_note": False},
    {"workflowmax_keeps_note": False, "workflowmax_v2_answer": "uuid", "workflowmax_put_blanks": True},
]


@pytest.mark.parametrize("reading", READINGS, ids=lambda reading: " ".join(str(value) for value in reading.values()) or "plain")
def test_what_is_posted_stands_once_and_is_read_back_in_every_reading(
    practice: PracticeSystem, switch: Controls, reading: dict[str, Any]
) -> None:
    """D2, D9: the stand-in's own books are what counts."""
    switch.post("switches", **reading)
    *_, matter = practice.matters()
    order = 7000 + 100 * READINGS.index(reading) + (50 if isinstance(practice, WorkflowMaxV2) else 0)
    lines = [line(matter, order), line(matter, order + 1, unit_cost=Decimal("-0.30"), unit_price=Decimal("-0.30"))]
    for each in lines:
        practice.post_cost(each)
    paper = Document(
        "IT-7-D-1", matter.number, matter.id, "T & Ω", f"IT-{order}-D-1", "InfoTrack", "a.pdf", b"%PDF-1.7 \r\n--" * 99
    )
    practice.post_document(paper)

    ref = MatterRef(matter.id, matter.number)
    posted = {each.keys[-1]: each for each in practice.costs(ref) if each.keys}
    for each in lines:
        assert (posted[each.key].unit_cost, posted[each.key].unit_price) == (each.unit_cost, each.unit_price)
        assert (posted[each.key].description, posted[each.key].on) == (each.description, each.on)
        assert each.code in posted[each.key].code + posted[each.key].note
    (filed,) = [each for each in practice.documents(ref) if f"IT-{order}-D-1" in each.keys]
    assert (filed.title, filed.file_name) == ("T & Ω", "a.pdf")

    [books] = switch.get("books", job=matter.number, tenant=MAIN_ORGANISATION)["tenants"]
    standing = [row["note"] for row in books["costs"]]
    assert [sum(each.key in note for note in standing) for each in lines] == [1, 1]
    assert [row["size"] for row in books["documents"] if row["text"] == f"IT-{order}-D-1"] == [len(paper.content)]


def test_both_interfaces_show_the_same_open_jobs(box: Sandbox, tokens: Tokens, switch: Controls) -> None:
    def seen(kind: type[WorkflowMaxV1] | type[WorkflowMaxV2]) -> set[tuple[str, str, str, str]]:
        return {(each.id, each.number, each.name, each.client) for each in made(kind, box, tokens).matters()}

    old, new = seen(WorkflowMaxV1), seen(WorkflowMaxV2)
    assert len(old) > 100
    # A cancelled job has no day of completion: nothing in the second interface's rows tells it from an open one.
    assert old <= new
    for reading in ({"workflowmax_current_pages": True}, {"workflowmax_v2_page": "overlaps"}, {"workflowmax_v2_page": "ignored"}):
        switch.post("switches", **reading)
        assert (seen(WorkflowMaxV1), seen(WorkflowMaxV2)) == (old, new)


def test_a_closed_a_deleted_and_a_posted_to_job_come_among_the_changes(v2: PracticeSystem, switch: Controls) -> None:
    before = datetime.now(UTC)
    closed, posted, *_ = v2.matters()
    switch.post(f"jobs/{closed.number}/close?tenant={MAIN_ORGANISATION}")
    v2.post_cost(line(posted, 9100))
    changed = {each.number: each.is_open for each in v2.matters(since=before)}
    assert changed[posted.number] is True
    assert changed[closed.number] is False
    assert closed.number not in {each.number for each in v2.matters()}
    switch.post(f"jobs/{closed.number}/open?tenant={MAIN_ORGANISATION}")


def test_an_estimate_is_no_cost_even_if_it_carries_a_key(v2: PracticeSystem, switch: Controls) -> None:
    for number in [each.number for each in v2.matters()]:
        [books] = switch.get("books", job=number, tenant=MAIN_ORGANISATION)["tenants"]
        if any("IT-70000001-T-1" in row["note"] for row in books["estimates"]):
            matter = v2.matter(number)
            assert matter is not None
            assert all("IT-70000001-T-1" not in each.keys for each in v2.costs(MatterRef(matter.id, matter.number)))
            return
    pytest.fail("the stand-in has no estimate with a key")


def test_an_empty_answer_to_a_json_post_leaves_it_unknown_and_reading_tells(v2: PracticeSystem, switch: Controls) -> None:
    """D3."""
    matter = next(iter(v2.matters()))
    switch.post("switches", workflowmax_v2_answer="empty")
    with pytest.raises(AnswerLost):
        v2.post_cost(line(matter, 9200))
    assert "IT-9200-R-1" in {key for each in v2.costs(MatterRef(matter.id, matter.number)) for key in each.keys}


@pytest.mark.parametrize("status", [400, 422])
def test_a_refusal_comes_with_its_own_words(practice: PracticeSystem, switch: Controls, status: int) -> None:
    matter = next(iter(practice.matters()))
    switch.post("switches", refuse_negative=True, workflowmax_v2_refused=status)
    with pytest.raises(Refused, match="negative"):
        practice.post_cost(line(matter, 9300, unit_cost=Decimal("-1.00")))
    with pytest.raises(Refused):
        practice.costs(MatterRef("0f3c9d52-0000-4000-8000-00000000dead", "J999999"))
    assert practice.matter("J999999") is None


def test_one_job_and_its_client_are_read(practice: PracticeSystem) -> None:
    listed = next(iter(practice.matters()))
    matter = practice.matter(listed.number)
    assert matter is not None
    assert (matter.id, matter.name, matter.client) == (listed.id, listed.name, listed.client)
    assert matter.is_open is not False
    client = practice.client(matter.client_id)
    assert client is not None
    assert (client.name, len(client.contacts)) == (matter.client, 1)
    assert len(practice.staff()) > 2
    assert any(each.code for each in practice.cost_codes())


def test_a_lost_privilege_is_found_with_its_cure(practice: PracticeSystem, switch: Controls) -> None:
    switch.post("staff/privilege", email=w.DEMO_PERSON, allowed=False, tenant=MAIN_ORGANISATION)
    try:
        findings = practice.check_access()
        with pytest.raises(AccessMissing):
            practice.staff()
    finally:
        switch.post("staff/privilege", email=w.DEMO_PERSON, allowed=True, tenant=MAIN_ORGANISATION)
    assert {each.finding for each in findings} == {Finding.MISSING}
    assert all("Authorise 3rd Party Full Access" in each.cure for each in findings)
    assert {each.finding for each in practice.check_access()} == {Finding.OK}
