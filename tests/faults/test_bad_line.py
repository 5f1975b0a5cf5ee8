"""The real adapter and courier over a line that is cut at any byte: in the end the books hold each key exactly once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from desktop.services.http import Http, Limits
from desktop.services.practice.keys import keys_in
from desktop.services.practice.model import CostLine
from desktop.services.practice.xero_practice_manager import XeroPracticeManager
from tests.delivery.stand_in import FIRM, XPM, Books, Clock, Office, fee, order
from tests.faults.chaos import BadLine, CostBooks, Harm, Plan
from tests.practice.xpm_server import Gate, Tokens

OWED = Counter({"IT-1-T-1": 1, "IT-2-T-1": 1})
SHORT = Limits(2, 0.25, 1.0)


@dataclass
class Line:
    """The practice system is behind `line`; each `run` is a new PC with a new ledger and empty books."""

    folder: Path
    books: CostBooks
    line: BadLine
    http: Http
    runs: int = 0

    def run(self, plan: Plan | None) -> tuple[Counter[str], dict[str, str]]:
        self.runs += 1
        self.books.costs.clear()
        before = self.line.harmed
        self.line.plan = plan
        clock = Clock()
        folder = self.folder / str(self.runs)
        folder.mkdir()
        office = Office(folder, clock, Books(clock))
        xpm = XeroPracticeManager(self.http, Tokens(), Gate(), f"http://127.0.0.1:{self.line.port}/practicemanager/3.1/")
        office.connections.practices[XPM, FIRM] = xpm  # type: ignore[assignment]  # the real one
        office.receive(order("1", retailer=fee("10.00"), sequence=1), order("2", retailer=fee("5.00"), sequence=2))
        office.deliver_until(3600)
        states = office.states()
        office.ledger.close()
        assert plan is None or self.line.harmed == before + 1, "the harm was not done"
        return Counter(key for _, inner in self.books.costs for key in keys_in(inner)), states


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    books = CostBooks()
    bad, http = BadLine(books.port), Http(limits=SHORT)
    yield Line(tmp_path, books, bad, http)
    http.close()
    bad.close()
    books.close()


def all_bytes(line: Line, harm: Harm, step: int, only: tuple[bytes, bool] | None = None) -> tuple[int, list[str]]:
    """The harm after every `step`-th byte of every request and answer (or of the `only` kind); what went wrong."""
    line.run(None)
    done, wrong = 0, list[str]()
    for (method, of_answer), size in sorted(line.line.sizes.items()):
        if only is not None and only != (method, of_answer):
            continue
        for at in range(0, size + 1, step):
            plan = Plan(method, of_answer, at, harm)
            counted, states = line.run(plan)
            done += 1
            if counted != OWED or set(states.values()) != {"confirmed"}:
                wrong.append(f"{plan}: {dict(counted)} {states}")
    return done, wrong


def test_without_harm_each_key_is_posted_once(line: Line) -> None:
    assert line.run(None) == (OWED, dict.fromkeys(OWED, "confirmed"))


def test_a_credit_keeps_its_sign(line: Line) -> None:
    xpm = XeroPracticeManager(line.http, Tokens(), Gate(), f"http://127.0.0.1:{line.line.port}/practicemanager/3.1/")
    xpm.post_cost(
        CostLine(
            key="IT-1-T-2",
            matter_number="J001",
            matter_id="id-J001",
            on=date(2026, 3, 4),
            description="Credit",
            code="GST",
            note="InfoTrack IT-1-T-2",
            unit_cost=Decimal("-6.00"),
            unit_price=Decimal("-6.60"),
            billable=True,
        )
    )
    posted = line.books.costs[0][1]
    assert "<UnitCost>-6.00</UnitCost>" in posted
    assert "<UnitPrice>-6.60</UnitPrice>" in posted


def test_cut_at_some_bytes_the_books_hold_each_key_once(line: Line) -> None:
    """D3, D4: requests and answers, of reads and of sends, cut at every 61st byte."""
    done, wrong = all_bytes(line, Harm.CUT, 61)
    assert wrong == []
    assert done > 20


@pytest.mark.parametrize("harm", [one for one in Harm if one is not Harm.CUT])
@pytest.mark.parametrize("of_answer", [False, True])
@pytest.mark.parametrize("method", [b"GET", b"POST"])
def test_whatever_else_the_line_does_the_books_hold_each_key_once(line: Line, method: bytes, of_answer: bool, harm: Harm) -> None:
    """D3: stall, trickle, reset, half close, a wrong length; in the middle of a request and of an answer."""
    counted, states = line.run(Plan(method, of_answer, 90, harm))
    assert counted == OWED
    assert set(states.values()) == {"confirmed"}


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("harm", [Harm.CUT, Harm.RESET])
@pytest.mark.parametrize("of_answer", [False, True])
@pytest.mark.parametrize("method", [b"GET", b"POST"])
def test_cut_or_reset_at_every_byte_the_books_hold_each_key_once(line: Line, method: bytes, of_answer: bool, harm: Harm) -> None:
    """D3, D4: every byte."""
    done, wrong = all_bytes(line, harm, 1, (method, of_answer))
    print(f"{harm.name} at bytes of {method.decode()} {'answers' if of_answer else 'requests'}: {done}, wrong: {len(wrong)}")
    assert wrong == []


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("harm", [Harm.STALL, Harm.TRICKLE, Harm.HALF_CLOSE, Harm.TOO_LONG])
def test_whatever_else_the_line_does_at_any_place_the_books_hold_each_key_once(line: Line, harm: Harm) -> None:
    """D3: stall, trickle, half close and a wrong length after every 40th byte of every request and answer."""
    done, wrong = all_bytes(line, harm, 40)
    print(f"{harm.name}: {done}, wrong: {len(wrong)}")
    assert wrong == []
