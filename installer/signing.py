"""Signing what Windows runs, with whatever signer the firm's release has: the command is given, its result is checked.

--sign "COMMAND {file}"                    signs one file in place; {file} is replaced by its path
--verify-signature "COMMAND {file}"        ends with 0 for a good signature; default: osslsigncode, where it is installed
--unstamped                                for trials: a signature without a time stamp will do

A release's signature carries a time stamp, so that it stays good when the certificate has ended, and is made with a certificate
that has 45 days left: whoever renews it learns so from a build that fails while there is time.
"""

from __future__ import annotations

import shlex
import shutil
import struct
import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

LEAST_LEFT = timedelta(days=45)
_SECURITY_DIRECTORY = 4
_STAMPS = (bytes.fromhex("060a2b060104018237030301"), bytes.fromhex("06092a864886f70d010906"))
"""How the two kinds of time stamp name themselves in a signature: Microsoft's RFC 3161 attribute, and PKCS 9's countersignature."""


class NotSigned(Exception):
    """A file carries no signature, or one that the check refuses."""


def pe_files(folder: Path) -> Iterator[Path]:
    """Every file that Windows would run or load, by its content and not its name, in order."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and is_pe(path):
            yield path


def is_pe(path: Path) -> bool:
    """Whether the file is a Windows program or library."""
    with path.open("rb") as file:
        head = file.read(64)
        if len(head) < 64 or head[:2] != b"MZ":
            return False
        file.seek(struct.unpack_from("<I", head, 60)[0])
        return file.read(4) == b"PE\0\0"


def has_signature(path: Path) -> bool:
    """Whether a PE file says that it carries a signature; whether it is a good one is another question."""
    return bool(_signature(path.read_bytes()))


def _signature(data: bytes) -> bytes:
    start: int = struct.unpack_from("<I", data, 60)[0]
    optional = start + 24
    directories = optional + (112 if struct.unpack_from("<H", data, optional)[0] == 0x20B else 96)
    place, size = struct.unpack_from("<II", data, directories + 8 * _SECURITY_DIRECTORY)
    return data[place : place + size] if place and size and place + size <= len(data) else b""


def is_stamped(path: Path) -> bool:
    """Whether the signature carries a time stamp; whose, and whether it is a good one, is the check's to say."""
    signature = _signature(path.read_bytes())
    return any(stamp in signature for stamp in _STAMPS)


def certificate_ends(path: Path) -> datetime:
    """When the certificate that signed the file ends (UTC). Raises NotSigned."""
    from cryptography.hazmat.primitives.serialization import pkcs7

    # Length, revision and kind stand before the signature itself, and zeros may fill up behind it.
    signature = _signature(path.read_bytes())[8:]
    if signature[:1] == b"0" and len(signature) > 4 and signature[1] & 0x80:
        octets = signature[1] & 0x7F
        signature = signature[: 2 + octets + int.from_bytes(signature[2 : 2 + octets], "big")]
    try:
        found = pkcs7.load_der_pkcs7_certificates(signature)
    except ValueError as error:
        raise NotSigned(f"{path.name}: the certificate of its signature can't be read.") from error
    signers = [one for one in found if not any(other is not one and other.issuer == one.subject for other in found)]
    if not signers:
        raise NotSigned(f"{path.name}: its signature holds no certificate.")
    return min(one.not_valid_after_utc for one in signers)


def check_for_release(path: Path, now: datetime, *, stamped: bool = True) -> None:
    """Raises NotSigned when the signature would not outlive its certificate, or the certificate is about to end."""
    if stamped and not is_stamped(path):
        raise NotSigned(f"{path.name}: its signature has no time stamp, and would end with the certificate. Give the signer one.")
    ends = certificate_ends(path)
    if ends - now < LEAST_LEFT:
        raise NotSigned(f"{path.name}: its certificate ends on {ends:%d %B %Y}. Renew it before the release.")


def filled(command: str, file: Path) -> list[str]:
    """The command's words with the path in place. Raises ValueError when the command has no {file}."""
    if "{file}" not in command:
        raise ValueError("The command must name {file}, the file to work on.")
    return [word.replace("{file}", str(file)) for word in shlex.split(command)]


def sign(file: Path, command: str) -> None:
    """Signs in place, unless the file is signed already: Qt's and Python's publishers signed theirs. Raises NotSigned."""
    if has_signature(file):
        return
    done = subprocess.run(filled(command, file), capture_output=True, text=True, check=False)
    if done.returncode != 0 or not has_signature(file):
        raise NotSigned(f"{file.name}: the signer ended with {done.returncode}: {done.stderr.strip()[-300:]}")


def usual_check() -> str | None:
    """The check where none was given."""
    return "osslsigncode verify -in {file}" if shutil.which("osslsigncode") else None


def verify(file: Path, command: str | None) -> None:
    """Raises NotSigned when the file carries no signature or the check refuses it."""
    if not has_signature(file):
        raise NotSigned(f"{file.name} carries no signature.")
    if command is not None and subprocess.run(filled(command, file), capture_output=True, check=False).returncode != 0:
        raise NotSigned(f"{file.name}: its signature is refused by the check.")


def sign_all(folder: Path, command: str, check: str | None) -> int:
    """Signs and verifies every PE file in the folder. Gives their number. Raises NotSigned."""
    files = list(pe_files(folder))
    for file in files:
        sign(file, command)
        verify(file, check)
    return len(files)
