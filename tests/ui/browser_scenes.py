"""The order window and the sign-in window for the gallery, with the real engine on a page of our own on this PC.

The engine has to be told its switches before Qt begins, and is asked for only where one of its scenes is wanted."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QUrl
from PySide6.QtWidgets import QWidget

from desktop.services.order_protocol import OrderWindowStart
from desktop.ui.bridge import Bridge
from desktop.ui.browser.environment import drop_engine_switches, set_engine_environment
from tests.ui.browser_bars import FILES, OFFLINE, SAVED

if TYPE_CHECKING:
    from desktop.ui.order_window import OrderWindow
    from tests.ui.look import Studio

NAMES = (
    "browser-typical", "browser-find", "browser-files", "browser-fees", "browser-notice", "browser-offline", "browser-crashed",
    "browser-signed_out", "browser-signing_in", "sign_in-typical", "sign_in-offline",
)  # fmt: skip

_PAGE = b"""<!doctype html><meta charset="utf-8"><title>Title Search</title><style>
body{font:15px sans-serif;margin:0;color:#222}header{background:#0b5c6b;color:#fff;padding:14px 28px;font-size:20px}
main{max-width:760px;margin:28px auto}label{display:block;margin:14px 0 4px}input{font:inherit;padding:7px;width:320px}
button{font:inherit;padding:9px 22px;margin-top:22px}</style><header>Search</header><main><h1>Queensland title search</h1>
<p>Matter <b>J000101</b> is filled in. A title search shows the title's owner and what stands on the title.</p>
<label>Lot</label><input value="12"><label>Plan</label><input value="RP90001"><br><button>Order title search</button></main>"""


def wanted_here(wanted: set[str]) -> list[str]:
    return [name for name in NAMES if not wanted or any(name.startswith(want) for want in wanted)]


def prepare_engine(wanted: set[str]) -> None:
    """Call before the application is made."""
    if not wanted_here(wanted):
        return
    drop_engine_switches(os.environ)
    # Nothing but our own page is ever loaded, so root may do without the engine's sandbox here.
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    set_engine_environment(os.environ, software_rendering=True, unsandboxed=as_root, platform=sys.platform)
    import PySide6.QtWebEngineWidgets  # noqa: F401


@contextmanager
def _served() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(_PAGE)))
            self.end_headers()
            self.wfile.write(_PAGE)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()


def scenes(studio: Studio, wanted: set[str]) -> None:
    names = wanted_here(wanted)
    if not names:
        return
    with _served() as link, tempfile.TemporaryDirectory() as place:
        _take(studio, set(names), link, Path(place))


def _take(studio: Studio, names: set[str], link: str, place: Path) -> None:
    from desktop.services.sign_in_protocol import SignInWindowStart
    from desktop.ui.browser.load_errors import SIGN_IN, explain
    from desktop.ui.browser.sign_in_window import SignInWindow
    from desktop.ui.order_window import OrderWindow

    def order(_bridge: Bridge) -> QWidget:
        start = OrderWindowStart(
            link=link,
            matter_number="J000101",
            matter_name="Purchase of 14 Harbour Street",
            client_name="Kestrel Holdings Pty Ltd",
            system_title="Xero Practice Manager",
            hosts=("127.0.0.1",),
            profile_folder=str(place),
            download_folder=str(place / "downloads"),
        )
        return OrderWindow(start, lambda _event: None)

    def sign_in(_bridge: Bridge) -> QWidget:
        start = SignInWindowStart(address=link, redirect="https://firm.example/callback", profile_folder=str(place))
        return SignInWindow(start, lambda _event: None)

    def scene(name: str, after: Callable[[OrderWindow], object] = id) -> None:
        if name not in names:
            return

        def when_loaded(window: QWidget) -> None:
            assert isinstance(window, OrderWindow)
            for _ in range(100):
                studio.settle(100)
                if window.tab.landed and window.tab.progress == 100:
                    break
            studio.settle(600)
            after(window)
            studio.settle(600)

        studio.take(name, order, None, when_loaded)

    def find(window: OrderWindow) -> None:
        window.find_bar.open(window.tab.page)
        window.find_bar.edit.setText("title")
        window.find_bar.step(back=False)

    def files(window: OrderWindow) -> None:
        for file in FILES:
            window.downloads_bar.show_download(file)

    def fees(window: OrderWindow) -> None:
        window.downloads_bar.show_download(FILES[-1])
        window.fees_form.ask(SAVED, service="Title Search")

    def notice(window: OrderWindow) -> None:
        window.page_set.open_wanted(QUrl(link + "terms"))
        window.size_of_pages.change(1)
        window._print()

    def offline(window: OrderWindow) -> None:
        assert OFFLINE is not None
        window.tab._on_failed(OFFLINE)

    def signing_in(window: OrderWindow) -> None:
        window.tab.say_signed_out()
        window.tab.sign_in_wanted.emit()

    scene("browser-typical")
    scene("browser-find", find)
    scene("browser-files", files)
    scene("browser-fees", fees)
    scene("browser-notice", notice)
    (place / "order-window-zoom").unlink(missing_ok=True)
    scene("browser-offline", offline)
    scene("browser-crashed", lambda window: window.tab._on_renderer_gone("killed"))
    scene("browser-signed_out", lambda window: window.tab.say_signed_out())
    scene("browser-signing_in", signing_in)

    def vendor_offline(window: QWidget) -> None:
        assert isinstance(window, SignInWindow)
        what = explain(-106, "login.xero.com", SIGN_IN)
        assert what is not None
        window._explain(what)

    for name, after in (("sign_in-typical", id), ("sign_in-offline", vendor_offline)):
        if name in names:

            def rested(window: QWidget, then: Callable[[QWidget], object] = after) -> None:
                studio.settle(2500)
                then(window)
                studio.settle(300)

            studio.take(name, sign_in, None, rested)
