"""Why a page did not come, in words for the person in front of it. Pure: the engine's numbers in, sentences out.

The numbers are Chromium's own (net/base/net_error_list.h, read in its public source)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from desktop.ui.language import tr


@dataclass(frozen=True, slots=True)
class Site:
    """Whose pages they are, and what a person must know about what they had begun there."""

    name: str
    nothing_done: str = ""
    may_be_done: str = ""
    another_way: str = ""


INFOTRACK = Site(
    "InfoTrack",
    " " + tr("Nothing was ordered by this."),
    " " + tr("If you had just placed an order, look at Orders and postings before you order again."),
    " " + tr("If it stays like this, order again from the tray."),
)
SIGN_IN = Site(tr("The sign-in page"), another_way=" " + tr("If it stays like this, close this window and connect again."))


class Picture(StrEnum):
    """The sign that stands beside the words."""

    OFFLINE = "offline"
    SHUT = "shut"
    CRASHED = "crashed"
    SIGNED_OUT = "signed out"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Explained:
    """What stands where the page would be. `may_retry`: loading it again can help."""

    headline: str
    advice: str
    picture: Picture = Picture.OFFLINE
    may_retry: bool = True


STOPPED_BY_US = frozenset({-3, -20})
"""Stopped by the person or by another page; stopped by our filter, which says so itself."""

_NO_LINE = frozenset({-106, -109, -21})
_NO_NAME = frozenset({-105, -137, -138, -800, -801, -802, -803, -804, -806})
_PROXY = frozenset({-111, -115, -120, -121, -127, -130, -131, -136, -140, -336})
_TLS = frozenset({-107, -112, -113, -117, -123, -126, -129, -148, -149, -150, -153, -159, -172})
_NO_ANSWER = frozenset({-7, -15, -100, -101, -102, -103, -104, -118, -324})


def explain(code: int, host: str, site: Site = INFOTRACK) -> Explained | None:
    """`code` is the engine's error (negative). None where nothing needs to be said."""
    if code in STOPPED_BY_US:
        return None
    there = host or tr("the address")
    if code in _NO_LINE:
        return Explained(
            tr("This PC is not on the internet"),
            tr(
                "There is no way to {there} just now. Check the network cable, the Wi-Fi or the VPN, then press Try again.",
                there=there,
            )
            + site.nothing_done,
        )
    if code in _NO_NAME:
        return Explained(
            tr("{name}'s address was not found", name=site.name),
            tr(
                "This PC could not look up {there}. Mostly the internet connection or the VPN is down. Check it, then press Try "
                "again.",
                there=there,
            )
            + site.nothing_done,
        )
    if code in _PROXY:
        return Explained(
            tr("The office proxy is in the way"),
            tr(
                "The way to {there} goes through your firm's proxy, and the proxy did not let the page through or did not answer. "
                "Try again in a moment; if it stays like this, tell your IT people.",
                there=there,
            ),
        )
    if code == -201:
        return Explained(
            tr("This address could not prove who it is"),
            tr(
                "By this PC's clock the certificate of {there} is not valid today, so nothing was loaded from it. There is no way "
                "round this here. Check this PC's date and time; if they are right, tell your IT people.",
                there=there,
            ),
            Picture.SHUT,
        )
    if -299 <= code <= -200:
        return Explained(
            tr("This address could not prove who it is"),
            tr(
                "The certificate of {there} is not valid, so nothing was loaded from it. There is no way round this here. "
                "Check this PC's date and time; if they are right, tell your IT people.",
                there=there,
            ),
            Picture.SHUT,
        )
    if code in _TLS:
        return Explained(
            tr("No secure line could be made"),
            tr(
                "This PC and {there} could not agree on a secure line, so nothing was loaded. Often a security program or a proxy "
                "stands between. Try again; if it stays like this, tell your IT people.",
                there=there,
            ),
            Picture.SHUT,
        )
    if code in _NO_ANSWER:
        return Explained(
            tr("{name} did not answer", name=site.name),
            tr("{there} could not be reached or cut the line. Press Try again in a moment.", there=there) + site.may_be_done,
        )
    if code == -310:
        return Explained(
            tr("{name} leads round in a circle", name=site.name),
            tr("{there} led from page to page without end. Begin again.", there=there) + site.another_way + site.may_be_done,
            Picture.SHUT,
        )
    if code == -379:
        return Explained(
            tr("{name} answered with an error", name=site.name),
            tr("{there} gave an error instead of a page. Mostly it passes: press Try again in a moment.", there=there)
            + site.may_be_done,
        )
    if code == -400:
        return Explained(
            tr("This page can't be shown a second time"),
            tr(
                "To show it again, what was typed would have to be sent a second time, and that could order twice; so iConnect "
                "does not do it. Press Back once more, or go on from another page."
            )
            + site.may_be_done,
            Picture.SHUT,
            may_retry=False,
        )
    return Explained(
        tr("The page could not be shown"),
        tr("{there} answered with something unexpected ({code}). Press Try again.", there=there, code=code)
        + site.another_way
        + site.may_be_done,
    )
