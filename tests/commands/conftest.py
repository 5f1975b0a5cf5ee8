"""One sandbox and one keyring for each module of tests; a PC that is set up, and as many bare ones as a test wants."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.commands.installation import Installation, Outside, outside


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    with outside(tmp_path_factory.mktemp("outside")) as running:
        yield running


@pytest.fixture(scope="module")
def pc(world: Outside, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Connected to Xero Practice Manager and InfoTrack, matters read. Shared by the module."""
    return Installation(world, tmp_path_factory.mktemp("pc") / "profile").set_up()


@pytest.fixture
def new_pc(world: Outside, tmp_path: Path) -> Callable[[], Installation]:
    """Makes installations that nobody has used yet."""
    count = itertools.count()

    def make() -> Installation:
        folder = tmp_path / f"pc{next(count)}"
        folder.mkdir()
        return Installation(world, folder / "profile")

    return make
