"""An order's path: four steps, each with a state by shape and word."""

from __future__ import annotations

from datetime import timedelta, timezone

import pytest
from PySide6.QtCore import QRect
from PySide6.QtGui import QFontMetrics, QImage, QPainter
from PySide6.QtWidgets import QApplication

from desktop.services.ledger.model import DeliveryState
from desktop.ui.marks import Mark
from desktop.ui.order_steps import _fitting, paint_path, path_of, path_text
from tests.ui.fake_desk import NOW, delivery, order

S = DeliveryState
HERE = NOW.astimezone(timezone(timedelta(hours=11)))


def test_a_path_is_ordered_result_document_and_cost_with_their_times() -> None:
    one = order("7", delivery("7", "T", S.HELD), delivery("7", "D", S.CONFIRMED))
    assert path_text(one, HERE) == "Ordered 13:30, Result 13:30, Document confirmed 15:18, Cost held 15:18"


def test_what_has_not_come_is_said_and_not_left_out() -> None:
    assert path_text(order("7"), HERE) == "Ordered 13:30, No result yet, No document yet, No cost yet"


@pytest.mark.parametrize("state", list(DeliveryState))
def test_only_what_was_read_back_has_the_tick(state: DeliveryState) -> None:
    """D16: in the drawn path, too."""
    cost = path_of(order("7", delivery("7", "T", state)))[3]
    assert (cost.mark is Mark.DONE) == (state is S.CONFIRMED)
    assert cost.word == str(state)


def test_shapes_differ_wherever_a_person_should_do_something() -> None:
    """A state is told by its shape, too: held, rejected, unknown and confirmed never look alike without colour."""
    marks = [path_of(order("7", delivery("7", "T", state)))[3].mark for state in (S.HELD, S.REJECTED, S.UNKNOWN, S.CONFIRMED)]
    assert len(set(marks)) == 4


def test_of_several_costs_the_one_that_needs_a_person_stands_for_all() -> None:
    one = order("7", delivery("7", "R", S.CONFIRMED), delivery("7", "S", S.REJECTED))
    assert path_of(one)[3].word == "rejected"


@pytest.mark.parametrize("room", [900, 420, 300, 160, 0])
def test_with_less_room_what_is_not_done_keeps_its_word_longest(qapp: QApplication, room: int) -> None:
    steps = path_of(order("7", delivery("7", "T", S.HELD), delivery("7", "D", S.CONFIRMED)))
    metrics = QFontMetrics(qapp.font())
    texts = _fitting(steps, HERE, metrics, room)
    assert sum(metrics.horizontalAdvance(text) for text in texts) <= room
    assert any("held" in text for text in texts) or room < 100


def test_every_shape_can_be_painted_at_any_width(qapp: QApplication) -> None:
    picture = QImage(600, 20, QImage.Format.Format_RGB32)
    for state in DeliveryState:
        for width in (10, 200, 600):
            picture.fill(0xFFFFFF)
            painter = QPainter(picture)
            steps = path_of(order("7", delivery("7", "T", state)))
            paint_path(painter, QRect(0, 0, width, 20), steps, HERE, qapp.palette())
            painter.end()
            assert any(picture.pixel(x, y) & 0xFFFFFF != 0xFFFFFF for x in range(14) for y in range(20))
