"""How fast and how well the directory finds: python -m benchmarks.search [--matters N] [--queries N] [--seed N]

Prints the time from a key press to the list of matters (in milliseconds, for every prefix of every typed query), how often the
wanted matter, or one with the same client and name, is among the first five, what a refresh costs and what memory it takes.
Queries are made so that at most five matters answer to them when they are typed without errors.
"""

from __future__ import annotations

import argparse
import gc
import random
import subprocess
import sys
import tempfile
import threading
import time
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.matter_names import SYSTEM, TENANT, Firm
from desktop.services.practice.directory import Directory
from desktop.services.practice.directory_store import RefreshReport
from desktop.services.practice.model import Matter
from desktop.services.practice.search_text import words

FIRST = 5
_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "1234567890")
_DULL = frozenset("pty ltd limited and the of for as trustee trust group holdings co nz v on".split())  # noqa: SIM905


def timed_replace(matters: Iterable[Matter], folder: Path) -> tuple[RefreshReport, float]:
    """Stores `matters` in a new directory under `folder`; gives the report and the seconds from the first matter to the end."""
    directory = Directory.open(folder / "directory.db", clock=lambda: datetime.now(UTC))
    started = time.perf_counter()
    report = directory.replace(SYSTEM, TENANT, matters)
    seconds = time.perf_counter() - started
    directory.close()
    return report, seconds


class Typist:
    """Makes queries the way people do. Seeded."""

    def __init__(self, matters: Sequence[Matter], seed: int) -> None:
        self._random = random.Random(seed)
        self._matters = matters
        self._split = [set(words(matter.client) + words(matter.name)) for matter in matters]
        self._holding: dict[str, list[int]] = {}
        for place, split in enumerate(self._split):
            for word in split:
                self._holding.setdefault(word, []).append(place)
        self._vocabulary = sorted(self._holding)

    def matter(self) -> Matter:
        return self._random.choice(self._matters)

    def telling_words(self, matter: Matter, least: int = 3) -> list[str] | None:
        """Two to four words as written, from client and name, that at most FIRST matters hold together."""
        own = [word for word in matter.client.split() + matter.name.split() if self._telling(word, least)]
        self._random.shuffle(own)
        for count in (2, 3, 4):
            chosen = own[:count]
            if len(chosen) >= 2 and self._answering(chosen) <= FIRST:
                return chosen
        return None

    def _telling(self, word: str, least: int) -> bool:
        split = words(word)
        return len(split) >= 1 and all(len(part) >= least and part not in _DULL for part in split)

    def _answering(self, chosen: Iterable[str]) -> int:
        held = [set(self._holding.get(part, ())) for word in chosen for part in words(word)]
        return len(set.intersection(*held)) if held else 0

    # -- kinds of queries: each gives None when this matter has no such query

    def number(self, matter: Matter) -> str | None:
        return self._random.choice((matter.number, matter.number.lower(), f" {matter.number} "))

    def part_of_number(self, matter: Matter) -> str | None:
        digits = matter.number[1:]
        bare = digits.lstrip("0")
        return self._random.choice((bare, f"J{bare}", f"j {bare}", digits, f"J-{digits}", f"j{digits.lstrip('0')}"))

    def any_order(self, matter: Matter) -> str | None:
        chosen = self.telling_words(matter)
        return " ".join(chosen) if chosen else None

    def prefixes(self, matter: Matter) -> str | None:
        chosen = self.telling_words(matter, 4)
        if chosen is None:
            return None
        cut = [word[: max(3, len(word) - self._random.randint(1, 4))] for word in chosen]
        return " ".join(cut) if self._beginning(cut) <= FIRST else None

    def _beginning(self, cut: Iterable[str]) -> int:
        together: set[int] | None = None
        for word in cut:
            for part in words(word):
                held: set[int] = set()
                at = bisect_left(self._vocabulary, part)
                while at < len(self._vocabulary) and self._vocabulary[at].startswith(part):
                    held.update(self._holding[self._vocabulary[at]])
                    at += 1
                together = held if together is None else together & held
        return len(together or ())

    def parts(self, matter: Matter) -> str | None:
        chosen = self.telling_words(matter, 5)
        if chosen is None:
            return None
        cut = []
        for word in chosen:
            start = self._random.randint(0, max(0, len(word) - 4))
            cut.append(word[start : start + max(4, len(word) - 2)])
        return " ".join(cut) if self._inside(cut) <= FIRST else None

    def _inside(self, cut: Iterable[str]) -> int:
        held = [
            {place for word in self._vocabulary if part in word for place in self._holding[word]}
            for piece in cut
            for part in words(piece)
        ]
        return len(set.intersection(*held)) if held else FIRST + 1

    def one_error(self, matter: Matter) -> str | None:
        return self._mistyped(matter, 1)

    def two_errors(self, matter: Matter) -> str | None:
        return self._mistyped(matter, 2)

    def _mistyped(self, matter: Matter, errors: int) -> str | None:
        chosen = self.telling_words(matter, 4)
        if chosen is None:
            return None
        for _ in range(errors):
            place = self._random.choice([place for place, word in enumerate(chosen) if len(word) >= 4])
            chosen[place] = self.slip(chosen[place])
        return " ".join(chosen)

    def slip(self, word: str) -> str:
        """One typing error: swapped, dropped, doubled, a neighbouring key, any letter, the first letter wrong."""
        chosen = self._random
        at = chosen.randrange(len(word))
        kind = chosen.randrange(6)
        if kind == 0 and len(word) > 1:
            at = min(at, len(word) - 2)
            return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        if kind == 1:
            return word[:at] + word[at + 1 :]
        if kind == 2:
            return word[:at] + word[at] + word[at:]
        if kind == 3:
            for row in _KEYS:
                key = row.find(word[at].lower())
                if key >= 0:
                    return word[:at] + row[key - 1 if key else 1] + word[at + 1 :]
        at = 0 if kind == 5 else at
        return word[:at] + chosen.choice("abcdefghijklmnopqrstuvwxyz") + word[at + (kind != 4) :]

    def no_diacritics(self, matter: Matter) -> str | None:
        if (matter.client + matter.name).isascii():
            return None
        chosen = self.telling_words(matter)
        if chosen is None or "".join(chosen).isascii():
            return None
        bare = unicodedata.normalize(
            "NFKD", " ".join(chosen).replace("đ", "d").replace("Đ", "D").replace("ø", "o").replace("Ł", "L")
        )
        return "".join(letter for letter in bare if not unicodedata.combining(letter)).replace("ß", "ss")

    def apostrophes(self, matter: Matter) -> str | None:
        chosen = self.telling_words(matter)
        if chosen is None or not any(mark in word for word in chosen for mark in "'’"):
            return None
        other = self._random.choice(("", "'", "’", "`", "´", "ʼ"))
        return " ".join(chosen).replace("'", other).replace("’", other)

    def ands(self, matter: Matter) -> str | None:
        text = f"{matter.client} {matter.name}"
        if not any(f" {mark} " in text for mark in ("&", "+", "and")):
            return None
        other = self._random.choice(("&", "+", "and"))
        query = " ".join(other if word in ("&", "+", "and") else word for word in text.split() if words(word) != ["ltd"])
        return query if self._answering(text.split()) <= FIRST else None

    def initials(self, matter: Matter) -> str | None:
        """The client's initials with a word or two of the matter's name."""
        parts = [word for word in words(matter.client) if self._random.random() < 0.5 or word != "and"]
        own = [word for word in matter.name.split() if self._telling(word, 3)]
        if len(parts) < 2 or not own:
            return None
        same = self._initials_of(parts)
        chosen = own[:2]
        held = set.intersection(*[set(self._holding[part]) for word in chosen for part in words(word)])
        rivals = [place for place in held if self._initials_of(words(self._matters[place].client)).startswith(same)]
        return f"{same} {' '.join(chosen)}" if len(rivals) <= FIRST else None

    @staticmethod
    def _initials_of(parts: Iterable[str]) -> str:
        return "".join(part[0] for part in parts)

    def lone_initials(self, matter: Matter) -> str | None:
        """Only the initials of a long name, where at most FIRST matters share them."""
        split = words(self._random.choice((matter.client, matter.name)))
        short = self._initials_of(split)
        if len(split) < 4 or self._initials_shared(short) > FIRST:
            return None
        return short

    def _initials_shared(self, short: str) -> int:
        if not hasattr(self, "_shared"):
            self._shared: dict[str, int] = {}
            for matter in self._matters:
                for own in {self._initials_of(words(matter.client)), self._initials_of(words(matter.name))}:
                    for end in range(2, len(own) + 1):
                        self._shared[own[:end]] = self._shared.get(own[:end], 0) + 1
        return self._shared.get(short, 0)

    def joined(self, matter: Matter) -> str | None:
        chosen = self.telling_words(matter, 4)
        if chosen is None:
            return None
        at = self._random.randrange(len(chosen))
        word = chosen[at]
        cut = self._random.randint(2, len(word) - 2)
        chosen[at] = f"{word[:cut]} {word[cut:]}"
        return " ".join(chosen)

    def with_staff(self, matter: Matter) -> str | None:
        chosen = self.telling_words(matter)
        return f"{self._random.choice(matter.staff).name.split()[0]} {' '.join(chosen)}" if chosen else None


KINDS: tuple[tuple[str, Callable[[Typist, Matter], str | None]], ...] = (
    ("exact number", Typist.number),
    ("partial number", Typist.part_of_number),
    ("words in any order", Typist.any_order),
    ("prefixes", Typist.prefixes),
    ("parts of words", Typist.parts),
    ("one typing error", Typist.one_error),
    ("two typing errors", Typist.two_errors),
    ("missing diacritics", Typist.no_diacritics),
    ("other apostrophes", Typist.apostrophes),
    ("&, + and and", Typist.ands),
    ("initials and a word", Typist.initials),
    ("initials alone", Typist.lone_initials),
    ("a word in two", Typist.joined),
    ("staff and words", Typist.with_staff),
)


def queries(typist: Typist, make: Callable[[Typist, Matter], str | None], count: int) -> list[tuple[str, Matter]]:
    made: list[tuple[str, Matter]] = []
    for _ in range(count * 200):
        if len(made) == count:
            break
        matter = typist.matter()
        query = make(typist, matter)
        if query:
            made.append((query, matter))
    return made


def found(directory: Directory, query: str, wanted: Matter) -> bool:
    return any(
        hit.matter.id == wanted.id or (hit.matter.client, hit.matter.name) == (wanted.client, wanted.name)
        for hit in directory.find(query, 50)[:FIRST]
    )


def share(values: Sequence[float], part: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def key_presses(directory: Directory, typed: Iterable[str]) -> list[tuple[float, str]]:
    """Milliseconds for every prefix of every query, as typed."""
    times: list[tuple[float, str]] = []
    for query in typed:
        for end in range(1, len(query) + 1):
            started = time.perf_counter()
            directory.find(query[:end], 50)
            times.append(((time.perf_counter() - started) * 1000, query[:end]))
    return times


def show_times(what: str, times: Sequence[tuple[float, str]]) -> None:
    spans = [span for span, _ in times]
    worst = max(times)
    middle, slow = share(spans, 0.5), share(spans, 0.99)
    print(f"{what:<34} n={len(times):<6} p50 {middle:6.2f}  p99 {slow:6.2f}  worst {worst[0]:6.2f} ms ({worst[1]!r})")


_MEMORY = """
import sys
from datetime import UTC, datetime
from pathlib import Path
import apsw, msgspec, threading, logging, re, heapq, hashlib, unicodedata, desktop.services.desk
def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
before = resident()
from desktop.services.practice.directory import Directory
imported = resident()
directory = Directory.open(Path(sys.argv[1]), clock=lambda: datetime.now(UTC))
for query in ("s", "smith", "smith annual", "smtih", "4521", "ssl", ""):
    directory.find(query)
print(f"{(imported - before) / 1e6:.1f} {(resident() - before) / 1e6:.1f}")
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--matters", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=500, help="of each kind")
    parser.add_argument("--seed", type=int, default=26)
    parser.add_argument("--misses", type=int, default=0, help="show so many misses of each kind")
    wanted = parser.parse_args()
    matters = list(Firm(wanted.seed).matters(wanted.matters))
    typist = Typist(matters, wanted.seed + 1)
    with tempfile.TemporaryDirectory() as folder:
        _, seconds = timed_replace(matters, Path(folder))
        print(f"first refresh (store and index)    {seconds:6.2f} s")
        path = Path(folder) / "directory.db"
        directory = Directory.open(path, clock=lambda: datetime.now(UTC))
        for what, stream in (("unchanged", matters), ("one in a hundred gone", [m for n, m in enumerate(matters) if n % 100])):
            started = time.perf_counter()
            directory.replace(SYSTEM, TENANT, stream)
            print(f"{'refresh, ' + what:<34} {time.perf_counter() - started:6.2f} s")
        directory.replace(SYSTEM, TENANT, matters)
        directory.close()
        started = time.perf_counter()
        directory = Directory.open(path, clock=lambda: datetime.now(UTC))
        directory.find("smith annual")
        print(f"{'open and first search':<34} {(time.perf_counter() - started) * 1000:6.1f} ms")
        if Path("/proc/self/statm").exists():
            answer = subprocess.run(
                [sys.executable, "-c", _MEMORY, str(path)], capture_output=True, text=True, check=True
            ).stdout.split()
            print(f"{'memory: code; code and index':<34} {answer[0]}; {answer[1]} MB")

        # The firm made up here is no part of the product: keep the collector from walking through it.
        gc.freeze()
        print(f"\nfound among the first {FIRST}")
        samples: list[str] = []
        all_times: list[tuple[float, str]] = []
        for kind, make in KINDS:
            made = queries(typist, make, wanted.queries)
            hits, missed = 0, []
            for query, matter in made:
                started = time.perf_counter()
                if found(directory, query, matter):
                    hits += 1
                else:
                    missed.append((query, matter))
                all_times.append(((time.perf_counter() - started) * 1000, query))
            samples += [query for query, _ in made[: max(20, wanted.queries // 10)]]
            rate = 100 * hits / len(made) if made else float("nan")
            print(f"  {kind:<32} {rate:6.1f} %  of {len(made)}")
            for query, matter in missed[: wanted.misses]:
                print(f"      {query!r} wanted {matter.number} {matter.client} | {matter.name}")
        print("\nfrom key press to list")
        show_times("whole queries", all_times)
        show_times("single letters and digits", key_presses(directory, "abcdefghijklmnopqrstuvwxyz0123456789"))
        show_times("every prefix of typed queries", key_presses(directory, samples))
        stop = threading.Event()

        def keep_refreshing() -> None:
            turn = 0
            while not stop.is_set():
                turn += 1
                directory.replace(SYSTEM, TENANT, matters if turn % 2 else matters[: -len(matters) // 50])

        refreshing = threading.Thread(target=keep_refreshing)
        refreshing.start()
        show_times("the same while refreshing", key_presses(directory, samples[::8]))
        stop.set()
        refreshing.join()
        directory.close()


if __name__ == "__main__":
    main()
