"""InfoTrack's nouns as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Fee:
    """One fee group of an order: without GST, GST, with GST. Two places each."""

    net: Decimal
    gst: Decimal
    total: Decimal


@dataclass(frozen=True, slots=True)
class OrderMessage:
    """One order message, as told. Empty text and None mean: not told.

    `order_id` is digits without leading zeros. Times are aware UTC. `sequence` is the message's own SequenceNumber or the
    feed's, None where there is none. `problems` names, in plain words, what in the fees could not be read: such an order's
    costs wait as held, its document does not."""

    order_id: str
    parent_id: str = ""
    client_reference: str = ""
    retailer_reference: str = ""
    reference: str = ""
    service: str = ""
    description: str = ""
    billing_type: str = ""
    ordered_by: str = ""
    email: str = ""
    ordered_at: datetime | None = None
    completed_at: datetime | None = None
    status: str = ""
    status_message: str = ""
    retailer: Fee | None = None
    supplier: Fee | None = None
    total: Fee | None = None
    is_billable: bool | None = None
    available_online: bool | None = None
    online_url: str = ""
    download_url: str = ""
    file_hash: str = ""
    sequence: int | None = None
    client_account: str = ""
    problems: tuple[str, ...] = ()


class Source(StrEnum):
    """How a message reached this PC."""

    FOLDER = "folder"
    FEED = "feed"
    FILE = "file"
    TYPED = "typed"


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message with the bytes it came as. `matter_number` only for a typed one: the matter that the person named;
    `file_name` and `file` likewise, when a PDF came with it."""

    message: OrderMessage
    raw: bytes
    source: Source
    matter_number: str = ""
    file_name: str = ""
    file: bytes | None = None


@dataclass(frozen=True, slots=True)
class RetailerReference:
    """`<tag>_<installation>|<system>|<matter id>`, taken apart."""

    tag: str
    installation: str
    system: str
    matter_id: str


@dataclass(frozen=True, slots=True)
class FetchedFile:
    """A result file that was proved to be one: not empty, not a login page, of the type that `extension` (with dot) says."""

    content: bytes
    extension: str
    content_type: str


@dataclass(frozen=True, slots=True)
class OrderLink:
    """A one-time link that signs the opener in. Never stored, logged or put on a command line; its repr hides it."""

    url: str

    def __repr__(self) -> str:
        return "OrderLink(<hidden>)"
