"""WorkflowMax's second interface, in JSON (facts from public client code; the vendor's pages were not at hand).

Facts that shape this: lists come as {"data": […], "total": n} by pages of at most 1000; a single record comes bare or under
"data"; jobs name their client, manager and status by id; deleted jobs stay in the list with the time of their deletion;
`updatedSince` knows days, not moments; a cost with `actual` false is an estimate; the answer to a post carries the new id;
a cost can't be deleted.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Generic, TypeVar
from urllib.parse import quote

from desktop.services.errors import AnswerLost, BadAnswer, LeftUnmarked, NotSent, Refused, ServiceError, Wait
from desktop.services.http import Http
from desktop.services.practice import workflowmax_rows as rows
from desktop.services.practice.json_calls import Body, Found, Json, JsonCalls, json_body, multipart_body, need, text
from desktop.services.practice.model import (
    AccessFinding,
    ClientDetails,
    CostCode,
    CostLine,
    Document,
    Matter,
    PostedCost,
    PostedDocument,
    Receipt,
    Staff,
)
from desktop.services.practice.practice_system import AccessTokens, CallGate, Capabilities, MatterRef, Urgency
from desktop.services.practice.workflowmax import NAME, WORDS, organisation

MAX_DOCUMENT_BYTES = 20_000_000
"""No figure is published. A server that takes less says so (413), and nothing is lost by asking."""

_MOST_PAGES = 2_000
_MOST_READS = 3
_PAGE_SIZES = (1_000, 100, 0)
"""The largest that public client code names; what to ask for where that is refused; 0: no page at all."""
_SMALLEST_CAP = 20
_UNFIT = (400, 422)
_KEPT = timedelta(hours=1)
_FEW_CLIENTS = 20

_ALIVE = timedelta(minutes=10)
"""So long a job that was seen is taken to be there still."""

_V = TypeVar("_V")
_log = logging.getLogger(__name__)


def _now() -> datetime:
    return datetime.now(UTC)


class WorkflowMaxV2:
    """A PracticeSystem. Safe to use from several threads. `api_url` is the host's root.

    A job is taken for open unless it has a day of completion or of deletion: the firm's status labels are its own, and nothing
    public tells which of them end a job. `capabilities.keeps_marks` is true once a line that was posted has shown that it kept
    its note."""

    name = NAME

    def __init__(
        self,
        http: Http,
        tokens: AccessTokens,
        gate: CallGate,
        api_url: str = "https://api.workflowmax2.com/",
        *,
        max_document_bytes: int = MAX_DOCUMENT_BYTES,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self.capabilities = Capabilities(
            negative_costs=None,
            deletes_costs=False,
            folders=False,
            max_document_bytes=max_document_bytes,
            changes_since=True,
            keeps_marks=False,
        )
        self._tokens = tokens
        self._clock = clock
        self._takes_code = True
        self._keeps_note: bool | None = None
        self._calls = JsonCalls(
            http, tokens, gate, api_url.rstrip("/") + "/v2/", headers=organisation(tokens), clock=clock, words=WORDS
        )
        self._people = _Kept(lambda urgency: {each.id.casefold(): each for each in self.staff(urgency=urgency)}, clock)
        self._statuses = _Kept(lambda urgency: self._names("job-status", urgency), clock)
        self._alive: dict[str, datetime] = {}
        """When jobs that something is to be posted to were last seen not to be deleted."""
        self._clients: dict[str, str] = {}
        """The names of the clients of the open jobs, as last read."""

    def matters(self, *, urgency: Urgency = Urgency.BACKGROUND, since: datetime | None = None) -> Iterator[Matter]:
        return self._open_matters(urgency) if since is None else self._changed_matters(urgency, since)

    def _open_matters(self, urgency: Urgency) -> Iterator[Matter]:
        lookups = self._lookups(urgency)
        names = self._names("clients", urgency)
        archived = False
        used: dict[str, str] = {}
        # In the order of their making, what is made meanwhile comes last and moves nothing between the pages.
        for job in self._list("jobs", urgency, "sort=created&order=asc&"):
            if not rows.is_open(job):
                continue
            client = rows.client_of(job)
            if client and client.casefold() not in names and not archived:
                archived = True
                names |= self._archived_clients(urgency)
            used[client] = names.get(client.casefold(), "")
            yield rows.matter(job, lookups, client=used[client])
        self._clients = used

    def _changed_matters(self, urgency: Urgency, since: datetime) -> Iterator[Matter]:
        """A day is all that can be asked for, and days begin at different moments: one more is asked for, and what did not
        change is left out here."""
        day = (since.astimezone(UTC) - timedelta(days=1)).date()
        found = self._list("jobs", urgency, f"updatedSince={day.isoformat()}&sort=updated&order=asc&")
        jobs = [job for job in found if rows.changed(job, since)]
        self._learn_clients({rows.client_of(job) for job in jobs}, urgency)
        lookups = self._lookups(urgency)
        for job in jobs:
            yield rows.matter(job, lookups, client=self._clients.get(rows.client_of(job), ""))

    def matter(self, number: str, *, urgency: Urgency = Urgency.PERSON) -> Matter | None:
        number = number.strip()
        job = self._one("jobs", number, urgency)
        if job is None:
            return None
        client = rows.client_of(job)
        self._learn_clients({client}, urgency)
        found = rows.matter(job, self._lookups(urgency), client=self._clients.get(client, ""), single=True)
        if number.casefold() not in (found.number.casefold(), found.id.casefold()):
            raise BadAnswer("WorkflowMax answered with another job than the one asked for.")
        return found

    def client(self, client_id: str, *, urgency: Urgency = Urgency.PERSON) -> ClientDetails | None:
        found = self._one("clients", client_id, urgency, "?includes=contacts,addresses,contact-details,billing-details")
        return None if found is None else rows.client_details(found)

    def staff(self, *, urgency: Urgency = Urgency.BACKGROUND) -> tuple[Staff, ...]:
        return tuple(rows.staff_member(each) for each in self._list("staff", urgency))

    def cost_codes(self, *, urgency: Urgency = Urgency.PERSON) -> tuple[CostCode, ...]:
        return tuple(rows.cost_code(each) for each in self._list("costs", urgency))

    def costs(self, matter: MatterRef, *, urgency: Urgency = Urgency.READ_BACK) -> tuple[PostedCost, ...]:
        """Estimates are left out: they are not in the books."""
        return tuple(rows.posted_cost(each) for each in self._list(_of(matter, "costs"), urgency) if rows.stands(each))

    def documents(self, matter: MatterRef, *, urgency: Urgency = Urgency.READ_BACK) -> tuple[PostedDocument, ...]:
        return tuple(rows.posted_document(each) for each in self._list(_of(matter, "documents"), urgency) if rows.stands(each))

    def post_cost(self, line: CostLine, *, urgency: Urgency = Urgency.SEND) -> Receipt:
        """The line itself is posted once. That a new line keeps its note is inferred from those that are read: where an answer
        shows that it was dropped, the line just made is given its note, which can't make a second one."""
        path = _of(MatterRef(line.matter_id, line.matter_number), "costs")
        try:
            answer = self._post(path, json_body(rows.cost_body(line, with_code=self._takes_code)), urgency)
        except Refused as error:
            # That a post may name its code is not known for certain. Such a no is proof that nothing was done.
            if not self._takes_code or not line.code or "costcode" not in error.reason.casefold():
                raise
            self._takes_code = False
            answer = self._post(path, json_body(rows.cost_body(line, with_code=False)), urgency)
        uuid = rows.new_id(answer)
        if not self._has_note(line, rows.shown(answer), path, uuid, urgency):
            self._give_note(line, path, uuid, urgency)
        return Receipt(uuid)

    def _has_note(self, line: CostLine, answer: Found, path: str, uuid: str, urgency: Urgency) -> bool:
        """Whether the new line kept its note: from the answer, from one look at the job's lines, or as it was the last time."""
        told = "note" in answer
        if not told and self._keeps_note is None:
            answer = self._look(path, uuid, urgency)
            # A line that the job lists without the field has no note.
            told = bool(answer)
        if told:
            self._keeps_note = line.key in rows.keys_of(answer)
            self.capabilities = replace(self.capabilities, keeps_marks=self._keeps_note)
        return self._keeps_note is not False

    def _look(self, path: str, uuid: str, urgency: Urgency) -> Found:
        """The line as it stands; empty where it can't be seen now: the read-back will tell."""
        try:
            wanted = uuid.casefold()
            return next((each for each in self._list(path, urgency) if need(each, "uuid").casefold() == wanted), {})
        except ServiceError:
            return {}

    def _give_note(self, line: CostLine, path: str, uuid: str, urgency: Urgency) -> None:
        body = json_body(rows.cost_body(line, with_code=self._takes_code))
        problem = ""
        for _ in range(3):
            try:
                self._calls.write(f"jobs/costs/{_quoted(uuid)}", body, urgency, done=lambda _: True, verb="PUT")
                return
            except (NotSent, AnswerLost, Wait) as error:
                # A limit is waited for in the gate, as long as that is patient.
                problem = str(error)
            except ServiceError as error:
                problem = str(error)
                break
        if line.key in rows.keys_of(self._look(path, uuid, urgency)):
            return
        raise LeftUnmarked(
            f"The cost was posted, but WorkflowMax left out its note, and adding it did not work: {problem} In WorkflowMax put "
            f"{line.key} into the note of that line. Do not retry before: it would be posted twice."
        )

    def post_document(self, document: Document, *, urgency: Urgency = Urgency.SEND) -> Receipt:
        most = self.capabilities.max_document_bytes
        if len(document.content) > most:
            size = len(document.content) / 1_000_000
            raise Refused(
                f"The document has {size:.1f} MB; at most {most / 1_000_000:.1f} MB are sent to WorkflowMax. "
                "Add it to the job by hand.",
                status=413,
            )
        fields = (("title", document.title), ("note", document.text))
        body = multipart_body(fields, name="file", file_name=document.file_name, content=document.content)
        answer = self._post(_of(MatterRef(document.matter_id, document.matter_number), "documents"), body, urgency)
        return Receipt(rows.new_id(answer))

    def is_deleted(self, matter: MatterRef, *, urgency: Urgency = Urgency.SEND) -> bool:
        """A deleted job stays where it is with the time of its deletion, and may take posts that nobody will ever invoice."""
        now, key = self._clock(), matter.id.strip() or matter.number.strip()
        seen = self._alive.get(key)
        if seen is not None and timedelta() <= now - seen < _ALIVE:
            return False
        job = self._one("jobs", key, urgency)
        if job is not None and key.casefold() not in (text(job, "uuid").casefold(), text(job, "jobNumber").casefold()):
            raise BadAnswer("WorkflowMax answered with another job than the one asked for.")
        if job is not None and text(job, "deletedAt"):
            return True
        # Of a job that is not told of, the answer to the post decides.
        self._alive[key] = now
        return False

    def check_access(self) -> tuple[AccessFinding, ...]:
        tries = (("Staff", "staff", "the staff"), ("Jobs", "jobs", "jobs"), ("Clients", "clients", "the clients"))
        return tuple(
            self._calls.tried(right, what, partial(self._calls.read, path, "?page=1&pageSize=1", Urgency.PERSON))
            for right, path, what in (*tries, ("Cost codes", "costs", "the cost codes"))
        )

    def _post(self, path: str, body: Body, urgency: Urgency) -> Json:
        return self._calls.write(path, body, urgency, done=lambda found: bool(rows.new_id(found)))

    def _one(self, kind: str, identifier: str, urgency: Urgency, query: str = "") -> Found | None:
        """The record, or None where it is not known."""
        if not identifier.strip(". \t\r\n"):
            return None
        path = f"{kind}/{_quoted(identifier)}"
        try:
            return rows.single(self._calls.read(path, query, urgency))
        except Refused as error:
            return self._one(kind, identifier, urgency) if query and error.status in _UNFIT else None

    def _lookups(self, urgency: Urgency) -> rows.Lookups:
        return rows.Lookups(self._tokens.tenant, self._people.now(urgency), self._statuses.now(urgency))

    def _names(self, path: str, urgency: Urgency, query: str = "") -> dict[str, str]:
        return {need(each, "uuid").casefold(): rows.name_of(each) for each in self._list(path, urgency, query)}

    def _archived_clients(self, urgency: Urgency) -> dict[str, str]:
        """Public client code says that only active clients are listed unless others are asked for."""
        try:
            return self._names("clients", urgency, "status=archived&")
        except Refused:
            return {}

    def _learn_clients(self, wanted: set[str], urgency: Urgency) -> None:
        missing = wanted - self._clients.keys() - {""}
        if len(missing) > _FEW_CLIENTS:
            names = self._names("clients", urgency)
            self._clients |= {each: names[each.casefold()] for each in missing if each.casefold() in names}
            return
        for each in missing:
            found = self._one("clients", each, urgency)
            self._clients[each] = "" if found is None else rows.name_of(found)

    def _list(self, path: str, urgency: Urgency, query: str = "") -> Iterator[Found]:
        """Every row once. Raises BadAnswer for a list that ends before its own count, or never, or from which rows went while it
        was read by pages: others then moved up, and one may have been overlooked.

        A firm's own lists may be counted wrongly for good (a count that was kept, or that includes rows which this person may
        not see). Such a list is read once more, and where the second read brings nothing new, the rows count. A job's costs and
        documents have no such grace: who believes a line absent posts it."""
        seen: set[str] = set()
        for again in range(_MOST_READS):
            before = len(seen)
            missing = yield from self._read_list(path, urgency, query, seen)
            if not missing:
                return
            if "/" in path:
                break
            if again and len(seen) == before:
                _log.warning("A list of WorkflowMax's is shorter than it says, in two reads")
                return
        raise BadAnswer("WorkflowMax's list is shorter than it says.")

    def _read_list(self, path: str, urgency: Urgency, query: str, seen: set[str]) -> Generator[Found, None, bool]:
        """One read of the list: what `seen` does not hold yet. Gives whether rows are missing by its own count."""
        here_seen: set[str] = set()
        most = 0
        of_page = True
        answer, size = self._first_page(path, urgency, query)
        for page in range(1, _MOST_PAGES + 1):
            if page > 1:
                answer = self._calls.read(path, f"?{query}page={page}&pageSize={size}", urgency)
            here = rows.listed(answer)
            fresh = {uuid: each for each in here if (uuid := need(each, "uuid")) not in here_seen}
            here_seen.update(fresh)
            yield from (each for uuid, each in fresh.items() if uuid not in seen)
            seen.update(fresh)
            total = rows.total(answer)
            # A count that equals the rows of each page may count just these.
            of_page = of_page and total == len(here)
            if of_page and page > 1:
                total, most = None, 0
            if total is not None and total < most:
                raise BadAnswer("WorkflowMax's list changed while it was read.")
            most = total or 0
            if not fresh or not size:
                return total is not None and len(seen) < total
            # A full page may have another behind it whatever the count says; so may one whose count is less than what it holds,
            # and a job's first one that may have been capped without a word: at a round number, and its count says no more.
            capped = of_page and "/" in path and len(here) >= _SMALLEST_CAP and len(here) % 10 == 0
            if total is not None and len(here) <= total <= len(here_seen) and len(here) < size and not capped:
                return False
        raise BadAnswer("WorkflowMax's list does not end.")

    def _first_page(self, path: str, urgency: Urgency, query: str) -> tuple[Json, int]:
        for size in _PAGE_SIZES:
            tail = f"?{query}page=1&pageSize={size}" if size else f"?{query}".rstrip("?&")
            try:
                return self._calls.read(path, tail, urgency), size
            except Refused as error:
                if error.status not in _UNFIT or not size:
                    raise
        raise AssertionError("the last way of asking returns or raises")


class _Kept(Generic[_V]):
    """A table that changes seldom: read again after an hour; empty where the interface refuses it."""

    def __init__(self, read: Callable[[Urgency], dict[str, _V]], clock: Callable[[], datetime]) -> None:
        self._read = read
        self._clock = clock
        self._table: dict[str, _V] = {}
        self._good_until = datetime.min.replace(tzinfo=UTC)

    def now(self, urgency: Urgency) -> Mapping[str, _V]:
        now = self._clock()
        if not now < self._good_until <= now + _KEPT:
            try:
                self._table = self._read(urgency)
            except Refused:
                self._table = {}
            self._good_until = now + _KEPT
        return self._table


def _of(matter: MatterRef, part: str) -> str:
    """Jobs answer to their id and to their number."""
    identifier = matter.id.strip() or matter.number.strip()
    if not identifier.strip("."):
        raise Refused("This job has no number that the practice system could be asked for.")
    return f"jobs/{_quoted(identifier)}/{part}"


def _quoted(identifier: str) -> str:
    return quote(identifier.encode("utf-8", "replace"), safe="")
