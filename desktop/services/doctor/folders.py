"""Folders and files that iConnect needs: writable, local, private, with room."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from desktop.places import Places
from desktop.services.doctor.check import Check, Verdict

LEAST_ROOM = 200_000_000
_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "afs", "davfs", "fuse.davfs2", "ncpfs", "ceph"})
_COPIERS = ("onedrive", "dropbox", "google drive", "googledrive", "iclouddrive", "icloud drive", "nextcloud", "box sync")
_LOCAL_FOLDER = "Name a local folder with --profile or ICONNECT_PROFILE."


def profile_folder(folder: Path, environment: Mapping[str, str] = os.environ, mounts: str | None = None) -> Iterator[Check]:
    """`mounts` is the table of mounted file systems (Linux's own when None)."""
    nearest = next((path for path in (folder, *folder.parents) if _exists(path)), folder)
    problem = _unwritable(folder) if folder == nearest else "" if os.access(nearest, os.W_OK) else "may not be written"
    if not nearest.is_dir():
        yield Check(
            "profile folder",
            Verdict.FAIL,
            f"{nearest} is a file, not a folder.",
            "Move it away, or name another folder with --profile.",
        )
    elif problem:
        yield Check("profile folder", Verdict.FAIL, f"{folder}: {problem}.", _cure_of(problem))
    elif kind := _on_a_share(nearest, mounts):
        yield Check(
            "profile folder",
            Verdict.FAIL,
            f"{folder} lies on a network share ({kind}), where the ledger is not safe.",
            _LOCAL_FOLDER,
        )
    elif copier := _copied_by(folder, environment):
        yield Check(
            "profile folder",
            Verdict.FAIL,
            f"{folder} lies in a folder that {copier} copies elsewhere: the ledger could break, and client data leave this PC.",
            _LOCAL_FOLDER,
        )
    else:
        yield Check("profile folder", Verdict.OK, f"{folder} is local and can be written.")
    yield from _disk_room(nearest)


def _disk_room(nearest: Path) -> Iterator[Check]:
    try:
        free = shutil.disk_usage(nearest).free
    except OSError as error:
        yield Check(
            "disk room", Verdict.FAIL, f"The disk does not tell its room ({error.strerror}).", "Look whether the disk is failing."
        )
        return
    if free < LEAST_ROOM:
        yield Check("disk room", Verdict.FAIL, f"Only {free // 1_000_000} MB are free.", "Free at least 200 MB.")
    else:
        yield Check("disk room", Verdict.OK, f"{free / 1_000_000_000:.1f} GB free.")


def privacy(where: Places) -> Iterator[Check]:
    """Whether other users of this PC may read what is the person's own. On Windows the folder's own rights do it."""
    if sys.platform == "win32" or not where.profile.is_dir():
        return
    own = where.profile.stat()
    if own.st_uid not in (os.getuid(), 0) or (own.st_uid == 0 and os.getuid() != 0):
        yield Check(
            "profile rights",
            Verdict.FAIL,
            f"{where.profile} belongs to another user.",
            "Give it to the user, or name another with --profile.",
        )
        return
    if own.st_mode & 0o022 and not own.st_mode & stat.S_ISVTX:
        yield Check(
            "profile rights",
            Verdict.FAIL,
            f"Others may write in {where.profile}.",
            f"chmod 700 {where.profile}, then look who changed it.",
        )
        return
    open_to_others = [path.name for path in _secret_files(where) if path.stat().st_mode & 0o077]
    if open_to_others:
        yield Check(
            "profile rights",
            Verdict.FAIL,
            f"Others may read or write {', '.join(open_to_others)}.",
            "chmod 600 these files; iConnect makes them private when it starts.",
        )
    elif own.st_mode & 0o055:
        yield Check(
            "profile rights",
            Verdict.NOTE,
            "Others may list the profile's folder, but read none of its files.",
            f"chmod 700 {where.profile}",
        )
    else:
        yield Check("profile rights", Verdict.OK, "The profile is readable by its owner alone.")


def _secret_files(where: Places) -> list[Path]:
    from desktop.services.identity.wallet import DATABASE

    named = (where.ledger, where.directory, where.profile / DATABASE, where.profile / "infotrack.json", where.own_settings)
    with_logs = [path for one in named for path in (one, one.with_name(one.name + "-wal"), one.with_name(one.name + "-shm"))]
    return [path for path in with_logs if path.is_file()]


def drop_folder(folder: str) -> Iterator[Check]:
    """It may lie on a share; files are read, moved and written there."""
    if not folder:
        return
    path = Path(folder)
    try:
        path.stat()
        there = path.is_dir()
    except FileNotFoundError:
        yield Check(
            "drop folder",
            Verdict.NOTE,
            f"{folder} is not there.",
            "Create it, or correct results.folder. It is looked for again at each poll.",
        )
        return
    except OSError as error:
        yield Check(
            "drop folder",
            Verdict.FAIL,
            f"{folder} can't be reached ({error.strerror}).",
            "Give the user the right to read and write there, or check the network share.",
        )
        return
    if not there:
        yield Check("drop folder", Verdict.FAIL, f"{folder} is a file, not a folder.", "Correct results.folder.")
    elif not os.access(path, os.R_OK | os.X_OK):
        yield Check("drop folder", Verdict.FAIL, f"{folder} may not be read.", "Give the user both rights: files are moved there.")
    elif problem := _unwritable(path):
        yield Check("drop folder", Verdict.FAIL, f"{folder}: {problem}.", "Give the user both rights: files are moved there.")
    else:
        yield Check("drop folder", Verdict.OK, folder)


def platform_rights(file: Path) -> Iterator[Check]:
    """Who can change the platform file decides where sign-ins go."""
    if sys.platform != "win32" and file.stat().st_mode & stat.S_IWOTH:
        yield Check(
            "platform file rights",
            Verdict.NOTE,
            f"Every user of this PC may change {file}.",
            "Let administrators alone write it: chmod o-w.",
        )


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a parent that may not be entered
        return False


def _unwritable(folder: Path) -> str:
    """Empty when a file could be made, written and removed there; else why not. Rights alone don't tell: disks are read-only
    or full, and a share's server decides for itself."""
    trial = folder / f".iconnect-check-{os.getpid()}"
    try:
        descriptor = os.open(trial, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        try:
            os.write(descriptor, b"x" * 8192)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        return _REASONS.get(error.errno or 0, f"nothing can be written there ({error.strerror})")
    finally:
        with contextlib.suppress(OSError):
            trial.unlink(missing_ok=True)
    return ""


_REASONS = {
    errno.EROFS: "the disk is read-only",
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT if hasattr(errno, "EDQUOT") else errno.ENOSPC: "the user's share of the disk is used up",
    errno.EACCES: "the user may not write there",
    errno.EPERM: "the user may not write there",
}
_REASONS[errno.ENOSPC] = "the disk is full"


def _cure_of(problem: str) -> str:
    if "full" in problem or "used up" in problem:
        return "Free at least 200 MB; what is queued stays queued."
    if "read-only" in problem:
        return "Look whether the disk is failing, or name a folder on another with --profile."
    return "Give the user the right to write there."


def _on_a_share(path: Path, mounts: str | None) -> str:
    """The kind of network share, or empty."""
    if str(path).startswith("\\\\"):
        return "UNC"
    if sys.platform == "win32":
        import ctypes

        remote = 4
        return "mapped drive" if ctypes.windll.kernel32.GetDriveTypeW(f"{path.drive}\\") == remote else ""
    kind = _file_system(path.resolve(), mounts)
    return kind if kind in _NETWORK else ""


def _file_system(path: Path, mounts: str | None) -> str:
    """The file system's kind, where the operating system tells (Linux); else empty."""
    try:
        lines = (Path("/proc/mounts").read_text(encoding="utf-8") if mounts is None else mounts).splitlines()
    except OSError:
        return ""
    found, kind = "", ""
    for line in lines:
        parts = line.split(" ")
        mount = parts[1].replace("\\040", " ")
        if (str(path) == mount or str(path).startswith(mount.rstrip("/") + "/")) and len(mount) >= len(found):
            found, kind = mount, parts[2]
    return kind


def _copied_by(folder: Path, environment: Mapping[str, str]) -> str:
    """The program that copies this folder to other PCs, by its usual folder names; empty for none known."""
    for name in ("OneDrive", "OneDriveCommercial", "OneDriveConsumer"):
        root = environment.get(name)
        if root and (folder == Path(root) or Path(root) in folder.parents):
            return "OneDrive"
    for part in folder.parts:
        low = part.casefold()
        for copier in _COPIERS:
            if low == copier or low.startswith((f"{copier} - ", f"{copier} (")):
                return part
    return ""
