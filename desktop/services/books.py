"""What the windows ask of the books, as one protocol: lists of any length, previews, the supplier's invoice, the trail, and
the bundle for support.

Every value is a frozen snapshot; times are aware UTC; money is Decimal. Everything belongs off the GUI thread; what is marked
«network» may wait for a vendor, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from desktop.services.ledger.list_model import AuditLine as AuditLine
from desktop.services.ledger.list_model import OrderQuery as OrderQuery
from desktop.services.ledger.list_model import OrderSums as OrderSums
from desktop.services.ledger.list_model import TrailStep as TrailStep
from desktop.services.ledger.model import DeliveryKind, OrderView

if TYPE_CHECKING:
    from desktop.services.reconcile.comparison import Reconciliation
    from desktop.services.support_bundle import Bundle


@dataclass(frozen=True, slots=True)
class Preview:
    """One posting as it will stand in the firm's books once it is approved, and why it is so.

    `cost` is the unit cost there (with GST where the firm's settings say so), `price` what the client is charged, with
    `markup_percent` on the cost. `rule` says in words how the GST was split. `reason` is why it waits. `closed`: the matter is
    closed by what this PC knows, so the practice system may refuse the line."""

    key: str
    kind: DeliveryKind
    order_id: str
    service: str
    reference: str
    system: str
    matter_number: str
    matter_name: str
    client: str
    code: str
    description: str
    net: Decimal | None
    gst: Decimal | None
    cost: Decimal | None
    price: Decimal | None
    markup_percent: Decimal | None
    billable: bool
    on: date | None
    rule: str
    reason: str
    closed: bool = False


@dataclass(frozen=True, slots=True)
class AuditAnswer:
    """All that the books know of one order. `order` is None when no such order was ever reported."""

    order_id: str
    order: OrderView | None = None
    lines: tuple[AuditLine, ...] = ()
    steps: tuple[TrailStep, ...] = ()


@dataclass(frozen=True, slots=True)
class TrailCheck:
    """`bad_step` is the first that was changed, taken out or cut off; None when the trail is whole. `head` is its last hash:
    kept elsewhere, it proves later that nothing was cut off. `purged` says what the settings had taken out, empty for nothing;
    `steps` are those that are left, written between `first_at` and `last_at` (aware; None where there is no step)."""

    steps: int
    bad_step: int | None
    head: str
    purged: str = ""
    first_at: datetime | None = None
    last_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditFiles:
    """What an export wrote. `purged` says what the settings had taken out of the trail, empty for nothing."""

    deliveries: int
    steps: int
    file: Path
    trail_file: Path
    bad_step: int | None
    head: str
    purged: str = ""


class Books(Protocol):
    """Raises ActionFailed with a sentence for a person, and nothing else on purpose."""

    # orders, however many
    def list_orders(self, wanted: OrderQuery) -> tuple[str, ...]:
        """The numbers of the orders that fit, newest first, without a limit."""
        ...

    def sum_orders(self, wanted: OrderQuery) -> OrderSums: ...

    def orders_by_id(self, order_ids: Sequence[str]) -> tuple[OrderView, ...]:
        """Those that are there, in the order asked for, with deliveries, without steps and suggestions."""
        ...

    def export_orders(self, wanted: OrderQuery, file: Path) -> int:
        """Writes a row for each order of the list. Gives how many."""
        ...

    def previews(self, wanted: OrderQuery) -> tuple[Preview, ...]:
        """Every posting of the list that waits for approval."""
        ...

    def document(self, key: str) -> Path:
        """Network: a document's file, for a viewer on this PC: the copy kept here, or fetched from InfoTrack again."""
        ...

    def job_address(self, system: str, matter_id: str) -> str:
        """The web address at which the practice system shows a matter; empty where none is known."""
        ...

    # the supplier's invoice
    def invoice_columns(self) -> Mapping[str, str]:
        """How the supplier's invoice names its columns, as the person said: our name to the file's own."""
        ...

    def keep_invoice_columns(self, columns: Mapping[str, str]) -> None: ...

    def invoice_headings(self, file: Path) -> tuple[str, ...]:
        """The names in the row that looks most like a heading."""
        ...

    def reconcile(self, file: Path, columns: Mapping[str, str] | None = None) -> Reconciliation: ...

    def export_reconciliation(self, found: Reconciliation, file: Path) -> int: ...

    # the trail
    def audit(self, order_id: str) -> AuditAnswer: ...

    def trail_page(self, before: int | None, limit: int) -> tuple[TrailStep, ...]:
        """The newest first; those before step number `before`, or the last ones."""
        ...

    def check_trail(self) -> TrailCheck:
        """Reads the whole trail: seconds for a million steps."""
        ...

    def export_trail(self, file: Path) -> AuditFiles: ...

    # support
    def gather_diagnostics(self) -> Bundle:
        """Network, for seconds at most."""
        ...

    def save_diagnostics(self, bundle: Bundle, file: Path) -> None: ...
