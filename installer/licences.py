"""The licence texts of all that is shipped, in one folder of the bundle, with a page that says what is what."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from installer import facts, parts

_TEXTS = Path(__file__).parent / "licences"
CREDITS = "Chromium.html"
"""The engine's own list of its parts with their texts. No wheel brings it, and the engine does not show it (`chrome://credits` is
no address of Qt's): it is taken from the sources of the very version of Qt WebEngine, and laid beside this room's other texts."""

_KNOWN_PARTS = ("BoringSSL", "FFmpeg", "Skia", "WebKit", "WebRTC")
_BSD = "Redistribution and use in source and binary forms"
_BSD_AT_LEAST = 30

_CHROMIUM = (
    f"{CREDITS} lists them with their texts."
    if (_TEXTS / CREDITS).exists()
    else "The sources of Qt WebEngine, under the version in sbom.cdx.json, carry their texts."
)

_HEAD = f"""{facts.NAME} and what it is made with
======================================

{facts.NAME} itself is proprietary. The parts below are not ours; each is shipped unchanged, under the licence named, whose text
lies in this folder.

Qt, PySide6 and Shiboken are used under the GNU Lesser General Public License, version 3 (LGPL-3.txt, which adds to GPL-3.txt).
They are shipped as separate, unmodified libraries: you may replace each of them in the program's folder by a build of your own
that fits the same interface, and {facts.NAME} will load it. You may take the program apart as far as that needs. Their sources are
published by the Qt Project under the versions in sbom.cdx.json; on request we send you those sources for three years.

The browser engine of Qt contains Chromium, whose parts stand under licences of their own, most of them like BSD's, some of them
the GNU Lesser General Public License 2.1 (LGPL-2.1.txt). {_CHROMIUM}

SQLite is in the public domain. OpenSSL is under the Apache License 2.0. Expat is under the MIT licence. Python is under the
licence of the Python Software Foundation (Python.txt). The program that starts Python is PyInstaller's bootloader, under the GNU
General Public License with an exception that lets it start programs under any licence (pyinstaller/).

"""


def collect(folder: Path) -> list[str]:
    """Fills the folder. Gives the packages that bring no text of their own and whose licence's name must do."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    lines, bare = [_HEAD, "Python packages\n---------------\n\n"], []
    for name, version in {**parts.shipped(), "pyinstaller": _version("pyinstaller")}.items():
        lines.append(f"{name} {version}: {parts.licence_name(name)}\n")
        texts = parts.licence_files(name)
        for text in texts:
            (folder / name).mkdir(exist_ok=True)
            shutil.copyfile(text, folder / name / (text.name if "." in text.name else f"{text.name}.txt"))
        if not texts and not name.startswith(("pyside6", "shiboken6")):
            bare.append(name)
    for text in sorted([*_TEXTS.glob("*.txt"), *_TEXTS.glob("*.html")]):
        shutil.copyfile(text, folder / text.name)
    if (_TEXTS / CREDITS).exists():
        check_credits(_TEXTS / CREDITS)
    else:
        bare.append(f"Chromium ({CREDITS}, from the sources of Qt WebEngine, is due before a release)")
    shutil.copyfile(_python_licence(), folder / "Python.txt")
    (folder / "LICENCES.txt").write_text("".join(lines), encoding="utf-8", newline="\n")
    return bare


def check_credits(file: Path) -> None:
    """Raises ValueError for a page that names the engine's parts without their texts, or is another one altogether."""
    text = " ".join(file.read_text(encoding="utf-8").split())
    missing = [part for part in _KNOWN_PARTS if part.lower() not in text.lower()]
    if missing:
        raise ValueError(f"{file.name} is not the engine's list of parts: it does not name {', '.join(missing)}.")
    if text.count(_BSD) < _BSD_AT_LEAST:
        raise ValueError(f"{file.name} does not hold the parts' own texts, only {text.count(_BSD)} of those that are like BSD's.")


def _version(name: str) -> str:
    from importlib.metadata import version

    return version(name)


def _python_licence() -> Path:
    for place in (Path(os.__file__).parent, Path(sys.base_prefix), Path(sys.executable).parent):
        for name in ("LICENSE.txt", "LICENSE"):
            if (place / name).is_file():
                return place / name
    raise FileNotFoundError("Python's licence text lies neither beside its library nor in its folder.")
