"""The bundle's window, opened from the offer to look at a crash and from the menu."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pytestqt.qtbot import QtBot

from desktop.services.support_bundle import Bundle, Part
from desktop.ui.bridge import Bridge
from desktop.ui.diagnostics_window import DiagnosticsWindow
from desktop.ui.window import Clock
from tests.ui.fake_desk import FakeDesk


@pytest.mark.parametrize(
    ("names", "first"),
    [
        (("about.json", "crashes/1.json.seen", "crashes/2.json", "logs/tray.log"), "crashes/2.json"),
        (("about.json", "crashes/1.json.seen", "logs/tray.log"), "about.json"),
    ],
)
def test_a_report_that_nobody_has_seen_is_shown_first(
    qtbot: QtBot, bridge: Bridge, clock: Clock, desk: FakeDesk, names: tuple[str, ...], first: str
) -> None:
    """J7, J8: whoever follows the offer sees the report, not the versions."""
    desk.books.bundle = Bundle(tuple(Part(name, f"text of {name}") for name in names))
    made = DiagnosticsWindow(bridge, clock=clock)
    qtbot.addWidget(made)
    made.bring_forward()
    qtbot.waitUntil(lambda: made.save_button.isEnabled())
    assert made.text.toPlainText() == f"text of {first}"
    made.parts.setCurrentRow(len(names) - 1)
    desk.books.bundle = replace(desk.books.bundle)
    made.gather()
    qtbot.waitUntil(lambda: len(desk.called("gather_diagnostics")) == 2 and made.save_button.isEnabled())
    assert made.text.toPlainText() == f"text of {names[-1]}"
