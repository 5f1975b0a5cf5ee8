"""A web page of the sign-in window: the order window's, with its refusals, that stops at the registered redirect address."""

from __future__ import annotations

import threading

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtWebEngineCore import (
    QWebEnginePage,
    QWebEngineProfile,
    QWebEngineUrlRequestInfo,
)

from desktop.ui.browser.load_errors import SIGN_IN
from desktop.ui.browser.page import OrderPage
from desktop.ui.browser.request_filter import RequestFilter
from desktop.ui.browser.sign_in_rules import SignInRules

_HANG_SECONDS = 20.0


def written(url: QUrl) -> str:
    return url.toString(QUrl.ComponentFormattingOption.FullyEncoded | QUrl.UrlFormattingOption.RemoveFragment)


class SignInFilter(RequestFilter):
    """Blocks every request to the redirect address before it leaves this PC; the page's own is told by `arrived(address)`."""

    arrived = Signal(str)

    def __init__(self, rules: SignInRules, parent: QObject | None = None) -> None:
        super().__init__(rules, parent)
        self._sign_in_rules = rules
        self._once = threading.Lock()

    def interceptRequest(self, info: QWebEngineUrlRequestInfo) -> None:
        address = written(info.requestUrl())
        if not self._sign_in_rules.is_redirect(address):
            super().interceptRequest(info)
            return
        info.block(True)
        main_frame = info.resourceType() == QWebEngineUrlRequestInfo.ResourceType.ResourceTypeMainFrame
        if main_frame and self._once.acquire(blocking=False):
            self.arrived.emit(address)


class SignInPage(OrderPage):
    """Emits also `arrived(address)` when a page leads to the redirect address, once, without loading it."""

    arrived = Signal(str)
    site = SIGN_IN

    def __init__(self, profile: QWebEngineProfile, rules: SignInRules, parent: QObject | None = None) -> None:
        super().__init__(profile, rules, hang_seconds=_HANG_SECONDS, parent=parent)
        self._sign_in_rules = rules
        self._has_arrived = False

    def acceptNavigationRequest(self, url: QUrl | str, kind: QWebEnginePage.NavigationType, is_main_frame: bool) -> bool:
        address = written(QUrl(url))
        if not self._sign_in_rules.is_redirect(address):
            return super().acceptNavigationRequest(url, kind, is_main_frame)
        if is_main_frame:
            self.arrive(address)
        return False

    def arrive(self, address: str) -> None:
        if not self._has_arrived:
            self._has_arrived = self.is_over = True
            self.arrived.emit(address)
