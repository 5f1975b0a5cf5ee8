"""Orders and postings over a real ledger of 20,000 deliveries: the first paint, filtering, typing and scrolling.

    python -m benchmarks.orders_window [--deliveries 20000]

A frame is the time during which the window can't paint or take a key: the longest gap between two ticks of a timer of 1 ms.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import desktop.ui  # noqa: F401  # isort: skip  # before any Qt module

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from benchmarks.full_ledger import FIRST_ORDER, fill
from desktop.places import Places
from desktop.services.office import open_office
from desktop.settings import Practice, Settings
from desktop.ui.bridge import Bridge
from desktop.ui.deliveries import DeliveriesWindow
from desktop.ui.first_icon import prepare


class Watch:
    """Counts what the event loop could not do: `longest` gap between two ticks, in milliseconds."""

    def __init__(self) -> None:
        self.gaps: list[float] = []
        self._last = time.perf_counter()
        self.work: list[float] = []
        self._spent = time.thread_time()
        self._timer = QTimer()
        self._timer.timeout.connect(self._tick)
        self._timer.start(1)

    def begin(self) -> None:
        self.gaps, self._last = [], time.perf_counter()
        self.work, self._spent = [], time.thread_time()

    def _tick(self) -> None:
        now = time.perf_counter()
        self.gaps.append((now - self._last) * 1000)
        self._last = now
        spent = time.thread_time()
        self.work.append((spent - self._spent) * 1000)
        self._spent = spent

    @property
    def longest(self) -> str:
        """By the clock, and what of it was the window's own work: on a busy machine the first says little."""
        return f"{max(self.gaps, default=0.0):.1f} (own work {max(self.work, default=0.0):.1f})"


def until(app: QApplication, done: Callable[[], bool], seconds: float = 20) -> float:
    """Runs the event loop until `done`. Gives the milliseconds that took."""
    began = time.perf_counter()
    while not done():
        app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
        if time.perf_counter() - began > seconds:
            raise SystemExit("It never came to an end.")
    return round((time.perf_counter() - began) * 1000, 1)


def rest(app: QApplication, milliseconds: int) -> None:
    over: list[bool] = []
    QTimer.singleShot(milliseconds, lambda: over.append(True))
    until(app, lambda: bool(over))


def measure(app: QApplication, bridge: Bridge, orders: int) -> dict[str, object]:
    watch = Watch()
    # The first window of a program pays for fonts and styles; a second one shows what the list costs.
    began = time.perf_counter()
    window = DeliveriesWindow(bridge)
    made = (time.perf_counter() - began) * 1000
    watch.begin()
    window.open_with()
    window.list.viewport().repaint()
    painted = (time.perf_counter() - began) * 1000
    rows = until(app, lambda: window.model.rowCount() == orders and window.model.value(0) is not None)
    window.list.viewport().repaint()
    found: dict[str, object] = {
        "orders": orders,
        "window made, ms": round(made, 1),
        "first paint, ms": round(painted, 1),
        "first rows painted, ms": round((time.perf_counter() - began) * 1000, 1),
        "waited for rows, ms": rows,
    }
    until(app, lambda: window.sums is not None)
    rest(app, 600)
    found["longest frame while opening, ms"] = watch.longest
    found["fetched rows"] = len(window.model.values())

    def act(name: str, do: Callable[[], object], done: Callable[[], bool]) -> None:
        watch.begin()
        do()
        took = until(app, done)
        rest(app, 300)
        found[f"{name}, ms"] = took
        found[f"{name}, longest frame, ms"] = watch.longest

    def shows(text: str) -> bool:
        ids = window.model.ids()
        return 0 < len(ids) < orders and text in window.field.text() and window.model.value(0) is not None

    act("filter waiting for me", lambda: window.choose_filter("waiting"), lambda: 0 < window.model.rowCount() < 100)
    act("back to all", lambda: window.choose_filter("all"), lambda: window.model.rowCount() == orders)
    act("type an order's number", lambda: window.field.setText(str(FIRST_ORDER + 77)), lambda: window.model.rowCount() == 1)
    act("type a word", lambda: window.field.setText("plan"), lambda: shows("plan") and window.model.rowCount() > 1)
    act("clear the field", lambda: window.field.clear(), lambda: window.model.rowCount() == orders)

    watch.begin()
    bar = window.list.verticalScrollBar()
    paints: list[float] = []
    for step in range(120):
        bar.setValue(int(bar.maximum() * step / 120))
        before = time.perf_counter()
        window.list.viewport().repaint()
        paints.append((time.perf_counter() - before) * 1000)
        rest(app, 16)
    found["scroll through all, longest frame, ms"] = watch.longest
    found["scroll, longest paint, ms"] = round(max(paints), 1)
    found["scroll, median paint, ms"] = round(sorted(paints)[len(paints) // 2], 1)
    at_end = until(app, lambda: window.model.value(window.list.rows_in_sight()[0]) is not None)
    found["rows in sight after scrolling, ms"] = at_end
    window.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deliveries", type=int, default=20_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="iconnect-benchmark-") as folder:
        where = Places(Path(folder) / "profile", explicit=True)
        where.profile.mkdir(mode=0o700)
        orders = fill(where.ledger, options.deliveries)
        office = open_office(Settings(practice=Practice(system="xero-practice-manager")), Path(folder) / "platform.toml", where)
        app = QApplication([])
        prepare(app)
        bridge = Bridge(lambda notify: office)
        bridge.open()
        until(app, lambda: bridge.is_open and bridge.status is not None)
        runs = [measure(app, bridge, orders) for _ in range(2)]
        print(json.dumps(runs[1], indent=2))
        bridge.close()
        office.close()


if __name__ == "__main__":
    main()
