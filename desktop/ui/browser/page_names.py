"""What a page is called on its tab. Pure; the words come from the web."""

from __future__ import annotations

import unicodedata

from desktop.ui.language import tr

MOST_LETTERS = 28
_HIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def page_name(title: str, number: int) -> str:
    """The page's title on one short line, without letters that can't be seen or that turn the direction; «Page 2» where there is
    none. An address is no name: it could sign somebody in."""
    text = "".join(" " if letter in "\t\r\n" else letter for letter in title[:2000])
    text = "".join(letter for letter in text if unicodedata.category(letter) not in _HIDDEN)
    text = " ".join(text.split())
    if not text or "://" in text or ("/" in text and " " not in text) or "?" in text.split(" ", 1)[0]:
        return tr("Page {number}", number=number)
    return text if len(text) <= MOST_LETTERS else text[: MOST_LETTERS - 1].rstrip() + "…"
