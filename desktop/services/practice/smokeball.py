"""Smokeball's web interface.

Facts that shape this (vendor docs): everything is addressed by ids, and a matter's number may be blank; a yes to a write is a
202, and the record appears later or not at all; nothing takes an idempotency key, so that our key in an expense's description
and in a file's further data is what tells; an expense has one price and no cost; leads are matters too, and are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TypeVar
from zoneinfo import ZoneInfo

from desktop.services.errors import AccessMissing, AnswerLost, BadAnswer, NotNow, NotSent, Refused, ServiceError, SignedOut
from desktop.services.http import Http
from desktop.services.practice.json_calls import record
from desktop.services.practice.model import (
    AccessFinding,
    ClientDetails,
    CostCode,
    CostLine,
    Document,
    Finding,
    Matter,
    PostedCost,
    PostedDocument,
    Receipt,
    Staff,
)
from desktop.services.practice.practice_system import AccessTokens, CallGate, Capabilities, MatterRef, Urgency
from desktop.services.practice.smokeball_calls import Forbidden, SmokeballCalls, Standing, told_id
from desktop.services.practice.smokeball_files import Files
from desktop.services.practice.smokeball_pages import PAGE, Filters, rows
from desktop.services.practice.smokeball_people import People
from desktop.services.practice.smokeball_records import (
    OPEN,
    STATUSES,
    MatterRow,
    client_details,
    cost_code,
    cost_without_markup,
    expense_body,
    is_id,
    matter_row,
    posted_cost,
)

NAME = "smokeball"
DEFAULT_MAX_DOCUMENT_BYTES = 100_000_000
"""No figure is published. A file goes to a file store that takes far more; this is what one PC should hold in memory."""

_MARGIN = timedelta(minutes=1)
_MOST_SEARCHED = 40

_T = TypeVar("_T")


def _now() -> datetime:
    return datetime.now(UTC)


class Smokeball:
    """A PracticeSystem. Safe to use from several threads.

    `zone` is the firm's, for an expense's day. `markup_percent` is what the firm adds to a fee: Smokeball keeps the price alone,
    and what was paid is reckoned back from it. `region` decides whether expenses have tax fields (not in the US)."""

    name = NAME

    def __init__(
        self,
        http: Http,
        tokens: AccessTokens,
        gate: CallGate,
        api_url: str,
        *,
        api_key: str,
        region: str = "au",
        markup_percent: Decimal = Decimal(0),
        zone: str = "Australia/Sydney",
        max_document_bytes: int = DEFAULT_MAX_DOCUMENT_BYTES,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self.capabilities = Capabilities(
            negative_costs=None,
            one_price=True,
            deletes_costs=True,
            folders=True,
            max_document_bytes=max_document_bytes,
            asynchronous_writes=True,
            changes_since=True,
        )
        self._tokens = tokens
        self._clock = clock
        self._has_key = bool(api_key.strip())
        self._taxes = region != "us"
        self._markup = markup_percent
        self._zone = ZoneInfo(zone)
        self._standing = Standing()

        def allowed(right: str) -> SmokeballCalls:
            return SmokeballCalls(http, tokens, gate, api_url, api_key=api_key, right=right, standing=self._standing, clock=clock)

        self._matters = allowed("matters/read")
        self._contacts = allowed("contacts/read")
        self._codes = allowed("activitycodes/read")
        self._expenses = allowed("expenses/read")
        self._expense_writes = allowed("expenses/write")
        self._documents = allowed("documents/read")
        self._staff = allowed("staff/read")
        self._firm = allowed("firm/read")
        self._people = People(self._contacts, self._staff)
        self._files = Files(http, self._documents, allowed("documents/write and matters/write"), clock=clock)

    def matters(self, *, urgency: Urgency = Urgency.BACKGROUND, since: datetime | None = None) -> Iterator[Matter]:
        """All rows are read before the first is given: who their people are is asked for together.

        A long list changes while it is read: what changed meanwhile, by Smokeball's clock, is asked for at its end."""
        self._people.renew(self._clock())
        if since is not None:
            yield from self._as_matters(self._listed(STATUSES, urgency, since=since), urgency)
            return
        self._standing.server_time = None
        found: dict[str, MatterRow] = {}
        began: datetime | None = None
        for row in self._listed(OPEN, urgency):
            began = began or self._standing.server_time
            found[row.id] = row
        if len(found) >= PAGE and began is not None:
            found |= {row.id: row for row in self._listed(STATUSES, urgency, since=began - _MARGIN)}
        yield from self._as_matters((row for row in found.values() if row.is_open), urgency)

    def matter(self, number: str, *, urgency: Urgency = Urgency.PERSON) -> Matter | None:
        """Smokeball's search finds the text in names and descriptions as well, so the number is compared. Of several with one
        number an open one counts, then one that was not deleted. An id is taken for a number too: some matters have none."""
        wanted = number.strip()
        if not wanted:
            return None
        best: MatterRow | None = None
        for row in self._listed(STATUSES, urgency, search=wanted):
            if row.number.casefold() == wanted.casefold() and (best is None or _rank(row, wanted) < _rank(best, wanted)):
                best = row
                if row.is_open and row.number == wanted:
                    break
        if best is None and len(wanted) >= 32 and is_id(wanted):
            best = self._by_id(wanted, urgency)
        return None if best is None else next(iter(self._as_matters([best], urgency)))

    def client(self, client_id: str, *, urgency: Urgency = Urgency.PERSON) -> ClientDetails | None:
        if not is_id(client_id):
            return None
        try:
            found = record(self._contacts.read(f"contacts/{client_id}", "", urgency))
        except Refused:
            return None
        return client_details(found)

    def staff(self, *, urgency: Urgency = Urgency.BACKGROUND) -> tuple[Staff, ...]:
        return self._people.all_staff(urgency)

    def cost_codes(self, *, urgency: Urgency = Urgency.PERSON) -> tuple[CostCode, ...]:
        """The activity codes that are for expenses."""
        return tuple(code for each in rows(self._codes, "activitycodes", (), urgency) if (code := cost_code(each)) is not None)

    def costs(self, matter: MatterRef, *, urgency: Urgency = Urgency.READ_BACK) -> tuple[PostedCost, ...]:
        key = _addressed(matter.id)

        def read() -> tuple[PostedCost, ...]:
            listed = rows(self._expenses, f"matters/{key}/expenses", (), urgency)
            found = (posted_cost(each, cost_of=self._cost_of, zone=self._zone) for each in listed)
            return tuple(one for one in found if one is not None)

        return self._in_matter(key, "expenses/read", urgency, read)

    def documents(self, matter: MatterRef, *, urgency: Urgency = Urgency.READ_BACK) -> tuple[PostedDocument, ...]:
        key = _addressed(matter.id)
        return self._in_matter(key, "documents/read", urgency, lambda: self._files.listed(key, urgency))

    def post_cost(self, line: CostLine, *, urgency: Urgency = Urgency.SEND) -> Receipt:
        """No staff member is named: Smokeball takes the one who is signed in (vendor docs)."""
        key = _addressed(line.matter_id)
        body = expense_body(line, zone=self._zone, taxes=self._taxes)

        def post() -> Receipt:
            path = f"matters/{key}/expenses"
            return Receipt(told_id(self._expense_writes.write(path, body, urgency, done=lambda found: bool(told_id(found)))))

        return self._in_matter(key, "expenses/write", urgency, post)

    def post_document(self, document: Document, *, urgency: Urgency = Urgency.SEND) -> Receipt:
        key = _addressed(document.matter_id)
        most = self.capabilities.max_document_bytes
        if len(document.content) > most:
            size = len(document.content) / 1_000_000
            raise Refused(
                f"The document has {size:.1f} MB; at most {most / 1_000_000:.1f} MB are sent to Smokeball. "
                "Add it to the matter by hand.",
                status=413,
            )
        return self._in_matter(key, "documents/write and matters/write", urgency, lambda: self._files.post(document, urgency))

    def check_access(self) -> tuple[AccessFinding, ...]:
        """The rights to write are not tried: nothing harmless would."""
        if not self._has_key:
            cure = "The firm's IT enters smokeball.api_key in platform.toml; the key stands beside the app in the console."
            return (AccessFinding("API key", Finding.MISSING, "Smokeball wants an API key, and none is set.", cure),)
        first: list[str] = []

        def matters() -> None:
            found = record(self._matters.read("matters", "?Limit=1&Type=Matters&Status=Open", Urgency.PERSON))
            listed = found.get("value")
            if isinstance(listed, list) and listed and (row := matter_row(record(listed[0]))) is not None:
                first.append(row.id)

        def within(calls: SmokeballCalls, path: str) -> Callable[[], object]:
            return lambda: [calls.read(f"matters/{key}/{path}", "?Limit=1", Urgency.PERSON) for key in first]

        tries: tuple[tuple[str, str, Callable[[], object]], ...] = (
            ("Firm", "the firm", lambda: self._firm.read("firm", "", Urgency.PERSON)),
            ("Matters", "matters", matters),
            ("Contacts", "contacts", lambda: self._contacts.read("contacts", "?Limit=1", Urgency.PERSON)),
            ("Staff", "the staff list", lambda: self._staff.read("staff", "?Limit=1", Urgency.PERSON)),
            ("Activity codes", "the activity codes", lambda: self._codes.read("activitycodes", "?Limit=1", Urgency.PERSON)),
            ("Expenses", "a matter's expenses", within(self._expenses, "expenses")),
            ("Documents", "a matter's documents", within(self._documents, "documents/files")),
        )
        return tuple(_tried(*each) for each in tries)

    # matters

    def _listed(
        self, statuses: Iterable[str], urgency: Urgency, *, since: datetime | None = None, search: str = ""
    ) -> Iterator[MatterRow]:
        filters: list[tuple[str, str]] = [("Type", "Matters"), *(("Status", status) for status in statuses)]
        if since is not None:
            # Fractions of a second are turned away (public client code).
            filters.append(("LastUpdated", since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")))
        if search:
            filters.append(("Search", search))
        wanted = {status.lower() for status in statuses}
        for row in self._rows(filters, urgency, searched=bool(search)):
            if row.status.lower() in wanted or set(STATUSES) <= set(statuses):
                yield row

    def _rows(self, filters: Filters, urgency: Urgency, *, searched: bool) -> Iterator[MatterRow]:
        most = {"most_pages": _MOST_SEARCHED} if searched else {}
        for each in rows(self._matters, "matters", filters, urgency, **most):
            row = matter_row(each)
            if row is not None:
                yield row

    def _by_id(self, matter_id: str, urgency: Urgency) -> MatterRow | None:
        try:
            return matter_row(record(self._matters.read(f"matters/{matter_id}", "", urgency)))
        except Refused:
            return None

    def _as_matters(self, found: Iterable[MatterRow], urgency: Urgency) -> Iterator[Matter]:
        listed = list(found)
        names = self._people.clients((key for row in listed for key in row.clients), urgency)
        staff = self._people.staff((key for row in listed for key in row.staff), urgency)
        for row in listed:
            known = [(key, names[key]) for key in row.clients if names.get(key)]
            yield Matter(
                system=self.name,
                tenant=self._tokens.tenant,
                id=row.id,
                number=row.number,
                name=row.title or row.description or row.number,
                client=" & ".join(name for _, name in known),
                client_id=known[0][0] if known else next(iter(row.clients), ""),
                state=row.status,
                staff=tuple(staff[key] for key in row.staff if key in staff),
                description=row.description,
                is_open=row.is_open,
            )

    # costs and documents

    def _cost_of(self, price: Decimal) -> Decimal:
        return cost_without_markup(price, self._markup)

    def _in_matter(self, matter_id: str, right: str, urgency: Urgency, call: Callable[[], _T]) -> _T:
        """A 403 on a matter may mean this matter alone, and then everybody else's deliveries must not wait for it. That is so
        where other matters are in reach (so key and sign-in are good), and this one is not, or the right works for others."""
        try:
            return call()
        except Forbidden as error:
            if self._is_turned_away("matters", "?Limit=1&Type=Matters", urgency) is False and (
                self._standing.has(right) or self._is_turned_away(f"matters/{matter_id}", "", urgency)
            ):
                raise Refused(f"{error} This person may not see or change this matter.", status=403) from error
            raise

    def _is_turned_away(self, path: str, tail: str, urgency: Urgency) -> bool | None:
        """None where other trouble left it open."""
        try:
            self._matters.read(path, tail, urgency)
        except (AccessMissing, Refused):
            return True
        except ServiceError:
            return None
        return False


def _addressed(matter_id: str) -> str:
    if not is_id(matter_id):
        raise Refused("This matter has no id that Smokeball could be asked for. Refresh the matters and choose it again.")
    return matter_id


def _rank(row: MatterRow, wanted: str) -> tuple[bool, bool, bool]:
    return not row.is_open, not row.is_live, row.number != wanted


def _tried(right: str, what: str, call: Callable[[], object]) -> AccessFinding:
    try:
        done = call()
    except AccessMissing as error:
        return AccessFinding(right, Finding.MISSING, f"Smokeball does not let us read {what}.", error.cure)
    except SignedOut as error:
        return AccessFinding(right, Finding.MISSING, str(error), "Connect to Smokeball again.")
    except NotNow as error:
        return AccessFinding(right, Finding.UNKNOWN, str(error), "Put that right and try again.")
    except (NotSent, AnswerLost, BadAnswer) as error:
        cure = "Try again in a few minutes. If it stays so, the firm's IT checks smokeball.region in platform.toml."
        return AccessFinding(right, Finding.UNKNOWN, f"Reading {what} did not work: {error}", cure)
    except Refused as error:
        cure = "The firm's IT checks smokeball.region and smokeball.api_url in platform.toml: they must be the app's own."
        return AccessFinding(right, Finding.UNKNOWN, f"Reading {what} did not work: {error}", cure)
    except ServiceError as error:
        return AccessFinding(right, Finding.UNKNOWN, f"Reading {what} did not work: {error}", "Try again in a few minutes.")
    if done == []:
        return AccessFinding(right, Finding.UNKNOWN, "There is no open matter to try this with.", "")
    return AccessFinding(right, Finding.OK)
