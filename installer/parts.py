"""The Python packages that are shipped: what iConnect needs and what those need, at the locked versions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from installer import facts

_LOCKED = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_REQUIREMENT = re.compile(r"^([A-Za-z0-9._-]+)")


@dataclass(frozen=True, slots=True)
class Locked:
    """A package of requirements.txt; any of the hashes is right, one for each system's file."""

    name: str
    version: str
    hashes: tuple[str, ...]


class NotAsLocked(Exception):
    """What is installed here is not what requirements.txt names: the build would ship something else."""


def plain(name: str) -> str:
    """A package's name as the index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def locked(text: str) -> dict[str, Locked]:
    """The packages in the text of a hashed requirements file, by plain name."""
    found: dict[str, Locked] = {}
    name = ""
    for line in text.splitlines():
        if match := _LOCKED.match(line):
            name = plain(match["name"])
            found[name] = Locked(name, match["version"], ())
        if name and (hashes := _HASH.findall(line)):
            found[name] = Locked(name, found[name].version, (*found[name].hashes, *hashes))
    return found


def shipped() -> dict[str, str]:
    """Name and version of every package that iConnect needs here, itself left out. Raises PackageNotFoundError."""
    from packaging.requirements import Requirement

    found: dict[str, str] = {}
    asked = [Requirement(line) for line in facts.requirements()]
    while asked:
        requirement = asked.pop()
        name = plain(requirement.name)
        if name in found or not (requirement.marker is None or requirement.marker.evaluate({"extra": ""})):
            continue
        found[name] = metadata.version(requirement.name)
        asked += [Requirement(line) for line in metadata.requires(requirement.name) or ()]
    return dict(sorted(found.items()))


def check(installed: Mapping[str, str], lock: Mapping[str, Locked]) -> None:
    """Raises NotAsLocked when a shipped package is not the locked one."""
    wrong = [
        f"{name} {version}, locked {lock[name].version if name in lock else 'not at all'}"
        for name, version in installed.items()
        if name not in lock or lock[name].version != version
    ]
    if wrong:
        raise NotAsLocked("Installed but not as requirements.txt says: " + "; ".join(wrong))


def lock_file() -> dict[str, Locked]:
    return locked((facts.ROOT / "requirements.txt").read_text(encoding="utf-8"))


def licence_files(name: str) -> list[Path]:
    """The licence texts that the package brings."""
    found = []
    for file in metadata.files(name) or ():
        if ".dist-info" in str(file) and re.search(r"licen[cs]e|copying|notice|authors", file.name, re.IGNORECASE):
            path = Path(str(file.locate()))
            if path.is_file():
                found.append(path)
    return sorted(found)


def licence_name(name: str) -> str:
    """What the package says of its licence in a word or two."""
    said = metadata.metadata(name)
    for value in said.get_all("License-Expression") or said.get_all("License") or ():
        if value and "\n" not in value and len(value) < 80:
            return str(value)
    classes = [line.rpartition(" :: ")[2] for line in said.get_all("Classifier") or () if line.startswith("License ::")]
    return "; ".join(classes) or "see its text"
