"""The windows in a language that nobody speaks: every text longer by two fifths and between marks. Prints what was left in
English and what does not fit, as JSON. A process of its own, because a language has to be in use before the windows come."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import desktop.ui  # noqa: F401  # isort: skip  # before any Qt module
from desktop.ui import language

OPEN, CLOSE = "\N{LEFT WHITE SQUARE BRACKET}", "\N{RIGHT WHITE SQUARE BRACKET}"


def pseudo(text: str) -> str:
    """Longer by two fifths, in words that may wrap as the text's own do."""
    longest = max((len(word) for word in text.split()), default=1)
    filler = "\N{LATIN SMALL LETTER E WITH ACUTE}" * max(1, -(-len(text) * 4 // 10))
    step = max(2, min(longest, 6))
    words = " ".join(filler[at : at + step] for at in range(0, len(filler), step))
    return f"{OPEN}{text} {words}{CLOSE}"


language.use(pseudo)

# ruff: noqa: E402  # the windows come after the language
from PySide6.QtCore import QEventLoop, QPoint, Qt, QTimer
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QMenu,
    QScrollArea,
    QTableView,
    QWidget,
)

from desktop.services.desk import ConnectionState, InfoTrackView, Status
from desktop.services.practice.model import AccessFinding, Finding
from desktop.ui.before_order import ClosedMatterDialog
from desktop.ui.bridge import Bridge
from desktop.ui.connections import ConnectionsWindow
from desktop.ui.first_icon import prepare
from desktop.ui.invoice_columns import ColumnsDialog
from desktop.ui.matter_picker import MatterPicker
from desktop.ui.result_form import ResultForm
from desktop.ui.rows import ROW_ROLE, Row
from desktop.ui.settings_window import SettingsWindow
from desktop.ui.signing_in import SigningIn, TenantDialog
from desktop.ui.welcome import WelcomeWindow
from tests.ui.fake_desk import MATTERS, NOW, TENANTS, XPM, FakeDesk, connection, status
from tests.ui.fake_settings import FakeSettings
from tests.ui.pseudo_bars import DATA as BARS_DATA
from tests.ui.pseudo_bars import sentences, show_bars
from tests.ui.pseudo_scenes import data, notices, show_all

DATA = sorted(
    {
        *data(),
        *BARS_DATA,
        *(
            part.replace("&", "")
            for one in MATTERS
            for part in (one.name, one.client, one.state, *(person.name for person in one.staff))
        ),
        *(tenant.name.replace("&", "") for tenant in TENANTS),
        # Names are names in every language, and so are the vendors' own menus.
        *("iConnect", "InfoTrack", "Xero Practice Manager", "WorkflowMax", "Smokeball", "Xero", "GST", "PDF"),
        *("Business", "Settings", "Staff", "API access privileges", "Permissions", "Practice administration"),
        # Qt brings its own translation of its own buttons.
        "Cancel",
        # What stands in the sample, in the stand-in's orders and settings, and on the invented invoice.
        *(order.service for order in FakeDesk().all_orders),
        *(order.reference for order in FakeDesk().all_orders),
        *(code.description for code in FakeDesk().cost_codes(XPM)),
        *(code.code for code in FakeDesk().cost_codes(XPM)),
        FakeSettings().load().proxy,
        *(
            "Title Search",
            "DISB-GST",
            "DISB-FREE",
            "Disbursement with GST",
            "Disbursement, GST free",
            "Order No",
            "Gross",
            "Service",
        ),
    }
    - {""},
    key=len,
    reverse=True,
)


def left_in_english(text: str) -> str:
    """What of a text passed no translation: without what stands between marks, without names, numbers and mnemonics."""
    inner = re.compile(rf"{OPEN}[^{OPEN}{CLOSE}]*{CLOSE}")
    while inner.search(text):
        text = inner.sub(" ", text)
    text = text.replace("&", "")
    for name in DATA:
        text = text.replace(name, " ")
    return " ".join(re.findall(r"[A-Za-z]{3,}", text))


def texts(window: QWidget) -> Iterator[tuple[QWidget, str]]:
    yield window, window.windowTitle()
    for menu in (window, *window.findChildren(QMenu)):
        if isinstance(menu, QMenu):
            yield from ((menu, action.text()) for action in menu.actions())
    for widget in window.findChildren(QWidget):
        if not widget.isVisibleTo(window):
            continue
        if isinstance(widget, QLabel | QAbstractButton):
            yield widget, widget.text()
        elif isinstance(widget, QLineEdit) and not isinstance(widget.parent(), QComboBox):
            yield widget, widget.placeholderText()
        elif isinstance(widget, QComboBox):
            for row in range(widget.count()):
                yield widget, widget.itemText(row)
        elif isinstance(widget, QAbstractItemView):
            yield from ((widget, text) for text in cells(widget))
        yield widget, widget.toolTip()
        yield widget, widget.accessibleName()
        yield widget, widget.accessibleDescription()


def cells(view: QAbstractItemView) -> Iterator[str]:
    """What a list or a table shows, says and explains, and what stands over its columns."""
    model = view.model()
    roles = (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole)
    for column in range(model.columnCount() if isinstance(view, QTableView) else 1):
        if isinstance(view, QTableView):
            yield str(model.headerData(column, Qt.Orientation.Horizontal) or "")
        for row in range(model.rowCount()):
            index = model.index(row, column)
            yield from (str(index.data(role) or "") for role in roles)
            shown = index.data(ROW_ROLE)
            if isinstance(shown, Row):
                yield from (shown.subtitle, shown.right, shown.pill, *shown.marks)


def is_cut(widget: QWidget, window: QWidget) -> bool:
    """Whether a text has less room than it needs, or stands beyond the edge of what scrolls up and down only."""
    if isinstance(widget, QLabel) and widget.wordWrap():
        if widget.height() + 1 < widget.heightForWidth(widget.width()):
            return True
    elif isinstance(widget, QLabel | QAbstractButton) and widget.width() + 1 < widget.minimumSizeHint().width():
        return True
    area = next((one for one in window.findChildren(QScrollArea) if one.isAncestorOf(widget)), None)
    frame = window if area is None else area.viewport()
    return widget.mapTo(frame, QPoint(widget.width(), 0)).x() > frame.width() + 1


def cut_headings(window: QWidget) -> Iterator[str]:
    for table in window.findChildren(QTableView):
        header = table.horizontalHeader()
        for column in range(header.count()) if table.isVisibleTo(window) else ():
            title = str(table.model().headerData(column, Qt.Orientation.Horizontal))
            if header.fontMetrics().horizontalAdvance(title) > header.sectionSize(column):
                yield title


def settle(milliseconds: int = 250) -> None:
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def looks(now: Status) -> FakeDesk:
    desk = FakeDesk()
    desk.now_status = now
    return desk


def main() -> None:
    app = QApplication([])
    prepare(app)
    signed_out = status(
        connection(ConnectionState.DISCONNECTED), infotrack=InfoTrackView(ConnectionState.DISCONNECTED), matters=0, refreshed=False
    )
    at = NOW.astimezone(timezone(timedelta(hours=11)))
    found: dict[str, list[str]] = {"english": [], "cut": [], "seen": []}

    def clock() -> datetime:
        return at

    def show(name: str, window: QWidget) -> None:
        window.show()
        settle()
        for widget, text in texts(window):
            if not text:
                continue
            found["seen"].append(text)
            if english := left_in_english(text):
                found["english"].append(f"{name}: {english}")
            if isinstance(widget, QLabel | QAbstractButton) and is_cut(widget, window):
                found["cut"].append(f"{name}: {text} ({widget.width()}x{widget.height()})")
        found["cut"] += [f"{name}: {title} over its column" for title in cut_headings(window)]
        window.close()

    for state, now in (("signed in", status(connection())), ("signed out", signed_out)):
        desk = looks(now)
        bridge = Bridge(lambda notify, desk=desk: desk)  # type: ignore[misc]
        bridge.open()
        settle()
        connections = ConnectionsWindow(bridge, SigningIn(bridge, parent=bridge), clock=clock)
        picker = MatterPicker(bridge, clock=clock)
        picker.open_with("J000101")
        show(f"picker, {state}", picker)
        show(f"connections, {state}", connections)
        show(f"welcome, {state}", WelcomeWindow(bridge, door=FakeSettings(), clock=clock))
        show(f"settings, {state}", SettingsWindow(bridge, FakeSettings(), clock=clock))
        if state == "signed in":
            connections.show()
            connections.cards[XPM].show_findings((AccessFinding("", Finding.MISSING),))
            show("connections, a right missing", connections)
            picker.open_with("J000099")
            settle()
            show("picker, a closed matter", picker)
            picker.open_with("zzzz")
            settle()
            show("picker, nothing found", picker)
        bridge.close()
    show("closed matter", ClosedMatterDialog(MATTERS[5], MATTERS[:2]))
    show("organisations", TenantDialog(TENANTS))
    show("result form", ResultForm(matter_number="J1"))
    show("invoice columns", ColumnsDialog(None, ("Order No", "Gross"), {}))
    show_all(show, settle, clock)
    show_bars(show)
    for name, text in (*notices(), *(("the order window says", sentence) for sentence in sentences())):
        found["seen"].append(text)
        if english := left_in_english(text):
            found["english"].append(f"{name}: {english}")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
