"""The windows over a real ledger of 20,000 deliveries: the first paint, filtering, typing, scrolling, and rows that change
under the person's eyes; the trail as one scrolls; an invoice of 5,000 lines. Beside it the same over 200 deliveries, in one
run: their ratio says what the length of a list costs, whatever the machine is doing else.

    python -m benchmarks.orders_window [--deliveries 20000] [--steps 100000] [--lines 5000]

A frame is the time during which the window can't paint or take a key: the longest gap between two ticks of a timer of 1 ms.
«at rest» is the longest such gap while nothing happens at all: the machine's own share.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import desktop.ui  # noqa: F401  # isort: skip  # before any Qt module

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from benchmarks.full_ledger import FIRST_ORDER, fill
from desktop.places import Places
from desktop.services.ledger import rows
from desktop.services.ledger.ledger import Ledger
from desktop.services.office import open_office
from desktop.settings import Practice, Settings
from desktop.ui.audit_window import AuditWindow
from desktop.ui.bridge import Bridge
from desktop.ui.deliveries import DeliveriesWindow
from desktop.ui.first_icon import prepare
from desktop.ui.reconcile_window import ReconcileWindow

Figures = dict[str, float]
"""Milliseconds, all of them."""


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

    def into(self, found: Figures, name: str) -> None:
        """By the clock, and what of it was the window's own work: on a busy machine the first says little."""
        found[f"{name}: longest frame"] = round(max(self.gaps, default=0.0), 1)
        found[f"{name}: longest frame, own work"] = round(max(self.work, default=0.0), 1)


def until(app: QApplication, done: Callable[[], bool], seconds: float = 20) -> float:
    """Runs the event loop until `done`. Gives the milliseconds that took."""
    began = time.perf_counter()
    while not done():
        app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
        if time.perf_counter() - began > seconds:
            raise TimeoutError("it never came to an end")
    return round((time.perf_counter() - began) * 1000, 1)


def rest(app: QApplication, milliseconds: int) -> None:
    over: list[bool] = []
    QTimer.singleShot(milliseconds, lambda: over.append(True))
    until(app, lambda: bool(over))


def measure(app: QApplication, bridge: Bridge, ledger: Path, orders: int) -> Figures:
    watch, found = Watch(), Figures()
    watch.begin()
    rest(app, 400)
    watch.into(found, "at rest")

    began = time.perf_counter()
    window = DeliveriesWindow(bridge)
    found["window made"] = round((time.perf_counter() - began) * 1000, 1)
    watch.begin()
    window.open_with()
    window.list.viewport().repaint()
    found["first paint"] = round((time.perf_counter() - began) * 1000, 1)
    until(app, lambda: window.model.rowCount() == orders and window.model.value(0) is not None)
    window.list.viewport().repaint()
    found["first rows painted"] = round((time.perf_counter() - began) * 1000, 1)
    until(app, lambda: window.sums is not None and window.pane.order() is not None)
    rest(app, 600)
    watch.into(found, "opening")

    def act(name: str, do: Callable[[], object], done: Callable[[], bool]) -> None:
        watch.begin()
        do()
        found[name] = until(app, done)
        rest(app, 300)
        watch.into(found, name)

    def all_again() -> bool:
        return window.model.rowCount() == orders

    act("filter", lambda: window.choose_filter("waiting"), lambda: 0 < window.model.rowCount() < min(100, orders))
    act("back to all", lambda: window.choose_filter("all"), all_again)
    act("type an order's number", lambda: window.field.setText(str(FIRST_ORDER + 77)), lambda: window.model.rowCount() == 1)
    act("type a word", lambda: window.field.setText("plan"), lambda: 1 < window.model.rowCount() < orders)
    act("clear the field", lambda: window.field.clear(), all_again)
    scrolling(app, window, watch, found)
    changing(app, window, ledger, watch, found)
    window.close()
    return found


def scrolling(app: QApplication, window: DeliveriesWindow, watch: Watch, found: Figures) -> None:
    watch.begin()
    bar = window.list.verticalScrollBar()
    paints: list[float] = []
    for step in range(120):
        bar.setValue(int(bar.maximum() * step / 120))
        before = time.perf_counter()
        window.list.viewport().repaint()
        paints.append((time.perf_counter() - before) * 1000)
        rest(app, 16)
    watch.into(found, "scroll through all")
    found["scroll: median paint"] = round(sorted(paints)[len(paints) // 2], 1)
    found["scroll: rows in sight"] = until(app, lambda: window.model.value(window.list.rows_in_sight()[0]) is not None)


def changing(app: QApplication, window: DeliveriesWindow, ledger: Path, watch: Watch, found: Figures) -> None:
    """Another process delivers while the person has scrolled to the middle: rows in sight change and others come."""
    row = window.model.rowCount() // 2
    window.list.go_to(row)
    until(app, lambda: window.model.value(row) is not None)
    rest(app, 300)
    place, chosen = window.list.place(), window.model.id_at(row)
    writer = Ledger.open(ledger, random=Random(3))
    with writer._store.write() as db:
        ids = [window.model.id_at(row + near) for near in range(8)]
        marks = ", ".join("?" for _ in ids)
        db.execute(f"UPDATE delivery SET attempts = attempts + 1 WHERE order_id IN ({marks})", ids)
        for number in range(5):
            db.execute(
                "INSERT INTO customer_order (order_id, first_seen_at, origin, latest, system, tenant, matter_id, matter_number,"
                " needs_plan) SELECT ?, first_seen_at, origin, latest, system, tenant, matter_id, matter_number, 0"
                " FROM customer_order LIMIT 1",
                (str(FIRST_ORDER + 900_000 + number),),
            )
    writer.close()
    before = window.model.rowCount()
    watch.begin()
    window.look()
    found["rows change"] = until(app, lambda: window.model.rowCount() == before + 5)
    rest(app, 400)
    watch.into(found, "rows change")
    if window.model.id_at(window.list.current_row()) != chosen or window.list.place().order_id != place.order_id:
        raise SystemExit("The person's place was lost.")


def trail(app: QApplication, bridge: Bridge) -> Figures:
    """The trail's window: opened, and scrolled down through twenty pages of it."""
    watch, found = Watch(), Figures()
    began = time.perf_counter()
    window = AuditWindow(bridge)
    watch.begin()
    window.open_with()
    until(app, lambda: bool(window.model.steps))
    window.table.viewport().repaint()
    found["trail: first rows painted"] = round((time.perf_counter() - began) * 1000, 1)
    rest(app, 200)
    watch.into(found, "trail: opening")
    watch.begin()
    bar = window.table.verticalScrollBar()
    for _ in range(20):
        if window._all:
            break
        many = len(window.model.steps)
        # The bar learns of the rows that came when the table is laid out.
        rest(app, 16)
        bar.setValue(bar.maximum())
        until(app, lambda many=many: len(window.model.steps) > many or window._all)  # type: ignore[misc]
    rest(app, 100)
    watch.into(found, "trail: scrolling")
    watch.begin()
    window.field.setText(str(FIRST_ORDER + 77))
    found["trail: an order's answer"] = until(app, window.answer.isVisible)
    rest(app, 200)
    watch.into(found, "trail: an order's answer")
    window.close()
    return found


def invoice(app: QApplication, bridge: Bridge, file: Path) -> Figures:
    watch, found = Watch(), Figures()
    window = ReconcileWindow(bridge)
    window.bring_forward()
    rest(app, 100)
    watch.begin()
    window.compare(file)
    found["invoice: compared and shown"] = until(app, lambda: bool(window.model.orders))
    rest(app, 200)
    watch.into(found, "invoice")
    watch.begin()
    window.filter.setCurrentIndex(0)
    bar = window.table.verticalScrollBar()
    for step in range(60):
        bar.setValue(int(bar.maximum() * step / 60))
        rest(app, 16)
    watch.into(found, "invoice: all of it, and scrolling")
    window.close()
    return found


def write_invoice(file: Path, lines: int) -> Path:
    with file.open("w", encoding="utf-8") as out:
        out.write("OrderId,ServiceName,Date,TotalFee,TotalFeeGST,TotalFeeTotal\n")
        for number in range(lines):
            out.write(f"{FIRST_ORDER + number},Title Search,2026-01-05,{number % 90 + 3}.00,{(number % 90 + 3) / 10:.2f},\n")
    return file


def lengthen(ledger: Path, steps: int) -> None:
    writer = Ledger.open(ledger, random=Random(4))
    with writer._store.write() as db:
        now = datetime.now(UTC)
        for number in range(steps):
            rows.write_step(db, now, "looked at", order_id=str(FIRST_ORDER + number // 8), by="the courier")
    writer.close()


def run(app: QApplication, folder: Path, deliveries: int, steps: int, lines: int) -> Figures:
    where = Places(folder / "profile", explicit=True)
    where.profile.mkdir(mode=0o700, parents=True)
    orders = fill(where.ledger, deliveries)
    lengthen(where.ledger, steps)
    office = open_office(Settings(practice=Practice(system="xero-practice-manager")), folder / "platform.toml", where)
    bridge = Bridge(lambda notify: office)
    bridge.open()
    until(app, lambda: bridge.is_open and bridge.status is not None)
    found = measure(app, bridge, where.ledger, orders)
    found |= trail(app, bridge)
    found |= invoice(app, bridge, write_invoice(folder / "invoice.csv", lines))
    bridge.close()
    office.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deliveries", type=int, default=20_000)
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--lines", type=int, default=5_000)
    options = parser.parse_args()
    app = QApplication([])
    prepare(app)
    with tempfile.TemporaryDirectory(prefix="iconnect-benchmark-") as made:
        folder = Path(made)
        # The first windows of a program pay for fonts and styles; those that are counted show what the lists cost.
        run(app, folder / "first", 200, 1_000, 50)
        few = run(app, folder / "few", 200, 1_000, 50)
        many = run(app, folder / "many", options.deliveries, options.steps, options.lines)
    table = {name: [value, few[name], round(value / few[name], 1) if few[name] else None] for name, value in many.items()}
    print(f"{'ms with ' + format(options.deliveries, ','):>60} {'with 200':>9} {'ratio':>6}")
    for name, (value, less, ratio) in table.items():
        print(f"{name:<48} {value:>11.1f} {less:>9.1f} {ratio if ratio is not None else '':>6}")


if __name__ == "__main__":
    main()
