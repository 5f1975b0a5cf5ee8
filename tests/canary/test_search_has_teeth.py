"""The search finds what was put there on purpose: in every place that the journey looks at, in every form."""

from __future__ import annotations

import base64
import gzip
import json
import os
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import apsw
import pytest

from tests.canary.search import Search, files_in
from tests.journeys.test_canary import Watch

MARK = "canary-Zanzibarfish/ü-0123456789"

WRITTEN: dict[str, Callable[[bytes], bytes]] = {
    "plain": lambda raw: raw,
    "base64": base64.b64encode,
    "base64 after a name": lambda raw: base64.b64encode(b"user:" + raw + b"xy"),
    "base64 after two": lambda raw: base64.urlsafe_b64encode(b"us" + raw + b"xyz"),
    "hex": lambda raw: raw.hex().encode(),
    "hex upper": lambda raw: raw.hex().upper().encode(),
    "url": lambda raw: quote(raw.decode(), safe="").encode(),
    "url lower": lambda raw: (
        quote(raw.decode(), safe="").lower().encode() if raw.decode().islower() else quote(raw.decode()).encode()
    ),
    "utf-16": lambda raw: raw.decode().encode("utf-16"),
    "utf-16 big": lambda raw: raw.decode().encode("utf-16-be"),
    "base64 of utf-16": lambda raw: base64.b64encode(raw.decode().encode("utf-16-le")),
    "json": lambda raw: json.dumps(raw.decode()).encode(),
    "gzip": gzip.compress,
    "gzip in the middle": lambda raw: b"some head " + gzip.compress(b"before " + raw + b" after") + b"tail",
    "zlib": zlib.compress,
    "cut gzip": lambda raw: gzip.compress(os.urandom(20_000) + raw + os.urandom(20_000))[:-400],
    "gzip of base64": lambda raw: gzip.compress(base64.b64encode(raw)),
}


@pytest.mark.parametrize("form", WRITTEN)
def test_a_mark_is_found_in_each_form(form: str) -> None:
    """A24: the forms that programs write text in."""
    content = os.urandom(5000) + WRITTEN[form](MARK.encode()) + os.urandom(5000)
    assert Search([MARK]).through([("planted", content)]), form


def test_nothing_is_found_where_nothing_is() -> None:
    clean = os.urandom(200_000)
    assert Search([MARK]).through([("clean", clean), ("packed", gzip.compress(clean)), ("text", b"canary-Zanzibarfish" * 50)]) == []


PLACES = (
    *(
        "pc/profile/logs/tray.log",
        "pc/profile/logs/tray.log.2",
        "pc/profile/crashes/20260105T100000-1.json",
        "pc/profile/crashes/7.native",
    ),
    *("pc/profile/ledger.db", "pc/profile/ledger.db-wal", "pc/profile/ledger-backups/2026.db", "pc/profile/identity.db"),
    *(
        "pc/profile/order-window-7/Cache/data_1",
        "run/tmpabc/part",
        "home/.cache/x",
        "home/.config/iconnect/y",
        "pc/profile/infotrack.json",
    ),
)


@pytest.mark.parametrize("place", PLACES)
def test_a_mark_is_found_in_each_place(tmp_path: Path, place: str) -> None:
    """A24: whatever folder it lies in, and as a file's name, too."""
    path = tmp_path / place
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\0" * 3000 + base64.b64encode(b"x:" + MARK.encode()))
    [hit] = Search([MARK]).through(files_in(tmp_path))
    assert hit.place == str(path)
    path.write_bytes(b"")
    path.rename(path.with_name("about Zanzibarfish.txt"))
    assert Search(["about Zanzibarfish"]).through(files_in(tmp_path))


def test_a_mark_is_found_in_a_database_and_its_journal(tmp_path: Path) -> None:
    db = apsw.Connection(str(tmp_path / "x.db"))
    db.pragma("journal_mode", "wal")
    db.execute("CREATE TABLE t (a TEXT)")
    db.execute("INSERT INTO t VALUES (?)", (MARK,))
    assert any(hit.place.endswith("-wal") for hit in Search([MARK]).through(files_in(tmp_path)))
    db.close()
    assert any(hit.place.endswith("x.db") for hit in Search([MARK]).through(files_in(tmp_path)))


def test_a_mark_is_found_in_a_bundle(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bundle.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("logs/tray.log", MARK * 3)
        packed.writestr("clean.json", "{}")
    hits = Search([MARK]).through(files_in(tmp_path))
    assert {hit.place.split("!")[1].split("@")[0] for hit in hits} & {"logs/tray.log"}


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
@pytest.mark.parametrize("where", ["command line", "environment"])
def test_a_mark_is_found_in_the_process_list(tmp_path: Path, where: str) -> None:
    """A24: what everybody on this PC may see of a process."""
    words = [MARK] if where == "command line" else []
    environment = {**os.environ, "MARKER": str(tmp_path), **({"PLANTED": MARK} if where == "environment" else {})}
    with (
        Watch(str(tmp_path)) as watch,
        subprocess.Popen(
            [sys.executable, "-c", "import sys; print(1, flush=True); sys.stdin.read()", *words],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as process,
    ):
        assert process.stdout is not None
        process.stdout.readline()
        while process.pid not in watch.processes:
            assert process.poll() is None
        process.communicate()
    assert Search([MARK]).through(("/proc", seen) for seen in watch.seen)
