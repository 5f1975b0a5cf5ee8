"""The address at which a person's own browser ended, pasted back: for a sign-in without a window of ours."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

from desktop.services.sign_in_protocol import is_same_place

_LOOK = 0.1


def pasted_address(
    redirect: str, given_up: Callable[[], bool], read_line: Callable[[], str], say: Callable[[str], None]
) -> str | None:
    """Reads lines until one is at the registered `redirect` address; None at the end of the input or when `given_up` says so.

    What was pasted is never repeated: it holds the code that stands for the person's consent."""
    lines: queue.Queue[str | None] = queue.Queue()
    wanted = threading.Semaphore(1)

    def read() -> None:
        # One line at a time: what comes after the address is the answer to a later question.
        while wanted.acquire():
            line = read_line()
            lines.put(line or None)
            if not line:
                return

    threading.Thread(target=read, name="pasted address", daemon=True).start()
    while not given_up():
        try:
            line = lines.get(timeout=_LOOK)
        except queue.Empty:
            continue
        if line is None:
            return None
        address = line.strip().strip("<>\"'")
        if is_same_place(address, redirect):
            return address
        if address:
            say(f"That is not the address at which the sign-in ends. It begins with {redirect}. Paste it whole:")
        wanted.release()
    return None
