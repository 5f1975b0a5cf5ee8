"""Every window in every state, in each theme and at 100 % and 200 %, as pictures beside an index.html: to be looked at.

Run: python tests/ui/pictures.py --all FOLDER [NAME…]       a NAME is the beginning of a scene's, such as `orders`
"""

from __future__ import annotations

import html
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCALES = (100, 200)
THEMES = ("light", "dark", "high-white", "high-black")

_SCREEN = '{{"screens": [{{"name": "own", "x": 0, "y": 0, "width": {}, "height": {}, "logicalDpi": 96, "dpr": 1}}]}}'


def take_all(folder: Path, wanted: Sequence[str] = ()) -> int:
    """Takes the pictures, one process for each scale, writes the index and gives how many there are."""
    folder.mkdir(parents=True, exist_ok=True)
    for scale in SCALES:
        with tempfile.TemporaryDirectory() as place:
            screen = Path(place) / "screen.json"
            # A common laptop's screen, with twice the pixels at 200 %.
            screen.write_text(_SCREEN.format(1366 * scale // 100, 768 * scale // 100), encoding="utf-8")
            environ = {
                **os.environ,
                "QT_QPA_PLATFORM": f"offscreen:configfile={screen}",
                "QT_SCALE_FACTOR": str(scale / 100),
                "PYTHONPATH": str(ROOT),
            }
            subprocess.run([sys.executable, __file__, str(folder), str(scale), *wanted], env=environ, check=True)
    files = sorted(file.name for file in folder.glob("*.png"))
    (folder / "index.html").write_text(index(files), encoding="utf-8")
    return len(files)


def index(files: Sequence[str]) -> str:
    """A page that shows the pictures scene by scene, with their count."""
    scenes: dict[str, list[str]] = defaultdict(list)
    for file in files:
        name = file.removesuffix(".png")
        for theme in THEMES:
            name = name.replace(f"-{theme}-", "\n")
        scenes[name.split("\n")[0]].append(file)
    body = "".join(
        f"<h2>{html.escape(scene)}</h2><div>"
        + "".join(f'<a href="{html.escape(file)}"><img src="{html.escape(file)}" alt="{html.escape(file)}"></a>' for file in found)
        + "</div>"
        for scene, found in scenes.items()
    )
    style = "body{font:14px sans-serif;background:#777}img{width:24%;vertical-align:top;margin:.3%}"
    title = f"{len(files)} pictures of {len(scenes)} scenes"
    return f'<!doctype html><meta charset="utf-8"><title>{title}</title><style>{style}</style><h1>{title}</h1>{body}'


def take_scale(folder: Path, scale: int, wanted: set[str]) -> list[str]:
    """All scenes in every theme, in this process, whose scale was set before."""
    import desktop.ui  # noqa: F401  # isort: skip  # before any Qt module

    from PySide6.QtCore import QtMsgType, qInstallMessageHandler
    from PySide6.QtGui import QImage, QPalette
    from PySide6.QtWidgets import QApplication

    from desktop.ui.first_icon import prepare
    from tests.ui import browser_scenes, gallery_scenes, look, look_books
    from tests.ui.palettes import dark_palette, high_palette

    def heard(kind: QtMsgType, _context: object, text: str) -> None:
        if "This plugin does not support" not in text:
            print(f"{kind.name}: {text}", file=sys.stderr)

    browser_scenes.prepare_engine(wanted)
    qInstallMessageHandler(heard)
    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    prepare(app)
    palettes = (
        QPalette(app.palette()),
        dark_palette(),
        high_palette("#ffffff", "#000000"),
        high_palette("#000000", "#ffffff"),
    )
    studio = look.Studio(app, folder, str(scale), dict(zip(THEMES, palettes, strict=True)))
    for scenes in (look.scenes, look_books.scenes, gallery_scenes.scenes, browser_scenes.scenes):
        scenes(studio, wanted)
    qInstallMessageHandler(None)
    room = app.primaryScreen().availableGeometry().size() * (scale / 100)
    large = [file for file in studio.taken if room.expandedTo(QImage(str(folder / file)).size()) != room]
    if large:
        raise SystemExit("Larger than a small laptop's screen: " + ", ".join(large))
    return studio.taken


if __name__ == "__main__":
    take_scale(Path(sys.argv[1]), int(sys.argv[2]), set(sys.argv[3:]))
