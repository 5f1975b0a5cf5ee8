"""What a person is shown before a search is ordered: what was ordered lately, what it cost, and that a matter is closed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QPushButton, QVBoxLayout, QWidget

from desktop.services.advice import BeforeOrder, EarlierOrder, LastPrice
from desktop.services.desk import MatterHit
from desktop.services.practice.model import Matter
from desktop.ui import theme, words
from desktop.ui.icons import app_icon
from desktop.ui.language import tr
from desktop.ui.matter_rows import matter_row
from desktop.ui.rows import RowList, RowModel
from desktop.ui.widgets import Heading, MessageBar, Muted, open_at
from desktop.ui.words import Tone

TOLD = 2
"""So many earlier searches are told in words; the list below holds them all."""


def earlier_words(order: EarlierOrder, now: datetime) -> str:
    """One search that was ordered lately, as a sentence."""
    what = " ".join(part for part in (order.service, order.reference) if part)
    often = {1: tr("ordered"), 2: tr("ordered twice, last")}.get(order.times, tr("ordered {times} times, last", times=order.times))
    by = tr(" by {by}", by=order.by) if order.by else ""
    also = tr(", also for {numbers}", numbers=", ".join(order.elsewhere)) if order.elsewhere else ""
    # A number at the end of one line and its unit on the next would be hard to read.
    ago = words.ago(order.at, now).replace(" ", "\N{NO-BREAK SPACE}")
    return f"{what}: {often} {ago}{by}{also}."


def lately_words(lately: Sequence[EarlierOrder], now: datetime) -> str:
    """Empty when nothing was ordered lately."""
    lines = [earlier_words(order, now) for order in lately[:TOLD]]
    if len(lately) > TOLD:
        lines.append(tr("And {count} more in the list below.", count=len(lately) - TOLD))
    return "\n".join(lines)


def price_words(prices: Sequence[LastPrice], most: int = 3) -> str:
    """Empty when nothing is known."""
    told = ", ".join(f"{price.service} {words.money(price.total)}" for price in prices[:most])
    return tr("Price last paid, with GST: {told}", told=told) if told else ""


class OrderedLately(QWidget):
    """The bar and the line above «New search». Hidden while there is nothing to say."""

    def __init__(self, clock: Callable[[], datetime], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._clock = clock
        self.bar = MessageBar()
        self.prices = Muted()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.GAP)
        column.addWidget(self.bar)
        column.addWidget(self.prices)
        self.hide()

    def show_advice(self, advice: BeforeOrder | None) -> None:
        text = lately_words(advice.lately, self._clock()) if advice is not None else ""
        prices = price_words(advice.prices) if advice is not None else ""
        if text:
            self.bar.say(text, Tone.CALM, keep=True)
        else:
            self.bar.clear()
        self.prices.setText(prices)
        self.prices.setVisible(bool(prices))
        self.setVisible(bool(text or prices))


class ClosedMatterDialog(QDialog):
    """Asks before a search is ordered for a closed matter, and offers the same client's open ones.

    Signals:
        decided(Matter): order for this one: the closed one all the same, or the one that was chosen instead.
    """

    decided = Signal(object)

    def __init__(self, matter: Matter, others: Sequence[Matter], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        system = words.system_title(matter.system)
        self.setWindowTitle(tr("iConnect - The matter is closed"))
        self.setWindowIcon(app_icon())
        self._matter = matter
        self.model: RowModel[MatterHit] = RowModel(matter_row, lambda hit: (hit.matter.system, hit.matter.id), self)
        self.list = RowList(tr("Open matters of the same client"))
        self.list.setModel(self.model)
        self.model.show_values([MatterHit(other, 1.0) for other in others])
        state = f" ({matter.state})" if matter.state else ""
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.MARGIN, theme.MARGIN, theme.MARGIN, theme.MARGIN)
        column.setSpacing(12)
        column.addWidget(Heading(tr("{number} is closed{state}", number=matter.number, state=state), level=2))
        column.addWidget(
            Muted(
                tr(
                    "A search can be ordered for it, but {system} may refuse its cost, which then waits "
                    "until somebody moves it to another matter.",
                    system=system,
                )
            )
        )
        self.buttons = QDialogButtonBox()
        self.cancel_button = self.buttons.addButton(QDialogButtonBox.StandardButton.Cancel)
        self.anyway_button = QPushButton(tr("Order for {number} all the same", number=matter.number))
        self.instead_button = QPushButton()
        self.buttons.addButton(self.anyway_button, QDialogButtonBox.ButtonRole.ActionRole)
        if others:
            column.addWidget(Muted(tr("The same client's open matters:")))
            column.addWidget(self.list, 1)
            self.list.selectionModel().currentChanged.connect(lambda *_: self._name_the_other())
            self.list.go_to(0)
            self._name_the_other()
            self.list.doubleClicked.connect(lambda *_: self._instead())
            self.buttons.addButton(self.instead_button, QDialogButtonBox.ButtonRole.ActionRole)
            self.instead_button.clicked.connect(self._instead)
            open_at(self, 560, 380)
        else:
            self.list.hide()
            self.instead_button.hide()
            column.addStretch(1)
            open_at(self, 560, 170)
        column.addWidget(self.buttons)
        self.anyway_button.clicked.connect(lambda: self._decide(self._matter))
        self.buttons.rejected.connect(self.reject)
        for button in (self.anyway_button, self.instead_button):
            button.setAutoDefault(False)
        # Enter, pressed twice by habit, must not order for a closed matter.
        self.cancel_button.setDefault(True)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

    def _name_the_other(self) -> None:
        hit = self.model.value(self.list.current_row())
        if hit is not None:
            self.instead_button.setText(tr("Order for {number} instead", number=hit.matter.number or hit.matter.name))

    def _instead(self) -> None:
        hit = self.model.value(self.list.current_row())
        if hit is not None:
            self._decide(hit.matter)

    def _decide(self, matter: Matter) -> None:
        self.accept()
        self.decided.emit(matter)
