"""The bundle for support, made by the real program: complete, small, quick, and without anything personal."""

from __future__ import annotations

import json
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commands.installation import DONE, NEEDS_PERSON, Installation

NewPc = Callable[[], Installation]

CANARIES = ("Whitlow-Margaret", "12/RP90017", "canary@firm.example", "CANARYSECRET0123456789abcdefghijklmnopqrstuvwxyz")


def contents(file: Path) -> dict[str, str]:
    with zipfile.ZipFile(file) as packed:
        assert packed.testzip() is None
        return {name: packed.read(name).decode() for name in packed.namelist()}


@pytest.fixture
def planted(new_pc: NewPc, tmp_path: Path) -> Installation:
    """A profile with personal values wherever a person or a vendor can put them, in the log and in a crash report, too."""
    pc = new_pc()
    text = pc.world.sandbox.platform_file.read_text()
    pc.platform = tmp_path / "platform.toml"
    assert "\n[xero]\n" in text
    lines = [line for line in text.splitlines() if not line.startswith("client_secret")]
    pc.platform.write_text("\n".join(lines).replace("[xero]", f'[xero]\nclient_secret = "{CANARIES[3]}"', 1))
    pc.done(
        *("results", "add", "--order", "71000123", "--matter", CANARIES[0], "--service", f"Title {CANARIES[0]}"),
        *("--reference", CANARIES[1], "--retailer-fee", "6.00", "--retailer-gst", "0.60"),
    )
    (pc.profile / "logs").mkdir(exist_ok=True)
    (pc.profile / "logs" / "tray.log").write_text(
        f"an old line about {CANARIES[2]} Bearer {CANARIES[3]} http://127.0.0.1/callback?code={CANARIES[3]}\n"
    )
    (pc.profile / "crashes").mkdir(exist_ok=True)
    (pc.profile / "crashes" / "20260105T100000-1.json").write_text('{"error": "ValueError", "where": ["desktop/x.py:1 f"]}')
    return pc


def test_the_bundle_holds_what_support_needs_and_nothing_personal(planted: Installation, tmp_path: Path) -> None:
    """J7: canaries are in the profile and none in the bundle; under 5 MB, under 10 s."""
    file = tmp_path / "bundle.zip"
    began = time.monotonic()
    said = planted.run("diagnostics", str(file))
    assert time.monotonic() - began < 20  # ten, on a machine that has nothing else to do
    assert said.status == DONE, said.err
    assert file.stat().st_size < 5_000_000
    assert file.stat().st_mode & 0o077 == 0
    found = contents(file)
    assert {"about.json", "settings.json", "ledger.json", "files.json", "doctor.json", "logs/tray.log"} <= set(found)
    assert "crashes/20260105T100000-1.json" in found
    everything = "\n".join(found.values()) + said.out + said.err
    for canary in (*CANARIES, str(tmp_path), "71000123"):
        assert canary not in everything.replace(str(file), "")
    ledger = json.loads(found["ledger.json"])
    assert ledger["states"] == {"held": 1}
    assert [(row["order"], row["part"], row["state"]) for row in ledger["unsettled"]] == [("…123", "R", "held")]
    files = json.loads(found["files.json"])
    assert files["ledger.db"] > 0
    assert files["ledger-backups"]["files"] > 0
    settings = json.loads(found["settings.json"])["firm"]
    assert settings["xero"]["client_secret"] == "set"
    assert settings["xero"]["api_url"] == "host 127.0.0.1"
    assert settings["practice"]["system"] == "xero-practice-manager"


def test_what_was_shown_is_what_is_saved(planted: Installation, tmp_path: Path) -> None:
    said = planted.done("diagnostics", str(tmp_path / "bundle.zip"), "--show")
    for name in contents(tmp_path / "bundle.zip"):
        assert f"{name}: " in said.err
    assert '"sqlite"' in said.err


def test_a_crash_is_offered_until_a_bundle_was_made(planted: Installation, tmp_path: Path) -> None:
    reports = planted.profile / "crashes"
    planted.done("diagnostics", str(tmp_path / "bundle.zip"))
    assert [path.name for path in reports.iterdir()] == ["20260105T100000-1.json.seen"]


@pytest.mark.parametrize("damage", ["ledger", "platform", "own", "log"])
def test_it_is_made_also_when_something_is_broken(planted: Installation, tmp_path: Path, damage: str) -> None:
    """J7: the more is broken, the more it is needed."""
    if damage == "ledger":
        (planted.profile / "ledger.db").write_bytes(b"SQLite format 3\x00" + b"\xff" * 8000)
    elif damage == "platform":
        planted.platform = tmp_path / "nowhere.toml"
    elif damage == "own":
        (planted.profile / "settings.json").write_text(f'{{"{CANARIES[0]}": 1}}')
    else:
        (planted.profile / "logs" / "tray.log").write_bytes(b"\xff\xfe\x00" * 900_000)
    file = tmp_path / "bundle.zip"
    said = planted.run("diagnostics", str(file))
    assert said.status == DONE, said.err
    assert "Traceback" not in said.err
    assert CANARIES[0] not in "\n".join(contents(file).values())
    assert file.stat().st_size < 5_000_000


def test_a_folder_that_cannot_be_written_is_said(new_pc: NewPc, tmp_path: Path) -> None:
    said = new_pc().run("diagnostics", str(tmp_path / "nowhere" / "bundle.zip"))
    assert said.status == NEEDS_PERSON
    assert "can't be written" in said.err
