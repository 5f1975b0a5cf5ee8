"""Xero Practice Manager, interface version 3.1.

Facts that shape this (vendor docs unless said otherwise): the list of current jobs comes whole and need not carry UUIDs; the
rest is what all systems with this XML have in common (see `xml_practice`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from desktop.services.http import Http
from desktop.services.practice.calls import Words
from desktop.services.practice.practice_system import AccessTokens, CallGate
from desktop.services.practice.xml_practice import XmlPractice

NAME = "xero-practice-manager"
DEFAULT_MAX_DOCUMENT_BYTES = 2_600_000
"""No figure is published. Another interface of the vendor's takes 3.5 MB of body, which is 2.6 MB of file in base64."""

_WORDS = Words(
    name="Xero Practice Manager",
    tenant_cure=(
        "In Practice Manager an administrator opens the staff member's permissions and switches on “Connect third-party "
        "add-ons” (older screens: “Authorise 3rd Party Full Access”). Then disconnect here and connect again, choosing "
        "the practice."
    ),
    scope_cure=(
        "The app's registration with Xero lacks the Practice Manager scopes or tier. The firm's IT checks the scopes in "
        "platform.toml and the app at developer.xero.com; then connect again."
    ),
)


def _now() -> datetime:
    return datetime.now(UTC)


class XeroPracticeManager(XmlPractice):
    """A PracticeSystem. Safe to use from several threads."""

    def __init__(
        self,
        http: Http,
        tokens: AccessTokens,
        gate: CallGate,
        api_url: str = "https://api.xero.com/practicemanager/3.1/",
        *,
        max_document_bytes: int = DEFAULT_MAX_DOCUMENT_BYTES,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        super().__init__(
            NAME,
            http,
            tokens,
            gate,
            api_url,
            words=_WORDS,
            headers=lambda: {"xero-tenant-id": tokens.tenant},
            max_document_bytes=max_document_bytes,
            clock=clock,
        )
