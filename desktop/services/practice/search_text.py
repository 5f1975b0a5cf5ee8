"""How a name, a number and what a person types are made comparable: pure functions, no state.

Folding drops case, diacritics and apostrophes in every spelling, reads «&», «+» and «and» as one word, and takes all other
punctuation for a gap. What folds alike is found alike.
"""

from __future__ import annotations

import re
import unicodedata

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
        folded = _DOTTED.sub(lambda match: match[0].replace(".", "") + " ", folded)
    return (_ASCII_WORD if folded.isascii() else _WORD).findall(folded)


def initials(text: str, split: list[str]) -> list[str]:
    """The initials that people may use for a name of two words or more; `split` is `words(text)`.

    With and without «and», with and without a leading «The», and hyphenated words taken as one or as several."""
    if len(split) < 2:
        return []
    if "-" not in text and "." not in text and AND not in split and split[0] != "the":
        return ["".join([word[0] for word in split])]
    parts = [split]
    if "-" in text or "." in text:
        folded = fold(text)
        parts += [_WORD.findall(folded), _WORD.findall(folded.replace("-", ""))]
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
    return " ".join([run.lstrip("0") or "0" if run[0].isdigit() else run for run in _RUN.findall(fold(text))])
