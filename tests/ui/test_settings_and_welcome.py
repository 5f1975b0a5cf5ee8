"""Settings and the first run."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from desktop.services.desk import ConnectionState, InfoTrackView
from desktop.services.practice.model import AccessFinding, Finding
from desktop.ui.bridge import Bridge
from desktop.ui.invoice_columns import ColumnsDialog
from desktop.ui.menu_path import MenuPath
from desktop.ui.own_settings import OwnSettings
from desktop.ui.settings_window import SettingsWindow
from desktop.ui.welcome import WelcomeWindow
from desktop.ui.widgets import Text
from tests.ui.conftest import MakeBridge
from tests.ui.fake_desk import FakeDesk, connection, status
from tests.ui.fake_settings import FakeSettings

Clock = Callable[[], datetime]
C = ConnectionState
XPM = "xero-practice-manager"


def opened(qtbot: QtBot, bridge: Bridge, door: FakeSettings) -> SettingsWindow:
    window = SettingsWindow(bridge, door)
    qtbot.addWidget(window)
    window.bring_forward()
    qtbot.waitUntil(lambda: window._loaded is not None)
    return window


def with_codes(qtbot: QtBot, bridge: Bridge, door: FakeSettings) -> SettingsWindow:
    window = opened(qtbot, bridge, door)
    qtbot.waitUntil(lambda: window.code_taxed.count() == 3)
    return window


def test_each_choice_says_what_follows_from_it(qtbot: QtBot, bridge: Bridge) -> None:
    """Whoever reads «Amounts» or «Before posting» for the first time sees what it does to a fee and to a cost."""
    window = opened(qtbot, bridge, FakeSettings())
    for box, note, words in (
        (window.amounts, window.amounts_note, {"ex_gst": "a cost of $10.00;", "inc_gst": "a cost of $11.00;"}),
        (
            window.review,
            window.review_note,
            {"never": "Nobody is asked.", "differences": "what InfoTrack changes", "always": "until you approve it."},
        ),
    ):
        assert {box.itemData(index) for index in range(box.count())} == set(words)
        for value, told in words.items():
            box.setCurrentIndex(box.findData(value))
            assert told in note.text()
            assert note.isVisibleTo(window)
    window.results_folder.setText("")
    assert window.results_note.text().startswith("iConnect watches no folder.")
    window.results_folder.setText("/share/infotrack")
    assert "moves each file aside once it is read" in window.results_note.text()


def test_what_is_loaded_is_what_would_be_saved(qtbot: QtBot, bridge: Bridge) -> None:
    """A window that is opened and closed changes nothing, whatever the values."""
    values = OwnSettings(
        "workflowmax",
        "A",
        "B",
        "inc_gst",
        Decimal("12.5"),
        False,
        "{service}",
        "{order_id}",
        "Docs",
        "always",
        "/drop",
        "none",
        True,
    )
    window = opened(qtbot, bridge, FakeSettings(values))
    assert window.windowTitle() == "iConnect - Settings"
    assert window.values() == values
    assert not window.save_button.isEnabled()


def test_cost_codes_come_from_the_firms_list(qtbot: QtBot, bridge: Bridge, desk: FakeDesk) -> None:
    door = FakeSettings()
    window = with_codes(qtbot, bridge, door)
    assert window.code_taxed.currentText() == "DISB-GST – Disbursement with GST"
    assert not window.save_button.isEnabled(), "a fetched list is not a person's change"
    window.code_taxed.setCurrentIndex(2)
    window.save_button.click()
    qtbot.waitUntil(lambda: len(door.saved) == 1)
    assert door.saved[0].code_taxed == "SEARCH"
    qtbot.waitUntil(lambda: window.saved.text() == "Saved.")
    assert not window.save_button.isEnabled()


def test_a_code_that_the_firm_does_not_have_is_named(qtbot: QtBot, bridge: Bridge) -> None:
    window = with_codes(qtbot, bridge, FakeSettings(OwnSettings(XPM, code_taxed="OLD")))
    assert "no cost code “OLD”" in window.codes_note.text()
    assert window.values().code_taxed == "OLD"


def test_without_the_list_a_code_can_be_typed(qtbot: QtBot, make_bridge: MakeBridge, desk: FakeDesk) -> None:
    desk.fail["cost_codes"] = "Xero can't be reached."
    door = FakeSettings()
    window = opened(qtbot, make_bridge(desk), door)
    qtbot.waitUntil(lambda: "Xero can't be reached. You can type a code." in window.codes_note.text())
    window.code_taxed.setEditText("TYPED")
    assert window.values().code_taxed == "TYPED"


def test_patterns_are_previewed_and_wrong_ones_are_not_saved(qtbot: QtBot, bridge: Bridge) -> None:
    window = opened(qtbot, bridge, FakeSettings())
    window.file_name.setText("{reference}: {service}")
    assert window.file_preview.text() == "For example: 12-SP34567- Title Search.pdf"
    assert window.save_button.isEnabled()
    window.file_name.setText("{refrence}")
    assert "{refrence} is not a field" in window.file_preview.text()
    assert not window.save_button.isEnabled()


def test_what_the_firm_has_locked_cannot_be_changed(qtbot: QtBot, bridge: Bridge) -> None:
    window = opened(qtbot, bridge, FakeSettings(locked=frozenset({"markup_percent", "results_folder"})))
    assert not window.markup.isEnabled()
    assert not window.results_folder.isEnabled()
    assert not window.browse.isEnabled()
    assert "firm's IT" in window.markup.toolTip()
    assert window.review.isEnabled()


def test_a_save_that_fails_keeps_what_was_typed(qtbot: QtBot, bridge: Bridge) -> None:
    door = FakeSettings()
    door.problem = "The settings file can't be written: the disk is full."
    window = opened(qtbot, bridge, door)
    window.folder.setText("Searches")
    window.save_button.click()
    qtbot.waitUntil(lambda: window.message.text() == door.problem)
    assert window.folder.text() == "Searches"
    assert window.save_button.isEnabled()


def test_undo_brings_back_what_was_kept(qtbot: QtBot, bridge: Bridge) -> None:
    window = opened(qtbot, bridge, FakeSettings())
    window.markup.setValue(10)
    window.billable.setChecked(False)
    window.undo_button.click()
    assert window.values() == FakeSettings().values


def press_in_box(window: SettingsWindow, text: str) -> None:
    box = next(box for box in window.findChildren(QMessageBox) if box.isVisible())
    next(button for button in box.buttons() if button.text().replace("&", "") == text).click()


def test_closing_with_changes_asks_first(qtbot: QtBot, bridge: Bridge) -> None:
    door = FakeSettings()
    window = opened(qtbot, bridge, door)
    window.folder.setText("Elsewhere")
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert window.isVisible()
    press_in_box(window, "Keep editing")
    assert window.isVisible()
    assert window.folder.text() == "Elsewhere"
    window.close()
    press_in_box(window, "Save")
    qtbot.waitUntil(lambda: not window.isVisible())
    assert door.saved[-1].folder == "Elsewhere"


def test_a_save_that_fails_on_closing_keeps_the_window(qtbot: QtBot, bridge: Bridge) -> None:
    door = FakeSettings()
    door.problem = "The disk is full."
    window = opened(qtbot, bridge, door)
    window.folder.setText("Elsewhere")
    window.close()
    press_in_box(window, "Save")
    qtbot.waitUntil(lambda: window.message.text() == "The disk is full.")
    assert window.isVisible()


def test_without_changes_it_closes_at_once(qtbot: QtBot, bridge: Bridge) -> None:
    window = opened(qtbot, bridge, FakeSettings())
    window.close()
    assert not window.isVisible()


def test_what_was_not_saved_is_gone_at_the_next_opening(qtbot: QtBot, bridge: Bridge) -> None:
    window = opened(qtbot, bridge, FakeSettings())
    window.folder.setText("Elsewhere")
    window.close()
    press_in_box(window, "Don't save")
    qtbot.waitUntil(lambda: not window.isVisible())
    window.bring_forward()
    qtbot.waitUntil(lambda: window._loaded is not None)
    assert window.folder.text() == "InfoTrack"


# welcome


@pytest.fixture
def new_desk(desk: FakeDesk) -> FakeDesk:
    desk.now_status = status(connection(C.DISCONNECTED), infotrack=InfoTrackView(C.DISCONNECTED), matters=0, refreshed=False)
    return desk


def test_the_first_run_leads_from_step_to_step(qtbot: QtBot, make_bridge: MakeBridge, new_desk: FakeDesk, clock: Clock) -> None:
    bridge = make_bridge(new_desk)
    window = WelcomeWindow(bridge, clock=clock)
    qtbot.addWidget(window)
    window.bring_forward()
    assert window.windowTitle() == "iConnect - Welcome"
    assert [step.done for step in (window.sign_in, window.matters, window.first)] == [False, False, False]
    assert not window.matters.button.isEnabled()
    with qtbot.waitSignal(window.connect_wanted):
        window.sign_in.button.click()

    new_desk.now_status = dataclasses.replace(new_desk.now_status, connections=(connection(),))
    new_desk.notify()
    qtbot.waitUntil(lambda: window.sign_in.done)
    assert "Harbour & Reed Legal" in window.sign_in.text.text()

    window.infotrack.user.setText("priya")
    QTest.keyClicks(window.infotrack.password, "secret")
    window.infotrack.password.returnPressed.emit()
    qtbot.waitUntil(lambda: window.infotrack.pill.text() == "done")

    window.matters.button.click()
    qtbot.waitUntil(lambda: window.matters.done)
    assert "6 matters" in window.matters.text.text()
    with qtbot.waitSignal(window.picker_wanted):
        window.first.button.click()


def test_a_step_that_fails_says_why(qtbot: QtBot, make_bridge: MakeBridge, desk: FakeDesk, clock: Clock) -> None:
    desk.fail["refresh_matters"] = "Xero asked to wait a minute."
    window = WelcomeWindow(make_bridge(desk), clock=clock)
    qtbot.addWidget(window)
    window.bring_forward()
    window.matters.button.click()
    qtbot.waitUntil(lambda: window.matters.message.text() == "Xero asked to wait a minute.")
    assert window.matters.button.isEnabled()


def test_a_shortcut_is_checked_as_it_is_typed(qtbot: QtBot, bridge: Bridge) -> None:
    door = FakeSettings()
    window = opened(qtbot, bridge, door)
    window.shortcut.setText("I")
    assert "such as Ctrl+Alt+I" in window.shortcut_note.text()
    assert not window.save_button.isEnabled()
    window.shortcut.setText("ctrl+alt+i")
    with qtbot.waitSignal(window.kept):
        window.save_button.click()
    assert door.saved[0].shortcut == "ctrl+alt+i"
    assert not window.save_button.isEnabled()


def test_notices_name_no_matters_until_that_is_switched_on(qtbot: QtBot, bridge: Bridge) -> None:
    """J10: matter names in notices are off by default."""
    door = FakeSettings()
    window = opened(qtbot, bridge, door)
    assert not window.names.isChecked()
    window.names.click()
    with qtbot.waitSignal(window.kept):
        window.save_button.click()
    assert door.saved[0].matters_in_notices


def test_the_window_says_which_proxy_is_used(qtbot: QtBot, bridge: Bridge) -> None:
    assert "proxy.firm.example:8080" in opened(qtbot, bridge, FakeSettings()).proxy.text()


def test_the_first_step_tells_what_an_administrator_does_before_anybody_can_sign_in(
    qtbot: QtBot, make_bridge: MakeBridge, new_desk: FakeDesk, clock: Clock
) -> None:
    """Product complaint 10: the right is asked for before the sign-in fails for want of it."""
    window = WelcomeWindow(make_bridge(new_desk), door=FakeSettings(), clock=clock)
    qtbot.addWidget(window)
    window.bring_forward()
    assert not window.access.done
    assert "developer.xero.com" not in window.access.text.text()
    assert not any(path.isVisible() for path in window.access.findChildren(MenuPath))
    window.access.more.click()
    qtbot.waitUntil(lambda: all(path.isVisible() for path in window.access.findChildren(MenuPath)))
    assert any("developer.xero.com" in text.text() for text in window.access.findChildren(Text))
    window.access.copy.click()
    assert "developer.xero.com" in QGuiApplication.clipboard().text()
    assert "API access privileges" in QGuiApplication.clipboard().text()
    assert [path.steps()[-1] for path in window.access.findChildren(MenuPath)] == [
        "API access privileges",
        "Practice administration",
    ]
    assert "authenticator app" in window.sign_in.text.text()
    assert not new_desk.called("check_access")


def test_each_step_is_found_done_by_trying_it(qtbot: QtBot, make_bridge: MakeBridge, desk: FakeDesk, clock: Clock) -> None:
    window = WelcomeWindow(make_bridge(desk), door=FakeSettings(), clock=clock)
    qtbot.addWidget(window)
    window.bring_forward()
    qtbot.waitUntil(lambda: window.access.done and window.codes.done)
    assert desk.called("check_access") == [(XPM,)]
    assert "both are in Xero Practice Manager's list" in window.codes.text.text()


def test_a_missing_right_and_a_missing_code_are_named_and_can_be_tried_again(
    qtbot: QtBot, make_bridge: MakeBridge, desk: FakeDesk, clock: Clock
) -> None:
    """Product complaints 10 and 12: rights by trying, cost codes against the firm's live list."""
    fine, desk.findings = desk.findings, (AccessFinding("Post costs", Finding.MISSING, "Xero refused.", "Ask."),)
    door = FakeSettings(OwnSettings(XPM, code_taxed="OLD", code_untaxed="DISB-FREE"))
    window = WelcomeWindow(make_bridge(desk), door=door, clock=clock)
    qtbot.addWidget(window)
    window.bring_forward()
    qtbot.waitUntil(lambda: "not allowed yet" in window.access.text.text())
    qtbot.waitUntil(lambda: "no cost code “OLD”" in window.codes.text.text())
    assert not window.access.done
    assert not window.codes.done
    desk.findings = fine
    window.access.button.click()
    qtbot.waitUntil(lambda: window.access.done)


def test_the_invoices_columns_are_said_once_and_can_be_forgotten(qtbot: QtBot, bridge: Bridge, desk: FakeDesk) -> None:
    """Product complaint 3: the supplier's invoice is compared here, whatever its columns are called."""
    desk.books.columns = {"OrderId": "Order No", "TotalFeeTotal": "Amount"}
    window = opened(qtbot, bridge, FakeSettings())
    qtbot.waitUntil(lambda: window.invoice.text.text() == "Order No is OrderId, Amount is TotalFeeTotal.")
    window.invoice.ask_about(Path("invoice.csv"))
    qtbot.waitUntil(lambda: bool(window.findChildren(ColumnsDialog)))
    window.findChildren(ColumnsDialog)[0].close()
    window.invoice.forget_button.click()
    qtbot.waitUntil(lambda: "As InfoTrack's order messages" in window.invoice.text.text())
    assert desk.called("keep_invoice_columns") == [({},)]
    assert not window.save_button.isEnabled()
