"""WorkflowMax's second interface in the simulation: JSON, lists by pages, documents as multipart (public client code)."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec

from desktop.settings import Settings
from tests.model.remote import Asked, Books, DoesAtOnce, Entry, entry_of


class WorkflowMaxJsonSpelling(DoesAtOnce):
    """Jobs are addressed by their id, whose last piece is the number in this simulation. A no is a 400."""

    system = "workflowmax"
    no_status = 400

    def chosen(self, settings: Settings) -> Settings:
        return msgspec.structs.replace(settings, workflowmax=msgspec.structs.replace(settings.workflowmax, api="v2"))

    def asked(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, by: int) -> Asked:
        tenant = headers["account_id"]
        _, version, jobs, matter, *rest = urlsplit(url).path.split("/")
        assert (version, jobs) == ("v2", "jobs")
        job = unquote(matter).rpartition("-")[2]
        if not rest:
            return Asked("job", tenant, job)
        kind = rest[0].removesuffix("s")
        if method == "GET":
            return Asked(kind, tenant, job)
        assert method == "POST"
        told = _cost(body or b"") if kind == "cost" else _document(headers["content-type"], body or b"")
        return Asked(kind, tenant, job, entry_of(told, kind, tenant, job, by))

    def listed(self, asked: Asked, entries: Sequence[Entry], books: Books, now: float) -> bytes:
        if asked.kind == "job":
            uuid = f"id-{asked.tenant}-{asked.job}"
            return json.dumps({"data": {"uuid": uuid, "jobNumber": asked.job, "name": "Matter"}}).encode()
        return json.dumps({"data": [self._shown(one) for one in entries], "total": len(entries)}).encode()

    def _shown(self, one: Entry) -> dict[str, Any]:
        if one.kind == "document":
            return {"uuid": f"u-{one.serial}", "title": one.fields["Title"], "note": one.note, "fileName": "file.pdf"}
        return {
            "uuid": f"u-{one.serial}",
            "note": one.note,
            "costName": one.fields["Description"],
            "quantity": 1,
            "unitCost": str(one.amount),
            "unitPrice": str(one.price),
            "costCode": one.code,
            "actual": True,
        }

    def done(self, entry: Entry, variant: int, now: float) -> bytes:
        """The new record, bare or under «data», or its id alone."""
        if variant == 1:
            return json.dumps({"uuid": f"u-{entry.serial}"}).encode()
        shown = self._shown(entry)
        return json.dumps({"data": shown} if variant else shown).encode()

    def refused(self, reason: str) -> bytes:
        return json.dumps({"title": "Bad Request", "detail": reason}).encode()


def _cost(body: bytes) -> dict[str, str]:
    found = json.loads(body, parse_float=str, parse_int=str)
    return {
        "Description": found["costName"],
        "Note": found["note"],
        "Quantity": found["quantity"],
        "UnitCost": found["unitCost"],
        "UnitPrice": found["unitPrice"],
        "Code": found.get("costCode", ""),
    }


def _document(kind: str, body: bytes) -> dict[str, str]:
    message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
    parts: dict[object, Any] = {}
    for part in message.iter_parts():
        parts[part.get_param("name", header="content-disposition")] = part.get_payload(decode=True)
    return {
        "Title": parts["title"].decode(),
        "Text": parts["note"].decode(),
        "Content": base64.b64encode(parts["file"]).decode(),
    }
