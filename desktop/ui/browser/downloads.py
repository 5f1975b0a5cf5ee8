"""Saves what the person downloads, and nothing else (G6): into our folder, under a safe name, within
limits, never opened by itself.

A file is written under a name that says «partial» and gets its own name only when it is whole and is what it says.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtWebEngineCore import QWebEngineDownloadRequest

from desktop.ui.browser.addresses import Rules, Verdict
from desktop.ui.browser.file_names import looks_like_pdf, order_number_in, safe_name
from desktop.ui.browser.saved_file import Download, DownloadState, SavedFile
from desktop.ui.language import tr

PARTIAL = ".partial"
MOST_AT_ONCE = 4
MOST_IN_ALL = 200
SPARE_BYTES = 50_000_000
STALE_SECONDS = 24 * 3600.0
ZONE = b"[ZoneTransfer]\r\nZoneId=3\r\n"
_VERY_MANY = tr("This window has saved very many files. Close it and order again from the tray to save more.")


class Downloads(QObject):
    """Takes the profile's download requests. Emits
    - `changed(Download)`: a file began, came further, or its way ended;
    - `saved(SavedFile)`, `failed(reason)`: how it ended, for whoever is not looking;
    - `refused(reason)`: a file that was refused before it began, so that it has no `Download`;
    - `wanted_again(QUrl)`: the person wants the site asked for it once more.
    """

    changed = Signal(object)
    saved = Signal(object)
    failed = Signal(str)
    refused = Signal(str)
    wanted_again = Signal(QUrl)

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
        self._running: dict[QWebEngineDownloadRequest, tuple[Path, Download]] = {}
        self._made: dict[int, Download] = {}
        self._addresses: dict[int, QUrl] = {}
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
        can_be_asked_again = request.url().scheme() in ("https", "http")
        download = Download(self._count, name, total=request.totalBytes(), may_retry=can_be_asked_again)
        if can_be_asked_again:
            self._addresses[download.number] = QUrl(request.url())
        self._running[request] = (partial, download)
        request.receivedBytesChanged.connect(lambda: self._watch(request))
        request.isFinishedChanged.connect(lambda: self._finished(request))
        request.stateChanged.connect(lambda state: self._interrupted(request, state))
        request.accept()
        self.changed.emit(download)

    @property
    def is_running(self) -> bool:
        return bool(self._running or self._made)

    def cancel(self, number: int) -> None:
        """The person does not want this file."""
        for request, (_partial, download) in list(self._running.items()):
            if download.number == number:
                self._give_up(request, "", DownloadState.CANCELLED)
        if number in self._made:
            self.changed.emit(replace(self._made.pop(number), state=DownloadState.CANCELLED))

    def cancel_all(self) -> None:
        """Stops what is still running and removes its traces."""
        for request, (partial, _download) in list(self._running.items()):
            del self._running[request]
            with contextlib.suppress(RuntimeError):
                request.cancel()
            self._remove(partial)

    def once_more(self, number: int) -> None:
        """Asks the site again for a file that did not come. Every check is made again."""
        address = self._addresses.pop(number, None)
        if address is not None:
            self.wanted_again.emit(address)

    def begin_made(self, name: str) -> Download | None:
        """A file that this window makes itself (a page as a PDF): give its content to `keep_made`, or `made_failed`. None, and the
        reason by `refused`, where nothing can be saved now."""
        if self._count >= MOST_IN_ALL:
            self.refused.emit(_VERY_MANY)
            return None
        self._count += 1
        download = Download(self._count, safe_name(name, "application/pdf") or "InfoTrack page.pdf")
        self._made[download.number] = download
        self.changed.emit(download)
        return download

    def keep_made(self, number: int, content: bytes) -> None:
        download = self._made.pop(number, None)
        if download is None:
            return
        partial = self._folder / f"{secrets.token_hex(8)}{PARTIAL}"
        try:
            if self._free_bytes(self._folder) < len(content):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            write_whole(partial, content)
            final = place_for(partial, self._folder, download.name)
        except OSError as error:
            self._remove(partial)
            self._ended(replace(download, state=DownloadState.FAILED, reason=why_not_written(error)))
            return
        saved = SavedFile(path=final, name=final.name, content_type="application/pdf", size=len(content), is_pdf=True)
        self._ended(replace(download, state=DownloadState.SAVED, saved=saved, name=saved.name))

    def made_failed(self, number: int, reason: str) -> None:
        download = self._made.pop(number, None)
        if download is not None:
            self._ended(replace(download, state=DownloadState.FAILED, reason=reason))

    def _too_large(self) -> str:
        return tr("A file of more than {size} MB was not saved.", size=self._most_bytes // 1_000_000)

    def _why_not(self, request: QWebEngineDownloadRequest, name: str | None) -> str:
        url = request.url()
        if request.isSavePageDownload():
            return tr("Whole pages are not saved here; save the document instead.")
        text = url.toString(QUrl.ComponentFormattingOption.FullyEncoded)
        if url.scheme() in ("blob", "data"):
            page = request.page()
            text = page.url().toString(QUrl.ComponentFormattingOption.FullyEncoded) if page is not None else ""
        if self._rules.navigation(text).verdict is not Verdict.ALLOW:
            return tr("A file from an address outside InfoTrack was not saved.")
        if name is None:
            return tr("This kind of file is not saved here. Documents, tables and pictures are.")
        if len(self._running) >= MOST_AT_ONCE:
            return tr("Only {count} files are saved at once. Try again when one has finished.", count=MOST_AT_ONCE)
        if self._count >= MOST_IN_ALL:
            return _VERY_MANY
        size = request.totalBytes()
        if size > self._most_bytes:
            return self._too_large()
        with contextlib.suppress(OSError):
            if self._free_bytes(self._folder) < max(size, 0) + SPARE_BYTES:
                return tr("The disk is almost full, so the file was not saved. Make room and try again.")
        return ""

    def _watch(self, request: QWebEngineDownloadRequest) -> None:
        if request not in self._running:
            return
        partial, download = self._running[request]
        if request.receivedBytes() > self._most_bytes:
            self._give_up(request, self._too_large(), may_retry=False)
            return
        download = replace(download, received=request.receivedBytes(), total=request.totalBytes())
        self._running[request] = (partial, download)
        self.changed.emit(download)

    def _give_up(
        self,
        request: QWebEngineDownloadRequest,
        reason: str,
        state: DownloadState = DownloadState.FAILED,
        *,
        may_retry: bool = True,
    ) -> None:
        partial, download = self._running.pop(request)
        request.cancel()
        self._remove(partial)
        self._ended(replace(download, state=state, reason=reason, may_retry=download.may_retry and may_retry))

    def _ended(self, download: Download) -> None:
        if not download.may_retry or download.state is DownloadState.SAVED:
            self._addresses.pop(download.number, None)
        self.changed.emit(download)
        if download.saved is not None:
            self.saved.emit(download.saved)
        elif download.state is DownloadState.FAILED:
            self.failed.emit(download.reason)

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
        partial, download = self._running.pop(request)
        failed = replace(download, state=DownloadState.FAILED)
        try:
            saved = self._keep(partial, download.name, request)
        except OSError as error:
            self._remove(partial)
            self._ended(replace(failed, reason=why_not_written(error)))
            return
        if saved is None:
            self._remove(partial)
            reason = tr("The file is empty or is not the PDF that it says it is, so it was not saved. Try again on the page.")
            self._ended(replace(failed, reason=reason, may_retry=False))
            return
        self._ended(replace(download, state=DownloadState.SAVED, received=saved.size, total=saved.size, saved=saved))

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


def write_whole(path: Path, content: bytes) -> None:
    """Private, and on the disk when this returns."""
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


_DISK_FULL = tr("The disk is full, so the file was not saved. Make room and try again; InfoTrack still has it.")


def is_disk_full(error: OSError) -> bool:
    return error.errno in (errno.ENOSPC, errno.EDQUOT) or getattr(error, "winerror", 0) in (39, 112)


def why_not_written(error: OSError) -> str:
    if is_disk_full(error):
        return _DISK_FULL
    why = error.strerror or tr("no reason given")
    return tr("The file could not be saved on this PC ({why}). InfoTrack still has it.", why=why)


def why_interrupted(reason: QWebEngineDownloadRequest.DownloadInterruptReason) -> str:
    name = reason.name
    if name == "FileNoSpace":
        return _DISK_FULL
    if name in ("FileAccessDenied", "FileBlocked", "FileSecurityCheckFailed", "FileVirusInfected"):
        return tr("This PC or its virus scanner did not let the file be written. Ask your IT people; InfoTrack still has it.")
    if name.startswith("File"):
        return tr("The file could not be written on this PC. Try again; InfoTrack still has it.")
    if name == "ServerUnauthorized":
        return tr("InfoTrack wants a sign-in before it gives the file. Sign in again in the page, then try again.")
    if name.startswith("Server"):
        return tr("InfoTrack did not give the file. Try again in a moment.")
    if name == "UserCanceled":
        return tr("Saving the file was cancelled.")
    return tr("The line was cut while the file was coming. Nothing is lost: InfoTrack still has it. Try again.")
