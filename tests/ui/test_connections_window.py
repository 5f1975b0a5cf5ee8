"""Connections: signing in and out, problems with their cures, and secrets that are not kept."""

from __future__ import annotations

import dataclasses
import sys
import webbrowser
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from desktop.services.desk import ConnectionState, ConnectionView, InfoTrackView, SignInSteps, Status
from desktop.services.practice.model import AccessFinding, Finding
from desktop.ui.bridge import Bridge
from desktop.ui.connections import ConnectionCard, ConnectionsWindow
from desktop.ui.signing_in import SigningIn, open_in_browser
from tests.ui.conftest import MakeBridge
from tests.ui.fake_desk import SIGN_IN_ADDRESS, TENANTS, XPM, FakeDesk, connection, status

Clock = Callable[[], datetime]
C = ConnectionState


class Opened:
    def __init__(self, qtbot: QtBot, bridge: Bridge, clock: Clock, *, browser: bool = True) -> None:
        self.addresses: list[str] = []

        def open_url(address: str) -> bool:
            self.addresses.append(address)
            return browser

        self.signing_in = SigningIn(bridge, open_url=open_url, parent=bridge)
        self.window = ConnectionsWindow(bridge, self.signing_in, clock=clock)
        qtbot.addWidget(self.window)
        self.window.bring_forward()
        self.card: ConnectionCard = self.window.cards[XPM]


def opened(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, desk: FakeDesk, given: Status, *, browser: bool = True) -> Opened:
    desk.now_status = given
    return Opened(qtbot, make_bridge(desk), clock, browser=browser)


def words_on(widget: QWidget) -> str:
    return "\n".join(label.text() for label in widget.findChildren(QLabel) if label.isVisibleTo(widget))


def visible_buttons(widget: QWidget) -> list[str]:
    return [b.accessibleName() or b.text() for b in widget.findChildren(QPushButton) if b.isVisibleTo(widget)]


def test_signed_out_it_offers_connect(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, desk: FakeDesk) -> None:
    there = opened(qtbot, make_bridge, clock, desk, status(connection(C.DISCONNECTED)))
    assert there.window.windowTitle() == "iConnect - Connections"
    assert visible_buttons(there.card) == ["Connect"]
    assert "not connected" in words_on(there.card)


def test_signed_in_it_shows_who_where_and_since_when(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, desk: FakeDesk) -> None:
    there = opened(qtbot, make_bridge, clock, desk, status(connection()))
    assert visible_buttons(there.card) == ["Disconnect", "Test now"]
    said = words_on(there.card)
    assert all(part in said for part in ("Harbour & Reed Legal", "priya@harbourreed.example", "since 11 Mar 15:30"))


def test_a_broken_sign_in_shows_problem_and_cure(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, desk: FakeDesk) -> None:
    broken = connection(C.ATTENTION, problem="Xero ended the sign-in.", cure="Press Connect.")
    there = opened(qtbot, make_bridge, clock, desk, status(broken))
    assert there.card.problem.text() == "Xero ended the sign-in. Press Connect."
    assert visible_buttons(there.card) == ["Connect", "Disconnect", "Test now"]


def test_out_of_reach_is_not_shown_green(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, desk: FakeDesk) -> None:
    there = opened(qtbot, make_bridge, clock, desk, status(connection(offline=True)))
    assert there.card.pill.text() == "offline"
    assert "Postings wait" in words_on(there.card)


def test_a_sign_in_goes_from_browser_to_connected(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, desk: FakeDesk) -> None:
    gate = desk.hold("browser")
    there = opened(qtbot, make_bridge, clock, desk, status(connection(C.DISCONNECTED)))
    there.card.connect_button.click()
    qtbot.waitUntil(lambda: there.addresses == [SIGN_IN_ADDRESS])
    assert there.card.pill.text() == "connecting"
    assert there.card.address.text() == SIGN_IN_ADDRESS
    assert "Cancel" in visible_buttons(there.card)
    assert "Connect" not in visible_buttons(there.card)
    gate.set()
    qtbot.waitUntil(lambda: there.card.pill.text() == "connected")
    assert "Signed in to Harbour & Reed Legal." in there.card.result.text()


def test_without_a_browser_the_address_can_be_copied(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, desk: FakeDesk) -> None:
    desk.hold("browser")
    there = opened(qtbot, make_bridge, clock, desk, status(connection(C.DISCONNECTED)), browser=False)
    there.card.connect_button.click()
    qtbot.waitUntil(lambda: "No browser opened" in there.card.explain.text())
    copy = next(b for b in there.card.findChildren(QPushButton) if b.text() == "Copy address")
    copy.click()
    assert QGuiApplication.clipboard().text() == SIGN_IN_ADDRESS
    there.card.cancel_button.click()
    qtbot.waitUntil(lambda: there.signing_in.system == "")


def test_cancel_ends_the_sign_in_without_a_complaint(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, desk: FakeDesk) -> None:
    desk.hold("browser")
    there = opened(qtbot, make_bridge, clock, desk, status(connection(C.DISCONNECTED)))
    there.card.connect_button.click()
    qtbot.waitUntil(lambda: bool(there.addresses))
    there.card.cancel_button.click()
    qtbot.waitUntil(lambda: visible_buttons(there.card) == ["Connect"])
    assert there.card.result.text() == ""
    assert desk.called("connected") == []


def test_with_several_organisations_the_person_chooses(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, desk: FakeDesk) -> None:
    desk.tenants = TENANTS
    there = opened(qtbot, make_bridge, clock, desk, status(connection(C.DISCONNECTED)))
    there.card.connect_button.click()
    qtbot.waitUntil(lambda: there.signing_in.dialog is not None)
    dialog = there.signing_in.dialog
    assert dialog is not None
    assert [dialog.list.item(n).text() for n in range(dialog.list.count())] == [t.name for t in TENANTS]
    dialog.list.setCurrentRow(1)
    dialog.accept()
    qtbot.waitUntil(lambda: desk.called("connected") == [(TENANTS[1],)])
    qtbot.waitUntil(lambda: "Demo Company (AU)" in words_on(there.card))


def test_choosing_no_organisation_keeps_nothing(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, desk: FakeDesk) -> None:
    desk.tenants = TENANTS
    there = opened(qtbot, make_bridge, clock, desk, status(connection(C.DISCONNECTED)))
    there.card.connect_button.click()
    qtbot.waitUntil(lambda: there.signing_in.dialog is not None)
    dialog = there.signing_in.dialog
    assert dialog is not None
    dialog.reject()
    qtbot.waitUntil(lambda: "nothing was kept" in there.card.result.text())
    assert desk.called("connected") == []


def test_a_failed_sign_in_says_why(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, desk: FakeDesk) -> None:
    desk.fail["connect"] = "None of the five ports is free."
    there = opened(qtbot, make_bridge, clock, desk, status(connection(C.DISCONNECTED)))
    there.card.connect_button.click()
    qtbot.waitUntil(lambda: there.card.result.text() == "None of the five ports is free.")


def test_one_sign_in_at_a_time(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, desk: FakeDesk) -> None:
    desk.hold("browser")
    other = ConnectionView("smokeball", "Smokeball", C.DISCONNECTED)
    there = opened(qtbot, make_bridge, clock, desk, status(connection(C.DISCONNECTED), other))
    there.card.connect_button.click()
    qtbot.waitUntil(lambda: bool(there.addresses))
    assert not there.window.cards["smokeball"].connect_button.isEnabled()
    there.window.connect_system("smokeball")
    assert "Another sign-in is under way" in there.window.cards["smokeball"].result.text()
    there.signing_in.cancel()
    qtbot.waitUntil(lambda: there.signing_in.system == "")
    assert len(desk.called("connect")) == 1


def test_disconnect_says_what_became_of_the_access(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, desk: FakeDesk) -> None:
    there = opened(qtbot, make_bridge, clock, desk, status(connection()))
    there.card.disconnect_button.click()
    qtbot.waitUntil(lambda: there.card.result.text() == "Signed out of Xero; the access was revoked there.")
    qtbot.waitUntil(lambda: "Connect" in visible_buttons(there.card))


def test_a_test_shows_every_right_with_its_cure(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, desk: FakeDesk) -> None:
    desk.findings = (
        AccessFinding("Read jobs", Finding.OK),
        AccessFinding("Post costs", Finding.MISSING, "Xero refused.", "Ask an administrator."),
    )
    there = opened(qtbot, make_bridge, clock, desk, status(connection()))
    there.card.test_button.click()
    qtbot.waitUntil(lambda: "Xero refused. Ask an administrator." in words_on(there.card))
    assert "Everything works." not in there.card.result.text()
    desk.findings = (AccessFinding("Read jobs", Finding.OK),)
    there.card.test_button.click()
    qtbot.waitUntil(lambda: there.card.result.text() == "Everything works.")


def test_the_infotrack_password_is_hidden_and_gone_after_use(
    qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, desk: FakeDesk
) -> None:
    there = opened(qtbot, make_bridge, clock, desk, status(connection(), infotrack=InfoTrackView(C.DISCONNECTED)))
    card = there.window.infotrack
    assert card.password.echoMode() == QLineEdit.EchoMode.Password
    card.user.setText("priya")
    card.password.setText("correct horse")
    card.sign_in_button.click()
    assert card.password.text() == ""
    qtbot.waitUntil(lambda: "Signed in as priya" in words_on(card))
    assert desk.called("sign_in_to_infotrack") == [("priya", len("correct horse"))]
    assert visible_buttons(card) == ["Sign out"]
    card.sign_out_button.click()
    qtbot.waitUntil(lambda: "Sign in" in visible_buttons(card))


def test_a_refused_infotrack_password_can_be_typed_again(
    qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, desk: FakeDesk
) -> None:
    desk.fail["sign_in_to_infotrack"] = "InfoTrack does not accept this user name and password."
    there = opened(qtbot, make_bridge, clock, desk, status(connection(), infotrack=InfoTrackView(C.DISCONNECTED)))
    card = there.window.infotrack
    card.user.setText("priya")
    card.password.setText("wrong")
    card.sign_in_button.click()
    qtbot.waitUntil(lambda: "does not accept" in card.message.text())
    assert card.user.text() == "priya"
    assert card.form.isEnabled()


@pytest.mark.parametrize(("user", "password"), [("", "x"), ("x", "")])
def test_a_half_filled_infotrack_form_is_not_sent(
    qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, desk: FakeDesk, user: str, password: str
) -> None:
    there = opened(qtbot, make_bridge, clock, desk, status(connection(), infotrack=InfoTrackView(C.DISCONNECTED)))
    card = there.window.infotrack
    card.user.setText(user)
    card.password.setText(password)
    card.sign_in_button.click()
    assert "user name and password" in card.message.text()
    assert desk.called("sign_in_to_infotrack") == []


def test_notices_of_the_desk_are_shown(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, desk: FakeDesk) -> None:
    there = opened(qtbot, make_bridge, clock, desk, status(connection(), notices=("No keyring was found.",)))
    assert there.window.notices.text() == "No keyring was found."


def test_without_a_browser_the_sign_in_goes_on_with_the_address(
    qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, desk: FakeDesk
) -> None:
    """The services end a sign-in whose browser did not open; the window has the address, so it does not come to that."""
    desk.now_status = status(connection(C.DISCONNECTED))
    told: list[bool] = []
    connect = desk.connect

    def watched(system: str, steps: SignInSteps) -> ConnectionView:
        def open_browser(address: str) -> bool:
            told.append(steps.open_browser(address))
            return told[-1]

        return connect(system, dataclasses.replace(steps, open_browser=open_browser))

    desk.connect = watched  # type: ignore[method-assign]
    desk.hold("browser")
    there = Opened(qtbot, make_bridge(desk), clock, browser=False)
    there.card.connect_button.click()
    qtbot.waitUntil(lambda: told == [True])
    qtbot.waitUntil(lambda: there.card.address.text() == SIGN_IN_ADDRESS and there.card.address.isVisible())
    assert "No browser opened" in there.card.explain.text()
    there.card.cancel_button.click()
    qtbot.waitUntil(lambda: there.signing_in.system == "")


def test_a_wrong_infotrack_login_stays_in_sight_until_the_next_attempt(
    qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, desk: FakeDesk
) -> None:
    """InfoTrack's no is an answer, not a failure; and the state that follows, «not connected», has no sentence of its own."""
    desk.now_status = status(connection(), infotrack=InfoTrackView(C.DISCONNECTED))
    no = InfoTrackView(C.ATTENTION, "priya", "InfoTrack did not accept this user name and password.")
    desk.sign_in_to_infotrack = lambda user, password: no  # type: ignore[method-assign]
    bridge = make_bridge(desk)
    card = Opened(qtbot, bridge, clock).window.infotrack
    card.user.setText("priya")
    card.password.setText("wrong")
    card.sign_in()
    qtbot.waitUntil(lambda: card.message.text() == no.problem)
    assert card.password.hasFocus()
    with qtbot.waitSignal(bridge.changed):
        bridge.notify()
    assert card.message.text() == no.problem


def test_a_notice_that_sends_the_person_here_is_not_shown_here(
    qtbot: QtBot, make_bridge: MakeBridge, clock: Clock, desk: FakeDesk
) -> None:
    here = "You are not signed in to InfoTrack. Sign in under Connections."
    there = opened(qtbot, make_bridge, clock, desk, status(connection(), notices=(here, "No keyring was found.")))
    assert there.window.notices.text() == "No keyring was found."


def test_the_browser_that_the_environment_names_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, qtbot: QtBot) -> None:
    told = tmp_path / "told"
    script = tmp_path / "browser.py"
    script.write_text(f"import pathlib, sys\npathlib.Path({str(told)!r}).write_text(sys.argv[1])\n", encoding="utf-8")
    monkeypatch.setenv("BROWSER", f"{sys.executable} {script} %s")
    monkeypatch.setattr(webbrowser, "_tryorder", None)
    assert open_in_browser("http://127.0.0.1/authorize?a=1")
    qtbot.waitUntil(lambda: told.exists() and told.read_text() == "http://127.0.0.1/authorize?a=1", timeout=15_000)
