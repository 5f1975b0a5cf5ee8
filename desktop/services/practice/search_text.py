"""How a name, a number and what a person types are made comparable: pure functions, no state.

Folding drops case, diacritics and apostrophes in every spelling, reads «&», «+» and «and» as one word, and takes all other
punctuation for a gap. What folds alike is found alike.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

AND = "and"

# A dictionary of people's keyboards and word processors: ASCII, typographic, modifier letters (the ʻokina), primes, accents.
_APOSTROPHES = "'`´‘’‚‛′‵ʹʻʼʽʾʿˈ՚׳᾽᾿＇ꞌ"
_ANDS = "&+＆﹠＋⁊"
_LETTERS = dict(zip("øđłðħıŋəŧ", "odldhinet", strict=True)) | {"æ": "ae", "œ": "oe", "þ": "th", "ß": "ss"}
_SPECIAL = str.maketrans({**_LETTERS, **dict.fromkeys(_APOSTROPHES, "'"), **dict.fromkeys(_ANDS, "&")})
# These would decompose into a blank and a mark.
_SPACING = frozenset("´᾽᾿")
# Nearly all marks that occur; what is left is done letter by letter.
_MARKS = re.compile("[\u0300-\u036f]+")
# «O' Brien»: an apostrophe after a lone letter belongs to the next word, whatever blanks stand between.
_LONE = re.compile(r"(?<!\w)(\w)'\s+(?=\w)")
# «J.P. Morgan», «A.C.N.»: letters with full stops are one word.
_DOTTED = re.compile(r"(?<!\w)(?:[^\W\d_]\.){2,}(?:[^\W\d_](?!\w))?")
_ASCII_WORD = re.compile(r"[a-z0-9]+")
_WORD = re.compile(r"[^\W_]+")
_RUN = re.compile(r"[0-9]+|[^\W\d_]+|\d+")
# How nearly all numbers look: a few letters and digits.
_PLAIN_NUMBER = re.compile(r"([A-Za-z]*)0*([0-9]+)")
# For many names at once, one a line: the patterns above, kept within a line.
_LONE_IN_LINE = re.compile(r"(?<!\w)(\w)'[^\S\n]+(?=\w)")
_APOSTROPHE_BLANK = re.compile(r"'[^\S\n]")
_TO_WORDS = bytes(byte if byte in b"\n0123456789abcdefghijklmnopqrstuvwxyz" else 0x20 for byte in range(256))
_HYPHEN_WITHIN = re.compile(r"\S-+\S")
# Words that end a company's name and that nobody types as initials.
_COMPANY_TAILS = ("pl", "l", "pll")


def fold(text: str) -> str:
    """Lower case without diacritics or apostrophes; «&» and «+» are « and »; other punctuation stays."""
    if text.isascii():
        folded = text.lower()
        if "`" in folded:
            folded = folded.replace("`", "'")
    else:
        folded = text.lower()
        if not _SPACING.isdisjoint(folded):
            folded = folded.translate(_SPECIAL)
        folded = _MARKS.sub("", unicodedata.normalize("NFKD", folded))
        if not folded.isascii():
            folded = unicodedata.normalize("NFKD", folded.translate(_SPECIAL).casefold())
            folded = "".join([letter for letter in folded if not unicodedata.combining(letter)]).translate(_SPECIAL)
        folded = folded.replace("`", "'")
    if "'" in folded:
        folded = _LONE.sub(r"\1", folded).replace("'", "")
    if "&" in folded or "+" in folded:
        folded = folded.replace("&", " and ").replace("+", " and ")
    return folded


def words(text: str) -> list[str]:
    """The folded words of a name or a query, in order; letters with full stops between them are one."""
    folded = fold(text)
    if "." in folded:
        folded = _DOTTED.sub(_undotted, folded)
    return (_ASCII_WORD if folded.isascii() else _WORD).findall(folded)


def words_of_many(texts: Sequence[str]) -> list[list[str]]:
    """`words` of each, several times as fast."""
    plain = [text for text in texts if text.isascii()]
    joined = "\n".join(plain).lower()
    if joined.count("\n") >= max(1, len(plain)):
        return [words(text) for text in texts]
    if "`" in joined:
        joined = joined.replace("`", "'")
    if _APOSTROPHE_BLANK.search(joined):
        joined = _LONE_IN_LINE.sub(r"\1", joined)
    if "&" in joined or "+" in joined:
        joined = joined.replace("&", " and ").replace("+", " and ")
    # Dots come last, as in `words`, and after the apostrophes have gone.
    joined = joined.replace("'", "")
    if "." in joined:
        joined = _DOTTED.sub(_undotted, joined)
    lines = iter(joined.encode().translate(_TO_WORDS).decode().split("\n"))
    return [next(lines).split() if text.isascii() else words(text) for text in texts]


def _undotted(match: re.Match[str]) -> str:
    return match[0].replace(".", "") + " "


def initials(text: str, split: list[str]) -> list[str]:
    """The initials that people may use for a name of two words or more; `split` is `words(text)`.

    With and without «and», with and without a leading «The», and hyphenated words taken as one or as several."""
    if len(split) < 2:
        return []
    if "." not in text and not ("-" in text and _HYPHEN_WITHIN.search(text)):
        whole = "".join([word[0] for word in split])
        found = {whole, "".join([word[0] for word in split if word != AND])} if AND in split else {whole}
        if split[0] == "the":
            found.update([spelling[1:] for spelling in found])
        return [spelling for spelling in found if len(spelling) > 1]
    folded = fold(text)
    parts = [split, _WORD.findall(folded), _WORD.findall(folded.replace("-", ""))]
    found = {_initials_of(part, with_and) for part in parts for with_and in (True, False)}
    if split[0] == "the":
        found.update([spelling[1:] for spelling in found])
    return [spelling for spelling in found if len(spelling) > 1]


def _initials_of(parts: list[str], with_and: bool) -> str:
    return "".join([part[0] for part in parts if with_and or part != AND])


def is_company_tail(rest: str) -> bool:
    """True when what initials leave over stands for «Pty Ltd» or «Limited»."""
    return rest in _COMPANY_TAILS


def compact(text: str) -> str:
    """Only the letters and digits: how a matter's number is searched in part."""
    return "".join(_WORD.findall(fold(text)))


def canonical_number(text: str) -> str:
    """A matter number as people compare it: letters and digits in runs, without leading zeros.

    J004521, «j 4521» and «J-4521» give the same; so do 2024-0012 and 2024/12."""
    plain = _PLAIN_NUMBER.fullmatch(text)
    if plain is not None:
        return f"{plain[1].lower()} {plain[2]}" if plain[1] else plain[2]
    return " ".join([run.lstrip("0") or "0" if run[0].isdigit() else run for run in _RUN.findall(fold(text))])
