"""Is a client a company or a person? Said only when the name leaves little doubt."""

from __future__ import annotations

import re
from dataclasses import dataclass

_COMPANY_ENDING = re.compile(
    r"(?i)\b(?:pty\.?\s*,?\s*(?:limited|ltd\.?)|limited|ltd\.?|inc\.?|incorporated|n\.?l\.?|corporation|corp\.?|llc|plc|gmbh)\s*\)?\s*$"
)
_BUSINESS = re.compile(
    r"(?i)\b(?:pty|trust|trustees?|fund|super|superannuation|holdings?|group|services?|solutions?|partners|partnership|associates|"
    r"enterprises?|investments?|properties|property|developments?|constructions?|builders?|consulting|consultants?|company|co|bros|"
    r"council|school|church|club|bank|association|society|foundation|cooperative|university|college|department|"
    r"lawyers|solicitors|accountants|conveyancing|legal|industries|international|australia|trading|farm|farms|pastoral|"
    r"electrical|plumbing|motors|transport|logistics|engineering|designs?|studio|cafe|restaurant|hotel|medical|dental|clinic|"
    r"strata|plan|owners|corporation|unit|units|bakery|shop|store|stores|supplies|products|media|technology|technologies|systems|software)\b"
)
_TITLES = {"mr", "mrs", "ms", "miss", "mx", "dr", "prof", "professor", "rev", "sir"}
_NAME = re.compile(r"[^\W\d_][^\W\d_'’.-]*(?:['’-][^\W\d_]+)*\.?")


@dataclass(frozen=True, slots=True)
class Person:
    surname: str
    given: str
    given2: str = ""
    title: str = ""


def is_company(name: str, *, acn: str = "") -> bool:
    """True with an ACN, a company's ending, or a word that no person's name has."""
    return bool(acn or _COMPANY_ENDING.search(name) or _BUSINESS.search(name))


def person(name: str) -> Person | None:
    """«Given [Given2] Surname» or «Surname, Given [Given2]», with or without a title; None for all else, couples too."""
    text = " ".join(name.split())
    if is_company(text) or len(text) > 80:
        return None
    surname = ""
    if text.count(",") == 1:
        surname, _, text = (part.strip() for part in text.partition(","))
    words = text.split()
    title = ""
    if words and words[0].rstrip(".").lower() in _TITLES:
        title = words.pop(0).rstrip(".")
    if not surname:
        if len(words) < 2:
            return None
        surname = words.pop()
    surname_words = surname.split()
    everything = [*words, *surname_words]
    if not 1 <= len(words) <= 2 or not 1 <= len(surname_words) <= 3:
        return None
    if any(word.lower() in ("and", "or", "the", "of", "estate") or not _NAME.fullmatch(word) for word in everything):
        return None
    return Person(surname, words[0], words[1] if len(words) == 2 else "", title)
