"""Holds the older WorkflowMax interface against the vendor's description: what the stand-in answers, and what a program sends."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import requests

from sandbox import world as w
from sandbox.house import Sandbox
from sandbox.spec_report import Difference, Exchange, SpecReport, read_recording
from sandbox.workflowmax import CLIENT_ID
from sandbox.workflowmax_books import MAIN_ORGANISATION, SUPPLIERS
from sandbox.workflowmax_description import Call, Description
from sandbox.workflowmax_tokens import KNOWN_SCOPES, Consent

FOLDER = "workflowmax-v1"
JOB = "J004521"

# where, what, reason: patterns of differences in which the vendor's service is known to differ from its description
KNOWN = (
    (
        "the root",
        "is Response, described as (Costs|Documents)",
        "lists come in the usual envelope in live data; wrap_lists gives both",
    ),
    (r".*/WebURL", "is described as WebUrl", "so spelt in live data; workflowmax_web_url gives both"),
    ("Documents/Document/File[Nn]ame", "is not described", "the description's own example has it; both spellings occur"),
)


def check_workflowmax(folder: Path, recorded: Sequence[Exchange] = ()) -> SpecReport:
    """Drives a stand-in of its own and checks that, then what was `recorded`. Raises OSError or spec_yaml.NotReadable."""
    description = Description(folder)
    report = SpecReport("WorkflowMax v1")
    report.left_out += [f"a schema that can not be read: {each}" for each in description.unreadable]
    _check(description, _drive(description), report, "the stand-in")
    _check(description, (each for each in recorded if _is_v1(each)), report, "the recording")
    newer = sum(1 for each in recorded if each.server in ("", "workflowmax") and each.path.startswith("v2/"))
    if newer:
        report.left_out.append(f"{newer} recorded requests to the newer interface, of which there is no description")
    return report


def _is_v1(exchange: Exchange) -> bool:
    return exchange.server in ("", "workflowmax") and re.match(r"[a-z]+\.api/", exchange.path) is not None


def _check(description: Description, exchanges: Iterable[Exchange], report: SpecReport, who: str) -> None:
    for exchange in exchanges:
        call = description.find(exchange.method, exchange.path)
        name = f"{exchange.method} {call.template if call else exchange.path}, {who}"
        if call is None:
            report.differences.append(Difference(name, "the call", "is not described"))
            continue
        _check_request(description, call, exchange, report, name)
        _check_answer(description, call, exchange, report, name)


def _check_request(description: Description, call: Call, exchange: Exchange, report: SpecReport, name: str) -> None:
    def tell(where: str, what: str) -> None:
        report.differences.append(_difference(f"request {name}", where, what))

    report.count("requests")
    description.check_query(call, exchange.query, tell)
    kind = exchange.headers.get("content-type", "").split(";")[0]
    if exchange.method in ("POST", "PUT") and kind != "application/xml":
        tell("Content-Type", f"is {kind or 'missing'}, described as application/xml")
    if not {"account_id", "account-id"} & exchange.headers.keys():
        tell("the account header", "is missing")
    if call.request is None:
        if exchange.body:
            report.left_out.append(f"bodies of {call.method} {call.template}: the description defines none")
    elif exchange.cut or exchange.encoding:
        report.left_out.append(f"a body of {call.method} {call.template} that was cut or is no text")
    else:
        description.check_xml(call.request, exchange.body, tell)


def _check_answer(description: Description, call: Call, exchange: Exchange, report: SpecReport, name: str) -> None:
    if exchange.status != 200 or not exchange.answer:
        return
    if call.answer is None:
        report.left_out.append(f"answers of {call.method} {call.template}: the description defines none")
        return
    if re.search("<Status>ERROR</Status>", exchange.answer, re.IGNORECASE):
        report.left_out.append(f"errors of {call.method} {call.template}: the description has no error")
        return

    def tell(where: str, what: str) -> None:
        report.differences.append(_difference(f"answer {name}", where, what))

    report.count("answers")
    description.check_xml(call.answer, exchange.answer, tell)


def _difference(call: str, where: str, what: str) -> Difference:
    reasons = (reason for place, words, reason in KNOWN if re.fullmatch(place, where) and re.fullmatch(words, what))
    return Difference(call, where, what, next(reasons, ""))


def _drive(description: Description) -> list[Exchange]:
    """Calls a stand-in with records as described, under both readings of what is open; returns what went over the wire."""
    with tempfile.TemporaryDirectory(prefix="iconnect-spec-") as name:
        folder = Path(name)
        with Sandbox(folder / "box", limits=False, delay=0) as box:
            box.world.switches.change({"keep_requests": True})
            for switches in ({}, {"wrap_lists": False, "workflowmax_web_url": "WebUrl", "workflowmax_filename": "FileName"}):
                box.world.switches.change(dict(switches))
                _visit(box, description)
            kept = folder / "requests.jsonl"
            kept.write_text(box.recording.lines(), encoding="utf-8")
            return read_recording(kept)


def _visit(box: Sandbox, description: Description) -> None:
    store = box.workflowmax.store
    consent = Consent(store.people[w.DEMO_PERSON], CLIENT_ID, KNOWN_SCOPES, (MAIN_ORGANISATION,), box.world.clock.now())
    headers = {
        "Authorization": f"Bearer {store.new_tokens(consent, KNOWN_SCOPES)['access_token']}",
        "account_id": MAIN_ORGANISATION,
        "Content-Type": "application/xml",
    }
    firm = box.workflowmax.organisations.get(MAIN_ORGANISATION)
    assert firm is not None
    job, changes = firm.jobs[JOB], {"Job": JOB, "ID": JOB, "State": "INPROGRESS", "Content": "JVBERi0xLjcK"}
    changes |= {"SupplierUUID": SUPPLIERS[0][0], "FileName": "example.pdf", "Code": "DISB-GST"}
    with requests.Session() as caller:
        caller.headers.update(headers)

        def call(method: str, path: str, **more: str) -> None:
            found = description.find(method, path.split("?")[0])
            body = description.example(found.request, changes | more) if found and found.request else ""
            caller.request(method, f"{box.url('workflowmax')}/{path}", data=body.encode() or None, timeout=30)

        for path in ("job.api/cost", "job.api/document", "job.api/note"):
            call("POST", path)
        line = firm.lines(job, estimates=False)[-1]
        call("PUT", "job.api/cost", UUID=line.uuid)
        call("PUT", "job.api/state")
        day = f"{job.created:%Y%m%d}"
        reads = (
            "job.api/current",
            "job.api/current?detailed=true&page=1&pagesize=10&modifiedsinceutc=2020-01-01T00:00:00",
            f"job.api/list?from={day}&to={day}",
            f"job.api/get/{JOB}",
            f"job.api/client/{job.client.uuid}",
            f"job.api/staff/{firm.staff[0].uuid}",
            f"job.api/costs/{JOB}",
            f"job.api/documents/{JOB}",
            "cost.api/list?page=1",
            f"cost.api/get/{firm.catalogue[0].uuid}",
            "staff.api/list",
            "client.api/list?page=1&pagesize=5",
            "client.api/list?detailed=true",
            "client.api/search?query=a",
            f"client.api/get/{job.client.uuid}",
            "supplier.api/list",
            "category.api/list",
            "template.api/list",
            "task.api/list",
            "customfield.api/definition",
            f"job.api/cost/{line.uuid}/customfield",
        )
        for path in reads:
            call("GET", path)
