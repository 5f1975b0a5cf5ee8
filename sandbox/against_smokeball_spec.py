"""Holds the Smokeball interface against the vendor's description: what the stand-in takes and answers, and what a program sends."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import requests

from sandbox import world as w
from sandbox.house import Sandbox
from sandbox.smokeball_description import DescribedCall, SmokeballDescription, Tell
from sandbox.smokeball_house import API_KEY, CLIENT_ID
from sandbox.smokeball_sign_ins import SCOPES, SignIn
from sandbox.spec_report import Difference, Exchange, SpecReport, read_recording

FILE = "smokeball-openapi.json"
NUMBER = "J004521"

# call, place and words as patterns, and the reason: where the vendor's service is known to differ from its description
KNOWN = (
    (
        r".*(firm/users).*",
        "the call",
        "is not described",
        "the release notes name it in the place of /firmusers; the stand-in has both",
    ),
    (
        r"answer .*",
        "the status",
        r"is (400|401|403|404|405|415|429), which is not described",
        "the guides describe it for every call",
    ),
    (
        r"answer .*",
        r"the body(/value\[\])?/expenseDate",
        "is no date-time",
        "the description's own example is a day; smokeball_expense_dates gives all readings",
    ),
)


def check_smokeball(path: Path, recorded: Sequence[Exchange] = ()) -> SpecReport:
    """Drives a stand-in of its own and checks that, then what was `recorded`. Raises OSError or ValueError."""
    description = SmokeballDescription(path)
    report = SpecReport("Smokeball")
    driven = _drive(description)
    _check(description, driven, report, "the stand-in")
    _check(description, (each for each in recorded if each.server == "smokeball"), report, "the recording")
    _tell_missing(description, driven, report)
    return report


def _check(description: SmokeballDescription, exchanges: Iterable[Exchange], report: SpecReport, who: str) -> None:
    for exchange in exchanges:
        call = description.find(exchange.method, exchange.path)
        name = f"{exchange.method} {call.template if call else _shape(exchange.path)}, {who}"
        if call is None:
            report.differences.append(_difference(name, "the call", "is not described"))
            continue
        _check_request(description, call, exchange, report, f"request {name}")
        _check_answer(description, call, exchange, report, f"answer {name}")


def _teller(report: SpecReport, name: str) -> Tell:
    return lambda where, what: report.differences.append(_difference(name, where, what))


def _check_request(
    description: SmokeballDescription, call: DescribedCall, exchange: Exchange, report: SpecReport, name: str
) -> None:
    tell = _teller(report, name)
    report.count("requests")
    for header in ("x-api-key", "authorization"):
        if header not in exchange.headers:
            tell(f"the header {header}", "is missing")
    description.check_query(call, parse_qsl(exchange.query, keep_blank_values=True), tell)
    kind = exchange.headers.get("content-type", "").split(";")[0]
    if not call.bodies:
        if exchange.body:
            tell("the body", "is not described")
        return
    if kind not in call.bodies and not ("application/*+json" in call.bodies and re.fullmatch(r"application/.+\+json", kind)):
        tell("the content type", f"is {kind or 'missing'}, which is not described")
    if exchange.cut or exchange.encoding:
        report.left_out.append(f"a body of {call.method} {call.template} that was cut or is no text")
        return
    try:
        body = json.loads(exchange.body)
    except ValueError:
        tell("the body", "is no JSON")
        return
    description.check(call.body, body, "the body", tell)


def _check_answer(
    description: SmokeballDescription, call: DescribedCall, exchange: Exchange, report: SpecReport, name: str
) -> None:
    tell = _teller(report, name)
    if exchange.status == 0 or exchange.status >= 500:
        report.left_out.append(f"answers of {call.method} {call.template} that were spoilt")
        return
    report.count("answers")
    if str(exchange.status) not in call.answers:
        tell("the status", f"is {exchange.status}, which is not described")
        return
    schema = call.answer(exchange.status)
    if schema is None:
        if exchange.answer:
            tell("the body", "is not described")
        return
    if not exchange.answer:
        report.left_out.append(f"an answer of {call.method} {call.template} that was cut")
        return
    try:
        body = json.loads(exchange.answer)
    except ValueError:
        tell("the body", "is no JSON")
        return
    description.check(schema, body, "the body", tell)


def _difference(call: str, where: str, what: str) -> Difference:
    reasons = (
        reason
        for calls, place, words, reason in KNOWN
        if re.fullmatch(calls, call) and re.fullmatch(place, where) and re.fullmatch(words, what)
    )
    return Difference(call, where, what, next(reasons, ""))


def _shape(path: str) -> str:
    """A path with its identifiers taken out, so that many make one line."""
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "{id}", path)


def _tell_missing(description: SmokeballDescription, driven: Iterable[Exchange], report: SpecReport) -> None:
    """Described members that the stand-in never gives: told, for they are no difference."""
    described: dict[str, set[str]] = {}
    given: dict[str, set[str]] = {}
    for exchange in driven:
        call = description.find(exchange.method, exchange.path)
        schema = call.answer(exchange.status) if call and exchange.status < 300 else None
        if call is None or schema is None or not exchange.answer:
            continue
        body: Any = json.loads(exchange.answer)
        members = description.members(schema)
        rows = [body]
        if isinstance(body, dict) and isinstance(body.get("value"), list):
            rows, members = body["value"], description.members(members["value"]["items"])
        name = f"{call.method} {call.template}"
        described.setdefault(name, set()).update(members)
        given.setdefault(name, set()).update(member for row in rows if isinstance(row, dict) for member in row)
    for name, members_of in sorted(described.items()):
        missing = sorted(members_of - given[name])
        if missing:
            report.left_out.append(f"{name}: the stand-in never gives {', '.join(missing)}")


def _drive(description: SmokeballDescription) -> list[Exchange]:
    """Calls a stand-in with bodies as described, under both readings of what is open; returns what went over the wire."""
    with tempfile.TemporaryDirectory(prefix="iconnect-spec-") as name:
        folder = Path(name)
        with Sandbox(folder / "box", limits=False, delay=0) as box:
            box.world.switches.change({"keep_requests": True, "smokeball_async_seconds": 0, "smokeball_upload_seconds": 0})
            for switches in (
                {},
                {"smokeball_nulls": False, "smokeball_expense_dates": "as_sent", "smokeball_errors_shape": "property"},
                {"smokeball_region": "uk", "smokeball_errors_shape": "map", "smokeball_expense_dates": "day"},
            ):
                box.world.switches.change(dict(switches))
                _visit(box, description)
            kept = folder / "requests.jsonl"
            kept.write_text(box.recording.lines(), encoding="utf-8")
            return read_recording(kept)


def _visit(box: Sandbox, description: SmokeballDescription) -> None:
    signs = box.smokeball.signs
    token = signs.answer(SignIn(signs.people[w.DEMO_PERSON], CLIENT_ID, SCOPES))["access_token"]
    firm = box.smokeball.current()
    matter = firm.find_matter(NUMBER)
    assert matter is not None
    me = firm.staff[0]
    base, of_matter = box.url("smokeball"), f"matters/{matter.id}"
    with requests.Session() as caller:
        caller.headers.update({"Authorization": f"Bearer {token}", "x-api-key": API_KEY})

        def get(path: str) -> None:
            caller.get(f"{base}/{path}", timeout=30)

        def send(method: str, path: str, **values: Any) -> dict[str, Any]:
            found = description.find(method, path)
            body = description.example(found.body, values) if found and found.body else values or None
            answer = caller.request(method, f"{base}/{path}", json=body, timeout=30)
            told = answer.json() if answer.content else {}
            return told if isinstance(told, dict) else {}

        for path in ("firm", "firm/users", "firmusers", "staff?Limit=5&Search=name:*a*&Fields=rate", f"staff/{me.id}"):
            get(path)
        get("activitycodes?Limit=5&UpdatedSince=0")
        get(f"activitycodes/{firm.codes[0].id}")
        get("mattertypes?Location=NSW&Name=a")
        get("contacts?Limit=50&Type=Person&Type=Organisation&ExcludeDeletedContacts=true&Sort=desc(lastUpdated)")
        get("contacts?Type=GroupOfPeople&Search=name:*a*")
        get(f"contacts/{matter.clients[0]}")
        send("POST", "contacts/batch", ids=list(firm.contacts)[:3])
        get("matters?Limit=20&Offset=10&Status=Open&Status=Pending&Type=Matters,Leads&LastUpdated=2020-01-01T00:00:00Z")
        get(f"matters?Search={NUMBER}&UpdatedSince=0&Sort=asc(lastUpdated)&IsLead=false")
        get("matters?UpdatedSince=0&LastUpdated=2020-01-01T00:00:00.5Z")
        get(f"{of_matter}")
        get(f"matters/{'0' * 8}-0000-4000-8000-{'0' * 12}")
        expense = {
            "expenseDate": "2026-05-14T00:00:00+10:00",
            "staffId": me.id,
            "activityCode": "SEARCH",
            "costType": "Hard",
            "quantity": 1,
            "price": 14.2,
            "tax": 1.42,
            "outputTax": 1.42,
            "isBillable": True,
            "invoiceId": None,
        }
        made = send("POST", f"{of_matter}/expenses", **expense)["id"]
        for path in (f"{of_matter}/expenses?Limit=10&Offset=0&UpdatedSince=0", f"{of_matter}/expenses/{made}"):
            get(path)
        send("PUT", f"{of_matter}/expenses/{made}", **expense)
        send("PATCH", f"{of_matter}/expenses/{made}", **expense)
        send("POST", f"{of_matter}/expenses", **{**expense, "activityCode": "NO-SUCH"})
        send("DELETE", f"{of_matter}/expenses/{made}")
        documents = f"{of_matter}/documents"
        folder = send("POST", f"{documents}/folders", name="InfoTrack", parentFolderId=None, userId=me.user_id)["id"]
        day = "2026-05-14T00:00:00Z"
        file = {"fileName": "a.pdf", "userId": me.user_id, "fileAdditionalData": {"iconnect": "IT-1-D-1"}, "folderPath": "A/B"}
        entry = send("POST", f"{documents}/files", **file, folderId=folder, dateCreated=day, dateModified=day)
        requests.put(entry["uploadUrl"], data=b"%PDF", headers={"Content-Type": ""}, timeout=30)
        one = f"{documents}/files/{entry['fileId']}"
        lists = ("?Limit=10&Offset=0&Sort=dateCreated", "?Search=query:a", f"?Cursor={entry['fileId']}")
        for path in (one, f"{one}/upload", f"{one}/download", *(f"{documents}/files{query}" for query in lists)):
            get(path)
        get(f"{documents}/folders?Limit=10")
        get(f"{documents}/folders/{folder}")
        send("PUT", one, fileName="b.pdf", userId=me.user_id, folderId=folder, fileAdditionalData={"iconnect": "IT-1-D-1"})
        send("DELETE", one)
