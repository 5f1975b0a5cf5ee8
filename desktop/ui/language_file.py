"""The language file that belongs to this PC, found and put in use before the windows are imported.

A file is Qt's own kind, `iconnect_<language>.qm`, made from a `.ts` file by Qt's tools. English stands in the source: for a person
who reads that first, nothing is looked for.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import QLibraryInfo, QLocale, QTranslator
from PySide6.QtWidgets import QApplication

import resources
from desktop.places import machine_wide_folder
from desktop.ui import language

log = logging.getLogger(__name__)

FOLDER = "languages"
_NO_CONTEXT = ""


def folders(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Where language files lie: what the firm's IT put on this PC goes before what came with the program."""
    return machine_wide_folder(environment) / FOLDER, Path(resources.__path__[0]) / FOLDER


def spellings(tag: str) -> tuple[str, ...]:
    """A language tag such as `de-AT` as a file's name may spell it, the narrowest first: `de_AT`, `de`."""
    parts = tag.replace("-", "_").split("_")
    return tuple("_".join(parts[:many]) for many in range(len(parts), 0, -1))


def find(wanted: Sequence[str], places: Sequence[Path]) -> Path | None:
    """The file for the first language that the person reads, by tag in their order. None where that is English, or no file is
    there."""
    for tag in wanted:
        names = spellings(tag)
        if names[-1].casefold() in ("en", "c"):
            return None
        for name in names:
            for place in places:
                file = place / f"iconnect_{name}.qm"
                if file.is_file():
                    return file
    return None


def use(file: Path, app: QApplication) -> bool:
    """From now on the windows speak the file's language, Qt's own buttons too where their file lies beside it or came with Qt, and
    read from the side that the language begins at. False, and nothing changed, where the file can't be read."""
    # No child of the application: a worker thread may want a word while that goes away.
    ours = QTranslator()
    if not ours.load(str(file)):
        log.warning("a language file could not be read")
        return False
    tag = file.stem.removeprefix("iconnect_")
    qt = QTranslator(app)
    for place in (str(file.parent), QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)):
        if qt.load(f"qtbase_{tag}", place):
            app.installTranslator(qt)
            break
    language.use(lambda text: ours.translate(_NO_CONTEXT, text) or text)
    app.setLayoutDirection(QLocale(tag).textDirection())
    return True


def use_the_pcs(app: QApplication, environment: Mapping[str, str]) -> bool:
    """Puts the PC's own language in use, where a file for it is there. Call before a module with words in it is imported."""
    file = find(QLocale.system().uiLanguages(), folders(environment))
    return file is not None and use(file, app)
