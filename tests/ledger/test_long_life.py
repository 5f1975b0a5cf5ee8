"""A ledger of many years: what is asked at every pass is answered by an index, and children inherit nothing of it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from desktop.services.ledger.dispatch import Patience
from desktop.services.ledger.facts import Place
from desktop.services.ledger.ledger import Ledger
from tests.delivery.stand_in import FIRM, XPM, Office, fee, order

PLACE = Place(XPM, FIRM, "id-J001", "J001")
PATIENCE = Patience(timedelta(seconds=180), timedelta(seconds=30))
AT_EVERY_PASS: dict[str, Callable[[Ledger], object]] = {
    "recover": lambda ledger: ledger.recover(PATIENCE),
    "to_plan": lambda ledger: ledger.to_plan(),
    "work": lambda ledger: ledger.work(XPM, FIRM),
    "in_flight": lambda ledger: ledger.in_flight(PLACE),
    "note_books": lambda ledger: ledger.note_books(PLACE, documents=False, seen=(), read_at=ledger.now(), patience=PATIENCE),
    "late_looks": lambda ledger: ledger.late_looks(XPM, FIRM),
    "due_by_tenant": lambda ledger: ledger.due_by_tenant(),
    "pending": lambda ledger: ledger.pending(),
    "look_again": lambda ledger: ledger.look_again(),
    "claim": lambda ledger: ledger.claim("IT-1-T-1"),
    "waiting_for_person": lambda ledger: ledger.waiting_for_person(),
    "facts": lambda ledger: ledger.facts("1"),
}
BY_INDEX = (
    "USING INDEX delivery_waiting",
    "json_each",
    "(subquery-",
    "USING COVERING INDEX order_without_matter",
    "USING INDEX order_by_plan",
)


@pytest.mark.parametrize("name", AT_EVERY_PASS)
def test_what_is_asked_at_every_pass_is_answered_by_an_index(office: Office, name: str) -> None:
    office.receive(*[order(str(number), retailer=fee("1.00"), hash="h") for number in (1, 2)])
    office.courier.plan_only()
    office.ledger.recover(PATIENCE)
    db = office.ledger._store.connection()
    asked: list[str] = []
    db.trace_v2(1, lambda event: asked.append(str(event["sql"])))
    AT_EVERY_PASS[name](office.ledger)
    db.trace_v2(0, None)
    seen = [sql for sql in asked if sql.startswith(("SELECT", "UPDATE", "DELETE"))]
    assert seen
    for sql in seen:
        for row in db.execute(f"EXPLAIN QUERY PLAN {sql}", (None,) * sql.count("?")):
            step = str(row[3])
            if step.startswith("SCAN") and "CONSTANT" not in step:
                assert any(known in step for known in BY_INDEX), (sql, step)


CHILD = """
import os
there = "/proc/self/fd"
print([os.readlink(f"{there}/{name}") for name in os.listdir(there) if os.path.exists(f"{there}/{name}")])
"""


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="the open files of a process are read there")
def test_a_child_inherits_nothing_of_the_ledger(office: Office) -> None:
    """C19: not even one that is started without closing what is open; an order window outlives a pass."""
    office.receive(order("1", retailer=fee("1.00")))
    office.deliver_until(60)
    mine = [str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.exists()]
    assert str(office.folder / "ledger.db") in mine
    done = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, check=True, close_fds=False)
    assert str(office.folder) not in done.stdout
    assert "/" in done.stdout
