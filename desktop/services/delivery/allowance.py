"""How many calls are left and when the next one may go: a pure account, fed with times and with what answers say.

Facts (vendor docs): a limit belongs to the app and the firm together, so every desk of the firm draws on the same sixty a
minute, five at once and five thousand a day; windows are fixed, their moment of renewal differs from firm to firm and is
not told; each answer tells what remains. So nothing here counts on our own calls alone: what remains is what the last
answer said, less our calls since, less what the others have been taking meanwhile.
"""

from __future__ import annotations

import math
import random
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from desktop.services.practice.practice_system import Urgency

MINUTE = 60.0
DAY = 86_400.0
_A_MINUTE = 60
_AN_APP_A_MINUTE = 10_000
"""Calls in a minute by one firm, and by the app for all firms that use it."""
_PROBE = 3_600.0
"""How often one call may ask whether the day's limit has been renewed unseen."""
_LONGEST_BACK_OFF = 900.0
_FIRST_WITHIN = 2.0
_NEW_DAY_WITHIN = 30.0
"""When the day's limit is renewed, the desks that wait for it begin at moments of their own."""
_WARY = 300.0
"""How long after a refusal the others are thought to take all they may: more desks may have begun than were heard of."""
_REMEMBERED = 3_600.0
"""How long a limit that was met is reckoned with where answers do not tell what remains."""


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
        self.own = 0
        """Our calls in this window."""
        self.others = 0
        """The other desks' calls in this window, as far as we heard."""
        self.met = False
        """Whether somebody came to the end of it."""
        self.past: tuple[int, float | None, bool] | None = None
        """Of a window that is over, until somebody looks: our calls, the others' (None: not known), and whether it was met."""
        self._heard_for = 0.0
        self._last_told = 0
        self._most_told = 0
        self._rate = 0.0
        self._wary_until = 0.0

    def at(self, now: float) -> None:
        """Lets time pass."""
        if self.ends is None or now < self.ends[1]:
            return
        spans = int((now - self.ends[1]) // self.span) + 1
        self.ends = (self.ends[0] + spans * self.span, self.ends[1] + spans * self.span)
        self._over()

    def left_now(self, now: float) -> float | None:
        """What remains after what the other desks have probably taken since we last heard."""
        if self.left is None:
            if self.ends is None or not (self._rate or self.is_wary(now)) or now - self.told_at > 3 * self.span:
                return None
            # Nothing heard in this window yet: the others go on as in the last one.
            return self._most_told - self._taken(now - (self.ends[1] - self.span), now)
        return self.left - self._taken(now - self.told_at, now)

    def _taken(self, seconds: float, now: float) -> float:
        """What the others may have taken unheard: at their usual rate, and as much more as chance often makes it."""
        rate = self.limit / self.span if self.is_wary(now) else self._rate
        usual = rate * max(0.0, seconds)
        return usual + math.sqrt(usual)

    def is_wary(self, now: float) -> bool:
        """True for a while after a refusal that nobody had foreseen."""
        return now < self._wary_until

    def started(self) -> None:
        self.own += 1
        if self.left is not None:
            self.left -= 1

    def told(self, remaining: int, now: float, still_out: int) -> None:
        """An answer said what remains. `still_out`: our calls that it may not have counted."""
        self.at(now)
        self.limit = max(self.limit, remaining + 1)
        renewed = self.left is None or remaining > self._last_told + 8
        if renewed:
            self._begin(remaining, now, still_out)
        fresh = remaining - still_out
        if renewed or self.left is None or remaining <= self._last_told:
            self.left = fresh
        else:
            self.left = min(self.left, fresh)  # an older answer that came late
        self._last_told = remaining if renewed else min(remaining, self._last_told)
        self.told_at = now
        self._learn_others(now, still_out)

    def resumed(self, left: int) -> None:
        """`left`, `told_at` and `ends` were set from an earlier run."""
        self._last_told = self._most_told = left

    def exhausted(self, now: float, until: float | None) -> None:
        """The limit was met. `until` is when the other side says it ends."""
        self.at(now)
        self.left = 0.0
        self.met = True
        self.told_at = now
        self._last_told = 0
        self._wary_until = now + min(_WARY, 5 * self.span)
        if until is not None:
            self.ends = (until - 1.0, until)
        elif self.ends is None:
            self.ends = (now, now + self.span)

    def _begin(self, remaining: int, now: float, still_out: int) -> None:
        """The first word in a window: it began after the last one from the window before."""
        if self.left is not None:
            self._over()
        low, high = max(self.told_at, now - self.span), now
        if self.ends is not None:
            # Windows follow each other without gaps, so what was known of the last end narrows this beginning.
            back = self.span if self.ends[1] > now else 0.0
            known = (self.ends[0] - back, self.ends[1] - back)
            if max(low, known[0]) <= min(high, known[1]):
                low, high = max(low, known[0]), min(high, known[1])
        self.ends = (low + self.span, high + self.span)
        # Calls that were out when it began count as its own.
        self.own = max(self.own, still_out + 1)

    def _over(self) -> None:
        self.past = (self.own, self._rate * self.span if self._heard_for >= 5.0 else None, self.met)
        self.left = None
        self.own = self.others = 0
        self.met = False
        self._heard_for = 0.0

    def _learn_others(self, now: float, still_out: int) -> None:
        self._most_told = max(self._most_told, self._last_told + self.own - still_out)
        if self.ends is None:
            return
        self.others = max(0, self._most_told - self._last_told - (self.own - still_out))
        self._heard_for = now - (self.ends[1] - self.span)
        # A rate from a moment would be a guess; the one from the window before serves until then. Over a window, no more
        # can be taken than the limit.
        if self._heard_for >= 3.0:
            self._rate = min(self.others / self._heard_for, self.limit / self.span)


class Allowance:
    """The account of one firm's limits, as one desk keeps it. Not safe for several threads; times are seconds since the
    epoch. `at_once` adapts: it falls when the vendor says that too many calls are open, and recovers slowly."""

    def __init__(
        self,
        *,
        per_day: int = 5_000,
        at_once: int = 5,
        chance: random.Random | None = None,
    ) -> None:
        self.minute = Window(MINUTE, _A_MINUTE, Reserve(read_back=0.035, send=0.1, background=0.1))
        self.day = Window(DAY, per_day, Reserve(read_back=0.01, send=0.1, background=0.1))
        self.app = Window(MINUTE, _AN_APP_A_MINUTE, Reserve(read_back=0.002, send=0.005, background=0.01))
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
        self._refused_at: float | None = None
        self._paced_until = 0.0
        self._now = 0.0
        self._quota: float | None = None
        self._heard_first = 0.0
        self._spread_for = 0.0
        self._spread_by = 0.0

    def pause(self, urgency: Urgency, now: float) -> Pause:
        """GO, or what to wait for."""
        if self._now == 0.0:
            # Where all desks are switched on at nine, they need not all ask at once.
            self._paced_until = now + self._chance.uniform(0.0, _FIRST_WITHIN)
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
        self._share_out()
        if told:
            if not self._tells:
                self._heard_first = now
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
        if status == 429 and limit != "concurrent":
            self._refused_at = now
        self.problem = limit
        self._spares_people = status == 503
        if limit == "concurrent":
            self.at_once = max(1, self.at_once // 2)
            if self.in_flight < self._most_at_once:
                self._yield()
        until = None if after is None else now + after
        if limit in ("minute", "day", "app"):
            window = {"minute": self.minute, "day": self.day, "app": self.app}[limit]
            window.exhausted(now, until)
            if until is None and limit == "minute" and window.ends is not None:
                until = window.ends[1]
        if until is None:
            base = 30.0 if limit == "day" else 1.0 if limit == "concurrent" else 2.0
            until = now + self._chance.uniform(0.2, 1.0) * min(_LONGEST_BACK_OFF, base * 2.0 ** min(self._bad, 12))
        elif limit == "day":
            self._paced_until = max(self._paced_until, until + self._spread(limit))
        else:
            until += self._spread(limit)
        self.until = max(self.until, until)

    def _window_pause(self, limit: str, window: Window, urgency: Urgency, now: float) -> Pause:
        person = urgency is Urgency.PERSON
        left = window.left if person else window.left_now(now)
        if window.left is None and window is self.minute and (pause := self._unknown_pause(urgency, now)) is not GO:
            return pause
        if left is None:
            return GO
        if left - 1 >= window.reserve.floor(urgency, window.limit):
            return GO
        if window is self.day and not person and left > 0.02 * window.limit:
            probe = window.told_at + _PROBE
            if now >= probe:
                return GO
            if window.ends is None or probe < window.ends[1]:
                return Pause(probe - now, limit)
        if not person:
            window.met = True
        ends = window.ends[1] if window.ends is not None else window.told_at + window.span
        return Pause(max(0.05, (ends if person else self._after(ends, limit)) - now), limit)

    def _unknown_pause(self, urgency: Urgency, now: float) -> Pause:
        """Nothing is known of this minute. One call asks. Where answers never tell of a limit, there is none to obey until one
        is met; from then on our own calls are counted, for as long as that is fresh."""
        if not self._silent:
            # A person does not wait for that.
            return Pause(1.0, "minute", promised=False) if self.in_flight and urgency is not Urgency.PERSON else GO
        if self._refused_at is None or now - self._refused_at > _REMEMBERED:
            return GO
        while self._own and self._own[0] <= now - MINUTE:
            self._own.popleft()
        most = self.minute.limit - self.minute.reserve.floor(urgency, self.minute.limit)
        if len(self._own) < most:
            return GO
        return Pause(self._own[0] + MINUTE - now, "minute")

    def _share_out(self) -> None:
        """Adapts our share of the minute. Alone, there is no bound but the limit. Where others draw on it, each desk takes
        a little less of the next minute whenever this one was used up, and one call more when it was not: so all come to
        the same share, without knowing of each other."""
        past, self.minute.past = self.minute.past, None
        if past is not None:
            own, others, met = past
            if others is not None and others < 3.0:
                self._quota = None
            elif self._quota is not None and met:
                share = 0.85 * self._quota
                if self.minute.is_wary(self._now):
                    # Many more wanted it than were known. What we got is near our share then; but one minute may mislead.
                    share = min(share, max(0.5 * self._quota, self._usable() * own / max(1.0, own + (others or 0.0))))
                self._quota = share
            elif self._quota is not None and (own >= self._quota - 1.0 or not own):
                self._quota += 0.4 + 0.05 * self._quota
        window = self.minute
        if self._quota is None and window.others >= 4 and window.others > 0.25 * window.own:
            self._quota = self._usable() * window.own / (window.own + window.others)
        if self._quota is not None:
            self._quota = min(self._usable(), max(0.4, self._quota))

    def _usable(self) -> float:
        return (1.0 - self.minute.reserve.send) * self.minute.limit

    def _yield(self) -> None:
        """Too many calls were open at once, and not ours: there are at least as many other desks."""
        self._quota = 0.85 * min(self._quota or MINUTE, self._usable() / self._most_at_once)

    def _pace(self, now: float) -> float:
        """How long to leave between calls when others draw on the same limit: everybody's calls then spread over the
        minute, and nobody's knowledge of what is left is old."""
        if self._quota is None:
            # Until the first answers have shown whether others are at work, it goes gently.
            return self._chance.uniform(0.1, 0.4) if now - self._heard_first < 5.0 else 0.0
        return MINUTE / self._quota * self._chance.uniform(0.5, 1.5)

    def _spread(self, limit: str) -> float:
        """Desks that wait for the same moment must not all start in it."""
        if limit == "day":
            return self._chance.uniform(0.05, _NEW_DAY_WITHIN)
        return self._chance.uniform(0.05, 0.3 if self._quota is None else min(MINUTE, MINUTE / self._quota))

    def _after(self, ends: float, limit: str) -> float:
        """A moment shortly after a window's end, drawn once for that end."""
        if abs(self._spread_for - ends) > 1.0:
            self._spread_for, self._spread_by = ends, self._spread(limit)
            self._paced_until = max(self._paced_until, ends + self._spread_by)
        return ends + self._spread_by

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
        self._share_out()
        while len(self._own) > 1_000:
            self._own.popleft()
        return now

    # What survives a restart: plain values, times as seconds since the epoch.

    def kept(self) -> dict[str, float | int | str | None]:
        """What `restored` takes."""
        known: dict[str, float | int | str | None] = {"problem": self.problem, "until": self.until, "share": self._quota}
        for name, window in (("minute", self.minute), ("day", self.day)):
            known |= {
                f"{name}_left": window.left,
                f"{name}_told_at": window.told_at,
                f"{name}_ends_from": window.ends[0] if window.ends else None,
                f"{name}_ends": window.ends[1] if window.ends else None,
            }
        return known

    def restored(self, kept: Mapping[str, object], now: float) -> None:
        """Takes up what another run kept. What can't be believed is left out."""

        def number(name: str, low: float, high: float) -> float | None:
            value = kept.get(name)
            return float(value) if isinstance(value, int | float) and low <= value <= high else None

        for name, window in (("minute", self.minute), ("day", self.day)):
            left = number(f"{name}_left", 0, 1e9)
            told_at = number(f"{name}_told_at", now - window.span, now)
            ends = number(f"{name}_ends", now, now + window.span)
            if left is not None and told_at is not None and ends is not None:
                window.left, window.told_at = left, told_at
                window.ends = (number(f"{name}_ends_from", ends - window.span, ends) or ends, ends)
                window.resumed(int(left))
        self.until = number("until", now, now + DAY) or 0.0
        problem = kept.get("problem")
        self.problem = problem[:40] if isinstance(problem, str) else ""
        self._quota = number("share", 0.4, self._usable())


def _count(text: str) -> int | None:
    text = text.strip()
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text, re.ASCII) else None
