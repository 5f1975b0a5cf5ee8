"""The JWTs that identity signs: access tokens with the claims seen in recorded ones, and id_tokens, with a flaw if asked for."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import uuid
from typing import Any

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from sandbox.identity_store import Access, Consent, IdentityStore


class TokenMaker:
    """Signs with an RSA key made at start. `base` is where identity answers; `iss` is the vendor's own name unless a switch
    says otherwise."""

    def __init__(self, store: IdentityStore, base: str) -> None:
        self._store = store
        self.base = base
        self._key = RSAKey.generate_key(2048, parameters={"use": "sig", "alg": "RS256"})
        self.kid = self._key.thumbprint()

    @property
    def issuer(self) -> str:
        """What `iss` says now."""
        return self.base if self._store.switches.issuer == "self" else self._store.switches.issuer

    def keys(self) -> dict[str, Any]:
        """The public keys, as the jwks address shows them."""
        return {"keys": [{**self._key.as_dict(private=False), "kid": self.kid, "use": "sig", "alg": "RS256"}]}

    def access_token(self, consent: Consent, scope: str, event_id: str) -> str:
        """A new access token, known to the gateway from now on."""
        now, life = int(self._store.clock.now()), self._store.switches.access_seconds
        person = consent.person
        token = self._sign(
            {
                "nbf": now,
                "exp": int(now + life),
                "iss": self.issuer,
                "aud": f"{self.issuer}/resources",
                "client_id": consent.client_id,
                "sub": person.sub,
                "auth_time": now,
                "xero_userid": person.xero_userid,
                "global_session_id": secrets.token_hex(16),
                "sid": secrets.token_hex(16),
                "jti": secrets.token_hex(16),
                "authentication_event_id": event_id,
                "scope": sorted(scope.split()),
            }
        )
        with self._store.lock:
            self._store.accesses[token] = Access(consent, frozenset(scope.split()), self._store.clock.now() + life)
        return token

    def id_token(self, consent: Consent, scope: str, nonce: str, access_token: str) -> str:
        """An id_token for the app, five minutes long."""
        now = int(self._store.clock.now())
        person, scopes = consent.person, scope.split()
        left = hashlib.sha256(access_token.encode()).digest()[:16]
        claims: dict[str, Any] = {
            "nbf": now,
            "iat": now,
            "exp": now + 300,
            "iss": self.issuer,
            "aud": consent.client_id,
            "sub": person.sub,
            "at_hash": base64.urlsafe_b64encode(left).rstrip(b"=").decode(),
            "auth_time": now,
            "sid": secrets.token_hex(16),
        }
        if nonce:
            claims["nonce"] = nonce
        if "profile" in scopes:
            claims |= {"given_name": person.given_name, "family_name": person.family_name}
            claims |= {
                "name": f"{person.given_name} {person.family_name}",
                "xero_userid": person.xero_userid,
                "preferred_username": person.email,
            }
        if "email" in scopes:
            claims["email"] = self._store.switches.userinfo_email or person.email
        return self._flawed(claims, self._store.switches.id_token_flaw)

    def _flawed(self, claims: dict[str, Any], flaw: str) -> str:
        match flaw:
            case "issuer":
                claims["iss"] = "https://identity.elsewhere.example"
            case "audience":
                claims["aud"] = "0" * 32
            case "nonce":
                claims["nonce"] = "another-attempt"
            case "expired":
                claims |= {"iat": claims["iat"] - 7200, "nbf": claims["iat"] - 7200, "exp": claims["iat"] - 6900}
            case "none":
                head = base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": "JWT"}).encode()).rstrip(b"=").decode()
                body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
                return f"{head}.{body}."
            case "hs256":
                return jwt.encode({"alg": "HS256", "typ": "JWT"}, claims, OctKey.import_key(uuid.uuid4().hex), algorithms=["HS256"])
        return self._sign(claims)

    def _sign(self, claims: dict[str, Any]) -> str:
        return jwt.encode({"alg": "RS256", "kid": self.kid, "typ": "JWT", "x5t": self.kid[:27]}, claims, self._key)
