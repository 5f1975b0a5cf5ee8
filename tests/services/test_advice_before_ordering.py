"""What a person is told of a matter before a search is ordered for it, from a real ledger and a real copy of the matters."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from desktop.places import places
from desktop.services.infotrack.model import Fee, Incoming, OrderMessage, Source
from desktop.services.matter_advice import MatterAdvice
from desktop.services.office import Office, open_office
from desktop.services.practice.model import Matter
from desktop.settings import Practice, Settings, SystemName

XPM: SystemName = "xero-practice-manager"
NOW = datetime.now(UTC)


def matter(number: str, client: str = "Tui Ltd", *, state: str = "In Progress", is_open: bool | None = True) -> Matter:
    return Matter(XPM, "tenant", f"id-{number}", number, f"Matter {number}", client, f"c-{client}", state, is_open=is_open)


MATTERS = (
    matter("M1"),
    matter("M2"),
    matter("M3", state="Done", is_open=False),
    matter("M4", state="Done", is_open=False),
    matter("M5", state="Done", is_open=False),
    matter("M6", "Kea Pty Ltd"),
)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = open_office(Settings(practice=Practice(system=XPM)), tmp_path / "platform.toml", places(str(tmp_path / "profile"), {}))
    made._matters.directory.replace(XPM, "tenant", MATTERS)
    yield made
    made.close()


def ordered(
    office: Office,
    order_id: str,
    number: str,
    *,
    service: str = "Title Search",
    reference: str = "12/SP34567",
    days_ago: float = 3,
    net: str | None = "15.07",
    gst: str = "1.51",
    status: str = "Complete",
    by: str = "Priya Raman",
) -> None:
    fee = None if net is None else Fee(Decimal(net), Decimal(gst), Decimal(net) + Decimal(gst))
    message = OrderMessage(
        order_id,
        client_reference=number,
        reference=reference,
        service=service,
        ordered_by=by,
        ordered_at=NOW - timedelta(days=days_ago),
        status=status,
        retailer=fee,
        total=fee,
    )
    raw = msgspec.json.encode(message)
    office._ledger.record([Incoming(message, raw, Source.TYPED, matter_number=number)])
    office._plan()


def test_the_same_search_ordered_lately_is_told_with_when_and_by_whom(office: Office) -> None:
    """Product section 5, item 7: the same search for the same reference was ordered recently."""
    ordered(office, "71000001", "M1", days_ago=9, by="Tom Becker")
    ordered(office, "71000002", "M1", days_ago=3)
    (told,) = office.advice.before_order(MATTERS[0]).lately
    assert (told.order_id, told.service, told.reference, told.by) == ("71000002", "Title Search", "12/SP34567", "Priya Raman")
    assert told.times == 2
    assert timedelta(days=2.9) < datetime.now(UTC) - told.at < timedelta(days=3.1)


def test_the_same_search_for_another_matter_is_told_too(office: Office) -> None:
    ordered(office, "71000001", "M1")
    ordered(office, "71000002", "M2", reference="12/sp34567 ")
    (told,) = office.advice.before_order(MATTERS[0]).lately
    assert told.elsewhere == ("M2",)


def test_what_is_long_ago_or_cancelled_is_no_repeat(office: Office) -> None:
    ordered(office, "71000001", "M1", days_ago=40)
    ordered(office, "71000002", "M1", status="Cancelled", reference="9/DP1")
    assert office.advice.before_order(MATTERS[0]).lately == ()


def test_the_price_is_the_one_paid_last_and_credits_are_none(office: Office) -> None:
    ordered(office, "71000001", "M2", days_ago=30, net="14.00", gst="1.40")
    ordered(office, "71000002", "M2", days_ago=20)
    ordered(office, "71000003", "M2", days_ago=10, net="-15.07", gst="-1.51")
    ordered(office, "71000004", "M2", days_ago=5, net=None)
    (price,) = office.advice.before_order(MATTERS[0]).prices
    assert (price.service, price.total) == ("Title Search", Decimal("16.58"))


def test_prices_of_services_that_the_matter_had_come_first(office: Office) -> None:
    for number in range(3):
        ordered(office, f"7100001{number}", "M2", service="Plan Image", reference=str(number))
    ordered(office, "71000020", "M1", service="Rates Certificate")
    assert [price.service for price in office.advice.before_order(MATTERS[0]).prices] == ["Rates Certificate", "Plan Image"]


class OnePractice:
    """What the practice system would say of one number."""

    def __init__(self, answer: Matter | None) -> None:
        self.answer = answer

    def practice(self, system: str, tenant: str) -> OnePractice:
        return self

    def matter(self, number: str) -> Matter | None:
        return self.answer


def as_it_is(office: Office, answer: Matter | None, asked: Matter) -> Matter:
    links = OnePractice(answer)
    return MatterAdvice(office._ledger, office._matters.directory, links).as_it_is_now(asked)  # type: ignore[arg-type]


def test_a_matter_closed_since_the_list_was_read_is_seen_where_the_record_tells(office: Office) -> None:
    """Product complaint 16: the job's state is looked at before ordering."""
    assert as_it_is(office, matter("M1", is_open=False), MATTERS[0]).is_open is False


def test_a_state_that_only_closed_matters_carry_tells_where_the_record_does_not(office: Office) -> None:
    """Product complaint 16: a single job's record in Practice Manager has only the firm's own word for its state."""
    assert as_it_is(office, matter("M1", state="Done", is_open=None), MATTERS[0]).is_open is False
    assert as_it_is(office, matter("M1", state="In Progress", is_open=None), MATTERS[0]).is_open is True
    assert as_it_is(office, matter("M1", state="Unheard of", is_open=None), MATTERS[0]).is_open is None


def test_a_usual_word_for_a_job_that_is_over_counts_where_nothing_better_is_known(office: Office) -> None:
    """Product complaint 16: also for a job that was asked for by its number because no list of open ones holds it."""
    unlisted = matter("M9", state="Completed", is_open=None)
    assert as_it_is(office, unlisted, unlisted).is_open is False
    assert as_it_is(office, matter("M1", state="Cancelled", is_open=None), MATTERS[0]).is_open is False
    # A firm that calls its open jobs so knows better.
    office._matters.directory.replace(XPM, "tenant", (*MATTERS, matter("M7", state="Completed")))
    assert as_it_is(office, unlisted, unlisted).is_open is True


def test_a_matter_that_is_not_known_there_or_not_signed_in_stays_as_it_was(office: Office) -> None:
    assert as_it_is(office, None, MATTERS[0]) == MATTERS[0]
    assert office.advice.as_it_is_now(MATTERS[0]) == MATTERS[0]


def test_another_open_matter_of_the_same_client_is_offered(office: Office) -> None:
    """Product complaint 16: offer another job."""
    assert {one.number for one in office.advice.open_matters_of_client(MATTERS[2])} == {"M1", "M2"}
