"""Where results go: the ledger, as a source of results sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from desktop.services.infotrack.model import Incoming, OrderMessage


@dataclass(frozen=True, slots=True)
class FeedCursor:
    """How far a feed has been read. `feed` is its address without query."""

    feed: str
    position: str


class Inbox(Protocol):
    """The ledger, as a result source sees it."""

    def record(self, messages: Sequence[Incoming], *, cursor: FeedCursor | None = None) -> int:
        """Stores the messages, and the cursor that covers them, durably in one transaction. Exact repeats change nothing.
        Gives how many were new. Raises LedgerTrouble (disk full and the like) having stored nothing."""
        ...

    def cursor(self, feed: str) -> str | None: ...

    def may_take(self, message: OrderMessage) -> bool:
        """True when the order is this installation's, or its take-over moment has passed (contracts, section 5). The first
        call for an order notes durably when it was first seen and draws that moment."""
        ...
