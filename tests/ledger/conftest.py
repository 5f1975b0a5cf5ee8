from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.delivery.stand_in import Books, Clock, Office


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    clock = Clock()
    made = Office(tmp_path, clock, Books(clock))
    yield made
    made.ledger.close()
