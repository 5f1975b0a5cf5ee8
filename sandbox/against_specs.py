"""`python -m sandbox.against_specs FOLDER`: holds the stand-ins, and recorded requests, against the vendors' own descriptions.

The descriptions are the vendors' and no part of this; the folder may also be named by ICONNECT_VENDOR_SPECS."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from sandbox.against_smokeball_spec import FILE, check_smokeball
from sandbox.against_workflowmax_spec import FOLDER, check_workflowmax
from sandbox.spec_report import SpecReport, read_recording
from sandbox.spec_yaml import NotReadable


def main(arguments: list[str] | None = None) -> int:
    """Prints a report. Ends with 0 if every difference is a known one, 1 if one is not, 2 if something can't be read."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.against_specs", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, help="where the descriptions are; default: ICONNECT_VENDOR_SPECS")
    parser.add_argument(
        "--recording", type=Path, action="append", default=[], help="recorded requests, as /api/recording gives them"
    )
    options = parser.parse_args(arguments)
    named = options.folder or (Path(os.environ["ICONNECT_VENDOR_SPECS"]) if os.environ.get("ICONNECT_VENDOR_SPECS") else None)
    if named is None or not named.is_dir():
        sys.stderr.write("Skipped: there is no folder with the vendors' descriptions. Name it, or set ICONNECT_VENDOR_SPECS.\n")
        return 2
    try:
        reports = check_all(named, options.recording)
    except (OSError, ValueError) as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    for report in reports:
        sys.stdout.write("\n".join(report.lines()) + "\n")
    return 1 if any(report.unexplained for report in reports) else 0


def check_all(folder: Path, recordings: list[Path]) -> list[SpecReport]:
    """One report for each description that is there. Raises OSError or ValueError for what can't be read."""
    recorded = [exchange for path in recordings for exchange in read_recording(path)]
    reports = []
    if (folder / FOLDER).is_dir():
        reports.append(check_workflowmax(folder / FOLDER, recorded))
    if (folder / FILE).is_file():
        reports.append(check_smokeball(folder / FILE, recorded))
    if not reports:
        raise NotReadable(f"{folder.name} holds no description that is known here")
    return reports


if __name__ == "__main__":
    sys.exit(main())
