"""One profile's services put together, with more than one practice system set up and nobody signed in."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from desktop.places import places
from desktop.services.desk import ActionFailed, ConnectionState, OrderFilter, TypedResult
from desktop.services.ledger.model import DeliveryState
from desktop.services.office import Office, open_office
from desktop.services.practice.model import Matter
from desktop.settings import Costs, Practice, Settings, Smokeball, WorkflowMax, Xero


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    settings = Settings(
        practice=Practice(system="workflowmax"),
        xero=Xero(client_id=""),
        workflowmax=WorkflowMax(client_id="w"),
        smokeball=Smokeball(client_id="s"),
        costs=Costs(code_taxed="SEARCH", code_untaxed="SEARCH"),
    )
    made = open_office(settings, tmp_path / "platform.toml", places(str(tmp_path / "profile"), {}))
    yield made
    made.close()


def typed(matter: str) -> TypedResult:
    return TypedResult(
        order_id="71000123", matter_number=matter, service="Title", supplier_fee=Decimal("20.00"), supplier_gst=Decimal("0.00")
    )


def hold_a_copy(office: Office) -> None:
    """Both systems were read before, and have a matter of the same number."""
    for system, tenant in (("smokeball", "firm-1"), ("workflowmax", "org-1")):
        office._matters.directory.replace(system, tenant, [Matter(system, tenant, f"{system}-7", "M7", "Lease", "Tui Ltd")])


def test_the_systems_that_are_set_up_can_be_connected_the_firms_own_first(office: Office) -> None:
    told = office.status().connections
    assert [(view.system, view.state) for view in told] == [
        ("workflowmax", ConnectionState.DISCONNECTED),
        ("smokeball", ConnectionState.DISCONNECTED),
    ]


def test_a_result_typed_for_one_systems_matter_waits_there_and_says_for_whose_sign_in(office: Office) -> None:
    hold_a_copy(office)
    office.add_result(typed("smokeball:M7"))
    (view,) = office.orders(OrderFilter())
    assert (view.system, view.matter_id, view.matter_number) == ("smokeball", "smokeball-7", "M7")
    (delivery,) = view.deliveries
    assert delivery.state is DeliveryState.QUEUED
    assert delivery.reason == "Waits for the sign-in to the organisation that its matter belongs to."
    # What is noted at every sign-in.
    office._ledger.remember("organisation smokeball firm-1", "Kauri Law in Smokeball (last signed in: Kim)")
    one = office.order_view("71000123")
    assert one is not None
    assert one.deliveries[0].reason == "Waits for the sign-in to Kauri Law in Smokeball (last signed in: Kim)."


def test_a_number_of_two_systems_without_a_sign_in_waits_for_a_person(office: Office) -> None:
    hold_a_copy(office)
    with pytest.raises(ActionFailed, match=r"smokeball:M7.*workflowmax:M7"):
        office.matter_by_number("M7")
    assert office.matter_by_number("workflowmax:M7").system == "workflowmax"
    office.add_result(typed("M7"))
    (view,) = office.orders(OrderFilter())
    assert view.matter_id == ""
    assert view.deliveries[0].state is DeliveryState.HELD
