"""Tests that planted bugs asked for: without them a small mistake in the identity room would have passed."""

from __future__ import annotations

import os
import signal
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from desktop.services.errors import NotNow, SignedOut
from desktop.services.identity.grants import credential_lock
from desktop.services.identity.id_token import XERO_ISSUER, check_id_token
from desktop.services.identity.model import SignInFailed
from tests.identity.fake_authorization_server import jwt, practice
from tests.identity.identity_rig import XPM, Rig

NOW = datetime(2026, 3, 4, 1, 0, tzinfo=UTC)


def test_another_process_that_signed_in_elsewhere_is_followed_and_the_old_connection_ends(rig: Rig) -> None:
    """A23: this process asks for the connection anew and gets the new organisation's; the one that it held is over."""
    ours = rig.signed_in()
    old = ours.connection(XPM)
    assert old is not None
    rig.server.connections = [practice("other-tenant", "Another Firm", event=rig.server.event)]
    rig.identity().sign_in(XPM, rig.person.steps())
    new = ours.connection(XPM)
    assert new is not None
    assert (new.tenant, new is old) == ("other-tenant", False)
    assert new.token() in rig.server.issued
    with pytest.raises(SignedOut, match="another organisation"):
        old.token()


@pytest.mark.parametrize("audience", ["other", ["other"], []])
def test_an_id_token_for_another_app_is_refused_though_it_names_us_as_its_party(audience: object) -> None:
    """A14: `azp` alone is no audience."""
    seconds = NOW.timestamp()
    claims = {
        "iss": XERO_ISSUER,
        "aud": audience,
        "azp": "us",
        "sub": "s",
        "nonce": "n",
        "iat": seconds,
        "exp": seconds + 300,
    }

    def checked(aud: object) -> object:
        return check_id_token(
            jwt(claims | {"aud": aud}),
            client_id="us",
            nonce="n",
            accepts_issuer=lambda issuer: issuer == XERO_ISSUER,
            began=NOW,
            now=NOW,
        )

    checked("us")
    with pytest.raises(SignInFailed, match="another app"):
        checked(audience)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="starts its process by fork")
def test_another_process_that_renews_is_waited_for(tmp_path: Path) -> None:
    """A18: whatever the two are doing in the meantime; when it ends, by whatever cause, the lock is free."""
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            with credential_lock(tmp_path, XPM):
                os.write(tell, b"x")
                threading.Event().wait(30)
        finally:
            os._exit(0)
    assert os.read(told, 1) == b"x"
    with pytest.raises(NotNow, match="Another iConnect program"), credential_lock(tmp_path, XPM, seconds=0.1):
        raise AssertionError("two have it")
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with credential_lock(tmp_path, XPM, seconds=5):
        pass
    os.close(told)
    os.close(tell)
