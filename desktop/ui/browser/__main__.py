"""The order window's process: reads its start line from the pipe, locks the engine down, shows the window.

Order matters: the pipe is taken and the environment cleaned before Qt's browser engine is imported."""

from __future__ import annotations

import faulthandler
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from desktop.services.order_protocol import OrderWindowStart


def main() -> int:
    """Gives the exit status: 0 closed, 2 a start line that can't be read, 77 root without permission to run unsandboxed."""
    from desktop.services.order_protocol import MOST_LINE_BYTES, read_start
    from desktop.ui.browser.environment import drop_engine_switches, may_run_unsandboxed, set_engine_environment
    from desktop.ui.browser.pipe import take_pipes

    if sys.stderr is not None:
        faulthandler.enable()
    try:
        source, sink = take_pipes()
        start = read_start(source.readline(MOST_LINE_BYTES))
    except (OSError, ValueError):
        return 2
    drop_engine_switches(os.environ)
    effective_user = os.geteuid() if hasattr(os, "geteuid") else None
    unsandboxed = may_run_unsandboxed(asked=start.demo_as_root_unsandboxed, effective_user=effective_user)
    if effective_user == 0 and not unsandboxed:
        return 77
    set_engine_environment(os.environ, software_rendering=start.software_rendering, unsandboxed=unsandboxed, platform=sys.platform)
    from desktop.ui.browser.pipe import Pipe

    return run(start, Pipe(source, sink), unsandboxed=unsandboxed)


def run(start: OrderWindowStart, pipe: object, *, unsandboxed: bool) -> int:
    from PySide6.QtWidgets import QApplication

    from desktop.services.order_protocol import Opened
    from desktop.ui.browser.pipe import Pipe

    assert isinstance(pipe, Pipe)
    # Only a name: arguments of this process are no switches for the engine.
    app = QApplication([sys.executable])
    app.setApplicationName("iConnect")
    app.setOrganizationName("iConnect")
    app.setDesktopFileName("iconnect")
    app.setStyle("Fusion")
    app.setQuitOnLastWindowClosed(True)

    from desktop.ui.browser.appearance import apply_theme
    from desktop.ui.order_window import OrderWindow

    apply_theme(app, start.theme)

    window = OrderWindow(start, pipe.send)
    pipe.command.connect(window.receive)
    pipe.ended.connect(window.starting_process_gone)
    window.show()
    pipe.send(Opened(pid=os.getpid(), sandboxed=not unsandboxed, software_rendering=start.software_rendering))
    pipe.listen()
    status = app.exec()
    window.finish()
    pipe.finish()
    # The engine's own threads may still be at work; nothing of ours is left to do or to save.
    os._exit(status)


if __name__ == "__main__":
    sys.exit(main())
