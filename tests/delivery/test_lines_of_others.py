"""Lines that two PCs made under one key, with another tax or amount: what the books hold in the end is what counts."""

from __future__ import annotations

from decimal import Decimal

from desktop.services.errors import AnswerLost, Refused
from desktop.services.practice.model import CostLine
from tests.delivery.stand_in import START, Office, fee, order

D = Decimal
T1, T2, T3 = "IT-71000123-T-1", "IT-71000123-T-2", "IT-71000123-T-3"


def another_pc_posts(office: Office, key: str, cost: str, code: str) -> None:
    office.books.add_cost(CostLine(key, "J001", "id-J001", START.date(), "x", code, key, D(cost), D(cost), True))


def by_code(office: Office) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for line in office.books.costs["id-J001"]:
        found[line.code] = found.get(line.code, D(0)) + line.unit_cost
    return {code: amount for code, amount in found.items() if amount}


def test_a_line_that_was_refused_here_and_posted_by_another_pc_counts_under_that_ones_code(office: Office) -> None:
    """D4: the refused key stands in the books with GST, by a later message; only the code tells, for the amount is the same."""
    office.practice.fault = lambda call, what: Refused("The job is closed.") if call == "post_cost" else None
    office.receive(order(total=fee("17.19"), sequence=1))
    office.deliver()
    assert office.states() == {T1: "rejected"}
    office.practice.fault = lambda call, what: None
    another_pc_posts(office, T1, "17.19", "GST")
    office.receive(order(total=fee("17.19", "1.72"), sequence=2))
    office.deliver_until(60)
    assert by_code(office) == {"GST": D("17.19")}
    assert office.states() == {T1: "confirmed", T2: "cancelled"}


def test_a_line_of_another_amount_under_a_key_in_doubt_is_the_other_pcs_with_its_code(office: Office) -> None:
    """D4: ours got lost, and another PC used the number for something else."""
    office.receive(order(total=fee("40.00"), sequence=1))
    office.practice.fault = lambda call, what: AnswerLost("The line broke.") if call == "post_cost" else None
    office.deliver()
    assert office.states() == {T1: "unknown"}
    office.practice.fault = lambda call, what: None
    another_pc_posts(office, T1, "147.95", "GST")
    office.receive(order(total=fee("134.50", "13.45"), sequence=2))
    office.change_settings(amounts="inc_gst")
    office.deliver_until(400)
    assert {code: amount for code, amount in by_code(office).items() if code == "FREE"} == {}


def test_of_a_double_the_line_that_a_person_leaves_is_the_one_that_counts(office: Office) -> None:
    """D4, D17: two PCs sent one key in the same moment, each by another message; the other's line is left standing."""
    office.receive(order(total=fee("60.00", "6.00"), sequence=1))
    office.deliver()
    another_pc_posts(office, T1, "60.00", "FREE")
    office.receive(order(total=fee("70.00", "7.00"), sequence=2))
    office.deliver_until(60)
    assert office.ledger.waiting_for_person() == 1
    ours = next(line for line in office.books.costs["id-J001"] if line.code == "GST" and T1 in line.keys)
    office.books.costs["id-J001"].remove(ours)
    office.receive(order(total=fee("80.00", "8.00"), sequence=3))
    office.deliver_until(60)
    assert by_code(office) == {"GST": D("80.00")}
    assert office.ledger.waiting_for_person() == 0


def test_a_correction_by_hand_does_not_wait_for_a_line_that_is_withdrawn_with_it(office: Office) -> None:
    """D2: a correction that waited for it would wait for good."""
    office.capable(negative_costs=False)
    office.change_settings(review="differences")
    office.receive(order(total=fee("20.00"), sequence=1))
    office.deliver()
    office.receive(order(total=fee("25.00"), sequence=2))
    office.deliver()
    assert office.states() == {T1: "confirmed", T2: "held"}
    office.receive(order(total=fee("15.00"), sequence=3))
    office.deliver()
    assert office.states() == {T1: "confirmed", T2: "cancelled", T3: "held"}
    assert f"Change {T1} from 20.00 to 15.00" in office.reason(T3)
