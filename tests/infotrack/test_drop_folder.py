"""The drop folder, with real files in a real folder and a clock that the test moves."""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from desktop.services.errors import NotNow
from desktop.services.infotrack.folder import DropFolder
from desktop.services.infotrack.messages import MAX_BYTES
from desktop.services.infotrack.model import Source
from tests.infotrack.scripted_server import Clock, KeptInbox, LedgerFull, our_log

SYDNEY = ZoneInfo("Australia/Sydney")


class World:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Clock()
        self.inbox = KeptInbox()
        self.source = self.another_pc()

    def another_pc(self) -> DropFolder:
        return DropFolder(self.folder, SYDNEY, clock=self.clock, wait=None)

    def put(self, name: str, content: str | bytes | None = None) -> Path:
        path = self.folder / name
        if content is None:
            content = '<Order Version="1.0"><OrderId>71000123</OrderId></Order>'
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def poll(self, seconds: float = 0.0) -> int:
        self.clock.now += seconds
        return self.source.collect(self.inbox)

    def settle(self) -> int:
        self.poll()
        return self.poll(2.0)

    def names(self, below: str = ".") -> list[str]:
        return sorted(path.name for path in (self.folder / below).iterdir() if path.is_file())


@pytest.fixture
def world(tmp_path: Path) -> World:
    folder = tmp_path / "drop"
    folder.mkdir()
    return World(folder)


def test_a_file_is_taken_when_it_has_stood_still_for_two_seconds(world: World) -> None:
    world.put("a.xml")
    assert world.poll() == 0
    assert world.poll(1.9) == 0
    assert world.names() == ["a.xml"]
    assert world.poll(0.1) == 1
    assert (world.names(), world.names("processed")) == ([], ["a.xml"])
    assert world.inbox.ids == ["71000123"]
    assert world.inbox.recorded[0].source is Source.FOLDER


def test_a_file_that_is_still_being_written_is_left(world: World) -> None:
    path = world.put("a.xml", "<Order><OrderId>7100")
    world.poll()
    for more in ("01", "23", "</OrderId>", "</Order>"):
        with path.open("a") as file:
            file.write(more)
        assert world.poll(1.5) == 0
    assert world.poll(2.0) == 1
    assert world.inbox.ids == ["71000123"]


def test_a_file_rewritten_with_the_same_size_starts_to_stand_still_anew(world: World) -> None:
    path = world.put("a.json", '{"OrderId": 1}')
    os.utime(path, ns=(1, 1))
    world.poll()
    path.write_text('{"OrderId": 2}')
    os.utime(path, ns=(2, 2))
    assert world.poll(5) == 0
    assert world.poll(2) == 1
    assert world.inbox.ids == ["2"]


def test_due_in_says_when_a_file_will_have_stood_still(world: World) -> None:
    assert world.source.due_in() is None
    world.put("a.xml")
    world.poll()
    assert world.source.due_in() == 2.0
    world.clock.now += 5
    assert world.source.due_in() == 0.0
    world.poll()
    assert world.source.due_in() is None


def test_a_single_pass_stays_for_a_new_file_to_stand_still(world: World) -> None:
    world.put("a.xml")
    world.put("empty.xml", b"")
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        world.clock.now += seconds

    source = DropFolder(world.folder, SYDNEY, clock=world.clock, wait=wait)
    assert source.collect(world.inbox) == 1
    assert waits == [pytest.approx(2.01)]
    assert source.collect(world.inbox) == 0
    assert len(waits) == 1, "not for an empty file, which has ten seconds"
    assert source.due_in() == pytest.approx(7.99)


def test_a_single_pass_in_the_real_time_takes_a_new_file(world: World) -> None:
    world.put("a.xml")
    assert DropFolder(world.folder, SYDNEY).collect(world.inbox) == 1


def test_logs_hold_no_file_name_and_no_content(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """J1"""
    caplog.set_level(logging.DEBUG)
    world.put("canary name.xml", "<canary/>")
    world.put("canary.json", '[{"OrderId": 1, "ServiceName": "canary"}, {"OrderId": "canary"}]')
    world.settle()
    assert len(world.names("failed")) == 4
    assert our_log(caplog)
    assert "canary" not in our_log(caplog)
    assert "canary" not in "".join(path.read_text() for path in (world.folder / "failed").glob("*.txt"))


def test_an_empty_file_has_ten_seconds_to_get_content(world: World) -> None:
    world.put("late.xml", b"")
    world.put("never.xml", b"")
    world.poll()
    assert world.poll(9.9) == 0
    world.put("late.xml")
    assert world.poll(0.1) == 0
    assert world.names("failed") == ["never.xml", "never.xml.reason.txt"]
    assert world.poll(2) == 1


@pytest.mark.parametrize("name", ["A.XML", "b.Json", "Zoë & co – 1.xml", "x" * 200 + ".json", "no order here.xml"])
def test_a_files_name_means_nothing(world: World, name: str) -> None:
    world.put(name, '{"OrderId": 5}')
    assert world.settle() == 1
    assert world.names("processed") == [name]


def test_what_is_no_message_file_is_not_touched(world: World, tmp_path: Path) -> None:
    for name in (".hidden.xml", "~tmp.json", "a.tmp", "b.xml.part", "readme.txt", "xml"):
        world.put(name)
    (world.folder / "dir.xml").mkdir()
    outside = tmp_path / "secret.xml"
    outside.write_text("<Order><OrderId>9</OrderId></Order>")
    (world.folder / "link.xml").symlink_to(outside)
    os.mkfifo(world.folder / "pipe.xml")
    before = sorted(world.folder.iterdir())
    assert world.settle() == 0
    assert sorted(world.folder.iterdir()) == before
    assert outside.exists()


def test_an_unreadable_file_goes_to_failed_with_its_reason(world: World) -> None:
    world.put("a.xml", "<Order><OrderId>abc</OrderId></Order>")
    world.put("b.json", '{"OrderId": 5}')
    assert world.settle() == 1
    assert world.names() == []
    assert world.names("failed") == ["a.xml", "a.xml.reason.txt"]
    assert (world.folder / "failed" / "a.xml.reason.txt").read_text() == "The OrderId is not a positive whole number.\n"


def test_a_name_of_full_length_has_room_for_its_reason(world: World) -> None:
    world.put("x" * 250 + ".xml", "bad")
    world.put("ä" * 125 + ".xml", "bad")
    world.settle()
    assert world.names() == []
    assert len(world.names("failed")) == 4


def test_a_huge_file_is_refused_unread(world: World) -> None:
    with (world.folder / "big.xml").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    assert world.settle() == 0
    assert "larger than" in (world.folder / "failed" / "big.xml.reason.txt").read_text()


def test_a_message_is_recorded_before_its_file_moves(world: World) -> None:
    world.put("a.xml")
    world.poll()
    world.inbox.full = True
    world.clock.now += 2
    with pytest.raises(LedgerFull):
        world.source.collect(world.inbox)
    assert world.names() == ["a.xml"]
    world.inbox.full = False
    assert world.poll() == 1
    assert world.names("processed") == ["a.xml"]


def test_another_installations_order_stays_until_it_may_be_taken(world: World) -> None:
    world.put("a.xml")
    world.inbox.mine = lambda _message: False
    assert world.settle() == 0
    assert world.poll(600) == 0
    assert world.names() == ["a.xml"]
    world.inbox.mine = lambda _message: True
    assert world.poll(600) == 1
    assert world.names("processed") == ["a.xml"]


def test_a_waiting_file_is_not_read_again_while_it_stays_the_same(world: World) -> None:
    path = world.put("a.xml")
    world.inbox.mine = lambda _message: False
    world.settle()
    read_at = path.stat().st_atime_ns
    os.utime(path, ns=(1, path.stat().st_mtime_ns))
    world.poll(5)
    assert path.stat().st_atime_ns == 1 < read_at
    assert world.inbox.asked == 2


def test_of_several_messages_in_a_file_ours_are_taken_and_the_file_waits_for_the_rest(world: World) -> None:
    world.put("a.json", '[{"OrderId": 1}, {"OrderId": 2}, {"OrderId": 3}]')
    world.inbox.mine = lambda message: message.order_id != "2"
    assert world.settle() == 2
    assert world.names() == ["a.json"]
    assert world.poll(5) == 0
    assert world.inbox.calls == 1, "what was recorded is not recorded at each pass"
    world.inbox.mine = lambda _message: True
    assert world.poll(5) == 1
    assert world.inbox.ids == ["1", "3", "2"]
    assert world.names("processed") == ["a.json"]


def test_a_bad_message_among_good_ones_is_named_and_the_good_ones_count(world: World) -> None:
    world.put("a.json", '[{"OrderId": 1}, {"OrderId": "?"}]')
    assert world.settle() == 1
    reason = (world.folder / "failed" / "a.json.reason.txt").read_text()
    assert reason.startswith("1 of the 2 messages in this file were taken.")
    assert "message 2: The OrderId is not a positive whole number." in reason


def test_a_name_that_was_there_before_is_not_overwritten(world: World) -> None:
    for order in (1, 2, 3):
        world.put("a.xml", f"<Order><OrderId>{order}</OrderId></Order>")
        assert world.settle() == 1
    for bad in ("x", "y"):
        world.put("a.xml", bad)
        world.settle()
    assert world.names("processed") == ["a-1.xml", "a-2.xml", "a.xml"]
    assert (world.folder / "processed" / "a-2.xml").read_text() == "<Order><OrderId>3</OrderId></Order>"
    assert world.names("failed") == ["a-1.xml", "a-1.xml.reason.txt", "a.xml", "a.xml.reason.txt"]


def test_a_file_that_another_pc_moves_first_is_simply_gone(world: World) -> None:
    path = world.put("a.xml")
    world.poll()

    def moved_by_another(_message: object) -> bool:
        (world.folder / "processed").mkdir()
        path.rename(world.folder / "processed" / "a.xml")
        return True

    world.inbox.mine = moved_by_another
    world.poll(2)
    assert (world.names(), world.names("processed")) == ([], ["a.xml"])


def test_a_file_that_is_replaced_after_it_was_read_is_not_moved_unread(world: World) -> None:
    world.put("a.json", '{"OrderId": 1}')
    world.poll()

    def replaced(_message: object) -> bool:
        world.inbox.mine = lambda _m: True
        world.put("new", '{"OrderId": 22}').replace(world.folder / "a.json")
        return True

    world.inbox.mine = replaced
    world.poll(2)
    assert world.names() == ["a.json"]
    world.poll()
    world.poll(2)
    assert world.inbox.ids == ["1", "22"]
    assert world.names() == []


def test_a_file_that_is_replaced_in_the_very_moment_of_its_move_goes_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.put("a.json", '{"OrderId": 1}')
    world.poll()
    real = Path.rename

    def replaced_first(path: Path, target: Path) -> Path:
        monkeypatch.setattr(Path, "rename", real)
        world.put("new", '{"OrderId": 22}').replace(path)
        return real(path, target)

    monkeypatch.setattr(Path, "rename", replaced_first)
    world.poll(2)
    assert (world.names(), world.names("processed")) == (["a.json"], [])
    world.settle()
    assert world.inbox.ids == ["1", "22"]


def test_two_pcs_at_the_same_moment_lose_nothing_and_move_each_file_once(world: World) -> None:
    count = 150
    for number in range(1, count + 1):
        world.put(f"{number}.json", f'{{"OrderId": {number}}}')
    pcs = [(world.another_pc(), KeptInbox()) for _ in range(3)]
    for source, inbox in pcs:
        source.collect(inbox)
    world.clock.now += 2
    gate = threading.Barrier(len(pcs))
    failures: list[BaseException] = []

    def work(source: DropFolder, inbox: KeptInbox) -> None:
        gate.wait()
        try:
            source.collect(inbox)
        except BaseException as error:  # noqa: BLE001 - reported by the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=work, args=pc) for pc in pcs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert world.names() == []
    assert world.names("processed") == sorted(f"{number}.json" for number in range(1, count + 1))
    assert {order for _, inbox in pcs for order in inbox.ids} == {str(number) for number in range(1, count + 1)}


def test_a_folder_that_is_gone_says_what_to_do_and_comes_back(world: World) -> None:
    world.put("a.xml")
    world.poll()
    away = world.folder.rename(world.folder.with_name("away"))
    with pytest.raises(NotNow, match="can't be reached"):
        world.poll(2)
    away.rename(world.folder)
    assert world.poll() == 0
    assert world.poll(2) == 1


def test_a_crash_between_recording_and_moving_records_the_same_again(world: World) -> None:
    world.put("a.xml")
    world.settle()
    (world.folder / "processed" / "a.xml").rename(world.folder / "a.xml")
    world.source = world.another_pc()
    assert world.settle() == 0, "the ledger knows the repeat"
    assert world.names("processed") == ["a.xml"]


def test_a_locked_file_is_left_and_spoken_of_only_when_that_lasts(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.put("a.xml")
    world.put("b.json", '{"OrderId": 2}')
    locked = True
    real = os.open

    def sharing_violation(path: str | os.PathLike[str], *rest: int) -> int:
        if locked and str(path).endswith("a.xml"):
            raise PermissionError(13, "The process cannot access the file")
        return real(path, *rest)

    monkeypatch.setattr(os, "open", sharing_violation)
    assert world.settle() == 1
    assert world.poll(30) == 0
    with pytest.raises(NotNow, match="can't be opened"):
        world.poll(31)
    locked = False
    assert world.poll() == 1
    assert world.names("processed") == ["a.xml", "b.json"]


def test_a_folder_that_may_only_be_read_says_so_and_records_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.put("a.xml")

    def refused(_self: Path, **_: object) -> None:
        raise PermissionError(13, "denied")

    world.poll()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "mkdir", refused)
        assert world.poll(2) == 1
        assert world.poll(30) == 0
        with pytest.raises(NotNow, match="can't be moved"):
            world.poll(31)
    assert (world.inbox.ids, world.inbox.calls) == (["71000123"], 1)
    assert world.poll(2) == 0
    assert world.names("processed") == ["a.xml"]


def test_older_files_are_recorded_first(world: World) -> None:
    for name, at in (("z.json", 10), ("a.json", 30), ("m.json", 20)):
        os.utime(world.put(name, f'{{"OrderId": {at}}}'), (at, at))
    world.settle()
    assert world.inbox.ids == ["10", "20", "30"]
