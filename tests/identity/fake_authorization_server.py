"""An authorization server that behaves like Xero's: real sockets, exact redirects, PKCE, one-use codes, rotation with a
half hour's grace, and a count of everything."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

GRACE = 1800.0


def unpadded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jwt(claims: dict[str, Any], header: dict[str, Any] | None = None, signature: str = "c2lnbmVk") -> str:
    head = {"alg": "RS256", "kid": "k1", "typ": "JWT"} if header is None else header
    return ".".join((unpadded(json.dumps(head).encode()), unpadded(json.dumps(claims).encode()), signature))


@dataclass
class Code:
    redirect_uri: str
    challenge: str
    nonce: str
    used: bool = False


@dataclass
class Refreshing:
    """A refresh token as the server sees it: since when it has been replaced, and whether its family was revoked."""

    family: str
    replaced_at: float | None = None


@dataclass
class FakeAuthorizationServer:
    """`redirects` are the registered ones. `fault` may answer a path in the server's place: (status, body) or None."""

    client_id: str = "A1B2C3D4E5F60718293A4B5C6D7E8F90"
    client_secret: str = ""
    redirects: set[str] = field(default_factory=set)
    expires_in: Any = 1800
    event: str = "7a1f2b90-0000-4000-8000-00000000e7e7"
    connections: list[dict[str, Any]] = field(default_factory=list)
    granted: str | None = None
    access_padding: int = 0
    access_claims: dict[str, Any] = field(default_factory=dict)
    pages: dict[str, tuple[int, Any]] = field(default_factory=dict)
    authentication: str = ""
    grace: float = GRACE
    rotates: bool = True
    refusal_text: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] | None = None
    sends_id_token: bool = True
    opaque_access: bool = False
    clock: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    fault: Callable[[str, dict[str, str]], tuple[int, bytes] | None] = lambda path, form: None
    asked: list[tuple[str, dict[str, str], dict[str, str]]] = field(default_factory=list)
    codes: dict[str, Code] = field(default_factory=dict)
    refreshing: dict[str, Refreshing] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)
    issued: list[str] = field(default_factory=list)
    callback_extra: dict[str, str] = field(default_factory=dict)
    deny: bool = False
    lock: threading.RLock = field(default_factory=threading.RLock)
    origin: str = ""

    def count(self, path: str, grant: str | None = None) -> int:
        with self.lock:
            return sum(1 for p, form, _ in self.asked if p == path and (grant is None or form.get("grant_type") == grant))

    def forms(self, path: str) -> list[dict[str, str]]:
        with self.lock:
            return [form for p, form, _ in self.asked if p == path]

    def authorize(self, query: str) -> tuple[int, str]:
        """The status, and where the browser is sent."""
        pairs = parse_qsl(query, keep_blank_values=True)
        given = dict(pairs)
        assert len(given) == len(pairs), "a parameter was sent twice"
        if (
            given.get("client_id") != self.client_id
            or given.get("redirect_uri") not in self.redirects
            or given.get("response_type") != "code"
            or given.get("code_challenge_method") != "S256"
            or len(given.get("code_challenge", "")) != 43
        ):
            return 500, ""
        answer = {"state": given["state"]}
        if self.deny:
            answer["error"] = "access_denied"
        else:
            code = secrets.token_urlsafe(32)
            with self.lock:
                self.codes[code] = Code(given["redirect_uri"], given["code_challenge"], given.get("nonce", ""))
                self.issued.append(code)
            answer |= {"code": code, "scope": given.get("scope", ""), "session_state": "s.t"}
        return 302, given["redirect_uri"] + "?" + urlencode(answer | self.callback_extra)

    def token(self, form: dict[str, str], headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
        if not self._client_ok(form, headers):
            return 400, {"error": "invalid_client"}
        if form.get("grant_type") == "authorization_code":
            code = self.codes.get(form.get("code", ""))
            if code is None or code.used or code.redirect_uri != form.get("redirect_uri"):
                return 400, {"error": "invalid_grant"}
            code.used = True
            challenge = unpadded(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
            if challenge != code.challenge:
                return 400, {"error": "invalid_grant"}
            return 200, self._tokens(secrets.token_hex(8), code.nonce)
        if form.get("grant_type") == "refresh_token":
            known = self.refreshing.get(form.get("refresh_token", ""))
            if known is None or known.family in self.revoked:
                return 400, {"error": "invalid_grant"}
            if known.replaced_at is not None and self.clock() - known.replaced_at > self.grace:
                return 400, {"error": "invalid_grant"} | ({"error_description": self.refusal_text} if self.refusal_text else {})
            if not self.rotates:
                answer = self._tokens(known.family, None)
                del answer["refresh_token"]
                return 200, answer
            if known.replaced_at is None:
                known.replaced_at = self.clock()
            return 200, self._tokens(known.family, None)
        return 400, {"error": "unsupported_grant_type"}

    def _client_ok(self, form: dict[str, str], headers: dict[str, str]) -> bool:
        if self.authentication == "body":
            given = (form.get("client_id"), form.get("client_secret"))
            return given == (self.client_id, self.client_secret) and "authorization" not in headers
        if self.client_secret:
            wanted = "Basic " + base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
            return headers.get("authorization") == wanted
        return "authorization" not in headers and form.get("client_id") == self.client_id

    def _tokens(self, family: str, nonce: str | None) -> dict[str, Any]:
        refresh = "R" + secrets.token_urlsafe(30)
        self.refreshing[refresh] = Refreshing(family)
        self.issued.append(refresh)
        now = int(self.wall())
        access = (
            secrets.token_urlsafe(30)
            if self.opaque_access
            else jwt(
                {"authentication_event_id": self.event, "jti": secrets.token_hex(16), "pad": "x" * self.access_padding}
                | self.access_claims
            )
        )
        self.issued.append(access)
        answer: dict[str, Any] = {
            "access_token": access,
            "refresh_token": refresh,
            "expires_in": self.expires_in,
            "token_type": "Bearer",
            "scope": self.granted
            if self.granted is not None
            else "openid profile email offline_access practicemanager.job practicemanager.client.read practicemanager.staff.read",
        }
        if nonce is not None and self.sends_id_token:
            claims: dict[str, Any] = {
                "iss": self.origin,
                "aud": self.client_id,
                "sub": "ab" * 16,
                "xero_userid": "11111111-2222-4333-8444-555555555555",
                "iat": now,
                "exp": now + 300,
                "nonce": nonce,
                "name": "Mere Tūī",
                "email": "mere@kowhai.example",
            } | self.claims
            claims = {name: value for name, value in claims.items() if value is not None}
            answer["id_token"] = jwt(claims, self.header)
        return answer

    def revoke(self, form: dict[str, str], headers: dict[str, str]) -> int:
        if not self._client_ok(form, headers):
            return 400
        known = self.refreshing.get(form.get("token", ""))
        if known is not None:
            self.revoked.add(known.family)
        return 200


def practice(
    tenant: str, name: str, *, event: str = "", updated: str = "2026-02-03T04:05:06.7912340", kind: str = "PRACTICEMANAGER"
) -> dict[str, Any]:
    return {
        "id": f"connection-of-{tenant}",
        "authEventId": event,
        "tenantId": tenant,
        "tenantType": kind,
        "tenantName": name,
        "createdDateUtc": "2026-02-03T04:05:06.7890120",
        "updatedDateUtc": updated,
    }


@contextmanager
def serving(server: FakeAuthorizationServer, *, tls: ssl.SSLContext | None = None) -> Iterator[FakeAuthorizationServer]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def _serve(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            text = self.rfile.read(length).decode()
            form = {name: values[0] for name, values in parse_qs(text, keep_blank_values=True).items()}
            headers = {name.lower(): value for name, value in self.headers.items()}
            with server.lock:
                server.asked.append((parts.path, form, headers))
            location = ""
            status, body = 404, b""
            planned = server.fault(parts.path, form)
            if planned is not None:
                status, body = planned
                if status == 0:
                    self.close_connection = True
                    return
            elif parts.path in server.pages:
                status, answer_page = server.pages[parts.path]
                body = json.dumps(answer_page).encode()
            elif parts.path in ("/authorize", "/oauth/authorize", "/oauth2/authorize"):
                status, location = server.authorize(parts.query)
            elif parts.path in ("/connect/token", "/oauth/token", "/oauth2/token"):
                with server.lock:
                    status, answer = server.token(form, headers)
                body = json.dumps(answer).encode()
            elif parts.path == "/connect/revocation":
                with server.lock:
                    status = server.revoke(form, headers)
            elif parts.path == "/connections":
                status, body = 200, json.dumps(server.connections).encode()
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _serve

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 256

        def handle_error(self, *_: Any) -> None:
            pass

    with Server(("127.0.0.1", 0), Handler) as listening:
        server.origin = f"http://127.0.0.1:{listening.server_address[1]}"
        if tls is not None:
            server.origin = f"https://localhost:{listening.server_address[1]}"
            listening.socket = tls.wrap_socket(listening.socket, server_side=True)
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown()
            thread.join()
