"""An order as a row of a list: alike in a matter's history and in Orders and postings."""

from __future__ import annotations

from desktop.services.ledger.model import OrderView
from desktop.ui import words
from desktop.ui.language import tr
from desktop.ui.rows import Row
from desktop.ui.window import Clock


def order_row(order: OrderView, clock: Clock, *, show_matter: bool = True) -> Row:
    """An order as a row: what was searched, what it costs, when, and the one word for where it stands."""
    title = " – ".join(part for part in (order.service or tr("Order {order_id}", order_id=order.order_id), order.reference) if part)
    facts = [order.order_id, words.when(order.ordered_at or order.first_seen_at, clock())]
    if show_matter:
        facts.insert(0, tr("Matter {number}", number=order.matter_number) if order.matter_number else tr("No matter"))
    return Row(
        title=title,
        subtitle=" · ".join(facts),
        right=words.money(order.total),
        pill=words.order_word(order),
        tone=words.tone_of(words.order_state(order)),
        spoken=words.order_text(order),
    )
