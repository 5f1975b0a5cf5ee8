"""State by shape and word as well as by colour: what who sees few colours still sees."""

from __future__ import annotations

from itertools import combinations

import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QApplication

from desktop.services.ledger.model import DeliveryState
from desktop.ui import theme, words
from desktop.ui.marks import OF_TONE, Mark, paint_mark
from desktop.ui.order_steps import _MARKS
from desktop.ui.widgets import Pill
from desktop.ui.words import Tone

# Viénot, Brettel and Mollon 1999: what is left of linear red, green and blue without the long or the middle cones.
SIGHTS = {
    "protanopia": ((0.11238, 0.88762, 0.0), (0.11238, 0.88762, 0.0), (0.00401, -0.00401, 1.0)),
    "deuteranopia": ((0.29275, 0.70725, 0.0), (0.29275, 0.70725, 0.0), (-0.02234, 0.02234, 1.0)),
}


def seen(name: str, sight: str) -> str:
    """The colour as it is seen."""
    colour = QColor(name)
    linear = [channel**2.2 for channel in (colour.redF(), colour.greenF(), colour.blueF())]
    left = [sum(part * value for part, value in zip(row, linear, strict=True)) for row in SIGHTS[sight]]
    return QColor.fromRgbF(*(min(1.0, max(0.0, value)) ** (1 / 2.2) for value in left)).name()


def test_the_simulation_takes_red_for_green() -> None:
    """As it must: a red and a green of one brightness become neighbours, blue and yellow stay apart."""
    for sight in SIGHTS:
        red, green = QColor(seen("#a03000", sight)), QColor(seen("#506000", sight))
        assert abs(red.hue() - green.hue()) < 12
        assert abs(QColor(seen("#0000ff", sight)).hue() - QColor(seen("#ffff00", sight)).hue()) > 100


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("colours", [theme.LIGHT, theme.DARK, theme.HIGH_LIGHT, theme.HIGH_DARK], ids=["light", "dark", "hl", "hd"])
def test_every_state_word_can_be_read_without_those_cones(sight: str, colours: theme.Colours) -> None:
    for tone in Tone:
        ink = colours.tone(tone)
        assert theme.contrast(seen(ink.ink, sight), seen(ink.ground, sight)) >= theme.ENOUGH, tone


def shape(mark: Mark, size: int) -> list[bool]:
    """A mark's pixels, dark or not, with every mark in one colour."""
    image = QImage(size, size, QImage.Format.Format_RGB32)
    image.fill(QColor("#ffffff"))
    painter = QPainter(image)
    paint_mark(painter, QRectF(0, 0, size, size), mark, QColor("#000000"), QColor("#ffffff"))
    painter.end()
    return [image.pixelColor(x, y).lightnessF() < 0.6 for y in range(size) for x in range(size)]


@pytest.mark.parametrize("size", [13, 16, 18, 32])
def test_no_two_steps_marks_have_one_shape(qapp: QApplication, size: int) -> None:
    shapes = {mark: shape(mark, size) for mark in Mark}
    for one, other in combinations(Mark, 2):
        differing = sum(a != b for a, b in zip(shapes[one], shapes[other], strict=True))
        assert differing >= size * size // 16, f"{one} and {other} are told apart by {differing} pixels of {size * size}"


def test_states_of_different_tones_have_different_marks_and_words() -> None:
    """So a pair of tones that somebody can't tell apart is told apart all the same."""
    for one, other in combinations(DeliveryState, 2):
        assert str(one) != str(other)
        if words.tone_of(one) is not words.tone_of(other):
            assert _MARKS[one] is not _MARKS[other]


def test_every_tone_of_a_state_word_has_a_shape_of_its_own() -> None:
    assert set(OF_TONE) == set(Tone)
    assert len(set(OF_TONE.values())) == len(Tone)


def painted(text: str, tone: Tone) -> list[bool]:
    """A state word's pixels, written or not: its ground counts as bare."""
    pill = Pill(text, tone)
    pill.resize(pill.sizeHint())
    image = pill.grab().toImage()
    ground = theme.colours(pill.palette()).tone(tone).ground
    return [
        theme.contrast(image.pixelColor(x, y).name(), ground) > 2
        for y in range(4, image.height() - 4)
        for x in range(4, image.width() - 4)
    ]


def test_one_word_in_two_tones_differs_by_more_than_colour(qapp: QApplication) -> None:
    seen_as = {tone: painted("held", tone) for tone in Tone}
    for one, other in combinations(Tone, 2):
        assert sum(a != b for a, b in zip(seen_as[one], seen_as[other], strict=True)) >= 8, (one, other)
