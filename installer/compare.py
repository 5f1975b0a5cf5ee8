"""Are two builds of one source the same? Says which files differ, and what differs in the archive of modules inside a program.

python -m installer.compare FIRST SECOND      two bundle folders; ends with 0 when they are equal
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path


def digests(folder: Path) -> dict[str, str]:
    """Each file's SHA-256, or where a link points to, by its place in the folder."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = f"link to {path.readlink()}"
        elif path.is_file():
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def differences(first: Path, second: Path) -> list[str]:
    """A line for each file that is not the same in both, in order; empty when they are equal."""
    ones, others = digests(first), digests(second)
    lines = []
    for name in sorted(ones.keys() | others.keys()):
        if name not in others:
            lines.append(f"only in the first: {name}")
        elif name not in ones:
            lines.append(f"only in the second: {name}")
        elif ones[name] != others[name]:
            lines.append(f"different: {name}{_where(first / name, second / name)}")
    return lines


def _where(one: Path, other: Path) -> str:
    """How far into the files the first difference lies: enough to tell a stamp in a head from other content."""
    if one.is_symlink() or other.is_symlink():
        return ""
    left, right = one.read_bytes(), other.read_bytes()
    at = next((index for index, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))
    return f" ({len(left)} and {len(right)} bytes, from byte {at})"


def main() -> int:
    """Gives the exit status."""
    first, second = (Path(name) for name in sys.argv[1:3])
    lines = differences(first, second)
    for line in lines:
        print(line)
    print(f"{len(digests(first))} files, {len(lines)} not the same")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
