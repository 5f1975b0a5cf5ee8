"""`doctor` is called wherever a person happens to be, also in a folder full of downloads."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop.services import health
from desktop.services.health import Verdict


def test_the_current_folder_lends_no_module_to_the_process_that_looks_for_a_tray(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I6: what lies beside the person's downloads is not run."""
    trap = f"from pathlib import Path\nPath({str(tmp_path / 'caught')!r}).touch()\n"
    (tmp_path / "desktop").mkdir()
    for name in ("desktop/__init__.py", "json.py", "PySide6.py"):
        (tmp_path / name).write_text(trap)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    (found,) = health.screen({"DISPLAY": ":0"})
    assert found.verdict in (Verdict.OK, Verdict.NOTE)
    assert found.name == "tray"
    assert not (tmp_path / "caught").exists()
