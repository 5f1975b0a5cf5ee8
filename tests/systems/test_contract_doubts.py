"""What one vendor's facts leave open, through the real delivery: notes that are dropped, yeses that come to nothing, credits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from desktop.services.errors import LeftUnmarked
from desktop.services.ledger.model import DeliveryState
from tests.delivery.stand_in import fee, order
from tests.systems.contract_rig import CASES, HOURS, QUIET, Books, Case, Firms, Pc

NewPc = Callable[..., Pc]
V2 = next(case for case in CASES if case.name == "workflowmax-v2")
SMOKEBALL = next(case for case in CASES if case.name == "smokeball")
POST, PUT = V2.writes[0].where, "workflowmax PUT v2/jobs/costs/*"


@pytest.fixture
def pc_of(firms: Firms, tmp_path: Path) -> Iterator[Callable[[Case], Pc]]:
    made: list[Pc] = []

    def make(case: Case) -> Pc:
        made.append(Pc(firms, case, tmp_path, [firms.matter(case)]))
        return made[-1]

    yield make
    for pc in made:
        pc.ledger.close()


def place(pc: Pc, firms: Firms, net: str = "20.00", *, order_id: str = "", sequence: int | None = None) -> str:
    order_id = order_id or str(next(firms.orders))
    pc.receive(order(order_id, number=pc.matters[0].number, reference=pc.ours(), supplier=fee(net), sequence=sequence))
    return order_id


def notes(books: Books) -> list[str]:
    return sorted(str(row["note"]) for row in books.costs())


@pytest.mark.parametrize("killed", [False, True], ids=["running", "started anew"])
def test_a_line_without_its_note_whose_answer_was_lost_is_not_posted_again(
    pc_of: Callable[[Case], Pc], firms: Firms, killed: bool
) -> None:
    """D6, D8: it may be ours, and likeness confirms nothing; so a person is asked, who may put the key there."""
    firms.switch(workflowmax_keeps_note=False)
    pc, books = pc_of(V2), Books(firms, V2)
    firms.fault("drop_after", POST, count=1)
    order_id = place(pc, firms)
    key = f"IT-{order_id}-T-1"
    pc.deliver()
    if killed:
        pc.restart()
    pc.deliver_for(HOURS)
    (line,) = books.costs()
    assert line["note"] == ""
    assert pc.rows()[key].state is DeliveryState.HELD
    assert key in pc.waiting()
    assert f"put {key} into that line's note" in pc.waiting()[key]

    assert firms.firm(V2).change_cost(str(line["uuid"]), {"note": key}) is not None
    pc.ledger.retry(key)
    pc.deliver_for(HOURS)
    assert pc.states() == {key: "confirmed"}
    assert notes(books) == [key]


def test_a_person_who_says_that_the_line_without_a_note_is_another_has_it_sent_again(
    pc_of: Callable[[Case], Pc], firms: Firms
) -> None:
    firms.switch(workflowmax_keeps_note=False)
    pc, books = pc_of(V2), Books(firms, V2)
    firms.fault("drop_after", POST, count=1)
    key = f"IT-{place(pc, firms)}-T-1"
    pc.deliver_for(HOURS)
    assert pc.states() == {key: "held"}
    pc.ledger.retry(key)
    pc.deliver_for(HOURS)
    assert pc.states() == {key: "confirmed"}
    assert dict(books.keys()) == {key: 1}
    assert len(books.costs()) == 2


def test_a_line_of_another_amount_or_a_line_that_was_never_sent_is_no_likeness(pc_of: Callable[[Case], Pc], firms: Firms) -> None:
    """D8: equal lines that people typed hold nobody's first send."""
    pc, books = pc_of(V2), Books(firms, V2)
    firms.switch(workflowmax_keeps_note=False)
    first = place(pc, firms)
    pc.deliver_for(HOURS)
    (line,) = books.costs()
    firms.firm(V2).change_cost(str(line["uuid"]), {"note": "typed by Sam"})
    firms.switch(workflowmax_keeps_note=True)
    pc.restart()
    second, third = place(pc, firms), place(pc, firms, "21.00")
    firms.fault("drop_before", POST, skip=1, count=1)
    pc.deliver_for(HOURS)
    states = pc.states()
    assert {states[f"IT-{one}-T-1"] for one in (first, second, third)} == {"confirmed"}
    assert dict(books.keys()) == {f"IT-{second}-T-1": 1, f"IT-{third}-T-1": 1}


def test_once_a_note_was_seen_to_stay_an_equal_line_of_somebody_elses_holds_nothing(
    pc_of: Callable[[Case], Pc], firms: Firms
) -> None:
    pc, books = pc_of(V2), Books(firms, V2)
    first = place(pc, firms)
    pc.deliver_for(HOURS)
    assert pc.practice.capabilities.keeps_marks
    (line,) = books.costs()
    firms.firm(V2).change_cost(str(line["uuid"]), {"note": "typed by Sam"})
    second = place(pc, firms)
    firms.fault("drop_before", POST, count=1)
    pc.deliver_for(HOURS)
    assert pc.states()[f"IT-{first}-T-1"] == "confirmed"
    assert pc.states()[f"IT-{second}-T-1"] == "confirmed"


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "html_503", "half_answer"])
def test_a_note_that_has_to_be_added_is_added_whatever_happens_once(pc_of: Callable[[Case], Pc], firms: Firms, fault: str) -> None:
    firms.switch(workflowmax_keeps_note=False)
    pc, books = pc_of(V2), Books(firms, V2)
    firms.fault(fault, PUT, count=1)
    key = f"IT-{place(pc, firms)}-T-1"
    pc.deliver_for(HOURS)
    assert pc.states() == {key: "confirmed"}
    assert dict(books.keys()) == {key: 1}
    assert len(books.costs()) == 1


def test_a_note_that_can_not_be_added_to_a_credit_says_nothing_about_credits(pc_of: Callable[[Case], Pc], firms: Firms) -> None:
    """The credit stands; what failed is its note. The next credit is tried as any other."""
    firms.switch(workflowmax_keeps_note=False)
    pc, books = pc_of(V2), Books(firms, V2)
    first, second = (place(pc, firms, sequence=1) for _ in range(2))
    pc.deliver_for(HOURS)
    firms.fault("status", PUT, status=400, body='{"message": "The amount is below zero."}', content_type="application/json")
    place(pc, firms, "12.00", order_id=first, sequence=2)
    pc.deliver_for(HOURS)
    told = pc.rows()[f"IT-{first}-T-2"]
    assert told.state is DeliveryState.REJECTED
    assert f"put IT-{first}-T-2 into the note" in told.reason
    firms.world.faults.remove()
    place(pc, firms, "12.00", order_id=second, sequence=2)
    pc.deliver_for(HOURS)
    assert pc.states()[f"IT-{second}-T-2"] == "confirmed"
    assert sum(float(row["unit_cost"]) for row in books.costs()) == 24.0


def test_the_error_of_a_line_without_its_mark_is_a_refusal_of_its_own() -> None:
    assert LeftUnmarked("It stands there.").reason == "It stands there."


# Smokeball's yes that only says that it will be done


@pytest.mark.parametrize("appears", [0.0, 60.0, float(QUIET + 60)])
@pytest.mark.parametrize("fault", ["drop_after", "late_effect"])
def test_an_effect_that_shows_late_is_never_sent_again(
    pc_of: Callable[[Case], Pc], firms: Firms, appears: float, fault: str
) -> None:
    """D6: the answer is lost, and what was taken shows only some time after the quiet time for its request."""
    firms.switch(smokeball_async_seconds=appears)
    pc, books = pc_of(SMOKEBALL), Books(firms, SMOKEBALL)
    firms.fault(fault, SMOKEBALL.writes[0].where, count=1, seconds=90)
    key = f"IT-{place(pc, firms)}-T-1"
    pc.deliver_for(HOURS)
    assert pc.states() == {key: "confirmed"}
    assert dict(books.keys()) == {key: 1}


@pytest.mark.parametrize("appears", [1.5, 170.0, 1200.0])
def test_what_was_accepted_is_confirmed_when_it_shows_however_late(
    pc_of: Callable[[Case], Pc], firms: Firms, appears: float
) -> None:
    """D16: never before; a person who was told meanwhile need not do anything."""
    firms.switch(smokeball_async_seconds=appears)
    pc, books = pc_of(SMOKEBALL), Books(firms, SMOKEBALL)
    key = f"IT-{place(pc, firms)}-T-1"
    pc.deliver()
    assert pc.states() == {key: "accepted"}
    pc.deliver_for(HOURS)
    assert pc.states() == {key: "confirmed"}
    assert not pc.waiting()
    assert dict(books.keys()) == {key: 1}


def test_what_was_accepted_and_never_shows_ends_with_a_person(pc_of: Callable[[Case], Pc], firms: Firms) -> None:
    """D6, D11: within twice the quiet time and a second look; never sent again by itself, and not for ever without a word."""
    pc, books = pc_of(SMOKEBALL), Books(firms, SMOKEBALL)
    firms.fault("late_failure", SMOKEBALL.writes[0].where, count=1)
    key = f"IT-{place(pc, firms)}-T-1"
    pc.deliver_for(2 * QUIET + 120)
    assert "said yes" in pc.waiting()[key]
    pc.deliver_for(48 * 3600)
    assert not books.keys()
    assert key in pc.waiting()
    pc.ledger.retry(key)
    pc.deliver_for(HOURS)
    assert pc.states() == {key: "confirmed"}
    assert dict(books.keys()) == {key: 1}


def test_a_page_in_place_of_the_file_store_is_no_yes(pc_of: Callable[[Case], Pc], firms: Firms) -> None:
    """D3: a captive portal's 200 to the contents."""
    pc, books = pc_of(SMOKEBALL), Books(firms, SMOKEBALL)
    firms.fault("html_200", "smokeball_files PUT*", count=1)
    order_id = str(next(firms.orders))
    pc.receive(order(order_id, number=pc.matters[0].number, reference=pc.ours(), hash="h1"))
    pc.deliver()
    assert pc.states() == {f"IT-{order_id}-D-1": "unknown"}
    pc.deliver_for(HOURS)
    assert pc.states() == {f"IT-{order_id}-D-1": "confirmed"}
    assert dict(books.keys()) == {f"IT-{order_id}-D-1": 1}
