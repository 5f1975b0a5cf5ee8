"""Signing in on the command line where the vendor takes only an https redirect; and a platform file with several systems."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands.installation import DONE, NOT_CONNECTED, Installation, Outside
from tests.identity.fake_authorization_server import FakeAuthorizationServer, serving
from tests.identity.identity_rig import get

REDIRECT = "https://firm.example/iconnect/callback"


@pytest.fixture
def vendor() -> Iterator[FakeAuthorizationServer]:
    server = FakeAuthorizationServer()
    server.redirects = {REDIRECT}
    server.client_secret, server.authentication = "wfm-secret", "body"
    server.access_claims = {"org_ids": ["org-1"]}
    server.pages["/v2/accounts"] = (200, [{"id": "org-1", "name": "Rimu Legal"}])
    with serving(server) as running:
        yield running


@pytest.fixture
def pc(world: Outside, vendor: FakeAuthorizationServer, tmp_path: Path) -> Installation:
    platform = tmp_path / "platform.toml"
    platform.write_text(
        f"""
[practice]
system = "workflowmax"
[xero]
client_id = "another-app"
[workflowmax]
client_id = "{vendor.client_id}"
client_secret = "wfm-secret"
redirect_uri = "{REDIRECT}"
authorize_url = "{vendor.origin}/oauth/authorize"
token_url = "{vendor.origin}/oauth/token"
api_url = "{vendor.origin}/"
""",
        encoding="utf-8",
    )
    return Installation(world, tmp_path / "profile", platform)


def test_the_address_is_the_first_line_alone_and_the_pasted_one_ends_the_sign_in(pc: Installation) -> None:
    pipe = subprocess.PIPE
    with pc.start("connect", "--no-browser", stdin=pipe, stdout=pipe, stderr=pipe, bufsize=1) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        arrived = get(process.stdout.readline().strip()).headers["location"]
        assert arrived.startswith(REDIRECT)
        out, err = process.communicate(f"https://elsewhere.example/?code=never-shown\n{arrived}\n", timeout=60)
    assert process.returncode == DONE, err
    assert out == ""
    assert "not the address at which the sign-in ends" in err
    assert "never-shown" not in err
    assert "Connected to Rimu Legal" in err
    # Every system that is set up is there, the firm's own first; one that nobody uses is no trouble.
    told = pc.done("status", "--json").value["connections"]
    assert [(each["system"], each["state"]) for each in told] == [
        ("workflowmax", "connected"),
        ("xero-practice-manager", "disconnected"),
    ]


def test_the_end_of_the_input_cancels(pc: Installation) -> None:
    pipe = subprocess.PIPE
    with pc.start("connect", "--no-browser", stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe) as process:
        _, err = process.communicate(timeout=60)
    assert process.returncode == NOT_CONNECTED, err
    assert "Traceback" not in err


@pytest.mark.parametrize("command", [("order",), ("results", "add"), ("deliveries", "move")])
def test_help_tells_how_to_name_a_system(pc: Installation, command: tuple[str, ...]) -> None:
    assert "<system>:<number>" in pc.done(*command, "--help").out.replace("\n", " ").replace("  ", " ")
