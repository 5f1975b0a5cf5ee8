"""The gateway in front of the APIs: bearer tokens, tenants, rate limits, and the list of connections.

Refusals before the application is reached are JSON, a limit's 429 has no body, header names go out in lower case, and every
answer has a correlation id.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, jsonify, request

from sandbox.clock import Clock
from sandbox.identity_store import Access, IdentityStore
from sandbox.mishaps import gateway_error

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from flask.typing import ResponseReturnValue


@dataclass(slots=True)
class Limits:
    """Calls allowed for each app and tenant; 0 means without limit."""

    concurrent: int = 5
    minute: int = 60
    day: int = 5000
    appminute: int = 10000
    spelling: str = "plain"  # of the problem header: "plain" (minute), "dashes" (app-minute), "capitals" (Minute)

    def change(self, values: dict[str, object]) -> None:
        """Sets the named limits. Raises ValueError for an unknown name or a wrong type."""
        for name, value in values.items():
            if name == "spelling" and isinstance(value, str):
                self.spelling = value
            elif name in ("concurrent", "minute", "day", "appminute") and isinstance(value, int) and not isinstance(value, bool):
                setattr(self, name, value)
            else:
                raise ValueError(f"limits know no {name} like that")

    def as_json(self) -> dict[str, object]:
        """Every limit by name."""
        return {name: getattr(self, name) for name in ("concurrent", "minute", "day", "appminute", "spelling")}

    def off(self) -> None:
        """No limits."""
        self.concurrent = self.minute = self.day = self.appminute = 0


class Meter:
    """Counts calls in fixed windows, which begin at another moment for each tenant."""

    def __init__(self, clock: Clock, limits: Limits) -> None:
        self._clock = clock
        self._limits = limits
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        """All windows are empty; what is in progress stays counted."""
        with self._lock:
            self._windows: dict[tuple[str, str], tuple[int, int]] = {}
            self._open: dict[str, int] = getattr(self, "_open", {})

    def enter(self, app: str, tenant: str) -> tuple[dict[str, str], bool]:
        """Headers for the answer, and whether the call may go on; if so, `leave` must follow."""
        key, limits = f"{app}/{tenant}", self._limits
        with self._lock:
            problem, wait = "", 0.0
            minute, minute_left = self._window(key, "minute", 60)
            day, day_left = self._window(key, "day", 86400)
            of_app, _left = self._window(app, "appminute", 60)
            if limits.concurrent and self._open.get(key, 0) >= limits.concurrent:
                problem = "concurrent"
            elif limits.day and day >= limits.day:
                problem, wait = "day", day_left
            elif limits.minute and minute >= limits.minute:
                problem, wait = "minute", minute_left
            elif limits.appminute and of_app >= limits.appminute:
                problem = "appminute"
            if problem:
                headers = {"x-rate-limit-problem": _spelt(problem, limits.spelling)}
                if wait:
                    headers["retry-after"] = str(int(wait) + 1)
                return headers | self._remaining(day, minute, of_app), False
            self._open[key] = self._open.get(key, 0) + 1
            for name, who in (("minute", key), ("day", key), ("appminute", app)):
                number, count = self._windows[who, name]
                self._windows[who, name] = (number, count + 1)
            return self._remaining(day + 1, minute + 1, of_app + 1), True

    def leave(self, app: str, tenant: str) -> None:
        """The call is answered."""
        with self._lock:
            self._open[f"{app}/{tenant}"] -= 1

    def app_remaining(self, app: str) -> dict[str, str]:
        """The one header that an answer about a foreign tenant carries."""
        with self._lock:
            count, _left = self._window(app, "appminute", 60)
        return {"x-appminlimit-remaining": str(max(0, (self._limits.appminute or 10000) - count))}

    def _window(self, who: str, name: str, seconds: int) -> tuple[int, float]:
        """Calls in the window so far, and how long it still lasts."""
        at = self._clock.now() + sum(who.encode()) % 60  # each tenant's windows begin at another moment
        number = int(at // seconds)
        known, count = self._windows.get((who, name), (number, 0))
        if known != number:
            count = 0
        self._windows[who, name] = (number, count)
        return count, seconds - at % seconds

    def _remaining(self, day: int, minute: int, app: int) -> dict[str, str]:
        limits = self._limits
        told = {"x-daylimit": (limits.day, day), "x-minlimit": (limits.minute, minute), "x-appminlimit": (limits.appminute, app)}
        return {f"{name}-remaining": str(max(0, most - used)) for name, (most, used) in told.items() if most}


def _spelt(problem: str, spelling: str) -> str:
    if spelling == "dashes":
        return problem.replace("appminute", "app-minute")
    return problem.capitalize() if spelling == "capitals" else problem


class Metered:
    """A layer around the gateway: counts and limits the calls of a known token to a connected tenant."""

    def __init__(self, app: WSGIApplication, store: IdentityStore, meter: Meter) -> None:
        self._app = app
        self._store = store
        self._meter = meter

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        correlation = str(uuid.uuid4())
        environ["sandbox.correlation"] = correlation
        extra = {"xero-correlation-id": correlation, "cache-control": "max-age=0, no-cache, no-store"}

        def start(status: str, headers: list[tuple[str, str]], error: Any = None) -> Callable[[bytes], object]:
            both = [*headers, *extra.items()]
            return start_response(status, both, error) if error else start_response(status, both)

        access = find_access(self._store, str(environ.get("HTTP_AUTHORIZATION", "")))
        tenant = str(environ.get("HTTP_XERO_TENANT_ID", ""))
        if (
            access is None
            or access.expires < self._store.clock.now()
            or not str(environ["PATH_INFO"]).startswith("/practicemanager/")
        ):
            return self._app(environ, start)
        client_id = access.consent.client_id
        if self._store.connection(access.consent, tenant) is None:
            extra |= self._meter.app_remaining(client_id)
            return self._app(environ, start)
        headers, allowed = self._meter.enter(client_id, tenant)
        extra |= headers
        if not allowed:
            start("429 Too Many Requests", [("Content-Length", "0")])
            return [b""]
        try:
            body = self._app(environ, start)
        except BaseException:
            self._meter.leave(client_id, tenant)
            raise
        return Leaving(body, lambda: self._meter.leave(client_id, tenant))


class Leaving:
    """An answer's body; the call counts as in progress until it was sent."""

    def __init__(self, body: Iterable[bytes], leave: Callable[[], None]) -> None:
        self._body = body
        self._leave = leave

    def __iter__(self) -> Any:
        return iter(self._body)

    def close(self) -> None:
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            self._leave()


def find_access(store: IdentityStore, authorization: str) -> Access | None:
    """The access token behind an Authorization header, expired or not."""
    scheme, _space, token = authorization.partition(" ")
    return store.accesses.get(token) if scheme.lower() == "bearer" else None


def refuse(status: int, detail: str) -> Response:
    """The gateway's refusal: JSON, with the correlation id as instance."""
    title = {401: "Unauthorized", 403: "Forbidden", 404: "NotFound"}.get(status, "Error")
    response = Response(
        gateway_error(status, title, detail, request.environ["sandbox.correlation"]), status, content_type="application/json"
    )
    if status == 401:
        response.headers["www-authenticate"] = "Bearer error=invalid_token"
    return response


def check_token(store: IdentityStore) -> Access | Response:
    """The request's access token, or the refusal to answer with."""
    access = find_access(store, request.headers.get("Authorization", ""))
    if access is None:
        return refuse(401, "AuthenticationUnsuccessful")
    if access.expires < store.clock.now() and not request.environ.get("sandbox.late"):
        return refuse(
            401,
            "TokenExpired: token expired at " + datetime.fromtimestamp(max(0, access.expires), UTC).strftime("%m/%d/%Y %H:%M:%S"),
        )
    return access


def make_connections(store: IdentityStore) -> Blueprint:
    """`/connections`: the list, and DELETE of one by its own id."""
    pages = Blueprint("connections", __name__)

    @pages.get("/connections")
    def connections() -> ResponseReturnValue:
        access = check_token(store)
        if isinstance(access, Response):
            return access
        event = request.args.get("authEventId", "")
        return jsonify(
            [
                {
                    "id": connection.id,
                    "authEventId": connection.event_id,
                    "tenantId": connection.tenant.id,
                    "tenantType": connection.tenant.kind,
                    "tenantName": connection.tenant.name,
                    "createdDateUtc": _seven_digits(connection.created),
                    "updatedDateUtc": _seven_digits(connection.updated),
                }
                for connection in store.connections_of(access.consent)
                if event in ("", connection.event_id)
            ]
        )

    @pages.delete("/connections/<connection_id>")
    def disconnect(connection_id: str) -> ResponseReturnValue:
        access = check_token(store)
        if isinstance(access, Response):
            return access
        mine = store.connections_of(access.consent)
        if any(connection_id in (c.tenant.id, c.event_id) for c in mine):
            return refuse(403, "AuthenticationUnsuccessful")
        found = [c for c in mine if c.id == connection_id]
        if not found:
            return refuse(404, "NotFound")
        with store.lock:
            store.connections.remove(found[0])
        return "", 204

    return pages


def _seven_digits(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0"
