"""How long the bookkeeper and the auditor wait: an invoice of 5,000 lines, and a trail of 1,000,000 steps.

    python -m benchmarks.books [--lines 5000] [--steps 1000000]

The trail's time is given as a ratio, too: to hashing the same bytes and nothing else.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

from desktop.services.ledger import rows
from desktop.services.ledger.ledger import Ledger
from desktop.services.reconcile.comparison import Posted, reconcile
from desktop.services.reconcile.invoice import read_invoice

NOW = datetime(2026, 1, 5, tzinfo=UTC)


def reconciling(folder: Path, lines: int) -> dict[str, object]:
    random = Random(7)
    file = folder / "invoice.csv"
    ours: list[Posted] = []
    with file.open("w", encoding="utf-8") as out:
        out.write("OrderId,ServiceName,Date,TotalFee,TotalFeeGST,TotalFeeTotal\n")
        for number in range(71_000_000, 71_000_000 + lines):
            net = Decimal(random.randrange(100, 9_000)) / 100
            gst = (net / 10).quantize(Decimal("0.01"))
            out.write(f"{number},Title search,2026-01-05,{net},{gst},{net + gst}\n")
            if random.random() < 0.97:
                off = Decimal("0.50") if random.random() < 0.02 else Decimal(0)
                ours.append(Posted(str(number), f"IT-{number}-T-1", net + off, gst, True, False, "J1", "x", "t", on=NOW.date()))
    ours += [Posted(str(n), f"IT-{n}-T-1", Decimal(5), Decimal(0), True, False, on=NOW.date()) for n in range(20_000)]
    began = time.perf_counter()
    found = reconcile(read_invoice(file), ours)
    took = time.perf_counter() - began
    return {"lines": lines, "seconds": round(took, 2), "counts": {verdict.value: count for verdict, count in found.counts.items()}}


def chain(folder: Path, steps: int) -> dict[str, object]:
    ledger = Ledger.open(
        folder / "ledger.db", random=Random(1), takeover=timedelta(), read_reference=lambda text: None, clock=lambda: NOW
    )
    try:
        store = ledger._store
        for start in range(0, steps, 50_000):
            with store.write() as db:
                for number in range(start, min(start + 50_000, steps)):
                    at = NOW + timedelta(seconds=number)
                    rows.write_step(
                        db, at, "looked at", order_id=str(71_000_000 + number // 8), key="", reason="", by="the courier"
                    )
        began = time.perf_counter()
        bad = ledger.first_bad_step()
        took = time.perf_counter() - began
        assert bad is None
        texts = [
            "".join((s.at, s.order_id, s.key, s.what, s.from_state, s.to_state, s.reason, s.by, s.hash)).encode()
            for s in ledger.trail()
        ]
        began = time.perf_counter()
        for text in texts:
            hashlib.sha256(text).hexdigest()
        bare = time.perf_counter() - began
        return {"steps": len(texts), "seconds": round(took, 2), "ratio to hashing alone": round(took / bare, 1)}
    finally:
        ledger.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=5_000)
    parser.add_argument("--steps", type=int, default=1_000_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        print(json.dumps({"reconcile": reconciling(folder, options.lines), "trail": chain(folder, options.steps)}, indent=2))


if __name__ == "__main__":
    main()
