"""What the controls ask of a further practice system's stand-in, beside the first one."""

from __future__ import annotations

from typing import Protocol

from sandbox.firm import Firm

XERO_SYSTEM = "xero-practice-manager"


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

    def firm(self, tenant_id: str) -> Firm | None:
        """A firm of this system."""

    def made(self) -> list[Firm]:
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
