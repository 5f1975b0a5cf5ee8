"""Going back to an older version by installing it again: refused in plain words, and the queue is as it was for the newer one.

A program of another version is this one with that version's ledger: an older one knows fewer schemas, a newer one has a step more.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path
from random import Random

import apsw
import pytest

from desktop.places import places
from desktop.profile_desk import ProfileDesk
from desktop.services.desk import ActionFailed
from desktop.services.ledger import examination, store, upgrade
from desktop.services.ledger.errors import LedgerTooNew
from desktop.services.ledger.ledger import Ledger
from desktop.services.ledger.sealing import first_bad_link, trail_link
from desktop.services.ledger.upgrade import SCHEMA_VERSION, STEPS
from tests.delivery.stand_in import Books, Clock, Office, read_reference
from tests.ledger.released.keep import rows_of_every_kind

ROOT = Path(__file__).resolve().parents[2]
WORDS = "The ledger was written by a newer version of iConnect. Install that version again."

VERSIONS = range(1, SCHEMA_VERSION + 3)
"""Those that were released, this one, and two that are still to come."""

PAIRS = [(older, newer) for older, newer in combinations(VERSIONS, 2) if newer >= SCHEMA_VERSION]
"""Whoever wrote the ledger is this program or a later one: an earlier one's is brought up by the first start of this."""

BESIDE = (".lock", "-wal", "-shm")
"""What SQLite and the programs use while the file is open; it holds nothing of the ledger's once that is closed."""


@contextmanager
def program(version: int) -> Iterator[None]:
    """What is opened inside is opened by a program whose newest schema is `version`."""
    with pytest.MonkeyPatch.context() as patched:
        for module in (store, upgrade, examination):
            patched.setattr(module, "SCHEMA_VERSION", version)
        later = {number: f"CREATE TABLE of_version_{number + 1} (x TEXT) STRICT;" for number in range(SCHEMA_VERSION, version)}
        patched.setattr(upgrade, "STEPS", {**STEPS, **later})
        yield


def everything_in(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(BESIDE)
    }


def settled(path: Path) -> None:
    """The write-ahead log is in the file, as after a program that was closed."""
    db = apsw.Connection(str(path))
    db.pragma("wal_checkpoint(truncate)")
    db.close()


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger of this version with deliveries in every state."""
    return rows_of_every_kind(tmp_path_factory.mktemp("busy"))


def written_by(version: int, busy: Path, folder: Path) -> Clock:
    """Lays the busy ledger into `folder`, opened and closed once by a program of that version."""
    shutil.copyfile(busy, folder / "ledger.db")
    clock = Clock()
    clock.pass_time(100_000)
    with program(version):
        Ledger.open(folder / "ledger.db", clock=clock, random=Random(1), read_reference=read_reference).close()
    settled(folder / "ledger.db")
    return clock


@pytest.mark.parametrize(("older", "newer"), PAIRS)
def test_an_older_program_refuses_in_words_and_the_newer_one_goes_on(busy: Path, tmp_path: Path, older: int, newer: int) -> None:
    """I11: program N writes, each older one is tried three times, N comes back: nothing changed by the tries, and what waited is
    delivered once."""
    clock = written_by(newer, busy, tmp_path)
    before = everything_in(tmp_path)
    assert "ledger.db" in before
    with program(older):
        for _ in range(3):
            with pytest.raises(LedgerTooNew) as told:
                Ledger.open(tmp_path / "ledger.db", clock=clock, random=Random(1), read_reference=read_reference)
            assert str(told.value) == WORDS
    settled(tmp_path / "ledger.db")
    assert everything_in(tmp_path) == before
    with program(newer):
        office = Office(tmp_path, clock, Books(clock))
        assert office.states()["IT-109-T-1"] == "queued"
        office.deliver_until(3600)
        posted = office.books.posted_keys()
        assert office.states()["IT-109-T-1"] == "confirmed"
        assert len(posted) == len(set(posted)) > 0
        assert not {"queued", "sending"} & set(office.states().values())
        assert office.ledger.first_bad_step() is None
        office.ledger.close()


@pytest.mark.parametrize("older", range(1, SCHEMA_VERSION))
def test_the_copy_made_before_the_upgrade_is_one_that_the_older_program_reads(tmp_path: Path, older: int) -> None:
    """I11: nobody needs it to go on, but it is there: of the older schema, whole, beside a queue that stays with the newer one."""
    released = ROOT / "tests" / "ledger" / "released" / f"v{older}.sql"
    db = apsw.Connection(str(tmp_path / "ledger.db"))
    db.create_scalar_function("trail_link", lambda *fields: trail_link(*fields), -1)
    db.execute(released.read_text(encoding="utf-8"))
    db.close()
    Ledger.open(tmp_path / "ledger.db", clock=Clock(), random=Random(1), read_reference=read_reference).close()
    (copy,) = (tmp_path / "ledger-backups").glob(f"*-v{older}.db")
    kept = apsw.Connection(str(copy), flags=apsw.SQLITE_OPEN_READONLY)
    assert kept.pragma("user_version") == older
    assert first_bad_link(kept) is None
    kept.close()


# ---- as people meet it ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def profile(busy: Path, tmp_path: Path) -> Path:
    """A profile in which a later program has worked, and a folder with a result that waits."""
    folder = tmp_path / "profile"
    folder.mkdir()
    written_by(SCHEMA_VERSION + 1, busy, folder)
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "order-1.json").write_text('{"OrderId": 1}')
    (tmp_path / "firm.toml").write_text('[practice]\nsystem = "xero-practice-manager"\n[results]\nfolder = "results"\n')
    return folder


@pytest.mark.parametrize(
    "words",
    [
        ("deliver",),
        ("status", "--json"),
        ("deliveries",),
        ("results", "add", "--order", "9", "--matter", "J001", "--service", "X", "--retailer-fee", "5"),
        ("audit", "export", "audit.csv"),
    ],
    ids=lambda words: words[0],
)
def test_every_command_of_the_older_program_says_so_and_changes_nothing(
    profile: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    """I11: the queue is not eaten, a result that waits in the folder stays there, and nobody is asked to sign in."""
    before = everything_in(profile)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ICONNECT_")}
    done = subprocess.run(
        [sys.executable, "-m", "desktop", "--profile", str(profile), "--platform", str(tmp_path / "firm.toml"), *words],
        env={**environment, "PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "offscreen"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1, done
    assert WORDS in done.stderr
    assert "Traceback" not in done.stderr
    after = everything_in(profile)
    settled(profile / "ledger.db")
    assert {name: content for name, content in after.items() if name in before} == before
    assert not [name for name in after if name.endswith((".suspect", ".mending"))]
    assert (tmp_path / "results" / "order-1.json").exists()


def test_the_tray_of_the_older_program_says_so(profile: Path, tmp_path: Path) -> None:
    """I11: the windows open, and every one of them says what to do."""
    before = everything_in(profile)
    desk = ProfileDesk(str(tmp_path / "firm.toml"), places(str(profile), {}))
    with pytest.raises(ActionFailed) as told:
        desk.open(lambda: None)
    assert str(told.value) == WORDS
    assert {name: content for name, content in everything_in(profile).items() if name in before} == before


def test_its_doctor_names_it_and_marks_nothing_as_damaged(profile: Path) -> None:
    """I11: a ledger of a later version is sound; only this program can't use it."""
    found = {one.name: one for one in examination.examined(profile / "ledger.db", Clock()())}
    assert found["ledger's version"].bad
    assert not found["ledger"].bad
    assert not (profile / "ledger.db.suspect").exists()
