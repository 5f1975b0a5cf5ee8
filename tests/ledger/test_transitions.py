from __future__ import annotations

from pathlib import Path
from random import Random

import apsw
import pytest

from desktop.services.ledger.ledger import Ledger
from desktop.services.ledger.model import DeliveryState
from desktop.services.ledger.transitions import IN_FLIGHT, LEGAL, WAITS_FOR_PERSON, is_legal
from tests.delivery.stand_in import Office, fee, order

S = DeliveryState


def test_every_state_has_its_row_and_nothing_leaves_confirmed() -> None:
    assert set(LEGAL) == set(DeliveryState)
    assert LEGAL[S.CONFIRMED] == frozenset()
    assert not IN_FLIGHT & WAITS_FOR_PERSON


def test_only_a_read_or_an_adopted_line_confirms_and_only_the_queue_sends() -> None:
    assert {before for before in S if is_legal(before, S.SENDING)} == {S.QUEUED}
    assert not is_legal(S.SENDING, S.CONFIRMED)
    assert not is_legal(S.UNKNOWN, S.SENDING)
    assert not is_legal(S.UNKNOWN, S.REJECTED)


@pytest.fixture
def raw(office: Office) -> apsw.Connection:
    """A hand at the database itself, past all of our own rules, with one delivery in it."""
    office.receive(order(retailer=fee("6.00", "0.60")))
    office.courier.plan_only()
    return office.ledger._store.connection()


@pytest.mark.parametrize("after", [state for state in S if state is not S.QUEUED])
def test_the_database_itself_enforces_the_table(raw: apsw.Connection, after: DeliveryState) -> None:
    def move() -> None:
        raw.execute("UPDATE delivery SET state = ?, seen_at = 'x'", (after.value,))

    if is_legal(S.QUEUED, after):
        move()
    else:
        with pytest.raises(apsw.ConstraintError, match="illegal move"):
            move()


def test_each_move_writes_exactly_one_row_of_the_trail(raw: apsw.Connection) -> None:
    """J3: every arrow of the state machine leaves a row, in the same transaction."""

    def steps() -> list[tuple[object, ...]]:
        return list(raw.execute("SELECT from_state, to_state FROM trail WHERE key <> '' ORDER BY seq"))

    assert steps() == [("", "queued")]
    raw.execute("UPDATE delivery SET state = 'sending'")
    raw.execute("UPDATE delivery SET reason = 'no move'")
    raw.execute("BEGIN")
    raw.execute("UPDATE delivery SET state = 'unknown'")
    raw.execute("ROLLBACK")
    assert steps() == [("", "queued"), ("queued", "sending")]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE trail SET reason = 'rewritten'",
        "DELETE FROM trail",
        "DELETE FROM delivery",
        "DELETE FROM message",
        "UPDATE delivery SET key = 'IT-71000123-R-2', n = 2",
        "UPDATE delivery SET state = 'confirmed'",
    ],
)
def test_the_past_is_not_rewritten(raw: apsw.Connection, statement: str) -> None:
    """J4: the trail is append-only, deliveries and messages are kept, nothing is confirmed unseen."""
    with pytest.raises(apsw.ConstraintError):
        raw.execute(statement)


def test_what_was_seen_in_the_books_is_never_sent_again(raw: apsw.Connection) -> None:
    raw.execute("UPDATE delivery SET seen_at = '2026-03-04T01:00:00.000000Z'")
    with pytest.raises(apsw.ConstraintError, match="never sent again"):
        raw.execute("UPDATE delivery SET state = 'sending'")


def test_a_delivery_that_may_have_been_sent_keeps_its_matter_and_tenant(raw: apsw.Connection) -> None:
    """A23: nothing leaves its tenant."""
    raw.execute("UPDATE delivery SET touched = 1")
    with pytest.raises(apsw.ConstraintError, match="keeps its matter"):
        raw.execute("UPDATE delivery SET tenant = 'another firm'")


def test_a_changed_missing_or_cut_off_row_of_the_trail_is_found(office: Office, tmp_path: Path) -> None:
    """J4: the chain names the first bad row."""
    office.receive(order(retailer=fee("6.00", "0.60")))
    office.deliver()
    assert office.ledger.first_bad_step() is None
    for number, (damage, expected) in enumerate(
        [
            ("UPDATE trail SET reason = 'rewritten' WHERE seq = 3", 3),
            ("DELETE FROM trail WHERE seq = 2", 2),
            ("DELETE FROM trail WHERE seq = (SELECT max(seq) FROM trail)", None),
        ]
    ):
        copy = tmp_path / f"copy{number}.db"
        office.ledger.backup(copy)
        other = apsw.Connection(str(copy))
        count = next(iter(other.execute("SELECT count(*) FROM trail")))[0]
        other.execute("DROP TRIGGER trail_is_for_good_update")
        other.execute("DROP TRIGGER trail_is_for_good_delete")
        other.execute(damage)
        other.close()
        opened = Ledger.open(copy, random=Random(1))
        assert opened.first_bad_step() == (expected or count)
        assert not opened.is_sound()
        opened.close()
