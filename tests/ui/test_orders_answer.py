"""«Was order 71000123 billed, once, when, by whom?»: the number is typed, or its link followed, and the first sentence says so."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from benchmarks.full_ledger import FIRST_ORDER, fill
from desktop.places import Places
from desktop.services.ledger.model import DeliveryState
from desktop.services.office import open_office
from desktop.settings import Practice, Settings
from desktop.ui.bridge import Bridge
from desktop.ui.deliveries import DeliveriesWindow
from desktop.ui.order_pane import OrderPane
from desktop.ui.widgets import Heading, Text
from tests.ui.conftest import MakeBridge
from tests.ui.fake_desk import FakeDesk, delivery, order
from tests.ui.test_orders_window import opened, shows
from tests.ui.test_tray_program import Run, run  # noqa: F401  # a fixture

S = DeliveryState
Clock = Callable[[], datetime]
SECONDS = 10
"""What a bookkeeper has for the answer (reconcile's own aim); the window needs a small part of it."""


def first_sentence(pane: OrderPane) -> str:
    """Below the heading, which names the search."""
    labels = [one for one in pane.findChildren(Text) if one.isVisible() and not isinstance(one, Heading)]
    return min(labels, key=lambda label: label.mapTo(pane, label.rect().topLeft()).y()).text()


def busy_desk() -> FakeDesk:
    desk = FakeDesk()
    billed = order("71000123", delivery("71000123", "T", S.CONFIRMED), delivery("71000123", "D", S.CONFIRMED))
    desk.all_orders = (*desk.all_orders, billed)
    return desk


ANSWER = (
    "Billed once. $15.07 + GST $1.51 = $16.58 to J000101 in Xero Practice Manager. IT-71000123-T-1: sent 14 Mar 2026 15:17 by "
    "iConnect, read back 14 Mar 2026 15:18. Ordered by Priya Raman."
)


def test_the_number_typed_gives_one_row_and_the_answer(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock) -> None:
    """J6: in the window that is open anyway."""
    window = opened(qtbot, make_bridge(busy_desk()), clock)
    QTest.keyClicks(window.field, "71000123")
    qtbot.waitUntil(lambda: window.model.ids() == ("71000123",) and shows(window, "71000123"))
    assert first_sentence(window.pane) == ANSWER


def test_a_link_to_the_order_gives_the_answer(qtbot: QtBot, run: Run) -> None:  # noqa: F811  # the fixture
    """J6: from a mail or a file note."""
    running = run(busy_desk())
    running.app.follow("iconnect://order/71000123")
    window = running.app.deliveries()
    qtbot.waitUntil(lambda: shows(window, "71000123"))
    assert first_sentence(window.pane).startswith("Billed once. $15.07 + GST $1.51 = $16.58 to J000101")
    assert first_sentence(window.pane).endswith("Ordered by Priya Raman.")


@pytest.mark.parametrize(
    ("states", "answer"),
    [
        ((S.QUEUED,), "Not billed yet. IT-7-T-1 is not sent yet."),
        ((S.REJECTED,), "Not billed yet. IT-7-T-1 was refused."),
        ((S.UNKNOWN,), "Sent, not yet seen. IT-7-T-1 was sent, but the answer was lost; it may already be posted."),
        ((S.CANCELLED,), "Not billed. IT-7-T-1 was cancelled before it was sent."),
        ((S.CONFIRMED, S.HELD), "Billed in part. $15.07"),
        ((S.CONFIRMED, S.CONFIRMED), "Billed once. $30.14"),
    ],
)
def test_what_is_not_read_back_is_not_answered_with_billed(
    qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, states: tuple[DeliveryState, ...], answer: str
) -> None:
    """D16: the first sentence of the pane is held to it, too."""
    desk = FakeDesk()
    desk.all_orders = (order("7", *(delivery("7", "T", state, n=n) for n, state in enumerate(states, start=1))),)
    window = opened(qtbot, make_bridge(desk), clock)
    qtbot.waitUntil(lambda: shows(window, "7"))
    assert first_sentence(window.pane).startswith(answer)


def test_the_answer_follows_what_happens(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock) -> None:
    desk = FakeDesk()
    desk.all_orders = (order("7", delivery("7", "T", S.ACCEPTED)),)
    window = opened(qtbot, make_bridge(desk), clock)
    qtbot.waitUntil(lambda: shows(window, "7"))
    assert first_sentence(window.pane).startswith("Sent, not yet seen.")
    desk.set_state("IT-7-T-1", S.CONFIRMED)
    desk.notify()
    qtbot.waitUntil(lambda: first_sentence(window.pane).startswith("Billed once."))


@pytest.fixture
def office_bridge(tmp_path: Path, qtbot: QtBot) -> Iterator[Bridge]:
    where = Places(tmp_path / "profile", explicit=True)
    where.profile.mkdir(mode=0o700)
    # So that references hold the figures of other orders' numbers, as real ones do.
    fill(where.ledger, 2_000)
    office = open_office(Settings(practice=Practice(system="xero-practice-manager")), tmp_path / "platform.toml", where)
    bridge = Bridge(lambda notify: office)
    bridge.open()
    qtbot.waitUntil(lambda: bridge.is_open and bridge.status is not None)
    yield bridge
    bridge.close()
    office.close()


def test_a_real_ledger_answers_within_seconds(qtbot: QtBot, office_bridge: Bridge) -> None:
    """J6: from the keystroke to the sentence, among a thousand orders."""
    window = DeliveriesWindow(office_bridge, clock=lambda: datetime.now(UTC))
    qtbot.addWidget(window)
    window.open_with()
    qtbot.waitUntil(lambda: window.model.rowCount() == 1_000)
    wanted = str(FIRST_ORDER + 123)
    began = time.monotonic()
    QTest.keyClicks(window.field, wanted)
    qtbot.waitUntil(lambda: window.model.ids() == (wanted,) and shows(window, wanted))
    assert time.monotonic() - began < SECONDS
    said = first_sentence(window.pane)
    assert said.startswith("Billed once. $")
    assert f"IT-{wanted}-T-1: read back " in said
    assert said.endswith("Ordered by Priya Raman.")
