"""The bundle's window, opened from the offer to look at a crash and from the menu."""

from __future__ import annotations

import inspect
import re
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from desktop.services import diagnostics
from desktop.services.support_bundle import Bundle, Part
from desktop.ui.bridge import Bridge
from desktop.ui.bundle_words import part_words
from desktop.ui.diagnostics_window import DiagnosticsWindow
from desktop.ui.rows import ROW_ROLE
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


def test_every_file_of_the_bundle_says_what_it_holds_and_that_no_clients_data_is_in_it() -> None:
    """By the names that the bundle's own source gives its parts."""
    names = re.findall(r'Part\(f?"([\w./]+)', inspect.getsource(diagnostics.gather))
    assert {"about.json", "settings.json", "ledger.json", "files.json", "doctor.json", "crashes/", "logs/"} == set(names)
    told = [part_words(name) for name in names]
    assert len({one.title for one in told}) == len({one.holds for one in told}) == len(names)
    for one in told:
        assert re.search(r"no client's data|No client's data|Nothing about the firm or its clients|never written to it", one.holds)
    assert part_words("else.txt").title == "Other"


def test_the_list_shows_what_a_file_is_and_the_page_what_it_holds(
    qtbot: QtBot, bridge: Bridge, clock: Clock, desk: FakeDesk
) -> None:
    """A file's name alone tells nothing to whoever is asked to send it."""
    made = DiagnosticsWindow(bridge, clock=clock)
    qtbot.addWidget(made)
    made.bring_forward()
    qtbot.waitUntil(lambda: made.save_button.isEnabled())
    for row, part in enumerate(desk.books.bundle.parts):
        made.parts.setCurrentRow(row)
        told = part_words(part.name)
        item = made.parts.item(row)
        shown = item.data(ROW_ROLE)
        assert (shown.title, shown.subtitle) == (told.title, part.name)
        assert item.data(Qt.ItemDataRole.AccessibleTextRole) == f"{told.title}, {part.name}. {told.holds}"
        assert made.holds.text() == told.holds
        assert made.holds.isVisible()
