"""What a log line may hold: numbers, and words of our own that were declared safe. All else is hidden when it is written.

A message's template is ours and constant. Of its arguments only numbers, None and `Loggable` text get through: a value
from elsewhere (a name, a path, an address, a vendor's sentence) can't slip in by being passed along."""

from __future__ import annotations

import traceback
from pathlib import Path
from types import TracebackType

HIDDEN = "‹hidden›"


class Loggable(str):
    """Text that is safe in a log: a word of our own vocabulary, never a value that a person or a vendor wrote."""

    __slots__ = ()


def loggable(word: str) -> Loggable:
    """Declares one word as safe. Say at the call where the word comes from when it isn't plain."""
    return Loggable(word)


def error_kind(error: BaseException) -> Loggable:
    """The error's class, which is ours or the library's to name; its text stays out."""
    return Loggable(type(error).__name__)


def last_three(identifier: str) -> Loggable:
    """Enough of an id for a support person to tell two apart, too little to look anybody up."""
    return Loggable("…" + identifier[-3:] if len(identifier) > 6 else "…")


def frames(where: TracebackType | None) -> list[Loggable]:
    """Where in the code, innermost last: module file, line, function. No values, no folders of this PC."""
    return [loggable(f"{place_of(frame.filename)}:{frame.lineno} {frame.name}") for frame in traceback.extract_tb(where)][-40:]


def place_of(name: str) -> str:
    """A module's file without this PC's folders."""
    parts = Path(name).parts
    for root in ("desktop", "sandbox", "site-packages"):
        if root in parts:
            return "/".join(parts[len(parts) - parts[::-1].index(root) - 1 :])
    return parts[-1] if parts else "?"
