"""Copies a saved file to where the person wants it, beside the window's work: a network drive can take its time."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from desktop.ui.browser.downloads import is_disk_full, mark_of_the_web
from desktop.ui.language import tr


class FileCopier(QObject):
    """Emits `copied(number, sentence)` or `failed(number, sentence)`; `number` is the caller's."""

    copied = Signal(int, str)
    failed = Signal(int, str)

    def __init__(self, parent: QObject | None = None, *, platform: str = sys.platform) -> None:
        super().__init__(parent)
        self._platform = platform
        self._threads: list[threading.Thread] = []

    @property
    def is_running(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def copy(self, number: int, source: Path, target: Path) -> None:
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = threading.Thread(target=self._work, args=(number, source, target), name="file-copy", daemon=True)
        self._threads.append(thread)
        thread.start()

    def finish(self, seconds: float = 3) -> None:
        """Waits for copies that are being written, at most `seconds` for each."""
        for thread in self._threads:
            thread.join(seconds)

    def _work(self, number: int, source: Path, target: Path) -> None:
        with contextlib.suppress(RuntimeError):  # the window may be gone already
            try:
                copy_whole(source, target)
                mark_of_the_web(target, platform=self._platform)
            except FileNotFoundError:
                self.failed.emit(number, tr("The copy could not be made: the file or the folder is no longer there."))
            except OSError as error:
                self.failed.emit(number, why_not_copied(error))
            else:
                self.copied.emit(number, tr("A copy is in {folder}.", folder=target.parent.name or target.parent))


def why_not_copied(error: OSError) -> str:
    if is_disk_full(error):
        return tr("The disk is full, so the copy was not saved. Make room and try again. The saved file is still here.")
    why = error.strerror or tr("no reason given")
    return tr("The copy could not be saved on this PC ({why}). The saved file is still here.", why=why)


def copy_whole(source: Path, target: Path, *, copy: Callable[[Path, Path], object] = shutil.copyfile) -> None:
    """All of it or nothing: what stood there before stays until the new file is whole. The person has agreed to write over it."""
    if source.resolve() == target.resolve():
        return
    passing = target.with_name(f"{secrets.token_hex(8)}.partial")
    try:
        copy(source, passing)
        passing.replace(target)
    finally:
        passing.unlink(missing_ok=True)
