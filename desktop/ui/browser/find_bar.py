"""Finds words in the page that is shown: how many there are, and which one is marked."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPalette
from PySide6.QtWebEngineCore import QWebEngineFindTextResult, QWebEnginePage
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QPushButton, QSizePolicy

from desktop.ui import theme
from desktop.ui.browser.bars import plain_label
from desktop.ui.browser.spoken import say_aloud
from desktop.ui.language import tr
from desktop.ui.words import Tone

_MOST_LETTERS = 200
_AFTER_TYPING_MS = 150


class FindBar(QFrame):
    """Emits `closed()` once it was put away; the keyboard belongs to the page then."""

    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(tr("Find in page"))
        self.setAutoFillBackground(True)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 5, 8, 5)
        row.setSpacing(6)
        name = plain_label(tr("Find in page"))
        self.edit = QLineEdit()
        self.edit.setAccessibleName(tr("Find in page"))
        self.edit.setPlaceholderText(tr("Words to look for"))
        self.edit.setMaxLength(_MOST_LETTERS)
        self.edit.setClearButtonEnabled(True)
        self.edit.setMaximumWidth(320)
        self.edit.setMinimumWidth(90)
        name.setBuddy(self.edit)
        self.count = plain_label()
        self.count.setAccessibleName(tr("Found"))
        self.count.setMinimumWidth(self.count.fontMetrics().horizontalAdvance(tr("{number} of {count}", number="000", count="000")))
        self.count.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Preferred)
        self.previous = self._button(tr("Previous"), "Shift+F3", lambda: self.step(back=True))
        self.next = self._button(tr("Next"), "F3", lambda: self.step(back=False))
        self.done = self._button(tr("Close"), "Esc", self.put_away)
        self.done.setAccessibleName(tr("Close find"))
        row.addWidget(name)
        row.addWidget(self.edit, 4)
        row.addWidget(self.count)
        row.addWidget(self.previous)
        row.addWidget(self.next)
        row.addStretch(1)
        row.addWidget(self.done)
        self._page: QWebEnginePage | None = None
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(_AFTER_TYPING_MS)
        self._typing.timeout.connect(lambda: self.step(back=False))
        self.edit.textEdited.connect(self._on_typed)
        self.edit.installEventFilter(self)
        self._bad = False
        self._show_count("")
        self.hide()

    def open(self, page: QWebEnginePage) -> None:
        """Shows the bar with the keyboard in it; what is marked in the page is suggested."""
        self.look_in(page)
        marked = " ".join(page.selectedText().split())
        if marked and len(marked) <= 80 and not self.isVisible():
            self.edit.setText(marked)
        self.show()
        self.edit.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.edit.selectAll()
        if self.edit.text():
            self.step(back=False)

    def look_in(self, page: QWebEnginePage) -> None:
        """Another page is shown: the marks in the one before are taken away."""
        if self._page is page:
            return
        self.forget(self._page)
        self._page = page
        page.findTextFinished.connect(self._found)
        if self.isVisible() and self.edit.text():
            self.step(back=False)

    def forget(self, page: QWebEnginePage | None) -> None:
        """The page goes away, or another one is shown."""
        if page is not None and page is self._page:
            page.findTextFinished.disconnect(self._found)
            page.findText("")
            self._page = None

    def again(self) -> None:
        """The page has loaded something else: the marks are gone with what it was."""
        if self.isVisible():
            self.step(back=False)

    def step(self, *, back: bool) -> None:
        """To the next place, round at the end."""
        self._typing.stop()
        text = self.edit.text()
        if self._page is None:
            return
        if not text:
            self._page.findText("")
            self._show_count("")
            return
        flags = QWebEnginePage.FindFlag.FindBackward if back else QWebEnginePage.FindFlag(0)
        self._page.findText(text, flags)

    def put_away(self) -> None:
        self._typing.stop()
        if self._page is not None:
            self._page.findText("")
        self._show_count("")
        self.hide()
        self.closed.emit()

    @property
    def words(self) -> str:
        """What the bar says just now, e.g. «3 of 12»."""
        return self.count.text()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and watched is self.edit:
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self.step(back=bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
                return True
            if event.key() == Qt.Key.Key_Escape:
                self.put_away()
                return True
        return super().eventFilter(watched, event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_bad"):
            self._paint()

    def _button(self, name: str, keys: str, act: object) -> QPushButton:
        button = QPushButton(name)
        button.setAccessibleName(tr("{name} match", name=name))
        button.setToolTip(f"{name} ({keys})")
        button.setAutoDefault(False)
        button.clicked.connect(act)
        return button

    def _on_typed(self, text: str) -> None:
        if text:
            self._typing.start()
        else:
            self.step(back=False)

    def _found(self, result: QWebEngineFindTextResult) -> None:
        if not self.edit.text() or not self.isVisible():
            return
        number = result.numberOfMatches()
        if number == 0:
            self._show_count(tr("Not found"), bad=True)
        else:
            self._show_count(tr("{number} of {count}", number=result.activeMatch(), count=number))

    def _show_count(self, words: str, *, bad: bool = False) -> None:
        """Said aloud as well, once for each change."""
        if words and words != self.count.text():
            say_aloud(self, tr("{words} for {text}", words=words, text=self.edit.text()) if bad else words)
        self.count.setText(words)
        self.count.setAccessibleName(words or tr("Nothing looked for yet"))
        self._bad = bad
        found = bool(words) and not bad
        self.previous.setEnabled(found)
        self.next.setEnabled(found)
        self._paint()

    def _paint(self) -> None:
        """A word always goes with the colour."""
        palette = QPalette()
        if self._bad:
            palette.setColor(QPalette.ColorRole.WindowText, QColor(theme.colours(self.window().palette()).tone(Tone.BAD).ink))
        if self.count.palette() != palette:
            self.count.setPalette(palette)
