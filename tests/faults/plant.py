"""`python tests/faults/plant.py`: plants each bug of planted.toml in a copy of the code and asks whether its tests notice.

A bug counts as caught when the tests named for it pass without it and fail with it. Prints which test noticed each, and
`n of n caught`; ends with 1 when one was missed. `--only WORD` takes the bugs whose name contains the word.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PARTS = ("desktop", "tests", "sandbox", "resources", "pyproject.toml")
LONGEST = 300
SLOWEST_TEST = 150


@dataclass(frozen=True, slots=True)
class Bug:
    """One textual change. `before` must be in the file exactly once."""

    name: str
    file: str
    before: str
    after: str
    tests: tuple[str, ...]


def planned() -> tuple[Bug, ...]:
    with (HERE / "planted.toml").open("rb") as file:
        found = tomllib.load(file)
    return tuple(Bug(one["name"], one["file"], one["before"], one["after"], tuple(one["tests"])) for one in found["bug"])


def problems(bugs: tuple[Bug, ...]) -> list[str]:
    """What keeps the list from being applied to the code as it is."""
    found = []
    for bug in bugs:
        times = (ROOT / bug.file).read_text(encoding="utf-8").count(bug.before)
        if times != 1:
            found.append(f"{bug.name}: its text is {times} times in {bug.file}")
        found += [f"{bug.name}: no {test}" for test in bug.tests if not _is_there(test)]
    return found


def _is_there(test: str) -> bool:
    """Whether there is such a file or folder, and such a function in it."""
    path, _, name = test.partition("::")
    if not name:
        return (ROOT / path).exists()
    return (ROOT / path).is_file() and f"def {name.partition('[')[0]}(" in (ROOT / path).read_text(encoding="utf-8")


def copied(target: Path) -> None:
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, target / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target / part)


def first_failure(tree: Path, tests: tuple[str, ...], *, longest: float = LONGEST) -> str:
    """The first test that fails in that tree; empty when all pass. Raises RuntimeError when they could not be run at all."""
    command = [sys.executable, "-B", "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", f"--timeout={SLOWEST_TEST}", *tests]
    # The tree goes before any installed copy.
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    try:
        ended = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, timeout=longest, check=False)
    except subprocess.TimeoutExpired:
        return f"(longer than {longest:g} s)"
    if ended.returncode == 0:
        return ""
    named = re.search(r"^(?:FAILED|ERROR) (tests/.+?)(?: - .*)?$", ended.stdout, re.MULTILINE)
    if named is None and "Timeout" in ended.stdout + ended.stderr:
        return f"(a test longer than {SLOWEST_TEST} s)"
    if ended.returncode != 1 or named is None:
        raise RuntimeError(ended.stdout[-2000:] + ended.stderr[-2000:])
    return named[1]


def caught_by(tree: Path, bug: Bug) -> str:
    """The test that notices the bug; empty when none does."""
    path = tree / bug.file
    good = path.read_text(encoding="utf-8")
    path.write_text(good.replace(bug.before, bug.after), encoding="utf-8")
    try:
        return first_failure(tree, bug.tests)
    finally:
        path.write_text(good, encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="")
    chosen = parser.parse_args()
    bugs = tuple(bug for bug in planned() if chosen.only in bug.name)
    wrong = problems(bugs)
    if wrong:
        print("\n".join(wrong))
        return 2
    found = 0
    with tempfile.TemporaryDirectory(prefix="planted-") as folder:
        tree = Path(folder)
        copied(tree)
        failed = first_failure(tree, tuple(sorted({test for bug in bugs for test in bug.tests})), longest=5 * LONGEST)
        if failed:
            print(f"{failed} fails without any bug")
            return 2
        for bug in bugs:
            test = caught_by(tree, bug)
            found += bool(test)
            print(f"{'caught' if test else 'MISSED'}  {bug.name}{': ' if test else ''}{test}", flush=True)
    print(f"{found} of {len(bugs)} caught")
    return 0 if found == len(bugs) else 1


if __name__ == "__main__":
    sys.exit(main())
