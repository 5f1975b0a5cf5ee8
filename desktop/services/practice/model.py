"""The practice systems' nouns as frozen values. No I/O, no vendor's spelling."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum


@dataclass(frozen=True, slots=True)
class Staff:
    """A member of the firm's staff. `id` is the practice system's own; `email` may be empty."""

    id: str
    name: str
    email: str = ""


DELETED = "Deleted"
"""The state of a matter that the vendor calls deleted. Smokeball says it by this word."""


@dataclass(frozen=True, slots=True)
class Matter:
    """A matter (job). `number` is what people say and what goes into the books; `id` is stable and machine-made
    (the number itself where the vendor's list gives none). `state` is the firm's own word: show it, never branch on it;
    only DELETED, for one that is not open, is ours and says that the vendor called it deleted.
    `is_open` is None where the answer did not tell (a single job asked for by number)."""

    system: str
    tenant: str
    id: str
    number: str
    name: str
    client: str = ""
    client_id: str = ""
    state: str = ""
    staff: tuple[Staff, ...] = ()
    description: str = ""
    is_open: bool | None = True

    @property
    def is_deleted(self) -> bool:
        return self.is_open is False and self.state == DELETED


@dataclass(frozen=True, slots=True)
class MatterHit:
    """A found matter. `mine`: the signed-in person is on it; `recent`: ordered for or opened here lately."""

    matter: Matter
    score: float
    mine: bool = False
    recent: bool = False


@dataclass(frozen=True, slots=True)
class PostalAddress:
    """As the practice system keeps it; every part may be empty."""

    street: str = ""
    suburb: str = ""
    state: str = ""
    post_code: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class ClientDetails:
    """What is known of a matter's client, for filling in an order. Everything but the name may be empty.

    `acn` and `abn` hold digits only and are given only when their length is right (9 and 11)."""

    id: str
    name: str
    acn: str = ""
    abn: str = ""
    email: str = ""
    phone: str = ""
    address: PostalAddress = PostalAddress()
    contacts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CostCode:
    """An entry of the firm's cost catalogue. `code` may be empty and need not be unique."""

    id: str
    code: str
    description: str
    unit_cost: Decimal | None = None
    unit_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class CostLine:
    """A cost to be posted, complete: the adapter adds nothing and decides nothing.

    `key` is the delivery key, which is also the last word of `note`. `on` is the firm's own calendar day.
    `unit_cost` and `unit_price` have two places; negative for a credit; quantity is always 1. `gst` is the GST of the fee
    that the line recovers (of `unit_cost`), with the line's sign; `gst_included` says whether `unit_cost` and `unit_price`
    hold it already; `taxed` whether the fee carries GST at all. Systems that reckon the tax themselves ignore all three."""

    key: str
    matter_number: str
    matter_id: str
    on: date
    description: str
    code: str
    note: str
    unit_cost: Decimal
    unit_price: Decimal
    billable: bool
    gst: Decimal = Decimal("0.00")
    gst_included: bool = False
    taxed: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """A document to be posted. `text` ends with the key; `content` is the whole file."""

    key: str
    matter_number: str
    matter_id: str
    title: str
    text: str
    folder: str
    file_name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class PostedCost:
    """A cost as it stands in the books. `keys` are the delivery keys found in its note, in the order they stand there."""

    remote_id: str
    keys: tuple[str, ...]
    description: str
    code: str
    note: str
    quantity: Decimal
    unit_cost: Decimal
    unit_price: Decimal
    billable: bool | None = None
    on: date | None = None


@dataclass(frozen=True, slots=True)
class PostedDocument:
    """A document as the job lists it. XPM gives no id, size or hash: `remote_id` is its URL or empty."""

    remote_id: str
    keys: tuple[str, ...]
    title: str
    text: str
    folder: str
    file_name: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """The remote said yes. `remote_id` only if its answer told; a receipt alone never makes a delivery confirmed."""

    remote_id: str = ""


class Finding(Enum):
    """What a test of one right found."""

    OK = "ok"
    MISSING = "missing"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class AccessFinding:
    """One right, found by trying it. `cure` is empty when all is well."""

    right: str
    finding: Finding
    message: str = ""
    cure: str = ""
