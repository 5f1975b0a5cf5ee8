"""The distinct words of all names, packed: which of them begin with, contain, or nearly are what a person typed.

One joined string and two arrays instead of objects: 20,000 words take some 300 kB.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence

_GAP = "\n"
_LAST = "\U0010ffff"


class Vocabulary:
    """Words in sorted order, known by their place in it. Never changes once made."""

    __slots__ = ("_masks", "_starts", "_text", "size")

    def __init__(self, text: str, starts: array[int], masks: array[int]) -> None:
        self._text = text
        self._starts = starts
        self._masks = masks
        self.size = len(starts) - 1

    @classmethod
    def of(cls, ordered: Sequence[str]) -> Vocabulary:
        """`ordered`: sorted, distinct, none empty."""
        starts = array("I", [1])
        at = 1
        for word in ordered:
            at += len(word) + 1
            starts.append(at)
        return cls(_GAP + "".join([word + _GAP for word in ordered]), starts, array("I", map(mask, ordered)))

    def parts(self) -> tuple[bytes, bytes, bytes]:
        """What `from_parts` takes."""
        return self._text.encode(), self._starts.tobytes(), self._masks.tobytes()

    @classmethod
    def from_parts(cls, text: bytes, starts: bytes, masks: bytes) -> Vocabulary:
        return cls(text.decode(), array("I", starts), array("I", masks))

    def word(self, place: int) -> str:
        starts = self._starts
        return self._text[starts[place] : starts[place + 1] - 1]

    def place(self, word: str) -> int | None:
        """Where exactly this word stands."""
        found = bisect_left(range(self.size), word, key=self.word)
        return found if found < self.size and self.word(found) == word else None

    def beginning_with(self, start: str) -> range:
        low = bisect_left(range(self.size), start, key=self.word)
        return range(low, bisect_left(range(self.size), start + _LAST, lo=low, key=self.word))

    def containing(self, piece: str) -> list[int]:
        """Places of the words that hold `piece` anywhere."""
        text, starts = self._text, self._starts
        found: list[int] = []
        at = text.find(piece)
        while at >= 0:
            place = bisect_right(starts, at) - 1
            found.append(place)
            at = text.find(piece, starts[place + 1] - 1)
        return found

    def like(self, typed: str, errors: int) -> dict[int, tuple[int, bool]]:
        """Words within `errors` (1 or 2) typing errors of `typed`: dropped, added, wrong and swapped letters.

        Gives for each the number of errors and whether the whole word is meant (else only its beginning). Complete for
        whole words: with n errors at least one of n + 1 pieces is intact, and only a swap can touch two pieces."""
        near: dict[int, tuple[int, bool]] = {}
        wanted = mask(typed)
        masks, starts = self._masks, self._starts
        length = len(typed)
        beginnings = length >= (4 if errors == 1 else 7)
        longest = length + errors
        distances = Pattern(typed).distances
        for place in self._with_a_piece(typed, errors):
            extent = starts[place + 1] - starts[place] - 1
            if (wanted & ~masks[place]).bit_count() > errors:
                continue
            if extent <= longest:
                if not beginnings and (masks[place] & ~wanted).bit_count() > errors:
                    continue
                whole, beginning = distances(self.word(place))
                if whole <= errors:
                    near[place] = (whole, True)
                    continue
            elif beginnings:
                beginning = distances(self._text[starts[place] : starts[place] + longest])[1]
            else:
                continue
            if beginnings and beginning <= errors:
                near[place] = (beginning, False)
        return near

    def _with_a_piece(self, typed: str, errors: int) -> Iterable[int]:
        cuts = [round(len(typed) * number / (errors + 1)) for number in range(1, errors + 1)]
        edges = [0, *cuts, len(typed)]
        found: set[int] = set(self.beginning_with(typed[: cuts[0]]))
        for number in range(1, errors + 1):
            start, end = edges[number], edges[number + 1]
            found.update(self._holding(typed[start:end], start, number))
        for cut in cuts:
            swapped = typed[: cut - 1] + typed[cut] + typed[cut - 1] + typed[cut + 1 :]
            found.update(self.beginning_with(swapped[: cut + 1]))
            if errors > 1:
                found.update(self._holding(swapped[cut - 1 :], cut - 1, 1))
        return found

    def _holding(self, piece: str, near: int, shift: int) -> Iterator[int]:
        """Words that hold `piece` at most `shift` letters from where it was typed."""
        text, starts = self._text, self._starts
        at = text.find(piece)
        while at >= 0:
            place = bisect_right(starts, at) - 1
            if -shift <= at - starts[place] - near <= shift:
                yield place
            at = text.find(piece, at + 1)


def mask(word: str) -> int:
    """Which letters a word has, in 32 bits; different letters may share one."""
    found = 0
    for letter in word:
        found |= 1 << (ord(letter) & 31)
    return found


class Pattern:
    """A typed word, ready to be compared with many: Hyyrö's bit-parallel optimal string alignment (a swap is one error)."""

    __slots__ = ("_bits", "_full", "_length")

    def __init__(self, typed: str) -> None:
        bits: dict[str, int] = {}
        for place, letter in enumerate(typed):
            bits[letter] = bits.get(letter, 0) | 1 << place
        self._bits = bits
        self._length = len(typed)
        self._full = (1 << len(typed)) - 1

    def distances(self, word: str) -> tuple[int, int]:
        """Errors between what was typed and the whole of `word`, and between it and the nearest beginning of `word`."""
        get, full = self._bits.get, self._full
        top = (full + 1) >> 1
        rises, falls, diagonal, previous = full, 0, 0, 0
        score = nearest = self._length
        for letter in word:
            same = get(letter, 0)
            diagonal = ((((same & rises) + rises) ^ rises) | same | falls | (((full ^ diagonal) & same) << 1) & previous) & full
            up = falls | full ^ (diagonal | rises)
            down = diagonal & rises
            if up & top:
                score += 1
            elif down & top:
                score -= 1
                if score < nearest:
                    nearest = score
            up = (up << 1 | 1) & full
            rises = (down << 1) & full | full ^ (diagonal | up)
            falls = up & diagonal
            previous = same
        return score, nearest
