"""The program's own log and crash reports: small rotating files in the profile, a JSON object a line.

Nothing personal gets in: of a message's arguments only what `desktop.services.loggable` lets through is written, of a
traceback only where in the code it happened and the error's class. Other libraries' messages follow the same rule."""

from __future__ import annotations

import atexit
import contextlib
import faulthandler
import json
import logging
import logging.handlers
import os
import sys
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from desktop.private_files import make_private, open_private
from desktop.services.loggable import HIDDEN, Loggable, frames, place_of

MOST_CRASHES = 10
LOG_SECONDS = 7 * 86_400
KEPT_SECONDS = 30 * 86_400


class SafeLines(logging.Formatter):
    """One JSON object a line: at (UTC), level, thread, logger, message, and where an error came from."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "thread": record.threadName if record.threadName in _OUR_THREADS else "other",
            "logger": record.name,
            "message": safe_message(record),
        }
        if not _is_ours(record):
            line["from"] = f"{place_of(record.pathname)}:{record.lineno}"
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            line["where"] = frames(record.exc_info[2])
        return json.dumps(line, ensure_ascii=False)


_OUR_THREADS = frozenset({"MainThread", "courier", "refresher", "desk", "keyring"})


def safe_message(record: logging.LogRecord) -> str:
    """The template with what may be shown. A template that was put together before it came here can't be told apart from
    text of others, so only constants of ours are used: a test reads every call. Of another library's message the place in its
    code is told, and nothing that it says."""
    args = record.args
    if not _is_ours(record):
        return HIDDEN
    if not args:
        return record.msg if isinstance(record.msg, str) else HIDDEN
    try:
        if isinstance(args, Mapping):
            return str(record.msg) % {name: _shown(value) for name, value in args.items()}
        return str(record.msg) % tuple(_shown(value) for value in args)
    except (TypeError, ValueError):
        return f"{record.msg} {HIDDEN}"


def _is_ours(record: logging.LogRecord) -> bool:
    return record.name == "desktop" or record.name.startswith("desktop.")


def _shown(value: object) -> object:
    if value is None or isinstance(value, (int, float, Loggable)):
        return value
    return HIDDEN


class _PrivateLog(logging.handlers.RotatingFileHandler):
    """For its owner's eyes, like everything in the profile. A file of one million bytes, or one that was begun a week ago, is
    followed by the next; those that nobody wrote to for a month go."""

    _begun: float | None = None

    def _open(self) -> TextIOWrapper:
        make_private(Path(self.baseFilename))
        self._begun = _begun(Path(self.baseFilename))
        return super()._open()

    def shouldRollover(self, record: logging.LogRecord) -> int:
        by_size = super().shouldRollover(record)  # opens the file
        return int(bool(by_size) or (self._begun is not None and record.created - self._begun > LOG_SECONDS))

    def doRollover(self) -> None:
        super().doRollover()
        self.forget_old()

    def forget_old(self) -> None:
        base = Path(self.baseFilename)
        for path in base.parent.glob(f"{base.name}.*"):
            with contextlib.suppress(OSError):
                if time.time() - path.stat().st_mtime > KEPT_SECONDS:
                    path.unlink()


def _begun(file: Path) -> float | None:
    """When its first line was written; None for an empty one, now for one that does not say."""
    try:
        with file.open("rb") as lines:
            first = lines.readline(4000)
    except OSError:
        return None
    if not first:
        return None
    try:
        return datetime.fromisoformat(json.loads(first)["at"]).timestamp()
    except (ValueError, KeyError, TypeError):
        return file.stat().st_mtime


def log_to(folder: Path, name: str) -> None:
    """Call once, at the start. A folder that can't be written costs the log, not the program."""
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    for chatty in ("urllib3", "authlib", "keyring", "filelock"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    try:
        for each in (folder.parent, folder):  # the mode is not the parents'
            each.mkdir(mode=0o700, parents=True, exist_ok=True)
        handler = _PrivateLog(folder / f"{name}.log", maxBytes=1_000_000, backupCount=3, encoding="utf-8", delay=True)
    except OSError:
        root.addHandler(logging.NullHandler())
        return
    handler.setFormatter(SafeLines())
    handler.forget_old()
    root.addHandler(handler)


# ---- crash reports ------------------------------------------------------------------------------------------------------


def report_crashes_to(folder: Path, *, short: bool = False) -> None:
    """From now on what ends this process, or one of its threads, leaves a report in `folder`: where in the code and which
    error, no values. Nothing is sent anywhere. Call once, in the program's main thread. `short` is for a command, of which there
    are many: it takes its empty file away when it ends calmly."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Kept open on purpose: it must be there when nothing works any more.
        native = open_private(folder / f"{os.getpid()}.native")
    except OSError:
        return
    faulthandler.enable(native.fileno())
    _natives.append(native)
    if short:
        atexit.register(_ended_calmly, native, folder / f"{os.getpid()}.native")
    before, thread_before = sys.excepthook, threading.excepthook

    def ended(kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
        if not issubclass(kind, (KeyboardInterrupt, SystemExit)):
            _write(folder, kind, where, "main")
        before(kind, error, where)

    def thread_ended(args: threading.ExceptHookArgs) -> None:
        if not issubclass(args.exc_type, SystemExit):
            _write(folder, args.exc_type, args.exc_traceback, "thread")
        thread_before(args)

    sys.excepthook, threading.excepthook = ended, thread_ended


_natives: list[object] = []


def _ended_calmly(native: BinaryIO, path: Path) -> None:
    faulthandler.disable()
    with contextlib.suppress(OSError):
        native.close()
        if not path.stat().st_size:
            path.unlink()


def _write(folder: Path, kind: type[BaseException], where: TracebackType | None, thread: str) -> None:
    at = datetime.now(UTC)
    report = {"at": at.isoformat(timespec="seconds"), "thread": thread, "error": kind.__name__, "where": frames(where)}
    try:
        with open_private(folder / f"{at:%Y%m%dT%H%M%S}-{time.monotonic_ns() % 1_000_000:06}.json") as file:
            file.write(json.dumps(report, indent=1).encode())
    except OSError:
        return


def crashes(folder: Path) -> tuple[Path, ...]:
    """Reports that nobody has looked at, oldest first. Old ones beyond ten go, of those that were looked at likewise; so do the
    empty files of processes that ended calmly."""
    if not folder.is_dir():
        return ()
    found: list[Path] = []
    seen: list[Path] = []
    for path in sorted(folder.iterdir(), key=_written_at):
        if path.suffix == ".native":
            if _size(path):
                found.append(path)
            elif not _lives(path.stem):
                with contextlib.suppress(OSError):
                    path.unlink(missing_ok=True)
        elif path.suffix == ".json":
            found.append(path)
        elif path.suffix == ".seen":
            seen.append(path)
    for old in (*found[:-MOST_CRASHES], *seen[:-MOST_CRASHES]):
        with contextlib.suppress(OSError):
            old.unlink(missing_ok=True)
    return tuple(found[-MOST_CRASHES:])


def _written_at(path: Path) -> tuple[float, str]:
    """By time, because one kind of report is named after its moment and the other after its process."""
    try:
        return path.stat().st_mtime, path.name
    except OSError:
        return 0.0, path.name


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def looked_at(reports: tuple[Path, ...]) -> None:
    """They have been seen: kept for a bundle, and not offered again."""
    for path in reports:
        if path.exists():
            path.rename(path.with_suffix(path.suffix + ".seen"))


def _lives(process: str) -> bool:
    if not process.isdigit():
        return False
    if int(process) == os.getpid():
        return True
    if sys.platform == "win32":  # asking there would end the process; a file that a living one holds can't be removed
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
