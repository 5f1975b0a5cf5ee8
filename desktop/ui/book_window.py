"""What the bookkeeper's windows have alike: a table or what stands where it would be, a message, and what is being done."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QAbstractTableModel, Signal
from PySide6.QtWidgets import QHBoxLayout, QLayout, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from desktop.ui import theme
from desktop.ui.bridge import Bridge
from desktop.ui.language import tr
from desktop.ui.patience import Patience
from desktop.ui.tables import ColumnLook, Table
from desktop.ui.widgets import Busy, EmptyState, MessageBar, Muted, open_at
from desktop.ui.window import Clock, Window


class BookWindow(Window):
    """Sub-classes name in `_rests` the buttons that nobody can press while something is being done.

    Signals:
        open_order(str): an order's number, to be shown in Orders and postings."""

    open_order = Signal(str)

    def __init__(self, bridge: Bridge, subject: str, name: str, looks: Sequence[ColumnLook], *, clock: Clock) -> None:
        super().__init__(bridge, subject, clock=clock)
        self.message = MessageBar()
        self.table = Table(name, looks)
        self.empty = EmptyState(framed=True)
        self.stack = QStackedWidget()
        self.stack.addWidget(self.empty)
        self.stack.addWidget(self.table)
        self.foot = Muted(wrap=False)
        self.busy = Busy()
        self._patience = Patience(self.busy, tr("Looking…"), self)
        self._rests: tuple[QPushButton, ...] = ()

    def _show_table(self, model: QAbstractTableModel) -> None:
        self.table.setModel(model)
        self.table.size_columns()

    def _working(self, doing: str) -> None:
        """Says what is being done; empty when it is done."""
        for button in self._rests:
            button.setEnabled(not doing)
        if doing:
            self.busy.start(doing)
        else:
            self.busy.stop()

    def _lay_out(self, width: int, height: int, top: Sequence[QWidget | None], *parts: QWidget | QLayout) -> None:
        """A line of fields and buttons on top (None is where the room goes), the message, `parts` with the stack among them,
        and the foot."""
        line = QHBoxLayout()
        line.setSpacing(theme.GAP)
        for widget in top:
            if widget is None:
                line.addStretch(1)
            else:
                line.addWidget(widget, 1 if widget is top[0] and None not in top else 0)
        foot = QHBoxLayout()
        foot.addWidget(self.foot, 1)
        foot.addWidget(self.busy)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.MARGIN, theme.MARGIN, theme.MARGIN, 10)
        column.setSpacing(theme.GAP)
        column.addLayout(line)
        column.addWidget(self.message)
        for part in parts:
            if isinstance(part, QWidget):
                column.addWidget(part, 1 if part is self.stack else 0)
            else:
                column.addLayout(part)
        column.addLayout(foot)
        open_at(self, width, height)
