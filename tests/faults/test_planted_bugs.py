"""The list of planted bugs fits the code as it is; whether each is noticed is asked by plant.py, which takes minutes."""

from __future__ import annotations

from tests.faults.plant import planned, problems


def test_every_planted_bug_can_be_planted() -> None:
    bugs = planned()
    assert problems(bugs) == []
    assert len({bug.name for bug in bugs}) == len(bugs) >= 70
    assert all(bug.before != bug.after and bug.tests for bug in bugs)
