"""What is the same for every window that is a process of its own: how it is started, and how a line is read at either end."""

from __future__ import annotations

from typing import Literal, TypeVar

import msgspec

MOST_LINE_BYTES = 4_000_000
"""A longer line is thrown away unread (the certificates that IT adds are the longest thing that is sent)."""

_T = TypeVar("_T")


class WindowStart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`never_ports` are this program's own listeners', which no page may reach. `extra_authorities` is PEM text of root
    certificates that IT added for this PC. `demo_as_root_unsandboxed` is heeded only when the process really is root."""

    profile_folder: str
    version: str = ""
    theme: Literal["system", "light", "dark"] = "system"
    never_ports: tuple[int, ...] = ()
    extra_authorities: str = ""
    software_rendering: bool = False
    demo_as_root_unsandboxed: bool = False


def read_line(decoder: msgspec.json.Decoder[_T], line: bytes) -> _T | None:
    """None for anything that is no such line: what the engine itself prints is no news."""
    if len(line) > MOST_LINE_BYTES:
        return None
    try:
        return decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
