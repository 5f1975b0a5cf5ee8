"""`python -m sandbox`: the stand-ins as a process of their own, until it is told to stop."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import threading
from pathlib import Path

from sandbox.house import Sandbox, as_json, write_atomically

SYSTEMS = ("xero-practice-manager", "workflowmax", "workflowmax-v1", "smokeball")


def main(arguments: list[str] | None = None) -> int:
    """Runs until SIGTERM or SIGINT or, with --until-stdin-closes, until standard input ends: it need not outlive who started it."""
    parser = argparse.ArgumentParser(
        prog="python -m sandbox", description="Stand-ins for practice systems and InfoTrack on loopback."
    )
    parser.add_argument("--matters", type=int, default=50, help="current jobs in the firm's books, 50 to 100,000")
    parser.add_argument("--seed", type=int, default=1, help="the same seed and size give the same firm")
    parser.add_argument(
        "--dir", type=Path, help="for platform.toml, sandbox.json and the drop folder; default: a new temporary folder"
    )
    parser.add_argument(
        "--port-file", type=Path, help="where to write the addresses when ready; default: sandbox.json in the folder"
    )
    parser.add_argument("--no-limits", action="store_true", help="no rate limits")
    parser.add_argument("--delay", type=float, default=2.0, help="seconds from an order to its result")
    parser.add_argument("--results", choices=("feed", "folder", "both", "none"), default="feed", help="how results leave InfoTrack")
    parser.add_argument("--system", choices=SYSTEMS, default=SYSTEMS[0], help="the practice system that platform.toml names")
    parser.add_argument("--until-stdin-closes", action="store_true", help="stop when standard input ends")
    options = parser.parse_args(arguments)
    if not 1 <= options.matters <= 100_000:
        parser.error("--matters wants 1 to 100000")
    folder = options.dir or Path(tempfile.mkdtemp(prefix="iconnect-sandbox-"))
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    box = Sandbox(
        folder,
        matters=options.matters,
        seed=options.seed,
        limits=not options.no_limits,
        delay=options.delay,
        system=options.system,
    )
    box.world.switches.results = options.results
    with box:
        where = box.description()
        write_atomically(options.port_file or folder / "sandbox.json", as_json(where))
        sys.stdout.write(as_json(where) + "\n")
        sys.stdout.flush()
        if options.until_stdin_closes:
            threading.Thread(target=_watch_stdin, args=(stop,), daemon=True).start()
        while not stop.wait(1):  # in short waits, so that a signal is seen on Windows too
            pass
    return 0


def _watch_stdin(stop: threading.Event) -> None:
    while sys.stdin.buffer.read(4096):
        pass
    stop.set()


if __name__ == "__main__":
    sys.exit(main())
