"""The program itself on this PC: its libraries, screen and tray, the one tray that runs, its start at sign-in, its ports."""

from __future__ import annotations

import errno
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import desktop
from desktop.places import Places
from desktop.services.doctor.check import Check, Verdict

PROBE = "--probe-process"
"""First argument by which the frozen program knows that it is to be the probe."""

_PATIENCE = 12.0
_PROBE_FAILED: Mapping[str, object] = {}


def libraries(sqlite: str = "", expat: str = "") -> Iterator[Check]:
    """Versions that are known to lose or to break: of SQLite and Expat, as loaded unless others are given."""
    import pyexpat

    import apsw

    sqlite = sqlite or apsw.sqlite_lib_version()
    numbers = tuple(int(part) for part in sqlite.split("."))
    safe = numbers >= (3, 51, 3) or (3, 50, 7) <= numbers < (3, 51) or (3, 44, 6) <= numbers < (3, 45)
    yield Check(
        "SQLite",
        Verdict.OK if safe else Verdict.FAIL,
        sqlite if safe else f"{sqlite} can lose committed writes.",
        "" if safe else "Install iConnect again; from source, the locked apsw package.",
    )
    expat = expat or pyexpat.EXPAT_VERSION.removeprefix("expat_")
    old = tuple(int(part) for part in expat.split(".")) < (2, 6, 0)
    yield Check(
        "Expat",
        Verdict.NOTE if old else Verdict.OK,
        f"{expat} is older than 2.6.0; long tokens are refused by our own guard." if old else expat,
        "A newer Python brings a newer one." if old else "",
    )


def browser_engine() -> Iterator[Check]:
    """How far the browser engine's security patches are behind; without it no order window opens."""
    found = probe("engine")
    if found.get("sentence"):
        ok = bool(found.get("ok"))
        sentence = str(found["sentence"])
        yield Check(
            "Chromium",
            Verdict.OK if ok else Verdict.FAIL,
            sentence,
            "" if ok else "Update iConnect: the order window shows web pages.",
        )
    else:
        yield Check(
            "Chromium",
            Verdict.FAIL,
            "The browser engine could not be loaded, so no order window opens.",
            "Install iConnect again, with its libraries.",
        )


def screen(environment: Mapping[str, str]) -> Iterator[Check]:
    """A missing screen or tray host is a note: commands and the small window work without."""
    if sys.platform.startswith("linux") and not (environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")):
        yield Check("screen", Verdict.NOTE, "There is no screen.", "The commands work without one.")
        return
    found = probe("tray")
    if "tray" not in found:
        yield Check(
            "screen",
            Verdict.NOTE,
            "No window could be opened.",
            "Check DISPLAY and the rights to it; the commands work without one.",
        )
    elif found["tray"]:
        yield Check("tray", Verdict.OK, "There is a tray.")
    else:
        yield Check(
            "tray",
            Verdict.NOTE,
            "There is no tray.",
            "iConnect shows a small window instead; on GNOME the AppIndicator extension brings a tray.",
        )


def probe(what: str, *words: str) -> Mapping[str, object]:
    """Asks Qt in a process of its own: this one may have no screen, and services know no Qt. Empty when it does not answer."""
    if getattr(sys, "frozen", False):
        command = [sys.executable, PROBE, what, *words]
    else:
        # -P: a folder that happens to be the current one must not lend us its modules.
        command = [sys.executable, "-P", "-m", "desktop.ui.probe", what, *words]
    try:
        done = subprocess.run(  # noqa: S603  # our own interpreter and module
            command,
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
            env={**os.environ, "PYTHONPATH": str(Path(desktop.__file__).resolve().parent.parent)},
        )
        found = json.loads(done.stdout or b"null")
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return _PROBE_FAILED
    return found if isinstance(found, dict) else _PROBE_FAILED


# ---- the one tray -------------------------------------------------------------------------------------------------------


def running_tray(where: Places) -> Iterator[Check]:
    """Whether this profile's tray runs and answers. It is not disturbed: what it is told is no request that it knows, and its
    lock is left alone, because whoever tries it could keep a tray that starts just now from starting."""
    if sys.platform == "win32" or len(os.fsencode(str(where.profile / "tray.socket"))) > 96:
        return  # it listens under a name that this does not work out
    answer = _answers(where.profile / "tray.socket")
    if answer is None:
        yield Check("running", Verdict.OK, "No tray of this profile runs now.")
    elif answer:
        yield Check("running", Verdict.OK, "The tray runs and answers.")
    else:
        yield Check(
            "running",
            Verdict.FAIL,
            "The tray runs but does not answer, so nothing is delivered and a second start only says so.",
            "End iConnect in the task manager (or the system monitor), then start it again; what is queued stays queued.",
        )


def _answers(name: Path) -> bool | None:
    """None when nobody listens there."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(4)
            line.connect(str(name))
            line.sendall(b"[]\n")  # no request: the tray ends the line
            line.recv(16)
    except TimeoutError:
        return False
    except (ConnectionResetError, BrokenPipeError):
        return True
    except OSError:
        return None
    return True


# ---- start at sign-in ---------------------------------------------------------------------------------------------------


def autostart(wanted: bool, environment: Mapping[str, str]) -> Iterator[Check]:
    """Whether the tray is there tomorrow morning: the entry stands, and what it starts is there."""
    if not sys.platform.startswith("linux"):
        return
    from desktop.autostart import linux_entry

    own = linux_entry(environment)
    machine_wide = [
        Path(each) / "autostart" / "iconnect.desktop" for each in (environment.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":")
    ]
    entries = [path for path in (own, *machine_wide) if path.is_file()]
    if not entries:
        if wanted:
            yield Check(
                "start at sign-in",
                Verdict.FAIL,
                f"It was switched on, but {own} is gone: iConnect will not be there tomorrow morning.",
                "Switch it off and on again in Settings.",
            )
        else:
            yield Check("start at sign-in", Verdict.OK, "It is not asked for.")
        return
    started = _program_in(entries[0])
    if started and not _can_be_started(started):
        yield Check(
            "start at sign-in",
            Verdict.FAIL,
            f"{entries[0]} starts {started}, which is not there any more.",
            "Switch it off and on again in Settings, or install iConnect again.",
        )
    else:
        yield Check("start at sign-in", Verdict.OK, f"By {entries[0]}.")


def _program_in(entry: Path) -> str:
    import shlex

    try:
        lines = entry.read_text(encoding="utf-8", errors="replace").splitlines()
        line = next((line.partition("=")[2] for line in lines if line.startswith("Exec=")), "")
        return (shlex.split(line.replace("%%", "%")) or [""])[0]
    except (OSError, ValueError):
        return ""


def _can_be_started(program: str) -> bool:
    import shutil

    return shutil.which(program) is not None


# ---- ports --------------------------------------------------------------------------------------------------------------


def redirect_ports(ports: Iterable[int], name: str = "redirect ports") -> Iterator[Check]:
    """Loopback ports that a browser comes back to after a sign-in. One that is free is enough."""
    ports = tuple(ports)
    free = [port for port in ports if _is_free(port)]
    if not free:
        yield Check(
            name,
            Verdict.FAIL,
            "Every registered port is in use or reserved: " + ", ".join(map(str, ports)) + ".",
            "Close the program that holds them, or register further ports at the vendor and in the platform file.",
        )
    else:
        taken = sorted(set(ports) - set(free))
        yield Check(
            name, Verdict.OK, f"{len(free)} of {len(ports)} are free." + (f" Taken: {', '.join(map(str, taken))}." if taken else "")
        )
    if any(port >= 49152 for port in ports):
        yield Check(name, Verdict.NOTE, "Ports from 49152 up may be taken by any program.", "Register ports below 49152.")


def _is_free(port: int) -> bool:
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        try:
            with socket.socket(family, socket.SOCK_STREAM) as trial:
                if sys.platform != "win32":
                    # A sign-in that has just ended leaves connections in TIME_WAIT; that is not «in use».
                    trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                trial.bind((host, port))
        except OSError as error:
            if family is socket.AF_INET6 and error.errno in _NO_IPV6:
                continue
            return False
    return True


_NO_IPV6 = frozenset({errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT})
