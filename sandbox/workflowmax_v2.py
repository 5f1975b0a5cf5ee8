"""WorkflowMax, the newer interface: JSON under `/v2/`. What the facts leave open follows the switches."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

from flask import Blueprint, Response, g, jsonify, request

from sandbox.clock import Clock
from sandbox.firm import STATES, Job, JobDocument, digest
from sandbox.switches import Switches
from sandbox.workflowmax_books import STATUS_IDS, SUPPLIERS, Line, Organisation, why_refused
from sandbox.workflowmax_gateway import author, here
from sandbox.workflowmax_json import (
    CATEGORY_ID,
    BadFields,
    Row,
    catalogue_row,
    client_row,
    cost_row,
    document_row,
    job_row,
    moment,
    read_cost,
    staff_row,
)
from sandbox.workflowmax_tokens import SignIns

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue


_Item = TypeVar("_Item")


class _No(Exception):
    """An answer of refusal."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status, self.words = status, words


def make_v2(clock: Clock, switches: Switches, store: SignIns) -> Blueprint:
    """The calls. `workflowmax_gateway.check_access` must run before them."""
    pages = Blueprint("workflowmax_v2", __name__, url_prefix="/v2")

    @pages.errorhandler(_No)
    def no(problem: _No) -> ResponseReturnValue:
        return jsonify(message=problem.words, statusCode=problem.status), problem.status

    @pages.errorhandler(BadFields)
    def bad_fields(problem: BadFields) -> ResponseReturnValue:
        return jsonify(message=str(problem), statusCode=400), 400

    _jobs(pages, clock, switches)
    _costs(pages, clock, switches)
    _documents(pages, clock, switches)
    _lookups(pages, switches, store)
    return pages


def _single(row: Row, switches: Switches, status: int = 200) -> ResponseReturnValue:
    return jsonify({"data": row} if switches.workflowmax_single == "data" else row), status


def _posted(row: Row, switches: Switches) -> ResponseReturnValue:
    """The answer to a record posted."""
    if switches.workflowmax_v2_answer == "empty":
        return Response(b"", switches.workflowmax_v2_created)
    shown = {"uuid": row["uuid"]} if switches.workflowmax_v2_answer == "uuid" else row
    return _single(shown, switches, switches.workflowmax_v2_created)


def _listed(found: list[_Item], row: Callable[[_Item], Row], switches: Switches) -> Response:
    """One page of a list; `total` is that of the whole."""
    page, size = request.args.get("page", "1"), request.args.get("pageSize", str(switches.workflowmax_page_size))
    if not re.fullmatch(r"\d{1,9}", page) or not re.fullmatch(r"\d{1,9}", size) or int(page) < 1 or not 1 <= int(size) <= 1000:
        raise _No(400, "page and pageSize must be numbers from 1 up")
    start, end = (int(page) - 1) * int(size), int(page) * int(size)
    if switches.workflowmax_v2_page == "ignored":
        start, end = 0, len(found)
    elif switches.workflowmax_v2_page == "overlaps":
        start = max(0, start - 1)
    return jsonify(data=[row(each) for each in found[start:end]], total=len(found))


def _job(identifier: str, *, by_number: bool = True) -> Job:
    job = here().find(identifier)
    if job is None or (not by_number and job.uuid != identifier.lower()):
        raise _No(404, "There is no such job")
    return job


def _body() -> object:
    if request.mimetype != "application/json":
        raise _No(415, "The body must be JSON")
    try:
        return json.loads(request.get_data(), parse_float=Decimal)
    except ValueError:
        raise _No(400, "The body is not JSON") from None


def _jobs(pages: Blueprint, clock: Clock, switches: Switches) -> None:
    def whole(job: Job) -> Row:
        """A job with what `includes` asks for."""
        firm, row = here(), job_row(job, here())
        wanted = set(filter(None, request.args.get("includes", "").split(",")))
        if "costs" in wanted:
            found = firm.lines(job, stale=switches.stale_seconds)
            row["costs"] = [cost_row(line, firm, switches, "nested") for line in found]
        if "documents" in wanted:
            row["documents"] = [document_row(d, request.host_url) for d in _visible(firm, job, clock, switches)]
        if "notes" in wanted:
            row["notes"] = [note for note in firm.notes if note["job"] == job.number]
        return row | {name: [] for name in wanted & {"tasks", "phases", "quotes", "invoices"}}

    @pages.get("/jobs")
    def jobs() -> ResponseReturnValue:
        firm = here()
        found = list(firm.jobs.values())  # deleted ones too
        since = request.args.get("updatedSince", "")
        if since:
            start = _moment(since)
            found = [job for job in found if firm.modified_at(job) >= start]
        status = request.args.get("status", "")
        if status:
            found = [job for job in found if status in (STATUS_IDS[job.state], job.state)]
        by = firm.modified_at if request.args.get("sort") == "updated" else firm.created_at
        if "sort" in request.args or "order" in request.args:
            found.sort(key=by, reverse=request.args.get("order", "asc").lower() == "desc")
        return _listed(found, whole, switches)

    @pages.get("/jobs/<path:identifier>")
    def job(identifier: str) -> ResponseReturnValue:
        return _single(whole(_job(identifier)), switches)

    @pages.delete("/jobs/<path:identifier>")
    def delete(identifier: str) -> ResponseReturnValue:
        """Beware: the whole job."""
        here().delete_job(_job(identifier).number)
        return "", 204

    @pages.get("/jobs/<path:identifier>/notes")
    def notes(identifier: str) -> ResponseReturnValue:
        found = _job(identifier)
        return _listed([note for note in here().notes if note["job"] == found.number], lambda note: dict(note), switches)

    @pages.post("/jobs/<path:identifier>/notes")
    def note(identifier: str) -> ResponseReturnValue:
        found, body = _job(identifier), _body()
        if not isinstance(body, dict) or not body.get("title"):
            raise _No(400, "title is missing")
        text = str(body.get("description", ""))
        row = {"uuid": str(uuid.uuid4()), "job": found.number, "title": str(body["title"]), "text": text, "by": author()}
        here().notes.append(row)
        return _posted(dict(row), switches)


def _costs(pages: Blueprint, clock: Clock, switches: Switches) -> None:
    @pages.get("/jobs/<path:identifier>/costs")
    def costs(identifier: str) -> ResponseReturnValue:
        firm = here()
        found = firm.lines(_job(identifier, by_number=switches.workflowmax_lists_by_number), stale=switches.stale_seconds)
        return _listed(found, lambda line: cost_row(line, firm, switches, "list"), switches)

    @pages.post("/jobs/<path:identifier>/costs")
    def add(identifier: str) -> ResponseReturnValue:
        firm, job = here(), _job(identifier)
        draft = read_cost(_body(), firm, switches)
        if job.number in firm.deleted:
            raise _No(404, "There is no such job")
        trouble = why_refused(draft, job, firm, switches)
        if trouble:
            raise _No(switches.workflowmax_v2_refused, trouble)
        return _posted(cost_row(firm.post(job, draft, author()), firm, switches, "answer"), switches)

    @pages.put("/jobs/costs/<line_id>")
    def put(line_id: str) -> ResponseReturnValue:
        firm = here()
        line = firm.line(line_id)
        if line is None:
            raise _No(404, "There is no such cost")
        draft = read_cost(_body(), firm, switches, line)
        trouble = why_refused(draft, None, firm, switches)
        if trouble:
            raise _No(switches.workflowmax_v2_refused, trouble)
        changed = firm.change_cost(line_id, {**draft.values(), "updated": clock.now()})  # type: ignore[dict-item]
        assert isinstance(changed, Line)
        return _single(cost_row(changed, firm, switches, "answer"), switches)

    @pages.get("/costs")
    def catalogue() -> ResponseReturnValue:
        return _listed(here().catalogue, catalogue_row, switches)

    @pages.get("/costs/<entry_id>")
    def entry(entry_id: str) -> ResponseReturnValue:
        found = next((row for row in here().catalogue if row.uuid == entry_id), None)
        if found is None:
            raise _No(404, "There is no such cost")
        return _single(catalogue_row(found), switches)


def _visible(firm: Organisation, job: Job, clock: Clock, switches: Switches) -> list[JobDocument]:
    with firm.lock:
        return [d for d in firm.documents.get(job.number, ()) if d.at + switches.stale_seconds <= clock.now()]


def _documents(pages: Blueprint, clock: Clock, switches: Switches) -> None:
    @pages.get("/jobs/<path:identifier>/documents")
    def documents(identifier: str) -> ResponseReturnValue:
        job = _job(identifier, by_number=switches.workflowmax_lists_by_number)
        found, host = _visible(here(), job, clock, switches), request.host_url
        return _listed(found, lambda document: document_row(document, host), switches)

    @pages.post("/jobs/<path:identifier>/documents")
    def upload(identifier: str) -> ResponseReturnValue:
        firm, job = here(), _job(identifier, by_number=switches.workflowmax_lists_by_number)
        if request.content_length and request.content_length > switches.document_cap_bytes:
            request.get_data()  # read whole, so that the refusal reaches who sent it
            raise _No(413, "The document is too large")
        given = request.files.getlist("file")
        if request.mimetype != "multipart/form-data" or len(given) != 1 or not given[0].filename:
            raise _No(400, "One file is wanted, as a form's field called file")
        if job.number in firm.deleted:
            raise _No(404, "There is no such job")
        content = given[0].read()
        document = JobDocument(
            uuid=str(uuid.uuid4()),
            job=job.number,
            title=request.form.get("title", "") or given[0].filename,
            text=request.form.get("note", ""),
            folder=request.form.get("phase", ""),
            public="false",
            file_name=given[0].filename,
            sha256=digest(content),
            size=len(content),
            at=clock.now(),
            by=author(),
        )
        firm.add_document(document, content)
        return _posted(document_row(document, request.host_url), switches)


def _lookups(pages: Blueprint, switches: Switches, store: SignIns) -> None:
    @pages.get("/job-status")
    def statuses() -> ResponseReturnValue:
        return _listed(list(STATES), lambda state: {"uuid": STATUS_IDS[state[0]], "name": state[0]}, switches)

    @pages.get("/job-categories")
    def categories() -> ResponseReturnValue:
        return _listed([{"uuid": CATEGORY_ID, "name": "General"}], lambda row: dict(row), switches)

    @pages.get("/<any('job-templates', 'taxes', 'custom-fields'):_what>")
    def nothing_there(_what: str) -> ResponseReturnValue:
        return jsonify(data=[], total=0)

    @pages.get("/clients")
    def clients() -> ResponseReturnValue:
        contacts = "contacts" in request.args.get("includes", "").split(",")
        return _listed(here().clients, lambda client: client_row(client, contacts=contacts), switches)

    @pages.get("/clients/<client_id>")
    def client(client_id: str) -> ResponseReturnValue:
        found = next((each for each in here().clients if each.uuid == client_id), None)
        if found is None:
            raise _No(404, "There is no such client")
        return _single(client_row(found, contacts="contacts" in request.args.get("includes", "")), switches)

    @pages.get("/staff")
    def staff() -> ResponseReturnValue:
        return _listed(here().staff, staff_row, switches)

    @pages.get("/suppliers")
    def suppliers() -> ResponseReturnValue:
        return _listed(list(SUPPLIERS), lambda supplier: {"uuid": supplier[0], "name": supplier[1]}, switches)

    @pages.get("/accounts")
    def accounts() -> ResponseReturnValue:
        names = store.organisations()
        mine = store.organisations_of(g.access.consent.person)
        return _listed(mine, lambda each: {"uuid": each, "name": names[each]}, switches)

    @pages.get("/me")
    def me() -> ResponseReturnValue:
        person = g.access.consent.person
        member = next((each for each in here().staff if each.email == person.email), None)
        row: Row = {
            "uuid": member.uuid if member else person.xero_userid,
            "firstName": person.given_name,
            "lastName": person.family_name,
            "name": author(),
            "email": person.email,
            "organisationName": here().name,
            "organisation": {"uuid": here().tenant_id, "name": here().name},
            "createdAt": moment(0),
        }
        return _single(row, switches)


def _moment(text: str) -> float:
    """A day, or a moment in UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise _No(400, "updatedSince must be a date") from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
