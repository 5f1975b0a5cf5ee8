"""Amounts that the order window tells are taken as they were typed, or not at all."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from desktop.services.desk import ActionFailed
from desktop.services.order_events import typed_result
from desktop.services.order_protocol import FeesTyped


def told(amount: str) -> Decimal | None:
    event = FeesTyped(id=1, order_id="71", service="Title Search", supplier_fee=amount)
    return typed_result(event, matter_number="J1", download_folder=Path()).supplier_fee


def test_an_amount_is_taken_to_the_cent() -> None:
    assert (told("12.5"), told("")) == (Decimal("12.50"), None)


@pytest.mark.parametrize("amount", ["12.345", "0.001", "1e-9999", "-1", "NaN", "1e6", "Infinity"])
def test_part_of_a_cent_is_not_rounded_away(amount: str) -> None:
    with pytest.raises(ActionFailed):
        told(amount)
