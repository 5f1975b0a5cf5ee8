"""The whole way with the real ledger and courier: orders go into Smokeball's books over sockets, and are confirmed by reading."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest

from tests.delivery.stand_in import FIRM, Books, Clock, FakePractice, Office, fee, matter, order
from tests.practice.smokeball_server import SmokeballWorld, said_json
from tests.practice.xpm_server import Asked, Said, Tokens

R, S, DOC = "IT-71000123-R-1", "IT-71000123-S-1", "IT-71000123-D-1"
MIXED: dict[str, Any] = {"retailer": fee("6.00", "0.60"), "supplier": fee("20.00"), "hash": "h1"}


@dataclass
class Firm:
    world: SmokeballWorld
    office: Office
    matters: tuple[str, str]

    def connect(self) -> None:
        """As after a start: the adapter remembers nothing."""
        practice = self.world.made(clock=self.office.clock)
        self.office.connections.practices = {("smokeball", FIRM): cast(FakePractice, practice)}

    def restart(self) -> None:
        self.office.restart()
        self.connect()

    def keys(self) -> list[str]:
        """In the books of Smokeball, as often as they stand there; a file without contents is none."""
        costs = [row["description"].split()[-1] for rows in self.world.expenses.values() for row in rows]
        files = [entry for entries in self.world.files.values() for entry in entries]
        return sorted(costs + [entry.told["additionalData"]["iconnect"] for entry in files if entry.contents])

    def entries(self) -> int:
        return sum(map(len, self.world.files.values()))


@pytest.fixture
def firm(tmp_path: Path) -> Iterator[Firm]:
    clock = Clock()
    world = SmokeballWorld(tokens=Tokens())
    office = Office(tmp_path, clock, Books(clock))
    first, second = (world.add_matter(number) for number in ("J001", "J002"))
    office.lookup.matters = [
        matter("J001", system="smokeball", matter_id=first),
        matter("J002", system="smokeball", matter_id=second),
    ]
    made = Firm(world, office, (first, second))
    made.connect()
    yield made
    office.ledger.close()
    world.close()


def test_an_order_becomes_expenses_and_a_file_and_is_confirmed_when_they_are_seen(firm: Firm) -> None:
    """D2, D16: a 202 confirms nothing."""
    firm.world.shows_at_once = False
    firm.office.receive(order(**MIXED))
    firm.office.deliver()
    assert firm.office.states() == {R: "accepted", S: "accepted", DOC: "accepted"}
    firm.world.show()
    firm.office.deliver_until(60)
    assert firm.office.states() == {R: "confirmed", S: "confirmed", DOC: "confirmed"}
    assert firm.keys() == sorted([R, S, DOC])
    told = {row["description"].split()[-1]: row for row in firm.world.expenses[firm.matters[0]]}
    assert [(told[key]["price"], told[key]["tax"], told[key]["activityCode"]) for key in (R, S)] == [
        (Decimal("6.00"), Decimal("0.60"), "GST"),
        (Decimal("20.00"), Decimal("0.00"), "FREE"),
    ]


@pytest.mark.parametrize("arrived", [True, False])
@pytest.mark.parametrize("restarted", [True, False])
def test_contents_whose_answer_was_lost_end_as_one_file(firm: Firm, arrived: bool, restarted: bool) -> None:
    """D1, D6: also by a program that was started anew and remembers nothing of the entry."""
    lost: list[Asked] = []

    def lose(asked: Asked) -> Said | None:
        if asked.method != "PUT" or lost:
            return None
        lost.append(asked)
        if arrived:
            firm.world.respond(asked)
        return Said(0)

    firm.world.scripted = lose
    firm.office.receive(order(hash="h1"))
    firm.office.deliver()
    assert firm.office.states() == {DOC: "unknown"}
    if restarted:
        firm.restart()
    firm.office.deliver_until(900)
    assert firm.office.states() == {DOC: "confirmed"}
    assert (firm.keys(), firm.entries()) == ([DOC], 1)


def test_a_write_that_was_accepted_and_never_appears_is_never_called_done(firm: Firm) -> None:
    """D6, D16: a late failure shows as absence. It is sent again, or a person is told, who may have it sent again."""
    key = "IT-71000123-T-1"
    firm.world.says_to("POST /", said_json({"id": "lost", "href": "/matters/x/expenses/lost"}, 202))
    firm.office.receive(order(supplier=fee("20.00")))
    firm.office.deliver()
    firm.office.deliver_until(1_200)
    (delivery,) = firm.office.ledger.deliveries()
    if delivery.waiting_for_person:
        assert firm.keys() == []
        firm.office.ledger.retry(key)
        firm.office.deliver_until(1_200)
    assert firm.office.states() == {key: "confirmed"}
    assert firm.keys() == [key]


def test_a_matter_that_nobody_here_may_see_keeps_no_other_waiting(firm: Firm) -> None:
    """D11: 403 on one matter."""
    hidden = f"/matters/{firm.matters[0]}"
    firm.world.scripted = lambda asked: said_json({"message": "Forbidden"}, 403) if asked.path.startswith(hidden) else None
    firm.office.receive(order(number="J001", supplier=fee("20.00")), order("71000124", number="J002", supplier=fee("20.00")))
    firm.office.deliver()
    firm.office.deliver_until(1_800)
    assert firm.office.states()["IT-71000124-T-1"] == "confirmed"
    assert firm.office.states()["IT-71000123-T-1"] != "confirmed"


def test_a_second_pc_that_reads_first_sends_nothing_that_is_there(firm: Firm, tmp_path: Path) -> None:
    """D9: two ledgers, one firm."""
    firm.office.receive(order(**MIXED))
    firm.office.deliver()
    folder = tmp_path / "second"
    folder.mkdir()
    second = Office(folder, firm.office.clock, Books(firm.office.clock), lookup=firm.office.lookup)
    try:
        other = Firm(firm.world, second, firm.matters)
        other.connect()
        second.receive(order(**MIXED))
        second.deliver()
        second.deliver_until(timedelta(minutes=5).total_seconds())
        assert set(second.states().values()) == {"confirmed"}
    finally:
        second.ledger.close()
    assert (firm.keys(), firm.entries()) == (sorted([R, S, DOC]), 1)


def test_a_difference_is_posted_against_what_stands_with_the_markup_in_it(firm: Firm) -> None:
    firm.office.change_settings(markup_percent=10)
    practice = firm.world.made(clock=firm.office.clock, markup_percent=Decimal(10))
    firm.office.connections.practices = {("smokeball", FIRM): cast(FakePractice, practice)}
    firm.office.receive(order(supplier=fee("20.00"), sequence=1))
    firm.office.deliver()
    firm.office.receive(order(supplier=fee("17.55"), sequence=2))
    firm.office.deliver()
    firm.office.deliver_until(600)
    prices = [row["price"] for row in firm.world.expenses[firm.matters[0]]]
    assert prices == [Decimal("22.00"), Decimal("-2.70")]
    assert set(firm.office.states().values()) == {"confirmed"}
