"""The refresh of a large firm's matters, from the HTTP answer to the search: python -m benchmarks.refresh [--jobs N] [--rounds N]

A server of its own process gives the list of 100,000 jobs in some 60 MB of XML. Measured are the first refresh, one that finds
nothing new and one that finds one job in a hundred renamed, each whole: request, XML, matters, file, search index, searchable.

«Bare» is the same parser over the same bytes, already in memory, with handlers that do nothing: what any reader of elements
pays. «Reading» is the house's own reading of the same bytes into records that nobody takes. Times are of the processor, summed
over all threads, because other programs on the machine do not count then; the time on the clock stands beside them. Memory is
the highest resident size while refreshing, above the same process before. «Window» is how late a 5 ms timer of a window's
thread ever came while another thread of the process refreshed: once as far as the refresh can have been the cause (not longer
than the refreshing thread worked in that time), and once with all that the machine did besides. Linux only.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from xml.parsers import expat
from xml.sax.saxutils import escape

from benchmarks.matter_names import Firm
from desktop.services.http import Http
from desktop.services.practice.directory import Directory
from desktop.services.practice.job_records import JOBS
from desktop.services.practice.model import Matter
from desktop.services.practice.practice_system import Urgency
from desktop.services.practice.practice_xml import JOB_LIST, Envelope, records
from desktop.services.practice.xero_practice_manager import XeroPracticeManager

_BLOCK = 262_144
_TICK = 5


def body(matters: Iterable[Matter]) -> bytes:
    """Spelled and indented as the vendor's samples are."""
    return "".join(
        ['<Response api-method="Current">\n  <Status>OK</Status>\n  <Jobs>\n', *map(job, matters), "  </Jobs>\n</Response>\n"]
    ).encode()


def job(matter: Matter) -> str:
    staff = "".join(f"<Staff><UUID>{one.id}</UUID><Name>{escape(one.name)}</Name></Staff>" for one in matter.staff)
    manager = matter.staff[0]
    return (
        f"    <Job>\n      <ID>{matter.number}</ID>\n      <UUID>{matter.id}</UUID>\n"
        f"      <Name>{escape(matter.name)}</Name>\n      <Description />\n      <State>{matter.state}</State>\n"
        f"      <ClientOrderNumber />\n      <StartDate>2026-04-01T00:00:00</StartDate>\n"
        f"      <DueDate>2026-09-30T00:00:00</DueDate>\n"
        f"      <Client><UUID>{matter.client_id}</UUID><Name>{escape(matter.client)}</Name></Client>\n"
        f"      <Manager><UUID>{manager.id}</UUID><Name>{escape(manager.name)}</Name></Manager>\n"
        f"      <Assigned>\n        {staff}\n      </Assigned>\n    </Job>\n"
    )


def pieces(data: bytes) -> Iterator[bytes]:
    for at in range(0, len(data), _BLOCK):
        yield data[at : at + _BLOCK]


def bare(data: bytes, *, handlers: bool) -> None:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    if handlers:
        parser.StartElementHandler = lambda name, attributes: None
        parser.EndElementHandler = lambda name: None
        parser.CharacterDataHandler = lambda text: None
    for piece in pieces(data):
        parser.Parse(piece, False)
    parser.Parse(b"", True)


def reading(data: bytes) -> None:
    for _ in records(pieces(data), JOBS, JOB_LIST, Envelope()):
        pass


class _Token:
    tenant = "t"

    def token(self) -> str:
        return "benchmark"

    def rejected(self, token: str) -> str:
        return token


class _Gate:
    def call(self, urgency: Urgency) -> AbstractContextManager[None]:
        return nullcontext()

    def learn(self, status: int, headers: dict[str, str]) -> None:
        pass


def practice(address: str) -> XeroPracticeManager:
    return XeroPracticeManager(Http(), _Token(), _Gate(), address)


def open_directory(path: Path) -> Directory:
    return Directory.open(path, clock=lambda: datetime.now(UTC))


def refresh(directory: Directory, address: str) -> str:
    system = practice(address)
    report = directory.replace(system.name, "t", system.matters())
    return f"{report.new} new, {report.changed} changed of {report.total}"


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of processor and of the clock."""
    began, started = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - began, time.perf_counter() - started


# -- what runs in processes of its own ------------------------------------------------------------------------------


def measure_times(address: str, folder: Path) -> dict[str, tuple[float, float]]:
    data = (folder / "same.xml").read_bytes()
    found = {
        "parser without handlers": timed(lambda: bare(data, handlers=False)),
        "bare": timed(lambda: bare(data, handlers=True)),
        "reading": timed(lambda: reading(data)),
    }
    with tempfile.TemporaryDirectory() as place:
        directory = open_directory(Path(place) / "directory.db")
        for kind, which in (("first", "same"), ("unchanged", "same"), ("1 % changed", "changed")):
            found[kind] = timed(lambda which=which: refresh(directory, f"{address}{which}/"))  # type: ignore[misc]
        if not directory.find("renamed"):
            raise SystemExit("the refresh was not searchable")
        directory.close()
    return found


def resident(what: str = "VmRSS") -> float:
    """In MiB; of this process alone (Linux)."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(what))
    return int(line.split()[1]) / 1024


def measure_memory(address: str, folder: Path) -> dict[str, float]:
    import truststore  # noqa: F401  # idle means: with all that a request needs already imported

    directory = open_directory(folder / "memory.db")
    directory.find("smith")
    found = {}
    for kind, which in (("first", "same"), ("unchanged", "same"), ("1 % changed", "changed")):
        Path("/proc/self/clear_refs").write_text("5")
        idle = resident()
        refresh(directory, f"{address}{which}/")
        found[kind] = resident("VmHWM") - idle
    directory.close()
    return found


def measure_window(address: str, folder: Path) -> dict[str, tuple[float, float]]:
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from desktop.ui import load_qt

    load_qt()
    from PySide6.QtCore import Qt, QTimer
    from PySide6.QtWidgets import QApplication, QLineEdit

    app = QApplication(sys.argv[:1])
    window = QLineEdit()
    window.show()
    directory = open_directory(folder / "window.db")
    last = used = late = blocked = 0.0
    clock = time.CLOCK_MONOTONIC

    def tick() -> None:
        nonlocal last, used, late, blocked
        now, work_now = time.perf_counter(), time.clock_gettime(clock)
        gap = now - last - _TICK / 1000
        late, blocked = max(late, gap), max(blocked, min(gap, work_now - used))
        last, used = now, work_now
        window.setText(str(now))

    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(tick)

    def while_doing(work: Callable[[], object]) -> tuple[float, float]:
        nonlocal last, used, late, blocked, clock
        begin, over = threading.Event(), threading.Event()

        def whole() -> None:
            begin.wait()
            work()
            over.set()
            # Its clock is read until the window has noticed the end.
            noticed.wait()

        noticed = threading.Event()
        thread = threading.Thread(target=whole)
        thread.start()
        clock = time.pthread_getcpuclockid(thread.ident or 0)
        last, used, late, blocked = time.perf_counter(), time.clock_gettime(clock), 0.0, 0.0
        watch = QTimer()
        watch.timeout.connect(lambda: app.quit() if over.is_set() else None)
        watch.start(50)
        timer.start(_TICK)
        begin.set()
        app.exec()
        watch.stop()
        timer.stop()
        noticed.set()
        thread.join()
        return blocked * 1000, late * 1000

    found = {"nothing": while_doing(lambda: time.sleep(2))}
    for kind, which in (("first", "same"), ("unchanged", "same"), ("1 % changed", "changed")):
        found[kind] = while_doing(lambda which=which: refresh(directory, f"{address}{which}/"))  # type: ignore[misc]
    directory.close()
    return found


ROLES: dict[str, Callable[[str, Path], object]] = {
    "times": measure_times,
    "memory": measure_memory,
    "window": measure_window,
}

# -- the whole ------------------------------------------------------------------------------------------------------


def serve(folder: Path) -> ThreadingHTTPServer:
    """`/same/…` and `/changed/…` each give their list."""

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            content = (folder / f"{self.path.split('/')[1]}.xml").read_bytes()
            self.send_response(200)
            self.send_header("Content-Type", "text/xml; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def run(role: str, server: ThreadingHTTPServer, folder: Path) -> dict[str, list[float]]:
    """A fresh process for each role."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        for name in ("same.xml", "changed.xml"):
            (Path(place) / name).symlink_to(folder / name)
        address = f"http://127.0.0.1:{server.server_port}/"
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.refresh", "--role", role, "--address", address, "--folder", place],
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise SystemExit(done.stderr)
    answer: dict[str, list[float] | float] = json.loads(done.stdout)
    return {kind: value if isinstance(value, list) else [value] for kind, value in answer.items()}


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--jobs", type=int, default=100_000)
    options.add_argument("--rounds", type=int, default=3, help="for times the best counts, else the worst")
    options.add_argument("--role", choices=sorted(ROLES), help=argparse.SUPPRESS)
    options.add_argument("--address", help=argparse.SUPPRESS)
    options.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.role:
        json.dump(ROLES[chosen.role](chosen.address, chosen.folder), sys.stdout)
        return 0
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        same = list(Firm().matters(chosen.jobs))
        (folder / "same.xml").write_bytes(body(same))
        changed = [replace(one, name=f"Renamed {one.name}") if at % 100 == 7 else one for at, one in enumerate(same)]
        (folder / "changed.xml").write_bytes(body(changed))
        del same, changed
        server = serve(folder)
        print(f"{chosen.jobs} jobs, {(folder / 'same.xml').stat().st_size / 1e6:.1f} MB of XML\n")
        times = [run("times", server, folder) for _ in range(chosen.rounds)]
        best = {kind: tuple(min(each[kind][at] for each in times) for at in (0, 1)) for kind in times[0]}
        print(f"{'seconds':<26}{'processor':>10}{'clock':>8}{'to bare':>10}{'to reading':>12}")
        for kind, (processor, clock) in best.items():
            to_bare, to_reading = processor / best["bare"][0], processor / best["reading"][0]
            print(f"{kind:<26}{processor:>10.2f}{clock:>8.2f}{to_bare:>10.2f}{to_reading:>12.2f}")
        for title, role, unit in (
            ("peak memory above idle", "memory", "MiB"),
            ("longest block of the window: refresh alone; with all else", "window", "ms"),
        ):
            print(f"\n{title}")
            rounds = [run(role, server, folder) for _ in range(chosen.rounds)]
            for kind in rounds[0]:
                worst = [max(each[kind][at] for each in rounds) for at in range(len(rounds[0][kind]))]
                print(f"  {kind:<24}" + "".join(f"{value:>10.1f} {unit}" for value in worst))
        server.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
