"""The orders that most of the courier's tests are about, and what goes wrong with them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from desktop.services.errors import AnswerLost, ServiceError
from tests.delivery.stand_in import Office, fee

D = Decimal
R, S, T1, DOC = "IT-71000123-R-1", "IT-71000123-S-1", "IT-71000123-T-1", "IT-71000123-D-1"
LOST = AnswerLost("The server did not answer in time.")
MIXED: dict[str, Any] = {"retailer": fee("6.00", "0.60"), "supplier": fee("20.00")}
PLAIN: dict[str, Any] = {"supplier": fee("20.00")}


def fails_once(office: Office, call: str, error: ServiceError, *, times: int = 1) -> None:
    left = [times]

    def fault(name: str, what: str) -> ServiceError | None:
        if name == call and left[0] > 0:
            left[0] -= 1
            return error
        return None

    office.practice.fault = fault


def set_by_hand(office: Office, key: str, cost: str) -> None:
    (lines,) = office.books.costs.values()
    index = next(index for index, line in enumerate(lines) if key in line.keys)
    lines[index] = replace(lines[index], unit_cost=D(cost), unit_price=D(cost))
