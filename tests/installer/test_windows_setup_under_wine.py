"""The Windows setup under Wine: install, ask, repair, upgrade while the tray runs, refuse to go back, remove, and what is left."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.installer import wine_pc as pc

PROGRAM = r"C:\Program Files\iConnect"
COMMANDS = rf"{PROGRAM}\iconnect.exe"
RUN = r"Software\Microsoft\Windows\CurrentVersion\Run"
UNINSTALL = r"Software\Microsoft\Windows\CurrentVersion\Uninstall\iConnect"
ELSEWHERE = r"C:\Kanzlei Müller & Söhne\iConnect 東京"
MISSING = pc.lacks(*pc.NEEDED, *pc.SETUPS)

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800), pytest.mark.skipif(bool(MISSING), reason=MISSING)]


class Steps:
    """Says each step and what it took, so that a run is its own record."""

    def __init__(self) -> None:
        self._count = 0
        self._at = time.monotonic()

    def passed(self, words: str) -> None:
        self._count += 1
        now = time.monotonic()
        print(f"step {self._count}: {words} ({now - self._at:.1f} s)", flush=True)
        self._at = now


@pytest.fixture(scope="module")
def setups() -> Iterator[tuple[str, str]]:
    """The setup and the newer one, on drive C, which has no iConnect."""
    assert not pc.here(PROGRAM).exists(), "this PC has an iConnect already"
    older, newer = (pc.laid(Path(os.environ[name]), f"{name}.exe") for name in pc.SETUPS)
    yield older, newer
    for name in pc.SETUPS:
        (pc.drive() / f"{name}.exe").unlink()


def rest_of_line(text: str) -> list[str]:
    """NSIS takes a folder as it stands at the end of the line; a word with blanks in it would come in quotation marks."""
    return text.split(" ")


def remove(folder: str, scope: str, *words: str) -> int:
    """Waits for the uninstaller, which with `_?=` works from where it stands and so leaves itself; gives its status."""
    status = pc.run(rf"{folder}\Uninstall.exe", "/S", scope, *words, *rest_of_line(f"_?={folder}")).status
    if status == 0:
        pc.here(rf"{folder}\Uninstall.exe").unlink()
        pc.here(folder).rmdir()
    return status


def version_of(hive: str) -> str:
    return pc.registry(rf"{hive}\{UNINSTALL}").get("DisplayVersion", "")


def test_the_whole_life_of_an_installation_for_the_whole_pc(setups: tuple[str, str], tmp_path: Path) -> None:
    """I4, I10, I11, I15: per machine, silent, with a platform file; repaired; upgraded while its tray runs; no way back; removed;
    nothing of the program's is left, and the person's queue is as it was."""
    older, newer = setups
    steps = Steps()
    assert pc.run(older, "/S", "/AllUsers", r"/PLATFORM=C:\is-not-there.toml").status == 2
    assert not pc.here(PROGRAM).exists()
    steps.passed("a platform file that is not there stops the setup before anything is changed")
    (pc.drive() / "firm.toml").write_text('[practice]\nsystem = "xero-practice-manager"\n', encoding="ascii")
    assert pc.run(older, "/S", "/AllUsers", r"/PLATFORM=C:\firm.toml").status == 0
    steps.passed("installed, silently, with a platform file")
    assert pc.here(r"C:\ProgramData\iConnect\platform.toml").read_bytes() == (pc.drive() / "firm.toml").read_bytes()
    assert pc.run(COMMANDS, "--version").out.startswith("iConnect, version ")
    checks = {row["check"]: row["verdict"] for row in json.loads(pc.run(COMMANDS, "doctor", "--json").out)}
    assert checks["platform file"] == checks["ledger"] == checks["keyring"] == "ok"
    steps.passed("its doctor finds platform file, ledger and keyring in order")
    json.loads(pc.run(COMMANDS, "status", "--json").out)
    (ledger,) = pc.drive().glob("users/*/AppData/Local/iConnect/ledger.db")

    known = pc.registry(rf"HKLM\{UNINSTALL}")
    assert known["DisplayName"] == known["Publisher"] == "iConnect"
    assert known["InstallLocation"] == PROGRAM
    assert known["QuietUninstallString"] == rf'"{PROGRAM}\Uninstall.exe" /S /AllUsers'
    before = known["DisplayVersion"]
    assert pc.registry(rf"HKLM\{RUN}")["iConnect"] == rf'"{PROGRAM}\iConnect-Tray.exe"'
    scheme = pc.registry(r"HKLM\Software\Classes\iconnect")
    assert (scheme[""], scheme["URL Protocol"]) == ("URL:iConnect", "")
    opened = pc.registry(r"HKLM\Software\Classes\iconnect\shell\open\command")[""]
    assert opened == rf'"{PROGRAM}\iConnect-Tray.exe" --link "%1"'
    assert (pc.here(r"C:\ProgramData\Microsoft\Windows\Start Menu\Programs") / "iConnect.lnk").is_file()
    steps.passed("Apps entry, start at sign-in, iconnect: links and Start menu are as they should be")

    for name in ("iConnect-Tray.exe", "iconnect.exe"):
        program = pc.here(PROGRAM) / name
        data = program.read_bytes()
        assert {14, 16, 24} <= pc.resource_types(program), "icon, version, manifest"
        for words in ("ProductVersion", "CompanyName", "OriginalFilename", name):
            assert words.encode("utf-16-le") in data
        for words in ("PerMonitorV2", "asInvoker", "longPathAware"):
            assert words.encode() in data
    steps.passed("both programs carry icon, version and a manifest that knows screens of different scale")

    stray = pc.here(PROGRAM) / "_internal" / "of-an-older-version.dll"
    stray.write_bytes(b"")
    queue = ledger.read_bytes()
    assert pc.run(older, "/S", "/AllUsers", "/AUTOSTART=0").status == 0
    assert not stray.exists()
    assert ledger.read_bytes() == queue
    assert "iConnect" not in pc.registry(rf"HKLM\{RUN}")
    steps.passed("repaired: a stray part is gone, the queue is as it was, start at sign-in is off as asked")

    with pc.screen() as display, Tray(display, ledger.parent):
        steps.passed("the tray runs")
        assert pc.run(newer, "/S", "/AllUsers").status == 0
        assert not is_running()
        steps.passed("upgraded while the tray ran: it quit by itself, with nothing in flight")
    assert version_of("HKLM") > before
    assert "iConnect" not in pc.registry(rf"HKLM\{RUN}"), "an upgrade keeps what was chosen"
    assert pc.run(COMMANDS, "--version").status == 0
    assert {row["check"]: row["verdict"] for row in json.loads(pc.run(COMMANDS, "doctor", "--json").out)}["ledger"] == "ok"
    steps.passed("the newer one works on the same queue")
    after = version_of("HKLM")
    assert pc.run(older, "/S", "/AllUsers").status == 4
    assert version_of("HKLM") == after
    steps.passed("going back is refused, and nothing is changed")

    queue = ledger.read_bytes()
    assert remove(PROGRAM, "/AllUsers", "/IFDELIVERED") == 0
    left = [path for path in pc.drive().rglob("*[iI][cC]onnect*") if "users" not in path.relative_to(pc.drive()).parts]
    assert sorted(path.name for path in left if path.parent != pc.drive()) == ["iConnect"], left
    assert left[0] == pc.here(r"C:\ProgramData\iConnect") or pc.here(r"C:\ProgramData\iConnect") in left
    assert ledger.read_bytes() == queue
    for key in (UNINSTALL, r"Software\Classes\iconnect", r"Software\Microsoft\Windows\CurrentVersion\App Paths\iconnect.exe"):
        assert pc.registry(rf"HKLM\{key}") == {}
    print(
        "left:", *sorted(str(path.relative_to(pc.drive())) for path in (ledger.parent, *ledger.parent.iterdir(), *left)), sep="\n  "
    )
    steps.passed("removed: the platform file and the person's own folder are what is left")


class Tray:
    """The installed tray, in Wine's own desktop, which has a place for its icon."""

    def __init__(self, display: str, profile: Path) -> None:
        self._display = display
        self._crashes = profile / "crashes"

    def __enter__(self) -> None:
        self._process = subprocess.Popen(
            pc.command("explorer", "/desktop=t,1024x700", rf"{PROGRAM}\iConnect-Tray.exe"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "DISPLAY": self._display},
        )
        pc.until(is_running)
        # What it opens with its desk, and takes away at its end.
        pc.until(lambda: any(self._crashes.glob("*.native")))

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(60)


def is_running() -> bool:
    return "iConnect-Tray.exe" in pc.run("tasklist").out


def test_for_one_person_in_a_folder_of_any_name(setups: tuple[str, str]) -> None:
    """G19, I15: blanks, umlauts and Kanji in the path: the program, its second process, Qt's parts and the certificates are found,
    also after an upgrade in place. /REMOVEDATA takes the person's folder too."""
    older, newer = setups
    steps = Steps()
    (pc.drive() / "firm.toml").write_text('[practice]\nsystem = "xero-practice-manager"\n', encoding="ascii")
    words = ("/S", "/CurrentUser", r"/PLATFORM=C:\firm.toml")
    assert pc.run(older, *words, *rest_of_line(f"/D={ELSEWHERE}")).status == 0
    before = version_of("HKCU")
    steps.passed("installed for one person")
    for setup in (None, newer):
        if setup is not None:
            assert pc.run(setup, "/S", "/CurrentUser").status == 0
            # Not read from the registry: its command writes in an older code page, which has no Kanji.
            assert version_of("HKCU") > before
            assert not list(pc.drive().glob("users/*/AppData/Local/Programs/iConnect"))
            steps.passed("upgraded in place")
        inside = json.loads(pc.run(rf"{ELSEWHERE}\iconnect.exe", "-m", "installer.inside").out)
        assert {"Qt", "Chromium", "SQLite"} <= set(inside)
        steps.passed("Qt, Chromium's library and SQLite are loaded")
        checks = {row["check"]: row for row in json.loads(pc.run(rf"{ELSEWHERE}\iconnect.exe", "doctor", "--json").out)}
        assert checks["ledger"]["verdict"] == checks["keyring"]["verdict"] == checks["SQLite"]["verdict"] == "ok", checks
        steps.passed("its doctor, with the probe as its second process, is content")
        folder = pc.here(ELSEWHERE)
        for part in ("QtWebEngineProcess.exe", "icudtl.dat", "en-US.pak", "en-GB.pak"):
            assert list(folder.rglob(part)), part
        steps.passed("the engine's process, ICU's data and the locales lie in the folder")
    assert pc.registry(rf"HKCU\{RUN}")["iConnect"].endswith('\\iConnect-Tray.exe"')
    (profile,) = pc.drive().glob("users/*/AppData/Local/iConnect")
    assert remove(ELSEWHERE, "/CurrentUser", "/REMOVEDATA") == 0
    assert not profile.exists()
    assert "iConnect" not in pc.registry(rf"HKCU\{RUN}")
    steps.passed("removed, with the person's folder as asked")
