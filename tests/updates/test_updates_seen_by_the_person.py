"""New versions as the person meets them: a real repository on this machine, the real process that looks, the real windows."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import desktop.ui  # noqa: F401  # isort: skip  # before any Qt module

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.ui.first_icon import prepare
from desktop.ui.tray_app import TrayApp
from desktop.ui.update_state import UpdateState, UpdateView, menu_text, notice, words
from desktop.ui.update_watch import UpdateOptions, UpdateWatch, start_setup, usual_options
from desktop.ui.update_window import UpdateWindow
from tests.ui.fake_desk import FakeDesk, connection, status
from tests.ui.fake_settings import FakeSettings
from tests.updates.update_rig import PACKAGE, Mirror, release, served

S = UpdateState

# The process as it is, but for the three facts of the machine that a test decides.
LOOK = """
import sys
from pathlib import Path
import desktop.services.updates.looking as looking
looking.machine_wide_folder = lambda environment: Path({folder!r})
looking.version = lambda name: "1.0.0"
looking.platform_name = lambda platform="": "linux-deb"
looking.main()
"""


@pytest.fixture(scope="session")
def qapp() -> QApplication:
    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    prepare(app)
    return app


class Pc:
    """A PC with its policy, its tray program and what it did."""

    def __init__(self, qapp: QApplication, qtbot: QtBot, tmp_path: Path) -> None:
        self.qapp, self.qtbot, self.tmp = qapp, qtbot, tmp_path
        self.machine = tmp_path / "machine"
        self.machine.mkdir()
        self.desk = FakeDesk()
        self.desk.now_status = status(connection())
        self.started: list[Path] = []
        self.quits: list[bool] = []
        self.notices: list[str] = []
        self.wanted = "errors"
        self.seen: list[UpdateView] = []
        self.refuses: OSError | None = None
        self.in_flight = 0
        self.asked_for_rest: list[str] = []
        self.when_started: Callable[[], None] = lambda: None
        self.app: TrayApp | None = None

    def policy(self, url: str, *, enabled: bool = True) -> None:
        root = self.tmp / "ours" / "site" / "metadata" / "1.root.json"
        text = f'[updates]\nenabled = {str(enabled).lower()}\nurl = "{url}"\nroot = "{root}"\n'
        (self.machine / "policy.toml").write_text(text)

    def _start_setup(self, file: Path) -> None:
        if self.refuses is not None:
            raise self.refuses
        assert file.read_bytes() == PACKAGE + b"1.1.0"
        self.started.append(file)
        self.when_started()

    def _come_to_rest(self) -> int:
        self.asked_for_rest.append(threading.current_thread().name)
        return self.in_flight

    def run(self, *, installs_itself: bool = True, first_ms: int = 3_600_000, command: list[str] | None = None) -> TrayApp:
        options = UpdateOptions(
            self.tmp / "updates",
            command or [sys.executable, "-c", LOOK.format(folder=str(self.machine))],
            {},
            installs_itself=installs_itself,
            start=self._start_setup,
            come_to_rest=self._come_to_rest,
            first_ms=first_ms,
            quiet_check_ms=20,
        )

        def factory(notify: Callable[[], None]) -> FakeDesk:
            self.desk.notify = notify
            return self.desk

        self.app = app = TrayApp(
            self.qapp,
            factory,
            FakeSettings(),
            host_grace_ms=3_600_000,
            notices_wanted=lambda: self.wanted,  # type: ignore[arg-type, return-value]
            updates=options,
        )
        app.tray.notify = self.notices.append  # type: ignore[method-assign, assignment]
        app.quit = lambda: self.quits.append(True)  # type: ignore[method-assign]
        watch = self.watch
        watch.leave.disconnect()
        watch.leave.connect(lambda: app.quit())
        watch.changed.connect(self.seen.append)
        app.start()
        self.qtbot.waitUntil(lambda: app.bridge.status is not None)
        return app

    @property
    def watch(self) -> UpdateWatch:
        assert self.app is not None
        assert self.app._watch is not None
        return self.app._watch

    def window(self) -> UpdateWindow:
        assert self.app is not None
        self.app.choose("updates")
        found = self.app._updates
        assert found is not None
        return found

    def menu(self) -> list[str]:
        assert self.app is not None
        return [action.text() for action in self.app.tray.menu.actions() if action.text()]

    def until(self, *states: UpdateState) -> UpdateView:
        self.qtbot.waitUntil(lambda: self.watch.view.state in states, timeout=20_000)
        return self.watch.view


@pytest.fixture
def pc(qapp: QApplication, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pc]:
    made = Pc(qapp, qtbot, tmp_path)
    monkeypatch.setattr("desktop.ui.update_watch.machine_wide_folder", lambda environment: made.machine)
    yield made
    if made.app is not None:
        made.app.close()
    QApplication.processEvents()


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Mirror]:
    repository = release(tmp_path / "ours")
    file = tmp_path / "iconnect-1.1.0.deb"
    file.write_bytes(PACKAGE + b"1.1.0")
    repository.publish("linux-deb", "1.1.0", file, "Faster.\n<b>Safer.</b>")
    with served(tmp_path / "ours" / "site") as found:
        yield found


# ---- what is seen ---------------------------------------------------------------------------------------------------------------


def test_a_proved_release_is_announced_once_and_installed_when_asked(pc: Pc, mirror: Mirror) -> None:
    """I8, I10: from the look to the setup: nothing before the person asks, and the program leaves for it."""
    pc.policy(mirror.url)
    pc.run(first_ms=10)
    view = pc.until(S.READY)
    assert pc.notices == ["iConnect 1.1.0 is ready. Install it from the menu when it suits you."]
    assert "Install iConnect 1.1.0…" in pc.menu()
    assert pc.menu()[-1] == "Quit"
    assert pc.started == []
    window = pc.window()
    assert window.notes.toPlainText() == view.notes == "Faster.\n<b>Safer.</b>"
    assert window.heading.text() == "iConnect 1.1.0 is ready"
    window.install_button.click()
    pc.until(S.STARTED)
    assert len(pc.started) == 1
    pc.qtbot.waitUntil(lambda: pc.quits == [True])
    assert len(pc.notices) == 1


def test_looking_again_does_not_announce_or_download_again(pc: Pc, mirror: Mirror) -> None:
    pc.policy(mirror.url)
    pc.run()
    pc.watch.look()
    pc.until(S.READY)
    asked = len(mirror.asked)
    pc.watch.look()
    pc.qtbot.waitUntil(lambda: len(mirror.asked) > asked and pc.watch._process is None)
    assert pc.watch.view.state is S.READY
    assert len(pc.notices) == 1
    assert sum(path.endswith(".deb") for path in mirror.asked) == 1


def test_the_notice_leads_to_the_window(pc: Pc, mirror: Mirror) -> None:
    pc.policy(mirror.url)
    app = pc.run()
    pc.watch.look()
    pc.until(S.READY)
    app.tray.notice_clicked.emit()
    assert app._updates is not None
    assert app._updates.isVisible()


def test_who_wants_no_notices_finds_it_in_the_menu(pc: Pc, mirror: Mirror) -> None:
    pc.wanted = "none"
    pc.policy(mirror.url)
    pc.run()
    pc.watch.look()
    pc.until(S.READY)
    assert pc.notices == []
    assert "Install iConnect 1.1.0…" in pc.menu()


def test_where_a_package_manager_installs_nothing_is_downloaded_and_nobody_is_asked_to_act(pc: Pc, mirror: Mirror) -> None:
    """I12: Debian: the firm's own tool installs."""
    pc.policy(mirror.url)
    pc.run(installs_itself=False)
    pc.watch.look()
    pc.until(S.OFFERED)
    assert pc.notices == ["iConnect 1.1.0 is out. Whoever looks after this PC installs it; there is nothing for you to do."]
    window = pc.window()
    assert "package manager" in window.text.text()
    assert not window.install_button.isVisible()
    assert not [path for path in mirror.asked if path.endswith(".deb")]


def test_progress_is_shown_while_it_is_downloaded(pc: Pc, tmp_path: Path) -> None:
    large = b"a release of some megabytes " * 200_000
    release(tmp_path / "ours", "1.1.0", package=large)
    with served(tmp_path / "ours" / "site") as mirror:
        pc.policy(mirror.url)
        pc.run()
        pc.watch.look()
        pc.until(S.READY)
    fetching = [view for view in pc.seen if view.state is S.FETCHING]
    done = [view.done for view in fetching]
    assert len(done) > 3
    assert done == sorted(done)
    window = pc.window()
    window.show_view(fetching[2])
    assert window.progress.isVisibleTo(window)
    assert 0 < window.progress.value() < 100


# ---- never in the middle of a send ---------------------------------------------------------------------------------------------


def test_a_send_that_runs_is_waited_for(pc: Pc, mirror: Mirror) -> None:
    """I10: asked for in the middle of a send: it begins when that is done, by itself."""
    pc.policy(mirror.url)
    pc.run()
    pc.watch.look()
    pc.until(S.READY)
    pc.in_flight = 1
    pc.watch.install()
    pc.until(S.WAITING)
    window = pc.window()
    assert "Something is being sent at this moment" in window.text.text()
    pc.qtbot.wait(200)
    assert pc.started == []
    assert pc.quits == []
    pc.in_flight = 0
    pc.until(S.STARTED)
    assert len(pc.started) == 1


def test_what_waits_can_be_taken_back(pc: Pc, mirror: Mirror) -> None:
    """I10."""
    pc.policy(mirror.url)
    pc.run()
    pc.watch.look()
    pc.until(S.READY)
    pc.in_flight = 1
    pc.watch.install()
    pc.until(S.WAITING)
    pc.window().not_yet_button.click()
    assert pc.watch.view.state is S.READY
    pc.in_flight = 0
    pc.qtbot.wait(150)
    assert pc.started == []


def test_a_window_that_opens_while_the_setup_starts_keeps_it_from_quitting(pc: Pc, mirror: Mirror) -> None:
    """I10: the desktop asks for an administrator, and meanwhile a person begins to order: the window is not closed under them."""
    pc.policy(mirror.url)
    pc.run()
    pc.watch.look()
    pc.until(S.READY)

    def opens_a_window() -> None:
        pc.in_flight = 1

    pc.when_started = opens_a_window
    pc.watch.install()
    pc.until(S.STARTED)
    looks = len(pc.asked_for_rest)
    pc.qtbot.waitUntil(lambda: len(pc.asked_for_rest) > looks + 2)
    assert pc.quits == []
    assert "no order window is open" in pc.window().text.text()
    pc.in_flight = 0
    pc.qtbot.waitUntil(lambda: pc.quits == [True])
    assert len(pc.started) == 1


def test_what_is_in_flight_is_asked_of_whoever_sends_and_off_the_windows_thread(pc: Pc, mirror: Mirror) -> None:
    """I10: the deliveries rest while the setup begins; a status of a moment ago is no permission."""
    pc.policy(mirror.url)
    pc.run()
    pc.watch.look()
    pc.until(S.READY)
    assert pc.asked_for_rest == []
    pc.watch.install()
    pc.qtbot.waitUntil(lambda: pc.quits == [True])
    # Before the setup starts, and once more before the program leaves for it.
    assert len(pc.asked_for_rest) == 2
    assert threading.main_thread().name not in pc.asked_for_rest


def test_the_tray_gives_the_rest_of_its_own_deliveries(tmp_path: Path) -> None:
    """I10: what `iconnect quit --when-idle` asks, and while nobody has said how, nothing counts as at rest."""
    assert usual_options(tmp_path, lambda: 7).come_to_rest() == 7
    assert UpdateOptions(tmp_path, (), {}, installs_itself=True).come_to_rest() > 0


def test_what_was_changed_since_it_was_proved_is_not_started(pc: Pc, mirror: Mirror) -> None:
    """I8: the package in the person's folder is replaced after the notice; the one that is installed is the maker's."""
    pc.policy(mirror.url)
    pc.run()
    pc.watch.look()
    file = Path(pc.until(S.READY).file)
    file.write_bytes(b"E" * file.stat().st_size)
    mirror.instead = lambda path: (404, b"", 0) if path.endswith(".deb") else None
    pc.watch.install()
    view = pc.until(S.PROBLEM)
    assert view.refused
    assert pc.started == []
    assert pc.quits == []


# ---- failures in plain words ---------------------------------------------------------------------------------------------------


def test_off_by_policy_is_said_and_nothing_is_asked_of_the_network(pc: Pc, mirror: Mirror) -> None:
    """I12: no policy, and one that says no."""
    pc.run()
    window = pc.window()
    pc.until(S.OFF)
    assert "whoever looks after it installs them" in window.text.text()
    assert str(pc.machine / "policy.toml") not in window.heading.text()
    pc.policy(mirror.url, enabled=False)
    pc.watch.look()
    pc.qtbot.wait(100)
    assert pc.until(S.OFF).problem == ""
    assert mirror.asked == []
    assert pc.notices == []
    assert "Updates" in pc.menu()


def test_a_wrong_policy_names_its_file(pc: Pc) -> None:
    """I12."""
    (pc.machine / "policy.toml").write_text("[updates]\nenabled = 1\n")
    pc.run()
    pc.watch.look()
    assert "policy.toml" in pc.until(S.PROBLEM).problem
    assert "policy.toml" in pc.window().text.text()


def test_a_repository_in_hostile_hands_is_told_and_the_program_goes_on(pc: Pc, mirror: Mirror, tmp_path: Path) -> None:
    """I8: a frozen state, as the person meets it."""
    release(tmp_path / "old", "1.0.5", now=datetime.now(UTC) - timedelta(days=40))
    mirror.folder = tmp_path / "old" / "site"
    pc.policy(mirror.url)
    pc.run()
    pc.watch.look()
    view = pc.until(S.PROBLEM)
    assert view.refused
    text = pc.window().text.text()
    assert "Nothing was installed" in text
    assert "Tell whoever looks after this PC" in text
    assert pc.notices == []
    assert pc.quits == []


def test_a_server_that_is_away_is_told_and_asked_again(pc: Pc, mirror: Mirror) -> None:
    pc.policy("http://127.0.0.1:9")
    pc.run()
    pc.watch.look()
    view = pc.until(S.PROBLEM)
    assert not view.refused
    assert "looks again tomorrow" in pc.window().text.text()
    pc.policy(mirror.url)
    pc.window().look_button.click()
    pc.until(S.READY)


def test_the_newest_version_is_said_to_be_it(pc: Pc, tmp_path: Path) -> None:
    release(tmp_path / "ours", "0.9.0")
    with served(tmp_path / "ours" / "site") as mirror:
        pc.policy(mirror.url)
        pc.run()
        pc.watch.look()
        pc.until(S.NEWEST)
        assert "newest" in pc.window().text.text()


def test_a_setup_that_does_not_start_leaves_the_program_running(pc: Pc, mirror: Mirror) -> None:
    pc.policy(mirror.url)
    pc.run()
    pc.watch.look()
    pc.until(S.READY)
    pc.refuses = OSError(1223, "The operation was canceled by the user")
    pc.watch.install()
    assert "canceled by the user" in pc.until(S.PROBLEM).problem
    assert pc.quits == []


@pytest.mark.parametrize("command", [["/nowhere/iconnect"], [sys.executable, "-c", "print('no such words')"]])
def test_a_look_that_breaks_is_said(command: list[str], pc: Pc, mirror: Mirror) -> None:
    pc.policy(mirror.url)
    pc.run(command=command)
    pc.watch.look()
    assert "could not look for a new version" in pc.until(S.PROBLEM).problem
    assert pc.watch._process is None


def test_quitting_in_the_middle_of_a_download_leaves_nothing(pc: Pc, mirror: Mirror) -> None:
    mirror.drops = lambda path: path.endswith(".deb")
    pc.policy(mirror.url)
    app = pc.run()
    pc.watch.look()
    pc.qtbot.waitUntil(lambda: any(path.endswith(".deb") for path in mirror.asked), timeout=20_000)
    app.close()
    left = [path.name for path in (pc.tmp / "updates" / "packages").iterdir() if path.name.endswith(".deb")]
    assert left == []


@pytest.mark.parametrize("state", UpdateState)
@pytest.mark.parametrize("installs_itself", [True, False])
def test_every_state_has_its_words(state: UpdateState, installs_itself: bool) -> None:
    view = UpdateView(state, "1.1.0", problem="It failed.", installs_itself=installs_itself)
    title, text = words(view, policy_file="/etc/iconnect/policy.toml", current="1.0.0")
    assert title
    assert text.endswith((".", "…"))
    assert menu_text(view)
    assert bool(notice(view)) is (state is S.READY or (state is S.OFFERED and not installs_itself))


def test_elsewhere_than_on_windows_no_package_is_started(tmp_path: Path) -> None:
    if sys.platform != "win32":
        assert not usual_options(tmp_path, lambda: 0).installs_itself
        with pytest.raises(OSError, match="package manager"):
            start_setup(tmp_path / "x.deb")


def test_a_tray_that_was_given_no_place_for_updates_has_no_entry(qapp: QApplication) -> None:
    app = TrayApp(qapp, lambda notify: FakeDesk(), FakeSettings())
    app.open_updates()
    assert "Updates" not in [action.text() for action in app.tray.menu.actions()]
    app.close()
