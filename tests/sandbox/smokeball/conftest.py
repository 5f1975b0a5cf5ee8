"""A person and a caller of the Smokeball stand-in, started anew for each test."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sandbox.house import Sandbox
from tests.sandbox.smokeball.smokeball_visitor import SmokeballCaller, SmokeballVisitor


@pytest.fixture
def person(box: Sandbox) -> SmokeballVisitor:
    return SmokeballVisitor(box)


@pytest.fixture
def caller(box: Sandbox, person: SmokeballVisitor) -> SmokeballCaller:
    box.world.switches.smokeball_rate = 0  # its own tests put it on again
    return SmokeballCaller(person.place["api"], person.key, person.tokens()["access_token"])


@pytest.fixture
def matter(caller: SmokeballCaller) -> str:
    return caller.matter()


@pytest.fixture
def later(box: Sandbox, settled: Callable[[], None]) -> Callable[[], None]:
    """What was accepted takes effect."""

    def jump() -> None:
        box.world.clock.advance(10)
        settled()

    return jump
