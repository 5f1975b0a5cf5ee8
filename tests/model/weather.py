"""What can become of a call: each fate with its weight, and how late the effect of a lost one may be."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from random import Random
from typing import Protocol


class Lands(Enum):
    """What becomes of a write whose answer is not its yes."""

    NEVER = "never"
    NOW = "now"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Fate:
    """`answer` is what comes back: a word that the world turns into an answer or an error. `slow`: only after the time-out."""

    name: str
    weight: float
    answer: str
    lands: Lands = Lands.NEVER
    slow: bool = False


WRITES: tuple[Fate, ...] = (
    Fate("not sent", 5, "not sent"),
    Fate("not sent, slowly", 2, "not sent", slow=True),
    Fate("lost, never lands", 4, "lost"),
    Fate("timed out, never lands", 3, "lost", slow=True),
    Fate("lost, landed", 5, "lost", Lands.NOW),
    Fate("timed out, landed", 4, "lost", Lands.NOW, slow=True),
    Fate("lost, lands late", 5, "lost", Lands.LATE),
    Fate("timed out, lands late", 4, "lost", Lands.LATE, slow=True),
    Fate("500, half done", 2, "500", Lands.NOW),
    Fate("500, nothing done", 2, "500"),
    Fate("502, lands late", 2, "502", Lands.LATE),
    Fate("503", 2, "503"),
    Fate("504, landed", 2, "504", Lands.NOW),
    Fate("504, lands late", 2, "504", Lands.LATE),
    Fate("error document under 500, landed", 1, "500 refused", Lands.NOW),
    Fate("answer cut, landed", 3, "lost", Lands.NOW),
    Fate("answer too large, landed", 0.5, "unreadable", Lands.NOW),
    Fate("a page in between", 2, "page"),
    Fate("a page in between, landed", 1, "page", Lands.NOW),
    Fate("created without a word", 1, "empty", Lands.NOW),
    Fate("half an answer", 1, "half", Lands.NOW),
    Fate("refused", 2, "refused"),
    Fate("refused with 400", 1, "400"),
    Fate("too large", 0.5, "413"),
    Fate("token turned away", 2, "401"),
    Fate("no right", 0.5, "403"),
    Fate("minute", 2, "minute"),
    Fate("day", 0.2, "day"),
    Fate("concurrent", 1, "concurrent"),
    Fate("app", 0.5, "app"),
    Fate("redirect", 0.5, "302"),
    Fate("proxy wants a name", 0.5, "407"),
    Fate("408, lands late", 1, "408", Lands.LATE),
    Fate("409", 0.5, "409"),
    Fate("409, landed", 0.5, "409", Lands.NOW),
    Fate("a yes, done later", 2, "yes", Lands.LATE),
    Fate("a yes, never done", 0.3, "yes"),
    Fate("dies before sending", 2, "dies"),
    Fate("dies, landed", 2, "dies", Lands.NOW),
    Fate("dies, lands late", 2, "dies", Lands.LATE),
)

READS: tuple[Fate, ...] = (
    Fate("not sent", 5, "not sent"),
    Fate("lost", 5, "lost"),
    Fate("timed out", 3, "lost", slow=True),
    Fate("500", 2, "500"),
    Fate("503", 2, "503"),
    Fate("unreadable", 2, "unreadable"),
    Fate("a page in between", 2, "page"),
    Fate("half an answer", 1, "half"),
    Fate("refused", 0.5, "refused"),
    Fate("token turned away", 2, "401"),
    Fate("no right", 0.3, "403"),
    Fate("minute", 2, "minute"),
    Fate("concurrent", 1, "concurrent"),
    Fate("stale", 12, "stale"),
    Fate("dies reading", 1, "dies"),
)

LATE = tuple(one for one in WRITES if one.answer == "lost" and one.lands is Lands.LATE)

_CHOICES = {
    fates: (list(itertools.accumulate(one.weight for one in fates)), sum(one.weight for one in fates)) for fates in (WRITES, READS)
}


def drawn(chance: Random, fates: tuple[Fate, ...]) -> Fate:
    return chance.choices(fates, cum_weights=_CHOICES[fates][0])[0]


@dataclass(frozen=True, slots=True)
class Lateness:
    """How long after it was given up a write may land: exponential with this mean, in seconds, and never above `most`."""

    mean: float = 20.0
    most: float = 150.0

    def drawn(self, chance: Random) -> float:
        while True:
            seconds = chance.expovariate(1 / self.mean)
            if seconds <= self.most:
                return seconds


class Limit(Protocol):
    """How many calls the practice system takes."""

    def met(self, now: float) -> Mapping[str, str] | None:
        """Counts a call; where it is one too many, the headers of the 429."""
        ...

    def told(self, now: float) -> dict[str, str]:
        """What every answer says of it."""
        ...


class MinuteLimit:
    """Sixty in each minute."""

    def __init__(self) -> None:
        self._window = Counter[int]()

    def met(self, now: float) -> Mapping[str, str] | None:
        minute = int((now - 17.0) // 60)
        if self._window[minute] >= 60:
            left = 60 - (now - 17.0) % 60
            return {"retry-after": str(int(left) + 1), "x-rate-limit-problem": "minute"}
        self._window[minute] += 1
        return None

    def told(self, now: float) -> dict[str, str]:
        return {"x-minlimit-remaining": str(max(0, 60 - self._window[int((now - 17.0) // 60)]))}


class BucketLimit:
    """So many a second, with a burst; an answer tells nothing of what is left, nor how long to wait."""

    def __init__(self, per_second: float, burst: float) -> None:
        self._per_second, self._burst = per_second, burst
        self._left, self._at = burst, 0.0

    def met(self, now: float) -> Mapping[str, str] | None:
        self._left = min(self._burst, self._left + (now - self._at) * self._per_second)
        self._at = now
        if self._left < 1:
            return {}
        self._left -= 1
        return None

    def told(self, now: float) -> dict[str, str]:
        return {}
