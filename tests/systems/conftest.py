from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.systems.contract_rig import CASES, Books, Case, Firms, Pc

_COUNTED: Counter[str] = Counter()


@pytest.fixture(scope="session")
def running_firms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firms]:
    made = Firms(tmp_path_factory.mktemp("firms"))
    try:
        yield made.start()
    finally:
        made.stop()


@pytest.fixture
def firms(running_firms: Firms) -> Iterator[Firms]:
    running_firms.calm()
    yield running_firms
    running_firms.calm()


@pytest.fixture(params=CASES, ids=str)
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return found


@pytest.fixture
def new_pc(firms: Firms, case: Case, tmp_path: Path) -> Iterator[Callable[..., Pc]]:
    """Makes PCs of the firm; the first one's matter is a new one, unless one is given."""
    made: list[Pc] = []

    def make(*, like: Pc | None = None, matters: int = 1) -> Pc:
        folder = tmp_path / f"pc-{len(made)}"
        folder.mkdir()
        made.append(Pc(firms, case, folder, like.matters if like else [firms.matter(case) for _ in range(matters)]))
        return made[-1]

    yield make
    for pc in made:
        pc.ledger.close()


@pytest.fixture
def books(firms: Firms, case: Case) -> Books:
    return Books(firms, case)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call" and report.passed and "/systems/test_contract_" in report.nodeid:
        name = next((str(case) for case in CASES if f"[{case}" in report.nodeid or f"{case}]" in report.nodeid), "")
        if name:
            _COUNTED[name] += 1


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _COUNTED:
        told = ", ".join(f"{_COUNTED[str(case)]} by {case}" for case in CASES)
        terminalreporter.write_line(f"contract: {told}")
