"""The stand-ins, started anew for each test."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.house import Sandbox
from tests.sandbox.visitors import Controls, Practice, Supplier, Visitor
from tests.sandbox.workflowmax_visitor import App, Person


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Sandbox]:
    with Sandbox(tmp_path, delay=0) as running:
        yield running


@pytest.fixture
def visitor(box: Sandbox) -> Iterator[Visitor]:
    person = Visitor(box)
    yield person
    person.browser.close()


@pytest.fixture
def practice(box: Sandbox, visitor: Visitor) -> Practice:
    return Practice(box, visitor.tokens()["access_token"])


@pytest.fixture
def controls(box: Sandbox) -> Controls:
    return Controls(box.url("controls"))


@pytest.fixture
def supplier(box: Sandbox) -> Supplier:
    return Supplier(box)


@pytest.fixture
def soon() -> Callable[[Callable[[], bool]], None]:
    """Waits for a condition, at most ten seconds."""

    def wait(condition: Callable[[], bool]) -> None:
        end = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < end, "it never came"
            time.sleep(0.01)

    return wait


@pytest.fixture
def settled(box: Sandbox, soon: Callable[[Callable[[], bool]], None]) -> Callable[[], None]:
    """Waits until nothing is on the agenda."""
    return lambda: soon(lambda: box.world.agenda.pending() == 0)


@pytest.fixture
def person(box: Sandbox) -> Iterator[Person]:
    somebody = Person(box)
    yield somebody
    somebody.browser.close()


@pytest.fixture
def app(box: Sandbox, person: Person) -> App:
    return App(box, person.tokens()["access_token"])
