"""A document that is opened for a viewer: each version in a place of its own."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, cast

import pytest

from desktop.places import Places
from desktop.services.infotrack.model import FetchedFile
from desktop.services.window_books import WindowBooks
from tests.delivery.stand_in import Books, Clock, Office, order

PDF = b"%PDF-1.7 version "


@pytest.fixture
def opened(tmp_path: Path) -> WindowBooks:
    clock = Clock()
    office = Office(tmp_path / "office", clock, Books(clock))
    office.receive(order("7", hash="one"), order("7", sequence=2, hash="two"))
    office.courier.plan_only()
    contents = iter(PDF + bytes([48 + n]) for n in range(9))
    nothing = cast(Any, None)
    return WindowBooks(
        nothing,
        office.ledger,
        Places(tmp_path / "profile", explicit=True),
        tmp_path / "iconnect.toml",
        explained=tuple,
        matter=lambda system, number: None,
        fetch=lambda address: FetchedFile(next(contents), ".pdf", "application/pdf"),
        region=lambda: "",
    )


def test_two_versions_of_one_name_lie_beside_each_other(opened: WindowBooks) -> None:
    first, second = opened.document("IT-7-D-1"), opened.document("IT-7-D-2")
    assert first.name == second.name
    assert (first.read_bytes(), second.read_bytes()) == (PDF + b"0", PDF + b"1")
    if os.name == "posix":
        assert {folder.stat().st_mode & 0o077 for folder in (first.parents[0], first.parents[1])} == {0}


def test_what_a_viewer_may_hold_is_not_written_again(opened: WindowBooks) -> None:
    first = opened.document("IT-7-D-1")
    first.write_bytes(PDF + b"1")
    an_hour_ago = time.time() - 3600
    os.utime(first, (an_hour_ago, an_hour_ago))
    again = opened.document("IT-7-D-1")
    assert again.read_bytes() == PDF + b"1"
    assert again.stat().st_mtime < an_hour_ago + 60


def test_what_lay_there_for_a_day_goes_with_its_folder(opened: WindowBooks) -> None:
    first = opened.document("IT-7-D-1")
    os.utime(first, (1, 1))
    second = opened.document("IT-7-D-2")
    assert [one for one in second.parents[1].rglob("*") if one.is_file()] == [second]
    third = opened.document("IT-7-D-1")
    assert sorted(one.name for one in third.parents[1].iterdir()) == ["IT-7-D-1", "IT-7-D-2"]
