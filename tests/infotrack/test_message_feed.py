"""The message feed against a scripted server."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from desktop.services.desk import ConnectionState
from desktop.services.errors import AnswerLost, BadAnswer, NotNow, NotSent, SignedOut, Wait
from desktop.services.http import Http
from desktop.services.infotrack.credentials import Credentials
from desktop.services.infotrack.feed import Feed
from desktop.services.infotrack.model import Source
from desktop.services.infotrack.unreadable import Unreadable
from tests.infotrack.scripted_server import KeptInbox, KeptSecrets, LedgerFull, Reply, Request, ScriptedServer, our_log

SYDNEY = ZoneInfo("Australia/Sydney")


class World:
    """A feed of numbered messages; `answer` may be replaced by a test."""

    def __init__(self, folder: Path) -> None:
        self.orders: list[tuple[int, object]] = []
        self.answer: Callable[[Request], Reply] = self.page
        self.server = ScriptedServer(lambda request: self.answer(request))
        self.inbox = KeptInbox()
        self.credentials = Credentials(folder / "infotrack.json", KeptSecrets())
        self.credentials.keep("clerk", "pässword")
        self.unreadable = folder / "unreadable"
        self.feed = self.reading(f"{self.server.url}/feed?firm=12")

    def reading(self, url: str, most_pages: int = 50) -> Feed:
        return Feed(Http(), url, self.credentials, Unreadable(self.unreadable), SYDNEY, limit=2, most_pages=most_pages)

    def page(self, request: Request) -> Reply:
        after = int(request.query.get("after", ["0"])[0])
        limit = int(request.query["limit"][0])
        found = [(number, order) for number, order in self.orders if number > after][:limit]
        messages = [{"sequence": number, "order": order} for number, order in found]
        return Reply(body=json.dumps({"messages": messages, "next": str(found[-1][0] if found else after)}).encode())

    def collect(self) -> int:
        return self.feed.collect(self.inbox)

    def always(self, reply: Reply) -> None:
        self.answer = lambda _request: reply


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    with world.server:
        yield world


def page(messages: object, following: object) -> Reply:
    return Reply(body=json.dumps({"messages": messages, "next": following}).encode())


def test_all_pages_are_read_and_the_cursor_is_kept_with_the_messages(world: World) -> None:
    world.orders = [(number, {"OrderId": 100 + number}) for number in range(1, 6)]
    assert world.collect() == 5
    assert world.inbox.ids == ["101", "102", "103", "104", "105"]
    assert world.inbox.cursors == {f"{world.server.url}/feed": "5"}
    assert [kept.message.sequence for kept in world.inbox.recorded] == [1, 2, 3, 4, 5]
    assert {kept.source for kept in world.inbox.recorded} == {Source.FEED}
    assert world.collect() == 0


def test_the_first_call_has_no_cursor_and_the_addresss_own_query_stays(world: World) -> None:
    world.collect()
    assert world.server.requests[0].query == {"firm": ["12"], "limit": ["2"]}
    world.orders = [(7, {"OrderId": 1})]
    world.collect()
    world.collect()
    assert world.server.requests[-1].query == {"firm": ["12"], "limit": ["2"], "after": ["7"]}


def test_an_address_that_brings_its_own_cursor_does_not_confuse_the_server(world: World) -> None:
    world.orders = [(7, {"OrderId": 1})]
    world.reading(f"{world.server.url}/feed?after=99&limit=1&x=").collect(world.inbox)
    assert world.server.requests[0].query == {"x": [""], "limit": ["2"]}
    assert world.inbox.ids == ["1"]


def test_the_login_is_sent_as_basic(world: World) -> None:
    world.collect()
    coded = base64.b64encode("clerk:pässword".encode()).decode()
    assert world.server.requests[0].headers["authorization"] == f"Basic {coded}"


def test_nothing_is_covered_by_the_cursor_that_is_not_stored(world: World) -> None:
    world.orders = [(1, {"OrderId": 1})]
    world.inbox.full = True
    with pytest.raises(LedgerFull):
        world.collect()
    assert world.inbox.cursors == {}
    world.inbox.full = False
    assert world.collect() == 1


def test_a_repeat_after_a_newer_message_does_nothing_new(world: World) -> None:
    world.orders = [(1, {"OrderId": 1}), (2, {"OrderId": 2})]
    world.collect()
    replies = iter([page([{"sequence": 1, "order": {"OrderId": 1}}, {"sequence": 3, "order": {"OrderId": 3}}], "3"), page([], "3")])
    world.answer = lambda _request: next(replies)
    assert world.collect() == 1


@pytest.mark.parametrize("following", ["", None, "0", 0])
def test_an_empty_feed_is_no_fault_however_it_says_so(world: World, following: object) -> None:
    world.always(page([], following))
    assert world.collect() == 0
    assert len(world.server.requests) <= 2


def test_a_rejected_login_stops_the_feed_until_somebody_signs_in(world: World) -> None:
    world.always(Reply(401))
    with pytest.raises(SignedOut):
        world.collect()
    with pytest.raises(SignedOut):
        world.collect()
    assert len(world.server.requests) == 1, "a locked-out account is worse than a late result"
    assert world.credentials.state().state is ConnectionState.ATTENTION
    world.credentials.keep("clerk", "new")
    world.answer = world.page
    assert world.collect() == 0


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(("told", "after"), [("7", 7), ("999999999", 86400), ("-5", None), ("soon", None), ("", None)])
def test_a_pause_that_is_asked_for_is_passed_on(world: World, status: int, told: str, after: int | None) -> None:
    """D3: 429 and 503, D13: an absurd Retry-After is capped."""
    world.always(Reply(status, headers=[("Retry-After", told)] if told else []))
    with pytest.raises(Wait) as wait:
        world.collect()
    assert wait.value.after == (None if after is None else timedelta(seconds=after))


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(500, b"oops"), AnswerLost),
        (Reply(502), AnswerLost),
        (Reply(403, b'{"message": "not for you"}'), BadAnswer),
        (Reply(404), BadAnswer),
        (Reply(302, headers=[("Location", "https://elsewhere.example/")]), BadAnswer),
        (Reply(204), BadAnswer),
        (Reply(200, b"<html>Sign in</html>", "text/html"), BadAnswer),
        (Reply(200, b'{"messages": [], "next": "1"}', "text/html"), BadAnswer),
        (Reply(200, b'{"messages": [], "next": "1"}', ""), BadAnswer),
        (Reply(200, b""), BadAnswer),
        (Reply(200, b"[]"), BadAnswer),
        (Reply(200, b'{"messages": {}, "next": "1"}'), BadAnswer),
        (Reply(200, b'{"messages": [], "next": ["1"]}'), BadAnswer),
        (Reply(200, b'{"messages": [], "next": "a\\nb"}'), BadAnswer),
        (Reply(200, b'{"messages": [{"sequence": 1', cut=None), BadAnswer),
        (Reply(200, b'{"messages": []' + b" " * 5000, cut=10), AnswerLost),
    ],
    ids=lambda value: f"{value.status} {value.body[:20]!r}" if isinstance(value, Reply) else value.__name__,
)
def test_an_answer_that_can_not_be_believed_is_typed(world: World, reply: Reply, error: type[Exception]) -> None:
    """D3: each class of answer has its meaning; nothing is recorded and the cursor stands."""
    world.always(reply)
    with pytest.raises(error):
        world.collect()
    assert (world.inbox.recorded, world.inbox.cursors) == ([], {})


def test_a_server_that_is_not_there_was_sent_nothing(world: World) -> None:
    """D3: refused."""
    with ScriptedServer(lambda _request: Reply()) as gone:
        url = gone.url
    with pytest.raises(NotSent):
        world.reading(url).collect(world.inbox)


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/JSON", "application/vnd.x+json"])
def test_json_is_known_by_any_of_its_names(world: World, kind: str) -> None:
    world.always(Reply(200, b'{"Messages": [], "Next": 1}', kind))
    assert world.collect() == 0


def test_a_bad_message_is_kept_visibly_and_stops_nobody(world: World) -> None:
    world.orders = [(1, {"OrderId": 1}), (2, {"Oops": "canary-bytes"}), (3, "not even an object"), (4, {"OrderId": 4})]
    assert world.collect() == 2
    assert world.inbox.ids == ["1", "4"]
    assert world.inbox.cursors == {f"{world.server.url}/feed": "4"}
    kept = sorted(path.name for path in world.unreadable.iterdir())
    assert len(kept) == 4
    assert any(b"canary-bytes" in path.read_bytes() for path in world.unreadable.glob("*.json"))
    assert all(path.read_text().endswith(".\n") for path in world.unreadable.glob("*.reason.txt"))
    assert Unreadable(world.unreadable).count() == 2


def test_a_bad_message_that_comes_again_is_kept_once(world: World) -> None:
    world.always(page([{"sequence": 1, "order": {}}], "1"))
    world.collect()
    world.inbox.cursors.clear()
    world.collect()
    assert Unreadable(world.unreadable).count() == 1


def test_the_cursor_does_not_pass_a_bad_message_that_could_not_be_kept(world: World) -> None:
    world.unreadable.write_text("a file where the folder should be")
    world.orders = [(1, {"OrderId": 1}), (2, {})]
    with pytest.raises(NotNow):
        world.collect()
    assert world.inbox.cursors == {}


def test_messages_without_a_next_are_taken_and_the_fault_is_named(world: World) -> None:
    world.always(page([{"sequence": 1, "order": {"OrderId": 1}}], None))
    with pytest.raises(BadAnswer, match="next"):
        world.collect()
    assert (world.inbox.ids, world.inbox.cursors) == (["1"], {})


def test_a_feed_that_goes_in_a_circle_is_left(world: World) -> None:
    following = {None: "1", "1": "2", "2": "1"}
    world.answer = lambda request: page([], following[request.query["after"][0] if "after" in request.query else None])
    with pytest.raises(BadAnswer, match="circle"):
        world.collect()
    assert len(world.server.requests) == 3


def test_an_endless_feed_is_read_in_bounded_passes(world: World) -> None:
    world.orders = [(number, {"OrderId": number}) for number in range(1, 100)]
    feed = world.reading(f"{world.server.url}/feed", most_pages=3)
    assert feed.collect(world.inbox) == 6
    assert feed.due_in() == 0.0
    assert feed.collect(world.inbox) == 6
    assert len(world.server.requests) == 6


def test_the_same_cursor_with_messages_ends_the_pass(world: World) -> None:
    world.inbox.cursors[world.feed.feed] = "9"
    world.always(page([{"sequence": 9, "order": {"OrderId": 9}}], "9"))
    assert world.collect() == 1
    assert len(world.server.requests) == 1


def test_an_amount_keeps_its_decimal_on_the_way_into_the_ledger(world: World) -> None:
    """D19: the recorded bytes of one message among several hold the number as it was written."""
    body = b'{"messages": [{"sequence": 1, "order": {"OrderId": 1, "SupplierFee": 1.10, "SupplierFeeGST": 0.10}},'
    body += b'{"sequence": 2, "order": {"OrderId": 2}}], "next": "2"}'
    replies = iter([Reply(body=body), page([], "2")])
    world.answer = lambda _request: next(replies)
    world.collect()
    assert b'"SupplierFee":1.10' in world.inbox.recorded[0].raw


def test_logs_hold_neither_address_nor_login_nor_content(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """J1"""
    caplog.set_level(logging.DEBUG)
    world.orders = [(1, {"OrderId": 1, "ServiceName": "canary"}), (2, {"ServiceName": "canary"})]
    world.reading(f"{world.server.url}/feed?key=canary").collect(world.inbox)
    world.always(Reply(401, b"canary"))
    with pytest.raises(SignedOut):
        world.collect()
    assert our_log(caplog)
    for word in ("canary", "Basic", "clerk"):
        assert word not in our_log(caplog)
