"""What the packages ask before they take the program away or replace it: is anything on its way?

    iconnect -m installer.undelivered [--in-flight]

Says a sentence on standard output. Exit status: 0 nothing; 1 something; 2 it can't be told. With `--in-flight` only what is being
sent at this moment, or was and its answer is awaited, counts; it is also the whole question before an update.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

OPEN = ("held", "queued", "sending", "unknown", "accepted", "rejected")
"""The states (contracts: `status --json`) in which a person or the program still has something to do."""

IN_FLIGHT = ("sending",)

NOTHING, SOMETHING, CANNOT_TELL = 0, 1, 2

_LONGEST = 60


def counted(status: Mapping[str, Any], states: tuple[str, ...]) -> int:
    """How many deliveries are in one of the states. Raises ValueError when the answer is not one of `status --json`."""
    deliveries = status.get("deliveries")
    if not isinstance(deliveries, dict) or not all(isinstance(count, int) for count in deliveries.values()):
        raise ValueError("no deliveries in the answer")
    return sum(count for state, count in deliveries.items() if state in states)


def has_ledger() -> bool:
    """Whether this person ever used the program here; asking would make a ledger where there is none."""
    from desktop.places import places

    return places(None, os.environ).ledger.exists()


def ask() -> Mapping[str, Any]:
    """The program's own answer to `status --json`. Raises OSError or ValueError."""
    command = [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "desktop"]
    try:
        done = subprocess.run([*command, "status", "--json"], capture_output=True, timeout=_LONGEST, check=False)
    except subprocess.TimeoutExpired as error:
        raise ValueError("no answer in time") from error
    found = json.loads(done.stdout)
    if not isinstance(found, dict):
        raise ValueError("no object in the answer")
    return found


def main() -> int:
    """Gives the exit status."""
    in_flight = "--in-flight" in sys.argv[1:]
    if not has_ledger():
        return NOTHING
    try:
        count = counted(ask(), IN_FLIGHT if in_flight else OPEN)
    except (OSError, ValueError):
        print("iConnect could not tell whether anything is still to be delivered.")
        return CANNOT_TELL
    if not count:
        return NOTHING
    lines = "cost or document" if count == 1 else "costs and documents"
    print(f"{count} {lines} {'being sent at this moment' if in_flight else 'not yet delivered and confirmed'}.")
    return SOMETHING


if __name__ == "__main__":
    sys.exit(main())
