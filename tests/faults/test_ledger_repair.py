"""A damaged ledger is set aside, its newest good backup is opened, and nothing is lost or sent twice. Files are truly broken."""

from __future__ import annotations

import multiprocessing
import os
import stat
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from random import Random

import apsw
import pytest

from desktop.services.errors import AnswerLost
from desktop.services.infotrack.model import Incoming, Source
from desktop.services.ledger import files
from desktop.services.ledger.errors import LedgerDamaged, LedgerError, LedgerTrouble
from desktop.services.ledger.ledger import Ledger
from desktop.services.ledger.store import Store
from tests.delivery.stand_in import XPM, Books, Clock, FakeFeed, Office, fee, order

DAY = 86_400.0
QUIET = 180.0


class Firm:
    """One PC, its books and its feed; the books and the clock outlive every ledger."""

    def __init__(self, folder: Path, *, takeover: timedelta = timedelta()) -> None:
        self.folder = folder
        self.clock = Clock()
        self.books = Books(self.clock)
        self.feed = FakeFeed()
        self.office = Office(folder, self.clock, self.books, feed=self.feed, takeover=takeover)

    @property
    def ledger(self) -> Path:
        return self.folder / "ledger.db"

    def stop(self) -> None:
        self.office.ledger.close()

    def start(self) -> None:
        self.office.start()

    def restart_with(self, break_it: Callable[[Path], None]) -> None:
        self.stop()
        break_it(self.ledger)
        self.clock.pass_time(DAY)  # the day's check is due
        self.start()

    def backups(self) -> list[Path]:
        return sorted((self.folder / "ledger-backups").glob("ledger-*.db"))

    def aside(self) -> list[Path]:
        return sorted(path for path in self.folder.glob("ledger.db.damaged-*") if path.name[-4:] not in ("-wal", "-shm"))

    def is_right(self) -> None:
        """Every key stands once, everything has come to an end, and what is confirmed is in the books. A line under a number
        that the restored ledger had no need of counts as another PC's; the sums tell whether that was right."""
        counted = Counter(self.books.posted_keys())
        assert {key: times for key, times in counted.items() if times > 1} == {}
        ends = self.office.states()
        assert set(ends.values()) <= {"confirmed", "cancelled"}, ends
        assert {key for key, state in ends.items() if state == "confirmed"} == set(counted) & set(ends)


def overwrite(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096:] = os.urandom(len(content) - 4096)
    path.write_bytes(content)


def first_page(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[:4096] = bytes(4096)
    path.write_bytes(content)


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def removed(path: Path) -> None:
    path.unlink()


def text_instead(path: Path) -> None:
    path.write_bytes(b"This is no ledger. " * 1000)


BREAKS = [overwrite, first_page, cut_short, emptied, removed, text_instead]


@pytest.mark.parametrize("break_it", BREAKS)
def test_a_broken_ledger_ends_with_every_line_once(tmp_path: Path, break_it: Callable[[Path], None]) -> None:
    """C13: after a backup, results came from a feed, a file and by hand, were sent, changed, and left unanswered."""
    firm = Firm(tmp_path)
    office = firm.office
    name = office.ledger.installation
    firm.feed.messages = [order("1", retailer=fee("10.00", "1.00"), hash="a", sequence=1)]
    office.deliver_until(60)
    assert len(firm.backups()) == 1
    office.receive(order("2", retailer=fee("5.00")), source=Source.FOLDER)
    firm.feed.messages.append(order("1", retailer=fee("12.00", "1.20"), hash="b", sequence=2))
    office.ledger.record([Incoming(order("3", retailer=fee("3.00")), b"typed", Source.TYPED, "J002", "a.pdf", b"%PDF-1.7 x")])
    office.deliver_until(60)
    office.practice.fault = lambda call, what: AnswerLost("The line broke.") if call == "post_cost" else None
    office.practice.does_it_anyway = True
    office.receive(order("4", number="J003", retailer=fee("4.00")))
    office.courier.run_once()
    office.practice.fault = lambda call, what: None
    office.receive(order("5", number="J003", retailer=fee("6.00")))
    office.courier.plan_only()
    before = dict(office.states())

    firm.restart_with(break_it)
    assert firm.office.ledger.installation == name
    assert len(firm.aside()) == (0 if break_it is removed else 1)
    assert "restored" in firm.office.ledger.notices()[0]
    posted = list(firm.books.posted_keys())
    firm.office.courier.run_once()
    assert firm.books.posted_keys() == posted, "sent before it was looked for"
    firm.office.deliver_until(3600)
    firm.is_right()
    assert before.keys() <= firm.office.states().keys() | {"IT-1-R-2"}
    assert firm.books.sum_on("J001") == 17
    assert firm.books.sum_on("J002") == 3
    assert firm.books.sum_on("J003") == 10
    assert firm.office.ledger.first_bad_step() is None
    firm.stop()


@pytest.mark.parametrize("break_it", [overwrite, removed])
def test_without_any_backup_it_is_made_anew_and_knows_its_name(tmp_path: Path, break_it: Callable[[Path], None]) -> None:
    """C13: the feed is read from the start, what was typed in comes from the journal, and the books decide."""
    firm = Firm(tmp_path)
    name = firm.office.ledger.installation
    ours = firm.office.ours()
    firm.feed.messages = [order(str(number), retailer=fee("2.00"), reference=ours, sequence=number) for number in range(1, 8)]
    firm.office.ledger.record([Incoming(order("90", retailer=fee("3.00")), b"typed", Source.TYPED, "J002")])
    firm.office.deliver_until(60)
    for backup in firm.backups():
        backup.unlink()
    firm.restart_with(break_it)
    assert firm.office.ledger.installation == name
    assert "no backup" in firm.office.ledger.notices()[0]
    firm.office.deliver_until(3600)
    firm.is_right()
    assert firm.books.sum_on("J001") == 14
    assert firm.books.sum_on("J002") == 3
    assert {view.origin.value for view in firm.office.ledger.orders()} == {"ours", "typed in"}
    firm.stop()


def test_a_damaged_backup_is_passed_over(tmp_path: Path) -> None:
    """C13: the newest good one is opened, and everything since is heard of."""
    firm = Firm(tmp_path)
    for number in range(1, 5):
        firm.office.receive(order(str(number), retailer=fee("2.00")))
        firm.office.deliver_until(60)
        firm.clock.pass_time(DAY)
        firm.office.courier.run_once()
    found = firm.backups()
    assert len(found) == 5
    for path in found[-2:]:
        overwrite(path)
    firm.restart_with(overwrite)
    assert f"{day_of(found[-3])}" in firm.office.ledger.notices()[0]
    firm.office.deliver_until(3600)
    firm.is_right()
    assert firm.books.sum_on("J001") == 8
    firm.stop()


def day_of(path: Path) -> str:
    return f"{int(path.name[13:15]):02d} March 2026"


def test_what_a_person_decided_since_the_backup_still_counts(tmp_path: Path) -> None:
    """C13: a move, a take-over and a cancelled line; nothing that was not wanted is posted."""
    firm = Firm(tmp_path)
    office = firm.office
    office.courier.run_once()
    office.receive(*[order(str(number), retailer=fee("2.00")) for number in (1, 2, 3)])
    office.receive(order("4", number="", retailer=fee("4.00")))
    office.courier.plan_only()
    office.ledger.cancel("IT-2-T-1")
    office.ledger.move("3", office.lookup.matters[2])
    office.ledger.move("4", office.lookup.matters[1])
    firm.restart_with(overwrite)
    firm.office.deliver_until(3600)
    assert sorted(firm.books.posted_keys()) == ["IT-1-T-1", "IT-3-T-1", "IT-4-T-1"]
    assert firm.books.sum_on("J003") == 2
    assert firm.books.sum_on("J002") == 4
    assert firm.office.states()["IT-2-T-1"] == "held"
    assert "cancelled this before" in firm.office.reason("IT-2-T-1")
    firm.office.ledger.approve("IT-2-T-1")
    firm.office.deliver_until(3600)
    firm.is_right()
    firm.stop()


def test_nothing_is_sent_while_what_was_sent_before_may_still_land(tmp_path: Path) -> None:
    """C13, D6: a line that lands minutes after the restore is found, also for an order that the backup did not know."""
    firm = Firm(tmp_path)
    firm.office.courier.run_once()
    firm.office.practice.fault = lambda call, what: AnswerLost("The line broke.") if call == "post_cost" else None
    firm.office.practice.does_it_anyway = True
    firm.office.practice.late_by = timedelta(seconds=150)
    firm.office.receive(order("1", retailer=fee("2.00")))
    firm.office.courier.run_once()
    firm.stop()
    overwrite(firm.ledger)
    firm.start()
    firm.office.deliver_until(3600)
    assert firm.books.posted_keys() == ["IT-1-T-1"]
    firm.is_right()
    firm.stop()


def test_another_pcs_order_is_still_left_alone(tmp_path: Path) -> None:
    """C13, D9: a restore is no reason to be quicker than the others."""
    firm = Firm(tmp_path, takeover=timedelta(minutes=30))
    firm.office.receive(order("1", retailer=fee("2.00"), reference=f"ICONNECT1_zzzzzz|{XPM}|id-J001"))
    firm.office.courier.run_once()
    firm.stop()
    overwrite(firm.ledger)
    firm.start()
    firm.office.deliver_until(1500)
    assert firm.books.posted_keys() == []
    firm.office.deliver_until(3600)
    assert firm.books.posted_keys() == ["IT-1-T-1"]
    firm.stop()


# while it is in use


def spoil_in_place(path: Path) -> None:
    """As a failing disk does it, under everybody's open connections."""
    db = apsw.Connection(str(path))
    db.pragma("wal_checkpoint", "truncate")
    db.close()
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(size - 4096))
        file.flush()
        os.fsync(file.fileno())


@pytest.mark.skipif(os.name != "posix", reason="a file that others have open can't be renamed there")
def test_damage_that_shows_in_use_is_put_right_and_the_courier_goes_on(tmp_path: Path) -> None:
    """C13: no restart; the thread that meets it gets a passing trouble, and the next pass goes on in the restored file."""
    firm = Firm(tmp_path)
    firm.office.receive(*[order(str(number), retailer=fee("2.00"), hash=f"h{number}") for number in range(1, 30)])
    firm.office.deliver_until(60)
    firm.office.receive(order("50", retailer=fee("2.00")))
    spoil_in_place(firm.ledger)
    reports = [firm.office.courier.run_once() for _ in range(3)]
    assert any(report.ledger_fails for report in reports) or firm.aside()
    firm.office.deliver_until(3600)
    assert len(firm.aside()) == 1
    firm.is_right()
    assert firm.books.sum_on("J001") == 60
    firm.stop()


@pytest.mark.skipif(os.name != "posix", reason="a file that others have open can't be renamed there")
def test_a_process_that_holds_the_old_file_open_notices_and_goes_on_in_the_new_one(tmp_path: Path) -> None:
    """C13, C18: what it writes into the file that was set aside is not said to be stored."""
    firm = Firm(tmp_path)
    firm.office.receive(order("1", retailer=fee("2.00")))
    firm.office.deliver_until(60)
    other = Office(tmp_path, firm.clock, firm.books)
    spoil_in_place(firm.ledger)
    with pytest.raises(LedgerError):
        firm.office.receive(order("2", retailer=fee("3.00")))
    assert len(firm.aside()) == 1
    with pytest.raises(LedgerTrouble, match=r"replaced|put right"):
        other.receive(order("3", retailer=fee("4.00")))
    assert other.receive(order("3", retailer=fee("4.00"))) == 1
    assert firm.office.receive(order("2", retailer=fee("3.00"))) == 1
    firm.office.deliver_until(3600)
    other.deliver_until(60)
    firm.is_right()
    assert firm.books.sum_on("J001") == 9
    other.ledger.close()
    firm.stop()


@pytest.mark.skipif(os.name != "posix", reason="a file that others have open can't be renamed there")
def test_threads_that_meet_damage_together_mend_it_once(tmp_path: Path) -> None:
    """C13."""
    firm = Firm(tmp_path)
    firm.office.receive(*[order(str(number), retailer=fee("2.00")) for number in range(1, 40)])
    firm.office.deliver_until(60)
    spoil_in_place(firm.ledger)
    go = threading.Barrier(6)
    surprises: list[BaseException] = []
    noted: set[str] = set()

    def work(number: int) -> None:
        go.wait()
        end = time.monotonic() + 30
        tries = 0
        while tries < 4 or (str(number) not in noted and time.monotonic() < end):
            tries += 1
            try:
                firm.office.receive(order(str(number), retailer=fee("1.00")))
                noted.add(str(number))
                firm.office.ledger.deliveries()
            except LedgerTrouble:
                pass
            except BaseException as error:  # noqa: BLE001  # a thread's edge: the test looks at it
                surprises.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(100, 106)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert surprises == []
    assert len(firm.aside()) == 1
    assert noted == {str(number) for number in range(100, 106)}
    assert {view.order_id for view in firm.office.ledger.orders()} >= noted, "what was noted, and said to be, is there"
    firm.office.deliver_until(3600)
    firm.is_right()
    firm.stop()


# two at the same time, and cut off


def _start(folder: str, go: object, results: object) -> None:
    go.wait()  # type: ignore[attr-defined]
    clock = Clock()
    clock.pass_time(2 * DAY)
    try:
        ledger = Ledger.open(Path(folder) / "ledger.db", clock=clock, random=Random(os.getpid()))
        results.put((ledger.installation, len(ledger.orders())))  # type: ignore[attr-defined]
        ledger.close()
    except LedgerError as error:
        results.put((str(error), -1))  # type: ignore[attr-defined]


def test_processes_that_start_together_mend_it_once(tmp_path: Path) -> None:
    """C13: the tray and commands."""
    firm = Firm(tmp_path)
    name = firm.office.ledger.installation
    firm.office.receive(*[order(str(number), retailer=fee("2.00")) for number in range(1, 12)])
    firm.office.deliver_until(60)
    firm.stop()
    overwrite(firm.ledger)
    context = multiprocessing.get_context("spawn")
    go, results = context.Event(), context.Queue()
    children = [context.Process(target=_start, args=(str(tmp_path), go, results)) for _ in range(3)]
    for child in children:
        child.start()
    go.set()
    found = [results.get(timeout=60) for _ in children]
    for child in children:
        child.join()
    assert found == [(name, 11)] * 3
    assert len(firm.aside()) == 1


class _Cut(BaseException):
    """As if the process had been killed there."""


STEPS = ("rename", "sync_folder", "sync_file", "write_text", "make_empty")


@pytest.mark.parametrize("nth", range(1, 13))
def test_a_mending_that_was_cut_off_is_finished_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nth: int) -> None:
    """C13: killed before each step of it in turn, on the files as they then lie."""
    firm = Firm(tmp_path)
    firm.office.receive(*[order(str(number), retailer=fee("2.00"), hash=f"h{number}") for number in range(1, 12)])
    firm.office.deliver_until(60)
    firm.office.receive(order("20", retailer=fee("5.00")))
    firm.office.deliver_until(60)
    firm.stop()
    overwrite(firm.ledger)
    damaged = firm.ledger.read_bytes()
    firm.clock.pass_time(2 * DAY)
    calls = 0

    def counted(step: Callable[..., None]) -> Callable[..., None]:
        def call(*args: object) -> None:
            nonlocal calls
            calls += 1
            if calls == nth:
                raise _Cut
            step(*args)

        return call

    for name in STEPS:
        monkeypatch.setattr(files, name, counted(getattr(files, name)))
    try:
        firm.start()
    except _Cut:
        pass
    else:
        firm.stop()
    assert calls >= min(nth, 8)
    monkeypatch.undo()
    firm.start()
    (kept,) = firm.aside()
    assert kept.read_bytes() == damaged
    assert not (tmp_path / "ledger.db.mending").exists()
    firm.office.deliver_until(3600)
    firm.is_right()
    assert firm.books.sum_on("J001") == 27
    firm.stop()


def test_a_file_that_can_not_be_set_aside_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """C13, C16: another program holds it; nothing is sent, and the sentence says what to do."""
    firm = Firm(tmp_path)
    firm.office.receive(order("1", retailer=fee("2.00")))
    firm.stop()
    overwrite(firm.ledger)
    firm.clock.pass_time(DAY)

    def held(*_: object) -> None:
        raise PermissionError(13, "held")

    monkeypatch.setattr(files, "rename", held)
    with pytest.raises(LedgerDamaged, match="Nothing is sent"):
        firm.start()
    monkeypatch.undo()
    firm.start()
    firm.office.deliver_until(3600)
    firm.is_right()
    firm.stop()


# backups


def test_backups_are_made_daily_private_and_a_bounded_number(tmp_path: Path) -> None:
    """C13: one for each of the last seven days; the journal goes as far back as the oldest of them."""
    firm = Firm(tmp_path)
    before = os.umask(0)
    try:
        for number in range(1, 12):
            firm.office.receive(order(str(number), retailer=fee("2.00")))
            firm.office.deliver_until(60)
            firm.clock.pass_time(DAY)
    finally:
        os.umask(before)
    firm.office.courier.run_once()
    assert len(firm.backups()) == 7
    kept = list((tmp_path / "ledger-backups").iterdir())
    assert len(kept) <= 15
    if os.name == "posix":
        assert {stat.S_IMODE(path.stat().st_mode) for path in kept} == {0o600}
        assert stat.S_IMODE((tmp_path / "ledger-backups").stat().st_mode) == 0o700
    newest = apsw.Connection(str(firm.backups()[-1]), flags=apsw.SQLITE_OPEN_READONLY)
    assert list(newest.execute("SELECT count(*) FROM delivery")) == [(11,)]
    newest.close()
    firm.stop()


def test_a_damaged_ledger_never_takes_a_good_backups_place(tmp_path: Path) -> None:
    """C13: damage that only a whole look shows is met before the next backup is made."""
    firm = Firm(tmp_path)
    firm.office.receive(*[order(str(number), retailer=fee("2.00"), hash=f"h{number}") for number in range(1, 9)])
    firm.office.deliver_until(60)
    good = {path.name: path.read_bytes() for path in firm.backups()}
    db = apsw.Connection(str(firm.ledger))
    db.execute("UPDATE body SET content = CAST('%PDF-1.7 other' AS BLOB)")
    db.close()
    firm.clock.pass_time(DAY)
    for _ in range(3):
        firm.office.courier.run_once()
    assert {name: (tmp_path / "ledger-backups" / name).read_bytes() for name in good} == good
    assert len(firm.aside()) == 1
    firm.office.deliver_until(3600)
    firm.is_right()
    firm.stop()


def test_a_backup_under_load_is_whole(tmp_path: Path) -> None:
    """C11, C13: made again and again while two other ledgers write."""
    firm = Firm(tmp_path)
    done = threading.Event()

    def write(first: int) -> None:
        ledger = Ledger.open(firm.ledger, clock=firm.clock, random=Random(first))
        for number in range(first, first + 60):
            ledger.record([Incoming(order(str(number), retailer=fee("1.00")), b"x" * 2000, Source.FILE)])
        ledger.close()
        done.set()

    threads = [threading.Thread(target=write, args=(first,)) for first in (1000, 2000)]
    for thread in threads:
        thread.start()
    made = 0
    while not done.is_set() or made < 3:
        assert firm.office.ledger._mending is not None
        firm.office.ledger._mending.backups.make(
            firm.office.ledger._store.connection(), firm.clock() + timedelta(seconds=made), 1
        )  # raises when it does not prove whole
        made += 1
    for thread in threads:
        thread.join()
    assert len(firm.office.ledger.orders()) == 120
    firm.stop()


def test_a_backup_that_can_not_be_made_is_said_and_keeps_nothing_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """C13, C6."""
    firm = Firm(tmp_path)

    def no_room(self: object, size: int) -> bool:
        return False

    monkeypatch.setattr("desktop.services.ledger.backups.Backups.has_room_for", no_room)
    firm.office.receive(order("1", retailer=fee("2.00")))
    firm.office.deliver_until(60)
    firm.is_right()
    assert firm.backups() == []
    assert "too little room" in firm.office.ledger.notices()[0]
    monkeypatch.undo()
    firm.clock.pass_time(3600)
    firm.office.courier.run_once()
    assert len(firm.backups()) == 1
    assert firm.office.ledger.notices() == ()
    firm.stop()


def test_files_that_were_read_back_long_ago_are_erased_and_their_hashes_kept(tmp_path: Path) -> None:
    """J9: nothing of the file is left in the ledger's own file; whatever is under way keeps its own."""
    firm = Firm(tmp_path)
    firm.office.files.content = lambda url: b"%PDF-1.7 CANARY " + url.encode() * 50
    firm.office.receive(order("1", retailer=fee("2.00"), hash="h"))
    firm.office.deliver_until(60)
    firm.clock.pass_time(32 * DAY)
    firm.office.courier.run_once()
    assert firm.office.ledger.body("IT-1-D-1") == ("Title Search 12RP90001 1.pdf", b"")
    firm.stop()
    assert b"CANARY" not in firm.ledger.read_bytes()


def test_a_scanner_that_holds_a_file_for_a_moment_is_waited_for(tmp_path: Path) -> None:
    """C16: Windows' errors 5, 32 and 33 are tried again for up to two and a half seconds, others are not."""
    at, tries = [0.0], [0]

    def held(number: int | None, until: float) -> Callable[[Path, Path], None]:
        def replace(source: Path, target: Path) -> None:
            tries[0] += 1
            if at[0] < until:
                error = OSError(13, "held")
                if number is not None:
                    error.winerror = number  # type: ignore[attr-defined,unused-ignore]
                raise error
            source.replace(target)

        return replace

    def sleep(seconds: float) -> None:
        at[0] += seconds

    for number in (5, 32, 33):
        at[0], tries[0] = 0.0, 0
        (tmp_path / "a").write_text("x")
        files.rename(tmp_path / "a", tmp_path / "b", replace=held(number, 2.0), clock=lambda: at[0], sleep=sleep)
        assert (tmp_path / "b").read_text() == "x"
        assert tries[0] > 5
    for other in (32, None, 2):
        at[0], tries[0] = 0.0, 0
        (tmp_path / "a").write_text("x")
        with pytest.raises(OSError, match="held"):
            files.rename(tmp_path / "a", tmp_path / "b", replace=held(other, 99.0), clock=lambda: at[0], sleep=sleep)
        assert (at[0] >= 2.5) == (other == 32)
        assert at[0] < 3


def test_a_restored_store_does_not_know_the_old_ones_settings(tmp_path: Path) -> None:
    """C1: the settings are read back in the restored file too."""
    firm = Firm(tmp_path)
    firm.office.receive(order("1", retailer=fee("2.00")))
    firm.restart_with(overwrite)
    db = firm.office.ledger._store.connection()
    assert [str(db.pragma(name)) for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")] == [
        "wal",
        "2",
        "1",
        "1",
    ]
    assert isinstance(firm.office.ledger._store, Store)
    firm.stop()
