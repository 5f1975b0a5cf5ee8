"""A firm as Smokeball keeps it: staff, contacts, matters, activity codes, and each matter's expenses, folders and files."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal

from sandbox.firm import digest

TICKS_AT_1970 = 621_355_968_000_000_000
STATUSES = ("Open", "Pending", "Closed", "Deleted", "Cancelled")
LIVE = frozenset({"Open", "Pending"})


def ticks(seconds: float) -> int:
    """Hundreds of nanoseconds since the year 1, from seconds since 1970 (UTC)."""
    return TICKS_AT_1970 + round(seconds * 1000) * 10_000


def iso(seconds: float) -> str:
    """A moment as the interface writes it: UTC, whole seconds."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Staff:
    """A member of the staff. `user_id` is another identifier, and only who may sign in has one."""

    id: str
    user_id: str
    first_name: str
    last_name: str
    email: str
    rate: int
    former: bool = False

    @property
    def name(self) -> str:
        """As people say it."""
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody whom matters are about. `kind` is Person, Organisation or GroupOfPeople; a person's name is in two parts."""

    id: str
    kind: str
    name: str
    first_name: str
    last_name: str
    email: str
    area_code: str
    phone: str
    street: str
    city: str
    state: str
    post_code: str
    country: str
    company_number: str
    business_number: str
    updated: int
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class MatterType:
    """A kind of matter; its id may end with the place where it is used."""

    id: str
    name: str
    category: str
    location: str
    lead: bool = False


@dataclass(slots=True)
class Matter:
    """A matter, or a lead. `number` may be None or empty. `updated` is in ticks and is its version too."""

    id: str
    number: str | None
    title: str
    description: str
    status: str
    matter_type: str
    clients: tuple[str, ...]
    other_sides: tuple[str, ...]
    responsible: str
    assisting: str
    opened: float
    closed: float | None
    updated: int
    lead: bool = False
    client_code: str = ""

    @property
    def label(self) -> str:
        """What the controls call it."""
        return self.number or self.id


@dataclass(frozen=True, slots=True)
class ActivityCode:
    """An activity code. `kind`: 0 fixed, 1 time, 2 expense, 3 surcharge; the tax rates are percentages."""

    id: str
    code: str
    description: str
    kind: int
    rate: str
    tax_rate: str
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Expense:
    """An expense as it stands on a matter. `date` is the moment as text; `at` is when it took effect."""

    id: str
    matter: str
    date: str
    subject: str
    description: str
    code: str
    cost_type: str
    quantity: Decimal
    price: Decimal
    tax: Decimal
    output_tax: Decimal
    tax_inclusive: bool
    tax_exempt: bool
    tax_zero_rated: bool
    tax_out_of_scope: bool
    billable: bool
    finalized: bool
    written_off: bool
    invoiced_externally: bool
    invoice_id: str
    staff_id: str
    user_id: str
    by: str
    at: float = 0
    updated: int = 0
    version: str = ""
    deleted: bool = False

    @property
    def amount(self) -> Decimal:
        """Quantity times price, to the cent."""
        return (self.quantity * self.price).quantize(Decimal("0.01"))


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder on a matter; `parent` is empty below the root. Two may have one name."""

    id: str
    matter: str
    parent: str
    name: str


@dataclass(slots=True)
class File:
    """An entry in a matter's files. Its bytes come later, or never; `versions` are the hashes of what was uploaded so far."""

    id: str
    matter: str
    name: str
    folder: str
    owner: str
    additional: dict[str, str]
    created: float
    modified: float
    version: str
    by: str
    at: float = 0
    link_expires: float = 0
    versions: list[tuple[str, str]] = field(default_factory=list)  # (version, sha256)
    uploaded: bool = False
    favourite: bool = False
    deleted: bool = False

    @property
    def sha256(self) -> str:
        """The newest bytes' hash; empty before an upload took effect."""
        return self.versions[-1][1] if self.versions else ""


@dataclass(slots=True)
class SmokeballFirm:
    """One account. `lock` guards everything that a write touches."""

    tenant_id: str
    name: str
    staff: list[Staff]
    contacts: dict[str, Contact]
    matters: dict[str, Matter]
    matter_types: list[MatterType]
    codes: list[ActivityCode]
    created: float
    expenses: dict[str, dict[str, Expense]] = field(default_factory=dict)
    files: dict[str, dict[str, File]] = field(default_factory=dict)
    folders: dict[str, dict[str, Folder]] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    changes: int = 0  # counts changes of matters, for whoever keeps a sorted list
    last_tick: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock)

    def tick(self, now: float) -> int:
        """A version mark for this moment, higher than any before."""
        with self.lock:
            self.last_tick = max(self.last_tick + 1, ticks(now))
            return self.last_tick

    def find_matter(self, text: str) -> Matter | None:
        """A matter by its id, or by its number as the controls are told it."""
        found = self.matters.get(text.lower())
        return found or next((each for each in self.matters.values() if each.number == text), None)

    def touch(self, matter: Matter, now: float) -> None:
        """The matter was changed just now."""
        with self.lock:
            matter.updated = self.tick(now)
            self.changes += 1

    def set_status(self, matter: Matter, status: str, now: float) -> None:
        """Moves a matter to one of the five statuses."""
        with self.lock:
            matter.status = status
            matter.closed = None if status in LIVE else now
            self.touch(matter, now)

    def expense(self, expense_id: str) -> Expense | None:
        """An expense on whatever matter it stands."""
        with self.lock:
            return next((kept[expense_id] for kept in self.expenses.values() if expense_id in kept), None)

    def put_expense(self, expense: Expense, now: float) -> None:
        """Puts an expense on its matter, or in the place of its older version."""
        with self.lock:
            tick = self.tick(now)
            first = expense.at or now
            self.expenses.setdefault(expense.matter, {})[expense.id] = replace(expense, at=first, updated=tick, version=str(tick))

    def forget_expense(self, expense_id: str) -> bool:
        """The expense was never there; whether there was one."""
        with self.lock:
            return any(kept.pop(expense_id, None) is not None for kept in self.expenses.values())

    def file(self, file_id: str) -> File | None:
        """A file on whatever matter it lies."""
        with self.lock:
            return next((kept[file_id] for kept in self.files.values() if file_id in kept), None)

    def keep_content(self, file: File, version: str, content: bytes, now: float) -> None:
        """Bytes arrived and took effect: the file is uploaded now."""
        with self.lock:
            sha256 = digest(content)
            self.contents[sha256] = content
            file.versions.append((version, sha256))
            file.version, file.uploaded, file.modified = version, True, now

    def path_of(self, matter: str, folder_id: str) -> str:
        """A folder's path from the root, with slashes."""
        names: list[str] = []
        with self.lock:
            folder = self.folders.get(matter, {}).get(folder_id)
            while folder is not None:
                names.insert(0, folder.name)
                folder = self.folders.get(matter, {}).get(folder.parent)
        return "/".join(names)

    def books(self, job: str = "") -> dict[str, object]:
        """Everything that took effect, in the shape of the other firms' books; deleted entries and files without bytes apart."""
        with self.lock:
            expenses = [each for kept in self.expenses.values() for each in kept.values() if self._about(each.matter, job)]
            files = [each for kept in self.files.values() for each in kept.values() if self._about(each.matter, job)]
            return {
                "tenant_id": self.tenant_id,
                "name": self.name,
                "system": "smokeball",
                "costs": [self._cost(each) for each in expenses if not each.deleted],
                "documents": [self._document(each) for each in files if each.versions and not each.deleted],
                "deleted": [self._cost(each) for each in expenses if each.deleted],
                "deleted_documents": [self._document(each) for each in files if each.deleted],
                "unfinished": [self._document(each) for each in files if not each.versions and not each.deleted],
            }

    def _about(self, matter_id: str, job: str) -> bool:
        matter = self.matters.get(matter_id)
        return not job or job.lower() == matter_id or (matter is not None and matter.number == job)

    def _label(self, matter_id: str) -> str:
        matter = self.matters.get(matter_id)
        return matter.label if matter is not None else matter_id

    def _cost(self, expense: Expense) -> dict[str, object]:
        return {
            "system": "smokeball",
            "uuid": expense.id,
            "job": self._label(expense.matter),
            "matter_id": expense.matter,
            "date": expense.date,
            "description": expense.subject,
            "code": expense.code,
            "note": expense.description,
            "quantity": str(expense.quantity),
            "unit_cost": f"{expense.price:.2f}",
            "unit_price": f"{expense.price:.2f}",
            "amount": f"{expense.amount:.2f}",
            "tax": f"{expense.tax:.2f}",
            "output_tax": f"{expense.output_tax:.2f}",
            "tax_inclusive": expense.tax_inclusive,
            "tax_exempt": expense.tax_exempt,
            "tax_zero_rated": expense.tax_zero_rated,
            "tax_out_of_scope": expense.tax_out_of_scope,
            "cost_type": expense.cost_type,
            "billable": "true" if expense.billable else "false",
            "finalized": expense.finalized,
            "staff_id": expense.staff_id,
            "at": expense.at,
            "by": expense.by,
        }

    def _document(self, file: File) -> dict[str, object]:
        stem = file.name.rpartition(".")[0]
        return {
            "system": "smokeball",
            "uuid": file.id,
            "job": self._label(file.matter),
            "matter_id": file.matter,
            "title": stem,
            "text": file.additional.get("iconnect", ""),
            "additional": file.additional,
            "folder": self.path_of(file.matter, file.folder),
            "public": "false",
            "file_name": file.name,
            "sha256": file.sha256,
            "size": len(self.contents.get(file.sha256, b"")),
            "versions": len(file.versions),
            "uploaded": file.uploaded,
            "at": file.at,
            "by": file.by,
        }
