"""Makes the pictures of README.md and docs/guide from the real windows, with an invented firm in them.

Run: python tests/ui/pictures.py [FOLDER]      (docs/screenshots when none is named)
     python tests/ui/pictures.py --all FOLDER [NAME…]      every window in every state, theme and scale, to be looked at
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import shutil
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from urllib.request import ProxyHandler, Request, build_opener

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import tests.ui.wide_screen  # noqa: F401  # isort: skip  # before any Qt module
import desktop.ui  # noqa: F401  # isort: skip  # before any Qt module

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPalette
from PySide6.QtWidgets import QApplication, QWidget

from desktop.services.desk import ConnectionState, InfoTrackView
from desktop.services.ledger.model import DeliveryState
from desktop.services.order_process import OrderWindowProcess, environment_for_order_window
from desktop.services.order_protocol import AnyEvent, Closed, Do, Done, OrderWindowStart, PageLoaded
from desktop.ui.bridge import Bridge
from desktop.ui.connections import ConnectionsWindow
from desktop.ui.deliveries import DeliveriesWindow
from desktop.ui.first_icon import prepare
from desktop.ui.matter_picker import MatterPicker
from desktop.ui.settings_window import SettingsWindow
from desktop.ui.signing_in import SigningIn
from desktop.ui.welcome import WelcomeWindow
from sandbox.house import Sandbox
from tests.ui.fake_desk import XPM, FakeDesk, connection, delivery, order, status
from tests.ui.fake_settings import FakeSettings
from tests.ui.gallery import take_all
from tests.ui.look import Studio, clock
from tests.ui.palettes import dark_palette

ROOT = Path(__file__).resolve().parents[2]
NOBODY = 65534
MOST_BYTES = 200_000


def firm() -> FakeDesk:
    """A desk in the middle of a working day: one order under way, most done, one that waits for a person."""
    desk = FakeDesk()
    done, minute = DeliveryState.CONFIRMED, timedelta(minutes=1)
    held = next(one for one in desk.all_orders if one.order_id == "71000005")
    desk.all_orders = (
        order(
            "71000012",
            delivery("71000012", "R", DeliveryState.ACCEPTED, amount="6.00", gst="0.60", ago=minute),
            delivery("71000012", "S", done, amount="15.28", gst="0.00", ago=minute),
            delivery("71000012", "D", DeliveryState.SENDING, ago=minute),
            total="21.88",
            gst="0.60",
            ago=4 * minute,
        ),
        order(
            "71000011",
            delivery("71000011", "T", done),
            delivery("71000011", "D", done),
            service="ASIC Current Company Extract",
            reference="ACN 004 085 616",
            total="16.05",
            ago=50 * minute,
        ),
        held,
        order(
            "71000008",
            delivery("71000008", "R", done),
            delivery("71000008", "D", done),
            service="Land Tax Clearance Certificate",
            reference="14 Harbour Street",
            total="32.45",
            ago=27 * 60 * minute,
        ),
        order("71000007", delivery("71000007", "T", done), delivery("71000007", "D", done), number="J000102", ago=30 * 60 * minute),
    )
    desk.now_status = status(connection(), waiting=1)
    return desk


def keep(picture: QImage, file: Path) -> None:
    """With a palette of the 256 colours that it has most of: windows have few, and the files become a third."""
    plain = picture.convertToFormat(QImage.Format.Format_RGB32)
    pixels = memoryview(plain.constBits()).cast("B").cast("I")
    commonest = [colour for colour, _ in Counter(pixels).most_common(256)]
    flags = Qt.ImageConversionFlag.AvoidDither | Qt.ImageConversionFlag.ThresholdDither
    plain.convertToFormat(QImage.Format.Format_Indexed8, commonest, flags).save(str(file))


def windows(folder: Path, app: QApplication) -> None:
    light = QPalette(app.palette())

    def take(name: str, make: Callable[[Bridge], QWidget], desk: FakeDesk, after: Callable[[QWidget], object] = id) -> None:
        Studio(app, folder, "whole").take(name, make, desk, after)
        whole = folder / f"{name}-whole.png"
        keep(QImage(str(whole)), folder / f"{name}.png")
        whole.unlink()

    def choose_held(window: QWidget) -> None:
        assert isinstance(window, DeliveriesWindow)
        window.list.go_to(2)

    def orders(bridge: Bridge) -> QWidget:
        window = DeliveriesWindow(bridge, clock=clock)
        window.resize(1040, 620)
        return window

    def connections(bridge: Bridge) -> QWidget:
        window = ConnectionsWindow(bridge, SigningIn(bridge, parent=bridge), clock=clock)
        window.resize(620, 500)
        return window

    def welcome(bridge: Bridge) -> QWidget:
        window = WelcomeWindow(bridge, door=FakeSettings(), clock=clock)
        window.resize(600, 890)
        return window

    fresh = FakeDesk()
    fresh.now_status = status(
        connection(ConnectionState.DISCONNECTED), infotrack=InfoTrackView(ConnectionState.DISCONNECTED), matters=0, refreshed=False
    )
    take("picker", lambda bridge: MatterPicker(bridge, clock=clock), firm())
    take("orders", orders, firm(), choose_held)
    take("connections", connections, firm(), lambda window: window.test_system(XPM))  # type: ignore[attr-defined]
    take("welcome", welcome, fresh)
    take("settings", lambda bridge: SettingsWindow(bridge, FakeSettings(), clock=clock), firm())
    app.setPalette(dark_palette())
    take("picker-dark", lambda bridge: MatterPicker(bridge, clock=clock), firm())
    app.setPalette(light)


def order_window(folder: Path) -> None:
    """The real process with its embedded browser, as an ordinary user, at the sandbox's ordering site."""
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    home = Path(tempfile.mkdtemp(prefix="iconnect-pictures-"))
    for own in (home, home / "profile", home / "downloads"):
        own.mkdir(mode=0o700, exist_ok=True)
        if as_root:
            os.chown(own, NOBODY, NOBODY)
    environ = environment_for_order_window({**os.environ, "HOME": str(home), "XDG_RUNTIME_DIR": str(home)})
    user: dict[str, object] = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if as_root else {}
    with tempfile.TemporaryDirectory() as place, Sandbox(Path(place), matters=50, seed=1, limits=True, delay=2.0) as box:
        process = OrderWindowProcess(environ=environ, popen_options=user)
        loaded, shot = threading.Event(), threading.Event()

        def heard(event: AnyEvent) -> None:
            if isinstance(event, PageLoaded):
                loaded.set()
            if isinstance(event, Done | Closed):
                shot.set()

        start = OrderWindowStart(
            link=_link(box.description()),
            matter_number="J000101",
            matter_name="Purchase of 14 Harbour Street",
            client_name="Kestrel Holdings Pty Ltd",
            system_title="Xero Practice Manager",
            hosts=("127.0.0.1", "localhost"),
            profile_folder=str(home / "profile"),
            download_folder=str(home / "downloads"),
            automation=True,
        )
        process.start(start, heard)
        if loaded.wait(60):
            process.do(Do(id=1, do="shot", path=str(home / "downloads" / "window.png")))
            shot.wait(60)
        process.ask_to_close()
        if not process.wait_closed(10):
            process.kill()
        picture = QImage(str(home / "downloads" / "window.png"))
        if picture.isNull():
            raise SystemExit(f"The order window gave no picture: {process.last_words()}")
        keep(picture.copy(0, 0, picture.width(), int(picture.width() * 0.62)), folder / "order-window.png")
    shutil.rmtree(home, ignore_errors=True)


def _link(told: dict[str, object]) -> str:
    """A one-time link for an invented matter, by the mapping call."""
    login = told["infotrack_login"]
    assert isinstance(login, dict)
    basic = base64.b64encode(f"{login['user']}:{login['password']}".encode()).decode()
    body = {"ClientReference": "J000101", "RetailerReference": "ICONNECT1"}
    request = Request(
        f"{told['infotrack']}/v1/mapping",
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Basic {basic}", "Content-Type": "application/json"},
    )
    with build_opener(ProxyHandler({})).open(request, timeout=20) as answer:
        return str(json.loads(answer.read())["Url"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "docs" / "screenshots")
    parser.add_argument("--all", nargs="+", metavar=("FOLDER", "NAME"), dest="gallery")
    chosen = parser.parse_args()
    if chosen.gallery:
        place, *names = chosen.gallery
        count = take_all(Path(place), names)
        print(f"{count} pictures: open {Path(place) / 'index.html'}")
        return
    folder: Path = chosen.folder
    folder.mkdir(parents=True, exist_ok=True)
    app = QApplication([])
    prepare(app)
    windows(folder, app)
    order_window(folder)
    heavy = [f"{file.name} has {file.stat().st_size:,} bytes" for file in folder.glob("*.png") if file.stat().st_size > MOST_BYTES]
    if heavy:
        raise SystemExit("Too heavy: " + "; ".join(heavy))


if __name__ == "__main__":
    main()
