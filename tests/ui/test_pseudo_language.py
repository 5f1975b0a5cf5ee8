"""Ready for another language: every word passes the one place, and a longer language is cut nowhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from desktop.ui import language

PROGRAM = Path(__file__).parent / "pseudo_language_program.py"


LAPTOP = {"name": "laptop", "x": 0, "y": 0, "width": 1366, "height": 768, "logicalDpi": 96, "dpr": 1}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    screen = tmp_path_factory.mktemp("screen") / "screen.json"
    screen.write_text(json.dumps({"screens": [LAPTOP]}), encoding="utf-8")
    environment = {**os.environ, "QT_QPA_PLATFORM": f"offscreen:configfile={screen}"}
    done = subprocess.run([sys.executable, str(PROGRAM)], env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    told: dict[str, list[str]] = json.loads(done.stdout)
    return told


def test_every_text_in_sight_has_passed_the_translation(found: dict[str, list[str]]) -> None:
    """What stays, and why: names and numbers are data; a vendor's menus and words are its own; what the ledger recorded of an
    order, and the services' reasons in it, are the record, alike on the screen, in the trail and in every export."""
    assert len(found["seen"]) > 5_000
    assert found["english"] == []


def test_a_language_that_is_longer_by_two_fifths_is_cut_nowhere_on_a_small_laptop(found: dict[str, list[str]]) -> None:
    assert found["cut"] == []


def test_a_translation_may_move_the_places_of_values_and_one_that_spoils_them_is_passed_over() -> None:
    try:
        language.use({"{count:,} matters of {client}": "{client}: {count:,}"}.get)  # type: ignore[arg-type]
        assert language.tr("{count:,} matters of {client}", count=1200, client="Tui") == "Tui: 1,200"
        language.use(lambda text: text.replace("{count", "{many"))
        assert language.tr("{count:,} matters", count=1200) == "1,200 matters"
    finally:
        language.use(None)
    assert language.tr("Say {it}", it="so") == "Say so"


def test_what_a_person_is_called_may_hold_braces() -> None:
    assert language.tr("{name} is closed.", name="{system}") == "{system} is closed."
