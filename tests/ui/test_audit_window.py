"""The audit trail and the diagnostics: an answer in one look, proof, and nothing saved that was not shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from desktop.services.books import AuditAnswer
from desktop.services.ledger.model import DeliveryState
from desktop.ui.answers import verdict
from desktop.ui.audit_window import AuditWindow
from desktop.ui.bridge import Bridge
from desktop.ui.diagnostics_window import DiagnosticsWindow
from tests.ui.conftest import MakeBridge
from tests.ui.fake_desk import NOW, FakeDesk, delivery, order

S = DeliveryState
Clock = Callable[[], datetime]


@pytest.fixture
def window(qtbot: QtBot, bridge: Bridge, clock: Clock) -> AuditWindow:
    made = AuditWindow(bridge, clock=clock)
    qtbot.addWidget(made)
    made.open_with()
    qtbot.waitUntil(lambda: bool(made.model.steps))
    return made


def words_on(widget: QWidget) -> str:
    return "\n".join(label.text() for label in widget.findChildren(QLabel) if label.isVisible())


def answer(desk: FakeDesk, order_id: str) -> AuditAnswer:
    return desk.books.audit(order_id)


def test_was_it_billed_once_when_and_by_whom_is_answered_in_one_look(qtbot: QtBot, window: AuditWindow) -> None:
    """J6: the order's number is typed, and the sentence stands there."""
    QTest.keyClicks(window.field, "71000008")
    qtbot.waitUntil(lambda: "Order 71000008" in words_on(window.answer))
    said = words_on(window.answer)
    assert "$15.07 + GST $1.51 = $16.58 to J000101 in Xero Practice Manager." in said
    assert "IT-71000008-T-1: sent 14 Mar 2026 15:17 by iConnect, read back 14 Mar 2026 15:18." in said
    assert "Ordered by Priya Raman." in said
    assert {step.order_id for step in window.model.steps} == {"71000008"}


@pytest.mark.parametrize(
    ("state", "title"),
    [
        (S.HELD, "Not billed yet"),
        (S.QUEUED, "Not billed yet"),
        (S.SENDING, "Sent, not yet seen"),
        (S.UNKNOWN, "Sent, not yet seen"),
        (S.ACCEPTED, "Sent, not yet seen"),
        (S.CONFIRMED, "Billed once"),
        (S.REJECTED, "Not billed yet"),
        (S.CANCELLED, "Not billed"),
    ],
)
def test_nothing_but_what_was_read_back_is_called_billed(clock: Clock, state: DeliveryState, title: str) -> None:
    """D16: in the auditor's answer, too."""
    desk = FakeDesk()
    desk.all_orders = (order("7", delivery("7", "T", state)),)
    assert verdict(answer(desk, "7"), clock()).title == title


def test_a_line_left_at_another_matter_is_told(clock: Clock) -> None:
    """Complaint 4: after a move nobody takes two lines for one."""
    desk = FakeDesk()
    desk.all_orders = (order("7", delivery("7", "T", S.CONFIRMED), delivery("7", "T", S.CONFIRMED, n=2, number="J000102")),)
    said = verdict(answer(desk, "7"), clock())
    assert said.title == "Billed to more than one matter"
    assert "J000101 and J000102" in said.text


def test_a_cancel_after_sending_says_where_to_look(clock: Clock) -> None:
    """D17: cancelling only stops iConnect; the auditor is not told that nothing was billed."""
    desk = FakeDesk()
    desk.all_orders = (order("7", delivery("7", "T", S.CANCELLED)),)
    told = answer(desk, "7")
    sent = replace(told, lines=tuple(replace(line, sent_at=NOW) for line in told.lines))
    said = verdict(sent, clock())
    assert said.title == "Cancelled after it was sent"
    assert said.text.startswith("Look at J000101 in Xero Practice Manager whether it stands there: IT-7-T-1.")


def test_an_order_that_nobody_reported_is_not_known(qtbot: QtBot, window: AuditWindow) -> None:
    window.field.setText("99")
    qtbot.waitUntil(lambda: "never reported an order 99" in words_on(window.answer))
    assert "The trail has no entry of it" in window.empty.words()


def test_the_trail_is_proved_and_its_last_hash_shown(qtbot: QtBot, window: AuditWindow, desk: FakeDesk) -> None:
    """J4: a sentence that a bookkeeper can repeat; the hash behind a button, for whoever keeps it."""
    assert window.check_button.text() == "Check that nothing was altered"
    window.check_button.click()
    many = len(window.model.steps)
    wanted = (
        f"Nothing was altered: {many} entries from 2 Feb 2026 to 14 Mar 2026, each as it was written, none taken out or cut off."
    )
    qtbot.waitUntil(lambda: window.message.text() == wanted)
    next(b for b in window.message.findChildren(QPushButton) if b.text() == "Copy the proof").click()
    copied = QGuiApplication.clipboard().text().splitlines()
    assert copied == [wanted, "Checked on 14 Mar 2026, 15:30.", f"Hash of the last entry: {window.model.steps[0].hash}"]
    assert "Keep it outside this PC" in window.message.text()


def test_a_trail_that_was_altered_names_the_first_entry_and_what_to_do(qtbot: QtBot, window: AuditWindow, desk: FakeDesk) -> None:
    desk.books.bad_step = 17
    window.check_button.click()
    qtbot.waitUntil(lambda: "entry 17 was changed, taken out or cut off" in window.message.text())
    assert "those before it are as they were written. Leave iConnect's folder as it is, and ask" in window.message.text()


def test_a_trail_without_an_entry_says_what_will_stand_there(qtbot: QtBot, bridge: Bridge, clock: Clock, desk: FakeDesk) -> None:
    desk.all_orders = ()
    made = AuditWindow(bridge, clock=clock)
    qtbot.addWidget(made)
    made.open_with()
    qtbot.waitUntil(lambda: "Nothing has happened yet" in made.empty.words())
    assert "everything that iConnect and its people do stands here" in made.empty.words()
    made.check_button.click()
    qtbot.waitUntil(lambda: made.message.text() == "Nothing was altered: the trail has no entry yet.")


def test_a_step_reads_in_plain_words_and_keeps_its_own_in_the_tool_tip(window: AuditWindow) -> None:
    """Nobody at the desk knows what «moved» or «queued → confirmed» is; support does."""
    row = next(n for n, step in enumerate(window.model.steps) if step.order_id == "71000008" and step.to_state == "confirmed")
    shown = window.model.index(row, 2)
    assert shown.data() == "Document: seen in the books"
    assert "moved: queued → confirmed" in shown.data(Qt.ItemDataRole.ToolTipRole)


def test_the_fake_desks_own_trail_goes_forward_in_time(window: AuditWindow, desk: FakeDesk) -> None:
    moments = [step.at for step in reversed(window.model.steps)]
    assert moments == sorted(moments)
    for each in desk.all_orders:
        assert [step.at for step in each.steps] == sorted(step.at for step in each.steps)


def test_the_trail_is_exported_with_its_proof(qtbot: QtBot, window: AuditWindow, desk: FakeDesk, tmp_path: Path) -> None:
    """J6."""
    window.export(tmp_path / "audit.csv")
    qtbot.waitUntil(lambda: "audit-steps.csv beside it" in window.message.text())
    assert window.message.text().startswith("Nothing was altered. 12 costs and documents are in ")
    assert desk.called("export_trail") == [(tmp_path / "audit.csv",)]


def test_older_steps_follow_as_one_scrolls(qtbot: QtBot, make_bridge: MakeBridge, clock: Clock) -> None:
    desk = FakeDesk()
    desk.all_orders = tuple(order(str(n), delivery(str(n), "T", S.CONFIRMED)) for n in range(1, 120))
    made = AuditWindow(make_bridge(desk), clock=clock)
    qtbot.addWidget(made)
    made.open_with()
    qtbot.waitUntil(lambda: len(made.model.steps) == 200)
    bar = made.table.verticalScrollBar()
    bar.setValue(bar.maximum())
    qtbot.waitUntil(lambda: len(made.model.steps) == 400)
    numbers = [step.number for step in made.model.steps]
    assert numbers == list(range(numbers[0], numbers[0] - 400, -1))


def test_from_the_answer_to_the_order(qtbot: QtBot, window: AuditWindow) -> None:
    window.open_with("71000008")
    qtbot.waitUntil(lambda: window.answer.isVisible())
    with qtbot.waitSignal(window.open_order) as told:
        window.table.setFocus()
        next(b for b in window.answer.findChildren(QWidget) if getattr(b, "text", str)() == "Show the order").click()  # type: ignore[attr-defined]
    assert told.args == ["71000008"]


# diagnostics


def test_all_of_the_bundle_is_shown_before_it_is_saved(qtbot: QtBot, bridge: Bridge, clock: Clock, desk: FakeDesk) -> None:
    """J7: word for word, and what is saved is what was shown."""
    made = DiagnosticsWindow(bridge, clock=clock)
    qtbot.addWidget(made)
    made.bring_forward()
    qtbot.waitUntil(lambda: made.save_button.isEnabled())
    shown = {}
    for row, part in enumerate(desk.books.bundle.parts):
        made.parts.setCurrentRow(row)
        shown[part.name] = made.text.toPlainText()
    assert shown == {part.name: part.text for part in desk.books.bundle.parts}
    assert desk.called("save_diagnostics") == []
    made.save(Path("/x/out.zip"))
    qtbot.waitUntil(lambda: "Nothing was sent" in made.message.text())
    assert desk.called("save_diagnostics") == [(desk.books.bundle, Path("/x/out.zip"))]


def test_what_can_not_be_gathered_says_why_and_can_be_tried_again(
    qtbot: QtBot, bridge: Bridge, clock: Clock, desk: FakeDesk
) -> None:
    desk.fail["gather_diagnostics"] = "The profile can't be read."
    made = DiagnosticsWindow(bridge, clock=clock)
    qtbot.addWidget(made)
    made.bring_forward()
    qtbot.waitUntil(lambda: made.message.text() == "The profile can't be read.")
    desk.fail.clear()
    made.empty.button.click()
    qtbot.waitUntil(lambda: made.save_button.isEnabled())
