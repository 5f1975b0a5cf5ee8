"""What was called: counts by endpoint, refusals by limit, most in progress at once, the last calls. Never a body or a token."""

from __future__ import annotations

import re
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_ID = re.compile(r"^(\d+|[0-9a-f]{8}-[0-9a-f-]{27})$")
_RESOURCE = re.compile(r"^(?:practicemanager/3\.1/)?([a-z]+\.api/[a-z-]+)")
_OF_A_JOB = re.compile(r"^v2/jobs/(?!costs/).+?(/costs|/documents|/notes)?$")


class Calls:
    """Thread-safe counts for all servers together."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        """Forgets everything; calls in progress still count down."""
        with self._lock:
            self._counts: Counter[str] = Counter()
            self._statuses: Counter[str] = Counter()
            self._now: Counter[str] = Counter()
            self._most: Counter[str] = Counter()
            self._last: deque[dict[str, object]] = deque(maxlen=2000)

    def begin(self, server: str, endpoint: str) -> None:
        """A request came."""
        with self._lock:
            self._counts[f"{server} {endpoint}"] += 1
            self._now[server] += 1
            self._most[server] = max(self._most[server], self._now[server])

    def end(self, server: str, endpoint: str, status: int, at: float) -> None:
        """A request was answered; status 0: it got no whole answer."""
        with self._lock:
            self._now[server] = max(0, self._now[server] - 1)
            self._statuses[f"{server} {status}"] += 1
            self._last.append({"server": server, "endpoint": endpoint, "status": status, "at": round(at, 3)})

    def as_json(self, last: int = 100) -> dict[str, object]:
        """What the controls show."""
        with self._lock:
            return {
                "calls": dict(sorted(self._counts.items())),
                "statuses": dict(sorted(self._statuses.items())),
                "limited": sum(n for key, n in self._statuses.items() if key.endswith(" 429")),
                "most_at_once": dict(self._most),
                "in_progress": dict(self._now),
                "last": list(self._last)[-last:] if last else [],
            }


def endpoint(method: str, path: str) -> str:
    """`GET job.api/costs` and the like: identifiers are cut off or replaced by `{}`."""
    path = path.lstrip("/")
    match = _RESOURCE.match(path)
    if match:
        return f"{method} {match.group(1)}"
    match = _OF_A_JOB.match(path)
    if match:
        return f"{method} v2/jobs/{{}}{match.group(1) or ''}"
    return f"{method} " + "/".join("{}" if _ID.match(part) else part for part in path.split("/"))


class Counted:
    """A layer around a server's application that tells `calls` of each request."""

    def __init__(self, app: WSGIApplication, name: str, calls: Calls, now: Callable[[], float]) -> None:
        self._app = app
        self._name = name
        self._calls = calls
        self._now = now

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        what = endpoint(str(environ["REQUEST_METHOD"]), str(environ.get("PATH_INFO", "")))
        self._calls.begin(self._name, what)
        status = 0

        def start(line: str, headers: list[tuple[str, str]], error: Any = None) -> Callable[[bytes], object]:
            nonlocal status
            status = int(line.split(" ", 1)[0])
            return start_response(line, headers, error) if error else start_response(line, headers)

        try:
            body = self._app(environ, start)
        except BaseException:
            self._calls.end(self._name, what, 0, self._now())
            raise
        return _Told(body, lambda: self._calls.end(self._name, what, status, self._now()))


class _Told:
    """An answer's body that tells when it was sent."""

    def __init__(self, body: Iterable[bytes], told: Callable[[], None]) -> None:
        self._body = body
        self._told = told

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            self._told()
