"""One practice's books in Practice Manager: staff, clients, jobs, the cost catalogue, and what was posted to each job."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field, replace
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class StaffMember:
    """A member of the staff. `api` is the privilege to connect third-party programs."""

    uuid: str
    name: str
    email: str
    api: bool = True


@dataclass(frozen=True, slots=True)
class Client:
    """A client with what the detailed record shows. `contact` is a person's (uuid, name)."""

    uuid: str
    name: str
    email: str
    phone: str
    address: str
    city: str
    region: str
    post_code: str
    country: str
    company_number: str
    business_number: str
    contact: tuple[str, str]
    manager: StaffMember
    archived: bool = False
    deleted: bool = False


@dataclass(slots=True)
class Job:
    """A job (matter). `state` is the label that answers show."""

    number: str
    uuid: str
    name: str
    description: str
    state: str
    order_number: str
    client: Client
    manager: StaffMember | None
    partner: StaffMember | None
    assigned: tuple[StaffMember, ...]
    created: date
    start: date
    due: date
    completed: date | None = None
    refuses_costs: bool = False


@dataclass(frozen=True, slots=True)
class CatalogueCost:
    """An entry of the cost catalogue."""

    uuid: str
    code: str
    description: str
    unit_cost: str
    unit_price: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class JobCost:
    """A cost as it stands on a job, each value as the text that was sent. `at` is when it took effect."""

    uuid: str
    job: str
    date: str
    description: str
    code: str
    note: str
    quantity: str
    unit_cost: str
    unit_price: str
    billable: str
    at: float
    by: str


@dataclass(frozen=True, slots=True)
class JobDocument:
    """A document as it stands on a job; the bytes are kept by their hash."""

    uuid: str
    job: str
    title: str
    text: str
    folder: str
    public: str
    file_name: str
    sha256: str
    size: int
    at: float
    by: str


# label, interface code, and whether a job in it is still current
STATES = (
    ("Planned", "PLANNED", True),
    ("In Progress", "INPROGRESS", True),
    ("In Review", "INREVIEW", True),
    ("On Hold", "ONHOLD", True),
    ("Awaiting Settlement", "SETTLE", True),
    ("Completed", "COMPLETED", False),
    ("Cancelled", "CANCELLED", False),
)
CLOSED_STATES = frozenset(label for label, _code, current in STATES if not current)


@dataclass(slots=True)
class Firm:
    """A practice: one tenant. `lock` guards everything that a write touches; the seeds are put in once."""

    tenant_id: str
    name: str
    staff: list[StaffMember]
    clients: list[Client]
    jobs: dict[str, Job]
    catalogue: list[CatalogueCost]
    folders: set[str] = field(default_factory=lambda: {"InfoTrack", "Receipts", "Correspondence"})
    costs: dict[str, list[JobCost]] = field(default_factory=dict)
    documents: dict[str, list[JobDocument]] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    changes: int = 0  # counts changes of jobs, for whoever keeps a rendered list
    lock: threading.RLock = field(default_factory=threading.RLock)

    def job(self, number: str) -> Job | None:
        """A job by its number, whatever the case of its letters."""
        found = self.jobs.get(number)
        return found if found is not None else self.jobs.get(number.upper())

    def add_cost(self, cost: JobCost) -> None:
        """Puts a cost on its job."""
        with self.lock:
            self.costs.setdefault(cost.job, []).append(cost)

    def change_cost(self, uuid: str, values: dict[str, str]) -> JobCost | None:
        """Replaces what a PUT may change; None if there is no such cost."""
        with self.lock:
            for costs in self.costs.values():
                for position, cost in enumerate(costs):
                    if cost.uuid == uuid:
                        costs[position] = replace(cost, **values)  # type: ignore[arg-type]
                        return costs[position]
        return None

    def remove_cost(self, uuid: str) -> bool:
        """Takes a cost off its job; whether there was one."""
        with self.lock:
            for costs in self.costs.values():
                for cost in [each for each in costs if each.uuid == uuid]:
                    costs.remove(cost)
                    return True
        return False

    def rows(self, limit: int) -> list[dict[str, object]]:
        """The first jobs, as the controls show them."""
        jobs = list(self.jobs.values())[:limit]
        return [{"number": j.number, "uuid": j.uuid, "name": j.name, "client": j.client.name, "state": j.state} for j in jobs]

    def work(self, number: str, what: str, now: datetime) -> dict[str, object] | None:
        """What staff do to a job: close, open, refuse, accept. How it stands then; None if there is no such job."""
        job = self.job(number)
        if job is None:
            return None
        if what in ("close", "open"):
            self.set_state(job.number, "Completed" if what == "close" else "In Progress", now.date())
        else:
            job.refuses_costs = what == "refuse"
        return {"number": job.number, "state": job.state, "refuses_costs": job.refuses_costs}

    def allow(self, email: str, allowed: bool) -> bool:
        """Gives or takes the privilege to connect programs; False if there is no such member of staff."""
        with self.lock:
            found = any(member.email == email for member in self.staff)
            self.staff[:] = [replace(member, api=allowed) if member.email == email else member for member in self.staff]
        return found

    def add_document(self, document: JobDocument, content: bytes) -> None:
        """Puts a document on its job and keeps its bytes."""
        with self.lock:
            self.contents[document.sha256] = content
            self.documents.setdefault(document.job, []).append(document)

    def set_state(self, number: str, label: str, today: date) -> None:
        """Moves a job to a state, by label."""
        with self.lock:
            job = self.jobs[number]
            job.state = label
            job.completed = today if label in CLOSED_STATES else None
            self.changes += 1

    def books(self, job: str = "") -> dict[str, object]:
        """Everything that was posted, whether reads show it yet or not."""
        with self.lock:
            return {
                "tenant_id": self.tenant_id,
                "name": self.name,
                "costs": [_cost_json(c) for costs in self.costs.values() for c in costs if job in ("", c.job)],
                "documents": [_document_json(d) for documents in self.documents.values() for d in documents if job in ("", d.job)],
            }


def digest(content: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()


def _cost_json(cost: JobCost) -> dict[str, object]:
    names = ("uuid", "job", "date", "description", "code", "note", "quantity", "unit_cost", "unit_price", "billable", "at", "by")
    return {name: getattr(cost, name) for name in names}


def _document_json(document: JobDocument) -> dict[str, object]:
    names = ("uuid", "job", "title", "text", "folder", "public", "file_name", "sha256", "size", "at", "by")
    return {name: getattr(document, name) for name in names}
