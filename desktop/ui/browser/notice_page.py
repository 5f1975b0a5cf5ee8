"""Our own page where a web page would be: what has happened, what to do, and the buttons for it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QScrollArea, QVBoxLayout, QWidget

from desktop.ui import theme
from desktop.ui.browser.bars import Choice, follow, plain_label
from desktop.ui.browser.load_errors import Picture
from desktop.ui.browser.spoken import say_aloud

_SIDE = 56
_WIDTH = 560
_ROOM_FOR_SIGN = 320


class Sign(QWidget):
    """One line drawing in the colour of second lines. It says nothing that the words beside it do not say."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(_SIDE, _SIDE)
        self._picture = Picture.OFFLINE

    def show_picture(self, picture: Picture) -> None:
        self._picture = picture
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(_SIDE, _SIDE)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = QPen(QColor(theme.colours(self.palette()).muted), 3)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        {
            Picture.OFFLINE: _offline,
            Picture.SHUT: _shut,
            Picture.CRASHED: _crashed,
            Picture.SIGNED_OUT: _signed_out,
            Picture.WAITING: _waiting,
        }[self._picture](painter)
        painter.end()


def _offline(painter: QPainter) -> None:
    for inset, start in ((6, 45), (14, 45), (22, 45)):
        painter.drawArc(QRectF(inset, inset + 6, 56 - 2 * inset, 56 - 2 * inset), start * 16, 90 * 16)
    painter.drawPoint(QPointF(28, 40))
    painter.drawLine(QPointF(10, 46), QPointF(46, 10))


def _shut(painter: QPainter) -> None:
    painter.drawRoundedRect(QRectF(12, 25, 32, 23), 4, 4)
    painter.drawArc(QRectF(18, 9, 20, 32), 0, 180 * 16)
    painter.drawLine(QPointF(28, 33), QPointF(28, 40))


def _crashed(painter: QPainter) -> None:
    painter.drawRoundedRect(QRectF(10, 6, 36, 44), 4, 4)
    for x in (19, 33):
        painter.drawLine(QPointF(x, 18), QPointF(x + 4, 22))
        painter.drawLine(QPointF(x + 4, 18), QPointF(x, 22))
    painter.drawArc(QRectF(20, 32, 16, 12), 0, 180 * 16)


def _signed_out(painter: QPainter) -> None:
    painter.drawPolyline([QPointF(30, 8), QPointF(10, 8), QPointF(10, 48), QPointF(30, 48)])
    painter.drawLine(QPointF(22, 28), QPointF(48, 28))
    painter.drawPolyline([QPointF(40, 19), QPointF(48, 28), QPointF(40, 37)])


def _waiting(painter: QPainter) -> None:
    painter.drawEllipse(QRectF(6, 6, 44, 44))
    painter.drawPolyline([QPointF(28, 16), QPointF(28, 29), QPointF(37, 34)])


class NoticePage(QScrollArea):
    """A headline, what to do, and buttons; the first button has the keyboard when the page had it."""

    def __init__(self, stands_in: QWidget | None = None) -> None:
        """`stands_in`: what Tab comes to the buttons from, for a page that is made after the window's other parts."""
        super().__init__()
        self._stands_in = stands_in
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        inside = QWidget()
        self.setWidget(inside)
        across = QHBoxLayout(inside)
        across.setContentsMargins(32, 24, 32, 24)
        across.addStretch(1)
        middle = QWidget()
        middle.setMaximumWidth(_WIDTH)
        across.addWidget(middle, 100)
        across.addStretch(1)
        outer = QVBoxLayout(middle)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addStretch(2)
        self._sign = Sign()
        outer.addWidget(self._sign)
        outer.addSpacing(14)
        self._headline = plain_label(wrap=True)
        font = self._headline.font()
        font.setPointSizeF(font.pointSizeF() * 1.7)
        font.setBold(True)
        self._headline.setFont(font)
        self._advice = plain_label(wrap=True)
        for label in (self._headline, self._advice):
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            outer.addWidget(label)
            outer.addSpacing(8)
        self._running = QProgressBar()
        self._running.setRange(0, 0)
        self._running.setTextVisible(False)
        self._running.setFixedHeight(4)
        self._running.setMaximumWidth(240)
        outer.addWidget(self._running)
        self._row = QHBoxLayout()
        self._row.setSpacing(8)
        outer.addSpacing(8)
        outer.addLayout(self._row)
        outer.addStretch(3)
        self._buttons: list[QPushButton] = []

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where there is little room, the words and the buttons have it."""
        super().resizeEvent(event)
        self._sign.setVisible(event.size().height() >= _ROOM_FOR_SIGN)

    def say(self, headline: str, advice: str, *choices: Choice, picture: Picture = Picture.OFFLINE, busy: bool = False) -> None:
        """`busy`: something is under way that will change this page by itself."""
        while (item := self._row.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self._buttons.clear()
        self._sign.show_picture(picture)
        self._headline.setText(headline)
        self._advice.setText(advice)
        self._running.setVisible(busy)
        self._running.setAccessibleName(advice)
        self.setAccessibleName(f"{headline}. {advice}")
        for choice in choices:
            button = QPushButton(choice.text)
            button.setAccessibleName(choice.text)
            button.setAccessibleDescription(f"{headline}. {advice}")
            button.clicked.connect(lambda _checked=False, act=choice.act: act())
            button.setAutoDefault(True)
            self._row.addWidget(button)
            self._buttons.append(button)
        follow(self._stands_in or self._advice, *self._buttons)
        self._row.addStretch(1)
        if self._buttons:
            self._buttons[0].setDefault(True)
        say_aloud(self, f"{headline}. {advice}")

    def take_keyboard(self) -> None:
        if self._buttons:
            self._buttons[0].setFocus(Qt.FocusReason.OtherFocusReason)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_sign"):
            self._sign.update()

    @property
    def headline(self) -> str:
        return self._headline.text()

    @property
    def advice(self) -> str:
        return self._advice.text()
