"""A web page of the sign-in window: the order window's, with its refusals, that stops at the registered redirect address."""

from __future__ import annotations

import threading

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtWebEngineCore import (
    QWebEngineCertificateError,
    QWebEngineLoadingInfo,
    QWebEnginePage,
    QWebEngineProfile,
    QWebEngineUrlRequestInfo,
)

from desktop.ui.browser.page import OrderPage
from desktop.ui.browser.request_filter import RequestFilter
from desktop.ui.browser.sign_in_rules import SignInRules

_HANG_SECONDS = 20.0
_STOPPED_BY_US = (-3, -20)


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
            self._has_arrived = True
            self.arrived.emit(address)

    def _refuse_certificate(self, error: QWebEngineCertificateError) -> None:
        error.rejectCertificate()
        host = error.url().host()
        self.stopped.emit("certificate", host, "The address could not prove that it is what it says.")
        if error.isMainFrame():
            self._load_error = (
                "This address could not prove who it is",
                f"The certificate of {host} is not valid, so nothing was loaded from it. There is no way round this here. "
                "Check this PC's date and time; if they are right, tell your IT people.",
            )

    def _on_loading(self, info: QWebEngineLoadingInfo) -> None:
        status = QWebEngineLoadingInfo.LoadStatus
        if info.status() == status.LoadStartedStatus:
            self._load_error = None
            self._silent_since = None
        elif info.status() == status.LoadFailedStatus and not info.isDownload() and not self._has_arrived:
            if self._load_error is not None:
                self.failed.emit(*self._load_error)
            elif info.errorCode() not in _STOPPED_BY_US:
                self.failed.emit(
                    "The sign-in page could not be shown",
                    f"{info.url().host()} could not be reached or gave no page ({info.errorCode()}). Check the internet "
                    "connection, then press Reload, or close this window and connect again.",
                )
