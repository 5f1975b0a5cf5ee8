"""An order's path as four steps (ordered, result, document, cost): each with its state by shape, word and colour, and its time.

The steps are worked out by pure functions; a painter draws them in a list's row, and a widget in the order's own page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from functools import lru_cache

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.services.ledger.model import Delivery, DeliveryKind, DeliveryState, OrderView
from desktop.ui import theme, words
from desktop.ui.language import tr
from desktop.ui.marks import Mark, mark_picture, paint_mark
from desktop.ui.widgets import small_font
from desktop.ui.words import Tone


@dataclass(frozen=True, slots=True)
class PathStep:
    """One step. `word` says where it stands, empty where the name says it all; `at` is when it came to stand there. `state`: of
    the delivery that stands for it, None without one."""

    name: str
    word: str
    mark: Mark
    tone: Tone
    at: datetime | None = None
    state: DeliveryState | None = None

    def tip(self, now: datetime) -> str:
        """As `text`, with the meaning of the state's word."""
        told = self.text(now)
        return f"{told}. {words.state_meaning(self.state)}" if self.state is not None else told

    def text(self, now: datetime) -> str:
        """As a person reads it: `Cost held 15:18`."""
        if self.mark is Mark.NOT_YET:
            return _NOT_YET[self.name]
        return " ".join(part for part in (self.name, self.word, short_time(self.at, now)) if part)


ORDERED, RESULT, DOCUMENT, COST = tr("Ordered"), tr("Result"), tr("Document"), tr("Cost")
_NOT_YET = {RESULT: tr("No result yet"), DOCUMENT: tr("No document yet"), COST: tr("No cost yet")}

_MARKS = {
    DeliveryState.HELD: Mark.PERSON,
    DeliveryState.QUEUED: Mark.MOVING,
    DeliveryState.SENDING: Mark.MOVING,
    DeliveryState.UNKNOWN: Mark.DOUBT,
    DeliveryState.ACCEPTED: Mark.MOVING,
    DeliveryState.CONFIRMED: Mark.DONE,
    DeliveryState.REJECTED: Mark.FAILED,
    DeliveryState.CANCELLED: Mark.OFF,
}


def short_time(at: datetime | None, now: datetime) -> str:
    """The shortest words that tell when: the clock today, a day of this year, else month and year."""
    if at is None:
        return ""
    own = words.local(at, now)
    if own.date() == now.date():
        return f"{own:%H:%M}"
    return f"{own.day} {words.month(own)}" if own.year == now.year else f"{words.month(own)} {own:%Y}"


def path_of(order: OrderView) -> tuple[PathStep, ...]:
    """Ordered, result, document, cost."""
    result = min((delivery.created_at for delivery in order.deliveries), default=None)
    return (
        PathStep(ORDERED, "", Mark.DONE, Tone.GOOD, order.ordered_at or order.first_seen_at),
        PathStep(RESULT, "", Mark.DONE, Tone.GOOD, result) if result is not None else _none(RESULT),
        _step(DOCUMENT, [one for one in order.deliveries if one.kind is DeliveryKind.DOCUMENT]),
        _step(COST, [one for one in order.deliveries if one.kind is DeliveryKind.COST]),
    )


def _none(name: str) -> PathStep:
    return PathStep(name, tr("none yet"), Mark.NOT_YET, Tone.QUIET)


def _step(name: str, deliveries: Sequence[Delivery]) -> PathStep:
    """Of several, the one that a person should look at first stands for all."""
    for state in words.FIRST:
        found = [one for one in deliveries if one.state is state]
        if found:
            latest = max(one.updated_at for one in found)
            return PathStep(name, words.state_word(state), _MARKS[state], words.tone_of(state), latest, state)
    return _none(name)


def path_text(order: OrderView, now: datetime) -> str:
    """The whole path in words, for assistive technology and the clipboard."""
    return ", ".join(step.text(now) for step in path_of(order))


def paint_path(
    painter: QPainter, area: QRect, steps: Sequence[PathStep], now: datetime, palette: QPalette, ink: QColor | None = None
) -> None:
    """The steps side by side, joined by a line, with the painter's font. Where there is no room for the times, they go;
    where there is little, shapes say what is done and words what is not. `ink`: all in this colour, as on a chosen row."""
    colours = theme.colours(palette)
    metrics = painter.fontMetrics()
    mark = min(area.height(), metrics.height())
    gap, space = 12, 4
    room = area.width() - len(steps) * (mark + space) - (len(steps) - 1) * gap
    texts = _fitted(tuple(steps), _day(now), painter.font().toString(), metrics.height(), room)
    scale = painter.device().devicePixelRatio()
    x = area.left()
    top = area.top() + (area.height() - mark) // 2
    line = QPen(QColor(colours.line) if ink is None else ink, 1)
    ground = QColor(colours.card) if ink is None else palette.color(QPalette.ColorRole.Highlight)
    for number, (step, (text, width)) in enumerate(zip(steps, texts, strict=True)):
        if number:
            painter.setPen(line)
            painter.drawLine(x + 2, area.center().y(), x + gap - 3, area.center().y())
            x += gap
        tone = QColor(colours.tone(step.tone).ink) if ink is None else ink
        painter.drawPixmap(x, top, mark_picture(step.mark, mark, tone.rgba(), ground.rgba(), scale, painter.font().family()))
        x += mark + space
        quiet = step.mark in (Mark.DONE, Mark.NOT_YET, Mark.OFF)
        painter.setPen(ink if ink is not None else QColor(colours.muted) if quiet else tone)
        painter.drawText(QRect(x, area.top(), width + 2, area.height()), Qt.AlignmentFlag.AlignVCenter, text)
        x += width


def _day(now: datetime) -> datetime:
    """The words of a row depend on the day alone."""
    return datetime.combine(now.date(), time(), now.tzinfo)


@lru_cache(maxsize=1024)
def _fitted(steps: tuple[PathStep, ...], day: datetime, font: str, height: int, room: int) -> tuple[tuple[str, int], ...]:
    """The steps' words with their widths. `height` is the font's on the screen as it is scaled now."""
    own = QFont()
    own.fromString(font)
    metrics = QFontMetrics(own)
    return tuple((text, metrics.horizontalAdvance(text)) for text in _fitting(steps, day, metrics, room))


def _fitting(steps: Sequence[PathStep], now: datetime, metrics: QFontMetrics, room: int) -> list[str]:
    """What is done says its name and time; what is not says its state first of all."""
    whole = [_row_words(step, now, time=True) for step in steps]
    ends = [_row_words(step, now, time=step.name != RESULT) for step in steps]
    loud = [_row_words(step, now, time=step.mark not in (Mark.DONE, Mark.NOT_YET)) for step in steps]
    plain = [_row_words(step, now, time=False) for step in steps]
    for texts in (whole, ends, loud, plain):
        if sum(metrics.horizontalAdvance(text) for text in texts) <= room:
            return texts
    # Shapes say what is done; words what is not.
    open_ones = ["" if step.mark in (Mark.DONE, Mark.NOT_YET) else text for step, text in zip(steps, plain, strict=True)]
    return open_ones if sum(metrics.horizontalAdvance(text) for text in open_ones) <= room else [""] * len(steps)


def _row_words(step: PathStep, now: datetime, *, time: bool) -> str:
    if time or step.mark is Mark.NOT_YET:
        return step.text(now)
    return " ".join(part for part in (step.name, step.word) if part)


_PLAIN_WORDS = {ORDERED: tr("placed"), RESULT: tr("received")}


class PathStrip(QWidget):
    """An order's path across the page: each step's shape with its name, state and time below."""

    def __init__(self, order: OrderView, now: datetime, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._steps = path_of(order)
        self._now = now
        self.setFont(small_font(self.font()))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(tr("Path: {path}", path=path_text(order, now)))
        self.setToolTip("\n".join(step.tip(now) for step in self._steps))

    def sizeHint(self) -> QSize:
        return QSize(260, 3 * self.fontMetrics().height() + 30)

    def minimumSizeHint(self) -> QSize:
        return QSize(180, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours = theme.colours(self.palette())
        metrics = self.fontMetrics()
        column, mark = self.width() / len(self._steps), 18
        right_to_left = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
        for number, step in enumerate(self._steps):
            place = len(self._steps) - 1 - number if right_to_left else number
            middle = column * (place + 0.5)
            if number:
                painter.setPen(QPen(QColor(colours.line), 2))
                before = middle + column if right_to_left else middle - column
                first, last = sorted((before, middle))
                painter.drawLine(QPointF(first + mark / 2 + 5, mark / 2 + 4), QPointF(last - mark / 2 - 5, mark / 2 + 4))
            tone = QColor(colours.tone(step.tone).ink)
            paint_mark(
                painter, QRectF(middle - mark / 2, 4, mark, mark), step.mark, tone, self.palette().color(self.backgroundRole())
            )
            top = mark + 8
            for text, ink, bold in (
                (step.name, self.palette().color(QPalette.ColorRole.WindowText), True),
                (step.word or _PLAIN_WORDS.get(step.name, ""), tone, False),
                (words.when(step.at, self._now) if column > 116 else short_time(step.at, self._now), QColor(colours.muted), False),
            ):
                font = QFont(self.font())
                font.setBold(bold)
                painter.setFont(font)
                painter.setPen(ink)
                shown = QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideRight, int(column) - 4)
                area = QRectF(middle - column / 2 + 2, top, column - 4, metrics.height() + 2)
                painter.drawText(area, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignVCenter, shown)
                top += metrics.height() + 1
