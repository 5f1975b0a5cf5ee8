"""What the tray process and the order window say to each other: one JSON line each, over the window's standard input and output.

The first line in is `OrderWindowStart`; every later line in is one of `Command`; every line out is one of `Event`.
Lines that are too long or don't fit are dropped by whoever reads them: what comes out of the window has touched the web.
Nothing here is ever on a command line, in the environment or in a log.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from desktop.services.window_protocol import MOST_LINE_BYTES as MOST_LINE_BYTES
from desktop.services.window_protocol import WindowStart, read_line

PASSING_FOLDER = "order-browser-"
"""Begins the name of the folder, in the profile folder, that a window with extra authorities keeps while it runs; its process
number follows."""


class OrderWindowStart(WindowStart, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that the window needs.

    `hosts` is `infotrack.hosts`; `sign_in_addresses` are the practice systems' authorize addresses, refused here (A1)."""

    link: str
    matter_number: str
    matter_name: str = ""
    client_name: str = ""
    system_title: str = ""
    hosts: tuple[str, ...] = ("infotrack.com.au",)
    download_folder: str
    sign_in_addresses: tuple[str, ...] = ()
    load_timeout_seconds: float = 60
    hang_timeout_seconds: float = 20
    most_download_bytes: int = 200_000_000
    results_come_by_themselves: bool = True
    automation: bool = False

    def __repr__(self) -> str:
        return "OrderWindowStart(<hidden>)"


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event"):
    """Base of what the window tells."""


class Opened(Event, frozen=True, kw_only=True, tag="opened"):
    """The window is on the screen."""

    pid: int
    sandboxed: bool = True
    software_rendering: bool = False


class PageLoaded(Event, frozen=True, kw_only=True, tag="page-loaded"):
    """A page of the site finished loading. Only its host is told: an address can sign somebody in."""

    host: str
    ok: bool
    first: bool = False


class DownloadSaved(Event, frozen=True, kw_only=True, tag="download-saved"):
    """A file was saved by the person: `path` is in the download folder, `suggested_name` is already made safe."""

    path: str
    suggested_name: str
    content_type: str
    size: int


class DownloadRefused(Event, frozen=True, kw_only=True, tag="download-refused"):
    """A download was not saved; `reason` is a sentence."""

    reason: str


class OfferedToMatter(Event, frozen=True, kw_only=True, tag="offered-to-matter"):
    """The person pressed «Add to matter» for a saved PDF and named the order. Amounts are decimal text or empty.
    Answer with `Answer(to=id)`."""

    id: int
    path: str
    suggested_name: str
    content_type: str
    order_id: str
    service: str
    reference: str = ""
    retailer_fee: str = ""
    retailer_gst: str = ""
    supplier_fee: str = ""
    supplier_gst: str = ""


class FeesTyped(Event, frozen=True, kw_only=True, tag="fees-typed"):
    """The person typed in an order's fees. Answer with `Answer(to=id)`."""

    id: int
    order_id: str
    service: str
    reference: str = ""
    retailer_fee: str = ""
    retailer_gst: str = ""
    supplier_fee: str = ""
    supplier_gst: str = ""


class NewLinkWanted(Event, frozen=True, kw_only=True, tag="new-link-wanted"):
    """The person asks for a fresh sign-in link: answer with `OpenLink` or with `Answer(to=id, ok=False, message=…)`."""

    id: int


class Blocked(Event, frozen=True, kw_only=True, tag="blocked"):
    """Something was stopped. `kind` is navigation, resource, popup, permission, certificate, download or sign-in."""

    kind: str
    host: str = ""
    reason: str = ""


class OpenedOutside(Event, frozen=True, kw_only=True, tag="opened-outside"):
    """The person agreed to open an address in the system browser."""

    host: str


class Crashed(Event, frozen=True, kw_only=True, tag="crashed"):
    """`where` is page (the window lives and offers to reload), hang, or process (the window is gone)."""

    where: str
    reason: str = ""


class Closed(Event, frozen=True, kw_only=True, tag="closed"):
    """The window is gone. Always the last event, also after a crash (then `Crashed(where="process")` came before)."""

    exit_code: int = 0


class Done(Event, frozen=True, kw_only=True, tag="done"):
    """Answer to an automation command. `value` is what was read."""

    id: int
    ok: bool
    value: str = ""
    error: str = ""


AnyEvent = (
    Opened
    | PageLoaded
    | DownloadSaved
    | DownloadRefused
    | OfferedToMatter
    | FeesTyped
    | NewLinkWanted
    | Blocked
    | OpenedOutside
    | Crashed
    | Closed
    | Done
)


class Command(msgspec.Struct, frozen=True, kw_only=True, tag_field="tell"):
    """Base of what the tray process tells the window."""


class BringForward(Command, frozen=True, kw_only=True, tag="bring-forward"):
    pass


class Close(Command, frozen=True, kw_only=True, tag="close"):
    """Closes the window as if the person had done it."""


class Answer(Command, frozen=True, kw_only=True, tag="answer"):
    """How an `OfferedToMatter`, `FeesTyped` or `NewLinkWanted` went; `message` is a sentence for the person."""

    to: int
    ok: bool
    message: str = ""


class OpenLink(Command, frozen=True, kw_only=True, tag="open-link"):
    """A fresh one-time link for this window's matter."""

    link: str

    def __repr__(self) -> str:
        return "OpenLink(<hidden>)"


class Do(Command, frozen=True, kw_only=True, tag="do"):
    """One automation step; refused unless the window was started with `automation`. `do` is one of

    - click, fill, choose, read, wait, count: in the page, by `css` (and `text` for fill, choose and a text to wait for);
    - press, type, labels: in the window's own widgets, by accessible `name`;
    - shot: saves the window's picture to `path`; state: what the window shows, as JSON;
    - script: runs `text` in a world of its own in the page and gives its value as JSON.
    """

    id: int
    do: Literal["click", "fill", "choose", "read", "wait", "count", "press", "type", "labels", "shot", "state", "script"]
    css: str = ""
    text: str = ""
    name: str = ""
    path: str = ""
    seconds: float = 15


AnyCommand = BringForward | Close | Answer | OpenLink | Do


def line_of(value: OrderWindowStart | Event | Command) -> bytes:
    return msgspec.json.encode(value) + b"\n"


def read_start(line: bytes) -> OrderWindowStart:
    """Raises ValueError without the line's content."""
    try:
        return msgspec.json.decode(line, type=OrderWindowStart)
    except msgspec.DecodeError as error:
        raise ValueError("the order window was started with a line that it can't read") from error


_events: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)
_commands: msgspec.json.Decoder[AnyCommand] = msgspec.json.Decoder(AnyCommand)


def read_event(line: bytes) -> AnyEvent | None:
    """None for anything that is not an event."""
    return read_line(_events, line)


def read_command(line: bytes) -> AnyCommand | None:
    return read_line(_commands, line)
