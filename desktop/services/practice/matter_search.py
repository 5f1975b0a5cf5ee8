"""Search as you type over one index: from what a person typed to matters with a score, best first. Pure and in memory.

Every typed word must be found in a matter: as a whole word, a beginning, initials, a part of its number or of a word, and,
when that gives too few, with one typing error and then with two. Only when nothing holds all words do the rarest count alone.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field
from enum import IntEnum
from heapq import nlargest, nsmallest
from itertools import chain, islice, pairwise, repeat
from math import log

from desktop.services.practice.matter_index import MatterIndex
from desktop.services.practice.search_text import AND, initials, is_company_tail, words
from desktop.services.practice.vocabulary import Pattern

EXACT = 1.0
INITIALS = 0.93
BEGINNING = 0.85
INITIALS_BEGUN = 0.7
INSIDE = 0.66
ONE_ERROR = 0.6
TWO_ERRORS = 0.42
NUMBER = 2.5
NUMBER_WITHOUT_ZEROS = 2.2

_FEW = 5
_SURE = 0.95
_WEIGHED = 700
_BROAD = 6000
_NUMBERS = 1200
_REMEMBERED = 96
_LONGEST_TYPED = 200
_MOST_WORDS = 12


class Reach(IntEnum):
    """How far a typed word may be from what it finds; each includes the ones before."""

    BEGINNINGS = 0
    PARTS = 1
    ONE_ERROR = 2
    TWO_ERRORS = 3


@dataclass(frozen=True, slots=True)
class Taste:
    """What ranks matters apart from the words: by row `recent` (a bonus each), by index the staff tokens that are «me»."""

    recent: dict[int, float] = field(default_factory=dict)
    mine: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Found:
    """A document of the index and how well it fits; about 1 for whole words, above 2 for an exact number."""

    doc: int
    score: float
    mine: bool
    complete: bool


@dataclass(slots=True, eq=False)
class _Meaning:
    """What one typed word may stand for: tokens and numbered documents, each with how good a match that would be."""

    tokens: dict[int, float]
    ranges: tuple[range, ...]
    numbered: dict[int, float]
    piece: str
    size: int

    def docs(self, index: MatterIndex) -> Iterable[Iterable[int]]:
        """All documents that hold it, repeated ones included."""
        yield self.numbered
        covered = 0
        for tokens in self.ranges:
            covered += len(tokens)
            yield index.docs_with_any(tokens)
        if covered < len(self.tokens):
            for token in self.tokens:
                if not any(token in tokens for tokens in self.ranges):
                    yield index.docs_with(token)


class MatterSearch:
    """Searches one index; remembers what the words typed lately stand for. For one thread at a time."""

    def __init__(self, index: MatterIndex, dead: Set[int] = frozenset()) -> None:
        """`dead`: documents that a newer index replaces."""
        self.index = index
        self._dead = dead
        self._known: dict[tuple[str, Reach], _Meaning] = {}
        self._recent_known: tuple[frozenset[int], list[int]] = (frozenset(), [])
        self._staff: dict[str, list[int]] = {}
        self._staff_initials: dict[str, list[int]] = {}
        for place, person in enumerate(index.persons, index.first_person):
            split = words(person.name)
            for word in split:
                self._staff.setdefault(word, []).append(place)
            for short in initials(person.name, split):
                self._staff_initials.setdefault(short, []).append(place)

    # -- what a person typed --------------------------------------------------------------------------------------

    def find(self, text: str, limit: int, taste: Taste, *, known_number: bool = False) -> list[Found]:
        """Best first, at most `limit`. Any text is accepted; one without letters and digits finds nothing.

        `known_number`: the text is some matter's number, so that nothing in it need be a typing error."""
        typed = words(text[:_LONGEST_TYPED])[:_MOST_WORDS]
        if len(typed) > 1:
            typed = [word for word in typed if word != AND] or [AND]
        if not typed:
            return []
        best: dict[int, Found] = {}
        readings = [typed, *self._joined(typed)]
        for reach in (Reach.BEGINNINGS, Reach.PARTS):
            for reading in readings:
                meanings = [self._meaning(word, reach) for word in reading]
                if reach is Reach.PARTS and meanings == [self._meaning(word, Reach.BEGINNINGS) for word in reading]:
                    continue
                self._add(best, self._all_of(meanings, limit, taste))
            if len(best) >= limit:
                return self._best_of(best, limit)
        if known_number or (len(typed) > 2 and any(hit.score > _SURE for hit in best.values())):
            return self._best_of(best, limit)
        if len(best) < _FEW:
            for reading in self._parted(typed):
                self._add(best, self._all_of([self._meaning(word, Reach.PARTS) for word in reading], limit, taste))
        for reach, enough in ((Reach.ONE_ERROR, _FEW), (Reach.TWO_ERRORS, 2)):
            if len(best) >= enough:
                break
            for reading in readings:
                self._add(best, self._with_errors(reading, reach, limit, taste))
        if not best:
            self._add(best, self._some_of([self._meaning(word, Reach.TWO_ERRORS) for word in typed], limit, taste))
        return self._best_of(best, limit)

    def rows_of(self, persons: Iterable[int], most: int) -> list[int]:
        """The rows of these members of staff, open ones first."""
        docs = set().union(*[self.index.docs_with(person) for person in persons]) - self._dead
        return [self.index.rows[doc] for doc in _smallest(docs, most, self.index.size)]

    def rows_holding(self, wanted: Iterable[str], most: int) -> list[int]:
        """Rows of the matters that hold at least one of these whole words, those of the rarest words first."""
        index = self.index
        tokens = {place for word in wanted if (place := index.words.place(word)) is not None}
        rows: dict[int, None] = {}
        for token in sorted(tokens, key=index.frequency):
            for doc in index.docs_with(token)[:most]:
                if doc not in self._dead:
                    rows.setdefault(index.rows[doc])
            if len(rows) >= most:
                break
        return list(rows)[:most]

    @staticmethod
    def _add(best: dict[int, Found], found: Iterable[Found]) -> None:
        for hit in found:
            known = best.get(hit.doc)
            if known is None or known.score < hit.score:
                best[hit.doc] = hit

    @staticmethod
    def _best_of(best: dict[int, Found], limit: int) -> list[Found]:
        return nsmallest(limit, best.values(), key=lambda hit: (-hit.score, hit.doc))

    def _joined(self, typed: list[str]) -> list[list[str]]:
        """Other readings, in which words that stand apart are one: «mc donald», «o brien», «j 4521», «s s l»."""
        readings: list[list[str]] = []
        if len(typed) > 1 and all(len(word) == 1 for word in typed):
            readings.append(["".join(typed)])
        for place in range(len(typed) - 1):
            first, second = typed[place], typed[place + 1]
            one = first + second
            if (len(first) <= 4 or len(second) <= 4) and (
                self.index.words.beginning_with(one)
                or (_NUMBER_LIKE.fullmatch(one) and (first[-1].isdigit() != second[0].isdigit() or first.isdigit()))
            ):
                readings.append([*typed[:place], one, *typed[place + 2 :]])
        if len(typed) > 2:
            one = "".join(typed)
            if len(one) <= 24 and _NUMBER_LIKE.fullmatch(one):
                readings.append([one])
        return readings

    def _parted(self, typed: list[str]) -> Iterable[list[str]]:
        """Other readings, in which a word is two: «obrien» for O Brien, «smithjones» for Smith-Jones."""
        vocabulary = self.index.words
        for place, word in enumerate(typed):
            if len(word) < 4 or word.isdigit():
                continue
            for cut in range(1, len(word)):
                if vocabulary.place(word[:cut]) is not None and vocabulary.beginning_with(word[cut:]):
                    yield [*typed[:place], word[:cut], word[cut:], *typed[place + 1 :]]

    def _with_errors(self, typed: list[str], reach: Reach, limit: int, taste: Taste) -> list[Found]:
        """First only the words that nobody's name holds may be misspelt, then any."""
        plain = [self._meaning(word, Reach.PARTS) for word in typed]
        doubtful = [not any(level >= INITIALS for level in meaning.tokens.values()) and not meaning.numbered for meaning in plain]
        if any(doubtful):
            tried = [
                self._meaning(word, reach) if doubt else meaning
                for word, doubt, meaning in zip(typed, doubtful, plain, strict=True)
            ]
            found = self._all_of(tried, limit, taste)
            if found or all(doubtful):
                return found
        return self._all_of([self._meaning(word, reach) for word in typed], limit, taste)

    # -- what a word may mean -------------------------------------------------------------------------------------

    def _meaning(self, word: str, reach: Reach) -> _Meaning:
        key = (word, reach)
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= _REMEMBERED:
                for oldest in list(self._known)[: _REMEMBERED // 4]:
                    self._known.pop(oldest, None)
            if reach is Reach.BEGINNINGS:
                known = self._begins(word)
            else:
                known = self._reaches(word, reach)
            self._known[key] = known
        return known

    def _begins(self, word: str) -> _Meaning:
        index = self.index
        beginning = index.words.beginning_with(word)
        tokens = dict.fromkeys(beginning, BEGINNING)
        if beginning and index.words.word(beginning[0]) == word:
            tokens[beginning[0]] = EXACT
        ranges = [beginning]
        if 2 <= len(word) <= 12:
            places = index.initials.beginning_with(word)
            if places:
                first = index.first_initials
                short = range(places.start + first, places.stop + first)
                tokens.update(dict.fromkeys(short, INITIALS_BEGUN))
                for place in places[:64]:
                    rest = index.initials.word(place)[len(word) :]
                    if not rest:
                        tokens[place + first] = INITIALS
                    elif is_company_tail(rest):
                        tokens[place + first] = INITIALS - 0.02
                ranges.append(short)
        for name, persons in self._staff.items():
            if name.startswith(word):
                level = 0.95 * (EXACT if name == word else BEGINNING)
                for person in persons:
                    tokens[person] = max(level, tokens.get(person, 0.0))
        for person in self._staff_initials.get(word, ()):
            tokens.setdefault(person, INITIALS_BEGUN)
        numbered, piece = self._numbers(word)
        return self._measured(tokens, tuple(ranges), numbered, piece)

    def _reaches(self, word: str, reach: Reach) -> _Meaning:
        index = self.index
        nearer = self._meaning(word, Reach(reach - 1))
        tokens: dict[int, float] = {}
        length = len(word)
        if reach is Reach.PARTS:
            if length > 1:
                tokens = dict.fromkeys(index.words.containing(word), INSIDE)
                for name, persons in self._staff.items():
                    if word in name:
                        tokens.update(dict.fromkeys(persons, INSIDE))
        else:
            errors = int(reach) - 1
            # Of bare digits only years and the like have neighbours worth showing, and of those only the nearest.
            if length >= (3 if errors == 1 else 5) and not (word.isdigit() and (length < 4 or errors > 1)):
                worth = {1: ONE_ERROR, 2: TWO_ERRORS}
                for token, (count, whole) in index.words.like(word, errors).items():
                    if count:
                        tokens[token] = worth[count] if whole else worth[count] - 0.1
                pattern = Pattern(word)
                for name, persons in self._staff.items():
                    if abs(len(name) - length) <= errors:
                        count = pattern.distances(name)[0]
                        if 0 < count <= errors:
                            tokens.update(dict.fromkeys(persons, worth[count] - 0.02))
        if not tokens:
            return nearer
        tokens.update(nearer.tokens)
        return self._measured(tokens, nearer.ranges, nearer.numbered, nearer.piece)

    def _measured(self, tokens: dict[int, float], ranges: tuple[range, ...], numbered: dict[int, float], piece: str) -> _Meaning:
        frequency = self.index.frequency
        size = len(numbered) + sum(map(self.index.frequency_of_any, ranges))
        covered = sum(map(len, ranges))
        if covered < len(tokens):
            size += sum(frequency(token) for token in tokens if not any(token in held for held in ranges))
        return _Meaning(tokens, ranges, numbered, piece, size)

    def _numbers(self, word: str) -> tuple[dict[int, float], str]:
        """Documents whose number holds the word, with their levels; and the word itself when there are too many to list."""
        most = _NUMBERS if len(word) > 2 else _NUMBERS // 4
        docs = self.index.docs_numbered(word, most)
        number = self.index.number
        found = {doc: number_level(word, number(doc)) for doc in docs}
        if len(docs) >= most:
            return found, word
        parts = _LETTERS_DIGITS.fullmatch(word)
        if parts is not None:
            # J4521 for J004521, 004521 for J4521: letters, any zeros, digits.
            core = parts[2]
            for doc in self.index.docs_numbered(core, _NUMBERS) if core != word else ():
                level = number_level(word, number(doc))
                if level:
                    found[doc] = max(level, found.get(doc, 0.0))
        return found, ""

    # -- which documents mean it ----------------------------------------------------------------------------------

    def _all_of(self, meanings: Sequence[_Meaning], limit: int, taste: Taste) -> list[Found]:
        """The documents that hold every one of them."""
        if any(meaning.size == 0 for meaning in meanings):
            return []
        index = self.index
        by_size = sorted(meanings, key=lambda meaning: (bool(meaning.piece), meaning.size))
        if by_size[0].size > _BROAD:
            found = self._weigh(self._front(by_size[0], taste), meanings, limit, taste, complete=True)
            if len(found) >= limit:
                return found
        docs: set[int] = set().union(*by_size[0].docs(index))
        if self._dead:
            docs -= self._dead
        for meaning in by_size[1:]:
            if len(docs) * 20 < meaning.size or len(docs) <= 200 or meaning.piece:
                continue
            docs = docs.intersection(chain.from_iterable(meaning.docs(index)))
        if len(docs) > _WEIGHED:
            docs = self._likeliest(docs, by_size, taste)
        return self._weigh(docs, meanings, limit, taste, complete=True)

    def _front(self, meaning: _Meaning, taste: Taste) -> set[int]:
        """Where to look first for what is everywhere: the front of the order of rest, the best matches, recent and own ones."""
        index = self.index
        docs = set(range(min(index.size, 2 * _WEIGHED)))
        for token, level in meaning.tokens.items():
            if level >= INITIALS:
                docs.update(index.docs_with(token)[: _WEIGHED // 4])
        for token in taste.mine:
            docs.update(index.docs_with(token)[: _WEIGHED // 2])
        docs.update(self._recent_docs(taste))
        return docs - self._dead

    def _recent_docs(self, taste: Taste) -> list[int]:
        wanted = taste.recent.keys()
        if self._recent_known[0] != wanted:
            found = [doc for doc, row in enumerate(self.index.rows) if row in wanted] if wanted else []
            self._recent_known = (frozenset(wanted), found)
        return self._recent_known[1]

    def _likeliest(self, docs: set[int], meanings: Sequence[_Meaning], taste: Taste) -> set[int]:
        """Of too many, those that the rest of the ranking would put in front."""
        index = self.index
        chosen = set(_smallest(docs, _WEIGHED, index.size))
        chosen.update(docs.intersection(self._recent_docs(taste)))
        for token in taste.mine:
            chosen.update(docs.intersection(index.docs_with(token)[: _WEIGHED // 2]))
        better = docs
        for meaning in meanings:
            exact = [token for token, level in meaning.tokens.items() if level >= INITIALS]
            best_numbers = [doc for doc, level in meaning.numbered.items() if level >= NUMBER_WITHOUT_ZEROS]
            better = better.intersection(chain(best_numbers, *[index.docs_with(token) for token in exact[:64]]))
        chosen.update(_smallest(better, _WEIGHED // 2, index.size))
        return chosen

    def _weigh(self, docs: Iterable[int], meanings: Sequence[_Meaning], limit: int, taste: Taste, *, complete: bool) -> list[Found]:
        index = self.index
        tokens_of, number = index.tokens_of, index.number
        rows, recent, mine = index.rows, taste.recent, taste.mine
        share = 1 / len(meanings)
        gets = [(meaning.tokens.get, meaning.numbered, meaning.piece) for meaning in meanings]
        nothing = repeat(0.0)
        weighed: list[tuple[float, int, array[int]]] = []
        for doc in docs:
            tokens = tokens_of(doc) or _NO_TOKENS
            total = 0.0
            for get, numbered, piece in gets:
                best = max(map(get, tokens, nothing))
                if numbered and (level := numbered.get(doc, 0.0)) > best:
                    best = level
                elif piece and best < EXACT and piece in number(doc):
                    best = max(best, number_level(piece, number(doc)))
                if not best:
                    break
                total += best
            else:
                score = total * share
                if recent:
                    score += recent.get(rows[doc], 0.0)
                weighed.append((score, -doc, tokens))
        found = []
        for score, minus_doc, tokens in nlargest(max(48, limit + limit // 4), weighed):
            doc = -minus_doc
            is_mine = not mine.isdisjoint(tokens)
            refined = score + self._fit(tokens, meanings) + (0.05 if is_mine else 0.0) - (0.0 if index.opened[doc] else 0.06)
            found.append(Found(doc, refined, is_mine, complete))
        return found

    def _fit(self, tokens: array[int], meanings: Sequence[_Meaning]) -> float:
        """Small things that people expect: words in the order typed, side by side, from the start, and little left over."""
        first_initials = self.index.first_initials
        own = [token for token in tokens if token < first_initials]
        places: list[int] = []
        used: set[int] = set()
        for meaning in meanings:
            best, where = 0.0, -1
            for place, token in enumerate(own):
                level = meaning.tokens.get(token, 0.0)
                if place in used:
                    level -= 0.5
                if level > best:
                    best, where = level, place
            if where >= 0:
                used.add(where)
                places.append(where)
        if not places:
            return 0.0
        beside = sum(1 for one, next_one in pairwise(places) if next_one == one + 1)
        repeated = len(places) - len(used)
        return (
            0.05 * len(used) / len(own)
            + (0.03 * beside / (len(places) - 1) if len(places) > 1 else 0.0)
            + (0.02 if places[0] == 0 else 0.0)
            - 0.08 * repeated
        )

    def _some_of(self, meanings: Sequence[_Meaning], limit: int, taste: Taste) -> list[Found]:
        """When nothing holds all words: those that hold the most telling ones."""
        index = self.index
        weights = [log(1 + index.size / meaning.size) if meaning.size else log(1 + index.size) for meaning in meanings]
        whole = sum(weights)
        totals: dict[int, float] = {}
        for meaning, weight in sorted(zip(meanings, weights, strict=True), key=lambda pair: pair[0].size):
            if not meaning.size or (meaning.size > 20000 and totals):
                continue
            # A number that happens to hold a typed year must not outweigh the words.
            levels: dict[int, float] = {doc: min(level, INSIDE) for doc, level in meaning.numbered.items()}
            for token, level in sorted(meaning.tokens.items(), key=lambda pair: pair[1]):
                levels.update(dict.fromkeys(index.docs_with(token), level))
            share = weight / whole
            if totals and len(levels) > 4000:
                for doc in totals:
                    if doc in levels:
                        totals[doc] += share * levels[doc]
            else:
                for doc, level in levels.items():
                    totals[doc] = totals.get(doc, 0.0) + share * level
        found = []
        for doc, score in nlargest(max(48, limit), totals.items(), key=lambda pair: (pair[1], -pair[0])):
            if doc in self._dead or score < 0.25:
                continue
            tokens = index.tokens_of(doc)
            is_mine = not taste.mine.isdisjoint(tokens)
            bonus = taste.recent.get(index.rows[doc], 0.0) + (0.05 if is_mine else 0.0) - (0.0 if index.opened[doc] else 0.06)
            found.append(Found(doc, 0.5 * score + 0.3 * (self._fit(tokens, meanings) + bonus), is_mine, complete=False))
        return found


def _smallest(docs: set[int], most: int, size: int) -> list[int]:
    """The `most` smallest, in order. A dense set is cheaper to look through from the front than to sort."""
    if len(docs) > 4000 and len(docs) * 40 > size:
        return list(islice((doc for doc in range(size) if doc in docs), most))
    return sorted(docs)[:most]


# A matter without any name: max() wants at least one.
_NO_TOKENS = array("I", [0xFFFFFFFF])
_NUMBER_LIKE = re.compile(r"[^\W\d_]{0,6}[0-9]+|[0-9]+[^\W\d_]{0,4}|[^\W\d_]{0,4}[0-9]+[^\W\d_][0-9]*")
_LETTERS_DIGITS = re.compile(r"([^\W\d_]*)0*([1-9][0-9]*)")
_NUMBER_PARTS = re.compile(r"([^\W\d_]*)0*([0-9]*)")


def number_level(piece: str, number: str) -> float:
    """How well what was typed fits a matter's number; both letters and digits only. 0.0 when it does not."""
    if piece == number:
        return NUMBER
    typed = _LETTERS_DIGITS.fullmatch(piece)
    if typed is not None:
        own = _NUMBER_PARTS.match(number)
        if own is not None and own.end() == len(number):
            letters, digits = typed[1], typed[2]
            if (not letters or letters == own[1]) and own[2].startswith(digits):
                if own[2] == digits:
                    return NUMBER_WITHOUT_ZEROS
                return 0.96 if piece in number or letters else 0.9
    if piece.isalpha():
        return 0.6 if number.startswith(piece) else 0.5 if piece in number else 0.0
    if number.startswith(piece):
        return 0.95
    if number.endswith(piece):
        return 0.92
    return 0.8 if piece in number else 0.0
