"""The built program as an order window, started from wherever a person may have put it."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from desktop.services.order_process import OrderWindowProcess
from desktop.services.order_protocol import AnyEvent, OrderWindowStart, PageLoaded

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif("ICONNECT_BUNDLE" not in os.environ, reason="needs a built bundle: ICONNECT_BUNDLE names its folder"),
]


class Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"<!doctype html><title>Order</title><p>Order here."
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/order"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("name", ["plain", "Kanzlei Müller & Söhne (新) 100%"])
def test_it_finds_its_engine_and_loads_a_page_whatever_its_folder_is_called(name: str, tmp_path: Path, site: str) -> None:
    """G19: the engine's process, ICU data and languages, from a path with spaces and letters of all kinds, and after a move."""
    home = tmp_path / name
    shutil.copytree(os.environ["ICONNECT_BUNDLE"], home / "before", symlinks=True)
    (home / "before").rename(home / "iConnect")
    events: list[AnyEvent] = []
    loaded = threading.Event()

    def heard(event: AnyEvent) -> None:
        events.append(event)
        if isinstance(event, PageLoaded):
            loaded.set()

    window = OrderWindowProcess(
        command=[str(home / "iConnect" / "iconnect"), "--order-window-process"],
        # No folder of ours lends it modules: it is the frozen program, with what lies in it.
        environ={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LANG": "C.UTF-8", "QT_QPA_PLATFORM": "offscreen"},
        popen_options={"env": {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LANG": "C.UTF-8", "QT_QPA_PLATFORM": "offscreen"}},
    )
    profile, downloads = tmp_path / "profile", tmp_path / "downloads"
    downloads.mkdir()
    start = OrderWindowStart(
        link=site,
        matter_number="J000001",
        hosts=("127.0.0.1",),
        profile_folder=str(profile),
        download_folder=str(downloads),
        demo_as_root_unsandboxed=sys.platform != "win32" and os.geteuid() == 0,
    )
    window.start(start, heard)
    try:
        assert loaded.wait(60), (events, window.last_words())
    finally:
        window.ask_to_close()
        if not window.wait_closed(20):
            window.kill()
    shutil.rmtree(home)
