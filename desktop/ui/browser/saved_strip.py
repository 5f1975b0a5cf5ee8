"""The strip of saved files under the page: add a PDF to the matter, open it, or let it be."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QPushButton, QScrollArea, QVBoxLayout, QWidget

from desktop.ui.browser.bars import ElidedLabel, plain_label
from desktop.ui.browser.downloads import SavedFile

_MOST_ROWS = 20
_MOST_HEIGHT = 132


class SavedRow(QFrame):
    """One saved file and its buttons."""

    add = Signal(object)
    open_file = Signal(object)
    gone = Signal(object)

    def __init__(self, saved: SavedFile, matter_number: str) -> None:
        super().__init__()
        self.saved = saved
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 4, 8, 4)
        name = ElidedLabel(saved.name)
        self.words = plain_label(size_words(saved.size))
        self.setAccessibleName(f"Saved file {saved.name}, {size_words(saved.size)}")
        row.addWidget(name, 1)
        row.addWidget(self.words)
        self.add_button = QPushButton(f"Add to matter {matter_number}")
        self.add_button.setAccessibleName(f"Add to matter {matter_number}")
        self.add_button.setVisible(saved.is_pdf)
        self.add_button.clicked.connect(lambda: self.add.emit(self))
        row.addWidget(self.add_button)
        for text, act in (("Open", self.open_file), ("Hide", self.gone)):
            button = QPushButton(text)
            button.setAccessibleName(f"{text} {saved.name}")
            button.clicked.connect(lambda _checked=False, act=act: act.emit(self))
            row.addWidget(button)

    def say(self, words: str, *, may_add: bool) -> None:
        self.words.setText(words)
        self.setAccessibleName(f"Saved file {self.saved.name}, {words}")
        self.add_button.setEnabled(may_add)


class SavedStrip(QFrame):
    """Hidden while nothing was saved; scrolls when there are many. Newest on top."""

    add = Signal(object)
    open_file = Signal(object)

    def __init__(self, matter_number: str) -> None:
        super().__init__()
        self._matter_number = matter_number
        self.setAccessibleName("Saved files")
        self.setAutoFillBackground(True)
        self.setBackgroundRole(QPalette.ColorRole.AlternateBase)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self._running = QProgressBar()
        self._running.setFixedHeight(4)
        self._running.setTextVisible(False)
        self._running.setAccessibleName("Saving a file")
        self._running.hide()
        column.addWidget(self._running)
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        inside = QWidget()
        self._rows = QVBoxLayout(inside)
        self._rows.setContentsMargins(0, 2, 0, 2)
        self._rows.setSpacing(0)
        self._area.setWidget(inside)
        column.addWidget(self._area)
        self._list: list[SavedRow] = []
        self.hide()

    def show_saved(self, saved: SavedFile) -> None:
        row = SavedRow(saved, self._matter_number)
        row.add.connect(self.add)
        row.open_file.connect(self.open_file)
        row.gone.connect(self._take_out)
        self._rows.insertWidget(0, row)
        self._list.insert(0, row)
        for old in self._list[_MOST_ROWS:]:
            self._take_out(old)
        self.show()
        self._fit()

    def show_progress(self, percent: int) -> None:
        """-1: running, how far is not known; 100: finished."""
        self._running.setRange(0, 0 if percent < 0 else 100)
        self._running.setValue(max(percent, 0))
        self._running.setVisible(percent < 100)
        self.setVisible(bool(self._list) or percent < 100)
        self._fit()

    def _take_out(self, row: SavedRow) -> None:
        self._list.remove(row)
        self._rows.removeWidget(row)
        row.hide()
        row.deleteLater()
        self.setVisible(bool(self._list))
        self._fit()
        QTimer.singleShot(0, self, self._fit)

    def _fit(self) -> None:
        wanted = sum(row.sizeHint().height() for row in self._list) + 4 if self._list else 0
        self._area.setFixedHeight(min(wanted, _MOST_HEIGHT))


def size_words(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB" if size >= 1_000_000 else f"{max(1, round(size / 1000))} kB"
