"""The order window: InfoTrack's own site for one matter, in a process of its own.

Nothing here is imported by the tray. What a person does becomes an event for the process that started the window; what
that process answers is shown here.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, Qt, QUrl
from PySide6.QtGui import QCloseEvent, QDesktopServices, QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QHBoxLayout, QMainWindow, QStackedWidget, QTabBar, QVBoxLayout, QWidget

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
from desktop.ui.browser.bars import Choice, MatterStrip, NavigationBar, NoticeBar
from desktop.ui.browser.downloads import Downloads, SavedFile
from desktop.ui.browser.engine_settings import make_profile
from desktop.ui.browser.fees_form import FeesForm
from desktop.ui.browser.page import OrderPage
from desktop.ui.browser.passing_folder import passing_folder
from desktop.ui.browser.request_filter import RequestFilter
from desktop.ui.browser.saved_strip import SavedRow, SavedStrip
from desktop.ui.browser.tab import Tab
from desktop.ui.browser.typed_fees import TypedFees
from desktop.ui.icons import app_icon
from desktop.ui.widgets import open_at

_MOST_BLOCKED_EVENTS = 300
_ZOOM_STEPS = (0.5, 0.67, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0)


class OrderWindow(QMainWindow):
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
        self._questions: dict[int, SavedRow | None] = {}
        self._asking_link = 0
        self._next_id = 1
        self._first_loaded = False
        self._finished = False
        self._current_row: SavedRow | None = None
        self.setWindowTitle(f"iConnect - Order for {start.matter_number}")
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

        self._build()
        self.downloads.progress.connect(lambda _name, percent: self.saved_strip.show_progress(percent))
        self._shortcuts()
        self.tabs: list[Tab] = []
        self._add_tab()
        self._automation = Automation(self) if start.automation else None
        self.open_link(start.link)

    # what the starting process says

    def receive(self, command: AnyCommand) -> None:
        if isinstance(command, BringForward):
            self.bring_forward()
        elif isinstance(command, Close):
            self.close()
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
        first = self.tabs[0]
        self.tab_bar.setCurrentIndex(0)
        if finding.verdict is not Verdict.ALLOW:
            where = f"leads to {finding.host}" if finding.host else "is no web address"
            first.say(
                "This link does not lead to InfoTrack",
                f"The link that came {where}, which is not among the addresses that this firm's settings name for InfoTrack "
                "(infotrack.hosts). Nothing was opened. Ask whoever looks after iConnect in your firm.",
            )
            self._on_stopped("navigation", finding.host, "The order's link leads outside infotrack.hosts.")
            return
        first.open(QUrl(link))

    def starting_process_gone(self) -> None:
        """The tray ended. A person may finish the page; a driven window has nobody left to drive it."""
        if self._start.automation:
            self.close()
        else:
            self.notice.say(
                "iConnect itself was closed. You can finish here, but a saved PDF or typed fees can't be recorded "
                "until it runs again."
            )
            self.fees_form.hide()
            self.navigation.fees_button.setEnabled(False)

    # layout

    def _build(self) -> None:
        start = self._start
        self.strip = MatterStrip(start.matter_number, start.matter_name, start.client_name, start.system_title)
        self.navigation = NavigationBar()
        self.notice = NoticeBar()
        self.tab_bar = QTabBar()
        self.tab_bar.setTabsClosable(True)
        self.tab_bar.setAccessibleName("Pages")
        self.tab_bar.setExpanding(False)
        self.tab_bar.hide()
        self.pages = QStackedWidget()
        self.fees_form = FeesForm(start.matter_number)
        self.saved_strip = SavedStrip(start.matter_number)
        middle = QHBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(self.pages, 1)
        middle.addWidget(self.fees_form)
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for widget in (self.strip, self.navigation, self.notice, self.tab_bar):
            column.addWidget(widget)
        column.addLayout(middle, 1)
        column.addWidget(self.saved_strip)
        self.setCentralWidget(whole)
        self.navigation.back.connect(lambda: self.tab.view.back())
        self.navigation.forward.connect(lambda: self.tab.view.forward())
        self.navigation.reload.connect(lambda: self.tab.again())
        self.navigation.stop.connect(lambda: self.tab.stop())
        self.navigation.fees.connect(self._toggle_fees)
        self.tab_bar.currentChanged.connect(self._on_tab_chosen)
        self.tab_bar.tabCloseRequested.connect(self._close_tab)
        self.saved_strip.add.connect(self._on_add)
        self.saved_strip.open_file.connect(lambda row: self._open_outside(QUrl.fromLocalFile(str(row.saved.path))))
        self.fees_form.sent.connect(self._on_form_sent)
        self.fees_form.dismissed.connect(self._close_form)

    def _shortcuts(self) -> None:
        for keys, act in (
            (("Alt+Left",), lambda: self.tab.view.back()),
            (("Alt+Right",), lambda: self.tab.view.forward()),
            (("F5", "Ctrl+R"), lambda: self.tab.again()),
            (("Esc",), self._on_escape),
            (("Ctrl+W",), self._close_current),
            (("Ctrl++", "Ctrl+="), lambda: self._zoom(1)),
            (("Ctrl+-",), lambda: self._zoom(-1)),
            (("Ctrl+0",), lambda: self._zoom(0)),
            (("Ctrl+Tab",), lambda: self.tab_bar.setCurrentIndex((self.tab_bar.currentIndex() + 1) % max(1, self.tab_bar.count()))),
            (("F6",), self._swap_focus),
            (("Ctrl+E",), self._toggle_fees),
        ):
            for key in keys:
                QShortcut(QKeySequence(key), self, act)

    # tabs

    @property
    def tab(self) -> Tab:
        return self.tabs[max(0, self.tab_bar.currentIndex())]

    def _add_tab(self) -> Tab:
        tab = Tab(
            self.profile,
            self.rules,
            load_seconds=self._start.load_timeout_seconds,
            hang_seconds=self._start.hang_timeout_seconds,
            parent=self.pages,
        )
        page: OrderPage = tab.page
        page.refused.connect(self._on_refused)
        page.stopped.connect(self._on_stopped)
        page.window_wanted.connect(self._on_window_wanted)
        page.windowCloseRequested.connect(lambda: self._close_page(tab))
        page.printRequested.connect(
            lambda: self.notice.say("Pages are not printed from here. Save the document as a PDF and print that.")
        )
        page.zoomFactorChanged.connect(lambda _factor: None)
        tab.loaded.connect(lambda ok: self._on_loaded(tab, ok))
        tab.changed.connect(self._show_state)
        tab.crashed.connect(lambda where, reason: self._send(Crashed(where=where, reason=reason)))
        tab.session_ended.connect(self._on_session_ended)
        self.tabs.append(tab)
        self.pages.addWidget(tab)
        index = self.tab_bar.addTab("Order" if len(self.tabs) == 1 else "Second page")
        if index == 0:
            for side in (QTabBar.ButtonPosition.LeftSide, QTabBar.ButtonPosition.RightSide):
                self.tab_bar.setTabButton(0, side, None)
        self.tab_bar.setVisible(len(self.tabs) > 1)
        return tab

    def _on_window_wanted(self, url: QUrl) -> None:
        """At most one further page: a second request takes the place of the first."""
        if len(self.tabs) < 2:
            self._add_tab()
        self.tabs[1].open(url)
        self.tab_bar.setCurrentIndex(1)

    def _on_tab_chosen(self, index: int) -> None:
        if 0 <= index < len(self.tabs):
            self.pages.setCurrentWidget(self.tabs[index])
            self._show_state()

    def _close_page(self, tab: Tab) -> None:
        if tab in self.tabs:
            self._close_tab(self.tabs.index(tab))

    def _close_tab(self, index: int) -> None:
        if index == 0 or index >= len(self.tabs):  # a page can't close the order itself
            return
        tab = self.tabs.pop(index)
        self.tab_bar.removeTab(index)
        self.pages.removeWidget(tab)
        self.tab_bar.setVisible(len(self.tabs) > 1)
        tab.release()
        tab.deleteLater()
        self._show_state()

    def _close_current(self) -> None:
        if self.tab_bar.currentIndex() > 0:
            self._close_tab(self.tab_bar.currentIndex())
        else:
            self.close()

    def _on_escape(self) -> None:
        if self.fees_form.isVisible() and self.fees_form.isAncestorOf(QApplication.focusWidget() or self):
            self._close_form()
        else:
            self.tab.stop()

    def _swap_focus(self) -> None:
        focus = QApplication.focusWidget()
        if focus is not None and (focus is self.tab.view or self.tab.view.isAncestorOf(focus)):
            self.navigation.reload_button.setFocus(Qt.FocusReason.ShortcutFocusReason)
        else:
            self.tab.view.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _zoom(self, direction: int) -> None:
        page = self.tab.page
        now = page.zoomFactor()
        if direction == 0:
            page.setZoomFactor(1.0)
        elif direction > 0:
            page.setZoomFactor(next((step for step in _ZOOM_STEPS if step > now + 0.01), _ZOOM_STEPS[-1]))
        else:
            page.setZoomFactor(next((step for step in reversed(_ZOOM_STEPS) if step < now - 0.01), _ZOOM_STEPS[0]))

    def _show_state(self) -> None:
        if self._finished:
            return
        tab = self.tab
        url = tab.page.url()
        host = url.host() if tab.shows_page else ""
        self.navigation.show_place(host, "none" if not host else "secure" if url.scheme() == "https" else "local")
        self.navigation.show_progress(tab.progress)
        history = tab.page.history()
        self.navigation.show_history(back=history.canGoBack(), forward=history.canGoForward())

    # what happened in the page

    def _on_loaded(self, tab: Tab, ok: bool) -> None:
        host = tab.page.url().host()
        first = ok and not self._first_loaded and bool(host)
        self._first_loaded = self._first_loaded or first
        self._send(PageLoaded(host=host, ok=ok, first=first))

    def _on_refused(self, finding: Finding, url: QUrl) -> None:
        self._on_stopped(finding.kind, finding.host, finding.reason)
        if finding.verdict is Verdict.ASK:
            address = QUrl(url)
            self.notice.say(
                f"{finding.reason} Open {finding.host} in your own browser?",
                Choice("Open in browser", lambda: self._leave(address, finding.host)),
            )
        else:
            self.notice.say(f"{finding.reason} The link was not opened.")

    def _leave(self, url: QUrl, host: str) -> None:
        if not self._start.automation:  # a test must not start the machine's browser
            self._open_outside(url)
        self._send(OpenedOutside(host=host))

    def _on_stopped(self, kind: str, host: str, reason: str) -> None:
        self._blocked_events += 1
        if self._blocked_events <= _MOST_BLOCKED_EVENTS:
            self._send(Blocked(kind=kind, host=host, reason=reason))
        if kind == "sign-in" and not self.notice.sentence:
            self.notice.say(reason)

    def _on_session_ended(self) -> None:
        self.notice.say(
            "InfoTrack asks for a sign-in again: the link that signs you in works once and for a while. "
            "A new link opens the same matter; what you had not yet ordered has to be entered again.",
            Choice("Get a new link", self._ask_link),
        )

    def _ask_link(self) -> None:
        self._asking_link = self._new_id()
        self._send(NewLinkWanted(id=self._asking_link))
        self.notice.say("A new link has been asked for.")

    # saved files and fees

    def _on_saved(self, saved: SavedFile) -> None:
        self.saved_strip.show_saved(saved)
        self._send(DownloadSaved(path=str(saved.path), suggested_name=saved.name, content_type=saved.content_type, size=saved.size))

    def _on_download_refused(self, reason: str) -> None:
        self.notice.say(reason)
        self._send(DownloadRefused(reason=reason))

    def _on_add(self, row: SavedRow) -> None:
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
        self._questions[number] = self._current_row if saved is not None else None
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
            self._asking_link = 0
            if not answer.ok:
                self.notice.say(answer.message or "There is no new link now. Order again from the tray.")
            return
        if answer.to not in self._questions:
            return
        row = self._questions.pop(answer.to)
        number = self._start.matter_number
        message = answer.message or (f"Recorded for {number}." if answer.ok else "It could not be recorded. Try again.")
        self.fees_form.answered(ok=answer.ok, message=message)
        if row is not None and row in self.saved_strip.findChildren(SavedRow):
            row.say(f"Filed in {number}" if answer.ok else "Not filed", may_add=not answer.ok)
        if answer.ok:
            self._close_form()
            self.notice.say(message)

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id - 1

    # the end

    def state(self) -> str:
        """What the window shows, as JSON; for automation."""
        tab = self.tab
        return json.dumps(
            {
                "title": self.windowTitle(),
                "host": tab.page.url().host(),
                "path": tab.page.url().path(),
                "page_title": tab.page.title(),
                "shows_page": tab.shows_page,
                "headline": "" if tab.shows_page else tab.notice.headline,
                "notice": self.notice.sentence,
                "tabs": len(self.tabs),
                "loading": tab.progress < 100,
                "saved": [row.saved.name for row in self.saved_strip.findChildren(SavedRow)],
                "renderer_pid": tab.page.renderProcessPid(),
                "form": self.fees_form.isVisible(),
                "remark": self.fees_form.remark,
            }
        )

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "tabs") and self.tabs:
            self._show_state()

    def closeEvent(self, event: QCloseEvent) -> None:
        event.accept()
        self.finish()

    def finish(self) -> None:
        """Stops downloads and lets go of pages, then of the profile. Safe to call twice."""
        if self._finished:
            return
        self._finished = True
        self.downloads.cancel_all()
        for tab in self.tabs:
            tab.release()
        QApplication.quit()
