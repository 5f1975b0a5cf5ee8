"""The order window's own widgets, each by itself: no page and no engine's process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from PySide6.QtCore import QObject, QPoint, Qt, QUrl, Signal
from PySide6.QtPrintSupport import QPrinter
from PySide6.QtTest import QTest
from PySide6.QtWebEngineCore import QWebEnginePage
from PySide6.QtWebEngineWidgets import QWebEngineView
from PySide6.QtWidgets import QApplication, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from desktop.ui.browser.addresses import Rules
from desktop.ui.browser.bars import Choice, MatterStrip, NavigationBar, NoticeBar
from desktop.ui.browser.downloads import Downloads
from desktop.ui.browser.downloads_bar import DownloadsBar
from desktop.ui.browser.fees_form import FeesForm
from desktop.ui.browser.file_copy import FileCopier
from desktop.ui.browser.find_bar import FindBar
from desktop.ui.browser.load_errors import Picture
from desktop.ui.browser.notice_page import NoticePage
from desktop.ui.browser.page_set import MOST_PAGES, PageSet
from desktop.ui.browser.printing import PdfMaker, Printing
from desktop.ui.browser.saved_file import Download, DownloadState, SavedFile
from desktop.ui.browser.tab import Tab
from desktop.ui.browser.tab_strip import TabStrip
from desktop.ui.browser.window_state import unnamed
from desktop.ui.words import Tone

SAVED = SavedFile(Path("a.pdf"), "a.pdf", "application/pdf", 1000, is_pdf=True, order_id="71000123")


def whole(number: int, saved: SavedFile = SAVED) -> Download:
    return Download(number, saved.name, DownloadState.SAVED, saved=saved)


def failed(number: int, *, may_retry: bool = True) -> Download:
    return Download(number, "b.pdf", DownloadState.FAILED, reason="The line was cut.", may_retry=may_retry)


def shown(bar: DownloadsBar) -> list[str]:
    return [button.text() for button in bar.findChildren(QPushButton) if button.isVisibleTo(bar)]


def downloads(folder: Path, free: int = 10**12) -> Downloads:
    return Downloads(folder, Rules(("a.example",)), most_bytes=10**9, free_bytes=lambda _folder: free)


def take_keyboard(qtbot: QtBot, window: QWidget) -> None:
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)


# files


def test_a_file_has_the_buttons_of_where_it_is(qtbot: QtBot) -> None:
    bar = DownloadsBar("J1")
    qtbot.addWidget(bar)
    bar.show_download(Download(1, "a.pdf"))
    assert shown(bar) == ["Cancel"]
    bar.show_download(replace(Download(1, "a.pdf"), received=500_000, total=1_000_000))
    assert bar.rows[0].words.text() == "500 kB of 1.0 MB"
    bar.show_download(whole(1))
    assert shown(bar) == ["Add to matter J1", "Open", "Save a copy…", "Hide"]
    bar.show_download(failed(1))
    assert shown(bar) == ["Try again", "Hide"]
    bar.show_download(failed(1, may_retry=False))
    assert shown(bar) == ["Hide"]
    bar.show_download(whole(1, replace(SAVED, name="a.csv", is_pdf=False)))
    assert shown(bar) == ["Open", "Save a copy…", "Hide"]
    assert len(bar.rows) == 1


def test_a_file_that_was_handed_over_is_not_offered_twice(qtbot: QtBot) -> None:
    bar = DownloadsBar("J1")
    qtbot.addWidget(bar)
    bar.show_download(whole(1))
    pressed: list[object] = []
    bar.add.connect(pressed.append)
    button = bar.rows[0].add_button
    button.click()
    bar.rows[0].say("Being recorded…", may_add=False)
    button.click()
    assert len(pressed) == 1
    bar.rows[0].say("Not added: the disk is full.", may_add=True, tone=Tone.BAD)
    button.click()
    assert len(pressed) == 2


def test_the_keyboard_stays_in_the_bar_when_a_button_or_a_row_goes(qtbot: QtBot) -> None:
    bar = DownloadsBar("J1")
    qtbot.addWidget(bar)
    bar.show_download(whole(1))
    bar.show_download(Download(2, "b.pdf"))
    bar.show()
    take_keyboard(qtbot, bar)
    cancel = next(button for button in bar.findChildren(QPushButton) if button.accessibleName() == "Cancel b.pdf")
    cancel.setFocus()
    qtbot.waitUntil(cancel.hasFocus)
    bar.show_download(failed(2))
    focus = QApplication.focusWidget()
    assert focus is not None
    assert focus.accessibleName() == "Try again b.pdf"
    bar.take_out(bar.rows[0])
    focus = QApplication.focusWidget()
    assert focus is not None
    assert bar.isAncestorOf(focus)


def test_the_bar_is_bounded_and_a_running_file_is_never_pushed_out(qtbot: QtBot) -> None:
    """G6: a page that saves very many files does not fill the window."""
    bar = DownloadsBar("J1")
    qtbot.addWidget(bar)
    bar.show_download(Download(1, "first.pdf"))
    for number in range(2, 60):
        bar.show_download(whole(number))
    assert len(bar.rows) <= 21
    assert bar.row_of(1) is not None


def test_a_page_kept_as_a_pdf_lies_among_the_saved_files(qtbot: QtBot, tmp_path: Path) -> None:
    files = downloads(tmp_path)
    saved: list[SavedFile] = []
    files.saved.connect(saved.append)
    for _time in range(2):
        begun = files.begin_made("Order 71000123: placed?.pdf")
        assert begun is not None
        files.keep_made(begun.number, b"%PDF-1.7 page")
    assert [one.path.read_bytes() for one in saved] == [b"%PDF-1.7 page"] * 2
    assert [one.name for one in saved] == ["Order 71000123_ placed_.pdf", "Order 71000123_ placed_ (2).pdf"]
    assert all(one.is_pdf for one in saved)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_full_disk_is_told_and_leaves_nothing_half(qtbot: QtBot, tmp_path: Path) -> None:
    """G6: beside the file, in plain words."""
    files = downloads(tmp_path, free=5)
    seen: list[Download] = []
    files.changed.connect(seen.append)
    with qtbot.waitSignal(files.failed):
        begun = files.begin_made("a.pdf")
        assert begun is not None
        files.keep_made(begun.number, b"%PDF-1.7 page")
    assert seen[-1].state is DownloadState.FAILED
    assert "disk is full" in seen[-1].reason
    assert list(tmp_path.iterdir()) == []
    assert not files.is_running


def test_what_was_cancelled_is_not_kept_when_it_comes_after_all(qtbot: QtBot, tmp_path: Path) -> None:
    files = downloads(tmp_path)
    seen: list[Download] = []
    files.changed.connect(seen.append)
    begun = files.begin_made("a.pdf")
    assert begun is not None
    files.cancel(begun.number)
    files.keep_made(begun.number, b"%PDF-1.7 page")
    assert seen[-1].state is DownloadState.CANCELLED
    assert list(tmp_path.iterdir()) == []


def test_a_copy_is_made_beside_the_window_s_work_and_a_failure_is_told(qtbot: QtBot, tmp_path: Path) -> None:
    source = tmp_path / "a.pdf"
    source.write_bytes(b"%PDF-")
    copier = FileCopier(platform="linux")
    with qtbot.waitSignal(copier.copied) as told:
        copier.copy(7, source, tmp_path / "b.pdf")
    assert told.args == [7, f"A copy is in {tmp_path.name}."]
    assert (tmp_path / "b.pdf").read_bytes() == b"%PDF-"
    with qtbot.waitSignal(copier.failed) as told:
        copier.copy(8, source, tmp_path / "missing" / "b.pdf")
    assert "no longer there" in told.args[1]
    copier.finish()
    assert not copier.is_running


# pages


def strip_of(qtbot: QtBot, *names: str) -> TabStrip:
    strip = TabStrip()
    qtbot.addWidget(strip)
    for name in names:
        strip.add(name)
    strip.show()
    return strip


def test_the_middle_button_and_delete_close_a_page_but_never_the_order(qtbot: QtBot) -> None:
    strip = strip_of(qtbot, "Order", "Terms", "Register")
    wanted: list[int] = []
    strip.tabCloseRequested.connect(wanted.append)
    for index in (0, 2):
        QTest.mouseClick(strip, Qt.MouseButton.MiddleButton, Qt.KeyboardModifier.NoModifier, strip.tabRect(index).center())
    assert wanted == [2]
    QTest.mouseClick(strip, Qt.MouseButton.MiddleButton, Qt.KeyboardModifier.NoModifier, QPoint(5000, 5))
    QTest.keyClick(strip, Qt.Key.Key_Delete)
    strip.setCurrentIndex(1)
    QTest.keyClick(strip, Qt.Key.Key_Delete)
    assert wanted == [2, 1]


def test_the_strip_is_there_only_for_more_than_one_page_and_names_each(qtbot: QtBot) -> None:
    strip = TabStrip()
    qtbot.addWidget(strip)
    strip.add("Order")
    assert strip.isHidden()
    strip.add("Terms & prices")
    assert not strip.isHidden()
    assert strip.accessibleTabName(1) == "Terms & prices"
    assert strip.tabToolTip(1) == "Terms & prices (Ctrl+2)"
    button = strip.tabButton(1, TabStrip.ButtonPosition.RightSide)
    assert button.accessibleName() == "Close Terms & prices"
    strip.take_out(1)
    assert strip.isHidden()


class TitledPage(QObject):
    titleChanged = Signal(str)
    windowCloseRequested = Signal()


class PlainTab(QWidget):
    """Stands for a tab without an engine."""

    def __init__(self) -> None:
        super().__init__()
        self.page = TitledPage(self)
        self.opened: list[QUrl] = []

    def open(self, url: QUrl) -> None:
        self.opened.append(url)

    def release(self) -> None:
        self.page.blockSignals(True)


def page_set(qtbot: QtBot, now: Callable[[], float]) -> tuple[PageSet, QObject, list[str]]:
    parent = QObject()
    pages = PageSet(lambda: cast(Tab, PlainTab()), parent, now=now)
    qtbot.addWidget(pages.strip)
    qtbot.addWidget(pages.stack)
    refused: list[str] = []
    pages.refused.connect(refused.append)
    pages.add()
    return pages, parent, refused


def test_one_click_opens_one_page_and_nine_are_the_most(qtbot: QtBot) -> None:
    """G7: whatever the engine takes for a click."""
    time = [100.0]
    pages, _parent, refused = page_set(qtbot, lambda: time[0])
    for _asked in range(100):
        pages.open_wanted(QUrl("https://a.example/popup"))
    assert len(pages.tabs) == 2
    for _click in range(20):
        time[0] += 1
        pages.open_wanted(QUrl("https://a.example/popup"))
    assert len(pages.tabs) == MOST_PAGES
    assert "Close one" in refused[0]
    assert pages.strip.currentIndex() == MOST_PAGES - 1


def test_a_page_can_close_itself_but_never_the_order_s(qtbot: QtBot) -> None:
    """G7: and a page's name follows its title."""
    time = [100.0]
    pages, _parent, _refused = page_set(qtbot, lambda: time[0])
    leaving: list[object] = []
    pages.leaving.connect(leaving.append)
    pages.open_wanted(QUrl("https://a.example/1"))
    time[0] += 1
    pages.open_wanted(QUrl("https://a.example/2"))
    first, second, third = pages.tabs
    second.page.titleChanged.emit("Terms")
    first.page.titleChanged.emit("Not the order")
    assert pages.names() == ["Order", "Terms", "Page 3"]
    first.page.windowCloseRequested.emit()
    assert len(pages.tabs) == 3
    pages.choose(1)
    second.page.windowCloseRequested.emit()
    assert pages.tabs == [first, third]
    assert leaving == [second]
    assert pages.stack.currentWidget() is pages.current
    pages.step(1)
    pages.step(1)
    pages.choose(7)
    assert pages.current in (first, third)


def test_a_page_of_ours_has_the_keyboard_on_its_first_button_and_says_all_in_its_name(qtbot: QtBot) -> None:
    page = NoticePage()
    qtbot.addWidget(page)
    pressed: list[str] = []
    page.say(
        "No line",
        "Check it.",
        Choice("Try again", lambda: pressed.append("again")),
        Choice("Back", lambda: pressed.append("back")),
        picture=Picture.OFFLINE,
    )
    page.show()
    take_keyboard(qtbot, page)
    page.take_keyboard()
    focus = QApplication.focusWidget()
    assert isinstance(focus, QPushButton)
    assert focus.text() == "Try again"
    assert page.accessibleName() == "No line. Check it."
    QTest.keyClick(focus, Qt.Key.Key_Return)
    assert pressed == ["again"]
    page.say("Other", "Words.")
    assert page.headline == "Other"


class Ends(QObject):
    """Stands for a page's view, as far as printing goes."""

    printFinished = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self.printed: list[QPrinter] = []

    def print(self, printer: QPrinter) -> None:
        self.printed.append(printer)


class Answers:
    """Stands for the print dialog: it is answered when the test says so."""

    def __init__(self) -> None:
        self.answer: Callable[[bool], None] = lambda _wanted: None

    def __call__(self, _printer: QPrinter, _window: QWidget, answered: Callable[[bool], None]) -> None:
        self.answer = answered


def printing(qtbot: QtBot, answers: Answers, printers: list[str]) -> tuple[Printing, list[tuple[str, bool]]]:
    window = QWidget()
    qtbot.addWidget(window)
    made = Printing(window, printers=lambda: printers, ask=answers)
    said: list[tuple[str, bool]] = []
    made.told.connect(lambda sentence, offers: said.append((sentence, offers)))
    return made, said


def test_printing_waits_for_nothing_and_tells_how_it_went(qtbot: QtBot) -> None:
    answers = Answers()
    made, said = printing(qtbot, answers, ["Office"])
    view = Ends()
    for ok, part in ((True, "gone to the printer"), (False, "could not be printed")):
        made.start(cast(QWebEngineView, view))
        assert made.is_busy
        answers.answer(True)
        view.printFinished.emit(ok)
        assert part in said[-1][0]
        assert said[-1][1] is not ok
        assert not made.is_busy
    assert len(view.printed) == 2
    assert view.printed[0].docName() == "iConnect order"


def test_a_print_that_is_called_off_prints_nothing_and_a_second_one_waits_its_turn(qtbot: QtBot) -> None:
    answers = Answers()
    made, said = printing(qtbot, answers, ["Office"])
    view = Ends()
    made.start(cast(QWebEngineView, view))
    made.start(cast(QWebEngineView, Ends()))
    assert "already" in said[-1][0]
    answers.answer(False)
    assert not made.is_busy
    assert view.printed == []


def test_a_page_that_goes_away_while_it_is_printed_does_not_hold_up_the_next(qtbot: QtBot) -> None:
    """G18: the engine tells no more of a page whose process has ended."""
    answers = Answers()
    made, said = printing(qtbot, answers, ["Office"])
    view = Ends()
    made.start(cast(QWebEngineView, view))
    answers.answer(True)
    made.page_gone(cast(QWebEngineView, view))
    assert "went away" in said[-1][0]
    view.printFinished.emit(True)
    assert len(said) == 1
    assert not made.is_busy


def test_without_a_printer_a_pdf_is_offered(qtbot: QtBot) -> None:
    made, said = printing(qtbot, Answers(), [])
    made.start(cast(QWebEngineView, Ends()))
    assert said == [("No printer is set up on this PC, so nothing was printed. The page can be kept as a PDF.", True)]
    assert not made.is_busy


class PaperPage(QObject):
    """Stands for a page that is made into a PDF."""

    def printToPdf(self, done: Callable[[bytes], None], _layout: object) -> None:
        self.done = done


def test_each_pdf_is_answered_once_and_a_page_that_went_away_is_a_failure(qtbot: QtBot) -> None:
    parent = QObject()
    maker = PdfMaker(parent)
    made: list[tuple[int, bytes]] = []
    lost: list[int] = []
    maker.made.connect(lambda number, content: made.append((number, bytes(content))))
    maker.failed.connect(lost.append)
    page, other = PaperPage(), PaperPage()
    maker.start(cast(QWebEnginePage, page), 1)
    page.done(b"%PDF-")
    page.done(b"%PDF-")
    maker.start(cast(QWebEnginePage, page), 2)
    page.done(b"")
    maker.start(cast(QWebEnginePage, other), 3)
    maker.page_gone(cast(QWebEnginePage, other))
    other.done(b"%PDF-")
    assert made == [(1, b"%PDF-")]
    assert lost == [2, 3]


class FoundPage(QObject):
    """Stands for a page that words are looked for in."""

    findTextFinished = Signal(object)

    def __init__(self, places: int = 0, marked: str = "") -> None:
        super().__init__()
        self.places, self.marked = places, marked
        self.asked: list[str] = []
        self.active = 0

    def selectedText(self) -> str:
        return self.marked

    def findText(self, text: str, flags: Any = None) -> None:
        self.asked.append(text)
        if not text:
            return
        back = bool(flags) and bool(flags & QWebEnginePage.FindFlag.FindBackward)
        self.active = (self.active - 1 + (-1 if back else 1)) % self.places + 1 if self.places else 0

        class Result:
            numberOfMatches = staticmethod(lambda places=self.places: places)
            activeMatch = staticmethod(lambda active=self.active: active)

        self.findTextFinished.emit(Result())


def find_bar(qtbot: QtBot) -> FindBar:
    bar = FindBar()
    qtbot.addWidget(bar)
    return bar


def test_find_says_which_place_of_how_many_and_goes_round(qtbot: QtBot) -> None:
    bar, page = find_bar(qtbot), FoundPage(places=3, marked="title")
    bar.open(cast(QWebEnginePage, page))
    assert bar.edit.text() == "title"
    assert bar.words == "1 of 3"
    bar.next.click()
    QTest.keyClick(bar.edit, Qt.Key.Key_Return)
    assert bar.words == "3 of 3"
    QTest.keyClick(bar.edit, Qt.Key.Key_Return)
    assert bar.words == "1 of 3"
    QTest.keyClick(bar.edit, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert bar.words == "3 of 3"
    assert bar.count.accessibleName() == "3 of 3"


def test_what_is_not_there_is_said_in_a_word_and_escape_puts_the_bar_away(qtbot: QtBot) -> None:
    bar, page = find_bar(qtbot), FoundPage(places=0)
    bar.open(cast(QWebEnginePage, page))
    QTest.keyClicks(bar.edit, "zzz")
    qtbot.waitUntil(lambda: bar.words == "Not found")
    assert not bar.next.isEnabled()
    with qtbot.waitSignal(bar.closed):
        QTest.keyClick(bar.edit, Qt.Key.Key_Escape)
    assert bar.isHidden()
    assert page.asked[-1] == ""


def test_find_follows_to_another_page_and_takes_its_marks_away(qtbot: QtBot) -> None:
    bar, one, other = find_bar(qtbot), FoundPage(places=2, marked="title"), FoundPage(places=5)
    bar.open(cast(QWebEnginePage, one))
    bar.look_in(cast(QWebEnginePage, other))
    assert one.asked[-1] == ""
    assert bar.words == "1 of 5"
    one.findText("late")
    assert bar.words == "1 of 5"
    bar.forget(cast(QWebEnginePage, other))
    bar.step(back=False)


# names


def _notice_page() -> QWidget:
    page = NoticePage()
    page.say("No line", "Check it.", Choice("Try again", lambda: None), busy=True)
    return page


def _files() -> QWidget:
    bar = DownloadsBar("J1")
    bar.show_download(whole(1))
    bar.show_download(failed(2))
    bar.show_download(Download(3, "c.pdf"))
    return bar


def _navigation() -> QWidget:
    bar = NavigationBar()
    bar.show_zoom("125 %")
    bar.more_button.show()
    bar.show_history(back=True, forward=True)
    return bar


def _notice() -> QWidget:
    bar = NoticeBar()
    bar.say("News.", Choice("Act", lambda: None))
    return bar


def _find() -> QWidget:
    bar = FindBar()
    bar.open(cast(QWebEnginePage, FoundPage(places=2, marked="x")))
    return bar


def _form() -> QWidget:
    form = FeesForm("J1")
    form.ask(SAVED)
    return form


@pytest.mark.parametrize(
    "make", [_notice_page, _files, _navigation, _notice, _find, _form, lambda: MatterStrip("J1", "a", "b", "c")]
)
def test_every_part_that_the_keyboard_reaches_has_a_name(qtbot: QtBot, make: Callable[[], QWidget]) -> None:
    part = make()
    qtbot.addWidget(part)
    part.show()
    assert part.accessibleName() or isinstance(part, NavigationBar)
    assert unnamed(part) == []
