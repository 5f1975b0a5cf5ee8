"""The windows. This package is imported before any Qt module, so that Qt's bindings find the interpreter as they need it."""

from __future__ import annotations

import sys


def load_qt() -> None:
    """Imports Qt's core, and gives imports back to Python. Called first by each program of ours that shows something.

    PySide6 puts an import of its own before Python's, for `from __feature__ import …`, which we don't use: it reads the source
    of every module that is imported from then on and keeps it (in linecache). With the services' modules that is a quarter of
    a second and 15 MB in a tray that should be small. Seen with PySide6 6.12."""
    import builtins

    import PySide6.QtCore  # noqa: F401

    plain = getattr(builtins, "__orig_import__", None)
    if plain is not None:
        builtins.__import__ = plain


def steady_singletons() -> bool:
    """Keeps None, True and False alive for good on Python 3.11. True when there was something to do.

    PySide6 6.12.0 is built as if they were immortal, which they are from Python 3.12 on: each call that returns one of them
    drops a reference that it never took, and after a few thousand calls Python 3.11 ends with «deallocating None». Seen with
    Qt 6.12.0 and CPython 3.11 on Linux; 6.11 counts rightly. Delete this when Python 3.11 or that version is no longer
    supported."""
    if sys.version_info >= (3, 12) or sys.implementation.name != "cpython" or hasattr(sys, "gettotalrefcount"):
        return False
    import ctypes

    for single in (None, True, False):
        count = ctypes.c_ssize_t.from_address(id(single))
        if count.value < 1 << 40:
            count.value += 1 << 48
    return True


steady_singletons()
