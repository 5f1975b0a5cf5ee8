"""The host where Smokeball's files lie: links signed beforehand, which allow one method on one path for a while, to the letter."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from flask import Flask, Response, request

from sandbox.clock import Clock
from sandbox.smokeball_firm import File, SmokeballFirm
from sandbox.smokeball_gate import Effects
from sandbox.switches import Switches

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue


@dataclass(frozen=True, slots=True)
class Signed:
    """What one signature allows."""

    method: str
    path: str
    query: str
    expires: float
    file: File
    version: str


class Storage:
    """Signs links and keeps what they allow. `base` is the host's address, known when the servers are made."""

    def __init__(self, clock: Clock, switches: Switches) -> None:
        self._clock = clock
        self._switches = switches
        self._secret = secrets.token_bytes(32)
        self._lock = threading.Lock()
        self.base = ""
        self.clear()

    def clear(self) -> None:
        """No link is good any more."""
        with self._lock:
            self._signed: dict[str, Signed] = {}

    def sign(self, method: str, file: File, version: str) -> tuple[str, float]:
        """A link for one version of a file, and when it ends."""
        life = self._switches.smokeball_link_seconds
        now = self._clock.now()
        path = f"/sandbox-files/{quote(file.matter)}/{quote(file.id)}/{quote(version)}"
        values = {
            "X-Amz-Expires": str(int(life)),
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Credential": "SANDBOX/ap-southeast-2/s3/aws4_request",
            "X-Amz-Date": datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ"),
            "X-Amz-SignedHeaders": "host",
            "X-Amz-Nonce": secrets.token_hex(8),
        }
        text = f"{method}\n{path}\n{urlencode(values)}"
        signature = hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()
        query = urlencode({**values, "X-Amz-Signature": signature})
        with self._lock:
            self._signed[signature] = Signed(method, path, query, now + life, file, version)
        return f"{self.base}{path}?{query}", now + life

    def allowed(self, method: str, path: str, query: str, signature: str) -> Signed | None:
        """What the signature allows, if it is this and nothing else."""
        with self._lock:
            found = self._signed.get(signature)
        return found if found is not None and (found.method, found.path, found.query) == (method, path, query) else None


def make_storage(storage: Storage, clock: Clock, switches: Switches, effects: Effects, firm: Callable[[], SmokeballFirm]) -> Flask:
    """The application of the file host."""
    app = Flask("sandbox.smokeball_storage", static_folder=None)

    @app.route("/", defaults={"path": ""}, methods=["GET", "PUT", "POST", "DELETE"])
    @app.route("/<path:path>", methods=["GET", "PUT", "POST", "DELETE"])
    def stored(path: str) -> ResponseReturnValue:
        query = request.environ.get("QUERY_STRING", "")
        signed = storage.allowed(request.method, f"/{path}", query, request.args.get("X-Amz-Signature", ""))
        if signed is None or _strange(request.headers.get("Content-Type"), switches):
            return _refusal(403, "SignatureDoesNotMatch", "The signature does not fit the request.")
        if signed.expires < clock.now() and not request.environ.get("sandbox.late"):
            return _refusal(403, "AccessDenied", "Request has expired")
        if request.method == "GET":
            sha256 = next((sha for version, sha in signed.file.versions if version == signed.version), "")
            content = firm().contents.get(sha256)
            if content is None:
                return _refusal(404, "NoSuchKey", "There is nothing under this key.")
            return Response(content, 200, {"ETag": _tag(content)}, content_type="binary/octet-stream")
        if "Transfer-Encoding" in request.headers:
            return _refusal(501, "NotImplemented", "Transfer-Encoding is not implemented here.")
        if request.content_length is None:
            return _refusal(411, "MissingContentLength", "The length of the content must be given.")
        content, current = request.get_data(), firm()
        effects.land(
            lambda: current.keep_content(signed.file, signed.version, content, clock.now()), switches.smokeball_upload_seconds
        )
        return Response(b"", 200, {"ETag": _tag(content)})

    return app


def _strange(content_type: str | None, switches: Switches) -> bool:
    """Headers that break the signature: a content type with words in it, credentials, and what was not signed."""
    if content_type or (content_type is None and switches.smokeball_content_type_needed and request.method == "PUT"):
        return True
    names = [name.lower() for name, _value in request.headers.items()]
    return any(name in ("authorization", "x-api-key") or name.startswith("x-amz-") for name in names)


def _tag(content: bytes) -> str:
    return f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'


def _refusal(status: int, code: str, words: str) -> Response:
    """The host's refusals are XML."""
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{words}</Message>'
        f"<RequestId>{secrets.token_hex(8).upper()}</RequestId><HostId>{secrets.token_urlsafe(24)}</HostId></Error>"
    )
    return Response(body, status, content_type="application/xml")
