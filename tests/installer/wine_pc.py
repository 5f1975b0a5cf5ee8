"""A Windows PC as Wine plays it, prepared by the machine's owner and told by variables:

ICONNECT_WINE           the command that runs a Windows program and ends with its status
ICONNECT_WINE_DRIVE     the folder that is its drive C
ICONNECT_WINE_SETUP     the setup, ICONNECT_WINE_NEWER one of a higher version: by their paths here
"""

from __future__ import annotations

import os
import shlex
import shutil
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

NEEDED = ("ICONNECT_WINE", "ICONNECT_WINE_DRIVE")
SETUPS = ("ICONNECT_WINE_SETUP", "ICONNECT_WINE_NEWER")


def lacks(*names: str) -> str:
    """Why the tests can't run here; empty when they can."""
    missing = [name for name in names if name not in os.environ]
    return "needs a prepared Wine: " + ", ".join(missing) if missing else ""


def drive() -> Path:
    return Path(os.environ["ICONNECT_WINE_DRIVE"])


def here(path: str) -> Path:
    """A path on drive C as one of this system."""
    return drive().joinpath(*PureWindowsPath(path).parts[1:])


@dataclass(frozen=True)
class Done:
    status: int
    out: str


def command(*words: str) -> list[str]:
    return [*shlex.split(os.environ["ICONNECT_WINE"]), *words]


def run(*words: str, display: str = "") -> Done:
    done = subprocess.run(
        command(*words),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=600,
        check=False,
        env={**os.environ, **({"DISPLAY": display} if display else {})},
    )
    return Done(done.returncode, done.stdout.decode("utf-8", errors="replace").replace("\r\n", "\n"))


def registry(key: str) -> dict[str, str]:
    """The values of a key, the unnamed one as ""; empty where there is no such key."""
    found = {}
    for line in run("reg", "query", key).out.splitlines():
        words = line.strip().split("    ")
        if line.startswith("    ") and len(words) >= 2 and words[1].startswith("REG_"):
            found["" if words[0] == "(Default)" else words[0]] = words[2] if len(words) > 2 else ""
    return found


def laid(file: Path, name: str) -> str:
    """Puts a file at the root of drive C; gives its Windows path."""
    shutil.copyfile(file, drive() / name)
    return f"C:\\{name}"


def until(look: Callable[[], object], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.2)


@contextmanager
def screen() -> Iterator[str]:
    """A display of its own; gives its name."""
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", "1", "-screen", "0", "1024x700x24", "-nolisten", "tcp"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert server.stdout is not None
        yield f":{server.stdout.readline().strip()}"
    finally:
        server.terminate()
        server.wait(20)
        if server.stdout is not None:
            server.stdout.close()


def resource_types(file: Path) -> set[int]:
    """The kinds of resources in a Windows program: 14 icons, 16 version, 24 manifest."""
    data = file.read_bytes()
    start: int = struct.unpack_from("<I", data, 60)[0]
    count, size = struct.unpack_from("<H", data, start + 6)[0], struct.unpack_from("<H", data, start + 20)[0]
    place = start + 24 + (112 if struct.unpack_from("<H", data, start + 24)[0] == 0x20B else 96)
    address: int = struct.unpack_from("<I", data, place + 8 * 2)[0]
    for index in range(count):
        section = start + 24 + size + 40 * index
        length, at, _, raw = struct.unpack_from("<IIII", data, section + 8)
        if at <= address < at + max(length, 1):
            top = raw + address - at
            named, numbered = struct.unpack_from("<HH", data, top + 12)
            return {struct.unpack_from("<I", data, top + 16 + 8 * (named + each))[0] for each in range(numbered)}
    return set()
