"""docs/complaints.md: every complaint has its answer, and every answer a test that is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "complaints.md"
TABLES = {"Complaints": 20, "What no other link had": 12}


def rows(title: str) -> list[list[str]]:
    """A table's rows, as cells."""
    section = PAGE.read_text("utf-8").split(f"\n## {title}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if re.match(r"\| \d+ \|", line)]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.parametrize(("title", "many"), TABLES.items())
def test_every_number_has_its_row(title: str, many: int) -> None:
    found = rows(title)
    assert [int(row[0]) for row in found] == list(range(1, many + 1))
    assert all(len(row) == 5 and all(row) for row in found)


@pytest.mark.parametrize("title", TABLES)
def test_every_test_and_every_module_that_is_named_is_there(title: str) -> None:
    missing: list[str] = []
    for number, _, _, modules, tests in rows(title):
        named, shown = re.findall(r"`([^`]+)`", modules), re.findall(r"`([^`]+)`", tests)
        assert named, f"{title} {number} names no module"
        assert shown, f"{title} {number} names no test"
        missing += [f"{number}: {name}" for name in named if not (ROOT / name).is_file()]
        for test in shown:
            file, _, name = test.partition("::")
            path = ROOT / "tests" / file
            if not path.is_file() or not re.search(rf"^def {re.escape(name)}\(", path.read_text("utf-8"), re.MULTILINE):
                missing.append(f"{number}: {test}")
    assert missing == []
