"""Orders and postings at the month's end: which costs of last month did not reach their jobs."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pytestqt.qtbot import QtBot

from desktop.services.books import OrderQuery
from desktop.services.ledger.model import DeliveryState
from desktop.ui import words
from desktop.ui.bridge import Bridge
from desktop.ui.deliveries import DeliveriesWindow
from desktop.ui.order_times import Span, midnight, span_of
from tests.ui.conftest import MakeBridge
from tests.ui.fake_desk import FakeDesk, delivery, order
from tests.ui.test_orders_window import opened

S = DeliveryState
Clock = Callable[[], datetime]


@pytest.fixture
def window(qtbot: QtBot, bridge: Bridge, clock: Clock) -> DeliveriesWindow:
    return opened(qtbot, bridge, clock)


@pytest.fixture
def sydney(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This PC stands in Sydney: its clocks go forward on the first Sunday of October, and back on the first of April."""
    if sys.platform == "win32":
        pytest.skip("a process can't choose its zone there")
    monkeypatch.setenv("TZ", "Australia/Sydney")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_a_week_begins_on_monday_and_a_month_on_its_first_day(clock: Clock) -> None:
    now = clock()
    begin = datetime.fromisoformat
    assert span_of("week", now) == Span(begin("2026-03-09T00:00:00+11:00"))
    assert span_of("month", now) == Span(begin("2026-03-01T00:00:00+11:00"))
    assert span_of("last month", now) == Span(begin("2026-02-01T00:00:00+11:00"), begin("2026-03-01T00:00:00+11:00"))
    assert span_of("any", now) == Span()


def test_in_january_last_month_is_december() -> None:
    span = span_of("last month", datetime(2026, 1, 31, 9, tzinfo=ZoneInfo("Australia/Perth")))
    assert (span.since, span.until) == (datetime(2025, 11, 30, 16, tzinfo=UTC), datetime(2025, 12, 31, 16, tzinfo=UTC))


@pytest.mark.parametrize(
    ("now", "since", "until"),
    [
        # In summer time; the month before began without it.
        ("2026-10-20T00:00", "2026-08-31T14:00", "2026-09-30T14:00"),
        ("2026-11-20T00:00", "2026-09-30T14:00", "2026-10-31T13:00"),
        # Without it again; April began with it.
        ("2026-05-20T00:00", "2026-03-31T13:00", "2026-04-30T14:00"),
        ("2026-04-20T00:00", "2026-02-28T13:00", "2026-03-31T13:00"),
    ],
)
def test_a_month_begins_at_its_own_midnight_whatever_the_clocks_do_now(sydney: None, now: str, since: str, until: str) -> None:
    here = datetime.fromisoformat(now).replace(tzinfo=UTC).astimezone()
    span = span_of("last month", here)
    assert span.since is not None
    assert span.until is not None
    assert [f"{one.astimezone(UTC):%Y-%m-%dT%H:%M}" for one in (span.since, span.until)] == [since, until]


def test_a_clock_of_another_zone_keeps_its_own_midnight(sydney: None) -> None:
    """In New York while this PC stands in Sydney."""
    there = datetime(2026, 10, 20, 9, tzinfo=ZoneInfo("America/New_York"))
    assert midnight(date(2026, 10, 1), there).isoformat() == "2026-10-01T00:00:00-04:00"


@pytest.mark.parametrize(
    ("moment", "shown"),
    [("2026-08-03T00:00", "3 Aug 10:00"), ("2026-10-19T22:00", "today 09:00"), ("0001-01-01T00:00", "1 Jan 1 10:04")],
)
def test_a_time_is_told_by_the_clocks_of_its_own_day(sydney: None, moment: str, shown: str) -> None:
    """Reckoned by the hours that the PC is ahead today, all of the winter would be told an hour late."""
    now = datetime.fromisoformat("2026-10-20T00:00").replace(tzinfo=UTC).astimezone()
    assert words.when(datetime.fromisoformat(moment).replace(tzinfo=UTC), now) == shown


def test_a_time_before_the_pcs_own_clock_begins_is_told_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows knows no local time before 1970: it answers with OSError."""

    class Windows(datetime):
        def astimezone(self, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            if tz is None:
                raise OSError(22, "Invalid argument")
            return super().astimezone(tz)

    here = datetime.fromisoformat("2026-10-20T09:00").astimezone()
    assert words.local(Windows(1, 1, 1, tzinfo=UTC), here) == datetime(1, 1, 1, tzinfo=UTC)


def some_of_last_month() -> FakeDesk:
    desk = FakeDesk()
    month = timedelta(days=30)
    desk.all_orders = (
        order("9", delivery("9", "T", S.UNKNOWN), ago=timedelta(days=1)),
        order("8", delivery("8", "T", S.CONFIRMED), delivery("8", "D", S.CONFIRMED), ago=month),
        order("7", delivery("7", "T", S.REJECTED), delivery("7", "D", S.CONFIRMED), ago=month),
        order("6", delivery("6", "T", S.CONFIRMED), delivery("6", "D", S.QUEUED), ago=month),
        order("5", delivery("5", "T", S.CANCELLED), ago=month),
        order("4", delivery("4", "T", S.HELD, number=""), number="", ago=month),
        order("3", ago=month),
        order("2", total=None, gst=None, ago=month),
        order("1", delivery("1", "T", S.QUEUED), ago=2 * month),
    )
    return desk


def test_which_costs_of_last_month_did_not_reach_a_job_is_answered_in_one_place(
    qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, tmp_path: Path
) -> None:
    """List, sums and export alike: what is not confirmed, what no matter claims, and a fee that nobody has planned yet; not what
    was given up, not what was ordered before or after."""
    desk = some_of_last_month()
    window = opened(qtbot, make_bridge(desk), clock)
    window.choose_filter("open")
    qtbot.waitUntil(lambda: window.model.ids() == ("9", "7", "6", "4", "3", "1"))
    window.choose_time("last month")
    qtbot.waitUntil(lambda: window.model.ids() == ("7", "6", "4", "3"))
    qtbot.waitUntil(lambda: window.count.text() == "4 orders · $60.28 ex GST + $6.04 GST = $66.32")
    window.export(tmp_path / "open.csv")
    qtbot.waitUntil(lambda: "4 orders written" in window.message.text())
    begin = datetime.fromisoformat
    wanted = OrderQuery(since=begin("2026-02-01T00:00:00+11:00"), until=begin("2026-03-01T00:00:00+11:00"), not_in_books=True)
    assert desk.called("export_orders") == [(wanted, tmp_path / "open.csv")]
    assert (wanted,) in desk.called("sum_orders")


def test_the_time_narrows_what_every_other_choice_shows(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock) -> None:
    window = opened(qtbot, make_bridge(some_of_last_month()), clock)
    for name in ("month", "week"):
        window.choose_time(name)
        qtbot.waitUntil(lambda: window.model.ids() == ("9",))
        window.choose_time("any")
        qtbot.waitUntil(lambda: window.model.rowCount() == 9)
    window.choose_time("last month")
    qtbot.waitUntil(lambda: window.model.ids() == ("8", "7", "6", "5", "4", "3", "2"))
    window.choose_filter("confirmed")
    qtbot.waitUntil(lambda: window.model.ids() == ("8", "7", "6"))
    window.field.setText("8")
    qtbot.waitUntil(lambda: window.model.ids() == ("8",))


def test_an_order_that_somebody_asks_for_is_shown_whatever_time_was_chosen(
    qtbot: QtBot, make_bridge: MakeBridge, clock: Clock
) -> None:
    window = opened(qtbot, make_bridge(some_of_last_month()), clock)
    window.choose_time("week")
    qtbot.waitUntil(lambda: window.model.rowCount() == 1)
    window.open_with("1")
    qtbot.waitUntil(lambda: window.model.id_at(window.list.current_row()) == "1")
    assert window.times.currentText() == "Any time"


def test_a_list_that_a_choice_empties_says_which_and_leads_back(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock) -> None:
    desk = FakeDesk()
    desk.all_orders = (order("1", delivery("1", "T", S.CONFIRMED), ago=timedelta(days=400)),)
    window = opened(qtbot, make_bridge(desk), clock)
    window.choose_time("last month")
    qtbot.waitUntil(lambda: "No orders in that time" in window.empty.words())
    assert "Only orders placed last month are looked at." in window.empty.words()
    window.choose_filter("open")
    qtbot.waitUntil(lambda: "Everything is in the books" in window.empty.words())
    window.field.setText("zzz")
    qtbot.waitUntil(lambda: "Nothing found" in window.empty.words())
    assert window.empty.button.text() == "Show all orders"
    window.empty.button.click()
    qtbot.waitUntil(lambda: window.model.ids() == ("1",))
    assert not window.narrowed()


def test_without_any_order_the_way_on_leads_to_the_picker(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock) -> None:
    desk = FakeDesk()
    desk.all_orders = ()
    window = DeliveriesWindow(make_bridge(desk), clock=clock)
    qtbot.addWidget(window)
    window.open_with()
    qtbot.waitUntil(lambda: "No orders yet" in window.empty.words())
    assert window.empty.button.text() == "Choose a matter"
    with qtbot.waitSignal(window.open_matter) as told:
        window.empty.button.click()
    assert told.args == [""]


def test_the_choice_of_time_is_heard_by_its_name_and_reached_by_tab(window: DeliveriesWindow) -> None:
    assert window.times.accessibleName() == "Ordered"
    assert [window.times.itemText(row) for row in range(window.times.count())] == [
        "Any time", "This week", "This month", "Last month",
    ]  # fmt: skip
    assert window.filter.nextInFocusChain() is window.times


@pytest.mark.parametrize("before", [1180, 1366])
def test_the_window_fits_half_of_a_small_screen_with_every_choice_whole(
    qtbot: QtBot, window: DeliveriesWindow, before: int
) -> None:
    """As a desktop puts it to one side: at once, and not by and by. At 200 % that is the whole of a small laptop's screen."""
    window.resize(before, 700)
    qtbot.waitUntil(window.add_button.isVisible)
    window.resize(683, 352)
    qtbot.waitUntil(lambda: not window.add_button.isVisible())
    assert (window.width(), window.height()) == (683, 352)
    for box in (window.filter, window.times):
        qtbot.waitUntil(lambda box=box: box.width() >= box.sizeHint().width())  # type: ignore[misc]
    for label in (window.filter_label, window.times_label):
        assert label.width() >= label.sizeHint().width()
    assert window.field.width() >= 100
