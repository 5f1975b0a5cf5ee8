"""Messages and folders made by somebody who means harm."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from desktop.services.errors import BadAnswer
from desktop.services.infotrack import proof
from desktop.services.infotrack.folder import DropFolder
from desktop.services.infotrack.messages import MAX_MESSAGES, MessageUnreadable, batch_of, parse_json, read_batch
from desktop.services.infotrack.trusted import Trusted
from desktop.services.infotrack.unreadable import Unreadable
from tests.infotrack.scripted_server import Clock, KeptInbox

SYDNEY = ZoneInfo("Australia/Sydney")


@pytest.mark.parametrize(("opening", "closing"), [(b'{"a":', b"}"), (b"[", b"]")])
@pytest.mark.parametrize("depth", [40, 400])
def test_a_message_nested_deep_is_put_aside_at_once_and_the_others_are_taken(depth: int, opening: bytes, closing: bytes) -> None:
    """H4: what is kept of it is short; writing it out in full would take longer than the sun will shine."""
    data = b'[{"OrderId":1},{"OrderId":2,"x":' + opening * depth + b"1" + closing * depth + b"}]"
    parsed = parse_json(data)
    assert isinstance(parsed, list)
    for batch in (read_batch(data, SYDNEY), batch_of(parsed, SYDNEY)):
        assert [found.message.order_id for found in batch.messages] == ["1"]
        (bad,) = batch.unreadable
        assert b"'OrderId': 2" in bad.raw
        assert len(bad.raw) < 1_000


@pytest.mark.parametrize("part", [b"{}", b"[]"])
def test_a_file_of_millions_of_empty_parts_is_refused_before_they_are_made(part: bytes) -> None:
    """H3: 18 MB of them were gigabytes of memory and half a minute."""
    with pytest.raises(MessageUnreadable, match="more parts"):
        read_batch(b"[" + b",".join([part] * (30 * MAX_MESSAGES)) + b"]", SYDNEY)


@pytest.mark.parametrize("after", [b"x", b"<html>", b" <p>", b""])
def test_a_page_that_begins_with_hundreds_of_comments_is_judged_at_once(after: bytes) -> None:
    """H3: a pattern that tried every way to group them held up the deliveries for ever."""
    with pytest.raises(BadAnswer):
        proof.extension(b"<!---->" * 500 + after, "text/html", length_proved=True)


class Share:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Clock()
        self.inbox = KeptInbox()
        self.source = DropFolder(folder, SYDNEY, clock=self.clock, wait=None)

    def settle(self) -> None:
        self.source.collect(self.inbox)
        self.clock.now += 2.0
        self.source.collect(self.inbox)


@pytest.fixture
def share(tmp_path: Path) -> Share:
    folder = tmp_path / "drop"
    folder.mkdir()
    return Share(folder)


def test_a_reason_is_not_written_through_a_link_that_somebody_laid(share: Share, tmp_path: Path) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("precious")
    (share.folder / "failed").mkdir()
    (share.folder / "failed" / "a.xml.reason.txt").symlink_to(mine)
    (share.folder / "a.xml").write_text("no message")
    share.settle()
    assert mine.read_text() == "precious"
    reason = share.folder / "failed" / "a.xml.reason.txt"
    assert not reason.is_symlink()
    assert reason.read_text() == "The file is neither XML nor JSON.\n"


def test_a_file_is_not_moved_through_a_link_that_stands_for_the_processed_folder(share: Share, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (share.folder / "processed").symlink_to(elsewhere, target_is_directory=True)
    (share.folder / "a.json").write_text('{"OrderId": 71000123}')
    share.settle()
    assert list(elsewhere.iterdir()) == []
    assert len(share.inbox.recorded) == 1
    share.source.collect(share.inbox)
    assert len(share.inbox.recorded) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="rights are kept otherwise there")
def test_what_could_not_be_read_is_kept_for_its_owner_alone(tmp_path: Path) -> None:
    """B9: a message names clients."""
    before = os.umask(0)
    try:
        Unreadable(tmp_path / "unreadable").keep(b"{}", "reason")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "unreadable").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "unreadable").iterdir()} == {0o600}


@pytest.mark.parametrize(
    "host",
    ["169.254.169.254", "10.0.0.5", "192.168.1.1", "0.0.0.0", "2130706433", "0x7f.1", "127.1", "[fd00::1]", "[::ffff:10.0.0.1]"],
)
def test_a_message_can_not_make_this_pc_ask_the_office_network_by_number(host: str) -> None:
    """G3's rule, for downloads: unless the firm's IT named the host."""
    assert not Trusted(("infotrack.com.au",), "https://api.infotrack.com.au/v1/").reachable(f"https://{host}/")
    assert not Trusted(("localhost",), "http://127.0.0.1:8000/").reachable(f"https://{host}/")


def test_a_host_of_the_office_network_that_it_named_is_asked() -> None:
    assert Trusted(("10.0.0.5",), "https://api.infotrack.com.au/v1/").reachable("https://10.0.0.5:8443/file")
    assert Trusted((), "https://10.0.0.5/v1/").reachable("https://10.0.0.5/file")
    assert Trusted((), "https://api.infotrack.com.au/v1/").reachable("https://1.1.1.1/file")
    assert Trusted((), "https://api.infotrack.com.au/v1/").reachable("https://123.example/file")
