"""The InfoTrack login: name in the profile, password in the keyring."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from desktop.services.desk import ConnectionState
from desktop.services.errors import NotNow, SignedOut
from desktop.services.infotrack.credentials import Credentials, LoginState
from tests.infotrack.scripted_server import KeptSecrets


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "profile" / "infotrack.json"


def test_a_new_profile_is_disconnected(file: Path) -> None:
    credentials = Credentials(file, KeptSecrets())
    assert credentials.state() == LoginState(ConnectionState.DISCONNECTED)
    with pytest.raises(SignedOut):
        credentials.login()


def test_another_process_sees_who_is_signed_in_without_the_keyring(file: Path) -> None:
    secrets = KeptSecrets()
    Credentials(file, secrets).keep("clerk", "pässword:with\"all'")
    secrets.locked = True
    other = Credentials(file, secrets)
    assert other.state() == LoginState(ConnectionState.CONNECTED, "clerk")
    with pytest.raises(NotNow):
        other.login()
    secrets.locked = False
    assert (other.login().user, other.login().password) == ("clerk", "pässword:with\"all'")
    assert secrets.reads == 1, "the keyring is asked once"


def test_the_password_is_nowhere_in_the_profile(file: Path) -> None:
    credentials = Credentials(file, KeptSecrets())
    credentials.keep("clerk", "canary-password")
    assert all(b"canary" not in path.read_bytes() for path in file.parent.iterdir())
    assert "canary" not in repr(credentials.login())
    if sys.platform != "win32":
        assert file.stat().st_mode & 0o077 == 0


def test_a_rejected_login_stays_rejected_for_every_process_until_a_new_sign_in(file: Path) -> None:
    secrets = KeptSecrets()
    first, second = Credentials(file, secrets), Credentials(file, secrets)
    first.keep("clerk", "old")
    second.login()
    first.rejected(first.login())
    assert second.state().state is ConnectionState.ATTENTION
    assert second.state().problem
    with pytest.raises(SignedOut, match="did not accept"):
        second.login()
    second.keep("clerk", "new")
    assert first.login().password == "new"


def test_a_late_rejection_of_an_old_login_leaves_the_new_one_alone(file: Path) -> None:
    credentials = Credentials(file, KeptSecrets())
    credentials.keep("clerk", "old")
    old = credentials.login()
    credentials.keep("clerk", "new")
    credentials.rejected(old)
    assert credentials.login().password == "new"


def test_signing_out_forgets_both(file: Path) -> None:
    secrets = KeptSecrets()
    credentials = Credentials(file, secrets)
    credentials.keep("clerk", "password")
    credentials.sign_out()
    assert (credentials.state().state, secrets.entries) == (ConnectionState.DISCONNECTED, {})
    credentials.sign_out()


def test_signing_out_counts_even_when_the_keyring_is_locked(file: Path) -> None:
    secrets = KeptSecrets()
    credentials = Credentials(file, secrets)
    credentials.keep("clerk", "password")
    secrets.locked = True
    with pytest.raises(NotNow):
        credentials.sign_out()
    with pytest.raises(SignedOut):
        credentials.login()
    secrets.locked = False
    with pytest.raises(SignedOut):
        Credentials(file, secrets).login()


def test_a_locked_keyring_changes_nothing_that_is_kept(file: Path) -> None:
    secrets = KeptSecrets()
    credentials = Credentials(file, secrets)
    assert credentials.keep("clerk", "password") == ""
    secrets.locked = True
    assert credentials.keep("other", "password")
    assert credentials.login().user == "other"
    secrets.locked = False
    assert Credentials(file, secrets).login().user == "clerk"
    assert credentials.keep("third", "password") == ""
    assert credentials.state() == LoginState(ConnectionState.CONNECTED, "third")
    assert Credentials(file, secrets).login().user == "third"


def test_a_keyring_entry_of_another_sign_in_is_not_used(file: Path) -> None:
    secrets = KeptSecrets()
    Credentials(file, secrets).keep("clerk", "password")
    for foreign in ('["clerk", "other", "stamp"]', "garbage", "[]", "5"):
        secrets.entries = dict.fromkeys(secrets.entries, foreign)
        with pytest.raises(SignedOut):
            Credentials(file, secrets).login()


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"user": 5}', b"\xff"])
def test_a_damaged_file_asks_for_a_new_sign_in(file: Path, damage: bytes) -> None:
    credentials = Credentials(file, KeptSecrets())
    credentials.keep("clerk", "password")
    file.write_bytes(damage)
    assert credentials.state().state is ConnectionState.DISCONNECTED
    credentials.keep("clerk", "password")
    assert credentials.login().user == "clerk"


def test_without_a_keyring_a_login_lasts_for_this_run_leaves_no_trace_and_says_so(file: Path) -> None:
    secrets = KeptSecrets(locked=True)
    credentials = Credentials(file, secrets)
    told = credentials.keep("clerk", "password")
    assert told.startswith("The keyring is locked. Unlock it. ")
    assert "only as long as this program runs" in told
    assert credentials.state() == LoginState(ConnectionState.CONNECTED, "clerk", told)
    assert credentials.login().password == "password"
    assert not file.exists()
    credentials.rejected(credentials.login())
    with pytest.raises(SignedOut):
        credentials.login()


def test_a_profile_that_can_not_be_written_says_so(file: Path) -> None:
    file.parent.write_text("a file where the folder should be")
    with pytest.raises(NotNow, match="profile"):
        Credentials(file, KeptSecrets()).keep("clerk", "password")


def test_two_profiles_keep_their_passwords_apart(tmp_path: Path) -> None:
    secrets = KeptSecrets()
    one = Credentials(tmp_path / "1.json", secrets, name="iConnect InfoTrack 1")
    two = Credentials(tmp_path / "2.json", secrets, name="iConnect InfoTrack 2")
    one.keep("a", "1")
    two.keep("b", "2")
    assert (one.login().password, two.login().password) == ("1", "2")
    assert len(os.listdir(tmp_path)) == 2  # noqa: PTH208 - names alone
