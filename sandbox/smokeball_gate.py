"""What stands before every call to Smokeball: token, key, scope, rate; and how a write that was accepted takes effect later."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from flask import Flask, Response, g, request

from sandbox.calls import endpoint
from sandbox.clock import Agenda, Clock
from sandbox.identity_store import Person
from sandbox.smokeball_answers import Problem, gateway_refusal, problem_answer
from sandbox.smokeball_firm import Matter, SmokeballFirm, Staff
from sandbox.smokeball_seeds import FOREIGN_MATTER
from sandbox.smokeball_sign_ins import SmokeballAccess, SmokeballSignIns
from sandbox.switches import Switches

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue


class Buckets:
    """A bucket of tokens for each app and endpoint: so many a second, and so many at once."""

    def __init__(self, clock: Clock, switches: Switches) -> None:
        self._clock = clock
        self._switches = switches
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        """All buckets are full."""
        with self._lock:
            self._levels: dict[tuple[str, str], tuple[float, float]] = {}

    def take(self, client_id: str, what: str) -> bool:
        """Whether this call is within the rate."""
        rate, most = self._switches.smokeball_rate, self._switches.smokeball_burst
        if rate <= 0:
            return True
        now = self._clock.now()
        with self._lock:
            level, at = self._levels.get((client_id, what), (float(most), now))
            level = min(float(most), level + max(0.0, now - at) * rate)
            allowed = level >= 1
            self._levels[client_id, what] = (level - 1 if allowed else level, now)
        return allowed


class Effects:
    """Writes that were accepted and take effect later, or never: nobody is told of that."""

    def __init__(self, agenda: Agenda, switches: Switches) -> None:
        self._agenda = agenda
        self._switches = switches
        self._dice = random.Random(1)

    def land(self, action: Callable[[], object], seconds: float | None = None) -> None:
        """Does it after the switch's seconds, or after so many; at once for 0."""
        if request.environ.get("sandbox.late_failure") or self._dice.random() < self._switches.smokeball_late_failures:
            return
        wait = self._switches.smokeball_async_seconds if seconds is None else seconds
        if wait <= 0:
            action()
        else:
            self._agenda.after(wait, action)


def guard(
    app: Flask,
    signs: SmokeballSignIns,
    switches: Switches,
    firm: Callable[[], SmokeballFirm],
    buckets: Buckets,
) -> None:
    """Puts the gate before every call of `app`. It leaves `g.firm` and `g.access`."""

    @app.before_request
    def enter() -> ResponseReturnValue | None:
        access = signs.find_access(request.headers.get("Authorization", ""))
        late = bool(request.environ.get("sandbox.late"))
        if access is None:
            return gateway_refusal(401, "Unauthorized", switches)
        if access.expires < signs.clock.now() and not late:
            return gateway_refusal(401, "The incoming token has expired", switches)
        known = signs.apps[access.sign_in.client_id]
        if request.headers.get("x-api-key", "") != known.api_key:
            return gateway_refusal(403, "Forbidden", switches)
        if not late and not buckets.take(known.client_id, endpoint(request.method, request.path)):
            headers = {"Retry-After": "1"} if switches.smokeball_retry_after else None
            return gateway_refusal(429, "Too Many Requests", switches, headers)
        if switches.smokeball_wrong_region:
            return gateway_refusal(int(switches.smokeball_wrong_region), "The account is not in this region.", switches)
        if not _needed(switches) <= access.scopes:
            return gateway_refusal(switches.smokeball_scope_status, "The token has not the scope for this.", switches)
        if request.method == "POST" and ("ResourceId" in request.headers or "ExternalId" in request.headers):
            return gateway_refusal(403, "Identifiers of one's own are for selected partners.", switches)
        g.firm, g.access = firm(), access
        return None

    @app.errorhandler(Problem)
    def refused(problem: Problem) -> ResponseReturnValue:
        return problem_answer(problem, switches)

    @app.errorhandler(404)
    def no_such_path(_error: Exception) -> ResponseReturnValue:
        return problem_answer(Problem(404, "There is nothing here."), switches)

    @app.errorhandler(405)
    def no_such_method(_error: Exception) -> ResponseReturnValue:
        return problem_answer(Problem(405, "This can't be done here."), switches)

    @app.after_request
    def leave(response: Response) -> Response:
        if "RequestId" in request.headers:
            response.headers["RequestId"] = request.headers["RequestId"]
        return response


def _needed(switches: Switches) -> frozenset[str]:
    """The scopes that the call wants."""
    parts = request.path.strip("/").split("/")
    what = "read" if request.method == "GET" or parts[-1] == "batch" else "write"
    child = parts[2] if len(parts) > 2 and parts[0] == "matters" else ""
    if not child:
        return frozenset({f"{'firm' if parts[0] == 'firmusers' else parts[0]}/{what}"})
    if child == "documents":
        return frozenset({"documents/read"} if what == "read" else {"documents/write", "matters/write"})
    needed = {f"{child}/{what}"}
    return frozenset(needed | {"matters/read"} if switches.smokeball_parent_scope else needed)


def find_matter(matter_id: str) -> Matter:
    """The matter that the path names. Another account's is forbidden, not unknown."""
    firm: SmokeballFirm = g.firm
    if matter_id.lower() == FOREIGN_MATTER:
        raise Problem(403, "This account has no access to the matter.")
    matter = firm.matters.get(matter_id.lower())
    if matter is None:
        raise Problem(404, "There is no such matter.")
    return matter


def person() -> Person | None:
    """Who called; None for an app on its own account."""
    access: SmokeballAccess = g.access
    return access.sign_in.person


def calling_staff() -> Staff | None:
    """The member of the staff who called; an app on its own account may name one by the header UserId."""
    firm: SmokeballFirm = g.firm
    who = person()
    named = request.headers.get("UserId", "")
    if who is None and named:
        return next((each for each in firm.staff if each.user_id == named), None)
    return next((each for each in firm.staff if who is not None and each.email == who.email), None)


def caller_name() -> str:
    """Who called, for the books."""
    who = person()
    return f"{who.given_name} {who.family_name}" if who else "app"
