"""A page with its view and, where the page would be, our own words when there is no page to show."""

from __future__ import annotations

import re
import time

from PySide6.QtCore import QPoint, Qt, QTimer, QUrl, Signal
from PySide6.QtWebEngineCore import QWebEnginePage, QWebEngineProfile
from PySide6.QtWidgets import QApplication, QMenu, QStackedWidget, QWidget

from desktop.ui.browser.addresses import Rules
from desktop.ui.browser.bars import Choice
from desktop.ui.browser.load_errors import Explained, Picture
from desktop.ui.browser.notice_page import NoticePage
from desktop.ui.browser.page import OrderPage
from desktop.ui.browser.page_view import PageView
from desktop.ui.language import tr
from desktop.ui.menus import lined

_SIGN_IN_PATH = re.compile(
    r"/(account/)?(log-?in|sign-?in|log-?on|session-?(expired|ended|timeout))(\.aspx?|\.html?)?/?$", re.IGNORECASE
)

_CRASHES = 3
_CRASH_SECONDS = 120.0
_JUST_NOW_SECONDS = 0.5

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
    - `session_ended()`: the site shows its own sign-in page after it had let the person in; ours stands before it;
    - `sign_in_wanted()`: the person asks for a new link because of that;
    - `crashed(where, reason)`.
    """

    loaded = Signal(bool)
    changed = Signal()
    session_ended = Signal()
    sign_in_wanted = Signal()
    crashed = Signal(str, str)

    def __init__(
        self, profile: QWebEngineProfile, rules: Rules, *, load_seconds: float, hang_seconds: float, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.view = PageView(self)
        self.page = OrderPage(profile, rules, hang_seconds=hang_seconds, parent=self.view)
        self.view.setPage(self.page)
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.view.customContextMenuRequested.connect(self._menu)
        self.view.setAcceptDrops(False)
        self.notice = NoticePage(stands_in=parent)
        self.addWidget(self.view)
        self.addWidget(self.notice)
        self._wanted = QUrl()
        self._landed = False
        self._good = QUrl()
        self._signed_out = False
        self._crashes: list[float] = []
        self._lost_keyboard = -_JUST_NOW_SECONDS
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        app.focusChanged.connect(self._on_focus)
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

    @property
    def is_signed_out(self) -> bool:
        """True while the site wants a sign-in that it had had before."""
        return self._signed_out

    def open(self, url: QUrl) -> None:
        self._wanted = url
        self._landed = False
        self._signed_out = False
        self._show_page()
        self.page.load(url)

    def again(self) -> None:
        """Loads once more what was wanted: the link while it was never let in, the page otherwise. Never sends a form again: a page
        that came of one is asked for by its address alone."""
        self._show_page()
        address = self.page.url()
        if not self._landed or address.isEmpty() or address.scheme() not in ("https", "http"):
            self.page.load(self._wanted)
        else:
            self.page.load(address)

    def stop(self) -> None:
        self.page.triggerAction(QWebEnginePage.WebAction.Stop)

    def say(self, what: Explained, *choices: Choice, busy: bool = False) -> None:
        """Puts our page before the site's. The keyboard goes along if the page, or ours, had it."""
        self._patience.stop()
        had_keyboard = self._has_keyboard()
        self.notice.say(what.headline, what.advice, *choices, picture=what.picture, busy=busy)
        self.setCurrentWidget(self.notice)
        if had_keyboard:
            self.notice.take_keyboard()
        self.changed.emit()

    def say_signed_out(self, trouble: str = "") -> None:
        """The site's sign-in has ended. `trouble`: why there is no new one."""
        advice = tr(
            "The sign-in that iConnect got for this order has ended. Sign in again here: iConnect gets a new link for the same "
            "matter. Nothing is ordered by that. What you had typed but not ordered has to be typed again; if you had just placed "
            "an order, look at Orders and postings before you order it again."
        )
        self.say(
            Explained(
                tr("InfoTrack asks for a sign-in again"), f"{trouble} {advice}".strip() if trouble else advice, Picture.SIGNED_OUT
            ),
            Choice(tr("Sign in again"), self.sign_in_wanted.emit),
            Choice(tr("Show InfoTrack's own sign-in page"), self._show_page),
        )

    def say_signing_in(self) -> None:
        self.say(
            Explained(
                tr("Signing in again"), tr("iConnect is asking InfoTrack for a new link to the same matter."), Picture.WAITING
            ),
            Choice(tr("Stop waiting"), self.say_signed_out),
            busy=True,
        )

    def say_signed_in(self) -> None:
        """Another page of this window was let in again, and this one with it."""
        self._signed_out = False
        self.say(
            Explained(
                tr("You are signed in again"),
                tr(
                    "This page was closed by InfoTrack when the sign-in ended. Load it again if you still need it; nothing is "
                    "ordered by that."
                ),
                Picture.SIGNED_OUT,
            ),
            Choice(tr("Load this page again"), self._load_good),
        )

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
            if not self._signed_out:
                self._good = QUrl(self.page.url())
                self._show_page()
        self.changed.emit()
        if loaded:
            self.loaded.emit(True)

    def _on_url(self, url: QUrl) -> None:
        if not self._landed:
            pass
        elif _SIGN_IN_PATH.search(url.path()):
            if not self._signed_out:
                self._signed_out = True
                self.say_signed_out()
                self.session_ended.emit()
        else:
            self._signed_out = False
        self.changed.emit()

    def _load_good(self) -> None:
        self._show_page()
        self.page.load(self._good if not self._good.isEmpty() else self._wanted)

    def _on_failed(self, what: Explained) -> None:
        self.progress = 100
        if what.may_retry:
            self.say(what, Choice(tr("Try again"), self.again))
        else:
            self.say(what, Choice(tr("Back"), self.view.back))
        self.loaded.emit(False)

    def _has_keyboard(self) -> bool:
        """Also when it has just lost it: a page whose process ends hands the keyboard on before anybody is told."""
        focus = QApplication.focusWidget()
        return focus is None or self._holds(focus) or time.monotonic() - self._lost_keyboard < _JUST_NOW_SECONDS

    def _holds(self, widget: QWidget | None) -> bool:
        return widget is not None and (widget is self or self.isAncestorOf(widget))

    def _on_focus(self, old: QWidget | None, new: QWidget | None) -> None:
        if self._holds(old) and not self._holds(new):
            self._lost_keyboard = time.monotonic()

    def _show_page(self) -> None:
        had_keyboard = self.currentWidget() is self.notice and self._has_keyboard()
        self.setCurrentWidget(self.view)
        if had_keyboard:
            self.view.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_renderer_gone(self, reason: str) -> None:
        self.progress = 100
        now = time.monotonic()
        self._crashes = [one for one in self._crashes if now - one < _CRASH_SECONDS] + [now]
        advice = tr(
            "Nothing of what iConnect knows was lost; only what was typed into the page and not sent. If you were just placing an "
            "order, look at Orders and postings before you order again."
        )
        if len(self._crashes) >= _CRASHES:
            advice = tr(
                "It has stopped {count} times and more. Close this window and order again from the tray. {advice}",
                count=_CRASHES,
                advice=advice,
            )
        self.say(
            Explained(tr("The page has stopped working"), advice, Picture.CRASHED),
            Choice(tr("Load the page again"), self.again),
        )
        self.crashed.emit("page", reason)

    def _on_hanging(self, hangs: bool) -> None:
        if not hangs:
            if self.currentWidget() is self.notice and not self._signed_out:
                self._show_page()
            return
        self.say(
            Explained(
                tr("The page does not answer"), tr("It may still be working. Wait, or stop it and load it again."), Picture.WAITING
            ),
            Choice(tr("Stop it and load again"), self._restart),
            Choice(tr("Wait"), self._show_page),
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
            Explained(
                tr("InfoTrack takes very long to answer"),
                tr("The page has not come yet. Keep waiting, or try again. If it stays like this, check the internet connection."),
                Picture.WAITING,
            ),
            Choice(tr("Keep waiting"), self._wait_on),
            Choice(tr("Try again"), self.again),
        )

    def _wait_on(self) -> None:
        self._show_page()
        if self.page.isLoading():
            self._patience.start()

    def _menu(self, where: QPoint) -> None:
        menu = lined(QMenu(self))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for action in _MENU:
            if action is None:
                menu.addSeparator()
            else:
                menu.addAction(self.page.action(action))
        menu.popup(self.view.mapToGlobal(where))
