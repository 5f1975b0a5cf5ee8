"""A24, J1, J7, J8: a whole day of the real program with marks in place of every secret and every name, then a search of all that
it left behind or showed: as text, in base64, hex, percent-encoded, UTF-16, and packed."""

# ruff: noqa: F811  # fixtures
from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from desktop.services.order_protocol import PASSING_FOLDER
from sandbox import world as w
from sandbox.house import LOGINS, Sandbox
from sandbox.identity_store import App, Code
from sandbox.services import SERVICES
from tests.canary.search import Hit, Search, files_in
from tests.commands.installation import DONE, NOT_CONNECTED, Installation, until
from tests.journeys.test_canary import Watch, box, connect, home, pc, verifiers  # noqa: F401  # fixtures among them

WRONG_PASSWORD = "canary-wrong-password-7d1f"
ECHOED = "canary-echoed-body-93ab for Zanzibarfish and 0412 555 019"
REFERENCE = "CANARYREFERENCE/77"
CLIENT = "Zanzibarfish Canary Holdings Pty Ltd"
MATTER = "Purchase of 5 Canarywharf Parade"
CLIENT_MAIL = "canary.mail@zanzibarfish.example"
STREET = "7731 Canarystreet"
PHONE = "0491 577 731"
CONTACT = "Margaret Canarywoman"
FILE_NAME = "Zanzibarfish invoice canaryfile.csv"
SERVICE = "Canaryservice Title Search"
NOTE_ORDER = "71779931"
CASH = "7391.53"
SECRET = "CANARYSECRET0123456789abcdefghijklmnop"
PROXY_PASSWORD = "canary-proxy-password-5e"

PERSONAL_MAY_BE_IN = {
    "ledger.db": "the record of what was ordered and posted for whom; docs/decisions/0009: the disk's encryption guards it",
    "ledger-backups": "copies of the ledger, likewise",
    "directory.db": "the copy of the matters that finding one needs, likewise",
    "identity.db": "who is signed in to which organisation, to be shown; tokens in it are encrypted",
    "infotrack.json": "the InfoTrack user name, to be shown; the password is in the keyring",
    "unreadable": "a vendor's message that could not be read, kept for the person",
    "downloads": "documents that the person saved",
}
"""Folders and files of the profile in which a name may stand; a secret may stand in none."""


@dataclass
class Day:
    """What the journey gave out and what it made."""

    home: Path
    secrets: set[str] = field(default_factory=set)
    personal: set[str] = field(default_factory=set)
    challenges: set[str] = field(default_factory=set)
    said: dict[str, str] = field(default_factory=dict)
    processes: set[bytes] = field(default_factory=set)
    passing: list[tuple[str, bytes]] = field(default_factory=list)
    """The browser's files, as they were while the order window showed a page."""

    def left(self) -> list[tuple[str, bytes]]:
        return [
            *files_in(self.home / "pc", self.home / "home", self.home / "run"),
            *(("/proc", content) for content in self.processes),
            *((f"said by {name}", text.encode()) for name, text in self.said.items()),
            *self.passing,
            ("keyring's entry names", self._entry_names()),
        ]

    def _entry_names(self) -> bytes:
        entries = json.loads((self.home / "keyring" / "keyring.json").read_text(encoding="utf-8"))
        return "\n".join(entries).encode()


def allowed(place: str) -> bool:
    parts = place.split("!")[0].split("/")
    if "profile" not in parts:
        return False
    inside = parts[parts.index("profile") + 1 :]
    return any(inside[0].startswith(name) for name in PERSONAL_MAY_BE_IN) if inside else False


def kind_of(place: str) -> str:
    if place.startswith(("/proc", "said by", "keyring")):
        return place.split(" by ")[0]
    name = place.split("!")[0]
    for part, kind in (
        ("/logs/", "logs"),
        ("/crashes/", "crash reports"),
        (".zip", "bundles"),
        (".db", "databases, journals, backups"),
        (f"/{PASSING_FOLDER}", "browser's files"),
        ("/run/", "temporary files"),
        ("/home/", "the person's home"),
    ):
        if part in name:
            return kind
    return "other files of the profile"


def table(day: Day, search: Search, secret: Iterable[Hit], personal: Iterable[Hit]) -> str:
    places = Counter(kind_of(place) for place, _ in day.left())
    sizes: Counter[str] = Counter()
    for place, content in day.left():
        sizes[kind_of(place)] += len(content)
    secrets_found, names_found = Counter(kind_of(hit.place) for hit in secret), Counter(kind_of(hit.place) for hit in personal)
    lines = [
        f"{len(day.secrets)} secrets and {len(day.personal)} personal values, {search.forms} forms, {search.bytes_seen:,} bytes"
    ]
    lines.append(f"{'place':<32} {'files':>6} {'bytes':>12} {'secrets':>8} {'names where they may not be':>28}")
    lines += [
        f"{kind:<32} {places[kind]:>6} {sizes[kind]:>12,} {secrets_found[kind]:>8} {names_found[kind]:>28}"
        for kind in sorted(places)
    ]
    return "\n".join(lines)


@pytest.fixture
def marked(box: Sandbox, pc: Installation) -> Installation:
    """The firm's names and the platform file's secrets are marks."""
    job = box.world.firms[w.MAIN_TENANT].jobs["J004521"]
    job.client = replace(
        job.client, name=CLIENT, email=CLIENT_MAIL, phone=PHONE, address=STREET, contact=(job.client.contact[0], CONTACT)
    )
    job.name = MATTER
    assert pc.platform is not None
    text = pc.platform.read_text(encoding="utf-8")
    lines = [f'client_secret = "{SECRET}"' if line.startswith("client_secret") else line for line in text.splitlines()]
    assert SECRET in "\n".join(lines)
    pc.platform.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return pc


def live(box: Sandbox, pc: Installation, day: Day, monkeypatch: pytest.MonkeyPatch, *, with_window: bool) -> Day:
    """One day: signing in with mishaps, ordering, deliveries, refusals that repeat what they were sent, crashes, support."""
    store, login = box.world.identity, LOGINS[0]
    take = store.take_code

    def noted(value: str, client: App) -> Code | None:
        day.secrets.add(value)
        return take(value, client)

    monkeypatch.setattr(store, "take_code", noted)
    addresses: list[str] = []
    with Watch(str(pc.profile)) as watch, contextlib.ExitStack() as stack:
        box.world.faults.add({"name": "status", "where": "identity POST connect/token", "count": 1, "status": 400, "body": ECHOED})
        addresses.append(connect(pc, fault=NOT_CONNECTED))
        assert pc.run("infotrack", "sign-in", "--user", login.user, feed=WRONG_PASSWORD + "\n").status == NOT_CONNECTED
        addresses.append(connect(pc))
        pc.done("infotrack", "sign-in", "--user", login.user, feed=login.password + "\n")
        pc.done("matters", "refresh")
        store.expire_access()
        pc.done("matters", "find", "Zanzibarfish", "--json")
        invoice = day.home / "home" / FILE_NAME
        invoice.write_text("OrderId,ServiceName\n")
        invoice.chmod(0o644)
        pc.run("reconcile", str(invoice), "--json")
        pc.run("results", "import", str(invoice))
        invoice.unlink()
        if with_window:
            _order(box, pc, day, stack)
        box.world.faults.add({"name": "half_answer", "where": "infotrack GET v1/messages", "count": 1})
        refusals = ("api POST practicemanager/3.1/job.api/cost*", "api POST practicemanager/3.1/job.api/document*")
        for where in refusals:
            box.world.faults.add({"name": "error_200", "where": where, "count": 1, "body": ECHOED})
            box.world.faults.add({"name": "status", "where": where, "count": 1, "status": 500, "body": ECHOED})
        tray = stack.enter_context(pc.beside())
        _place(box, pc.reference_for("J004521"))
        pc.done(
            *("results", "add", "--order", NOTE_ORDER, "--matter", "J004521", "--service", SERVICE),
            *("--reference", REFERENCE, "--retailer-fee", CASH, "--retailer-gst", "739.15"),
        )
        until(lambda: _settled(pc), patience=90)
        # It ends by a fault in native code, as a broken driver would end it.
        os.kill(tray.pid, signal.SIGSEGV)
        out, err = tray.communicate(timeout=30)
        day.said["the tray that crashed"] = out + err
        again = stack.enter_context(pc.beside())
        until(lambda: (pc.profile / "tray.socket").exists(), patience=60)
        for words in (("doctor", "--json"), ("diagnostics", str(pc.profile / "bundle.zip")), ("update", "--check")):
            said = pc.run(*words)
            day.said[words[0]] = said.out + said.err
        assert said.status in (DONE, 1, 2)
        again.terminate()
        out, err = again.communicate(timeout=30)
        day.said["the tray after it"] = out + err
        _end_by_an_error(pc, day)
        day.said["diagnostics"] += pc.run("diagnostics", str(pc.profile / "second.zip")).err
        _proxied(pc, day)
    day.processes = watch.seen
    assert len(watch.processes) >= 12
    asked = [{name: values[0] for name, values in parse_qs(urlsplit(address).query).items()} for address in addresses]
    day.challenges = {one["code_challenge"] for one in asked}
    day.secrets |= {*store.refreshes, *store.accesses, *(one["state"] for one in asked), *(one["nonce"] for one in asked)}
    day.secrets |= {WRONG_PASSWORD, login.password, f"{login.user}:{login.password}", w.PASSWORD, SECRET, PROXY_PASSWORD}
    day.personal |= {
        CLIENT,
        MATTER,
        CLIENT_MAIL,
        "Zanzibarfish",
        "Canarywharf",
        REFERENCE,
        ECHOED,
        "canary-echoed-body-93ab",
        SERVICE,
    }
    day.personal |= {
        "canaryfile",
        STREET,
        PHONE,
        CONTACT,
        NOTE_ORDER,
        CASH,
        "J004521",
        w.DEMO_PERSON,
        LOGINS[0].orderer if hasattr(LOGINS[0], "orderer") else CLIENT,
    }
    day.personal |= {job.client.name for job in box.world.firms[w.MAIN_TENANT].jobs.values() if len(job.client.name) > 9}
    return day


def _order(box: Sandbox, pc: Installation, day: Day, stack: contextlib.ExitStack) -> None:
    window = stack.enter_context(pc.beside("order", "J004521"))

    def link_was_used() -> bool:
        day.secrets |= set(box.landing.links)
        return bool(box.landing.mappings) and bool(box.landing.visits)

    until(lambda: window.poll() is not None or link_was_used(), patience=60)
    assert window.poll() is None, window.communicate()[1]
    # What the browser keeps while it runs is looked at, too.
    day.passing = [(place, content) for place, content in files_in(pc.profile) if f"/{PASSING_FOLDER}" in place]
    assert day.passing
    window.terminate()
    _, said = window.communicate(timeout=30)
    day.said["the order window"] = said


def _end_by_an_error(pc: Installation, day: Day) -> None:
    """Python's own ends: in the main thread, another thread and a slot, each with a name and a secret in the error's text."""
    program = (
        "import sys, threading; from pathlib import Path; from desktop.logs import log_to, report_crashes_to\n"
        "where = Path(sys.argv[1]); log_to(where / 'logs', 'tray'); report_crashes_to(where / 'crashes')\n"
        "mark = sys.stdin.read()\n"
        "def fail(): raise ValueError(mark)\n"
        "thread = threading.Thread(target=fail, name=mark); thread.start(); thread.join()\n"
        "from PySide6.QtCore import QCoreApplication, QTimer\n"
        "app = QCoreApplication([]); QTimer.singleShot(0, fail); QTimer.singleShot(50, app.quit); app.exec()\n"
        "import logging; log = logging.getLogger('urllib3.x')\n"
        "log.warning('Connection to %s failed: ' + mark, mark)\n"
        "fail()\n"
    )
    subprocess.run(
        [sys.executable, "-c", program, str(pc.profile)],
        input=f"{CLIENT} {SECRET} {CLIENT_MAIL}",
        text=True,
        env=pc.environment,
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,  # what goes to a terminal of one's own is no report
        check=False,
        user=pc.popen.get("user"),
        group=pc.popen.get("group"),
    )
    assert len(list((pc.profile / "crashes").glob("*.json*"))) >= 3


def _proxied(pc: Installation, day: Day) -> None:
    """Who looks after the PC may have put a password into the proxy's address; doctor and the bundle must not repeat it."""
    behind = replace(pc, more={**pc.more, "HTTPS_PROXY": f"http://firm:{PROXY_PASSWORD}@127.0.0.1:9", "NO_PROXY": ""})
    assert behind.platform is not None
    platform = day.home / "proxied.toml"
    platform.write_text('[practice]\nsystem = "xero-practice-manager"\n[xero]\nclient_id = "x"\n')
    platform.chmod(0o644)
    behind = replace(behind, platform=platform)
    for words in (("doctor", "--json"), ("diagnostics", str(pc.profile / "third.zip"))):
        said = behind.run(*words)
        day.said[f"{words[0]} behind a proxy"] = said.out + said.err


def _place(box: Sandbox, retailer_reference: str) -> None:
    box.desk.place(
        SERVICES["nsw-title"],
        login=LOGINS[0],
        client_reference="J004521",
        retailer_reference=retailer_reference,
        reference=REFERENCE,
        delay=0,
    )


def _settled(pc: Installation) -> bool:
    rows = pc.rows()
    return len(rows) >= 4 and {row["state"] for row in rows} <= {"confirmed", "rejected", "held"}


def searched(day: Day, capsys: pytest.CaptureFixture[str]) -> None:
    left = day.left()
    # The proxy's password stands in the environment because the test's own administrator put it there.
    watched = [(place, content) for place, content in left if not (place == "/proc" and PROXY_PASSWORD.encode() in content)]
    for_secrets, for_names = Search(day.secrets), Search(day.personal)
    secret_hits = for_secrets.through(watched)
    names = for_names.through(watched)
    elsewhere = [hit for hit in names if not allowed(hit.place) and not _on_purpose(hit)]
    with capsys.disabled():
        print("\n" + table(day, for_secrets, secret_hits, elsewhere))
    assert [str(hit) for hit in secret_hits] == []
    assert verifiers(day.challenges, watched) == []
    assert [str(hit) for hit in elsewhere] == []
    kinds = {kind_of(place) for place, _ in left}
    assert kinds >= {"logs", "crash reports", "bundles", "databases, journals, backups", "/proc", "keyring's entry names"}
    # The search can find: the names are in the ledger, the password in the keyring's own file.
    assert {hit.mark for hit in names if "ledger.db" in hit.place} >= {CLIENT.split()[0], REFERENCE}
    assert Search([LOGINS[0].password]).through(files_in(day.home / "keyring"))


def _on_purpose(hit: Hit) -> bool:
    """Doctor tells the person who is signed in; who asks for a matter by number has the number on the command line."""
    return (hit.place == "/proc" and hit.mark in ("J004521", *COMMAND_LINE)) or (
        hit.place.startswith("said by doctor") and hit.mark not in (CLIENT, MATTER, ECHOED, REFERENCE)
    )


COMMAND_LINE = ("Zanzibarfish", "canaryfile", FILE_NAME, SERVICE, REFERENCE, NOTE_ORDER, CASH)
"""What the person typed as a command's own words is in that command's command line, by the contract."""


@pytest.fixture
def day(home: Path) -> Day:
    return Day(home)


@pytest.mark.journey
@pytest.mark.long
@pytest.mark.browser
def test_a_whole_day_leaves_no_secret_and_no_name_where_it_may_not_be(
    box: Sandbox,
    marked: Installation,
    day: Day,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A24, B9, J1, J7, J8: with the order window and its browser."""
    searched(live(box, marked, day, monkeypatch, with_window=True), capsys)


@pytest.mark.journey
def test_a_day_without_the_order_window_leaves_none_either(
    box: Sandbox,
    marked: Installation,
    day: Day,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A24, B9, J1, J7, J8."""
    searched(live(box, marked, day, monkeypatch, with_window=False), capsys)
