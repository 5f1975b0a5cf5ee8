"""A24: every flow with known secrets and names, then a search of everything that is left behind or can be seen from outside."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from desktop.demo.person_in_browser import sign_in
from sandbox import world as w
from sandbox.house import LOGINS, Sandbox
from sandbox.identity_store import App, Code
from tests.browser.order_window_rig import AS_ROOT, NOBODY, ordinary_user
from tests.commands.installation import DONE, NOT_CONNECTED, Installation, Outside, until

WRONG_PASSWORD = "canary-wrong-password-7d1f"
ECHOED = "canary-echoed-body-93ab"
REFERENCE = "CANARYREFERENCE/77"
CLIENT = "Zanzibarfish Canary Holdings Pty Ltd"
MATTER = "Purchase of 5 Canarywharf Parade"


def forms(mark: str) -> set[bytes]:
    """A mark as it is, percent-encoded, and in base64 at each of the three places in which it may start."""
    raw = mark.encode()
    found = {raw, quote(mark, safe="").encode()}
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + raw)
        # The first and last group mix with what stands beside the mark.
        core = whole[4 if before else 0 : len(whole) - 4].rstrip(b"=")
        found |= {core, core.translate(bytes.maketrans(b"+/", b"-_"))}
    return {form for form in found if len(form) >= 6}


@dataclass
class Watch:
    """What our processes show to everybody on the PC: their command lines and environments, again and again."""

    marker: str
    seen: set[bytes] = field(default_factory=set)
    processes: set[int] = field(default_factory=set)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Watch:
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        assert self._thread is not None
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.wait(0.02):
            for folder in Path("/proc").iterdir():
                if not folder.name.isdecimal() or int(folder.name) == os.getpid():
                    continue
                with contextlib.suppress(OSError):
                    environment = (folder / "environ").read_bytes()
                    if self.marker.encode() in environment:
                        self.processes.add(int(folder.name))
                        self.seen |= {environment, (folder / "cmdline").read_bytes()}


@pytest.fixture
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="canary-"))
    for name in ("home", "run", "pc", "keyring"):
        (folder / name).mkdir(mode=0o700)
    if AS_ROOT:
        for path in (folder, *folder.iterdir()):
            os.chown(path, NOBODY, NOBODY)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Sandbox]:
    """In this process, so that what it gave out is known to the test; outside of the product's folders."""
    with Sandbox(tmp_path / "sandbox", delay=0, limits=False) as running:
        yield running


@pytest.fixture
def pc(box: Sandbox, home: Path) -> Installation:
    platform = home / "platform.toml"
    platform.write_text(box.platform_file.read_text(encoding="utf-8"), encoding="utf-8")
    platform.chmod(0o644)
    keyring = {
        "PYTHON_KEYRING_BACKEND": "desktop.demo.file_keyring.FileKeyring",
        "ICONNECT_DEMO_KEYRING": str(home / "keyring" / "keyring.json"),
    }
    world = cast(Outside, SimpleNamespace(keyring=SimpleNamespace(environment=keyring), sandbox=None))
    more = {
        "HOME": str(home / "home"),
        "XDG_RUNTIME_DIR": str(home / "run"),
        "TMPDIR": str(home / "run"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return Installation(world, home / "pc" / "profile", platform, more, cast(dict[str, Any], ordinary_user()))


def connect(pc: Installation, fault: int = DONE) -> str:
    """Signs in; gives the address that was opened."""
    process = pc.start("connect", "--no-browser", stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    with process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        sign_in(address)
        _, err = process.communicate(timeout=30)
    assert (process.returncode == DONE) == (fault == DONE), err
    assert ECHOED not in err
    return address


def files_of(*folders: Path) -> Iterator[tuple[Path, bytes]]:
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file():
                yield path, path.read_bytes()


def hits(marks: Iterable[str], where: Iterable[tuple[object, bytes]]) -> list[str]:
    wanted = {form: mark for mark in marks if mark for form in forms(mark)}
    return [f"{place}: {wanted[form][:12]}…" for place, content in where for form in wanted if form in content]


def verifiers(challenges: set[str], where: Iterable[tuple[object, bytes]]) -> list[str]:
    """Anything of a verifier's shape whose S256 is one of the challenges."""

    def challenge(word: bytes) -> str:
        return base64.urlsafe_b64encode(hashlib.sha256(word).digest()).rstrip(b"=").decode()

    words = ((place, word) for place, content in where for word in re.findall(rb"[A-Za-z0-9._~-]{43,128}", content))
    return [str(place) for place, word in words for start in range(len(word) - 42) if challenge(word[start:]) in challenges]


@pytest.mark.journey
@pytest.mark.browser
def test_no_secret_and_no_clients_name_is_left_where_it_does_not_belong(
    box: Sandbox, pc: Installation, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A24, B9: tokens, codes, verifiers, passwords and links nowhere; clients, matters and references in no log."""
    store = box.world.identity
    codes: list[str] = []
    take = store.take_code

    def noted(value: str, client: App) -> Code | None:
        codes.append(value)
        return take(value, client)

    monkeypatch.setattr(store, "take_code", noted)
    job = box.world.firms[w.MAIN_TENANT].jobs["J004521"]
    job.client = replace(job.client, name=CLIENT)
    job.name = MATTER
    login = LOGINS[0]
    addresses = []
    with Watch(str(pc.profile)) as watch, contextlib.ExitStack() as stack:
        # Errors first: what a vendor says in them is not ours to keep.
        box.world.faults.add({"name": "status", "where": "identity POST connect/token", "count": 1, "status": 400, "body": ECHOED})
        addresses.append(connect(pc, fault=NOT_CONNECTED))
        assert pc.run("infotrack", "sign-in", "--user", login.user, feed=WRONG_PASSWORD + "\n").status == NOT_CONNECTED
        addresses.append(connect(pc))
        pc.done("infotrack", "sign-in", "--user", login.user, feed=login.password + "\n")
        pc.done("matters", "refresh")
        store.expire_access()
        pc.done("matters", "find", "Zanzibarfish", "--json")
        # The order window, with a one-time link.
        window = stack.enter_context(pc.beside("order", "J004521"))
        issued: list[str] = []

        def link_was_used() -> bool:
            issued.extend(link for link in list(box.landing.links) if link not in issued)
            return bool(box.landing.mappings) and bool(box.landing.visits)

        until(lambda: window.poll() is not None or link_was_used(), patience=60)
        assert window.poll() is None, window.communicate()[1]
        window.terminate()
        _, said_by_window = window.communicate(timeout=30)
        # The tray, which keeps a log, delivers; one order is refused, one feed answer is cut.
        box.world.faults.add({"name": "half_answer", "where": "infotrack GET v1/messages", "count": 1})
        box.world.faults.add(
            {"name": "error_200", "where": "api POST practicemanager/3.1/job.api/cost*", "count": 1, "body": ECHOED}
        )
        reference = str(box.landing.mappings[-1]["body"]["RetailerReference"])
        tray = stack.enter_context(pc.beside())
        _place(box, reference)
        until(lambda: _settled(pc), patience=60)
        store.revoke_all()
        box.world.identity.expire_access()
        _place(box, reference)
        until(lambda: pc.run("status", "--json").value["connections"][0]["state"] == "attention", patience=60)
        addresses.append(connect(pc))
        until(lambda: len(pc.rows()) >= 6 and _settled(pc), patience=60)
        doctor = pc.run("doctor", "--json")
        diagnosis = doctor.out + doctor.err
        tray.terminate()
        out, err = tray.communicate(timeout=30)
        assert tray.returncode == 0
        pc.done("disconnect")
    assert len(watch.processes) >= 10

    asked = [{name: values[0] for name, values in parse_qs(urlsplit(address).query).items()} for address in addresses]
    assert len(codes) >= 2
    assert issued
    tokens = [*store.refreshes, *store.accesses]
    secrets = [
        *(WRONG_PASSWORD, login.password, f"{login.user}:{login.password}", w.PASSWORD),
        *codes,
        *tokens,
        *(one["state"] for one in asked),
        *(one["nonce"] for one in asked),
        *issued,
    ]
    assert len(tokens) >= 4
    profile = list(files_of(home / "pc", home / "home"))
    assert any(path.name == "ledger.db" for path, _ in profile)
    outside = [
        *(("/proc", content) for content in watch.seen),
        ("said by the tray", (out + err).encode()),
        ("said by the order window", said_by_window.encode()),
        ("said by doctor", diagnosis.encode()),
    ]
    assert hits(secrets, [*profile, *outside]) == []
    assert verifiers({one["code_challenge"] for one in asked}, [*profile, *outside]) == []
    logs = [(path, content) for path, content in profile if path.parent.name == "logs"]
    assert logs, "the tray keeps a log"
    names = [CLIENT, MATTER, "Zanzibarfish", "Canarywharf", REFERENCE, ECHOED, "J004521"]
    names += [other.client.name for other in box.world.firms[w.MAIN_TENANT].jobs.values() if len(other.client.name) > 7]
    assert hits(names, [*logs, ("said by the tray", (out + err).encode()), ("said by the window", said_by_window.encode())]) == []
    # A search that can find: the password is in the keyring's file, the client in the matters' copy.
    assert hits([login.password], files_of(home / "keyring"))
    assert hits(["Zanzibarfish"], profile)


def _place(box: Sandbox, retailer_reference: str) -> None:
    from sandbox.services import SERVICES

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
    return bool(rows) and {row["state"] for row in rows} <= {"confirmed", "rejected"}


def test_the_search_finds_a_mark_in_each_of_its_forms() -> None:
    """A24: the canary test has teeth."""
    mark = "canary-0123456789"
    for hidden in (mark, "user:" + mark, "u:" + mark + "xy"):
        assert hits([mark], [("base64", base64.b64encode(hidden.encode()))])
        assert hits([mark], [("urlsafe", base64.urlsafe_b64encode(hidden.encode()))])
    assert hits(["a b/c&canary"], [("percent", b"q=a%20b%2Fc%26canary")])
