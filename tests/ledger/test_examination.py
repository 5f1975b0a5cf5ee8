"""What doctor says about the ledger: with real files, while others have it open, and with what is wrong put there on purpose."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import apsw
import pytest

from desktop.services.health import Verdict, ledger
from desktop.services.ledger.examination import Finding, examined
from tests.delivery.stand_in import Office, fee, order


def by_name(office: Office) -> dict[str, Finding]:
    return {one.name: one for one in examined(office.folder / "ledger.db", office.clock())}


@pytest.fixture
def busy(office: Office) -> Office:
    office.receive(*[order(str(number), retailer=fee("2.00"), hash=f"h{number}") for number in range(1, 9)])
    office.deliver_until(60)
    return office


def test_a_sound_ledger_is_said_to_be_sound_while_it_is_in_use(busy: Office) -> None:
    """C13, C1: nothing is to be done; and nothing is left beside the backups."""
    with busy.ledger._store.reading():
        found = by_name(busy)
    assert {one.cure for one in found.values()} == {""}
    assert not any(one.bad for one in found.values())
    assert "16 deliveries" in found["ledger"].message
    assert "is whole" in found["ledger's backups"].message
    assert "on disk" in found["ledger's settings"].message
    checks = list(ledger(busy.folder / "ledger.db"))
    assert {check.name for check in checks} == set(found)
    assert {check.verdict for check in checks if check.name == "ledger"} == {Verdict.OK}
    assert sorted(path.suffix for path in (busy.folder / "ledger-backups").iterdir()) == [".db", ".jsonl", ".jsonl"]


def test_damage_that_doctor_sees_is_put_right_by_whoever_delivers(busy: Office) -> None:
    """C13: the tray that runs takes a whole look at its next pass."""
    db = apsw.Connection(str(busy.folder / "ledger.db"))
    db.execute("UPDATE body SET content = CAST('%PDF-1.7 other' AS BLOB)")
    db.close()
    found = by_name(busy)["ledger"]
    assert found.bad
    assert "kept file is not what it was" in found.message
    busy.courier.run_once()
    busy.deliver_until(1200)
    assert not by_name(busy)["ledger"].bad
    assert "damaged" in by_name(busy)["damaged ledgers kept"].message
    assert "restored" in by_name(busy)["ledger restored"].message
    assert set(busy.states().values()) == {"confirmed"}
    assert len(busy.books.posted_keys()) == len(set(busy.books.posted_keys())) == 16


def test_damage_that_doctor_sees_is_put_right_at_the_next_start(busy: Office) -> None:
    """C13."""
    busy.ledger.close()
    path = busy.folder / "ledger.db"
    content = bytearray(path.read_bytes())
    content[4096:12288] = bytes(8192)
    path.write_bytes(content)
    assert by_name(busy)["ledger"].bad
    busy.start()
    assert not by_name(busy)["ledger"].bad
    assert not (busy.folder / "ledger.db.suspect").exists()


def test_a_changed_trail_is_a_matter_for_people(busy: Office) -> None:
    """J4: it is told, and not put right by itself."""
    db = apsw.Connection(str(busy.folder / "ledger.db"))
    db.execute("DROP TRIGGER trail_is_for_good_update")
    db.execute("UPDATE trail SET reason = 'x' WHERE seq = 5")
    db.close()
    found = by_name(busy)
    assert found["ledger's trail"].bad
    assert "step 5" in found["ledger's trail"].message
    busy.courier.run_once()
    assert list(busy.folder.glob("*.damaged-*")) == []


def test_a_wrong_reference_and_a_state_that_does_not_exist_are_found(busy: Office) -> None:
    """C13."""
    db = apsw.Connection(str(busy.folder / "ledger.db"))
    db.pragma("foreign_keys", False)
    db.execute("DROP TRIGGER delivery_moves_legally")
    db.execute("DROP TRIGGER delivery_moved")
    db.execute("UPDATE delivery SET state = 'nowhere' WHERE key = 'IT-1-D-1'")
    assert "state that does not exist" in by_name(busy)["ledger"].message
    db.execute("DELETE FROM customer_order WHERE order_id = '2'")
    assert "refers to another" in by_name(busy)["ledger"].message
    db.close()


def test_an_old_and_a_damaged_backup_are_told(busy: Office) -> None:
    """C13."""
    busy.clock.at += timedelta(days=5)
    found = by_name(busy)["ledger's backups"]
    assert not found.bad
    assert found.cure
    (backup,) = (busy.folder / "ledger-backups").glob("ledger-*.db")
    backup.write_bytes(backup.read_bytes()[:5000])
    found = by_name(busy)["ledger's backups"]
    assert found.bad
    assert "not whole" in found.message or "can't be read" in found.message


def test_an_empty_profile_has_nothing_to_find_fault_with(tmp_path: Path, office: Office) -> None:
    assert by_name(office)["ledger's backups"].cure
    assert not any(one.bad for one in by_name(office).values())
    assert any(one.bad for one in examined(tmp_path / "nowhere" / "ledger.db", office.clock()))


def test_without_the_keyring_the_list_of_what_was_sent_is_still_there(busy: Office) -> None:
    """C14: no key opens or closes the ledger; what a lost keyring takes away is the sign-in."""
    assert not (busy.folder / "identity.db").exists()
    busy.restart()
    assert set(busy.states().values()) == {"confirmed"}
    assert busy.ledger.first_bad_step() is None
