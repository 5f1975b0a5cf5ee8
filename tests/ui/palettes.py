"""Palettes as desktops make them: the offscreen platform has only its light one."""

from __future__ import annotations

from PySide6.QtGui import QColor, QPalette

Role = QPalette.ColorRole


def dark_palette() -> QPalette:
    """An ordinary dark desktop."""
    palette = QPalette(QColor("#3b3f45"), QColor("#202327"))
    ink = QColor("#e8eaed")
    for role in (
        Role.WindowText,
        Role.Text,
        Role.ButtonText,
        Role.ToolTipText,
    ):
        palette.setColor(role, ink)
    palette.setColor(Role.Base, QColor("#1a1c1f"))
    palette.setColor(Role.AlternateBase, QColor("#24272b"))
    palette.setColor(Role.PlaceholderText, QColor("#9aa1a9"))
    palette.setColor(Role.Highlight, QColor("#2f74d8"))
    palette.setColor(Role.HighlightedText, QColor("#ffffff"))
    for role in (Role.WindowText, Role.Text, Role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor("#7c828a"))
    return palette


def high_palette(ground: str, text: str) -> QPalette:
    """A contrast theme as Windows has them: one ground for all, one ink for all, and bright marks."""
    palette = QPalette(QColor(ground))
    dark = QColor(ground).lightnessF() < 0.5
    for role in (Role.Window, Role.Base, Role.AlternateBase, Role.Button, Role.ToolTipBase):
        palette.setColor(role, QColor(ground))
    for role in (Role.WindowText, Role.Text, Role.ButtonText, Role.ToolTipText, Role.PlaceholderText, Role.BrightText):
        palette.setColor(role, QColor(text))
    for role in (Role.Light, Role.Midlight, Role.Mid, Role.Dark, Role.Shadow):
        palette.setColor(role, QColor(text))
    palette.setColor(Role.Highlight, QColor("#1aebff" if dark else "#37006e"))
    palette.setColor(Role.HighlightedText, QColor("#000000" if dark else "#ffffff"))
    palette.setColor(Role.Link, QColor("#ffff00" if dark else "#00009f"))
    for role in (Role.WindowText, Role.Text, Role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor("#3ff23f" if dark else "#600000"))
    return palette
