"""Every practice system that the product speaks to: its name for people, how it is made, and which account of calls it has.

A further system is one adapter, one table in the platform file and one line here. The adapters are imported when one of
them is asked for: who uses one system need not carry the others in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Protocol

from desktop.services.delivery.bucket import Bucket
from desktop.services.delivery.budget import Budget
from desktop.services.http import Http
from desktop.services.practice.practice_system import AccessTokens, CallGate, PracticeSystem
from desktop.settings import Settings


class CallAccount(CallGate, Protocol):
    """The account of calls of one connected organisation, kept over restarts."""

    def close(self) -> None: ...

    def snapshot(self) -> dict[str, object]: ...

    def restore(self, snapshot: Mapping[str, object]) -> None: ...


Clock = Callable[[], datetime]


def _now() -> datetime:
    return datetime.now(UTC)


class Make(Protocol):
    """How an adapter is made. `clock` gives aware times."""

    def __call__(
        self, http: Http, tokens: AccessTokens, gate: CallGate, settings: Settings, clock: Clock = _now
    ) -> PracticeSystem: ...


@dataclass(frozen=True, slots=True)
class Known:
    """One practice system. `title` is its maker's own name for it."""

    title: str
    make: Make
    account: Callable[[], CallAccount] = Budget


def _xero_practice_manager(
    http: Http, tokens: AccessTokens, gate: CallGate, settings: Settings, clock: Clock = _now
) -> PracticeSystem:
    from desktop.services.practice.xero_practice_manager import XeroPracticeManager

    return XeroPracticeManager(http, tokens, gate, settings.xero.api_url, clock=clock)


def _workflowmax(http: Http, tokens: AccessTokens, gate: CallGate, settings: Settings, clock: Clock = _now) -> PracticeSystem:
    if settings.workflowmax.api == "v1":
        from desktop.services.practice.workflowmax_v1 import WorkflowMaxV1

        return WorkflowMaxV1(http, tokens, gate, settings.workflowmax.api_url, clock=clock)
    from desktop.services.practice.workflowmax_v2 import WorkflowMaxV2

    return WorkflowMaxV2(http, tokens, gate, settings.workflowmax.api_url, clock=clock)


def _smokeball(http: Http, tokens: AccessTokens, gate: CallGate, settings: Settings, clock: Clock = _now) -> PracticeSystem:
    from desktop.services.practice.smokeball import Smokeball
    from desktop.services.practice.smokeball_hosts import api_root

    return Smokeball(
        http,
        tokens,
        gate,
        api_root(settings.smokeball),
        api_key=settings.smokeball.api_key,
        region=settings.smokeball.region,
        markup_percent=Decimal(str(settings.costs.markup_percent)),
        zone=settings.infotrack.timezone,
        clock=clock,
    )


SYSTEMS: Mapping[str, Known] = {
    "xero-practice-manager": Known("Xero Practice Manager", _xero_practice_manager),
    "workflowmax": Known("WorkflowMax", _workflowmax),
    "smokeball": Known("Smokeball", _smokeball, Bucket),
}


def title_of(system: str) -> str:
    known = SYSTEMS.get(system)
    return system if known is None else known.title
