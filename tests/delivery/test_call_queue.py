"""What a caller is told who can't have a call now, whichever account is kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from random import Random

import pytest

from desktop.services.delivery.bucket import Bucket
from desktop.services.delivery.budget import Budget
from desktop.services.errors import Wait
from desktop.services.practice.practice_system import Urgency
from tests.delivery.stand_in import Clock

Account = Bucket | Budget


@pytest.fixture(params=[Budget, Bucket])
def account(request: pytest.FixtureRequest) -> Account:
    clock = Clock()
    made: Callable[..., Account] = request.param
    return made(clock=clock, wait=lambda changed, seconds: clock.pass_time(max(seconds, 0.001)), chance=Random(1))


def refused(account: Account, status: int) -> Wait:
    with account.call(Urgency.SEND):
        account.learn(status, {"retry-after": "300", **({"x-rate-limit-problem": "minute"} if status == 429 else {})})
    with pytest.raises(Wait) as caught, account.call(Urgency.SEND):
        pass
    return caught.value


def test_a_system_out_of_service_is_called_that_and_nobodys_calls_are_used_up(account: Account) -> None:
    """D13: a firm that reads of used-up calls would look for who used them."""
    told = refused(account, 503)
    assert "out of service" in str(told)
    assert "used up" not in str(told)
    assert told.after is not None
    assert timedelta(seconds=230) <= told.after <= timedelta(seconds=310)


def test_a_limit_that_was_met_is_called_that(account: Account) -> None:
    assert "used up" in str(refused(account, 429))
