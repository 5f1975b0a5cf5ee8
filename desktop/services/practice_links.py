"""The practice systems that are signed in now, each with its budget of calls, and what their last answers said of them.

«Green means it works»: whether a connection is offline or lacks a right is taken from real answers, here, for everybody.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from desktop.services.errors import AccessMissing, AnswerLost, NotSent, ServiceError
from desktop.services.http import Http
from desktop.services.identity.wallet import Identity
from desktop.services.practice.practice_system import PracticeSystem
from desktop.services.practice_systems import SYSTEMS, CallAccount
from desktop.settings import Settings


class _Watched:
    """A practice system whose every call tells how it went."""

    def __init__(self, inner: PracticeSystem, tell: Callable[[ServiceError | None], None]) -> None:
        self._inner = inner
        self._tell = tell

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not callable(found):
            return found

        def call(*args: Any, **named: Any) -> Any:
            try:
                result = found(*args, **named)
            except ServiceError as error:
                self._tell(error)
                raise
            if isinstance(result, Iterator):
                return self._streamed(result)
            self._tell(None)
            return result

        return call

    def _streamed(self, rows: Iterator[Any]) -> Iterator[Any]:
        try:
            yield from rows
        except ServiceError as error:
            self._tell(error)
            raise
        self._tell(None)


class PracticeLinks:
    """Implements delivery.ports.Connections. Safe to use from several threads.

    `remember` and `recall` keep the budget's counts over a restart; `changed` is called when offline or a right changed."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        http: Http,
        identity: Identity,
        *,
        remember: Callable[[str, str], None],
        recall: Callable[[str], str | None],
        changed: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._http = http
        self._identity = identity
        self._remember = remember
        self._recall = recall
        self._changed = changed
        self._lock = threading.Lock()
        self._made: dict[tuple[str, str], PracticeSystem] = {}
        self._budgets: dict[tuple[str, str], CallAccount] = {}
        self._offline: set[str] = set()
        self._lacking: set[str] = set()

    def connected(self) -> tuple[tuple[str, str], ...]:
        """(system, tenant) pairs that have a sign-in; one that has ended says so when it is used (SignedOut)."""
        return tuple((record.system, record.tenant) for record in self._identity.records())

    def practice(self, system: str, tenant: str) -> PracticeSystem | None:
        """None while that tenant is not the one that is signed in."""
        connection = self._identity.connection(system)
        if connection is None or connection.tenant != tenant or system not in SYSTEMS:
            return None
        with self._lock:
            known = self._made.get((system, tenant))
            if known is None:
                known = self._make(system, tenant)
                self._made[system, tenant] = known
            return known

    def of(self, system: str) -> PracticeSystem | None:
        """The system's signed-in tenant's, or None."""
        record = self._identity.record(system)
        return None if record is None else self.practice(system, record.tenant)

    def make_anew(self) -> None:
        """Settings changed: what is asked for from now on is made with them. What is at work finishes as it was."""
        with self._lock:
            self._made.clear()

    def is_offline(self, system: str) -> bool:
        return system in self._offline

    def budgets(self) -> dict[str, object]:
        """What the vendors' headers last said, by system; also of a budget that another process keeps."""
        found: dict[str, object] = {}
        for record in self._identity.records():
            text = self._recall(_budget_name(record.system, record.tenant))
            own = self._budgets.get((record.system, record.tenant))
            if own is not None:
                found[record.system] = _shown(own.snapshot())
            elif text:
                found[record.system] = _shown(json.loads(text))
        return found

    def close(self) -> None:
        """Whoever waits for a turn gives up; the program is ending."""
        self.keep_budgets()
        with self._lock:
            budgets = tuple(self._budgets.values())
        for budget in budgets:
            budget.close()

    def keep_budgets(self) -> None:
        """Stores what is known of the limits, where it changed."""
        with self._lock:
            budgets = dict(self._budgets)
        for (system, tenant), budget in budgets.items():
            name, text = _budget_name(system, tenant), json.dumps(budget.snapshot(), sort_keys=True)
            if self._recall(name) != text:
                self._remember(name, text)

    def _make(self, system: str, tenant: str) -> PracticeSystem:
        connection = self._identity.connection(system)
        assert connection is not None
        budget = self._budgets.get((system, tenant))
        if budget is None:
            budget = SYSTEMS[system].account()
            if text := self._recall(_budget_name(system, tenant)):
                budget.restore(json.loads(text))
            self._budgets[system, tenant] = budget
        inner = SYSTEMS[system].make(self._http, connection, budget, self._settings())
        return cast(PracticeSystem, _Watched(inner, lambda error: self._told(system, error)))

    def _told(self, system: str, error: ServiceError | None) -> None:
        offline, lacking = system in self._offline, system in self._lacking
        if isinstance(error, AccessMissing):
            self._identity.mark_problem(system, str(error), error.cure)
            self._lacking.add(system)
            self._offline.discard(system)
        elif error is None:
            self._offline.discard(system)
            if lacking or self._needs_clearing(system):
                self._identity.clear_problem(system)
                self._lacking.discard(system)
        elif isinstance(error, (NotSent, AnswerLost)):
            self._offline.add(system)
        if offline != (system in self._offline) or lacking != (system in self._lacking):
            self._changed()

    def _needs_clearing(self, system: str) -> bool:
        record = self._identity.record(system)
        return record is not None and bool(record.problem)


def _shown(snapshot: Mapping[str, object]) -> dict[str, object]:
    """What people are told of a budget; the rest is the budget's own memory."""
    return {name: value for name, value in snapshot.items() if name != "kept"}


def _budget_name(system: str, tenant: str) -> str:
    return f"budget {system} {tenant}"
