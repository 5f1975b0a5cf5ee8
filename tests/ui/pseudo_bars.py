"""The order window's bars and our own pages in it, as the pseudo-language program shows them; its engine shows others' words only.

Imported by that program alone, after it put its language in use."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

from PySide6.QtWidgets import QMainWindow, QStackedWidget, QWidget

from desktop.ui.browser.addresses import Rules
from desktop.ui.browser.bars import MatterStrip
from desktop.ui.browser.downloads import why_interrupted, why_not_written
from desktop.ui.browser.file_copy import why_not_copied
from desktop.ui.browser.frame import Frame
from desktop.ui.browser.load_errors import INFOTRACK, SIGN_IN, explain
from desktop.ui.browser.notice_page import NoticePage
from desktop.ui.browser.page_names import page_name
from desktop.ui.browser.saved_file import Download, DownloadState, SavedFile
from desktop.ui.browser.sign_in_rules import SignInRules
from desktop.ui.browser.tab_strip import TabStrip
from desktop.ui.browser.typed_fees import Fault, TypedFees, check, gst_remark
from tests.ui.fake_desk import MATTERS

HOST = "192.0.2.1"
DATA = ("1.pdf", "2.pdf", "3.pdf", "(Shift+F3)", "(Esc)")
"""Files' and keys' names."""
SAVED = SavedFile(Path("1.pdf"), "1.pdf", "application/pdf", 184_320, is_pdf=True, order_id="71000012")
CODES = (-106, -105, -111, -201, -202, -107, -7, -310, -379, -400, -999)
INTERRUPTED = ("FileNoSpace", "FileBlocked", "FileFailed", "ServerUnauthorized", "ServerFailed", "UserCanceled", "NetworkFailed")
ADDRESSES = (
    "mailto:a@b", f"http://{HOST}/", "http://127.0.0.1/", "https://203.0.113.9/", "http://order.example/", "https://login.xero.com/",
    "https://okta.com/", "https://xn--a.example/", "https://other.example/",
)  # fmt: skip
TYPED: tuple[dict[str, str], ...] = (
    {},
    {"order_id": "1"},
    {"order_id": "1", "service": "1"},
    {"order_id": "1", "service": "1", "retailer_fee": "?"},
    {"order_id": "1", "service": "1", "supplier_gst": "?"},
    {"order_id": "1", "service": "1", "retailer_gst": "1"},
    {"order_id": "1", "service": "1", "retailer_fee": "1"},
    {"order_id": "1", "service": "1", "retailer_fee": "1", "retailer_gst": "2"},
)


def sentences() -> Iterator[str]:
    """What is told beside a file, under a form, or in a notice."""
    for name in INTERRUPTED:
        yield why_interrupted(SimpleNamespace(name=name))  # type: ignore[arg-type]
    for number in (errno.ENOSPC, errno.EACCES):
        yield why_not_written(OSError(number, "13"))
        yield why_not_copied(OSError(number, "13"))
    rules = Rules(("order.example",))
    sign_in = SignInRules("https://order.example/", "http://127.0.0.1:1/")
    for address in ADDRESSES:
        # A host is a name.
        yield rules.navigation(address).reason.replace("other.example", "")
        yield sign_in.navigation(address).reason
    for typed in TYPED:
        found = check(typed, fees_needed=True)
        yield found.sentence if isinstance(found, Fault) else ""
    yield gst_remark(TypedFees("1", "1", retailer_fee="10.00", retailer_gst="0.50"))


def show_bars(show: Callable[[str, QWidget], None]) -> None:
    for site in (INFOTRACK, SIGN_IN):
        for code in CODES:
            window, page, _ = _window()
            said = explain(code, HOST, site)
            assert said is not None
            page.say(said.headline, said.advice, picture=said.picture)
            show(f"page {code}", window)
    window, _, frame = _window()
    frame.notice.say("1.")
    frame.find_bar.show()
    for words, bad in (("", False), ("2", True)):
        frame.find_bar._show_count(words, bad=bad)
        frame.navigation.show_place(HOST if words else "", "local" if words else "none")
        frame.navigation.show_progress(40 if words else 100)
        frame.navigation.show_zoom("125 %")
        frame.navigation.show_history(back=True, forward=True)
        show(f"bars {words}", window)
    for number, state in enumerate(DownloadState, start=1):
        frame.downloads_bar.show_download(Download(number, "1.pdf", state, saved=SAVED, reason="2.", may_retry=True))
    frame.downloads_bar.show_download(Download(8, "2.pdf", received=5, total=9))
    frame.downloads_bar.show_download(Download(9, "3.pdf", received=5))
    show("files", window)
    for saved in (None, SAVED):
        window, _, frame = _window()
        frame.fees_form.ask(saved)
        show("fees", window)
        frame.fees_form._send()
        show("fees, wrong", window)


def _window() -> tuple[QWidget, NoticePage, Frame]:
    window = QMainWindow()
    matter = MATTERS[0]
    tabs = TabStrip()
    tabs.add("1")
    tabs.add(page_name("", 2))
    page = NoticePage()
    pages = QStackedWidget()
    pages.addWidget(page)
    strip = MatterStrip(matter.number, matter.name, matter.client, "Xero Practice Manager")
    frame = Frame(strip, matter.number, tabs, pages)
    window.setCentralWidget(frame)
    window.resize(1180, 700)
    return window, page, frame
