"""The order window's process: reads its start line from the pipe, locks the engine down, shows the window."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from desktop.services.order_protocol import OrderWindowStart
    from desktop.ui.browser.start_up import Begun


def main() -> int:
    """Gives the exit status: 0 closed, 2 a start line that can't be read, 77 root without permission to run unsandboxed."""
    from desktop.services.order_protocol import read_start
    from desktop.ui.browser.start_up import begin

    begun = begin(read_start)
    return begun if isinstance(begun, int) else run(begun)


def run(begun: Begun[OrderWindowStart]) -> int:
    from desktop.services.order_protocol import Opened
    from desktop.ui.browser.pipe import Pipe
    from desktop.ui.browser.start_up import make_application

    start = begun.start
    app = make_application(start.theme)

    from desktop.ui.order_window import OrderWindow

    pipe = Pipe(begun.source, begun.sink)
    window = OrderWindow(start, pipe.send)
    pipe.command.connect(window.receive)
    pipe.ended.connect(window.starting_process_gone)
    window.show()
    pipe.send(Opened(pid=os.getpid(), sandboxed=not begun.unsandboxed, software_rendering=start.software_rendering))
    pipe.listen()
    status = app.exec()
    window.finish()
    pipe.finish()
    # The engine's own threads may still be at work; nothing of ours is left to do or to save.
    os._exit(status)


if __name__ == "__main__":
    sys.exit(main())
