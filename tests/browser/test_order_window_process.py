"""Starting the order window's process and talking to it: with a small stand-in for the window, and the rules around it."""

from __future__ import annotations

import ast
import io
import json
import subprocess
import sys
import threading
from datetime import date, timedelta
from pathlib import Path

import pytest

import desktop
from desktop.services import order_process
from desktop.services.errors import NotNow
from desktop.services.order_process import (
    HIDDEN_ARGUMENT,
    SOFTWARE_MARK,
    OrderWindowProcess,
    authorities_from,
    command_for_order_window,
    environment_for_order_window,
    lines_of,
    paints_remotely,
    reason_of_end,
    without_addresses,
)
from desktop.services.order_protocol import (
    MOST_LINE_BYTES,
    AnyEvent,
    Blocked,
    Closed,
    Crashed,
    OpenLink,
    OrderWindowStart,
    PageLoaded,
    line_of,
    read_command,
    read_event,
    read_start,
)
from desktop.ui.browser.environment import drop_engine_switches, engine_flags, may_run_unsandboxed, set_engine_environment
from desktop.ui.browser.patch_level import KNOWN, patch_finding

LINK = "https://search.infotrack.com.au/land?t=c2VjcmV0LWxpbms"


def start_line(folder: Path) -> OrderWindowStart:
    return OrderWindowStart(
        link=LINK,
        matter_number="J1",
        client_name="Kestrel",
        profile_folder=str(folder / "profile"),
        download_folder=str(folder / "downloads"),
    )


class Ear:
    """Hears events; `closed` is set with the last."""

    def __init__(self) -> None:
        self.events: list[AnyEvent] = []
        self.closed = threading.Event()

    def __call__(self, event: AnyEvent) -> None:
        self.events.append(event)
        if isinstance(event, Closed):
            self.closed.set()


def run_stand_in(tmp_path: Path, script: str) -> tuple[OrderWindowProcess, Ear]:
    ear = Ear()
    process = OrderWindowProcess(command=[sys.executable, "-c", script])
    process.start(start_line(tmp_path), ear)
    return process, ear


def test_junk_between_the_events_changes_nothing(tmp_path: Path) -> None:
    """G9: what comes out of the window is data: checked, cut to length, or dropped."""
    script = (
        "import sys; sys.stdin.readline(); o = sys.stdout\n"
        'o.write(\'libva error\\n{"event":"no-such"}\\n{"event":"page-loaded","host":7,"ok":true}\\n[]\\n\\xff\\n\')\n'
        f"o.write('x' * {MOST_LINE_BYTES + 5} + '\\n')\n"
        'o.write(\'{"event":"closed","exit_code":9}\\n\')\n'
        'o.write(\'{"event":"page-loaded","host":"a.example","ok":true,"new":1}\\n\')\n'
        'o.write(\'{"event":"blocked","kind":"popup"}\')'
    )
    _process, ear = run_stand_in(tmp_path, script)
    assert ear.closed.wait(20)
    assert ear.events == [PageLoaded(host="a.example", ok=True), Blocked(kind="popup"), Closed(exit_code=0)]


def test_a_window_that_dies_is_noticed_and_the_next_one_does_without_the_graphics_card(tmp_path: Path) -> None:
    """G15: remembered, when the engine died before it showed a page."""
    process, ear = run_stand_in(tmp_path, "import sys, os; sys.stdin.readline(); os.abort()")
    assert ear.closed.wait(20)
    assert process.wait_closed(5)
    assert not process.is_running
    crashed, closed = ear.events
    assert isinstance(crashed, Crashed)
    assert crashed.where == "process"
    assert isinstance(closed, Closed)
    assert closed.exit_code != 0
    assert (tmp_path / "profile" / SOFTWARE_MARK).exists()
    tell = (
        "import sys, json; s = json.loads(sys.stdin.readline()); "
        "print(json.dumps({'event': 'blocked', 'kind': str(s['software_rendering'])}))"
    )
    _second, second_ear = run_stand_in(tmp_path, tell)
    assert second_ear.closed.wait(20)
    assert second_ear.events[0] == Blocked(kind="True")


def test_a_death_with_another_cause_or_after_a_page_is_not_blamed_on_the_graphics_card(tmp_path: Path) -> None:
    """G15: no falling back without a reason."""
    for script in (
        "import sys, os; sys.stdin.readline(); sys.stderr.write('No usable sandbox!'); sys.stderr.flush(); os._exit(1)",
        "import sys, os; sys.stdin.readline(); os._exit(77)",
        "import sys, os; sys.stdin.readline(); sys.exit(1)",
        'import os; print(\'{"event":"page-loaded","host":"a","ok":true}\', flush=True); os.abort()',
    ):
        _process, ear = run_stand_in(tmp_path, script)
        assert ear.closed.wait(20)
        assert not (tmp_path / "profile" / SOFTWARE_MARK).exists()


def test_nothing_secret_is_on_the_command_line_or_in_the_environment_or_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A24, G11: the link goes through the pipe; our own secrets stay in this process."""
    monkeypatch.setenv("ICONNECT_CANARY", "canary-7261")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "canary-7261")
    monkeypatch.setenv("QTWEBENGINE_CHROMIUM_FLAGS", "--no-sandbox")
    tell = (
        "import sys, json, os\nline = sys.stdin.readline()\n"
        "print(json.dumps({'event': 'blocked', 'kind': 'x', 'reason': repr(sys.argv) + repr(dict(os.environ))}))\n"
        "print(line, file=sys.stderr)\nsys.exit(3)"
    )
    with caplog.at_level("DEBUG"):
        process, ear = run_stand_in(tmp_path, tell)
        assert ear.closed.wait(20)
    told = ear.events[0]
    assert isinstance(told, Blocked)
    for secret in ("c2VjcmV0", "canary-7261", "no-sandbox", "Kestrel"):
        assert secret not in told.reason
        assert secret not in caplog.text
    assert "c2VjcmV0" not in process.last_words()
    assert "c2VjcmV0" not in repr(start_line(tmp_path)) + repr(OpenLink(link=LINK))
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and b"c2VjcmV0" in path.read_bytes()]


def test_a_window_that_can_not_be_started_says_so(tmp_path: Path) -> None:
    process = OrderWindowProcess(command=[str(tmp_path / "missing")])
    with pytest.raises(NotNow, match="could not be started"):
        process.start(start_line(tmp_path), Ear())
    assert not process.is_running


def test_a_failing_listener_does_not_stop_the_pipe(tmp_path: Path) -> None:
    heard: list[AnyEvent] = []
    closed = threading.Event()

    def stumble(event: AnyEvent) -> None:
        heard.append(event)
        if isinstance(event, Closed):
            closed.set()
        raise RuntimeError("planted")

    process = OrderWindowProcess(command=[sys.executable, "-c", 'print(\'{"event":"blocked","kind":"popup"}\')'])
    process.start(start_line(tmp_path), stumble)
    assert closed.wait(20)
    assert [type(event) for event in heard] == [Blocked, Closed]


def test_asking_a_dead_window_does_nothing(tmp_path: Path) -> None:
    process, ear = run_stand_in(tmp_path, "pass")
    assert ear.closed.wait(20)
    process.bring_forward()
    process.ask_to_close()
    process.open_link(LINK)
    process.kill()


def test_the_frozen_program_starts_itself_with_the_hidden_argument(monkeypatch: pytest.MonkeyPatch) -> None:
    assert command_for_order_window() == [sys.executable, "-P", "-m", "desktop.ui.browser"]
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert command_for_order_window() == [sys.executable, HIDDEN_ARGUMENT]
    assert "PYTHONPATH" not in environment_for_order_window({"PYTHONPATH": "/somewhere"})


def test_the_environment_is_an_allow_list() -> None:
    """G14, G11: switches, keyring choices and paths stay behind; what a desktop needs goes along."""
    kept = environment_for_order_window(
        {
            "PATH": "/bin",
            "LC_ALL": "C",
            "XDG_RUNTIME_DIR": "/run/1",
            "https_proxy": "http://proxy:3128",
            "SystemRoot": "C:\\Windows",
            "QTWEBENGINE_REMOTE_DEBUGGING": "9222",
            "QTWEBENGINE_DISABLE_SANDBOX": "1",
            "LD_PRELOAD": "/tmp/x.so",
            "PYTHONSTARTUP": "/tmp/x.py",
            "SSLKEYLOGFILE": "/tmp/keys",
            "ICONNECT_PROFILE": "/tmp/p",
            "PYTHONPATH": "/tmp/hostile",
        }
    )
    assert kept.pop("PYTHONPATH") == str(Path(desktop.__file__).resolve().parent.parent)
    assert kept == {
        "PATH": "/bin",
        "LC_ALL": "C",
        "XDG_RUNTIME_DIR": "/run/1",
        "https_proxy": "http://proxy:3128",
        "SystemRoot": "C:\\Windows",
    }


def test_the_window_drops_every_switch_for_the_engine_and_sets_its_own() -> None:
    """G14, G12: whatever the starting process did."""
    environ = {
        "QTWEBENGINE_CHROMIUM_FLAGS": "--no-sandbox --remote-debugging-port=9222",
        "QTWEBENGINE_REMOTE_DEBUGGING": "9222",
        "QTWEBENGINE_DISABLE_SANDBOX": "1",
        "QTWEBENGINEPROCESS_PATH": "/tmp/evil",
        "QTWEBENGINE_RESOURCES_PATH": "/tmp/evil",
        "CHROME_DEVEL_SANDBOX": "",
        "SSLKEYLOGFILE": "/tmp/keys",
        "LD_PRELOAD": "/tmp/evil.so",
        "HOME": "/home/a",
    }
    dropped = drop_engine_switches(environ)
    assert len(dropped) == 8
    assert environ == {"HOME": "/home/a"}
    set_engine_environment(environ, software_rendering=False, unsandboxed=False, platform="linux")
    assert "sandbox" not in environ["QTWEBENGINE_CHROMIUM_FLAGS"]
    assert "debug" not in environ["QTWEBENGINE_CHROMIUM_FLAGS"]


def test_only_root_and_only_when_asked_runs_unsandboxed() -> None:
    """G12: contracts, section 2: the demo as root."""
    assert may_run_unsandboxed(asked=True, effective_user=0)
    assert not may_run_unsandboxed(asked=False, effective_user=0)
    assert not may_run_unsandboxed(asked=True, effective_user=1000)
    assert not may_run_unsandboxed(asked=True, effective_user=None)
    assert "--no-sandbox" not in engine_flags(software_rendering=True, unsandboxed=False)
    assert "--no-sandbox" in engine_flags(software_rendering=False, unsandboxed=True)


def test_remote_sessions_are_painted_without_the_graphics_card() -> None:
    """G15: RDP and Citrix."""
    assert paints_remotely({"SESSIONNAME": "RDP-Tcp#3"})
    assert paints_remotely({"SESSIONNAME": "ICA-tcp#1"})
    assert not paints_remotely({"SESSIONNAME": "Console"})
    assert not paints_remotely({})


@pytest.mark.parametrize(
    ("code", "words", "part"),
    [
        (1, "FATAL: No usable sandbox!", "user namespaces"),
        (77, "", "root"),
        (127, "x: error while loading shared libraries: libnss3.so", "missing"),
        (-6, "qt.qpa.xcb: could not connect to display", "no screen"),
        (-11, "", "graphics card"),
    ],
)
def test_an_end_is_explained_with_what_to_do(code: int, words: str, part: str) -> None:
    assert part in reason_of_end(code, words)


def test_addresses_are_taken_out_of_what_the_engine_prints() -> None:
    assert without_addresses(f"failed to load {LINK} and blob:https://x/1 done") == "failed to load <address> and <address> done"


def test_lines_that_are_too_long_are_dropped_whole() -> None:
    """G9: a flood of 10 MB."""
    pipe = io.BytesIO(b"a\n" + b"x" * 10_000_000 + b"\nb\n" + b"y" * (MOST_LINE_BYTES - 1) + b"\nc")
    assert [len(line) for line in lines_of(pipe)] == [2, 2, MOST_LINE_BYTES, 1]


def test_a_start_line_is_strict_and_an_error_does_not_repeat_it(tmp_path: Path) -> None:
    assert read_start(line_of(start_line(tmp_path))) == start_line(tmp_path)
    for bad in (
        b"",
        b"{}",
        json.dumps({"link": LINK, "no_such": 1}).encode(),
        line_of(start_line(tmp_path)).replace(b'"hosts"', b'"host"'),
    ):
        with pytest.raises(ValueError, match="can't read") as caught:
            read_start(bad)
        assert "c2VjcmV0" not in str(caught.value)


def test_commands_and_events_are_not_mixed_up() -> None:
    assert read_command(b'{"tell":"do","id":1,"do":"format-disk"}') is None
    assert read_command(b'{"event":"closed"}') is None
    assert read_event(b'{"tell":"close"}') is None
    assert read_event(b"\xff\xfe") is None


def test_certificates_that_it_named_are_read_and_a_missing_file_is_no_error(tmp_path: Path) -> None:
    named = tmp_path / "ca.pem"
    named.write_text("-----BEGIN CERTIFICATE-----\n")
    assert authorities_from({"SSL_CERT_FILE": str(named)}).startswith("-----BEGIN")
    assert authorities_from({"SSL_CERT_FILE": str(tmp_path / "none")}) == ""
    assert authorities_from({}) == ""


def test_the_engine_is_imported_by_its_package_alone() -> None:
    """G11: the tray never loads the browser engine; all of it lives in one package."""
    root = Path(desktop.__file__).parent
    found = set()
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            if any("QtWebEngine" in name for name in names):
                found.add(path.relative_to(root).parent.as_posix())
    assert found == {"ui/browser"}


def test_starting_a_window_loads_neither_the_engine_nor_any_qt() -> None:
    """G11: measured in a fresh process, as the tray imports it."""
    code = "import sys, desktop.services.order_process; print([m for m in sys.modules if 'PySide6' in m or 'requests' in m])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_engine_with_old_patches_fails_the_gate() -> None:
    """G13: more than 30 days behind the list that we keep."""
    day = date(2026, 11, 1)
    known = (("150.0.1.1", day - timedelta(days=60)), ("151.0.1.1", day - timedelta(days=20)), ("152.0.1.1", day))
    assert patch_finding("152.0.1.1", day, known).ok
    assert patch_finding("153.0.0.0", day, known).ok
    assert patch_finding("151.0.1.1", day, known).ok
    assert not patch_finding("151.0.1.0", day, known).ok
    assert not patch_finding("149.9.9.9", day, known).ok
    assert not patch_finding("", day, known).ok
    assert "list ends" in patch_finding("152.0.1.1", day + timedelta(days=200), known).sentence


def test_the_list_of_patch_levels_is_in_order() -> None:
    """G13: so that the newest is the last."""
    assert list(KNOWN) == sorted(KNOWN, key=lambda row: (tuple(map(int, row[0].split("."))), row[1]))


def test_no_web_channel_and_no_remote_debugging_in_the_source() -> None:
    """G8, G14: a gate over the package's text."""
    for path in (Path(desktop.__file__).parent / "ui").rglob("*.py"):
        text = path.read_text("utf-8")
        for word in ("QWebChannel", "setWebChannel", "remote-debugging", "setDevToolsPage", "openIn("):
            assert word not in text, f"{word} in {path.name}"


def test_only_the_environment_module_names_the_sandbox_switch() -> None:
    """G12: one place, guarded by one function."""
    root = Path(order_process.__file__).parent.parent
    naming = {path.name for path in root.rglob("*.py") if '"--no-sandbox"' in path.read_text("utf-8")}
    assert naming == {"environment.py"}
