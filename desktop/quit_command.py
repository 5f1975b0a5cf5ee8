"""The command by which the setup, or a firm's IT, asks the running program to quit."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from desktop.commands import DONE, NEEDS_PERSON, Called, cli, put, say

if TYPE_CHECKING:
    from desktop.ui.instance_lock import InstanceLock

ASK_EVERY = 0.5


@cli.command("quit")
@click.option("--when-idle", is_flag=True, required=True, help="Only when nothing is in flight; there is no other way.")
@click.option(
    "--wait", type=click.FloatRange(0, 3600), default=0.0, metavar="SECONDS", help="How long to wait for that (default: not)."
)
@click.pass_obj
def quit_when_idle(called: Called, when_idle: bool, wait: float) -> None:
    """Ask your running tray to quit when nothing is being sent and no order window is open.

    Prints `quitting`, `not running` or `busy: N in flight`. Exit status 0 when it is no longer running, 1 when it stays. While it
    is asked it begins nothing new; when it stays it goes on within ten seconds."""
    raise SystemExit(ask_to_quit(called.where.profile, wait))


def ask_to_quit(
    profile: Path, wait: float, *, clock: Callable[[], float] = time.monotonic, pause: Callable[[float], None] = time.sleep
) -> int:
    """Gives the exit status."""
    from desktop.ui.instance_lock import LOCK_FILE, InstanceLock

    lock = InstanceLock(profile / LOCK_FILE)
    if not (profile / LOCK_FILE).exists() or _is_free(lock):
        put("not running")
        return DONE
    import desktop.ui  # noqa: F401  # before any Qt module
    from desktop.ui.instance import in_flight_when_asked_to_quit

    until = clock() + wait
    answered = False
    count: int | None = None
    while True:
        count = in_flight_when_asked_to_quit(profile)
        if count == 0 or _is_free(lock):
            break
        answered = answered or count is not None
        if clock() >= until:
            if not answered:
                say("iConnect is running but does not answer. Quit it from the tray's menu.")
                return NEEDS_PERSON
            put(f"busy: {count or 1} in flight")
            return NEEDS_PERSON
        pause(ASK_EVERY)
    put("quitting")
    # Nothing is in flight any more, so its end is a matter of a moment.
    until = max(until, clock() + 30)
    while not _is_free(lock):
        if clock() >= until:
            say("iConnect said that it quits, and did not. Quit it from the tray's menu; what is queued stays queued.")
            return NEEDS_PERSON
        pause(0.05)
    return DONE


def _is_free(lock: InstanceLock) -> bool:
    if not lock.take():
        return False
    lock.release()
    return True
