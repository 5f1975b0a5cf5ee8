"""Twenty desks of one firm on one shared limit, to the end of their work."""

from __future__ import annotations

import statistics

import pytest

from benchmarks.many_desks import Run, simulate


def refusals(run: Run) -> float:
    return run.refusals / run.calls


@pytest.mark.parametrize("together", [True, False])
def test_twenty_desks_finish_together_and_are_hardly_ever_refused(together: bool) -> None:
    """D14: also where all are switched on in the same instant."""
    run = simulate(20, 120, seed=5, together=together)
    assert refusals(run) < 0.01
    assert max(run.finished) < 2 * statistics.median(run.finished)
    assert run.calls < 4.5 * 20 * 120


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1, 9))
@pytest.mark.parametrize("together", [True, False])
def test_five_hundred_each_take_days_and_nobody_starves(seed: int, together: bool) -> None:
    """D14, D15: ten thousand deliveries at five thousand calls a day; a person's click does not wait."""
    run = simulate(20, 500, seed=seed, together=together)
    assert refusals(run) < 0.005
    assert max(run.finished) < 1.5 * statistics.median(run.finished)
    clicks = sorted(run.clicks)
    assert clicks[int(0.95 * len(clicks))] < 2.0


def test_a_desk_alone_meets_no_limit_and_needs_three_calls_an_item() -> None:
    """D14: what is done for twenty costs one desk nothing."""
    run = simulate(1, 500, seed=3)
    assert run.refusals == 0
    assert run.calls < 3.2 * 500
    assert run.calls / (run.finished[0] / 60) > 0.85 * 60
