"""The Smokeball adapter against the stand-in that others wrote from the same facts, in its switches' readings."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from desktop.services.delivery.bucket import Bucket
from desktop.services.errors import AccessMissing, AnswerLost, Refused
from desktop.services.http import Http, Limits
from desktop.services.practice.model import Finding, Matter
from desktop.services.practice.practice_system import CallGate, MatterRef
from desktop.services.practice.smokeball import Smokeball
from sandbox import world as w
from sandbox.house import Sandbox
from sandbox.smokeball_house import API_KEY, CLIENT_ID
from sandbox.smokeball_sign_ins import SCOPES, SignIn
from tests.practice.smokeball_server import line, paper
from tests.practice.xpm_server import Gate
from tests.sandbox.visitors import Controls

NUMBER = "J004521"


class Tokens:
    tenant = "firm"

    def __init__(self, token: str) -> None:
        self.word = token

    def token(self) -> str:
        return self.word

    def rejected(self, token: str) -> str:
        return self.word


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    folder: Path = tmp_path_factory.mktemp("stand-in")
    with Sandbox(folder, matters=1_200, delay=0, limits=False) as running:
        yield running


def sign_in(box: Sandbox, scopes: frozenset[str]) -> Tokens:
    signs = box.smokeball.signs
    return Tokens(str(signs.answer(SignIn(signs.people[w.DEMO_PERSON], CLIENT_ID, scopes))["access_token"]))


@pytest.fixture
def switch(box: Sandbox) -> Iterator[Controls]:
    controls = Controls(box.url("controls"))
    before = controls.get("switches")
    controls.post("switches", smokeball_async_seconds=0, smokeball_upload_seconds=0, smokeball_content_type_needed=True)
    yield controls
    controls.post("switches", **before)


@pytest.fixture
def make(box: Sandbox, switch: Controls) -> Callable[..., Smokeball]:
    def made(gate: CallGate | None = None, scopes: frozenset[str] = SCOPES, **named: Any) -> Smokeball:
        http = Http(limits=Limits(5, 10, 30))
        return Smokeball(http, sign_in(box, scopes), gate or Gate(), box.url("smokeball"), api_key=API_KEY, **named)

    return made


def found(smokeball: Smokeball, number: str = NUMBER) -> Matter:
    matter = smokeball.matter(number)
    assert matter is not None
    return matter


def _until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not done():
        assert time.monotonic() < end, "it never came"
        threading.Event().wait(0.01)


READINGS: list[dict[str, Any]] = [
    {},
    {"smokeball_nulls": False, "smokeball_expense_dates": "as_sent", "smokeball_deleted_listed": False},
    {"smokeball_expense_dates": "day", "smokeball_region": "uk", "smokeball_parent_scope": True},
]


@pytest.mark.parametrize("reading", READINGS, ids=lambda reading: " ".join(str(value) for value in reading.values()) or "plain")
def test_what_is_posted_stands_once_and_is_read_back_in_every_reading(
    make: Callable[..., Smokeball], switch: Controls, reading: dict[str, Any]
) -> None:
    """D2, D9: the stand-in's own books are what counts."""
    switch.post("switches", **reading)
    smokeball = make()
    matter = found(smokeball)
    order = 8000 + READINGS.index(reading)
    lines = [
        line(matter.id, key=f"IT-{order}-R-1", note=f"InfoTrack IT-{order}-R-1"),
        line(matter.id, key=f"IT-{order}-R-2", note=f"InfoTrack IT-{order}-R-2", unit_cost=Decimal("-0.30"),
             unit_price=Decimal("-0.30"), gst=Decimal("-0.03")),
        line(matter.id, key=f"IT-{order}-S-1", note=f"InfoTrack IT-{order}-S-1", taxed=False, gst=Decimal("0.00"),
             gst_included=True, billable=False),
    ]  # fmt: skip
    receipts = [smokeball.post_cost(each) for each in lines]
    filed = smokeball.post_document(paper(matter.id, key=f"IT-{order}-D-1"))

    ref = MatterRef(matter.id, "")
    posted = {each.keys[-1]: each for each in smokeball.costs(ref) if each.keys}
    for each, receipt in zip(lines, receipts, strict=True):
        there = posted[each.key]
        assert (there.remote_id, there.unit_cost, there.code) == (receipt.remote_id, each.unit_cost, "SEARCH")
        assert (there.description, there.billable) == (each.description, each.billable)
        # Where a day alone comes back, it is the one that it was in London.
        assert there.on == date(2026, 5, 13 if reading.get("smokeball_expense_dates") == "day" else 14)
    (document,) = [each for each in smokeball.documents(ref) if f"IT-{order}-D-1" in each.keys]
    assert (document.remote_id, document.file_name) == (filed.remote_id, "Title search.pdf")

    [books] = switch.get("books", system="smokeball", job=NUMBER)["tenants"]
    standing = str(books["costs"])
    assert [standing.count(each.key) for each in lines] == [1, 1, 1]
    assert [row["uploaded"] for row in books["documents"] if row["additional"]["iconnect"] == f"IT-{order}-D-1"] == [True]


def test_two_pcs_file_in_one_folder(make: Callable[..., Smokeball]) -> None:
    smokeball = make()
    matter = found(smokeball)
    for n in (1, 2):
        make().post_document(paper(matter.id, key=f"IT-8100-D-{n}", folder="Searches"))
    filed = [each for each in smokeball.documents(MatterRef(matter.id, "")) if any("IT-8100" in key for key in each.keys)]
    assert len(filed) == 2
    assert filed[0].folder == filed[1].folder != ""


def test_nothing_is_there_before_it_appears_and_a_repeat_makes_no_second_file(
    make: Callable[..., Smokeball], switch: Controls, box: Sandbox
) -> None:
    """D16: asynchronous writes, with an entry that is not in the list yet when the next try comes."""
    smokeball = make()
    matter = found(smokeball)
    ref = MatterRef(matter.id, "")
    switch.post("switches", smokeball_async_seconds=600, smokeball_upload_seconds=0)
    switch.post("faults", name="drop_before", where="smokeball_files PUT", count=1)
    try:
        document = paper(matter.id, key="IT-8200-D-1")
        with pytest.raises(AnswerLost):
            smokeball.post_document(document)
        assert "IT-8200-D-1" not in {key for each in smokeball.documents(ref) for key in each.keys}
        smokeball.post_document(document)
    finally:
        switch.post("clock", advance=601)
        _until(lambda: box.world.agenda.pending() == 0)
    [books] = switch.get("books", system="smokeball", job=NUMBER)["tenants"]
    assert [row["uploaded"] for row in books["documents"] if row["additional"]["iconnect"] == "IT-8200-D-1"] == [True]


def test_the_whole_list_and_the_changes_are_the_firms_own(make: Callable[..., Smokeball], switch: Controls) -> None:
    smokeball = make()
    before = datetime.now(UTC)
    listed = {each.id: each for each in smokeball.matters()}
    assert len(listed) > 1_000
    assert sum(bool(each.client and each.staff) for each in listed.values()) > len(listed) * 0.9
    switch.post(f"smokeball/matters/{NUMBER}/status", status="Closed")
    try:
        changed = {each.number: each.is_open for each in smokeball.matters(since=before)}
        assert changed == {NUMBER: False}
        assert NUMBER not in {each.number for each in smokeball.matters()}
    finally:
        switch.post(f"smokeball/matters/{NUMBER}/status", status="Open")


def test_rows_that_move_between_pages_hide_no_matter(make: Callable[..., Smokeball], switch: Controls) -> None:
    smokeball = make()
    before = {each.id for each in smokeball.matters()}
    switch.post("switches", smokeball_moving_rows=3)
    assert {each.id for each in smokeball.matters()} == before


@pytest.mark.parametrize("shape", ["code_message", "property", "map", "none"])
def test_a_refusal_comes_with_its_own_words(make: Callable[..., Smokeball], switch: Controls, shape: str) -> None:
    smokeball = make()
    matter = found(smokeball)
    switch.post("switches", smokeball_errors_shape=shape, smokeball_refuse_negative=True, smokeball_closed_answer="400")
    with pytest.raises(Refused, match="not valid" if shape == "none" else "must not be negative") as refused:
        smokeball.post_cost(line(matter.id, unit_price=Decimal("-1.00"), unit_cost=Decimal("-1.00"), gst=Decimal("-0.10")))
    assert refused.value.status == 400
    with pytest.raises(Refused):
        smokeball.costs(MatterRef("0f3c9d52-0000-4000-8000-00000000dead", ""))
    with pytest.raises(Refused, match="not valid" if shape == "none" else "no such activity code"):
        smokeball.post_cost(line(matter.id, code="NO-SUCH"))


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("form", ["problem", "message"])
def test_a_missing_scope_is_named_whichever_way_it_is_told(
    make: Callable[..., Smokeball], switch: Controls, status: int, form: str
) -> None:
    """A25: scopes live inside the token."""
    switch.post("switches", smokeball_scope_status=status, smokeball_gateway_errors=form)
    smokeball = make(scopes=frozenset(scope for scope in SCOPES if scope.endswith("/read")))
    assert {each.finding for each in smokeball.check_access()} == {Finding.OK}
    matter = found(smokeball)
    writes: list[tuple[Callable[[], object], str]] = [
        (lambda: smokeball.post_cost(line(matter.id)), "expenses/write"),
        (lambda: smokeball.post_document(paper(matter.id, key="IT-8300-D-1")), "documents/write"),
    ]
    for write, right in writes:
        with pytest.raises(AccessMissing) as missing:
            write()
        assert right in missing.value.cure
    few = make(scopes=frozenset({"firm/read"}))
    findings = {each.right: each for each in few.check_access()}
    assert [right for right, each in findings.items() if each.finding is Finding.MISSING] == [
        "Matters", "Contacts", "Staff", "Activity codes",
    ]  # fmt: skip
    assert "staff/read" in findings["Staff"].cure


@pytest.mark.parametrize("status", ["403", "404"])
def test_the_wrong_region_is_said(make: Callable[..., Smokeball], switch: Controls, status: str) -> None:
    switch.post("switches", smokeball_wrong_region=status)
    findings = make().check_access()
    assert Finding.OK not in {each.finding for each in findings if each.right in ("Firm", "Matters", "Staff")}
    assert "region" in findings[0].cure


def test_a_client_is_read_and_the_codes_are_for_expenses(make: Callable[..., Smokeball]) -> None:
    smokeball = make()
    matter = found(smokeball)
    client = smokeball.client(matter.client_id)
    assert client is not None
    assert client.name
    assert client.name in matter.client
    assert "SEARCH" in {each.code for each in smokeball.cost_codes()}
    assert len(smokeball.staff()) > 2


@pytest.mark.parametrize("told", [True, False])
def test_the_bucket_keeps_within_the_stand_ins_limit(make: Callable[..., Smokeball], switch: Controls, told: bool) -> None:
    """D14: five a second in bursts of five, in real time."""
    switch.post("switches", smokeball_rate=5, smokeball_retry_after=told)
    account = Bucket()
    smokeball = make(account)
    for _ in range(12):
        # Buckets are counted for each endpoint, and the other reading's is not full yet.
        smokeball.cost_codes() if told else smokeball.staff()
    assert account.snapshot()["problem"] is None
    assert account.snapshot()["per_second"] == 4.75
