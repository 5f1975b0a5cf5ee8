"""What a person should know of a matter before a search is ordered for it, as one protocol.

Every value is a frozen snapshot; times are aware UTC; money is Decimal. Everything belongs off the GUI thread; what is marked
«network» asks a practice system.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from desktop.services.practice.model import Matter


@dataclass(frozen=True, slots=True)
class EarlierOrder:
    """The newest order of one search (service and reference) that was ordered lately for the chosen matter.

    `times` counts how often it was ordered for this matter in that time; `elsewhere` names the numbers of other matters that
    the same search was ordered for. `total` holds GST, None while it is not told."""

    order_id: str
    service: str
    reference: str
    at: datetime
    by: str
    total: Decimal | None
    times: int = 1
    elsewhere: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LastPrice:
    """What a service cost the firm the last time, with GST."""

    service: str
    total: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class BeforeOrder:
    """`lately`: newest first. `prices`: first the services that this matter has had, then those ordered most."""

    lately: tuple[EarlierOrder, ...] = ()
    prices: tuple[LastPrice, ...] = ()


class Advice(Protocol):
    """Raises ActionFailed with a sentence for a person, and nothing else on purpose."""

    def before_order(self, matter: Matter) -> BeforeOrder:
        """From what InfoTrack has reported to this PC."""
        ...

    def as_it_is_now(self, matter: Matter) -> Matter:
        """Network: the matter as its practice system has it at this moment; `is_open` is None where that is not told and
        nothing known tells it. The given one where the system is not signed in or does not know it any more."""
        ...

    def open_matters_of_client(self, matter: Matter, limit: int = 20) -> tuple[Matter, ...]:
        """The same client's other matters that take costs, from the local copy."""
        ...
