"""Keeps the current schema with rows of every kind, as it is released: python -m tests.ledger.released.keep

Each released schema has its file here, which is never changed again.
"""

from __future__ import annotations

import io
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import apsw
import apsw.shell

from desktop.services.errors import AnswerLost, Refused, ServiceError
from desktop.services.infotrack.model import Incoming, Source
from tests.delivery.stand_in import Books, Clock, Office, fee, order

HERE = Path(__file__).parent


def rows_of_every_kind(folder: Path) -> Path:
    """Deliveries in every state, both kinds, a difference, a move, a child, a typed result, and what a feed and reads left."""
    clock = Clock()
    office = Office(folder, clock, Books(clock))
    office.feed.messages = [order("100", retailer=fee("10.00", "1.00"), supplier=fee("20.00"), sequence=1, hash="a")]
    office.deliver_until(600)
    office.receive(order("100", retailer=fee("12.00", "1.20"), supplier=fee("20.00"), sequence=2, hash="b"))
    office.receive(order("101", number="", retailer=fee("3.00", "0.30")), order("102", parent="100", retailer=fee("4.00")))
    office.ledger.record([Incoming(order("103", retailer=fee("5.00")), b"typed", Source.TYPED, "J002", "a.pdf", b"%PDF-1.7 x")])
    office.deliver_until(600)
    office.receive(order("104", number="J003", retailer=fee("6.00")))
    office.deliver_until(600)
    office.ledger.move("104", office.lookup.matters[0])

    def fault(call: str, what: str) -> ServiceError | None:
        if "-105-" in what:
            return Refused("The job is closed.")
        return AnswerLost("The line broke.") if "-106-" in what else None

    office.practice.fault = fault
    office.receive(order("105", retailer=fee("7.00")), order("106", retailer=fee("8.00")))
    office.courier.run_once()
    office.practice.fault = lambda call, what: None
    office.practice.books.unseen_until = {"IT-107-T-1": clock() + timedelta(days=1)}
    office.receive(order("107", number="J002", retailer=fee("9.00")))
    office.courier.run_once()
    office.receive(order("108", retailer=fee("1.00")), order("109", retailer=fee("2.00")))
    office.courier.plan_only()
    office.ledger.cancel("IT-108-T-1")
    office.receive(order("110", number="J003", retailer=fee("11.00")))
    office.courier.plan_only()
    assert office.ledger.claim("IT-110-T-1") is not None
    office.ledger.remember("asked 101", "2026-03-04T01:00:00.000000Z J999")
    found = {state.value for state, count in office.ledger.counts().items() if count}
    assert found == {"held", "queued", "sending", "unknown", "accepted", "confirmed", "rejected", "cancelled"}, found
    copy = folder / "copy.db"
    office.ledger.backup(copy)
    office.ledger.close()
    return copy


def dumped(path: Path) -> str:
    db = apsw.Connection(str(path))
    try:
        text = io.StringIO()
        apsw.shell.Shell(stdout=text, db=db).process_command(".dump")  # type: ignore[no-untyped-call]
        kept = [line for line in text.getvalue().splitlines() if not line.startswith("-- ")]
        return "\n".join([*kept, ""])
    finally:
        db.close()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        copy = rows_of_every_kind(Path(folder))
        db = apsw.Connection(str(copy))
        version = db.pragma("user_version")
        db.close()
        target = HERE / f"v{version}.sql"
        if target.exists() and "--again" not in sys.argv:
            raise SystemExit(f"{target.name} is kept already.")
        target.write_text(dumped(copy), encoding="utf-8")


if __name__ == "__main__":
    main()
