"""The few colours that the palette has no role for, in a light and a dark set, and the spacing.

Windows stay native: the style and its palette are the system's, and follow it live. Every ink has a contrast of at least
4.5 to the ground that it is drawn on; a test computes it.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtGui import QColor, QPalette

from desktop.ui.words import Tone

GAP = 8
MARGIN = 16
RADIUS = 6


@dataclass(frozen=True, slots=True)
class Ink:
    """A text colour, the ground under it and the line around it, as #rrggbb."""

    ink: str
    ground: str
    line: str


@dataclass(frozen=True, slots=True)
class Colours:
    """`muted` is for second lines, also on a row's ground; `line` for borders; `card` lies on the window's ground."""

    muted: str
    line: str
    card: str
    tones: dict[Tone, Ink]

    def tone(self, tone: Tone) -> Ink:
        return self.tones[tone]


LIGHT = Colours(
    muted="#545b64",
    line="#cdd2d8",
    card="#ffffff",
    tones={
        Tone.GOOD: Ink("#11622f", "#dcf3e3", "#a5d9b6"),
        Tone.CALM: Ink("#174ea6", "#e1ebfb", "#b0c9f2"),
        Tone.WARN: Ink("#7a4300", "#fdeccb", "#ecc787"),
        Tone.BAD: Ink("#a31515", "#fde3e1", "#f0b3ae"),
        Tone.QUIET: Ink("#4a5159", "#e8eaed", "#cdd2d8"),
    },
)

DARK = Colours(
    muted="#b3bac3",
    line="#4a5058",
    card="#2b2e33",
    tones={
        Tone.GOOD: Ink("#8fe0a9", "#173a24", "#2c6341"),
        Tone.CALM: Ink("#a9c8ff", "#1b3050", "#33548a"),
        Tone.WARN: Ink("#f7c873", "#40300f", "#6e5420"),
        Tone.BAD: Ink("#ffb1aa", "#4c1d1b", "#7d3531"),
        Tone.QUIET: Ink("#c6ccd3", "#3a3e44", "#545a62"),
    },
)


def is_dark(palette: QPalette) -> bool:
    return palette.color(QPalette.ColorRole.Window).lightnessF() < 0.5


def colours(palette: QPalette) -> Colours:
    """The set that fits the palette that is in force now: ask at each painting, so that a change shows at once."""
    return DARK if is_dark(palette) else LIGHT


def readable(ground: QColor, ink: QColor) -> QColor:
    """The ground, darkened or lightened away from the ink just so far that text on it can be read well."""
    away = QColor(ground)
    for _ in range(12):
        if contrast(away.name(), ink.name()) >= 4.5:
            break
        away = away.darker(108) if ink.lightnessF() > 0.5 else away.lighter(108)
    return away


def contrast(one: str, other: str) -> float:
    """The contrast of two colours by the rule of WCAG 2: 1 to 21."""
    bright, dim = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def _luminance(name: str) -> float:
    colour = QColor(name)

    def linear(channel: float) -> float:
        return channel / 12.92 if channel <= 0.03928 else float(((channel + 0.055) / 1.055) ** 2.4)

    return 0.2126 * linear(colour.redF()) + 0.7152 * linear(colour.greenF()) + 0.0722 * linear(colour.blueF())
