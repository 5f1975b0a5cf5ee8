"""python -m tests.model.simulate --seeds A..B: seeded runs of the whole house against a firm's books, and what was found there.

Prints intents, seeds a minute, duplicates and losses; each seed that fails with its number. `--replay SEED --trace` shows one.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections import Counter

from tests.model import events
from tests.model.desk_pc import leave_seats, seats
from tests.model.weather import Lateness
from tests.model.world import Options


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="1..100", help="first..last")
    parser.add_argument("--system", default="xero-practice-manager")
    parser.add_argument("--quiet", type=float, default=180.0)
    parser.add_argument("--reread", type=float, default=30.0)
    parser.add_argument("--late-mean", type=float, default=20.0)
    parser.add_argument("--late-most", type=float, default=150.0)
    parser.add_argument("--steps", type=int, default=Options().steps)
    parser.add_argument("--orders", type=int, default=Options().orders)
    parser.add_argument("--no-jumps", action="store_true")
    parser.add_argument("--replay", type=int)
    parser.add_argument("--trace", action="store_true")
    parser.add_argument("--profile", action="store_true")
    chosen = parser.parse_args(arguments)
    logging.disable(logging.CRITICAL)
    options = Options(
        system=chosen.system,
        quiet=chosen.quiet,
        reread=chosen.reread,
        lateness=Lateness(chosen.late_mean, chosen.late_most),
        steps=chosen.steps,
        orders=chosen.orders,
        jumps=not chosen.no_jumps,
    )
    if chosen.replay is not None:
        with seats() as made:
            outcome = events.run(chosen.replay, options, made, keep_trace=chosen.trace)
        print("\n".join(outcome.trace))
        print(f"seed {outcome.seed}: {outcome.intents} intents, digest {outcome.digest}")
        for one in outcome.problems:
            print(f"  {one}")
        return 1 if outcome.problems else 0
    first, _, last = chosen.seeds.partition("..")
    began, intents, bad, races = time.monotonic(), 0, 0, 0
    counts: Counter[str] = Counter()
    with seats() as made:
        for seed in range(int(first), int(last or first) + 1):
            outcome = events.run(seed, options, made)
            intents += outcome.intents
            races += outcome.races
            counts += outcome.counts
            if outcome.problems:
                bad += 1
                print(f"seed {seed}: {len(outcome.problems)} problems: {outcome.problems[:3]}", flush=True)
    spent = time.monotonic() - began
    seeds = int(last or first) - int(first) + 1
    print(f"{seeds} seeds, {intents} intents, {bad} bad seeds, {races} races, {spent:.1f} s, {intents / spent:.0f} intents a second, {60*seeds/spent:.0f} seeds/min")
    print(counts)
    leave_seats()
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
