"""The frozen program's own start: which of its modules it runs, and what a link can do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from desktop.services.ledger.model import DeliveryState
from installer import program, undelivered
from installer.facts import ROOT


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "installer.program", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_module_of_its_own_is_run_as_the_interpreter_would() -> None:
    done = run("-P", "-m", "desktop", "--version")
    assert done.returncode == 0
    assert done.stdout.startswith("iConnect, version ")


@pytest.mark.parametrize("module", ["http.server", "pip", "os", "desktop.app", "-c"])
def test_no_other_module_is_run(module: str) -> None:
    """The frozen program is no interpreter for whoever can start it."""
    done = run("-m", module)
    assert done.returncode == 2
    assert "runs no module" in done.stderr


def test_every_module_that_the_program_starts_by_name_may_be_started() -> None:
    """G19: what works from source by `python -m` works frozen."""
    started = set()
    for file in [*ROOT.glob("desktop/**/*.py")]:
        words = file.read_text(encoding="utf-8").replace("\n", " ").split('"-m",')
        started |= {word.split('"')[1] for word in words[1:]}
    # These two are started by their hidden argument when frozen.
    started -= {"desktop.ui.browser", "desktop.ui.browser.sign_in"}
    assert started, "the search found nothing: has the way of starting changed?"
    assert started <= set(program.OWN_MODULES)


@pytest.mark.parametrize(
    ("environment", "left"),
    [
        ({"LD_LIBRARY_PATH": "/ours", "HOME": "/h"}, {"HOME": "/h"}),
        ({"LD_LIBRARY_PATH": "/ours", "LD_LIBRARY_PATH_ORIG": "/theirs"}, {"LD_LIBRARY_PATH": "/theirs"}),
        ({}, {}),
    ],
)
def test_a_browser_that_is_started_does_not_get_our_libraries(
    environment: dict[str, str], left: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """G19."""
    monkeypatch.setattr(sys, "platform", "linux")
    untouched = dict(environment)
    program.give_back_library_path(untouched)
    assert untouched == environment, "only the frozen program's bootloader set anything"
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    program.give_back_library_path(environment)
    assert environment == left


@pytest.mark.parametrize("address", ["iconnect:x", "iconnect://--platform=/tmp/evil.toml", "--profile=/tmp/evil"])
def test_nothing_that_stands_behind_a_link_reaches_the_program(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []
    monkeypatch.setattr("desktop.__main__.main", started.append)
    monkeypatch.setattr(sys, "argv", ["iconnect", "--link", address, "--platform", "/tmp/evil.toml"])
    program.main()
    assert started == [["--link", address]]
    assert sys.argv == ["iconnect", "--link", address]


def test_every_state_is_either_open_or_done() -> None:
    """I15: a state that is added must be thought of here."""
    done = {DeliveryState.CONFIRMED.value, DeliveryState.CANCELLED.value}
    assert set(undelivered.OPEN) | done == {state.value for state in DeliveryState}
    assert not set(undelivered.OPEN) & done
    assert set(undelivered.IN_FLIGHT) <= set(undelivered.OPEN)


def answer(**counts: int) -> dict[str, Any]:
    return {"deliveries": {state.value: counts.get(state.value, 0) for state in DeliveryState}}


@pytest.mark.parametrize(
    ("arguments", "told", "status"),
    [
        ([], answer(confirmed=9, cancelled=2), undelivered.NOTHING),
        ([], answer(queued=1), undelivered.SOMETHING),
        ([], answer(rejected=1), undelivered.SOMETHING),
        (["--in-flight"], answer(queued=3, unknown=1), undelivered.NOTHING),
        (["--in-flight"], answer(sending=1), undelivered.SOMETHING),
        ([], {"deliveries": "?"}, undelivered.CANNOT_TELL),
    ],
)
def test_the_packages_learn_whether_anything_is_on_its_way(
    arguments: list[str], told: dict[str, Any], status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I10, I15."""
    monkeypatch.setattr(undelivered, "has_ledger", lambda: True)
    monkeypatch.setattr(undelivered, "ask", lambda: told)
    monkeypatch.setattr(sys, "argv", ["undelivered", *arguments])
    assert undelivered.main() == status


def test_where_there_is_no_ledger_nothing_is_asked_and_none_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """I15."""
    monkeypatch.setenv("ICONNECT_PROFILE", str(tmp_path / "nobody"))
    monkeypatch.setattr(sys, "argv", ["undelivered"])
    assert undelivered.main() == undelivered.NOTHING
    assert not (tmp_path / "nobody").exists()
