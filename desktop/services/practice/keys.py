"""Delivery keys, found again in what people may have written around them, and the word that tells a document's file."""

from __future__ import annotations

import hashlib
import re

# Text that went through a word processor comes back with other hyphens.
_HYPHENS = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d"), "-")
_KEY = re.compile(r"(?<![a-z0-9])IT-([0-9]{1,20})-([RSTD])-([0-9]{1,9})(?![0-9])", re.IGNORECASE | re.ASCII)


_FILE = re.compile(r"(?<![a-z0-9])file ([0-9a-f]{12})(?![a-z0-9])", re.IGNORECASE | re.ASCII)


def file_word(file_hash: str) -> str:
    """Twelve letters and digits that stand for one version of a document's file, from InfoTrack's `FileHash`: the same on every
    PC. Empty where there is no hash."""
    told = file_hash.strip()
    return hashlib.sha256(told.encode()).hexdigest()[:12] if told else ""


def file_word_in(text: str) -> str:
    """The last file word in a document's note; empty where there is none. Changed case does not hide it."""
    found = _FILE.findall(text)
    return found[-1].lower() if found else ""


def may_be_one_file(word: str, other: str) -> bool:
    """Whether two documents of one key can be the same file. Where a word is missing nobody knows, and the key decides."""
    return not word or not other or word == other


def keys_in(text: str) -> tuple[str, ...]:
    """The delivery keys in the text (`IT-<OrderId>-<part>-<n>`), each once, in the order in which they stand there.

    Trimming, changed case and words around a key do not hide it: overlooking one means posting twice. A number too long to be
    ours makes no key: its beginning would be another one."""
    found = (f"IT-{order}-{part.upper()}-{int(n)}" for order, part, n in _KEY.findall(text.translate(_HYPHENS)))
    return tuple(dict.fromkeys(found))
