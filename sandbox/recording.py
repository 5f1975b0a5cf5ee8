"""Requests and answers kept for a check against the vendors' descriptions, while a switch says so. Credentials are left out."""

from __future__ import annotations

import base64
import io
import json
import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, jsonify

from sandbox.switches import Switches

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from flask.typing import ResponseReturnValue

MOST = 2000
LONGEST = 300_000  # a body beyond is cut, and said to be
_SECRET = {"authorization", "cookie", "set-cookie", "x-api-key", "proxy-authorization"}


class Recording:
    """What was kept, oldest first. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: deque[dict[str, object]] = deque(maxlen=MOST)

    def add(self, entry: dict[str, object]) -> None:
        """Keeps one exchange."""
        with self._lock:
            self._kept.append(entry)

    def clear(self) -> int:
        """Forgets everything; returns how much it was."""
        with self._lock:
            count = len(self._kept)
            self._kept.clear()
            return count

    def lines(self) -> str:
        """One JSON object a line."""
        with self._lock:
            return "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in self._kept)


class Recorder:
    """A layer around a server's application. `name` is the server's."""

    def __init__(self, app: WSGIApplication, name: str, recording: Recording, switches: Switches) -> None:
        self._app = app
        self._name = name
        self._recording = recording
        self._switches = switches

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not self._switches.keep_requests:
            return self._app(environ, start_response)
        body = _whole_body(environ)
        entry: dict[str, object] = {
            "server": self._name,
            "method": environ["REQUEST_METHOD"],
            "path": str(environ.get("PATH_INFO", "")).encode("latin-1").decode("utf-8", "replace"),
            "query": environ.get("QUERY_STRING", ""),
            "headers": {name: "(left out)" if name in _SECRET else value for name, value in environ.get("sandbox.headers", ())},
            **_text("body", body),
            "status": 0,
        }

        def start(status: str, headers: list[tuple[str, str]], error: Any = None) -> Callable[[bytes], object]:
            entry["status"] = int(status.split(" ", 1)[0])
            entry["answer_type"] = next((value for name, value in headers if name.lower() == "content-type"), "")
            return start_response(status, headers, error) if error else start_response(status, headers)

        try:
            result = self._app(environ, start)
        except BaseException:
            self._recording.add(entry)  # the connection was closed on purpose; status 0 tells so
            raise
        try:
            answer = b"".join(result)
        finally:
            close = getattr(result, "close", None)
            if close is not None:
                close()
        self._recording.add(entry | _text("answer", answer))
        return [answer]


def add_recording_controls(controls: Flask, recording: Recording) -> None:
    """`/api/recording`: what was kept as JSON lines, and forgetting it."""

    @controls.get("/api/recording")
    def kept() -> ResponseReturnValue:
        return Response(recording.lines(), content_type="application/x-ndjson; charset=utf-8")

    @controls.delete("/api/recording")
    def forget() -> ResponseReturnValue:
        return jsonify(removed=recording.clear())


def _text(name: str, data: bytes) -> dict[str, object]:
    """A body as text or, where it is none, as base64."""
    found: dict[str, object] = {}
    if len(data) > LONGEST:
        data, found = data[:2000], {f"{name}_cut": True}
    try:
        return found | {name: data.decode("utf-8")}
    except UnicodeDecodeError:
        return found | {name: base64.b64encode(data).decode(), f"{name}_encoding": "base64"}


def _whole_body(environ: WSGIEnvironment) -> bytes:
    """The request's body, put back for whoever reads it next."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    stream = environ["wsgi.input"]
    body = bytes(stream.read(length) if length or not environ.get("wsgi.input_terminated") else stream.read())
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    return body
