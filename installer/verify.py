"""Looks at a built bundle: is everything there that is opened by name, and nothing that should not be?"""

from __future__ import annotations

import subprocess
from pathlib import Path

MUST_LIE_IN_IT = (
    "desktop/services/ledger/schema.sql",
    "sandbox/pages/order_form.html",
    "resources/icons/tray-connected.svg",
    "licences/LICENCES.txt",
    "licences/LGPL-3.txt",
    "licences/sbom.cdx.json",
)
ENGINE = ("icudtl.dat", "qtwebengine_resources.pak", "en-US.pak")
"""What the browser engine opens by name, wherever its folder lies on the system."""

NEVER = ("direct_url.json", "RECORD", "QtWebEngineProcessd.exe", "qtwebengine_devtools_resources.pak")


class BundleFault(ValueError):
    """The bundle is not as it should be."""


def verify_bundle(bundle: Path, *, run: bool) -> str:
    """A sentence on what was looked at. With `run` the program is started. Raises BundleFault."""
    inside = bundle / "_internal"
    missing = [name for name in MUST_LIE_IN_IT if not (inside / name).is_file()]
    names = {path.name for path in inside.rglob("*")}
    missing += [name for name in ENGINE if name not in names]
    if not names & {"QtWebEngineProcess", "QtWebEngineProcess.exe"}:
        missing.append("QtWebEngineProcess")
    # Windows looks for a program's libraries beside it, and the engine's second process is a program.
    beside = {path.parent for path in inside.rglob("QtWebEngineProcess.exe")}
    if beside != {path.parent for path in inside.rglob("Qt6WebEngineCore.dll")}:
        missing.append("Qt6WebEngineCore.dll beside QtWebEngineProcess.exe")
    if missing:
        raise BundleFault(f"The bundle lacks {', '.join(missing)}.")
    if wrong := [name for name in NEVER if name in names]:
        raise BundleFault(f"The bundle should not hold {', '.join(wrong)}.")
    if not list(inside.glob("keyring-*.dist-info/entry_points.txt")):
        raise BundleFault("Without keyring's entry points the bundle finds no keyring.")
    if run:
        program = bundle / ("iconnect.exe" if (bundle / "iconnect.exe").exists() else "iconnect")
        for arguments in (["--version"], ["--help"]):
            done = subprocess.run([str(program), *arguments], capture_output=True, text=True, timeout=120, check=False)
            if done.returncode != 0:
                raise BundleFault(f"iconnect {arguments[0]} ended with {done.returncode}: {done.stderr.strip()[-300:]}")
    size = sum(path.stat().st_size for path in bundle.rglob("*") if path.is_file() and not path.is_symlink())
    return f"{len(names)} names, {size / 1e6:.0f} MB"
