"""Reads matters once more after their lines were confirmed, in case a request that was given up on has landed after all."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from desktop.services.delivery.matter_work import seen_costs, seen_document
from desktop.services.errors import Refused, ServiceError
from desktop.services.ledger.dispatch import Patience
from desktop.services.ledger.facts import Place
from desktop.services.ledger.ledger import Ledger
from desktop.services.practice.practice_system import MatterRef, PracticeSystem, Urgency

AT_ONCE = 5
REST = timedelta(minutes=1)


@dataclass(slots=True)
class LateLook:
    """Done beside the deliveries, at most a few matters a minute, at the lowest urgency. What it finds goes the way of every
    read: a key that stands twice is shown to a person."""

    ledger: Ledger
    _next: dict[tuple[str, str], datetime] = field(default_factory=dict)

    def look(self, practice: PracticeSystem, tenant: str, patience: Patience) -> None:
        """What can't be read now is read at another time; a matter that is refused is let be."""
        now, address = self.ledger.now(), (practice.name, tenant)
        following = self._next.get(address, now)
        # Farther off than it ever is set: the clock was set back since.
        if following - REST <= now < following:
            return
        self._next[address] = now + REST
        for place, costs, documents in self.ledger.late_looks(*address)[:AT_ONCE]:
            read_at = self.ledger.now()
            try:
                self._read(practice, place, patience, costs=costs, documents=documents)
            except Refused:
                pass
            except ServiceError:
                return
            self.ledger.looked_again(place, read_at)

    def _read(self, practice: PracticeSystem, place: Place, patience: Patience, *, costs: bool, documents: bool) -> None:
        matter = MatterRef(place.matter_id, place.matter_number)
        if costs:
            read_at = self.ledger.read_begins()
            seen = seen_costs(practice, self.ledger, matter, Urgency.BACKGROUND)
            self.ledger.note_books(place, documents=False, seen=seen, read_at=read_at, patience=patience)
        if documents:
            read_at = self.ledger.read_begins()
            seen = [one for filed in practice.documents(matter, urgency=Urgency.BACKGROUND) for one in seen_document(filed)]
            self.ledger.note_books(place, documents=True, seen=seen, read_at=read_at, patience=patience)
