"""What the Windows setup does in the awkward cases, under Wine, with two little programs in the place of ours: the setup's script
is the real one, and what it is answered is chosen here."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from installer import signing, windows_package
from tests.installer import wine_pc as pc

COMPILER = "x86_64-w64-mingw32-gcc"
TOOLS = ("makensis", COMPILER, "osslsigncode", "openssl")
MISSING = pc.lacks(*pc.NEEDED) or ", ".join(f"needs {tool}" for tool in TOOLS if shutil.which(tool) is None)
FOLDER = r"C:\mini\app"
UNINSTALL = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Uninstall\iConnect"
WAIT = 2

pytestmark = [pytest.mark.long, pytest.mark.timeout(900), pytest.mark.skipif(bool(MISSING), reason=MISSING)]

ANSWERS = r"""
#include <stdio.h>
#include <string.h>
static int told(const char *name) {
    int status = 0;
    FILE *file = fopen(name, "r");
    if (file) { if (fscanf(file, "%d", &status) != 1) status = 0; fclose(file); }
    return status;
}
int main(int count, char **words) {
    if (count > 1 && !strcmp(words[1], "quit")) {
        int status = told("C:\\mini\\quit");
        FILE *file = fopen("C:\\mini\\asked", "w");
        for (int i = 1; i < count; i++) fprintf(file, "%s ", words[i]);
        fclose(file);
        if (status == 0) { file = fopen("C:\\mini\\leave", "w"); fclose(file); }
        puts(status == 1 ? "busy: 2 in flight" : "quitting");
        return status == 9 ? 0 : status;
    }
    if (count > 2 && !strcmp(words[2], "installer.undelivered")) return told("C:\\mini\\undelivered");
    return 0;
}
"""

STAYS = r"""
#include <windows.h>
int WINAPI WinMain(HINSTANCE a, HINSTANCE b, LPSTR c, int d) {
    while (GetFileAttributesA("C:\\mini\\leave") == INVALID_FILE_ATTRIBUTES) Sleep(100);
    return 0;
}
"""

PLANTED = r"""
#include <windows.h>
BOOL WINAPI DllMain(HINSTANCE module, DWORD why, LPVOID more) {
    char name[MAX_PATH];
    if (why == DLL_PROCESS_ATTACH) {
        HANDLE file = CreateFileA("C:\\mini\\planted-was-loaded", GENERIC_WRITE, 0, 0, CREATE_ALWAYS, 0, 0);
        DWORD done = GetModuleFileNameA(module, name, MAX_PATH);
        WriteFile(file, name, done, &done, 0);
        CloseHandle(file);
    }
    return TRUE;
}
"""

# What installers were made to load from the folder of downloads, less what Windows itself never takes from there (KnownDLLs), and
# less uxtheme: Wine's own common controls bring it before a program's first instruction, whatever the program does.
NAMES = (
    *("dwmapi", "version", "userenv", "propsys", "profapi", "cryptbase", "cryptsp", "ntmarta", "apphelp", "secur32"),
    *("winmm", "wtsapi32", "netapi32", "iphlpapi", "dbghelp", "riched20", "riched32", "oleacc", "linkinfo", "ntshrui", "srvcli"),
    *("cscapi", "slc", "sxs", "edputil", "urlmon", "wininet", "winhttp", "devobj", "xmllite"),
)


def compiled(folder: Path, name: str, text: str, *words: str) -> Path:
    source, made = folder / f"{name}.c", folder / name
    source.write_text(text, encoding="ascii")
    subprocess.run([COMPILER, "-O1", "-s", *words, "-o", str(made), str(source)], check=True, capture_output=True)
    return made


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("bundle")
    sources = tmp_path_factory.mktemp("sources")
    (made / "_internal").mkdir()
    shutil.copyfile(compiled(sources, "iconnect.exe", ANSWERS), made / "iconnect.exe")
    shutil.copyfile(compiled(sources, "iConnect-Tray.exe", STAYS, "-mwindows"), made / "iConnect-Tray.exe")
    shutil.copyfile(
        compiled(sources, "part.dll", PLANTED.replace("planted-was", "part-was"), "-shared"), made / "_internal" / "part.dll"
    )
    return made


def built(bundle: Path, out: Path, version: str, sign: str | None = None) -> Path:
    out.mkdir()
    return windows_package.build(
        bundle, out, version=version, compression="zlib", epoch=1_767_225_600, sign=sign, for_system=False, wait=WAIT
    )


@pytest.fixture(scope="module")
def setups(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("setups")
    return built(bundle, folder / "old", "1.9.0"), built(bundle, folder / "new", "1.10.0")


@pytest.fixture
def mini(setups: tuple[Path, Path]) -> Iterator[Path]:
    """Installed, the older one. The folder where its programs are told what to answer."""
    folder = pc.here(r"C:\mini")
    folder.mkdir()
    assert pc.run(pc.laid(setups[0], "old.exe"), "/S", "/CurrentUser", f"/D={FOLDER}").status == 0
    pc.laid(setups[1], "new.exe")
    yield folder
    (folder / "leave").touch()
    (folder / "undelivered").unlink(missing_ok=True)
    pc.until(lambda: "iConnect-Tray.exe" not in pc.run("tasklist").out)
    if (folder / "app" / "Uninstall.exe").exists():
        assert uninstall() == 0
    shutil.rmtree(folder)


def upgrade() -> int:
    return pc.run(r"C:\new.exe", "/S", "/CurrentUser").status


def uninstall(*words: str) -> int:
    return pc.run(rf"{FOLDER}\Uninstall.exe", "/S", "/CurrentUser", *words, f"_?={FOLDER}").status


def version() -> str:
    return pc.registry(UNINSTALL).get("DisplayVersion", "")


def start_tray() -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        pc.command(rf"{FOLDER}\iConnect-Tray.exe"), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    pc.until(lambda: "iConnect-Tray.exe" in pc.run("tasklist").out)
    return process


@pytest.mark.parametrize("answer", [1, 2, 9], ids=["busy", "does not answer", "runs in another session"])
def test_a_silent_upgrade_over_a_program_that_stays_ends_with_3_and_changes_nothing(mini: Path, answer: int) -> None:
    """I10, I15: busy, unanswered, or somebody else's: nothing is killed and no file is replaced."""
    (mini / "quit").write_text(str(answer), encoding="ascii")
    kept = mini / "app" / "_internal" / "of-the-old-version"
    kept.touch()
    process = start_tray()
    assert upgrade() == 3
    assert (mini / "asked").read_text(encoding="ascii") == f"quit --when-idle --wait {WAIT} "
    assert process.poll() is None
    assert kept.exists()
    assert version() == "1.9.0"
    assert uninstall() == 3
    assert (mini / "app" / "iConnect-Tray.exe").exists()
    (mini / "leave").touch()
    assert process.wait(60) == 0


def test_an_upgrade_waits_until_the_program_has_left(mini: Path) -> None:
    """I10: 1.10 is newer than 1.9."""
    process = start_tray()
    assert upgrade() == 0
    assert process.wait(60) == 0
    assert version() == "1.10.0"
    assert pc.run(r"C:\old.exe", "/S", "/CurrentUser").status == 4
    assert version() == "1.10.0"


def test_removing_with_something_undelivered_is_as_the_firm_wants_it(mini: Path) -> None:
    """I15: silent, it goes on and keeps the queue, or with a word refuses; the queue is never removed with something in it."""
    profile = next(iter(pc.drive().glob("users/*/AppData/Local"))) / "iConnect"
    profile.mkdir()
    (profile / "ledger.db").write_bytes(b"queue")
    try:
        for status in (1, 2):
            (mini / "undelivered").write_text(str(status), encoding="ascii")
            assert uninstall("/IFDELIVERED") == 5
            assert uninstall("/REMOVEDATA") == 5
            assert version() == "1.9.0"
        assert uninstall() == 0
        assert (profile / "ledger.db").read_bytes() == b"queue"
    finally:
        shutil.rmtree(profile)


def test_a_repair_needs_no_working_program(mini: Path) -> None:
    """I15: broken programs can't be asked; the setup run again puts them back."""
    for name in ("iconnect.exe", "iConnect-Tray.exe", r"_internal/part.dll"):
        (mini / "app" / name).write_bytes(b"broken")
    assert pc.run(r"C:\old.exe", "/S", "/CurrentUser").status == 0
    assert all(signing.is_pe(mini / "app" / name) for name in ("iconnect.exe", "iConnect-Tray.exe", "_internal/part.dll"))


def test_libraries_planted_beside_the_setup_and_where_it_is_started_are_not_loaded(
    mini: Path, setups: tuple[Path, Path], tmp_path: Path
) -> None:
    """I6."""
    planted = compiled(tmp_path, "planted.dll", PLANTED, "-shared")
    downloads = mini / "downloads"
    downloads.mkdir()
    for name in NAMES:
        shutil.copyfile(planted, downloads / f"{name}.dll")
    shutil.copyfile(setups[1], downloads / "setup.exe")
    prefer_what_is_planted("setup.exe", "victim.exe")
    loaded = mini / "planted-was-loaded"
    assert pc.run("cmd", "/c", r"cd /d C:\mini\downloads && setup.exe /S /CurrentUser").status == 0
    assert version() == "1.10.0"
    assert not loaded.exists(), loaded.read_text(encoding="ascii")
    # The trap does spring: a program that looks where it stands falls into it, whichever name it asks for.
    looks = "#include <windows.h>\nint main(int count, char **words) { return LoadLibraryA(words[1]) == 0; }\n"
    shutil.copyfile(compiled(tmp_path, "victim.exe", looks), downloads / "victim.exe")
    for name in ("slc", "version", "profapi"):
        assert pc.run(r"C:\mini\downloads\victim.exe", f"{name}.dll").status == 0
        assert loaded.exists(), name
        loaded.unlink()


def prefer_what_is_planted(*programs: str) -> None:
    """Windows takes what lies beside the program before what is its own; Wine, for its own parts, only when told so."""
    lines = ["REGEDIT4", ""]
    for program in programs:
        lines.append(rf"[HKEY_CURRENT_USER\Software\Wine\AppDefaults\{program}\DllOverrides]")
        lines += [f'"{name}"="native,builtin"' for name in NAMES]
    (pc.drive() / "prefer.reg").write_text("\r\n".join(lines) + "\r\n", encoding="ascii", newline="")
    assert pc.run("regedit", "/S", r"C:\prefer.reg").status == 0
    (pc.drive() / "prefer.reg").unlink()


def test_with_a_certificate_everything_that_is_installed_carries_its_signature(bundle: Path, tmp_path: Path) -> None:
    """I1: programs, libraries, the setup, and the uninstaller that the setup makes."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "90", "-subj", "/CN=Test"),
            *("-addext", "extendedKeyUsage=codeSigning", "-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    signed = tmp_path / "signed"
    shutil.copytree(bundle, signed)
    script = tmp_path / "signer"
    script.write_text(
        f'#!/bin/sh\nosslsigncode sign -certs "{certificate}" -key "{key}" -in "$1" -out "$1.new" && mv "$1.new" "$1"\n',
        encoding="ascii",
    )
    script.chmod(0o700)
    check = f"osslsigncode verify -CAfile {certificate} -in {{file}}"
    assert signing.sign_all(signed, f"{script} {{file}}", check) == 3
    setup = built(signed, tmp_path / "out", "1.9.0", sign=f"{script} {{file}}")
    signing.sign(setup, f"{script} {{file}}")
    signing.verify(setup, check)
    folder = pc.here(r"C:\mini")
    folder.mkdir()
    try:
        assert pc.run(pc.laid(setup, "signed.exe"), "/S", "/CurrentUser", f"/D={FOLDER}").status == 0
        installed = list(signing.pe_files(folder / "app"))
        assert sorted(file.name for file in installed) == ["Uninstall.exe", "iConnect-Tray.exe", "iconnect.exe", "part.dll"]
        for file in installed:
            signing.verify(file, check)
        assert uninstall() == 0
    finally:
        shutil.rmtree(folder)
        (pc.drive() / "signed.exe").unlink()
