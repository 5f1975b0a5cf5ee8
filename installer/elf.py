"""Which of the Linux distribution's packages the bundle needs: asked of the ELF files in it, not guessed."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

OPENED_BY_NAME = ("libEGL.so.1", "libGL.so.1", "libxcb-cursor.so.0", "libsoftokn3.so")
"""What Qt and the browser engine open while running, so that no file names it."""

_NEEDED = re.compile(r"\(NEEDED\).*\[(.+)\]")


def elf_files(folder: Path) -> Iterator[Path]:
    """Every program and library in the folder, in order; links are left out."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                if file.read(4) == b"\x7fELF":
                    yield path


def needed_in(told: str) -> set[str]:
    """The library names in what `readelf --dynamic` prints."""
    return set(_NEEDED.findall(told))


def needed_from_outside(folder: Path) -> set[str]:
    """The names of the libraries that the bundle's files need and that do not lie in it."""
    files = list(elf_files(folder))
    inside = {path.name for path in folder.rglob("*.so*")}
    told = subprocess.run(["readelf", "--dynamic", "--wide", *map(str, files)], capture_output=True, text=True, check=True).stdout
    return (needed_in(told) | set(OPENED_BY_NAME)) - inside


def packages_with(libraries: Iterable[str]) -> tuple[set[str], set[str]]:
    """The packages of this machine's distribution that hold the libraries, and the libraries that none holds."""
    packages: set[str] = set()
    unknown: set[str] = set()
    for library in sorted(libraries):
        done = subprocess.run(["dpkg-query", "--search", f"*/{library}"], capture_output=True, text=True, check=False)
        holders = {line.split(":")[0] for line in done.stdout.splitlines() if "/lib" in line and line.endswith(f"/{library}")}
        usual = {holder for holder in holders if not holder.endswith(("-dev", "-dbg", "-cross"))}
        if usual:
            packages.add(sorted(usual)[0])
        else:
            unknown.add(library)
    return packages, unknown


RENAMED = ("libasound2", "libglib2.0-0", "libssl3")
"""Packages that newer releases renamed for 64-bit time."""


def dependencies(packages: Iterable[str]) -> list[str]:
    """As a `Depends` line wants them; a renamed package by either name."""
    return [f"{package} | {package}t64" if package in RENAMED else package for package in sorted(packages)]
