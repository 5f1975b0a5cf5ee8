"""Looks for a new version once, in a process of its own, and tells what it finds (`told`) on standard output.

    python -m desktop.services.updates.looking FOLDER [--fetch]

FOLDER is where lists and packages are kept, private to the person. With `--fetch` the package is downloaded and proved; again for
one that is here already, so that what is installed was proved a moment before. Exit status 0 whatever is told."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path

import msgspec

from desktop.places import machine_wide_folder
from desktop.services.errors import ServiceError
from desktop.services.http import Http
from desktop.services.updates.policy import PolicyError, Updates, read_policy
from desktop.services.updates.repository import UpdateNotStored, UpdateRefused, UpdateRepository
from desktop.services.updates.told import Told

_STEP = 1_000_000

Tell = Callable[[Told], None]


def platform_name(platform: str = sys.platform) -> str:
    """As the repository calls it."""
    return {"win32": "windows", "darwin": "macos"}.get(platform, "linux-deb")


def look(folder: Path, tell: Tell, *, fetch: bool, environment: Mapping[str, str] = os.environ, platform: str = "") -> None:
    """One look, by the PC's policy. Tells; raises nothing of the network's, the repository's or the disk's."""
    try:
        policy = read_policy(machine_wide_folder(environment)).updates
        root = Path(policy.root).read_bytes() if policy.enabled else b""
    except PolicyError as error:
        tell(Told(kind="problem", words=str(error)))
        return
    except OSError as error:
        words = f"{error.filename}: the root of trust can't be read ({error.strerror}). It came with the repository."
        tell(Told(kind="problem", words=words))
        return
    if not policy.enabled:
        tell(Told(kind="off"))
        return
    look_at(policy, root, folder, tell, fetch=fetch, platform=platform or platform_name())


def look_at(
    policy: Updates, root: bytes, folder: Path, tell: Tell, *, fetch: bool, platform: str, current: str | None = None
) -> None:
    """As `look`, with the policy read."""
    current = current or version("iconnect-desktop")
    http = Http()
    try:
        repository = UpdateRepository(http, policy.url, root, folder, platform=platform)
        offer = repository.newest(current)
        if offer is None:
            tell(Told(kind="newest", version=current))
            return
        found = {"version": offer.version, "notes": offer.notes, "of": offer.length}
        tell(msgspec.convert({"kind": "offer", **found}, Told))
        if not fetch:
            return
        last = 0

        def progress(done: int) -> None:
            nonlocal last
            if done - last >= _STEP:
                last = done
                tell(msgspec.convert({"kind": "progress", **found, "done": done}, Told))

        file = repository.fetch(offer, progress)
        tell(msgspec.convert({"kind": "ready", **found, "file": str(file), "done": offer.length}, Told))
    except UpdateRefused as error:
        tell(Told(kind="problem", words=str(error), refused=not isinstance(error, UpdateNotStored)))
    except ServiceError as error:
        tell(Told(kind="problem", words=str(error)))
    finally:
        http.close()


def main() -> None:
    arguments = [word for word in sys.argv[1:] if word != "--fetch"]

    def tell(told: Told) -> None:
        sys.stdout.buffer.write(msgspec.json.encode(told) + b"\n")
        sys.stdout.buffer.flush()

    look(Path(arguments[0]), tell, fetch="--fetch" in sys.argv[1:])


if __name__ == "__main__":
    main()
