"""The directory as the courier knows it: where an order's matter is looked up, and asked for when the copy lacks it."""

from __future__ import annotations

from collections.abc import Callable

from desktop.services.infotrack.model import OrderMessage
from desktop.services.ledger.model import Suggestion
from desktop.services.practice.directory import Directory
from desktop.services.practice.model import Matter


class DirectoryLookup:
    """A `MatterLookup`. `ask_system` asks one practice system for one number over the network; it raises what
    PracticeSystem.matter raises, and what it finds is kept in the copy."""

    def __init__(self, directory: Directory, ask_system: Callable[[str, str], Matter | None]) -> None:
        self._directory = directory
        self._ask_system = ask_system

    def by_id(self, system: str, matter_id: str) -> Matter | None:
        return self._directory.by_id(system, matter_id)

    def by_number(self, number: str) -> tuple[Matter, ...]:
        return self._directory.by_number(number)

    def ask(self, system: str, number: str) -> Matter | None:
        matter = self._ask_system(system, number)
        if matter is not None:
            self._directory.keep(matter)
        return matter

    def suggestions(self, message: OrderMessage, limit: int = 5) -> tuple[Suggestion, ...]:
        return self._directory.suggestions(message, limit)
