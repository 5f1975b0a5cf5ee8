"""Why a page did not come, in words for the person in front of it. Pure: the engine's numbers in, sentences out.

The numbers are Chromium's own (net/base/net_error_list.h, read in its public source)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Site:
    """Whose pages they are, and what a person must know about what they had begun there."""

    name: str
    nothing_done: str = ""
    may_be_done: str = ""
    another_way: str = ""


INFOTRACK = Site(
    "InfoTrack",
    " Nothing was ordered by this.",
    " If you had just placed an order, look at Orders and postings before you order again.",
    " If it stays like this, order again from the tray.",
)
SIGN_IN = Site("The sign-in page", another_way=" If it stays like this, close this window and connect again.")


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
    there = host or "the address"
    if code in _NO_LINE:
        return Explained(
            "This PC is not on the internet",
            f"There is no way to {there} just now. Check the network cable, the Wi-Fi or the VPN, then press Try again."
            f"{site.nothing_done}",
        )
    if code in _NO_NAME:
        return Explained(
            f"{possessive(site.name)} address was not found",
            f"This PC could not look up {there}. Mostly the internet connection or the VPN is down. Check it, then press Try "
            f"again.{site.nothing_done}",
        )
    if code in _PROXY:
        return Explained(
            "The office proxy is in the way",
            f"The way to {there} goes through your firm's proxy, and the proxy did not let the page through or did not answer. "
            "Try again in a moment; if it stays like this, tell your IT people.",
        )
    if code == -201:
        return Explained(
            "This address could not prove who it is",
            f"By this PC's clock the certificate of {there} is not valid today, so nothing was loaded from it. There is no way "
            "round this here. Check this PC's date and time; if they are right, tell your IT people.",
            Picture.SHUT,
        )
    if -299 <= code <= -200:
        return Explained(
            "This address could not prove who it is",
            f"The certificate of {there} is not valid, so nothing was loaded from it. There is no way round this here. "
            "Check this PC's date and time; if they are right, tell your IT people.",
            Picture.SHUT,
        )
    if code in _TLS:
        return Explained(
            "No secure line could be made",
            f"This PC and {there} could not agree on a secure line, so nothing was loaded. Often a security program or a proxy "
            "stands between. Try again; if it stays like this, tell your IT people.",
            Picture.SHUT,
        )
    if code in _NO_ANSWER:
        return Explained(
            f"{site.name} did not answer",
            f"{there} could not be reached or cut the line. Press Try again in a moment.{site.may_be_done}",
        )
    if code == -310:
        return Explained(
            f"{site.name} leads round in a circle",
            f"{there} led from page to page without end. Begin again.{site.another_way}{site.may_be_done}",
            Picture.SHUT,
        )
    if code == -379:
        return Explained(
            f"{site.name} answered with an error",
            f"{there} gave an error instead of a page. Mostly it passes: press Try again in a moment.{site.may_be_done}",
        )
    if code == -400:
        return Explained(
            "This page can't be shown a second time",
            "To show it again, what was typed would have to be sent a second time, and that could order twice; so iConnect "
            f"does not do it. Press Back once more, or go on from another page.{site.may_be_done}",
            Picture.SHUT,
            may_retry=False,
        )
    return Explained(
        "The page could not be shown",
        f"{there} answered with something unexpected ({code}). Press Try again.{site.another_way}{site.may_be_done}",
    )


def possessive(name: str) -> str:
    return f"{name}'s"
