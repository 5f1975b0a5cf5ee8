"""iConnect-Setup.exe: the bundle and installer/windows/iconnect.nsi, put together by NSIS."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from installer import facts

SCRIPT = Path(__file__).parent / "windows" / "iconnect.nsi"
SAFE_AS_SYSTEM = (3, 12)
"""From this version of NSIS on its installers may be run as SYSTEM: older ones unpack helpers where others can write
(CVE-2026-42171)."""

WAIT = 180
"""Seconds that a silent setup waits for sends to come to their end."""


class NoCompiler(Exception):
    """NSIS is not installed, or too old for what is asked."""


def compiler_version(told: str) -> tuple[int, ...]:
    """From what `makensis -VERSION` prints. Raises NoCompiler."""
    found = re.match(r"v?(\d+)\.(\d+)", told.strip())
    if found is None:
        raise NoCompiler(f"makensis told no version: {told.strip()!r}")
    return int(found[1]), int(found[2])


def check_compiler(*, for_system: bool) -> tuple[int, ...]:
    """The version of NSIS. Raises NoCompiler when there is none, or, `for_system`, when it is older than SAFE_AS_SYSTEM."""
    if shutil.which("makensis") is None:
        raise NoCompiler("makensis is not installed (Debian: nsis; Windows: the NSIS setup).")
    done = subprocess.run(["makensis", "-VERSION"], capture_output=True, text=True, check=True)
    version = compiler_version(done.stdout)
    if for_system and version < SAFE_AS_SYSTEM:
        raise NoCompiler(f"NSIS {'.'.join(map(str, version))} is older than 3.12: its installers must not be run as SYSTEM.")
    return version


def build(
    bundle: Path, out: Path, *, version: str, compression: str, epoch: int, sign: str | None, for_system: bool, wait: int = WAIT
) -> Path:
    """Makes the setup program; silent, it waits `wait` seconds for what is being sent. Gives its path. Raises NoCompiler,
    CalledProcessError."""
    nsis = check_compiler(for_system=for_system)
    # Paths are made whole: makensis works from the script's folder.
    bundle, out = bundle.resolve(), out.resolve()
    made = out / "iConnect-Setup.exe"
    kilobytes = sum(path.stat().st_size for path in bundle.rglob("*") if path.is_file()) // 1024
    values = {
        "VERSION": version,
        "VERSION_NUMBERS": ".".join(map(str, facts.four_numbers(version))),
        "BUNDLE": str(bundle),
        "OUT": str(made),
        "KILOBYTES": str(kilobytes),
        "COMPRESSION": compression,
        "WAIT_SILENT": str(wait),
        "SAFE_AS_SYSTEM": "1" if nsis >= SAFE_AS_SYSTEM else "0",
    }
    if sign:
        # NSIS makes the uninstaller itself, so it has to call the signer for it; %1 is how it names the file.
        values["SIGN"] = sign.replace("{file}", "%1")
    subprocess.run(
        ["makensis", "-V2", "-WX", "-INPUTCHARSET", "UTF8", *(f"-D{name}={value}" for name, value in values.items()), str(SCRIPT)],
        env={**os.environ, "SOURCE_DATE_EPOCH": str(epoch)},
        check=True,
    )
    return made
