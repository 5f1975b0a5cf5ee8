"""The person's windows as scenes: empty, typical, full, in trouble and busy; and the studio that takes their pictures."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import desktop.ui  # noqa: F401  # isort: skip  # before any Qt module

from PySide6.QtCore import QEventLoop, QRect, QTimer
from PySide6.QtGui import QColor, QImage, QPainter, QPalette
from PySide6.QtWidgets import QApplication, QDialog, QLineEdit, QWidget

from desktop.services.desk import ConnectionState, ConnectionView, InfoTrackView
from desktop.services.practice.model import AccessFinding, Finding
from desktop.ui.bridge import Bridge
from desktop.ui.connections import ConnectionsWindow
from desktop.ui.deliveries import DeliveriesWindow
from desktop.ui.home import HomeWindow
from desktop.ui.icons import app_icon, tray_icon
from desktop.ui.matter_picker import MatterPicker
from desktop.ui.result_form import ResultForm
from desktop.ui.settings_window import SettingsWindow
from desktop.ui.signing_in import SigningIn, TenantDialog
from desktop.ui.state import IconState
from desktop.ui.welcome import WelcomeWindow
from tests.ui.fake_desk import NOW, TENANTS, XPM, FakeDesk, connection, matter, status
from tests.ui.fake_settings import FakeSettings

SYDNEY = timezone(timedelta(hours=11))


def clock() -> datetime:
    return NOW.astimezone(SYDNEY)


class Studio:
    """Opens each window once and takes it in every theme, so that what doesn't follow a change of the system's is seen too."""

    def __init__(self, app: QApplication, folder: Path, tag: str, palettes: Mapping[str, QPalette] | None = None) -> None:
        """A picture is called after its scene, its theme's name in `palettes`, and the tag; without palettes it is taken as the
        system's colours are."""
        self.app = app
        self.folder = folder
        self.tag = tag
        self.palettes = palettes or {}
        self.taken: list[str] = []
        app.setCursorFlashTime(0)

    def settle(self, ms: int = 250) -> None:
        loop = QEventLoop()
        QTimer.singleShot(ms, loop.quit)
        loop.exec()

    def take(
        self, name: str, make: Callable[[Bridge], QWidget], desk: FakeDesk | None = None, after: Callable[[QWidget], object] = id
    ) -> None:
        world = desk or FakeDesk()
        bridge = Bridge(lambda notify: world)
        bridge.open()
        self.rest(bridge)
        window = make(bridge)
        window.show()
        self.rest(bridge)
        after(window)
        self.rest(bridge)
        boxes = [box for box in window.findChildren(QDialog) if box.isVisible()]
        seen = boxes[0] if boxes else window
        for theme, palette in self.palettes.items() or [("", None)]:
            if palette is not None:
                self.app.setPalette(palette)
                self.settle(5)
            file = "-".join(part for part in (name, theme, self.tag) if part) + ".png"
            seen.grab().save(str(self.folder / file))
            self.taken.append(file)
        bridge.close()
        for held in world.holds.values():
            held.set()
        for box in boxes:
            box.close()
        window.close()
        window.deleteLater()
        bridge.deleteLater()
        for palette in list(self.palettes.values())[:1]:
            self.app.setPalette(palette)
        self.settle(5)

    def rest(self, bridge: Bridge) -> None:
        """Until nothing is under way any more, or what is under way has had time to say so."""
        self.settle(60)
        for _ in range(14):
            if bridge.is_open and not bridge._away:
                return
            self.settle(50)


def scenes(studio: Studio, wanted: set[str]) -> None:
    def scene(
        name: str, make: Callable[[Bridge], QWidget], desk: FakeDesk | None = None, after: Callable[[QWidget], object] = id
    ) -> None:
        if not wanted or any(name.startswith(want) for want in wanted):
            studio.take(name, make, desk, after)

    def picker(bridge: Bridge) -> QWidget:
        return MatterPicker(bridge, clock=clock)

    def type_in(text: str) -> Callable[[QWidget], object]:
        return lambda window: window.findChildren(QLineEdit)[0].setText(text)

    def desk(**changes: object) -> FakeDesk:
        made = FakeDesk()
        for name, value in changes.items():
            setattr(made, name, value)
        return made

    scene("picker-typical", picker)
    scene("picker-closed", picker, None, type_in("mill"))
    scene("picker-nothing", picker, None, type_in("J009999"))
    scene(
        "picker-empty",
        picker,
        desk(now_status=status(connection(ConnectionState.DISCONNECTED), matters=0, refreshed=False), matters=()),
    )
    scene("picker-unfetched", picker, desk(now_status=status(connection(), matters=0, refreshed=False), matters=()))
    many = tuple(
        matter(f"J{n:06}", f"Matter about thing {n} in the long run of things", f"Client {n % 97} Pty Ltd") for n in range(200)
    )
    scene(
        "picker-full-offline",
        picker,
        desk(now_status=status(connection(offline=True), matters=104_233), matters=many, all_orders=()),
    )

    def order_fails(window: QWidget) -> None:
        assert isinstance(window, MatterPicker)
        window.search.choose_current()

    failing = desk()
    failing.fail["order"] = "InfoTrack did not answer within a minute. Nothing was ordered; please try again."
    scene("picker-error", picker, failing, order_fails)

    def deliveries(bridge: Bridge) -> QWidget:
        return DeliveriesWindow(bridge, clock=clock)

    def go(row: int) -> Callable[[QWidget], object]:
        return lambda window: window.list.go_to(row)  # type: ignore[attr-defined]

    for row, name in enumerate(
        ("queued", "confirmed", "unknown", "rejected", "unmatched", "review", "cancelled", "takeover", "waiting")
    ):
        scene(f"order-{name}", deliveries, None, go(row))
    scene("orders-empty", deliveries, desk(all_orders=()))
    scene("orders-nothing", deliveries, None, type_in("zzz"))

    def cancel_box(window: QWidget) -> None:
        assert isinstance(window, DeliveriesWindow)
        window.list.go_to(2)
        studio.settle()
        order = window.pane.order()
        assert order is not None
        window.pane.cancel.emit(order.deliveries[0])

    scene("orders-cancel-box", deliveries, None, cancel_box)
    scene("result_form-empty", lambda bridge: ResultForm(matter_number="J000101"))

    def connections(bridge: Bridge) -> QWidget:
        return ConnectionsWindow(bridge, SigningIn(bridge, open_url=lambda url: False, parent=bridge), clock=clock)

    scene("connections-typical", connections)
    scene(
        "connections-empty",
        connections,
        desk(now_status=status(connection(ConnectionState.DISCONNECTED), infotrack=InfoTrackView(ConnectionState.DISCONNECTED))),
    )
    trouble = desk(
        now_status=status(
            connection(
                ConnectionState.ATTENTION,
                problem="Xero ended the sign-in 2 days ago.",
                cure="Press Connect and sign in again; postings wait until then.",
            ),
            ConnectionView(
                "workflowmax",
                "WorkflowMax",
                ConnectionState.CONNECTED,
                "Harbour & Reed",
                "tom@harbourreed.example",
                NOW,
                offline=True,
            ),
            ConnectionView("smokeball", "Smokeball", ConnectionState.DISCONNECTED),
            infotrack=InfoTrackView(ConnectionState.ATTENTION, "priya.raman", "InfoTrack refused this password. Type the new one."),
            notices=("No keyring was found: you stay signed in only until iConnect ends.",),
        )
    )
    scene("connections-error", connections, trouble)
    tested = desk(
        findings=(
            AccessFinding("Read jobs", Finding.OK),
            AccessFinding(
                "Post costs",
                Finding.MISSING,
                "Xero refused to show the cost list.",
                "Ask an administrator to tick “Time & cost” for you under Staff.",
            ),
            AccessFinding("Upload documents", Finding.UNKNOWN, "There is no job to try it on."),
        )
    )
    scene("connections-tested", connections, tested, lambda window: window.test_system(XPM))  # type: ignore[attr-defined]
    waiting = desk(now_status=status(connection(ConnectionState.DISCONNECTED)))
    waiting.hold("browser")
    scene("connections-busy", connections, waiting, lambda window: window.connect_system(XPM))  # type: ignore[attr-defined]
    scene("organisations-typical", lambda bridge: TenantDialog(TENANTS))
    scene("settings-typical", lambda bridge: SettingsWindow(bridge, FakeSettings(), clock=clock))
    locked = FakeSettings(locked=frozenset({"system", "amounts"}))

    def mistype(window: QWidget) -> None:
        assert isinstance(window, SettingsWindow)
        window.description.setText("{servce} x")

    scene("settings-error", lambda bridge: SettingsWindow(bridge, locked, clock=clock), None, mistype)
    scene(
        "welcome-empty",
        lambda bridge: WelcomeWindow(bridge, clock=clock),
        desk(
            now_status=status(
                connection(ConnectionState.DISCONNECTED),
                infotrack=InfoTrackView(ConnectionState.DISCONNECTED),
                matters=0,
                refreshed=False,
            )
        ),
    )
    scene("welcome-full", lambda bridge: WelcomeWindow(bridge, clock=clock))
    scene("home-typical", lambda bridge: HomeWindow(bridge, clock=clock))
    scene(
        "home-none",
        lambda bridge: HomeWindow(bridge, clock=clock),
        desk(now_status=status(connection(ConnectionState.DISCONNECTED))),
    )


def icon_sheet(folder: Path) -> None:
    """The icons as panels show them: on light, dark and coloured ground, at 16, 22 and 32 pixels; then eightfold."""
    sizes, grounds = (16, 22, 32), ("#f3f3f3", "#202327", "#1c4f8a")
    sheet = QImage(40 * (len(IconState) + 1) * len(sizes), 44 * len(grounds), QImage.Format.Format_RGB32)
    painter = QPainter(sheet)
    for row, ground in enumerate(grounds):
        painter.fillRect(QRect(0, row * 44, sheet.width(), 44), QColor(ground))
        x = 6
        for size in sizes:
            for icon in [*(tray_icon(state) for state in IconState), app_icon()]:
                painter.drawPixmap(x, row * 44 + 22 - size // 2, icon.pixmap(size, size))
                x += 40
    painter.end()
    sheet.scaled(sheet.width() * 2, sheet.height() * 2).save(str(folder / "icons.png"))
