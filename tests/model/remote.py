"""The practice system's side of the simulation: its books, and each system's own spelling of them.

The books know nothing of iConnect: a line is what was posted, and counts as the same intent as another when both were posted
under the same mark, whatever people did to the note since.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Protocol
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import msgspec

from desktop.settings import Settings
from tests.model.weather import Limit, MinuteLimit

MARK = re.compile(r"IT-(\d+)-([RSTD])-(\d+)\s*$")
"""The checker's own reading of contracts, section 5: the last word of a note or text."""


@dataclass(slots=True)
class Entry:
    """One line or document in the books. `mark`, `order` and `part` are of the note as it was posted; `looked` is of when
    its sender's last read of that list was, as the books then were."""

    serial: int
    tenant: str
    job: str
    kind: str
    mark: str
    order: str
    part: str
    note: str
    amount: Decimal
    price: Decimal
    code: str
    content: str
    fields: Mapping[str, str]
    by: int
    sent: float = 0.0
    looked: float = -1.0
    landed: float = 0.0
    alive: bool = True


@dataclass(slots=True)
class Asked:
    """What a request asks for: `kind` is cost or document, `entry` what a write would put there (None: a read)."""

    kind: str
    tenant: str
    job: str
    entry: Entry | None = None
    record: str = ""
    """The id of the one record that is asked for: a 404 where it is not there."""
    whole: bool = False
    """What was deleted is listed as well, and files without contents."""
    offset: int = 0
    apart: bool = False
    """Another server's: no limit of calls."""


@dataclass(frozen=True, slots=True)
class No:
    """What the practice system turns away before it looks any further."""

    status: int
    body: bytes


@dataclass
class Books:
    """What stands, and what is on its way. `slots`: files that have an entry; the document is what fills it."""

    entries: list[Entry] = field(default_factory=list)
    slots: list[Entry] = field(default_factory=list)
    on_its_way: list[tuple[float, int, Entry]] = field(default_factory=list)
    serial: int = 0
    landing: Callable[[Entry], None] = lambda entry: None

    def settle(self, now: float) -> None:
        """Lets land what has been under way long enough."""
        if not self.on_its_way:
            return
        due = sorted((one for one in self.on_its_way if one[0] <= now), key=lambda one: one[:2])
        if due:
            self.on_its_way = [one for one in self.on_its_way if one[0] > now]
            for at, _, entry in due:
                self.land(entry, at)

    def land(self, entry: Entry, now: float) -> None:
        slot = entry.fields.get("slot", "")
        if slot and self.record(slot) is None:
            # Contents whose entry is not there yet wait for it, or are nobody's.
            coming = [at for at, _, one in self.on_its_way if one.fields.get("id") == slot]
            if coming:
                self.later(entry, max(coming) + 0.001)
            return
        if slot and self.is_filled(slot):
            return
        self.serial += 1
        entry.serial, entry.landed = self.serial, now
        if entry.kind == "slot":
            self.slots.append(entry)
            return
        self.landing(entry)
        self.entries.append(entry)

    def later(self, entry: Entry, at: float) -> None:
        self.serial += 1
        self.on_its_way.append((at, self.serial, entry))

    def record(self, slot: str) -> Entry | None:
        return next((one for one in self.slots if one.fields["id"] == slot), None)

    def is_filled(self, slot: str) -> bool:
        return any(one.fields.get("slot") == slot for one in self.entries)

    def listed(self, asked: Asked, as_of: float) -> list[Entry]:
        if asked.record:
            found = self.record(asked.record)
            return [] if found is None or found.landed > as_of else [found]
        everything = self.slots + self.entries if asked.whole and asked.kind == "document" else self.entries
        return [
            one
            for one in everything
            if (one.alive or asked.whole)
            and (one.kind == asked.kind or (one.kind == "slot" and asked.kind == "document"))
            and one.job == asked.job
            and one.tenant == asked.tenant
            and one.landed <= as_of
        ]


class Spelling(Protocol):
    """One practice system's wire: what a request means and how answers are written. Each is a (status, headers, body)."""

    system: str
    """The name in the register of practice systems."""

    no_status: int
    """The status with which it says its own no."""

    limit: Limit

    def chosen(self, settings: Settings) -> Settings:
        """The platform's settings that lead to this wire."""
        ...

    def asked(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, by: int) -> Asked: ...

    def says_no(self, entry: Entry, books: Books, now: float) -> No | None: ...

    def shows_after(self, chance: Random, *, calm: bool) -> float | None:
        """Seconds from a yes to its effect; None: it will have none."""
        ...

    def yes(self, entry: Entry) -> int:
        """The status of a yes."""
        ...

    def listed(self, asked: Asked, entries: Sequence[Entry], books: Books, now: float) -> bytes: ...

    def done(self, entry: Entry, variant: int, now: float) -> bytes: ...

    def refused(self, reason: str) -> bytes: ...


class DoesAtOnce:
    """What a system is like that has done what it says yes to."""

    def __init__(self) -> None:
        self.limit: Limit = MinuteLimit()

    def says_no(self, entry: Entry, books: Books, now: float) -> No | None:
        return None

    def shows_after(self, chance: Random, *, calm: bool) -> float | None:
        return 0.0

    def yes(self, entry: Entry) -> int:
        return 200


class PracticeManagerSpelling(DoesAtOnce):
    """Xero Practice Manager 3.1 (vendor docs): XML in an envelope, errors as 200 with ERROR."""

    system = "xero-practice-manager"
    tenant_header = "xero-tenant-id"
    root = "/practicemanager/3.1/"
    no_status = 200

    def chosen(self, settings: Settings) -> Settings:
        return settings

    def asked(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, by: int) -> Asked:
        tenant = headers[self.tenant_header]
        path = urlsplit(url).path.removeprefix(self.root)
        if method == "GET":
            name, _, job = path.partition("/")[2].partition("/")
            return Asked({"costs": "cost", "documents": "document"}[name], tenant, unquote(job))
        assert method == "POST"
        assert body is not None
        # The stand-in shares no code with what it tests.
        root = ElementTree.fromstring(body)  # noqa: TID251
        told = {child.tag: child.text or "" for child in root}
        kind = root.tag.lower()
        assert path == f"job.api/{kind}"
        return Asked(kind, tenant, told["Job"], entry_of(told, kind, tenant, told["Job"], by))

    def listed(self, asked: Asked, entries: Sequence[Entry], books: Books, now: float) -> bytes:
        name = asked.kind.capitalize()
        inner = "".join(f"<{name}>{_elements(self._shown(one))}</{name}>" for one in entries)
        return f"<Response><Status>OK</Status><{name}s>{inner}</{name}s></Response>".encode()

    @staticmethod
    def _shown(one: Entry) -> Iterable[tuple[str, str]]:
        if one.kind == "document":
            yield from (("Title", one.fields["Title"]), ("Text", one.note), ("FileName", one.fields["FileName"]))
            yield "URL", f"https://files.example/{one.serial}"
            return
        yield "UUID", f"u-{one.serial}"
        yield from ((name, one.fields[name]) for name in ("Date", "Description", "UnitPrice", "Quantity", "Billable"))
        yield from (("UnitCost", str(one.amount)), ("Code", one.code), ("Note", one.note))

    def done(self, entry: Entry, variant: int, now: float) -> bytes:
        """The answer to a post is not documented: with the new record, with an id alone, or with nothing but its OK."""
        name = entry.kind.capitalize()
        if variant == 0:
            return f"<Response><Status>OK</Status><{name}>{_elements(self._shown(entry))}</{name}></Response>".encode()
        if variant == 1:
            return f"<Response><Status>OK</Status><{name}><UUID>u-{entry.serial}</UUID></{name}></Response>".encode()
        return b"<Response><Status>OK</Status></Response>"

    def refused(self, reason: str) -> bytes:
        return f"<Response><Status>ERROR</Status><ErrorDescription>{escape(reason)}</ErrorDescription></Response>".encode()


class WorkflowMaxSpelling(PracticeManagerSpelling):
    """WorkflowMax's first interface (vendor specification): the same elements, and an empty 200 to a post."""

    system = "workflowmax"
    tenant_header = "account_id"
    root = "/"

    def chosen(self, settings: Settings) -> Settings:
        return msgspec.structs.replace(settings, workflowmax=msgspec.structs.replace(settings.workflowmax, api="v1"))

    def done(self, entry: Entry, variant: int, now: float) -> bytes:
        return b"" if variant == 2 else super().done(entry, variant, now)


def entry_of(told: Mapping[str, str], kind: str, tenant: str, job: str, by: int) -> Entry:
    note = told.get("Note" if kind == "cost" else "Text", "")
    mark = MARK.search(note)
    return Entry(
        serial=0,
        tenant=tenant,
        job=job,
        kind=kind,
        mark=mark[0].strip() if mark else "",
        order=mark[1] if mark else "",
        part=mark[2] if mark else "",
        note=note,
        amount=Decimal(told["UnitCost"]) * Decimal(told["Quantity"]) if kind == "cost" else Decimal(0),
        price=Decimal(told["UnitPrice"]) if kind == "cost" else Decimal(0),
        code=told.get("Code", ""),
        content=told.get("Content", ""),
        fields=dict(told),
        by=by,
    )


def _elements(values: Iterable[tuple[str, str]]) -> str:
    return "".join(f"<{name}>{escape(value)}</{name}>" for name, value in values)
