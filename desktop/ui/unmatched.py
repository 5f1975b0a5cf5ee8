"""Results that no matter claims: the suggestions with the reason for each, and one press to assign."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout

from desktop.services.desk import ActionFailed, Desk
from desktop.services.ledger.model import OrderView, Suggestion
from desktop.services.practice.model import Matter
from desktop.ui import words
from desktop.ui.language import tr
from desktop.ui.widgets import Card, Heading, Muted, Text


class SuggestionCard(Card):
    """Where an order may belong, likeliest first.

    Signals:
        move_to(OrderView, Suggestion): the person chose this one."""

    move_to = Signal(object, object)

    def __init__(self, order: OrderView) -> None:
        super().__init__()
        self.body.addWidget(Heading(tr("It may belong to"), level=2))
        for number, suggestion in enumerate(order.suggestions):
            row = QHBoxLayout()
            text = QVBoxLayout()
            text.setSpacing(2)
            text.addWidget(Text(words.matter_line(suggestion.matter_number, suggestion.matter_name, suggestion.client)))
            text.addWidget(Muted(suggestion.reason))
            row.addLayout(text, 1)
            button = QPushButton(tr("Move here"))
            button.setObjectName(f"suggestion {number}")
            button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
            button.setAccessibleDescription(
                tr(
                    "Move order {order_id} to matter {number}: {reason}",
                    order_id=order.order_id,
                    number=suggestion.matter_number,
                    reason=suggestion.reason,
                )
            )
            button.clicked.connect(self._chosen(order, suggestion))
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
            self.body.addLayout(row)

    def _chosen(self, order: OrderView, suggestion: Suggestion) -> Callable[[], None]:
        return lambda: self.move_to.emit(order, suggestion)


def suggested_matter(desk: Desk, suggestion: Suggestion) -> Matter:
    """The suggested matter as the local copy has it: a suggestion does not say which organisation keeps the matter, and what
    goes to no organisation would wait for ever. Raises ActionFailed."""
    return known_matter(desk, suggestion.system, suggestion.matter_id, suggestion.matter_number)


def known_matter(desk: Desk, system: str, matter_id: str, number: str) -> Matter:
    """A matter as the local copy has it. Raises ActionFailed."""
    for hit in desk.find_matters(number):
        if (hit.matter.system, hit.matter.id) == (system, matter_id):
            return hit.matter
    raise ActionFailed(tr("{number} is not in the local copy any more. Choose a matter from the list.", number=number))
