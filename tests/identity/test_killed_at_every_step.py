"""A program that dies at any step of signing in, renewing or signing out leaves a whole sign-in or none."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.identity.fake_authorization_server import FakeAuthorizationServer, serving
from tests.identity.identity_rig import XPM, Rig, rig_for
from tests.identity.killed_child import FolderKeyring, Passer, steps_of

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a forked process")


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with serving(FakeAuthorizationServer()) as server:
        made = rig_for(server, tmp_path)
        made.keyring = FolderKeyring(tmp_path / "keyring")
        yield made


def sign_in(rig: Rig) -> None:
    rig.identity().sign_in(XPM, Passer().steps())


def renew(rig: Rig) -> None:
    connection = rig.identity().connection(XPM)
    assert connection is not None
    connection.token()


def sign_out(rig: Rig) -> None:
    rig.identity().disconnect(XPM)


def assert_works(rig: Rig) -> None:
    """The one connection that stands can renew its token, and nothing is the matter with it."""
    identity = rig.identity()
    (record,) = identity.records()
    assert record.problem == ""
    connection = identity.connection(XPM)
    assert connection is not None
    assert connection.token() in rig.server.issued


def test_a_first_sign_in_killed_at_any_step_leaves_a_whole_one_or_none(rig: Rig) -> None:
    """A20, B8, B10: between the browser's code and the store as well; the next sign-in works in any case."""
    whole = 0

    def look(at: int) -> None:
        nonlocal whole
        if rig.identity().records():
            whole += 1
            assert_works(rig)
        sign_in(rig)
        assert_works(rig)
        rig.identity().disconnect(XPM)
        assert rig.identity().records() == ()

    killed = steps_of(rig, sign_in, look)
    print(f"first sign-in: killed at {killed} steps, {whole} times whole")
    assert killed > 15
    assert 0 < whole < killed, "some of the moments are before it is stored and some after"


def test_a_second_sign_in_killed_at_any_step_keeps_the_first_or_replaces_it(rig: Rig) -> None:
    """A20: signing in again is no risk to what stands."""
    sign_in(rig)
    killed = steps_of(rig, sign_in, lambda at: assert_works(rig))
    print(f"second sign-in: killed at {killed} steps")
    assert killed > 15


@pytest.mark.parametrize("minutes", [1, 29])
def test_a_renewal_killed_at_any_step_keeps_the_sign_in(rig: Rig, minutes: int) -> None:
    """A20: at each statement, each look into the keyring and each request, asked and answered."""
    sign_in(rig)

    def look(at: int) -> None:
        rig.clock.pass_(minutes * 60)
        assert_works(rig)

    killed = steps_of(rig, renew, look)
    print(f"renewal: killed at {killed} steps")
    assert killed > 10


def test_a_sign_out_killed_at_any_step_can_be_finished(rig: Rig) -> None:
    """A22: what is half signed out is signed in, ended, or gone; signing out again ends it, and a new sign-in works."""
    sign_in(rig)

    def look(at: int) -> None:
        rig.identity().disconnect(XPM)
        assert rig.identity().records() == ()
        sign_in(rig)
        assert_works(rig)

    killed = steps_of(rig, sign_out, look)
    print(f"sign-out: killed at {killed} steps")
    assert killed > 5
