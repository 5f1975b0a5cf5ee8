"""Hostile pages against the real engine, run as an ordinary user with its sandbox on."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from desktop.services.order_process import OrderWindowProcess
from desktop.services.order_protocol import Blocked, Closed, Crashed, Opened, OpenedOutside, OrderWindowStart, PageLoaded
from desktop.ui.browser.patch_level import patch_finding
from tests.browser.order_window_rig import (
    AS_ROOT,
    Authority,
    Open,
    Site,
    Window,
    base_environment,
    children_of,
    command_line,
    ordinary_user,
    today,
)

pytestmark = pytest.mark.browser

TABLE = Path(__file__).parent / "engine_settings.json"


def engine_says(home: Path, code: str) -> str:
    """Runs a few lines with the engine's libraries as an ordinary user."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=base_environment(home, PYTHONPATH=str(Path(__file__).parents[2])),
        capture_output=True,
        text=True,
        check=False,
        cwd=home,
        **ordinary_user(),  # type: ignore[call-overload]
    )
    assert done.returncode == 0, done.stderr
    return str(done.stdout)


def test_every_setting_is_as_written_down(home: Path) -> None:
    """G1: the whole table of attributes and policies; a Qt that adds one fails here until somebody decides about it."""
    code = (
        "import json\nfrom PySide6.QtWidgets import QApplication\napp = QApplication(['x'])\n"
        "from desktop.ui.browser.engine_settings import make_profile, table, ATTRIBUTES\n"
        "profile = make_profile(version='0.1.0', download_folder='/tmp')\n"
        "print(json.dumps({**table(profile), 'attributes decided': len(ATTRIBUTES)}))"
    )
    written_down = json.loads(TABLE.read_text("utf-8"))
    assert json.loads(engine_says(home, code)) == written_down
    pem = home / "home" / "ca.pem"
    pem.write_text(Authority(home / "home").pem)
    pem.chmod(0o644)
    passing = code.replace("folder='/tmp'", f"folder='/tmp', extra_authorities=open({str(pem)!r}).read(), passing_folder='/tmp'")
    assert passing != code
    assert json.loads(engine_says(home, passing)) == {**written_down, "off the record": "false", "storage name": "order"}


def test_the_engine_in_use_is_patched(home: Path) -> None:
    """G13: the build's gate, for the engine that is installed here."""
    version = engine_says(home, "from desktop.ui.browser.patch_level import running_patch_level as r; print(r())").strip()
    finding = patch_finding(version, today())
    assert finding.ok, finding.sentence


def test_the_engine_says_who_it_is(site: Site, open_window: Open) -> None:
    """G17: Qt's own words and ours, nothing pretended."""
    site.page("/", "<h1>hello</h1>")
    window = open_window(site.url())
    window.wait(PageLoaded)
    agent = site.headers["/"]["User-Agent"]
    assert agent.endswith(" iConnect/0.1.0")
    assert "QtWebEngine/" in agent
    assert json.loads(window.do("script", text="navigator.userAgent")) == agent
    assert site.headers["/"]["Accept-Language"].startswith("en-AU")


TRICKS = {
    "a redirect by the server": "location = '/redirect'",
    "a script": "location = '{evil}'",
    "a meta refresh": (
        "const m = document.createElement('meta'); m.httpEquiv = 'refresh'; m.content = '0;url={evil}'; document.head.append(m)"
    ),
    "a form": (
        "const f = document.createElement('form'); f.method = 'post'; f.action = '{evil}'; document.body.append(f); f.submit()"
    ),
    "a frame that reaches out": (
        "const i = document.createElement('iframe'); "
        "i.srcdoc = '<script>top.location = \"{evil}\"<\\/script>'; document.body.append(i)"
    ),
    "a file": "location = 'file:///etc/passwd'",
    "a data address": "location = 'data:text/html,<h1>evil</h1>'",
    "the source view": "location = 'view-source:{evil}'",
    "an inner page": "location = 'chrome://gpu'",
    "another program": "location = 'evil-program:do'",
    "our listener": "location = '{listener}'",
}


STOPPED_BY_THE_ENGINE = ("a file", "a data address", "the source view", "an inner page", "another program")


def test_no_trick_leads_the_page_away(site: Site, other_site: Site, open_window: Open) -> None:
    """G2: redirects, scripts, forms, frames, other schemes: nothing arrives and the page stays."""
    evil = other_site.url("/evil", host="localhost")
    site.page("/", "<h1>safe</h1>")
    site.redirect("/redirect", evil)
    window = open_window(site.url(), never_ports=(9,))
    window.wait(PageLoaded)
    stopped = 0
    for name, code in TRICKS.items():
        window.run_in_page(code.replace("{evil}", evil).replace("{listener}", "http://127.0.0.1:9/callback"))
        if name in STOPPED_BY_THE_ENGINE:
            window.run_in_page(f"fetch('/after').then(() => {{ document.title = 'after {name}' }})")
            window.do("wait", text=f"after {name}")
        else:
            stopped += 1
            window.wait_count(Blocked, stopped)
        window.do("wait", css="h1", text="safe")
        assert window.state()["host"] == "127.0.0.1", name
    assert [one.host for one in window.all(Blocked)] == ["localhost"] * 5 + ["127.0.0.1"]
    assert other_site.seen == []


def test_a_plain_link_to_an_allowed_place_works_and_a_foreign_one_is_asked_about(site: Site, open_window: Open) -> None:
    """G2: the rest opens in the system browser after a question; A1: so does the practice system's sign-in."""
    site.page(
        "/",
        "<a id=ours href='/next'>ours</a> <a id=theirs href='https://www.example.com/private?x=1'>theirs</a> "
        "<a id=xero href='https://login.xero.com/identity/connect/authorize'>xero</a>",
    )
    site.page("/next", "<h1>next</h1><a id=back href='/'>back</a>")
    window = open_window(site.url())
    window.do("click", css="#theirs")
    window.do("wait", text="Open www.example.com in your own browser?")
    assert not window.all(OpenedOutside)
    window.do("press", name="Open in browser")
    assert window.wait(OpenedOutside).host == "www.example.com"
    window.do("click", css="#xero")
    assert window.wait(Blocked, lambda one: one.kind == "sign-in").host == "login.xero.com"
    window.do("press", name="Dismiss")
    window.do("click", css="#ours")
    window.do("wait", css="h1", text="next")
    assert window.state()["notice"] == ""


RESOURCES = """
const urls = %s;
let left = urls.length * 6;
const done = () => { left -= 1; if (left <= 0) document.title = 'tried all'; };
for (const url of urls) {
  fetch(url, {mode: 'no-cors'}).then(done, done);
  for (const [tag, name] of [['img', 'src'], ['script', 'src'], ['iframe', 'src'], ['video', 'src']]) {
    const element = document.createElement(tag);
    element.onload = element.onerror = done;
    element[name] = url;
    document.body.append(element);
  }
  const sheet = document.createElement('link');
  sheet.rel = 'stylesheet'; sheet.href = url; sheet.onload = sheet.onerror = done;
  document.head.append(sheet);
  try { navigator.sendBeacon(url, 'x'); } catch (e) { }
  try { new WebSocket(url.replace('http', 'ws')).onerror = () => 0; } catch (e) { }
  try { new EventSource(url).onerror = () => 0; } catch (e) { }
  try { new Worker(url); } catch (e) { }
  try { const x = new XMLHttpRequest(); x.open('POST', url); x.send('x'); } catch (e) { }
}
setTimeout(() => { document.title = 'tried all'; }, 3000);
"""


def test_a_page_reaches_neither_this_pc_nor_our_listener(site: Site, other_site: Site, open_window: Open) -> None:
    """G3: every way of loading something, at every spelling of this PC; the listener sees nothing."""
    port = other_site.port
    urls = [
        "file:///etc/hosts",
        other_site.url("/listener"),
        *(f"http://{host}:{port}/x" for host in ("localhost", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0")),
        f"http://{socket.gethostname()}:{port}/x",
        "http://169.254.169.254/latest/meta-data",
    ]
    site.page("/", "<h1>safe</h1>")
    window = open_window(site.url(), never_ports=(port,))
    window.wait(PageLoaded)
    window.run_in_page(RESOURCES % json.dumps(urls))
    window.do("wait", text="tried all", seconds=20)
    assert other_site.seen == []
    hosts = {one.host for one in window.all(Blocked)}
    assert {"127.0.0.1", "localhost", "::1", "169.254.169.254"} <= hosts
    window.run_in_page("fetch('/own').then(() => { document.title = 'own came' })")
    window.do("wait", text="own came")
    assert "/own" in site.seen


PERMISSIONS = """
const results = {};
const tries = {
  geolocation: () => new Promise((ok, no) => navigator.geolocation.getCurrentPosition(ok, no)),
  camera: () => navigator.mediaDevices.getUserMedia({video: true}),
  microphone: () => navigator.mediaDevices.getUserMedia({audio: true}),
  both: () => navigator.mediaDevices.getUserMedia({audio: true, video: true}),
  screen: () => navigator.mediaDevices.getDisplayMedia({video: true}),
  notifications: () => Notification.requestPermission().then(said => { if (said !== 'granted') throw said; }),
  clipboard: () => navigator.clipboard.readText(),
  fonts: () => window.queryLocalFonts().then(list => { if (!list.length) throw 'none'; }),
  files: () => window.showSaveFilePicker(),
  pointer: () => document.body.requestPointerLock(),
  usb: () => navigator.usb.requestDevice({filters: []}),
  serial: () => navigator.serial.requestPort(),
  midi: () => navigator.requestMIDIAccess({sysex: true}),
};
document.body.addEventListener('click', async () => {
  await Promise.all(Object.entries(tries).map(async ([name, act]) => {
    try {
      await Promise.race([act(), new Promise((_, no) => setTimeout(() => no('no answer'), 4000))]);
      results[name] = 'granted';
    } catch (error) { results[name] = 'refused'; }
  }));
  document.title = JSON.stringify(results);
}, {once: true});
"""


def test_every_permission_is_refused_and_none_is_stored(site: Site, open_window: Open, home: Path) -> None:
    """G5: asked from a click, so that only our answer stands between the page and the thing."""
    site.page("/", "<h1 id=here>safe</h1><p style='height:300px'>room")
    window = open_window(site.url())
    window.wait(PageLoaded)
    window.run_in_page(PERMISSIONS)
    window.do("click", css="#here")
    window.do("wait", text='"geolocation"')
    said = json.loads(window.state()["page_title"])
    assert len(said) == 13
    assert set(said.values()) == {"refused"}
    asked = {one.reason for one in window.all(Blocked) if one.kind == "permission"}
    assert {"Geolocation", "Notifications"} <= {reason.rsplit(" ", 1)[-1].rstrip(".") for reason in asked}
    assert not [path for path in (home / "profile").rglob("*") if path.is_file()]


def test_a_hundred_popups_without_a_click_open_nothing(site: Site, open_window: Open) -> None:
    """G7: only from a click."""
    site.page("/", "<h1>safe</h1>")
    site.page("/popup", "<h1>popup</h1>")
    window = open_window(site.url())
    window.wait(PageLoaded)
    window.run_in_page("for (let i = 0; i < 100; i++) window.open('/popup?' + i); document.title = 'tried'")
    window.do("wait", text="tried")
    assert window.state()["tabs"] == 1
    assert "/popup" not in site.seen


def test_a_click_opens_one_further_page_at_most_and_it_has_no_opener(site: Site, other_site: Site, open_window: Open) -> None:
    """G7: at most one, the same allow-list, no opener."""
    site.page(
        "/",
        "<button id=many onclick=\"for (let i = 0; i < 100; i++) window.open('/popup?' + i)\">many</button> "
        "<a id=evil target=_blank href='{}'>evil</a>".format(other_site.url("/evil", host="localhost")),
    )
    site.page("/popup", "<h1>popup</h1><script>document.title = 'opener ' + (window.opener === null)</script>")
    window = open_window(site.url())
    window.do("click", css="#many")
    window.do("wait", text="opener true")
    assert window.state()["tabs"] == 2
    window.run_in_page("window.close()")
    window.run_in_page("document.title = 'still here'; window.close()")
    window.do("wait", css="#evil")
    window.do("click", css="#evil")
    window.do("wait", text="may not open")
    assert other_site.seen == []


def test_there_is_no_channel_from_the_page_into_the_window(site: Site, open_window: Open) -> None:
    """G8: the page's own world has no transport, and our scripts leave nothing there."""
    site.page(
        "/", "<h1>safe</h1><script>document.title = [typeof qt, typeof QWebChannel, typeof chrome?.webview].join(' ')</script>"
    )
    window = open_window(site.url())
    window.do("wait", text="undefined undefined")


def test_a_page_that_breaks_its_own_tools_does_not_fool_our_scripts(site: Site, open_window: Open) -> None:
    """G9: ours run in a world of their own; a flood of text is cut."""
    site.page("/", "<h1 id=h>true words</h1><pre id=flood></pre>")
    window = open_window(site.url())
    window.wait(PageLoaded)
    window.run_in_page(
        "JSON.stringify = () => 'false'; Array.from = () => [];"
        "document.querySelector = () => null; document.querySelectorAll = () => [];"
        "Object.defineProperty(HTMLElement.prototype, 'innerText', {get: () => 'false words'});"
        "document.getElementById('flood').textContent = 'x'.repeat(10000000)"
    )
    assert window.do("read", css="#h") == "true words"
    assert len(window.do("read", css="#flood")) == 100_000


def test_nothing_of_a_visit_is_left_behind_or_carried_over(site: Site, open_window: Open, home: Path) -> None:
    """G10: the profile is off the record: a second window knows nothing of the first, and the disk holds nothing."""
    site.page(
        "/land",
        "<h1>in</h1><script>localStorage.setItem('k', 'canary-store-5519');"
        "document.cookie = 'p=canary-page-5519; max-age=9999'</script>",
        headers=(("Set-Cookie", "s=canary-cookie-5519; Max-Age=99999"),),
    )
    site.page("/again", "<script>document.title = 'kept:' + localStorage.getItem('k') + document.cookie</script>")
    window = open_window(site.url("/land?t=canary-link-5519"))
    window.wait(PageLoaded)
    window.run_in_page("fetch('/cookie-check').then(() => { document.title = 'checked' })")
    window.do("wait", text="checked")
    assert "canary-cookie-5519" in site.headers["/cookie-check"]["Cookie"]
    window.process.ask_to_close()
    assert window.process.wait_closed(15)
    second = open_window(site.url("/again"))
    second.do("wait", text="kept:null")
    assert "Cookie" not in site.headers["/again"]
    second.process.ask_to_close()
    assert second.process.wait_closed(15)
    assert window.wait(Closed).exit_code == 0
    holding = [path for path in home.rglob("*") if path.is_file() and b"5519" in path.read_bytes()]
    assert holding == []


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's /proc")
def test_every_process_of_the_engine_is_locked_in_and_knows_no_secret(
    site: Site, open_window: Open, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """G12, G11, A24: command lines, environments and the kernel's own word on the sandbox."""
    monkeypatch.setenv("ICONNECT_CANARY", "canary-env-5519")
    site.page("/land", "<h1>in</h1>")
    window = open_window(site.url("/land?t=canary-link-5519"), demo_as_root_unsandboxed=True)
    assert window.wait(Opened).sandboxed, "the switch counts for root alone"
    window.wait(PageLoaded)
    top = window.process.pid
    assert top is not None
    family = [top, *children_of(top)]
    assert len(family) >= 3
    for pid in family:
        line = command_line(pid)
        for word in ("no-sandbox", "remote-debugging", "canary", "J004521", "Kestrel"):
            assert word not in line.replace("--no-zygote-sandbox", ""), line
        # Chromium's locked-in processes can't be looked into even by root.
        try:
            environ = Path(f"/proc/{pid}/environ").read_bytes()
        except PermissionError:
            continue
        assert b"canary" not in environ
    status = Path(f"/proc/{window.state()['renderer_pid']}/status").read_text("ascii")
    assert "Seccomp:\t2" in status
    assert "NoNewPrivs:\t1" in status


def test_hostile_switches_in_the_environment_do_nothing(site: Site, home: Path) -> None:
    """G14, G12: even where they reach the window's own process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    site.page("/", "<h1>safe</h1>")
    environ = base_environment(
        home,
        PYTHONPATH=str(Path(__file__).parents[2]),
        QTWEBENGINE_REMOTE_DEBUGGING=str(port),
        QTWEBENGINE_CHROMIUM_FLAGS=f"--no-sandbox --disable-web-security --remote-debugging-port={port}",
        QTWEBENGINE_DISABLE_SANDBOX="1",
    )
    process = OrderWindowProcess(popen_options={"env": environ, **ordinary_user()})
    window = Window(process, home)
    process.start(
        OrderWindowStart(
            link=site.url(),
            matter_number="J1",
            hosts=("127.0.0.1",),
            profile_folder=str(home / "profile"),
            download_folder=str(home / "profile" / "downloads"),
            software_rendering=True,
            automation=True,
        ),
        window.heard,
    )
    try:
        window.wait(PageLoaded)
        with socket.socket() as probe:
            probe.settimeout(2)
            assert probe.connect_ex(("127.0.0.1", port)) != 0
        pid = process.pid
        assert pid is not None
        for one in children_of(pid):
            line = command_line(one).replace("--no-zygote-sandbox", "")
            assert "no-sandbox" not in line
            assert "web-security" not in line
            assert str(port) not in line
    finally:
        process.ask_to_close()
        assert process.wait_closed(15)


@pytest.mark.skipif(not AS_ROOT, reason="only root can be refused for being root")
def test_root_is_refused_with_a_sentence(site: Site, home: Path) -> None:
    """G12: no silent way round the sandbox."""
    process = OrderWindowProcess(environ=base_environment(home))
    window = Window(process, home)
    process.start(
        OrderWindowStart(
            link=site.url(), matter_number="J1", profile_folder=str(home / "profile"), download_folder=str(home / "profile" / "d")
        ),
        window.heard,
    )
    assert "does not run as root" in window.wait(Crashed).reason
    assert window.wait(Closed).exit_code == 77
    assert site.seen == []


def test_a_flood_of_message_boxes_is_cut_off(site: Site, open_window: Open) -> None:
    """G9: four in twenty seconds, then no more."""
    site.page("/", "<h1>safe</h1>")
    window = open_window(site.url())
    window.wait(PageLoaded)
    window.run_in_page("setTimeout(() => { for (let i = 0; i < 50; i++) alert('<b>' + i + '</b>'); document.title = 'over' }, 50)")
    for _box in range(4):
        window.do("press", name="OK")
    window.do("wait", text="over")
    assert any("one message box after another" in one.reason for one in window.all(Blocked))


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_the_window_outlives_its_page_ten_times(site: Site, open_window: Open) -> None:
    """G18, G15: the page's process is killed; each time a notice and a way on."""
    site.page("/", "<h1>safe</h1>")
    window = open_window(site.url())
    for _time in range(10):
        window.do("wait", css="h1", text="safe")
        os.kill(window.state()["renderer_pid"], 9)
        window.do("wait", text="The page has stopped working")
        window.do("press", name="Load the page again")
    window.do("wait", css="h1", text="safe")
    assert len([one for one in window.all(Crashed) if one.where == "page"]) == 10
    assert window.process.is_running


def test_a_page_that_hangs_can_be_stopped_and_loaded_again(site: Site, open_window: Open) -> None:
    """G18: an endless loop in the page."""
    site.page("/", "<h1>safe</h1>")
    window = open_window(site.url(), hang_timeout_seconds=1)
    window.do("wait", css="h1", text="safe")
    window.run_in_page("setTimeout(() => { while (true); }, 50)")
    window.wait(Crashed, lambda one: one.where == "hang")
    assert window.state()["headline"] == "The page does not answer"
    window.do("press", name="Stop it and load again")
    window.do("wait", css="h1", text="safe")
