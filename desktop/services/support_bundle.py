"""The bundle for support as it is shown and saved. What goes into it is for `diagnostics` to say."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

from desktop.private_files import open_private


@dataclass(frozen=True, slots=True)
class Part:
    """One file of the bundle, as it will be stored."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Bundle:
    """Shown to the person in full before it is saved."""

    parts: tuple[Part, ...]

    def save(self, path: Path) -> None:
        """Whole or not at all; for its owner's eyes. Raises OSError."""
        part = path.with_name(path.name + ".part")
        try:
            with open_private(part) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
                for each in self.parts:
                    packed.writestr(each.name, each.text)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
