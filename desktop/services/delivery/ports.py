"""What the courier needs from the other rooms, and what they may need from the ledger: protocols only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from desktop.services.infotrack.model import FetchedFile, Incoming, OrderMessage
from desktop.services.ledger.model import Suggestion
from desktop.services.practice.model import Matter
from desktop.services.practice.practice_system import PracticeSystem


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


class ResultSource(Protocol):
    """A place that results come from. Several installations may watch one place."""

    name: str

    def collect(self, inbox: Inbox) -> int:
        """Records everything that is there now and gives how many messages were new. A message is durable in the inbox
        before the source lets go of it. Raises NotSent, AnswerLost, BadAnswer, Wait, SignedOut or NotNow."""
        ...


class DocumentFetcher(Protocol):
    def fetch(self, download_url: str) -> FetchedFile:
        """The result file, proved to be one. Raises NotSent, AnswerLost, BadAnswer, Wait, SignedOut or Refused."""
        ...


class MatterLookup(Protocol):
    """Where the courier learns which matter an order belongs to. All but `ask` answer from the local copy."""

    def by_id(self, system: str, matter_id: str) -> Matter | None: ...

    def by_number(self, number: str) -> tuple[Matter, ...]:
        """Exact number (case and surrounding blanks ignored), in every connected system's copy."""
        ...

    def ask(self, system: str, number: str) -> Matter | None:
        """Network: asks the practice system itself. Raises what PracticeSystem.matter raises."""
        ...

    def suggestions(self, message: OrderMessage, limit: int = 5) -> tuple[Suggestion, ...]:
        """Matters that an unmatched order may belong to: a number like its ClientReference, a client or matter name in
        its texts, a company number. Best first."""
        ...


class Connections(Protocol):
    """The practice systems that are signed in now."""

    def practice(self, system: str, tenant: str) -> PracticeSystem | None:
        """None while that tenant is not signed in: its deliveries stay parked."""
        ...

    def connected(self) -> tuple[tuple[str, str], ...]:
        """(system, tenant) pairs that are signed in now."""
        ...
