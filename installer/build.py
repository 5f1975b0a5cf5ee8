"""Builds everything for the system it runs on: the bundle, the package, the papers; then looks at what came out.

    python -m installer.build [--out DIR] [--bundle-only | --package-only] [--bundle DIR --for windows|linux]
                              [--sign "COMMAND {file}"] [--verify-signature "COMMAND {file}"] [--compression lzma|zlib]
                              [--unstamped] [--for-system] [--package-version V]

Stages: check (what is installed is what requirements.txt locks), papers, bundle, bill of parts, sign, package, verify. A Windows
bundle that was built elsewhere, or under Wine, is packaged on Linux with `--package-only --bundle DIR --for windows`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from installer import bill, facts, licences, linux_package, parts, signing, windows_package
from installer.verify import verify_bundle

PROGRAMS = {"iConnect-Tray": "iConnect", "iconnect": "iConnect commands"}


def main() -> int:
    """Gives the exit status: 0 built and verified, 1 not."""
    options = _arguments()
    out: Path = options.out.absolute()
    out.mkdir(parents=True, exist_ok=True)
    bundle: Path = (options.bundle or out / "bundle" / "iconnect").absolute()
    version = options.package_version or facts.version()
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH") or _time_of_last_change())
    try:
        if not options.package_only:
            _bundle(out, bundle, epoch, version)
        if not options.bundle_only:
            _package(options, out, bundle, epoch, version)
    except (
        *(parts.NotAsLocked, linux_package.MissingLibrary, windows_package.NoCompiler, signing.NotSigned),
        *(subprocess.CalledProcessError, OSError, ValueError, metadata.PackageNotFoundError),
    ) as error:
        print(f"Not built: {error}", file=sys.stderr)
        return 1
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m installer.build", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=facts.ROOT / "dist")
    parser.add_argument("--bundle-only", action="store_true")
    parser.add_argument("--package-only", action="store_true")
    parser.add_argument("--bundle", type=Path, help="where the bundle lies (default: OUT/bundle/iconnect)")
    parser.add_argument("--for", dest="system", choices=("windows", "linux"), default="windows" if os.name == "nt" else "linux")
    parser.add_argument("--sign", metavar="COMMAND", help="signs {file} in place")
    parser.add_argument("--verify-signature", metavar="COMMAND", help="ends with 0 when {file} is well signed")
    parser.add_argument("--unstamped", action="store_true", help="for trials: a signature without a time stamp will do")
    parser.add_argument("--compression", choices=("lzma", "zlib"), default="lzma", help="zlib is faster and larger")
    parser.add_argument("--for-system", action="store_true", help="refuse an NSIS whose setups must not be run as SYSTEM")
    parser.add_argument("--package-version", metavar="V", help="for tests of an upgrade; default: pyproject.toml's")
    return parser.parse_args()


def _stage(words: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {words}", flush=True)


def _time_of_last_change() -> int:
    """Of the source, so that two builds of one state carry one time; a fixed day where there is no git."""
    try:
        done = subprocess.run(
            ["git", "log", "-1", "--format=%ct"], cwd=facts.ROOT, capture_output=True, text=True, check=True, timeout=30
        )
        return int(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return 1_767_225_600  # the first second of 2026


def _bundle(out: Path, bundle: Path, epoch: int, version: str) -> None:
    _stage("check: installed as locked")
    lock, packages = parts.lock_file(), parts.shipped()
    parts.check(packages, lock)
    _stage(f"papers: licences of {len(packages)} packages")
    made = out / "made"
    for name in licences.collect(made / "papers"):
        print(f"  {name} brings no licence text; its licence is named in LICENCES.txt")
    for program, description in PROGRAMS.items():
        text = facts.version_resource(program, version, description)
        (made / f"version-{program}.txt").write_text(text, encoding="utf-8")
    _stage("bundle: PyInstaller")
    log = out / "bundle.log"
    with log.open("wb") as file:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "PyInstaller", "--noconfirm", "--clean", "--distpath", str(bundle.parent)),
                *("--workpath", str(out / "work"), str(facts.ROOT / "installer" / "iconnect.spec")),
            ],
            env={
                **os.environ,
                "ICONNECT_BUILD_FOLDER": str(made),
                "PYTHONHASHSEED": "0",
                "SOURCE_DATE_EPOCH": str(epoch),
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            cwd=facts.ROOT,
            stdout=file,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode != 0:
        raise OSError(f"PyInstaller ended with {done.returncode}; {log} says why.")
    _stage("bill of parts: asked of the built program")
    told = subprocess.run([str(program_in(bundle)), "-m", "installer.inside"], capture_output=True, text=True, check=True)
    inside = json.loads(told.stdout)
    bootloader = metadata.version("pyinstaller")
    text = bill.bill(version=version, packages=packages, lock=lock, inside=inside, bootloader=bootloader, epoch=epoch)
    (bundle / "_internal" / "licences" / "sbom.cdx.json").write_text(text, encoding="utf-8", newline="\n")
    (out / "sbom.cdx.json").write_text(text, encoding="utf-8", newline="\n")
    for name, number in inside.items():
        print(f"  {name}: {number}")
    _stage(f"verify: {verify_bundle(bundle, run=True)}")
    shutil.rmtree(out / "work", ignore_errors=True)


def program_in(bundle: Path) -> Path:
    """The program with a console, on either system."""
    windows = bundle / "iconnect.exe"
    return windows if windows.exists() else bundle / "iconnect"


def _package(options: argparse.Namespace, out: Path, bundle: Path, epoch: int, version: str) -> None:
    check = options.verify_signature or signing.usual_check()
    if options.package_only:
        _stage(f"verify: {verify_bundle(bundle, run=False)}")
    if options.system == "windows":
        if options.sign:
            _stage(f"sign: {signing.sign_all(bundle, options.sign, check)} files signed and verified")
        _stage(f"package: NSIS, {options.compression}")
        made = windows_package.build(
            bundle,
            out,
            version=version,
            compression=options.compression,
            epoch=epoch,
            sign=options.sign,
            for_system=options.for_system,
        )
        if options.sign:
            signing.sign(made, options.sign)
            signing.verify(made, check)
            for file in (made, *(bundle / f"{program}.exe" for program in PROGRAMS)):
                signing.check_for_release(file, datetime.now(UTC), stamped=not options.unstamped)
    else:
        _stage("package: deb")
        made = linux_package.build(bundle, out, version=version, epoch=epoch, fast=options.compression == "zlib")
    digest = hashlib.sha256(made.read_bytes()).hexdigest()
    (out / f"{made.name}.sha256").write_text(f"{digest}  {made.name}\n", encoding="ascii", newline="\n")
    _stage(f"made {made.name}: {made.stat().st_size / 1e6:.1f} MB, SHA-256 {digest}")


if __name__ == "__main__":
    sys.exit(main())
