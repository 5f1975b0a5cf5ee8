"""Fetching a result file (vendor facts, section 8: seen in public client code)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import urldefrag, urljoin, urlsplit

from desktop.services.errors import AnswerLost, BadAnswer, Refused, SignedOut
from desktop.services.http import Answer, Http, Limits
from desktop.services.infotrack import proof
from desktop.services.infotrack.answers import wait_of, words
from desktop.services.infotrack.cookies import Cookies
from desktop.services.infotrack.credentials import Credentials
from desktop.services.infotrack.model import FetchedFile
from desktop.services.infotrack.trusted import Trusted, origin, split

_log = logging.getLogger(__name__)
_REDIRECTS = (301, 302, 303, 307, 308)
_REJECTED = "InfoTrack did not accept your login for a result file. Sign in again under Connections."


class Documents:
    """The DocumentFetcher. The login goes to InfoTrack's own hosts only; whoever wrote the address into a message, or
    answers with a redirect, can't make it go elsewhere."""

    def __init__(
        self,
        http: Http,
        credentials: Credentials,
        trusted: Trusted,
        *,
        cap: int = 50_000_000,
        most_redirects: int = 5,
        limits: Limits | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._http = http
        self._credentials = credentials
        self._trusted = trusted
        self._cap = cap
        self._most_redirects = most_redirects
        self._limits = limits
        self._now = now

    def fetch(self, download_url: str) -> FetchedFile:
        """The file, proved to be one. Raises NotSent, AnswerLost, BadAnswer (empty, cut, a web page, an address that may
        not be asked), Wait, SignedOut (and marks the login), Refused (a plain no, such as 404) or NotNow (keyring)."""
        url = _joined(self._trusted.api_url, download_url.strip())
        cookies = Cookies(self._trusted.hosts)
        before: str | None = None
        for _ in range(self._most_redirects + 1):
            answer = self._get(url, before, cookies)
            if answer.status not in _REDIRECTS:
                return self._proved(answer)
            cookies.learn(url, answer.headers.get("set-cookie", ""))
            location = answer.headers.get("location", "").strip()
            if not location:
                raise BadAnswer("The address of the result file redirects to nowhere.")
            before, url = url, _joined(url, location)
        raise BadAnswer("The address of the result file redirects too often.")

    def _get(self, url: str, before: str | None, cookies: Cookies) -> Answer:
        if not self._trusted.reachable(url) or (before is not None and _downgrades(before, url)):
            raise BadAnswer(
                "The address of the result file is not one that may be asked (https is needed), so nothing was fetched."
            )
        headers = {"Accept": "application/pdf, */*;q=0.8"}
        if cookie := cookies.header(url):
            headers["Cookie"] = cookie
        login = self._credentials.login() if self._may_tell(url, before) else None
        if login is not None:
            headers["Authorization"] = login.header()
        # A connection of its own: no cookie of an earlier exchange travels along.
        answer = self._http.send("GET", url, headers=headers, cap=self._cap, fresh=True, limits=self._limits)
        if answer.status == 401:
            if login is None:
                raise BadAnswer("The result file lies outside InfoTrack and asks for a login, which is not sent there.")
            if not self._trusted.api(url):
                # One message names the address: it must not be able to end the login for every order. Nor is the login sent
                # there again by itself: whoever counts wrong passwords may lock the account.
                raise Refused("The result file's server did not accept your InfoTrack login.", status=401)
            self._credentials.rejected(login)
            raise SignedOut(_REJECTED)
        return answer

    def _may_tell(self, url: str, before: str | None) -> bool:
        """After a redirect over plain http, which only this PC's own addresses have, the port too has to be the same."""
        if not self._trusted.login(url):
            return False
        here, there = split(url), split(before) if before is not None else None
        return there is None or here is None or here.scheme == "https" or origin(here) == origin(there)

    def _proved(self, answer: Answer) -> FetchedFile:
        if answer.status in (429, 503):
            raise wait_of(answer.status, answer.headers, self._now())
        if answer.status >= 500 or answer.status == 408:
            raise AnswerLost(f"The result file could not be fetched (answer {answer.status}).")
        if answer.status >= 400:
            said = words(answer.body)
            raise Refused(
                f"InfoTrack did not give the result file ({answer.status}{': ' + said if said else ''}).", status=answer.status
            )
        if answer.status not in (200, 203):
            raise BadAnswer(f"InfoTrack has no result file to give at the moment (answer {answer.status}).")
        kind = answer.headers.get("content-type", "")
        proved = "content-length" in answer.headers or "chunked" in answer.headers.get("transfer-encoding", "").lower()
        found = proof.extension(answer.body, kind, length_proved=proved)
        return FetchedFile(answer.body, found, kind.partition(";")[0].strip().lower()[:100])


def _downgrades(before: str, url: str) -> bool:
    return urlsplit(before).scheme == "https" and urlsplit(url).scheme != "https"


def _joined(base: str, url: str) -> str:
    """Empty where it can't be an address."""
    try:
        return urldefrag(urljoin(base, url)).url
    except ValueError:
        return ""
