"""The window's own bars: which matter this is, where the page is, notices, and what was saved. They stay
visible whatever a page does, and show nothing that a page wrote except its host."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QIcon, QPainter, QPalette, QPen, QPixmap, QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMenu,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QStyle,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from desktop.ui.browser.appearance import TonedFrame
from desktop.ui.language import tr
from desktop.ui.words import Tone

_THIN_BAR = "QProgressBar { border: 0; background: transparent } QProgressBar::chunk { background: palette(highlight) }"


def plain_label(text: str = "", *, wrap: bool = False) -> QLabel:
    """A label that shows markup as it is written: some of what it shows comes from elsewhere."""
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(wrap)
    return label


def follow(anchor: QWidget, *widgets: QWidget) -> None:
    """What is made later stands at the end of the way that Tab goes: these come where `anchor` stands, which takes no keyboard
    itself, in this order."""
    before = anchor.previousInFocusChain()
    while before is not None and before is not anchor and (before in widgets or not before.focusPolicy() & Qt.FocusPolicy.TabFocus):
        before = before.previousInFocusChain()
    # Qt passes over a pair of which one takes no keyboard.
    for one, other in pairwise(widgets if before is None or before is anchor else (before, *widgets)):
        QWidget.setTabOrder(one, other)


class ElidedLabel(QLabel):
    """One line that ends in «…» where it does not fit; the whole text is its tool tip and accessible name."""

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._whole = ""
        self.set_whole(text)

    def set_whole(self, text: str) -> None:
        self._whole = text
        self.setAccessibleName(text)
        self._elide()

    def minimumSizeHint(self) -> QSize:
        return QSize(20, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        shown = QFontMetrics(self.font()).elidedText(self._whole, Qt.TextElideMode.ElideRight, max(self.width(), 20))
        self.setText(shown)
        self.setToolTip(self._whole if shown != self._whole else "")


class MatterStrip(TonedFrame):
    """Number, name and client of the matter that everything ordered here is charged to."""

    def __init__(self, number: str, name: str, client: str, system: str) -> None:
        super().__init__(Tone.CALM)
        self.setAccessibleName(
            ", ".join(part for part in (tr("Order for matter {number}", number=number), name, client, system) if part)
        )
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 7, 12, 7)
        row.setSpacing(14)
        self._number = plain_label(number)
        font = self._number.font()
        font.setBold(True)
        font.setPointSizeF(font.pointSizeF() * 1.25)
        self._number.setFont(font)
        self._words = ElidedLabel(" · ".join(part for part in (name, client) if part))
        self._system = plain_label(system)
        row.addWidget(self._number)
        row.addWidget(self._words, 1)
        row.addWidget(self._system)


class NavigationBar(QWidget):
    """Back, forward, reload or stop, and where the page is: the host and whether the line is secure."""

    back = Signal()
    forward = Signal()
    reload = Signal()
    stop = Signal()
    fees = Signal()
    natural_size = Signal()

    def __init__(self) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        row = QHBoxLayout()
        row.setContentsMargins(8, 5, 8, 5)
        row.setSpacing(4)
        style = self.style()
        self.back_button = self._button(tr("Back"), QStyle.StandardPixmap.SP_ArrowBack, self.back.emit)
        self.forward_button = self._button(tr("Forward"), QStyle.StandardPixmap.SP_ArrowForward, self.forward.emit)
        self.reload_button = self._button(tr("Reload"), QStyle.StandardPixmap.SP_BrowserReload, self._reload_or_stop)
        self._icons = (
            style.standardIcon(QStyle.StandardPixmap.SP_BrowserReload),
            style.standardIcon(QStyle.StandardPixmap.SP_BrowserStop),
        )
        self._loading = False
        self._line = "none"
        self.lock = QLabel()
        self.lock.setFixedSize(22, 22)
        self.place = ElidedLabel()
        self.fees_button = QPushButton(tr("Type in fees"))
        self.fees_button.setAccessibleName(tr("Type in fees"))
        self.fees_button.setToolTip(tr("For an order whose result does not come to iConnect by itself"))
        self.fees_button.clicked.connect(self.fees.emit)
        # Not a flat push button: that does not show that it has the keyboard.
        self.zoom_button = QToolButton()
        self.zoom_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.zoom_button.setAutoRaise(True)
        self.zoom_button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.zoom_button.setToolTip(tr("Back to the natural size (Ctrl+0)"))
        self.zoom_button.clicked.connect(self.natural_size.emit)
        self.zoom_button.hide()
        self.more_button = QToolButton()
        self.more_button.setText(tr("More") + "  ")
        self.more_button.setAccessibleName(tr("More: find, print, size"))
        self.more_button.setToolTip(tr("Find, print, size (F10)"))
        self.more_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.more_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.more_button.setAutoRaise(True)
        self.more_button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.more_button.hide()
        for widget in (self.back_button, self.forward_button, self.reload_button):
            row.addWidget(widget)
        row.addSpacing(8)
        row.addWidget(self.lock)
        row.addWidget(self.place, 1)
        row.addWidget(self.zoom_button)
        row.addWidget(self.fees_button)
        row.addWidget(self.more_button)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(3)
        self.progress.setAccessibleName(tr("Loading"))
        self.progress.setStyleSheet(_THIN_BAR)
        column.addLayout(row)
        column.addWidget(self.progress)
        self.show_place("", "none")
        self.show_progress(100)
        self.show_history(back=False, forward=False)

    def _button(self, name: str, icon: QStyle.StandardPixmap, act: Callable[[], None]) -> QToolButton:
        button = QToolButton()
        button.setIcon(readable_icon(self.style().standardIcon(icon), self.palette()))
        button.setAutoRaise(True)
        button.setAccessibleName(name)
        button.setToolTip(name)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setIconSize(QSize(20, 20))
        button.clicked.connect(lambda: act())
        return button

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_icons"):
            self._paint_icons()
            self._paint_lock()

    def _paint_icons(self) -> None:
        style = self.style()
        palette = self.palette()
        self.back_button.setIcon(readable_icon(style.standardIcon(QStyle.StandardPixmap.SP_ArrowBack), palette))
        self.forward_button.setIcon(readable_icon(style.standardIcon(QStyle.StandardPixmap.SP_ArrowForward), palette))
        self.reload_button.setIcon(readable_icon(self._icons[1 if self._loading else 0], palette))

    def _reload_or_stop(self) -> None:
        if self._loading:
            self.stop.emit()
        else:
            self.reload.emit()

    def show_place(self, host: str, line: str) -> None:
        """`line` is secure, local (plain http on this PC, in a test installation) or none."""
        words = {
            "secure": tr("Secure line"),
            "local": tr("Test address on this PC, not a secure line"),
            "none": tr("No page"),
        }[line]
        self._line = line
        self._paint_lock()
        self.lock.setAccessibleName(words)
        self.lock.setToolTip(words)
        self.place.set_whole(host if line != "local" else tr("{host} (test address, not secure)", host=host))
        self.place.setAccessibleName(f"{words}: {host}" if host else words)

    def _paint_lock(self) -> None:
        ink = self.palette().color(QPalette.ColorRole.WindowText)
        self.lock.setPixmap(lock_picture(self._line, ink, self.devicePixelRatioF()))

    def show_progress(self, percent: int) -> None:
        self._loading = percent < 100
        # Never hidden: a bar that comes and goes would move the page under the mouse.
        self.progress.setValue(percent if self._loading else 0)
        self.reload_button.setIcon(readable_icon(self._icons[1 if self._loading else 0], self.palette()))
        name = tr("Stop") if self._loading else tr("Reload")
        self.reload_button.setAccessibleName(name)
        self.reload_button.setToolTip(name)

    def show_zoom(self, words: str) -> None:
        """Empty at the natural size, of which nothing needs to be said."""
        self.zoom_button.setText(words)
        self.zoom_button.setAccessibleName(tr("Size {size}, back to 100 %", size=words) if words else "")
        self.zoom_button.setVisible(bool(words))

    def offer_more(self, menu: QMenu) -> None:
        self.more_button.setMenu(menu)
        self.more_button.show()

    def show_history(self, *, back: bool, forward: bool) -> None:
        self.back_button.setEnabled(back)
        self.forward_button.setEnabled(forward)


def readable_icon(icon: QIcon, palette: QPalette) -> QIcon:
    """The style's icon in the text's colour, so that it can be seen in the dark."""
    picture = icon.pixmap(QSize(40, 40))
    made = QIcon()
    for mode, group, strength in (
        (QIcon.Mode.Normal, QPalette.ColorGroup.Active, 1.0),
        (QIcon.Mode.Disabled, QPalette.ColorGroup.Disabled, 0.5),
    ):
        painted = QPixmap(picture.size())
        painted.setDevicePixelRatio(picture.devicePixelRatio())
        painted.fill(Qt.GlobalColor.transparent)
        painter = QPainter(painted)
        painter.setOpacity(strength)
        painter.drawPixmap(0, 0, picture)
        painter.setOpacity(1.0)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceIn)
        painter.fillRect(painted.rect(), palette.color(group, QPalette.ColorRole.ButtonText))
        painter.end()
        made.addPixmap(painted, mode)
    return made


def lock_picture(line: str, ink: QColor, ratio: float) -> QPixmap:
    """A closed lock, an open one, or nothing; drawn, so that it is sharp at any size and visible in light and dark."""
    size = 22
    picture = QPixmap(round(size * ratio), round(size * ratio))
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    if line == "none":
        return picture
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    colour = QColor("#2e9e5b") if line == "secure" else ink
    painter.setPen(QPen(colour, 1.8))
    rise = 0 if line == "secure" else -2
    painter.drawArc(7, 4 + rise, 8, 10, 0, 180 * 16)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawRoundedRect(5, 10, 12, 8, 1.5, 1.5)
    painter.end()
    return picture


@dataclass(frozen=True, slots=True)
class Choice:
    """A button of a notice."""

    text: str
    act: Callable[[], object]


class NoticeBar(TonedFrame):
    """One sentence with buttons, under the navigation bar. It never takes the keyboard away from the page and never waits."""

    def __init__(self) -> None:
        super().__init__(Tone.WARN)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(12, 6, 8, 6)
        self._words = plain_label(wrap=True)
        self._row.addWidget(self._words, 1)
        self._buttons: list[QPushButton] = []
        self.hide()

    def say(self, sentence: str, *choices: Choice) -> None:
        """Replaces what stood there; a Dismiss button is always last."""
        self._clear()
        self._words.setText(sentence)
        self._words.setAccessibleName(sentence)
        self.setAccessibleName(sentence)
        for choice in (*choices, Choice(tr("Dismiss"), lambda: None)):
            button = QPushButton(choice.text)
            button.setAccessibleName(choice.text)
            button.clicked.connect(lambda _checked=False, act=choice.act: self._pressed(act))
            self._row.addWidget(button)
            self._buttons.append(button)
        follow(self._words, *self._buttons)
        self.show()

    @property
    def sentence(self) -> str:
        return self._words.text() if not self.isHidden() else ""

    def clear(self) -> None:
        self._clear()
        self.hide()

    def _clear(self) -> None:
        for button in self._buttons:
            self._row.removeWidget(button)
            button.hide()
            button.deleteLater()
        self._buttons.clear()

    def _pressed(self, act: Callable[[], object]) -> None:
        self.clear()
        act()
