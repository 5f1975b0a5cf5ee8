"""What the starting process and the sign-in window say to each other: one JSON line each, over the window's standard input and
output, as with the order window. The first line in is `SignInWindowStart`; then `CloseSignIn` may come; every line out is one
of `SignInEvent`. Nothing here is ever on a command line, in the environment or in a log: the address that arrives at the end
holds the code that stands for the person's consent.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

from desktop.services.window_protocol import WindowStart, read_line


class SignInWindowStart(WindowStart, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`address` is where signing in begins, `redirect` the registered address that is watched for."""

    address: str
    redirect: str

    def __repr__(self) -> str:
        return "SignInWindowStart(<hidden>)"


class SignInEvent(msgspec.Struct, frozen=True, kw_only=True, tag_field="event"):
    """Base of what the window tells."""


class SignInOpened(SignInEvent, frozen=True, kw_only=True, tag="sign-in-opened"):
    """The window is on the screen."""

    pid: int
    sandboxed: bool = True


class SignInPageLoaded(SignInEvent, frozen=True, kw_only=True, tag="sign-in-page"):
    """A page came, or could not be shown. Only its host is told."""

    host: str
    ok: bool


class SignInStopped(SignInEvent, frozen=True, kw_only=True, tag="sign-in-stopped"):
    """Something that a page wanted was refused."""

    kind: str
    host: str = ""


class Arrived(SignInEvent, frozen=True, kw_only=True, tag="arrived"):
    """A page led to the registered redirect address, which was not loaded. The window closes after this."""

    address: str

    def __repr__(self) -> str:
        return "Arrived(<hidden>)"


class CloseSignIn(msgspec.Struct, frozen=True, kw_only=True, tag_field="tell", tag="close"):
    """Closes the window as if the person had done it."""


AnySignInEvent = SignInOpened | SignInPageLoaded | SignInStopped | Arrived

_events: msgspec.json.Decoder[AnySignInEvent] = msgspec.json.Decoder(AnySignInEvent)
_commands: msgspec.json.Decoder[CloseSignIn] = msgspec.json.Decoder(CloseSignIn)
_PORTS = {"https": 443, "http": 80}


def sign_in_line(value: SignInWindowStart | SignInEvent | CloseSignIn) -> bytes:
    return msgspec.json.encode(value) + b"\n"


def read_sign_in_start(line: bytes) -> SignInWindowStart:
    """Raises ValueError without the line's content."""
    try:
        return msgspec.json.decode(line, type=SignInWindowStart)
    except msgspec.DecodeError as error:
        raise ValueError("the sign-in window was started with a line that it can't read") from error


def read_sign_in_event(line: bytes) -> AnySignInEvent | None:
    """None for anything that is not an event."""
    return read_line(_events, line)


def is_close(line: bytes) -> bool:
    return read_line(_commands, line) is not None


def is_same_place(address: str, registered: str) -> bool:
    """True when `address` names exactly the registered scheme, host, port and path, whatever its query; the spellings that
    every browser makes one (the host's case, a default port that is written out, an empty path) count as one here too."""
    try:
        one, other = _place(address), _place(registered)
    except ValueError:
        return False
    return bool(one) and one == other


def _place(address: str) -> tuple[str, str, int, str] | None:
    parts = urlsplit(address)
    if parts.scheme not in _PORTS or not parts.hostname or "@" in parts.netloc:
        return None
    return parts.scheme, parts.hostname, parts.port or _PORTS[parts.scheme], parts.path or "/"
