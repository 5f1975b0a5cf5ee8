"""A table that leaves the program runs nothing in a spreadsheet, and is whole or not there."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.services.tables import defused, write_table


@pytest.mark.parametrize("cell", ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\u00a0=1", "'=1", '"=1', "\ufeff=1"])
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(cell: str) -> None:
    assert defused(cell) == "'" + cell


@pytest.mark.parametrize("cell", ["-12.50", "12.50", "J-1", "12/RP90001", "", "a=b", "0"])
def test_plain_text_and_numbers_stay_as_they_are(cell: str) -> None:
    assert defused(cell) == cell


@given(st.text(max_size=20))
def test_no_text_starts_a_formula(text: str) -> None:
    shown = defused(text)
    assert shown in (text, "'" + text)
    try:
        float(shown)
    except ValueError:
        assert not shown.strip().startswith(("=", "+", "-", "@"))


def test_a_table_that_fails_midway_leaves_the_old_one(tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    write_table(file, ("a",), [("old",)])

    def rows() -> Iterator[tuple[str]]:
        yield ("new",)
        raise RuntimeError("the ledger went away")

    with pytest.raises(RuntimeError):
        write_table(file, ("a",), rows())
    with file.open(encoding="utf-8-sig", newline="") as table:
        assert list(csv.reader(table)) == [["a"], ["old"]]
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]
