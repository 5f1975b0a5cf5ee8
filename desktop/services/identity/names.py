"""What vendors call people and organisations, made fit to be kept, shown and sent. Pure."""

from __future__ import annotations

import re
import unicodedata
from typing import TypeGuard

_LONGEST = 200
_MUCH = 4_000
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_JOINERS = "\u200c\u200d"  # several scripts and the emoji are spelt with them
_ID = re.compile(r"[!-~]{1,100}")


def one_line(value: object) -> str:
    """One line of at most 200 characters, without control characters, direction marks or lone surrogates; empty for what is
    no text."""
    if not isinstance(value, str):
        return ""
    letters = (" " if letter.isspace() else letter for letter in value[:_MUCH])
    kept = (letter for letter in letters if letter in _JOINERS or unicodedata.category(letter) not in _HIDDEN)
    return " ".join("".join(kept).split())[:_LONGEST].strip(_JOINERS + " ")


def is_id(value: object) -> TypeGuard[str]:
    """Whether an organisation's id can go into a header and into a file as it is."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None
