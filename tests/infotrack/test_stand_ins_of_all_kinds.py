"""What else a feed, a drop folder or a download may do that the vendor facts leave open: both readings of each."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from desktop.services.errors import AnswerLost, BadAnswer
from desktop.services.http import Http, Limits
from desktop.services.infotrack.credentials import Credentials
from desktop.services.infotrack.documents import Documents
from desktop.services.infotrack.feed import Feed
from desktop.services.infotrack.fields import amount, moment
from desktop.services.infotrack.folder import DropFolder
from desktop.services.infotrack.messages import MessageUnreadable, read, read_batch
from desktop.services.infotrack.trusted import Trusted
from desktop.services.infotrack.unreadable import Unreadable
from tests.infotrack.scripted_server import Clock, KeptInbox, KeptSecrets, Reply, Request, ScriptedServer

SYDNEY = ZoneInfo("Australia/Sydney")
XML = '<?xml version="1.0" encoding="utf-16"?><Order Version="1.0"><OrderId>71000123</OrderId><OrderedBy>Zoë</OrderedBy></Order>'


def ids(data: bytes | str) -> list[str]:
    return [found.order_id for found in read(data if isinstance(data, bytes) else data.encode(), SYDNEY)]


# messages


@pytest.mark.parametrize(
    "data",
    [
        '{"OrderId": 1}\n{"OrderId": 2}\n',
        '{"OrderId": 1}{"OrderId": 2}',
        '\ufeff{"OrderId": 1}\r\n\r\n[{"Order": {"OrderId": 2}}]',
        "<Order><OrderId>1</OrderId></Order><Order><OrderId>2</OrderId></Order>",
        '<?xml version="1.0"?><Order><OrderId>1</OrderId></Order>\r\n<?xml version="1.0"?>\n<Order><OrderId>2</OrderId></Order>',
        "<!-- two --><Order><OrderId>1</OrderId></Order><!-- more --><Order><OrderId>2</OrderId></Order>",
    ],
)
def test_messages_that_a_program_wrote_one_behind_the_other_are_all_taken(data: str) -> None:
    assert ids(data) == ["1", "2"]
    assert ids(data.encode("utf-16")) == ["1", "2"]


@pytest.mark.parametrize(
    "data",
    [
        '{"OrderId": 1}\n{"OrderId": ',
        '{"OrderId": 1}, {"OrderId": 2}',
        '{"OrderId": 1} and more',
        "<Order><OrderId>1</OrderId></Order><Order><OrderId>2",
        "<Order><OrderId>1</OrderId></Order> and more <",
        "<!DOCTYPE Order><Order><OrderId>1</OrderId></Order><Order><OrderId>2</OrderId></Order>",
        '<Order><OrderId>1</OrderId></Order><!DOCTYPE x [<!ENTITY a "b">]><Order><OrderId>2</OrderId></Order>',
        "<Order><OrderId>1</OrderId></Order></Orders><Orders><Order><OrderId>2</OrderId></Order>",
    ],
)
def test_what_is_cut_or_mixed_is_refused_whole(data: str) -> None:
    """H2: half of a message is not guessed at."""
    with pytest.raises(MessageUnreadable):
        read(data.encode(), SYDNEY)


@pytest.mark.parametrize(
    "order",
    [
        XML,
        "\ufeff" + XML.replace("utf-16", "windows-1252"),
        '{"OrderId": 71000123, "OrderedBy": "Zoë"}',
        '{"Order": {"-Version": "1.0", "OrderId": "71000123", "OrderedBy": "Zoë"}}',
    ],
)
def test_a_message_that_is_carried_as_text_within_another_is_read(order: str) -> None:
    page = json.dumps({"messages": [{"sequence": 7, "order": order}], "next": "7"})
    (found,) = read_batch(page.encode(), SYDNEY).messages
    assert (found.message.order_id, found.message.ordered_by, found.message.sequence) == ("71000123", "Zoë", 7)
    assert read(found.raw, SYDNEY) == (found.message,)


@pytest.mark.parametrize(
    "order", ["<Order>", "<!DOCTYPE o><Order><OrderId>5</OrderId></Order>", '{"OrderId"', "<p>Sign in</p>", "[]", ""]
)
def test_a_text_that_holds_no_message_is_set_apart_alone(order: str) -> None:
    batch = read_batch(json.dumps([{"OrderId": 1}, {"sequence": 7, "order": order}, {"OrderId": 3}]).encode(), SYDNEY)
    assert [found.message.order_id for found in batch.messages] == ["1", "3"]
    assert [bad.place for bad in batch.unreadable] == [2]


def test_texts_within_texts_come_to_an_end() -> None:
    """H4"""
    nested = '{"OrderId": 5}'
    for _ in range(10):
        nested = json.dumps({"order": nested})
    with pytest.raises(MessageUnreadable):
        read(nested.encode(), SYDNEY)


@pytest.mark.parametrize(
    ("text", "coded"),
    [
        ("Žižka", "windows-1250"),
        ("Zoë", "iso-8859-15"),
        ("Zoë", "ibm850"),
        ("Zoë", "macintosh"),
        ("Иван", "koi8-r"),
        ("王", "gb18030"),
    ],
)
def test_the_encoding_that_a_file_declares_is_used(text: str, coded: str) -> None:
    xml = f'<?xml version="1.0" encoding="{coded}"?><Order><OrderId>1</OrderId><OrderedBy>{text}</OrderedBy></Order>'
    (found,) = read(xml.encode("mac-roman" if coded == "macintosh" else coded), SYDNEY)
    assert found.ordered_by == text


def test_xml_of_every_way_to_write_a_text_is_the_same() -> None:
    xml = "<Order><OrderId><![CDATA[71000123]]></OrderId><OrderedBy>A &amp; B<!-- x --> &#233;</OrderedBy><Status/></Order>"
    (found,) = read(xml.encode(), SYDNEY)
    assert (found.order_id, found.ordered_by, found.status) == ("71000123", "A & B é", "")


@pytest.mark.parametrize("told", ["0", 0, "", None, "soon", -1, "12.5"])
def test_a_sequence_number_of_nothing_does_not_hide_the_feeds_own(told: object) -> None:
    """A message without a number of its own goes by the feed's; zero is what a program writes that has none to tell."""
    page = {"messages": [{"sequence": "12", "order": {"OrderId": 1, "SequenceNumber": told}}]}
    (found,) = read(json.dumps(page).encode(), SYDNEY)
    assert found.sequence == 12
    assert read(json.dumps({"OrderId": 1, "SequenceNumber": told}).encode(), SYDNEY)[0].sequence is None


def test_a_flat_message_carries_the_feeds_number_beside_its_fields() -> None:
    (found,) = read(b'{"messages": [{"sequence": 12, "OrderId": 1}]}', SYDNEY)
    assert found.sequence == 12


@pytest.mark.parametrize(
    ("told", "expected"), [("$ 7.29", "7.29"), ("A$7.29", "7.29"), ("AU$1,234.50", "1234.50"), ("-A$ 7.29", "-7.29")]
)
def test_australian_dollars_are_read_with_their_sign(told: str, expected: str) -> None:
    """D19"""
    assert str(amount(told)) == expected


@pytest.mark.parametrize(
    "told",
    [
        "0001-01-01T00:00:00+10:00",
        "0001-01-01T00:00:00.0000000",
        "1/01/0001 12:00:00 AM",
        "0000-00-00T00:00:00",
        "/Date(-62135596800000)/",
    ],
)
def test_the_year_1_in_every_dress_is_no_date(told: str) -> None:
    assert moment(told, SYDNEY) is None


# the feed


class FeedWorld:
    def __init__(self, folder: Path) -> None:
        self.answer: Callable[[Request], Reply] = lambda _request: Reply(500)
        self.server = ScriptedServer(lambda request: self.answer(request))
        self.inbox = KeptInbox()
        credentials = Credentials(folder / "infotrack.json", KeptSecrets())
        credentials.keep("clerk", "password")
        self.feed = Feed(Http(), f"{self.server.url}/feed", credentials, Unreadable(folder / "unreadable"), SYDNEY, limit=2)

    def known_from(self, first: int, last: int, refusal: int) -> None:
        """A feed that has the numbers from `first` to `last`, and answers `refusal` to a cursor that lies outside."""

        def answer(request: Request) -> Reply:
            told = request.query.get("after", [None])[0]
            after = first - 1 if told is None else int(told)
            if not first - 1 <= after <= last:
                return Reply(refusal, b'{"message": "unknown cursor"}')
            found = list(range(after + 1, min(after + 2, last) + 1))
            messages = [{"sequence": number, "order": {"OrderId": 100 + number}} for number in found]
            return Reply(body=json.dumps({"messages": messages, "next": str(found[-1] if found else after)}).encode())

        self.answer = answer


@pytest.fixture
def feed(tmp_path: Path) -> Iterator[FeedWorld]:
    world = FeedWorld(tmp_path)
    with world.server:
        yield world


@pytest.mark.parametrize("refusal", [400, 404, 409, 410, 416, 422])
def test_a_feed_that_lost_our_cursor_is_read_from_its_start(feed: FeedWorld, refusal: int) -> None:
    feed.inbox.cursors[feed.feed.feed] = "5000"
    feed.known_from(1, 5, refusal)
    assert feed.feed.collect(feed.inbox) == 5
    assert feed.inbox.cursors == {feed.feed.feed: "5"}
    assert feed.feed.collect(feed.inbox) == 0


def test_a_feed_that_comes_past_the_lost_cursor_again_is_no_circle(feed: FeedWorld) -> None:
    feed.inbox.cursors[feed.feed.feed] = "4"
    feed.known_from(1, 5, 410)
    before, refused = feed.answer, [True]
    feed.answer = lambda request: (
        Reply(410) if request.query.get("after") == ["4"] and refused and refused.pop() else before(request)
    )
    assert feed.feed.collect(feed.inbox) == 5


@pytest.mark.parametrize("refusal", [400, 404, 410])
def test_a_feed_that_refuses_everything_is_asked_twice_and_named(feed: FeedWorld, refusal: int) -> None:
    feed.inbox.cursors[feed.feed.feed] = "9"
    feed.answer = lambda _request: Reply(refusal)
    with pytest.raises(BadAnswer, match=str(refusal)):
        feed.feed.collect(feed.inbox)
    assert len(feed.server.requests) == 2
    assert feed.inbox.cursors == {feed.feed.feed: "9"}


@pytest.mark.parametrize("refusal", [401, 403, 429, 500, 503])
def test_what_a_cursor_has_no_part_in_does_not_start_the_feed_anew(feed: FeedWorld, refusal: int) -> None:
    """D3: a firm's whole history is not asked for because a server is busy or shut."""
    feed.inbox.cursors[feed.feed.feed] = "9"
    feed.answer = lambda _request: Reply(refusal)
    with pytest.raises(Exception, match=r"."):
        feed.feed.collect(feed.inbox)
    assert len(feed.server.requests) == 1


def test_a_feed_that_was_set_back_to_a_lower_cursor_is_followed(feed: FeedWorld) -> None:
    feed.inbox.cursors[feed.feed.feed] = "5000"
    feed.known_from(1, 3, 410)
    inner = feed.answer

    def answer(request: Request) -> Reply:
        if request.query.get("after") == ["5000"]:
            return Reply(body=b'{"messages": [], "next": "0"}')
        return inner(request)

    feed.answer = answer
    assert feed.feed.collect(feed.inbox) == 3
    assert feed.inbox.cursors == {feed.feed.feed: "3"}


# the drop folder


class Share:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.clock = Clock()
        self.inbox = KeptInbox()
        self.source = DropFolder(folder, SYDNEY, clock=self.clock, wait=None)

    def poll(self, seconds: float) -> int:
        self.clock.now += seconds
        return self.source.collect(self.inbox)

    def settle(self) -> int:
        self.poll(0)
        return self.poll(2)

    def names(self, below: str = ".") -> list[str]:
        return sorted(path.name for path in (self.folder / below).iterdir() if path.is_file())


@pytest.fixture
def share(tmp_path: Path) -> Share:
    return Share(tmp_path / "drop")


def test_a_writer_that_pauses_in_the_middle_of_a_file_loses_nothing(share: Share) -> None:
    """The rule says two seconds; whoever writes over a slow line may need longer, and still has the file open where it lies."""
    with (share.folder / "a.xml").open("wb", buffering=0) as file:
        file.write(b"<Order><OrderId>7100")
        assert share.settle() == 0
        assert share.names("failed") == ["a.xml", "a.xml.reason.txt"]
        assert share.poll(60) == 0
        file.write(b"0123</OrderId></Order>")
        assert share.poll(2) == 0
        assert (share.names(), share.names("failed")) == (["a.xml"], [])
    assert share.settle() == 1
    assert share.inbox.ids == ["71000123"]
    assert share.names("processed") == ["a.xml"]


def test_what_failed_for_good_stays_where_it_is(share: Share) -> None:
    (share.folder / "a.xml").write_text("no message")
    share.settle()
    for seconds in (2, 60, 3600, 2):
        share.poll(seconds)
    assert share.names("failed") == ["a.xml", "a.xml.reason.txt"]
    (share.folder / "failed" / "a.xml").write_text("<Order><OrderId>1</OrderId></Order>")
    share.poll(2)
    assert share.names() == [], "after an hour nobody is still writing"


def test_a_failed_file_that_comes_back_does_not_push_a_new_one_of_its_name_aside(share: Share) -> None:
    (share.folder / "a.json").write_text("{")
    share.settle()
    (share.folder / "a.json").write_text('{"OrderId": 1}')
    (share.folder / "failed" / "a.json").write_text('{"OrderId": 2222}')
    share.settle()
    share.settle()
    assert sorted(share.inbox.ids) == ["1", "2222"]


def test_ten_thousand_files_of_one_writer_are_taken_in_one_pass(share: Share) -> None:
    """Each once, and no slower towards the end."""
    for number in range(1, 10_001):
        (share.folder / f"{number}.json").write_bytes(b'{"OrderId": %d}' % number)
    began = time.process_time()
    assert share.settle() == 10_000
    assert time.process_time() - began < 60
    assert share.names() == []
    assert len(share.names("processed")) == 10_000


def test_a_writer_that_gives_every_file_the_same_name_never_slows_it_down(share: Share, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[str] = []
    real = os.open

    def counted(path: str, *rest: int) -> int:
        tries.append(path)
        return real(path, *rest)

    for number in range(1, 131):
        (share.folder / "order.xml").write_text(f"<Order><OrderId>{number}</OrderId></Order>")
        if number == 130:
            monkeypatch.setattr(os, "open", counted)
        assert share.settle() == 1
    assert len(share.names("processed")) == 130
    assert len(tries) < 110


@pytest.mark.skipif(os.name == "nt", reason="no such names there")
@pytest.mark.parametrize(
    "name", ["CON.xml", "nul.JSON", "a:b.xml", "trailing .xml", "two\nlines.xml", "..xml", "-rf.json", "a" + "\u0301" * 60 + ".xml"]
)
def test_names_that_another_system_would_not_have_are_only_names(share: Share, name: str) -> None:
    taken = not name.startswith(".")
    (share.folder / name).write_text('{"OrderId": 5}')
    assert share.settle() == taken
    assert share.names("processed" if taken else ".") == [name]


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_a_name_that_is_no_text_is_moved_like_any_other(share: Share) -> None:
    path = os.fsencode(share.folder) + b"/\xff\xfe.json"
    with open(path, "wb") as file:  # noqa: PTH123 - a name of bytes
        file.write(b'{"OrderId": 5}')
    bad = os.fsencode(share.folder) + b"/\xff.xml"
    with open(bad, "wb") as file:  # noqa: PTH123 - as above
        file.write(b"x")
    assert share.settle() == 1
    assert [len(share.names(below)) for below in (".", "processed", "failed")] == [0, 1, 2]


def test_a_folder_of_many_files_that_vanish_while_they_are_read_is_simply_emptier(
    share: Share, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 40):
        (share.folder / f"{number:02}.json").write_text(f'{{"OrderId": {number}}}')
    share.poll(0)
    real = os.open

    def thief(path: str, *rest: int) -> int:
        if str(path).endswith("5.json"):
            Path(path).unlink(missing_ok=True)
        if str(path).endswith("7.json") and not str(path).endswith("-7.json") and Path(path).exists():
            Path(path).rename(Path(path).with_suffix(".away"))
        return real(path, *rest)

    monkeypatch.setattr(os, "open", thief)
    share.poll(2)
    monkeypatch.undo()
    left = {number for number in range(1, 40) if number % 10 not in (5, 7)}
    assert left <= {int(order) for order in share.inbox.ids}
    assert not (share.folder / "failed").exists()


# downloads


class Files:
    def __init__(self, folder: Path) -> None:
        self.reply = Reply(500)
        self.server = ScriptedServer(lambda _request: self.reply)
        credentials = Credentials(folder / "infotrack.json", KeptSecrets())
        credentials.keep("clerk", "password")
        trusted = Trusted(("infotrack.com.au",), self.server.url + "/v1/")
        limits = Limits(connect=5, read=5, total=10)
        self.documents = Documents(Http(), credentials, trusted, limits=limits)


@pytest.fixture
def files(tmp_path: Path) -> Iterator[Files]:
    world = Files(tmp_path)
    with world.server:
        yield world


@pytest.mark.parametrize("length", [True, False])
def test_two_hundred_megabytes_are_refused_before_they_are_in_memory(files: Files, length: bool) -> None:
    """D3: whether or not the server says how much it will be."""
    files.reply = Reply(200, b"%PDF-1.7\n" + bytes(200_000_000), "application/pdf", length=length)
    with pytest.raises((BadAnswer, AnswerLost)) as refusal:
        files.documents.fetch(files.server.url + "/v1/order/download/1")
    assert isinstance(refusal.value, BadAnswer)


@pytest.mark.parametrize(
    "body",
    [
        "<!doctype html><title>Sign in</title>".encode("utf-16"),
        b"\r\n\r\n<HTML><form><input TYPE=password></form>",
        b"<?xml version='1.0'?><!DOCTYPE html><html/>",
        b'{"error": "expired"}',
        b"<Error><Code>AccessDenied</Code></Error>",
        b"MZ\x90\x00 a program",
        b"0",
    ],
)
@pytest.mark.parametrize("kind", ["application/pdf", "application/octet-stream", "text/html; charset=utf-16", ""])
def test_no_page_is_filed_as_a_document_whatever_it_calls_itself(files: Files, body: bytes, kind: str) -> None:
    """D3: only the bytes count."""
    files.reply = Reply(200, body, kind)
    with pytest.raises(BadAnswer):
        files.documents.fetch(files.server.url + "/v1/order/download/1")
