"""How a fault looks on the wire: a layer around a server's application that answers, drops, resets or delays."""

from __future__ import annotations

import io
import json
import socket
import struct
import sys
import threading
import uuid
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from sandbox.clock import Agenda
from sandbox.faults import Fault, Faults

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LOGIN_PAGE = (
    "<!doctype html><html><head><title>Sign in</title></head><body><h1>Sign in</h1><form><input name=user></form></body></html>"
)
MAINTENANCE_PAGE = (
    "<!doctype html><html><head><title>Down for maintenance</title></head><body><h1>We'll be back soon</h1></body></html>"
)


def gateway_error(status: int, title: str, detail: str, instance: str) -> str:
    """The JSON that the gateway answers with where the request never reached the application."""
    return json.dumps({"Type": None, "Title": title, "Status": status, "Detail": detail, "Instance": instance, "Extensions": {}})


class Answer:
    """A whole answer, taken from the application instead of being sent."""

    def __init__(self, app: WSGIApplication, environ: WSGIEnvironment) -> None:
        self.status = "500 Internal Server Error"
        self.headers: list[tuple[str, str]] = []
        result = app(environ, self._start)
        try:
            self.body = b"".join(result)
        finally:
            close = getattr(result, "close", None)
            if close is not None:
                close()

    def _start(self, status: str, headers: list[tuple[str, str]], _error: Any = None, /) -> Callable[[bytes], object]:
        self.status, self.headers = status, headers
        return lambda _data: None

    def raw(self, *, claim_more: int = 0) -> tuple[bytes, bytes]:
        """Head and body as they go over the wire; `claim_more` is added to the length that the head promises."""
        lines = [f"HTTP/1.1 {self.status}"]
        lines += [f"{name}: {value}" for name, value in self.headers if name.lower() != "content-length"]
        lines += [f"Content-Length: {len(self.body) + claim_more}", "Connection: close", "", ""]
        return "\r\n".join(lines).encode("latin-1"), self.body


class Mishaps:
    """The layer. Takes its faults from `faults`; `name` is the server's name in a fault's `where`."""

    def __init__(self, app: WSGIApplication, name: str, faults: Faults, agenda: Agenda, stopping: threading.Event) -> None:
        self._app = app
        self._name = name
        self._faults = faults
        self._agenda = agenda
        self._stopping = stopping

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = str(environ.get("PATH_INFO", "")).lstrip("/")
        fault = self._faults.choose(f"{self._name} {environ['REQUEST_METHOD']} {path}")
        if fault is None:
            return self._app(environ, start_response)
        if fault.name == "reset_before":
            _reset(environ)
        _keep_body(environ)
        return self._meet(fault, environ, start_response)

    def _meet(self, fault: Fault, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        name = fault.name
        if name == "drop_before":
            _close(environ)
        if name == "late_effect":
            late = {key: value for key, value in environ.items() if key != "werkzeug.socket"}
            late["sandbox.late"] = True
            self._agenda.after(fault.seconds, lambda: _discard(self._app, late))
            self._pause(fault.hold)
            _close(environ)
        if name == "late_failure":
            environ["sandbox.late_failure"] = True
            return self._app(environ, start_response)
        if name == "slow":
            self._pause(fault.seconds)
            return self._app(environ, start_response)
        if name in _AFTER:
            answer = Answer(self._app, environ)
            return self._spoil(fault, answer, environ, start_response)
        return _instead(fault, start_response)

    def _spoil(self, fault: Fault, answer: Answer, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """It happened; now what becomes of the answer."""
        if fault.name == "drop_after":
            _close(environ)
        if fault.name == "reset_after":
            _reset(environ)
        if fault.name == "half_answer":
            head, body = answer.raw()
            _send(environ, head + body[: len(body) // 2])
            _close(environ)
        if fault.name == "wrong_length":
            head, body = answer.raw(claim_more=100)
            _send(environ, head + body)
            _close(environ)
        if fault.name == "trickle":
            head, body = answer.raw()
            _send(environ, head)
            piece = max(1, len(body) // 20)
            for start in range(0, len(body), piece):
                self._pause(fault.seconds / 20)
                _send(environ, body[start : start + piece])
            _close(environ)
        if fault.name == "slow_answer":
            self._pause(fault.seconds)
        if fault.name == "empty_200_after":
            start_response("200 OK", [("Content-Length", "0")])
            return [b""]
        if fault.name == "status_after":
            return _answer(start_response, fault.status or 500, fault.content_type, fault.body, fault.headers)
        start_response(answer.status, answer.headers)
        return [answer.body]

    def _pause(self, seconds: float) -> None:
        if seconds > 0:
            self._stopping.wait(seconds)


_AFTER = {"drop_after", "reset_after", "half_answer", "wrong_length", "trickle", "slow_answer", "empty_200_after", "status_after"}


def _instead(fault: Fault, start_response: StartResponse) -> Iterable[bytes]:
    """An answer in place of the application's: nothing happened."""
    status, kind, body = fault.status, fault.content_type, fault.body
    headers = dict(fault.headers)
    match fault.name:
        case "html_503":
            status, kind, body = 503, "text/html; charset=utf-8", MAINTENANCE_PAGE
            if fault.retry_after:
                headers["Retry-After"] = fault.retry_after
        case "html_200":
            status, kind, body = 200, "text/html; charset=utf-8", LOGIN_PAGE
        case "empty_200":
            status, body = 200, ""
        case "json_error":
            status = status or 500
            kind, body = "application/json", body or gateway_error(status, "Error", "An error occurred", str(uuid.uuid4()))
        case "token_expired":
            status, kind = 401, "application/json"
            headers["www-authenticate"] = "Bearer error=invalid_token"
            body = gateway_error(401, "Unauthorized", "TokenExpired: token expired", str(uuid.uuid4()))
        case "xml_500" | "error_200":
            status = 500 if fault.name == "xml_500" else 200
            kind = "text/xml; charset=utf-8"
            text = (body or "An unexpected error occurred").replace("&", "&amp;").replace("<", "&lt;")
            body = f"<Response><Status>ERROR</Status><ErrorDescription>{text}</ErrorDescription></Response>"
        case "limited":
            status, body = 429, ""
            if fault.problem:
                headers["x-rate-limit-problem"] = fault.problem
            if fault.retry_after:
                headers["retry-after"] = fault.retry_after
        case "redirect":
            status = status or 307
            headers["Location"] = fault.location
        case _:
            status = status or 500
            if fault.retry_after:
                headers["Retry-After"] = fault.retry_after
    return _answer(start_response, status, kind, body, headers)


def _answer(start_response: StartResponse, status: int, kind: str, body: str, headers: dict[str, str]) -> Iterable[bytes]:
    data = body.encode()
    sent = [*headers.items(), ("Content-Length", str(len(data)))]
    if data and not any(name.lower() == "content-type" for name in headers):
        sent.append(("Content-Type", kind))
    start_response(f"{status} Spoiled", sent)
    return [data]


def _keep_body(environ: WSGIEnvironment) -> None:
    """Reads the request's body now, so that closing does not turn into a reset and the application can run later."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = (
        environ["wsgi.input"].read(length) if length or not environ.get("wsgi.input_terminated") else environ["wsgi.input"].read()
    )
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
    environ.pop("HTTP_TRANSFER_ENCODING", None)


def _discard(app: WSGIApplication, environ: WSGIEnvironment) -> None:
    Answer(app, environ)


def _socket(environ: WSGIEnvironment) -> socket.socket:
    connection = environ["werkzeug.socket"]
    assert isinstance(connection, socket.socket)
    return connection


def _send(environ: WSGIEnvironment, data: bytes) -> None:
    _socket(environ).sendall(data)


def _close(environ: WSGIEnvironment) -> None:
    """An orderly end of the connection, and of the handling of the request."""
    try:
        _socket(environ).shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # the client was quicker
    raise ConnectionAbortedError("closed on purpose")


def _reset(environ: WSGIEnvironment) -> None:
    """A reset of the connection, and the end of the handling of the request."""
    connection = _socket(environ)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0))
    socket.close(connection.detach())
    raise ConnectionResetError("reset on purpose")
