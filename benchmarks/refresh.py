"""The refresh of a large firm's matters: 100,000 jobs in some 63 MB of XML, read into values, against a bare parse.

    python benchmarks/refresh.py [--jobs N] [--store MODULE:CALLABLE]

«Bare» is the same parser over the same bytes with handlers that do nothing: what any reader of elements pays. The parser
without any handler is shown beside it. `--store` names a callable that takes the iterator of matters and keeps them, so
that the whole refresh can be measured.
"""

from __future__ import annotations

import argparse
import importlib
import json
import resource
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from xml.parsers import expat

from desktop.services.practice.job_records import JOBS, jobs_as_matters
from desktop.services.practice.model import Matter
from desktop.services.practice.practice_xml import JOB_LIST, Envelope, records

_NETWORK_PIECE = 65_536
_BLOCK = 262_144


def body(jobs: int) -> bytes:
    """Spelled and indented as the vendor's samples are."""
    return "".join(
        ['<Response api-method="Current">\n  <Status>OK</Status>\n  <Jobs>\n', *map(job, range(jobs)), "  </Jobs>\n</Response>\n"]
    ).encode()


def job(n: int) -> str:
    client = f"<UUID>a1b2c3d4-0000-4000-8000-{n % 9_000:012d}</UUID><Name>Tui &amp; Sons {n % 9_000} Ltd</Name>"
    return (
        f"    <Job>\n      <ID>J{n:06d}</ID>\n      <UUID>0f3c9d52-0000-4000-8000-{n:012d}</UUID>\n"
        f"      <Name>FY26 Annual Accounts</Name>\n      <Description />\n      <State>In Progress</State>\n"
        f"      <ClientOrderNumber />\n      <StartDate>2026-04-01T00:00:00</StartDate>\n"
        f"      <DueDate>2026-09-30T00:00:00</DueDate>\n      <Client>{client}</Client>\n"
        f"      <Manager><UUID>a1b2c3d4-0000-4000-8001-{n % 40:012d}</UUID><Name>Sam Reid</Name></Manager>\n"
        f"      <Assigned>\n        <Staff><UUID>a1b2c3d4-0000-4000-8001-{n % 60:012d}</UUID><Name>Kim Ode</Name></Staff>\n"
        f"      </Assigned>\n    </Job>\n"
    )


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


def bare(data: bytes, handlers: bool) -> None:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    if handlers:
        parser.StartElementHandler = lambda name, attributes: None
        parser.EndElementHandler = lambda name: None
        parser.CharacterDataHandler = lambda text: None
    for piece in pieces(data, _BLOCK):
        parser.Parse(piece, False)
    parser.Parse(b"", True)


def matters(data: bytes) -> Iterator[Matter]:
    found = records(pieces(data, _NETWORK_PIECE), JOBS, JOB_LIST, Envelope())
    return jobs_as_matters(found, system="xero-practice-manager", tenant="t")


def count(found: Iterator[Matter]) -> object:
    return sum(1 for _ in found)


def fastest(work: Callable[[], object], times: int = 3) -> float:
    """In seconds of processor time: other programs on the machine do not count."""
    best = float("inf")
    for _ in range(times):
        began = time.process_time()
        work()
        best = min(best, time.process_time() - began)
    return best


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--jobs", type=int, default=100_000)
    options.add_argument("--store", default="")
    chosen = options.parse_args()
    store: Callable[[Iterator[Matter]], object] = count
    if chosen.store:
        module, _, name = chosen.store.partition(":")
        store = getattr(importlib.import_module(module), name)
    data = body(chosen.jobs)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    without = fastest(lambda: bare(data, handlers=False))
    with_handlers = fastest(lambda: bare(data, handlers=True))
    refresh = fastest(lambda: store(matters(data)))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    few = data[: len(data) // 20]
    few = few[: few.rindex(b"</Job>") + 6] + b"</Jobs></Response>"
    tracemalloc.start()
    count(matters(few))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    json.dump(
        {
            "megabytes": round(len(data) / 1e6, 1),
            "parser_without_handlers_s": round(without, 2),
            "bare_parse_s": round(with_handlers, 2),
            "refresh_s": round(refresh, 2),
            "refresh_to_bare": round(refresh / with_handlers, 2),
            "peak_of_reading_mb": round(peak / 1e6, 1),
            "resident_growth_mb": round((after - before) / 1024, 1),
        },
        sys.stdout,
        indent=2,
    )
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
