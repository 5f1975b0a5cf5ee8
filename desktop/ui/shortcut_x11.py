"""A shortcut on X11: a key grabbed on the root window, over a connection of its own."""

from __future__ import annotations

import ctypes
import ctypes.util
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QSocketNotifier

from desktop.ui.language import tr
from desktop.ui.shortcut import NotPossible, Shortcut

_SHIFT, _LOCK, _CONTROL, _MOD1, _MOD2, _MOD4 = 1, 2, 4, 8, 16, 64
_MASKS = {"Shift": _SHIFT, "Ctrl": _CONTROL, "Alt": _MOD1, "Meta": _MOD4}
_LOCKS = (0, _LOCK, _MOD2, _LOCK | _MOD2)
"""Caps Lock and Num Lock count as modifiers: the key is asked for with each of them, lit or not."""

_KEY_PRESS = 2
_GRAB_ASYNC = 1


class _Error(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("display", ctypes.c_void_p),
        ("resourceid", ctypes.c_ulong),
        ("serial", ctypes.c_ulong),
        ("error_code", ctypes.c_ubyte),
        ("request_code", ctypes.c_ubyte),
        ("minor_code", ctypes.c_ubyte),
    ]


_Handler = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(_Error))
_refused: list[int] = []


def _note(_display: int, error: Any) -> int:
    """Xlib's own handler would end the program."""
    _refused.append(int(error.contents.error_code))
    return 0


_note_refusal = _Handler(_note)


def _library() -> ctypes.CDLL:
    name = ctypes.util.find_library("X11") or "libX11.so.6"
    try:
        x11 = ctypes.CDLL(name)
    except OSError as error:
        raise NotPossible(tr("The library libX11 is missing on this PC, so no shortcut can be had.")) from error
    pointer, number, word = ctypes.c_void_p, ctypes.c_int, ctypes.c_ulong
    x11.XOpenDisplay.restype, x11.XOpenDisplay.argtypes = pointer, [ctypes.c_char_p]
    x11.XCloseDisplay.argtypes = [pointer]
    x11.XDefaultRootWindow.restype, x11.XDefaultRootWindow.argtypes = word, [pointer]
    x11.XConnectionNumber.argtypes = [pointer]
    x11.XStringToKeysym.restype, x11.XStringToKeysym.argtypes = word, [ctypes.c_char_p]
    x11.XKeysymToKeycode.restype, x11.XKeysymToKeycode.argtypes = ctypes.c_ubyte, [pointer, word]
    x11.XGrabKey.argtypes = [pointer, number, ctypes.c_uint, word, number, number, number]
    x11.XUngrabKey.argtypes = [pointer, number, ctypes.c_uint, word]
    x11.XSync.argtypes = [pointer, number]
    x11.XPending.argtypes = [pointer]
    x11.XNextEvent.argtypes = [pointer, pointer]
    x11.XSetErrorHandler.restype, x11.XSetErrorHandler.argtypes = pointer, [_Handler]
    return x11


class X11Listener:
    """Listens from the constructor on. Raises NotPossible, also when another program holds the key already."""

    def __init__(self, shortcut: Shortcut, pressed: Callable[[], None]) -> None:
        self._x11 = x11 = _library()
        self._pressed = pressed
        self._display = x11.XOpenDisplay(None)
        if not self._display:
            raise NotPossible(tr("This PC's screen can't be reached, so no shortcut can be had."))
        self._root = x11.XDefaultRootWindow(self._display)
        self._mask = sum(_MASKS[name] for name in shortcut.modifiers)
        symbol = shortcut.key.lower() if len(shortcut.key) == 1 else shortcut.key
        self._code = int(x11.XKeysymToKeycode(self._display, x11.XStringToKeysym(symbol.encode())))
        # Qt speaks to the screen without Xlib: the handler is nobody else's.
        x11.XSetErrorHandler(_note_refusal)
        _refused.clear()
        if self._code:
            for lock in _LOCKS:
                x11.XGrabKey(self._display, self._code, self._mask | lock, self._root, 0, _GRAB_ASYNC, _GRAB_ASYNC)
            x11.XSync(self._display, 0)
        if not self._code or _refused:
            x11.XCloseDisplay(self._display)
            self._display = None
            reason = tr("Another program uses it already.") if self._code else tr("This keyboard has no such key.")
            raise NotPossible(
                tr("The shortcut {shortcut} can't be had. {reason} Choose another one.", shortcut=shortcut, reason=reason)
            )
        self._notifier = QSocketNotifier(x11.XConnectionNumber(self._display), QSocketNotifier.Type.Read)
        self._notifier.activated.connect(self._read)

    def _read(self) -> None:
        event = ctypes.create_string_buffer(256)
        times = 0
        while self._display and self._x11.XPending(self._display):
            self._x11.XNextEvent(self._display, event)
            times += ctypes.c_int.from_buffer(event).value == _KEY_PRESS
        if times:
            self._pressed()

    def close(self) -> None:
        if self._display:
            self._notifier.setEnabled(False)
            self._x11.XCloseDisplay(self._display)
            self._display = None
