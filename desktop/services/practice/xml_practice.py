"""A practice system that speaks the XML which Practice Manager and WorkflowMax share.

Facts that shape this (vendor docs unless said otherwise): costs and documents address a job by its number; errors come as
HTTP 200 with ERROR; the lists of a job's costs and documents are documented without their envelope, and recorded with it for
other lists, so both are read; the answer to a post is not documented, so none is relied on; a cost can't be deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.parse import quote

from desktop.services.errors import BadAnswer, Refused
from desktop.services.http import Http
from desktop.services.practice import job_records
from desktop.services.practice.calls import Words
from desktop.services.practice.keys import keys_in
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
from desktop.services.practice.practice_xml import JOB_LIST, RECORD, Element
from desktop.services.practice.xml_calls import XmlCalls

_MOST_PAGES = 1_000


def _now() -> datetime:
    return datetime.now(UTC)


class XmlPractice:
    """A PracticeSystem. Safe to use from several threads. `headers` gives what a call carries besides the token;
    `silent_yes`: an empty 200 to a post is the documented yes."""

    def __init__(
        self,
        name: str,
        http: Http,
        tokens: AccessTokens,
        gate: CallGate,
        api_url: str,
        *,
        words: Words,
        headers: Callable[[], Mapping[str, str]],
        max_document_bytes: int,
        silent_yes: bool = False,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self.name = name
        # That a cost keeps its note is documented, and believed once it was seen of a line that was posted from here: people
        # put keys into notes too, when they are asked about a line that has none.
        self.capabilities = Capabilities(
            negative_costs=None, deletes_costs=False, folders=True, max_document_bytes=max_document_bytes, keeps_marks=False
        )
        self._words = words
        self._tokens = tokens
        self._clock = clock
        self._silent_yes = silent_yes
        self._unread: dict[str, str] = {}
        """The keys of lines whose post had a yes, with their jobs' numbers, until the first read of that job."""
        self._calls = XmlCalls(http, tokens, gate, api_url, headers=headers, clock=clock, words=words)

    def matters(self, *, urgency: Urgency = Urgency.BACKGROUND, since: datetime | None = None) -> Iterator[Matter]:
        """The whole list each time: a job that was closed would be missing from a list of changes."""
        del since
        found = self._calls.stream("job.api/current", "", job_records.JOBS, urgency, caps=JOB_LIST)
        return job_records.jobs_as_matters(found, system=self.name, tenant=self._tokens.tenant)

    def matter(self, number: str, *, urgency: Urgency = Urgency.PERSON) -> Matter | None:
        number = number.strip()
        if not _addressable(number):
            return None
        try:
            root = self._calls.read("job.api/get", _tail(number), urgency, caps=RECORD)
        except Refused:
            return None
        job = _single(root, "Job")
        found = job_records.matter(job, system=self.name, tenant=self._tokens.tenant)
        if number.casefold() not in (found.number.casefold(), found.id.casefold()):
            raise BadAnswer(f"{self._words.name} answered with another job than the one asked for.")
        return found

    def client(self, client_id: str, *, urgency: Urgency = Urgency.PERSON) -> ClientDetails | None:
        if not _addressable(client_id):
            return None
        try:
            root = self._calls.read("client.api/get", _tail(client_id), urgency, caps=RECORD)
        except Refused:
            return None
        return job_records.client_details(_single(root, "Client"))

    def staff(self, *, urgency: Urgency = Urgency.BACKGROUND) -> tuple[Staff, ...]:
        root = self._calls.read("staff.api/list", "", urgency)
        return tuple(map(job_records.staff_member, _listed(root, "StaffList", "Staff")))

    def cost_codes(self, *, urgency: Urgency = Urgency.PERSON) -> tuple[CostCode, ...]:
        """The pages have to be asked for until one says that it holds none; one that brings nothing new says so as well."""
        codes: list[CostCode] = []
        seen: set[CostCode] = set()
        for page in range(1, _MOST_PAGES + 1):
            root = self._calls.read("cost.api/list", f"?page={page}", urgency)
            here = [job_records.cost_code(each) for each in _listed(root, "Costs", "Cost")]
            told = root.value("Records")
            if not here or (told and job_records.decimal(told) == 0) or seen.issuperset(here):
                return tuple(codes)
            codes += here
            seen.update(here)
        raise BadAnswer(f"The list of cost codes of {self._words.name} does not end.")

    def costs(self, matter: MatterRef, *, urgency: Urgency = Urgency.READ_BACK) -> tuple[PostedCost, ...]:
        number = _number(matter)
        unread = () if self.capabilities.keeps_marks else [key for key, job in self._unread.copy().items() if job == number]
        root = self._calls.read("job.api/costs", _tail(number), urgency)
        found = tuple(map(job_records.posted_cost, _listed(root, "Costs", "Cost")))
        for key in unread:
            self._unread.pop(key, None)
        if any(key in one.keys for one in found for key in unread):
            self.capabilities = replace(self.capabilities, keeps_marks=True)
            self._unread.clear()
        return found

    def documents(self, matter: MatterRef, *, urgency: Urgency = Urgency.READ_BACK) -> tuple[PostedDocument, ...]:
        root = self._calls.read("job.api/documents", _tail(_number(matter)), urgency)
        return tuple(map(job_records.posted_document, _listed(root, "Documents", "Document")))

    def post_cost(self, line: CostLine, *, urgency: Urgency = Urgency.SEND) -> Receipt:
        receipt = self._post("job.api/cost", job_records.cost_document(line), "Cost", line.key, urgency)
        if not self.capabilities.keeps_marks:
            self._unread[line.key] = line.matter_number.strip()
        return receipt

    def post_document(self, document: Document, *, urgency: Urgency = Urgency.SEND) -> Receipt:
        most = self.capabilities.max_document_bytes
        if len(document.content) > most:
            size = len(document.content) / 1_000_000
            raise Refused(
                f"The document has {size:.1f} MB; at most {most / 1_000_000:.1f} MB are sent to {self._words.name}. "
                "Add it to the job by hand.",
                status=413,
            )
        return self._post("job.api/document", job_records.document_document(document), "Document", document.key, urgency)

    def _post(self, method: str, body: bytes, record: str, key: str, urgency: Urgency) -> Receipt:
        named = (record.lower(), f"{record.lower()}s")
        answer = self._calls.write(method, body, urgency, records_named=named, silent_yes=self._silent_yes)
        return _receipt(answer, record, key)

    def check_access(self) -> tuple[AccessFinding, ...]:
        today = self._clock().date()
        span = f"?from={today - timedelta(days=1):%Y%m%d}&to={today:%Y%m%d}"
        tries = (
            ("Staff", "staff.api/list", "", "the staff list"),
            ("Jobs", "job.api/list", span, "jobs"),
            ("Cost codes", "cost.api/list", "?page=1", "the cost codes"),
        )
        return tuple(
            self._calls.tried(right, what, partial(self._calls.read, method, tail, Urgency.PERSON))
            for right, method, tail, what in tries
        )


def _addressable(identifier: str) -> bool:
    """A path of dots alone would lead elsewhere, an empty one to a list."""
    return bool(identifier.strip(". \t\r\n"))


def _tail(identifier: str) -> str:
    return "/" + quote(identifier.encode("utf-8", "replace"), safe="")


def _number(matter: MatterRef) -> str:
    if not _addressable(matter.number):
        raise Refused("This job has no number that the practice system could be asked for.")
    return matter.number.strip()


def _single(root: Element, name: str) -> Element:
    """The record, in its envelope or bare. Raises BadAnswer."""
    if root.name.lower() == name.lower():
        return root
    found = root.one(name)
    if found is None:
        raise BadAnswer("The answer lacks the record that was asked for.")
    return found


def _listed(root: Element, container: str, record: str) -> list[Element]:
    """The records, in their envelope or bare. An envelope with nothing but its OK is an empty list; one that holds
    something else instead is no answer to the question. Raises BadAnswer."""
    if root.name.lower() == container.lower():
        return root.named(record)
    if root.name.lower() != "response":
        raise BadAnswer("The answer is XML, but not the list that was asked for.")
    found = root.one(container)
    if found is None:
        # The specification of the bare lists knows no container: in an envelope the records may stand without one.
        direct = root.named(record)
        if not direct and any(child.children for child in root.children):
            raise BadAnswer("The answer lacks the list that was asked for.")
        return direct
    return found.named(record)


def _receipt(answer: Element, record: str, key: str) -> Receipt:
    """The new record's id, if the answer shows the record that carries our key."""
    candidates = [answer] if answer.name.lower() == record.lower() else answer.named(record)
    for group in [answer] if answer.name.lower() == f"{record.lower()}s" else answer.named(f"{record}s"):
        candidates += group.named(record)
    for each in candidates:
        try:
            told = each.value("UUID")
            text = each.value("Note" if record == "Cost" else "Text")
        except BadAnswer:
            continue
        if told and ((len(candidates) == 1 and not text) or key in keys_in(text)):
            return Receipt(told)
    return Receipt()
