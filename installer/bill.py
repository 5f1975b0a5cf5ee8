"""The list of parts (SBOM, CycloneDX 1.6, JSON): the locked Python packages with their hashes, and the C libraries inside them with
the versions that the built program tells."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime

from installer import facts
from installer.parts import Locked

EMBEDDED = {
    # The name that installer.inside gives it: name, supplier (as in CPE), licence, where it lies
    "Python": ("python", "python:python", "PSF-2.0", "the interpreter"),
    "Qt": ("qt", "qt:qt", "LGPL-3.0-only", "pyside6-essentials, pyside6-addons, pyside6-webengine"),
    "Chromium": ("chromium", "google:chrome", "BSD-3-Clause", "pyside6-webengine"),
    "SQLite": ("sqlite", "sqlite:sqlite", "blessing", "apsw"),
    "OpenSSL in cryptography": ("openssl", "openssl:openssl", "Apache-2.0", "cryptography"),
    "OpenSSL of Python": ("openssl", "openssl:openssl", "Apache-2.0", "the interpreter; on Linux the distribution's"),
    "Expat": ("expat", "libexpat_project:libexpat", "MIT", "the interpreter; on Linux the distribution's"),
}
"""C libraries that no package list knows of."""

_NUMBER = re.compile(r"\d+(?:\.\d+)+")


def number_in(text: str) -> str:
    """The version number in what a library says of itself. Raises ValueError when there is none."""
    found = _NUMBER.search(text)
    if found is None:
        raise ValueError(f"no version in {text!r}")
    return found[0]


def bill(
    *, version: str, packages: Mapping[str, str], lock: Mapping[str, Locked], inside: Mapping[str, str], bootloader: str, epoch: int
) -> str:
    """The list as JSON text, the same for the same parts."""
    components = [_package(name, number, lock.get(name)) for name, number in sorted(packages.items())]
    for told, (name, cpe, licence, where) in EMBEDDED.items():
        number = number_in(inside[told])
        component: dict[str, object] = {
            "type": "library",
            "bom-ref": f"embedded:{told}@{number}",
            "name": name,
            "version": number,
            "cpe": f"cpe:2.3:a:{cpe}:{number}:*:*:*:*:*:*:*",
            "licenses": [{"license": {"id": licence}}],
            "properties": [{"name": "iconnect:inside", "value": where}, {"name": "iconnect:told", "value": inside[told]}],
        }
        if told == "Chromium":
            patches = inside["Chromium security patches up to"]
            component["properties"] = [
                {"name": "iconnect:inside", "value": where},
                {"name": "iconnect:security-patches-up-to", "value": patches},
            ]
        components.append(component)
    components.append(
        {
            "type": "application",
            "bom-ref": f"embedded:bootloader@{bootloader}",
            "name": "pyinstaller-bootloader",
            "version": bootloader,
            "licenses": [{"license": {"name": "GPL-2.0-or-later WITH Bootloader-exception"}}],
        }
    )
    main = f"pkg:generic/{facts.PACKAGE}@{version}"
    whole = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(epoch, UTC).isoformat(),
            "component": {"type": "application", "bom-ref": main, "name": facts.PACKAGE, "version": version},
        },
        "components": components,
        "dependencies": [{"ref": main, "dependsOn": [component["bom-ref"] for component in components]}],
    }
    # Its number is made from what it says, so that the same parts give the same file.
    number_of_it = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(whole, sort_keys=True))
    return json.dumps({"serialNumber": f"urn:uuid:{number_of_it}", **whole}, indent=1) + "\n"


def _package(name: str, number: str, lock: Locked | None) -> dict[str, object]:
    address = f"pkg:pypi/{name}@{number}"
    made: dict[str, object] = {"type": "library", "bom-ref": address, "name": name, "version": number, "purl": address}
    if lock is not None and lock.hashes:
        # The lock names one hash for each system's file; which of them was installed, pip has checked.
        made["properties"] = [{"name": "iconnect:sha256-locked", "value": hash_} for hash_ in lock.hashes]
    return made
