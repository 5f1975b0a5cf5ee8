"""The bar of files under the page: how far each has come; then add it to the matter, open it, copy it, or let it be."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QPalette, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QPushButton, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from desktop.ui import theme
from desktop.ui.browser.bars import ElidedLabel, follow, plain_label
from desktop.ui.browser.saved_file import Download, DownloadState, SavedFile, words_of
from desktop.ui.browser.spoken import say_aloud
from desktop.ui.language import tr
from desktop.ui.words import Tone

_MOST_ROWS = 20
_MOST_HEIGHT = 168
_MOST_SHARE = 0.28
"""Of the window: on a small screen the page keeps the larger part."""
_LEAST_HEIGHT = 58
_THIN = 4


class DownloadRow(QFrame):
    """One file and its buttons. The signals carry the row itself."""

    add = Signal(object)
    open_file = Signal(object)
    copy = Signal(object)
    cancel = Signal(object)
    again = Signal(object)
    gone = Signal(object)

    def __init__(self, download: Download, matter_number: str) -> None:
        super().__init__()
        self.download = download
        self._matter_number = matter_number
        self._tone: Tone | None = None
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 5, 8, 5)
        row.setSpacing(6)
        left = QVBoxLayout()
        left.setSpacing(1)
        self._name = ElidedLabel(download.name)
        self.words = plain_label(wrap=True)
        self._progress = QProgressBar()
        self._progress.setTextVisible(False)
        self._progress.setFixedHeight(_THIN)
        self._progress.setMaximumWidth(360)
        thin = QHBoxLayout()
        thin.addWidget(self._progress, 100)
        thin.addStretch(1)
        left.addWidget(self._name)
        left.addWidget(self.words)
        left.addLayout(thin)
        row.addLayout(left, 1)
        self.add_button = self._button(tr("Add to matter {number}", number=matter_number), self.add)
        self._again_button = self._button(tr("Try again"), self.again)
        self._open_button = self._button(tr("Open"), self.open_file)
        self._copy_button = self._button(tr("Save a copy…"), self.copy)
        self._cancel_button = self._button(tr("Cancel"), self.cancel)
        self._hide_button = self._button(tr("Hide"), self.gone)
        self.buttons = (
            self.add_button,
            self._again_button,
            self._open_button,
            self._copy_button,
            self._cancel_button,
            self._hide_button,
        )
        for button in self.buttons:
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignVCenter)
        self.show_download(download)

    @property
    def saved(self) -> SavedFile | None:
        return self.download.saved

    def show_download(self, download: Download) -> None:
        """How far it is now."""
        focused = self.isAncestorOf(self.window().focusWidget() or self) and self._cancel_button.hasFocus()
        changed = download.state is not self.download.state
        self.download = download
        running = download.state is DownloadState.RUNNING
        self._name.set_whole(download.name)
        self._progress.setVisible(running)
        self._progress.setRange(0, 0 if download.percent < 0 else 100)
        self._progress.setValue(max(download.percent, 0))
        self._progress.setAccessibleName(tr("Saving {name}", name=download.name))
        saved = download.saved
        self.add_button.setVisible(saved is not None and saved.is_pdf)
        self._again_button.setVisible(not running and saved is None and download.may_retry)
        self._open_button.setVisible(saved is not None)
        self._copy_button.setVisible(saved is not None)
        self._cancel_button.setVisible(running)
        self._hide_button.setVisible(not running)
        for button in self.buttons:
            button.setAccessibleDescription(download.name)
            if button is not self.add_button:
                button.setAccessibleName(f"{button.text().removesuffix('…')} {download.name}")
        if focused and not running:  # the keyboard stays in this row when its button goes
            next(button for button in self.buttons if not button.isHidden()).setFocus(Qt.FocusReason.OtherFocusReason)
        self._say(words_of(download), Tone.BAD if download.state is DownloadState.FAILED else None, aloud=changed)

    def say(self, words: str, *, may_add: bool, tone: Tone | None = None) -> None:
        """What became of adding it to the matter. A file that was handed over is not offered a second time."""
        self.add_button.setEnabled(may_add)
        self._say(words, tone, aloud=True)

    def say_beside(self, words: str, *, bad: bool = False) -> None:
        """News that changes nothing about the matter: a copy was made, or was not."""
        self._say(words, Tone.BAD if bad else None, aloud=True)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "words"):
            self._paint()

    def _button(self, name: str, act: object) -> QPushButton:
        button = QPushButton(name)
        button.setAccessibleName(name)
        button.setAutoDefault(False)
        button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        button.clicked.connect(lambda: act.emit(self))  # type: ignore[attr-defined]
        return button

    def _say(self, words: str, tone: Tone | None, *, aloud: bool) -> None:
        self.words.setText(words)
        self._tone = tone
        self.setAccessibleName(tr("File {name}, {words}", name=self.download.name, words=words))
        self._paint()
        if aloud:
            say_aloud(self, f"{self.download.name}: {words}")

    def _paint(self) -> None:
        colours = theme.colours(self.window().palette())
        palette = QPalette()
        ink = colours.muted if self._tone is None else colours.tone(self._tone).ink
        palette.setColor(QPalette.ColorRole.WindowText, QColor(ink))
        if self.words.palette().color(QPalette.ColorRole.WindowText) != QColor(ink):
            self.words.setPalette(palette)


class DownloadsBar(QFrame):
    """Hidden while there is no file; scrolls when there are many. Newest on top."""

    add = Signal(object)
    open_file = Signal(object)
    copy = Signal(object)
    cancel = Signal(object)
    again = Signal(object)

    def __init__(self, matter_number: str) -> None:
        super().__init__()
        self._matter_number = matter_number
        self.setAccessibleName(tr("Files from InfoTrack"))
        self.setAutoFillBackground(True)
        self.setBackgroundRole(QPalette.ColorRole.AlternateBase)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        line = QFrame()
        line.setFrameShape(QFrame.Shape.HLine)
        line.setFrameShadow(QFrame.Shadow.Sunken)
        column.addWidget(line)
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        inside = QWidget()
        self._column = QVBoxLayout(inside)
        self._column.setContentsMargins(0, 2, 0, 2)
        self._column.setSpacing(0)
        self._column.addStretch(1)
        self._area.setWidget(inside)
        column.addWidget(self._area)
        self.rows: list[DownloadRow] = []
        self.hide()

    def show_download(self, download: Download) -> None:
        """A new row, or the row that is there already."""
        row = next((row for row in self.rows if row.download.number == download.number), None)
        if row is not None:
            row.show_download(download)
        else:
            self._add_row(download)
        self._fit_soon()

    def row_of(self, number: int) -> DownloadRow | None:
        return next((row for row in self.rows if row.download.number == number), None)

    def take_out(self, row: DownloadRow) -> None:
        if row not in self.rows:
            return
        index = self.rows.index(row)
        had_focus = row.isAncestorOf(self.window().focusWidget() or self)
        self.rows.remove(row)
        self._column.removeWidget(row)
        row.hide()
        row.deleteLater()
        self.setVisible(bool(self.rows))
        if had_focus and self.rows:
            self.rows[min(index, len(self.rows) - 1)].focusNextPrevChild(True)
        self._fit_soon()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_soon()

    def _add_row(self, download: Download) -> None:
        row = DownloadRow(download, self._matter_number)
        row.add.connect(self.add)
        row.open_file.connect(self.open_file)
        row.copy.connect(self.copy)
        row.cancel.connect(self.cancel)
        row.again.connect(self.again)
        row.gone.connect(self.take_out)
        self._column.insertWidget(0, row)
        self.rows.insert(0, row)
        follow(self._area, *(button for one in self.rows for button in one.buttons))
        quiet = [one for one in self.rows[_MOST_ROWS:] if one.download.state is not DownloadState.RUNNING]
        for old in quiet:
            self.take_out(old)
        self.show()

    def _fit_soon(self) -> None:
        QTimer.singleShot(0, self, self._fit)

    def _fit(self) -> None:
        width = max(self._area.viewport().width(), 200)
        wanted = sum(row.heightForWidth(width) if row.hasHeightForWidth() else row.sizeHint().height() for row in self.rows)
        room = max(_LEAST_HEIGHT, min(_MOST_HEIGHT, int(self.window().height() * _MOST_SHARE)))
        height = min(wanted + 4, room) if self.rows else 0
        if self._area.height() != height:
            self._area.setFixedHeight(height)
