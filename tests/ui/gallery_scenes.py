"""What the gallery shows beside the scenes of `look` and `look_books`: dialogs, the menu, the icons, and more troubles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from PySide6.QtWidgets import QDialog, QPushButton, QWidget

from desktop.services.desk import ConnectionState, InfoTrackView
from desktop.services.ledger.model import DeliveryState, Origin
from desktop.services.practice.model import AccessFinding, Finding
from desktop.ui.before_order import ClosedMatterDialog
from desktop.ui.bridge import Bridge
from desktop.ui.connections import ConnectionsWindow
from desktop.ui.deliveries import DeliveriesWindow
from desktop.ui.matter_picker import MatterChooser, MatterPicker
from desktop.ui.own_settings import OwnSettings
from desktop.ui.preview import PreviewDialog
from desktop.ui.result_form import ResultForm
from desktop.ui.settings_window import SettingsWindow
from desktop.ui.signing_in import SigningIn
from desktop.ui.tray import Tray
from desktop.ui.update_state import UpdateState, UpdateView
from desktop.ui.welcome import WelcomeWindow
from tests.ui.every_window import updates as update_window
from tests.ui.fake_desk import MATTERS, XPM, FakeDesk, connection, delivery, order, status
from tests.ui.fake_settings import FakeSettings
from tests.ui.look import Studio, clock

OUT = connection(ConnectionState.DISCONNECTED)
BROKEN = connection(ConnectionState.ATTENTION, problem="Xero ended the sign-in.", cure="Sign in again.")


def scenes(studio: Studio, wanted: set[str]) -> None:
    def scene(
        name: str, make: Callable[[Bridge], QWidget], desk: FakeDesk | None = None, after: Callable[[QWidget], object] = id
    ) -> None:
        if not wanted or any(name.startswith(want) for want in wanted):
            studio.take(name, make, desk, after)

    def with_status(now: object) -> FakeDesk:
        desk = FakeDesk()
        desk.now_status = now  # type: ignore[assignment]
        return desk

    # ordering

    busy = FakeDesk()
    busy.hold("order")

    def order_now(window: QWidget) -> None:
        assert isinstance(window, MatterPicker)
        window.search.choose_current()

    scene("picker-busy", lambda bridge: MatterPicker(bridge, clock=clock), busy, order_now)
    scene("closed_matter-typical", lambda bridge: ClosedMatterDialog(MATTERS[5], MATTERS[:2]))
    scene("closed_matter-empty", lambda bridge: ClosedMatterDialog(MATTERS[5], ()))

    def chooser(bridge: Bridge) -> QWidget:
        over = QWidget()
        made = MatterChooser(bridge, "Move order 71000007", "What will happen is shown before.", "Move here", clock, over)
        made.setParent(None)
        made.search.search()
        return made

    scene("matter_chooser-typical", chooser)
    nothing = FakeDesk()
    nothing.matters = ()
    scene("matter_chooser-empty", chooser, nothing)

    def no_previews(bridge: Bridge) -> QWidget:
        dialog = PreviewDialog(None)
        dialog.show_previews(())
        return dialog

    scene("preview-busy", lambda bridge: PreviewDialog(None))
    scene("preview-empty", no_previews)

    # signing in

    def connections(bridge: Bridge) -> QWidget:
        return ConnectionsWindow(bridge, SigningIn(bridge, open_url=lambda url: False, parent=bridge), clock=clock)

    testing = FakeDesk()
    testing.hold("check_access")
    scene("connections-testing", connections, testing, lambda window: window.test_system(XPM))  # type: ignore[attr-defined]

    # first run

    def welcome(bridge: Bridge) -> QWidget:
        return WelcomeWindow(bridge, door=FakeSettings(), clock=clock)

    scene("welcome-typical", welcome, with_status(status(connection(), matters=0, refreshed=False)))
    scene("welcome-error", welcome, with_status(status(BROKEN)))
    scene("welcome-busy", welcome, with_status(status(connection(ConnectionState.CONNECTING), matters=0, refreshed=False)))

    nobody = InfoTrackView(ConnectionState.DISCONNECTED)
    signed_out = with_status(status(OUT, infotrack=nobody, matters=0, refreshed=False))
    scene("welcome-step2-sign_in", welcome, signed_out)
    no_right = with_status(status(connection()))
    no_right.findings = (
        AccessFinding("Read jobs", Finding.OK),
        AccessFinding("Post costs", Finding.MISSING, "Xero refused.", "Ask an administrator to tick “Time & cost” for you."),
    )
    scene("welcome-step1-account", welcome, no_right)
    scene("welcome-step3-infotrack", welcome, with_status(status(connection(), infotrack=nobody)))
    refused = InfoTrackView(ConnectionState.ATTENTION, "priya.raman", "InfoTrack refused this password. Type the new one.")
    scene("welcome-step3-refused", welcome, with_status(status(connection(), infotrack=refused)))
    fetching = with_status(status(connection(), matters=0, refreshed=False))
    fetching.hold("refresh_matters")
    scene("welcome-step4-fetching", welcome, fetching)
    unfetched = with_status(status(connection(), matters=0, refreshed=False))
    unfetched.fail["refresh_matters"] = "Xero did not answer within a minute. Try again."
    scene("welcome-step4-failed", welcome, unfetched)
    no_code = FakeSettings(OwnSettings("xero-practice-manager", code_taxed="DISB", code_untaxed="DISB-FREE"))
    scene("welcome-step5-codes", lambda bridge: WelcomeWindow(bridge, door=no_code, clock=clock), with_status(status(connection())))
    unread = with_status(status(connection()))
    unread.fail["cost_codes"] = "Xero did not answer within a minute."
    scene("welcome-step5-failed", welcome, unread)
    ready = with_status(status(connection()))
    scene("welcome-step6-first_search", welcome, ready)

    # settings

    def settings(bridge: Bridge) -> QWidget:
        return SettingsWindow(bridge, FakeSettings(), clock=clock)

    no_codes = FakeDesk()
    no_codes.fail["cost_codes"] = "Xero did not answer within a minute."
    scene("settings-no_codes", settings, no_codes)
    scene("settings-empty", settings, with_status(status(OUT)))

    # result form

    def wrong(window: QWidget) -> None:
        assert isinstance(window, ResultForm)
        window.add_button.click()

    scene("result_form-error", lambda bridge: ResultForm(), None, wrong)

    # updates

    def updates(view: UpdateView) -> Callable[[Bridge], QWidget]:
        return lambda bridge: update_window(view, bridge, clock)

    notes = "Orders that were billed twice are found.\nThe list scrolls without a hitch."
    scene("updates-empty", updates(UpdateView(UpdateState.NEWEST)))
    scene("updates-typical", updates(UpdateView(UpdateState.READY, "1.5.0", notes, installs_itself=True)))
    scene("updates-full", updates(UpdateView(UpdateState.READY, "1.5.0", notes * 30, installs_itself=True)))
    scene("updates-busy", updates(UpdateView(UpdateState.FETCHING, "1.5.0", notes, done=31, of=88, installs_itself=True)))
    scene("updates-error", updates(UpdateView(UpdateState.PROBLEM, problem="The server did not answer.")))

    # results that no matter claims

    def unmatched(bridge: Bridge) -> QWidget:
        window = DeliveriesWindow(bridge, clock=clock)
        window.choose_filter("unmatched")
        return window

    def many_unmatched() -> FakeDesk:
        desk = FakeDesk()
        first = next(one for one in desk.all_orders if one.order_id == "71000005")
        number = len(first.suggestions)
        more = tuple(
            order(
                str(70_900_000 - n),
                delivery(str(70_900_000 - n), "T", DeliveryState.HELD, number="", reason="No matter was found for it."),
                number="",
                client_reference=f"HARBOUR ST {n}",
                origin=Origin.ELSEWHERE,
                suggestions=tuple(replace(one, reason=f"{one.reason}, {n} times") for one in first.suggestions[: n % (number + 1)]),
                reason="No matter fits. Choose one, and the rest goes by itself.",
                ago=timedelta(hours=30 + n),
            )
            for n in range(200)
        )
        desk.all_orders = (replace(first, suggestions=first.suggestions * 3), *more)
        return desk

    none = FakeDesk()
    none.all_orders = tuple(one for one in none.all_orders if one.matter_number)
    scene("unmatched-empty", unmatched, none)
    scene("unmatched-typical", unmatched, None)
    scene("unmatched-full", unmatched, many_unmatched())

    def assign(window: QWidget) -> None:
        button = window.findChild(QPushButton, "suggestion 0")
        assert isinstance(button, QPushButton)
        button.click()
        studio.settle()
        for box in window.findChildren(QDialog):
            box.accept()

    failing = FakeDesk()
    failing.fail["move"] = "Xero did not answer within a minute. Nothing was changed; please try again."
    scene("unmatched-error", unmatched, failing, assign)
    moving = FakeDesk()
    moving.hold("move")
    scene("unmatched-busy", unmatched, moving, assign)

    # the tray's menu

    def menu(now: object) -> Callable[[Bridge], QWidget]:
        def make(bridge: Bridge) -> QWidget:
            tray = Tray(bridge)
            tray.show_status(now)  # type: ignore[arg-type]
            return tray.menu

        return make

    scene("tray_menu-empty", menu(status(OUT)))
    scene("tray_menu-typical", menu(status(connection())))
    scene("tray_menu-error", menu(status(BROKEN)))
