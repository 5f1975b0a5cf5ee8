"""What keeps the idle tray small. Nothing here changes what the program does; each takes effect for the whole process, so only the
tray's own start calls it.
"""

from __future__ import annotations

import ctypes
import gc
import sys
import warnings

_M_ARENA_MAX = -8


def one_heap() -> None:
    """Lets all threads share one heap (glibc). Each thread would otherwise get one of its own, and what a thread needed once, at
    its busiest, stays with it: some 3 MB with our six, which mostly wait. Call it before threads are started."""
    if sys.platform == "linux" and (libc := _libc()) is not None:
        libc.mallopt(_M_ARENA_MAX, 1)


def guess_no_encodings() -> None:
    """Keeps the package that guesses encodings out of this process: 3 MB of tables that nobody asks. Call it before requests is
    imported, which works without it and then takes text for UTF-8; our services read bytes, and JSON and XML say what they are
    encoded in."""
    if "requests" not in sys.modules:
        warnings.filterwarnings("ignore", message="Unable to find acceptable character detection")
        for name in ("chardet", "charset_normalizer"):
            # None is Python's own way to say that a module is not to be imported.
            sys.modules.setdefault(name, None)  # type: ignore[arg-type]


def settle() -> None:
    """Once, when everything is imported and open: what stands now stays for good, so the collector need not look at it again."""
    gc.collect()
    gc.freeze()
    give_back()


def give_back() -> None:
    """Gives the memory of finished work back to the operating system, where that has to be asked for (glibc)."""
    if sys.platform == "linux" and (libc := _libc()) is not None:
        libc.malloc_trim(0)


def _libc() -> ctypes.CDLL | None:
    libc = ctypes.CDLL(None)
    # Another libc (musl) has neither and needs neither.
    return libc if hasattr(libc, "mallopt") and hasattr(libc, "malloc_trim") else None
