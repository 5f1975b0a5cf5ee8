"""At a terminal the bundle is shown in full, then the person is asked; elsewhere it is told whole before it is written."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commands.installation import Installation
from tests.commands.terminal import terminal

NewPc = Callable[[], Installation]


def at_a_terminal(pc: Installation, *words: str, answer: str) -> tuple[int, str]:
    """What a person sees, who types `answer` at the question."""
    mine, theirs = terminal()
    process = subprocess.Popen(
        [sys.executable, "-m", "desktop", *words],
        env={**pc.environment, "PAGER": "cat", "TERM": "dumb"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=pc.profile.parent,
    )
    os.close(theirs)
    seen = b""
    asked = False
    try:
        while True:
            try:
                piece = os.read(mine, 65536)
            except OSError:  # the other end is closed
                break
            if not piece:
                break
            seen += piece
            if not asked and b"]: " in seen[-40:]:
                asked = True
                os.write(mine, answer.encode())
    finally:
        os.close(mine)
    return process.wait(60), seen.decode("utf-8", "replace")


@pytest.mark.parametrize(("answer", "saved"), [("y\n", True), ("n\n", False), ("\n", True)])
def test_at_a_terminal_all_of_it_is_seen_before_it_is_saved(new_pc: NewPc, tmp_path: Path, answer: str, saved: bool) -> None:
    """J7: shown in full, then asked."""
    file = tmp_path / "bundle.zip"
    status, seen = at_a_terminal(new_pc(), "diagnostics", str(file), answer=answer)
    assert status == 0, seen
    assert file.exists() == saved
    assert seen.index('"sqlite"') < seen.index("Save this as")
    if not saved:
        assert "Nothing was saved" in seen


def test_elsewhere_it_is_told_whole_and_asks_nothing(new_pc: NewPc, tmp_path: Path) -> None:
    """J7: what was told is what is in the file, word for word."""
    said = new_pc().done("diagnostics", str(tmp_path / "bundle.zip"))
    with zipfile.ZipFile(tmp_path / "bundle.zip") as packed:
        for name in packed.namelist():
            for line in packed.read(name).decode().splitlines():
                assert line.strip() in said.err
    quiet = new_pc().done("diagnostics", str(tmp_path / "second.zip"), "--no-show")
    assert '"sqlite"' not in quiet.err
    assert "about.json: " in quiet.err
