"""What a person decided stays decided: over moves, restores, late answers and a clock that is set right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from desktop.services.delivery.matter_work import cost_line
from desktop.services.errors import AnswerLost, NotSent, ServiceError, Wait
from desktop.services.practice.model import CostLine, Document
from tests.delivery.stand_in import Office, fee, matter, order
from tests.faults.test_ledger_repair import DAY, Firm, overwrite

KEY = "IT-2-T-1"


def lost(call: str) -> Callable[[str, str], ServiceError | None]:
    return lambda name, what: AnswerLost("The line broke.") if name == call else None


def nothing(name: str, what: str) -> None:
    return None


@pytest.mark.parametrize("number", ["NONE", "J001"])
def test_a_line_that_went_along_and_was_cancelled_stays_cancelled_after_a_restore(tmp_path: Path, number: str) -> None:
    """C5: the journal hears «move» and «cancel» again before any plan has taken the line along."""
    firm = Firm(tmp_path)
    office = firm.office
    office.receive(order("1", retailer=fee("1.00")))
    office.deliver_until(60)
    office.change_settings(review="always")
    office.receive(order("2", number=number, retailer=fee("5.00")))
    office.courier.run_once()
    firm.clock.pass_time(DAY * 1.1)
    office.courier.run_once()
    assert firm.backups()
    office.ledger.move("2", matter("J003"))
    office.courier.plan_only()
    office.ledger.cancel(KEY)
    office.change_settings(review="never")
    firm.restart_with(overwrite)
    firm.office.deliver_until(600)
    assert firm.office.states()[KEY] == "cancelled"
    assert firm.books.posted_keys() == ["IT-1-T-1"]


def test_a_line_cancelled_on_the_left_matter_counts_when_the_order_comes_back(office: Office) -> None:
    """D2: it lands there after all, and no second one goes beside it."""
    office.practice.fault = lost("post_cost")
    office.practice.does_it_anyway = False
    office.receive(order("2", retailer=fee("10.00")))
    office.courier.run_once()
    office.practice.fault = nothing
    office.ledger.move("2", matter("J003"))
    office.courier.plan_only()
    office.ledger.cancel(KEY)
    office.courier.plan_only()
    office.ledger.move("2", matter("J001"))
    office.courier.plan_only()
    posting = office.ledger.posting(KEY)
    assert posting is not None
    office.books.add_cost(cost_line(posting))
    office.deliver_until(900)
    assert office.books.sum_on("J001") == Decimal("10.00")
    assert office.books.sum_on("J003") == 0


def _document_left_behind(office: Office) -> None:
    """IT-1-D-1 was given up on at J001 and is cancelled there after its order had gone to J003, for which IT-1-D-2 waits."""
    office.practice.fault = lost("post_document")
    office.practice.does_it_anyway = False
    office.receive(order("1", hash="a"))
    office.courier.run_once()
    office.practice.fault = nothing
    office.ledger.move("1", matter("J003"))
    office.courier.plan_only()
    office.ledger.cancel("IT-1-D-1")
    office.courier.plan_only()


def _filed(office: Office, number: str) -> list[str]:
    return [key for filed, _ in office.books.documents.get(f"id-{number}", []) for key in filed.keys]


@pytest.mark.parametrize("lands", [False, True])
def test_a_document_cancelled_on_the_left_matter_is_not_filed_there_when_the_order_comes_back(office: Office, lands: bool) -> None:
    """D2: whether or not the first try lands after all; the copy for the other matter is withdrawn, and says why."""
    _document_left_behind(office)
    sent = office.practice.sent[0]
    assert isinstance(sent, Document)
    office.ledger.move("1", matter("J001"))
    office.courier.plan_only()
    if lands:
        office.books.add_document(sent)
    office.deliver_until(900)
    assert office.states() == {"IT-1-D-1": "cancelled", "IT-1-D-2": "cancelled"}
    assert (_filed(office, "J001"), _filed(office, "J003")) == (["IT-1-D-1"] if lands else [], [])
    assert "try the cancelled one again" in office.reason("IT-1-D-2")
    office.ledger.retry("IT-1-D-1")
    office.deliver_until(900)
    assert (office.states()["IT-1-D-1"], _filed(office, "J001")) == ("confirmed", ["IT-1-D-1"])


def test_a_document_cancelled_on_the_left_matter_is_filed_on_the_next_one_however_the_order_got_there(office: Office) -> None:
    """D2: back to the matter where it was cancelled, and away again: only there it is not wanted."""
    _document_left_behind(office)
    for number in ("J001", "J003"):
        office.ledger.move("1", matter(number))
        office.courier.plan_only()
    office.deliver_until(900)
    assert (_filed(office, "J001"), _filed(office, "J003")) == ([], ["IT-1-D-3"])
    assert office.states() == {"IT-1-D-1": "cancelled", "IT-1-D-2": "cancelled", "IT-1-D-3": "confirmed"}


@pytest.mark.parametrize("waits", ["queued", "not sent", "for review"])
@pytest.mark.parametrize("part", ["T", "D"])
def test_what_is_cancelled_right_after_its_order_was_moved_is_not_posted_under_the_next_number(
    office: Office, part: str, waits: str
) -> None:
    """D2: two commands, one after the other, with no look at the order between them."""
    office.practice.fault = lambda name, what: NotSent("No network.") if name.startswith("post") else None
    office.change_settings(review="always" if waits == "for review" else "never")
    office.receive(order("2", retailer=fee("5.00")) if part == "T" else order("2", hash="a"))
    if waits == "not sent":
        office.courier.run_once()
    else:
        office.courier.plan_only()
    office.ledger.move("2", matter("J003"))
    office.ledger.cancel(f"IT-2-{part}-1")
    office.practice.fault = nothing
    office.change_settings(review="never")
    office.deliver_until(900)
    assert office.books.posted_keys() == []
    assert set(office.states().values()) == {"cancelled"}


def test_what_was_cancelled_right_after_its_order_was_moved_stays_so_after_a_restore(tmp_path: Path) -> None:
    """C5, D2: the journal knows where the line was going."""
    firm = Firm(tmp_path)
    firm.office.receive(order("1", retailer=fee("1.00")))
    firm.office.deliver_until(60)
    firm.office.change_settings(review="always")
    firm.office.receive(order("2", retailer=fee("5.00")))
    firm.office.courier.run_once()
    firm.clock.pass_time(DAY * 1.1)
    firm.office.courier.run_once()
    assert firm.backups()
    firm.office.ledger.move("2", matter("J003"))
    firm.office.ledger.cancel(KEY)
    firm.office.change_settings(review="never")
    firm.restart_with(overwrite)
    firm.office.deliver_until(600)
    assert firm.books.posted_keys() == ["IT-1-T-1"]


@pytest.mark.parametrize("shown", ["gst", "Search fees, taxed"])
def test_a_line_of_ours_that_lands_late_is_ours_in_whatever_letters_its_code_is_shown(office: Office, shown: str) -> None:
    """D3: given up, put back in the queue, and there after all: nothing is corrected."""
    office.practice.fault = lost("post_cost")
    office.practice.does_it_anyway = False
    office.receive(order("2", retailer=fee("10.00", "1.00")))
    office.courier.run_once()
    office.practice.fault = lambda name, what: NotSent("No network.") if name == "post_cost" else None
    for _ in range(100):
        office.clock.pass_time(10)
        office.courier.run_once()
        if office.states() == {"IT-2-R-1": "queued"}:
            break
    assert office.states() == {"IT-2-R-1": "queued"}
    line = office.practice.sent[0]
    assert isinstance(line, CostLine)
    office.books.add_cost(line)
    office.books.costs["id-J001"][-1] = replace(office.books.costs["id-J001"][-1], code=shown)
    office.practice.fault = nothing
    office.deliver_until(900)
    assert office.states() == {"IT-2-R-1": "confirmed"}
    assert office.books.posted_keys() == ["IT-2-R-1"]


def test_a_double_that_a_person_removed_altogether_asks_for_nobody_any_more(office: Office) -> None:
    """D17."""
    office.receive(order("2", retailer=fee("1.00")))
    office.deliver_until(60)
    lines = office.books.costs["id-J001"]
    lines.append(replace(lines[0], remote_id="other"))
    office.clock.pass_time(660)
    office.courier.run_once()
    assert office.ledger.waiting_for_person() == 1
    lines.clear()
    office.clock.pass_time(DAY)
    office.courier.run_once()
    assert office.ledger.waiting_for_person() == 0
    assert office.reason(KEY) == "It was removed from the books by hand."


@pytest.mark.parametrize("was_sent", [True, False])
def test_a_clock_a_month_ahead_that_is_set_right_puts_nothing_off_for_a_month(tmp_path: Path, was_sent: bool) -> None:
    """D6: neither a line in the queue nor one whose answer was lost."""
    firm = Firm(tmp_path)
    real = firm.clock.at
    firm.clock.at = real + timedelta(days=30)
    if was_sent:
        firm.office.practice.fault = lost("post_cost")
        firm.office.practice.does_it_anyway = True
    firm.office.receive(order("2", retailer=fee("10.00")))
    if was_sent:
        firm.office.courier.run_once()
    else:
        firm.office.courier.plan_only()
    firm.office.practice.fault = nothing
    firm.clock.at = real + timedelta(seconds=60)
    firm.stop()
    firm.start()
    firm.office.deliver_until(2 * DAY)
    assert firm.office.states() == {KEY: "confirmed"}
    assert firm.books.posted_keys() == [KEY]


def test_a_limit_told_by_a_clock_that_was_ahead_is_over_when_it_is_set_right(office: Office) -> None:
    """D13."""
    real = office.clock.at
    office.clock.at = real + timedelta(days=30)
    office.practice.fault = lambda name, what: Wait("Too many calls.", after=timedelta(seconds=60), limit="minute")
    office.receive(order("1", retailer=fee("1.00")))
    office.courier.run_once()
    office.clock.at = real
    office.practice.fault = nothing
    office.restart()
    office.receive(order("2", retailer=fee("2.00"), number="J002"))
    office.deliver_until(2 * DAY)
    assert set(office.states().values()) == {"confirmed"}


def test_one_call_that_fails_among_many_that_go_well_is_no_outage(office: Office) -> None:
    """D8: its tries are spread over the usual quarter of an hour and more, and not used up within a minute or two."""
    office.practice.fault = lambda name, what: NotSent("The upload host is blocked.") if name == "post_document" else None
    office.receive(order("1", number="J002", hash="a"))
    began, number, following = office.clock.at, 100, office.clock.at
    while office.clock.at < began + timedelta(seconds=130):
        if office.clock.at >= following:
            number += 1
            office.receive(order(str(number), retailer=fee("1.00")))
            following = office.clock.at + timedelta(seconds=20)
        office.courier.run_once()
        office.clock.pass_time(1)
    assert len([call for call in office.practice.calls if call[0] == "post_document"]) < 9
    assert office.states()["IT-1-D-1"] == "queued"
