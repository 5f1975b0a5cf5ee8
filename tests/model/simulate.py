"""python -m tests.model.simulate --seeds A..B: seeded runs of the whole house against a firm's books, and what was found there.

Prints how many deliveries were brought to the books (intents), how fast, and how many were duplicated, lost, wrong, unexpected
or left unfinished; each seed that failed with its number and its first problems.

    --replay SEED --trace        one seed, with all that happened; the same, bit for bit, every time
    --weaken NAME                with one of the product's rules taken out (`--weaken list` names them)
    --sweep 0,10,30,60,...       the same seeds at one quiet time after the other
    --results FILE               a line for each block of seeds; blocks that are in it already are left out
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.model import events
from tests.model.desk_pc import leave_seats, seats
from tests.model.spellings import SPELLINGS
from tests.model.weakened import WEAKENED
from tests.model.weather import Lateness
from tests.model.world import Options

FAULTS = ("duplicated", "lost", "wrong", "unexpected", "unfinished")
SHOWN = 20


@dataclass
class Tally:
    """What a range of seeds came to. `failed`: a seed's number and its first problems."""

    seeds: int = 0
    intents: int = 0
    races: int = 0
    seconds: float = 0.0
    found: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    failed: dict[int, list[str]] = field(default_factory=dict)

    def add(self, outcome: events.Outcome) -> None:
        self.seeds += 1
        self.intents += outcome.intents
        self.races += outcome.races
        self.counts += outcome.counts
        for problem in outcome.problems:
            self.found[problem.partition(":")[0]] += 1
        if outcome.problems:
            self.failed[outcome.seed] = outcome.problems[:3]

    def join(self, other: Tally) -> None:
        self.seeds += other.seeds
        self.intents += other.intents
        self.races += other.races
        self.seconds += other.seconds
        self.found += other.found
        self.counts += other.counts
        self.failed |= other.failed

    def told(self, seconds: float) -> str:
        faults = ", ".join(f"{self.found[name]} {name}" for name in FAULTS)
        minutes = max(seconds, 0.001) / 60
        pace = f"{self.seeds / minutes:,.0f} seeds and {self.intents / minutes:,.0f} intents a minute"
        calls, sends = self.counts["calls"], self.counts["sends"]
        each = f"{calls / max(1, self.intents):.2f} calls and {sends / max(1, self.intents):.2f} sends each"
        return f"{self.seeds:,} seeds, {self.intents:,} intents ({each}): {faults}; {self.races} races of two PCs; {pace}"

    def as_json(self, first: int) -> str:
        return json.dumps(
            {"first": first, "seeds": self.seeds, "intents": self.intents, "races": self.races, "seconds": round(self.seconds, 1),
             "found": self.found, "counts": self.counts, "failed": self.failed}
        )  # fmt: skip

    @classmethod
    def from_json(cls, text: str) -> tuple[int, Tally]:
        told = json.loads(text)
        failed = {int(seed): problems for seed, problems in told["failed"].items()}
        tally = cls(
            told["seeds"], told["intents"], told["races"], told["seconds"], Counter(told["found"]), Counter(told["counts"]), failed
        )
        return told["first"], tally


@dataclass(frozen=True, slots=True)
class Block:
    """Seeds that one process runs in one go."""

    first: int
    last: int
    options: Options
    weaken: str = ""


def run_block(block: Block) -> tuple[int, Tally]:
    logging.disable(logging.CRITICAL)
    tally, began = Tally(), time.monotonic()
    with _weakened(block) as options, seats() as made:
        for seed in range(block.first, block.last + 1):
            tally.add(events.run(seed, options, made))
    tally.seconds = time.monotonic() - began
    return block.first, tally


@contextlib.contextmanager
def _weakened(block: Block) -> Iterator[Options]:
    if not block.weaken:
        yield block.options
        return
    with WEAKENED[block.weaken](block.options) as options:
        yield options


def run_all(blocks: list[Block], processes: int, results: Path | None) -> tuple[Tally, float]:
    """All of them; a line in `results` as each one ends, and none again that has one already."""
    whole, began = Tally(), time.monotonic()
    done = dict(map(Tally.from_json, results.read_text().splitlines())) if results is not None and results.exists() else {}
    left = [one for one in blocks if one.first not in done]
    shown = 0
    for tally in done.values():
        whole.join(tally)
    with contextlib.ExitStack() as stack:
        if processes > 1:
            pool = stack.enter_context(multiprocessing.get_context("spawn").Pool(processes))
            ended = pool.imap_unordered(run_block, left)
        else:
            ended = map(run_block, left)  # type: ignore[assignment]  # both are gone through once
        for first, tally in ended:
            whole.join(tally)
            for seed, problems in tally.failed.items():
                shown += 1
                if shown <= SHOWN:
                    print(f"seed {seed}: {'; '.join(problems)}"[:400], flush=True)
            if results is not None:
                with results.open("a") as file:
                    file.write(tally.as_json(first) + "\n")
                print(whole.told(whole.seconds), flush=True)
    return whole, whole.seconds if done else time.monotonic() - began


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="1..100", help="first..last")
    parser.add_argument("--system", default=Options().system, choices=sorted(SPELLINGS))
    parser.add_argument("--quiet", type=float, default=Options().quiet)
    parser.add_argument("--reread", type=float, default=Options().reread)
    parser.add_argument("--late-mean", type=float, default=Lateness().mean)
    parser.add_argument("--late-most", type=float, default=Lateness().most)
    parser.add_argument("--late-share", type=float, default=0.0)
    parser.add_argument("--steps", type=int, default=Options().steps)
    parser.add_argument("--orders", type=int, default=Options().orders)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--block", type=int, default=100)
    parser.add_argument("--results", type=Path)
    parser.add_argument("--weaken", default="", choices=["", "list", "all", *WEAKENED])
    parser.add_argument("--sweep", default="")
    parser.add_argument("--replay", type=int)
    parser.add_argument("--trace", action="store_true")
    chosen = parser.parse_args(arguments)
    if chosen.weaken == "list":
        print("\n".join(WEAKENED))
        return 0
    options = Options(
        system=chosen.system,
        quiet=chosen.quiet,
        reread=chosen.reread,
        lateness=Lateness(chosen.late_mean, chosen.late_most),
        steps=chosen.steps,
        orders=chosen.orders,
        late_share=chosen.late_share,
    )
    try:
        if chosen.replay is not None:
            return _replay(Block(chosen.replay, chosen.replay, options, chosen.weaken), trace=chosen.trace)
        first, _, last = chosen.seeds.partition("..")
        return _runs(chosen, options, int(first), int(last or first))
    finally:
        leave_seats()


def _runs(chosen: argparse.Namespace, options: Options, first: int, last: int) -> int:
    def blocks(options: Options, weaken: str) -> list[Block]:
        return [Block(at, min(last, at + chosen.block - 1), options, weaken) for at in range(first, last + 1, chosen.block)]

    if chosen.weaken == "all":
        for name in WEAKENED:
            tally, seconds = run_all(blocks(options, name), chosen.processes, None)
            print(f"{name}: {tally.told(seconds)}", flush=True)
        return 0
    if chosen.sweep:
        for quiet in map(float, chosen.sweep.split(",")):
            tally, seconds = run_all(blocks(replace(options, quiet=quiet), chosen.weaken), chosen.processes, None)
            print(f"quiet time {quiet:.0f} s: {tally.told(seconds)}", flush=True)
        return 0
    tally, seconds = run_all(blocks(options, chosen.weaken), chosen.processes, chosen.results)
    print(tally.told(seconds))
    print(", ".join(f"{name} {count}" for name, count in tally.counts.most_common()))
    return 1 if tally.failed else 0


def _replay(block: Block, *, trace: bool) -> int:
    logging.disable(logging.CRITICAL)
    with _weakened(block) as options, seats() as made:
        outcome = events.run(block.first, options, made, keep_trace=trace)
    for line in outcome.trace:
        print(line)
    print(f"seed {outcome.seed}: {outcome.intents} intents, digest {outcome.digest}")
    for problem in outcome.problems:
        print(problem)
    return 1 if outcome.problems else 0


if __name__ == "__main__":
    sys.exit(main())
