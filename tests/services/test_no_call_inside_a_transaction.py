"""C12, at run time: no request leaves while the ledger's transaction is open."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands.installation import ROOT, Installation, Outside, outside

WATCHED = """
import sys
from desktop.services.http import Http
from desktop.services.ledger.ledger import Ledger

opened, calls = [], []
open_ledger, send = Ledger.open, Http.send

def open_and_note(*words, **named):
    opened.append(open_ledger(*words, **named))
    return opened[-1]

def send_and_look(self, *words, **named):
    calls.append(words[:1])
    if any(ledger.in_transaction for ledger in opened):
        sys.stderr.write("a call inside a transaction\\n")
        sys.exit(99)
    return send(self, *words, **named)

Ledger.open, Http.send = open_and_note, send_and_look
from desktop.commands import cli
try:
    cli.main(args=sys.argv[1:], prog_name="iconnect")
finally:
    sys.stdout.write(f"{len(opened)} {len(calls)}\\n")
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Outside]:
    with outside(tmp_path / "outside", results="both") as running:
        yield running


def test_no_request_leaves_while_a_transaction_is_open(world: Outside, tmp_path: Path) -> None:
    """C12: collecting, planning, sending and reading back of real orders, every call looked at."""
    pc = Installation(world, tmp_path / "profile").set_up()
    orders = [world.order(number, retailer_reference=pc.reference_for(number)) for number in ("J004510", "J004511")]
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, "deliver", "--until-idle"],
        env=pc.environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    ledgers, calls = map(int, done.stdout.split())
    assert ledgers == 1
    assert calls >= 10
    assert {row["order_id"] for row in pc.rows("--state", "confirmed")} == {str(order) for order in orders}
