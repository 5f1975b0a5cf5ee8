from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.identity.fake_authorization_server import FakeAuthorizationServer, serving
from tests.identity.identity_rig import Rig, rig_for


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with serving(FakeAuthorizationServer()) as server:
        yield rig_for(server, tmp_path)
