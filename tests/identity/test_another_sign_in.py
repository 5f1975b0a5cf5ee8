"""Somebody signs in again, or somebody else does, with or without a keyring: from then on that sign-in is the one that counts, also
for whoever has held the connection since before. Costs are never posted as the person before."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from keyring.errors import KeyringLocked

from desktop.services.errors import NotSent, SignedOut
from desktop.services.http import Http
from desktop.services.identity.model import ConnectionRecord, TokenSet
from desktop.services.identity.wallet import Identity
from desktop.services.practice_links import PracticeLinks
from tests.identity.identity_rig import XPM, MemoryKeyring, Rig

BEA = {"name": "Bea Quill", "xero_userid": "22222222-2222-4333-8444-555555555555"}


def lock(rig: Rig) -> None:
    def locked() -> None:
        raise KeyringLocked

    assert isinstance(rig.keyring, MemoryKeyring)
    rig.keyring.fail = {"get": locked, "set": locked}


def unlock(rig: Rig) -> None:
    assert isinstance(rig.keyring, MemoryKeyring)
    rig.keyring.fail = {}


def families(rig: Rig) -> set[str]:
    return {each.family for each in rig.server.refreshing.values()}


def signed_in_again(rig: Rig, identity: Identity, *, keyring: bool, **claims: Any) -> ConnectionRecord:
    (unlock if keyring else lock)(rig)
    rig.server.claims = claims
    return identity.sign_in(XPM, rig.person.steps())


def begun(rig: Rig, *, keyring: bool) -> Identity:
    if not keyring:
        lock(rig)
    return rig.signed_in()


def as_the_courier_has_it(rig: Rig, identity: Identity) -> Callable[[], str]:
    """The token as the adapter gets it that the courier has held since before."""
    links = PracticeLinks(rig.settings, Http(), identity, remember=lambda *_: None, recall=lambda _: None, changed=lambda: None)

    def token() -> str:
        practice: Any = links.of(XPM)
        held: Any = practice._inner._calls._tokens
        assert id(identity.connection(XPM)) == id(held)
        return str(held.token())

    token()
    return token


@pytest.mark.parametrize("later", [True, False], ids=["then a keyring", "then no keyring"])
@pytest.mark.parametrize("first", [True, False], ids=["a keyring", "no keyring"])
def test_another_persons_sign_in_takes_over_everywhere(rig: Rig, first: bool, later: bool) -> None:
    """A23, B5: at once and for every renewal to come."""
    identity = begun(rig, keyring=first)
    token = as_the_courier_has_it(rig, identity)
    before, old = families(rig), token()
    record = signed_in_again(rig, identity, keyring=later, **BEA)
    unlock(rig)
    assert (record.user, record.session_only) == ("Bea Quill", not later)
    assert identity.records()[0].user == "Bea Quill"
    assert token() != old
    for _ in range(3):
        rig.clock.pass_(1750)
        asked = len(rig.server.forms("/connect/token"))
        assert token() in rig.server.issued
        used = rig.server.forms("/connect/token")[asked:]
        assert used
        assert all(rig.server.refreshing[form["refresh_token"]].family not in before for form in used)


@pytest.mark.parametrize("later", [True, False], ids=["then a keyring", "then no keyring"])
@pytest.mark.parametrize("first", [True, False], ids=["a keyring", "no keyring"])
@pytest.mark.parametrize("how", ["revoked", "disconnected"])
def test_who_signs_in_again_goes_on_without_a_new_start(rig: Rig, first: bool, later: bool, how: str) -> None:
    """A19, B5."""
    identity = begun(rig, keyring=first)
    token = as_the_courier_has_it(rig, identity)
    if how == "revoked":
        rig.server.revoked |= families(rig)
        rig.clock.pass_(1800)
        with pytest.raises(SignedOut):
            token()
    else:
        identity.disconnect(XPM)
    signed_in_again(rig, identity, keyring=later)
    assert token() in rig.server.issued
    rig.clock.pass_(1750)
    assert token() in rig.server.issued


def test_disconnecting_ends_both_the_sessions_access_and_the_stored_one_beneath(rig: Rig) -> None:
    """A22."""
    identity = begun(rig, keyring=True)
    signed_in_again(rig, identity, keyring=False, **BEA)
    unlock(rig)
    assert len(families(rig)) == 2
    assert "access was revoked there" in identity.disconnect(XPM)
    assert rig.server.revoked == families(rig)


def test_one_access_that_can_not_be_ended_keeps_no_other_and_is_told(rig: Rig) -> None:
    """A22: the stored one can't be opened while the keyring is locked."""
    identity = begun(rig, keyring=True)
    stored = families(rig)
    signed_in_again(rig, identity, keyring=False, **BEA)
    rig.keyring.calls.clear()  # type: ignore[attr-defined]  # a MemoryKeyring
    identity._keys.reread()
    sentence = identity.disconnect(XPM)
    assert "could not be revoked there" in sentence
    assert rig.server.revoked == families(rig) - stored
    assert not rig.identity().records()


def test_a_sign_in_that_another_process_stores_counts_from_then_on(rig: Rig) -> None:
    """A23: IT signs in with the command while the tray goes on without a keyring."""
    tray = begun(rig, keyring=False)
    token = as_the_courier_has_it(rig, tray)
    before = families(rig)
    signed_in_again(rig, rig.identity(), keyring=True, **BEA)
    assert tray.records()[0].user == "Bea Quill"
    assert tray.notices() == ()
    rig.clock.pass_(1750)
    asked = len(rig.server.forms("/connect/token"))
    assert token() in rig.server.issued
    used = rig.server.forms("/connect/token")[asked:]
    assert all(rig.server.refreshing[form["refresh_token"]].family not in before for form in used)


def test_a_renewal_of_the_stored_sign_in_beneath_changes_nothing(rig: Rig) -> None:
    identity = begun(rig, keyring=True)
    signed_in_again(rig, identity, keyring=False, **BEA)
    unlock(rig)
    other = rig.identity().connection(XPM)
    assert other is not None
    rig.clock.pass_(1750)
    assert other.token() in rig.server.issued
    assert identity.records()[0].user == "Bea Quill"


@pytest.mark.parametrize("later", [True, False], ids=["then a keyring", "then no keyring"])
@pytest.mark.parametrize("ending", ["it is renewed", "it is lost", "it has ended"])
def test_a_renewal_that_is_under_way_when_another_signs_in_counts_no_more(rig: Rig, later: bool, ending: str) -> None:
    """A17, A23: neither its token nor its failure."""
    identity = begun(rig, keyring=False)
    connection = identity.connection(XPM)
    assert connection is not None
    before = connection.token()
    rig.clock.pass_(1750)
    arrived, go_on = threading.Event(), threading.Event()
    answers = {"it is renewed": None, "it is lost": (503, b""), "it has ended": (400, b'{"error":"invalid_grant"}')}

    def slow(path: str, form: dict[str, str]) -> tuple[int, bytes] | None:
        if path == "/connect/token" and form.get("grant_type") == "refresh_token" and not arrived.is_set():
            arrived.set()
            assert go_on.wait(10)
            return answers[ending]
        return None

    rig.server.fault = slow
    told: list[str | Exception] = []

    def ask() -> None:
        try:
            told.append(connection.token())
        except (SignedOut, NotSent) as error:
            told.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    assert arrived.wait(10)
    signed_in_again(rig, identity, keyring=later, **BEA)
    refused = connection.token()
    # Nor does whoever needs a newer one wait for it.
    renewing = threading.Thread(target=lambda: connection.rejected(refused))
    renewing.start()
    renewing.join(10)
    beas = connection.token() if not renewing.is_alive() else refused
    go_on.set()
    asking.join(10)
    renewing.join(10)
    assert beas != refused
    assert told == [beas]
    assert connection.token() == beas != before
    assert not connection.offline
    assert identity.records()[0].problem == ""


def test_a_renewal_that_ends_just_before_another_signs_in_leaves_no_token_of_theirs(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A23: between the answer and its being kept."""
    identity = begun(rig, keyring=True)
    connection = identity.connection(XPM)
    assert connection is not None
    renew = connection.grant.renew
    theirs: list[str] = []

    def renewed_and_then() -> TokenSet:
        tokens = renew()
        theirs.append(tokens.access_token)
        monkeypatch.undo()
        signed_in_again(rig, identity, keyring=True, **BEA)
        return tokens

    monkeypatch.setattr(connection.grant, "renew", renewed_and_then)
    rig.clock.pass_(1750)
    connection.token()
    assert connection.token() not in theirs


def test_what_was_refused_before_does_not_count_against_a_new_sign_in(rig: Rig) -> None:
    """A16: its first refusal is an early end of its token, and no more."""
    identity = begun(rig, keyring=True)
    connection = identity.connection(XPM)
    assert connection is not None
    fresh = connection.rejected(connection.token())
    with pytest.raises(SignedOut):
        connection.rejected(fresh)
    signed_in_again(rig, identity, keyring=True)
    assert connection.rejected(connection.token()) in rig.server.issued


def test_no_token_stays_in_memory_when_the_sign_in_is_over(rig: Rig) -> None:
    """A22."""
    identity = begun(rig, keyring=True)
    connection = identity.connection(XPM)
    assert connection is not None
    connection.token()
    identity.disconnect(XPM)
    assert connection._held is None
