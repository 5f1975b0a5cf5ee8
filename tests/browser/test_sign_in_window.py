"""The sign-in window for a vendor that takes only an https redirect: the real engine, as an ordinary user, sandbox on."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from desktop.services.errors import NotNow
from desktop.services.identity.model import SignInFailed
from desktop.services.sign_in_process import HIDDEN_ARGUMENT, SignInWindows, command_for_sign_in_window
from desktop.services.sign_in_protocol import (
    AnySignInEvent,
    SignInOpened,
    SignInPageLoaded,
    SignInStopped,
    SignInWindowStart,
    is_same_place,
    read_sign_in_event,
    read_sign_in_start,
)
from desktop.ui.browser.addresses import Verdict
from desktop.ui.browser.sign_in_rules import SignInRules
from tests.browser.order_window_rig import AS_ROOT, Authority, Page, Site, base_environment, command_line, ordinary_user
from tests.ui.virtual_screen import TOOLS, Screen

REDIRECT = "https://firm.example/iconnect/callback"
CODE = "?code=c0de-of-the-consent&state=s%2Bt"
PATIENCE = 40.0


class Signing:
    """A sign-in under way on a thread of its own, and what its window told."""

    def __init__(self, windows: SignInWindows, address: str, redirect: str) -> None:
        self.result: str | None = None
        self.error: Exception | None = None
        self.cancel = threading.Event()
        self.events: list[AnySignInEvent] = []
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._run, args=(windows, address, redirect), daemon=True)

    def start(self) -> Signing:
        self._thread.start()
        return self

    def _run(self, windows: SignInWindows, address: str, redirect: str) -> None:
        try:
            self.result = windows.watch(address, redirect, self.cancel.is_set)
        except (SignInFailed, NotNow) as error:
            self.error = error

    def heard(self, event: AnySignInEvent) -> None:
        with self._news:
            self.events.append(event)
            self._news.notify_all()

    def wait(self, kind: type[Any], fits: Callable[[Any], bool] = lambda event: True) -> Any:
        with self._news:
            found: list[Any] = []

            def there() -> bool:
                found[:] = [event for event in self.events if isinstance(event, kind) and fits(event)]
                return bool(found)

            assert self._news.wait_for(there, PATIENCE), self.events
            return found[0]

    def end(self) -> str | None:
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), self.events
        if self.error is not None:
            raise self.error
        return self.result


Begin = Callable[..., Signing]


@pytest.fixture
def begin(home: Path) -> Iterator[Begin]:
    begun: list[Signing] = []

    def begin_one(address: str, redirect: str = REDIRECT, **more: Any) -> Signing:
        told: list[Signing] = []
        windows = SignInWindows(
            home / "profile",
            version="0.1.0",
            environ=more.pop("environ", None) or base_environment(home),
            popen_options=ordinary_user(),
            software_rendering=True,
            told=lambda event: told[0].heard(event),
            **more,
        )
        signing = Signing(windows, address, redirect)
        told.append(signing)
        begun.append(signing.start())
        return signing

    yield begin_one
    for signing in begun:
        signing.cancel.set()
        signing._thread.join(PATIENCE)
        assert not signing._thread.is_alive()


@pytest.mark.parametrize("way", ["server redirect", "script", "link pressed by the page", "form"])
def test_the_registered_address_is_handed_back_whole_and_never_loaded(
    site: Site, other_site: Site, begin: Begin, home: Path, way: str
) -> None:
    """The redirect lies on a real server here, which must never hear of the code."""
    redirect = other_site.url("/callback")
    other_site.page("/callback", "<h1>must not be seen</h1>")
    site.redirect("/authorize", site.url("/identity-provider"))
    match way:
        case "server redirect":
            site.page("/identity-provider", f"<script>location='{site.url('/back')}'</script>")
            site.redirect("/back", redirect + CODE)
        case "script":
            site.page("/identity-provider", f"<script>location.replace('{redirect}{CODE}')</script>")
        case "form":
            site.page(
                "/identity-provider",
                f"<form action='{redirect}'><input name=code value='c0de-of-the-consent'><input name=state value='s+t'></form>"
                "<script>document.forms[0].submit()</script>",
            )
        case _:
            site.page("/identity-provider", f"<a href='{redirect}{CODE}'>Go on</a><script>document.links[0].click()</script>")
    signing = begin(site.url("/authorize"), redirect)
    assert signing.end() == redirect + CODE
    assert other_site.seen == []
    assert signing.wait(SignInOpened).sandboxed
    assert list((home / "profile").iterdir()) == []


def test_an_https_address_that_nobody_serves_is_watched_for(site: Site, begin: Begin) -> None:
    site.redirect("/authorize", REDIRECT + CODE)
    assert begin(site.url("/authorize")).end() == REDIRECT + CODE


def test_a_refusal_on_the_vendors_page_comes_back_as_well(site: Site, begin: Begin) -> None:
    site.redirect("/authorize", REDIRECT + "?error=access_denied&state=s")
    assert begin(site.url("/authorize")).end() == REDIRECT + "?error=access_denied&state=s"


def test_an_address_that_is_only_alike_ends_nothing(site: Site, other_site: Site, begin: Begin) -> None:
    redirect = other_site.url("/callback")
    other_site.page("/callback/more", "<h1>another path</h1>")
    site.redirect("/authorize", other_site.url("/callback/more") + CODE)
    signing = begin(site.url("/authorize"), redirect)
    assert signing.wait(SignInPageLoaded).ok
    signing.cancel.set()
    assert signing.end() is None
    assert other_site.seen == ["/callback/more"]


def test_a_frame_or_a_script_that_asks_for_the_address_ends_nothing_and_sends_nothing(
    site: Site, other_site: Site, begin: Begin
) -> None:
    """What else they ask of the same server does get there."""
    redirect = other_site.url("/callback")
    other_site.page("/plain", "plain")
    other_site.page("/callback", "must not be seen")
    go = "<script>let n = 0; function go() { if (++n == 3) location = '/done' }</script>"
    image = f"<img src='{redirect}{CODE}' onload='go()' onerror='go()'>"
    frames = "".join(f"<iframe src='{each}' onload='go()'></iframe>" for each in (other_site.url("/plain"), redirect + CODE))
    site.page("/authorize", f"{go}{image}{frames}<script>setTimeout(() => {{ location = '/done' }}, 4000)</script>")
    site.page("/done", "done")
    signing = begin(site.url("/authorize"), redirect)
    signing.wait(SignInPageLoaded, lambda event: "/done" in site.seen)
    signing.cancel.set()
    assert signing.end() is None
    assert other_site.seen == ["/plain"]


def test_cancelling_closes_the_window_and_gives_nothing(site: Site, begin: Begin) -> None:
    site.page("/authorize", "<h1>Sign in</h1>")
    signing = begin(site.url("/authorize"))
    opened = signing.wait(SignInOpened)
    signing.wait(SignInPageLoaded)
    signing.cancel.set()
    assert signing.end() is None
    assert not command_line(opened.pid)


def test_a_window_that_dies_is_a_clear_failure_and_not_a_cancelled_sign_in(site: Site, begin: Begin) -> None:
    site.page("/authorize", "<h1>Sign in</h1>")
    signing = begin(site.url("/authorize"))
    opened = signing.wait(SignInOpened)
    signing.wait(SignInPageLoaded)
    os.kill(opened.pid, signal.SIGKILL)
    with pytest.raises(SignInFailed, match="stopped before the sign-in was finished"):
        signing.end()


def test_the_address_is_neither_on_a_command_line_nor_in_a_log(site: Site, begin: Begin, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    site.page("/authorize", "<h1>Sign in</h1>")
    signing = begin(site.url("/authorize?state=very-secret-state"))
    opened = signing.wait(SignInOpened)
    signing.wait(SignInPageLoaded)
    lines = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    environ = Path(f"/proc/{opened.pid}/environ").read_bytes()
    assert "very-secret-state" not in lines
    assert b"very-secret-state" not in environ
    signing.cancel.set()
    signing.end()
    assert "very-secret-state" not in caplog.text
    assert "very-secret-state" not in repr(SignInWindowStart(address="very-secret-state", redirect="", profile_folder=""))


@pytest.mark.skipif(not AS_ROOT, reason="this machine's user is not root")
def test_root_is_refused_with_a_sentence(site: Site, home: Path) -> None:
    windows = SignInWindows(home / "profile", version="0.1.0", environ=base_environment(home), software_rendering=True)
    with pytest.raises(SignInFailed, match="ordinary user"):
        windows.watch(site.url("/authorize"), REDIRECT, lambda: False)


def test_without_a_screen_it_says_what_to_do_instead(site: Site, home: Path, begin: Begin) -> None:
    environ = {**base_environment(home), "QT_QPA_PLATFORM": "xcb"}
    signing = begin(site.url("/authorize"), environ=environ)
    with pytest.raises(SignInFailed, match="--no-browser"):
        signing.end()


def test_a_program_that_can_not_be_started_says_so(home: Path) -> None:
    windows = SignInWindows(home / "profile", version="0.1.0", command=[str(home / "missing")])
    with pytest.raises(NotNow, match="could not be started"):
        windows.watch("https://vendor.example/", REDIRECT, lambda: False)


def test_junk_on_the_pipe_changes_nothing(home: Path) -> None:
    script = (
        "import sys, json; sys.stdin.readline(); print('noise'); print(json.dumps({'event': 'arrived'})); "
        f"print(json.dumps({{'event': 'arrived', 'address': '{REDIRECT}?x=1'}}), flush=True); sys.stdin.readline()"
    )
    windows = SignInWindows(home / "profile", version="0.1.0", command=[sys.executable, "-c", script])
    assert windows.watch("https://vendor.example/", REDIRECT, lambda: False) == REDIRECT + "?x=1"
    assert read_sign_in_event(b'{"event": "closed"}') is None
    with pytest.raises(ValueError, match="can't read"):
        read_sign_in_start(b'{"address": "x", "surplus": 1}')


def test_from_a_secure_sign_in_nothing_is_reached_over_an_open_line(site: Site, other_site: Site, home: Path, begin: Begin) -> None:
    """Plain http is refused everywhere, this PC included."""
    authority = Authority(home)
    secure = authority.site()
    secure.page("/authorize", f"<img src='{other_site.url('/pixel')}'><script>location='{other_site.url('/plain')}'</script>")
    root = home / "root.pem"
    root.write_text(authority.pem)
    root.chmod(0o644)
    environ = {**base_environment(home), "SSL_CERT_FILE": str(root)}
    signing = begin(secure.url("/authorize").replace("http:", "https:"), environ=environ)
    signing.wait(SignInStopped, lambda event: event.kind == "navigation")
    assert signing.wait(SignInPageLoaded).host == "127.0.0.1"
    signing.cancel.set()
    signing.end()
    assert "/authorize" in secure.seen
    assert other_site.seen == []
    assert list((home / "profile").iterdir()) == []
    secure.server.shutdown()
    secure.server.server_close()


def test_a_popup_that_nobody_clicked_for_is_not_opened_and_nothing_is_saved(site: Site, begin: Begin, home: Path) -> None:
    site.pages["/file"] = Page(b"x" * 100, "application/octet-stream", headers=(("Content-Disposition", "attachment"),))
    site.page(
        "/authorize", "<script>window.open('/elsewhere'); location = '/file'; setTimeout(() => location='/next', 300)</script>"
    )
    site.redirect("/next", REDIRECT + CODE)
    signing = begin(site.url("/authorize"))
    assert signing.end() == REDIRECT + CODE
    assert "/elsewhere" not in site.seen
    assert list((home / "home").rglob("file*")) == []


SECURE = SignInRules("https://oauth.vendor.example/authorize", REDIRECT, never_ports=(28761,))
TEST = SignInRules("http://127.0.0.1:8000/authorize", REDIRECT, never_ports=(28761,))


@pytest.mark.parametrize(
    ("url", "secure", "test"),
    [
        ("https://login.microsoftonline.com/x", True, True),
        ("https://adfs.office.local/adfs/ls", True, True),
        ("https://vendor.example:8443/", True, True),
        ("http://vendor.example/", False, False),
        ("http://127.0.0.1:9000/", False, True),
        ("http://localhost:9000/", False, True),
        ("http://localhost:28761/callback", False, False),
        ("https://127.0.0.1:28761/callback", False, False),
        ("http://localhost.evil.example/", False, False),
        ("http://2130706433/", False, True),
        ("ftp://vendor.example/", False, False),
        ("javascript:alert(1)", False, False),
        ("file:///etc/passwd", False, False),
        ("https://user:word@vendor.example/", False, False),
        ("data:text/html,x", False, False),
    ],
)
def test_a_sign_in_may_lead_anywhere_over_https_and_nowhere_else(url: str, secure: bool, test: bool) -> None:
    assert (SECURE.navigation(url).verdict is Verdict.ALLOW) is secure
    assert (TEST.navigation(url).verdict is Verdict.ALLOW) is test


@pytest.mark.parametrize(
    ("address", "same"),
    [
        (REDIRECT + CODE, True),
        ("https://FIRM.example:443/iconnect/callback?x", True),
        (REDIRECT + "/", False),
        ("https://firm.example/iconnect/Callback", False),
        ("http://firm.example/iconnect/callback", False),
        ("https://firm.example:444/iconnect/callback", False),
        ("https://firm.example.evil.example/iconnect/callback", False),
        ("https://firm.example@evil.example/iconnect/callback", False),
        ("https://x@firm.example/iconnect/callback", False),
        ("https://firm.example:nonsense/iconnect/callback", False),
    ],
)
def test_only_exactly_the_registered_address_counts(address: str, same: bool) -> None:
    assert is_same_place(address, REDIRECT) is same


def test_an_empty_path_is_the_root_path() -> None:
    assert is_same_place("https://firm.example/?code=1", "https://firm.example")


def test_the_frozen_program_starts_itself_with_the_hidden_argument(monkeypatch: pytest.MonkeyPatch) -> None:
    from desktop.__main__ import SIGN_IN_WINDOW

    assert SIGN_IN_WINDOW == HIDDEN_ARGUMENT
    assert command_for_sign_in_window()[1:] == ["-P", "-m", "desktop.ui.browser.sign_in"]
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert command_for_sign_in_window() == [sys.executable, HIDDEN_ARGUMENT]


@pytest.fixture
def screen() -> Iterator[Screen]:
    made = Screen()
    yield made
    made.close()


@pytest.mark.screen
@pytest.mark.skipif(any(shutil.which(tool) is None for tool in TOOLS), reason="needs Xvfb, openbox and xdotool")
def test_keys_and_wheel_change_the_size_as_in_the_order_window(site: Site, begin: Begin, screen: Screen, home: Path) -> None:
    """The page itself says at which size it is shown; the size is the one that the order window keeps."""
    site.page("/", "<h1>Sign in</h1><script>onresize = () => fetch('/size/' + Math.round(devicePixelRatio * 100))</script>")
    kept = home / "profile" / "order-window-zoom"
    environ = base_environment(home, QT_QPA_PLATFORM="xcb", DISPLAY=screen.display)
    begin(site.url("/"), environ=environ).wait(SignInPageLoaded)
    screen.do("search", "--sync", "--onlyvisible", "--name", "iConnect - Sign in", "windowactivate", "--sync")
    steps = (
        (("key", "ctrl+plus"), 110, "110"),
        (("key", "ctrl+equal"), 125, "125"),
        (("key", "ctrl+minus"), 110, "110"),
        (("mousemove", "640", "400", "keydown", "ctrl", "click", "4", "keyup", "ctrl"), 125, "125"),
        (("keydown", "ctrl", "click", "5", "click", "5", "click", "5", "keyup", "ctrl"), 90, "90"),
        (("key", "ctrl+0"), 100, ""),
    )
    for deed, size, file in steps:
        site.seen.clear()
        screen.do(*deed)
        until(lambda size=size: f"/size/{size}" in site.seen)  # type: ignore[misc]
        assert (kept.read_text() if kept.exists() else "") == file


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)
