"""The update repository, read as TUF says: signatures by a threshold of keys that are kept offline, no going back to an older
state, no standing still, no mixing of states, lengths and hashes of every file.

The root of trust is shipped with the program. What is a release is told by a small signed file for each platform
(`<platform>/latest.json`: version, file, and what is new in it as plain text)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from desktop.services.errors import NotNow, ServiceError
from desktop.services.http import Http, Limits

if TYPE_CHECKING:
    from tuf.ngclient.updater import Updater

PATIENCE = Limits(connect=10.0, read=30.0, total=120.0)
"""For the signed lists, which are small: a server that gives them drop by drop must not keep the PC in the dark."""

PACKAGE_PATIENCE = Limits(connect=10.0, read=30.0, total=3600.0)

_MOST = 1_000_000_000
_MOST_NAMED = 20_000
_MOST_NOTES = 4_000
_VERSION = re.compile(r"(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})")
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}")


class UpdateRefused(NotNow):
    """What the repository gave can't be believed or is not newer. Nothing was installed; the program goes on as it is."""


class UpdateNotStored(UpdateRefused):
    """This PC's own disk refused it: nobody tampered with anything."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A release that is newer than this program. `length` in bytes. `notes` is plain text without control characters; it may hold
    marks that a rich text view would obey, so show it as what it is."""

    version: str
    file: str
    length: int
    notes: str = ""


def version_of(text: str) -> tuple[int, int, int]:
    """Raises UpdateRefused for anything but three plain numbers."""
    found = _VERSION.fullmatch(text)
    if not found:
        raise UpdateRefused("The update repository names a version that is none.")
    return int(found[1]), int(found[2]), int(found[3])


def plain_notes(text: object) -> str:
    """A release's notes as they may be shown: lines of printable text, cut where they get long."""
    if not isinstance(text, str):
        return ""
    lines = ("".join(letter for letter in line if letter.isprintable()).rstrip() for line in text.splitlines())
    plain = "\n".join(lines).strip()
    return plain if len(plain) <= _MOST_NOTES else plain[:_MOST_NOTES].rstrip() + "…"


class UpdateRepository:
    """`root` is the trusted root's file as shipped; `folder` is where metadata and packages are kept, private to the user.

    `patience` bounds each signed list, `package_patience` the package, which may be large on a slow line.
    Every method raises UpdateRefused when something can't be believed, and ServiceError when it can't be reached."""

    def __init__(
        self,
        http: Http,
        url: str,
        root: bytes,
        folder: Path,
        *,
        platform: str,
        patience: Limits = PATIENCE,
        package_patience: Limits = PACKAGE_PATIENCE,
    ) -> None:
        self._http = http
        self._patience = patience
        self._package_patience = package_patience
        self._url = url.rstrip("/") + "/"
        self._root = root
        self._folder = folder
        self._platform = platform

    def newest(self, current: str) -> Offer | None:
        """The platform's latest release if it is newer than `current`, else None. Never an older one."""
        with _as_ours():
            updater = self._updater()
            updater.refresh()
            told = self._file(updater, f"{self._platform}/latest.json", most=_MOST_NAMED)
            try:
                found = json.loads(told.read_bytes())
                version, file, notes = str(found["version"]), str(found["file"]), plain_notes(found.get("notes"))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise UpdateRefused("The update repository's list of releases can't be read.") from error
            if version_of(version) <= version_of(current):
                return None
            if not _FILE.fullmatch(file):
                raise UpdateRefused("The update repository names a file that is none.")
            target = updater.get_targetinfo(f"{self._platform}/{file}")
            if target is None:
                raise UpdateRefused("The update repository announces a release that it has not signed.")
            if target.length > _MOST:
                raise UpdateRefused("The release is larger than any release of iConnect.")
            return Offer(version, file, target.length, notes)

    def fetch(self, offer: Offer, progress: Callable[[int], None] = lambda done: None) -> Path:
        """The release's package, downloaded and proved; at once when it is here already, which proves it anew. A cut-off download
        leaves nothing. `progress` is told how many bytes are here."""
        with _as_ours():
            updater = self._updater(progress)
            updater.refresh()
            return self._file(updater, f"{self._platform}/{offer.file}", most=_MOST)

    def _updater(self, progress: Callable[[int], None] = lambda done: None) -> Updater:
        from tuf.ngclient.config import UpdaterConfig
        from tuf.ngclient.updater import Updater

        metadata, targets = self._folder / "metadata", self._folder / "packages"
        for each in (self._folder, metadata, targets):
            each.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Updater(
            str(metadata),
            self._url + "metadata/",
            str(targets),
            self._url + "targets/",
            fetcher=_fetcher(self._http, self._url + "metadata/", self._patience, self._package_patience, progress),
            config=UpdaterConfig(prefix_targets_with_hash=True),
            bootstrap=self._root,
        )

    def _file(self, updater: Updater, name: str, *, most: int) -> Path:
        target = updater.get_targetinfo(name)
        if target is None:
            raise UpdateRefused("The update repository has nothing for this kind of PC.")
        if target.length > most:
            raise UpdateRefused("A file of the update repository is larger than it may be.")
        return Path(updater.find_cached_target(target) or updater.download_target(target))


def _fetcher(http: Http, lists: str, patience: Limits, package_patience: Limits, progress: Callable[[int], None]) -> Any:
    """TUF's downloads by the house's one way to make a request: its time limits, roots, proxies, and no redirects."""
    from tuf.api.exceptions import DownloadError, DownloadHTTPError
    from tuf.ngclient.fetcher import FetcherInterface

    class _Fetcher(FetcherInterface):
        def _fetch(self, url: str) -> Iterator[bytes]:
            is_list = url.startswith(lists) or url.endswith(".latest.json")
            done = 0
            try:
                with http.open("GET", url, cap=_MOST, limits=patience if is_list else package_patience) as answer:
                    if answer.status != 200:
                        raise DownloadHTTPError("no such file", answer.status)
                    for piece in answer.pieces():
                        yield piece
                        done += len(piece)
                        if not is_list:
                            progress(done)
            except ServiceError as error:
                raise DownloadError(str(error)) from error

    return _Fetcher()


@contextmanager
def _as_ours() -> Iterator[None]:
    """TUF's refusals as ours; what could not be reached stays what it is."""
    from securesystemslib.exceptions import Error as SecureError
    from tuf.api.exceptions import DownloadError, DownloadLengthMismatchError, RepositoryError

    try:
        yield
    except DownloadLengthMismatchError as error:
        raise UpdateRefused("The update repository sends more than it signed.") from error
    except DownloadError as error:
        if isinstance(error.__cause__, ServiceError):
            raise error.__cause__ from error
        raise UpdateRefused("The update repository lacks a file that it should have.") from error
    except (RepositoryError, SecureError) as error:
        raise UpdateRefused(f"The update repository can't be believed ({type(error).__name__}). Nothing was installed.") from error
    except OSError as error:
        raise UpdateNotStored(f"The update could not be stored ({error.strerror or error}). Nothing was installed.") from error
