"""Who we are at a practice system's vendor: values only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from desktop.services.desk import Tenant
from desktop.services.errors import NotNow, ServiceError

ClientAuthentication = Literal["none", "client_secret_basic", "client_secret_post"]


class SignInFailed(ServiceError):
    """A sign-in ended without a connection. Nothing was stored; it can be begun again at once."""


class SignInCancelled(SignInFailed):
    """The person gave up, here or on the vendor's page."""


class GrantRefused(ServiceError):
    """The token endpoint said no. `code` is the OAuth error code, such as "invalid_grant"; `reused`: it says that the refresh
    token had been used before."""

    def __init__(self, code: str, *, reused: bool = False) -> None:
        super().__init__(f"The sign-in server refused ({code}).")
        self.code = code
        self.reused = reused


class ClientRefused(NotNow):
    """The token endpoint does not accept this app. The sign-in itself stands."""


@dataclass(frozen=True, slots=True)
class LoopbackRedirect:
    """Redirects to `http://HOST:PORT/PATH` that are registered at the vendor, tried in this order."""

    ports: tuple[int, ...]
    path: str = "/callback"
    host: str = "localhost"


@dataclass(frozen=True, slots=True)
class WatchedRedirect:
    """One registered https redirect that nothing of ours serves: the sign-in window watches for it."""

    uri: str


@dataclass(frozen=True, slots=True)
class Registration:
    """This app as a vendor's authorization server knows it.

    `extra` goes into the authorize address as it is. `scopes_when_refreshing`: the vendor wants the scopes repeated."""

    system: str
    title: str
    client_id: str
    client_secret: str = field(repr=False)
    scopes: tuple[str, ...]
    authorize_url: str
    token_url: str
    revocation_url: str
    redirect: LoopbackRedirect | WatchedRedirect
    authentication: ClientAuthentication
    pkce: bool = True
    extra: tuple[tuple[str, str], ...] = ()
    scopes_when_refreshing: bool = False
    id_in_body: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """The signed-in person. `id` is the vendor's stable id; `name` and `email` are empty where the vendor gave none."""

    id: str = ""
    name: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class TokenSet:
    """One answer of a token endpoint. `lifetime` is in seconds from receipt. `id_token` is empty when none came."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    id_token: str = field(repr=False)
    lifetime: float
    scopes: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class TenantOffer:
    """The organisations that a fresh token may stand for: one when the facts decide, several when a person must."""

    tenants: tuple[Tenant, ...]


@dataclass(frozen=True, slots=True)
class ConnectionRecord:
    """What is known of a connection without any secret: readable by every process, with no keyring.

    `since` is the moment of signing in (UTC). `may_lapse` is when a sign-in that no use prolongs has lived as long as the vendor
    promises (UTC); None where use prolongs it. `problem` and `cure` are empty while all is well; a problem means state
    «attention». `session_only`: its tokens are only in this process's memory."""

    system: str
    tenant: str
    tenant_name: str
    user: str
    since: datetime
    user_id: str = ""
    email: str = ""
    problem: str = ""
    cure: str = ""
    session_only: bool = False
    may_lapse: datetime | None = None


class FindTenants(Protocol):
    """Asks the vendor which organisations the fresh token reaches. Raises AccessMissing with a cure when none."""

    def __call__(self, tokens: TokenSet) -> TenantOffer: ...


class ReadPerson(Protocol):
    """Says who signed in, from what the token endpoint gave. Raises SignInFailed when that can't be believed."""

    def __call__(self, tokens: TokenSet, *, nonce: str, began: datetime) -> Person: ...


@dataclass(frozen=True, slots=True)
class Vendor:
    """All that signing in to one practice system needs to know."""

    registration: Registration
    find_tenants: FindTenants
    read_person: ReadPerson
    accepts_issuer: Callable[[str], bool]
    check_scopes: Callable[[TokenSet], None]


WatchRedirect = Callable[[str, str, Callable[[], bool]], str | None]
"""Opens the address (first argument) in the sign-in window and gives the whole address that begins with the redirect
(second), or None when the window was closed or the third, `cancelled`, said so. Called on the worker's thread."""

ChooseTenant = Callable[[Sequence[Tenant]], Tenant | None]
