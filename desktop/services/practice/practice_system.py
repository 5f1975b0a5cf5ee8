"""The one shape that every practice system has for the rest of the house."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Protocol, runtime_checkable

from desktop.services.practice.model import (
    AccessFinding,
    ClientDetails,
    CostCode,
    CostLine,
    Document,
    Matter,
    PostedCost,
    PostedDocument,
    Receipt,
    Staff,
)


class Urgency(IntEnum):
    """Who waits for a call; a smaller number goes first. READ_BACK has a reserve of its own that sends can't use up."""

    PERSON = 0
    READ_BACK = 1
    SEND = 2
    BACKGROUND = 3


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a practice system can do.

    `negative_costs` is None where nobody knows: then the first answer decides. `max_document_bytes` is the file's size
    before any coding. `asynchronous_writes`: a yes to a write only says that it will be done. `changes_since`: `matters`
    can be asked for what changed since a moment. `one_price`: a line keeps what the client pays and not what it cost the firm,
    so that the cost that `costs` gives is reckoned back by today's markup. `keeps_marks`: what is posted keeps its note, as far
    as is known; else a line may stand there without our key."""

    negative_costs: bool | None
    deletes_costs: bool
    folders: bool
    max_document_bytes: int
    asynchronous_writes: bool = False
    changes_since: bool = False
    one_price: bool = False
    keeps_marks: bool = True


@dataclass(frozen=True, slots=True)
class MatterRef:
    """Enough of a matter to address it: XPM goes by number, others by id."""

    id: str
    number: str


class CallGate(Protocol):
    """The budget, as an adapter sees it."""

    def call(self, urgency: Urgency) -> AbstractContextManager[None]:
        """Hold this while one call is in progress. Waits for its turn; raises Wait when the turn is too far off
        (longer than the budget's patience for that urgency) or when the day's calls are used up."""
        ...

    def learn(self, status: int, headers: dict[str, str]) -> None:
        """Tell what an answer's status and headers (lower-case names) said about the limits."""
        ...


class AccessTokens(Protocol):
    """Where an adapter gets its bearer token and tenant from (services.identity provides it)."""

    tenant: str

    def token(self) -> str:
        """A token that is good now. May refresh. Raises SignedOut, NotNow; NotSent: still signed in."""
        ...

    def rejected(self, token: str) -> str:
        """The API answered 401 to `token`: gives another, fresher one. Raises SignedOut when there is none."""
        ...


class PracticeSystem(Protocol):
    """Reads raise NotSent, AnswerLost, BadAnswer, Wait, SignedOut, AccessMissing; never anything untyped.

    Writes raise NotSent, Wait, SignedOut, AccessMissing (all four: proved not done), Refused (the remote's own no) or
    AnswerLost (anything else). A write is sent at most once by a call. Adapters may be called from several threads."""

    name: str
    capabilities: Capabilities

    def matters(self, *, urgency: Urgency = Urgency.BACKGROUND, since: datetime | None = None) -> Iterator[Matter]:
        """All open matters, streamed as they are read; a failure midway raises, so a consumer commits at the end.

        With `since` (aware), and only where the capabilities say `changes_since`: the matters that changed at or after that
        moment by the vendor's clock, those no longer open among them with `is_open` False."""
        ...

    def matter(self, number: str, *, urgency: Urgency = Urgency.PERSON) -> Matter | None:
        """One matter by its number, open or not; None when the system does not know it."""
        ...

    def client(self, client_id: str, *, urgency: Urgency = Urgency.PERSON) -> ClientDetails | None: ...

    def staff(self, *, urgency: Urgency = Urgency.BACKGROUND) -> tuple[Staff, ...]: ...

    def cost_codes(self, *, urgency: Urgency = Urgency.PERSON) -> tuple[CostCode, ...]: ...

    def costs(self, matter: MatterRef, *, urgency: Urgency = Urgency.READ_BACK) -> tuple[PostedCost, ...]:
        """All costs that stand on the matter now. An unknown matter raises Refused."""
        ...

    def documents(self, matter: MatterRef, *, urgency: Urgency = Urgency.READ_BACK) -> tuple[PostedDocument, ...]: ...

    def post_cost(self, line: CostLine, *, urgency: Urgency = Urgency.SEND) -> Receipt: ...

    def post_document(self, document: Document, *, urgency: Urgency = Urgency.SEND) -> Receipt: ...

    def check_access(self) -> tuple[AccessFinding, ...]:
        """Each right that the product needs, tried harmlessly (reads only)."""
        ...


@runtime_checkable
class KeepsDeleted(Protocol):
    """A practice system whose deleted matters answer as if nothing had happened to them."""

    def is_deleted(self, matter: MatterRef, *, urgency: Urgency = Urgency.SEND) -> bool:
        """Whether nothing is to be posted to that matter any more; as of some minutes ago at most. Raises what reads raise."""
        ...
