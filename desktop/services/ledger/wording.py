"""The words that go into a firm's books: descriptions from a pattern, and file names that every Windows PC can hold."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from desktop.services.infotrack.model import OrderMessage

STATES = ("NSW", "VIC", "QLD", "ACT", "WA", "SA", "NT", "TAS")
LONGEST_NAME = 120
LONGEST_DESCRIPTION = 200

_PLACE = re.compile(r"\{([a-z_]+)\}")
_ILLEGAL = re.compile(r'[<>:"/\\|?*]')
_EDGE = " .-–—_,;:"
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])[ ]*(\..*)?", re.IGNORECASE)
_UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def plain(text: str) -> str:
    """One line without control characters, direction marks or lone surrogates, runs of blanks made one."""
    kept = text
    # Printable text, which is nearly all there is, has none of those.
    if not text.isprintable():
        kept = "".join(" " if character.isspace() else character for character in text)
        kept = "".join(character for character in kept if unicodedata.category(character) not in _UNSAFE_CATEGORIES)
    return re.sub(r" {2,}", " ", kept).strip()


def australian_state(message: OrderMessage) -> str:
    """NSW, VIC and so on, from the description ("QLD: Title Search - …") or the billing group; empty where neither tells."""
    for text in (message.description.removeprefix("InfoTrack: "), message.billing_type):
        first = re.match(r"\W*([A-Za-z]+)", text)
        if first and first.group(1).upper() in STATES:
            return first.group(1).upper()
    return ""


def filled(pattern: str, values: Mapping[str, str]) -> str:
    """The pattern with its places filled; an unknown place stays as it was written. A part that came out empty does not
    leave its dash behind."""
    text = plain(_PLACE.sub(lambda place: values.get(place.group(1), place.group(0)), pattern))
    return text.strip(" -–—,;:")


def description(pattern: str, values: Mapping[str, str]) -> str:
    return filled(pattern, values)[:LONGEST_DESCRIPTION].rstrip() or "InfoTrack order"


def file_name(pattern: str, values: Mapping[str, str]) -> str:
    """A name without extension that Windows, macOS and SharePoint accept, at most 120 characters long."""
    text = unicodedata.normalize("NFC", filled(pattern, values))
    text = re.sub(r" {2,}", " ", _ILLEGAL.sub(" ", text)).strip(_EDGE)
    text = text[:LONGEST_NAME].rstrip(_EDGE)
    if not text:
        text = f"InfoTrack {values.get('order_id', '')}".strip()
    if _RESERVED.fullmatch(text):
        text = f"_{text}"
    return text


def document_note(key: str, word: str) -> str:
    """The key comes last (contracts, section 5); before it the file's word, where there is one (see keys.file_word)."""
    return f"InfoTrack file {word} {key}" if word else f"InfoTrack {key}"


def with_extension(name: str, extension: str) -> str:
    """`extension` with its dot; anything odd in it is dropped."""
    clean = re.sub(r"[^A-Za-z0-9]", "", extension)[:10].lower()
    if not clean or name.lower().endswith(f".{clean}"):
        return name if clean else f"{name}.pdf"
    return f"{name}.{clean}"
