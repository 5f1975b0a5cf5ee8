"""WorkflowMax's first interface, in XML (vendor specification, version 0.1).

It has Practice Manager's methods and elements. What differs: the current jobs may be paged, or ignore that they were asked
for a page (seen in public client code); the answer to a post is specified as an empty 200. A list of changes exists, but only
among current jobs, so that it would never tell that a job was closed: the whole list is read each time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

from desktop.services.errors import BadAnswer
from desktop.services.http import Http
from desktop.services.practice import job_records
from desktop.services.practice.model import Matter
from desktop.services.practice.practice_system import AccessTokens, CallGate, Urgency
from desktop.services.practice.practice_xml import JOB_LIST, Envelope
from desktop.services.practice.workflowmax import NAME, WORDS, organisation
from desktop.services.practice.xml_practice import XmlPractice

MAX_DOCUMENT_BYTES = 10_000_000
"""No figure is published. A server that takes less says so (413), and nothing is lost by asking."""

_JOBS = replace(job_records.JOBS, envelope=(*job_records.JOBS.envelope, "TotalRecords"))
_MOST_PAGES = 1_000


def _now() -> datetime:
    return datetime.now(UTC)


class WorkflowMaxV1(XmlPractice):
    """A PracticeSystem. Safe to use from several threads. `api_url` is the host's root."""

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
        super().__init__(
            NAME,
            http,
            tokens,
            gate,
            api_url,
            words=WORDS,
            headers=organisation(tokens),
            max_document_bytes=max_document_bytes,
            silent_yes=True,
            clock=clock,
        )

    def matters(self, *, urgency: Urgency = Urgency.BACKGROUND, since: datetime | None = None) -> Iterator[Matter]:
        """Asked without a page, the list is specified to come whole, and that one call is all that most firms need. Where the
        answer says that there are more, or stops at a round number, it is asked for page by page until nothing new comes."""
        del since
        seen: set[str] = set()
        size = rows = 0
        total: int | None = None
        for page in range(1, _MOST_PAGES + 1):
            envelope = Envelope()
            tail = f"?page={page}&pagesize={size}" if page > 1 else ""
            found = self._calls.stream("job.api/current", tail, _JOBS, urgency, caps=JOB_LIST, envelope=envelope)
            before, here = len(seen), 0
            for each in job_records.jobs_as_matters(found, system=self.name, tenant=self._tokens.tenant):
                here += 1
                if each.id not in seen:
                    seen.add(each.id)
                    yield each
            told = envelope.values.get("totalrecords", "").strip()
            total = int(job_records.decimal(told)) if told else total
            new = len(seen) > before
            rows += here if new else 0
            size = size or here
            more = rows < total if total is not None else here == size and here % 10 == 0
            if not new or not more:
                if total is not None and rows < total:
                    raise BadAnswer(f"{WORDS.name}'s list of jobs is shorter than it says.")
                return
        raise BadAnswer(f"{WORDS.name}'s list of jobs does not end.")
