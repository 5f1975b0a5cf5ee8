"""WorkflowMax organisations: the same kind of firm, and what its books have besides. Estimates, deleted jobs, suppliers, notes."""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone

from sandbox.clock import Clock
from sandbox.firm import CLOSED_STATES, STATES, Firm, Job, JobCost
from sandbox.seeds import make_firm
from sandbox.switches import Switches

SYSTEM = "workflowmax"
MAIN_ORGANISATION = "0f1d2c3b-0000-4000-8000-00000000b0a1"
OTHER_ORGANISATION = "0f1d2c3b-0000-4000-8000-00000000b0a2"
SUPPLIERS = (
    ("6d0c5a52-0000-4000-8000-000000000001", "InfoTrack Pty Ltd"),
    ("6d0c5a52-0000-4000-8000-000000000002", "Harbour Couriers & Co"),
)
STATUS_IDS = {label: f"57a70500-0000-4000-8000-{position:012d}" for position, (label, _code, _open) in enumerate(STATES, 1)}
_DECIMAL = re.compile(r"^-?\d+(\.\d+)?$")


AT_THE_FIRM = timezone(timedelta(hours=12))


@dataclass(frozen=True, slots=True)
class Line(JobCost):
    """A cost line. `actual` is False for an estimate, which stands among the costs in the newer interface."""

    actual: bool = True
    kind: str = "Service"
    phase: str = ""
    supplier: str = ""
    updated: float = 0.0


@dataclass(frozen=True, slots=True)
class Draft:
    """A line as somebody wants to post it, whichever interface it came by. `date` is YYYYMMDD, numbers are texts."""

    date: str
    description: str
    code: str
    note: str
    quantity: str
    unit_cost: str
    unit_price: str
    billable: str = "true"
    actual: bool = True
    kind: str = "Service"
    phase: str = ""
    supplier: str = ""

    def values(self) -> dict[str, object]:
        """What a change of a line replaces."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(slots=True)
class Organisation(Firm):
    """One WorkflowMax organisation. Times are seconds since the epoch; a deleted job stays in `jobs`."""

    modified: dict[str, float] = field(default_factory=dict)
    deleted: dict[str, float] = field(default_factory=dict)
    notes: list[dict[str, str]] = field(default_factory=list)
    now: Callable[[], float] = field(default=lambda: 0.0)
    rendered: dict[str, tuple[object, str]] = field(default_factory=dict)  # jobs of a list, with what they were made of

    def set_state(self, number: str, label: str, today: date) -> None:
        """Moves a job to a state, by label; it counts as modified."""
        Firm.set_state(self, number, label, today)
        self.modified[number] = self.now()

    def find(self, identifier: str) -> Job | None:
        """A job by its number or UUID, deleted or not."""
        found = self.job(identifier)
        if found is None and identifier.count("-") == 4:
            found = next((job for job in self.jobs.values() if job.uuid == identifier.lower()), None)
        return found

    def alive(self, identifier: str) -> Job | None:
        """A job by its number or UUID that is not deleted."""
        found = self.find(identifier)
        return None if found is None or found.number in self.deleted else found

    def delete_job(self, number: str, *, back: bool = False) -> None:
        """What staff do with a job opened by mistake, and how they take it back."""
        with self.lock:
            if back:
                self.deleted.pop(number, None)
            else:
                self.deleted[number] = self.now()
            self.modified[number] = self.now()
            self.changes += 1

    def created_at(self, job: Job) -> float:
        """When the job was made: nine o'clock of its day at the firm, twelve hours ahead of UTC; so never later than now."""
        return datetime(job.created.year, job.created.month, job.created.day, 9, tzinfo=AT_THE_FIRM).timestamp()

    def modified_at(self, job: Job) -> float:
        """When it was last changed."""
        return self.modified.get(job.number, self.created_at(job))

    def post(self, job: Job, draft: Draft, by: str) -> Line:
        """Puts a line on the job."""
        now = self.now()
        line = Line(uuid=str(uuid.uuid4()), job=job.number, at=now, by=by, updated=now, **draft.values())  # type: ignore[arg-type]
        self.add_cost(line)
        self.modified[job.number] = now
        return line

    def line(self, line_id: str) -> Line | None:
        """A line by its UUID."""
        with self.lock:
            return next((c for costs in self.costs.values() for c in costs if c.uuid == line_id and isinstance(c, Line)), None)

    def lines(self, job: Job, *, stale: float = 0, estimates: bool = True) -> list[Line]:
        """The lines of a job that a read shows."""
        with self.lock:
            found = [c for c in self.costs.get(job.number, ()) if isinstance(c, Line) and c.at + stale <= self.now()]
        return [line for line in found if estimates or line.actual]

    def books(self, job: str = "") -> dict[str, object]:
        """As in any firm; estimates are apart, as nobody pays them."""
        whole = Firm.books(self, job)
        rows = whole["costs"]
        assert isinstance(rows, list)
        with self.lock:
            estimates = {c.uuid for costs in self.costs.values() for c in costs if isinstance(c, Line) and not c.actual}
        return {
            **whole,
            "costs": [row for row in rows if row["uuid"] not in estimates],
            "estimates": [row for row in rows if row["uuid"] in estimates],
            "notes": [note for note in self.notes if job in ("", note["job"])],
        }


def why_refused(draft: Draft, job: Job | None, firm: Firm, switches: Switches) -> str:
    """Why a line is refused, as a sentence; empty if it is not. `job` None: a change of a line that is there."""
    if not draft.description or not draft.quantity or not draft.unit_cost or not draft.unit_price:
        return "Invalid request"
    if not is_day(draft.date):
        return "Invalid date"
    numbers = (draft.quantity, draft.unit_cost, draft.unit_price)
    if any(not _DECIMAL.match(number) for number in numbers):
        return "Invalid number"
    if draft.billable not in ("true", "false") or draft.kind not in ("Service", "Stock"):
        return "Invalid request"
    if switches.refuse_negative and any(number.startswith("-") for number in numbers):
        return "Amounts can not be negative"
    if switches.refuse_zero_quantity and float(draft.quantity) == 0:
        return "Quantity can not be zero"
    if draft.code and switches.refuse_unknown_code and not any(row.code == draft.code for row in firm.catalogue):
        return "No such cost code"
    if draft.supplier and not any(draft.supplier == known for known, _name in SUPPLIERS):
        return "Invalid supplier identifier"
    if job is not None and (job.refuses_costs or (switches.refuse_closed and job.state in CLOSED_STATES)):
        return "Costs can not be added to this job"
    return ""


def is_day(text: str) -> bool:
    """Whether it is a calendar day as YYYYMMDD."""
    if not re.fullmatch(r"\d{8}", text):
        return False
    try:
        date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return False
    return True


class Organisations:
    """The organisations, each made when it is first needed: a large one takes a moment and some memory."""

    def __init__(self, clock: Clock, size: Callable[[], tuple[int, int]], staff: dict[str, list[tuple[str, str, bool]]]) -> None:
        """`size` tells matters and seed; `staff` has (name, e-mail, privilege) by organisation."""
        self._clock = clock
        self._size = size
        self._staff = staff
        self._lock = threading.Lock()
        self._made: dict[str, Organisation] = {}

    def names(self) -> dict[str, str]:
        """All organisations by id."""
        return {MAIN_ORGANISATION: "Kōwhai & Rata Lawyers", OTHER_ORGANISATION: "Harbour Street Advisory"}

    def made(self) -> list[Firm]:
        """Those that exist so far."""
        with self._lock:
            return list(self._made.values())

    def clear(self) -> None:
        """They will be made anew."""
        with self._lock:
            self._made.clear()

    def get(self, organisation_id: str) -> Organisation | None:
        """One of them, made if need be."""
        name = self.names().get(organisation_id)
        if name is None:
            return None
        with self._lock:
            if organisation_id not in self._made:
                matters, seed = self._size()
                matters = matters if organisation_id == MAIN_ORGANISATION else 30
                self._made[organisation_id] = self._make(organisation_id, name, matters, seed)
            return self._made[organisation_id]

    def _make(self, organisation_id: str, name: str, matters: int, seed: int) -> Organisation:
        today = self._clock.utc().date()
        firm = make_firm(organisation_id, f"{name}, {SYSTEM}", matters, seed, today, self._staff[organisation_id])
        made = Organisation(organisation_id, name, firm.staff, firm.clients, firm.jobs, firm.catalogue, now=self._clock.now)
        numbers = list(made.jobs)
        yesterday = self._clock.now() - timedelta(days=1).total_seconds()
        for number in (numbers[matters - 1], numbers[-1]):  # one that was current, one that was closed
            made.deleted[number] = made.modified[number] = yesterday
        for position, (number, words) in enumerate(zip(numbers[::7], _ESTIMATES * matters, strict=False)):
            draft = Draft(f"{today:%Y%m%d}", "Searches, estimated", "DISB-GST", words, "1", "40.00", "40.00", actual=False)
            line = Line(
                uuid=f"e57a7e00-0000-4000-8000-{position:012d}",
                job=number,
                at=yesterday,
                by="Sam Reid",
                updated=yesterday,
                **draft.values(),  # type: ignore[arg-type]
            )
            made.costs.setdefault(number, []).append(line)
        return made


_ESTIMATES = ("Allow for searches, see quote Q000005", "", "Title and company search\nas discussed", "IT-70000001-T-1")
