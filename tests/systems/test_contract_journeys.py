"""Every practice system by the same journeys, from the list of matters to what stands in its books."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest

from desktop.services.errors import Refused, ServiceError
from desktop.services.ledger.model import DeliveryState
from desktop.services.practice.model import Finding, Matter
from tests.delivery.stand_in import fee, order
from tests.systems.contract_rig import HOURS, Books, Case, Firms, Pc, contents, person

NewPc = Callable[..., Pc]
D = Decimal


def placed(pc: Pc, firms: Firms, *, order_id: str = "", matter: Matter | None = None, **more: Any) -> str:
    """A message about an order of this PC's, or about one that is named."""
    order_id = order_id or str(next(firms.orders))
    matter = matter or pc.matters[0]
    pc.receive(order(order_id, number=matter.number, reference=pc.ours(matter), **more))
    return order_id


# the list of matters


def test_the_first_list_holds_every_open_matter_and_a_later_one_what_changed(case: Case, firms: Firms) -> None:
    practice = firms.practice(case)
    closed, renamed = firms.matter(case), firms.matter(case)
    firms.pass_time(3600)
    listed = {each.id: each for each in practice.matters()}
    assert len(listed) > 100
    assert {closed.id, renamed.id} <= set(listed)
    assert all(each.number or case.system == "smokeball" for each in listed.values())
    assert sum(bool(each.client) for each in listed.values()) > len(listed) * 0.9
    assert {each.is_open for each in listed.values()} == {True}
    since = firms.now()
    firms.firm(case).work(closed.number, "close", firms.now())
    if practice.capabilities.changes_since:
        changed = {each.id: each.is_open for each in practice.matters(since=since)}
        assert changed[closed.id] is False
        assert renamed.id not in changed
    assert {each.id for each in practice.matters()} == listed.keys() - {closed.id}
    firms.firm(case).work(closed.number, "open", firms.now())
    assert closed.id in {each.id for each in practice.matters()}


def test_a_list_that_breaks_off_is_no_list(case: Case, firms: Firms) -> None:
    """A consumer commits at the end; so a failure midway must be one."""
    lists = {"smokeball": "smokeball GET matters", "workflowmax-v2": "workflowmax GET v2/jobs"}
    where = lists.get(case.name, "job.api/current")
    for name in ("half_answer", "html_200", "empty_200", "html_503", "wrong_length"):
        firms.fault(name, where, count=1)
        with pytest.raises(ServiceError):
            list(firms.practice(case).matters())
    assert len(list(firms.practice(case).matters())) > 100


def test_a_matter_is_found_by_its_number_open_or_not_and_an_unknown_one_is_none(case: Case, firms: Firms) -> None:
    practice, matter = firms.practice(case), firms.matter(case)
    for wanted in (matter.number, f" {matter.number} ", matter.number.lower()):
        found = practice.matter(wanted)
        assert found is not None
        assert (found.system, found.tenant, found.number, found.name) == (case.system, matter.tenant, matter.number, matter.name)
        assert found.id == matter.id
    for unknown in ("J999999", "", "  ", "..", "J004521/../x", "naïve ümlaut"):
        assert practice.matter(unknown) is None
    firms.firm(case).work(matter.number, "close", firms.now())
    closed = practice.matter(matter.number)
    assert closed is not None
    assert closed.is_open in (None, False)
    firms.firm(case).work(matter.number, "open", firms.now())


def test_the_client_and_the_staff_behind_a_matter_are_told(case: Case, firms: Firms) -> None:
    practice, matter = firms.practice(case), firms.matter(case)
    client = practice.client(matter.client_id)
    assert client is not None
    assert client.name
    assert client.name in matter.client
    assert client.acn == "" or len(client.acn) == 9
    assert client.abn == "" or len(client.abn) == 11
    assert practice.client("0f3c9d52-0000-4000-8000-00000000dead") is None
    assert practice.client("") is None
    assert any("@" in each.email for each in practice.staff())


def test_the_cost_codes_hold_those_of_the_platform_file_and_each_right_is_found(case: Case, firms: Firms) -> None:
    practice = firms.practice(case)
    codes = {each.code for each in practice.cost_codes()}
    assert {"DISB-GST", "DISB-FREE"} <= codes
    assert "OLD-SEARCH" not in codes
    assert {each.finding for each in practice.check_access()} == {Finding.OK}


# what is posted


@pytest.mark.parametrize("amounts", ["ex_gst", "inc_gst"])
def test_mixed_gst_is_posted_as_each_system_keeps_it_and_read_back(
    case: Case, amounts: str, new_pc: NewPc, firms: Firms, books: Books
) -> None:
    """D19: amounts, tax and codes as the stand-in's own books hold them."""
    pc = new_pc()
    pc.change_costs(amounts=amounts)
    order_id = placed(pc, firms, retailer=fee("6.05", "0.61"), supplier=fee("20.00"))
    pc.deliver_for(HOURS)
    taxed, untaxed = (books.cost(f"IT-{order_id}-{part}-1") for part in "RS")
    inc = amounts == "inc_gst"
    assert [D(str(row["unit_cost"])) for row in (taxed, untaxed)] == [D("6.66") if inc else D("6.05"), D("20.00")]
    assert [row["code"] for row in (taxed, untaxed)] == ["DISB-GST", "DISB-FREE"]
    assert {str(row["job"]) for row in (taxed, untaxed)} == {pc.matters[0].number}
    assert {str(row["billable"]).lower() for row in (taxed, untaxed)} == {"true"}
    if case.system == "smokeball":
        assert [(D(str(row["tax"])), row["tax_inclusive"]) for row in (taxed, untaxed)] == [(D("0.61"), inc), (D("0.00"), inc)]
        assert [D(str(row["output_tax"])) for row in (taxed, untaxed)] == [D("0.61"), D("0.00")]
        assert not any(row["tax_exempt"] or row["tax_zero_rated"] or row["tax_out_of_scope"] for row in (taxed, untaxed))
    read = {each.keys[-1]: each for each in pc.practice.costs(pc.ref) if each.keys}
    assert read[f"IT-{order_id}-R-1"].unit_cost * read[f"IT-{order_id}-R-1"].quantity == D(str(taxed["unit_cost"]))
    assert read[f"IT-{order_id}-R-1"].on == read[f"IT-{order_id}-S-1"].on
    assert set(pc.states().values()) == {"confirmed"}


def test_a_markup_is_in_the_price_alone(case: Case, new_pc: NewPc, firms: Firms, books: Books) -> None:
    pc = new_pc()
    pc.change_costs(markup_percent=10)
    order_id = placed(pc, firms, supplier=fee("20.05"))
    pc.deliver_for(HOURS)
    row = books.cost(f"IT-{order_id}-T-1")
    assert D(str(row["unit_price"])) == D("22.06")
    if case.system != "smokeball":
        assert D(str(row["unit_cost"])) == D("20.05")
    assert {str(each.amount) for each in pc.rows().values()} == {"20.05"}
    assert set(pc.states().values()) == {"confirmed"}


@pytest.mark.parametrize("size", [0, 1, 300_000])
def test_a_document_is_filed_byte_for_byte(case: Case, size: int, new_pc: NewPc, firms: Firms, books: Books) -> None:
    pc = new_pc()
    content = contents("x") + bytes(range(256)) * (size // 256)
    pc.files.content = lambda url: content
    order_id = placed(pc, firms, hash="h1")
    pc.deliver_for(HOURS)
    row = books.document(f"IT-{order_id}-D-1")
    assert (row["sha256"], row["size"]) == (sha256(content).hexdigest(), len(content))
    assert str(row["file_name"]).endswith(".pdf")
    (filed,) = [each for each in pc.practice.documents(pc.ref) if f"IT-{order_id}-D-1" in each.keys]
    assert filed.file_name == row["file_name"]
    assert pc.states() == {f"IT-{order_id}-D-1": "confirmed"}


def test_a_new_version_is_filed_beside_the_old_one(case: Case, new_pc: NewPc, firms: Firms, books: Books) -> None:
    pc = new_pc()
    order_id = placed(pc, firms, hash="h1", sequence=1)
    pc.deliver_for(HOURS)
    pc.files.content = lambda url: contents("the second")
    placed(pc, firms, order_id=order_id, hash="h2", sequence=2)
    pc.deliver_for(HOURS)
    assert dict(books.keys()) == {f"IT-{order_id}-D-1": 1, f"IT-{order_id}-D-2": 1}
    assert books.document(f"IT-{order_id}-D-2")["sha256"] == sha256(contents("the second")).hexdigest()


def test_a_document_too_large_waits_for_a_person(case: Case, new_pc: NewPc, firms: Firms, books: Books) -> None:
    pc = new_pc()
    pc.practice.capabilities = replace(pc.practice.capabilities, max_document_bytes=1000)
    order_id = placed(pc, firms, hash="h1", supplier=fee("20.00"))
    pc.deliver_for(HOURS)
    assert pc.states() == {f"IT-{order_id}-T-1": "confirmed", f"IT-{order_id}-D-1": "held"}
    assert dict(books.keys()) == {f"IT-{order_id}-T-1": 1}


def test_a_price_that_rises_and_falls_is_followed_by_differences(case: Case, new_pc: NewPc, firms: Firms, books: Books) -> None:
    pc = new_pc()
    order_id = placed(pc, firms, supplier=fee("20.00"), sequence=1)
    pc.deliver_for(HOURS)
    for sequence, net in ((2, "25.50"), (3, "17.25")):
        placed(pc, firms, order_id=order_id, supplier=fee(net), sequence=sequence)
        pc.deliver_for(HOURS)
    assert [D(str(books.cost(f"IT-{order_id}-T-{n}")["unit_cost"])) for n in (1, 2, 3)] == [D("20.00"), D("5.50"), D("-8.25")]
    assert set(pc.states().values()) == {"confirmed"}


def test_a_refund_takes_all_of_it_back(case: Case, new_pc: NewPc, firms: Firms, books: Books) -> None:
    pc = new_pc()
    order_id = placed(pc, firms, retailer=fee("6.00", "0.60"), supplier=fee("20.00"), sequence=1)
    pc.deliver_for(HOURS)
    placed(pc, firms, order_id=order_id, retailer=fee("0.00"), supplier=fee("0.00"), sequence=2)
    pc.deliver_for(HOURS)
    assert sum(D(str(row["unit_cost"])) for row in books.costs()) == 0
    if case.system == "smokeball":
        assert sum(D(str(row["tax"])) for row in books.costs()) == 0
    assert set(pc.states().values()) == {"confirmed"}


def test_where_credits_are_refused_the_correction_is_spelled_out_and_waits(
    case: Case, new_pc: NewPc, firms: Firms, books: Books
) -> None:
    firms.switch(refuse_negative=True, smokeball_refuse_negative=True)
    pc = new_pc()
    order_id = placed(pc, firms, supplier=fee("20.00"), sequence=1)
    pc.deliver_for(HOURS)
    placed(pc, firms, order_id=order_id, supplier=fee("12.00"), sequence=2)
    pc.deliver_for(HOURS)
    held = pc.rows()[f"IT-{order_id}-T-2"]
    assert held.state is DeliveryState.HELD
    assert "negative" in held.reason
    assert f"Change IT-{order_id}-T-1 from 20.00 to 12.00" in held.reason
    assert dict(books.keys()) == {f"IT-{order_id}-T-1": 1}


def test_a_credit_that_a_closed_job_refuses_says_nothing_about_other_credits(
    case: Case, new_pc: NewPc, firms: Firms, books: Books
) -> None:
    pc = new_pc(matters=2)
    first, second = (placed(pc, firms, matter=each, supplier=fee("20.00"), sequence=1) for each in pc.matters)
    pc.deliver_for(HOURS)
    firms.firm(case).work(pc.matters[0].number, "close", firms.now())
    firms.switch(smokeball_closed_answer="400")
    for order_id, each in ((first, pc.matters[0]), (second, pc.matters[1])):
        placed(pc, firms, order_id=order_id, matter=each, supplier=fee("12.00"), sequence=2)
        pc.deliver_for(HOURS)
    firms.firm(case).work(pc.matters[0].number, "open", firms.now())
    assert pc.states()[f"IT-{first}-T-2"] == "held"
    assert pc.states()[f"IT-{second}-T-2"] == "confirmed"


def test_an_order_that_is_moved_is_posted_to_the_other_matter_and_the_old_line_is_listed(
    case: Case, new_pc: NewPc, firms: Firms, books: Books
) -> None:
    pc = new_pc(matters=2)
    here, there = pc.matters
    order_id = placed(pc, firms, supplier=fee("20.00"), hash="h1")
    pc.deliver_for(HOURS)
    pc.ledger.move(order_id, there)
    pc.deliver_for(HOURS)
    stands = {key: str(row["job"]) for row in (*books.costs(), *books.documents()) for key in books.keys_of(row)}
    assert stands == {
        f"IT-{order_id}-T-1": here.number,
        f"IT-{order_id}-D-1": here.number,
        f"IT-{order_id}-T-2": there.number,
        f"IT-{order_id}-D-2": there.number,
    }
    assert max(books.keys().values()) == 1


def test_a_closed_job_refuses_in_the_vendors_words_and_takes_it_when_it_is_opened(
    case: Case, new_pc: NewPc, firms: Firms, books: Books
) -> None:
    firms.switch(smokeball_closed_answer="400")
    pc = new_pc()
    firms.firm(case).work(pc.matters[0].number, "close", firms.now())
    order_id = placed(pc, firms, supplier=fee("20.00"))
    pc.deliver_for(HOURS)
    (row,) = pc.rows().values()
    assert row.state is DeliveryState.REJECTED
    assert "not open" in row.reason or "Costs can not be added to this job" in row.reason
    assert not books.keys()
    firms.firm(case).work(pc.matters[0].number, "open", firms.now())
    pc.ledger.retry(row.key)
    pc.deliver_for(HOURS)
    assert pc.states() == {f"IT-{order_id}-T-1": "confirmed"}
    assert dict(books.keys()) == {f"IT-{order_id}-T-1": 1}


def test_a_matter_that_is_gone_is_refused_and_keeps_no_other_waiting(case: Case, new_pc: NewPc, firms: Firms, books: Books) -> None:
    """D11."""
    pc = new_pc(matters=2)
    gone = replace(pc.matters[0], id="0f3c9d52-0000-4000-8000-00000000dead", number="J999999")
    pc.matters[0] = gone
    with pytest.raises(Refused):
        pc.practice.costs(pc.ref)
    lost = placed(pc, firms, supplier=fee("20.00"))
    fine = placed(pc, firms, matter=pc.matters[1], supplier=fee("30.00"))
    pc.deliver_for(HOURS)
    assert pc.states() == {f"IT-{lost}-T-1": "rejected", f"IT-{fine}-T-1": "confirmed"}
    assert dict(books.keys()) == {f"IT-{fine}-T-1": 1}


# others at the same books


def test_lines_that_a_second_pc_posted_are_adopted(case: Case, new_pc: NewPc, firms: Firms, books: Books) -> None:
    """D9: two installations, one firm."""
    first = new_pc()
    second = new_pc(like=first)
    order_id = str(next(firms.orders))
    message = order(order_id, number=first.matters[0].number, retailer=fee("6.00", "0.60"), supplier=fee("20.00"), hash="h1")
    for pc in (first, second):
        pc.receive(message)
    first.deliver_for(HOURS)
    second.deliver_for(HOURS)
    assert set(second.states().values()) == {"confirmed"}
    assert {row.reason for row in second.rows().values()} == {"It was in the books already."}
    assert dict(books.keys()) == {f"IT-{order_id}-{part}-1": 1 for part in "RSD"}


def test_words_that_staff_write_around_a_key_hide_it_from_nobody(case: Case, new_pc: NewPc, firms: Firms, books: Books) -> None:
    first = new_pc()
    order_id = str(next(firms.orders))
    message = order(order_id, number=first.matters[0].number, supplier=fee("20.00"))
    first.receive(message)
    first.deliver_for(HOURS)
    key = f"IT-{order_id}-T-1"
    uuid = str(books.cost(key)["uuid"])
    for note in (f"Paid by Sam. {key} (see file)", f"{key.lower()}, checked", f"  {key.replace('-', chr(0x2011))}\nok"):
        assert firms.firm(case).change_cost(uuid, {"note": note}) is not None
        second = new_pc(like=first)
        second.receive(message)
        second.deliver_for(HOURS)
        assert second.states() == {key: "confirmed"}
    assert len(books.costs()) == 1


def test_equal_lines_of_two_orders_are_both_posted(case: Case, new_pc: NewPc, firms: Firms, books: Books) -> None:
    """D8: likeness confirms nothing."""
    pc = new_pc()
    orders = [placed(pc, firms, supplier=fee("20.00")) for _ in range(2)]
    pc.deliver_for(HOURS)
    assert dict(books.keys()) == {f"IT-{order_id}-T-1": 1 for order_id in orders}
    assert set(pc.states().values()) == {"confirmed"}


def test_a_key_that_stands_twice_is_shown_to_a_person(case: Case, new_pc: NewPc, firms: Firms, books: Books) -> None:
    """D10: found by the next read, also when it has been confirmed before."""
    pc = new_pc()
    order_id = placed(pc, firms, supplier=fee("20.00"))
    pc.deliver_for(HOURS)
    key = f"IT-{order_id}-T-1"
    other = placed(pc, firms, supplier=fee("30.00"))
    pc.deliver_for(HOURS)
    uuid = str(books.cost(f"IT-{other}-T-1")["uuid"])
    assert firms.firm(case).change_cost(uuid, {"note": f"copied {key}"}) is not None
    pc.deliver_for(30 * 3600)
    assert key in pc.waiting()
    assert "2 lines" in pc.waiting()[key]


def test_a_line_that_staff_deleted_is_not_posted_again(case: Case, new_pc: NewPc, firms: Firms, books: Books) -> None:
    pc = new_pc()
    order_id = placed(pc, firms, supplier=fee("20.00"), sequence=1)
    pc.deliver_for(HOURS)
    assert firms.firm(case).remove_cost(str(books.cost(f"IT-{order_id}-T-1")["uuid"]))
    placed(pc, firms, order_id=order_id, supplier=fee("20.00"), sequence=1)
    pc.deliver_for(30 * 3600)
    assert not books.costs()
    assert pc.states() == {f"IT-{order_id}-T-1": "confirmed"}


def test_many_orders_on_one_matter_stand_once_each(case: Case, new_pc: NewPc, firms: Firms, books: Books) -> None:
    pc = new_pc()
    orders = [placed(pc, firms, supplier=fee(f"{n}.00"), hash="h1") for n in range(1, 13)]
    pc.deliver_for(HOURS)
    assert dict(books.keys()) == {f"IT-{order_id}-{part}-1": 1 for order_id in orders for part in "TD"}
    assert set(pc.states().values()) == {"confirmed"}


# signing in


def test_a_sign_in_ends_in_the_right_firm_and_leaves_again(case: Case, firms: Firms, tmp_path: Any) -> None:
    """A2, A22: through the stand-in's own pages, with the real listener."""
    identity = firms.identity_in(tmp_path / "profile")
    record = identity.sign_in(case.system, person())
    assert record.tenant == firms.world.main_tenant(case.system)
    assert "Kōwhai & Rata" in record.tenant_name
    connection = identity.connection(case.system)
    assert connection is not None
    assert connection.token()
    try:
        assert identity.disconnect(case.system)
        assert identity.record(case.system) is None
        assert identity.connection(case.system) is None
    finally:
        firms.sign_in_everywhere()  # some vendors end all of a person's sign-ins to the app with one


def test_a_lapsed_token_is_renewed_and_the_order_goes_on(case: Case, new_pc: NewPc, firms: Firms, books: Books) -> None:
    """A16: by the clock, and by the first 401."""
    pc = new_pc()
    first = placed(pc, firms, supplier=fee("20.00"))
    firms.pass_time(timedelta(hours=9).total_seconds())
    pc.deliver_for(HOURS)
    firms.world.identity.expire_access()
    for neighbour in firms.world.neighbours:
        neighbour.expire_access()
    second = placed(pc, firms, supplier=fee("30.00"))
    pc.deliver_for(HOURS)
    assert dict(books.keys()) == {f"IT-{first}-T-1": 1, f"IT-{second}-T-1": 1}
    assert set(pc.states().values()) == {"confirmed"}


def test_a_consent_that_was_withdrawn_keeps_the_queue_and_goes_on_after_the_next_sign_in(
    case: Case, new_pc: NewPc, firms: Firms, books: Books
) -> None:
    """A19, A21, A23: nothing is deleted, nothing is sent twice."""
    pc = new_pc()
    try:
        firms.world.identity.revoke_all()
        for neighbour in firms.world.neighbours:
            neighbour.revoke_all()
        firms.world.identity.expire_access()
        for neighbour in firms.world.neighbours:
            neighbour.expire_access()
        order_id = placed(pc, firms, supplier=fee("20.00"), hash="h1")
        pc.deliver_for(HOURS)
        assert set(pc.states().values()) == {"queued"}
        assert not books.keys()
        record = firms.identity.record(case.system)
        assert record is not None
        assert record.problem
    finally:
        firms.sign_in_everywhere()
    pc.restart()
    pc.courier.forgive()
    pc.deliver_for(HOURS)
    assert dict(books.keys()) == {f"IT-{order_id}-T-1": 1, f"IT-{order_id}-D-1": 1}
    assert set(pc.states().values()) == {"confirmed"}


def test_the_queue_of_another_firm_is_parked_and_goes_on_when_it_is_signed_in_again(
    case: Case, new_pc: NewPc, firms: Firms, books: Books
) -> None:
    """A23: the adapter of the other firm never sees the row."""
    pc = new_pc()
    order_id = placed(pc, firms, supplier=fee("20.00"))
    theirs = pc.connections.practices
    pc.connections.practices = {(case.system, "another-firm"): next(iter(theirs.values()))}
    pc.deliver_for(HOURS)
    assert set(pc.states().values()) == {"queued"}
    assert not books.keys()
    pc.connections.practices = theirs
    pc.courier.forgive()
    pc.deliver_for(HOURS)
    ends = {f"IT-{order_id}-T-1": "confirmed"}
    assert pc.states() == ends
    assert dict(books.keys()) == dict.fromkeys(ends, 1)
