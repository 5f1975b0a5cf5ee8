"""The order window's bars as it has them, in each of its states, round a page of our own: no engine and no process."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QMainWindow, QMenu, QStackedWidget

from desktop.ui.browser.bars import Choice, MatterStrip
from desktop.ui.browser.frame import Frame
from desktop.ui.browser.load_errors import Explained, Picture, explain
from desktop.ui.browser.notice_page import NoticePage
from desktop.ui.browser.saved_file import Download, DownloadState, SavedFile
from desktop.ui.browser.tab_strip import TabStrip

NUMBER = "J000101"
SAVED = SavedFile(
    Path("downloads/title.pdf"), "Title Search 12RP90001.pdf", "application/pdf", 184_320, is_pdf=True, order_id="71000012"
)
FILES = (
    Download(1, "Plan RP90001.pdf", DownloadState.FAILED, reason="The line was cut before the file was whole.", may_retry=True),
    Download(2, "Council Certificate.pdf", received=1_200_000, total=3_400_000),
    Download(3, SAVED.name, DownloadState.SAVED, saved=SAVED),
)
OFFLINE = explain(-106, "search.infotrack.com.au")
CRASHED = Explained(
    "The page has stopped working",
    "Nothing of what iConnect knows was lost; only what was typed into the page and not sent.",
    Picture.CRASHED,
)
SIGNED_OUT = Explained("InfoTrack asks for a sign-in again", "The sign-in for this order has ended.", Picture.SIGNED_OUT)


class BarsWindow(QMainWindow):
    """The frame, with a notice page in its middle. Esc closes it, for want of a page that could be stopped."""

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle(f"iConnect - Order for {NUMBER}")
        self.resize(1180, 820)
        strip = MatterStrip(NUMBER, "Purchase of 14 Harbour Street", "Kestrel Holdings Pty Ltd", "Xero Practice Manager")
        self.tabs = TabStrip()
        for name in ("Order", "Terms of service"):
            self.tabs.add(name)
        self.page = NoticePage()
        pages = QStackedWidget()
        pages.addWidget(self.page)
        self.frame = Frame(strip, NUMBER, self.tabs, pages)
        self.setCentralWidget(self.frame)
        menu = QMenu(self)
        menu.addAction("Find in page")
        self.frame.navigation.offer_more(menu)
        self.frame.navigation.show_place("search.infotrack.com.au", "secure")
        self.frame.navigation.show_history(back=True, forward=True)
        self.frame.navigation.show_zoom("125 %")
        self.page.say("Title Search", "12RP90001")
        QShortcut(QKeySequence("Esc"), self, self.close)

    def explain(self, what: Explained, *choices: str) -> None:
        self.page.say(what.headline, what.advice, *(Choice(text, lambda: None) for text in choices), picture=what.picture)


def looking_for_words() -> BarsWindow:
    """Everything at once: a notice with a choice, two pages, words that were found, and a file of each kind."""
    window = BarsWindow()
    window.frame.notice.say("This page asks to be printed.", Choice("Print…", lambda: None))
    window.frame.find_bar.edit.setText("title")
    window.frame.find_bar._show_count("2 of 4")
    window.frame.find_bar.show()
    for file in FILES:
        window.frame.downloads_bar.show_download(file)
    return window


def in_fees() -> BarsWindow:
    window = BarsWindow()
    window.frame.fees_form.ask(SAVED)
    return window


def in_trouble() -> BarsWindow:
    window = BarsWindow()
    assert OFFLINE is not None
    window.explain(OFFLINE, "Try again")
    return window


def crashed() -> BarsWindow:
    window = BarsWindow()
    window.explain(CRASHED, "Load the page again")
    return window


def signed_out() -> BarsWindow:
    window = BarsWindow()
    window.explain(SIGNED_OUT, "Sign in again", "Show InfoTrack's own sign-in page")
    return window
