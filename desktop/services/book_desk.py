"""What a bookkeeper and an auditor ask: does the supplier's invoice agree with the books, and who did what when."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from desktop.services.desk import ActionFailed
from desktop.services.ledger import order_lists
from desktop.services.ledger.ledger import Ledger
from desktop.services.ledger.list_model import OrderQuery
from desktop.services.ledger.model import DeliveryKind, DeliveryState
from desktop.services.ledger.purged import Purged, purged
from desktop.services.ledger.statement import StatementRow
from desktop.services.practice_systems import title_of
from desktop.services.reconcile.comparison import Known, Posted, Reconciliation, reconcile
from desktop.services.reconcile.invoice import BadInvoice, read_invoice
from desktop.services.tables import write_table

T = TypeVar("T")

_MOVING = frozenset({DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.UNKNOWN, DeliveryState.ACCEPTED})

_STATEMENT = (
    "order", "key", "kind", "state", "service", "reference", "ordered by", "ordered at", "started", "system", "matter",
    "amount ex GST", "GST", "amount inc GST", "unit cost", "unit price", "cost code", "description", "date of the line",
    "planned at", "sent at", "read back at", "attempts", "last moved by", "number at the practice system", "remark",
)  # fmt: skip
_TRAIL = ("step", "at (UTC)", "order", "key", "what", "from", "to", "reason", "by", "hash")
_RECONCILED = (
    "order", "verdict", "service", "matter", "system", "invoice ex GST", "invoice GST", "invoice inc GST", "posted ex GST",
    "posted GST", "posted inc GST", "difference", "invoice lines", "rows in the file", "keys", "remark",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Exported:
    """What an audit export wrote. `bad_step` is the first step of the trail that was tampered with, None when it is whole;
    `head` is the hash of its last step: kept elsewhere, it proves later that nothing was cut off. `purged`: what was taken out
    of the trail by the settings, so that no step of it was written."""

    deliveries: int
    steps: int
    trail_file: Path
    bad_step: int | None
    head: str
    purged: Purged | None = None


class BookDesk:
    """`tenants` gives the firms that are signed in now as (system, tenant). `zone` is the firm's."""

    def __init__(self, ledger: Ledger, *, tenants: Callable[[], frozenset[tuple[str, str]]], zone: Callable[[], ZoneInfo]) -> None:
        self._ledger = ledger
        self._tenants = tenants
        self._zone = zone

    def reconcile(self, file: Path, columns: Mapping[str, str] | None = None) -> Reconciliation:
        """Reads no network. Raises ActionFailed with what to do when the file is no invoice."""
        try:
            invoice = read_invoice(file, columns)
        except BadInvoice as error:
            raise ActionFailed(str(error)) from error
        posted: list[Posted] = []
        given_up = set[str]()
        for row in self._ledger.statement():
            if row.kind is not DeliveryKind.COST:
                continue
            if row.state is DeliveryState.CANCELLED:
                given_up.add(row.order_id)
            elif row.net is not None:
                posted.append(_posted(row))
        with self._ledger.reading() as db:
            known = Known(
                frozenset(order_lists.listed(db, OrderQuery())),
                frozenset(order_lists.listed(db, OrderQuery(without_matter=True))),
                frozenset(given_up),
            )
        return reconcile(invoice, posted, tenants=self._tenants(), known=known)

    def export_reconciliation(self, found: Reconciliation, file: Path) -> int:
        """Raises ActionFailed."""
        return written(
            file,
            lambda: write_table(
                file,
                _RECONCILED,
                (
                    (
                        order.order_id, order.verdict.value, order.service, order.matter, _titled(order.system),
                        order.invoiced.net, order.invoiced.gst, order.invoiced.total, order.posted.net, order.posted.gst,
                        order.posted.total, order.difference, order.lines, " ".join(map(str, order.rows)), " ".join(order.keys),
                        order.reason,
                    )
                    for order in found.orders
                ),
            ),
        )  # fmt: skip

    def export_audit(self, file: Path) -> Exported:
        """Writes a row for each cost and document to `file`, and each step of the trail with its hash to a file beside it.
        The trail's chain is checked first. Raises ActionFailed."""
        bad = self._ledger.first_bad_step()
        with self._ledger.reading() as db:
            taken_out = purged(db)
        steps_file = file.with_name(f"{file.stem}-steps{file.suffix or '.csv'}")
        deliveries = written(file, lambda: write_table(file, _STATEMENT, self._statement_rows()))
        head = ""

        def steps() -> Iterator[tuple[object, ...]]:
            nonlocal head
            for step in self._ledger.trail():
                head = step.hash
                yield (
                    step.number, step.at, step.order_id, step.key, step.what, step.from_state, step.to_state, step.reason, step.by,
                    step.hash,
                )  # fmt: skip

        count = written(steps_file, lambda: write_table(steps_file, _TRAIL, steps()))
        return Exported(deliveries, count, steps_file, bad, head, taken_out)

    def firms_time(self, at: datetime) -> str:
        """A moment as the firm's own time, to the second, with its zone."""
        return at.astimezone(self._zone()).isoformat(timespec="seconds")

    def _statement_rows(self) -> Iterator[tuple[object, ...]]:
        zone = self._zone()
        for row in self._ledger.statement():
            ordered, planned, sent, seen = (
                "" if at is None else at.astimezone(zone).isoformat(timespec="seconds")
                for at in (row.ordered_at, row.created_at, row.sent_at, row.seen_at)
            )
            whole = None if row.net is None or row.gst is None else row.net + row.gst
            yield (
                row.order_id, row.key, row.kind.value, row.state.value, row.service, row.reference, row.ordered_by, ordered,
                row.origin, _titled(row.system), row.matter_number, row.net, row.gst, whole, row.cost, row.price, row.code,
                row.description, row.on, planned, sent, seen, row.attempts, row.by, row.remote_id, row.reason,
            )  # fmt: skip


def _titled(system: str) -> str:
    return title_of(system) if system else ""


def _posted(row: StatementRow) -> Posted:
    assert row.net is not None
    return Posted(
        order_id=row.order_id,
        key=row.key,
        net=row.net,
        gst=row.gst if row.gst is not None else row.net * 0,
        stands=row.state is DeliveryState.CONFIRMED,
        moving=row.state in _MOVING,
        matter=row.matter_number,
        system=row.system,
        tenant=row.tenant,
        reason=row.reason,
        service=row.service,
        on=row.on,
        old_matter=row.left_behind,
    )


def written(file: Path, write: Callable[[], T]) -> T:
    """Raises ActionFailed where the disk does not take it."""
    try:
        return write()
    except OSError as error:
        raise ActionFailed(f"{file} can't be written: {error.strerror or error}. Choose another folder.") from error
