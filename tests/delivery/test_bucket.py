"""The bucket: one desk in simulated time, many desks on one limit, and the queue with real threads."""

from __future__ import annotations

import heapq
import itertools
import json
import random
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from desktop.services.delivery.bucket import Bucket, Fill
from desktop.services.errors import Wait
from desktop.services.practice.practice_system import Urgency
from desktop.services.practice_systems import SYSTEMS, CallAccount

START = datetime(2026, 5, 12, 9, 0, 17, tzinfo=UTC)


class Clock:
    """Time that only tests move. As a waiter it lets the time pass that somebody waits."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def wait(self, changed: threading.Condition, seconds: float) -> None:
        self.now += timedelta(seconds=max(seconds, 0.001))

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    @property
    def passed(self) -> float:
        return (self.now - START).total_seconds()


class Vendor:
    """Five a second, bursts of five, for whoever calls."""

    def __init__(self, *, per_second: float = 5.0, burst: float = 5.0) -> None:
        self._rate, self._burst, self._left, self._at = per_second, burst, burst, 0.0
        self.calls = self.refused = 0

    def arrive(self, now: float) -> int:
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        self.calls += 1
        if self._left < 1.0:
            self.refused += 1
            return 429
        self._left -= 1.0
        return 200


def bucket(clock: Clock, seed: int = 1) -> Bucket:
    return Bucket(clock=clock, wait=clock.wait, chance=random.Random(seed))


def one_call(account: Bucket, urgency: Urgency = Urgency.BACKGROUND, status: int = 200, **headers: str) -> None:
    with account.call(urgency):
        account.learn(status, {name.replace("_", "-"): value for name, value in headers.items()})


@dataclass
class Run:
    vendor: Vendor
    done: list[int]
    clicks: list[float]


def simulate(desks: int, seconds: float, *, seed: int = 1, told: bool = False, clicks_every: float = 0.0) -> Run:
    """Each desk reads back without pause; people click on any desk."""
    chance = random.Random(seed)
    fills = [Fill(per_second=5.0, burst=5, chance=random.Random(seed * 1000 + n)) for n in range(desks)]
    run = Run(Vendor(), [0] * desks, [])
    queue: list[tuple[float, int, str, int, Urgency, float, int]] = []
    ties = itertools.count()

    def put(at: float, what: str, desk: int, urgency: Urgency, since: float, status: int = 0) -> None:
        heapq.heappush(queue, (at, next(ties), what, desk, urgency, since, status))

    for desk in range(desks):
        put(chance.uniform(0, 3), "ask", desk, Urgency.READ_BACK, 0.0)
    at = 0.0
    while clicks_every and at < seconds:
        at += chance.expovariate(1 / clicks_every)
        put(at, "ask", chance.randrange(desks), Urgency.PERSON, at)
    while queue and queue[0][0] < seconds:
        now, _, what, desk, urgency, since, status = heapq.heappop(queue)
        fill, wall = fills[desk], START.timestamp() + now
        if what == "ask":
            pause = fill.pause(urgency, wall)
            if pause > 0:
                put(now + max(pause, 0.01), "ask", desk, urgency, since)
                continue
            fill.start(wall)
            put(now + chance.uniform(0.05, 0.1), "arrive", desk, urgency, since)
        elif what == "arrive":
            put(now + chance.uniform(0.05, 0.2), "answer", desk, urgency, since, run.vendor.arrive(now))
        else:
            fill.learn(status, wall, limit="server", after=1.0 if told and status == 429 else None)
            if urgency is Urgency.PERSON and status == 429:
                put(now, "ask", desk, urgency, since)
            elif urgency is Urgency.PERSON:
                run.clicks.append(now - since)
            else:
                run.done[desk] += status == 200
                put(now, "ask", desk, urgency, since)
    return run


# One desk


def test_a_burst_goes_at_once_and_then_five_a_second() -> None:
    clock = Clock()
    account = bucket(clock)
    for _ in range(5):
        one_call(account, Urgency.SEND)
    assert clock.passed == 0
    for _ in range(95):
        one_call(account, Urgency.SEND)
    assert clock.passed == pytest.approx(95 / 4.75, abs=0.5)


def test_a_first_call_that_was_long_under_way_leaves_no_more_than_the_vendor_has() -> None:
    """D14: the vendor counted it when it came, not when it went; its bucket was full all the while."""
    fill = Fill(per_second=5.0, burst=5, chance=random.Random(1))
    fill.start(0.0)
    fill.learn(200, 0.9, limit="", after=None)
    gone = 0
    while fill.pause(Urgency.SEND, 0.9) == 0.0:
        fill.start(0.9)
        gone += 1
    assert gone == 4


def test_one_desk_alone_meets_no_limit_and_loses_little() -> None:
    run = simulate(1, 600)
    assert run.vendor.refused == 0
    assert run.done[0] > 600 * 4.6


def test_background_work_leaves_a_call_for_a_person() -> None:
    """D15: a click finds something in the bucket, whatever a refresh has taken."""
    clock = Clock()
    account = bucket(clock)
    for _ in range(50):
        one_call(account, Urgency.BACKGROUND)
    before = clock.passed
    one_call(account, Urgency.PERSON)
    assert clock.passed == before


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_obeyed_to_the_moment_and_hardly_longer(status: int) -> None:
    """D13: in seconds."""
    clock = Clock()
    account = bucket(clock)
    one_call(account, status=status, retry_after="30")
    assert account.snapshot()["problem"] == ("app" if status == 429 else "server")
    one_call(account)
    assert 30 <= clock.passed <= 32


def test_retry_after_may_be_a_date() -> None:
    """D13."""
    clock = Clock()
    account = bucket(clock)
    one_call(account, status=429, retry_after="Tue, 12 May 2026 09:00:47 GMT")
    one_call(account)
    assert 30 <= clock.passed <= 32


@pytest.mark.parametrize("nonsense", ["-5", "soon", "", "1e9", "٣"])
def test_a_retry_after_that_means_nothing_is_met_by_a_back_off_of_our_own(nonsense: str) -> None:
    """D13."""
    clock = Clock()
    account = bucket(clock)
    one_call(account, status=429, retry_after=nonsense)
    one_call(account)
    assert 0.2 <= clock.passed <= 3


def test_an_absurd_retry_after_is_capped_and_said_at_once() -> None:
    """D13: ten years would stop everything; nobody is kept waiting for an hour either."""
    clock = Clock()
    account = bucket(clock)
    one_call(account, status=429, retry_after=str(10 * 365 * 86_400))
    with pytest.raises(Wait) as told:
        one_call(account)
    assert told.value.after is not None
    assert timedelta(minutes=59) < told.value.after <= timedelta(hours=1, seconds=2)
    assert clock.passed == 0


def test_back_offs_grow_and_stay_under_a_minute() -> None:
    """D13: full jitter under a doubling ceiling; a bucket is full again after a second, so a minute is long."""
    clock = Clock()
    account = bucket(clock)
    gaps = []
    for _ in range(12):
        before = clock.passed
        one_call(account, status=429)
        gaps.append(clock.passed - before)
        clock.pass_by(1.1)
    assert gaps[0] == 0
    assert all(gap <= 60 for gap in gaps)
    assert max(gaps[6:]) > max(gaps[1:3])


def test_a_person_is_not_kept_by_a_back_off_that_nobody_asked_for() -> None:
    clock = Clock()
    account = bucket(clock)
    for _ in range(8):
        one_call(account, status=429)
        clock.pass_by(1.1)
    before = clock.passed
    one_call(account, Urgency.PERSON)
    assert clock.passed - before <= 1
    one_call(account, Urgency.PERSON, status=429, retry_after="20")
    with pytest.raises(Wait):
        one_call(account, Urgency.PERSON)


def test_answers_that_come_together_from_one_empty_bucket_count_once() -> None:
    clock = Clock()
    account = bucket(clock)
    one_call(account, status=429)
    after_one = account.snapshot()["per_second"]
    for _ in range(3):
        account.learn(429, {})
    assert account.snapshot()["per_second"] == after_one


def test_each_429_leaves_room_for_others_and_quiet_gives_it_back() -> None:
    clock = Clock()
    account = bucket(clock)
    full = account.snapshot()["per_second"]
    one_call(account, status=429)
    halved = account.snapshot()["per_second"]
    assert isinstance(full, float)
    assert halved == pytest.approx(full / 2, abs=0.01)
    clock.pass_by(300)
    assert account.snapshot()["per_second"] == full


def test_an_unavailable_server_is_waited_for_without_giving_calls_away() -> None:
    clock = Clock()
    account = bucket(clock)
    before = account.snapshot()["per_second"]
    one_call(account, status=503)
    assert account.snapshot()["per_second"] == before


def test_a_clock_set_back_by_hours_stops_nothing() -> None:
    clock = Clock()
    account = bucket(clock)
    one_call(account, status=429, retry_after="30")
    clock.pass_by(-7_200)
    before = clock.passed
    one_call(account)
    assert clock.passed - before <= 61


def test_a_clock_set_forward_gives_no_more_than_one_burst() -> None:
    clock = Clock()
    account = bucket(clock)
    one_call(account)
    clock.pass_by(86_400)
    before = clock.passed
    for _ in range(20):
        one_call(account, Urgency.SEND)
    assert clock.passed - before == pytest.approx(15 / 4.75, abs=0.3)


# Kept over a restart


def test_a_restart_remembers_the_other_desks_and_a_wait_that_holds() -> None:
    clock = Clock()
    first = bucket(clock)
    one_call(first, status=429, retry_after="30")
    second = bucket(clock)
    second.restore(json.loads(json.dumps(first.snapshot())))
    assert second.snapshot() == first.snapshot()
    one_call(second)
    assert clock.passed >= 30


@pytest.mark.parametrize(
    "kept",
    [
        None,
        [],
        {},
        {"per_second": -1, "at": 0, "until": 1e18, "problem": 7},
        {"per_second": "5", "at": None, "until": True},
        {"per_second": float("nan"), "at": float("inf"), "until": float("nan")},
        {"minute_left": 12, "day_told_at": 3},
    ],
)
def test_what_was_kept_may_be_anything(kept: object) -> None:
    clock = Clock()
    account = bucket(clock)
    untouched = account.snapshot()
    account.restore({"kept": kept})
    assert account.snapshot() == untouched
    one_call(account)
    assert clock.passed == 0


def test_smokeballs_account_of_calls_is_a_bucket() -> None:
    made: CallAccount = SYSTEMS["smokeball"].account()
    assert isinstance(made, Bucket)
    made.close()


# Many desks


@pytest.mark.parametrize("told", [False, True])
@pytest.mark.parametrize("seed", [1, 2])
def test_twenty_desks_share_one_bucket_evenly_and_waste_little(seed: int, told: bool) -> None:
    """D14: twenty desks that all work without pause on five calls a second that no answer counts down."""
    run = simulate(20, 1_200, seed=seed, told=told)
    done = sorted(run.done)
    assert sum(done) / 1_200 > 4.5
    assert run.vendor.refused / run.vendor.calls < 0.09
    assert done[0] * 2.2 > done[len(done) // 2]


def test_desks_as_busy_as_an_office_hardly_meet_the_limit() -> None:
    """D14: five desks at full work."""
    run = simulate(5, 1_200)
    assert run.vendor.refused / run.vendor.calls < 0.02


def test_people_are_served_while_twenty_desks_are_at_full_work() -> None:
    """D15."""
    run = simulate(20, 900, clicks_every=5.0)
    clicks = sorted(run.clicks)
    assert len(clicks) > 120
    assert clicks[int(len(clicks) * 0.95)] < 3.0


# The queue, with threads


def test_who_is_more_urgent_goes_first() -> None:
    """D15: people before read-backs, read-backs before sends, sends before the rest."""
    clock = Clock()
    waiting = threading.Event()
    went: list[Urgency] = []
    asked = threading.Semaphore(0)

    def wait(changed: threading.Condition, seconds: float) -> None:
        asked.release()
        if waiting.is_set():
            clock.wait(changed, min(seconds, 0.05))
        changed.wait(0.05)

    account = Bucket(clock=clock, wait=wait, chance=random.Random(1))
    for _ in range(5):
        one_call(account, Urgency.SEND)

    def work(urgency: Urgency) -> None:
        with account.call(urgency):
            went.append(urgency)

    threads = []
    for urgency in (Urgency.BACKGROUND, Urgency.SEND, Urgency.READ_BACK):
        thread = threading.Thread(target=work, args=(urgency,))
        thread.start()
        threads.append(thread)
        assert asked.acquire(timeout=10)
    waiting.set()
    for thread in threads:
        thread.join(10)
    assert went == [Urgency.READ_BACK, Urgency.SEND, Urgency.BACKGROUND]


def test_closing_lets_everybody_go_who_waits() -> None:
    clock = Clock()
    asleep = threading.Event()
    told: list[Wait] = []

    def wait(changed: threading.Condition, seconds: float) -> None:
        asleep.set()
        changed.wait(10)

    account = Bucket(clock=clock, wait=wait, chance=random.Random(1))
    one_call(account, status=429, retry_after="20")

    def work() -> None:
        try:
            one_call(account)
        except Wait as error:
            told.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    assert asleep.wait(10)
    account.close()
    thread.join(10)
    assert [error.limit for error in told] == ["budget"]
    with pytest.raises(Wait, match="ending"):
        one_call(account, Urgency.PERSON)


def test_a_call_that_raises_frees_its_place() -> None:
    account = bucket(Clock())
    with pytest.raises(ZeroDivisionError), account.call(Urgency.SEND):
        raise ZeroDivisionError
    assert account.snapshot()["in_progress"] == 0
