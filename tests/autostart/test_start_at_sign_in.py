"""Starting with the person: read as the systems read it, and switched in both directions whoever switched it before."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from desktop import autostart
from desktop.autostart import Hive, is_decided_for_everybody, linux_entry, set_autostart, starts_at_sign_in
from desktop.places import Places
from desktop.profile_desk import ProfileDesk
from desktop.services.desk import ActionFailed

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the entries of Linux desktops")

RUN = r"Software\Microsoft\Windows\CurrentVersion\Run"
APPROVED = r"Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run"
ON = bytes([2]) + bytes(11)
ON_AGAIN = bytes([6]) + bytes(11)
OFF = bytes([3, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8])
EVERYBODYS = '"C:\\Program Files\\iConnect\\iConnect-Tray.exe"'

ENTRY = "[Desktop Entry]\nType=Application\nName=iConnect\nExec=/usr/bin/iconnect\n"


# ---- Linux ----------------------------------------------------------------------------------------------------------------------


@dataclass
class Home:
    environment: dict[str, str]
    own: Path
    everybodys: Path

    def starts(self) -> bool:
        return starts_at_sign_in(self.environment)

    def put(self, place: Path, *lines: str) -> None:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(ENTRY + "".join(f"{line}\n" for line in lines))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    environment = {"HOME": str(tmp_path / "home"), "XDG_CONFIG_DIRS": f"{tmp_path / 'nothing'}:{tmp_path / 'etc'}"}
    return Home(environment, linux_entry(environment), tmp_path / "etc" / "autostart" / "iconnect.desktop")


@linux
def test_it_is_switched_on_and_off(home: Home) -> None:
    assert not home.starts()
    set_autostart(True, home.environment)
    assert home.starts()
    set_autostart(True, home.environment)
    assert home.starts()
    set_autostart(False, home.environment)
    assert not home.starts()
    assert not home.own.exists()


@linux
@pytest.mark.parametrize("line", ["Hidden=true", "X-GNOME-Autostart-enabled=false", "Hidden = true"])
def test_an_entry_that_a_desktop_switched_off_is_off_and_can_be_switched_on(line: str, home: Home) -> None:
    home.put(home.own, line)
    assert not home.starts()
    set_autostart(True, home.environment)
    assert home.starts()


@linux
@pytest.mark.parametrize(
    "lines",
    [
        ("Hidden=false",),
        ("X-GNOME-Autostart-enabled=true",),
        ("#Hidden=true",),
        ("[Desktop Action Quit]", "Hidden=true"),
        ("Comment=Hidden=true",),
    ],
)
def test_only_the_entrys_own_keys_count(lines: tuple[str, ...], home: Home) -> None:
    home.put(home.own, *lines)
    assert home.starts()


@linux
def test_what_it_started_for_everybody_a_person_can_switch_off_and_on_again(home: Home) -> None:
    home.put(home.everybodys)
    assert home.starts()
    set_autostart(False, home.environment)
    assert not home.starts()
    assert "Hidden=true" in home.own.read_text().splitlines()
    set_autostart(True, home.environment)
    assert home.starts()
    assert not home.own.exists(), "a file of theirs would hide a later change for everybody"


@linux
def test_what_is_hidden_for_everybody_a_person_can_still_have(home: Home) -> None:
    home.put(home.everybodys, "Hidden=true")
    assert not home.starts()
    set_autostart(True, home.environment)
    assert home.starts()
    set_autostart(False, home.environment)
    assert not home.starts()


@linux
def test_the_entry_is_one_that_the_desktops_own_tools_accept(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(autostart, "command", lambda: ["/opt/a folder/100% ours/$iconnect", "-m", "desktop"])
    set_autostart(True, home.environment)
    line = next(line for line in home.own.read_text().splitlines() if line.startswith("Exec="))
    value = line.removeprefix("Exec=").replace("\\\\", "\\").replace("%%", "%")
    assert shlex.split(value.replace("\\$", "$")) == ["/opt/a folder/100% ours/$iconnect", "-m", "desktop"]
    assert '"/opt/a folder/100%% ours/\\\\$iconnect"' in line
    checker = shutil.which("desktop-file-validate")
    if checker:
        done = subprocess.run([checker, str(home.own)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


# ---- Windows --------------------------------------------------------------------------------------------------------------------


@dataclass
class FakeRegistry:
    """Two hives in memory; a person may write to their own alone."""

    values: dict[tuple[Hive, str, str], str | bytes] = field(default_factory=dict)

    def read(self, hive: Hive, key: str, name: str) -> str | bytes | None:
        return self.values.get((hive, key, name))

    def write(self, key: str, name: str, value: str) -> None:
        self.values["person", key, name] = value

    def delete(self, key: str, name: str) -> None:
        self.values.pop(("person", key, name), None)


def test_the_persons_entry_is_made_and_removed() -> None:
    registry = FakeRegistry()
    assert not starts_at_sign_in({}, registry)
    set_autostart(True, {}, registry)
    assert starts_at_sign_in({}, registry)
    assert not is_decided_for_everybody(registry)
    set_autostart(False, {}, registry)
    assert registry.values == {}


@pytest.mark.parametrize(("remembered", "starts"), [(ON, True), (ON_AGAIN, True), (OFF, False), (b"", True)])
@pytest.mark.parametrize("hive", ["person", "machine"])
def test_what_task_manager_switched_off_is_off(hive: Hive, remembered: bytes, starts: bool) -> None:
    registry = FakeRegistry({(hive, RUN, "iConnect"): EVERYBODYS, (hive, APPROVED, "iConnect"): remembered})
    assert starts_at_sign_in({}, registry) is starts


def test_switching_it_on_here_forgets_that_task_manager_switched_it_off() -> None:
    registry = FakeRegistry({("person", RUN, "iConnect"): EVERYBODYS, ("person", APPROVED, "iConnect"): OFF})
    set_autostart(True, {}, registry)
    assert starts_at_sign_in({}, registry)


def test_what_the_setup_switched_on_for_everybody_is_on_and_not_the_persons_to_switch_off() -> None:
    """The setup's default is «yes», the settings file's is «no»: what the PC does counts."""
    registry = FakeRegistry({("machine", RUN, "iConnect"): EVERYBODYS})
    assert starts_at_sign_in({}, registry)
    assert is_decided_for_everybody(registry)
    with pytest.raises(OSError, match="everybody"):
        set_autostart(False, {}, registry)
    set_autostart(True, {}, registry)
    assert list(registry.values) == [("machine", RUN, "iConnect")], "started twice at each sign-in"


def test_what_an_administrator_switched_off_for_everybody_a_person_can_have() -> None:
    registry = FakeRegistry({("machine", RUN, "iConnect"): EVERYBODYS, ("machine", APPROVED, "iConnect"): OFF})
    assert not is_decided_for_everybody(registry)
    set_autostart(True, {}, registry)
    assert starts_at_sign_in({}, registry)


def test_the_program_without_a_console_is_what_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "iconnect.exe"))
    assert autostart.command() == [str(tmp_path / "iconnect.exe")]
    (tmp_path / "iConnect-Tray.exe").touch()
    assert autostart.command() == [str(tmp_path / "iConnect-Tray.exe")]


# ---- the settings' door ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def door(tmp_path: Path, home: Home, monkeypatch: pytest.MonkeyPatch) -> ProfileDesk:
    for name in ("HOME", "XDG_CONFIG_DIRS"):
        monkeypatch.setitem(os.environ, name, home.environment[name])
    monkeypatch.delitem(os.environ, "XDG_CONFIG_HOME", raising=False)
    platform = tmp_path / "platform.toml"
    platform.write_text('[practice]\nsystem = "xero-practice-manager"\n')
    return ProfileDesk(str(platform), Places(tmp_path / "profile", explicit=True))


@linux
def test_the_settings_show_what_the_pc_does_and_switch_it(door: ProfileDesk, home: Home) -> None:
    import dataclasses

    home.put(home.everybodys)
    values = door.load().values
    assert values.start_at_sign_in, "it starts, so the settings must not say that it does not"
    door.save(dataclasses.replace(values, start_at_sign_in=False))
    assert not home.starts()
    assert not door.load().values.start_at_sign_in


def test_what_is_decided_for_everybody_is_locked_in_the_settings(door: ProfileDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """I12: set by the firm's IT, and shown so."""
    monkeypatch.setattr(autostart, "is_decided_for_everybody", lambda: True)
    assert "start_at_sign_in" in door.load().locked


@linux
def test_a_file_that_can_not_be_written_is_said_in_words(door: ProfileDesk, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    import dataclasses

    values = door.load().values

    def refused(wanted: bool) -> None:
        raise OSError(13, "Permission denied")

    monkeypatch.setattr(autostart, "set_autostart", refused)
    with pytest.raises(ActionFailed, match=r"The settings are stored; .*Permission denied"):
        door.save(dataclasses.replace(values, start_at_sign_in=True, notifications="none"))
    assert door.notices_wanted() == "none", "what is stored counts from now on"
    assert door.load().values.notifications == "none"
