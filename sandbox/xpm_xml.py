"""Practice Manager's XML, written and read: envelopes, jobs, costs, documents, clients, staff."""

from __future__ import annotations

from xml.etree.ElementTree import ParseError, XMLParser
from xml.sax.saxutils import escape

from flask import Response

from sandbox.firm import CatalogueCost, Client, Firm, Job, JobCost, JobDocument, StaffMember


class BadBody(Exception):
    """The request's body is not XML of one record."""


def read_record(body: bytes) -> tuple[str, dict[str, str]]:
    """Name of the root and the texts of its children. DTDs are refused. Raises BadBody."""
    if b"<!DOCTYPE" in body[:2000].upper():
        raise BadBody("a DTD")
    parser = XMLParser()  # noqa: S314 - DTDs are refused above, and only the product and its tests talk to a stand-in
    try:
        parser.feed(body)
        root = parser.close()
    except (ParseError, ValueError) as error:
        raise BadBody(str(error)) from error
    names = [child.tag for child in root]
    if len(set(names)) != len(names):
        raise BadBody("an element twice")
    return root.tag, {child.tag: child.text or "" for child in root}


def ok(method: str, *payload: str) -> Response:
    """The envelope of a success."""
    return xml(f'<Response api-method="{method}"><Status>OK</Status>{"".join(payload)}</Response>')


def error(method: str, description: str, status: int = 200) -> Response:
    """The envelope of a failure: HTTP 200 nearly always."""
    body = f'<Response api-method="{method}"><Status>ERROR</Status>{tag("ErrorDescription", description)}</Response>'
    return xml(body, status)


def xml(body: str, status: int = 200) -> Response:
    """An answer of XML text."""
    return Response(body.encode(), status, content_type="text/xml; charset=utf-8")


def tag(name: str, text: str) -> str:
    """One element with text; an empty one in the short form or the long one, as both occur."""
    if not text:
        return f"<{name} />" if len(name) % 2 else f"<{name}></{name}>"
    return f"<{name}>{escape(text)}</{name}>"


def job_xml(job: Job, *, detailed: bool, uuid: bool) -> str:
    """A job of a list. The summary has an UUID only where the switch says so."""
    parts = ["<Job>", tag("ID", job.number)]
    if uuid or detailed:
        parts.append(f"<UUID>{job.uuid}</UUID>")
    parts += [
        tag("Name", job.name),
        tag("Description", job.description),
        tag("State", job.state),
        tag("ClientOrderNumber", job.order_number),
    ]
    parts.append(f"<StartDate>{job.start}T00:00:00</StartDate><DueDate>{job.due}T00:00:00</DueDate>")
    if job.completed:
        parts.append(f"<CompletedDate>{job.completed}T00:00:00</CompletedDate>")
    parts.append(_named("Client", job.client.uuid, job.client.name))
    parts.append(_named("Contact", *job.client.contact))
    if job.manager:
        parts.append(_named("Manager", job.manager.uuid, job.manager.name))
    if job.partner:
        parts.append(_named("Partner", job.partner.uuid, job.partner.name))
    if job.assigned:
        parts += ["<Assigned>", *(_named("Staff", member.uuid, member.name) for member in job.assigned), "</Assigned>"]
    else:
        parts.append("<Assigned />")
    parts.append("</Job>")
    return "".join(parts)


def full_job_xml(job: Job) -> str:
    """A job as `job.api/get` shows it: with budget, type, tasks, milestones and notes."""
    summary = job_xml(job, detailed=True, uuid=True).removesuffix("</Job>")
    return (
        summary
        + "<Budget>0.00</Budget><Type>General</Type><Tasks /><Milestones />"
        + "<Notes><Note><UUID>"
        + job.uuid[::-1].replace("-", "")[:32]
        + "</UUID><Title>Opening note</Title><Text>First line\nSecond line</Text><Folder /><Comments /></Note></Notes></Job>"
    )


def cost_xml(cost: JobCost) -> str:
    """A cost on a job."""
    day = f"{cost.date[:4]}-{cost.date[4:6]}-{cost.date[6:]}T00:00:00"
    values = (
        ("Date", day),
        ("Description", cost.description),
        ("Code", cost.code),
        ("Note", cost.note),
        ("Quantity", cost.quantity),
    )
    rest = (("UnitCost", cost.unit_cost), ("UnitPrice", cost.unit_price), ("Billable", cost.billable))
    return f"<Cost><UUID>{cost.uuid}</UUID>" + "".join(tag(name, text) for name, text in (*values, *rest)) + "</Cost>"


def document_xml(document: JobDocument, day: str, address: str, spelling: str) -> str:
    """A document on a job: no id, no size, no hash."""
    values = (
        ("Title", document.title),
        ("Text", document.text),
        ("Folder", document.folder),
        ("Date", day),
        ("CreatedBy", document.by),
        (spelling, document.file_name),
        ("URL", address),
    )
    return "<Document>" + "".join(tag(name, text) for name, text in values) + "</Document>"


def catalogue_xml(cost: CatalogueCost) -> str:
    """An entry of the cost catalogue."""
    values = (("UUID", cost.uuid), ("Description", cost.description), ("Code", cost.code), ("Note", cost.note))
    money = (("UnitCost", cost.unit_cost), ("UnitPrice", cost.unit_price), ("IncomeAccount", ""), ("CostOfSaleAccount", ""))
    return "<Cost>" + "".join(tag(name, text) for name, text in (*values, *money)) + "</Cost>"


def staff_xml(member: StaffMember) -> str:
    """A member of the staff."""
    values = (
        ("UUID", member.uuid),
        ("Name", member.name),
        ("Email", member.email),
        ("Phone", ""),
        ("Mobile", ""),
        ("Address", ""),
        ("PayrollCode", ""),
    )
    return "<Staff>" + "".join(tag(name, text) for name, text in values) + "</Staff>"


def client_xml(client: Client, *, detailed: bool) -> str:
    """A client; the detailed one has groups, numbers and contacts."""
    values = [
        ("UUID", client.uuid),
        ("Name", client.name),
        ("Email", client.email),
        ("Phone", client.phone),
        ("Address", client.address),
        ("City", client.city),
        ("Region", client.region),
        ("PostCode", client.post_code),
        ("Country", client.country),
        ("ExportCode", ""),
        ("IsArchived", "Yes" if client.archived else "No"),
        ("IsDeleted", "Yes" if client.deleted else "No"),
    ]
    body = "".join(tag(name, text) for name, text in values) + _named("AccountManager", client.manager.uuid, client.manager.name)
    if detailed:
        body += tag("TaxNumber", "***" if client.business_number else "") + tag("CompanyNumber", client.company_number)
        body += tag("BusinessNumber", client.business_number) + tag(
            "BusinessStructure", "Company" if client.company_number else "Individual"
        )
        body += "<Type><Name>20th of Month</Name><CostMarkup>0.00</CostMarkup>"
        body += "<PaymentTerm>DayOfMonth</PaymentTerm><PaymentDay>20</PaymentDay></Type>"
        uuid, name = client.contact
        body += f"<Contacts><Contact><UUID>{uuid}</UUID><IsPrimary>Yes</IsPrimary>{tag('Name', name)}</Contact></Contacts>"
    return f"<Client>{body}</Client>"


class JobLists:
    """Rendered jobs, kept as bytes, so that a list of 100,000 goes out at once."""

    def __init__(self, firm: Firm) -> None:
        self.firm = firm
        self._pieces: dict[tuple[bool, bool], dict[str, bytes]] = {}
        self._whole: dict[tuple[bool, bool], tuple[int, bytes]] = {}

    def current(self, closed: frozenset[str], *, detailed: bool, uuid: bool) -> bytes:
        """The whole answer of `job.api/current`."""
        firm, kind = self.firm, (detailed, uuid)
        with firm.lock:
            known = self._whole.get(kind)
            if known and known[0] == firm.changes:
                return known[1]
            if known:
                self._pieces.clear()
                self._whole.clear()
            pieces = self._pieces.setdefault(kind, {})
            for job in firm.jobs.values():
                if job.state not in closed and job.number not in pieces:
                    pieces[job.number] = job_xml(job, detailed=detailed, uuid=uuid).encode()
            body = b"".join((b'<Response api-method="Current"><Status>OK</Status><Jobs>', *pieces.values(), b"</Jobs></Response>"))
            self._whole[kind] = (firm.changes, body)
            return body


def _named(name: str, uuid: str, text: str) -> str:
    return f"<{name}><UUID>{uuid}</UUID>{tag('Name', text)}</{name}>"
