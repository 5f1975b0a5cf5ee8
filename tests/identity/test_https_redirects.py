"""Sign-ins that end at an https address: in the sign-in window, or pasted back."""

from __future__ import annotations

import dataclasses
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from desktop.services.identity.model import SignInCancelled, SignInFailed
from desktop.services.pasted_address import pasted_address
from desktop.services.sign_in_process import SignInWindows
from tests.browser.order_window_rig import AS_ROOT, NOBODY, base_environment, ordinary_user
from tests.identity.identity_rig import Rig, get
from tests.identity.test_other_vendors import identity_with, workflowmax

HTTPS = "https://firm.example/signed-in"


@pytest.fixture
def folder() -> Iterator[Path]:
    """Belongs to whoever runs the window."""
    made = Path(tempfile.mkdtemp(prefix="sign-in-window-"))
    for name in ("profile", "home", "run"):
        (made / name).mkdir(mode=0o700)
    if AS_ROOT:
        for path in (made, *made.iterdir()):
            os.chown(path, NOBODY, NOBODY)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def test_a_whole_sign_in_goes_through_the_real_window(rig: Rig, folder: Path) -> None:
    """A2: the vendor redirects to an address that nobody serves; the code is traded, and the organisation stored."""
    windows = SignInWindows(
        folder / "profile",
        version="0.1.0",
        environ=base_environment(folder),
        popen_options=ordinary_user(),
        software_rendering=True,
    )
    told: list[str] = []
    steps = dataclasses.replace(rig.person.steps(), window_opens=lambda: told.append("window"))
    identity = identity_with(rig, workflowmax(rig, redirect=HTTPS), watch=windows.watch)
    record = identity.sign_in("workflowmax", steps)
    assert (record.tenant, record.tenant_name) == ("org-1", "Rimu Legal")
    assert told == ["window"]
    assert rig.person.visits == []


def pasting(rig: Rig, change: Callable[[str], str | None] = lambda address: address) -> Callable[..., str | None]:
    """A person who opens the printed address elsewhere and pastes where it ended."""

    def paste(redirect: str, given_up: Callable[[], bool]) -> str | None:
        assert redirect == HTTPS
        return change(get(rig.person.visits[0]).headers["location"])

    return paste


def printed(rig: Rig) -> Callable[[str], bool]:
    def open_browser(address: str) -> bool:
        rig.person.visits.append(address)
        return True

    return open_browser


def test_a_pasted_address_ends_a_sign_in_without_any_window(rig: Rig) -> None:
    steps = dataclasses.replace(rig.person.steps(), open_browser=printed(rig), paste=pasting(rig))
    record = identity_with(rig, workflowmax(rig, redirect=HTTPS)).sign_in("workflowmax", steps)
    assert record.tenant == "org-1"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda address: None, SignInCancelled),
        (lambda address: address.replace("firm.example", "evil.example"), SignInFailed),
        (lambda address: address.replace("state=", "state=x"), SignInFailed),
    ],
)
def test_a_pasted_address_is_checked_like_a_callback(rig: Rig, change: Callable[[str], str | None], error: type[Exception]) -> None:
    """A3."""
    steps = dataclasses.replace(rig.person.steps(), open_browser=printed(rig), paste=pasting(rig, change))
    with pytest.raises(error):
        identity_with(rig, workflowmax(rig, redirect=HTTPS)).sign_in("workflowmax", steps)
    assert rig.server.count("/oauth/token") == 0


def test_a_redirect_that_nobody_can_watch_is_a_setting_for_it(rig: Rig) -> None:
    for redirect in ("http://firm.example/cb", "iconnect://callback", "https:///cb"):
        with pytest.raises(SignInFailed, match=r"platform\.toml"):
            identity_with(rig, workflowmax(rig, redirect=redirect), watch=lambda *_: None).sign_in(
                "workflowmax", rig.person.steps()
            )


def lines(*given: str) -> Callable[[], str]:
    rest = iter(given)
    return lambda: next(rest, "")


def test_lines_are_read_until_one_is_at_the_registered_address() -> None:
    said: list[str] = []
    secret = "https://other.example/?code=never-shown"
    found = pasted_address(
        HTTPS, lambda: False, lines("\n", f"{secret}\n", f"  <{HTTPS}?code=1&state=2> \n", "the next answer\n"), said.append
    )
    assert found == f"{HTTPS}?code=1&state=2"
    assert len(said) == 1
    assert "never-shown" not in said[0]


def test_the_end_of_the_input_and_giving_up_end_it() -> None:
    assert pasted_address(HTTPS, lambda: False, lines(), lambda text: None) is None
    never = threading.Event()

    def blocked() -> str:
        never.wait(20)
        return ""

    assert pasted_address(HTTPS, lambda: True, blocked, lambda text: None) is None
    never.set()
