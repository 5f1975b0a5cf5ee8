"""From every released schema to the current one, a step a version. A step is never changed once it was released."""

from __future__ import annotations

from collections.abc import Mapping

import apsw

SCHEMA_VERSION = 2

STEPS: Mapping[int, str] = {
    # A ledger that was restored looks for what it may have sent since; the reads of a firm's tenth year are by index; and the
    # journal of a ledger that is older than journals begins with its second file.
    1: """
        INSERT INTO legal_move (from_state, to_state) VALUES ('queued', 'unknown');
        CREATE INDEX delivery_by_matter ON delivery (system, tenant, matter_id, kind);
        CREATE INDEX delivery_seen ON delivery (system, tenant, seen_at) WHERE state = 'confirmed';
        CREATE INDEX book_line_by_matter ON book_line (system, tenant, matter_id);
        CREATE INDEX order_without_matter ON customer_order (needs_plan) WHERE matter_id = '' AND pinned = 0;
        INSERT INTO memory (name, text) VALUES ('journal', '2');
    """,
}
"""What brings a ledger of this version to the next."""


def bring_up(db: apsw.Connection, found: int) -> None:
    """All the steps from version `found`, inside the caller's transaction."""
    for version in range(found, SCHEMA_VERSION):
        db.execute(STEPS[version])
    db.pragma("user_version", SCHEMA_VERSION)
