"""The sign-in window: the vendor's own pages, and a bar that says whose page it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, QUrl
from PySide6.QtGui import QCloseEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from desktop.services.sign_in_protocol import Arrived, SignInEvent, SignInPageLoaded, SignInStopped, SignInWindowStart
from desktop.ui.browser.addresses import Finding, Verdict
from desktop.ui.browser.bars import Choice, NavigationBar
from desktop.ui.browser.engine_settings import make_profile
from desktop.ui.browser.load_errors import SIGN_IN, Explained, Picture
from desktop.ui.browser.notice_page import NoticePage
from desktop.ui.browser.page_size import PageSize
from desktop.ui.browser.page_view import PageView
from desktop.ui.browser.passing_folder import passing_folder
from desktop.ui.browser.sign_in_page import SignInFilter, SignInPage
from desktop.ui.browser.sign_in_rules import SignInRules
from desktop.ui.icons import app_icon
from desktop.ui.language import tr
from desktop.ui.widgets import open_at

_MOST_EVENTS = 300


class SignInWindow(QMainWindow):
    """`send` takes events. Closing it, by whichever way, ends the sign-in."""

    def __init__(self, start: SignInWindowStart, send: Callable[[SignInEvent], None]) -> None:
        super().__init__()
        self._start = start
        self._send = send
        self._events = 0
        self.setWindowTitle("iConnect - " + tr("Sign in"))
        self.setWindowIcon(app_icon())
        open_at(self, 620, 760)
        self.setMinimumSize(420, 480)
        rules = SignInRules(start.address, start.redirect, never_ports=start.never_ports)
        self.profile = make_profile(
            version=start.version,
            download_folder="",
            extra_authorities=start.extra_authorities,
            passing_folder=str(passing_folder(Path(start.profile_folder))) if start.extra_authorities else "",
        )
        self._filter = SignInFilter(rules, self)
        self._filter.blocked.connect(self._stopped)
        self.profile.setUrlRequestInterceptor(self._filter)
        self.view = PageView(self, tr("Sign-in page"))
        self.page = SignInPage(self.profile, rules, parent=self.view)
        self.view.setPage(self.page)
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self.view.setAcceptDrops(False)
        self.notice = NoticePage()
        self.bar = NavigationBar()
        self.bar.fees_button.hide()
        self.size_of_pages = PageSize(Path(start.profile_folder), lambda: [self.page], self.bar.show_zoom)
        self.pages = QStackedWidget()
        self.pages.addWidget(self.view)
        self.pages.addWidget(self.notice)
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.bar)
        column.addWidget(self.pages, 1)
        self.setCentralWidget(whole)
        self._connect()
        self.size_of_pages.show()
        if rules.navigation(start.address).verdict is Verdict.ALLOW:
            self.page.load(QUrl(start.address))
        else:
            self._say(tr("This sign-in does not begin on a secure line"), tr("Tell your IT people: its address is not https."))

    def _connect(self) -> None:
        self._filter.arrived.connect(self.page.arrive)
        self.page.arrived.connect(self._on_arrived)
        self.page.refused.connect(self._on_refused)
        self.page.stopped.connect(self._stopped)
        self.page.window_wanted.connect(self._load)
        self.page.failed.connect(self._explain)
        self.page.renderer_gone.connect(lambda reason: self._explain(_stopped(reason)))
        self.page.loadStarted.connect(lambda: self.pages.setCurrentWidget(self.view))
        self.page.loadProgress.connect(self.bar.show_progress)
        self.page.loadFinished.connect(self._on_loaded)
        self.page.urlChanged.connect(lambda _url: self._show_place())
        self.bar.back.connect(self.view.back)
        self.bar.forward.connect(self.view.forward)
        self.bar.reload.connect(self._again)
        self.bar.stop.connect(self.view.stop)
        self.bar.natural_size.connect(lambda: self.size_of_pages.change(0))
        self.view.wheel_zoom.connect(self.size_of_pages.change)
        for keys, direction in (("Ctrl++", 1), ("Ctrl+=", 1), ("Ctrl+-", -1), ("Ctrl+0", 0)):
            QShortcut(QKeySequence(keys), self, lambda way=direction: self.size_of_pages.change(way))
        for key in ("F5", "Ctrl+R"):
            QShortcut(QKeySequence(key), self, self._again)
        QShortcut(QKeySequence("Alt+Left"), self, self.view.back)
        QShortcut(QKeySequence("Alt+Right"), self, self.view.forward)
        QShortcut(QKeySequence("Esc"), self, self.view.stop)
        QShortcut(QKeySequence("Ctrl+W"), self, self.close)

    def closeEvent(self, event: QCloseEvent) -> None:
        self.page.blockSignals(True)
        self.view.stop()
        event.accept()

    def finish(self) -> None:
        """Lets go of the page before the profile goes."""
        self.page.blockSignals(True)
        self.view.setPage(None)  # type: ignore[arg-type]
        self.page.deleteLater()

    def _on_arrived(self, address: str) -> None:
        self._send(Arrived(address=address))
        QTimer.singleShot(0, self, self.close)

    def _on_refused(self, finding: Finding, _url: QUrl) -> None:
        self._stopped(finding.kind, finding.host, finding.reason)
        if not self.page.url().host():
            self._say(tr("The page could not be shown"), tr("{reason} Close this window and connect again.", reason=finding.reason))

    def _stopped(self, kind: str, host: str, _reason: str) -> None:
        self._events += 1
        if self._events <= _MOST_EVENTS:
            self._send(SignInStopped(kind=kind, host=host))

    def _on_loaded(self, ok: bool) -> None:
        self.bar.show_progress(100)
        self._show_place()
        self._send(SignInPageLoaded(host=self.page.url().host(), ok=ok))

    def _load(self, url: QUrl) -> None:
        """A page that wants a window of its own gets this one: a sign-in has one thread."""
        self.page.load(url)

    def _again(self) -> None:
        address = self.page.url()
        self.page.load(address if address.scheme() in ("https", "http") else QUrl(self._start.address))

    def _explain(self, what: Explained) -> None:
        choices = (Choice(tr("Try again"), self._again),) if what.may_retry else ()
        self.notice.say(what.headline, what.advice, *choices, Choice(tr("Close this window"), self.close), picture=what.picture)
        self.pages.setCurrentWidget(self.notice)
        self.notice.take_keyboard()

    def _say(self, headline: str, advice: str) -> None:
        self._explain(Explained(headline, advice, Picture.SHUT, may_retry=False))

    def _show_place(self) -> None:
        url = self.page.url()
        host = url.host()
        self.bar.show_place(host, "none" if not host else "secure" if url.scheme() == "https" else "local")
        history = self.page.history()
        self.size_of_pages.hold(self.page)
        self.bar.show_history(back=history.canGoBack(), forward=history.canGoForward())


def _stopped(reason: str) -> Explained:
    advice = tr("{reason} Press Try again to go on.", reason=reason) + SIGN_IN.another_way
    return Explained(tr("The page has stopped"), advice, Picture.CRASHED)
