"""Light or dark, as the person chose it for iConnect, also where the desktop itself does not tell."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor, QGuiApplication, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QApplication, QFrame

from desktop.ui import theme
from desktop.ui.words import Tone

Role = QPalette.ColorRole

_DARK = {
    Role.Window: "#25282d",
    Role.WindowText: "#e8eaed",
    Role.Base: "#121316",
    Role.AlternateBase: "#26292e",
    Role.Text: "#e8eaed",
    Role.Button: "#33373d",
    Role.ButtonText: "#e8eaed",
    Role.ToolTipBase: "#33373d",
    Role.ToolTipText: "#e8eaed",
    Role.Highlight: "#3d6fb6",
    Role.HighlightedText: "#ffffff",
    Role.PlaceholderText: "#9aa1aa",
    Role.Link: "#a9c8ff",
    Role.Light: "#4a4e55",
    Role.Midlight: "#3c4046",
    Role.Mid: "#2b2e33",
    Role.Dark: "#141518",
    Role.Shadow: "#000000",
}
_DIMMED = (Role.WindowText, Role.Text, Role.ButtonText)


def apply_theme(app: QApplication, wanted: Literal["system", "light", "dark"]) -> None:
    """Asks Qt first; draws the dark palette ourselves on a desktop that has none to give."""
    if wanted == "system":
        return
    QGuiApplication.styleHints().setColorScheme(Qt.ColorScheme.Dark if wanted == "dark" else Qt.ColorScheme.Light)
    if wanted == "dark" and not theme.is_dark(app.palette()):
        app.setPalette(dark_palette())


def dark_palette() -> QPalette:
    palette = QPalette()
    for role, name in _DARK.items():
        palette.setColor(role, QColor(name))
    for role in _DIMMED:
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor("#7d848d"))
    return palette


class TonedFrame(QFrame):
    """A frame on the ground of a tone, with a line below; it and its labels follow light, dark and high contrast."""

    def __init__(self, tone: Tone) -> None:
        super().__init__()
        self._tone = tone
        self.setAutoFillBackground(True)
        self._tint()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._tint()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        painter.fillRect(0, self.height() - 1, self.width(), 1, QColor(self._ink().line))
        painter.end()

    def _ink(self) -> theme.Ink:
        return theme.colours(QGuiApplication.palette()).tone(self._tone)

    def _tint(self) -> None:
        """Only the two roles that differ: a palette that held all of them would hear of no change."""
        ink = self._ink()
        palette = QPalette()
        palette.setColor(Role.Window, QColor(ink.ground))
        palette.setColor(Role.WindowText, QColor(ink.ink))
        mine = self.palette()
        if any(mine.color(role) != palette.color(role) for role in (Role.Window, Role.WindowText)):
            self.setPalette(palette)
