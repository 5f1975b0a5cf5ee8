"""What each answer of Smokeball's means for what was asked: writes' fates, rights that are missing, sign-ins that ended."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from desktop.services.errors import AccessMissing, AnswerLost, BadAnswer, NotSent, Refused, SignedOut, Wait
from desktop.services.http import Http, Limits
from desktop.services.practice.model import Finding, Receipt
from desktop.services.practice.practice_system import MatterRef
from desktop.services.practice.smokeball import Smokeball
from desktop.services.practice.smokeball_calls import problem_in
from tests.practice.smokeball_server import KEY, SmokeballWorld, line, paper, problem, said_json
from tests.practice.xpm_server import Asked, Gate, Said, Tokens

MATTER = "b471682e-fa17-4e46-b7fe-9b2b8fdcb3c2"
COST = line(MATTER)


@pytest.fixture
def world() -> Iterator[SmokeballWorld]:
    made = SmokeballWorld()
    made.add_matter("AM-1", id=MATTER)
    yield made
    made.close()


# Writes


@pytest.mark.parametrize(
    ("said", "remote_id"),
    [
        (said_json({"id": "e-1", "href": "https://api.test/matters/m/expenses/e-1"}, 202), "e-1"),
        (said_json({"id": "e-1"}, 200), "e-1"),
        (said_json({"id": "e-1", "price": 1, "isDeleted": False}, 201), "e-1"),
        (said_json({"id": None, "href": "https://api.test/matters/m/expenses/e-1"}, 202), "e-1"),
        (said_json({"href": "/matters/m/expenses/e-1/"}, 202), "e-1"),
    ],
)
def test_a_yes_is_one_that_names_what_was_made(world: SmokeballWorld, said: Said, remote_id: str) -> None:
    world.says(said)
    assert world.smokeball.post_cost(COST) == Receipt(remote_id)


JUNK = [
    Said(200, ""),
    Said(202, ""),
    Said(204, ""),
    Said(202, "null", kind="application/json"),
    Said(202, "{}", kind="application/json"),
    Said(202, '{"id": 7}', kind="application/json"),
    Said(202, '{"id": ""}', kind="application/json"),
    Said(202, '{"id": "e-1"', kind="application/json"),
    Said(202, '["e-1"]', kind="application/json"),
    Said(200, "<html>Sign in to the network</html>", kind="text/html"),
    Said(202, b'{"id": "' + b"e" * 6_000_000 + b'"}', kind="application/json"),
    Said(301, "", {"Location": "/x"}),
    Said(307, "", {"Location": "/x"}),
    Said(308, "", {"Location": "/x"}),
    Said(400, "Bad Request", kind="text/plain"),
    Said(400, "", kind=""),
    said_json({}, 400),
    said_json({"id": "e-1"}, 404),
    Said(404, "<html>not found</html>", kind="text/html"),
    problem(408, "Timeout"),
    problem(409, "Conflict"),
    problem(500, "Object reference not set"),
    Said(502, "<html>bad gateway</html>"),
    Said(503, "", {"Retry-After": "10"}),
    said_json({"message": "Endpoint request timed out"}, 504),
    Said(599, ""),
    Said(0),
]


@pytest.mark.parametrize("said", JUNK)
@pytest.mark.parametrize("what", ["cost", "document"])
def test_anything_but_a_clear_word_leaves_a_write_unknown(world: SmokeballWorld, said: Said, what: str) -> None:
    """D3, D4, D5: one request, and no conclusion."""
    world.scripted = lambda asked: said if asked.method == "POST" else None
    with pytest.raises(AnswerLost):
        world.smokeball.post_cost(COST) if what == "cost" else world.smokeball.post_document(paper(MATTER))
    assert [asked.method for asked in world.asked].count("POST") == 1
    assert world.puts == []


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (problem(400, "The price has too many places."), "Bad Request. The price has too many places."),
        (problem(400, errors=[{"field": "Price", "message": "is missing"}, {"message": "Tax is wrong"}]),
         "Bad Request. Price: is missing. Tax is wrong."),
        (problem(400, errors=[{"code": "E7", "text": "no such code"}]), "Bad Request. E7, no such code."),
        (problem(400, errors=["plain words", 7, None]), "Bad Request. plain words."),
        (problem(400, errors={"Price": ["is missing", "must be positive"]}), "Bad Request. Price: is missing, must be positive."),
        (problem(400, "Bad Request", errors=[]), "Bad Request."),
        (problem(404, "No such matter", "Not Found"), "Not Found. No such matter."),
        (problem(422, "Negative prices are not allowed"), "Bad Request. Negative prices are not allowed."),
        (said_json({"message": "Invalid request body"}, 400), "Invalid request body."),
        (said_json({"Title": "Line\r\n one\u0000", "Status": 400}, 400), "Line one."),
        (problem(400, "x" * 5_000), "…"),
        (Said(413, ""), "larger"),
    ],
)  # fmt: skip
def test_a_clear_no_is_a_refusal_in_its_own_words(world: SmokeballWorld, said: Said, reason: str) -> None:
    """D3: 4xx with problem details, whatever the entries of its errors look like."""
    world.says(said)
    with pytest.raises(Refused) as refused:
        world.smokeball.post_cost(COST)
    assert reason in refused.value.reason
    assert len(refused.value.reason) <= 300
    assert refused.value.status == said.status
    assert len(world.asked) == 1


@pytest.mark.parametrize(
    ("headers", "after"), [({}, None), ({"Retry-After": "7"}, timedelta(seconds=7)), ({"Retry-After": "x"}, None)]
)
def test_429_asks_to_wait_and_nothing_was_done(world: SmokeballWorld, headers: dict[str, str], after: timedelta | None) -> None:
    """D13: Retry-After is not documented, and obeyed where it comes."""
    world.says(Said(429, '{"message": "Too Many Requests"}', headers, "application/json"))
    for ask in (lambda: world.smokeball.post_cost(COST), world.smokeball.cost_codes):
        with pytest.raises(Wait) as told:
            ask()
        assert (told.value.after, told.value.limit) == (after, "app")
    assert [asked.method for asked in world.asked] == ["POST", "GET", "GET", "GET", "GET"]
    assert {status for status, _ in world.gate.learnt} == {429}


def test_a_list_is_read_to_its_end_although_other_desks_use_up_the_limit(world: SmokeballWorld) -> None:
    """D14: every third call meets a 429; what waits is the gate."""
    for n in range(3_000):
        world.add_matter(f"AM-{n}")
    world.scripted = lambda asked: None if len(world.asked) % 3 else Said(429, "")
    assert len(list(world.smokeball.matters())) == 3_001


def test_a_server_that_cannot_be_reached_was_sent_nothing() -> None:
    """D3: connect refused."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        root = f"http://127.0.0.1:{taken.getsockname()[1]}"
        smokeball = Smokeball(Http(limits=Limits(2, 2, 5)), Tokens(), Gate(), root, api_key=KEY)
        for ask in (lambda: smokeball.post_cost(COST), lambda: smokeball.post_document(paper(MATTER)), smokeball.cost_codes):
            with pytest.raises(NotSent):
                ask()


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 202 Acc", b'HTTP/1.1 202 Accepted\r\nContent-Length: 40\r\n\r\n{"id": "e-1"'])
def test_an_answer_that_is_cut_leaves_a_write_unknown_and_it_is_not_sent_again(answer: bytes) -> None:
    """D3, D4."""
    requests = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                requests.append(connection.recv(65_536))
                connection.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        root = f"http://127.0.0.1:{listener.getsockname()[1]}"
        smokeball = Smokeball(Http(limits=Limits(2, 2, 5)), Tokens(), Gate(), root, api_key=KEY)
        with pytest.raises(AnswerLost):
            smokeball.post_cost(COST)
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
    assert len(requests) == 1


# Tokens, rights and keys


def _without_right(*starts: str, status: int = 401) -> Callable[[Asked], Said | None]:
    """A stand-in whose sign-in lacks the rights behind these paths."""

    def answer(asked: Asked) -> Said | None:
        turned_away = any(f"{asked.method} {asked.path.lstrip('/')}".startswith(start) for start in starts)
        return said_json({"message": "Unauthorized"}, status) if turned_away else None

    return answer


def test_a_token_that_lapsed_is_renewed_once_and_the_body_is_the_same(world: SmokeballWorld) -> None:
    """D18: byte-equal."""
    world.scripted = lambda asked: said_json({}, 401) if asked.headers["authorization"] == "Bearer first" else None
    world.smokeball.post_cost(COST)
    assert [asked.headers["authorization"] for asked in world.asked] == ["Bearer first", "Bearer second"]
    assert world.asked[0].body == world.asked[1].body
    assert len(world.expenses[MATTER]) == 1


def test_a_fresh_sign_in_that_is_turned_away_lacks_a_right_and_the_cure_names_it(world: SmokeballWorld) -> None:
    """A25: 401 means a missing scope as well; had the sign-in ended, its renewal would have said so."""
    world.scripted = _without_right(f"POST matters/{MATTER}/expenses")
    with pytest.raises(AccessMissing) as missing:
        world.smokeball.post_cost(COST)
    assert "expenses/write" in missing.value.cure
    assert world.expenses == {}
    assert len(world.asked) == 2


def test_rights_that_are_missing_renew_the_sign_in_once_and_not_each_time(world: SmokeballWorld) -> None:
    """A17: three tries of two rights, one renewal."""
    world.scripted = _without_right("GET staff", "GET activitycodes")
    for ask in (world.smokeball.staff, world.smokeball.cost_codes, world.smokeball.staff):
        with pytest.raises(AccessMissing):
            ask()
    assert world.tokens.rejections == ["first"]
    assert world.smokeball.matter("AM-1") is not None


def test_a_right_that_worked_with_this_token_is_renewed_again_when_it_lapses(world: SmokeballWorld) -> None:
    world.tokens.words = ["first", "second", "third"]
    lapsed = {"Bearer first"}
    world.scripted = lambda asked: said_json({}, 401) if asked.headers["authorization"] in lapsed else None
    world.smokeball.cost_codes()
    lapsed.add("Bearer second")
    world.smokeball.cost_codes()
    assert world.tokens.rejections == ["first", "second"]


def test_a_sign_in_that_ended_says_so(world: SmokeballWorld) -> None:
    world.tokens.words = ["first"]
    world.says(said_json({"message": "The incoming token has expired"}, 401))
    for ask in (world.smokeball.cost_codes, lambda: world.smokeball.post_cost(COST)):
        world.tokens.words = ["first"]
        with pytest.raises(SignedOut):
            ask()


def test_a_wrong_key_is_said_with_its_cure(world: SmokeballWorld) -> None:
    wrong = Smokeball(world.http, world.tokens, world.gate, world.root, api_key="another")
    for ask in (wrong.cost_codes, lambda: wrong.costs(MatterRef(MATTER, "")), lambda: wrong.post_cost(COST)):
        with pytest.raises(AccessMissing) as missing:
            ask()
        assert "api_key" in missing.value.cure
        assert "Forbidden" in str(missing.value)


def test_a_matter_that_this_person_may_not_see_stops_nobody_elses_deliveries(world: SmokeballWorld) -> None:
    """D11: 403 on one matter, while the same right works for another."""
    other = world.add_matter("AM-2")
    world.smokeball.costs(MatterRef(other, ""))
    world.scripted = _without_right(f"GET matters/{MATTER}", status=403)
    with pytest.raises(Refused) as refused:
        world.smokeball.costs(MatterRef(MATTER, ""))
    assert refused.value.status == 403


def test_a_hidden_matter_is_told_from_a_missing_right_by_a_look_at_the_matter_itself(world: SmokeballWorld) -> None:
    """D11: before the right has worked for any matter."""
    world.smokeball.cost_codes()
    world.scripted = _without_right(f"GET matters/{MATTER}", status=403)
    with pytest.raises(Refused):
        world.smokeball.costs(MatterRef(MATTER, ""))
    world.scripted = _without_right(f"GET matters/{MATTER}/", f"POST matters/{MATTER}/", status=403)
    for ask in (lambda: world.smokeball.costs(MatterRef(MATTER, "")), lambda: world.smokeball.post_cost(COST)):
        with pytest.raises(AccessMissing, match="does not let this app in"):
            ask()


def test_a_key_that_was_changed_while_the_program_ran_rejects_no_delivery(world: SmokeballWorld) -> None:
    """D11: 403 on everything, after everything had worked: the deliveries wait, and the cure names the key."""
    world.smokeball.post_cost(COST)
    world.scripted = lambda asked: said_json({"message": "Forbidden"}, 403)
    with pytest.raises(AccessMissing) as missing:
        world.smokeball.post_cost(COST)
    assert "api_key" in missing.value.cure


def test_check_access_tries_each_right_and_reads_only(world: SmokeballWorld) -> None:
    found = world.smokeball.check_access()
    assert [one.right for one in found] == ["Firm", "Matters", "Contacts", "Staff", "Activity codes", "Expenses", "Documents"]
    assert {one.finding for one in found} == {Finding.OK}
    assert {asked.method for asked in world.asked} == {"GET"}


def test_check_access_names_what_is_missing_and_tries_the_rest(world: SmokeballWorld) -> None:
    world.scripted = _without_right("GET staff", f"GET matters/{MATTER}/documents")
    found = {one.right: one for one in world.smokeball.check_access()}
    assert [right for right, one in found.items() if one.finding is Finding.MISSING] == ["Staff", "Documents"]
    assert "staff/read" in found["Staff"].cure
    assert "documents/read" in found["Documents"].cure
    assert found["Expenses"].finding is Finding.OK


def test_check_access_without_a_matter_or_a_key_says_so(world: SmokeballWorld) -> None:
    world.matters.clear()
    found = {one.right: one.finding for one in world.smokeball.check_access()}
    assert (found["Matters"], found["Expenses"], found["Documents"]) == (Finding.OK, Finding.UNKNOWN, Finding.UNKNOWN)
    asked = len(world.asked)
    (one,) = Smokeball(world.http, world.tokens, world.gate, world.root, api_key=" ").check_access()
    assert (one.right, one.finding) == ("API key", Finding.MISSING)
    assert "smokeball.api_key" in one.cure
    assert len(world.asked) == asked


@pytest.mark.parametrize("said", [Said(200, "<html>captive portal</html>"), problem(500), problem(404), Said(429, ""), Said(0)])
def test_check_access_concludes_nothing_from_trouble(world: SmokeballWorld, said: Said) -> None:
    world.says(said)
    assert {one.finding for one in world.smokeball.check_access()} == {Finding.UNKNOWN}


def test_hostile_errors_end_soon_and_say_nothing_strange() -> None:
    nested = b'{"errors":' + b"[" * 60_000 + b"]" * 60_000 + b"}"
    for body in (nested, b'{"title":"' + b"x" * 200_000 + b'"}', b"\xff\xfe", b"[]", b'{"title":{},"errors":7}'):
        assert problem_in(body) == ""
    many = json.dumps({"title": "No", "errors": [{"message": f"m{n}"} for n in range(1_000)]}).encode()
    assert len(problem_in(many)) < 300


def test_a_cost_without_code_or_note_is_still_a_whole_expense(world: SmokeballWorld) -> None:
    world.smokeball.post_cost(replace(COST, code="", billable=False))
    told = json.loads(world.asked[0].body)
    assert told["isBillable"] is False
    assert "activityCode" not in told


def test_a_read_of_a_wrong_kind_is_no_answer(world: SmokeballWorld) -> None:
    world.says(said_json({"value": "none"}))
    for ask in (world.smokeball.cost_codes, world.smokeball.staff, lambda: list(world.smokeball.matters())):
        with pytest.raises(BadAnswer):
            ask()
