"""A vendor's menu path drawn as a row of steps: what to click, in which order."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from desktop.ui import theme
from desktop.ui.language import tr
from desktop.ui.vendor_places import Way
from desktop.ui.widgets import Muted
from desktop.ui.words import Tone


class MenuPath(QWidget):
    """Steps as small boxes with arrows between them, on as many lines as they need. Read out as one sentence."""

    PAD, HIGH, ARROW, GAP = 9, 8, 18, 6

    def __init__(self, steps: tuple[str, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._steps = steps
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAccessibleName(tr("Open {steps}", steps=tr(", then ").join(steps)))
        self.setToolTip(" > ".join(steps))

    def steps(self) -> tuple[str, ...]:
        return self._steps

    def boxes(self, width: int) -> list[QRect]:
        """Where each step stands, from the left; the painter mirrors them for languages that read from the right."""
        metrics = self.fontMetrics()
        high = metrics.height() + self.HIGH
        placed: list[QRect] = []
        x = y = 0
        for number, step in enumerate(self._steps):
            wide = min(metrics.horizontalAdvance(step) + 2 * self.PAD, max(width, 40))
            arrow = self.ARROW if number else 0
            if x and x + arrow + wide > width:
                # An arrow begins the next line, so that nobody takes it for another path.
                x, y = 0, y + high + self.GAP
            placed.append(QRect(x + arrow, y, min(wide, max(width - arrow, 40)), high))
            x += arrow + wide
        return placed

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        placed = self.boxes(width)
        return placed[-1].bottom() + 1 if placed else 0

    def sizeHint(self) -> QSize:
        wide = sum(self.fontMetrics().horizontalAdvance(step) + 2 * self.PAD + self.ARROW for step in self._steps)
        return QSize(wide, self.heightForWidth(max(self.width(), 200)))

    def minimumSizeHint(self) -> QSize:
        return QSize(160, self.heightForWidth(max(self.width(), 160)))

    def paintEvent(self, event: QPaintEvent) -> None:
        colours = theme.colours(self.palette())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        mirrored = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
        for number, (step, box) in enumerate(zip(self._steps, self.boxes(self.width()), strict=True)):
            ink = colours.tone(Tone.CALM if number == len(self._steps) - 1 else Tone.QUIET)
            left = self.width() - box.right() - 1 if mirrored else box.left()
            shown = QRect(left, box.top(), box.width(), box.height())
            painter.setPen(QPen(QColor(ink.line), 1))
            painter.setBrush(QColor(ink.ground))
            painter.drawRoundedRect(QRectF(shown).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
            painter.setPen(QColor(ink.ink))
            text = painter.fontMetrics().elidedText(step, Qt.TextElideMode.ElideRight, shown.width() - self.PAD)
            painter.drawText(shown, Qt.AlignmentFlag.AlignCenter, text)
            if number:
                self._arrow(painter, shown, mirrored, QColor(colours.muted))

    def _arrow(self, painter: QPainter, box: QRect, mirrored: bool, colour: QColor) -> None:
        painter.setPen(QPen(colour, 1.6))
        middle = box.center().y() + 0.5
        tip = box.right() + self.ARROW / 2 + 3 if mirrored else box.left() - self.ARROW / 2 + 3
        back = 4.0 if mirrored else -4.0
        if mirrored:
            tip -= 5
        painter.drawPolyline([QPointF(tip + back, middle - 4), QPointF(tip, middle), QPointF(tip + back, middle + 4)])


class WayView(QWidget):
    """A path, who may go it, and what to do at its end."""

    def __init__(self, way: Way, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 2, 0, 2)
        column.setSpacing(4)
        column.addWidget(MenuPath(way.steps))
        column.addWidget(Muted(f"{way.then} ({way.who[:1].upper()}{way.who[1:]}.)"))
