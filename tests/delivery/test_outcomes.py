from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.services.delivery import outcomes
from desktop.services.delivery.outcomes import Outcome, delay, of_send, pause
from desktop.services.errors import (
    AccessMissing,
    AnswerLost,
    BadAnswer,
    NotNow,
    NotSent,
    Refused,
    ServiceError,
    SignedOut,
    Wait,
)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (None, Outcome.DONE),
        (NotSent("x"), Outcome.NOT_SENT),
        (AnswerLost("x"), Outcome.UNKNOWN),
        (BadAnswer("x"), Outcome.UNKNOWN),
        (Refused("x"), Outcome.REFUSED),
        (Wait("x", after=None, limit="minute"), Outcome.WAIT),
        (SignedOut("x"), Outcome.SIGNED_OUT),
        (AccessMissing("x", cure="y"), Outcome.NO_ACCESS),
        (NotNow("x"), Outcome.NOT_NOW),
        (ServiceError("x"), Outcome.UNKNOWN),
        (ValueError("x"), Outcome.UNKNOWN),
        (TimeoutError("x"), Outcome.UNKNOWN),
    ],
)
def test_only_proof_counts_as_not_done(error: BaseException | None, expected: Outcome) -> None:
    """D3: an error that nobody foresaw is unknown, never not sent."""
    assert of_send(error) is expected


def test_limits_and_lapsed_sign_ins_cost_no_attempt() -> None:
    assert {one for one in Outcome if not one.costs_an_attempt} == {
        Outcome.WAIT,
        Outcome.SIGNED_OUT,
        Outcome.NO_ACCESS,
        Outcome.NOT_NOW,
    }


@given(tries=st.integers(-5, 100_000), seed=st.integers())
def test_back_off_has_full_jitter_under_a_doubling_ceiling_of_a_quarter_of_an_hour(tries: int, seed: int) -> None:
    """D13."""
    found = delay(tries, Random(seed))
    assert outcomes.SHORTEST_DELAY <= found <= timedelta(minutes=15)
    if 1 <= tries < 8:
        assert found <= timedelta(seconds=4 * 2 ** (tries - 1))


def test_two_pcs_that_fail_together_do_not_come_back_together() -> None:
    assert len({delay(8, Random(seed)) for seed in range(100)}) == 100


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (timedelta(seconds=22), timedelta(seconds=22)),
        (timedelta(seconds=67_000), timedelta(seconds=67_000)),
        (timedelta(days=3650), timedelta(hours=24)),
        (timedelta(seconds=-9), timedelta(seconds=1)),
        (timedelta(0), timedelta(seconds=1)),
    ],
)
def test_a_promised_time_is_obeyed_within_reason(after: timedelta, expected: timedelta) -> None:
    """D13: an absurd Retry-After is capped."""
    assert pause(Wait("x", after=after, limit="day"), 1, Random(1)) == expected


@pytest.mark.parametrize(("limit", "most"), [("concurrent", 5), ("day", 3600), ("appminute", 4), ("who knows", 4)])
def test_a_limit_without_a_promise_backs_off_by_itself(limit: str, most: int) -> None:
    assert timedelta(seconds=1) <= pause(Wait("x", after=None, limit=limit), 1, Random(1)) <= timedelta(seconds=most)
