"""What the person sees when there is no page to show, and what the window and the tray process say to each other."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from desktop.services.order_process import HIDDEN_ARGUMENT, OrderWindowProcess
from desktop.services.order_protocol import (
    Blocked,
    Closed,
    Do,
    Done,
    FeesTyped,
    NewLinkWanted,
    Opened,
    OrderWindowStart,
    PageLoaded,
    line_of,
)
from desktop.ui.browser.passing_folder import is_alive, remove_left_over
from tests.browser.order_window_rig import Authority, Open, Site, base_environment, office_screen, ordinary_user, serve

pytestmark = pytest.mark.browser


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_an_office_root_that_it_added_is_trusted(authority: Authority, open_window: Open, home: Path) -> None:
    """G4: what the refusals below are measured against; G10: what the engine wrote for it is gone afterwards."""
    served = authority.site()
    window = open_window(f"https://127.0.0.1:{served.port}/", extra_authorities=authority.pem)
    window.do("wait", css="h1", text="secure words")
    assert "Secure line: 127.0.0.1" in window.do("labels")
    window.run_in_page("localStorage.setItem('k', 'v')")
    assert len(list((home / "profile").glob("order-browser-*"))) == 1
    window.process.ask_to_close()
    assert window.process.wait_closed(15)
    assert list((home / "profile").glob("order-browser-*")) == []


@pytest.mark.parametrize("fault", ["expired", "wrong host", "self-signed", "unknown authority"])
def test_a_bad_certificate_is_final(authority: Authority, open_window: Open, fault: str) -> None:
    """G4: no way to go on is offered, and the page's address is not even asked for."""
    if fault == "expired":
        served = authority.site(days=-1)
    elif fault == "wrong host":
        served = authority.site(address="127.0.0.2")
    else:
        served = authority.site(self_signed=fault == "self-signed")
    pem = "" if fault == "unknown authority" else authority.pem
    window = open_window(f"https://127.0.0.1:{served.port}/", extra_authorities=pem)
    window.wait(Blocked, lambda one: one.kind == "certificate")
    window.do("wait", text="could not prove who it is")
    labels = json.loads(window.do("labels"))
    assert not [label for label in labels if "continue" in label.lower() or "anyway" in label.lower()]
    assert served.seen == []


def test_offline_says_so_and_try_again_uses_the_link_once_more(open_window: Open) -> None:
    port = closed_port()
    window = open_window(f"http://127.0.0.1:{port}/land?t=1")
    window.do("wait", text="InfoTrack did not answer")
    assert not window.wait(PageLoaded).ok
    back = serve()
    back.server.server_close()
    assert window.state()["headline"] == "InfoTrack did not answer"
    again = serve_on(port)
    again.page("/land", "<h1>there again</h1>")
    window.do("press", name="Try again")
    window.do("wait", css="h1", text="there again")
    assert again.seen[0] == "/land"


def serve_on(port: int) -> Site:
    from http.server import ThreadingHTTPServer

    made = serve()
    handler = made.server.RequestHandlerClass
    made.server.shutdown()
    made.server.server_close()
    made.server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    return made


def test_a_slow_page_can_be_waited_for(site: Site, open_window: Open) -> None:
    go_on = threading.Event()
    site.page("/", "<h1>late</h1>", wait=go_on)
    window = open_window(site.url(), load_timeout_seconds=1)
    window.do("wait", text="takes very long")
    window.do("press", name="Keep waiting")
    assert window.state()["shows_page"]
    go_on.set()
    window.do("wait", css="h1", text="late")


def test_a_late_page_takes_the_notice_away_by_itself(site: Site, open_window: Open) -> None:
    go_on = threading.Event()
    site.page("/", "<h1>late</h1>", wait=go_on)
    window = open_window(site.url(), load_timeout_seconds=1)
    window.do("wait", text="takes very long")
    go_on.set()
    window.do("wait", css="h1", text="late")
    assert window.state()["shows_page"]


def test_a_link_that_leads_elsewhere_is_not_opened(other_site: Site, open_window: Open) -> None:
    """G2: the first address is no exception."""
    window = open_window(other_site.url("/land", host="localhost"))
    window.do("wait", text="does not lead to InfoTrack")
    assert window.wait(Blocked).host == "localhost"
    assert other_site.seen == []


def test_a_session_that_ended_offers_a_new_link(site: Site, open_window: Open) -> None:
    site.page("/land", "<h1>order</h1><a id=next href='/order/2'>next</a>")
    site.redirect("/order/2", "/Account/Login")
    site.page("/Account/Login", "<h1>sign in</h1>")
    site.page("/land2", "<h1>order again</h1>")
    window = open_window(site.url("/land"))
    window.do("click", css="#next")
    window.do("wait", text="asks for a sign-in again")
    window.do("press", name="Sign in again")
    wanted = window.wait(NewLinkWanted)
    window.process.answer(wanted.id, ok=False, message="InfoTrack can't be reached now.")
    window.do("wait", text="InfoTrack can't be reached now.")
    window.process.open_link(site.url("/land2"))
    window.do("wait", css="h1", text="order again")


def test_landing_on_a_sign_in_page_first_is_no_ended_session(site: Site, open_window: Open) -> None:
    site.redirect("/land", "/login")
    site.page("/login", "<h1>sign in</h1>")
    window = open_window(site.url("/land"))
    window.do("wait", css="h1", text="sign in")
    assert window.state()["notice"] == ""


def test_typed_fees_are_checked_sent_and_answered(site: Site, open_window: Open) -> None:
    site.page("/", "<h1>safe</h1>")
    window = open_window(site.url())
    window.wait(PageLoaded)
    window.do("press", name="Type in fees")
    for name, text in (
        ("Order number", "71000123"),
        ("Service", "Title Search"),
        ("Reference", "12RP90001"),
        ("InfoTrack fee (without GST)", "6"),
    ):
        window.do("type", name=name, text=text)
    window.do("press", name="Record for J004521")
    assert "GST" in window.state()["remark"]
    assert not window.all(FeesTyped)
    window.do("type", name="GST on InfoTrack fee", text="0.60")
    window.do("press", name="Record for J004521")
    typed = window.wait(FeesTyped)
    assert (typed.order_id, typed.service, typed.reference) == ("71000123", "Title Search", "12RP90001")
    assert (typed.retailer_fee, typed.retailer_gst, typed.supplier_fee) == ("6.00", "0.60", "")
    window.process.answer(typed.id, ok=False, message="The disk is full.")
    window.do("wait", text="The disk is full.")
    assert window.state()["form"]
    window.do("press", name="Record for J004521")
    second = window.wait(FeesTyped, lambda one: one.id != typed.id)
    window.process.answer(second.id, ok=True, message="Recorded.")
    window.do("wait", text="Recorded.")
    assert not window.state()["form"]


def test_the_bar_says_which_matter_this_is_whatever_the_page_does(site: Site, open_window: Open) -> None:
    site.page(
        "/", "<title>iConnect - Order for J999999</title><h1>safe</h1><script>document.documentElement.requestFullscreen()</script>"
    )
    window = open_window(site.url())
    window.wait(PageLoaded)
    labels = json.loads(window.do("labels"))
    assert any("J004521" in label and "Kestrel Lane" in label and "Xero Practice Manager" in label for label in labels)
    assert {"Back", "Forward", "Reload", "Type in fees"} <= set(labels)
    assert window.state()["title"] == "iConnect - Order for J004521"


def test_automation_is_refused_unless_the_first_line_allowed_it(site: Site, open_window: Open) -> None:
    site.page("/", "<h1>safe</h1>")
    window = open_window(site.url(), automation=False)
    window.wait(PageLoaded)
    window.process.do(Do(id=7, do="state"))
    done = window.wait(Done, lambda one: one.id == 7)
    assert not done.ok
    assert done.value == ""


def test_a_driven_window_closes_with_the_process_that_drives_it(site: Site, open_window: Open) -> None:
    site.page("/", "<h1>safe</h1>")
    window = open_window(site.url())
    window.wait(PageLoaded)
    process = window.process._process
    assert process is not None
    assert process.stdin is not None
    process.stdin.close()
    assert window.wait(Closed).exit_code == 0


def test_a_window_without_a_readable_first_line_ends_at_once(home: Path) -> None:
    done = subprocess.run(
        OrderWindowProcess()._command,
        input=b'{"link": "https://x"}\n',
        env=base_environment(home, PYTHONPATH=str(Path(__file__).parents[2])),
        capture_output=True,
        check=False,
        timeout=60,
        cwd=home,
        **ordinary_user(),  # type: ignore[call-overload]
    )
    assert done.returncode == 2
    assert done.stdout == b""


def test_the_pipe_alone_carries_events_and_the_engine_s_noise_goes_elsewhere(site: Site, home: Path) -> None:
    """G9: standard output holds nothing but events."""
    site.page("/", "<h1>safe</h1><script>console.error('noise on the console')</script>")
    start = OrderWindowStart(
        link=site.url(),
        matter_number="J1",
        hosts=("127.0.0.1",),
        profile_folder=str(home / "profile"),
        download_folder=str(home / "profile" / "downloads"),
        software_rendering=True,
        automation=True,
    )
    with subprocess.Popen(
        OrderWindowProcess()._command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=base_environment(home, PYTHONPATH=str(Path(__file__).parents[2])),
        cwd=home,
        **ordinary_user(),  # type: ignore[call-overload]
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(line_of(start))
        process.stdin.flush()
        lines = [json.loads(process.stdout.readline()), json.loads(process.stdout.readline())]
        out, error = process.communicate(timeout=60)
    assert [line["event"] for line in lines] == [Opened.__struct_config__.tag, PageLoaded.__struct_config__.tag]
    assert out == b""
    assert b"noise on the console" not in error
    assert HIDDEN_ARGUMENT not in process.args


@pytest.mark.parametrize("scale", ["1", "2"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_window_shows_itself_in_light_and_dark_at_every_scale(
    site: Site, open_window: Open, home: Path, theme: str, scale: str
) -> None:
    """G15: painted without a graphics card; the picture is not blank, and light and dark differ."""
    from PySide6.QtGui import QColor, QImage

    site.page("/", "<body style='background:#c8e6c9'><h1>words</h1>")
    environ = base_environment(home, QT_QPA_PLATFORM=office_screen(home), QT_SCALE_FACTOR=scale)
    window = open_window(site.url(), theme=theme, environ=environ)
    window.do("wait", css="h1", text="words")
    image = QImage(str(window.shot(f"page-{theme}-{scale}")))
    factor = int(scale)
    assert image.width() == 1180 * factor
    page = image.pixelColor(image.width() // 2, image.height() * 3 // 4)
    assert page == QColor("#c8e6c9")
    bar = image.pixelColor(image.width() // 2, 55 * factor)
    assert (bar.lightnessF() < 0.5) is (theme == "dark")


def test_folders_of_dead_windows_are_removed(tmp_path: Path) -> None:
    """G10: what a window that was killed left behind goes with the next start."""
    for name in ("order-browser-11", "order-browser-12", "order-browser-x", "other"):
        (tmp_path / name).mkdir()
    assert remove_left_over(tmp_path, alive=lambda pid: pid == 11) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["order-browser-11", "other"]
    assert remove_left_over(tmp_path, alive=lambda _pid: True, now=lambda: time.time() + 90_000) == 1
    assert not is_alive(2**22 + 1)
