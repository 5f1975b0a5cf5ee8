"""How a window's process begins, the order window's and the sign-in window's alike.

Order matters: the pipe is taken and the environment cleaned before Qt's browser engine is imported."""

from __future__ import annotations

import faulthandler
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Generic, Literal, Protocol, TypeVar

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

UNREADABLE_START = 2
NOT_AS_ROOT = 77


class WindowStart(Protocol):
    """What every window's first line says."""

    @property
    def software_rendering(self) -> bool: ...
    @property
    def demo_as_root_unsandboxed(self) -> bool: ...
    @property
    def theme(self) -> Literal["system", "light", "dark"]: ...


S = TypeVar("S", bound=WindowStart)


@dataclass(frozen=True, slots=True)
class Begun(Generic[S]):
    """A process that may show its window: its first line, and both ends of its pipe."""

    start: S
    source: IO[bytes]
    sink: IO[bytes]
    unsandboxed: bool


def begin(read: Callable[[bytes], S]) -> Begun[S] | int:
    """Takes the pipe, reads the first line with `read` (ValueError for a line that can't be read) and locks the engine's
    environment down. An exit status where no window may be shown: 2 no readable start line, 77 root without permission to
    run unsandboxed."""
    from desktop.services.order_protocol import MOST_LINE_BYTES
    from desktop.ui.browser.environment import drop_engine_switches, may_run_unsandboxed, set_engine_environment
    from desktop.ui.browser.pipe import take_pipes

    if sys.stderr is not None:
        faulthandler.enable()
    try:
        source, sink = take_pipes()
        start = read(source.readline(MOST_LINE_BYTES))
    except (OSError, ValueError):
        return UNREADABLE_START
    drop_engine_switches(os.environ)
    effective_user = os.geteuid() if hasattr(os, "geteuid") else None
    unsandboxed = may_run_unsandboxed(asked=start.demo_as_root_unsandboxed, effective_user=effective_user)
    if effective_user == 0 and not unsandboxed:
        return NOT_AS_ROOT
    set_engine_environment(os.environ, software_rendering=start.software_rendering, unsandboxed=unsandboxed, platform=sys.platform)
    return Begun(start, source, sink, unsandboxed)


def make_application(theme: Literal["system", "light", "dark"]) -> QApplication:
    """The process's application, in the theme that the person chose. Call after `begin`."""
    from PySide6.QtWidgets import QApplication

    # Only a name: arguments of this process are no switches for the engine.
    app = QApplication([sys.executable])
    app.setApplicationName("iConnect")
    app.setOrganizationName("iConnect")
    app.setDesktopFileName("iconnect")
    app.setStyle("Fusion")
    app.setQuitOnLastWindowClosed(True)

    from desktop.ui.language_file import use_the_pcs

    # Before anything of the window: some of its words stand in tables.
    use_the_pcs(app, os.environ)

    from desktop.ui.browser.appearance import apply_theme
    from desktop.ui.focus_in_sight import keep_focus_in_sight

    apply_theme(app, theme)
    keep_focus_in_sight(app)
    return app
