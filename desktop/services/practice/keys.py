"""Delivery keys, found again in what people may have written around them."""

from __future__ import annotations

import re

# Text that went through a word processor comes back with other hyphens.
_HYPHENS = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d"), "-")
_KEY = re.compile(r"(?<![a-z0-9])IT-([0-9]{1,20})-([RSTD])-([0-9]{1,9})(?![0-9])", re.IGNORECASE | re.ASCII)


def keys_in(text: str) -> tuple[str, ...]:
    """The delivery keys in the text (`IT-<OrderId>-<part>-<n>`), each once, in the order in which they stand there.

    Trimming, changed case and words around a key do not hide it: overlooking one means posting twice. A number too long to be
    ours makes no key: its beginning would be another one."""
    found = (f"IT-{order}-{part.upper()}-{int(n)}" for order, part, n in _KEY.findall(text.translate(_HYPHENS)))
    return tuple(dict.fromkeys(found))
