"""A shortcut on Windows: a hot key of this thread, whose message Qt's event loop passes on."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QAbstractNativeEventFilter, QCoreApplication

from desktop.ui.language import tr
from desktop.ui.shortcut import NotPossible, Shortcut

WM_HOTKEY = 0x0312
_ID = 0x1C01
_NO_REPEAT = 0x4000
_MODIFIERS = {"Alt": 1, "Ctrl": 2, "Shift": 4, "Meta": 8}
_F1 = 0x70


def modifiers_and_key(shortcut: Shortcut) -> tuple[int, int]:
    """As RegisterHotKey wants them: a letter's or digit's virtual key is its capital's code."""
    held = sum(_MODIFIERS[name] for name in shortcut.modifiers) | _NO_REPEAT
    key = shortcut.key
    return held, ord(key) if len(key) == 1 else _F1 + int(key[1:]) - 1


class _Message(ctypes.Structure):
    """The beginning of Windows' MSG."""

    _fields_ = [("hwnd", ctypes.c_void_p), ("message", ctypes.c_uint), ("wparam", ctypes.c_size_t)]


class _Filter(QAbstractNativeEventFilter):
    def __init__(self, pressed: Callable[[], None]) -> None:
        super().__init__()
        self._pressed = pressed

    def nativeEventFilter(self, kind: Any, message: int) -> Any:
        if bytes(kind) == b"windows_generic_MSG":
            told = _Message.from_address(int(message))
            if told.message == WM_HOTKEY and told.wparam == _ID:
                self._pressed()
                return True, 0
        return False, 0


def _register(held: int, key: int) -> bool:
    if sys.platform == "win32":
        return bool(ctypes.windll.user32.RegisterHotKey(None, _ID, held, key))
    return False


def _unregister() -> None:
    if sys.platform == "win32":
        ctypes.windll.user32.UnregisterHotKey(None, _ID)


class WindowsListener:
    """Listens from the constructor on, on the GUI thread. Raises NotPossible, also when another program holds the key."""

    def __init__(self, shortcut: Shortcut, pressed: Callable[[], None]) -> None:
        if not _register(*modifiers_and_key(shortcut)):
            raise NotPossible(
                tr("The shortcut {shortcut} can't be had. Another program uses it already. Choose another one.", shortcut=shortcut)
            )
        self._filter = _Filter(pressed)
        application = QCoreApplication.instance()
        if application is not None:
            application.installNativeEventFilter(self._filter)

    def close(self) -> None:
        _unregister()
        application = QCoreApplication.instance()
        if application is not None:
            application.removeNativeEventFilter(self._filter)
