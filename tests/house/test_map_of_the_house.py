"""Whoever comes new finds each room, and what its noun is, in the table of CONTRIBUTING.md."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def named(text: str) -> set[str]:
    """What stands between backticks in the first column of a table."""
    first = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    return {name.rstrip("/") for cell in first for name in re.findall(r"`([^`]+)`", cell)}


def test_every_room_stands_in_the_table() -> None:
    names = named((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    for folder in ("desktop", "desktop/services"):
        for room in (ROOT / folder).iterdir():
            path = room.relative_to(ROOT).as_posix()
            if room.name in ("__init__.py", "__pycache__", "services"):
                continue
            assert any(fnmatch(path, name) or fnmatch(room.name, name) for name in names), f"{path} is in no row"


def test_every_room_of_the_table_is_there() -> None:
    folders = [ROOT / folder for folder in ("desktop", "sandbox", "installer", "resources", "benchmarks")]
    rooms = [*folders, *(path for folder in folders for path in folder.rglob("*"))]
    paths = {path.relative_to(ROOT).as_posix() for path in rooms}
    for name in named((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")):
        assert any(fnmatch(path, name) or fnmatch(path, f"*/{name}") for path in paths), f"{name} is not there any more"
