"""Every text that a window paints, with its ink, where it stands, and the ground that is really under it.

The window is painted twice: into an SVG, which keeps each text with its colour, whoever draws it (a label, a button's style, a
row's delegate, a heading), and into pixels, where the ground under the text is looked up. Nothing is taken from constants."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from PySide6.QtCore import QBuffer, QIODevice, QPoint, QPointF, QRect, QRectF, QSize, QXmlStreamAttributes, QXmlStreamReader
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QTransform
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QWidget

from desktop.ui import theme

_MATRIX = re.compile(r"matrix\(([^)]*)\)")


@dataclass(frozen=True, slots=True)
class PaintedText:
    """`enabled`: whether the widget that it belongs to can be used; what can't is allowed to be pale."""

    text: str
    ink: str
    ground: str
    box: QRect
    enabled: bool
    of: str

    @property
    def contrast(self) -> float:
        return theme.contrast(self.ink, self.ground)

    def __str__(self) -> str:
        return f"{self.contrast:.2f} {self.ink} on {self.ground}: {self.text!r} in {self.of}"


def painted_texts(window: QWidget) -> list[PaintedText]:
    """What stands in the window now; the window has to be shown."""
    image = window.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    ratio = image.devicePixelRatio()
    found = []
    for text, ink, box in _drawn(window):
        seen = box.intersected(QRectF(window.rect())).toAlignedRect()
        widget = window.childAt(seen.center()) or window
        inside = QRect(widget.mapTo(window, QPoint()), widget.size()).intersected(seen)
        # An SVG keeps no clip: what lies under another widget or outside its scrolled page is not seen.
        if inside.width() < 4 or inside.height() < 4 or not text.strip():
            continue
        area = QRect((inside.topLeft().toPointF() * ratio).toPoint(), inside.size() * ratio).intersected(image.rect())
        ground = _ground(image, area, ink)
        if ground is not None:
            found.append(PaintedText(text, ink, ground, inside, widget.isEnabled(), type(widget).__name__))
    return found


def _drawn(window: QWidget) -> list[tuple[str, str, QRectF]]:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    drawing = QSvgGenerator()
    drawing.setOutputDevice(buffer)
    drawing.setSize(QSize(window.size()))
    drawing.setViewBox(window.rect())
    painter = QPainter(drawing)
    window.render(painter, QPoint())
    painter.end()
    found = []
    reader = QXmlStreamReader(bytes(buffer.data().data()).decode())
    places = [QTransform()]
    while not reader.atEnd():
        token = reader.readNext()
        if token is QXmlStreamReader.TokenType.StartElement:
            part = reader.attributes()
            places.append(_moved(part.value("transform"), places[-1]))
            if reader.name() == "text":
                text = reader.readElementText()
                found.append((text, part.value("fill"), places.pop().mapRect(_box(text, part))))
        elif token is QXmlStreamReader.TokenType.EndElement:
            places.pop()
    assert not reader.hasError(), reader.errorString()
    return found


def _moved(transform: str, place: QTransform) -> QTransform:
    told = _MATRIX.match(transform)
    if told is None:
        return place
    a, b, c, d, e, f = (float(number) for number in told.group(1).split(","))
    return QTransform(a, b, c, d, e, f) * place


def _box(text: str, part: QXmlStreamAttributes) -> QRectF:
    font = QFont(part.value("font-family").strip("'"))
    size = part.value("font-size")
    if size.endswith("px"):
        font.setPixelSize(round(float(size[:-2])))
    else:
        font.setPointSizeF(float(size))
    font.setWeight(QFont.Weight(int(part.value("font-weight"))))
    metrics = QFontMetricsF(font)
    base = QPointF(float(part.value("x")), float(part.value("y")))
    return QRectF(base.x(), base.y() - metrics.ascent(), metrics.horizontalAdvance(text), metrics.height())


def _ground(image: QImage, area: QRect, ink: str) -> str | None:
    """The commonest colour in the text's box that is not its ink; None where the ink is not there, as under another widget."""
    step = max(1, area.width() // 120)
    counted: Counter[int] = Counter()
    for y in range(area.top(), area.bottom() + 1):
        for x in range(area.left(), area.right() + 1, step):
            counted[image.pixel(x, y)] += 1
    own = QColor(ink)
    near = [rgb for rgb in counted if _near(QColor(rgb), own)]
    others = [(count, rgb) for rgb, count in counted.items() if not _near(QColor(rgb), own)]
    if not near:
        return None
    return QColor(max(others)[1]).name() if others else QColor(ink).name()


def _near(one: QColor, other: QColor) -> bool:
    return max(abs(one.red() - other.red()), abs(one.green() - other.green()), abs(one.blue() - other.blue())) <= 40
