"""The bundle for support: everything that goes into it is shown before it is saved, and nobody but the person sends it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import (
    QHBoxLayout,
    QListWidgetItem,
    QPlainTextEdit,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from desktop.services.desk import Status
from desktop.services.support_bundle import Bundle, Part
from desktop.ui import theme
from desktop.ui.bridge import Bridge
from desktop.ui.bundle_words import part_words
from desktop.ui.language import tr
from desktop.ui.rows import ROW_ROLE, Row, TwoLineDelegate
from desktop.ui.widgets import Busy, EmptyState, MessageBar, Muted, PlainList, open_at, save_as
from desktop.ui.window import Clock, Window, local_now
from desktop.ui.words import Tone

_ABOUT = tr(
    "This is all that goes into the file, word for word. It holds no names, matters, addresses, passwords or tokens, and "
    "iConnect sends it to nobody: save it, then attach it to your mail to support."
)


class DiagnosticsWindow(Window):
    """Gathers once when it is shown, and again on Refresh."""

    def __init__(self, bridge: Bridge, *, clock: Clock = local_now) -> None:
        super().__init__(bridge, tr("Diagnostics"), clock=clock)
        open_at(self, 860, 600)
        self._bundle: Bundle | None = None
        self._gathering = False
        self.message = MessageBar()
        self.about = Muted(_ABOUT)
        self.parts = PlainList()
        self.parts.setItemDelegate(TwoLineDelegate(self.parts))
        self.parts.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.parts.setAccessibleName(tr("Files in the bundle"))
        self.parts.currentRowChanged.connect(self._show_part)
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        # With the keyboard for choosing comes the mark of where the keyboard is.
        self.text.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.text.setTabChangesFocus(True)
        self.text.setAccessibleName(tr("What the file holds"))
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.holds = Muted()
        page = QWidget()
        beside = QVBoxLayout(page)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.setSpacing(6)
        beside.addWidget(self.holds)
        beside.addWidget(self.text, 1)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        split.addWidget(self.parts)
        split.addWidget(page)
        split.setStretchFactor(1, 1)
        split.setSizes([210, 620])
        self.empty = EmptyState(framed=True)
        self.empty.say(tr("One moment…"), tr("iConnect is gathering what support needs; ten seconds at most."))
        self.stack = QStackedWidget()
        self.stack.addWidget(self.empty)
        self.stack.addWidget(split)
        self._split = split
        self.size_text = Muted(wrap=False)
        self.busy = Busy()
        self.refresh_button = QPushButton(tr("Refresh"))
        self.refresh_button.setAutoDefault(False)
        self.refresh_button.clicked.connect(self.gather)
        self.save_button = QPushButton(tr("Save…"))
        self.save_button.setAutoDefault(False)
        self.save_button.setEnabled(False)
        self.save_button.clicked.connect(self.choose_file)
        foot = QHBoxLayout()
        foot.setSpacing(theme.GAP)
        foot.addWidget(self.size_text, 1)
        foot.addWidget(self.busy)
        foot.addWidget(self.refresh_button)
        foot.addWidget(self.save_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.MARGIN, theme.MARGIN, theme.MARGIN, theme.MARGIN)
        column.setSpacing(10)
        column.addWidget(self.about)
        column.addWidget(self.message)
        column.addWidget(self.stack, 1)
        column.addLayout(foot)

    def bundle(self) -> Bundle | None:
        """What is shown, and what Save writes."""
        return self._bundle

    def show_status(self, status: Status | None) -> None:
        if self._bundle is None and not self._gathering:
            self.gather()

    def gather(self) -> None:
        self._gathering = True
        self._working(tr("Gathering…"))
        self.bridge.run(self, lambda desk: desk.books.gather_diagnostics(), self._gathered, self._failed, network=True)

    def _gathered(self, bundle: Bundle) -> None:
        self._gathering = False
        self._working("")
        self._bundle = bundle
        names = [part.name for part in bundle.parts]
        # Who was told that the program ended unexpectedly wants to see that first.
        crash = next((n for n, name in enumerate(names) if name.startswith("crashes/") and not name.endswith(".seen")), 0)
        row = crash if self.parts.count() == 0 else max(0, self.parts.currentRow())
        self.parts.clear()
        for part in bundle.parts:
            self.parts.addItem(_item(part))
        self.parts.setCurrentRow(min(row, len(bundle.parts) - 1))
        characters = sum(len(part.text) for part in bundle.parts)
        self.size_text.setText(
            tr("{count} files, {characters:,} characters before packing", count=len(bundle.parts), characters=characters)
        )
        self.stack.setCurrentWidget(self._split)
        self.save_button.setEnabled(True)
        self.parts.setFocus()

    def _show_part(self, row: int) -> None:
        if self._bundle is not None and 0 <= row < len(self._bundle.parts):
            part = self._bundle.parts[row]
            self.holds.setText(part_words(part.name).holds)
            self.text.setPlainText(part.text)

    def choose_file(self) -> None:
        save_as(self, tr("Save the diagnostics"), "iconnect-diagnostics.zip", tr("Zip file (*.zip)"), self.save)

    def save(self, file: Path) -> None:
        """Writes what is shown, not what would be gathered now."""
        bundle = self._bundle
        if bundle is None:
            return
        self.message.clear()
        self._working(tr("Saving…"))
        self.bridge.run(self, lambda desk: desk.books.save_diagnostics(bundle, file), lambda _: self._saved(file), self._failed)

    def _saved(self, file: Path) -> None:
        self._working("")
        self.message.say(tr("Saved as {file}. Nothing was sent: attach it to your mail to support.", file=file), Tone.GOOD)
        self.bridge.notify()

    def _working(self, doing: str) -> None:
        self.refresh_button.setEnabled(not doing)
        self.save_button.setEnabled(not doing and self._bundle is not None)
        if doing:
            self.busy.start(doing)
        else:
            self.busy.stop()

    def _failed(self, problem: str) -> None:
        self._gathering = False
        self._working("")
        self.message.say(problem)
        if self._bundle is None:
            self.empty.say(tr("Nothing to show"), tr("The bundle could not be gathered."), button=tr("Try again"), act=self.gather)


def _item(part: Part) -> QListWidgetItem:
    """A file as what it is, with its name below."""
    told = part_words(part.name)
    item = QListWidgetItem(part.name)
    item.setData(ROW_ROLE, Row(told.title, part.name))
    item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{told.title}, {part.name}. {told.holds}")
    item.setToolTip(f"{part.name}\n{told.holds}")
    return item
