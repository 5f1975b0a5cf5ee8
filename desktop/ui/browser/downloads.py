"""Saves what the person downloads, and nothing else (G6): into our folder, under a safe name, within
limits, never opened by itself.

A file is written under a name that says «partial» and gets its own name only when it is whole and is what it says.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtWebEngineCore import QWebEngineDownloadRequest

from desktop.ui.browser.addresses import Rules, Verdict
from desktop.ui.browser.file_names import looks_like_pdf, order_number_in, safe_name

PARTIAL = ".partial"
MOST_AT_ONCE = 4
MOST_IN_ALL = 200
SPARE_BYTES = 50_000_000
STALE_SECONDS = 24 * 3600.0
ZONE = b"[ZoneTransfer]\r\nZoneId=3\r\n"


@dataclass(frozen=True, slots=True)
class SavedFile:
    """A file that a person saved. `is_pdf` by its content; `order_id` is a suggestion, may be empty."""

    path: Path
    name: str
    content_type: str
    size: int
    is_pdf: bool
    order_id: str = ""


class Downloads(QObject):
    """Takes the profile's download requests. Emits `saved(SavedFile)`, `refused(reason)` and
    `progress(name, percent)`, percent -1 when unknown."""

    saved = Signal(object)
    refused = Signal(str)
    progress = Signal(str, int)

    def __init__(
        self,
        folder: Path,
        rules: Rules,
        *,
        most_bytes: int,
        platform: str = sys.platform,
        free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._folder = folder
        self._rules = rules
        self._most_bytes = most_bytes
        self._platform = platform
        self._free_bytes = free_bytes
        self._running: dict[QWebEngineDownloadRequest, tuple[Path, str]] = {}
        self._count = 0
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        remove_partials(folder, older_than=STALE_SECONDS)

    def take(self, request: QWebEngineDownloadRequest) -> None:
        """A slot for `QWebEngineProfile.downloadRequested`. A request that is not accepted is cancelled."""
        name = safe_name(request.suggestedFileName() or request.downloadFileName(), request.mimeType())
        reason = self._why_not(request, name)
        if reason:
            request.cancel()
            self.refused.emit(reason)
            return
        assert name is not None
        self._count += 1
        partial = self._folder / f"{secrets.token_hex(8)}{PARTIAL}"
        request.setDownloadDirectory(str(self._folder))
        request.setDownloadFileName(partial.name)
        self._running[request] = (partial, name)
        request.receivedBytesChanged.connect(lambda: self._watch(request))
        request.isFinishedChanged.connect(lambda: self._finished(request))
        request.stateChanged.connect(lambda state: self._interrupted(request, state))
        request.accept()
        self.progress.emit(name, -1)

    def cancel_all(self) -> None:
        """Stops what is still running and removes its traces."""
        for request, (partial, _name) in list(self._running.items()):
            del self._running[request]
            with contextlib.suppress(RuntimeError):
                request.cancel()
            self._remove(partial)

    def _why_not(self, request: QWebEngineDownloadRequest, name: str | None) -> str:
        url = request.url()
        if request.isSavePageDownload():
            return "Whole pages are not saved here; save the document instead."
        text = url.toString(QUrl.ComponentFormattingOption.FullyEncoded)
        if url.scheme() in ("blob", "data"):
            page = request.page()
            text = page.url().toString(QUrl.ComponentFormattingOption.FullyEncoded) if page is not None else ""
        if self._rules.navigation(text).verdict is not Verdict.ALLOW:
            return "A file from an address outside InfoTrack was not saved."
        if name is None:
            return "This kind of file is not saved here. Documents, tables and pictures are."
        if len(self._running) >= MOST_AT_ONCE:
            return f"Only {MOST_AT_ONCE} files are saved at once. Try again when one has finished."
        if self._count >= MOST_IN_ALL:
            return "This window has saved very many files. Close it and order again from the tray to save more."
        size = request.totalBytes()
        if size > self._most_bytes:
            return f"A file of more than {self._most_bytes // 1_000_000} MB was not saved."
        with contextlib.suppress(OSError):
            if self._free_bytes(self._folder) < max(size, 0) + SPARE_BYTES:
                return "The disk is almost full, so the file was not saved. Make room and try again."
        return ""

    def _watch(self, request: QWebEngineDownloadRequest) -> None:
        if request not in self._running:
            return
        _partial, name = self._running[request]
        if request.receivedBytes() > self._most_bytes:
            self._give_up(request, f"A file of more than {self._most_bytes // 1_000_000} MB was not saved.")
            return
        total = request.totalBytes()
        self.progress.emit(name, int(100 * request.receivedBytes() / total) if total > 0 else -1)

    def _give_up(self, request: QWebEngineDownloadRequest, reason: str) -> None:
        partial, name = self._running.pop(request)
        request.cancel()
        self._remove(partial)
        self.progress.emit(name, 100)
        self.refused.emit(reason)

    def _interrupted(self, request: QWebEngineDownloadRequest, state: QWebEngineDownloadRequest.DownloadState) -> None:
        """The engine keeps a cut download for going on later, which nobody here asks for."""
        if request in self._running and state == QWebEngineDownloadRequest.DownloadState.DownloadInterrupted:
            self._give_up(request, why_interrupted(request.interruptReason()))

    def _finished(self, request: QWebEngineDownloadRequest) -> None:
        if request not in self._running:
            return
        if request.state() != QWebEngineDownloadRequest.DownloadState.DownloadCompleted:
            self._give_up(request, why_interrupted(request.interruptReason()))
            return
        partial, name = self._running.pop(request)
        self.progress.emit(name, 100)
        try:
            saved = self._keep(partial, name, request)
        except OSError as error:
            self._remove(partial)
            self.refused.emit(f"The file could not be saved ({error.strerror or 'no reason given'}).")
            return
        if saved is None:
            self._remove(partial)
            self.refused.emit("The file is empty or is not the PDF that it says it is, so it was not saved. Try again on the page.")
            return
        self.saved.emit(saved)

    def _keep(self, partial: Path, name: str, request: QWebEngineDownloadRequest) -> SavedFile | None:
        size = partial.stat().st_size
        with partial.open("rb") as file:
            is_pdf = looks_like_pdf(file.read(1024))
        if size == 0 or size > self._most_bytes or (name.endswith(".pdf") and not is_pdf):
            return None
        if self._platform != "win32":
            partial.chmod(0o600)
        final = place_for(partial, self._folder, name)
        mark_of_the_web(final, platform=self._platform)
        return SavedFile(
            path=final,
            name=name,
            content_type=request.mimeType().split(";")[0].strip().lower()[:100] or "application/octet-stream",
            size=size,
            is_pdf=is_pdf and name.endswith(".pdf"),
            order_id=order_number_in(request.url().toString(), name),
        )

    def _remove(self, partial: Path) -> None:
        for path in (partial, *self._folder.glob(partial.name + "*")):
            with contextlib.suppress(OSError):
                path.unlink()


def place_for(partial: Path, folder: Path, name: str) -> Path:
    """Gives a finished file its name, with a number where the name is taken. Never writes over a file."""
    stem, ending = name.rsplit(".", 1)
    for number in range(1, 1000):
        final = folder / (name if number == 1 else f"{stem} ({number}).{ending}")
        try:
            handle = os.open(final, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        except FileExistsError:
            continue
        os.close(handle)
        partial.replace(final)
        return final
    raise OSError(17, "too many files of this name")


def mark_of_the_web(path: Path, *, platform: str, write: Callable[[str, bytes], object] | None = None) -> None:
    """Tells Windows that the file came from the internet, so that Office opens it protected. The address is left out: it may
    sign somebody in. Elsewhere, and on a disk without streams, nothing happens."""
    if platform != "win32":
        return
    with contextlib.suppress(OSError):
        (write or _write_bytes)(f"{path}:Zone.Identifier", ZONE)


def _write_bytes(path: str, content: bytes) -> None:
    with open(path, "wb") as stream:  # noqa: PTH123 - a stream's name is no path for pathlib
        stream.write(content)


def remove_partials(folder: Path, *, older_than: float, now: Callable[[], float] = time.time) -> int:
    """Removes what a window that was cut off left behind; another window's running download is younger. Gives how many."""
    removed = 0
    with contextlib.suppress(OSError):
        for path in folder.glob(f"*{PARTIAL}*"):
            with contextlib.suppress(OSError):
                if now() - path.stat().st_mtime > older_than:
                    path.unlink()
                    removed += 1
    return removed


def why_interrupted(reason: QWebEngineDownloadRequest.DownloadInterruptReason) -> str:
    name = reason.name
    if name == "FileNoSpace":
        return "The disk is full, so the file was not saved. Make room and try again."
    if name.startswith("File"):
        return "The file could not be written on this PC."
    if name.startswith("Server"):
        return "InfoTrack did not give the file. Try again on the page."
    if name == "UserCanceled":
        return "Saving the file was cancelled."
    return "The line was cut while the file was coming. Try again on the page."
