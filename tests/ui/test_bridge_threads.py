"""The adapter between windows and services: who runs where, and what comes back."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import pytest
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.services.desk import ActionFailed, Desk
from desktop.ui.bridge import UNEXPECTED, Bridge
from tests.ui.conftest import MakeBridge
from tests.ui.fake_desk import FakeDesk, connection, status


def _search(text: str) -> Callable[[Desk], object]:
    return lambda desk: desk.find_matters(text)


def _noting(got: list[str], text: str) -> Callable[[object], None]:
    return lambda _: got.append(text)


def test_work_runs_elsewhere_and_its_answer_comes_back_here(qtbot: QtBot, bridge: Bridge) -> None:
    here, seen = threading.current_thread(), []
    bridge.run(bridge, lambda desk: threading.current_thread(), lambda thread: seen.append((thread, threading.current_thread())))
    qtbot.waitUntil(lambda: bool(seen))
    worker, back = seen[0]
    assert worker is not here
    assert back is here


def test_a_failed_action_gives_its_sentence(qtbot: QtBot, bridge: Bridge, desk: FakeDesk) -> None:
    desk.fail["retry"] = "It is confirmed already."
    told: list[str] = []
    bridge.run(bridge, lambda d: d.retry("k"), lambda _: told.append("done"), told.append)
    qtbot.waitUntil(lambda: bool(told))
    assert told == ["It is confirmed already."]


def test_an_unexpected_error_is_logged_without_its_text(qtbot: QtBot, bridge: Bridge, caplog: pytest.LogCaptureFixture) -> None:
    """J1: what a library puts into its message may hold a client's name."""
    told: list[str] = []
    name = "Whitlow, Margaret"

    def work(desk: Desk) -> None:
        raise KeyError(name)

    with caplog.at_level(logging.DEBUG):
        bridge.run(bridge, work, lambda _: None, told.append)
        qtbot.waitUntil(lambda: bool(told))
    assert told == [UNEXPECTED]
    assert "KeyError" in caplog.text
    assert "Whitlow" not in caplog.text


def test_nothing_is_called_back_when_the_owner_is_gone(qtbot: QtBot, bridge: Bridge, desk: FakeDesk) -> None:
    gate = desk.hold("deliver_now")
    owner = QObject()
    called: list[object] = []
    bridge.run(owner, lambda d: d.deliver_now(), called.append, called.append)
    with qtbot.waitSignal(owner.destroyed):
        owner.deleteLater()
    gate.set()
    after: list[bool] = []
    bridge.run(bridge, lambda d: d.status(), lambda _: after.append(True))
    qtbot.waitUntil(lambda: bool(after) and not bridge._away)
    assert called == []


def test_in_a_lane_only_the_newest_waits(qtbot: QtBot, bridge: Bridge, desk: FakeDesk) -> None:
    gate = desk.hold("find_matters")
    got: list[str] = []
    for text in ("a", "ab", "abc"):
        bridge.run(bridge, _search(text), _noting(got, text), lane="search")
    gate.set()
    qtbot.waitUntil(lambda: got == ["abc"])
    assert desk.called("find_matters") == [("a",), ("abc",)]


def test_slow_network_work_does_not_hold_up_a_search(qtbot: QtBot, bridge: Bridge, desk: FakeDesk) -> None:
    """D15: interactive calls do not stand behind slow ones."""
    gate = desk.hold("refresh_matters")
    got: list[object] = []
    for _ in range(20):
        bridge.run(bridge, lambda d: d.refresh_matters(), lambda _: None, network=True)
    bridge.run(bridge, lambda d: d.find_matters(""), got.append)
    qtbot.waitUntil(lambda: bool(got))
    gate.set()
    qtbot.waitUntil(lambda: not bridge._away)


def test_a_burst_of_notices_makes_one_look(qtbot: QtBot, bridge: Bridge, desk: FakeDesk) -> None:
    qtbot.waitUntil(lambda: not bridge._away)
    before = len(desk.called("status"))
    with qtbot.waitSignal(bridge.changed):
        threads = [threading.Thread(target=lambda: [desk.notify() for _ in range(50)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(desk.called("status")) - before <= 2


def test_a_status_that_is_the_same_is_not_told_twice(qtbot: QtBot, bridge: Bridge, desk: FakeDesk) -> None:
    with qtbot.assertNotEmitted(bridge.status_changed), qtbot.waitSignal(bridge.changed):
        desk.notify()
    desk.now_status = status(connection(offline=True))
    with qtbot.waitSignal(bridge.status_changed) as told:
        desk.notify()
    assert told.args == [desk.now_status]


def test_work_asked_for_before_the_desk_opens_is_done_then(qtbot: QtBot, desk: FakeDesk) -> None:
    gate = threading.Event()

    def factory(notify: object) -> FakeDesk:
        assert gate.wait(10)
        return desk

    bridge = Bridge(factory)
    got: list[object] = []
    bridge.open()
    for text in ("x", "xy"):
        bridge.run(bridge, _search(text), got.append, lane="search")
    assert desk.calls == []
    gate.set()
    qtbot.waitUntil(lambda: bool(got))
    assert desk.called("find_matters") == [("xy",)]
    bridge.close()


def test_a_desk_that_cannot_be_opened_says_why_to_everyone(qtbot: QtBot) -> None:
    def factory(notify: object) -> FakeDesk:
        raise ActionFailed("The ledger is newer than this program.")

    bridge = Bridge(factory)
    told: list[str] = []
    bridge.run(bridge, lambda d: d.status(), lambda _: None, told.append)
    with qtbot.waitSignal(bridge.open_failed) as failed:
        bridge.open()
    bridge.run(bridge, lambda d: d.status(), lambda _: None, told.append)
    qtbot.waitUntil(lambda: len(told) == 2)
    assert failed.args == ["The ledger is newer than this program."]
    assert set(told) == set(failed.args)
    bridge.close()


def test_a_closed_bridge_answers_nobody_and_waits_for_nothing(qtbot: QtBot, make_bridge: MakeBridge, desk: FakeDesk) -> None:
    bridge = make_bridge(desk)
    gate = desk.hold("order")
    called: list[object] = []
    bridge.run(bridge, lambda d: d.order(d.find_matters("")[0].matter), called.append, called.append, network=True)
    qtbot.waitUntil(lambda: bool(desk.called("order")))
    bridge.close()
    gate.set()
    bridge.notify()
    bridge.run(bridge, lambda d: d.status(), called.append, called.append)
    qtbot.waitUntil(lambda: not any(thread.is_alive() for thread in bridge._network._threads))
    QApplication.processEvents()
    assert called == []


def test_a_question_waits_for_the_person_but_not_for_ever(qtbot: QtBot, bridge: Bridge) -> None:
    """A worker that asks gets the answer; a cancelled one gets None."""
    answers: list[object] = []
    cancelled = threading.Event()

    def seven(answer: Callable[[int], None]) -> None:
        answer(7)

    def never(answer: Callable[[int], None]) -> None:
        cancelled.set()

    bridge.run(bridge, lambda _: bridge.ask(seven, lambda: False), answers.append, network=True)
    bridge.run(bridge, lambda _: bridge.ask(never, cancelled.is_set), answers.append, network=True)
    qtbot.waitUntil(lambda: len(answers) == 2)
    assert set(answers) == {7, None}
