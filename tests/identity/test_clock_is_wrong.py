"""A PC whose clock is wrong, by minutes or by a day: what that costs a sign-in and its tokens."""

from __future__ import annotations

from datetime import timedelta

import pytest

from desktop.services.identity.model import SignInFailed
from tests.identity.identity_rig import XPM, Rig

MINUTES, DAY = timedelta(minutes=4, seconds=50), timedelta(days=1)
"""Vendors tell whole seconds, so a skew of five minutes to the second may count as more."""


def refreshes(rig: Rig) -> int:
    return rig.server.count("/connect/token", "refresh_token")


def skewed(rig: Rig, skew: timedelta) -> None:
    """The vendor keeps the right time; this PC does not."""
    right = rig.clock.wall
    boot = rig.clock.boot
    rig.server.wall = lambda: right.timestamp() + rig.clock.boot - boot
    rig.clock.wall += skew


@pytest.mark.parametrize("skew", [-MINUTES, MINUTES], ids=["minutes behind", "minutes ahead"])
def test_some_minutes_do_not_matter(rig: Rig, skew: timedelta) -> None:
    """A15, A16: signing in works, and a token is renewed once in its time and no more."""
    skewed(rig, skew)
    connection = rig.signed_in().connection(XPM)
    assert connection is not None
    for _ in range(3):
        connection.token()
    assert refreshes(rig) == 0
    rig.clock.pass_(1500)
    for _ in range(3):
        connection.token()
    assert refreshes(rig) == 1


@pytest.mark.parametrize("skew", [-DAY, DAY], ids=["a day behind", "a day ahead"])
def test_a_day_is_named_at_the_sign_in_and_gone_when_the_clock_is_set(rig: Rig, skew: timedelta) -> None:
    """A15: the sentence names the clock; nothing was stored; with the right time it works."""
    skewed(rig, skew)
    with pytest.raises(SignInFailed, match="check the computer's clock"):
        rig.signed_in()
    assert rig.identity().records() == ()
    rig.clock.wall -= skew
    assert rig.signed_in().records()[0].problem == ""


@pytest.mark.parametrize("skew", [-DAY, -MINUTES, MINUTES, DAY])
def test_a_clock_set_while_signed_in_costs_one_renewal_at_most_and_no_sign_in(rig: Rig, skew: timedelta) -> None:
    """A15, A16: put forward or back in the middle of a token's life, twice."""
    connection = rig.signed_in().connection(XPM)
    assert connection is not None
    for change in (skew, -skew):
        rig.clock.wall += change
        before = refreshes(rig)
        for _ in range(5):
            assert connection.token() in rig.server.issued
            rig.clock.pass_(10)
        assert refreshes(rig) - before <= 1
    rig.clock.pass_(1800)
    assert connection.token() in rig.server.issued
    assert rig.identity().records()[0].problem == ""


@pytest.mark.parametrize("skew", [-DAY, DAY])
def test_another_process_with_a_clock_of_its_own_does_not_end_the_sign_in(rig: Rig, skew: timedelta) -> None:
    """A15, A18: what one wrote by its clock, the other reads by its own."""
    rig.signed_in()
    rig.clock.wall += skew
    connection = rig.identity().connection(XPM)
    assert connection is not None
    assert connection.token() in rig.server.issued
    assert rig.identity().records()[0].problem == ""
