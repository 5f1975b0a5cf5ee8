"""Who the Smokeball stand-in is tested with: a person who signs in, and an app that calls."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests

from sandbox import world as w
from sandbox.house import Sandbox
from tests.sandbox.visitors import Controls

VERIFIER = "a-verifier-of-forty-three-or-more-characters-0123456789"
NUMBER = "J004521"


@dataclass
class SmokeballVisitor:
    """A person with a browser, and the app that sent them: the one with a secret, or the public one."""

    box: Sandbox
    public: bool = False
    browser: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.place: dict[str, Any] = dict(self.box.description()["smokeball"])  # type: ignore[call-overload]
        self.client_id: str = self.place["public_client_id" if self.public else "client_id"]
        self.key: str = self.place["public_api_key" if self.public else "api_key"]

    def address(self, **changes: str) -> str:
        challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
        values = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.place["redirect_uri"],
            "state": "some-state",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **changes,
        }
        return f"{self.place['auth']}/oauth2/authorize?" + urlencode({k: v for k, v in values.items() if v})

    def answer(self, answer: str = "allow", person: str = w.DEMO_PERSON, **changes: str) -> dict[str, str]:
        """Signs in and consents, or does not; what comes back in the redirect."""
        address = self.address(**changes)
        page = self.browser.get(address).text
        if 'id="sign-in"' in page:
            page = self.browser.post(address, data={"step": "sign-in", "user": person, "password": w.PASSWORD}).text
        assert 'id="allow"' in page
        back = self.browser.post(address, data={"step": "consent", "answer": answer}, allow_redirects=False)
        assert back.status_code == 302
        assert back.headers["Location"].startswith(self.place["redirect_uri"])
        return {name: values[0] for name, values in parse_qs(urlsplit(back.headers["Location"]).query).items()}

    def token(self, *, basic: bool | None = None, **changes: str) -> requests.Response:
        """A call to the token endpoint; an empty change takes a field away."""
        values = {k: v for k, v in ({"client_id": self.client_id} | changes).items() if v}
        auth = (self.client_id, self.place["client_secret"]) if (not self.public if basic is None else basic) else None
        return requests.post(f"{self.place['auth']}/oauth2/token", data=values, auth=auth)

    def exchange(self, code: str, **changes: str) -> requests.Response:
        """The code for tokens."""
        values = {"redirect_uri": self.place["redirect_uri"], "code_verifier": VERIFIER, **changes}
        return self.token(grant_type="authorization_code", code=code, **values)

    def refresh(self, token: str, **changes: Any) -> requests.Response:
        """A refresh token for a new access token."""
        return self.token(grant_type="refresh_token", refresh_token=token, **changes)

    def tokens(self, **changes: str) -> dict[str, Any]:
        """Signs in and exchanges."""
        answer = self.exchange(self.answer(**changes)["code"])
        assert answer.status_code == 200, answer.text
        result: dict[str, Any] = answer.json()
        return result


@dataclass
class SmokeballCaller:
    """Calls to the interface with a token that was got by signing in."""

    api: str
    key: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"x-api-key": self.key, "Authorization": f"Bearer {self.token}"}

    def call(self, method: str, path: str, **more: Any) -> requests.Response:
        headers = {**self.headers, **more.pop("headers", {})}
        return requests.request(method, f"{self.api}/{path}", headers=headers, **more)

    def get(self, path: str, **query: Any) -> Any:
        answer = self.call("GET", path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def matter(self, number: str = NUMBER) -> str:
        """A matter's id by its number."""
        (found,) = [row for row in self.get("matters", search=number)["value"] if row["number"] == number]
        return str(found["id"])

    def post_expense(self, matter: str, **changes: Any) -> requests.Response:
        return self.call("POST", f"matters/{matter}/expenses", json=expense(**changes))

    def post_file(self, matter: str, **changes: Any) -> requests.Response:
        body = {"fileName": "result.pdf", "folderPath": "InfoTrack", "fileAdditionalData": {"iconnect": "IT-1-D-1"}, **changes}
        return self.call("POST", f"matters/{matter}/documents/files", json=body)


def expense(**changes: Any) -> dict[str, Any]:
    """The body of an expense; a change to None takes a member away."""
    body = {
        "expenseDate": "2026-05-14T00:00:00+10:00",
        "subject": "Title search 1/SP12345",
        "description": "Order 71000123 IT-71000123-T-1",
        "activityCode": "SEARCH",
        "costType": "Hard",
        "quantity": 1,
        "price": 14.20,
        "tax": 1.42,
        "outputTax": 1.42,
        "taxInclusive": False,
        "isBillable": True,
        "finalized": True,
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}


def put(url: str, content: bytes = b"%PDF the bytes", **headers: str) -> requests.Response:
    """The bytes to a signed link, with an empty content type; further headers with `_` for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.put(url, data=content, headers={"content-type": "", **named})


def books(controls: Controls, job: str = "") -> dict[str, Any]:
    """What stands in the firm's books."""
    (found,) = controls.get("books", system="smokeball", job=job)["tenants"]
    return dict(found)
