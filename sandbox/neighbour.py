"""What the controls ask of a further practice system's stand-in, beside the first one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

XERO_SYSTEM = "xero-practice-manager"


class AnyFirm(Protocol):
    """What the controls do with a firm, whatever system keeps it."""

    tenant_id: str

    @property
    def contents(self) -> Mapping[str, bytes]:
        """Documents by their hash."""

    def books(self, job: str = "") -> dict[str, object]:
        """Everything that was posted."""

    def change_cost(self, uuid: str, values: dict[str, str]) -> object | None:
        """Other values for a cost; None if there is no such cost."""

    def remove_cost(self, uuid: str) -> bool:
        """Takes a cost off its job; whether there was one."""

    def rows(self, limit: int) -> list[dict[str, object]]:
        """The first jobs: number, uuid, name, client, state."""

    def work(self, number: str, what: str, now: datetime) -> dict[str, object] | None:
        """What staff do to a job: close, open, refuse, accept. How it stands then; None if there is no such job."""

    def allow(self, email: str, allowed: bool) -> bool:
        """Gives or takes the privilege to connect programs; False if there is no such member of staff."""


class Neighbour(Protocol):
    """A practice system with firms and sign-ins of its own. Firms are made when they are first needed."""

    @property
    def system(self) -> str:
        """Its name in a platform file."""

    @property
    def main_tenant(self) -> str:
        """The tenant that the demo uses."""

    def names(self) -> dict[str, str]:
        """Tenant ids and names, of firms made and not yet made."""

    def firm(self, tenant_id: str) -> AnyFirm | None:
        """A firm of this system."""

    def made(self) -> Sequence[AnyFirm]:
        """The firms that exist so far."""

    def reset(self) -> None:
        """As at start."""

    def expire_access(self) -> int:
        """Makes every access token an expired one; returns how many."""

    def revoke_all(self) -> int:
        """Ends every consent; returns how many."""

    def register_redirects(self, addresses: list[str]) -> None:
        """Further redirect addresses, to the letter."""

    def registered(self) -> dict[str, list[str]]:
        """Redirect addresses by client id."""
