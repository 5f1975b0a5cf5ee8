"""A real ledger that holds years of a firm's searches, made in seconds: written as the ledger writes, its triggers included."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

from desktop.services.infotrack.model import Fee, OrderMessage
from desktop.services.ledger.facts import to_text
from desktop.services.ledger.ledger import Ledger
from desktop.services.ledger.rows import encoded

SERVICES = ("Title Search", "ASIC Current Company Extract", "Plan Image", "Land Tax Clearance Certificate", "Rates Certificate")
FIRST_ORDER = 71_000_000


def fill(path: Path, deliveries: int, *, now: datetime | None = None) -> int:
    """Makes a ledger in which every order has one cost and one document. Gives the number of orders."""
    random = Random(20)
    at = now or datetime.now(UTC)
    ledger = Ledger.open(path, random=random)
    orders = deliveries // 2
    with ledger._store.write() as db:
        for number in range(orders):
            ordered = at - timedelta(minutes=13 * (orders - number))
            net = Decimal(random.randrange(300, 9_000)) / 100
            gst = (net / 10).quantize(Decimal("0.01"))
            order_id, matter = str(FIRST_ORDER + number), f"J{random.randrange(1, 2_000):06}"
            message = OrderMessage(
                order_id,
                client_reference=matter,
                reference=f"{random.randrange(1, 90)}/SP{random.randrange(10_000, 99_999)}",
                service=random.choice(SERVICES),
                ordered_by="Priya Raman",
                ordered_at=ordered,
                status="Complete",
                retailer=Fee(net, gst, net + gst),
                total=Fee(net, gst, net + gst),
            )
            state = "confirmed" if number < orders - 60 else random.choice(("queued", "held", "rejected", "accepted", "confirmed"))
            db.execute(
                "INSERT INTO customer_order (order_id, first_seen_at, origin, latest, system, tenant, matter_id, matter_number,"
                " needs_plan) VALUES (?, ?, 'ours', ?, 'xero-practice-manager', 't1', ?, ?, 0)",
                (order_id, to_text(ordered), encoded(message), f"uuid-{matter}", matter),
            )
            for part, kind in (("T", "cost"), ("D", "document")):
                seen = to_text(ordered + timedelta(minutes=4)) if state == "confirmed" else None
                db.execute(
                    "INSERT INTO delivery (key, kind, order_id, part, n, system, tenant, matter_id, matter_number, state, amount,"
                    " gst, cost, code, description, price, hold, seen_at, attempts, remote_id, by, created_at, updated_at)"
                    " VALUES (?, ?, ?, ?, 1, 'xero-practice-manager', 't1', ?, ?, ?, ?, ?, ?, 'DISB', ?, ?, ?, ?, 1, ?,"
                    " 'courier', ?, ?)",
                    (
                        f"IT-{order_id}-{part}-1", kind, order_id, part, f"uuid-{matter}", matter, state,
                        str(net) if part == "T" else None, str(gst) if part == "T" else None, str(net) if part == "T" else None,
                        message.service, str(net) if part == "T" else None, "review" if state == "held" else "", seen,
                        f"r{number}", to_text(ordered), to_text(ordered + timedelta(minutes=4)),
                    ),
                )  # fmt: skip
    ledger.close()
    return orders
