"""The folder that the engine writes to while a window with extra authorities is open, and the removal of those left over."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

from desktop.services.order_protocol import PASSING_FOLDER

_A_DAY = 24 * 3600.0


def passing_folder(profile_folder: Path) -> Path:
    """Makes this process's own folder, private and empty, after removing what dead windows left."""
    remove_left_over(profile_folder)
    folder = profile_folder / f"{PASSING_FOLDER}{os.getpid()}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    return folder


def remove_left_over(
    profile_folder: Path, *, alive: Callable[[int], bool] | None = None, now: Callable[[], float] = time.time
) -> int:
    """Removes the folders of processes that are gone; where that can't be told, those older than a day. Gives how many."""
    removed = 0
    for folder in profile_folder.glob(f"{PASSING_FOLDER}*"):
        number = folder.name.removeprefix(PASSING_FOLDER)
        with contextlib.suppress(OSError):
            old = now() - folder.stat().st_mtime > _A_DAY
            if old or not number.isdigit() or not (alive or is_alive)(int(number)):
                shutil.rmtree(folder, ignore_errors=True)
                removed += 1
    return removed


def is_alive(pid: int) -> bool:
    """True also where it can't be told (Windows: asking would end the process)."""
    if sys.platform == "win32":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
