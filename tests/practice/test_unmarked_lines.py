"""When the systems with the shared XML are believed to keep our note, over real sockets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from xml.sax.saxutils import escape

import pytest

from desktop.services.errors import AnswerLost
from desktop.services.practice.model import CostLine
from desktop.services.practice.practice_system import MatterRef
from desktop.services.practice.xml_practice import XmlPractice
from tests.practice.workflowmax_server import Desk
from tests.practice.xpm_server import Asked, Said, ok

REF = MatterRef("u-1", "J000412")
LINE = CostLine(
    key="IT-900123-R-1",
    matter_number="J000412",
    matter_id="u-1",
    on=date(2026, 5, 14),
    description="Title search & more",
    code="SEARCH",
    note="order 900123 IT-900123-R-1",
    unit_cost=Decimal("14.20"),
    unit_price=Decimal("18.50"),
    billable=True,
)


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.close()


@pytest.fixture(params=["WorkflowMax v1", "Practice Manager"])
def practice(desk: Desk, request: pytest.FixtureRequest) -> XmlPractice:
    return desk.v1 if request.param == "WorkflowMax v1" else desk.xpm


def in_the_books(desk: Desk, *notes: str, answer: Said | None = None) -> None:
    """Lines equal to LINE but for their notes; `answer` is what a post is told."""
    lines = "".join(
        f"<Cost><UUID>e-{n}</UUID><Date>2026-05-14T00:00:00</Date><Description>{escape(LINE.description)}</Description>"
        f"<Code>SEARCH</Code><Note>{note}</Note><Quantity>1</Quantity><UnitCost>14.2</UnitCost><UnitPrice>18.50</UnitPrice>"
        "<Billable>true</Billable></Cost>"
        for n, note in enumerate(notes)
    )

    def answered(asked: Asked) -> Said:
        return (answer or ok()) if asked.method == "POST" else ok(f"<Costs>{lines}</Costs>")

    desk.answer = answered


def test_a_line_that_lost_its_note_is_told_with_all_by_which_it_could_be_recognised(desk: Desk, practice: XmlPractice) -> None:
    """D8: no key, but day, description and amount as they were sent."""
    in_the_books(desk, "")
    practice.post_cost(LINE)
    (line,) = practice.costs(REF)
    assert (line.keys, line.on, line.description) == ((), LINE.on, LINE.description)
    assert line.quantity * line.unit_cost == LINE.unit_cost
    assert not practice.capabilities.keeps_marks


def test_notes_are_believed_to_stay_once_a_posted_one_was_read_back(desk: Desk, practice: XmlPractice) -> None:
    believed = [practice.capabilities.keeps_marks]
    in_the_books(desk, LINE.note)
    practice.post_cost(LINE)
    believed.append(practice.capabilities.keeps_marks)
    practice.costs(REF)
    believed.append(practice.capabilities.keeps_marks)
    in_the_books(desk, "")
    practice.costs(REF)
    believed.append(practice.capabilities.keeps_marks)
    assert believed == [False, False, True, True]


@pytest.mark.parametrize("note", ["typed by Sam", LINE.key, f"typed by Sam {LINE.key}", LINE.note])
def test_a_note_that_a_person_put_there_proves_nothing(desk: Desk, practice: XmlPractice, note: str) -> None:
    """D6, D8: who is asked about an unmarked line puts the key there by hand; the system has kept nothing by that."""
    in_the_books(desk, "", answer=Said(500, ""))
    with pytest.raises(AnswerLost):
        practice.post_cost(LINE)
    practice.costs(REF)
    in_the_books(desk, note)
    practice.costs(REF)
    assert not practice.capabilities.keeps_marks
    in_the_books(desk, "")
    practice.post_cost(LINE)
    practice.costs(REF)
    in_the_books(desk, note)
    practice.costs(REF)
    assert not practice.capabilities.keeps_marks


def test_a_read_that_fails_and_one_of_another_job_leave_the_question_open(desk: Desk, practice: XmlPractice) -> None:
    in_the_books(desk, LINE.note)
    practice.post_cost(LINE)
    practice.costs(MatterRef("u-2", "J000413"))
    believed = [practice.capabilities.keeps_marks]
    desk.says(Said(500, ""))
    with pytest.raises(AnswerLost):
        practice.costs(REF)
    in_the_books(desk, LINE.note)
    practice.costs(REF)
    believed.append(practice.capabilities.keeps_marks)
    assert believed == [False, True]
