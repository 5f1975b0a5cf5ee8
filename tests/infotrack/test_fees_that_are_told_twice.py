"""A message tells its fees in parts and as a sum, and one of the two may be what a program writes that knows nothing: zero."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from desktop.services.infotrack.messages import read
from desktop.services.infotrack.model import Incoming, OrderMessage, Source
from desktop.services.ledger.charges import charges
from tests.delivery.stand_in import Books, Clock, Office

SYDNEY = ZoneInfo("Australia/Sydney")
ZERO = {f"{group}{member}": "0.00" for group in ("RetailerFee", "SupplierFee", "TotalFee") for member in ("", "GST", "Total")}
SUM = {"TotalFee": "26.00", "TotalFeeGST": "0.60", "TotalFeeTotal": "26.60"}
PARTS = {
    "RetailerFee": "6.00", "RetailerFeeGST": "0.60", "RetailerFeeTotal": "6.60",
    "SupplierFee": "20.00", "SupplierFeeGST": "0.00", "SupplierFeeTotal": "20.00",
}  # fmt: skip


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    clock = Clock()
    made = Office(tmp_path, clock, Books(clock))
    yield made
    made.ledger.close()


def message(*fees: dict[str, str], **more: object) -> OrderMessage:
    told: dict[str, object] = {"OrderId": 71000123, "ClientReference": "J001", "ServiceName": "Title Search"}
    for part in fees:
        told |= part
    return read(json.dumps(told | more).encode(), SYDNEY)[0]


def test_parts_of_zero_beside_a_sum_wait_for_a_person_and_are_not_lost() -> None:
    (charge,) = charges(message(ZERO, SUM))
    assert charge.net is None
    assert "do not add up" in charge.problem


def test_a_sum_of_zero_beside_its_parts_waits_with_what_the_parts_say() -> None:
    found = charges(message(ZERO, PARTS))
    assert [charge.net for charge in found] == [Decimal("6.00"), Decimal("20.00")]
    assert all("do not add up" in charge.problem for charge in found)


def test_zero_throughout_is_no_charge_and_nothing_to_look_at() -> None:
    assert charges(message(ZERO)) == ()


def test_a_later_message_that_contradicts_itself_takes_nothing_back_by_itself(office: Office) -> None:
    """What stands in the books stays until somebody has looked."""
    office.ledger.record([Incoming(message(PARTS, SUM, SequenceNumber=1), b"1", Source.FEED)])
    office.deliver()
    before = office.amounts()
    assert sum(before.values()) == Decimal("26.00")
    office.ledger.record([Incoming(message(ZERO, SUM, SequenceNumber=2), b"2", Source.FEED)])
    office.deliver()
    confirmed = {key for key, state in office.states().items() if state == "confirmed"}
    assert confirmed == set(before)
    assert "held" in office.states().values()


@pytest.mark.parametrize(
    "told",
    [{"RetailerFeeTotal": "0.00"}, {"RetailerFee": 0, "RetailerFeeGST": None}, {"RetailerFeeTotal": "0", "RetailerFeeGST": "0"}],
)
def test_a_fee_of_nothing_has_no_gst_to_guess(told: dict[str, str]) -> None:
    supplier = {name: value for name, value in PARTS.items() if name.startswith("Supplier")}
    (charge,) = charges(message(told, supplier))
    assert (charge.net, charge.problem) == (Decimal("20.00"), "")


@pytest.mark.parametrize("told", [{"RetailerFeeGST": "0.00"}, {"RetailerFeeTotal": "6.60"}])
def test_a_fee_of_something_is_not_guessed(told: dict[str, str]) -> None:
    assert "missing" in " ".join(message(told).problems)
