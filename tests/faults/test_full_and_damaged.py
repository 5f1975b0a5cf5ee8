"""A full disk and a damaged file: said plainly, nothing new taken on, nothing sent on a guess."""

from __future__ import annotations

import errno
import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from desktop.services.errors import AnswerLost
from desktop.services.ledger import reserve
from desktop.services.ledger.errors import LedgerTrouble
from tests.delivery.stand_in import Books, Clock, Office, fee, order
from tests.faults.disk import Disk, MemoryVfs, memory_vfs
from tests.faults.small_office import SmallOffice, copy_of, started

ROWS = 60


@pytest.fixture
def vfs() -> Iterator[MemoryVfs]:
    with memory_vfs("full") as made:
        yield made


@pytest.fixture
def full(tmp_path: Path, vfs: MemoryVfs, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallOffice]:
    """Sixty lines under way whose answers were lost, and then not a byte left beside the reserve."""
    disk = Disk()
    office = started(tmp_path, vfs, disk)
    office.practice.fault = lambda call, what: AnswerLost("The line broke.") if call == "post_cost" else None
    # They land a moment later, so that the reads between two sends do not find them yet.
    office.practice.does_it_anyway = True
    office.practice.late_by = timedelta(seconds=1)
    office.receive(*[order(str(number), retailer=fee("1.00"), sequence=number) for number in range(1, ROWS + 1)])
    for _ in range(ROWS):
        office.courier.run_once()
    assert set(office.states().values()) == {"unknown"}
    office.restart()
    kept = office.real._store.reserve
    size, used = kept.size(), disk.size()
    assert size >= reserve.SMALLEST

    def no_room(path: Path, size: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(reserve, "fill", no_room)
    disk.room = lambda: used + size - kept.size()
    yield office
    office.real.close()


def test_on_a_full_disk_what_is_under_way_is_still_confirmed(full: SmallOffice) -> None:
    """C6, C7: the reserve is given back and all sixty reach the end; nothing new is taken meanwhile."""
    full.deliver_until(1200)
    assert full.real._store.reserve.size() == 0
    assert set(full.states().values()) == {"confirmed"}
    assert set(Counter(full.books.posted_keys()).values()) == {1}
    with pytest.raises(LedgerTrouble, match="disk is full"):
        full.receive(order("900", retailer=fee("1.00")))
    assert full.ledger.orders(order_id="900") == ()


def test_when_there_is_room_again_new_orders_are_taken(full: SmallOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    """C6."""
    full.deliver_until(1200)
    monkeypatch.undo()
    assert full.vfs is not None
    full.vfs.disk.room = None
    full.practice.fault = lambda call, what: None
    full.receive(order("900", retailer=fee("1.00")))
    full.deliver_until(60)
    assert full.states()["IT-900-T-1"] == "confirmed"
    assert full.real._store.reserve.size() >= reserve.SMALLEST


# damage


def a_ledger(folder: Path) -> tuple[bytes, Books]:
    """Some orders confirmed, some not yet sent; the file as it lies on disk."""
    clock = Clock()
    office = Office(folder, clock, Books(clock))
    office.receive(*[order(str(number), retailer=fee("2.00"), sequence=number, hash=f"h{number}") for number in range(1, 12)])
    office.deliver_until(30)
    office.receive(*[order(str(number), retailer=fee("2.00"), sequence=number) for number in range(20, 26)])
    office.courier.plan_only()
    office.ledger.close()
    return (folder / "ledger.db").read_bytes(), office.books


@pytest.mark.parametrize("with_what", ["noise", "zeros"])
def test_whichever_page_is_overwritten_everything_ends_in_the_books_once(tmp_path: Path, with_what: str) -> None:
    """C13, D1: each page in turn, after a backup that is older than what was done since. What is found is set aside whole, and
    in the end each key stands once and nothing that was taken is missing."""
    folder = tmp_path / "good"
    folder.mkdir()
    good, books = a_ledger(folder)
    size = int.from_bytes(good[16:18], "big")
    random = Random(5)
    repaired = 0
    for page in range(len(good) // size):
        place = tmp_path / f"{page}"
        shutil.copytree(folder, place)
        spoilt = random.randbytes(size) if with_what == "noise" else bytes(size)
        (place / "ledger.db").write_bytes(good[: page * size] + spoilt + good[(page + 1) * size :])
        clock = Clock(books.clock.at)
        clock.pass_time(90_000)  # the day's check is due
        office = Office(place, clock, copy_of(books, clock))
        before = len(office.books.posted_keys())
        set_aside = list(place.glob("ledger.db.damaged-*"))
        repaired += bool(set_aside)
        if set_aside:
            office.deliver()
            assert len(office.books.posted_keys()) == before, "sent before it was looked for"
        office.deliver_until(3600)
        assert set(Counter(office.books.posted_keys()).values()) == {1}
        assert office.books.sum_on("J001") == 2 * 17, page
        assert len(office.books.posted_keys()) == 17 + 11
        assert set(office.states().values()) == {"confirmed"}, page
        office.ledger.close()
    assert repaired > 0.7 * len(good) / size, (repaired, len(good) // size)
