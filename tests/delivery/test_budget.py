"""The budget: one desk in simulated time, many desks on one limit, and the queue with real threads."""

from __future__ import annotations

import heapq
import itertools
import json
import random
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from desktop.services.delivery.allowance import GO, Allowance
from desktop.services.delivery.budget import Budget
from desktop.services.errors import Wait
from desktop.services.practice.practice_system import Urgency

START = datetime(2026, 5, 12, 9, 0, 17, tzinfo=UTC)


class Clock:
    """Time that only tests move. As a waiter it lets the time pass that somebody waits."""

    def __init__(self) -> None:
        self.now = START
        self.waited: list[float] = []

    def __call__(self) -> datetime:
        return self.now

    def wait(self, changed: threading.Condition, seconds: float) -> None:
        self.waited.append(seconds)
        self.now += timedelta(seconds=max(seconds, 0.001))


@dataclass
class Vendor:
    """Fixed windows with a renewal at its own second of the minute, as the vendor documents them."""

    phase: float = 40.0
    minute: int = 60
    day: int = 5_000
    used: Counter[int] = field(default_factory=Counter)
    days: int = 0
    open: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    def arrive(self, now: float) -> tuple[int, dict[str, str]]:
        window = int((now - self.phase) // 60)
        problem = ""
        if self.open >= 5:
            problem = "concurrent"
        elif self.days >= self.day:
            problem = "day"
        elif self.used[window] >= self.minute:
            problem = "minute"
        headers = {}
        if problem:
            self.refused[problem] += 1
            headers["x-rate-limit-problem"] = problem
            if problem != "concurrent":
                headers["retry-after"] = str(int(60 - (now - self.phase) % 60) + 1) if problem == "minute" else "30000"
        else:
            self.used[window] += 1
            self.days += 1
        headers["x-minlimit-remaining"] = str(self.minute - self.used[window])
        headers["x-daylimit-remaining"] = str(self.day - self.days)
        headers["x-appminlimit-remaining"] = "9000"
        return (429 if problem else 200), headers


@dataclass
class Run:
    vendor: Vendor
    done: list[int]
    clicks: list[float]
    calls: int

    @property
    def windows(self) -> list[int]:
        """Calls in each whole minute."""
        return [count for _, count in sorted(self.vendor.used.items())][1:-1]


def simulate(desks: int, seconds: float, *, seed: int = 1, clicks_every: float = 0.0, vendor: Vendor | None = None) -> Run:
    """Each desk works without pause: reads, sends, reads back. People click on any desk."""
    chance = random.Random(seed)
    vendor = vendor or Vendor(phase=chance.uniform(0, 60))
    accounts = [Allowance(chance=random.Random(seed * 1000 + n)) for n in range(desks)]
    run = Run(vendor, [0] * desks, [], 0)
    queue: list[tuple[float, int, str, int, Urgency, float, tuple[int, dict[str, str]]]] = []
    ties = itertools.count()
    begin = START.timestamp()
    nothing: tuple[int, dict[str, str]] = (0, {})

    def put(at: float, what: str, desk: int, urgency: Urgency, since: float, answer: tuple[int, dict[str, str]] = nothing) -> None:
        heapq.heappush(queue, (at, next(ties), what, desk, urgency, since, answer))

    for desk in range(desks):
        put(begin + chance.uniform(0, 3), "ask", desk, Urgency.READ_BACK, begin)
    at = begin
    while clicks_every and at < begin + seconds:
        at += chance.expovariate(1 / clicks_every)
        put(at, "ask", chance.randrange(desks), Urgency.PERSON, at)
    turn = (Urgency.READ_BACK, Urgency.SEND, Urgency.READ_BACK)
    while queue and queue[0][0] < begin + seconds:
        now, _, what, desk, urgency, since, answer = heapq.heappop(queue)
        account = accounts[desk]
        if what == "ask":
            pause = account.pause(urgency, now)
            if pause is not GO:
                put(now + (max(pause.seconds, 0.01) if pause.promised else 0.05), "ask", desk, urgency, since)
                continue
            if urgency is Urgency.PERSON:
                run.clicks.append(now - since)
            account.start(urgency, now)
            run.calls += 1
            put(now + chance.uniform(0.05, 0.2), "arrive", desk, urgency, since)
        elif what == "arrive":
            answer = vendor.arrive(now)
            vendor.open += 1
            put(now + chance.uniform(0.1, 0.4), "answer", desk, urgency, since, answer)
        else:
            vendor.open -= 1
            status, headers = answer
            after = headers.get("retry-after")
            limit = headers.get("x-rate-limit-problem", "")
            account.learn(status, headers, now, limit=limit, after=float(after) if after else None)
            account.finish()
            if urgency is not Urgency.PERSON:
                run.done[desk] += status == 200
                put(now + 0.02, "ask", desk, turn[run.done[desk] % 3], now)
    return run


def test_one_desk_uses_nearly_all_it_may_and_meets_no_limit() -> None:
    """D14."""
    run = simulate(1, 1800, clicks_every=30)
    assert sum(run.vendor.refused.values()) == 0
    assert sum(run.windows) / len(run.windows) >= 0.9 * 60
    assert max(run.clicks) < 0.5


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_few_desks_share_without_meeting_a_limit(seed: int) -> None:
    """D14."""
    run = simulate(4, 1800, seed=seed, clicks_every=30)
    assert sum(run.vendor.refused.values()) == 0
    assert sum(run.windows) / len(run.windows) >= 0.8 * 60
    assert max(run.clicks) < 2.0


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_twenty_desks_share_one_limit_fairly_and_with_few_refusals(seed: int) -> None:
    """D14, D15: refusals under 1 % from the first second on, the slowest desk near the median, a person's call within two
    seconds nearly always."""
    run = simulate(20, 5400, seed=seed, clicks_every=20, vendor=Vendor(day=100_000))
    assert sum(run.vendor.refused.values()) < 0.01 * run.calls
    assert sum(run.windows) / len(run.windows) >= 0.8 * 60
    assert sorted(run.done)[10] < 2.5 * min(run.done)
    clicks = sorted(run.clicks)
    assert clicks[int(0.95 * len(clicks))] < 2.0


def test_the_days_reserve_is_left_for_reading_back_and_for_people() -> None:
    """D14: the day keeps 10 % from sends, and read-backs go on."""
    account = Allowance(per_day=1_000, chance=random.Random(1))
    now = START.timestamp()
    account.learn(200, {"x-minlimit-remaining": "59", "x-daylimit-remaining": "100"}, now, limit="", after=None)
    now += 10
    assert account.pause(Urgency.SEND, now).limit == "day"
    assert account.pause(Urgency.BACKGROUND, now).limit == "day"
    assert account.pause(Urgency.READ_BACK, now) is GO
    assert account.pause(Urgency.PERSON, now) is GO


def test_the_minutes_reserve_is_left_for_reading_back_and_for_people() -> None:
    """D14, D15."""
    account = Allowance(chance=random.Random(1))
    now = START.timestamp()
    for remaining, may in (
        (6, {Urgency.PERSON, Urgency.READ_BACK}),
        (2, {Urgency.PERSON}),
        (0, set()),
    ):
        account.learn(200, {"x-minlimit-remaining": str(remaining), "x-daylimit-remaining": "4000"}, now, limit="", after=None)
        assert {urgency for urgency in Urgency if account.pause(urgency, now + 2.0) is GO} == may, remaining


def test_nothing_left_recovers_when_the_minute_has_passed() -> None:
    account = Allowance(chance=random.Random(1))
    now = START.timestamp()
    account.learn(200, {"x-minlimit-remaining": "0"}, now, limit="", after=None)
    pause = account.pause(Urgency.SEND, now + 1)
    assert 0 < pause.seconds < 62
    assert account.pause(Urgency.SEND, now + 1 + pause.seconds + 1) is GO


def test_a_day_that_is_used_up_is_asked_again_once_an_hour_and_no_oftener() -> None:
    account = Allowance(chance=random.Random(1))
    now = START.timestamp()
    account.learn(200, {"x-minlimit-remaining": "59", "x-daylimit-remaining": "400"}, now, limit="", after=None)
    assert account.pause(Urgency.SEND, now + 3000).seconds == pytest.approx(600, abs=5)
    assert account.pause(Urgency.SEND, now + 3601) is GO


@pytest.mark.parametrize(("limit", "after", "least", "most"), [
    ("minute", 22.0, 22, 23),
    ("minute", None, 0.1, 62),
    ("day", 67_000.0, 67_000, 67_001),
    ("concurrent", None, 0.1, 2),
    ("app", None, 0.1, 5),
    ("galactic", None, 0.1, 5),
])  # fmt: skip
def test_a_refusal_stops_everybody_for_as_long_as_it_asks(limit: str, after: float | None, least: float, most: float) -> None:
    """D13."""
    account = Allowance(chance=random.Random(1))
    now = START.timestamp()
    account.learn(429, {}, now, limit=limit, after=after)
    for urgency in Urgency:
        assert least <= account.pause(urgency, now).seconds <= most
    assert account.pause(Urgency.PERSON, now + most + 60.0 * (limit == "app")) is GO


def test_refusals_without_a_promise_back_off_further_each_time_and_never_beyond_a_quarter_of_an_hour() -> None:
    """D13."""
    account = Allowance(chance=random.Random(1))
    now = START.timestamp()
    pauses = []
    for _ in range(20):
        account.learn(429, {}, now, limit="server", after=None)
        pauses.append(account.pause(Urgency.SEND, now).seconds)
        now += pauses[-1] + 0.01
    assert max(pauses[:2]) < 10
    assert max(pauses) <= 901
    assert max(pauses[-3:]) > 180


def test_too_many_open_calls_narrow_the_gate_and_success_widens_it_again() -> None:
    account = Allowance(chance=random.Random(1))
    now = START.timestamp()
    account.learn(429, {}, now, limit="concurrent", after=None)
    assert account.at_once == 2
    for n in range(80):
        account.learn(200, {}, now + 10 + n, limit="", after=None)
    assert account.at_once == 5


def test_a_clock_set_back_stops_nothing_for_long() -> None:
    """C17."""
    account = Allowance(chance=random.Random(1))
    now = START.timestamp()
    account.learn(200, {"x-minlimit-remaining": "0", "x-daylimit-remaining": "3000"}, now, limit="", after=None)
    assert account.pause(Urgency.SEND, now) is not GO
    assert account.pause(Urgency.SEND, now - 86_400 * 3) is GO


# The queue


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def budget(clock: Clock) -> Iterator[Budget]:
    made = Budget(clock=clock, wait=clock.wait, chance=random.Random(1))
    yield made
    made.close()


def test_a_call_waits_its_turn_and_then_goes(budget: Budget, clock: Clock) -> None:
    with budget.call(Urgency.PERSON):
        budget.learn(200, {"x-minlimit-remaining": "0", "x-daylimit-remaining": "4000"})
    before = clock.now
    with budget.call(Urgency.SEND):
        assert timedelta(seconds=1) < clock.now - before < timedelta(seconds=65)


def test_a_person_is_told_at_once_instead_of_waiting_long(budget: Budget, clock: Clock) -> None:
    """D15."""
    with budget.call(Urgency.PERSON):
        budget.learn(429, {"x-rate-limit-problem": "minute", "retry-after": "40"})
    before = clock.now
    with pytest.raises(Wait) as wait, budget.call(Urgency.PERSON):
        pass
    assert clock.now == before
    assert wait.value.after is not None
    assert timedelta(seconds=39) < wait.value.after < timedelta(seconds=42)
    assert wait.value.limit == "minute"


def test_a_send_past_the_days_reserve_raises_instead_of_blocking(budget: Budget, clock: Clock) -> None:
    with budget.call(Urgency.PERSON):
        budget.learn(200, {"x-minlimit-remaining": "50", "x-daylimit-remaining": "300"})
    clock.now += timedelta(seconds=10)
    with pytest.raises(Wait) as wait, budget.call(Urgency.SEND):
        pass
    assert wait.value.limit == "day"
    with budget.call(Urgency.READ_BACK):
        pass


def test_what_is_left_survives_a_restart(budget: Budget, clock: Clock) -> None:
    with budget.call(Urgency.PERSON):
        budget.learn(200, {"x-minlimit-remaining": "50", "x-daylimit-remaining": "300"})
    snapshot = json.loads(json.dumps(budget.snapshot()))
    assert (snapshot["minute_remaining"], snapshot["day_remaining"], snapshot["problem"]) == (50, 300, None)
    clock.now += timedelta(minutes=10)
    again = Budget(clock=clock, wait=clock.wait, chance=random.Random(1))
    again.restore(snapshot)
    assert again.snapshot()["day_remaining"] == 300
    assert again.snapshot()["minute_remaining"] is None
    with pytest.raises(Wait), again.call(Urgency.SEND):
        pass


@pytest.mark.parametrize("junk", [{}, {"kept": None}, {"kept": {"day_left": "x", "until": 1e30, "share": -1, "minute_ends": None}}])
def test_a_snapshot_that_is_none_is_passed_over(budget: Budget, clock: Clock, junk: dict[str, object]) -> None:
    budget.restore(junk)
    with budget.call(Urgency.PERSON):
        assert budget.snapshot()["in_progress"] == 1


def test_a_problem_is_shown_while_it_holds(budget: Budget, clock: Clock) -> None:
    with budget.call(Urgency.PERSON):
        budget.learn(429, {"x-rate-limit-problem": "day", "retry-after": "67000"})
    assert budget.snapshot()["problem"] == "day"
    assert budget.snapshot()["until"] == (START + timedelta(seconds=67_000)).isoformat()
    clock.now += timedelta(seconds=67_001)
    assert budget.snapshot()["problem"] is None


class Waiters:
    """Lets a test see that so many threads wait."""

    def __init__(self) -> None:
        self.seen = threading.Semaphore(0)

    def __call__(self, changed: threading.Condition, seconds: float) -> None:
        self.seen.release()
        changed.wait(10)


def test_people_go_before_read_backs_before_sends_before_the_rest(clock: Clock) -> None:
    """D15: with all places taken, the queue empties by urgency."""
    waiters = Waiters()
    budget = Budget(clock=clock, wait=waiters, at_once=1, chance=random.Random(1))
    order: list[Urgency] = []
    threads = []

    def one(urgency: Urgency) -> None:
        with budget.call(urgency):
            order.append(urgency)
            budget.learn(200, {"x-minlimit-remaining": "55"})
            clock.now += timedelta(seconds=1)

    with budget.call(Urgency.PERSON):
        for urgency in (Urgency.BACKGROUND, Urgency.SEND, Urgency.READ_BACK, Urgency.PERSON):
            thread = threading.Thread(target=one, args=(urgency,))
            thread.start()
            threads.append(thread)
            assert waiters.seen.acquire(timeout=10)
        clock.now += timedelta(seconds=10)
        budget.learn(200, {"x-minlimit-remaining": "55"})
    for thread in threads:
        thread.join(10)
    budget.close()
    assert order == [Urgency.PERSON, Urgency.READ_BACK, Urgency.SEND, Urgency.BACKGROUND]


def test_no_more_than_five_go_at_once_and_one_place_is_a_persons(budget: Budget, clock: Clock) -> None:
    with budget.call(Urgency.PERSON):
        budget.learn(200, {"x-minlimit-remaining": "55"})
    clock.now += timedelta(seconds=10)
    held = [budget.call(Urgency.READ_BACK) for _ in range(4)]
    for each in held:
        each.__enter__()
        clock.now += timedelta(seconds=10)
    with pytest.raises(Wait), budget.call(Urgency.READ_BACK):
        pass
    with budget.call(Urgency.PERSON), pytest.raises(Wait), budget.call(Urgency.PERSON):
        pass
    for each in held:
        each.__exit__(None, None, None)
    assert budget.snapshot()["in_progress"] == 0


def test_closing_frees_everybody_who_waits(clock: Clock) -> None:
    waiters = Waiters()
    budget = Budget(clock=clock, wait=waiters, at_once=1, chance=random.Random(1))
    raised: list[Wait] = []

    def one() -> None:
        try:
            with budget.call(Urgency.PERSON):
                pass
        except Wait as error:
            raised.append(error)

    with budget.call(Urgency.PERSON):
        thread = threading.Thread(target=one)
        thread.start()
        assert waiters.seen.acquire(timeout=10)
        budget.close()
        thread.join(10)
    assert [error.limit for error in raised] == ["budget"]


def test_a_call_that_fails_gives_its_place_back(budget: Budget) -> None:
    for _ in range(20):
        with pytest.raises(RuntimeError), budget.call(Urgency.PERSON):
            raise RuntimeError("broken")
    assert budget.snapshot()["in_progress"] == 0


def test_where_nobody_tells_of_a_limit_none_is_imagined_until_one_is_met() -> None:
    """D14: answers without the limits' headers are not held to sixty a minute; one 429 changes that."""
    account = Allowance(chance=random.Random(1))
    now = 1_800_000_000.0

    def calls_in_a_minute(begin: float) -> int:
        made, at = 0, begin
        while at < begin + 60 and made < 500:
            pause = account.pause(Urgency.SEND, at)
            if pause.seconds > 0:
                at += pause.seconds
                continue
            account.start(Urgency.SEND, at)
            account.learn(200, {}, at, limit="", after=None)
            account.finish()
            made += 1
            at += 0.05
        return made

    assert calls_in_a_minute(now) == 500
    account.start(Urgency.SEND, now + 100)
    account.learn(429, {}, now + 100, limit="minute", after=5.0)
    account.finish()
    assert calls_in_a_minute(now + 160) <= 60
