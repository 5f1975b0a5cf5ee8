"""A page with its view and, where the page would be, our own words when there is no page to show."""

from __future__ import annotations

import re

from PySide6.QtCore import QPoint, Qt, QTimer, QUrl, Signal
from PySide6.QtWebEngineCore import QWebEnginePage, QWebEngineProfile
from PySide6.QtWebEngineWidgets import QWebEngineView
from PySide6.QtWidgets import QMenu, QStackedWidget, QWidget

from desktop.ui.browser.addresses import Rules
from desktop.ui.browser.bars import Choice, NoticePage
from desktop.ui.browser.page import OrderPage

_SIGN_IN_PATH = re.compile(
    r"/(account/)?(log-?in|sign-?in|log-?on|session-?(expired|ended|timeout))(\.aspx?|\.html?)?/?$", re.IGNORECASE
)

_MENU = (
    QWebEnginePage.WebAction.Back,
    QWebEnginePage.WebAction.Forward,
    QWebEnginePage.WebAction.Reload,
    None,
    QWebEnginePage.WebAction.Cut,
    QWebEnginePage.WebAction.Copy,
    QWebEnginePage.WebAction.Paste,
    QWebEnginePage.WebAction.SelectAll,
)


class Tab(QStackedWidget):
    """Emits
    - `loaded(ok)`: a page has come, or could not be shown (not when a link was refused or saved as a file);
    - `changed()`: host, progress or history is another;
    - `session_ended()`: the site shows its own sign-in page after it had let the person in;
    - `crashed(where, reason)`.
    """

    loaded = Signal(bool)
    changed = Signal()
    session_ended = Signal()
    crashed = Signal(str, str)

    def __init__(
        self, profile: QWebEngineProfile, rules: Rules, *, load_seconds: float, hang_seconds: float, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.view = QWebEngineView(self)
        self.page = OrderPage(profile, rules, hang_seconds=hang_seconds, parent=self.view)
        self.view.setPage(self.page)
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.view.customContextMenuRequested.connect(self._menu)
        self.view.setAcceptDrops(False)
        self.notice = NoticePage()
        self.addWidget(self.view)
        self.addWidget(self.notice)
        self._wanted = QUrl()
        self._landed = False
        self.progress = 100
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(max(1, int(load_seconds * 1000)))
        self._patience.timeout.connect(self._too_slow)
        self.page.loadStarted.connect(self._on_started)
        self.page.loadProgress.connect(self._on_progress)
        self.page.loadFinished.connect(self._on_finished)
        self.page.urlChanged.connect(self._on_url)
        self.page.failed.connect(self._on_failed)
        self.page.renderer_gone.connect(self._on_renderer_gone)
        self.page.hanging.connect(self._on_hanging)

    @property
    def landed(self) -> bool:
        """True once a page was shown: the one-time link has been used."""
        return self._landed

    @property
    def shows_page(self) -> bool:
        return self.currentWidget() is self.view

    def open(self, url: QUrl) -> None:
        self._wanted = url
        self._landed = False
        self.setCurrentWidget(self.view)
        self.page.load(url)

    def again(self) -> None:
        """Loads once more what was wanted: the link while it was never let in, the page otherwise."""
        self.setCurrentWidget(self.view)
        address = self.page.url()
        if not self._landed or address.isEmpty() or address.scheme() not in ("https", "http"):
            self.page.load(self._wanted)
        else:
            self.page.load(address)

    def stop(self) -> None:
        self.page.triggerAction(QWebEnginePage.WebAction.Stop)

    def say(self, headline: str, advice: str, *choices: Choice) -> None:
        self._patience.stop()
        self.notice.say(headline, advice, *choices)
        self.setCurrentWidget(self.notice)
        self.changed.emit()

    def release(self) -> None:
        """Lets go of the page before the profile goes."""
        self._patience.stop()
        self.page.blockSignals(True)
        self.view.setPage(None)  # type: ignore[arg-type]
        self.page.deleteLater()

    def _on_started(self) -> None:
        self._patience.start()
        self._on_progress(0)

    def _on_progress(self, percent: int) -> None:
        self.progress = percent
        self.changed.emit()

    def _on_finished(self, ok: bool) -> None:
        self._patience.stop()
        self.progress = 100
        loaded = ok and self.page.url().scheme() in ("https", "http")
        if loaded:
            self._landed = True
            self.setCurrentWidget(self.view)
        self.changed.emit()
        if loaded:
            self.loaded.emit(True)

    def _on_url(self, url: QUrl) -> None:
        if self._landed and _SIGN_IN_PATH.search(url.path()):
            self.session_ended.emit()
        self.changed.emit()

    def _on_failed(self, headline: str, advice: str) -> None:
        self.progress = 100
        self.say(headline, advice, Choice("Try again", self.again))
        self.loaded.emit(False)

    def _on_renderer_gone(self, reason: str) -> None:
        self.progress = 100
        self.say(
            "The page has stopped working",
            "Nothing of what iConnect knows was lost. If you were just placing an order, look at Orders and postings "
            "before you order again.",
            Choice("Load the page again", self.again),
        )
        self.crashed.emit("page", reason)

    def _on_hanging(self, hangs: bool) -> None:
        if not hangs:
            if self.currentWidget() is self.notice:
                self.setCurrentWidget(self.view)
            return
        self.say(
            "The page does not answer",
            "It may still be working. Wait, or stop it and load it again.",
            Choice("Stop it and load again", self._restart),
            Choice("Wait", lambda: self.setCurrentWidget(self.view)),
        )
        self.crashed.emit("hang", "The page does not answer.")

    def _restart(self) -> None:
        self.page.renderer_gone.disconnect(self._on_renderer_gone)

        def ended(_reason: str) -> None:
            self.page.renderer_gone.disconnect(ended)
            self.page.renderer_gone.connect(self._on_renderer_gone)
            QTimer.singleShot(0, self, self.again)

        self.page.renderer_gone.connect(ended)
        self.page.end_renderer()

    def _too_slow(self) -> None:
        self.say(
            "InfoTrack takes very long to answer",
            "The page has not come yet. Keep waiting, or try again. If it stays like this, check the internet connection.",
            Choice("Keep waiting", self._wait_on),
            Choice("Try again", self.again),
        )

    def _wait_on(self) -> None:
        self.setCurrentWidget(self.view)
        if self.page.isLoading():
            self._patience.start()

    def _menu(self, where: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for action in _MENU:
            if action is None:
                menu.addSeparator()
            else:
                menu.addAction(self.page.action(action))
        menu.popup(self.view.mapToGlobal(where))
