"""Disconnecting, and what stays behind."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from desktop.services.errors import SignedOut
from desktop.services.identity.wallet import Identity
from tests.identity.identity_rig import XPM, MemoryKeyring, Rig


def forgotten(rig: Rig) -> bool:
    return not rig.identity().records()


def test_disconnecting_revokes_the_refresh_token_and_forgets(rig: Rig) -> None:
    """A22, B10: one revocation, in a form body with the refresh token and the client id; row and key are gone."""
    identity = rig.signed_in()
    connection = identity.connection(XPM)
    assert connection is not None
    sentence = identity.disconnect(XPM)
    assert sentence == "Xero Practice Manager is disconnected: access was revoked there and forgotten on this PC."
    (form,) = rig.server.forms("/connect/revocation")
    assert form["token"] in rig.server.refreshing
    assert form["client_id"] == rig.server.client_id
    assert form["token_type_hint"] == "refresh_token"
    assert forgotten(rig)
    assert isinstance(rig.keyring, MemoryKeyring)
    assert rig.keyring.entries == {}
    with pytest.raises(SignedOut, match="not connected any more"):
        connection.token()
    assert identity.connection(XPM) is None
    assert identity.disconnect(XPM) == "Xero Practice Manager was not connected."


def test_a_web_app_revokes_with_its_secret(rig: Rig) -> None:
    """A22."""
    rig.server.client_secret = "s3cret"
    rig.xero = {"client_secret": "s3cret"}
    assert "revoked" in rig.signed_in().disconnect(XPM)
    assert rig.server.count("/connect/revocation") == 1


@pytest.mark.parametrize("answer", [(503, b""), (400, b'{"error":"invalid_client"}'), (0, b""), (302, b""), (404, b"<html>")])
def test_a_failed_revocation_still_forgets_and_says_so(rig: Rig, answer: tuple[int, bytes]) -> None:
    """A22."""
    identity = rig.signed_in()
    rig.server.fault = lambda path, _: answer if path == "/connect/revocation" else None
    sentence = identity.disconnect(XPM)
    assert "forgotten on this PC, but access could not be revoked" in sentence
    assert "Connected apps" in sentence
    assert forgotten(rig)


def test_forgetting_does_not_wait_for_a_server_that_is_down_or_hangs(rig: Rig) -> None:
    """A22: local erase within a second."""
    identity = rig.signed_in()
    let_go = threading.Event()

    def hang(path: str, _: dict[str, str]) -> tuple[int, bytes] | None:
        if path == "/connect/revocation":
            let_go.wait(20)
        return None

    rig.server.fault = hang
    sentences: list[str] = []
    began = time.monotonic()
    thread = threading.Thread(target=lambda: sentences.append(identity.disconnect(XPM)))
    thread.start()
    other = rig.identity()
    while other.records() and time.monotonic() - began < 5:
        thread.join(0.02)
    assert time.monotonic() - began < 1.5
    let_go.set()
    thread.join(20)
    assert "revoked" in sentences[0]


def test_signing_out_works_when_the_keyring_does_not(rig: Rig) -> None:
    """A22, B2 and «sign-out impossible because reading fails»: forgets here and says that it could not revoke."""
    rig.signed_in()

    def broken() -> Any:
        raise RuntimeError("no such service")

    sentence = rig.identity(keyring_backend=broken).disconnect(XPM)
    assert "could not be revoked" in sentence
    assert rig.server.count("/connect/revocation") == 0
    assert forgotten(rig)


def test_another_process_notices_at_once(rig: Rig) -> None:
    """A22: `iconnect disconnect` while the tray runs."""
    tray = rig.signed_in()
    connection = tray.connection(XPM)
    assert connection is not None
    connection.token()
    rig.identity().disconnect(XPM)
    with pytest.raises(SignedOut):
        connection.token()
    assert tray.connection(XPM) is None
    rig.identity().sign_in(XPM, rig.person.steps())
    again = tray.connection(XPM)
    assert again is not None
    assert again.token() in rig.server.issued


def test_other_secrets_survive_a_sign_out_and_go_with_the_apps_data(rig: Rig) -> None:
    """B10: removing the data removes every entry of this profile, and no other's."""
    identity = rig.signed_in()
    assert isinstance(rig.keyring, MemoryKeyring)
    rig.keyring.entries[("somebody else", "x")] = "theirs"
    identity.secrets.set("infotrack", "pa55")
    identity.disconnect(XPM)
    assert identity.secrets.get("infotrack") == "pa55"
    identity.sign_in(XPM, rig.person.steps())
    identity.forget_everything()
    assert rig.keyring.entries == {("somebody else", "x"): "theirs"}
    assert forgotten(rig)


def test_reinstalling_over_the_data_keeps_the_sign_in(rig: Rig) -> None:
    """B10: another program on the same profile and keyring goes on."""
    rig.signed_in()
    fresh: Identity = rig.identity()
    connection = fresh.connection(XPM)
    assert connection is not None
    assert connection.token() in rig.server.issued
