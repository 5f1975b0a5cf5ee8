"""Two processes work on one ledger, and both are killed again and again: what they said yes to is there, the file is whole."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import deque
from pathlib import Path
from random import Random

import apsw
import pytest

from desktop.services.ledger.backups import first_problem
from desktop.services.ledger.ledger import Ledger
from tests.delivery.stand_in import Clock

ROOT = Path(__file__).parents[2]

WORKER = """
import sys
from datetime import timedelta
from pathlib import Path
from random import Random
sys.path.insert(0, sys.argv[3])
from desktop.services.infotrack.model import Incoming, Source
from desktop.services.ledger.dispatch import Patience
from desktop.services.ledger.ledger import Ledger
from tests.delivery.stand_in import Clock, fee, order
first, clock = int(sys.argv[2]), Clock()
ledger = Ledger.open(Path(sys.argv[1]), clock=clock, random=Random(first))
patience = Patience(timedelta(seconds=180), timedelta(seconds=30))
for number in range(first, first + 100000):
    ledger.record([Incoming(order(str(number), retailer=fee("1.00")), b"x" * 3000, Source.FILE)])
    print(number, flush=True)
    if number % 7 == 0:
        clock.pass_time(90000)
        ledger.recover(patience)
"""


def rounds(path: Path, seeds: int) -> tuple[set[str], int]:
    acknowledged: set[str] = set()
    random = Random(7)
    for seed in range(seeds):
        children = [
            subprocess.Popen(
                [sys.executable, "-c", WORKER, str(path), str((2 * seed + one + 1) * 100_000), str(ROOT)],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for one in (0, 1)
        ]
        for child in children:
            assert child.stdout is not None
            acknowledged.add(child.stdout.readline().strip())
        time.sleep(random.random() * 0.4)  # the moment of the kill is what is tried
        for child in random.sample(children, 2):
            child.kill()
            out, err = child.communicate()
            assert "Traceback" not in err, err
            acknowledged.update(deque(line for line in out.split("\n")[:-1] if line))
    return acknowledged, seeds


def proved(path: Path, acknowledged: set[str]) -> None:
    ledger = Ledger.open(path, clock=Clock(), random=Random(1))
    assert ledger.first_bad_step() is None
    assert acknowledged <= {view.order_id for view in ledger.orders(limit=1_000_000)}
    assert list(path.parent.glob("*.damaged-*")) == []
    ledger.close()
    db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    assert first_problem(db) == ""
    db.close()


def test_two_processes_that_are_killed_lose_nothing_and_damage_nothing(tmp_path: Path) -> None:
    """C5, C11: with backups made and pages of the journal turned in between; a cut-off backup is nobody's loss."""
    acknowledged, _ = rounds(tmp_path / "ledger.db", 3)
    assert len(acknowledged) >= 6
    proved(tmp_path / "ledger.db", acknowledged)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_two_processes_that_are_killed_a_hundred_times(tmp_path: Path) -> None:
    """C5."""
    acknowledged, seeds = rounds(tmp_path / "ledger.db", 100)
    print(f"kills: {2 * seeds}, acknowledged: {len(acknowledged)}")
    proved(tmp_path / "ledger.db", acknowledged)
