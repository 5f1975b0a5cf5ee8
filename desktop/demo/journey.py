"""The whole job, step by step, on the real program: its tray, its windows, its commands, its embedded browser.

Every «confirmed» is taken from the sandbox's books. Runs on a thread of its own; the windows live on the GUI thread.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar
from urllib.request import ProxyHandler, Request, build_opener

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QListView, QPushButton

from desktop.demo.hands import Hands, Missed
from desktop.demo.report import Report, Step
from desktop.demo.sandbox_process import SandboxFailed, SandboxProcess
from desktop.services.order_process import OrderWindowProcess
from desktop.services.order_protocol import AnyEvent, Blocked, Do, Done, Opened
from desktop.ui.icons import tray_icon
from desktop.ui.state import IconState
from desktop.ui.tray_app import TrayApp

T = TypeVar("T")

ZERO = Decimal("0.00")


class Failed(Exception):
    """A step did not show what it had to show."""


class Browser:
    """Drives the order window over its pipe, as a person would: clicks land on the page's elements."""

    def __init__(self) -> None:
        self.window: OrderWindowProcess | None = None
        self.sandboxed: bool | None = None
        self.blocked: list[str] = []
        self._number = 0
        self._answers: dict[int, Done] = {}
        self._news = threading.Condition()

    def told(self, window: OrderWindowProcess, event: AnyEvent) -> None:
        """The order desk's listener; called on the window's own thread."""
        with self._news:
            if isinstance(event, Opened):
                self.window, self.sandboxed = window, event.sandboxed
            elif isinstance(event, Done):
                self._answers[event.id] = event
            elif isinstance(event, Blocked):
                self.blocked.append(f"{event.kind} {event.host}")
            self._news.notify_all()

    def wait_open(self, seconds: float = 40) -> None:
        with self._news:
            if not self._news.wait_for(lambda: self.window is not None, seconds):
                raise Failed("The order window did not open.")

    def do(self, what: str, **values: Any) -> str:
        assert self.window is not None
        self._number += 1
        number, seconds = self._number, float(values.get("seconds", 20))
        self.window.do(Do(id=number, do=what, **values))  # type: ignore[arg-type]  # one of the words that Do names
        with self._news:
            if not self._news.wait_for(lambda: number in self._answers, seconds + 10):
                raise Failed(f"The order window did not answer to «{what}».")
            answer = self._answers.pop(number)
        if not answer.ok:
            raise Failed(f"In the order window: {what} {values.get('css', '')}: {answer.error}")
        return answer.value

    def close(self) -> None:
        if self.window is not None:
            self.window.ask_to_close()
            self.window.wait_closed(15)
            self.window = None


class Journey:
    """`run` does everything and ends the tray; `report` is then complete."""

    def __init__(
        self, tray: TrayApp, hands: Hands, browser: Browser, sandbox: SandboxProcess, out: Path, report: Report, *, system: str
    ) -> None:
        self._system = system
        self._tray = tray
        self._hands = hands
        self._browser = browser
        self._sandbox = sandbox
        self._out = out
        self._pictures = 0
        self._step: Step | None = None
        self.report = report

    def run(self) -> None:
        matters: dict[str, dict[str, Any]] = {}
        try:
            with self._stage("The icon says «not connected»"):
                self._not_connected()
            with self._stage("Icon green: signed in to the practice system in the system's browser"):
                self._sign_in()
            with self._stage("InfoTrack login, by command, the password over standard input"):
                self._sign_in_to_infotrack()
            with self._stage("Matter found by a misspelt name"):
                matters["first"] = self._find_misspelt()
            with self._stage("Order placed by clicking in the embedded browser"):
                first = self._order(matters["first"], "nsw-title")
            with self._stage("Mixed-GST order: two cost lines on the job"):
                self._two_lines(matters["first"], first)
            with self._stage("Document at the remote equal to the original, byte for byte"):
                self._same_bytes(matters["first"], first)
            with self._stage("Price change posted as a difference"):
                self._price_change(matters["first"], first)
            with self._stage("Refund posted as differences"):
                self._refund(matters["first"], first)
            with self._stage("Job closed in between: rejected with its reason"):
                matters["second"], matters["third"] = self._two_more(matters["first"])
                second = self._rejected(matters["second"])
            with self._stage("Moved to another job, and posted there"):
                self._moved(second, matters["second"], matters["third"])
            with self._stage("All confirmed by read-back, nothing twice"):
                self._all_confirmed()
        except _Stop:
            pass
        finally:
            self._browser.close()
            self._hands.trigger_soon(self._tray.quit)

    # ---- the steps

    def _not_connected(self) -> None:
        self._icon(IconState.DISCONNECTED, "icon-not-connected")
        self._picture(self._hands.window("iConnect - not connected"), "not-connected")
        self._say(self._tool_tip())

    def _sign_in(self) -> None:
        self._hands.trigger_soon(lambda: self._tray.choose("connect"))
        self._until("the green icon", lambda: "connected" in self._tool_tip().split() and "not" not in self._tool_tip())
        told = self._iconnect("status", "--json")
        connection = next(each for each in json.loads(told)["connections"] if each["system"] == self._system)
        if connection["state"] != "connected":
            raise Failed(f"status says {connection['state']}")
        self._say(f"tool tip: {self._tool_tip()}")
        self._say(f"organisation: {connection['tenant']}")
        self._icon(IconState.CONNECTED, "icon-connected")
        self._picture(self._hands.window("iConnect - Connections"), "connections")

    def _sign_in_to_infotrack(self) -> None:
        login = self._sandbox.where["infotrack_login"]
        said = self._iconnect("infotrack", "sign-in", "--user", login["user"], feed=login["password"] + "\n", errors=True)
        self._say(said.strip().splitlines()[-1])
        self._iconnect("matters", "refresh")
        count = json.loads(self._iconnect("status", "--json"))["matters"]["count"]
        if not count:
            raise Failed("There are no matters after a refresh.")
        self._say(f"{count} matters in the local copy")

    def _find_misspelt(self) -> dict[str, Any]:
        wanted, text = self._misspelling()
        self._hands.trigger_soon(lambda: self._tray.choose("picker"))
        window = self._hands.window("iConnect - Choose a matter")
        field = self._hands.widget(window, QLineEdit, "Find a matter")
        self._hands.type_into(field, text)
        view = self._hands.widget(window, QListView, "Matters")
        assert isinstance(view, QListView)
        row = self._until(
            f"{wanted['number']} among the first rows",
            lambda: next((i + 1 for i, line in enumerate(self._hands.rows(view)[:5]) if wanted["number"] in line), 0),
        )
        self._hands.click_row(view, row - 1)
        self._hands.wait("the chosen matter", lambda: self._hands.is_enabled(window, QPushButton, "New search"))
        self._say(f"typed: {text}")
        self._say(f"found in row {row}: {wanted['number']}")
        self._picture(window, "picker")
        return wanted

    def _misspelling(self) -> tuple[dict[str, Any], str]:
        """A job whose client has a long name, and that name with two letters swapped."""
        jobs = self._jobs()
        names = [job["client"] for job in jobs]
        for job in jobs:
            words = [word for word in job["client"].split() if word.isalpha() and word.isascii() and len(word) >= 7]
            if words and names.count(job["client"]) == 1 and len(job["client"].split()) > 1:
                word = max(words, key=len).lower()
                others = [
                    other for other in job["client"].lower().split() if other != word and other.isalpha() and other.isascii()
                ][:1]
                return job, " ".join([word[:3] + word[4] + word[3] + word[5:], *others])
        raise Failed("The sandbox has no client whose name can be misspelt.")

    def _order(self, matter: dict[str, Any], service: str) -> int:
        window = self._hands.window("iConnect - Choose a matter")
        self._hands.click(self._hands.widget(window, QPushButton, "New search"))
        return self._in_the_browser(matter, service, pictures=True)

    def _in_the_browser(self, matter: dict[str, Any], service: str, *, pictures: bool) -> int:
        browser = self._browser
        browser.wait_open()
        browser.do("wait", css="#services", seconds=40)
        shown = browser.do("read", css="#matter")
        if matter["number"] not in shown:
            raise Failed(f"The site shows «{shown}», not {matter['number']}.")
        self._say(f"InfoTrack's page shows the matter {matter['number']}, filled in by the mapping call")
        if pictures:
            self._shot("order-services")
        browser.do("click", css=f"#service-{service}")
        browser.do("wait", css="#order-form")
        if not browser.do("script", text="document.querySelector('#reference').value").strip('"'):
            browser.do("fill", css="#reference", text="12/90001")
        if pictures:
            self._shot("order-form")
        browser.do("click", css="#continue")
        browser.do("wait", css="#confirm-form")
        if pictures:
            self._shot("order-confirm")
        browser.do("click", css="#place-order")
        browser.do("wait", css="#order-number")
        number = int("".join(filter(str.isdigit, browser.do("read", css="#order-number"))))
        if pictures:
            self._shot("order-placed")
        self._say(f"order {number} placed; browser sandbox {'on' if browser.sandboxed else 'OFF (root, demo only)'}")
        return number

    def _two_lines(self, matter: dict[str, Any], order: int) -> None:
        fees = self._fees(order)
        costs = self._until("two cost lines in the books", lambda: _if(len(c := self._costs(matter, order)) == 2, c), patience=60)
        sums = {(cost["code"], Decimal(cost["unit_cost"])) for cost in costs}
        wanted = {("DISB-GST", fees["retailer_fee"]), ("DISB-FREE", fees["supplier_fee"])}
        if sums != wanted:
            raise Failed(f"The books hold {sums}, not {wanted}.")
        for cost in costs:
            self._say(f"books: {cost['job']} {cost['code']} {cost['unit_cost']} «{cost['description']}» note «{cost['note']}»")
        self._confirmed(order, kind="cost", count=2)
        self._orders_window(order, "delivered")

    def _same_bytes(self, matter: dict[str, Any], order: int) -> None:
        document = self._until("the document in the books", lambda: next(iter(self._documents(matter, order)), None), patience=60)
        original = self._download(order)
        digest = hashlib.sha256(original).hexdigest()
        if document["sha256"] != digest or document["size"] != len(original):
            raise Failed(f"The remote's document has SHA-256 {document['sha256']}, the original {digest}.")
        self._say(f"books: «{document['file_name']}», {document['size']} bytes, SHA-256 {digest[:16]}… as the original")
        self._confirmed(order, kind="document", count=1)

    def _price_change(self, matter: dict[str, Any], order: int) -> None:
        before = self._sum(matter, order)
        self._sandbox.post(f"/api/orders/{order}/price", retailer_fee="8.50", retailer_gst="0.85")
        fees = self._fees(order)
        wanted = fees["retailer_fee"] + fees["supplier_fee"]
        self._until(f"the books to come to {wanted}", lambda: self._sum(matter, order) == wanted, patience=60)
        costs = self._costs(matter, order)
        self._say(f"books: {before} before, {wanted} now; the difference is a line of its own:")
        self._say(f"  {costs[-1]['code']} {costs[-1]['unit_cost']} note «{costs[-1]['note']}»")
        self._confirmed(order, kind="cost", count=3)

    def _refund(self, matter: dict[str, Any], order: int) -> None:
        self._sandbox.post(f"/api/orders/{order}/refund", kind="same")
        self._until("the books to come to nothing", lambda: self._sum(matter, order) == ZERO, patience=60)
        credits = [cost for cost in self._costs(matter, order) if Decimal(cost["unit_cost"]) < 0]
        for cost in credits:
            self._say(f"books: {cost['code']} {cost['unit_cost']} note «{cost['note']}»")
        self._confirmed(order, kind="cost", count=3 + len(credits))
        self._orders_window(order, "price-change-and-refund")

    def _two_more(self, first: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        others = [job for job in self._jobs() if job["number"] != first["number"]]
        return others[0], others[1]

    def _rejected(self, matter: dict[str, Any]) -> int:
        self._browser.close()
        self._hands.trigger_soon(lambda: self._tray.choose("picker"))
        window = self._hands.window("iConnect - Choose a matter")
        field = self._hands.widget(window, QLineEdit, "Find a matter")
        assert isinstance(field, QLineEdit)
        self._hands.clear(field)
        self._hands.type_into(field, matter["number"])
        view = self._hands.widget(window, QListView, "Matters")
        assert isinstance(view, QListView)
        self._until("the second matter", lambda: matter["number"] in next(iter(self._hands.rows(view)), ""))
        self._hands.press(field, Qt.Key.Key_Return)
        # However slow the machine is, the result comes after the job is closed.
        self._sandbox.post("/api/switches", results="none")
        order = self._in_the_browser(matter, "vic-title", pictures=False)
        if self._system == "smokeball":
            # What Smokeball answers for a closed matter is not documented: here it refuses.
            self._sandbox.post("/api/switches", smokeball_closed_answer="400")
        self._sandbox.post(f"/api/jobs/{matter['number']}/close?system={self._system}")
        self._sandbox.post("/api/switches", results="both")
        self._sandbox.post(f"/api/orders/{order}/message", repeat="all")
        self._browser.close()
        rows = self._until(
            "a rejected cost",
            lambda: [row for row in self._deliveries(order) if row["kind"] == "cost" and row["state"] == "rejected"],
            patience=60,
        )
        self._say(f"{matter['number']} was closed after the order; {rows[0]['key']} is rejected: {rows[0]['reason']}")
        if self._costs(matter, order):
            raise Failed("The closed job has a cost in the books.")
        self._orders_window(order, "rejected")
        return order

    def _moved(self, order: int, old: dict[str, Any], new: dict[str, Any]) -> None:
        said = self._iconnect("deliveries", "move", str(order), "--to", new["number"], errors=True)
        fees = self._fees(order)
        wanted = fees["retailer_fee"] + fees["supplier_fee"]
        self._until(f"{wanted} on {new['number']}", lambda: self._sum(new, order) == wanted, patience=90)
        for cost in self._costs(new, order):
            self._say(f"books: {cost['job']} {cost['code']} {cost['unit_cost']} note «{cost['note']}»")
        for line in said.strip().splitlines():
            self._say(line)
        self._until("the document on the other job", lambda: self._documents(new, order), patience=60)
        self._until("all confirmed", lambda: not self._open_rows(order), patience=60)
        self._orders_window(order, "moved")

    def _all_confirmed(self) -> None:
        self._iconnect("deliver", "--until-idle", may_end_with=(0, 1))
        rows = json.loads(self._iconnect("deliveries", "--json"))
        books = self._sandbox.get("/api/books")["tenants"]
        notes = [cost["note"] for firm in books for cost in firm["costs"]] + [
            d["text"] for firm in books for d in firm["documents"]
        ]
        confirmed = [row for row in rows if row["state"] == "confirmed"]
        for row in confirmed:
            times = sum(note.split()[-1:] == [row["key"]] for note in notes)
            if times != 1:
                raise Failed(f"{row['key']} is confirmed, and stands {times} times in the books.")
        others = {row["state"] for row in rows} - {"confirmed", "cancelled", "rejected"}
        if others:
            raise Failed(f"Some are still {', '.join(sorted(others))}.")
        ours = sum(any(word.startswith("IT-") for word in note.split()[-1:]) for note in notes)
        if ours != len(confirmed):
            raise Failed(f"{ours} lines of ours in the books, {len(confirmed)} confirmed.")
        self._say(f"{len(confirmed)} confirmed; each key stands exactly once in the sandbox's books; nothing else of ours is there")

    # ---- what the steps share

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        step = Step(name, passed=False)
        self._step = step
        self.report.steps.append(step)
        sys.stderr.write(f"{name} …\n")
        began = time.monotonic()
        try:
            yield
            step.passed = True
        except (Failed, Missed, SandboxFailed, TimeoutError, subprocess.SubprocessError) as error:
            step.evidence.append(f"failed: {error}")
            raise _Stop from error
        except Exception as error:  # the thread's edge: the report must say what happened
            step.evidence.append(f"failed: {type(error).__name__}: {error}")
            raise _Stop from error
        finally:
            step.seconds = time.monotonic() - began

    def _say(self, line: str) -> None:
        assert self._step is not None
        self._step.evidence.append(line)

    def _until(self, what: str, look: Callable[[], T | None], *, patience: float = 30) -> T:
        end = time.monotonic() + patience
        while True:
            found = look()
            if found:
                return found
            if time.monotonic() > end:
                raise Failed(f"Waited {patience:.0f} s in vain for {what}.")
            time.sleep(0.1)

    def _tool_tip(self) -> str:
        return self._hands.on_screen(self._tray.tray.icon.toolTip)

    def _name(self, name: str) -> Path:
        self._pictures += 1
        file = self._out / f"{self._pictures:02}-{name}.png"
        assert self._step is not None
        self._step.pictures.append(file.name)
        return file

    def _picture(self, window: Any, name: str) -> None:
        self._hands.picture(window, self._name(name))

    def _shot(self, name: str) -> None:
        self._browser.do("shot", path=str(self._name(name)))

    def _icon(self, state: IconState, name: str) -> None:
        path = self._name(name)
        self._hands.on_screen(lambda: tray_icon(state).pixmap(128, 128).save(str(path)))

    def _orders_window(self, order: int, name: str) -> None:
        self._hands.trigger_soon(lambda: self._tray.open_deliveries(str(order)))
        window = self._hands.window("iConnect - Orders and postings")
        view = self._hands.widget(window, QListView, "Orders")
        assert isinstance(view, QListView)
        self._until(f"order {order} in the window", lambda: any(str(order) in row for row in self._hands.rows(view)))
        self._hands.settle()
        self._picture(window, name)

    def _iconnect(self, *words: str, feed: str = "", errors: bool = False, may_end_with: tuple[int, ...] = (0,)) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "desktop", *words],
            input=feed,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
            env=os.environ,
        )
        if done.returncode not in may_end_with:
            raise Failed(f"iconnect {' '.join(words[:2])} ended with {done.returncode}: {done.stderr.strip()[-400:]}")
        return done.stderr if errors else done.stdout

    def _deliveries(self, order: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self._iconnect("deliveries", "--order", str(order), "--json"))
        return found

    def _open_rows(self, order: int) -> list[str]:
        return [row["key"] for row in self._deliveries(order) if row["state"] not in ("confirmed", "cancelled", "rejected")]

    def _confirmed(self, order: int, *, kind: str, count: int) -> None:
        keys = self._until(
            f"{count} confirmed",
            lambda: _if(
                len(k := [r["key"] for r in self._deliveries(order) if (r["kind"], r["state"]) == (kind, "confirmed")]) == count, k
            ),
            patience=60,
        )
        self._say(f"read back and confirmed: {', '.join(keys)}")

    def _books(self, matter: dict[str, Any]) -> dict[str, Any]:
        firm = self._firm()
        found: list[dict[str, Any]] = self._sandbox.get(f"/api/books?job={matter['number']}&system={self._system}")["tenants"]
        return next(each for each in found if each["name"] == firm)

    def _firm(self) -> str:
        """The organisation that is signed in, as the program itself tells."""
        told = json.loads(self._iconnect("status", "--json"))["connections"]
        return str(next(each["tenant"] for each in told if each["system"] == self._system))

    def _jobs(self) -> list[dict[str, Any]]:
        """Open jobs that can be named by a number: Smokeball's matters may lack one."""
        found: list[dict[str, Any]] = self._sandbox.get(f"/api/jobs?limit=400&system={self._system}")
        return [job for job in found if job["number"]]

    def _costs(self, matter: dict[str, Any], order: int) -> list[dict[str, Any]]:
        return [cost for cost in self._books(matter)["costs"] if f"IT-{order}-" in cost["note"]]

    def _documents(self, matter: dict[str, Any], order: int) -> list[dict[str, Any]]:
        return [document for document in self._books(matter)["documents"] if f"IT-{order}-" in document["text"]]

    def _sum(self, matter: dict[str, Any], order: int) -> Decimal:
        return sum((Decimal(cost["unit_cost"]) * Decimal(cost["quantity"]) for cost in self._costs(matter, order)), ZERO)

    def _fees(self, order: int) -> dict[str, Decimal]:
        found = next(each for each in self._sandbox.get("/api/orders")["orders"] if each["id"] == order)
        return {name: Decimal(text) for name, text in found["fees"].items()}

    def _download(self, order: int) -> bytes:
        login = self._sandbox.where["infotrack_login"]
        word = base64.b64encode(f"{login['user']}:{login['password']}".encode()).decode()
        address = f"{self._sandbox.where['infotrack']}/v1/order/download/{order}"
        request = Request(address, headers={"Authorization": f"Basic {word}"})  # noqa: S310  # the sandbox's own address
        with build_opener(ProxyHandler({})).open(request, timeout=20) as answer:
            content: bytes = answer.read()
        return content


class _Stop(Exception):
    """The journey ends here; the report says why."""


def _if(holds: bool, value: T) -> T | None:
    return value if holds else None
