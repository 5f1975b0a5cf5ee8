"""Every setting of the engine, set by us. A test compares the whole table with a checked-in file, so that an update of Qt that
adds a setting is noticed (G1).

The profile is off the record: the mapping link signs the person in each time, so nothing needs to be kept, and what is not
kept can't be stolen or mixed up between two people at one PC. Closing the window is the sign-out (G10).
"""

from __future__ import annotations

from PySide6.QtNetwork import QSslCertificate
from PySide6.QtWebEngineCore import QWebEngineProfile, QWebEngineProfileBuilder, QWebEngineSettings

A = QWebEngineSettings.WebAttribute

ATTRIBUTES: dict[QWebEngineSettings.WebAttribute, bool] = {
    A.AutoLoadImages: True,
    A.JavascriptEnabled: True,
    A.JavascriptCanOpenWindows: False,  # a window opens from a click only
    A.JavascriptCanAccessClipboard: False,
    A.LinksIncludedInFocusChain: True,
    A.LocalStorageEnabled: True,  # off the record: lives in memory
    A.LocalContentCanAccessRemoteUrls: False,
    A.XSSAuditingEnabled: False,  # does nothing any more
    A.SpatialNavigationEnabled: False,
    A.LocalContentCanAccessFileUrls: False,
    A.HyperlinkAuditingEnabled: False,
    A.ScrollAnimatorEnabled: False,
    A.ErrorPageEnabled: False,  # ours say what to do
    A.PluginsEnabled: False,
    A.FullScreenSupportEnabled: False,  # our bar stays visible
    A.ScreenCaptureEnabled: False,
    A.WebGLEnabled: False,
    A.Accelerated2dCanvasEnabled: False,
    A.AutoLoadIconsForPage: False,
    A.TouchIconsEnabled: False,
    A.FocusOnNavigationEnabled: True,
    A.PrintElementBackgrounds: True,
    A.AllowRunningInsecureContent: False,
    A.AllowGeolocationOnInsecureOrigins: False,
    A.AllowWindowActivationFromJavaScript: False,
    A.ShowScrollBars: True,
    A.PlaybackRequiresUserGesture: True,
    A.WebRTCPublicInterfacesOnly: True,
    A.JavascriptCanPaste: False,
    A.DnsPrefetchEnabled: False,
    A.PdfViewerEnabled: False,  # a PDF is saved and offered to the matter
    A.NavigateOnDropEnabled: False,
    A.ReadingFromCanvasEnabled: True,
    A.ForceDarkMode: False,
    A.PrintHeaderAndFooter: False,
    A.PreferCSSMarginsForPrinting: False,
    A.TouchEventsApiEnabled: True,
    A.BackForwardCacheEnabled: False,
    A.TrimAccessibilityIdentifiers: True,
}


def make_profile(*, version: str, download_folder: str, extra_authorities: str = "", passing_folder: str = "") -> QWebEngineProfile:
    """An off-the-record profile with every policy set. `extra_authorities` is PEM text; what is no certificate is left out.

    Qt gives extra authorities to a named profile only: such a one keeps its storage in `passing_folder`, which is removed
    when the window's process has ended, and is set up like the other in all else."""
    certificates = [one for one in QSslCertificate.fromData(extra_authorities.encode("ascii", "ignore")) if not one.isNull()]
    if certificates and passing_folder:
        builder = QWebEngineProfileBuilder()
        builder.setAdditionalTrustedCertificates(certificates)
        builder.setPersistentStoragePath(passing_folder)
        builder.setCachePath(passing_folder)
        builder.setHttpCacheType(QWebEngineProfile.HttpCacheType.MemoryHttpCache)
        builder.setPersistentCookiesPolicy(QWebEngineProfile.PersistentCookiesPolicy.NoPersistentCookies)
        builder.setPersistentPermissionsPolicy(QWebEngineProfile.PersistentPermissionsPolicy.AskEveryTime)
        profile = builder.createProfile("order")
    else:
        profile = QWebEngineProfileBuilder.createOffTheRecordProfile()
    profile.setHttpCacheType(QWebEngineProfile.HttpCacheType.MemoryHttpCache)
    profile.setHttpCacheMaximumSize(64_000_000)
    profile.setPersistentCookiesPolicy(QWebEngineProfile.PersistentCookiesPolicy.NoPersistentCookies)
    profile.setPersistentPermissionsPolicy(QWebEngineProfile.PersistentPermissionsPolicy.AskEveryTime)
    profile.setPushServiceEnabled(False)
    profile.setSpellCheckEnabled(False)
    profile.setDownloadPath(download_folder)
    profile.setHttpAcceptLanguage("en-AU,en;q=0.9")
    profile.setHttpUserAgent(user_agent(profile.httpUserAgent(), version))
    apply_settings(profile.settings())
    return profile


def apply_settings(settings: QWebEngineSettings) -> None:
    for attribute, on in ATTRIBUTES.items():
        settings.setAttribute(attribute, on)
    settings.setUnknownUrlSchemePolicy(QWebEngineSettings.UnknownUrlSchemePolicy.DisallowUnknownUrlSchemes)
    settings.setImageAnimationPolicy(QWebEngineSettings.ImageAnimationPolicy.Allow)
    settings.setDefaultTextEncoding("UTF-8")


def user_agent(engines_own: str, version: str) -> str:
    """The engine's own words and ours: who asks is no secret, and a site can tell which version misbehaves."""
    word = "".join(letter for letter in version if letter.isascii() and (letter.isalnum() or letter in ".-+"))
    return f"{engines_own} iConnect/{word or '0'}"


def table(profile: QWebEngineProfile) -> dict[str, str]:
    """Every setting and policy with its present value, for the snapshot test and the diagnostics bundle."""
    settings = profile.settings()
    rows = {f"attribute {one.name}": str(settings.testAttribute(one)).lower() for one in QWebEngineSettings.WebAttribute}
    rows |= {
        "unknown schemes": settings.unknownUrlSchemePolicy().name,
        "image animation": settings.imageAnimationPolicy().name,
        "text encoding": settings.defaultTextEncoding(),
        "off the record": str(profile.isOffTheRecord()).lower(),
        "storage name": profile.storageName(),
        "cache": profile.httpCacheType().name,
        "cache bytes": str(profile.httpCacheMaximumSize()),
        "cookies": profile.persistentCookiesPolicy().name,
        "permissions": profile.persistentPermissionsPolicy().name,
        "push": str(profile.isPushServiceEnabled()).lower(),
        "spell check": str(profile.isSpellCheckEnabled()).lower(),
        "languages": profile.httpAcceptLanguage(),
        "client hints": str(profile.clientHints().isAllClientHintsEnabled()).lower(),
    }
    return rows
