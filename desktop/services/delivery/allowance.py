"""How many calls are left and when the next one may go: a pure account, fed with times and with what answers say.

Facts (vendor docs): a limit belongs to the app and the firm together, so every desk of the firm draws on the same sixty a
minute, five at once and five thousand a day; windows are fixed, their moment of renewal differs from firm to firm and is
not told; each answer tells what remains. So nothing here counts on our own calls alone: what remains is what the last
answer said, less our calls since, less what the others have been taking meanwhile.
"""

from __future__ import annotations

import random
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from desktop.services.practice.practice_system import Urgency

MINUTE = 60.0
DAY = 86_400.0
_PROBE = 3_600.0
"""How often one call may ask whether the day's limit has been renewed unseen."""
_LONGEST_BACK_OFF = 900.0


@dataclass(frozen=True, slots=True)
class Pause:
    """Ask again after so many seconds. `limit` says what for; `promised` is false where only another call's end helps."""

    seconds: float
    limit: str
    promised: bool = True


GO = Pause(0.0, "")


@dataclass(frozen=True, slots=True)
class Reserve:
    """The share of a limit that each urgency leaves for the more urgent ones."""

    read_back: float
    send: float
    background: float

    def floor(self, urgency: Urgency, limit: int) -> float:
        share = {
            Urgency.PERSON: 0.0,
            Urgency.READ_BACK: self.read_back,
            Urgency.SEND: self.send,
            Urgency.BACKGROUND: self.background,
        }[urgency]
        return share * limit


class Window:
    """One fixed window of one limit, as far as answers let us know it."""

    def __init__(self, span: float, limit: int, reserve: Reserve) -> None:
        self.span = span
        self.limit = limit
        self.reserve = reserve
        self.left: float | None = None
        """What should remain now by the last answer and our own calls since; None while nothing is known of this window."""
        self.told_at = 0.0
        self.ends: tuple[float, float] | None = None
        """Between these two moments the window ends; at the later one it is over for certain."""
        self.share = 1.0
        """How many desks like this one seem to draw on the limit."""
        self._last_told = 0
        self._first_told: tuple[float, int] | None = None
        self._own = 0
        self._rate = 0.0

    def at(self, now: float) -> None:
        """Lets time pass."""
        if self.ends is None or now < self.ends[1]:
            return
        spans = int((now - self.ends[1]) // self.span) + 1
        self.ends = (self.ends[0] + spans * self.span, self.ends[1] + spans * self.span)
        self.left = None

    def left_now(self, now: float) -> float | None:
        """What remains after what the other desks have probably taken since we last heard."""
        if self.left is None:
            return None
        return self.left - self._rate * max(0.0, now - self.told_at)

    def started(self) -> None:
        if self.left is not None:
            self.left -= 1
            self._own += 1

    def told(self, remaining: int, now: float, still_out: int) -> None:
        """An answer said what remains. `still_out`: our calls that it may not have counted."""
        self.at(now)
        self.limit = max(self.limit, remaining + 1)
        renewed = self.left is None or remaining > self._last_told + 8
        if renewed:
            self._begin(remaining, now)
        fresh = remaining - still_out
        if renewed or self.left is None or remaining <= self._last_told:
            self.left = fresh
        else:
            self.left = min(self.left, fresh)  # an older answer that came late
        self._last_told = remaining if renewed else min(remaining, self._last_told)
        self.told_at = now
        self._learn_share(now)

    def exhausted(self, now: float, until: float | None) -> None:
        """The limit was met. `until` is when the other side says it ends."""
        self.at(now)
        self.left = 0.0
        self.told_at = now
        self._last_told = 0
        if until is not None:
            self.ends = (until - 1.0, until)
        elif self.ends is None:
            self.ends = (now, now + self.span)

    def _begin(self, remaining: int, now: float) -> None:
        """The first word in a window: it began after the last one from the window before."""
        low, high = max(self.told_at, now - self.span), now
        if self.ends is not None:
            # Windows follow each other without gaps, so what was known of the last end narrows this beginning.
            back = self.span if self.ends[1] > now else 0.0
            known = (self.ends[0] - back, self.ends[1] - back)
            if max(low, known[0]) <= min(high, known[1]):
                low, high = max(low, known[0]), min(high, known[1])
        self.ends = (low + self.span, high + self.span)
        self._first_told = (now, remaining)
        self._own = 0

    def _learn_share(self, now: float) -> None:
        if self._first_told is None:
            return
        since, first = self._first_told
        taken, seconds = first - self._last_told, now - since
        if taken < 3 or seconds < 1.0:
            return
        others = max(0, taken - self._own)
        self._rate = others / seconds
        self.share = min(200.0, 1.0 + others / max(1, self._own))


class Allowance:
    """The account of one firm's limits, as one desk keeps it. Not safe for several threads; times are seconds since the
    epoch. `at_once` adapts: it falls when the vendor says that too many calls are open, and recovers slowly."""

    def __init__(
        self,
        *,
        per_minute: int = 60,
        per_day: int = 5_000,
        app_per_minute: int = 10_000,
        at_once: int = 5,
        chance: random.Random | None = None,
    ) -> None:
        self.minute = Window(MINUTE, per_minute, Reserve(read_back=0.035, send=0.1, background=0.1))
        self.day = Window(DAY, per_day, Reserve(read_back=0.01, send=0.1, background=0.1))
        self.app = Window(MINUTE, app_per_minute, Reserve(read_back=0.002, send=0.005, background=0.01))
        self.at_once = at_once
        self.in_flight = 0
        self.problem = ""
        self.until = 0.0
        """Nothing goes before this moment, because an answer asked for it."""
        self._spares_people = True
        self._most_at_once = at_once
        self._good = 0
        self._bad = 0
        self._chance = chance or random.Random()  # noqa: S311 - spreads calls, protects nothing
        self._own: deque[float] = deque()
        self._tells = False
        self._silent = False
        self._paced_until = 0.0
        self._now = 0.0

    def pause(self, urgency: Urgency, now: float) -> Pause:
        """GO, or what to wait for."""
        now = self._time(now)
        person = urgency is Urgency.PERSON
        if now < self.until and not (person and self._spares_people):
            return Pause(self.until - now, self.problem)
        # One place is kept free, so that a click never waits for a long list to be read.
        most = self.at_once if person else max(1, self.at_once - 1)
        if self.in_flight >= most:
            return Pause(1.0, "concurrent", promised=False)
        for limit, window in (("day", self.day), ("minute", self.minute), ("app", self.app)):
            pause = self._window_pause(limit, window, urgency, now)
            if pause is not GO:
                return pause
        if not person and now < self._paced_until:
            return Pause(self._paced_until - now, "minute")
        return GO

    def start(self, urgency: Urgency, now: float) -> None:
        """A call goes out."""
        now = self._time(now)
        self.in_flight += 1
        self._own.append(now)
        for window in (self.minute, self.day, self.app):
            window.started()
        if urgency is not Urgency.PERSON:
            self._paced_until = now + self._pace(now)

    def finish(self) -> None:
        """A call is over, however it ended."""
        self.in_flight -= 1

    def learn(self, status: int, headers: Mapping[str, str], now: float, *, limit: str, after: float | None) -> None:
        """What an answer said, while its call still counts as in flight. `limit` and `after` are its refusal's, if it is
        one (429, 503)."""
        now = self._time(now)
        still_out = max(0, self.in_flight - 1)
        told = False
        for name, window in (
            ("x-minlimit-remaining", self.minute),
            ("x-daylimit-remaining", self.day),
            ("x-appminlimit-remaining", self.app),
        ):
            remaining = _count(headers.get(name, ""))
            if remaining is not None:
                window.told(remaining, now, still_out)
                told = told or window is self.minute
        if told:
            self._tells, self._silent = True, False
        elif 200 <= status < 300 and not self._tells:
            self._silent = True
        if status in (429, 503):
            self._refused(status, now, limit, after)
        else:
            self._bad = 0
            self._good += 1
            if self._good >= 20 and self.at_once < self._most_at_once:
                self.at_once += 1
                self._good = 0

    def _refused(self, status: int, now: float, limit: str, after: float | None) -> None:
        self._bad += 1
        self._good = 0
        self.problem = limit
        self._spares_people = status == 503
        if limit == "concurrent":
            self.at_once = max(1, self.at_once // 2)
        until = None if after is None else now + after
        if limit in ("minute", "day", "app"):
            window = {"minute": self.minute, "day": self.day, "app": self.app}[limit]
            window.exhausted(now, until)
            if until is None and limit == "minute" and window.ends is not None:
                until = window.ends[1]
        if until is None:
            base = 30.0 if limit == "day" else 0.5 if limit == "concurrent" else 2.0
            until = now + self._chance.uniform(0.2, 1.0) * min(_LONGEST_BACK_OFF, base * 2.0 ** min(self._bad, 12))
        elif limit != "day" or after is None:
            until += self._spread(now)
        self.until = max(self.until, until)

    def _window_pause(self, limit: str, window: Window, urgency: Urgency, now: float) -> Pause:
        left = window.left if urgency is Urgency.PERSON else window.left_now(now)
        if left is None:
            return self._unknown_pause(urgency, now) if window is self.minute else GO
        if left - 1 >= window.reserve.floor(urgency, window.limit):
            return GO
        if window is self.day and urgency is not Urgency.PERSON and left > 0.02 * window.limit:
            probe = window.told_at + _PROBE
            if now >= probe:
                return GO
            if window.ends is None or probe < window.ends[1]:
                return Pause(probe - now, limit)
        ends = window.ends[1] if window.ends is not None else window.told_at + window.span
        return Pause(max(0.05, ends - now + self._spread_once(window, ends)), limit)

    def _unknown_pause(self, urgency: Urgency, now: float) -> Pause:
        """Nothing is known of this minute. One call asks; where answers never tell, our own calls are counted."""
        if not self._silent:
            # A person does not wait for that.
            return Pause(1.0, "minute", promised=False) if self.in_flight and urgency is not Urgency.PERSON else GO
        while self._own and self._own[0] <= now - MINUTE:
            self._own.popleft()
        most = self.minute.limit - self.minute.reserve.floor(urgency, self.minute.limit)
        if len(self._own) < most:
            return GO
        return Pause(self._own[0] + MINUTE - now, "minute")

    def _pace(self, now: float) -> float:
        """How long to leave between calls when others draw on the same limit: everybody's calls then spread over the
        minute, and nobody's knowledge of what is left is old."""
        window = self.minute
        left = window.left_now(now)
        if window.share < 1.3 or left is None or window.ends is None:
            return 0.0
        ours = max(0.0, left - window.reserve.floor(Urgency.SEND, window.limit)) / window.share
        seconds = max(0.0, window.ends[1] - now)
        return min(window.span, seconds / max(ours, seconds / window.span)) * self._chance.uniform(0.5, 1.5)

    def _spread(self, now: float) -> float:
        """Desks that wait for the same moment must not all start in it."""
        share = self.minute.share
        most = 0.3 if share < 1.3 else min(MINUTE * 0.9, MINUTE * share / max(1.0, 0.9 * self.minute.limit))
        return self._chance.uniform(0.05, most)

    def _spread_once(self, window: Window, ends: float) -> float:
        if getattr(self, "_spread_for", None) != (window.span, ends):
            self._spread_for = (window.span, ends)
            self._spread_by = self._spread(ends)
            self._paced_until = max(self._paced_until, ends + self._spread_by) if window is self.minute else self._paced_until
        return self._spread_by

    def _time(self, now: float) -> float:
        if now < self._now - 5.0:
            # The PC's clock was set back: what was known of windows is worth nothing, and nothing may wait for hours.
            for window in (self.minute, self.day, self.app):
                window.ends, window.left = None, None
            self.until = min(self.until, now + MINUTE) if self.problem != "day" else self.until - (self._now - now)
            self._paced_until = now
            self._own.clear()
        self._now = now
        for window in (self.minute, self.day, self.app):
            window.at(now)
        while len(self._own) > 1_000:
            self._own.popleft()
        return now


def _count(text: str) -> int | None:
    text = text.strip()
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text, re.ASCII) else None
