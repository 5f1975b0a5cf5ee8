"""`iconnect://…`: read strictly, handed to the running tray, and nothing but shown."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtNetwork import QLocalSocket
from PySide6.QtWidgets import QSystemTrayIcon
from pytestqt.qtbot import QtBot

import desktop.__main__ as program
from desktop import deep_link
from desktop.deep_link import BadLink, MatterLink, OrderLink, parse
from desktop.settings import SYSTEMS
from desktop.ui.instance import Instance, Request
from desktop.ui.instance_lock import LOCK_FILE, InstanceLock
from tests.ui.fake_desk import XPM, FakeDesk
from tests.ui.test_tray_program import Run, run  # noqa: F401  # a fixture

ROOT = Path(__file__).resolve().parents[2]
KESTREL = f"iconnect://matter/{XPM}/J000101"

WRONG = (
    "iconnect:matter/xero-practice-manager/J1",
    "iconnect://matter/J1",
    "iconnect://matter/xero-practice-manager/",
    "iconnect://matter/xero-practice-manager/%20",
    "iconnect://matter/xero/J1",
    "iconnect://matter/xero-practice-manager/J1/more",
    "iconnect://matter/xero-practice-manager/J1?x=1",
    "iconnect://matter/xero-practice-manager/J1#x",
    "iconnect://matter/xero-practice-manager/J%00",
    "iconnect://matter/xero-practice-manager/J%0A--help",
    "iconnect://matter/xero-practice-manager/%E2%80%AEJ1",
    "iconnect://matter/xero-practice-manager/%ff",
    "iconnect://matter/xero-practice-manager/%4",
    "iconnect://matter/xero-practice-manager/" + "J" * 65,
    "iconnect://matter/xero-practice-manager/" + "J" * 300,
    "iconnect://order/",
    "iconnect://order/../71000123",
    "iconnect://order/7100 123",
    "iconnect://order/abc",
    "iconnect://order/71000123/approve",
    "iconnect://order/" + "7" * 21,
    "iconnect://settings",
    "iconnect://",
    'iconnect://order/1" --profile /elsewhere',
)


def test_right_links_are_read() -> None:
    assert parse(KESTREL) == MatterLink(XPM, "J000101")
    assert parse("ICONNECT://Matter/SMOKEBALL/2026%2F17/") == MatterLink("smokeball", "2026/17")
    assert parse("iconnect://order/0071000123") == OrderLink("71000123")


@pytest.mark.parametrize("link", WRONG)
def test_wrong_links_are_refused_with_a_sentence(link: str) -> None:
    with pytest.raises(BadLink) as wrong:
        parse(link)
    assert str(wrong.value).endswith((".", "J000101 or iconnect://order/71000123."))
    assert "elsewhere" not in str(wrong.value)


@given(st.sampled_from(SYSTEMS), st.text(st.characters(categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=12))
def test_every_number_that_can_be_seen_survives_its_link(system: str, number: str) -> None:
    link = str(MatterLink(system, number.strip() or "J1"))
    if len(link) <= deep_link.LONGEST:
        assert parse(link) == MatterLink(system, number.strip() or "J1")


@given(st.text(max_size=220))
def test_no_text_does_anything_but_be_read_or_refused(text: str) -> None:
    for link in (text, "iconnect://" + text, "iconnect://matter/" + text):
        try:
            assert isinstance(parse(link), MatterLink | OrderLink)
        except BadLink:
            continue


def test_the_first_word_of_the_program_knows_the_same_scheme() -> None:
    assert program.LINK == deep_link.SCHEME


def test_a_matters_link_opens_the_picker_with_that_matter(run: Run, qtbot: QtBot) -> None:  # noqa: F811
    running = run(FakeDesk())
    running.desk.matters = tuple(running.desk.matters)
    running.app.show_request(Request.for_link(KESTREL))
    picker = running.app.picker()
    assert picker.isVisible()
    assert picker.search.field.text() == f"{XPM}:J000101"
    assert picker.message.text() == ""


WAYS = {
    "a click on the icon": lambda app: app.tray.icon.activated.emit(QSystemTrayIcon.ActivationReason.Trigger),
    "the menu": lambda app: app.choose("picker"),
    "the shortcut's keys": lambda app: app.open_picker(),
    "a second start": lambda app: app.show_request(Request("picker", "kestrel")),
    "a matter's link": lambda app: app.show_request(Request.for_link(KESTREL)),
    "a wrong link": lambda app: app.show_request(Request.for_link("iconnect://format/c")),
}


@pytest.mark.parametrize("way", WAYS)
def test_whichever_way_it_opens_the_cursor_is_in_the_field_and_old_text_marked(
    run: Run,  # noqa: F811
    qtbot: QtBot,
    way: str,
) -> None:
    running = run(FakeDesk())
    picker = running.app.picker()
    picker.open_with("whitlow")
    picker.search.list.setFocus()
    picker.close()
    WAYS[way](running.app)
    qtbot.waitUntil(picker.isVisible)
    field = picker.search.field
    assert picker.focusWidget() is field
    assert field.selectedText() == field.text() != ""


def test_a_link_to_a_system_that_is_not_signed_in_says_so(run: Run) -> None:  # noqa: F811
    running = run(FakeDesk())
    running.app.show_request(Request.for_link("iconnect://matter/smokeball/2026-17"))
    assert "Smokeball, where you are not signed in" in running.app.picker().message.text()


def test_an_orders_link_opens_orders_and_postings_at_that_order(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    running = run(FakeDesk())
    opened: list[str] = []
    monkeypatch.setattr(running.app, "open_deliveries", opened.append)
    running.app.show_request(Request.for_link("iconnect://order/71000008"))
    assert opened == ["71000008"]


def test_a_wrong_link_opens_the_picker_and_says_what_is_wrong(run: Run) -> None:  # noqa: F811
    running = run(FakeDesk())
    running.app.show_request(Request.for_link("iconnect://format/c"))
    assert running.app.picker().isVisible()
    assert "leads to nothing that iConnect knows" in running.app.picker().message.text()
    running.app.show_request(Request.for_link("iconnect://order/" + "1" * 5000))
    assert "Links look like" in running.app.picker().message.text()
    assert running.desk.called("order") == []


def follow(profile: Path, *link: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "desktop", "--profile", str(profile), *link],
        cwd=ROOT,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ((KESTREL,), 0),
        (("iconnect://order/71000123",), 0),
        (("--link", KESTREL), 0),
        (("iconnect://order/x",), 2),
        (("--link", "--help"), 2),
    ],
)
def test_the_program_hands_a_link_to_the_running_tray(qtbot: QtBot, tmp_path: Path, given: tuple[str, ...], status: int) -> None:
    """With real processes: the second one ends at once, and the first one gets the link as it was. What stands behind
    `--link` is never anything but a link."""
    lock = InstanceLock(tmp_path / LOCK_FILE)
    assert lock.take()
    first = Instance(tmp_path, lock)
    try:
        with qtbot.waitSignal(first.requested, timeout=20_000) as asked:
            second = follow(tmp_path, *given)
        assert asked.args == [Request("link", given[-1])]
        out, told = second.communicate(timeout=20)
        assert second.returncode == status
        assert out == ""
        assert told.startswith("The link ") == bool(status)
        qtbot.waitUntil(lambda: not first.findChildren(QLocalSocket))
    finally:
        first.close()


def test_two_links_or_a_command_beside_a_link_are_wrong_usage(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "desktop", "--profile", str(tmp_path), KESTREL, KESTREL], cwd=ROOT, capture_output=True, check=False
    )
    assert done.returncode == 2
