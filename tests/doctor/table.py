"""Plants every fault and prints what doctor said of it: `python -m tests.doctor.table [part of a name…]`.

The last lines are as much part of the table as the others: the faults that doctor does not see."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.commands.installation import outside
from tests.doctor.planted import BLIND, PLANTS, Plant
from tests.doctor.rig import rig
from tests.doctor.test_planted_faults import alarms, found, missing, signed_in


def main(wanted: Sequence[str]) -> int:
    chosen = [one for one in PLANTS if not wanted or any(part in one.name for part in wanted)]
    folder = Path(tempfile.mkdtemp(prefix="doctor-table-"))
    folder.chmod(0o755)
    seen = unseen = left_out = 0
    try:
        with outside(folder / "outside") as world:
            healthy = signed_in(world, folder / "pc")
            for number, one in enumerate(chosen):
                if why := missing(one.needs):
                    left_out += 1
                    print(f"left out  {one.name}: {why}")
                    continue
                place = folder / str(number)
                place.mkdir(mode=0o755)
                with rig(healthy, place) as pc:
                    one.breaks(pc)
                    told = found(pc.doctor(), one)
                seen, unseen = seen + bool(told), unseen + (not told)
                print(_line(one, told), flush=True)
            place = folder / "well"
            place.mkdir(mode=0o755)
            with rig(healthy, place) as pc:
                false = alarms(pc.doctor())
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"\nFound and explained: {seen} of {seen + unseen}" + (f"; left out here: {left_out}" if left_out else ""))
    print(f"False alarms on a PC where all is well: {len(false)}", *[f"  {one}" for one in false], sep="\n")
    print("\nNot seen by doctor:", *[f"  {text}" for text in BLIND], sep="\n")
    return 1 if unseen or false else 0


def _line(one: Plant, told: dict[str, str] | None) -> str:
    if told is None:
        return f"MISSED    {one.name}"
    return f"{told['verdict']:<9} {one.name}\n          {told['check']}: {told['message']}\n          -> {told['cure']}"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
