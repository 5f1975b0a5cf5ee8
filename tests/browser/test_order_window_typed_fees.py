"""What a person may type as an order's fees."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.ui.browser.typed_fees import Fault, TypedFees, check, gst_remark, read_amount

GOOD = {"order_id": "71000123", "service": "Title Search", "retailer_fee": "6", "retailer_gst": ".60"}


def test_what_is_right_comes_back_as_plain_decimal_text() -> None:
    checked = check({**GOOD, "order_id": " 0071 000123 ", "supplier_fee": "$1,020.5", "supplier_gst": "0"}, fees_needed=True)
    assert checked == TypedFees(
        order_id="71000123",
        service="Title Search",
        retailer_fee="6.00",
        retailer_gst="0.60",
        supplier_fee="1020.50",
        supplier_gst="0.00",
    )


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"order_id": ""}, "order_id"),
        ({"order_id": "7100x"}, "order_id"),
        ({"order_id": "0"}, "order_id"),
        ({"order_id": "٧١"}, "order_id"),
        ({"service": "  "}, "service"),
        ({"retailer_fee": "12,5"}, "retailer_fee"),
        ({"retailer_fee": "-1"}, "retailer_fee"),
        ({"retailer_fee": "1e3"}, "retailer_fee"),
        ({"retailer_fee": "100000"}, "retailer_fee"),
        ({"retailer_gst": ""}, "retailer_gst"),
        ({"retailer_gst": "7"}, "retailer_gst"),
        ({"supplier_gst": "1"}, "supplier_fee"),
        ({"retailer_fee": "", "retailer_gst": ""}, "retailer_fee"),
    ],
)
def test_what_is_wrong_is_named_with_its_field(change: dict[str, str], field: str) -> None:
    fault = check({**GOOD, **change}, fees_needed=True)
    assert isinstance(fault, Fault)
    assert fault.field == field
    assert fault.sentence.endswith(".")


def test_a_pdf_may_come_without_fees() -> None:
    assert isinstance(check({"order_id": "1", "service": "x"}, fees_needed=False), TypedFees)


def test_a_fee_taxed_in_part_gets_a_remark() -> None:
    assert gst_remark(TypedFees("1", "x", retailer_fee="6.00", retailer_gst="0.60")) == ""
    assert gst_remark(TypedFees("1", "x", retailer_fee="6.00", retailer_gst="0.00")) == ""
    assert "wait" in gst_remark(TypedFees("1", "x", retailer_fee="6.00", retailer_gst="0.30"))


@given(st.decimals(min_value=0, max_value=Decimal("99999.99"), places=2))
def test_every_amount_survives_being_typed(amount: Decimal) -> None:
    assert read_amount(f"{amount:,.2f}") == f"{amount:.2f}"
    assert read_amount(f"{amount:.2f}") == f"{amount:.2f}"
