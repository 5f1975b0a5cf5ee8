"""WorkflowMax as the vendor facts have it: a firm whose second interface answers by pages, beside the server that answers as
each test says."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from desktop.services.practice.workflowmax_v1 import WorkflowMaxV1
from desktop.services.practice.workflowmax_v2 import WorkflowMaxV2
from tests.practice.xpm_server import Asked, Said, World


def said(value: object, status: int = 200, **headers: str) -> Said:
    return Said(status, json.dumps(value), {name.replace("_", "-"): told for name, told in headers.items()}, "application/json")


def form_of(asked: Asked) -> dict[str, tuple[str | None, str, bytes]]:
    """The parts of a form by name: file name, content type, content."""
    head = f"Content-Type: {asked.headers['content-type']}\r\n\r\n".encode()
    message = BytesParser(policy=HTTP).parsebytes(head + asked.body)
    found: dict[str, tuple[str | None, str, bytes]] = {}
    for part in message.iter_parts():
        name, content = part.get_param("name", header="content-disposition"), part.get_payload(decode=True)
        assert isinstance(content, bytes)
        found[str(name)] = (part.get_filename(), part.get_content_type(), content)
    return found


class Desk(World):
    """Both interfaces at one host. `answer` may be replaced by a test."""

    def __init__(self) -> None:
        super().__init__()
        self.root = self.root.removesuffix("practicemanager/3.1/")
        self.v1 = WorkflowMaxV1(self.http, self.tokens, self.gate, self.root)
        self.v2 = WorkflowMaxV2(self.http, self.tokens, self.gate, self.root)

    def asked_for(self, what: str) -> list[str]:
        """The queries of the calls that asked for this path."""
        return [urlsplit(each.path).query for each in self.asked if urlsplit(each.path).path == what]


def job(n: int, **changes: Any) -> dict[str, Any]:
    return {
        "uuid": f"j-{n}",
        "jobNumber": f"J{n:06}",
        "name": f"Matter {n}",
        "clientUUID": "c-1",
        "jobManagerUUID": "s-1",
        "jobStatusUUID": "st-1",
        "priority": "Normal",
        "budget": 1200.50,
        "completedDate": None,
        "createdAt": "2026-01-01T00:00:00Z",
        "updatedAt": "2026-05-01T08:30:00.123Z",
        "deletedAt": None,
        **changes,
    }


@dataclass
class Firm:
    """Call it as a Desk's `answer`. `cap` is the most rows that a page gives, `wrapped` whether a single record comes under
    "data", `pages` whether pages are known at all, `counts` whether the total is told, `bare` whether lists come without an
    object around them."""

    jobs: list[dict[str, Any]] = field(default_factory=lambda: [job(1), job(2, clientUUID="c-2", jobManagerUUID=None)])
    clients: list[dict[str, Any]] = field(
        default_factory=lambda: [{"uuid": "c-1", "name": "Tui & Sons"}, {"uuid": "c-2", "firstName": "Aroha", "lastName": "Tui"}]
    )
    staff: list[dict[str, Any]] = field(
        default_factory=lambda: [{"uuid": "s-1", "firstName": "Sam", "lastName": "Reid", "email": "sam@firm.test"}]
    )
    statuses: list[dict[str, Any]] = field(default_factory=lambda: [{"uuid": "st-1", "name": "In Progress"}])
    archived: list[dict[str, Any]] = field(default_factory=list)
    catalogue: list[dict[str, Any]] = field(default_factory=list)
    costs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    documents: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    cap: int = 1000
    wrapped: bool = False
    pages: bool = True
    counts: bool = True
    bare: bool = False
    on_post: Callable[[dict[str, Any]], None] = lambda made: None

    def __call__(self, asked: Asked) -> Said:
        if asked.headers.get("account-id") != "tenant-1":
            return Said(401, "")
        url = urlsplit(asked.path)
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        match [unquote(part) for part in url.path.removeprefix("/v2/").split("/")]:
            case ["jobs"]:
                since = query.get("updatedSince", "")
                return self.listed([one for one in self.jobs if str(one["updatedAt"])[:10] >= since], query)
            case ["clients"]:
                return self.listed(self.archived if query.get("status") == "archived" else self.clients, query)
            case ["staff"]:
                return self.listed(self.staff, query)
            case ["job-status"]:
                return self.listed(self.statuses, query)
            case ["costs"]:
                return self.listed(self.catalogue, query)
            case ["jobs", identifier]:
                return self.single(self.jobs, identifier)
            case ["clients", identifier]:
                return self.single(self.clients + self.archived, identifier)
            case ["jobs", identifier, ("costs" | "documents") as part]:
                return self.under_job(asked, identifier, part, query)
        return said({"message": "no such path"}, 404)

    def under_job(self, asked: Asked, identifier: str, part: str, query: dict[str, str]) -> Said:
        if not any(identifier in (one["uuid"], one["jobNumber"]) for one in self.jobs):
            return said({"message": "Job not found"}, 404)
        kept = (self.costs if part == "costs" else self.documents).setdefault(identifier, [])
        if asked.method == "GET":
            return self.listed(kept, query)
        if part == "costs":
            made = json.loads(asked.body)
        else:
            form = form_of(asked)
            made = {name: form[name][2].decode() for name in ("title", "note")} | {"fileName": form["file"][0]}
        made["uuid"] = f"{part}-{len(kept) + 1}"
        self.on_post(made)
        kept.append(made)
        return said({"data": made} if self.wrapped else made, 201)

    def single(self, among: list[dict[str, Any]], identifier: str) -> Said:
        for one in among:
            if identifier in (one["uuid"], one.get("jobNumber")):
                return said({"data": one} if self.wrapped else one)
        return said({"message": "Not found"}, 404)

    def listed(self, among: list[dict[str, Any]], query: dict[str, str]) -> Said:
        size = min(int(query.get("pageSize", self.cap)), self.cap)
        first = (int(query.get("page", 1)) - 1) * size if self.pages else 0
        here = among[first : first + size]
        if self.bare:
            return said(here)
        return said({"data": here, "total": len(among)} if self.counts else {"data": here})
