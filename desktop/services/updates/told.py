"""What the process that looks for a new version tells the tray: one JSON object a line.

A process of its own, because what proves a release costs more memory than the tray may, and is needed for a minute a day."""

from __future__ import annotations

from typing import Literal

import msgspec

Kind = Literal["off", "newest", "offer", "progress", "ready", "problem"]


class Told(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """`off`: the PC's policy looks for nothing. `newest`: there is none newer. `offer`: there is one, `done` of `of` bytes are
    here. `ready`: `file` is proved. `problem`: `words` say what and what to do; `refused` when the repository can't be believed,
    as against not reached."""

    kind: Kind
    version: str = ""
    notes: str = ""
    file: str = ""
    words: str = ""
    refused: bool = False
    done: int = 0
    of: int = 0


def read(line: bytes) -> Told | None:
    """None for a line that is not one of ours."""
    try:
        return msgspec.json.decode(line, type=Told)
    except msgspec.DecodeError:
        return None
