"""The newer WorkflowMax interface's JSON: rows of jobs, costs, documents and lookups, and what a posted cost must be."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sandbox.firm import CatalogueCost, Client, Job, JobDocument, StaffMember
from sandbox.switches import Switches
from sandbox.workflowmax_books import STATUS_IDS, SUPPLIERS, Draft, Line, Organisation

CATEGORY_ID = "ca7e6000-0000-4000-8000-000000000001"
Row = dict[str, Any]


class BadFields(Exception):
    """A posted record is not what it must be; the text says why."""


def moment(at: float | None) -> str | None:
    """A time in UTC with milliseconds."""
    return None if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def number(text: str) -> float | int:
    """A text of a decimal as JSON has it."""
    value = Decimal(text)
    return int(value) if value == value.to_integral_value() else float(value)


def job_row(job: Job, firm: Organisation) -> Row:
    """A job: no client name, no label of its state."""
    return {
        "uuid": job.uuid,
        "jobNumber": job.number,
        "name": job.name,
        "description": job.description,
        "clientUUID": job.client.uuid,
        "clientContactUUID": job.client.contact[0],
        "clientManagerUUID": job.client.manager.uuid,
        "jobManagerUUID": job.manager.uuid if job.manager else None,
        "jobStatusUUID": STATUS_IDS[job.state],
        "jobCategoryUUID": CATEGORY_ID,
        "priority": "Normal",
        "startDate": f"{job.start}",
        "dueDate": f"{job.due}",
        "completedDate": f"{job.completed}" if job.completed else None,
        "budget": 0,
        "clientOrderNumber": job.order_number or None,
        "createdAt": moment(firm.created_at(job)),
        "updatedAt": moment(firm.modified_at(job)),
        "deletedAt": moment(firm.deleted.get(job.number)),
    }


def cost_row(line: Line, firm: Organisation, switches: Switches, place: str) -> Row:
    """A cost line. `place` is "list", "nested" or "answer": the name's key differs."""
    keys = {"list": "description", "nested": "name", "answer": "costName"}
    key = "costName" if switches.workflowmax_cost_name == "costName" else keys[place]
    entry = next((row for row in firm.catalogue if row.code and row.code == line.code), None)
    return {
        "uuid": line.uuid,
        "costUUID": entry.uuid if entry else None,
        "costCode": line.code or None,
        key: line.description,
        "date": f"{line.date[:4]}-{line.date[4:6]}-{line.date[6:]}",
        "note": line.note or None,
        "quantity": number(line.quantity),
        "unitCost": number(line.unit_cost),
        "unitPrice": number(line.unit_price),
        "billable": line.billable == "true",
        "actual": line.actual,
        "type": line.kind,
        "phase": line.phase or None,
        "supplier": {"uuid": line.supplier, "name": dict(SUPPLIERS)[line.supplier]} if line.supplier else None,
        "customFields": [],
        "createdAt": moment(line.at),
        "updatedAt": moment(line.updated),
    }


def document_row(document: JobDocument, host: str) -> Row:
    """A document; unlike in the older interface it can be fetched."""
    return {
        "uuid": document.uuid,
        "title": document.title,
        "fileName": document.file_name,
        "fileSize": document.size,
        "note": document.text or None,
        "phase": document.folder or None,
        "downloadURL": f"{host}files/{document.uuid}/{document.sha256[:16]}",
        "uploadedByName": document.by,
        "createdAt": moment(document.at),
        "updatedAt": moment(document.at),
    }


def client_row(client: Client, *, contacts: bool) -> Row:
    """A client; its contacts only if asked for."""
    row: Row = {
        "uuid": client.uuid,
        "name": client.name,
        "email": client.email or None,
        "phone": client.phone or None,
        "isArchived": client.archived,
        "deletedAt": moment(0) if client.deleted else None,
        "clientManagerUUID": client.manager.uuid,
    }
    if contacts:
        row["contacts"] = [{"uuid": client.contact[0], "name": client.contact[1], "isPrimary": True}]
    return row


def staff_row(member: StaffMember) -> Row:
    """A member of the staff."""
    first, _space, last = member.name.partition(" ")
    return {"uuid": member.uuid, "name": member.name, "firstName": first, "lastName": last, "email": member.email}


def catalogue_row(cost: CatalogueCost) -> Row:
    """An entry of the cost catalogue."""
    return {
        "uuid": cost.uuid,
        "code": cost.code or None,
        "description": cost.description,
        "note": cost.note or None,
        "unitCost": number(cost.unit_cost),
        "unitPrice": number(cost.unit_price),
    }


def read_cost(body: object, firm: Organisation, switches: Switches, before: Line | None = None) -> Draft:
    """A posted cost as a draft; what a change leaves out stays as it was in `before`. Raises BadFields.

    Without `actual` a line is an estimate."""
    if not isinstance(body, dict):
        raise BadFields("the body must be an object")
    fields: dict[str, object] = dict(body)
    old: Row = {}
    if before is not None and not switches.workflowmax_put_blanks:
        old = cost_row(before, firm, switches, "answer") | {
            "quantity": Decimal(before.quantity),
            "unitCost": Decimal(before.unit_cost),
            "unitPrice": Decimal(before.unit_price),
        }
    merged = old | fields
    code = _text(merged, "costCode")
    if merged.get("costUUID") and "costCode" not in fields:
        entry = next((row for row in firm.catalogue if row.uuid == merged["costUUID"]), None)
        if entry is None:
            raise BadFields("costUUID is not in the catalogue")
        code = entry.code
    kept = before is not None or switches.workflowmax_keeps_note
    supplier = merged.get("supplier")
    return Draft(
        date=_text(merged, "date")[:10].replace("-", ""),
        description=_text(merged, "costName"),
        code=code if before is not None or switches.workflowmax_keeps_code else "",
        note=_text(merged, "note") if kept else "",
        quantity=_number(merged, "quantity"),
        unit_cost=_number(merged, "unitCost"),
        unit_price=_number(merged, "unitPrice"),
        billable="true" if _truth(merged, "billable", True) else "false",
        actual=_truth(merged, "actual", False),
        kind=_text(merged, "type") or "Service",
        phase=_text(merged, "phase"),
        supplier=_text(merged, "supplierUUID") or (str(supplier.get("uuid", "")) if isinstance(supplier, dict) else ""),
    )


def _text(fields: Row, name: str) -> str:
    value = fields.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadFields(f"{name} must be a text")
    return value


def _number(fields: Row, name: str) -> str:
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise BadFields(f"{name} must be a number")
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _truth(fields: Row, name: str, default: bool) -> bool:
    value = fields.get(name, default)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise BadFields(f"{name} must be true or false")
    return value
