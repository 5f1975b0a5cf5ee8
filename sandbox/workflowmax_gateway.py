"""In front of both WorkflowMax interfaces: bearer token, account header, limits. Tells the calls behind it the organisation."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from flask import Response, g, jsonify, request

from sandbox.gateway import Leaving, Limits, Meter
from sandbox.mishaps import LOGIN_PAGE
from sandbox.switches import Switches
from sandbox.workflowmax_books import Organisation, Organisations
from sandbox.workflowmax_tokens import Access, SignIns

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from flask.typing import ResponseReturnValue

_WITHOUT_ACCOUNT = ("/v2/accounts", "/v2/me")  # with these a program finds out which account it may name


def account_named(environ: WSGIEnvironment, switches: Switches) -> str:
    """The account header's value as the switches want it spelt; empty if it is not there, `?` if two contradict each other."""
    sent: dict[str, str] = {
        name: value for name, value in environ.get("sandbox.headers", ()) if name in ("account_id", "account-id")
    }
    if switches.workflowmax_drops_underscores:
        sent.pop("account_id", None)
    if switches.workflowmax_account_header != "either":
        return sent.get(switches.workflowmax_account_header, "")
    return sent.popitem()[1] if len(set(sent.values())) == 1 else "?" if sent else ""


class Turnstile:
    """A layer around the application: counts and limits the calls of a good token to an account that it names."""

    def __init__(self, app: WSGIApplication, store: SignIns, meter: Meter, limits: Limits) -> None:
        self._app = app
        self._store = store
        self._meter = meter
        self._limits = limits

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        access = find_access(self._store, str(environ.get("HTTP_AUTHORIZATION", "")))
        account = account_named(environ, self._store.switches)
        if access is None or access.expires < self._store.clock.now() or account not in access.organisations:
            return self._app(environ, start_response)
        client_id = access.consent.client_id
        told, allowed = self._meter.enter(client_id, account)
        extra = self._headers(told)
        if not allowed:
            json = str(environ["PATH_INFO"]).startswith("/v2/")
            body = b'{"message":"Too many requests"}' if json else b""
            wait = [("Retry-After", told["retry-after"])] if "retry-after" in told else []
            kind = [("Content-Type", "application/json")] if json else []
            start_response("429 Too Many Requests", [*wait, *kind, *extra, ("Content-Length", str(len(body)))])
            return [body]

        def start(status: str, headers: list[tuple[str, str]], error: Any = None) -> Callable[[bytes], object]:
            both = [*headers, *extra]
            return start_response(status, both, error) if error else start_response(status, both)

        try:
            body_parts = self._app(environ, start)
        except BaseException:
            self._meter.leave(client_id, account)
            raise
        return Leaving(body_parts, lambda: self._meter.leave(client_id, account))

    def _headers(self, told: dict[str, str]) -> list[tuple[str, str]]:
        """What one client watches and no documentation confirms."""
        if not self._store.switches.workflowmax_rate_headers or not self._limits.minute:
            return []
        now = int(self._store.clock.now())
        left = told.get("x-minlimit-remaining", "0")
        reset = now + int(told["retry-after"]) if "retry-after" in told else now - now % 60 + 60
        return [
            ("X-RateLimit-Limit", str(self._limits.minute)),
            ("X-RateLimit-Remaining", left),
            ("X-RateLimit-Reset", str(reset)),
        ]


def find_access(store: SignIns, authorization: str) -> Access | None:
    """The access token behind an Authorization header, expired or not."""
    scheme, _space, token = authorization.partition(" ")
    return store.accesses.get(token) if scheme.lower() == "bearer" else None


def refuse(switches: Switches, status: int, words: str) -> Response:
    """A refusal of the gateway, in the language of the interface that was asked unless a switch says otherwise."""
    how = switches.workflowmax_refusals
    if how == "own":
        how = "json" if request.path.startswith("/v2/") else "xml"
    if how == "json":
        answer = jsonify(message=words, statusCode=status)
    elif how == "html":
        answer = Response(LOGIN_PAGE, content_type="text/html; charset=utf-8")
    elif how == "empty":
        answer = Response(b"")
    else:
        body = f"<Response><Status>Error</Status><ErrorDescription>{escape(words)}</ErrorDescription></Response>"
        answer = Response(body.encode(), content_type="application/xml; charset=utf-8")
    answer.status_code = status
    return answer


def check_access(store: SignIns, organisations: Organisations) -> Callable[[], ResponseReturnValue | None]:
    """What runs before every call. Leaves `g.access`, `g.firm` and `g.who`; `g.firm` is the first one where none is named."""
    switches = store.switches

    def check() -> ResponseReturnValue | None:
        access = find_access(store, request.headers.get("Authorization", ""))
        if access is None:
            return refuse(switches, 401, "The access token is not valid")
        if access.expires < store.clock.now() and not request.environ.get("sandbox.late"):
            return refuse(switches, 401, "The access token has expired")
        account = account_named(request.environ, switches)
        if not account and request.path in _WITHOUT_ACCOUNT and access.organisations:
            account = access.organisations[0]
        if not account:
            return refuse(switches, 401, "No account was named")
        firm = organisations.get(account) if account in access.organisations else None
        if firm is None:
            return refuse(switches, 403, "This account is not one that the person allowed")
        person = access.consent.person
        if not any(member.email == person.email and member.api for member in firm.staff):
            return refuse(switches, switches.privilege_lost_status, "The person may not connect other programs")
        g.access, g.firm, g.who = access, firm, f"{person.given_name} {person.family_name}"
        return None

    return check


def here() -> Organisation:
    """The organisation that this call is about."""
    firm = g.firm
    assert isinstance(firm, Organisation)
    return firm


def author() -> str:
    """Who is signed in, by name."""
    return str(g.who)
