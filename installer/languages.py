"""For translators: `python -m installer.languages [language …]`.

Brings every `resources/languages/iconnect_<language>.ts` up to date with the windows' words, begins those of the languages named,
and makes from each the `.qm` file that the program loads. Translations whose text is gone stay in the `.ts` file, marked so.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "resources" / "languages"


def sources() -> list[Path]:
    """The modules with words for a person's eyes."""
    return sorted((ROOT / "desktop" / "ui").rglob("*.py"))


def update(file: Path) -> None:
    """Puts the windows' words into a `.ts` file, which is made where there is none."""
    file.parent.mkdir(parents=True, exist_ok=True)
    words = [str(one) for one in sources()]
    _run("pyside6-lupdate", "-silent", *words, "-locations", "none", "-sort-messages", "-ts", str(file))


def release(file: Path) -> Path:
    """Makes the `.qm` file beside a `.ts` file. What is not translated yet stays English."""
    made = file.with_suffix(".qm")
    _run("pyside6-lrelease", "-silent", str(file), "-qm", str(made))
    return made


def _run(tool: str, *arguments: str) -> None:
    found = shutil.which(tool, path=str(Path(sys.executable).parent)) or tool
    subprocess.run([found, *arguments], check=True)


def main(wanted: list[str]) -> int:
    for tag in wanted:
        update(FOLDER / f"iconnect_{tag}.ts")
    for file in sorted(FOLDER.glob("iconnect_*.ts")):
        update(file)
        sys.stdout.write(f"{release(file)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
