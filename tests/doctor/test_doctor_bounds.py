"""Doctor ends in time whatever hangs, works where half of the PC is broken, and changes nothing that it looks at."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.places import Places
from desktop.services import health
from desktop.services.doctor import check, folders, network, program
from desktop.services.doctor.check import Check, SideBySide, Verdict
from desktop.ui.browser.patch_level import patch_finding
from tests.commands.installation import Installation, until
from tests.doctor.rig import Rig, silence
from tests.doctor.test_planted_faults import healthy, pc, world  # noqa: F401  # fixtures

pytestmark = pytest.mark.journey


def test_with_everything_hanging_it_ends_within_thirty_seconds(pc: Rig) -> None:  # noqa: F811
    """J7: vendors that take calls and say nothing, a keyring whose service is silent, a tray that hangs."""
    pc.vendors(pc.tcp(silence))
    bus = pc.stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
    bus.bind(str(pc.folder / "bus"))
    bus.listen(50)
    pc.environment(DBUS_SESSION_BUS_ADDRESS=f"unix:path={pc.folder}/bus")
    tray = pc.stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
    tray.bind(str(pc.pc.profile / "tray.socket"))
    tray.listen(50)
    began = time.monotonic()
    checks = pc.doctor()
    assert time.monotonic() - began < 30
    failed = {one["check"]: one for one in checks if one["verdict"] == "fail"}
    assert {"running", "Xero tokens reach", "InfoTrack reach", "message feed reach"} <= set(failed)
    assert {"keyring", "sign-ins"} & set(failed)
    assert all(one["cure"] for one in failed.values())
    assert {one["check"] for one in checks if one["verdict"] == "ok"} >= {
        "profile folder",
        "disk room",
        "SQLite",
        "ledger",
        "Chromium",
    }


def test_a_group_that_hangs_is_named_and_costs_no_other() -> None:
    def hangs() -> Iterator[Check]:
        yield Check("first", Verdict.OK, "was done")
        time.sleep(60)

    def breaks() -> Iterator[Check]:
        raise KeyError("canary")

    groups = SideBySide(0.6)
    slow = groups.start("share", hangs, seconds=30, cure="Ask IT.")
    broken = groups.start("other", breaks, seconds=30, cure="Ask IT.")
    assert [(one.name, one.verdict) for one in slow.results()] == [("first", Verdict.OK), ("share", Verdict.FAIL)]
    [told] = broken.results()
    assert "KeyError" in told.message
    assert "canary" not in told.message
    assert check.Verdict.FAIL is told.verdict


def test_the_bundle_s_checks_end_sooner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """J7: made in under ten seconds, also where nothing answers."""
    monkeypatch.setattr(program, "probe", lambda *_: time.sleep(60))
    monkeypatch.setattr(health, "probe", lambda *_: time.sleep(60))
    (tmp_path / "platform.toml").write_text('[practice]\nsystem = "xero-practice-manager"\n')
    began = time.monotonic()
    checks = health.examine(str(tmp_path / "platform.toml"), Places(tmp_path / "p", explicit=True), {"DISPLAY": ":0"}, seconds=3)
    assert time.monotonic() - began < 9
    assert {"screen", "Chromium"} <= {one.name for one in checks if one.verdict is Verdict.FAIL}


def test_without_a_platform_file_the_rest_of_the_pc_is_looked_at(pc: Rig) -> None:  # noqa: F811
    pc.pc.platform = pc.folder / "nowhere.toml"
    names = {one["check"] for one in pc.doctor()}
    assert {"platform file", "profile folder", "disk room", "SQLite", "Chromium", "running", "ledger", "updates"} <= names


def test_with_a_profile_in_ruins_every_part_is_still_told(pc: Rig) -> None:  # noqa: F811
    """J7: the more is broken, the more it is needed."""
    for path in [path for path in pc.pc.profile.rglob("*") if path.is_file()]:
        path.write_bytes(b"\xff\x00ruins" * 999)
    checks = {one["check"]: one["verdict"] for one in pc.doctor()}
    assert checks["ledger"] == "fail"
    assert checks.get("own settings", "fail") == "fail"
    assert checks["InfoTrack login"] == "fail"
    assert {"profile folder", "keyring", "InfoTrack reach"} <= set(checks)


def content(folder: Path) -> dict[str, str]:
    kept = ("logs", "tray.socket", "tray.lock")
    files = [path for path in folder.rglob("*") if path.is_file() and not set(path.relative_to(folder).parts) & set(kept)]
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files if path.suffix == ".db" or ".db" not in path.name
    }


def test_a_damaged_ledger_is_told_of_and_not_touched(pc: Rig) -> None:  # noqa: F811
    """C13: putting it right is the tray's, which says so; doctor only marks the suspicion."""
    path = pc.pc.profile / "ledger.db"
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2 :] = os.urandom(len(whole) - len(whole) // 2)
    path.write_bytes(whole)
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    assert "fail" in {one["verdict"] for one in pc.doctor() if one["check"] == "ledger"}
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before
    assert not list(pc.pc.profile.glob("ledger.db.damaged*"))


def test_it_works_beside_the_running_tray_and_leaves_no_trial_behind(pc: Rig) -> None:  # noqa: F811
    """C10: the tray is neither disturbed nor brought forward."""
    with pc.pc.beside() as tray:
        until(lambda: (pc.pc.profile / "tray.socket").exists(), patience=60)
        until(lambda: {one["check"]: one for one in pc.doctor()}["running"]["message"] == "The tray runs and answers.")
        checks = pc.doctor()
        assert [one for one in checks if one["verdict"] == "fail"] == []
        tray.send_signal(signal.SIGTERM)
        _out, err = tray.communicate(timeout=30)
        assert tray.returncode == 0, err
    assert not list(pc.pc.profile.rglob(".iconnect-check*"))
    assert "trial" not in json.dumps([str(path) for path in pc.pc.profile.rglob("*")])


def test_a_new_pc_gets_no_ledger_from_doctor(pc: Rig) -> None:  # noqa: F811
    new = Installation(pc.pc.world, pc.folder / "new", None, pc.pc.more)
    checks = {one["check"]: one for one in new.run("doctor", "--json").value}
    assert checks["ledger"]["message"].startswith("There is none yet")
    assert not (new.profile / "ledger.db").exists()


@pytest.mark.parametrize(
    ("sqlite", "verdict"),
    [
        ("3.51.2", "fail"),
        ("3.44.5", "fail"),
        ("3.50.6", "fail"),
        ("3.51.3", "ok"),
        ("3.50.7", "ok"),
        ("3.44.6", "ok"),
        ("3.54.1", "ok"),
    ],
)
def test_an_sqlite_that_can_lose_writes_is_told(sqlite: str, verdict: str) -> None:
    """C: told, not loaded: the versions are known from the maker's list of fixes."""
    found = {one.name: one for one in program.libraries(sqlite=sqlite, expat="2.7.1")}
    assert found["SQLite"].verdict.value == verdict
    assert bool(found["SQLite"].cure) == (verdict == "fail")
    assert found["Expat"].verdict is Verdict.OK


def test_an_old_expat_is_noted() -> None:
    """H5."""
    found = {one.name: one for one in program.libraries(expat="2.5.0")}
    assert found["Expat"].verdict is Verdict.NOTE
    assert found["Expat"].cure


def test_an_engine_without_patches_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """G13."""
    from datetime import date

    found = patch_finding("118.0.5993.70", date(2026, 11, 22))
    told = {"ok": found.ok, "version": found.version, "sentence": found.sentence}
    monkeypatch.setattr(program, "probe", lambda what: told if what == "engine" else {})
    [one] = program.browser_engine()
    assert one.verdict is Verdict.FAIL
    assert "118.0.5993.70" in one.message
    assert "Update" in one.cure


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "smb3", "9p", "fuse.sshfs"])
def test_a_profile_on_a_share_is_told(tmp_path: Path, kind: str) -> None:
    """C9: by the operating system's table of mounts, here a made one."""
    mounts = f"overlay / overlay rw 0 0\nserver:/x {tmp_path.resolve()} {kind} rw 0 0\n"
    first = next(folders.profile_folder(tmp_path / "new", {}, mounts))
    assert (first.name, first.verdict) == ("profile folder", Verdict.FAIL)
    assert kind in first.message
    assert "--profile" in first.cure
    assert next(folders.profile_folder(tmp_path, {}, "overlay / overlay rw 0 0\n")).verdict is Verdict.OK


def test_a_wrong_policy_for_updates_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "machine_wide_folder", lambda _: tmp_path)
    for text, says in (
        ("[updates]\nenabled = 'yes'\n", "policy.toml"),
        ('[updates]\nenabled = true\nurl = "http://far.example/"\nroot = "x"\n', "https"),
        ('[updates]\nenabled = true\nurl = "https://far.example/"\nroot = "/nowhere/root.json"\n', "root of trust"),
    ):
        (tmp_path / "policy.toml").write_text(text)
        [told] = health._updates({})
        assert told.verdict is Verdict.FAIL
        assert says in told.message
        assert told.cure


def test_one_host_s_wrong_clock_blames_nobody() -> None:
    assert [one.verdict for one in network.clock([3600.0, 1.0, -2.0])] == [Verdict.OK]
    assert [one.verdict for one in network.clock([])] == []


def test_the_frozen_program_is_its_own_probe() -> None:
    """I: a bundle has no interpreter to start a module with."""
    import desktop.__main__ as main

    assert main.PROBE == program.PROBE
    found = subprocess.run(
        [sys.executable, "-m", "desktop", program.PROBE, "engine"],
        capture_output=True,
        check=True,
    )
    assert json.loads(found.stdout)["version"]
