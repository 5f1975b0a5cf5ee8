"""The shapes that stand for states beside their words and colours, in one style for an order's steps and every state word."""

from __future__ import annotations

import math
from enum import Enum
from functools import lru_cache

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen, QPixmap, QPolygonF

from desktop.ui.words import Tone


class Mark(Enum):
    """A state's shape, so that colour is never the only sign."""

    DONE = "filled circle with a tick"
    MOVING = "ring with a dot"
    DOUBT = "ring with a question mark"
    PERSON = "triangle"
    FAILED = "square with a cross"
    NOT_YET = "empty ring"
    OFF = "circle with a dash"


OF_TONE = {Tone.GOOD: Mark.DONE, Tone.CALM: Mark.MOVING, Tone.WARN: Mark.PERSON, Tone.BAD: Mark.FAILED, Tone.QUIET: Mark.OFF}


def paint_mark(painter: QPainter, box: QRectF, mark: Mark, ink: QColor, ground: QColor) -> None:
    """The shape in `box`, which should be a square of 11 or more."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    pen = QPen(ink, 1.6)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    inner = box.adjusted(1, 1, -1, -1)
    middle, size = inner.center(), inner.width()
    light = QPen(ground, 1.6)
    light.setCapStyle(Qt.PenCapStyle.RoundCap)
    match mark:
        case Mark.DONE:
            painter.setBrush(ink)
            painter.drawEllipse(inner)
            painter.setPen(light)
            painter.drawPolyline(_points(middle, size, (-0.24, 0.02), (-0.06, 0.2), (0.26, -0.18)))
        case Mark.MOVING:
            painter.drawEllipse(inner)
            painter.setBrush(ink)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.drawEllipse(middle, size * 0.2, size * 0.2)
        case Mark.DOUBT:
            painter.drawEllipse(inner)
            font = QFont(painter.font())
            font.setPixelSize(max(8, round(size * 0.85)))
            font.setBold(True)
            painter.setFont(font)
            painter.drawText(inner, Qt.AlignmentFlag.AlignCenter, "?")
        case Mark.PERSON:
            painter.setBrush(ink)
            painter.drawPolygon(_points(middle, size, (0, -0.46), (0.5, 0.42), (-0.5, 0.42)))
            painter.setPen(light)
            painter.drawPolyline(_points(middle, size, (0, -0.12), (0, 0.12)))
            painter.drawPoint(_points(middle, size, (0, 0.29)).first())
        case Mark.FAILED:
            painter.setBrush(ink)
            painter.drawRoundedRect(inner, 2, 2)
            painter.setPen(light)
            painter.drawPolyline(_points(middle, size, (-0.2, -0.2), (0.2, 0.2)))
            painter.drawPolyline(_points(middle, size, (0.2, -0.2), (-0.2, 0.2)))
        case Mark.NOT_YET:
            painter.setPen(QPen(ink, 1.2, Qt.PenStyle.DotLine))
            painter.drawEllipse(inner)
        case Mark.OFF:
            painter.drawEllipse(inner)
            painter.drawPolyline(_points(middle, size, (-0.24, 0), (0.24, 0)))
    painter.restore()


def _points(middle: QPointF, size: float, *places: tuple[float, float]) -> QPolygonF:
    return QPolygonF([QPointF(middle.x() + x * size, middle.y() + y * size) for x, y in places])


@lru_cache(maxsize=128)
def mark_picture(mark: Mark, size: int, ink: int, ground: int, scale: float, family: str) -> QPixmap:
    """A shape as it is painted in a list's rows over and over."""
    picture = QPixmap(math.ceil(size * scale), math.ceil(size * scale))
    picture.setDevicePixelRatio(scale)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setFont(QFont(family))
    paint_mark(painter, QRectF(0, 0, size, size), mark, QColor.fromRgba(ink), QColor.fromRgba(ground))
    painter.end()
    return picture
