"""The order window: InfoTrack's own site for one matter, in a process of its own.

Nothing here is imported by the tray. What a person does becomes an event for the process that started the window; what
that process answers is shown here.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, Qt, QTimer, QUrl
from PySide6.QtGui import QCloseEvent, QDesktopServices
from PySide6.QtWidgets import QApplication, QWidget

from desktop.services.order_protocol import (
    Answer,
    AnyCommand,
    Blocked,
    BringForward,
    Close,
    Crashed,
    Do,
    Done,
    DownloadRefused,
    DownloadSaved,
    Event,
    FeesTyped,
    NewLinkWanted,
    OfferedToMatter,
    OpenedOutside,
    OpenLink,
    OrderWindowStart,
    PageLoaded,
)
from desktop.ui.browser.addresses import Finding, Rules, Verdict
from desktop.ui.browser.automation import Automation
from desktop.ui.browser.bars import Choice, MatterStrip
from desktop.ui.browser.downloads import Downloads
from desktop.ui.browser.downloads_bar import DownloadRow
from desktop.ui.browser.driven import DrivenWindow
from desktop.ui.browser.engine_settings import make_profile
from desktop.ui.browser.file_work import FileWork
from desktop.ui.browser.frame import Frame
from desktop.ui.browser.load_errors import Explained, Picture
from desktop.ui.browser.page_set import PageSet
from desktop.ui.browser.page_size import PageSize
from desktop.ui.browser.passing_folder import passing_folder
from desktop.ui.browser.printing import Printing
from desktop.ui.browser.request_filter import RequestFilter
from desktop.ui.browser.saved_file import SavedFile
from desktop.ui.browser.tab import Tab
from desktop.ui.browser.typed_fees import TypedFees
from desktop.ui.browser.window_actions import Deed, make_actions
from desktop.ui.icons import app_icon
from desktop.ui.language import tr
from desktop.ui.widgets import open_at
from desktop.ui.words import Tone

_MOST_BLOCKED_EVENTS = 300
_LINK_SECONDS = 90
_CLOSED_MEANWHILE = tr(
    "iConnect was closed before it answered. The file stays saved on this PC; look at Orders and postings before you add it again."
)


class OrderWindow(DrivenWindow):
    """`send` takes events; `receive` takes commands.

    `open_outside` hands an address to the system browser or a file to its program."""

    def __init__(
        self,
        start: OrderWindowStart,
        send: Callable[[Event], None],
        *,
        open_outside: Callable[[QUrl], object] = QDesktopServices.openUrl,
    ) -> None:
        super().__init__()
        self._start = start
        self._send = send
        self._open_outside = open_outside
        self._blocked_events = 0
        self._questions: dict[int, DownloadRow | None] = {}
        self._asking_link = 0
        self._next_id = 1
        self._first_loaded = False
        self._finished = False
        self._alone = False
        self._sure = False
        self._current_row: DownloadRow | None = None
        self.setWindowTitle("iConnect - " + tr("Order for {number}", number=start.matter_number))
        self.setWindowIcon(app_icon())
        open_at(self, 1180, 820)
        self.setMinimumSize(520, 400)

        self.rules = Rules(start.hosts, never_ports=start.never_ports, link=start.link, sign_in_addresses=start.sign_in_addresses)
        self.profile = make_profile(
            version=start.version,
            download_folder=start.download_folder,
            extra_authorities=start.extra_authorities,
            passing_folder=str(passing_folder(Path(start.profile_folder))) if start.extra_authorities else "",
        )
        self._filter = RequestFilter(self.rules, self)
        self._filter.blocked.connect(self._on_stopped)
        self.profile.setUrlRequestInterceptor(self._filter)
        self.downloads = Downloads(Path(start.download_folder), self.rules, most_bytes=start.most_download_bytes, parent=self)
        self.profile.downloadRequested.connect(self.downloads.take)
        self.downloads.saved.connect(self._on_saved)
        self.downloads.refused.connect(self._on_download_refused)

        self.downloads.failed.connect(lambda reason: send(DownloadRefused(reason=reason)))
        self.downloads.wanted_again.connect(lambda url: self.tab.page.download(url))
        self._printing = Printing(self)
        self._link_patience = QTimer(self)
        self._link_patience.setSingleShot(True)
        self._link_patience.setInterval(_LINK_SECONDS * 1000)

        self.page_set = PageSet(self._make_tab, self)
        self._build()
        self.size_of_pages = PageSize(
            Path(start.profile_folder), lambda: [tab.page for tab in self.tabs], self.navigation.show_zoom
        )
        self._connect()
        self.navigation.offer_more(make_actions(self, self._deeds()))
        self.page_set.add()
        self.size_of_pages.show()
        self.tab.view.setFocus(Qt.FocusReason.OtherFocusReason)
        self._automation = Automation(self) if start.automation else None
        self.open_link(start.link)

    # what the starting process says

    def receive(self, command: AnyCommand) -> None:
        if isinstance(command, BringForward):
            self.bring_forward()
        elif isinstance(command, Close):
            self._close_now()
        elif isinstance(command, Answer):
            self._on_answer(command)
        elif isinstance(command, OpenLink):
            self.open_link(command.link)
        elif isinstance(command, Do):
            if self._automation is None:
                self._send(Done(id=command.id, ok=False, error="this window was not started for automation"))
            else:
                self._automation.run(command, self._send)

    def bring_forward(self) -> None:
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    def open_link(self, link: str) -> None:
        self._asking_link = 0
        self.notice.clear()
        finding = self.rules.navigation(link)
        self._link_patience.stop()
        first = self.page_set.order
        self.page_set.choose(0)
        if finding.verdict is not Verdict.ALLOW:
            if finding.host:
                what = tr("The link that came leads to {host}", host=finding.host)
            else:
                what = tr("The link that came is no web address")
            first.say(
                Explained(
                    tr("This link does not lead to InfoTrack"),
                    tr(
                        "{what}, which is not among the addresses that this firm's settings name for InfoTrack "
                        "(infotrack.hosts). Nothing was opened. Ask whoever looks after iConnect in your firm.",
                        what=what,
                    ),
                    Picture.SHUT,
                ),
                Choice(tr("Close this window"), self.close),
            )
            self._on_stopped("navigation", finding.host, "The order's link leads outside infotrack.hosts.")
            return
        first.open(QUrl(link))

    def starting_process_gone(self) -> None:
        """The tray ended. A person may finish the page; a driven window has nobody left to drive it."""
        if self._start.automation:
            self._close_now()
        else:
            self.notice.say(
                tr(
                    "iConnect itself was closed. You can finish here, but a saved PDF or typed fees can't be recorded "
                    "until it runs again."
                )
            )
            self._alone = True
            self.fees_form.hide()
            self.navigation.fees_button.setEnabled(False)
            for row in self._questions.values():
                if row is not None:
                    row.say(_CLOSED_MEANWHILE, may_add=False, tone=Tone.WARN)
            self._questions.clear()
            if self._asking_link:
                self._no_new_link(tr("iConnect itself was closed, so there is no new link."))

    # layout

    def _build(self) -> None:
        start = self._start
        self.strip = MatterStrip(start.matter_number, start.matter_name, start.client_name, start.system_title)
        frame = Frame(self.strip, start.matter_number, self.page_set.strip, self.page_set.stack)
        self.navigation = frame.navigation
        self.notice = frame.notice
        self.find_bar = frame.find_bar
        self.fees_form = frame.fees_form
        self.downloads_bar = frame.downloads_bar
        self.file_work = FileWork(self, self.downloads, self.downloads_bar, open_file=self._hand_out)
        self.setCentralWidget(frame)

    def _connect(self) -> None:
        self.navigation.back.connect(lambda: self.tab.view.back())
        self.navigation.forward.connect(lambda: self.tab.view.forward())
        self.navigation.reload.connect(lambda: self.tab.again())
        self.navigation.stop.connect(lambda: self.tab.stop())
        self.navigation.fees.connect(self._toggle_fees)
        self.navigation.natural_size.connect(lambda: self.size_of_pages.change(0))
        self.page_set.chosen.connect(self._on_tab_chosen)
        self.page_set.leaving.connect(self._on_leaving)
        self.page_set.refused.connect(self._on_page_refused)
        self.find_bar.closed.connect(lambda: self.tab.view.setFocus(Qt.FocusReason.OtherFocusReason))
        self.file_work.told.connect(self.notice.say)
        self.downloads_bar.add.connect(self._on_add)
        self._printing.told.connect(self._on_printed)
        self._link_patience.timeout.connect(lambda: self._no_new_link(tr("No new link has come.")))
        self.fees_form.sent.connect(self._on_form_sent)
        self.fees_form.dismissed.connect(self._close_form)

    def _deeds(self) -> tuple[Deed, ...]:
        page = [Deed(tr("Page {number}", number=n), (f"Ctrl+{n}",), lambda n=n: self.page_set.choose(n - 1)) for n in range(1, 9)]  # type: ignore[misc]
        return (
            Deed(tr("Find in page"), ("Ctrl+F",), lambda: self._find(), in_menu=True, ends_group=True),
            Deed(tr("Print…"), ("Ctrl+P",), self._print, in_menu=True),
            Deed(tr("Keep this page as a PDF"), ("Ctrl+Shift+S", "Ctrl+S"), self._keep_page, in_menu=True, ends_group=True),
            Deed(tr("Larger"), ("Ctrl++", "Ctrl+="), lambda: self.size_of_pages.change(1), in_menu=True),
            Deed(tr("Smaller"), ("Ctrl+-",), lambda: self.size_of_pages.change(-1), in_menu=True),
            Deed(tr("Natural size"), ("Ctrl+0",), lambda: self.size_of_pages.change(0), in_menu=True, ends_group=True),
            Deed(tr("Files from InfoTrack"), ("Ctrl+J",), self._go_to_files, in_menu=True),
            Deed(tr("Close this page"), ("Ctrl+W", "Ctrl+F4"), self._close_current, in_menu=True),
            Deed(tr("Find next"), ("F3", "Ctrl+G"), lambda: self._find_step(back=False)),
            Deed(tr("Find previous"), ("Shift+F3", "Ctrl+Shift+G"), lambda: self._find_step(back=True)),
            Deed(tr("Back"), ("Alt+Left",), lambda: self.tab.view.back()),
            Deed(tr("Forward"), ("Alt+Right",), lambda: self.tab.view.forward()),
            Deed(tr("Reload"), ("F5", "Ctrl+R"), lambda: self.tab.again()),
            Deed(tr("Stop"), ("Esc",), self._on_escape),
            Deed(tr("Next page"), ("Ctrl+Tab", "Ctrl+PgDown"), lambda: self.page_set.step(1)),
            Deed(tr("Previous page"), ("Ctrl+Shift+Tab", "Ctrl+PgUp"), lambda: self.page_set.step(-1)),
            Deed(tr("Last page"), ("Ctrl+9",), lambda: self.page_set.choose(len(self.tabs) - 1)),
            Deed(tr("Next part of the window"), ("F6",), self._swap_focus),
            Deed(tr("More"), ("F10",), lambda: self.navigation.more_button.showMenu()),
            Deed(tr("Type in fees"), ("Ctrl+E",), self._toggle_fees),
            *page,
        )

    # tabs

    def _make_tab(self) -> Tab:
        tab = Tab(
            self.profile,
            self.rules,
            load_seconds=self._start.load_timeout_seconds,
            hang_seconds=self._start.hang_timeout_seconds,
            parent=self.page_set.stack,
        )
        page = tab.page
        page.refused.connect(self._on_refused)
        page.stopped.connect(self._on_stopped)
        page.window_wanted.connect(self.page_set.open_wanted)
        page.printRequested.connect(lambda: self.notice.say(tr("This page asks to be printed."), Choice(tr("Print…"), self._print)))
        tab.view.wheel_zoom.connect(self.size_of_pages.change)
        tab.loaded.connect(lambda ok: self._on_loaded(tab, ok))
        tab.changed.connect(self._show_state)
        tab.crashed.connect(lambda where, reason: self._on_crashed(tab, where, reason))
        tab.sign_in_wanted.connect(self._ask_link)
        self.size_of_pages.hold(page)
        return tab

    def _on_tab_chosen(self) -> None:
        if self.find_bar.isVisible():
            self.find_bar.look_in(self.tab.page)
        elif not self.page_set.strip.hasFocus():
            self._give_keyboard(self.tab)
        self._show_state()

    def _on_leaving(self, tab: Tab) -> None:
        self.find_bar.forget(tab.page)
        self._printing.page_gone(tab.view)
        self.file_work.page_gone(tab.page)

    def _on_page_refused(self, sentence: str) -> None:
        self.notice.say(sentence)
        self._on_stopped("popup", "", "A further page was not opened: there are as many as there may be.")

    def _close_current(self) -> None:
        """The order's own page goes with the window; while others are open, that is worth a question."""
        index = self.page_set.strip.currentIndex()
        if index > 0:
            self.page_set.close(index)
        elif len(self.tabs) > 1:
            self.notice.say(tr("This page is the order itself: closing it closes all."), Choice(tr("Close the window"), self.close))
        else:
            self.close()

    def _on_escape(self) -> None:
        if self.find_bar.isVisible():
            self.find_bar.put_away()
        elif self.fees_form.isVisible() and self.fees_form.isAncestorOf(QApplication.focusWidget() or self):
            self._close_form()
        else:
            self.tab.stop()

    def _swap_focus(self) -> None:
        """Round the parts of the window that are in sight: page, bar, notice, find, fees, files."""
        parts: list[QWidget] = [
            self.tab,
            self.navigation,
            self.notice,
            self.page_set.strip,
            self.find_bar,
            self.fees_form,
            self.downloads_bar,
        ]
        parts = [part for part in parts if part.isVisible()]
        focus = QApplication.focusWidget()
        here = next((n for n, part in enumerate(parts) if focus is not None and (part is focus or part.isAncestorOf(focus))), -1)
        for part in (*parts[here + 1 :], *parts[: here + 1]):
            if self._give_keyboard(part):
                return

    def _give_keyboard(self, part: QWidget) -> bool:
        inside: list[QWidget] = [self.tab.view] if part is self.tab and self.tab.shows_page else [part, *part.findChildren(QWidget)]
        for widget in inside:
            if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisible() and widget.isEnabled():
                widget.setFocus(Qt.FocusReason.ShortcutFocusReason)
                return True
        return False

    def _go_to_files(self) -> None:
        if not self.downloads_bar.isVisible() or not self._give_keyboard(self.downloads_bar):
            self.notice.say(
                tr("No file has been saved in this window yet. Files that InfoTrack gives you appear at its lower edge.")
            )

    # find, size, paper

    def _find(self) -> None:
        if self.tab.shows_page:
            self.find_bar.open(self.tab.page)

    def _find_step(self, *, back: bool) -> None:
        if self.find_bar.isVisible():
            self.find_bar.step(back=back)
        else:
            self._find()

    def _print(self) -> None:
        if self.tab.shows_page:
            self._printing.start(self.tab.view)
        else:
            self.notice.say(tr("There is no page to print."))

    def _on_printed(self, sentence: str, offers_pdf: bool) -> None:
        self.notice.say(sentence, *((Choice(tr("Keep as a PDF"), self._keep_page),) if offers_pdf else ()))

    def _keep_page(self) -> None:
        if self.tab.shows_page:
            self.file_work.keep_page(self.tab.page)
        else:
            self.notice.say(tr("There is no page to keep."))

    def _show_state(self) -> None:
        if self._finished:
            return
        tab = self.tab
        url = tab.page.url()
        host = url.host() if tab.shows_page else ""
        self.navigation.show_place(host, "none" if not host else "secure" if url.scheme() == "https" else "local")
        self.navigation.show_progress(tab.progress)
        self.size_of_pages.hold(tab.page)
        history = tab.page.history()
        self.navigation.show_history(back=history.canGoBack(), forward=history.canGoForward())

    # what happened in the page

    def _on_loaded(self, tab: Tab, ok: bool) -> None:
        host = tab.page.url().host()
        first = ok and not self._first_loaded and bool(host)
        self._first_loaded = self._first_loaded or first
        self._send(PageLoaded(host=host, ok=ok, first=first))
        if tab is self.tab and ok:
            self.find_bar.again()
        if tab is self.page_set.order and not tab.is_signed_out:
            for other in self.tabs[1:]:
                if other.is_signed_out and ok:
                    other.say_signed_in()
                elif other.is_signed_out:
                    other.say_signed_out(tr("The new link could not be opened."))

    def _on_crashed(self, tab: Tab, where: str, reason: str) -> None:
        self._printing.page_gone(tab.view)
        self.file_work.page_gone(tab.page)
        self._send(Crashed(where=where, reason=reason))

    def _on_refused(self, finding: Finding, url: QUrl) -> None:
        self._on_stopped(finding.kind, finding.host, finding.reason)
        if finding.verdict is Verdict.ASK:
            address = QUrl(url)
            self.notice.say(
                tr("{reason} Open {host} in your own browser?", reason=finding.reason, host=finding.host),
                Choice(tr("Open in browser"), lambda: self._leave(address, finding.host)),
            )
        else:
            self.notice.say(tr("{reason} The link was not opened.", reason=finding.reason))

    def _hand_out(self, url: QUrl) -> None:
        if not self._start.automation:  # a test must not start the machine's programs
            self._open_outside(url)

    def _leave(self, url: QUrl, host: str) -> None:
        self._hand_out(url)
        self._send(OpenedOutside(host=host))

    def _on_stopped(self, kind: str, host: str, reason: str) -> None:
        self._blocked_events += 1
        if self._blocked_events <= _MOST_BLOCKED_EVENTS:
            self._send(Blocked(kind=kind, host=host, reason=reason))
        if kind == "sign-in" and not self.notice.sentence:
            self.notice.say(reason)

    def _ask_link(self) -> None:
        """One request at a time, whichever page it comes from."""
        if self._alone:
            self.tab.say_signed_out(tr("iConnect itself was closed, so there is no new link."))
            return
        if not self._asking_link:
            self._asking_link = self._new_id()
            self._send(NewLinkWanted(id=self._asking_link))
            self._link_patience.start()
        self.tab.say_signing_in()

    def _no_new_link(self, reason: str) -> None:
        self._asking_link = 0
        self._link_patience.stop()
        for tab in self.tabs:
            if tab.is_signed_out:
                tab.say_signed_out(reason)
        if not any(tab.is_signed_out for tab in self.tabs):
            self.notice.say(reason)

    # saved files and fees

    def _on_saved(self, saved: SavedFile) -> None:
        self._send(DownloadSaved(path=str(saved.path), suggested_name=saved.name, content_type=saved.content_type, size=saved.size))

    def _on_download_refused(self, reason: str) -> None:
        self.notice.say(reason)
        self._send(DownloadRefused(reason=reason))

    def _on_add(self, row: DownloadRow) -> None:
        if self._alone:
            row.say_beside(
                tr("iConnect itself was closed, so this can't be recorded now. The file stays saved on this PC."), bad=True
            )
            return
        self._current_row = row
        self.fees_form.ask(row.saved)

    def _toggle_fees(self) -> None:
        if self.fees_form.isVisible():
            self._close_form()
        elif self.navigation.fees_button.isEnabled():
            self._current_row = None
            self.fees_form.ask(None)

    def _close_form(self) -> None:
        self.fees_form.hide()
        self._current_row = None
        self.tab.view.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_form_sent(self, fees: TypedFees, saved: SavedFile | None) -> None:
        number = self._new_id()
        row = self._current_row if saved is not None else None
        self._questions[number] = row
        if row is not None:
            row.say(tr("Being recorded for {number}…", number=self._start.matter_number), may_add=False)
        amounts = {
            "order_id": fees.order_id,
            "service": fees.service,
            "reference": fees.reference,
            "retailer_fee": fees.retailer_fee,
            "retailer_gst": fees.retailer_gst,
            "supplier_fee": fees.supplier_fee,
            "supplier_gst": fees.supplier_gst,
        }
        if saved is None:
            self._send(FeesTyped(id=number, **amounts))
        else:
            self._send(
                OfferedToMatter(
                    id=number, path=str(saved.path), suggested_name=saved.name, content_type=saved.content_type, **amounts
                )
            )

    def _on_answer(self, answer: Answer) -> None:
        if answer.to == self._asking_link and self._asking_link:
            if answer.ok:
                self._asking_link = 0
            else:
                self._no_new_link(answer.message or tr("There is no new link now."))
            return
        if answer.to not in self._questions:
            return
        row = self._questions.pop(answer.to)
        number = self._start.matter_number
        plain = tr("Recorded for {number}.", number=number) if answer.ok else tr("It could not be recorded. Try again.")
        message = answer.message or plain
        self.fees_form.answered(ok=answer.ok, message=message)
        if row is not None and row in self.downloads_bar.rows:
            # Only recorded so far: that it lies in the matter is confirmed in Orders and postings, once it was read back.
            row.say(
                message if answer.ok else tr("Not added: {message}", message=message),
                may_add=not answer.ok,
                tone=Tone.GOOD if answer.ok else Tone.BAD,
            )
        if answer.ok:
            self._close_form()
            self.notice.say(message)

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id - 1

    # the end

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "page_set") and self.tabs:
            self._show_state()

    def closeEvent(self, event: QCloseEvent) -> None:
        """A file on its way is worth one question, unless the whole program ends."""
        if self.file_work.is_busy and not self._sure:
            event.ignore()
            self.notice.say(
                tr("A file is still on its way. It is not kept when the window closes now; InfoTrack still has it."),
                Choice(tr("Close anyway"), self._close_now),
            )
            return
        event.accept()
        self.finish()

    def _close_now(self) -> None:
        self._sure = True
        self.close()

    def finish(self) -> None:
        """Stops downloads and lets go of pages, then of the profile. Safe to call twice."""
        if self._finished:
            return
        self._finished = True
        self.downloads.cancel_all()
        self.file_work.finish()
        for tab in self.tabs:
            tab.release()
        QApplication.quit()
