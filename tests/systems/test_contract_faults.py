"""Every practice system by the same faults, at each of its writes and reads: what is owed stands once in the end, or a person is
told why it does not, and then it stands once as soon as that person says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from desktop.services.ledger.model import DeliveryState
from tests.delivery.stand_in import fee, order
from tests.systems.contract_rig import CASES, HOURS, Books, Case, Firms, Pc, Write

NewPc = Callable[..., Pc]


@dataclass(frozen=True)
class Fault:
    """`refuses`: the other side's own no, which no machine may overrule. `long`: not in every run."""

    name: str
    more: dict[str, Any] = field(default_factory=dict)
    refuses: bool = False
    long: bool = False

    def __str__(self) -> str:
        return " ".join([self.name, *(str(value) for value in self.more.values())])


_SAID = '{"message": "The matter is locked."}'
_JSON = "application/json"


def _status(status: int, *, long: bool = False, **more: Any) -> Fault:
    return Fault("status", {"status": status, **more}, refuses=status == 413, long=long)


FAULTS = (
    Fault("drop_before"),
    Fault("drop_after"),
    Fault("reset_before"),
    Fault("reset_after"),
    Fault("half_answer"),
    Fault("wrong_length"),
    Fault("trickle", {"seconds": 0.1}, long=True),
    Fault("html_503"),
    Fault("html_503", {"retry_after": "40"}, long=True),
    Fault("html_200"),
    Fault("empty_200"),
    Fault("empty_200_after"),
    Fault("json_error", {"status": 500}),
    Fault("xml_500"),
    Fault("error_200", {"body": "No costs today"}),
    Fault("limited", {"problem": "minute", "retry_after": "20"}),
    Fault("limited", {"problem": "day", "retry_after": "3000"}, long=True),
    Fault("limited", {"problem": "concurrent"}, long=True),
    Fault("limited", {"problem": ""}),
    Fault("token_expired"),
    Fault("redirect", {"status": 307, "location": "/elsewhere"}),
    Fault("redirect", {"status": 302, "location": "/elsewhere"}, long=True),
    Fault("late_effect", {"seconds": 20}, long=True),
    Fault("late_effect", {"seconds": 170}),
    Fault("status", {"status": 400, "body": _SAID, "content_type": _JSON}, refuses=True),
    Fault("status", {"status": 422, "body": _SAID, "content_type": _JSON}, refuses=True, long=True),
    Fault("status", {"status": 500, "body": _SAID, "content_type": _JSON}, long=True),
    *(_status(status) for status in (400, 403, 413, 503)),
    *(_status(status, long=True) for status in (401, 404, 405, 407, 408, 409, 411, 415, 422, 429, 500, 501, 502, 504, 520)),
    Fault("status_after", {"status": 502}),
    *(Fault("status_after", {"status": status}, long=True) for status in (408, 409, 500, 503, 504, 520)),
)


AGAIN = [Fault("drop_after"), Fault("status_after", {"status": 502}), Fault("late_effect", {"seconds": 60})]


def _all() -> list[Any]:
    return [
        pytest.param(case, write, fault, id=f"{case}-{write.name}-{fault}", marks=[pytest.mark.long] if fault.long else [])
        for case in CASES
        for write in case.writes
        for fault in FAULTS
    ]


def ends_well(pc: Pc, books: Books, order_id: str) -> None:
    """Whatever waits for a person is decided by one, and then everything owed stands once, and nothing else."""
    for _ in range(4):
        waiting = pc.waiting()
        if not waiting:
            break
        for key in waiting:
            assert waiting[key], f"{key} waits without a reason"
            pc.ledger.retry(key)
        pc.courier.forgive()
        pc.deliver_for(HOURS)
    owed = {f"IT-{order_id}-{part}-1": 1 for part in "RSD"}
    assert (pc.states(), dict(books.keys()), books.strays()) == (dict.fromkeys(owed, "confirmed"), owed, [])


def place(pc: Pc, firms: Firms) -> str:
    """An order with two lines and a document."""
    order_id = str(next(firms.orders))
    mixed: dict[str, Any] = {"retailer": fee("6.00", "0.60"), "supplier": fee("20.00"), "hash": "h1"}
    pc.receive(order(order_id, number=pc.matters[0].number, reference=pc.ours(), **mixed))
    return order_id


def is_a_no(case: Case, write: Write, fault: Fault) -> bool:
    """Whether these are the vendor's own words of refusal at this call."""
    if write.name == "contents":
        return fault.more.get("status") == 413
    return fault.refuses or (fault.name == "error_200" and case.speaks_xml)


@pytest.mark.parametrize(("case", "write", "fault"), _all())
def test_a_fault_at_a_write_ends_with_each_line_once(
    case: Case, write: Write, fault: Fault, new_pc: NewPc, firms: Firms, books: Books
) -> None:
    """D1, D2, D3, D6: nothing but the vendor's own no needs a person."""
    pc = new_pc()
    order_id = place(pc, firms)
    firms.fault(fault.name, write.where, count=1, **fault.more)
    pc.deliver_for(HOURS)
    assert firms.hits() == 1
    assert max(books.keys().values()) == 1
    refused = is_a_no(case, write, fault)
    unproved = fault.name == "empty_200" and write.name == "contents"  # as the file store's yes, but nothing was stored
    missing_right = fault.more.get("status") == 403 and case.system != "smokeball"
    if refused:
        (told,) = [row for row in pc.rows().values() if row.state is not DeliveryState.CONFIRMED]
        assert told.state is DeliveryState.REJECTED
        assert told.reason
    elif unproved:
        assert list(pc.waiting()) == [f"IT-{order_id}-D-1"]
    elif not missing_right:
        assert set(pc.states().values()) == {"confirmed"}, pc.rows()
    ends_well(pc, books, order_id)


@pytest.mark.parametrize("fault", AGAIN, ids=str)
def test_every_write_losing_its_answer_at_once_and_a_start_anew_end_the_same(
    case: Case, fault: Fault, new_pc: NewPc, firms: Firms, books: Books
) -> None:
    """D1, D6: the program was started anew and remembers nothing."""
    pc = new_pc()
    order_id = place(pc, firms)
    for write in case.writes:
        firms.fault(fault.name, write.where, count=2, **fault.more)
    pc.deliver()
    pc.restart()
    pc.deliver_for(HOURS)
    ends_well(pc, books, order_id)


READ_FAULTS = [
    Fault("drop_after"),
    Fault("half_answer"),
    Fault("html_200"),
    Fault("empty_200"),
    Fault("html_503"),
    Fault("json_error", {"status": 500}),
    Fault("limited", {"problem": "minute", "retry_after": "20"}),
    Fault("token_expired"),
]


@pytest.mark.parametrize("skip", [0, 1], ids=["before the send", "after it"])
@pytest.mark.parametrize("fault", [pytest.param(one, id=str(one)) for one in READ_FAULTS])
def test_a_read_that_fails_makes_nobody_send_again(
    case: Case, fault: Fault, skip: int, new_pc: NewPc, firms: Firms, books: Books
) -> None:
    """D3, D6, D16: an answer that is no list shows neither presence nor absence."""
    pc = new_pc()
    order_id = place(pc, firms)
    times = 1 if fault.name == "token_expired" else 3  # twice in a row, and the sign-in has ended
    firms.fault(fault.name, case.reads, count=times, skip=skip, **fault.more)
    pc.deliver_for(HOURS)
    assert set(pc.states().values()) == {"confirmed"}
    ends_well(pc, books, order_id)


@pytest.mark.parametrize("seconds", [20.0, 150.0])
def test_lists_that_lag_behind_make_nobody_send_again(
    case: Case, seconds: float, new_pc: NewPc, firms: Firms, books: Books
) -> None:
    """D6: stale reads, with and without a lost answer."""
    firms.switch(stale_seconds=seconds, smokeball_list_seconds=seconds)
    pc = new_pc()
    order_id = place(pc, firms)
    firms.fault("drop_after", case.writes[0].where, count=1)
    pc.deliver()
    assert "confirmed" not in pc.states().values()
    pc.deliver_for(HOURS)
    ends_well(pc, books, order_id)


def test_a_server_that_stalls_is_given_up_on_and_read_later(case: Case, new_pc: NewPc, firms: Firms, books: Books) -> None:
    """D3: the answer comes after the time-out, on real sockets."""
    pc = new_pc()
    order_id = place(pc, firms)
    pc.use(firms.practice(case, http=firms.impatient))
    firms.fault("slow_answer", case.writes[0].where, count=1, seconds=0.8)
    pc.deliver()
    assert "unknown" in pc.states().values()
    pc.use(firms.practice(case))
    pc.deliver_for(HOURS)
    ends_well(pc, books, order_id)


def test_a_server_that_is_down_for_a_day_costs_nothing_but_time(case: Case, new_pc: NewPc, firms: Firms, books: Books) -> None:
    """D11, D13."""
    pc = new_pc()
    order_id = place(pc, firms)
    for write in case.writes:
        firms.fault("html_503", write.where)
    pc.deliver_for(20 * 3600)
    firms.calm()
    assert max(books.keys().values(), default=0) <= 1
    pc.courier.forgive()
    pc.deliver_for(HOURS)
    ends_well(pc, books, order_id)


def test_answers_lost_again_and_again_end_with_a_person_and_one_line(case: Case, new_pc: NewPc, firms: Firms, books: Books) -> None:
    """D6, D11: what never shows is not sent for ever."""
    pc = new_pc()
    order_id = place(pc, firms)
    for write in case.writes:
        firms.fault("drop_before", write.where)
    pc.deliver_for(12 * 3600)
    assert len(pc.waiting()) >= 1
    assert not books.keys()
    firms.calm()
    ends_well(pc, books, order_id)
