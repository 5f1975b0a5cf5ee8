"""What the packages say about themselves and about what is in them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from installer import bill, elf, facts, licences, linux_package, parts, windows_package

INSIDE = {
    "Python": "3.11.9",
    "Qt": "6.12.0",
    "Chromium": "140.0.7339.225",
    "Chromium security patches up to": "152.0.7977.83",
    "SQLite": "3.54.1",
    "OpenSSL in cryptography": "OpenSSL 4.0.3 29 Sep 2026",
    "OpenSSL of Python": "OpenSSL 3.0.13 30 Jan 2024",
    "Expat": "expat_2.6.0",
}


def made_bill() -> dict[str, object]:
    text = bill.bill(
        version="1.2.3", packages=parts.shipped(), lock=parts.lock_file(), inside=INSIDE, bootloader="6.22.3", epoch=1_767_225_600
    )
    made: dict[str, object] = json.loads(text)
    return made


def test_the_bill_names_every_shipped_package_and_each_c_library_in_them() -> None:
    """I14."""
    components = made_bill()["components"]
    assert isinstance(components, list)
    named = {(component["name"], component["version"]) for component in components}
    assert set(parts.shipped().items()) <= named
    assert {
        ("python", "3.11.9"),
        ("qt", "6.12.0"),
        ("chromium", "140.0.7339.225"),
        ("sqlite", "3.54.1"),
        ("openssl", "4.0.3"),
        ("openssl", "3.0.13"),
        ("expat", "2.6.0"),
        ("pyinstaller-bootloader", "6.22.3"),
    } <= named
    references = [component["bom-ref"] for component in components]
    assert len(references) == len(set(references))


def test_an_old_sqlite_in_the_program_stands_in_the_bill_as_old() -> None:
    """I14: a known hole can be found because the bill tells what the program told, with the name that lists of holes use."""
    text = bill.bill(version="1.2.3", packages={}, lock={}, inside={**INSIDE, "SQLite": "3.40.1"}, bootloader="1.0", epoch=0)
    assert "cpe:2.3:a:sqlite:sqlite:3.40.1:" in text


def test_the_same_parts_give_the_same_bill() -> None:
    """I13."""
    assert made_bill() == made_bill()


def test_what_is_installed_here_is_what_is_locked() -> None:
    """I13: every package that would be shipped has its hashes in the lock file."""
    lock = parts.lock_file()
    parts.check(parts.shipped(), lock)
    assert all(lock[name].hashes for name in parts.shipped())


def test_a_package_that_is_not_as_locked_stops_the_build() -> None:
    """I13."""
    with pytest.raises(parts.NotAsLocked, match=r"flask 0\.1, locked"):
        parts.check({"flask": "0.1"}, parts.lock_file())
    with pytest.raises(parts.NotAsLocked, match="not at all"):
        parts.check({"stranger": "1"}, {})


def test_every_part_has_its_licence_in_the_bundle(tmp_path: Path) -> None:
    licences.collect(tmp_path / "papers")
    page = (tmp_path / "papers" / "LICENCES.txt").read_text(encoding="utf-8")
    for name in parts.shipped():
        assert re.search(rf"^{re.escape(name)} \S+: \S", page, re.MULTILINE), name
    for text in ("LGPL-3.txt", "GPL-3.txt", "Python.txt"):
        assert (tmp_path / "papers" / text).stat().st_size > 5000


def test_the_engines_list_of_parts_is_in_the_bundle_or_named_as_due(tmp_path: Path) -> None:
    """Nobody ships the browser engine without being told that its parts' texts are missing."""
    due = licences.collect(tmp_path / "papers")
    there = (tmp_path / "papers" / licences.CREDITS).exists()
    assert there is not any(name.startswith("Chromium (Chromium.html") for name in due)
    page = (tmp_path / "papers" / "LICENCES.txt").read_text(encoding="utf-8")
    assert (f"{licences.CREDITS} lists them with their texts." in page) is there


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("<h1>This site can't be reached</h1>", "does not name BoringSSL, FFmpeg, Skia, WebKit, WebRTC"),
        ("BoringSSL ffmpeg skia WebRTC " + "Redistribution and use in source and binary forms " * 40, "WebKit"),
        ("BoringSSL, FFmpeg, Skia, WebKit, WebRTC: see their own pages", "does not hold the parts' own texts"),
    ],
)
def test_a_page_that_is_no_list_of_the_engines_parts_stops_the_build(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / licences.CREDITS).write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=told):
        licences.check_credits(tmp_path / licences.CREDITS)


def test_the_engines_list_of_parts_with_their_texts_is_taken(tmp_path: Path) -> None:
    whole = "BoringSSL FFmpeg Skia WebKit WebRTC " + "Redistribution and use in source\nand binary forms, " * 40
    (tmp_path / licences.CREDITS).write_text(whole, encoding="utf-8")
    licences.check_credits(tmp_path / licences.CREDITS)


def test_the_libraries_that_the_bundle_needs_are_read_from_its_files() -> None:
    told = (
        " 0x0000000000000001 (NEEDED)             Shared library: [libnss3.so]\n"
        " 0x0000000000000001 (NEEDED)             Shared library: [libc.so.6]\n"
        " 0x000000000000000e (SONAME)             Library soname: [libQt6Core.so.6]\n"
    )
    assert elf.needed_in(told) == {"libnss3.so", "libc.so.6"}
    assert elf.dependencies({"libnss3", "libssl3"}) == ["libnss3", "libssl3 | libssl3t64"]


def test_the_debian_package_names_what_it_needs_and_asks_for_no_more_than_a_desktop_has() -> None:
    text = linux_package.control("1.2.3", ["libc6", "libssl3 | libssl3t64"], 1000)
    assert "Package: iconnect-desktop\nVersion: 1.2.3\n" in text
    assert "Depends: libc6, libssl3 | libssl3t64\n" in text
    assert all(line.startswith(" ") for line in text.splitlines()[text.splitlines().index("Priority: optional") + 2 :])


def test_a_link_reaches_the_program_behind_a_word_that_it_can_not_be_taken_for() -> None:
    assert "Exec=/usr/bin/iconnect --link %u\n" in linux_package.LINK_ENTRY
    assert "MimeType=x-scheme-handler/iconnect;\n" in linux_package.LINK_ENTRY
    script = windows_package.SCRIPT.read_text(encoding="utf-8")
    assert """'"$INSTDIR\\${TRAY}" --link "%1"'""" in script


def test_a_version_is_told_to_windows_as_four_numbers() -> None:
    assert facts.four_numbers("1.2.3rc1") == (1, 2, 3, 0)
    assert facts.four_numbers(facts.version())[:3] == tuple(int(part) for part in facts.version().split("."))
    for wrong in ("1.2", "soon", "1.2.70000"):
        with pytest.raises(ValueError, match=r"version|more than"):
            facts.four_numbers(wrong)
    assert "filevers=(1, 2, 3, 0)" in facts.version_resource("iconnect", "1.2.3", "x")


def test_an_nsis_whose_setups_must_not_run_as_system_is_told_from_one_whose_may() -> None:
    """I5."""
    assert windows_package.compiler_version("v3.08-3+deb12u1") < windows_package.SAFE_AS_SYSTEM
    assert windows_package.compiler_version("v3.11") < windows_package.SAFE_AS_SYSTEM
    assert windows_package.compiler_version("v3.12") >= windows_package.SAFE_AS_SYSTEM
    with pytest.raises(windows_package.NoCompiler):
        windows_package.compiler_version("what?")


def test_the_sample_of_a_platform_file_is_one() -> None:
    from desktop.settings import read_platform

    read_platform(facts.ROOT / "installer" / "platform.sample.toml")
