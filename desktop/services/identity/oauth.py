"""The OAuth client: Authlib speaks the protocol, our own Http carries it.

Authlib builds the authorize address, the PKCE challenge, the token, refresh and revocation requests and reads their
answers. Its requests go through a transport that hands each one to `Http`, so that limits, certificates, proxies and
«never twice» are the same as for every other call of this program."""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from requests.adapters import BaseAdapter

from desktop.services.errors import AnswerLost, BadAnswer, Wait
from desktop.services.http import Http, Limits
from desktop.services.identity.model import GrantRefused, Registration, TokenSet
from desktop.services.practice.gateway import retry_after

_LARGEST_ANSWER = 256_000
_USUAL_LIFETIME = 1800.0
_LONGEST_LIFETIME = 86_400.0
_PASSING = ("temporarily_unavailable", "server_error", "slow_down")
_PASSING_STATUS = (408, 425, 429)
_HINT = "refresh_token"
_REUSED = re.compile(r"\bre-?us(e|ed|ing)\b|already (been )?used", re.IGNORECASE)
_FORM = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded;charset=UTF-8"}


@dataclass(frozen=True, slots=True)
class Attempt:
    """The secrets of one sign-in, used once."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)


class _Transport(BaseAdapter):
    def __init__(self, http: Http, clock: Callable[[], datetime], limits: Limits | None) -> None:
        super().__init__()
        self._http = http
        self._clock = clock
        self._limits = limits

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        body = request.body
        names = ("Accept", "Content-Type", "Authorization")
        answer = self._http.send(
            request.method or "POST",
            request.url or "",
            headers={name: str(request.headers[name]) for name in names if name in request.headers},
            body=body.encode() if isinstance(body, str) else body,
            cap=_LARGEST_ANSWER,
            limits=self._limits,
        )
        if answer.status in (429, 503) and (after := retry_after(answer.headers, self._clock())) is not None:
            raise Wait(asks_to_wait(after), after=after, limit="server")
        if answer.status >= 500 or answer.status in _PASSING_STATUS:
            raise AnswerLost(f"The sign-in server has a problem (HTTP {answer.status}).")
        if 300 <= answer.status < 400:
            raise AnswerLost("The sign-in server sent the request elsewhere; it was not followed.")
        response = requests.Response()
        response.status_code = answer.status
        response.headers.update(answer.headers)
        response.encoding = "utf-8"
        response.request = request
        response._content = _plain(answer.body)
        return response

    def close(self) -> None:
        pass


class OAuthClient:
    """One registration at one authorization server. Safe to use from several threads: each call has a session of its own.
    `clock` gives aware UTC."""

    def __init__(
        self, registration: Registration, http: Http, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._registration = registration
        self._http = http
        self._clock = clock

    @property
    def can_revoke(self) -> bool:
        return bool(self._registration.revocation_url)

    def authorize_address(self, attempt: Attempt, redirect_uri: str) -> str:
        """The address for the person's browser. It holds the challenge, never the verifier."""
        known = self._registration
        extra = dict(known.extra)
        if "openid" in known.scopes:
            extra["nonce"] = attempt.nonce
        with self._session(redirect_uri=redirect_uri) as session:
            address, _ = session.create_authorization_url(
                known.authorize_url,
                state=attempt.state,
                code_verifier=attempt.verifier if known.pkce else None,
                scope=" ".join(known.scopes) or None,
                **extra,
            )
        return str(address)

    def exchange(self, code: str, attempt: Attempt, redirect_uri: str, *, limits: Limits | None = None) -> TokenSet:
        """Trades the code for tokens. Raises GrantRefused, NotSent, AnswerLost, BadAnswer or Wait."""
        more = {"code_verifier": attempt.verifier} if self._registration.pkce else {}
        with self._session(redirect_uri=redirect_uri, limits=limits) as session:
            return self._asked(
                lambda: session.fetch_token(
                    self._registration.token_url,
                    grant_type="authorization_code",
                    code=code,
                    headers=dict(_FORM),
                    **self._id_in_body(),
                    **more,
                )
            )

    def refresh(self, refresh_token: str, *, limits: Limits | None = None) -> TokenSet:
        """A fresh token set; its refresh token is the given one where the server sent no new one. Raises as `exchange`."""
        known = self._registration
        more = {"scope": " ".join(known.scopes)} if known.scopes_when_refreshing and known.scopes else {}
        with self._session(limits=limits) as session:
            return self._asked(
                lambda: session.refresh_token(
                    known.token_url, refresh_token=refresh_token, headers=dict(_FORM), **self._id_in_body(), **more
                )
            )

    def revoke(self, refresh_token: str, *, limits: Limits | None = None) -> None:
        """Ends the grant at the server (RFC 7009), in a form body. Raises GrantRefused, NotSent or AnswerLost."""
        from authlib.integrations.base_client import OAuthError

        with self._session(limits=limits) as session:
            try:
                response = session.revoke_token(
                    self._registration.revocation_url, token=refresh_token, token_type_hint=_HINT, headers=dict(_FORM)
                )
            except OAuthError as error:
                raise GrantRefused(str(error.error)) from error
        if response.status_code != 200:
            raise GrantRefused(f"HTTP {response.status_code}")

    def _session(self, *, redirect_uri: str | None = None, limits: Limits | None = None) -> Any:
        from authlib.integrations.requests_client import OAuth2Session

        known = self._registration
        session = OAuth2Session(
            client_id=known.client_id,
            client_secret=known.client_secret or None,
            token_endpoint_auth_method=known.authentication,
            revocation_endpoint_auth_method=known.authentication,
            redirect_uri=redirect_uri,
            code_challenge_method="S256" if known.pkce else None,
        )
        # No netrc, no environment: our transport alone decides how a request travels.
        session.trust_env = False
        transport = _Transport(self._http, self._clock, limits)
        session.mount("https://", transport)
        session.mount("http://", transport)
        return session

    def _id_in_body(self) -> dict[str, str]:
        return {"client_id": self._registration.client_id} if self._registration.id_in_body else {}

    def _asked(self, ask: Any) -> TokenSet:
        from authlib.integrations.base_client import OAuthError

        try:
            answer = ask()
        except OAuthError as error:
            if not isinstance(error.error, str):
                # A gateway's own kind of error, not the protocol's.
                raise AnswerLost("The sign-in server's answer could not be understood.") from error
            if error.error in _PASSING:
                raise AnswerLost("The sign-in server has a problem at the moment.") from error
            raise GrantRefused(_code(error.error), reused=bool(_REUSED.search(str(error.description or "")))) from error
        except requests.HTTPError as error:
            # A 4xx that is not in the protocol's words comes from something in front of the server.
            raise AnswerLost("Something between this PC and the sign-in server answered in its place.") from error
        except (ValueError, TypeError, RecursionError) as error:
            raise AnswerLost("The sign-in server's answer could not be understood.") from error
        return _token_set(answer)


def asks_to_wait(left: timedelta) -> str:
    minutes = math.ceil(left.total_seconds() / 60)
    when = "a minute" if minutes <= 1 else f"{minutes} minutes"
    return f"The sign-in server asks to wait. Try again in {when}."


def _plain(body: bytes) -> bytes:
    """The answer in plain JSON, without a lifetime that Authlib's own reckoning would stumble over and without fields that are
    there and say nothing."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return body
    if not isinstance(answer, dict):
        return body
    for name in ("error", "token_type"):
        if name in answer and answer[name] in (None, ""):
            del answer[name]
    if "access_token" in answer:
        answer.pop("expires_at", None)
        answer["expires_in"] = _lifetime(answer.get("expires_in"))
    return json.dumps(answer).encode()


def _code(value: object) -> str:
    text = str(value)
    return text if text.isascii() and text.replace("_", "").replace("-", "").isalnum() and len(text) <= 40 else "unreadable error"


def _token_set(answer: Mapping[str, Any]) -> TokenSet:
    access, refresh, id_token = (answer.get(name) or "" for name in ("access_token", "refresh_token", "id_token"))
    for text in (access, refresh, id_token):
        if not isinstance(text, str) or not text.isascii() or len(text) > 65_536 or any(letter <= " " for letter in text):
            raise BadAnswer("The sign-in server's answer holds something that is not a token.")
    if not access or str(answer.get("token_type", "Bearer")).lower() != "bearer":
        raise BadAnswer("The sign-in server's answer holds no access token that can be used.")
    granted = answer.get("scope")
    scopes: frozenset[str] | None = None
    if isinstance(granted, str) and granted.strip():
        scopes = frozenset(granted.split())
    elif isinstance(granted, list):
        scopes = frozenset(str(scope) for scope in granted)
    return TokenSet(access, refresh, id_token, _lifetime(answer.get("expires_in")), scopes)


def _lifetime(value: object) -> float:
    """Seconds from receipt; the vendors' usual half hour where the answer gives none that can be believed."""
    try:
        seconds = float(value) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        seconds = math.nan
    if not math.isfinite(seconds) or seconds <= 0:
        return _USUAL_LIFETIME
    return min(seconds, _LONGEST_LIFETIME)


def unverified_claims(token: str) -> dict[str, Any]:
    """The claims of a JWT, as hints only; empty when the token is opaque. Nothing may be allowed because of them."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        found = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
