"""The rules of money: what should stand for an order's fees, and the difference to what does."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.services.infotrack.model import Fee, OrderMessage, Source
from desktop.services.ledger.charges import (
    Charge,
    Standing,
    Taxed,
    charges,
    differences,
    does_not_add_up,
    fees_told,
    how_taxed,
    price,
)
from desktop.services.ledger.facts import Recorded
from tests.delivery.stand_in import START, fee, order

D = Decimal


def lines(message: OrderMessage) -> list[tuple[str, bool, str]]:
    return [(one.part, one.taxed, str(one.net)) for one in charges(message)]


@pytest.mark.parametrize(
    ("retailer", "supplier", "expected"),
    [
        (fee("6.00", "0.60"), fee("20.00", "2.00"), [("T", True, "26.00")]),
        (fee("6.00"), fee("20.00"), [("T", False, "26.00")]),
        (fee("6.00", "0.60"), fee("20.00"), [("R", True, "6.00"), ("S", False, "20.00")]),
        (fee("6.00"), fee("20.00", "2.00"), [("R", False, "6.00"), ("S", True, "20.00")]),
        (fee("6.00", "0.60"), fee("0.00"), [("R", True, "6.00")]),
        (fee("0.00"), fee("20.00"), [("T", False, "20.00")]),
        (fee("0.00"), fee("20.00", "2.00"), [("S", True, "20.00")]),
        (fee("0.00"), fee("0.00"), []),
        (fee("6.00", "0.60"), None, [("R", True, "6.00")]),
        (fee("-6.00", "-0.60"), fee("-20.00"), [("R", True, "-6.00"), ("S", False, "-20.00")]),
    ],
)
def test_fees_that_share_their_tax_make_one_line_and_others_one_each(
    retailer: Fee, supplier: Fee | None, expected: list[tuple[str, bool, str]]
) -> None:
    assert lines(order(retailer=retailer, supplier=supplier)) == expected


@pytest.mark.parametrize(
    ("net", "gst", "expected"),
    [
        ("20.00", "2.00", Taxed.FULL),
        ("20.00", "1.99", Taxed.FULL),
        ("20.00", "2.01", Taxed.FULL),
        ("20.00", "1.98", Taxed.PARTLY),
        ("7.29", "0.73", Taxed.FULL),
        ("7.29", "0.72", Taxed.FULL),
        ("20.00", "0.01", Taxed.NO),
        ("20.00", "0.02", Taxed.PARTLY),
        ("-20.00", "-2.00", Taxed.FULL),
        ("0.05", "0.00", Taxed.NO),
    ],
)
def test_a_cent_is_rounding_and_more_is_a_fee_taxed_in_part(net: str, gst: str, expected: Taxed) -> None:
    assert how_taxed(fee(net, gst)) is expected


def test_a_fee_taxed_in_part_waits_with_the_split_spelled_out() -> None:
    found = charges(order(retailer=fee("6.00", "0.60"), supplier=fee("20.00", "1.50")))
    assert found[0] == Charge("R", True, D("6.00"), D("0.60"))
    assert [(one.part, one.taxed, one.net, one.gst) for one in found[1:]] == [
        ("S", True, D("15.00"), D("1.50")),
        ("S", False, D("5.00"), D("0.00")),
    ]
    assert "15.00 is taxed and 5.00 is not" in found[1].problem


def test_gst_that_exceeds_a_tenth_has_no_split() -> None:
    (found,) = charges(order(supplier=fee("20.00", "4.00")))
    assert (found.part, found.net) == ("S", D("20.00"))
    assert "more than a tenth" in found.problem


@pytest.mark.parametrize(
    ("total", "expected"),
    [
        (fee("26.00", "2.60"), [("T", True, "26.00")]),
        (fee("26.00"), [("T", False, "26.00")]),
        (fee("26.00", "0.60"), [("T", True, "6.00"), ("T", False, "20.00")]),
        (fee("0.00"), []),
    ],
)
def test_a_message_with_the_sum_alone_makes_one_line_or_waits_with_the_split(
    total: Fee, expected: list[tuple[str, bool, str]]
) -> None:
    message = order(total=total)
    assert lines(message) == expected
    assert all(one.problem for one in charges(message)) == (len(expected) == 2 or not expected)


@pytest.mark.parametrize(
    ("message", "word"),
    [
        (order(retailer=Fee(D("6.00"), D("0.60"), D("6.61"))), "retailer fee"),
        (order(supplier=Fee(D("6.00"), D("0.60"), D("6.00"))), "supplier fee"),
        (order(retailer=fee("6.00", "0.60"), total=Fee(D("6.00"), D("0.60"), D("7.00"))), "total fee"),
        (order(retailer=fee("6.00", "0.60"), supplier=fee("20.00"), total=fee("27.00", "0.60")), "together"),
        (order(retailer=fee("6.00", "0.60"), supplier=fee("20.00"), total=fee("26.10", "0.50")), "GST"),
    ],
)
def test_fees_that_contradict_themselves_wait(message: OrderMessage, word: str) -> None:
    assert word in does_not_add_up(message)
    assert all(one.problem for one in charges(message))


def test_fees_that_add_up_do_not_wait() -> None:
    message = order(retailer=fee("6.00", "0.60"), supplier=fee("20.00"), total=fee("26.00", "0.60"))
    assert does_not_add_up(message) == ""
    assert [one.problem for one in charges(message)] == ["", ""]


def told(*messages: OrderMessage) -> list[Recorded]:
    return [Recorded(seq, message, Source.FEED, START) for seq, message in enumerate(messages)]


def test_a_message_silent_on_fees_leaves_them_alone_and_an_explicit_zero_does_not() -> None:
    first = order(retailer=fee("6.00", "0.60"))
    silent, zero = order(status="Changed"), order(retailer=fee("0.00"), supplier=fee("0.00"))
    assert fees_told(told(first, silent)) == first
    assert fees_told(told(first, zero)) == zero
    assert fees_told(told(silent)) is None


def test_the_same_sum_without_its_parts_changes_nothing() -> None:
    parts = order(retailer=fee("6.00", "0.60"), supplier=fee("20.00"))
    assert fees_told(told(parts, order(total=fee("26.00", "0.60")))) == parts
    other = order(total=fee("27.00", "0.60"))
    assert fees_told(told(parts, other)) == other


def brought(wanted: list[Charge], standing: list[Standing], *, gst_included: bool = False) -> list[tuple[str, str, str]]:
    found = differences(wanted, standing, code_taxed="GST", code_untaxed="FREE", gst_included=gst_included)
    return [(line.part, line.code, str(line.cost)) for line in found]


def stands(part: str, n: int, code: str, cost: str, *, taxed: bool) -> Standing:
    return Standing(part, n, code, taxed, D(cost), D("0.00"))


def test_nothing_is_posted_when_all_stands() -> None:
    assert brought([Charge("T", False, D("20.00"), D("0.00"))], [stands("T", 1, "FREE", "20.00", taxed=False)]) == []


def test_a_changed_fee_posts_its_difference_only() -> None:
    standing = [stands("T", 1, "FREE", "20.00", taxed=False)]
    assert brought([Charge("T", False, D("25.50"), D("0.00"))], standing) == [("T", "FREE", "5.50")]
    assert brought([Charge("T", False, D("15.00"), D("0.00"))], standing) == [("T", "FREE", "-5.00")]


def test_parts_that_change_are_each_brought_to_their_new_sum() -> None:
    wanted = [Charge("R", True, D("6.00"), D("0.60")), Charge("S", False, D("20.00"), D("0.00"))]
    standing = [stands("T", 1, "FREE", "26.00", taxed=False)]
    assert brought(wanted, standing) == [("T", "FREE", "-26.00"), ("R", "GST", "6.00"), ("S", "FREE", "20.00")]


def test_a_changed_code_is_taken_back_first_and_posted_anew() -> None:
    wanted = [Charge("T", True, D("20.00"), D("2.00"))]
    assert brought(wanted, [stands("T", 1, "FREE", "20.00", taxed=False)]) == [("T", "FREE", "-20.00"), ("T", "GST", "20.00")]


def test_a_part_that_falls_to_zero_keeps_its_code() -> None:
    assert brought([], [stands("S", 1, "GST", "20.00", taxed=True)]) == [("S", "GST", "-20.00")]


def test_a_renamed_code_in_the_settings_moves_nothing_that_stands() -> None:
    standing = [stands("T", 1, "OLD-FREE", "20.00", taxed=False)]
    assert brought([Charge("T", False, D("20.00"), D("0.00"))], standing) == []
    assert brought([Charge("T", False, D("21.00"), D("0.00"))], standing) == [("T", "OLD-FREE", "1.00")]


def test_amounts_with_gst_hold_the_whole() -> None:
    assert brought([Charge("T", True, D("20.00"), D("2.00"))], [], gst_included=True) == [("T", "GST", "22.00")]


@pytest.mark.parametrize(
    ("cost", "percent", "expected"),
    [
        ("10.00", "0", "10.00"),
        ("10.05", "10", "11.06"),
        ("-10.05", "10", "-11.06"),
        ("0.01", "50", "0.02"),
        ("33.33", "12.5", "37.50"),
    ],
)
def test_a_markup_is_rounded_half_up_to_the_cent(cost: str, percent: str, expected: str) -> None:
    assert price(D(cost), D(percent)) == D(expected)


cents = st.integers(-100_000, 100_000).map(lambda number: D(number) / 100)
fees = st.builds(lambda net, gst: Fee(net, gst, net + gst), cents, cents)


@given(retailer=fees, supplier=fees)
def test_the_lines_always_add_up_to_the_fees(retailer: Fee, supplier: Fee) -> None:
    """D19: whatever the split, not a cent is made or lost."""
    found = charges(order(retailer=retailer, supplier=supplier))
    assert sum((one.net or D(0) for one in found), D(0)) == sum(f.net for f in (retailer, supplier) if f.net or f.gst)
    assert sum((one.gst or D(0) for one in found), D(0)) == retailer.gst + supplier.gst


standings = st.lists(
    st.builds(
        lambda part, code, cost: Standing(part, 1, code, code == "GST", cost, D("0.00")),
        st.sampled_from("TRS"),
        st.sampled_from(["GST", "FREE"]),
        cents,
    ),
    max_size=6,
)


@given(retailer=fees, supplier=fees, standing=standings, included=st.booleans())
def test_differences_bring_every_part_to_its_sum_and_then_there_is_nothing_left(
    retailer: Fee, supplier: Fee, standing: list[Standing], included: bool
) -> None:
    wanted = charges(order(retailer=retailer, supplier=supplier))
    found = differences(wanted, standing, code_taxed="GST", code_untaxed="FREE", gst_included=included)
    after = [*standing, *(Standing(line.part, 9, line.code, line.taxed, line.cost, line.gst) for line in found)]
    for part in "TRS":
        target = sum(((one.net or D(0)) + ((one.gst or D(0)) if included else 0) for one in wanted if one.part == part), D(0))
        assert sum((line.cost for line in after if line.part == part), D(0)) == target
    assert differences(wanted, after, code_taxed="GST", code_untaxed="FREE", gst_included=included) == ()
