"""Sign-ins that end by themselves, or that the vendor has ended: always told, never at the cost of what waits."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from desktop.services.errors import SignedOut
from desktop.services.identity.model import ConnectionRecord
from desktop.services.identity.renewal import is_renewal_near, renewal
from tests.identity.identity_rig import Rig
from tests.identity.test_other_vendors import identity_with, smokeball, workflowmax

SINCE = datetime(2026, 6, 1, 20, 0, tzinfo=UTC)


def record(may_lapse: datetime | None) -> ConnectionRecord:
    return ConnectionRecord("smokeball", "firm-1", "Kauri Law", "Kim", SINCE, may_lapse=may_lapse)


def test_smokeballs_sign_in_is_told_to_lapse_thirty_days_after_its_token_was_issued(rig: Rig) -> None:
    """Vendor docs: no rotation, no sliding end; refreshing does not move the day."""
    settings = smokeball(rig)
    identity = identity_with(rig, settings)
    began = rig.clock.now()
    identity.sign_in("smokeball", rig.person.steps())
    for _ in range(3):
        rig.clock.pass_(3 * 24 * 3600)
        connection = identity.connection("smokeball")
        assert connection is not None
        connection.token()
    (known,) = identity_with(rig, settings).records()
    assert known.may_lapse is not None
    assert abs(known.may_lapse - began - timedelta(days=30)) < timedelta(minutes=5)
    assert not is_renewal_near(known, rig.clock.now())
    assert is_renewal_near(known, rig.clock.now() + timedelta(days=7, minutes=6))


def test_a_new_refresh_token_or_a_new_sign_in_moves_the_day(rig: Rig) -> None:
    identity = identity_with(rig, smokeball(rig))
    identity.sign_in("smokeball", rig.person.steps())
    rig.clock.pass_(20 * 24 * 3600)
    rig.server.rotates = True
    connection = identity.connection("smokeball")
    assert connection is not None
    connection.token()
    (known,) = identity.records()
    assert known.may_lapse is not None
    assert known.may_lapse > rig.clock.now() + timedelta(days=29)


def test_a_sign_in_that_use_prolongs_has_no_such_day(rig: Rig) -> None:
    identity = identity_with(rig, workflowmax(rig))
    identity.sign_in("workflowmax", rig.person.steps())
    (known,) = identity.records()
    assert known.may_lapse is None
    assert renewal(known, UTC) == ""
    assert not is_renewal_near(known, rig.clock.now() + timedelta(days=400))


def test_the_day_is_told_in_the_firms_own_calendar_and_two_weeks_ahead() -> None:
    lapse = datetime(2026, 7, 1, 20, 0, tzinfo=UTC)
    assert "from 2 July 2026 on" in renewal(record(lapse), ZoneInfo("Australia/Sydney"))
    assert not is_renewal_near(record(lapse), lapse - timedelta(days=14, seconds=1))
    assert is_renewal_near(record(lapse), lapse - timedelta(days=14))
    assert is_renewal_near(record(lapse), lapse + timedelta(days=3))


def test_a_token_that_was_used_before_is_told_plainly_and_the_connection_stays_with_its_cure(rig: Rig) -> None:
    """A14: WorkflowMax kills the chain when an old token comes again; only a new sign-in helps."""
    settings = workflowmax(rig)
    identity = identity_with(rig, settings)
    identity.sign_in("workflowmax", rig.person.steps())
    # Another copy of the profile renews first.
    for state in rig.server.refreshing.values():
        state.replaced_at = rig.server.clock()
    rig.server.refusal_text = "Refresh token reuse detected"
    rig.clock.pass_(1800)
    connection = identity.connection("workflowmax")
    assert connection is not None
    with pytest.raises(SignedOut, match="had been used before"):
        connection.token()
    (known,) = identity.records()
    assert known.tenant == "org-1"
    assert "Nothing waiting was lost" in known.problem
    assert known.cure == "Connect again."
    asked = rig.server.count("/oauth/token")
    with pytest.raises(SignedOut):
        connection.token()
    assert rig.server.count("/oauth/token") == asked
    rig.server.refusal_text = ""
    identity.sign_in("workflowmax", rig.person.steps())
    assert connection.token() in rig.server.issued
    assert identity.records()[0].problem == ""


def _crash_at(identity: Any, line: int, watched: set[str], report: int) -> None:
    """In a process of its own: dies without any goodbye at the line-th line run in the watched files; says over `report`
    when it has had a token to use before that."""
    left = [line]

    def tracer(frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_filename not in watched:
            return None
        if event == "line":
            left[0] -= 1
            if left[0] == 0:
                os._exit(9)
        return tracer

    connection = identity.connection("workflowmax")
    sys.settrace(tracer)
    connection.token()
    sys.settrace(None)
    os.write(report, b"used")
    os._exit(0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a forked process")
def test_a_workflowmax_token_is_on_the_disk_before_it_is_used(rig: Rig) -> None:
    """A20: the old token is dead at once, so whoever has used the new one must find it again after a crash; whoever died
    before that is either still signed in or told to sign in again."""
    import desktop.services.identity as room

    settings = workflowmax(rig)
    folder = Path(room.__file__).parent
    watched = {str(folder / name) for name in ("grants.py", "tokens.py", "store.py", "sealing.py")}
    step, finished, outcomes = 0, False, {"kept": 0, "told": 0}
    identity_with(rig, settings).sign_in("workflowmax", rig.person.steps())
    while not finished:
        step += 7
        rig.clock.pass_(1800)
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                _crash_at(identity_with(rig, settings), step, watched, writing)
            finally:
                os._exit(7)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        os.close(writing)
        used = os.read(reading, 10) == b"used"
        os.close(reading)
        assert status in (0, 9), status
        finished = status == 0
        again = identity_with(rig, settings)
        connection = again.connection("workflowmax")
        assert connection is not None
        try:
            assert connection.token() in rig.server.issued, step
            outcomes["kept"] += 1
        except SignedOut:
            assert not used, step
            outcomes["told"] += 1
            assert again.records()[0].cure == "Connect again."
            again.sign_in("workflowmax", rig.person.steps())
        assert finished or not used
    assert outcomes["kept"] > outcomes["told"]
