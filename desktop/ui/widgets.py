"""The few widgets that several windows share. All take their colours from the palette that is in force when they paint."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QGuiApplication, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from desktop.ui import marks, theme
from desktop.ui.language import tr
from desktop.ui.marks import mark_picture
from desktop.ui.words import Tone

FRAME = 32
"""About what a window manager puts around a window, top and bottom together."""


def open_at(window: QWidget, width: int, height: int) -> None:
    """Gives a window its first size, in logical pixels, and no more than the screen has beside its panels: at 200 % a small
    laptop has 680 by 380."""
    screen = window.screen() or QGuiApplication.primaryScreen()
    room = screen.availableGeometry() if screen is not None else QRect(0, 0, width, height + FRAME)
    window.resize(min(width, room.width()), min(height, room.height() - FRAME))


def pill_size(metrics: QFontMetrics, text: str, *, state: bool = True) -> QSize:
    """`state`: with the shape of its tone. A mere label has none."""
    return QSize(metrics.horizontalAdvance(text) + 16 + (_shape(metrics) + SHAPE_GAP if state else 0), metrics.height() + 4)


SHAPE_GAP = 4


def _shape(metrics: QFontMetrics) -> int:
    return max(11, metrics.ascent())


def paint_pill(painter: QPainter, rect: QRect, text: str, tone: Tone, palette: QPalette, *, state: bool = True) -> None:
    """A word on its ground, in `rect`, with the painter's font; a state's with its tone's shape before it."""
    ink = theme.colours(palette).tone(tone)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(ink.line), 1))
    painter.setBrush(QColor(ink.ground))
    box = QRectF(rect).adjusted(0.5, 0.5, -0.5, -0.5)
    painter.drawRoundedRect(box, box.height() / 2, box.height() / 2)
    painter.setPen(QColor(ink.ink))
    if state:
        size = _shape(painter.fontMetrics())
        from_right = painter.layoutDirection() == Qt.LayoutDirection.RightToLeft
        left = rect.right() - 7 - size if from_right else rect.left() + 8
        picture = mark_picture(
            marks.OF_TONE[tone],
            size,
            QColor(ink.ink).rgba(),
            QColor(ink.ground).rgba(),
            painter.device().devicePixelRatio(),
            painter.font().family(),
        )
        painter.drawPixmap(left, rect.top() + (rect.height() - size) // 2, picture)
        beside = size + SHAPE_GAP
        rect = rect.adjusted(0, 0, -beside, 0) if from_right else rect.adjusted(beside, 0, 0, 0)
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, text)
    painter.restore()


def small_font(font: QFont) -> QFont:
    smaller = QFont(font)
    size = font.pointSizeF()
    if size > 0:
        smaller.setPointSizeF(size * 0.92)
    return smaller


class Pill(QLabel):
    """One state word on a coloured ground, with the shape that stands for its tone."""

    def __init__(self, text: str = "", tone: Tone = Tone.QUIET, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self._tone = tone
        self.setFont(small_font(self.font()))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def show_state(self, text: str, tone: Tone) -> None:
        self._tone = tone
        self.setText(text)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return pill_size(self.fontMetrics(), self.text())

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(self.font())
        paint_pill(painter, self.rect(), self.text(), self._tone, self.palette())


class Text(QLabel):
    """Plain text that wraps and can be marked with the mouse. Whatever it is given is shown as it is, never as markup."""

    def __init__(self, text: str = "", parent: QWidget | None = None, *, wrap: bool = True) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(wrap)
        if wrap:
            self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setText(text)


class Muted(Text):
    """A second line: quieter, but with full contrast. With a tone it stands out instead."""

    def __init__(self, text: str = "", parent: QWidget | None = None, *, wrap: bool = True) -> None:
        super().__init__(text, parent, wrap=wrap)
        self._tone: Tone | None = None
        self._colour()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.ApplicationPaletteChange):
            self._colour()
        super().changeEvent(event)

    def set_tone(self, tone: Tone | None) -> None:
        self._tone = tone
        self._colour()

    def _colour(self) -> None:
        colours = theme.colours(QGuiApplication.palette())
        wanted = QColor(colours.tone(self._tone).ink if self._tone is not None else colours.muted)
        if self.palette().color(QPalette.ColorRole.WindowText) != wanted:
            palette = QPalette()
            palette.setColor(QPalette.ColorRole.WindowText, wanted)
            self.setPalette(palette)


class Field(QLineEdit):
    """A line to type in, a little taller than the style's, with a hint that can be read."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setMinimumHeight(self.fontMetrics().height() + 12)
        self.setTextMargins(4, 0, 4, 0)
        self._colour()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.ApplicationPaletteChange):
            self._colour()
        super().changeEvent(event)

    def _colour(self) -> None:
        wanted = QColor(theme.colours(QGuiApplication.palette()).muted)
        palette = theme.readable_marks()
        own = self.palette()
        marked = palette.color(QPalette.ColorRole.Highlight)
        if (own.color(QPalette.ColorRole.PlaceholderText), own.color(QPalette.ColorRole.Highlight)) != (wanted, marked):
            palette.setColor(QPalette.ColorRole.PlaceholderText, wanted)
            self.setPalette(palette)


class PlainList(QListWidget):
    """A list of plain lines, the chosen one on a ground that it can be read on: for dialogs, which have no Window to see to it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colour()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.ApplicationPaletteChange):
            self._colour()
        super().changeEvent(event)

    def _colour(self) -> None:
        marks = theme.readable_marks()
        if marks.color(theme.Role.Highlight) != self.palette().color(theme.Role.Highlight):
            self.setPalette(marks)


class Heading(Text):
    """A heading; `level` 1 is a window's, 2 a section's."""

    def __init__(self, text: str = "", level: int = 1, parent: QWidget | None = None, *, wrap: bool = True) -> None:
        super().__init__(text, parent, wrap=wrap)
        font = self.font()
        font.setBold(True)
        if level == 1:
            font.setPointSizeF(font.pointSizeF() * 1.35)
        self.setFont(font)


class Card(QFrame):
    """A group of things on a ground of its own, with `body` as its layout."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(theme.MARGIN, 12, theme.MARGIN, 12)
        self.body.setSpacing(theme.GAP)

    def paintEvent(self, event: QPaintEvent) -> None:
        colours = theme.colours(self.palette())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(colours.line), 1))
        painter.setBrush(QColor(colours.card))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), theme.RADIUS, theme.RADIUS)


class MessageBar(QFrame):
    """A sentence that a person should read, with at most one button that helps. Hidden while it has nothing to say."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tone = Tone.BAD
        self._act: Callable[[], None] | None = None
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 8, 8)
        self._text = Text()
        self._text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._button = QPushButton()
        self._button.clicked.connect(self._clicked)
        self._close = QPushButton(tr("Dismiss"))
        self._close.setFlat(True)
        self._close.clicked.connect(self.clear)
        row.addWidget(self._text, 1)
        row.addWidget(self._button, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self._close, 0, Qt.AlignmentFlag.AlignTop)
        self.hide()

    def text(self) -> str:
        return self._text.text()

    def say(
        self, text: str, tone: Tone = Tone.BAD, *, button: str = "", act: Callable[[], None] | None = None, keep: bool = False
    ) -> None:
        """Shows the sentence. `keep`: it describes a state, so it has no Dismiss."""
        self._tone = tone
        self._act = act
        self._text.setText(text)
        self.setAccessibleName(text)
        self._button.setText(button)
        self._button.setVisible(bool(button))
        self._close.setVisible(not keep)
        self._recolour()
        self.show()
        self.update()

    def clear(self) -> None:
        self._text.setText("")
        self.hide()

    def _clicked(self) -> None:
        act = self._act
        if act is not None:
            act()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.ApplicationPaletteChange):
            self._recolour()
        super().changeEvent(event)

    def _recolour(self) -> None:
        ink = QColor(theme.colours(QGuiApplication.palette()).tone(self._tone).ink)
        for label in (self._text, self._close):
            palette = QPalette()
            palette.setColor(QPalette.ColorRole.WindowText, ink)
            palette.setColor(QPalette.ColorRole.ButtonText, ink)
            label.setPalette(palette)

    def paintEvent(self, event: QPaintEvent) -> None:
        ink = theme.colours(self.palette()).tone(self._tone)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(ink.line), 1))
        painter.setBrush(QColor(ink.ground))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), theme.RADIUS, theme.RADIUS)


class Busy(QWidget):
    """A thin moving bar with a word beside it, for work that takes seconds. Hidden while nothing runs."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        self._bar = QProgressBar()
        self._bar.setRange(0, 0)
        self._bar.setFixedWidth(90)
        self._bar.setMaximumHeight(10)
        self._bar.setTextVisible(False)
        self._text = Muted(wrap=False)
        row.addWidget(self._bar)
        row.addWidget(self._text, 1)
        self.hide()

    def start(self, text: str) -> None:
        self._text.setText(text)
        self._bar.setAccessibleName(text)
        self.show()

    def stop(self) -> None:
        self.hide()


class EmptyState(QWidget):
    """What stands where a list would be, when there is nothing to list: why, and what to do. With `framed` it keeps the
    list's ground and border, so that nothing jumps when rows come."""

    def __init__(self, parent: QWidget | None = None, *, framed: bool = False) -> None:
        super().__init__(parent)
        self._framed = framed
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(theme.GAP)
        self._title = Heading(level=2)
        self._title.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._text = Muted()
        self._text.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.button = QPushButton()
        self._act: Callable[[], None] | None = None
        self.button.clicked.connect(self._clicked)
        column.addStretch(1)
        column.addWidget(self._title)
        column.addWidget(self._text)
        column.addWidget(self.button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(2)

    def say(self, title: str, text: str, *, button: str = "", act: Callable[[], None] | None = None) -> None:
        self._title.setText(title)
        self._text.setText(text)
        self._text.setVisible(bool(text))
        self._act = act
        self.button.setText(button)
        self.button.setVisible(bool(button))

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._framed:
            colours = theme.colours(self.palette())
            painter = QPainter(self)
            painter.setPen(QPen(QColor(colours.line), 1))
            painter.setBrush(self.palette().brush(QPalette.ColorRole.Base))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def words(self) -> str:
        return f"{self._title.text()}\n{self._text.text()}".strip()

    def _clicked(self) -> None:
        if self._act is not None:
            self._act()


def file_kinds(kinds: str) -> str:
    """What a file dialog offers: `kinds`, and everything."""
    return kinds + ";;" + tr("All files (*)")


def save_as(window: QWidget, title: str, name: str, kinds: str, use: Callable[[Path], None]) -> None:
    """Asks where to write a file, without waiting; `use` gets the answer. The suffix of `name` is added where none is typed."""
    dialog = QFileDialog(window, f"iConnect - {title}", name, file_kinds(kinds))
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setFileMode(QFileDialog.FileMode.AnyFile)
    dialog.setDefaultSuffix(Path(name).suffix.lstrip("."))
    dialog.fileSelected.connect(lambda file: use(Path(file)))
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.open()


def rule(parent: QWidget | None = None) -> QFrame:
    """A thin horizontal line."""
    line = QFrame(parent)
    line.setFrameShape(QFrame.Shape.HLine)
    line.setFrameShadow(QFrame.Shadow.Sunken)
    return line


def clear_layout(layout: QVBoxLayout | QHBoxLayout) -> None:
    """Takes every widget out of a layout and lets it go."""
    while (item := layout.takeAt(0)) is not None:
        widget = item.widget()
        if widget is not None:
            widget.hide()
            widget.deleteLater()
