"""Implements Advice: what was ordered lately from the ledger, the matter's state from its practice system."""

from __future__ import annotations

from dataclasses import replace

from desktop.services.advice import BeforeOrder
from desktop.services.ledger import earlier_orders
from desktop.services.ledger.ledger import Ledger
from desktop.services.plainly import plainly
from desktop.services.practice.directory import Directory
from desktop.services.practice.model import Matter
from desktop.services.practice.search_text import fold, words
from desktop.services.practice_links import PracticeLinks

_LOOK_THROUGH = 200
_ENOUGH = 3

_ENDED = frozenset({"completed", "cancelled", "canceled", "closed", "archived"})
"""What most firms call a job that is over (the usual defaults, by vendors' help pages). A firm may use them otherwise, so they
count only where nothing better is known and no open matter carries the word."""


class MatterAdvice:
    """Safe to use from several threads."""

    def __init__(self, ledger: Ledger, directory: Directory, links: PracticeLinks) -> None:
        self._ledger = ledger
        self._directory = directory
        self._links = links

    def before_order(self, matter: Matter) -> BeforeOrder:
        with plainly(), self._ledger.reading() as db:
            return earlier_orders.before_order(db, matter, self._ledger.now())

    def as_it_is_now(self, matter: Matter) -> Matter:
        with plainly():
            practice = self._links.practice(matter.system, matter.tenant)
            if practice is None or not matter.number:
                return matter
            found = practice.matter(matter.number)
            if found is None or (found.id != matter.id and found.number.casefold() != matter.number.casefold()):
                return matter
            is_open = self._openness(matter, found.state) if found.is_open is None else found.is_open
            return replace(matter, state=found.state or matter.state, is_open=is_open)

    def open_matters_of_client(self, matter: Matter, limit: int = 20) -> tuple[Matter, ...]:
        with plainly():
            around = self._around(matter)
        client = fold(matter.client)
        return tuple(
            one
            for one in around
            if one.id != matter.id
            and one.is_open is not False
            and ((matter.client_id and one.client_id == matter.client_id) or (client and fold(one.client) == client))
        )[:limit]

    def _openness(self, matter: Matter, state: str) -> bool | None:
        """Where a single job's record does not tell whether the job is open, its state's word may: one that did not change
        says what the list said, and one that only closed matters carry says that it is closed. The words are each firm's
        own, so the usual ones count last."""
        if state == matter.state and matter.is_open is not None:
            return matter.is_open
        alike = [one for one in self._around(matter) if one.state == state and one.id != matter.id]
        if any(one.is_open for one in alike):
            return True
        ended = len(alike) >= _ENOUGH and all(one.is_open is False for one in alike)
        return False if ended or fold(state) in _ENDED else None

    def _around(self, matter: Matter) -> tuple[Matter, ...]:
        """Matters of the same organisation that share a word with this one's client, so that no list is read as a whole."""
        wanted = words(matter.client) or words(matter.name)
        if not wanted:
            return ()
        found = self._directory.with_any_word(wanted, _LOOK_THROUGH)
        return tuple(one for one in found if (one.system, one.tenant) == (matter.system, matter.tenant))
