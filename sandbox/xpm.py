"""Practice Manager 3.1: what can be read. Jobs, clients, staff and the cost catalogue; xpm_books.py has what is posted to a job."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from flask import Blueprint, Response, g, request

from sandbox.clock import Clock
from sandbox.firm import CLOSED_STATES, STATES, Client, Firm, Job
from sandbox.gateway import check_token, refuse
from sandbox.identity_store import Access, IdentityStore
from sandbox.switches import Switches
from sandbox.xpm_xml import JobLists, catalogue_xml, client_xml, error, full_job_xml, job_xml, ok, read_record, staff_xml, tag, xml

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

BASE = "/practicemanager/3.1"


def check_access(
    store: IdentityStore, firms: Callable[[str], Firm | None], switches: Switches
) -> Callable[[], ResponseReturnValue | None]:
    """What runs before every call: token, tenant, privilege, scope. Leaves `g.firm` and `g.access`."""

    def check() -> ResponseReturnValue | None:
        access = check_token(store)
        if isinstance(access, Response):
            return access
        tenant = request.headers.get("xero-tenant-id", "")
        connection = store.connection(access.consent, tenant)
        firm = firms(tenant) if connection is not None and connection.tenant.kind == "PRACTICEMANAGER" else None
        if firm is None:
            return refuse(403, "AuthenticationUnsuccessful")
        if not any(member.email == access.consent.person.email and member.api for member in firm.staff):
            return refuse(switches.privilege_lost_status, "AuthenticationUnsuccessful")
        if not _allowed(access, switches.cost_scope):
            return refuse(401, "AuthorizationUnsuccessful")
        g.firm, g.access = firm, access
        return None

    return check


def _allowed(access: Access, cost_scope: str) -> bool:
    resource = request.path.removeprefix(f"{BASE}/").split(".api")[0]
    if resource == "cost":
        return cost_scope in access.scopes if cost_scope else any(scope.startswith("practicemanager") for scope in access.scopes)
    if resource not in ("job", "client", "staff"):
        return True
    wanted = {f"practicemanager.{resource}"}
    if request.method == "GET":
        wanted.add(f"practicemanager.{resource}.read")
    return bool(wanted & access.scopes)


def make_xpm(clock: Clock, switches: Switches) -> Blueprint:
    """The calls that read, and `job.api/state`. `check_access` must run before them."""
    pages = Blueprint("xpm", __name__)
    lists: dict[str, JobLists] = {}

    def detailed() -> bool:
        return request.args.get("detailed", "").lower() == "true"

    def jobs(method: str, found: list[Job]) -> Response:
        body = "".join(job_xml(job, detailed=detailed(), uuid=switches.uuid_in_summaries) for job in found)
        return ok(method, f"<Jobs>{body}</Jobs>" if body else "<Jobs />")

    @pages.get("/job.api/current")
    def current() -> ResponseReturnValue:
        firm: Firm = g.firm
        kept = lists.get(firm.tenant_id)
        if kept is None or kept.firm is not firm:
            kept = lists[firm.tenant_id] = JobLists(firm)
        return Response(
            kept.current(CLOSED_STATES, detailed=detailed(), uuid=switches.uuid_in_summaries),
            content_type="text/xml; charset=utf-8",
        )

    @pages.get("/job.api/list")
    def listed() -> ResponseReturnValue:
        first, last = _day(request.args.get("from", "")), _day(request.args.get("to", ""))
        if first is None or last is None or last < first or last - first > timedelta(days=364):
            return Response("Bad Request", 400, content_type="text/plain")
        return jobs("List", [job for job in g.firm.jobs.values() if first <= job.created <= last])

    @pages.get("/job.api/get/<path:number>")
    def get(number: str) -> ResponseReturnValue:
        job = g.firm.job(number)
        if job is None:
            return error("Get", "Invalid job identifier")
        return ok("Get", full_job_xml(job), tag("WebUrl", f"{request.host_url}practice/job/{job.uuid}"))

    @pages.get("/job.api/staff/<uuid>")
    def of_staff(uuid: str) -> ResponseReturnValue:
        if not any(member.uuid == uuid for member in g.firm.staff):
            return error("Staff", "Invalid staff identifier")
        mine = [
            job
            for job in g.firm.jobs.values()
            if job.state not in CLOSED_STATES and any(member.uuid == uuid for member in job.assigned)
        ]
        return jobs("Staff", mine)

    @pages.get("/job.api/client/<uuid>")
    def of_client(uuid: str) -> ResponseReturnValue:
        if not any(client.uuid == uuid for client in g.firm.clients):
            return error("Client", "Invalid client identifier")
        return jobs("Client", [job for job in g.firm.jobs.values() if job.client.uuid == uuid])

    @pages.put("/job.api/state")
    def state() -> ResponseReturnValue:
        _root, values = read_record(request.get_data())
        job = g.firm.job(values.get("ID", ""))
        if job is None:
            return error("State", "Invalid job identifier")
        label = next((label for label, code, _current in STATES if code == values.get("State")), "")
        if not label:
            return error("State", "No such code")
        g.firm.set_state(job.number, label, clock.utc().date())
        return ok("State")

    @pages.post("/job.api/delete")
    def delete() -> ResponseReturnValue:
        """Beware: this removes the whole job, with everything on it."""
        _root, values = read_record(request.get_data())
        firm: Firm = g.firm
        with firm.lock:
            job = firm.job(values.get("ID", ""))
            if job is None:
                return error("Delete", "Invalid job identifier")
            del firm.jobs[job.number]
            firm.costs.pop(job.number, None)
            firm.documents.pop(job.number, None)
            firm.changes += 1
        return ok("Delete")

    @pages.get("/cost.api/list")
    def catalogue() -> ResponseReturnValue:
        page = request.args.get("page", "")
        if not page.isdigit() or int(page) < 1:
            return Response("Bad Request", 400, content_type="text/plain")
        rows = g.firm.catalogue[(int(page) - 1) * 1000 : int(page) * 1000]
        body = "".join(catalogue_xml(row) for row in rows)
        return ok("List", f"<Records>{len(rows)}</Records>", f"<Costs>{body}</Costs>" if body else "<Costs />")

    @pages.get("/cost.api/get/<uuid>")
    def catalogue_entry(uuid: str) -> ResponseReturnValue:
        found = [row for row in g.firm.catalogue if row.uuid == uuid]
        return ok("Get", catalogue_xml(found[0])) if found else error("Get", "Invalid cost identifier")

    @pages.post("/cost.api/deleteall")
    def empty_catalogue() -> ResponseReturnValue:
        """Beware: this empties the firm's catalogue."""
        g.firm.catalogue.clear()
        return ok("DeleteAll")

    @pages.get("/staff.api/list")
    def staff() -> ResponseReturnValue:
        return ok("List", "<StaffList>", *(staff_xml(member) for member in g.firm.staff), "</StaffList>")

    @pages.get("/staff.api/get/<uuid>")
    def staff_member(uuid: str) -> ResponseReturnValue:
        found = [member for member in g.firm.staff if member.uuid == uuid]
        if not found:
            return error("Get", "Invalid staff identifier")
        return ok("Get", staff_xml(found[0]), tag("WebUrl", f"{request.host_url}practice/staff/{uuid}"))

    @pages.get("/client.api/list")
    def clients() -> ResponseReturnValue:
        return _clients("List", g.firm.clients, detailed=detailed())

    @pages.get("/client.api/get/<uuid>")
    def client(uuid: str) -> ResponseReturnValue:
        found = [each for each in g.firm.clients if each.uuid == uuid]
        return ok("Get", client_xml(found[0], detailed=True)) if found else error("Get", "Invalid client identifier")

    @pages.get("/client.api/search")
    def search() -> ResponseReturnValue:
        wanted = request.args.get("query", "").lower()
        return _clients("Search", [each for each in g.firm.clients if wanted and wanted in each.name.lower()], detailed=detailed())

    @pages.get("/client.api/paged-list")
    def paged() -> ResponseReturnValue:
        size, token = request.args.get("pageSize", "50"), request.args.get("pageToken", "0")
        if not size.isdigit() or not 1 <= int(size) <= 500 or not token.isdigit():
            return Response("Bad Request", 400, content_type="text/plain")
        living = [each for each in g.firm.clients if not each.archived and not each.deleted]
        start, end = int(token), int(token) + int(size)
        links = (
            f"<Links>{tag('Next', f'{request.base_url}?pageSize={size}&pageToken={end}')}</Links>"
            if end < len(living)
            else "<Links />"
        )
        body = "".join(client_xml(each, detailed=False) for each in living[start:end])
        return ok("PagedList", f"<Clients>{body}</Clients>" if body else "<Clients />", f"<Pagination>{links}</Pagination>")

    return pages


def _clients(method: str, found: list[Client], *, detailed: bool) -> Response:
    body = "".join(client_xml(each, detailed=detailed) for each in found)
    return xml(f'<Response api-method="{method}"><Status>OK</Status><Clients>{body}</Clients></Response>')


def _day(text: str) -> date | None:
    try:
        return datetime.strptime(text, "%Y%m%d").date() if len(text) == 8 else None  # noqa: DTZ007 - a calendar day has no zone
    except ValueError:
        return None
