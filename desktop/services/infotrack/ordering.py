"""A matter -> the mapping call -> a one-time link to InfoTrack's own site (vendor facts: seen in public client code)."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

from desktop.services.errors import AnswerLost, BadAnswer, NotSent, Refused, SignedOut
from desktop.services.http import Answer, Http, Limits
from desktop.services.infotrack import mapping, references
from desktop.services.infotrack.answers import url_and_token, wait_of, words
from desktop.services.infotrack.credentials import Credentials, basic
from desktop.services.infotrack.messages import MessageUnreadable
from desktop.services.infotrack.model import OrderLink
from desktop.services.infotrack.trusted import Trusted
from desktop.services.practice.model import ClientDetails, Matter

_log = logging.getLogger(__name__)
_CAP = 1_000_000
_REJECTED = "InfoTrack did not accept your login. Sign in again under Connections."


class LoginVerdict(Enum):
    """What InfoTrack says of a login."""

    ACCEPTED = "accepted"
    WRONG = "wrong"
    COULD_NOT_TELL = "could not tell"


@dataclass(frozen=True, slots=True)
class LoginCheck:
    verdict: LoginVerdict
    message: str = ""


class Ordering:
    """Asks InfoTrack for links. One call each; nothing is repeated, kept or logged."""

    def __init__(
        self,
        http: Http,
        credentials: Credentials,
        trusted: Trusted,
        *,
        retailer_tag: str,
        limits: Limits | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._http = http
        self._credentials = credentials
        self._trusted = trusted
        self._tag = retailer_tag
        self._limits = limits
        self._now = now

    def link(self, matter: Matter, client: ClientDetails | None, installation: str) -> OrderLink:
        """A link for this moment: it signs its opener in and is meant to be used once.

        Raises SignedOut (and marks the login) when InfoTrack refuses it, Refused with InfoTrack's own words, Wait,
        BadAnswer when no usable link came, NotSent, AnswerLost, NotNow (keyring). A mapping call orders nothing, so
        after any of these the person may simply try again."""
        login = self._credentials.login()
        reference = references.make(self._tag, installation, matter.system, matter.id)
        answer = self._post(mapping.body(matter, client, reference), login.header())
        if answer.status == 401:
            self._credentials.rejected(login)
            raise SignedOut(_REJECTED)
        self._demand_success(answer)
        try:
            url, _ = url_and_token(answer.body)
        except MessageUnreadable as error:
            raise BadAnswer("InfoTrack's answer could not be read, so there is no order page to open. Try again.") from error
        if not url:
            raise BadAnswer("InfoTrack gave no order page to open. Try again; if it stays so, tell InfoTrack.")
        if not self._trusted.page(url):
            _log.warning("the mapping answer held a link to a host outside infotrack.hosts")
            raise BadAnswer(
                "InfoTrack gave a link to an address that is not one of InfoTrack's (infotrack.hosts), so it was not opened."
            )
        return OrderLink(url)

    def check_login(self, user: str, password: str) -> LoginCheck:
        """Tries a login with a mapping of dummy references, which orders nothing. Raises nothing on purpose."""
        if not user.strip() or not password:
            return LoginCheck(LoginVerdict.WRONG, "Enter both the InfoTrack user name and the password.")
        if ":" in user or len(user) > 250 or len(password) > 500:
            return LoginCheck(LoginVerdict.WRONG, "This user name or password can't be right: it is too long or holds a colon.")
        dummy: mapping.type_of_body = {"ClientReference": "login-check", "RetailerReference": f"{self._tag}_login-check"}
        try:
            answer = self._post(dummy, basic(user, password))
        except (NotSent, AnswerLost, BadAnswer) as error:
            return LoginCheck(LoginVerdict.COULD_NOT_TELL, f"{error} So the InfoTrack login could not be checked. Try again.")
        if 200 <= answer.status < 300:
            return LoginCheck(LoginVerdict.ACCEPTED)
        if answer.status == 401:
            return LoginCheck(LoginVerdict.WRONG, "InfoTrack did not accept this user name and password.")
        said = words(answer.body)
        return LoginCheck(
            LoginVerdict.COULD_NOT_TELL,
            f"InfoTrack could not check the login (answer {answer.status}{': ' + said if said else ''}). Try again later.",
        )

    def _post(self, body: mapping.type_of_body, authorization: str) -> Answer:
        return self._http.send(
            "POST",
            self._trusted.api_url.rstrip("/") + "/mapping",
            headers={"Authorization": authorization, "Content-Type": "application/json", "Accept": "application/json"},
            body=json.dumps(body, ensure_ascii=False).encode(),
            cap=_CAP,
            limits=self._limits,
        )

    def _demand_success(self, answer: Answer) -> None:
        if 200 <= answer.status < 300:
            return
        if answer.status in (429, 503):
            raise wait_of(answer.status, answer.headers, self._now())
        if 300 <= answer.status < 400:
            raise BadAnswer("InfoTrack's address answers with a redirect. Ask your IT to correct infotrack.api_url.")
        said = words(answer.body)
        if answer.status >= 500:
            raise BadAnswer(f"InfoTrack has a fault at the moment ({answer.status}{': ' + said if said else ''}). Try again later.")
        raise Refused(said or f"InfoTrack refused to open an order page (answer {answer.status}).", status=answer.status)
