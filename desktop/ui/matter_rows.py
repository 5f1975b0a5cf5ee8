"""A found matter as a row, with the letters that answer to what was typed underlined."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStyleOptionViewItem, QWidget

from desktop.services.desk import MatterHit
from desktop.services.practice.matter_marks import Mark, marks
from desktop.ui import words
from desktop.ui.language import tr
from desktop.ui.rows import VALUE_ROLE, AnyIndex, Row, TwoLineDelegate

Span = tuple[int, int]

GAP = "  "
"""Between number and name."""


def matter_row(hit: MatterHit, *, many_systems: bool = False) -> Row:
    matter = hit.matter
    told = tuple(mark for mark, wanted in ((tr("recent"), hit.recent), (tr("mine"), hit.mine)) if wanted)
    tail = [matter.client]
    if many_systems:
        tail.append(words.system_title(matter.system))
    return Row(
        title=f"{matter.number}{GAP}{matter.name}",
        subtitle=" · ".join(part for part in tail if part),
        pill=tr("closed") if matter.is_open is False else "",
        tone=words.Tone.WARN,
        marks=told,
        spoken=", ".join(part for part in (words.matter_text(matter), words.system_title(matter.system) * many_systems) if part),
        dim=matter.is_open is False,
    )


def spans(number: str, found: Sequence[Mark]) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """The marked letters of a row's first and second line."""
    name_at = len(number) + len(GAP)
    begins = {"number": 0, "name": name_at}
    first = [(begins[mark.field] + mark.start, begins[mark.field] + mark.end) for mark in found if mark.field in begins]
    return tuple(sorted(first)), tuple((mark.start, mark.end) for mark in found if mark.field == "client")


class MatterDelegate(TwoLineDelegate):
    """`typed` gives the text whose answer the list shows. An underline, unlike a colour, is seen by everybody."""

    THICK = 2

    def __init__(self, typed: Callable[[], str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._typed = typed
        self._lines: list[tuple[Span, ...]] = []

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        hit = index.data(VALUE_ROLE)
        text = self._typed()
        self._lines = []
        if text and isinstance(hit, MatterHit):
            self._lines = list(spans(hit.matter.number, marks(text, hit.matter)))
        super().paint(painter, option, index)

    def _elided(self, painter: QPainter, rect: QRect, text: str) -> None:  # type: ignore[override]
        """The base draws the first line, then the second one."""
        super()._elided(painter, rect, text)
        marked = self._lines.pop(0) if self._lines else ()
        if not marked:
            return
        metrics = painter.fontMetrics()
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
        whole = len(text) if shown == text else len(shown) - 1
        bottom = rect.top() + (rect.height() + metrics.ascent() - metrics.descent()) // 2 + 2
        for start, end in marked:
            last = min(end, whole)
            if start < last:
                left = rect.left() + metrics.horizontalAdvance(text[:start])
                width = metrics.horizontalAdvance(text[start:last])
                painter.fillRect(left, bottom, width, self.THICK, painter.pen().color())
