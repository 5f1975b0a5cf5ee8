"""How long the trail is kept: purged by the settings alone, never on a clock's word, and what is left still proves itself."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import apsw
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.services.book_desk import BookDesk
from desktop.services.errors import Refused
from desktop.services.ledger import order_lists, retention
from desktop.services.ledger.examination import examined
from desktop.services.ledger.ledger import Ledger
from desktop.services.ledger.purged import PURGED, Purged, months_before, purged
from desktop.services.ledger.sealing import first_bad_link, trail_link
from desktop.services.window_books import WindowBooks
from desktop.settings import Audit
from tests.delivery.stand_in import START, Books, Clock, Office, fee, order
from tests.faults.disk import CHANGES, Disk, Stored, memory_vfs

DAY = timedelta(days=1)
ROOT = Path(__file__).resolve().parents[2]


class Firm:
    """One PC that delivers a cost each second week, for years."""

    def __init__(self, folder: Path, months: int | None = 12) -> None:
        self.clock = Clock()
        self.office = Office(folder, self.clock, Books(self.clock))
        self.orders = 0
        self.keep(months)

    def keep(self, months: int | None) -> None:
        audit = Audit() if months is None else Audit(keep_months=months)
        self.office.settings = msgspec.structs.replace(self.office.settings, audit=audit)
        self.office.courier.settings = self.office.settings

    def order(self) -> str:
        self.orders += 1
        self.office.receive(order(f"9{self.orders:05}", retailer=fee("5.00")))
        self.office.deliver_until(3600)
        return f"9{self.orders:05}"

    def work(self, days: int) -> None:
        until = self.clock.at + timedelta(days=days)
        while self.clock.at < until:
            self.order()
            self.clock.at += timedelta(days=14)

    def rest(self) -> None:
        """A night: the next pass looks after the file, and once more, after a purge of one go."""
        for _ in range(3):
            self.clock.at += timedelta(minutes=11)
            self.office.deliver()

    def rows(self) -> list[tuple[object, ...]]:
        with self.office.ledger.reading() as db:
            return list(db.execute("SELECT seq, at, order_id, what, reason, by, hash FROM trail ORDER BY seq"))

    def purge(self) -> Purged | None:
        """At once, without waiting for the weekly look."""
        return retention.purge(self.office.ledger._store, self.clock.at, 12)

    def first(self) -> int:
        return int(str(self.rows()[0][0]))

    def stub(self) -> Purged | None:
        with self.office.ledger.reading() as db:
            return purged(db)


@pytest.fixture
def firm(tmp_path: Path) -> Iterator[Firm]:
    made = Firm(tmp_path)
    yield made
    made.office.ledger.close()


def test_thirteen_months_later_the_first_month_is_gone_and_the_rest_proves_itself(firm: Firm, tmp_path: Path) -> None:
    """J5: the clock goes forward 13 months, as the firm works."""
    firm.work(70)
    before = firm.rows()
    firm.work(335)
    firm.rest()
    after = firm.rows()
    stub = firm.stub()
    assert stub is not None
    assert firm.first() == stub.last + 1 > 1
    assert firm.office.ledger.first_bad_step() is None
    assert stub.hash == next(row[6] for row in before if row[0] == stub.last)
    assert stub.first_at == datetime.fromisoformat(str(before[0][1]))
    assert stub.last_at <= months_before(firm.clock.at, 12) <= datetime.fromisoformat(str(after[0][1])) + timedelta(days=30)
    # What the steps were about stays: states, keys, and that nothing goes out a second time.
    assert set(firm.office.states().values()) == {"confirmed"}
    keys = firm.office.books.posted_keys()
    assert len(keys) == len(set(keys)) == firm.orders
    firm.office.restart()
    firm.keep(12)
    assert firm.office.ledger.is_sound()
    firm.order()
    assert firm.office.ledger.first_bad_step() is None
    told = examined(tmp_path / "ledger.db", firm.clock.at)
    assert not [one for one in told if one.bad]
    assert [one.message for one in told if one.name == "ledger's trail"] == [f"It is whole. {stub.sentence()}."]


def test_unless_the_settings_say_so_it_is_kept_for_ever(firm: Firm) -> None:
    """J5: the default."""
    firm.keep(None)
    assert Audit().months is None
    firm.work(800)
    firm.rest()
    assert firm.first() == 1
    assert firm.stub() is None


def test_a_second_purge_stands_for_the_first_one_too(firm: Firm) -> None:
    """J5: the newest stub tells of all that ever went, also when the older stub itself has gone."""
    firm.work(450)
    firm.rest()
    first = firm.stub()
    assert first is not None
    firm.work(450)
    firm.rest()
    second = firm.stub()
    assert second is not None
    assert second.last > first.last
    assert second.first_at == first.first_at
    assert firm.first() == second.last + 1
    assert firm.office.ledger.first_bad_step() is None


def test_the_steps_of_an_order_that_is_not_settled_are_never_purged(firm: Firm) -> None:
    """J5: how often it was sent, and what a person decided, is still needed; what came after it waits with it."""
    firm.work(20)
    firm.office.practice.fault = lambda call, what: Refused("No such code") if what == "IT-777-T-1" else None
    firm.office.receive(order("777", retailer=fee("9.00")))
    firm.office.deliver_until(3600)
    assert firm.office.states()["IT-777-T-1"] == "rejected"
    began = next(int(str(row[0])) for row in firm.rows() if row[2] == "777")
    firm.work(800)
    firm.rest()
    stub = firm.stub()
    assert stub is not None
    assert stub.last < began
    firm.office.ledger.cancel("IT-777-T-1")
    firm.work(20)
    firm.rest()
    later = firm.stub()
    assert later is not None
    assert later.last > began
    assert firm.office.ledger.first_bad_step() is None


@pytest.mark.parametrize("days", [0, 1, 20])
def test_a_clock_that_is_ahead_by_years_purges_nothing(firm: Firm, days: int) -> None:
    """J5: for a moment, for a day, and for weeks in which the program works on. Put right, it goes on as if nothing had been."""
    firm.work(200)
    right = firm.clock.at
    firm.clock.at += timedelta(days=5 * 365)
    for _ in range(days + 1):
        firm.order()
        assert firm.purge() is None
        firm.rest()
        firm.clock.at += DAY
    assert firm.first() == 1
    firm.clock.at = right + timedelta(days=days + 1)
    firm.work(60)
    firm.rest()
    assert firm.first() == 1
    assert firm.office.ledger.first_bad_step() is None


def test_a_silence_of_years_shows_nothing(firm: Firm) -> None:
    """J5: switched on again after years, the program keeps what it has until it has worked that long."""
    firm.work(30)
    firm.clock.at += timedelta(days=900)
    firm.work(300)
    firm.rest()
    assert firm.first() == 1
    firm.work(120)
    firm.rest()
    assert firm.first() > 1


def test_time_counts_when_it_was_followed_by_two_more_days(tmp_path: Path) -> None:
    """J5: the newest steps alone are no proof."""
    firm = Firm(tmp_path)
    firm.work(220)
    firm.clock.at += timedelta(days=150)
    firm.order()
    firm.clock.at += DAY
    firm.order()
    assert firm.purge() is None
    firm.clock.at += DAY / 2
    firm.order()
    assert firm.purge() is None
    firm.clock.at += 2 * DAY
    firm.order()
    assert firm.purge() is not None
    firm.office.ledger.close()


def test_an_order_that_never_found_a_matter_waits_for_a_person_with_its_steps(firm: Firm) -> None:
    """J5: its costs are owed still."""
    firm.office.receive(order("404", number="J404", retailer=fee("9.00")))
    firm.work(450)
    firm.rest()
    assert firm.office.states()["IT-404-T-1"] == "held"
    assert firm.first() == 1
    firm.office.ledger.cancel("IT-404-T-1")
    firm.work(14)
    firm.rest()
    assert firm.first() > 1


def test_steps_of_days_that_are_still_to_come_show_nothing(firm: Firm) -> None:
    """J5: the clock was ahead for some days, by less than a silence, and is right again: what it wrote meanwhile proves nothing."""
    firm.work(300)
    right = firm.clock.at
    firm.clock.at += timedelta(days=100)
    for _ in range(4):
        firm.order()
        firm.clock.at += DAY
    firm.clock.at = right + 4 * DAY
    assert firm.purge() is None
    firm.order()
    assert firm.purge() is None


def test_a_step_with_a_later_date_stays_until_that_date_is_old(firm: Firm) -> None:
    """J5: written by a clock that was ahead for a day: by its own date it is young, so it stays, and so does what came after."""
    firm.work(28)
    right = firm.clock.at
    firm.clock.at += timedelta(days=1000)
    firm.order()
    ahead = firm.orders
    firm.clock.at = right + DAY
    firm.work(450)
    firm.rest()
    stub = firm.stub()
    assert stub is not None
    assert stub.last < min(int(str(row[0])) for row in firm.rows() if row[2] == f"9{ahead:05}")
    assert firm.office.ledger.first_bad_step() is None


def test_a_clock_that_was_behind_for_a_day_purges_nothing_early(firm: Firm) -> None:
    """J5: steps dated years back look old, and are not."""
    firm.work(100)
    right = firm.clock.at
    firm.clock.at = right - timedelta(days=4000)
    firm.order()
    firm.clock.at = right + DAY
    for _ in range(15):
        firm.work(14)
        assert firm.purge() is None


def test_much_is_purged_in_several_goes(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    """J5: others wait for the ledger meanwhile."""
    firm.keep(None)
    firm.work(800)
    firm.keep(12)
    monkeypatch.setattr(retention, "AT_ONCE", 10)
    firm.clock.at += DAY
    firm.office.deliver()
    assert firm.first() == 11
    firm.rest()
    assert firm.first() == 41
    assert firm.office.ledger.first_bad_step() is None


def test_less_than_a_year_is_refused_at_the_last_door_too(firm: Firm) -> None:
    """J5."""
    with pytest.raises(ValueError, match="12 months or more"):
        retention.purge(firm.office.ledger._store, firm.clock.at, 11)


# ---- tampering -----------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def purged_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("purged")
    firm = Firm(folder)
    firm.work(450)
    firm.rest()
    assert firm.stub() is not None
    copy = folder / "copy.db"
    firm.office.ledger.backup(copy)
    firm.office.ledger.close()
    return copy


@pytest.fixture
def opened(purged_ledger: Path, tmp_path: Path) -> Iterator[apsw.Connection]:
    """A copy of the ledger in the hands of somebody with all rights to the file."""
    path = tmp_path / "ledger.db"
    path.write_bytes(purged_ledger.read_bytes())
    db = apsw.Connection(str(path))
    for name in ("trail_is_for_good_update", "trail_is_for_good_delete"):
        db.execute(f"DROP TRIGGER {name}")
    assert first_bad_link(db) is None
    yield db
    db.close()


def _change(what: str, to: str) -> Callable[[apsw.Connection], object]:
    return lambda db: db.execute("UPDATE trail SET reason = replace(reason, ?, ?) WHERE what = 'purged'", (what, to))


@pytest.mark.parametrize(
    "damage",
    [
        _change("Steps 1 to ", "Steps 1 to 1"),
        _change("2026-", "2025-"),
        _change("12 months", "84 months"),
        _change("Last hash: ", "Last hash:  "),
        _change("hash: ", "hash: 0"),
        _change("Steps", "Nothing"),
        _change("T", "?"),
        _change("Z", ""),
        lambda db: db.execute("UPDATE trail SET at = '2027-01-01' WHERE what = 'purged'"),
        lambda db: db.execute("UPDATE trail SET at = 'never' WHERE what = 'purged'"),
        lambda db: db.execute("UPDATE trail SET what = 'noted' WHERE what = 'purged'"),
        lambda db: db.execute("DELETE FROM trail WHERE what = 'purged'"),
        lambda db: db.execute("DELETE FROM trail WHERE seq = (SELECT min(seq) FROM trail)"),
        lambda db: db.execute("DELETE FROM trail WHERE seq = (SELECT max(seq) FROM trail)"),
        lambda db: db.execute("UPDATE trail SET by = 'x' WHERE seq = (SELECT min(seq) FROM trail)"),
    ],
)
def test_a_stub_that_was_changed_and_a_step_taken_out_beside_it_are_found(
    opened: apsw.Connection, damage: Callable[[apsw.Connection], object]
) -> None:
    """J5, J4."""
    damage(opened)
    assert first_bad_link(opened) is not None


def _forge(db: apsw.Connection, last: int, made_at: datetime) -> None:
    """Takes out the steps up to `last` and writes a stub that fits the chain."""
    at = {int(str(seq)): (str(when), str(link)) for seq, when, link in db.execute("SELECT seq, at, hash FROM trail")}
    before = purged(db)
    assert before is not None
    stub = Purged(last, before.first_at, datetime.fromisoformat(at[last][0]), 12, at[last][1])
    db.create_scalar_function("trail_link", lambda *fields: trail_link(*fields), -1)
    db.execute("DELETE FROM trail WHERE seq <= ?", (last,))
    when = made_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    db.execute(
        "INSERT INTO trail (at, order_id, key, what, from_state, to_state, reason, by, hash)"
        " SELECT ?1, '', '', ?2, '', '', ?3, 'courier', trail_link((SELECT hash FROM trail ORDER BY seq DESC LIMIT 1),"
        " ?1, '', '', ?2, '', '', ?3, 'courier')",
        (when, PURGED, str(stub)),
    )


def test_a_stub_that_took_steps_younger_than_a_year_is_not_believed(opened: apsw.Connection) -> None:
    """J5: a purge by hand, with a stub that fits the chain: only a purge by the rule stands."""
    newest = next(iter(opened.execute("SELECT seq, at FROM trail ORDER BY seq DESC LIMIT 1")))
    _forge(opened, int(str(newest[0])) - 5, datetime.fromisoformat(str(newest[1])) + DAY)
    assert first_bad_link(opened) == 1


def test_a_trail_that_somebody_changed_is_not_purged(firm: Firm, tmp_path: Path) -> None:
    """J5: what shows who it was is not taken away."""
    firm.keep(None)
    firm.work(800)
    other = apsw.Connection(str(tmp_path / "ledger.db"))
    other.execute("DROP TRIGGER trail_is_for_good_update")
    other.execute("UPDATE trail SET reason = 'rewritten' WHERE seq = 3")
    other.close()
    firm.keep(12)
    firm.clock.at += DAY
    firm.rest()
    assert firm.first() == 1
    assert firm.office.ledger.first_bad_step() == 3


def test_whoever_else_has_the_file_open_still_cannot_shorten_the_trail(firm: Firm, tmp_path: Path) -> None:
    """J5, J4: the purge opens no door: the same connection and every other one are refused afterwards."""
    firm.work(450)
    firm.rest()
    assert firm.stub() is not None
    other = apsw.Connection(str(tmp_path / "ledger.db"))
    for db in (other, firm.office.ledger._store.connection()):
        with pytest.raises(apsw.ConstraintError, match="append-only"):
            db.execute("DELETE FROM trail WHERE seq = (SELECT min(seq) FROM trail)")
    other.close()


# ---- told ----------------------------------------------------------------------------------------------------------------------


def test_an_export_says_what_was_purged(firm: Firm, tmp_path: Path) -> None:
    """J5, J6: from, to, how many, and the last hash; the steps' own file holds the stub that proves the first of them."""
    firm.work(450)
    firm.rest()
    stub = firm.stub()
    assert stub is not None
    desk = BookDesk(firm.office.ledger, tenants=frozenset, zone=lambda: ZoneInfo("Australia/Sydney"))
    done = desk.export_audit(tmp_path / "audit.csv")
    assert done.purged == stub
    assert done.bad_step is None
    assert done.deliveries == firm.orders
    sentence = stub.sentence()
    for told in (f"{stub.last} steps", f"{stub.first_at:%d/%m/%Y}", f"{stub.last_at:%d/%m/%Y}", stub.hash, "12 months"):
        assert told in sentence
    with done.trail_file.open(encoding="utf-8-sig", newline="") as file:
        steps = list(csv.DictReader(file))
    assert steps[0]["step"].strip("'") == str(stub.last + 1)
    assert [row["reason"] for row in steps if row["what"] == PURGED][-1] == str(stub)
    assert len(steps) == done.steps


def test_a_whole_trail_has_nothing_to_say_of_purges(firm: Firm, tmp_path: Path) -> None:
    firm.work(30)
    desk = BookDesk(firm.office.ledger, tenants=frozenset, zone=lambda: ZoneInfo("Australia/Sydney"))
    assert desk.export_audit(tmp_path / "audit.csv").purged is None


def audit_export(folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "firm.toml").write_text('[practice]\nsystem = "xero-practice-manager"\n[audit]\nkeep_months = 12\n')
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ICONNECT_")}
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "desktop",
            "--profile",
            str(folder),
            "--platform",
            str(folder / "firm.toml"),
            "audit",
            "export",
            "a.csv",
        ],
        env={**environment, "PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "offscreen"},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_command_says_what_was_purged_and_ends_well(purged_ledger: Path, tmp_path: Path) -> None:
    """J5, J6."""
    (tmp_path / "ledger.db").write_bytes(purged_ledger.read_bytes())
    done = audit_export(tmp_path)
    assert done.returncode == 0, done
    assert "Purged as the settings say, after 12 months: " in done.stderr
    assert "The trail is whole." in done.stderr


def test_the_command_ends_with_1_where_the_stub_was_changed(opened: apsw.Connection, tmp_path: Path) -> None:
    """J5, J4: the file is one of another program's making by then."""
    opened.execute("UPDATE trail SET reason = replace(reason, '12 months', '84 months') WHERE what = 'purged'")
    opened.close()
    done = audit_export(tmp_path)
    assert done.returncode == 1, done
    assert "The trail does not verify" in done.stderr
    assert (tmp_path / "a-steps.csv").exists()


# ---- rules ---------------------------------------------------------------------------------------------------------------------


MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # the zone comes beside


@given(MOMENTS, st.integers(12, 1200))
def test_so_many_months_before_is_a_day_of_that_month(at: datetime, months: int) -> None:
    """J5: never later than the same day, and never further off than a month's end asks."""
    found = months_before(at, months)
    assert (found.year * 12 + found.month) == (at.year * 12 + at.month - months)
    assert found.day == at.day or (found.day >= 28 and found.day < at.day)
    assert (found + timedelta(days=1)).month != found.month or found.day == at.day


def test_a_stub_reads_back_as_what_it_was(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "ledger.db", clock=Clock(), random=Random(1))
    stub = Purged(7, START - 900 * DAY, START - 500 * DAY, 12, "ab" * 32)
    for _ in range(8):
        ledger.note("signed in", reason="x")
    ledger.note(PURGED, reason=str(stub))
    with ledger.reading() as db:
        assert purged(db) == stub
    ledger.close()


def test_the_window_counts_what_is_left_and_says_what_went(firm: Firm) -> None:
    """J5, J6."""
    firm.work(450)
    firm.rest()
    stub = firm.stub()
    assert stub is not None
    books = WindowBooks.__new__(WindowBooks)
    books._ledger = firm.office.ledger
    found = books.check_trail()
    assert found.steps == len(firm.rows())
    assert found.purged == stub.sentence()
    assert found.bad_step is None
    with firm.office.ledger.reading() as db:
        steps = order_lists.steps_before(db, None, 1_000)
    assert (found.first_at, found.last_at) == (steps[-1].at, steps[0].at)


# ---- power ---------------------------------------------------------------------------------------------------------------------


def test_the_power_goes_at_every_change_of_a_purge(tmp_path: Path) -> None:
    """J5, C3: all of it or nothing of it is there afterwards, the trail is whole either way, and the next purge finishes."""
    firm = Firm(tmp_path, months=None)
    firm.work(450)
    before = len(firm.rows())
    now = firm.clock.at + DAY
    copy = tmp_path / "copy.db"
    firm.office.ledger.backup(copy)
    firm.office.ledger.close()
    content = copy.read_bytes()
    path = tmp_path / "memory" / "ledger.db"

    def opened() -> Ledger:
        return Ledger.open(path, clock=lambda: now, random=Random(1), vfs=vfs.name)

    with memory_vfs("purge") as vfs:
        vfs.disk = Disk({str(path): Stored(bytearray(content), content)})
        moments: list[Disk] = []
        disk = vfs.disk
        ledger = opened()
        disk.before = lambda call: moments.append(disk.snapshot()) if call in CHANGES else None
        stub = retention.purge(ledger._store, now, 12)
        ledger.close()
        assert stub is not None
        assert len(moments) > 5
        found = set()
        for number, moment in enumerate(moments):
            vfs.disk = moment.after_cut(Random(number))
            ledger = opened()
            assert ledger.first_bad_step() is None, number
            with ledger.reading() as db:
                steps = [int(str(seq)) for (seq,) in db.execute("SELECT seq FROM trail ORDER BY seq")]
                left = purged(db)
            assert left in (None, stub)
            assert steps == list(range(1 if left is None else stub.last + 1, (before if left is None else before + 1) + 1))
            found.add(left is None)
            again = retention.purge(ledger._store, now, 12)
            assert (again is None) is (left is not None)
            assert ledger.first_bad_step() is None
            ledger.close()
        assert True in found
