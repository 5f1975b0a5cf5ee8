"""What both of WorkflowMax's interfaces have in common (WorkflowMax by BlueRock, not the product that Xero retired)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from desktop.services.practice.calls import Words
from desktop.services.practice.practice_system import AccessTokens

NAME = "workflowmax"

WORDS = Words(
    name="WorkflowMax",
    tenant_cure=(
        "In WorkflowMax an administrator opens the staff member's record and ticks “Authorise 3rd Party Full Access” under "
        "the privileges. Then disconnect here and connect again, choosing the organisation."
    ),
    scope_cure=(
        "The app's registration with WorkflowMax does not allow this. The firm's IT checks the app in WorkflowMax's developer "
        "portal; then connect again."
    ),
)


def organisation(tokens: AccessTokens) -> Callable[[], Mapping[str, str]]:
    """The headers that name the organisation. The first interface's article writes an underscore, the second's clients a
    hyphen, one catalogue the underscore for both, and some proxies drop names with underscores: both go with every call."""
    return lambda: {"account-id": tokens.tenant, "account_id": tokens.tenant}
