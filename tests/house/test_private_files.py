"""What the profile keeps is its owner's alone, whatever the umask says."""

from __future__ import annotations

import logging
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.logs import log_to
from desktop.private_files import make_private, open_private
from desktop.services.delivery.turn import Turn
from desktop.settings import Own, write_own

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="rights are kept otherwise there")


@pytest.fixture(params=[0o000, 0o022], ids=["umask 000", "umask 022"])
def careless(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.usefixtures("careless")
def test_log_settings_and_lock_are_their_owners_alone(tmp_path: Path) -> None:
    """B9, J1."""
    profile = tmp_path / "profile"
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    try:
        log_to(profile / "logs", "tray")
        logging.getLogger("desktop.test").warning("something")
    finally:
        for handler in set(root.handlers) - set(handlers):
            root.removeHandler(handler)
            handler.close()
        root.setLevel(level)
    write_own(profile / "settings.json", Own(markup_percent=5))
    with Turn(profile).take() as mine:
        assert mine
    files = [path for path in profile.rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"tray.log", "settings.json"}
    assert {path.name: mode(path) for path in files} == {path.name: 0o600 for path in files}


@pytest.mark.usefixtures("careless")
def test_a_file_that_others_could_read_is_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "directory.db"
    path.write_bytes(b"kept")
    path.chmod(0o666)
    make_private(path)
    assert (mode(path), path.read_bytes()) == (0o600, b"kept")
    with open_private(path) as file:
        assert mode(path) == 0o600
        file.write(b"new")
    assert path.read_bytes() == b"new"
