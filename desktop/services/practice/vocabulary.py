"""The distinct words of all names, packed: which of them begin with, contain, or nearly are what a person typed.

One joined string and a few arrays instead of objects: 20,000 words take some 2 MB, most of it for typing errors.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

_GAP = "\n"
_LAST = "\U0010ffff"
_PLACES = 16


class Vocabulary:
    """Words in sorted order, known by their place in it. Never changes once made.

    For typing errors it also knows each word's letters (`masks`) and, for each pair of neighbouring letters and each place
    in a word where it may stand, the words that have it there (`grams`, ascending, and `holders` beside it)."""

    __slots__ = ("_grams", "_holders", "_masks", "_starts", "_text", "size")

    def __init__(self, text: str, starts: array[int], masks: array[int], grams: array[int], holders: array[int]) -> None:
        self._text = text
        self._starts = starts
        self._masks = masks
        self._grams = grams
        self._holders = holders
        self.size = len(starts) - 1

    @classmethod
    def of(cls, ordered: Sequence[str], *, with_errors: bool) -> Vocabulary:
        """`ordered`: sorted, distinct, none empty. Without errors `like` finds nothing, and it takes a third of the space."""
        starts = array("I", [1])
        at = 1
        for word in ordered:
            at += len(word) + 1
            starts.append(at)
        masks, grams, holders = array("I"), array("I"), array("I")
        if with_errors:
            masks.extend(map(mask, ordered))
            holding: dict[int, array[int]] = {}
            for place, word in enumerate(ordered):
                for at in range(min(len(word) - 1, _PLACES)):
                    gram = _gram(word, at)
                    try:
                        holding[gram].append(place)
                    except KeyError:
                        holding[gram] = array("I", (place,))
            for gram in sorted(holding):
                places = holding[gram]
                grams.extend([gram] * len(places))
                holders.extend(places)
        return cls(_GAP + "".join([word + _GAP for word in ordered]), starts, masks, grams, holders)

    def parts(self) -> dict[str, bytes]:
        """What the constructor takes, as bytes; arrays in this machine's byte order."""
        return {
            "text": self._text.encode(),
            "starts": self._starts.tobytes(),
            "masks": self._masks.tobytes(),
            "grams": self._grams.tobytes(),
            "holders": self._holders.tobytes(),
        }

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

        Gives for each the number of errors and whether the whole word is meant (else only its beginning). Complete for whole
        words of up to 16 letters: with n errors at least one of n + 1 pieces is intact, and only a swap can touch two."""
        near: dict[int, tuple[int, bool]] = {}
        if not self._masks or len(typed) <= 2 * errors:
            return near
        wanted = mask(typed)
        masks, starts = self._masks, self._starts
        length = len(typed)
        beginnings = length >= (4 if errors == 1 else 7)
        longest = length + errors
        distances = Pattern(typed).distances
        for place in self._with_a_piece(typed, errors):
            if (wanted & ~masks[place]).bit_count() > errors:
                continue
            extent = starts[place + 1] - starts[place] - 1
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
        length = len(typed)
        cuts = [length * number // (errors + 1) for number in range(1, errors + 1)]
        edges = [0, *cuts, length]
        found: set[int] = set(self.beginning_with(typed[: cuts[0]]))
        for number in range(1, errors + 1):
            self._add_holding(found, typed[edges[number] : edges[number + 1]], edges[number], number)
        for cut in cuts:
            swapped = typed[: cut - 1] + typed[cut] + typed[cut - 1] + typed[cut + 1 :]
            found.update(self.beginning_with(swapped[: cut + 1]))
            if errors > 1:
                self._add_holding(found, swapped[cut - 1 :], cut - 1, 1)
        return found

    def _add_holding(self, found: set[int], piece: str, near: int, shift: int) -> None:
        """Adds the words that hold `piece` at most `shift` letters from where it was typed."""
        for at in range(max(0, near - shift), near + shift + 1):
            holding = self._at(_gram(piece, 0, at))
            if len(piece) > 2:
                # The last pair says enough: what lies between is judged by the distance.
                holding = array("I", set(holding).intersection(self._at(_gram(piece, len(piece) - 2, at + len(piece) - 2))))
            found.update(holding)

    def _at(self, gram: int) -> array[int]:
        low = bisect_left(self._grams, gram)
        return self._holders[low : bisect_right(self._grams, gram, lo=low)]


def _gram(word: str, at: int, stands: int | None = None) -> int:
    """Two neighbouring letters and where they stand, in 20 bits; rare letters may share theirs."""
    return (ord(word[at]) & 255) << 12 | (ord(word[at + 1]) & 255) << 4 | min(at if stands is None else stands, _PLACES - 1)


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
