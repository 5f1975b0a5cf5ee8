"""The older WorkflowMax interface's XML: envelopes, jobs, costs, documents and lookups."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Response

from sandbox.firm import STATES, CatalogueCost, Client, Job, JobDocument, StaffMember
from sandbox.switches import Switches
from sandbox.workflowmax_books import SUPPLIERS, Line, Organisation
from sandbox.xpm_xml import tag, xml

_CODES = {label: code for label, code, _current in STATES}


def ok(*payload: str) -> Response:
    """The envelope of a success."""
    return xml(f"<Response><Status>OK</Status>{''.join(payload)}</Response>")


def fail(description: str) -> Response:
    """The envelope of a failure, at HTTP 200."""
    return xml(f"<Response><Status>Error</Status>{tag('ErrorDescription', description)}</Response>")


def moment(at: float) -> str:
    """A time without its zone, which is UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def named(name: str, uuid: str, text: str) -> str:
    """An element with an UUID and a Name."""
    return f"<{name}><UUID>{uuid}</UUID>{tag('Name', text)}</{name}>"


def job_xml(job: Job, firm: Organisation, switches: Switches, host: str, *, full: bool = False) -> str:
    """A job of a list; the full one has the people, tasks, milestones and notes."""
    state = _CODES[job.state] if switches.workflowmax_states == "codes" else job.state
    parts = [
        tag("ID", job.number),
        tag("UUID", job.uuid),
        tag("Name", job.name),
        tag("Description", job.description),
        tag("State", state),
        tag("Type", "General"),
        tag("ClientOrderNumber", job.order_number),
        f"<StartDate>{job.start}T00:00:00</StartDate><DueDate>{job.due}T00:00:00</DueDate>",
        f"<DateCreatedUtc>{moment(firm.created_at(job))}</DateCreatedUtc>",
        f"<DateModifiedUtc>{moment(firm.modified_at(job))}</DateModifiedUtc>",
    ]
    if job.assigned:
        parts += ["<Assigned>", *(named("Staff", member.uuid, member.name) for member in job.assigned), "</Assigned>"]
    else:
        parts.append("<Assigned />")
    parts.append(named("Client", job.client.uuid, job.client.name))
    parts.append(tag(switches.workflowmax_web_url, f"{host}job/{job.uuid}"))
    if full:
        if job.completed:
            parts.append(f"<CompletedDate>{job.completed}T00:00:00</CompletedDate>")
        parts.append(named("Contact", *job.client.contact))
        parts += [named("Manager", job.manager.uuid, job.manager.name)] if job.manager else []
        parts += [named("Partner", job.partner.uuid, job.partner.name)] if job.partner else []
        notes = "".join(
            f"<Note><UUID>{note['uuid']}</UUID>{tag('Title', note['title'])}{tag('Text', note['text'])}{tag('Folder', '')}</Note>"
            for note in firm.notes
            if note["job"] == job.number
        )
        parts.append(f"<Tasks /><Milestones /><Notes>{notes}</Notes>")
    return f"<Job>{''.join(parts)}</Job>"


def listed_job_xml(job: Job, firm: Organisation, switches: Switches, host: str) -> str:
    """The job of a list, kept until it changes, so that a list of 100,000 goes out at once."""
    made_of = (firm.modified_at(job), job.state, switches.workflowmax_states, switches.workflowmax_web_url, host)
    kept = firm.rendered.get(job.number)
    if kept is None or kept[0] != made_of:
        kept = firm.rendered[job.number] = (made_of, job_xml(job, firm, switches, host))
    return kept[1]


def cost_xml(line: Line) -> str:
    """A line on a job."""
    day = f"{line.date[:4]}-{line.date[4:6]}-{line.date[6:]}T00:00:00"
    values = (
        ("UUID", line.uuid),
        ("Date", day),
        ("Description", line.description),
        ("Code", line.code),
        ("Note", line.note),
        ("Quantity", line.quantity),
        ("UnitCost", line.unit_cost),
        ("UnitPrice", line.unit_price),
        ("Billable", line.billable),
    )
    supplier = named("Supplier", line.supplier, dict(SUPPLIERS)[line.supplier]) if line.supplier else ""
    return f"<Cost>{''.join(tag(name, text) for name, text in values)}{supplier}</Cost>"


def document_xml(document: JobDocument, host: str, spelling: str) -> str:
    """A document on a job: no id, no size, no hash."""
    values = (
        ("Title", document.title),
        ("Text", document.text),
        ("Folder", document.folder),
        ("Date", datetime.fromtimestamp(document.at, UTC).strftime("%Y%m%d")),
        ("CreatedBy", document.by),
        (spelling, document.file_name),
        ("URL", f"{host}screens/document/{document.uuid}"),
    )
    return f"<Document>{''.join(tag(name, text) for name, text in values)}</Document>"


def catalogue_xml(cost: CatalogueCost) -> str:
    """An entry of the cost catalogue."""
    values = (
        ("UUID", cost.uuid),
        ("Code", cost.code),
        ("Description", cost.description),
        ("Note", cost.note),
        ("UnitCost", cost.unit_cost),
        ("UnitPrice", cost.unit_price),
        ("CostOfSaleAccount", ""),
        ("IncomeAccount", ""),
    )
    return f"<Cost>{''.join(tag(name, text) for name, text in values)}</Cost>"


def staff_xml(member: StaffMember, host: str) -> str:
    """A member of the staff."""
    values = [("UUID", member.uuid), ("Name", member.name), ("Email", member.email)]
    values += [(name, "") for name in ("Phone", "Mobile", "Address", "PayrollCode")]
    return f"<Staff>{''.join(tag(name, text) for name, text in values)}{tag('WebUrl', f'{host}staff/{member.uuid}')}</Staff>"


def client_xml(client: Client, *, detailed: bool) -> str:
    """A client; the detailed one has its contacts."""
    values = (
        ("UUID", client.uuid),
        ("Name", client.name),
        ("Email", client.email),
        ("Phone", client.phone),
        ("Address", client.address),
        ("City", client.city),
        ("Region", client.region),
        ("Country", client.country),
        ("IsArchived", "true" if client.archived else "false"),
        ("IsDeleted", "true" if client.deleted else "false"),
    )
    body = "".join(tag(name, text) for name, text in values) + named("AccountManager", client.manager.uuid, client.manager.name)
    if detailed:
        uuid, name = client.contact
        body += f"<Contacts><Contact><UUID>{uuid}</UUID><IsPrimary>true</IsPrimary>{tag('Name', name)}</Contact></Contacts>"
    return f"<Client>{body}</Client>"
