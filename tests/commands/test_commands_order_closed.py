"""`iconnect order` for a matter that is closed, at a terminal and in a script."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from desktop.order_question import settle
from desktop.services.advice import BeforeOrder, EarlierOrder, LastPrice
from desktop.services.desk import ActionFailed
from desktop.services.practice.model import Matter
from tests.commands.installation import NEEDS_PERSON, XPM, Installation, Outside
from tests.commands.terminal import terminal


def matter(number: str, *, is_open: bool | None = True) -> Matter:
    state = "Completed" if is_open is False else "In Progress"
    return Matter(XPM, "tenant", f"id-{number}", number, f"Matter {number}", "Tui Ltd", "c-1", state, is_open=is_open)


@dataclass
class Advice:
    """Answers as it is told; `gate` holds the practice system's answer back."""

    now: Callable[[Matter], Matter] = lambda one: one
    others: tuple[Matter, ...] = ()
    known: BeforeOrder = field(default_factory=BeforeOrder)
    gate: threading.Event | None = field(default=None)

    def before_order(self, matter: Matter) -> BeforeOrder:
        return self.known

    def as_it_is_now(self, matter: Matter) -> Matter:
        if self.gate is not None:
            self.gate.wait(60)
        return self.now(matter)

    def open_matters_of_client(self, matter: Matter, limit: int = 20) -> tuple[Matter, ...]:
        return self.others[:limit]


def closed_now(one: Matter) -> Matter:
    return replace(one, state="Completed", is_open=False)


def answers(*lines: str) -> Callable[[], str]:
    given = iter(lines)
    return lambda: next(given) + "\n"


OPEN, OTHER = matter("M1"), matter("M2")


@pytest.mark.parametrize(
    ("typed", "chosen"), [("", None), ("n", None), ("2", None), ("y", "M1"), ("YES", "M1"), ("1", "M2"), ("0", None)]
)
def test_a_closed_matter_is_asked_about_and_another_one_offered(typed: str, chosen: str | None) -> None:
    """Product complaint 16: closed since the list was read, and found out by asking."""
    said: list[str] = []
    found = settle(OPEN, Advice(closed_now, (OTHER,)), said.append, answers(typed))
    assert (found.number if found is not None else None) == chosen
    assert any("M1 is closed (Completed)" in line and "may refuse the cost" in line for line in said)
    assert any(line.split() == ["1", "M2", "Matter", "M2"] for line in said)


def test_an_open_matter_asks_nothing() -> None:
    def never() -> str:
        raise AssertionError("nobody is asked")

    said: list[str] = []
    assert settle(OPEN, Advice(), said.append, never) == OPEN
    assert said == []


def test_a_script_is_told_and_its_window_opens() -> None:
    said: list[str] = []
    found = settle(matter("M1", is_open=False), Advice(), said.append, None)
    assert found is not None
    assert found.number == "M1"
    assert any("is closed" in line for line in said)


def test_a_practice_system_that_is_away_or_stalls_keeps_nobody_from_ordering(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_: Matter) -> Matter:
        raise ActionFailed("Xero Practice Manager can't be reached.")

    assert settle(OPEN, Advice(away), lambda _: None, answers()) == OPEN
    monkeypatch.setattr("desktop.order_question.PATIENCE_S", 0.05)
    gate = threading.Event()
    try:
        assert settle(OPEN, Advice(closed_now, gate=gate), lambda _: None, answers()) == OPEN
    finally:
        gate.set()


def test_what_was_ordered_lately_and_its_price_are_told() -> None:
    """Product section 5, item 7: on the command line too."""
    at = datetime(2026, 3, 11, 1, 30, tzinfo=UTC)
    earlier: Sequence[EarlierOrder] = (
        EarlierOrder("1", "Title Search", "12/SP34567", at, "Priya Raman", Decimal("16.58"), 2, ("M7",)),
    )
    prices = (LastPrice("Title Search", Decimal("1016.58"), at),)
    said: list[str] = []
    assert settle(OPEN, Advice(known=BeforeOrder(tuple(earlier), prices)), said.append, None) == OPEN
    assert said[0].startswith("Title Search 12/SP34567 was ordered 2 times, last on 1")
    assert said[0].endswith("Mar 2026 at " + f"{at.astimezone():%H:%M} by Priya Raman, also for M7.")
    assert said[1] == "Price last paid, with GST: Title Search $1,016.58"


def test_at_a_terminal_a_closed_job_opens_nothing_unless_a_person_says_so(pc: Installation, world: Outside) -> None:
    """Product complaint 16, with the real command and the sandbox's own closed job."""
    closed = next(
        job for job in world.sandbox.get("/api/jobs?limit=400") if job["state"] == "Completed" and job["number"].startswith("J0")
    )
    ours, theirs = terminal()
    try:
        with pc.start("order", closed["number"], stdin=theirs, stdout=-1, stderr=-1) as process:
            os.write(ours, b"\n")
            out, err = process.communicate(timeout=60)
    finally:
        os.close(ours)
        os.close(theirs)
    assert process.returncode == NEEDS_PERSON, err
    assert f"{closed['number']} is closed (Completed)" in err
    assert "Nothing was opened." in err
    assert "Traceback" not in err
    assert out == ""


def test_an_order_window_that_can_not_open_says_so(pc: Installation, world: Outside) -> None:
    """Product complaint 14: told to whoever ordered, and not only to a log."""
    if os.geteuid() != 0:
        pytest.skip("only root is refused by the browser engine")
    said = pc.run("order", world.jobs()[0]["number"])
    assert said.status == NEEDS_PERSON
    assert "does not run as root" in said.err
