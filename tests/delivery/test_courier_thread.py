from __future__ import annotations

import multiprocessing
import threading
from pathlib import Path

from desktop.services.delivery.courier import Report
from desktop.services.delivery.turn import Turn
from desktop.services.delivery.worker import CourierThread
from desktop.services.errors import NotSent
from desktop.services.ledger.errors import LedgerDamaged, LedgerTrouble
from tests.delivery.stand_in import Office, fee, matter, order

PATIENCE = 20.0


class Watcher:
    def __init__(self) -> None:
        self.reports: list[Report] = []
        self.failures: list[Exception] = []
        self._news = threading.Condition()

    def on_change(self, report: Report) -> None:
        with self._news:
            self.reports.append(report)
            self._news.notify_all()

    def on_failure(self, error: Exception) -> None:
        with self._news:
            self.failures.append(error)
            self._news.notify_all()

    def wait_for(self, count: int) -> bool:
        with self._news:
            return self._news.wait_for(lambda: len(self.reports) >= count or bool(self.failures), PATIENCE)

    def wait_briefly(self) -> None:
        with self._news:
            self._news.wait(0.05)


def thread_of(office: Office, watcher: Watcher) -> CourierThread:
    return CourierThread(office.courier, office.ledger, on_change=watcher.on_change, on_failure=watcher.on_failure)


def test_it_passes_once_then_sleeps_until_woken_and_stops_when_asked(office: Office) -> None:
    watcher = Watcher()
    thread = thread_of(office, watcher)
    thread.start()
    assert watcher.wait_for(1)
    office.receive(order(supplier=fee("20.00")))
    thread.wake()
    assert watcher.wait_for(2)
    assert office.states() == {"IT-71000123-T-1": "confirmed"}
    assert thread.stop(PATIENCE)
    assert len(watcher.reports) <= 3
    assert watcher.failures == []


def test_waking_for_a_person_tries_what_failed_lately(office: Office) -> None:
    office.practice.fault = lambda name, what: NotSent("The server could not be reached.")
    office.receive(order(supplier=fee("20.00")))
    watcher = Watcher()
    thread = thread_of(office, watcher)
    thread.start()
    assert watcher.wait_for(1)
    office.practice.fault = lambda name, what: None
    thread.wake(forgive=True)
    assert watcher.wait_for(2)
    assert thread.stop(PATIENCE)
    assert office.states() == {"IT-71000123-T-1": "confirmed"}


def test_a_ledger_that_can_not_be_believed_ends_it_and_says_so(office: Office) -> None:
    """C13: nothing is sent from a damaged ledger."""
    office.feed.fault = lambda: LedgerDamaged("The ledger's file is damaged.")
    watcher = Watcher()
    thread = thread_of(office, watcher)
    thread.start()
    assert watcher.wait_for(1)
    assert thread.stop(PATIENCE)
    assert [str(error) for error in watcher.failures] == ["The ledger's file is damaged."]
    assert office.practice.calls == []


def test_a_disk_that_fails_for_a_moment_does_not_end_it(office: Office) -> None:
    """D1: neither while a pass runs nor while it is told to try again what failed lately."""
    office.receive(order(supplier=fee("20.00")))
    troubles = [LedgerTrouble("The disk is full."), LedgerTrouble("The disk is full.")]
    met = threading.Event()
    real_forgive, real_run = office.courier.forgive, office.courier.run_once

    def forgive() -> None:
        if troubles:
            raise troubles.pop()
        real_forgive()

    def run_once(*, collect: bool = True) -> Report:
        if not met.is_set():
            met.set()
            raise LedgerTrouble("The disk is full.")
        return real_run(collect=collect)

    office.courier.forgive = forgive  # type: ignore[method-assign]
    office.courier.run_once = run_once  # type: ignore[method-assign]
    watcher = Watcher()
    thread = thread_of(office, watcher)
    thread.start()
    assert met.wait(PATIENCE)
    # Awake again at once, as for a person; each trouble costs a rest of seconds otherwise.
    while not watcher.reports and not watcher.failures:
        thread.wake(forgive=True)
        watcher.wait_briefly()
    assert thread.stop(PATIENCE)
    assert watcher.failures == []
    assert troubles == []
    assert office.states() == {"IT-71000123-T-1": "confirmed"}


def test_the_turn_is_one_processs_at_a_time(tmp_path: Path) -> None:
    """C10: one process at a time delivers."""
    with Turn(tmp_path).take() as first, Turn(tmp_path).take() as second:
        assert (first, second) == (True, False)
    with Turn(tmp_path).take() as again:
        assert again


def _die_with_the_turn(folder: str) -> None:
    import os

    with Turn(Path(folder)).take() as mine:
        os._exit(0 if mine else 1)


def test_a_turn_goes_with_the_process_that_held_it(tmp_path: Path) -> None:
    """C10: an OS lock, not a left-over file."""
    other = multiprocessing.get_context("spawn").Process(target=_die_with_the_turn, args=(str(tmp_path),))
    other.start()
    other.join(PATIENCE)
    assert other.exitcode == 0
    with Turn(tmp_path).take() as mine:
        assert mine


def test_the_sources_are_not_asked_again_before_their_time_while_deliveries_go_on(office: Office) -> None:
    asked = [0]

    def count() -> None:
        asked[0] += 1

    office.feed.fault = count
    office.receive(*(order(str(80000000 + n), number=f"J{n:03}", supplier=fee("20.00")) for n in range(120)))
    office.lookup.matters[:] = [matter(f"J{n:03}") for n in range(120)]
    watcher = Watcher()
    thread = thread_of(office, watcher)
    thread.start()
    assert watcher.wait_for(3)
    assert thread.stop(PATIENCE)
    assert asked == [1]
    assert set(office.states().values()) == {"confirmed"}


def test_a_stop_is_obeyed_between_two_matters(office: Office) -> None:
    office.receive(*(order(str(80000000 + n), number=f"J{n:03}", supplier=fee("20.00")) for n in range(1, 4)))
    stop = threading.Event()
    office.courier.stopping = stop.is_set

    def fault(name: str, what: str) -> None:
        stop.set()

    office.practice.fault = fault
    office.deliver()
    assert sorted(office.states().values()) == ["confirmed", "queued", "queued"]
