"""The real ledger on a disk that fails or loses its power: what it said yes to is there afterwards, and only once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import apsw
import pytest

from desktop.services.ledger.errors import LedgerDamaged, LedgerError, LedgerTrouble
from desktop.services.ledger.store import Store
from tests.faults.disk import CHANGES, Disk, Fails, MemoryVfs, memory_vfs
from tests.faults.small_office import SmallOffice, Told, copy_of, judged, started


@pytest.fixture
def vfs() -> Iterator[MemoryVfs]:
    with memory_vfs("faults") as made:
        yield made


def a_day_with(folder: Path, vfs: MemoryVfs, fails: Fails) -> list[str]:
    """A day with one fault; what was wrong afterwards."""
    vfs.disk = disk = Disk(before=fails)
    told = Told()
    office: SmallOffice | None = None
    try:
        office = started(folder, vfs, disk, told=told)
        office.day()
    except LedgerError:
        pass
    if office is not None and hasattr(office, "real"):
        office.real.close()
    disk.before = lambda call: None
    books = office.books if office is not None else None
    again = started(folder, vfs, disk, books, told)
    verdict = judged(again, finish=True)
    again.real.close()
    return [] if verdict.is_good else [f"{fails}: {verdict}"]


def all_faults(folder: Path, vfs: MemoryVfs, *, step: int) -> tuple[int, list[str]]:
    injected, wrong = 0, list[str]()
    for error, only in ((apsw.IOError, None), (apsw.FullError, CHANGES)):
        for for_good in (False, True):
            at = 1
            while True:
                fails = Fails(at, error, for_good, only)
                wrong += a_day_with(folder, vfs, fails)
                if not fails.hits:
                    break
                injected += 1
                at += step
    return injected, wrong


def test_some_calls_of_a_days_work_fail_and_nothing_is_lost(tmp_path: Path, vfs: MemoryVfs) -> None:
    """C4, C6: every 23rd I/O call fails, once or from there on, by error or full disk."""
    injected, wrong = all_faults(tmp_path, vfs, step=23)
    assert wrong == []
    assert injected > 30


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_every_call_of_a_days_work_fails_and_nothing_is_lost(tmp_path: Path, vfs: MemoryVfs) -> None:
    """C4, C6: all of them."""
    injected, wrong = all_faults(tmp_path, vfs, step=1)
    print(f"I/O errors injected: {injected}, wrong: {len(wrong)}")
    assert wrong == []


# power


@dataclass
class Counted:
    cuts: int = 0
    lost: int = 0
    corrupt: int = 0
    doubled: int = 0
    unfinished: int = 0


def all_cuts(folder: Path, vfs: MemoryVfs, *, seeds: int, step: int, finish_every: int) -> Counted:
    """One day's work; at every change of the disk the power goes, and what is then found is looked at."""
    moments: list[tuple[Disk, Told, SmallOffice | None, object]] = []
    told = Told()
    now: list[SmallOffice] = []

    def keep(call: str) -> None:
        if call in CHANGES:
            books = copy_of(now[0].books, now[0].clock) if now else None
            moments.append((disk.snapshot(), Told(set(told.orders), dict(told.reached)), now[0] if now else None, books))

    disk = Disk()
    office = started(folder, vfs, disk, told=told)
    now.append(office)
    disk.before = keep
    office.day()
    keep("sync")
    office.real.close()
    counted = Counted()
    for number, (moment, promised, _, books) in list(enumerate(moments))[::step]:
        for seed in range(seeds):
            counted.cuts += 1
            found = moment.after_cut(Random(number * 1000 + seed))
            try:
                again = started(folder, vfs, found, books, Told(set(promised.orders), dict(promised.reached)))  # type: ignore[arg-type]
                verdict = judged(again, finish=counted.cuts % finish_every == 0)
                again.real.close()
            except LedgerDamaged:
                counted.corrupt += 1
                continue
            counted.lost += bool(verdict.lost)
            counted.corrupt += not verdict.sound
            counted.doubled += bool(verdict.doubled)
            counted.unfinished += bool(verdict.unfinished)
    return counted


def good(counted: Counted) -> bool:
    return not (counted.lost or counted.corrupt or counted.doubled or counted.unfinished)


def test_the_power_goes_at_some_changes_and_nothing_is_lost(tmp_path: Path, vfs: MemoryVfs) -> None:
    """C3: at every third change of the disk, with unsynced sectors kept, lost or torn."""
    counted = all_cuts(tmp_path, vfs, seeds=3, step=3, finish_every=20)
    assert good(counted), counted
    assert counted.cuts > 100


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_the_power_goes_at_every_change_and_nothing_is_lost(tmp_path: Path, vfs: MemoryVfs) -> None:
    """C3: at every change, twelve ways each."""
    counted = all_cuts(tmp_path, vfs, seeds=12, step=1, finish_every=10)
    print(f"power cuts: {counted}")
    assert good(counted), counted


@pytest.mark.parametrize("weaker", ["normal", "off"])
def test_a_weaker_setting_loses_what_was_promised(
    tmp_path: Path, vfs: MemoryVfs, monkeypatch: pytest.MonkeyPatch, weaker: str
) -> None:
    """C3: these tests have teeth: with less than full sync they find losses."""
    full = Store._connect

    def weakened(store: Store) -> apsw.Connection:
        db = full(store)
        db.pragma("synchronous", weaker)
        return db

    monkeypatch.setattr(Store, "_connect", weakened)
    counted = all_cuts(tmp_path, vfs, seeds=2, step=4, finish_every=10_000)
    print(f"{weaker}: {counted}")
    assert counted.lost + counted.corrupt > 10, counted
    assert counted.lost


def test_a_ledger_that_could_not_be_made_says_so_and_is_made_later(tmp_path: Path, vfs: MemoryVfs) -> None:
    """C4."""
    disk = Disk(before=Fails(3, for_good=True))
    with pytest.raises(LedgerTrouble):
        started(tmp_path, vfs, disk)
    disk.before = lambda call: None
    office = started(tmp_path, vfs, disk)
    assert judged(office, finish=True).is_good
    office.real.close()
