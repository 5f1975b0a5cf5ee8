"""What the packages say about themselves: names, version, and where things of the source tree lie."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

NAME = "iConnect"
PACKAGE = "iconnect-desktop"
PUBLISHER = "iConnect"
SUMMARY = "Orders searches for a job and brings documents and costs back to it"


def version() -> str:
    """The version in pyproject.toml: three numbers, at most with a suffix."""
    return str(_project()["version"])


def requirements() -> list[str]:
    """What iConnect needs, as pyproject.toml says; an installed copy's own list may be an older one."""
    return [str(line) for line in _project()["dependencies"]]


def _project() -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return found


def four_numbers(text: str) -> tuple[int, int, int, int]:
    """As Windows wants a version: 1.2.3rc1 is (1, 2, 3, 0). Raises ValueError for what is not one."""
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", text)
    if found is None:
        raise ValueError(f"{text!r} is not a version of three numbers")
    first, second, third = (int(group) for group in found.groups())
    if max(first, second, third) > 65535:
        raise ValueError(f"{text!r} is more than Windows can show")
    return first, second, third, 0


def version_resource(program: str, text: str, description: str) -> str:
    """The version resource of one program, as PyInstaller reads it."""
    numbers = four_numbers(text)
    words = {
        "CompanyName": PUBLISHER,
        "FileDescription": description,
        "FileVersion": text,
        "InternalName": program,
        "OriginalFilename": f"{program}.exe",
        "ProductName": NAME,
        "ProductVersion": text,
    }
    lines = ", ".join(f"StringStruct({key!r}, {value!r})" for key, value in words.items())
    return (
        f"VSVersionInfo(ffi=FixedFileInfo(filevers={numbers}, prodvers={numbers}, mask=0x3f, flags=0, OS=0x40004, fileType=1, "
        f"subtype=0, date=(0, 0)), kids=[StringFileInfo([StringTable('040904B0', [{lines}])]), "
        "VarFileInfo([VarStruct('Translation', [1033, 1200])])])\n"
    )
