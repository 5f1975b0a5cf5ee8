"""One sign-in from the first click to the tokens: authorization code with PKCE, in the person's own browser (RFC 8252)."""

from __future__ import annotations

import logging
import secrets
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar
from urllib.parse import urlsplit

from desktop.services.desk import SignInSteps, Tenant
from desktop.services.errors import AccessMissing, AnswerLost, NotSent, ServiceError
from desktop.services.http import Limits
from desktop.services.identity.callback import Consent, NotTheCallback, Refusal, read_callback
from desktop.services.identity.listener import CallbackListener
from desktop.services.identity.loopback import MakeSocket
from desktop.services.identity.model import (
    GrantRefused,
    LoopbackRedirect,
    Person,
    SignInCancelled,
    SignInFailed,
    TokenSet,
    Vendor,
    WatchedRedirect,
    WatchRedirect,
)
from desktop.services.identity.oauth import Attempt, OAuthClient
from desktop.services.sign_in_protocol import is_same_place

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

BOUND_SECONDS = 300.0
_LOOK = 0.05
_LIMITS = Limits(connect=10.0, read=30.0, total=60.0)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a finished sign-in gives; nothing of it is stored yet."""

    tenant: Tenant
    person: Person
    tokens: TokenSet = field(repr=False)


def fresh_attempt(random: Callable[[int], str] = secrets.token_urlsafe) -> Attempt:
    """State and nonce of 256 bits; a verifier of 64 random bytes, 86 characters (RFC 7636, 4.1 asks for 43 to 128)."""
    return Attempt(state=random(32), nonce=random(32), verifier=random(64))


class SignIn:
    """One attempt: make one, run it once. `clock` gives aware UTC, `monotonic` seconds."""

    def __init__(
        self,
        vendor: Vendor,
        client: OAuthClient,
        steps: SignInSteps,
        *,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
        watch: WatchRedirect | None = None,
        make_socket: MakeSocket = socket.socket,
        bound: float = BOUND_SECONDS,
    ) -> None:
        self._vendor = vendor
        self._client = client
        self._steps = steps
        self._clock = clock
        self._monotonic = monotonic
        self._watch = watch
        self._make_socket = make_socket
        self._bound = bound
        self._deadline = 0.0

    def run(self) -> SignedIn:
        """Raises SignInCancelled, SignInFailed, AccessMissing (with a cure), NotNow (no port), or what reading the
        organisations raises. Ends within `bound` seconds; on every way out the port is free again."""
        self._deadline = self._monotonic() + self._bound
        began = self._clock()
        attempt = fresh_attempt()
        redirect = self._vendor.registration.redirect
        if isinstance(redirect, LoopbackRedirect):
            tokens = self._over_loopback(redirect, attempt)
        else:
            tokens = self._over_window(redirect, attempt)
        self._vendor.check_scopes(tokens)
        person = self._vendor.read_person(tokens, nonce=attempt.nonce, began=began)
        offer = self._patiently(lambda: self._vendor.find_tenants(tokens))
        return SignedIn(self._settle(offer.tenants), person, tokens)

    def _over_loopback(self, redirect: LoopbackRedirect, attempt: Attempt) -> TokenSet:
        self._check()
        with CallbackListener(
            redirect.ports,
            state=attempt.state,
            accepts_issuer=self._vendor.accepts_issuer,
            path=redirect.path,
            host=redirect.host,
            clock=self._monotonic,
            make_socket=self._make_socket,
        ) as listener:
            # Only now is the port ours, so only now may the address name it.
            address = self._client.authorize_address(attempt, listener.redirect_uri)
            if not self._steps.open_browser(address):
                raise SignInFailed(
                    "No web browser could be opened for the sign-in. Set a default browser on this PC, or use "
                    "«iconnect connect --no-browser» and open the address that it prints."
                )
            answer: Consent | Refusal | None = None
            while answer is None:
                self._check()
                answer = listener.wait(_LOOK)
            self._check()
            return self._traded(answer, attempt, listener.redirect_uri)

    def _over_window(self, redirect: WatchedRedirect, attempt: Attempt) -> TokenSet:
        title = self._vendor.registration.title
        registered = urlsplit(redirect.uri)
        if registered.scheme != "https" or not registered.hostname:
            raise SignInFailed(
                f"The redirect address of {title} in platform.toml is neither an https address nor one on this PC. Tell IT to "
                "set the one that is registered at the vendor."
            )
        address = self._client.authorize_address(attempt, redirect.uri)
        if self._steps.paste is not None:
            self._steps.open_browser(address)
            arrived = self._steps.paste(redirect.uri, self._gave_up)
        elif self._watch is not None:
            self._steps.window_opens()
            arrived = self._watch(address, redirect.uri, self._gave_up)
        else:
            raise SignInFailed(f"Signing in to {title} needs iConnect's sign-in window. Connect from the tray icon.")
        self._check()
        if arrived is None:
            raise SignInCancelled("The sign-in was cancelled.")
        if not is_same_place(arrived, redirect.uri):
            raise SignInFailed("The sign-in ended at another address than the registered one. Nothing was stored. Try again.")
        try:
            answer = read_callback(urlsplit(arrived).query, state=attempt.state, accepts_issuer=self._vendor.accepts_issuer)
        except NotTheCallback as error:
            raise SignInFailed("That answer was not meant for this sign-in. Nothing was stored. Try again.") from error
        return self._traded(answer, attempt, redirect.uri)

    def _traded(self, answer: Consent | Refusal, attempt: Attempt, redirect_uri: str) -> TokenSet:
        title = self._vendor.registration.title
        if isinstance(answer, Refusal):
            if answer.error == "access_denied":
                raise SignInCancelled(
                    f"Access was not allowed on {title}'s page, so nothing was connected. Connect again to allow it."
                )
            shown = answer.error if answer.error.replace("_", "").isalnum() and len(answer.error) <= 40 else "an unknown error"
            raise SignInFailed(
                f"{title} ended the sign-in with an error ({shown}). Try again; if it repeats, tell IT to check the app's "
                "registration and scopes."
            )
        code = answer.code
        try:
            return self._patiently(lambda: self._client.exchange(code, attempt, redirect_uri, limits=_LIMITS))
        except GrantRefused as refusal:
            hint = (
                "Ask IT to compare the client id and secret in platform.toml with the vendor's developer portal."
                if refusal.code in ("invalid_client", "unauthorized_client")
                else "Try again."
            )
            raise SignInFailed(f"{title} did not accept the sign-in ({refusal.code}). {hint}") from refusal
        except (NotSent, AnswerLost) as error:
            raise SignInFailed(
                f"{title} could not be reached to finish the sign-in. {error} Check the network and try again."
            ) from error

    def _settle(self, tenants: tuple[Tenant, ...]) -> Tenant:
        if not tenants:
            raise AccessMissing("The vendor named no organisation for this sign-in.", cure="Connect again and choose one.")
        chosen: Tenant | None = tenants[0]
        if len(tenants) > 1:
            self._check()
            chosen = self._steps.choose_tenant(tenants)
            if chosen is None:
                raise SignInCancelled("No organisation was chosen, so nothing was connected.")
            if chosen not in tenants:
                raise SignInFailed("The chosen organisation is not one of those offered. Nothing was stored. Try again.")
        self._check()
        assert chosen is not None
        self._steps.show_tenant(chosen)
        self._check()
        return chosen

    def _gave_up(self) -> bool:
        return self._steps.cancelled() or self._monotonic() >= self._deadline

    def _check(self) -> None:
        if self._steps.cancelled():
            raise SignInCancelled("The sign-in was cancelled.")
        if self._monotonic() >= self._deadline:
            raise SignInFailed(
                "The sign-in took too long, so it was ended. If the browser shows an error page of the vendor, tell IT to check "
                "the app's client id, redirect addresses and scopes; otherwise just connect again."
            )

    def _patiently(self, call: Callable[[], _T]) -> _T:
        """Runs a network call so that cancelling does not wait for it: its answer is then dropped."""
        result: list[_T] = []
        failure: list[ServiceError] = []
        unexpected: list[BaseException] = []
        done = threading.Event()

        def run() -> None:
            try:
                result.append(call())
            except ServiceError as error:
                failure.append(error)
            except BaseException as error:  # noqa: BLE001  # a thread's edge: raised again in the caller
                unexpected.append(error)
            finally:
                done.set()

        threading.Thread(target=run, name="sign-in call", daemon=True).start()
        while not done.wait(_LOOK):
            self._check()
        for error in (*failure, *unexpected):
            raise error
        return result[0]
