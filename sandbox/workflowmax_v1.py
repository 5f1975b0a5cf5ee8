"""WorkflowMax, the older interface: XML under `/{resource}.api/{action}`. What the facts leave open follows the switches."""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from flask import Blueprint, Response, request

from sandbox.clock import Clock
from sandbox.firm import CLOSED_STATES, STATES, Job, JobDocument, digest
from sandbox.switches import Switches
from sandbox.workflowmax_books import SUPPLIERS, Draft, Line, is_day, why_refused
from sandbox.workflowmax_gateway import author, here
from sandbox.workflowmax_xml import (
    catalogue_xml,
    client_xml,
    cost_xml,
    document_xml,
    fail,
    job_xml,
    listed_job_xml,
    named,
    ok,
    staff_xml,
)
from sandbox.xpm_xml import read_record, tag, xml

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

_Row = TypeVar("_Row")
_COST = ("Job", "UUID", "Date", "Description", "Code", "Note", "Quantity", "UnitCost", "UnitPrice", "Billable", "SupplierUUID")
_DOCUMENT = ("Job", "Title", "Text", "Folder", "Public", "FileName", "Content")
_NOTE = ("Job", "Title", "Text", "Folder", "Public")


def make_v1(clock: Clock, switches: Switches) -> Blueprint:
    """The calls. `workflowmax_gateway.check_access` must run before them."""
    pages = Blueprint("workflowmax_v1", __name__)
    _jobs(pages, clock, switches)
    _books(pages, clock, switches)
    _lookups(pages)
    return pages


def _jobs(pages: Blueprint, clock: Clock, switches: Switches) -> None:
    def listed(found: list[Job], *, pages_too: bool = True) -> ResponseReturnValue:
        firm = here()
        since = request.args.get("modifiedsinceutc", "")
        if since:
            start = _moment(since)
            if start is None:
                return _bad_request()
            found = [job for job in found if firm.modified_at(job) >= start]
        extra = ""
        if pages_too and ("page" in request.args or "pagesize" in request.args):
            part = _page(found, 1000)
            if part is None:
                return _bad_request()
            found, extra = part
        body = "".join(listed_job_xml(job, firm, switches, request.host_url) for job in found)
        return ok(f"<Jobs>{body}</Jobs>" if body else "<Jobs />", extra)

    def alive() -> list[Job]:
        firm = here()
        return [job for job in list(firm.jobs.values()) if job.number not in firm.deleted]

    @pages.get("/job.api/current")
    def current() -> ResponseReturnValue:
        return listed([job for job in alive() if job.state not in CLOSED_STATES], pages_too=switches.workflowmax_current_pages)

    @pages.get("/job.api/list")
    def by_date() -> ResponseReturnValue:
        first, last = _day(request.args.get("from", "")), _day(request.args.get("to", ""))
        if first is None or last is None or last < first or last - first > timedelta(days=switches.workflowmax_list_days):
            return _bad_request()
        return listed([job for job in alive() if first <= job.created <= last])

    @pages.get("/job.api/get/<path:number>")
    def get(number: str) -> ResponseReturnValue:
        job = here().alive(number)
        return fail("Invalid job identifier") if job is None else ok(job_xml(job, here(), switches, request.host_url, full=True))

    @pages.get("/job.api/client/<uuid>")
    def of_client(uuid: str) -> ResponseReturnValue:
        return listed([job for job in alive() if job.client.uuid == uuid])

    @pages.get("/job.api/staff/<uuid>")
    def of_staff(uuid: str) -> ResponseReturnValue:
        return listed([job for job in alive() if any(member.uuid == uuid for member in job.assigned)])

    @pages.put("/job.api/state")
    def state() -> ResponseReturnValue:
        _root, values = read_record(request.get_data())
        job = here().alive(values.get("ID", ""))
        label = next((label for label, code, _current in STATES if code == values.get("State")), "")
        if job is None or not label:
            return fail("Invalid job identifier" if job is None else "No such code")
        here().set_state(job.number, label, clock.utc().date())
        return ok()

    @pages.post("/job.api/note")
    def note() -> ResponseReturnValue:
        root, values = read_record(request.get_data())
        job = here().job(values.get("Job", ""))
        if root != "Note" or job is None or not values.get("Title") or not _ordered(values, _NOTE, switches):
            return fail("Invalid request")
        title, text = values["Title"], values.get("Text", "")
        here().notes.append({"uuid": str(uuid.uuid4()), "job": job.number, "title": title, "text": text, "by": author()})
        return ok()

    @pages.post("/job.api/delete")
    def delete() -> ResponseReturnValue:
        """Beware: this removes the whole job."""
        _root, values = read_record(request.get_data())
        job = here().alive(values.get("Job", "") or values.get("ID", ""))
        if job is None:
            return fail("Invalid job identifier")
        here().delete_job(job.number)
        return ok()


def _books(pages: Blueprint, clock: Clock, switches: Switches) -> None:
    def rows(name: str, body: list[str]) -> Response:
        whole = f"<{name}>{''.join(body)}</{name}>" if body else f"<{name} />"
        return ok(whole) if switches.wrap_lists else xml(whole)

    def known(number: str) -> Job | None:
        """Costs and documents go by the job's number alone."""
        job = here().job(number)
        return None if job is None or job.number in here().deleted else job

    def answered(line: Line) -> Response:
        match switches.workflowmax_cost_answer:
            case "empty":
                return Response(b"", 200, content_type="text/xml; charset=utf-8")
            case "record":
                return ok(cost_xml(line))
        return ok()

    @pages.get("/job.api/costs/<path:number>")
    def costs(number: str) -> ResponseReturnValue:
        job = known(number)
        if job is None:
            return fail("Invalid job identifier")
        found = here().lines(job, stale=switches.stale_seconds, estimates=switches.workflowmax_v1_estimates)
        return rows("Costs", [cost_xml(line) for line in found])

    @pages.route("/job.api/cost", methods=["POST", "PUT"])
    def cost() -> ResponseReturnValue:
        root, values = read_record(request.get_data())
        if root != "Cost" or not set(values) <= set(_COST) or not _ordered(values, _COST, switches):
            return fail("Invalid request")
        draft = Draft(
            date=values.get("Date", ""),
            description=values.get("Description", ""),
            code=values.get("Code", ""),
            note=values.get("Note", ""),
            quantity=values.get("Quantity", ""),
            unit_cost=values.get("UnitCost", ""),
            unit_price=values.get("UnitPrice", ""),
            billable=values.get("Billable") or "true",
            supplier=values.get("SupplierUUID", ""),
        )
        if request.method == "PUT":
            there = here().line(values.get("UUID", ""))
            trouble = why_refused(draft, None, here(), switches) if there else "Invalid cost identifier"
            if there is None or trouble:
                return fail(trouble)
            changed = here().change_cost(there.uuid, {**draft.values(), "updated": clock.now()})  # type: ignore[dict-item]
            assert isinstance(changed, Line)
            return answered(changed)
        job = known(values.get("Job", ""))
        if job is None or "UUID" in values:
            return fail("Invalid job identifier" if job is None else "Invalid request")
        trouble = why_refused(draft, job, here(), switches)
        return fail(trouble) if trouble else answered(here().post(job, draft, author()))

    @pages.get("/job.api/cost/<cost_uuid>/customfield")
    def custom_fields(cost_uuid: str) -> ResponseReturnValue:
        return ok("<CustomFields />") if here().line(cost_uuid) else fail("Invalid cost identifier")

    @pages.get("/job.api/documents/<path:number>")
    def documents(number: str) -> ResponseReturnValue:
        job, firm = known(number), here()
        if job is None:
            return fail("Invalid job identifier")
        with firm.lock:
            found = [d for d in firm.documents.get(job.number, ()) if d.at + switches.stale_seconds <= clock.now()]
        return rows("Documents", [document_xml(each, request.host_url, switches.workflowmax_filename) for each in found])

    @pages.post("/job.api/document")
    def post_document() -> ResponseReturnValue:
        body, firm = request.get_data(), here()
        if len(body) > switches.document_cap_bytes:
            if switches.document_cap_answer == "413":
                return Response("Request Entity Too Large", 413, content_type="text/plain")
            return fail("The document is too large")
        root, values = read_record(body)
        wanted = ("Title", "FileName", "Content")
        if root != "Document" or any(not values.get(name) for name in wanted) or not _ordered(values, _DOCUMENT, switches):
            return fail("Invalid request")
        job = known(values.get("Job", ""))
        if job is None or values.get("Public", "false") not in ("true", "false"):
            return fail("Invalid job identifier" if job is None else "Invalid request")
        folder = values.get("Folder", "")
        if folder and switches.unknown_folder_refused and folder not in firm.folders:
            return fail("Invalid folder")
        try:
            content = base64.b64decode(re.sub(r"\s", "", values["Content"]), validate=True)
        except binascii.Error:
            return fail("Invalid content")
        document = JobDocument(
            uuid=str(uuid.uuid4()),
            job=job.number,
            title=values["Title"],
            text=values.get("Text", ""),
            folder=folder,
            public=values.get("Public", "false"),
            file_name=values["FileName"],
            sha256=digest(content),
            size=len(content),
            at=clock.now(),
            by=author(),
        )
        firm.add_document(document, content)
        match switches.workflowmax_document_answer:
            case "empty":
                return Response(b"", 200, content_type="text/xml; charset=utf-8")
            case "record":
                return ok(document_xml(document, request.host_url, switches.workflowmax_filename))
        return ok()


def _lookups(pages: Blueprint) -> None:
    @pages.get("/cost.api/list")
    def catalogue() -> ResponseReturnValue:
        part = _page(here().catalogue, 1000)
        if part is None:
            return _bad_request()
        found = part[0]
        return ok(f"<Records>{len(found)}</Records>", f"<Costs>{''.join(catalogue_xml(row) for row in found)}</Costs>")

    @pages.get("/cost.api/get/<cost_uuid>")
    def catalogue_entry(cost_uuid: str) -> ResponseReturnValue:
        row = next((row for row in here().catalogue if row.uuid == cost_uuid), None)
        return ok(catalogue_xml(row)) if row else fail("Invalid cost identifier")

    @pages.post("/cost.api/deleteall")
    def wipe() -> ResponseReturnValue:
        """Beware: the whole catalogue is gone after this."""
        here().catalogue.clear()
        return ok()

    @pages.get("/staff.api/list")
    def staff() -> ResponseReturnValue:
        return ok(f"<StaffList>{''.join(staff_xml(member, request.host_url) for member in here().staff)}</StaffList>")

    @pages.get("/client.api/list")
    def clients() -> ResponseReturnValue:
        found, extra = here().clients, ""
        if "page" in request.args or "pagesize" in request.args:
            part = _page(found, 100)
            if part is None:
                return _bad_request()
            found, extra = part
        detailed = request.args.get("detailed", "").lower() == "true"
        return ok(f"<Clients>{''.join(client_xml(each, detailed=detailed) for each in found)}</Clients>", extra)

    @pages.get("/client.api/search")
    def search() -> ResponseReturnValue:
        wanted = request.args.get("query", "").casefold()
        found = [each for each in here().clients if wanted in each.name.casefold()]
        return ok(f"<Clients>{''.join(client_xml(each, detailed=False) for each in found)}</Clients>")

    @pages.get("/client.api/get/<client_uuid>")
    def client(client_uuid: str) -> ResponseReturnValue:
        found = next((each for each in here().clients if each.uuid == client_uuid), None)
        return ok(client_xml(found, detailed=True)) if found else fail("Invalid client identifier")

    @pages.get("/supplier.api/list")
    def suppliers() -> ResponseReturnValue:
        return ok(f"<Suppliers>{''.join(named('Supplier', known, name) for known, name in SUPPLIERS)}</Suppliers>")

    @pages.get("/category.api/list")
    def categories() -> ResponseReturnValue:
        return ok("<Categories>", named("Category", "ca7e6000-0000-4000-8000-000000000001", "General"), "</Categories>")

    @pages.get("/template.api/list")
    def templates() -> ResponseReturnValue:
        return ok("<Templates />")

    @pages.get("/task.api/list")
    def tasks() -> ResponseReturnValue:
        return ok("<TaskList />")

    @pages.get("/customfield.api/definition")
    def definitions() -> ResponseReturnValue:
        return ok("<CustomFieldDefinitions />")


def _page(found: list[_Row], default: int) -> tuple[list[_Row], str] | None:
    """One page and the elements that tell of it; None for a number that is none. Below 1 counts as 1."""
    page, size = request.args.get("page", "1"), request.args.get("pagesize", str(default))
    if not re.fullmatch(r"-?\d{1,9}", page) or not re.fullmatch(r"\d{1,9}", size) or int(size) == 0:
        return None
    number = max(1, int(page))
    told = tag("Page", str(number)) + tag("PageSize", size) + tag("TotalRecords", str(len(found)))
    return found[(number - 1) * int(size) : number * int(size)], told


def _ordered(values: dict[str, str], order: tuple[str, ...], switches: Switches) -> bool:
    """Whether the elements come in the documented order, if a switch asks for that."""
    return not switches.workflowmax_strict_order or [name for name in order if name in values] == list(values)


def _bad_request() -> Response:
    return Response("Bad Request", 400, content_type="text/plain")


def _day(text: str) -> date | None:
    return date(int(text[:4]), int(text[4:6]), int(text[6:])) if is_day(text) else None


def _moment(text: str) -> float | None:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
