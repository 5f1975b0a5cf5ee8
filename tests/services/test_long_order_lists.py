"""Lists of orders of any length, straight from a real ledger: what fits, the sums, the pages, and what waits for a yes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from benchmarks.full_ledger import FIRST_ORDER, SERVICES, fill
from desktop.services.books import OrderQuery
from desktop.services.ledger import order_lists
from desktop.services.ledger.ledger import Ledger
from desktop.services.ledger.model import DeliveryState
from desktop.services.practice.model import Matter
from desktop.services.practice_addresses import job_address
from desktop.services.preview import preview, rule

NOW = datetime(2026, 3, 14, 4, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    path: Path = tmp_path_factory.mktemp("long") / "ledger.db"
    fill(path, 600, now=NOW)
    opened = Ledger.open(path, random=Random(1), clock=lambda: NOW)
    yield opened
    opened.close()


def listed(ledger: Ledger, wanted: OrderQuery) -> tuple[str, ...]:
    with ledger.reading() as db:
        return order_lists.listed(db, wanted)


def test_a_list_is_whole_and_newest_first(ledger: Ledger) -> None:
    assert listed(ledger, OrderQuery()) == tuple(str(FIRST_ORDER + n) for n in reversed(range(300)))


def test_its_sums_are_those_of_the_orders_in_it_to_the_cent(ledger: Ledger) -> None:
    for wanted in (OrderQuery(), OrderQuery(text="plan"), OrderQuery(waiting_for_person=True)):
        with ledger.reading() as db:
            sums = order_lists.summed(db, wanted)
            views = order_lists.by_id(db, order_lists.listed(db, wanted), NOW)
        gst = sum((view.gst for view in views if view.gst is not None), Decimal(0))
        total = sum((view.total for view in views if view.total is not None), Decimal(0))
        assert (sums.net, sums.gst, sums.untold) == (total - gst, gst, 0)


def test_every_word_must_be_found_wherever_it_stands(ledger: Ledger) -> None:
    with ledger.reading() as db:
        views = order_lists.by_id(db, order_lists.listed(db, OrderQuery()), NOW)
    wanted = views[3]
    text = f"{wanted.reference.upper()} {wanted.matter_number.lower()}"
    assert wanted.order_id in listed(ledger, OrderQuery(text=text))
    titles = [view.order_id for view in views if view.service == SERVICES[0]]
    assert list(listed(ledger, OrderQuery(text="TITLE search"))) == titles
    assert listed(ledger, OrderQuery(text=f"it-{wanted.order_id}-t-1")) == (wanted.order_id,)


@pytest.mark.parametrize("text", ["%", "_", "\\", "ö", "' OR 1=1 --", "client_reference"])
def test_what_is_typed_is_text_and_nothing_else(ledger: Ledger, text: str) -> None:
    assert listed(ledger, OrderQuery(text=text)) == ()


def test_a_week_is_counted_from_when_it_was_ordered(ledger: Ledger) -> None:
    since = NOW - timedelta(minutes=13 * 10)
    assert len(listed(ledger, OrderQuery(since=since))) == 10


def test_a_time_has_an_end_that_does_not_belong_to_it(ledger: Ledger) -> None:
    """An order on the very moment between two months belongs to the later one, and to one of them only."""
    every = listed(ledger, OrderQuery())
    with ledger.reading() as db:
        bound = order_lists.by_id(db, every[40:41], NOW)[0].ordered_at
    assert bound is not None
    sydney = bound.astimezone(timezone(timedelta(hours=11)))
    assert listed(ledger, OrderQuery(since=sydney)) == every[:41]
    assert listed(ledger, OrderQuery(until=sydney)) == every[41:]
    assert listed(ledger, OrderQuery(since=bound - timedelta(minutes=13), until=bound)) == every[41:42]
    with pytest.raises(ValueError, match="without a zone"):
        listed(ledger, OrderQuery(until=bound.replace(tzinfo=None)))


def test_what_is_not_in_the_books_yet_is_all_that_was_neither_seen_nor_given_up(tmp_path: Path) -> None:
    """Its sums are those of these orders alone, and every other choice narrows it further."""
    path = tmp_path / "ledger.db"
    fill(path, 400, now=NOW)
    done = {DeliveryState.CONFIRMED, DeliveryState.CANCELLED}
    with closing(Ledger.open(path, random=Random(1), clock=lambda: NOW)) as ledger:
        with ledger._store.write() as db:
            for limit, before, after in ((2, "queued", "sending"), (1, "sending", "unknown")):
                which = "SELECT seq FROM delivery WHERE state = ? ORDER BY seq LIMIT ?"
                db.execute(f"UPDATE delivery SET state = ? WHERE seq IN ({which})", (after, before, limit))
        with ledger.reading() as db:
            views = order_lists.by_id(db, order_lists.listed(db, OrderQuery()), NOW)
            sums = order_lists.summed(db, OrderQuery(not_in_books=True))
        wanted = [view for view in views if any(one.state not in done for one in view.deliveries)]
        assert {one.state for view in wanted for one in view.deliveries} >= set(DeliveryState) - done
        assert 0 < len(wanted) < len(views)
        ids = tuple(view.order_id for view in wanted)
        assert listed(ledger, OrderQuery(not_in_books=True)) == ids
        assert sums.net + sums.gst == sum((view.total for view in wanted if view.total is not None), Decimal(0))
        assert listed(ledger, OrderQuery(not_in_books=True, until=wanted[3].ordered_at)) == ids[4:]
        assert listed(ledger, OrderQuery(not_in_books=True, text=ids[0])) == ids[:1]


def test_a_fee_that_has_no_cost_yet_is_not_in_the_books_and_an_order_without_a_fee_owes_nothing(tmp_path: Path) -> None:
    """As when an order waits to be looked at."""
    path = tmp_path / "ledger.db"
    fill(path, 40, now=NOW)
    no_fee = {"90000002": """json_set(%s, '$.total', json('{"net": "0.00", "gst": "0.00"}'))""", "90000003": "%s"}
    with closing(Ledger.open(path, random=Random(1), clock=lambda: NOW)) as ledger:
        before = listed(ledger, OrderQuery(not_in_books=True))
        with ledger._store.write() as db:
            for order_id, latest in ({"90000001": "latest"} | no_fee).items():
                told = latest.replace("%s", "json_remove(latest, '$.retailer', '$.supplier', '$.total')")
                db.execute(
                    "INSERT INTO customer_order (order_id, first_seen_at, origin, latest)"
                    f" SELECT ?, first_seen_at, origin, {told} FROM customer_order ORDER BY seq LIMIT 1",
                    (order_id,),
                )
        assert listed(ledger, OrderQuery(not_in_books=True)) == ("90000001", *before)
        with ledger.reading() as db:
            assert order_lists.summed(db, OrderQuery(text="90000002")).untold == 0
            assert order_lists.summed(db, OrderQuery(text="90000003")).untold == 1


def test_pages_come_in_the_order_asked_for_and_without_what_is_not_there(ledger: Ledger) -> None:
    with ledger.reading() as db:
        views = order_lists.by_id(db, (str(FIRST_ORDER + 5), "1", str(FIRST_ORDER + 2)), NOW)
    assert [view.order_id for view in views] == [str(FIRST_ORDER + 5), str(FIRST_ORDER + 2)]
    assert all(len(view.deliveries) == 2 and not view.steps for view in views)


def test_what_waits_for_a_yes_is_what_can_be_approved(ledger: Ledger) -> None:
    with ledger.reading() as db:
        found = order_lists.approvable(db, OrderQuery())
        assert len(found) == order_lists.summed(db, OrderQuery()).approvable > 0
    assert {one.state for one in found} == {DeliveryState.HELD}
    ledger.approve(found[0].key)
    with ledger.reading() as db:
        assert found[0].key not in {one.key for one in order_lists.approvable(db, OrderQuery())}


def test_a_preview_says_whether_the_matter_is_closed_by_what_is_known(ledger: Ledger) -> None:
    """Product complaint 16: the job's state is looked at before posting."""
    with ledger.reading() as db:
        posting = order_lists.approvable(db, OrderQuery())[0]
    place = posting.place
    at = Matter(place.system, place.tenant, place.matter_id, place.matter_number, "Name", "Client", "c", "Completed", is_open=False)
    assert preview(posting, None, at).closed
    assert not preview(posting, None, replace(at, is_open=True)).closed
    assert not preview(posting, None, None).closed


def test_the_trail_is_paged_backwards_without_a_gap(ledger: Ledger) -> None:
    with ledger.reading() as db:
        first = order_lists.steps_before(db, None, 50)
        second = order_lists.steps_before(db, first[-1].number, 50)
        steps, head = order_lists.trail_head(db)
    numbers = [step.number for step in (*first, *second)]
    assert numbers == list(range(steps, steps - 100, -1))
    assert first[0].hash == head


@pytest.mark.parametrize(
    ("part", "n", "taxed", "net", "gst", "words"),
    [
        ("T", 1, True, "10.00", "1.00", "GST on the whole fee: one line"),
        ("T", 1, False, "10.00", "0.00", "No GST on any of it: one line"),
        ("S", 1, False, "10.00", "0.00", "Supplier fee without GST: a line of its own"),
        ("R", 1, True, "10.00", "1.00", "Retailer fee with GST: a line of its own"),
        ("T", 2, True, "-3.20", "-0.32", "A credit. GST on the whole fee: one line"),
        ("T", 2, True, "3.20", "0.32", "A difference to what was posted before. GST on the whole fee: one line"),
    ],
)
def test_the_rule_of_the_gst_split_is_said_in_words(part: str, n: int, taxed: bool, net: str, gst: str, words: str) -> None:
    """Complaint 11."""
    assert rule(part, n, taxed=taxed, gst=Decimal(gst), net=Decimal(net)) == words


def test_a_jobs_address_is_given_only_where_one_is_known() -> None:
    assert job_address("xero-practice-manager", "abc") == ""
    assert job_address("smokeball", "a-1", region="au").endswith("/view-matter/a-1")
    assert job_address("smokeball", "a-1", region="uk") == ""
    assert job_address("smokeball", "../../x", region="au") == ""


def test_an_orders_whole_number_finds_that_order_alone(ledger: Ledger) -> None:
    """Also where another order's reference holds the same figures."""
    wanted = str(FIRST_ORDER + 12)
    with ledger._store.write() as db:
        db.execute(
            "UPDATE customer_order SET latest = json_set(latest, '$.reference', ?) WHERE order_id = ?",
            (f"see {wanted}", str(FIRST_ORDER + 200)),
        )
    assert listed(ledger, OrderQuery(text=wanted)) == (wanted,)
    assert listed(ledger, OrderQuery(text=f" {wanted} ")) == (wanted,)
    assert listed(ledger, OrderQuery(text=f"see {wanted}")) == (str(FIRST_ORDER + 200),)
    assert set(listed(ledger, OrderQuery(text=wanted[:-1]))) >= {wanted, str(FIRST_ORDER + 200)}
