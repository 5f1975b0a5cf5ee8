"""What WorkflowMax's JSON interface is sent, and what its answers to that mean, over real sockets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from desktop.services.errors import AccessMissing, AnswerLost, NotSent, Refused, SignedOut, Wait
from desktop.services.http import Http
from desktop.services.practice.model import CostLine, Document, Receipt
from desktop.services.practice.practice_system import MatterRef, Urgency
from desktop.services.practice.workflowmax_v2 import WorkflowMaxV2
from tests.practice.workflowmax_server import Desk, Firm, form_of, said
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


def test_a_line_that_is_listed_without_the_field_has_lost_its_note(desk: Desk, firm: Firm) -> None:
    """D2: rows may leave out what is empty; that is not the same as not telling."""

    def dropping(asked: Asked) -> Said:
        if asked.method == "PUT":
            firm.costs["j-1"][-1]["note"] = json.loads(asked.body)["note"]
            return Said(204, "")
        return firm(asked)

    firm.on_post = lambda made: made.pop("note", None)
    desk.answer = dropping
    for n in (1, 2):
        assert desk.v2.post_cost(LINE) == Receipt(f"costs-{n}")
    assert [each.keys for each in desk.v2.costs(REF)] == [(LINE.key,)] * 2


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
