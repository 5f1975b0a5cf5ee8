"""The few colours that the palette has no role for, in a light, a dark and two high-contrast sets, and the spacing.

Windows stay native: the style and its palette are the system's, and follow it live. Every ink has a contrast of at least
4.5 to the ground that it is drawn on, and of 7 where the person asked the system for high contrast; tests measure it, in
the sets and in the painted windows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication, QPalette

from desktop.ui.words import Tone

Role = QPalette.ColorRole

GAP = 8
MARGIN = 16
RADIUS = 6

ENOUGH = 4.5
PLENTY = 7.0
"""The contrasts that WCAG 2 asks of text: at its second level, and at its third."""

UNDER_SHEEN = 5.4
"""What a chosen row's ground needs so that ENOUGH is left where Fusion paints it lighter, by up to a sixth."""


@dataclass(frozen=True, slots=True)
class Ink:
    """A text colour, the ground under it and the line around it, as #rrggbb."""

    ink: str
    ground: str
    line: str


@dataclass(frozen=True, slots=True)
class Colours:
    """`muted` is for second lines, also on a row's ground; `line` for borders; `card` lies on the window's ground.

    `high`: the person asked for high contrast. Nothing is told apart by its ground then, but by lines, shapes and words."""

    muted: str
    line: str
    card: str
    tones: dict[Tone, Ink]
    high: bool = False

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


def _outlined(ground: str, text: str, inks: dict[Tone, str]) -> Colours:
    """One ground for all; what other sets say by a ground is said here by a line."""
    return Colours(text, text, ground, {tone: Ink(ink, ground, ink) for tone, ink in inks.items()}, high=True)


HIGH_LIGHT = _outlined(
    "#ffffff",
    "#000000",
    {Tone.GOOD: "#00491f", Tone.CALM: "#002f86", Tone.WARN: "#5c2e00", Tone.BAD: "#8a0000", Tone.QUIET: "#000000"},
)

HIGH_DARK = _outlined(
    "#000000",
    "#ffffff",
    {Tone.GOOD: "#6ff5a3", Tone.CALM: "#8fd0ff", Tone.WARN: "#ffd75e", Tone.BAD: "#ffaaa3", Tone.QUIET: "#ffffff"},
)


def is_dark(palette: QPalette) -> bool:
    return palette.color(Role.Window).lightnessF() < 0.5


def is_high(palette: QPalette) -> bool:
    """Whether the person wants high contrast: the system says so, or its colours do.

    Qt tells what Windows, macOS and the desktop portal on Linux say. Elsewhere a theme is one of high contrast when windows,
    lists and buttons all lie on the same pure black or white; ordinary themes keep them apart."""
    return _preferred() or _pure(*(_name(palette, role) for role in (Role.Window, Role.Base, Role.Button, Role.WindowText)))


def _preferred() -> bool:
    hints = QGuiApplication.styleHints()
    return hints.accessibility().contrastPreference() == Qt.ContrastPreference.HighContrast


@lru_cache(maxsize=64)
def _pure(window: str, base: str, button: str, text: str) -> bool:
    return window == base == button and window in ("#000000", "#ffffff") and contrast(window, text) >= 20


def colours(palette: QPalette) -> Colours:
    """The set that fits the palette that is in force now: ask at each painting, so that a change shows at once."""
    dark = is_dark(palette)
    if not is_high(palette):
        return DARK if dark else LIGHT
    return _high_on(_name(palette, Role.Window), _name(palette, Role.WindowText), dark)


def _name(palette: QPalette, role: QPalette.ColorRole) -> str:
    # A greyed widget hands out its palette with the disabled colours first.
    return palette.color(QPalette.ColorGroup.Active, role).name()


@lru_cache(maxsize=16)
def _high_on(window: str, text: str, dark: bool) -> Colours:
    """The high-contrast set on the theme's own ground, which need not be pure: Windows has one on cream."""
    made = HIGH_DARK if dark else HIGH_LIGHT
    if window == made.card:
        return replace(made, muted=text, line=text)
    inks = {tone: _away(ink.ink, window, PLENTY) for tone, ink in made.tones.items()}
    return _outlined(window, text, {**inks, Tone.QUIET: text})


def _away(ink: str, ground: str, wanted: float) -> str:
    """The ink, lightened or darkened away from its ground until text in it has that contrast, or no more can be had."""
    lighter = QColor(ground).lightnessF() < 0.5
    colour = QColor(ink)
    for _ in range(24):
        if contrast(colour.name(), ground) >= wanted:
            break
        colour = _mixed(colour, QColor("#ffffff" if lighter else "#000000"))
    return colour.name()


def _mixed(one: QColor, other: QColor, share: float = 0.15) -> QColor:
    def part(a: float, b: float) -> float:
        return a + (b - a) * share

    return QColor.fromRgbF(part(one.redF(), other.redF()), part(one.greenF(), other.greenF()), part(one.blueF(), other.blueF()))


def readable(ground: QColor, ink: QColor) -> QColor:
    """The ground, darkened or lightened away from the ink just so far that text on it can be read well, also where the style
    lays a sheen on it."""
    away = QColor(ground)
    for _ in range(12):
        if contrast(away.name(), ink.name()) >= UNDER_SHEEN:
            break
        away = away.darker(108) if ink.lightnessF() > 0.5 else away.lighter(108)
    return away


def mark_readably(palette: QPalette) -> None:
    """Gives the palette a ground for what is chosen on which its text can be read; some systems' own is too near to it."""
    for group in (QPalette.ColorGroup.Active, QPalette.ColorGroup.Inactive):
        ground, ink = palette.color(group, Role.Highlight), palette.color(group, Role.HighlightedText)
        palette.setColor(group, Role.Highlight, QColor(_readable(ground.name(), ink.name())))


@lru_cache(maxsize=16)
def _readable(ground: str, ink: str) -> str:
    """Asked for at each row's painting, of the same two or three colours."""
    return readable(QColor(ground), QColor(ink)).name()


def readable_marks() -> QPalette:
    """A palette that says nothing but what the chosen text's ground is, for a widget to take the rest from its system."""
    system = QPalette(QGuiApplication.palette())
    mark_readably(system)
    palette = QPalette()
    for group in (QPalette.ColorGroup.Active, QPalette.ColorGroup.Inactive):
        palette.setColor(group, Role.Highlight, system.color(group, Role.Highlight))
    return palette


def contrast(one: str, other: str) -> float:
    """The contrast of two colours by the rule of WCAG 2: 1 to 21."""
    bright, dim = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def _luminance(name: str) -> float:
    colour = QColor(name)

    def linear(channel: float) -> float:
        return channel / 12.92 if channel <= 0.03928 else float(((channel + 0.055) / 1.055) ** 2.4)

    return 0.2126 * linear(colour.redF()) + 0.7152 * linear(colour.greenF()) + 0.0722 * linear(colour.blueF())
