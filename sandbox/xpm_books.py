"""Practice Manager 3.1: costs and documents on a job. What the documentation leaves open follows the switches."""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from flask import Blueprint, Response, g, request

from sandbox.clock import Clock
from sandbox.firm import CLOSED_STATES, Firm, Job, JobCost, JobDocument, digest
from sandbox.switches import Switches
from sandbox.xpm_xml import cost_xml, document_xml, error, ok, read_record, tag, xml

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

_DECIMAL = re.compile(r"^-?\d+(\.\d+)?$")
_COST_NEEDS = ("Date", "Description", "Quantity", "UnitCost", "UnitPrice")
_DOCUMENT_NEEDS = ("Job", "Title", "FileName", "Content")


def make_books(clock: Clock, switches: Switches) -> Blueprint:
    """The calls that read and write costs and documents. `check_access` must run before them."""
    pages = Blueprint("xpm_books", __name__)

    def who() -> str:
        person = g.access.consent.person
        return f"{person.given_name} {person.family_name}"

    def visible(at: float) -> bool:
        return at + switches.stale_seconds <= clock.now()

    def listed(name: str, rows: list[str]) -> Response:
        body = f"<{name}>{''.join(rows)}</{name}>" if rows else f"<{name} />"
        return ok(name, body) if switches.wrap_lists else xml(body)

    @pages.get("/job.api/costs/<path:number>")
    def costs(number: str) -> ResponseReturnValue:
        firm: Firm = g.firm
        job = firm.job(number)
        if job is None:
            return error("Costs", "Invalid job identifier")
        with firm.lock:
            return listed("Costs", [cost_xml(cost) for cost in firm.costs.get(job.number, []) if visible(cost.at)])

    @pages.post("/job.api/cost")
    def post_cost() -> ResponseReturnValue:
        root, values = read_record(request.get_data())
        firm: Firm = g.firm
        if root != "Cost":
            return error("Cost", "Invalid request")
        job = firm.job(values.get("Job", ""))
        if job is None:
            return error("Cost", "Invalid job identifier")
        trouble = _trouble(values, firm, switches) or _closed(job, switches)
        if trouble:
            return error("Cost", trouble)
        cost = JobCost(
            uuid=str(uuid.uuid4()),
            job=job.number,
            date=values["Date"],
            description=values["Description"],
            code=values.get("Code", ""),
            note=values.get("Note", ""),
            quantity=values["Quantity"],
            unit_cost=values["UnitCost"],
            unit_price=values["UnitPrice"],
            billable=values.get("Billable") or "true",
            at=clock.now(),
            by=who(),
        )
        firm.add_cost(cost)
        return ok("Cost", cost_xml(cost)) if switches.cost_answer == "record" else ok("Cost")

    @pages.put("/job.api/cost")
    def put_cost() -> ResponseReturnValue:
        _root, values = read_record(request.get_data())
        trouble = "Invalid request" if "Job" in values else _trouble(values, g.firm, switches)
        if trouble:
            return error("Cost", trouble)
        changed = g.firm.change_cost(
            values.get("UUID", ""),
            {
                "date": values["Date"],
                "description": values["Description"],
                "code": values.get("Code", ""),
                "note": values.get("Note", ""),
                "quantity": values["Quantity"],
                "unit_cost": values["UnitCost"],
                "unit_price": values["UnitPrice"],
                "billable": values.get("Billable") or "true",
            },
        )
        if changed is None:
            return error("Cost", "Invalid cost identifier")
        return ok("Cost", cost_xml(changed)) if switches.cost_answer == "record" else ok("Cost")

    @pages.get("/job.api/documents/<path:number>")
    def documents(number: str) -> ResponseReturnValue:
        firm: Firm = g.firm
        job = firm.job(number)
        if job is None:
            return error("Documents", "Invalid job identifier")
        with firm.lock:
            rows = [_row(document) for document in firm.documents.get(job.number, []) if visible(document.at)]
        return listed("Documents", rows)

    def _row(document: JobDocument) -> str:
        day = datetime.fromtimestamp(document.at, UTC).strftime("%Y%m%d")
        return document_xml(document, day, f"{request.host_url}practice/document/{document.uuid}", switches.filename_spelling)

    @pages.post("/job.api/document")
    def post_document() -> ResponseReturnValue:
        firm: Firm = g.firm
        body = request.get_data()
        if len(body) > switches.document_cap_bytes:
            if switches.document_cap_answer == "413":
                return Response("Request Entity Too Large", 413, content_type="text/plain")
            return error("Document", "The document is too large")
        root, values = read_record(body)
        if root != "Document" or any(not values.get(name) for name in _DOCUMENT_NEEDS) or "Text" not in values:
            return error("Document", "Invalid request")
        job = firm.job(values["Job"])
        if job is None:
            return error("Document", "Invalid job identifier")
        if values.get("Public", "false") not in ("true", "false"):
            return error("Document", "Invalid request")
        folder = values.get("Folder", "")
        if folder and switches.unknown_folder_refused and folder not in firm.folders:
            return error("Document", "Invalid folder")
        try:
            content = base64.b64decode(re.sub(r"\s", "", values["Content"]), validate=True)
        except binascii.Error:
            return error("Document", "Invalid content")
        document = JobDocument(
            uuid=str(uuid.uuid4()),
            job=job.number,
            title=values["Title"],
            text=values["Text"],
            folder=folder,
            public=values.get("Public", "false"),
            file_name=values["FileName"],
            sha256=digest(content),
            size=len(content),
            at=clock.now(),
            by=who(),
        )
        firm.add_document(document, content)
        return ok("Document", _row(document)) if switches.document_answer == "record" else ok("Document")

    @pages.get("/job.api/cost/<cost_uuid>/customfield")
    def custom_fields(cost_uuid: str) -> ResponseReturnValue:
        return ok("CustomField", tag("CustomFields", ""))

    return pages


def _trouble(values: dict[str, str], firm: Firm, switches: Switches) -> str:
    """Why a cost is refused, as the sentence of an error; empty if it is not."""
    if any(not values.get(name) for name in _COST_NEEDS):
        return "Invalid request"
    if not re.fullmatch(r"\d{8}", values["Date"]) or not _is_day(values["Date"]):
        return "Invalid date"
    if any(not _DECIMAL.match(values[name]) for name in ("Quantity", "UnitCost", "UnitPrice")):
        return "Invalid number"
    if values.get("Billable", "true") not in ("true", "false", ""):
        return "Invalid request"
    if switches.refuse_negative and any(values[name].startswith("-") for name in ("Quantity", "UnitCost", "UnitPrice")):
        return "Amounts can not be negative"
    if switches.refuse_zero_quantity and float(values["Quantity"]) == 0:
        return "Quantity can not be zero"
    code = values.get("Code", "")
    if code and switches.refuse_unknown_code and not any(row.code == code for row in firm.catalogue):
        return "No such cost code"
    return ""


def _closed(job: Job, switches: Switches) -> str:
    if job.refuses_costs or (switches.refuse_closed and job.state in CLOSED_STATES):
        return "Costs can not be added to this job"
    return ""


def _is_day(text: str) -> bool:
    try:
        datetime.strptime(text, "%Y%m%d")  # noqa: DTZ007 - a calendar day has no zone
    except ValueError:
        return False
    return True
