"""A process that is killed at the k-th step of what it does: before or after each statement of the database, each call of the
keyring and each request. Nothing of it survives but the profile folder, the keyring and what the vendor knows."""

from __future__ import annotations

import contextlib
import os
import signal
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw

from desktop.services.http import Http
from tests.identity.identity_rig import MemoryKeyring, Person, Rig

FINISHED, FAILED = 0, 7


class Passer(Person):
    """A person whose browser may find that the program is gone, or done, before it has shown the last page."""

    def _browse(self, address: str) -> None:
        with contextlib.suppress(OSError):
            super()._browse(address)


class FolderKeyring(MemoryKeyring):
    """Entries that outlive the process, each in a file of its own."""

    def __init__(self, folder: Path, step: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        folder.mkdir(exist_ok=True)
        self._folder = folder
        self.step = step

    def _file(self, service: str) -> Path:
        return self._folder / service.encode().hex()

    def get_password(self, service: str, username: str) -> str | None:
        self.step()
        self._called("get")
        file = self._file(service)
        return file.read_text() if file.exists() else None

    def set_password(self, service: str, username: str, password: str) -> None:
        self.step()
        self._called("set")
        written = self._file(service).with_suffix(".new")
        written.write_text(password)
        written.replace(self._file(service))
        self.step()

    def delete_password(self, service: str, username: str) -> None:
        from keyring.errors import PasswordDeleteError

        self.step()
        self._called("delete")
        try:
            self._file(service).unlink()
        except FileNotFoundError:
            raise PasswordDeleteError(service) from None
        self.step()


class _Steps:
    """Kills this process at the k-th step."""

    def __init__(self, at: int) -> None:
        self._left = at

    def __call__(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def _instrumented(step: Callable[[], None]) -> None:
    """In the child alone: every statement and every request is a step before and a step after."""

    class Stepping(apsw.Connection):
        def execute(self, *args: Any, **named: Any) -> Any:
            step()
            done = super().execute(*args, **named)
            step()
            return done

        def __exit__(self, *args: Any) -> Any:
            step()
            done = super().__exit__(*args)
            step()
            return done

    apsw.Connection = Stepping  # type: ignore[misc]
    send = Http.send

    def stepping(self: Http, *args: Any, **named: Any) -> Any:
        step()
        answer = send(self, *args, **named)
        step()
        return answer

    Http.send = stepping  # type: ignore[method-assign]


def killed_at(at: int, rig: Rig, do: Callable[[Rig], None]) -> bool:
    """Does it in a child process that is killed at step `at`; True when it ended before it had so many steps."""
    child = os.fork()
    if child == 0:
        try:
            step = _Steps(at)
            if isinstance(rig.keyring, FolderKeyring):
                rig.keyring.step = step
            _instrumented(step)
            do(rig)
            os._exit(FINISHED)
        except Exception:  # noqa: BLE001  # the edge of the process: the test sees its status, a person the reason
            traceback.print_exc()
        finally:
            os._exit(FAILED)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (FINISHED, -signal.SIGKILL), status
    return status == FINISHED


def steps_of(rig: Rig, do: Callable[[Rig], None], after: Callable[[int], None]) -> int:
    """Kills at every step in turn until one run ends by itself; `after` looks at what is left. Gives how many were killed."""
    at = 0
    while True:
        at += 1
        finished = killed_at(at, rig, do)
        after(at)
        if finished:
            return at - 1
