"""What the courier needs from the other rooms: protocols only."""

from __future__ import annotations

from typing import Protocol

from desktop.services.infotrack.inbox import Inbox
from desktop.services.infotrack.model import FetchedFile, OrderMessage
from desktop.services.ledger.model import Suggestion
from desktop.services.practice.model import Matter
from desktop.services.practice.practice_system import PracticeSystem


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
