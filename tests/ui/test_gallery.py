"""The command that takes the pictures of all windows, on a few of them, so that it goes on working."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PySide6.QtGui import QImage, QPalette
from PySide6.QtWidgets import QApplication

from tests.ui import look
from tests.ui.gallery import SCALES, THEMES, index, take_all
from tests.ui.palettes import dark_palette

SCENES = ("tray_menu-typical", "result_form-empty")


def test_the_command_takes_each_scene_in_every_theme_and_scale(tmp_path: Path) -> None:
    count = take_all(tmp_path, SCENES)
    assert count == len(SCENES) * len(THEMES) * len(SCALES)
    page = (tmp_path / "index.html").read_text()
    assert f"{count} pictures of {len(SCENES)} scenes" in page
    assert set(re.findall(r'src="([^"]+)"', page)) == {file.name for file in tmp_path.glob("*.png")}
    for scene in SCENES:
        small, large = (QImage(str(tmp_path / f"{scene}-light-{scale}.png")) for scale in SCALES)
        # Qt rounds up what does not divide evenly.
        assert abs(large.width() - 2 * small.width()) <= 2
        grounds = {theme: QImage(str(tmp_path / f"{scene}-{theme}-100.png")).pixelColor(1, 40).name() for theme in THEMES}
        assert grounds["high-black"] == "#000000"
        assert len(set(grounds.values())) >= 3


def test_the_page_names_no_picture_twice() -> None:
    files = [f"{scene}-{theme}-{scale}.png" for scene in SCENES for theme in THEMES for scale in SCALES]
    assert index(files).count("<img") == len(files)
    assert index(files).count("<h2>") == len(SCENES)


@pytest.mark.parametrize("scene", ["orders-full", "picker-error", "connections-error"])
def test_a_window_that_was_open_when_the_system_went_dark_looks_as_if_opened_in_the_dark(
    qapp: QApplication, tmp_path: Path, scene: str
) -> None:
    from tests.ui import look_books

    light, pictures = QPalette(qapp.palette()), {}
    for name, palettes in (("live", {"light": light, "dark": dark_palette()}), ("fresh", {"dark": dark_palette()})):
        folder = tmp_path / name
        folder.mkdir()
        if name == "fresh":
            qapp.setPalette(dark_palette())
        studio = look.Studio(qapp, folder, "100", palettes)
        for scenes in (look.scenes, look_books.scenes):
            scenes(studio, {scene})
        pictures[name] = QImage(str(folder / f"{scene}-dark-100.png"))
    qapp.setPalette(light)
    assert not pictures["live"].isNull()
    assert pictures["live"] == pictures["fresh"]
