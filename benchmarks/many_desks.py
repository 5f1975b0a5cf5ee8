"""Twenty desks of one firm with 500 deliveries each on one shared limit, in simulated time: refusals, fairness, calls an item.

python -m benchmarks.many_desks [--desks 20] [--items 500] [--seeds 1..3] [--together]

Real accounts of calls (one a desk, knowing nothing of each other) against a vendor with fixed windows that begin at moments
of its own: five at once, sixty a minute, five thousand a day. A desk works as the courier does: it reads a matter's costs and
documents, sends one of each, reads again what is older than five seconds before it sends, and reads back.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import random
import statistics
from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass, field

from desktop.services.delivery.allowance import GO, Allowance
from desktop.services.practice.practice_system import Urgency

BEGIN = 1_778_576_417.0
FRESH = 5.0
DAY = 86_400.0


@dataclass
class Vendor:
    """Fixed windows, each renewed at its own moment; a call that is refused is not counted."""

    phase: float
    day_phase: float
    minute: int = 60
    day: int = 5_000
    app: int = 10_000
    at_once: int = 5
    minutes: Counter[int] = field(default_factory=Counter)
    days: Counter[int] = field(default_factory=Counter)
    open: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    def arrive(self, now: float) -> tuple[int, dict[str, str]]:
        """The answer, decided when the call arrives. The caller opens and ends it."""
        minute, day = int((now - self.phase) // 60), int((now - self.day_phase) // DAY)
        problem, headers = "", dict[str, str]()
        if self.open >= self.at_once:
            problem = "concurrent"
        elif self.days[day] >= self.day:
            problem = "day"
            headers["retry-after"] = str(int(DAY - (now - self.day_phase) % DAY) + 1)
        elif self.minutes[minute] >= self.minute:
            problem = "minute"
            headers["retry-after"] = str(int(60 - (now - self.phase) % 60) + 1)
        if problem:
            self.refused[problem] += 1
            headers["x-rate-limit-problem"] = problem
        else:
            self.minutes[minute] += 1
            self.days[day] += 1
        headers["x-minlimit-remaining"] = str(self.minute - self.minutes[minute])
        headers["x-daylimit-remaining"] = str(self.day - self.days[day])
        headers["x-appminlimit-remaining"] = str(self.app - self.minutes[minute])
        return (429 if problem else 200), headers


Call = Urgency


def desk(items: int) -> Generator[Call, float, None]:
    """The calls of a desk's work, as the courier makes them. Each yield gives back the moment at which the call had ended."""
    for _ in range(0, items, 2):
        read_costs = yield Urgency.READ_BACK
        now = read_documents = yield Urgency.READ_BACK
        if now - read_costs > FRESH:
            now = yield Urgency.READ_BACK
        now = yield Urgency.SEND
        if now - read_documents > FRESH:
            yield Urgency.READ_BACK
        yield Urgency.SEND
        yield Urgency.READ_BACK
        yield Urgency.READ_BACK


@dataclass
class Run:
    vendor: Vendor
    calls: int = 0
    finished: list[float] = field(default_factory=list)
    clicks: list[float] = field(default_factory=list)
    first_hour: Counter[str] = field(default_factory=Counter)
    """Calls and refusals of the first hour, when nobody knows of the others yet."""

    @property
    def refusals(self) -> int:
        return sum(self.vendor.refused.values())


def simulate(desks: int, items: int, *, seed: int, together: bool = False, clicks_every: float = 200.0) -> Run:
    """All desks to their end. `together`: they all begin in the same instant; else within the same minute. A person at some
    desk asks for something every now and then, for eight hours of each day."""
    chance = random.Random(seed)
    run = Run(Vendor(chance.uniform(0, 60), chance.uniform(0, DAY)))
    accounts = [Allowance(chance=random.Random(seed * 1000 + n)) for n in range(desks)]
    works = [desk(items) for _ in range(desks)]
    queue: list[tuple[float, int, str, int, Urgency, float, tuple[int, dict[str, str]]]] = []
    ties = itertools.count()

    def put(at: float, what: str, who: int, urgency: Urgency, since: float, said: tuple[int, dict[str, str]] = (0, {})) -> None:
        heapq.heappush(queue, (at, next(ties), what, who, urgency, since, said))

    for n, work in enumerate(works):
        at = BEGIN if together else BEGIN + chance.uniform(0, 60)
        put(at, "ask", n, next(work), at)
    put(BEGIN + chance.expovariate(1 / clicks_every), "click", 0, Urgency.PERSON, 0.0)
    while queue and len(run.finished) < desks:
        now, _, what, who, urgency, since, answer = heapq.heappop(queue)
        account = accounts[who]
        if what == "click":
            put(now, "ask", chance.randrange(desks), Urgency.PERSON, now)
            then = now + chance.expovariate(1 / clicks_every)
            evening = (then - BEGIN) % DAY > DAY / 3
            put(then + (2 * DAY / 3 if evening else 0.0), "click", 0, Urgency.PERSON, 0.0)
        elif what == "ask":
            pause = account.pause(urgency, now)
            if pause is not GO:
                if urgency is Urgency.PERSON and pause.promised and pause.seconds > 8.0 - (now - since):
                    run.clicks.append(pause.seconds)  # told at once how long it will be
                    continue
                put(now + (max(pause.seconds, 0.01) if pause.promised else 0.05), "ask", who, urgency, since)
                continue
            if urgency is Urgency.PERSON:
                run.clicks.append(now - since)
            account.start(urgency, now)
            run.calls += 1
            run.first_hour["calls"] += now < BEGIN + 3600
            put(now + chance.uniform(0.05, 0.2), "arrive", who, urgency, since)
        elif what == "arrive":
            answer = run.vendor.arrive(now)
            run.vendor.open += 1
            put(now + chance.uniform(0.1, 0.4), "answer", who, urgency, since, answer)
        else:
            run.vendor.open -= 1
            status, headers = answer
            after = headers.get("retry-after")
            limit = headers.get("x-rate-limit-problem", "")
            account.learn(status, headers, now, limit=limit, after=float(after) if after else None)
            account.finish()
            if urgency is Urgency.PERSON:
                continue
            if status == 429:
                run.first_hour["429"] += now < BEGIN + 3600
                put(now + 0.01, "ask", who, urgency, now)
                continue
            try:
                put(now + 0.02, "ask", who, works[who].send(now), now)
            except StopIteration:
                run.finished.append(now - BEGIN)
    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--desks", type=int, default=20)
    parser.add_argument("--items", type=int, default=500)
    parser.add_argument("--seeds", default="1..3")
    parser.add_argument("--together", action="store_true", help="all begin in the same instant")
    chosen = parser.parse_args()
    first, _, last = chosen.seeds.partition("..")
    for seed in range(int(first), int(last or first) + 1):
        told(simulate(chosen.desks, chosen.items, seed=seed, together=chosen.together), chosen.desks * chosen.items, seed)


def told(run: Run, items: int, seed: int) -> None:
    clicks = sorted(run.clicks)
    slowest = max(run.finished) / statistics.median(run.finished)
    print(
        f"seed {seed}: {run.calls} calls, {run.calls / items:.2f} an item, {run.refusals} times 429 "
        f"({run.refusals / run.calls:.2%}: {dict(run.vendor.refused)}; in the first hour "
        f"{run.first_hour['429'] / run.first_hour['calls']:.2%}), all done after {max(run.finished) / DAY:.2f} days, "
        f"slowest desk to median {slowest:.2f}, a click waited {clicks[len(clicks) // 2]:.2f} s in the median, "
        f"{clicks[int(0.95 * len(clicks))]:.2f} s in 95 % of {len(clicks)}, {clicks[-1]:.1f} s at the longest",
        flush=True,
    )


if __name__ == "__main__":
    main()
