"""Where a sign-in may lead. Pure.

A vendor's sign-in page hands people on to whoever knows them: Microsoft, Google, the office's own server. So every host is
allowed, and every one only over https; plain http is for a test installation, where the sign-in itself begins on this PC."""

from __future__ import annotations

from collections.abc import Iterable

from desktop.services.sign_in_protocol import is_same_place
from desktop.ui.browser.addresses import Finding, Place, Rules, Verdict, is_office, place_of
from desktop.ui.language import tr

_OPEN_LINE = tr("A page of a sign-in is not loaded over an open line.")


class SignInRules(Rules):
    """`address` is where the sign-in begins, `redirect` where it ends: that one is recognised, and never loaded."""

    def __init__(self, address: str, redirect: str, *, never_ports: Iterable[int] = ()) -> None:
        super().__init__(())
        self._redirect = redirect
        self._ports = frozenset(never_ports)
        begin = place_of(address)
        self._is_test = begin is not None and begin.scheme == "http" and _is_this_pc(begin)

    def is_redirect(self, url: str) -> bool:
        return is_same_place(url, self._redirect)

    def navigation(self, url: str) -> Finding:
        place = place_of(url)
        if place is None or place.scheme not in ("https", "http"):
            return Finding(Verdict.REFUSE, "", tr("This kind of address is not opened from a sign-in page."))
        return self._judged(place, "navigation")

    def resource(self, url: str) -> Finding:
        scheme = url.split(":", 1)[0].lower()
        if scheme in ("data", "blob") or url in ("about:blank", "about:srcdoc"):
            return Finding(Verdict.ALLOW, kind="resource")
        place = place_of(url)
        if place is None:
            return Finding(Verdict.REFUSE, "", "This kind of address is not loaded by a sign-in page.", kind="resource")
        return self._judged(place, "resource")

    def _judged(self, place: Place, kind: str) -> Finding:
        if place.port in self._ports and is_office(place.host, place.address):
            return Finding(Verdict.REFUSE, place.host, tr("This address belongs to iConnect itself."), kind=kind)
        if place.scheme in ("https", "wss") or (self._is_test and _is_this_pc(place)):
            return Finding(Verdict.ALLOW, place.host, kind=kind)
        return Finding(Verdict.REFUSE, place.host, _OPEN_LINE, kind=kind)


def _is_this_pc(place: Place) -> bool:
    return place.address.is_loopback if place.address is not None else place.host == "localhost"
