"""What the order window says and calls things: rules without an engine."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtWebEngineCore import QWebEngineDownloadRequest

from desktop.ui.browser.downloads import why_interrupted, why_not_written, write_whole
from desktop.ui.browser.file_copy import copy_whole
from desktop.ui.browser.load_errors import SIGN_IN, STOPPED_BY_US, explain
from desktop.ui.browser.page_names import MOST_LETTERS, page_name
from desktop.ui.browser.saved_file import Download, DownloadState, words_of
from desktop.ui.browser.zoom import STEPS, ZOOM_FILE, ZoomMemory, next_step


@pytest.mark.parametrize(
    ("code", "part", "may_retry"),
    [
        (-106, "not on the internet", True),
        (-105, "was not found", True),
        (-130, "proxy", True),
        (-111, "proxy", True),
        (-107, "No secure line", True),
        (-200, "prove who it is", True),
        (-201, "clock", True),
        (-202, "no way round", True),
        (-102, "did not answer", True),
        (-101, "Orders and postings", True),
        (-118, "did not answer", True),
        (-310, "circle", True),
        (-379, "an error", True),
        (-400, "order twice", False),
        (-999, "(-999)", True),
    ],
)
def test_each_way_a_page_fails_is_told_in_its_own_plain_words(code: int, part: str, may_retry: bool) -> None:
    """G4, G18: what happened and what to do; nothing offers to go past a certificate."""
    told = explain(code, "search.infotrack.com.au")
    assert told is not None
    words = f"{told.headline} {told.advice}"
    assert part in words
    assert "search.infotrack.com.au" in words or code == -400
    assert told.may_retry is may_retry
    assert "ERR_" not in words
    assert "anyway" not in words.lower()


@given(st.integers(min_value=-999, max_value=-1))
def test_no_error_of_the_engine_is_left_without_words(code: int) -> None:
    told = explain(code, "a.example")
    assert (told is None) is (code in STOPPED_BY_US)
    at_sign_in = explain(code, "login.example", SIGN_IN)
    assert at_sign_in is None or "InfoTrack" not in at_sign_in.headline


def test_why_a_file_was_cut_off_is_told_for_every_reason_of_the_engine() -> None:
    """G6: a sentence with what to do; the file is still at InfoTrack."""
    for reason in QWebEngineDownloadRequest.DownloadInterruptReason:
        assert why_interrupted(reason).endswith(".")
    full = QWebEngineDownloadRequest.DownloadInterruptReason.FileNoSpace
    assert "disk is full" in why_interrupted(full)
    assert "disk is full" in why_not_written(OSError(errno.ENOSPC, "x"))
    assert "Read-only" in why_not_written(OSError(errno.EROFS, "Read-only file system"))


def test_sizes_go_up_and_down_in_steps_and_stop_at_the_ends() -> None:
    assert next_step(1.0, 1) == 1.1
    assert next_step(1.0, -1) == 0.9
    assert next_step(2.5, 0) == 1.0
    assert next_step(STEPS[-1], 1) == STEPS[-1]
    assert next_step(STEPS[0], -1) == STEPS[0]


def test_a_size_is_kept_for_the_next_window_and_the_natural_one_needs_no_file(tmp_path: Path) -> None:
    memory = ZoomMemory(tmp_path)
    assert memory.read() == 1.0
    for step in STEPS:
        memory.write(step)
        assert ZoomMemory(tmp_path).read() == step
    memory.write(1.0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\xff\xfe", b"9" * 5000, b"-40", b"1e9"])
def test_a_damaged_size_is_no_reason_to_stop(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ZOOM_FILE).write_bytes(content)
    assert ZoomMemory(tmp_path).read() in STEPS


def test_a_size_that_can_not_be_kept_is_no_reason_to_stop(tmp_path: Path) -> None:
    memory = ZoomMemory(tmp_path / "missing")
    memory.write(1.5)
    assert memory.read() == 1.0


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Register of titles", "Register of titles"),
        ("  Two\n lines ", "Two lines"),
        ("", "Page 2"),
        ("https://search.infotrack.com.au/land?t=secret", "Page 2"),
        ("search.infotrack.com.au/land?t=secret", "Page 2"),
        ("land?t=secret", "Page 2"),
        ("A\u202egnihtemos\u200b", "Agnihtemos"),
        ("x" * 90, "x" * (MOST_LETTERS - 1) + "…"),
    ],
)
def test_a_tab_is_named_by_its_page_and_never_by_an_address(title: str, name: str) -> None:
    """A24, G9: an address can sign somebody in; a title is data, cut and cleaned."""
    assert page_name(title, 2) == name


@given(st.text(max_size=300))
def test_a_tab_s_name_is_short_and_never_empty(title: str) -> None:
    assert 0 < len(page_name(title, 3)) <= MOST_LETTERS


def test_a_file_s_way_is_told_in_numbers_and_only_a_whole_file_is_a_hundred() -> None:
    assert words_of(Download(1, "a.pdf", received=1_200_000, total=3_400_000)) == "1.2 MB of 3.4 MB"
    assert words_of(Download(1, "a.pdf", received=1_200_000)) == "1.2 MB so far"
    assert Download(1, "a.pdf", received=5, total=5).percent == 99
    assert Download(1, "a.pdf").percent == -1
    assert Download(1, "a.pdf", DownloadState.SAVED).percent == 100
    assert "InfoTrack still has" in words_of(Download(1, "a.pdf", DownloadState.CANCELLED))


def test_a_copy_is_whole_or_is_not_there_and_what_stood_there_stays(tmp_path: Path) -> None:
    """G6: a full disk in the middle of a copy costs neither the saved file nor the one that was to be written over."""
    source, target = tmp_path / "a.pdf", tmp_path / "away" / "a.pdf"
    target.parent.mkdir()
    source.write_bytes(b"new")
    target.write_bytes(b"old")

    def full(_source: Path, passing: Path) -> None:
        passing.write_bytes(b"n")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        copy_whole(source, target, copy=full)
    assert target.read_bytes() == b"old"
    assert [path.name for path in target.parent.iterdir()] == ["a.pdf"]
    copy_whole(source, target, copy=shutil.copyfile)
    assert target.read_bytes() == b"new"
    copy_whole(source, source)
    assert source.read_bytes() == b"new"


@pytest.mark.skipif(os.name == "nt", reason="permission bits")
def test_what_is_made_here_is_private_and_writes_over_nothing(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", b"%PDF-")
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        write_whole(tmp_path / "a", b"other")
