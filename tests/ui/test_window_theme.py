"""Windows follow the system's colours while they are open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QGuiApplication, QPalette, QPixmap
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from desktop.ui import theme
from desktop.ui.bridge import Bridge
from desktop.ui.widgets import Field, MessageBar, Muted, Pill
from desktop.ui.window import Window
from desktop.ui.words import Tone
from tests.ui.palettes import dark_palette, high_palette

DARK = dark_palette()
HIGH = (high_palette("#ffffff", "#000000"), high_palette("#000000", "#ffffff"))


@pytest.fixture
def light_again(qapp: QApplication) -> Iterator[None]:
    before = QPalette(qapp.palette())
    yield
    qapp.setPalette(before)


def test_an_open_window_changes_with_the_system(qtbot: QtBot, qapp: QApplication, light_again: None) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    column = QVBoxLayout(window)
    muted, field, bar, pill = Muted("second line"), Field(), MessageBar(), Pill("held", Tone.WARN)
    for widget in (muted, field, bar, pill):
        column.addWidget(widget)
    bar.say("Something happened.", Tone.BAD)
    window.show()
    for palette, colours in ((qapp.palette(), theme.LIGHT), (DARK, theme.DARK)):
        qapp.setPalette(palette)
        QApplication.processEvents()
        assert muted.palette().color(QPalette.ColorRole.WindowText).name() == colours.muted
        assert field.palette().color(QPalette.ColorRole.PlaceholderText).name() == colours.muted
        assert bar._text.palette().color(QPalette.ColorRole.WindowText).name() == colours.tone(Tone.BAD).ink
        drawn: QPixmap = pill.grab(QRect(4, pill.height() // 2, 1, 1))
        assert drawn.toImage().pixelColor(0, 0).name() == colours.tone(Tone.WARN).ground


@pytest.mark.parametrize(
    ("ground", "ink"), [("#308cc6", "#ffffff"), ("#a0c8ff", "#000000"), ("#0078d7", "#ffffff"), ("#555555", "#000000")]
)
def test_a_selected_row_can_be_read(ground: str, ink: str) -> None:
    made = theme.readable(QColor(ground), QColor(ink))
    assert theme.contrast(made.name(), ink) >= 4.5


def test_pure_black_and_white_are_taken_for_high_contrast_and_ordinary_themes_are_not(qapp: QApplication) -> None:
    assert [theme.colours(palette) for palette in HIGH] == [theme.HIGH_LIGHT, theme.HIGH_DARK]
    assert not theme.is_high(qapp.palette())
    assert not theme.is_high(DARK)
    white_lists = high_palette("#ffffff", "#000000")
    white_lists.setColor(QPalette.ColorRole.Button, QColor("#f0f0f0"))
    assert not theme.is_high(white_lists)


def test_a_greyed_widget_does_not_make_a_theme_look_ordinary() -> None:
    greyed = high_palette("#000000", "#ffffff")
    greyed.setColor(QPalette.ColorGroup.Disabled, QPalette.ColorRole.WindowText, QColor("#3ff23f"))
    greyed.setCurrentColorGroup(QPalette.ColorGroup.Disabled)
    assert theme.is_high(greyed)


@pytest.mark.parametrize(
    ("ground", "text"),
    [("#ffffff", "#000000"), ("#000000", "#ffffff"), ("#fffaef", "#3d3d3d"), ("#202020", "#ffffff"), ("#2d3236", "#ffffff")],
)
def test_high_contrast_reaches_seven_on_each_ground_that_windows_has(
    monkeypatch: pytest.MonkeyPatch, ground: str, text: str
) -> None:
    """The five grounds are those of the contrast themes of Windows 10 and 11."""
    monkeypatch.setattr(theme, "_preferred", lambda: True)
    made = theme.colours(high_palette(ground, text))
    assert made.high
    assert made.card == ground
    for ink in (made.muted, made.line, *(one.ink for one in made.tones.values())):
        assert theme.contrast(ink, ground) >= theme.PLENTY, ink
    assert {one.ground for one in made.tones.values()} == {ground}
    assert all(one.line == one.ink for one in made.tones.values())


def test_an_open_window_takes_more_contrast_without_a_new_palette(
    qtbot: QtBot, bridge: Bridge, clock: Callable[[], datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A desktop may tell of the wish alone, and leave its colours as they are."""
    window = Window(bridge, "Test", clock=clock)
    qtbot.addWidget(window)
    column = QVBoxLayout(window)
    muted, bar = Muted("second line"), MessageBar()
    for widget in (muted, bar):
        column.addWidget(widget)
    window.show()
    bar.say("Something happened.", Tone.BAD)
    ground = window.palette().color(QPalette.ColorRole.Window).name()
    assert theme.contrast(muted.palette().color(QPalette.ColorRole.WindowText).name(), ground) < theme.PLENTY
    monkeypatch.setattr(theme, "_preferred", lambda: True)
    QGuiApplication.styleHints().accessibility().contrastPreferenceChanged.emit(Qt.ContrastPreference.HighContrast)
    for label in (muted, bar._text):
        assert theme.contrast(label.palette().color(QPalette.ColorRole.WindowText).name(), ground) >= theme.PLENTY


def test_each_ordinary_set_reaches_what_text_needs() -> None:
    for made in (theme.LIGHT, theme.DARK):
        for ink in made.tones.values():
            assert theme.contrast(ink.ink, ink.ground) >= theme.ENOUGH
        assert theme.contrast(made.muted, made.card) >= theme.ENOUGH


def test_a_window_changes_through_every_theme_and_back(qtbot: QtBot, qapp: QApplication, light_again: None) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    column = QVBoxLayout(window)
    pill, muted = Pill("held", Tone.WARN), Muted("second line")
    column.addWidget(pill)
    column.addWidget(muted)
    window.show()
    light = QPalette(qapp.palette())
    steps = (
        (HIGH[0], theme.HIGH_LIGHT),
        (DARK, theme.DARK),
        (HIGH[1], theme.HIGH_DARK),
        (light, theme.LIGHT),
        (HIGH[1], theme.HIGH_DARK),
        (HIGH[0], theme.HIGH_LIGHT),
    )
    for palette, made in steps:
        qapp.setPalette(palette)
        QApplication.processEvents()
        seen = pill.grab(QRect(4, pill.height() // 2, 1, 1)).toImage().pixelColor(0, 0).name()
        assert seen == made.tone(Tone.WARN).ground
        assert muted.palette().color(QPalette.ColorRole.WindowText).name() == made.muted
