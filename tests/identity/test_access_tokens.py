"""Access tokens in time: one refresh for all, whatever the clock, the network or a crash does."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Any

import apsw
import pytest

from desktop.services.errors import NotNow, NotSent, ServiceError, SignedOut
from desktop.services.identity import grants
from desktop.services.identity.store import IdentityStore
from desktop.services.identity.tokens import Connection
from desktop.services.identity.wallet import Identity
from tests.identity.identity_rig import XPM, Rig


def connection_of(identity: Identity) -> Connection:
    connection = identity.connection(XPM)
    assert connection is not None
    return connection


def refreshes(rig: Rig) -> int:
    return rig.server.count("/connect/token", "refresh_token")


def problem(rig: Rig) -> str:
    (record,) = rig.identity().records()
    return record.problem


# when


def test_a_token_is_renewed_at_eighty_per_cent_of_its_life(rig: Rig) -> None:
    """A16."""
    connection = connection_of(rig.signed_in())
    first = connection.token()
    rig.clock.pass_(1800 * 0.79)
    assert connection.token() == first
    rig.clock.pass_(1800 * 0.02)
    second = connection.token()
    assert second != first
    assert connection.token() == second
    assert refreshes(rig) == 1


@pytest.mark.parametrize(
    ("boot", "wall", "expected"),
    [
        pytest.param(8 * 3600, 8 * 3600, 1, id="asleep for eight hours"),
        pytest.param(8 * 3600, -3600, 1, id="asleep, and the clock put back an hour"),
        pytest.param(0, 86_400, 1, id="the clock put forward a day"),
        pytest.param(10, -3600, 0, id="the clock put back an hour"),
    ],
)
def test_sleep_and_clock_changes_cost_one_refresh_at_most(rig: Rig, boot: float, wall: float, expected: int) -> None:
    """A16: exactly one refresh and no loop."""
    connection = connection_of(rig.signed_in())
    connection.token()
    rig.clock.boot += boot
    rig.clock.wall += timedelta(seconds=wall)
    for _ in range(5):
        connection.token()
    assert refreshes(rig) == expected


@pytest.mark.parametrize("expires_in", [None, "1800", "soon", -5, 0, 10**30, float("1e400"), [], True])
def test_an_odd_lifetime_neither_loops_nor_breaks(rig: Rig, expires_in: Any) -> None:
    rig.server.expires_in = expires_in
    connection = connection_of(rig.signed_in())
    assert connection.token() == connection.token()
    assert refreshes(rig) == 0


def test_a_rejected_token_is_replaced_once_for_everybody(rig: Rig) -> None:
    """A16, A17: the first 401 refreshes; those who were rejected with the same token get the new one."""
    connection = connection_of(rig.signed_in())
    stale = connection.token()
    fresh = connection.rejected(stale)
    assert fresh != stale
    assert connection.rejected(stale) == fresh
    assert connection.token() == fresh
    assert refreshes(rig) == 1


def test_an_api_that_rejects_everything_does_not_cause_a_storm_of_refreshes(rig: Rig) -> None:
    connection = connection_of(rig.signed_in())
    fresh = connection.rejected(connection.token())
    for _ in range(10):
        with pytest.raises(SignedOut):
            connection.rejected(fresh)
    assert refreshes(rig) == 1
    assert problem(rig) == ""
    rig.clock.pass_(60)
    assert connection.rejected(fresh) != fresh


def test_a_clock_ten_days_off_does_not_decide_what_the_api_is_asked(rig: Rig) -> None:
    """A15: the token is used whatever the wall clock says of it."""
    connection = connection_of(rig.signed_in())
    rig.clock.wall -= timedelta(days=10)
    assert connection.token() in rig.server.issued
    assert refreshes(rig) == 0


# once


def race(count: int, call: Callable[[], str]) -> tuple[list[str], list[ServiceError]]:
    barrier = threading.Barrier(count)
    good: list[str] = []
    bad: list[ServiceError] = []

    def run() -> None:
        barrier.wait()
        try:
            good.append(call())
        except ServiceError as error:
            bad.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return good, bad


def test_two_hundred_threads_cause_one_refresh(rig: Rig) -> None:
    """A17: all get the new token."""
    connection = connection_of(rig.signed_in())
    rig.clock.pass_(1800)
    good, bad = race(200, connection.token)
    assert (len(good), len(set(good)), bad) == (200, 1, [])
    assert refreshes(rig) == 1


def test_a_failing_refresh_lets_all_two_hundred_go(rig: Rig) -> None:
    """A17: a failure is shared as well, and the next call may try."""
    connection = connection_of(rig.signed_in())
    rig.clock.pass_(1800)
    rig.server.fault = lambda path, _: (500, b"") if path == "/connect/token" else None
    good, bad = race(200, connection.token)
    assert (good, len(bad)) == ([], 200)
    assert {type(error) for error in bad} == {NotSent}
    assert refreshes(rig) == 1
    rig.server.fault = lambda path, form: None
    rig.clock.pass_(2)
    assert connection.token() in rig.server.issued


def _worker(rig: Rig, rounds: int, results: Any) -> None:
    connection = connection_of(rig.identity())
    told = []
    for _ in range(rounds):
        try:
            connection.token()
            told.append("ok")
        except ServiceError as error:
            told.append(type(error).__name__)
        rig.clock.pass_(1500)
    results.put(told)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="starts its processes by fork")
def test_eight_processes_never_see_invalid_grant(rig: Rig) -> None:
    """A18, B8: one lock for the credential; each process re-reads the store inside it. The server gives no grace here, so a
    single stale refresh token would be seen."""
    rig.signed_in()
    rig.server.clock = Graceless()
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    workers = [context.Process(target=_worker, args=(rig, 12, results)) for _ in range(8)]
    for worker in workers:
        worker.start()
    told = [results.get(timeout=120) for _ in workers]
    for worker in workers:
        worker.join(30)
    assert told == [["ok"] * 12] * 8
    assert refreshes(rig) == 8 * 12
    assert problem(rig) == ""


class Graceless:
    """A server's clock that jumps past the grace at every look."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 10_000.0
        return self.now


def test_eighty_threads_with_connections_of_their_own_leave_the_store_readable(rig: Rig) -> None:
    """B8: as many processes would, each with its own objects on one file: eighty rotations, one after the other."""
    rig.signed_in()
    rig.server.clock = Graceless()
    connections = [connection_of(rig.identity()) for _ in range(80)]
    each = iter(connections)
    lock = threading.Lock()

    def one() -> str:
        with lock:
            connection = next(each)
        return connection.token()

    good, bad = race(80, one)
    assert (len(good), bad) == (80, [])
    assert connection_of(rig.identity()).token() in rig.server.issued


# invalid_grant


def test_a_sibling_that_rotated_meanwhile_is_followed(rig: Rig) -> None:
    """A19: between our read and our request somebody without our lock rotated: its token is adopted, nothing deleted."""
    rig.signed_in()
    sibling = connection_of(rig.identity())
    ours = connection_of(rig.identity())
    rig.server.clock = Graceless()
    once = [True]

    def rotate_first(path: str, form: dict[str, str]) -> tuple[int, bytes] | None:
        if path == "/connect/token" and once:
            once.clear()
            with_lock = grants.credential_lock
            grants.credential_lock = lambda *_, **__: without_lock()
            try:
                sibling.token()
            finally:
                grants.credential_lock = with_lock
        return None

    rig.server.fault = rotate_first
    assert ours.token() in rig.server.issued
    assert problem(rig) == ""


def without_lock() -> Any:
    import contextlib

    return contextlib.nullcontext()


def test_a_revoked_grant_asks_for_a_person_once_and_deletes_nothing(rig: Rig) -> None:
    """A19: state «attention», the row and the key stay, and the endpoint is left alone from then on."""
    identity = rig.signed_in()
    connection = connection_of(identity)
    rig.server.revoked |= {known.family for known in rig.server.refreshing.values()}
    rig.clock.pass_(1800)
    for _ in range(5):
        with pytest.raises(SignedOut, match="has ended the sign-in"):
            connection.token()
    assert refreshes(rig) == 1
    (record,) = rig.identity().records()
    assert record.problem
    assert record.cure == "Connect again."
    assert record.tenant_name == "Kowhai & Rata Accountants"
    identity.clear_problem(XPM)
    assert problem(rig)
    identity.sign_in(XPM, rig.person.steps())
    assert problem(rig) == ""
    assert connection.token() in rig.server.issued


# crashes and the disk


def _crash_at(rig: Rig, line: int, watched: set[str]) -> None:
    """In a process of its own: dies without any goodbye at the line-th line run in the watched files."""
    left = [line]

    def tracer(frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_filename not in watched:
            return None
        if event == "line":
            left[0] -= 1
            if left[0] == 0:
                os._exit(9)
        return tracer

    connection = connection_of(rig.identity())
    sys.settrace(tracer)
    connection.token()
    sys.settrace(None)
    os._exit(0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a forked process")
@pytest.mark.parametrize("minutes", [1, 29])
def test_a_crash_at_any_line_of_a_refresh_keeps_the_sign_in(rig: Rig, minutes: int) -> None:
    """A20: the process dies at step k, for every k; within the vendor's half hour the next start is still signed in."""
    import desktop.services.identity as room

    folder = Path(room.__file__).parent
    watched = {str(folder / name) for name in ("grants.py", "tokens.py", "store.py", "sealing.py")}
    rig.signed_in()
    step, finished = 0, False
    stride = 1 if minutes == 29 else 3
    while not finished:
        step += stride
        child = os.fork()
        if child == 0:
            try:
                _crash_at(rig, step, watched)
            finally:
                os._exit(7)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert status in (0, 9), status
        finished = status == 0
        rig.clock.pass_(minutes * 60)
        assert connection_of(rig.identity()).token() in rig.server.issued, step
    assert step > 60
    assert problem(rig) == ""


def test_past_the_half_hour_only_a_new_sign_in_helps_and_nothing_is_lost(rig: Rig) -> None:
    """A20: the answer was lost and we came back at minute 31."""
    rig.signed_in()
    lost = connection_of(rig.identity())
    known = next(token for token, state in rig.server.refreshing.items() if state.replaced_at is None)
    rig.server.refreshing[known].replaced_at = rig.server.clock()
    rig.clock.pass_(31 * 60)
    with pytest.raises(SignedOut):
        lost.token()
    (record,) = rig.identity().records()
    assert record.tenant == "c3b2a190-0000-4000-8000-0000000feed1"
    rig.identity().sign_in(XPM, rig.person.steps())
    assert lost.token() in rig.server.issued


def test_a_lost_answer_is_asked_for_again_with_the_old_token(rig: Rig) -> None:
    """A20, A21: the server rotated, the answer never came; inside the grace the old token still works."""
    connection = connection_of(rig.signed_in())
    rig.clock.pass_(1800)
    cut = [True]

    def cut_once(path: str, form: dict[str, str]) -> tuple[int, bytes] | None:
        if path == "/connect/token" and cut:
            cut.clear()
            rig.server.token(form, {})
            return (0, b"")
        return None

    rig.server.fault = cut_once
    with pytest.raises(NotSent):
        connection.token()
    rig.clock.pass_(29 * 60)
    assert connection.token() in rig.server.issued


def test_the_previous_token_is_kept_until_the_new_one_has_worked(rig: Rig) -> None:
    """A20: the vendor forgot the rotation that it had confirmed; the token before it is still there to try."""
    connection = connection_of(rig.signed_in())
    rig.clock.pass_(1800)
    connection.token()
    newest = [token for token, state in rig.server.refreshing.items() if state.replaced_at is None]
    for token in newest:
        del rig.server.refreshing[token]
    for state in rig.server.refreshing.values():
        state.replaced_at = None
    rig.clock.pass_(1500)
    assert connection.token() in rig.server.issued
    assert problem(rig) == ""


def test_a_full_disk_gives_no_token_away_and_loses_none(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """A20: a rotation that can't be stored is not used; it is stored first thing when the disk allows."""
    connection = connection_of(rig.signed_in())
    rig.clock.pass_(1800)
    rig.server.clock = Graceless()
    real = IdentityStore.rotate

    def full(*_: Any) -> bool:
        raise NotNow("The disk is full, so identity.db could not be written. Free some space and try again.")

    monkeypatch.setattr(IdentityStore, "rotate", full)
    with pytest.raises(NotNow, match="disk is full"):
        connection.token()
    monkeypatch.setattr(IdentityStore, "rotate", real)
    assert connection.token() in rig.server.issued
    assert problem(rig) == ""


# the network


@pytest.mark.parametrize(
    "answer",
    [
        (500, b""),
        (503, b""),
        (429, b""),
        (0, b""),
        (200, b"<html>a wifi's own page"),
        (302, b""),
        (403, b"<html>"),
        (200, b"{}"),
        (404, b""),
        (400, b'{"error":"temporarily_unavailable"}'),
    ],
)
def test_trouble_on_the_way_is_not_a_sign_out(rig: Rig, answer: tuple[int, bytes]) -> None:
    """A21: signed in, offline; the endpoint is not hammered; and it goes on by itself."""
    connection = connection_of(rig.signed_in())
    rig.clock.pass_(1800)
    rig.server.fault = lambda path, _: answer if path == "/connect/token" else None
    for _ in range(10):
        with pytest.raises(NotSent):
            connection.token()
    assert refreshes(rig) == 1
    assert connection.offline
    assert problem(rig) == ""
    rig.clock.pass_(1.5)
    with pytest.raises(NotSent):
        connection.token()
    assert refreshes(rig) == 2
    rig.server.fault = lambda path, form: None
    rig.clock.pass_(31)
    assert connection.token() in rig.server.issued
    assert not connection.offline


def test_a_server_that_is_down_is_not_a_sign_out(rig: Rig) -> None:
    """A21."""
    connection = connection_of(rig.signed_in())
    rig.clock.pass_(1800)
    good = rig.settings().xero.token_url
    rig.xero = {"token_url": f"http://127.0.0.1:{rig.ports[4]}/connect/token"}
    with pytest.raises(NotSent):
        connection.token()
    assert problem(rig) == ""
    rig.xero = {"token_url": good}
    rig.clock.pass_(60)
    assert connection.token() in rig.server.issued


def test_while_the_old_token_still_counts_trouble_is_not_even_noticed(rig: Rig) -> None:
    """A21: between 80 and 98 per cent of its life the token in hand is still good."""
    connection = connection_of(rig.signed_in())
    first = connection.token()
    rig.clock.pass_(1800 * 0.9)
    rig.server.fault = lambda path, _: (500, b"") if path == "/connect/token" else None
    assert connection.token() == first
    assert connection.offline


def test_a_server_that_does_not_know_the_app_is_a_matter_for_it_and_passes(rig: Rig) -> None:
    connection = connection_of(rig.signed_in())
    rig.clock.pass_(1800)
    rig.server.client_secret = "now wanted"
    with pytest.raises(NotNow, match="does not accept this app"):
        connection.token()
    assert "does not accept this app" in problem(rig)
    with pytest.raises(NotNow):
        connection.token()
    assert refreshes(rig) == 1
    rig.server.client_secret = ""
    rig.clock.pass_(2)
    assert connection.token() in rig.server.issued
    assert problem(rig) == ""


def test_a_server_that_does_not_rotate_keeps_its_refresh_token(rig: Rig) -> None:
    identity = rig.signed_in()
    rig.server.rotates = False
    connection = connection_of(identity)
    for _ in range(3):
        rig.clock.pass_(1800)
        connection.token()
    row = IdentityStore(rig.profile / "identity.db").row(XPM)
    assert row is not None
    assert row.generation == 1


# problems that others find


def test_a_missing_right_is_noted_survives_a_refresh_and_can_be_cleared(rig: Rig) -> None:
    identity = rig.signed_in()
    identity.mark_problem(XPM, "No access to staff.", "Ask an administrator.")
    rig.clock.pass_(1800)
    connection_of(identity).token()
    (record,) = rig.identity().records()
    assert (record.problem, record.cure) == ("No access to staff.", "Ask an administrator.")
    identity.clear_problem(XPM)
    assert problem(rig) == ""


def test_status_needs_no_keyring(rig: Rig) -> None:
    rig.signed_in()

    def gone() -> Any:
        raise AssertionError("asked the keyring")

    (record,) = rig.identity(keyring_backend=gone).records()
    assert record.tenant_name == "Kowhai & Rata Accountants"


def test_the_store_is_private_and_synced_in_full(rig: Rig) -> None:
    """B8: private to the user, full sync, rollback journal."""
    rig.signed_in()
    file = rig.profile / "identity.db"
    assert file.stat().st_mode & 0o777 == 0o600
    store = IdentityStore(file)
    with store._open() as db:
        assert db.pragma("synchronous") == 3
        assert db.pragma("journal_mode") == "truncate"
        assert db.pragma("integrity_check") == "ok"


def test_a_newer_store_is_refused_and_a_damaged_one_is_named(rig: Rig) -> None:
    rig.signed_in()
    file = rig.profile / "identity.db"
    db = apsw.Connection(str(file))
    db.pragma("user_version", 99)
    db.close()
    with pytest.raises(NotNow, match="newer version"):
        rig.identity().records()
    file.write_bytes(b"not a database at all" * 100)
    with pytest.raises(NotNow, match="damaged"):
        rig.identity().records()
