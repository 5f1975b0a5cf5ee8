"""The packed search index over a set of matters: which words, initials, people and numbers they hold.

Arrays of machine integers and joined strings, no object for each matter: about 150 bytes a matter. An index never changes
once made; it is built when the copy is refreshed, stored beside the matters, and loaded by every later start in milliseconds.
"""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice
from typing import NamedTuple, TypeVar

import msgspec

from desktop.services.practice.search_text import compact, initials, words_of_many
from desktop.services.practice.vocabulary import Vocabulary

FORMAT = 2
"""Raise it whenever folding, tokens or the layout change: stored indexes of another format are built anew."""

_GAP = "\n"
_LEADS = 8
_REMEMBERED = 30_000
_BATCH = 1_000
_STRETCH = 50_000
_Key = TypeVar("_Key")


@dataclass(frozen=True, slots=True)
class IndexedPerson:
    """A member of staff as the index knows them; `place` is the token that stands for them in a matter."""

    id: str
    name: str
    email: str


class IndexRow(NamedTuple):
    """What the index needs of one matter. `staff` is as stored: a JSON list of [id, name, email]."""

    row: int
    number: str
    name: str
    client: str
    staff: str
    open: bool


class MatterIndex:
    """Documents are numbered in the order of rest: what should stand first when nothing else tells two matters apart.

    A document's tokens are its words in order (the client's, then the name's), then its initials, then its staff. Tokens
    below `first_initials` are words, those from `first_person` on are people, the rest initials."""

    __slots__ = (
        "_doc_starts", "_docs", "_number_starts", "_numbers", "_token_starts", "_tokens",
        "first_initials", "first_person", "initials", "leads", "opened", "persons", "rows", "size", "words",
    )  # fmt: skip

    def __init__(
        self,
        words: Vocabulary,
        initials: Vocabulary,
        persons: tuple[IndexedPerson, ...],
        numbers: str,
        number_starts: array[int],
        rows: array[int],
        opened: bytes,
        leads: tuple[str, ...],
        tokens: array[int],
        doc_starts: array[int],
        docs: array[int],
        token_starts: array[int],
    ) -> None:
        self.words = words
        self.initials = initials
        self.persons = persons
        self.rows = rows
        self.opened = opened
        self.leads = leads
        self.size = len(rows)
        self.first_initials = words.size
        self.first_person = words.size + initials.size
        self._numbers = numbers
        self._number_starts = number_starts
        self._tokens = tokens
        self._doc_starts = doc_starts
        self._docs = docs
        self._token_starts = token_starts

    def tokens_of(self, doc: int) -> array[int]:
        return self._tokens[self._doc_starts[doc] : self._doc_starts[doc + 1]]

    def docs_with(self, token: int) -> array[int]:
        """In order of rest."""
        return self._docs[self._token_starts[token] : self._token_starts[token + 1]]

    def docs_with_any(self, tokens: range) -> array[int]:
        """Of neighbouring tokens, each document once for each token that it holds."""
        if not tokens:
            return array("I")
        return self._docs[self._token_starts[tokens.start] : self._token_starts[tokens.stop]]

    def frequency(self, token: int) -> int:
        return self._token_starts[token + 1] - self._token_starts[token]

    def frequency_of_any(self, tokens: range) -> int:
        return self._token_starts[tokens.stop] - self._token_starts[tokens.start] if tokens else 0

    def number(self, doc: int) -> str:
        """The matter's number, letters and digits only."""
        starts = self._number_starts
        return self._numbers[starts[doc] : starts[doc + 1] - 1]

    def docs_numbered(self, piece: str, most: int) -> list[int]:
        """The first `most` documents, in order of rest, whose number holds `piece`."""
        numbers, starts = self._numbers, self._number_starts
        found: list[int] = []
        at = numbers.find(piece)
        while at >= 0 and len(found) < most:
            doc = bisect_right(starts, at) - 1
            found.append(doc)
            at = numbers.find(piece, starts[doc + 1] - 1)
        return found

    def parts(self) -> dict[str, bytes]:
        """What `from_parts` takes; arrays in this machine's byte order."""
        found = {
            "numbers": self._numbers.encode(),
            "number_starts": self._number_starts.tobytes(),
            "rows": self.rows.tobytes(),
            "opened": self.opened,
            "leads": _GAP.join(self.leads).encode(),
            "tokens": self._tokens.tobytes(),
            "doc_starts": self._doc_starts.tobytes(),
            "docs": self._docs.tobytes(),
            "token_starts": self._token_starts.tobytes(),
            "persons": msgspec.json.encode([(person.id, person.name, person.email) for person in self.persons]),
        }
        for name, vocabulary in (("words", self.words), ("initials", self.initials)):
            found |= {f"{name}.{part}": content for part, content in vocabulary.parts().items()}
        return found

    @classmethod
    def from_parts(cls, part: Callable[[str], bytes]) -> MatterIndex:
        """`part` gives a part by its name; each is asked for once, so that no two copies of all stand in memory.

        Raises KeyError or ValueError when the parts do not belong together."""

        def numbers(name: str, kind: str = "I") -> array[int]:
            return array(kind, part(name))

        words, initials = (
            Vocabulary(
                part(f"{name}.text").decode(),
                numbers(f"{name}.starts"),
                numbers(f"{name}.masks"),
                numbers(f"{name}.grams"),
                numbers(f"{name}.holders"),
            )
            for name in ("words", "initials")
        )
        persons = msgspec.json.decode(part("persons"), type=list[tuple[str, str, str]])
        index = cls(
            words=words,
            initials=initials,
            persons=tuple(IndexedPerson(*person) for person in persons),
            numbers=part("numbers").decode(),
            number_starts=numbers("number_starts"),
            rows=numbers("rows", "q"),
            opened=part("opened"),
            leads=tuple(part("leads").decode().split(_GAP)),
            tokens=numbers("tokens"),
            doc_starts=numbers("doc_starts"),
            docs=numbers("docs"),
            token_starts=numbers("token_starts"),
        )
        whole = (
            len(index._doc_starts) == len(index._number_starts) == len(index.opened) + 1 == index.size + 1
            and len(index._token_starts) == index.first_person + len(index.persons) + 1
            and len(index._tokens) == len(index._docs) == index._doc_starts[-1] == index._token_starts[-1]
        )
        if not whole:
            raise ValueError("the parts of the index do not belong together")
        return index


class _Places(dict[_Key, int]):
    """Gives each new key the next free place in a shared list of documents."""

    def __init__(self, docs_of: list[bytearray]) -> None:
        super().__init__()
        self._docs_of = docs_of

    def __missing__(self, key: _Key) -> int:
        place = self[key] = len(self._docs_of)
        self._docs_of.append(bytearray())
        return place


class _Builder:
    """One numbering, first come first served, over words, initials and people; put in order at the end."""

    def __init__(self) -> None:
        self.docs_of: list[bytearray] = []
        self.words = _Places[str](self.docs_of)
        self.initials = _Places[str](self.docs_of)
        self.persons = _Places[tuple[str, str, str]](self.docs_of)
        # Clients and kinds of jobs come again and again, and so do teams.
        self._text_of: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {}
        self._staff_of: dict[str, list[int]] = {}

    def tokens_of(self, rows: Sequence[IndexRow]) -> Iterator[list[int]]:
        """Of each row its words, its initials and its staff."""
        known = self._texts({text for row in rows for text in (row.client, row.name)})
        for row in rows:
            client, name = known[row.client], known[row.name]
            yield [*client[0], *name[0], *client[1], *name[1], *self._staff(row.staff)]

    def _texts(self, texts: set[str]) -> dict[str, tuple[tuple[int, ...], tuple[int, ...]]]:
        known = self._text_of
        if len(known) > _REMEMBERED:
            known.clear()
        new = [text for text in texts if text not in known]
        word_place, initials_place = self.words.__getitem__, self.initials.__getitem__
        for text, split in zip(new, words_of_many(new), strict=True):
            known[text] = (tuple(map(word_place, split)), tuple(map(initials_place, initials(text, split))))
        return known

    def _staff(self, staff: str) -> list[int]:
        known = self._staff_of.get(staff)
        if known is None:
            if len(self._staff_of) > _REMEMBERED:
                self._staff_of.clear()
            team = msgspec.json.decode(staff, type=list[tuple[str, str, str]]) if staff else []
            known = self._staff_of[staff] = [self.persons[person] for person in team]
        return known


def build_index(rows: Iterable[IndexRow]) -> MatterIndex:
    """`rows` in order of rest. Memory while building: about twice the finished index.

    No step of it keeps other threads waiting for more than some milliseconds."""
    builder = _Builder()
    # Documents of a token as the bytes of an array: the garbage collector need not walk through so many of them.
    docs_of, width = builder.docs_of, array("I").itemsize
    tokens, doc_starts = array("I"), array("I", [0])
    row_ids, opened = array("q"), bytearray()
    numbers: list[str] = []
    leads: set[str] = set()
    doc = 0
    upcoming = iter(rows)
    while batch := list(islice(upcoming, _BATCH)):
        for found in builder.tokens_of(batch):
            number = doc.to_bytes(width, sys.byteorder)
            for place in found:
                docs_of[place] += number
            tokens.extend(found)
            doc_starts.append(len(tokens))
            doc += 1
        for row in batch:
            written = row.number
            written = written.lower() if written.isascii() and written.isalnum() else compact(written)
            numbers.append(written)
            lead = written.rstrip("0123456789")
            if lead not in leads and len(leads) < _LEADS and (not lead or lead.isalpha()):
                leads.add(lead)
        row_ids.extend([row.row for row in batch])
        opened.extend([row.open for row in batch])
    ordered_words, ordered_initials = _sorted(builder.words), _sorted(builder.initials)
    order = array("I", [builder.words[word] for word in ordered_words])
    order.extend([builder.initials[short] for short in ordered_initials])
    order.extend(builder.persons.values())
    renumbered = array("I", bytes(4 * len(order)))
    token_starts = array("I", [0])
    docs = array("I")
    for token, place in enumerate(order):
        renumbered[place] = token
        docs.frombytes(docs_of[place])
        token_starts.append(len(docs))
    renumber = renumbered.__getitem__
    for at in range(0, len(tokens), _STRETCH):
        tokens[at : at + _STRETCH] = array("I", list(map(renumber, tokens[at : at + _STRETCH])))
    number_starts = array("I", accumulate([len(number) + 1 for number in numbers], initial=1))
    return MatterIndex(
        words=Vocabulary.of(ordered_words, with_errors=True),
        initials=Vocabulary.of(ordered_initials, with_errors=False),
        persons=tuple(IndexedPerson(*person) for person in builder.persons),
        numbers=_GAP + "".join([number + _GAP for number in numbers]),
        number_starts=number_starts,
        rows=row_ids,
        opened=bytes(opened),
        leads=tuple(sorted(leads)),
        tokens=tokens,
        doc_starts=doc_starts,
        docs=docs,
        token_starts=token_starts,
    )


def _sorted(keys: Iterable[str]) -> list[str]:
    """As `sorted`, in steps: a sort of all would keep every other thread waiting."""
    by_letter: dict[str, list[str]] = {}
    for key in keys:
        by_letter.setdefault(key[0], []).append(key)
    return [key for letter in sorted(by_letter) for key in sorted(by_letter[letter])]
