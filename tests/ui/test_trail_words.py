"""The audit trail in plain words: every kind of step that the ledger can write, and every move of a cost or a document."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import desktop
from desktop.services.books import TrailStep
from desktop.services.infotrack.model import Source
from desktop.services.ledger.model import DeliveryState
from desktop.services.ledger.purged import PURGED
from desktop.services.ledger.transitions import LEGAL
from desktop.ui.trail_words import KINDS, MOVED, PLANNED, by_words, machine_words, step_sentence, why_words
from tests.ui.fake_desk import NOW

SERVICES = Path(desktop.__file__).parent / "services"
NAMES = {"PURGED": PURGED}
# Which argument of a call holds the kind of step.
WRITERS = {"write_step": 2, "_note": 0, "note": 0}


def step(what: str, before: str = "", after: str = "", *, key: str = "", reason: str = "", by: str = "courier") -> TrailStep:
    return TrailStep(7, NOW, "71000008", key, what, before, after, reason, by, "ab" * 32)


def texts(node: ast.expr) -> set[str]:
    if isinstance(node, ast.IfExp):
        return texts(node.body) | texts(node.orelse)
    if isinstance(node, ast.Name):
        return {NAMES[node.id]} if node.id in NAMES else set()
    return {node.value} if isinstance(node, ast.Constant) and isinstance(node.value, str) else set()


def written_kinds() -> set[str]:
    """From the ledger's own source: what its calls and its database's triggers write."""
    found = set(
        re.findall(r"NEW\.key, '(\w+)', (?:''|OLD\.state), NEW\.state", (SERVICES / "ledger" / "schema.sql").read_text("utf-8"))
    )
    for file in [SERVICES / "office.py", *sorted((SERVICES / "ledger").glob("*.py"))]:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                place = WRITERS.get(name)
                if place is not None and len(node.args) > place:
                    found |= texts(node.args[place])
    return found


def test_every_kind_that_the_ledger_writes_has_words() -> None:
    """And no words are kept for a kind that nobody writes."""
    assert written_kinds() == set(KINDS) | {PLANNED, MOVED}


@pytest.mark.parametrize("what", KINDS)
def test_a_kind_reads_as_a_sentence(what: str) -> None:
    said = step_sentence(step(what))
    assert said != what
    assert said[0].isupper()
    assert len(said.split()) > 2
    assert machine_words(step(what)) == what


MOVES = [("", after) for after in LEGAL] + [(before, after) for before, afters in LEGAL.items() for after in sorted(afters)]


@pytest.mark.parametrize(("before", "after"), MOVES)
def test_every_move_of_a_cost_and_a_document_reads_in_plain_words(before: str, after: str) -> None:
    """Nothing but what was read back is said to be in the books."""
    what = MOVED if before else PLANNED
    cost = step_sentence(step(what, before, after, key="IT-71000008-T-1"))
    assert cost.startswith("Cost: ")
    assert step_sentence(step(what, before, after, key="IT-71000008-D-1")) == cost.replace("Cost", "Document", 1)
    machine = {"→", "queued", "unknown", "held", "moved", "planned", "accepted"}
    assert not machine & set(re.findall(r"\w+|→", cost))
    assert (cost == "Cost: seen in the books") == (after == DeliveryState.CONFIRMED)
    assert machine_words(step(what, before, after)) == (f"moved: {before} → {after}" if before else f"planned: {after}")


def test_what_another_release_wrote_is_shown_as_it_stands() -> None:
    assert step_sentence(step("teleported")) == "teleported"
    assert step_sentence(step("moved", "queued", "beamed")) == "moved: queued → beamed"


def test_why_and_by_whom_are_told_as_people_say_it() -> None:
    assert why_words(step("matched", reason="J000101")) == "matter J000101"
    assert why_words(step("signed in", reason="xero-practice-manager")) == "Xero Practice Manager"
    assert why_words(step("signed out", reason="infotrack")) == "InfoTrack"
    assert why_words(step("moved", "queued", "held", reason="Review.")) == "Review."
    assert [by_words(source) for source in Source] == ["the drop folder", "the firm's feed", "an imported file", "a typed result"]
    assert (by_words("person"), by_words("plan"), by_words("")) == ("a person", "iConnect", "iConnect")
