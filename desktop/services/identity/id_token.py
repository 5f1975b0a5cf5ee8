"""Is this ID token the answer to our own question? (OpenID Connect Core, 3.1.3.7)

The token comes straight from the token endpoint over TLS, so the endpoint's certificate vouches for who wrote it and the
signature is not checked (rule 6). Everything else is: a token that was made for another app, another attempt or another
time is refused, and so is one that claims no signature, or one under a shared secret."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from desktop.services.identity.model import Person, SignInFailed
from desktop.services.identity.names import is_id, one_line

SKEW = timedelta(minutes=5)
ALGORITHM = "RS256"  # OpenID Connect's default, and what an app gets that registered nothing else


class _Repeated(ValueError):
    pass


def check_id_token(
    token: str, *, client_id: str, nonce: str, accepts_issuer: Callable[[str], bool], began: datetime, now: datetime
) -> Person:
    """Who signed in. `began` is when this attempt was begun, by the same clock as `now`. Raises SignInFailed."""
    header, claims = _read(token)
    if header.get("alg") != ALGORITHM or "crit" in header:
        raise _refused("it is not signed the way it has to be")
    issuer = claims.get("iss")
    if not isinstance(issuer, str) or not accepts_issuer(issuer):
        raise _refused("it comes from another issuer")
    _check_audience(claims, client_id)
    given = claims.get("nonce")
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(errors="replace"), nonce.encode()):
        raise _refused("it belongs to another sign-in")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not subject.isascii() or not 0 < len(subject) <= 255:
        raise _refused("it names no user")
    _check_times(claims, began, now)
    own_id = claims.get("xero_userid")
    return Person(
        id=own_id if is_id(own_id) else subject,
        name=_name(claims),
        email=one_line(claims.get("email")),
    )


def issuer_rule(token_url: str, authorize_url: str) -> Callable[[str], bool]:
    """Which issuers may speak for the configured server.

    On Xero's own hosts: exactly the published one. For another server that the firm's IT configured, any issuer on
    the origin of the token or authorize address counts, and so does Xero's (a stand-in that copies Xero says so). That is safe
    because the ID token is only ever taken from the configured token address itself, over a checked connection: whoever
    answers there could say anything in any case, and this app talks to one server only, so none can be mistaken for another."""
    host = (urlsplit(token_url).hostname or "").lower()
    if host == "xero.com" or host.endswith(".xero.com"):
        return lambda issuer: issuer == XERO_ISSUER
    origins = {_origin(token_url), _origin(authorize_url)}

    def accepts(issuer: str) -> bool:
        return issuer == XERO_ISSUER or _origin(issuer) in origins

    return accepts


XERO_ISSUER = "https://identity.xero.com"


def _origin(address: str) -> tuple[str, str, int | None]:
    try:
        parts = urlsplit(address)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return ("", address, None)
    if host in ("127.0.0.1", "::1"):
        host = "localhost"
    return (parts.scheme, host, port or {"https": 443, "http": 80}.get(parts.scheme))


def _check_audience(claims: dict[str, Any], client_id: str) -> None:
    audience = claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience
    if not isinstance(audiences, list) or client_id not in audiences or not all(isinstance(one, str) for one in audiences):
        raise _refused("it was made for another app")
    party = claims.get("azp")
    if party is not None and party != client_id:
        raise _refused("it was made for another app")
    if party is None and any(one != client_id for one in audiences):
        raise _refused("it was made for several apps and does not say for which")


def _check_times(claims: dict[str, Any], began: datetime, now: datetime) -> None:
    expires, issued, not_before = (_time(claims, name) for name in ("exp", "iat", "nbf"))
    if expires is None or issued is None:
        raise _refused("it does not say when it was made and until when it counts")
    early = issued > now + SKEW or (not_before is not None and not_before > now + SKEW)
    late = expires <= now - SKEW or issued < began - SKEW
    if early or late:
        direction = "ahead of" if late else "behind"
        raise SignInFailed(
            "The sign-in could not be accepted because its times do not fit this PC's time: check the computer's clock "
            f"(it seems to be {direction} the right time), its date and its time zone, then sign in again."
        )


def _time(claims: dict[str, Any], name: str) -> datetime | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _refused("its times are unreadable")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise _refused("its times are unreadable") from error


def _read(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    parts = token.split(".")
    if len(parts) != 3 or not all(parts):
        raise _refused("it is not a signed token")
    try:
        header, claims = (
            json.loads(base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True), object_pairs_hook=_once)
            for part in parts[:2]
        )
    except (ValueError, binascii.Error, RecursionError) as error:
        raise _refused("it is unreadable") from error
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise _refused("it is unreadable")
    return header, claims


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Repeated("a claim is repeated")
    return found


def _name(claims: dict[str, Any]) -> str:
    whole, *parts = (one_line(claims.get(name)) for name in ("name", "given_name", "family_name"))
    return whole or " ".join(part for part in parts if part)


def _refused(why: str) -> SignInFailed:
    return SignInFailed(f"The proof of who signed in was refused: {why}. Nothing was stored. Try again, and tell IT if it repeats.")
