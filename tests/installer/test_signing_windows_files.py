"""Signing: every file that Windows runs is found by its content, signed once and verified."""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from installer import signing

SIGNER = f'"{sys.executable}" -c "import sys, shutil; shutil.copyfile(sys.argv[2], sys.argv[1])"'
TOOLS = all(shutil.which(tool) for tool in ("osslsigncode", "openssl", "makensis"))


def pe(*, signed: bool) -> bytes:
    """The least that is a 64-bit Windows program, with a place for its signature."""
    head = b"MZ" + bytes(58) + struct.pack("<I", 64)
    optional = struct.pack("<H", 0x20B) + bytes(110)
    directories = bytearray(16 * 8)
    whole = len(head) + 24 + len(optional) + len(directories)
    if signed:
        struct.pack_into("<II", directories, 8 * 4, whole, 16)
    return head + b"PE\0\0" + bytes(20) + optional + bytes(directories) + (b"signature-of-us." if signed else b"")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "bundle"
    (made / "_internal").mkdir(parents=True)
    (made / "iconnect.exe").write_bytes(pe(signed=False))
    (made / "_internal" / "no-ending").write_bytes(pe(signed=False))
    (made / "_internal" / "theirs.dll").write_bytes(pe(signed=True))
    (made / "_internal" / "MZ.txt").write_bytes(b"MZ is how it starts, and no program follows")
    (tmp_path / "signed").write_bytes(pe(signed=True))
    return made


def signer(tmp_path: Path) -> str:
    return f'{SIGNER} "{{file}}" "{tmp_path / "signed"}"'


def test_every_program_and_library_is_found_whatever_its_name(folder: Path) -> None:
    """I1."""
    assert [file.name for file in signing.pe_files(folder)] == ["no-ending", "theirs.dll", "iconnect.exe"]


def test_all_are_signed_and_verified_and_what_others_signed_is_left_as_it_is(folder: Path, tmp_path: Path) -> None:
    """I1."""
    theirs = (folder / "_internal" / "theirs.dll").read_bytes()
    assert signing.sign_all(folder, signer(tmp_path), None) == 3
    assert all(signing.has_signature(file) for file in signing.pe_files(folder))
    assert (folder / "_internal" / "theirs.dll").read_bytes() == theirs


def test_a_signer_that_fails_or_signs_nothing_stops_the_build(folder: Path) -> None:
    """I1."""
    for command in (f'"{sys.executable}" -c "raise SystemExit(1)" {{file}}', f'"{sys.executable}" -c "pass" {{file}}'):
        with pytest.raises(signing.NotSigned):
            signing.sign_all(folder, command, None)


def test_a_signature_that_the_check_refuses_stops_the_build(folder: Path, tmp_path: Path) -> None:
    """I1."""
    with pytest.raises(signing.NotSigned, match="refused"):
        signing.sign_all(folder, signer(tmp_path), f'"{sys.executable}" -c "raise SystemExit(1)" {{file}}')


def test_a_command_without_a_place_for_the_file_is_refused(folder: Path) -> None:
    with pytest.raises(ValueError, match="file"):
        signing.sign_all(folder, "signer --now", None)


@pytest.mark.skipif(not TOOLS, reason="needs signing tools")
def test_a_real_certificate_signs_a_real_program_and_a_changed_byte_is_noticed(tmp_path: Path) -> None:
    """I1: with a certificate made for this test, and the setup that NSIS makes of nothing."""
    key, certificate, script = tmp_path / "key.pem", tmp_path / "certificate.pem", tmp_path / "nothing.nsi"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=Test"),
            *("-addext", "extendedKeyUsage=codeSigning", "-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    program = tmp_path / "setup.exe"
    script.write_text(f'Unicode true\nTarget amd64-unicode\nName x\nOutFile "{program}"\nSection\nSectionEnd\n', encoding="ascii")
    subprocess.run(["makensis", "-V1", str(script)], check=True, capture_output=True)
    command = (
        f'sh -c \'osslsigncode sign -certs "{certificate}" -key "{key}" -in "$1" -out "$1.new" && mv "$1.new" "$1"\' sh {{file}}'
    )
    check = f"osslsigncode verify -CAfile {certificate} -in {{file}}"
    signing.sign(program, command)
    signing.verify(program, check)
    changed = bytearray(program.read_bytes())
    changed[2000] ^= 1
    program.write_bytes(changed)
    with pytest.raises(signing.NotSigned):
        signing.verify(program, check)


def signed_for(tmp_path: Path, days: int) -> Path:
    """A setup of nothing, signed with a certificate that ends in so many days."""
    key, certificate, script = tmp_path / "key.pem", tmp_path / "certificate.pem", tmp_path / "nothing.nsi"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", str(days), "-subj", "/CN=Test"),
            *("-addext", "extendedKeyUsage=codeSigning", "-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    plain, made = tmp_path / "plain.exe", tmp_path / "setup.exe"
    script.write_text(f'Unicode true\nTarget amd64-unicode\nName x\nOutFile "{plain}"\nSection\nSectionEnd\n', encoding="ascii")
    subprocess.run(["makensis", "-V1", str(script)], check=True, capture_output=True)
    words = ["osslsigncode", "sign", "-certs", str(certificate), "-key", str(key), "-in", str(plain), "-out", str(made)]
    subprocess.run(words, check=True, capture_output=True)
    return made


@pytest.mark.skipif(not TOOLS, reason="needs signing tools")
def test_a_release_is_refused_45_days_before_its_certificate_ends(tmp_path: Path) -> None:
    """I2: 46 days are enough, 44 are not; a certificate's last year is no matter."""
    made = signed_for(tmp_path, 400)
    now = datetime.now(UTC)
    ends = signing.certificate_ends(made)
    assert abs(ends - now - timedelta(days=400)) < timedelta(hours=1)
    signing.check_for_release(made, ends - timedelta(days=46), stamped=False)
    with pytest.raises(signing.NotSigned, match="Renew"):
        signing.check_for_release(made, ends - timedelta(days=44), stamped=False)


@pytest.mark.skipif(not TOOLS, reason="needs signing tools")
def test_a_release_without_a_time_stamp_is_refused(tmp_path: Path) -> None:
    """I2: what is not stamped is worth nothing once the certificate has ended."""
    made = signed_for(tmp_path, 400)
    assert not signing.is_stamped(made)
    with pytest.raises(signing.NotSigned, match="time stamp"):
        signing.check_for_release(made, datetime.now(UTC))
    whole = bytearray(made.read_bytes())
    at = whole.rindex(b"Test")
    stamp = bytes.fromhex("060a2b060104018237030301")
    whole[at - len(stamp) : at] = stamp
    (tmp_path / "stamped.exe").write_bytes(whole)
    assert signing.is_stamped(tmp_path / "stamped.exe")


def test_what_holds_no_certificate_is_no_release(folder: Path) -> None:
    """I2."""
    with pytest.raises(signing.NotSigned, match="certificate"):
        signing.certificate_ends(folder / "_internal" / "theirs.dll")
