"""A stand-in for Smokeball's interface and its file store, made from the vendor facts alone: it pages, it answers 202 and shows
the record when told to, and its store refuses a PUT that is not exactly what was signed."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from desktop.services.http import Http, Limits
from desktop.services.practice.model import CostLine, Document
from desktop.services.practice.practice_system import CallGate
from desktop.services.practice.smokeball import Smokeball
from tests.practice.xpm_server import Asked, Gate, Said, Tokens

KEY = "key-of-the-app"
EXPENSE_FIELDS = {
    "updatedByUserId", "staffId", "invoiceId", "expenseDate", "activityCode", "subject", "description", "costType", "quantity",
    "price", "tax", "outputTax", "taxInclusive", "taxZeroRated", "taxOutOfScope", "taxExempt", "finalized", "isWrittenOff",
    "isBillable", "isInvoicedExternally", "assignToFirmOwner",
}  # fmt: skip
FILE_FIELDS = {"fileName", "folderId", "userId", "folderPath", "fileAdditionalData", "dateCreated", "dateModified"}


def guid(*parts: object) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(map(str, parts))))


def said_json(value: object, status: int = 200, **headers: str) -> Said:
    text = json.dumps(value, default=lambda number: f"@@{number}@@")
    return Said(status, re.sub(r'"@@(.*?)@@"', r"\1", text), headers, "application/json")


def problem(status: int, detail: str = "", title: str = "Bad Request", errors: object = None) -> Said:
    told: dict[str, object] = {"type": "about:blank", "title": title, "status": status, "detail": detail, "instance": "/x"}
    if errors is not None:
        told["errors"] = errors
    return said_json(told, status)


def link(key: str) -> dict[str, object]:
    return {"id": key, "href": f"https://api.test/contacts/{key}", "relation": "Contact", "method": "GET"}


@dataclass
class Entry:
    """A file: what its entry says, and its contents once they came."""

    told: dict[str, Any]
    signature: str = ""
    contents: list[bytes] = field(default_factory=list)


class SmokeballWorld:
    """`scripted` may answer instead of the stand-in (None: the stand-in answers). `puts` are all PUTs that the store saw."""

    def __init__(self, *, gate: CallGate | None = None, tokens: Tokens | None = None) -> None:
        self.asked: list[Asked] = []
        self.scripted: Callable[[Asked], Said | None] = lambda asked: None
        self.tokens = tokens or Tokens()
        self.gate = Gate()
        self.matters: list[dict[str, Any]] = []
        self.contacts: dict[str, dict[str, Any]] = {}
        self.staff: list[dict[str, Any]] = []
        self.codes: list[dict[str, Any]] = []
        self.expenses: dict[str, list[dict[str, Any]]] = {}
        self.files: dict[str, list[Entry]] = {}
        self.spellings = {"offset", "limit", "Offset", "Limit"}
        self.page = 500
        self.has_batch = True
        self.date = datetime(2026, 5, 12, 1, 0, tzinfo=UTC)
        self.shows_at_once = True
        self.hidden: list[Callable[[], None]] = []
        self.puts: list[Asked] = []
        self.lapsed: set[str] = set()
        self._numbers = itertools.count(1000)
        self._entries: dict[str, Entry] = {}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                asked = Asked(self.command, self.path, {name.lower(): value for name, value in self.headers.items()}, body)
                outer.asked.append(asked)
                said = outer.scripted(asked) or outer.respond(asked)
                data = said.body.encode() if isinstance(said.body, str) else said.body
                if said.status == 0:
                    self.close_connection = True
                    self.connection.close()
                    return
                self.send_response_only(said.status)
                self.send_header("Date", outer.date.strftime("%a, %d %b %Y %H:%M:%S GMT"))
                if said.kind:
                    self.send_header("Content-Type", said.kind)
                for name, value in said.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _any

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        self.http = Http(limits=Limits(5, 5, 20))
        self.root = f"http://127.0.0.1:{self._server.server_port}"
        self.smokeball = self.made(gate=gate)

    def made(self, *, gate: CallGate | None = None, **named: Any) -> Smokeball:
        return Smokeball(self.http, self.tokens, gate or self.gate, self.root, api_key=KEY, **named)

    def close(self) -> None:
        self.http.close()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def paths(self) -> list[str]:
        return [f"{asked.method} {asked.path.split('?')[0].lstrip('/')}" for asked in self.asked]

    def says(self, *answers: Said) -> None:
        """These answers in turn to everything; the last one again and again."""
        queue = list(answers)
        self.scripted = lambda asked: queue.pop(0) if len(queue) > 1 else queue[0]

    def says_to(self, start: str, *answers: Said | None) -> None:
        """These answers to the calls that begin so ("POST /matters/"), then the stand-in's own."""
        queue = list(answers)
        self.scripted = lambda asked: queue.pop(0) if queue and f"{asked.method} {asked.path}".startswith(start) else None

    def show(self) -> None:
        """What was accepted appears."""
        for each in self.hidden:
            each()
        self.hidden.clear()

    # what is there

    def add_matter(self, number: str, *, status: str = "Open", clients: tuple[str, ...] = (), **more: Any) -> str:
        key = more.pop("id", None) or guid("matter", number, len(self.matters))
        self.matters.append(
            {
                "href": f"https://api.test/matters/{key}", "id": key, "number": number, "title": f"{number} - Smith - Sale",
                "description": f"About {number}", "status": status, "clients": [link(each) for each in clients],
                "otherSides": [], "isLead": False, "versionId": "637771038395217729",
                "lastUpdated": "2026-01-01T00:00:00Z", **more,
            }
        )  # fmt: skip
        return str(key)

    def add_person(self, first: str, last: str, **more: Any) -> str:
        key = guid("contact", first, last, len(self.contacts))
        self.contacts[key] = {"id": key, "person": {"firstName": first, "lastName": last, **more}, "isDeleted": False}
        return key

    def add_expense(self, matter: str, **told: Any) -> dict[str, Any]:
        row = {
            "id": guid("expense", matter, len(self.expenses.get(matter, ()))), "subject": "Title search", "description": "",
            "activityCode": "SEARCH", "quantity": 1, "price": Decimal("14.20"), "expenseDate": "2026-05-13T14:00:00Z",
            "isBillable": True, "isDeleted": False, **told,
        }  # fmt: skip
        self.expenses.setdefault(matter, []).append(row)
        return row

    # answers

    def respond(self, asked: Asked) -> Said:
        parts = urlsplit(asked.path)
        if parts.path.startswith("/store/"):
            return self._stored(asked)
        if asked.headers.get("x-api-key") != KEY:
            return said_json({"message": "Forbidden"}, 403)
        if asked.headers.get("authorization") not in {f"Bearer {word}" for word in self.tokens.words}:
            return said_json({"message": "The incoming token has expired"}, 401)
        query = parse_qsl(parts.query, keep_blank_values=True)
        steps = parts.path.strip("/").split("/")
        match asked.method, steps:
            case "GET", ["firm"]:
                return said_json({"id": "firm-1", "name": "Brown"})
            case "GET", ["matters"]:
                return self._paged(self._matters(query), query)
            case "GET", ["matters", key]:
                return next(
                    (said_json(one) for one in self.matters if one["id"] == key), problem(404, "No such matter", "Not Found")
                )
            case "GET", ["contacts"]:
                return self._paged(list(self.contacts.values()), query)
            case "POST", ["contacts", "batch"] if self.has_batch:
                ids = json.loads(asked.body)["ids"]
                if len(ids) > 500:
                    return problem(400, "more than 500")
                return said_json({"value": [self.contacts[key] for key in ids if key in self.contacts]})
            case "GET", ["contacts", key] if key in self.contacts:
                return said_json(self.contacts[key])
            case "GET", ["staff"]:
                return self._paged(self.staff, query)
            case "GET", ["activitycodes"]:
                return self._paged(self.codes, query)
            case _, ["matters", key, *_] if key not in {one["id"] for one in self.matters}:
                return problem(404, "No such matter", "Not Found")
            case "GET", ["matters", key, "expenses"]:
                return self._paged(self.expenses.get(key, []), query)
            case "POST", ["matters", key, "expenses"]:
                return self._expense(key, asked)
            case "GET", ["matters", key, "documents", "files"]:
                return self._paged([entry.told for entry in self.files.get(key, [])], query)
            case "POST", ["matters", key, "documents", "files"]:
                return self._file(key, asked)
            case "GET", ["matters", key, "documents", "files", file, "upload"]:
                for entry in self.files.get(key, []):
                    if entry.told["id"] == file:
                        return said_json(self._upload(entry))
                return problem(404, "No such file", "Not Found")
        return problem(404, "No such path", "Not Found")

    def _matters(self, query: list[tuple[str, str]]) -> list[dict[str, Any]]:
        told = {name.lower(): value for name, value in query}
        statuses = {value for name, value in query if name.lower() == "status"}
        assert "." not in told.get("lastupdated", ""), "fractions of a second are turned away"
        return [
            one
            for one in self.matters
            if (not statuses or one["status"] in statuses)
            and one["lastUpdated"] >= told.get("lastupdated", "")
            and told.get("search", "").lower() in f"{one['number']} {one['description']} {one['title']}".lower()
        ]

    def _paged(self, rows: list[dict[str, Any]], query: list[tuple[str, str]]) -> Said:
        told = {name.lower(): int(value) for name, value in query if name in self.spellings}
        offset, limit = told.get("offset", 0), min(told.get("limit", 500), self.page)
        return said_json({"value": rows[offset : offset + limit], "offset": offset, "limit": limit, "size": len(rows)})

    def _expense(self, matter: str, asked: Asked) -> Said:
        told = json.loads(asked.body, parse_float=Decimal)
        if unknown := told.keys() - EXPENSE_FIELDS:
            return problem(400, "unknown", errors=[{"field": name, "message": "is not known"} for name in unknown])
        if Decimal(told["price"]).as_tuple().exponent not in (0, -1, -2):
            return problem(400, "price")
        if sum(bool(told.get(name)) for name in ("taxInclusive", "taxZeroRated", "taxOutOfScope", "taxExempt")) > 1:
            return problem(400, "flags exclude one another")
        key = guid("expense", matter, next(self._numbers))
        self._later(lambda: self.expenses.setdefault(matter, []).append({"id": key, "isDeleted": False, **told}))
        return said_json({"id": key, "href": f"https://api.test/matters/{matter}/expenses/{key}"}, 202)

    def _file(self, matter: str, asked: Asked) -> Said:
        told = json.loads(asked.body)
        if told.keys() - FILE_FIELDS or not told.get("fileName") or len(told["fileName"]) > 256:
            return problem(400, "file")
        stem, _, extension = told["fileName"].rpartition(".")
        key = guid("file", matter, next(self._numbers))
        entry = Entry(
            {
                "id": key, "name": stem, "fileExtension": f".{extension}", "additionalData": told.get("fileAdditionalData"),
                "isUploaded": False, "isCancelled": False, "isDeleted": False, "folder": link(guid(told.get("folderPath"))),
                "dateCreated": f"2026-05-12T01:00:{len(self.files.get(matter, [])):02}Z", "sizeBytes": 0,
            }
        )  # fmt: skip
        self._entries[key] = entry
        self._later(lambda: self.files.setdefault(matter, []).append(entry))
        return said_json(self._upload(entry), 202)

    def _upload(self, entry: Entry) -> dict[str, object]:
        # With all that a signer writes: escapes, and the signs that need none.
        signed = f"X-Amz-Credential=AKIA%2F20260512%2Fap-southeast-2%2Fs3&X-Amz-Token=a%2Bb%2Fc%3D~.-_*&n={uuid.uuid4().hex}"
        entry.signature = f"X-Amz-Algorithm=AWS4-HMAC-SHA256&{signed}&response-x=a%20b%26c+d&x-id=PutObject"
        address = f"{self.root}/store/{entry.told['id']}?{entry.signature}"
        return {"fileId": entry.told["id"], "uploadUrl": address, "expiry": "2026-05-12T01:15:00Z"}

    def _stored(self, asked: Asked) -> Said:
        """What a signed address takes: exactly this query, an empty content type, and nobody's credentials."""
        self.puts.append(asked)
        path, _, query = asked.path.partition("?")
        entry = self._entries[path.removeprefix("/store/")]
        as_signed = query == entry.signature and asked.headers.get("content-type") == ""
        if asked.method != "PUT" or not as_signed or "authorization" in asked.headers or "x-api-key" in asked.headers:
            return Said(403, "<Error><Code>SignatureDoesNotMatch</Code></Error>", kind="application/xml")
        if query in self.lapsed:
            return Said(403, "<Error><Code>AccessDenied</Code></Error>", kind="application/xml")
        entry.contents.append(asked.body)
        self._later(lambda: entry.told.update(isUploaded=True, sizeBytes=len(asked.body)))
        return Said(200, "", kind="")

    def _later(self, effect: Callable[[], None]) -> None:
        if self.shows_at_once:
            effect()
        else:
            self.hidden.append(effect)


def line(matter: str, **named: object) -> CostLine:
    told: dict[str, object] = {
        "key": "IT-71000123-T-1", "matter_number": "AM-1", "matter_id": matter, "on": date(2026, 5, 14),
        "description": "Title search 1/SP12345", "code": "SEARCH", "note": "InfoTrack IT-71000123-T-1",
        "unit_cost": Decimal("14.20"), "unit_price": Decimal("14.20"), "billable": True, "gst": Decimal("1.42"),
        "gst_included": False, "taxed": True, **named,
    }  # fmt: skip
    return CostLine(**told)  # type: ignore[arg-type]  # a test's own table


def paper(matter: str, content: bytes = b"%PDF-1.7 title", **named: object) -> Document:
    told: dict[str, object] = {
        "key": "IT-71000123-D-1", "matter_number": "AM-1", "matter_id": matter, "title": "Title search",
        "text": "InfoTrack IT-71000123-D-1", "folder": "InfoTrack", "file_name": "Title search.pdf", "content": content, **named,
    }  # fmt: skip
    return Document(**told)  # type: ignore[arg-type]  # as above
