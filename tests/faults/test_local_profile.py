"""The ledger lies on this PC's own disk."""

from __future__ import annotations

from pathlib import Path

import platformdirs
import pytest

from desktop.places import places


def test_the_profile_is_asked_for_among_local_data_and_never_among_what_roams(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C8: a profile that follows a person to other PCs would take the ledger with it."""

    def folder(name: str, *, appauthor: bool, roaming: bool) -> str:
        return str(tmp_path / ("roaming" if roaming else "local") / name)

    monkeypatch.setattr(platformdirs, "user_data_dir", folder)
    where = places(None, {})
    for path in (where.profile, where.ledger, where.directory, where.downloads, where.logs):
        assert path.is_relative_to(tmp_path / "local" / "iConnect")


def test_a_folder_that_was_named_is_used_as_it_is(tmp_path: Path) -> None:
    """C8: by the command line before the environment."""
    named, other = tmp_path / "named", tmp_path / "other"
    assert places(str(named), {"ICONNECT_PROFILE": str(other)}).profile == named
    assert places(None, {"ICONNECT_PROFILE": str(other)}).ledger == other / "ledger.db"
