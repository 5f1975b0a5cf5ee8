"""What a person can see and do, as one protocol: the command line and the windows know nothing else of the services.

Every value here is a frozen snapshot. Methods marked «network» may take seconds and belong off the GUI thread; the rest
answer from local data within a few milliseconds. Times are aware UTC; money is Decimal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from desktop.services.advice import Advice
from desktop.services.books import Books
from desktop.services.ledger.model import DeliveryState, OrderView
from desktop.services.practice.model import AccessFinding, CostCode, Matter
from desktop.services.practice.model import MatterHit as MatterHit


class ConnectionState(StrEnum):
    DISCONNECTED = "disconnected"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    ATTENTION = "attention"


@dataclass(frozen=True, slots=True)
class ConnectionView:
    """A practice system's connection. `system` is its contract name, `title` what people call it. `problem` and `cure`
    are empty when all is well. `offline`: signed in, but its last calls could not reach the vendor. `renewal` says when a
    sign-in that no use prolongs may lapse, empty for others; `renew_soon`: that day is near or past."""

    system: str
    title: str
    state: ConnectionState
    tenant: str = ""
    user: str = ""
    since: datetime | None = None
    problem: str = ""
    cure: str = ""
    offline: bool = False
    renewal: str = ""
    renew_soon: bool = False


@dataclass(frozen=True, slots=True)
class InfoTrackView:
    """`state` is disconnected, connected or attention (credentials rejected)."""

    state: ConnectionState
    user: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """Everything that `iconnect status` and the tray icon show. `deliveries` names every state."""

    installation: str
    connections: tuple[ConnectionView, ...]
    infotrack: InfoTrackView
    deliveries: Mapping[DeliveryState, int]
    waiting_for_person: int
    matters: int
    refreshed_at: datetime | None
    refreshing: bool = False
    budget: Mapping[str, object] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    crash_reports: int = 0


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """Which orders to list; None and empty mean «any». `matter` is a number."""

    matter: str = ""
    order_id: str = ""
    state: DeliveryState | None = None
    waiting_for_person: bool = False
    limit: int = 500


@dataclass(frozen=True, slots=True)
class TypedResult:
    """An order's result typed in by a person (contracts, section 2, `results add`)."""

    order_id: str
    matter_number: str
    service: str
    reference: str = ""
    retailer_fee: Decimal | None = None
    retailer_gst: Decimal | None = None
    supplier_fee: Decimal | None = None
    supplier_gst: Decimal | None = None
    file: Path | None = None


@dataclass(frozen=True, slots=True)
class Tenant:
    """An organisation that the person may choose at sign-in."""

    id: str
    name: str


class ActionFailed(Exception):
    """A person's action could not be done. The message says why and what to do; nothing was changed or lost."""


class NotConnected(ActionFailed):
    """It needs a sign-in (to the practice system or to InfoTrack) that is not there or does not count any more."""


@dataclass(frozen=True, slots=True)
class SignInSteps:
    """What sign-in needs from the outside: all called on the worker's thread.

    `open_browser` gets the address and says whether a browser opened. `choose_tenant` is asked only when the facts leave
    more than one; None cancels. `show_tenant` is told the organisation's name before anything is written. `cancelled` is
    asked often.

    For vendors that take only an https redirect: `window_opens` is told that the sign-in window comes up instead of a browser.
    With `paste` there is no window: the address goes to `open_browser`, and `paste` gets the registered redirect and a question
    whether to give up, and gives the whole address at which the person's browser ended, or None."""

    open_browser: Callable[[str], bool]
    choose_tenant: Callable[[Sequence[Tenant]], Tenant | None]
    show_tenant: Callable[[Tenant], None]
    cancelled: Callable[[], bool]
    window_opens: Callable[[], None] = lambda: None
    paste: Callable[[str, Callable[[], bool]], str | None] | None = None


class Desk(Protocol):
    """One profile's services. Methods raise ActionFailed (with a sentence for a person) and nothing else on purpose."""

    def status(self) -> Status: ...

    @property
    def books(self) -> Books:
        """Long lists, previews, the supplier's invoice, the trail, and the bundle for support."""
        ...

    @property
    def advice(self) -> Advice:
        """What a person should know before a search is ordered."""
        ...

    # matters
    def find_matters(self, text: str, limit: int = 50) -> tuple[MatterHit, ...]:
        """Best first, from the local copy; an empty text gives recent and mine. Meant for every key press."""
        ...

    def ask_for_matter(self, number: str) -> Matter | None:
        """Network: asks the connected practice systems for a number that the local copy does not hold."""
        ...

    def refresh_matters(self) -> int:
        """Network: refreshes the local copy of every connected system; gives how many matters it then holds."""
        ...

    # orders
    def order(self, matter: Matter) -> None:
        """Network: asks InfoTrack for a link and opens the order window (a process of its own) for this matter."""
        ...

    def orders(self, wanted: OrderFilter) -> tuple[OrderView, ...]:
        """Newest first, with deliveries, without steps and suggestions."""
        ...

    def order_view(self, order_id: str) -> OrderView | None:
        """One order with its whole path and, if nothing claims it, suggestions."""
        ...

    def add_result(self, result: TypedResult) -> None: ...

    def import_results(self, files: Sequence[Path]) -> int:
        """Gives how many messages were recorded. A file that can't be read raises ActionFailed naming it; the others count."""
        ...

    # deliveries: what the buttons do
    def retry(self, key: str) -> None: ...

    def approve(self, key: str) -> None: ...

    def cancel(self, key: str) -> None: ...

    def move(self, order_id: str, matter: Matter) -> None: ...

    def take_over(self, order_id: str) -> None: ...

    def deliver_now(self) -> None:
        """Wakes the courier."""
        ...

    # connections
    def connect(self, system: str, steps: SignInSteps) -> ConnectionView:
        """Network; bounded to five minutes and cancellable."""
        ...

    def disconnect(self, system: str) -> str:
        """Network: revokes, then forgets; forgets also when revoking fails. Gives a sentence that says which."""
        ...

    def check_access(self, system: str) -> tuple[AccessFinding, ...]:
        """Network."""
        ...

    def sign_in_to_infotrack(self, user: str, password: str) -> InfoTrackView:
        """Network: checks first, keeps in the keyring only what was accepted. Where there is no usable keyring the login lasts
        as long as this process, and the view's `problem` says so."""
        ...

    def sign_out_of_infotrack(self) -> None: ...

    def cost_codes(self, system: str) -> tuple[CostCode, ...]:
        """Network."""
        ...
