"""The real engine, as an ordinary user with its sandbox on, against small sites on this machine."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest

from desktop.services.order_process import OrderWindowProcess
from desktop.services.order_protocol import Closed, OrderWindowStart
from tests.browser.order_window_rig import AS_ROOT, NOBODY, Open, Site, Window, base_environment, ordinary_user, serve


@pytest.fixture
def site() -> Iterator[Site]:
    served = serve()
    yield served
    served.server.shutdown()
    served.server.server_close()


@pytest.fixture
def other_site() -> Iterator[Site]:
    served = serve()
    yield served
    served.server.shutdown()
    served.server.server_close()


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder that belongs to whoever runs the window; under /tmp, because pytest's own is closed to others."""
    folder = Path(tempfile.mkdtemp(prefix="order-window-"))
    for name in ("profile", "home", "run", "shots"):
        (folder / name).mkdir(mode=0o700)
    if AS_ROOT:
        for path in (folder, *folder.iterdir()):
            os.chown(path, NOBODY, NOBODY)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def open_window(home: Path) -> Iterator[Open]:
    opened: list[Window] = []

    def open_one(link: str, *, environ: dict[str, str] | None = None, command: list[str] | None = None, **payload: Any) -> Window:
        start = OrderWindowStart(
            **{
                "link": link,
                "matter_number": "J004521",
                "matter_name": "Purchase of 8 Wattle Court",
                "client_name": "Kestrel Lane Holdings Pty Ltd",
                "system_title": "Xero Practice Manager",
                "hosts": ("127.0.0.1",),
                "profile_folder": str(home / "profile"),
                "download_folder": str(home / "profile" / "downloads"),
                "version": "0.1.0",
                "theme": "light",
                "software_rendering": True,
                "automation": True,
                **payload,
            }
        )
        process = OrderWindowProcess(command=command, environ=environ or base_environment(home), popen_options=ordinary_user())
        window = Window(process, home)
        process.start(start, window.heard)
        opened.append(window)
        return window

    yield open_one
    for window in opened:
        window.process.ask_to_close()
        if not window.process.wait_closed(10):
            window.process.kill()
            assert window.process.wait_closed(10), "the window did not even die"
        window.wait(Closed, seconds=5)
