"""A file that comes from a page, on its way and afterwards. Values only: no engine."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from desktop.ui.language import tr


@dataclass(frozen=True, slots=True)
class SavedFile:
    """A file that a person saved. `is_pdf` by its content; `order_id` is a suggestion, may be empty."""

    path: Path
    name: str
    content_type: str
    size: int
    is_pdf: bool
    order_id: str = ""


class DownloadState(StrEnum):
    RUNNING = "running"
    SAVED = "saved"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Download:
    """One file's way. `received` and `total` are bytes, `total` -1 where the site does not say. `reason` is a sentence when it
    failed; `saved` is there once it is whole; `may_retry` where asking the site once more can help."""

    number: int
    name: str
    state: DownloadState = DownloadState.RUNNING
    received: int = 0
    total: int = -1
    reason: str = ""
    saved: SavedFile | None = None
    may_retry: bool = False

    @property
    def percent(self) -> int:
        """-1 where it can't be told; 100 is for the whole file alone."""
        if self.state is not DownloadState.RUNNING:
            return 100
        return min(99, 100 * self.received // self.total) if self.total > 0 else -1


def size_words(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB" if size >= 1_000_000 else f"{max(1, round(size / 1000))} kB"


def words_of(download: Download) -> str:
    """What stands under the name."""
    match download.state:
        case DownloadState.RUNNING if download.total > 0:
            return tr("{size} of {total}", size=size_words(download.received), total=size_words(download.total))
        case DownloadState.RUNNING:
            return tr("{size} so far", size=size_words(download.received)) if download.received else tr("Starting…")
        case DownloadState.SAVED if download.saved is not None:
            return tr("{size}, saved on this PC", size=size_words(download.saved.size))
        case DownloadState.CANCELLED:
            return tr("Cancelled. Nothing of it was kept; InfoTrack still has the file.")
        case _:
            return download.reason
