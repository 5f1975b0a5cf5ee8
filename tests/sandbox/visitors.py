"""Who the stand-ins are tested with: a person who clicks through their pages, an app, a supplier's client, the controls."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from xml.etree.ElementTree import Element, XMLParser

import requests

from sandbox import world as w
from sandbox.house import LOGINS, Sandbox

SCOPES = "openid profile email offline_access practicemanager.job practicemanager.client.read practicemanager.staff.read"
VERIFIER = "a-verifier-of-forty-three-or-more-characters-0123456789"


def parse(body: bytes) -> Element:
    """XML to a tree."""
    parser = XMLParser()
    parser.feed(body)
    return parser.close()


@dataclass
class Visitor:
    """A person with a browser, and the app that sent them."""

    box: Sandbox
    client_id: str = w.CLIENT_ID
    secret: str = ""
    browser: requests.Session = field(default_factory=requests.Session)

    @property
    def redirect_uri(self) -> str:
        return f"http://localhost:{self.box.redirect_ports[0]}/callback"

    def address(self, **changes: str) -> str:
        challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
        values = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": SCOPES,
            "state": "some-state",
            "nonce": "some-nonce",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **changes,
        }
        return f"{self.box.url('identity')}/identity/connect/authorize?" + urlencode({k: v for k, v in values.items() if v})

    def to_consent(self, person: str = w.DEMO_PERSON, **changes: str) -> tuple[str, str]:
        """Signs in; the consent page's address and text."""
        address = self.address(**changes)
        page = self.browser.get(address).text
        if "sign-in-form" in page:
            page = self.browser.post(address, data={"step": "sign-in", "user": person, "password": w.PASSWORD}).text
            code = re.search(r'id="code-shown">(\d{6})<', page)
            assert code
            page = self.browser.post(address, data={"step": "two-factor", "code": code[1]}).text
        return address, page

    def allow(self, tenants: tuple[str, ...] = (w.MAIN_TENANT,), person: str = w.DEMO_PERSON, **changes: str) -> dict[str, str]:
        """Consents; what comes back in the redirect."""
        address, _page = self.to_consent(person, **changes)
        answer = self.browser.post(address, data={"step": "consent", "answer": "allow", "tenant": tenants}, allow_redirects=False)
        assert answer.status_code == 302, answer.text
        assert answer.headers["Location"].startswith(self.redirect_uri)
        return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}

    def exchange(self, code: str, **changes: str) -> requests.Response:
        """The code for tokens."""
        values = {
            "grant_type": "authorization_code",
            "client_id": self.client_id,
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": VERIFIER,
            **changes,
        }
        return requests.post(f"{self.box.url('identity')}/connect/token", data=values)

    def refresh(self, token: str) -> requests.Response:
        """A refresh token for a new pair."""
        values = {"grant_type": "refresh_token", "client_id": self.client_id, "refresh_token": token}
        return requests.post(f"{self.box.url('identity')}/connect/token", data=values)

    def tokens(self, **more: Any) -> dict[str, Any]:
        """Signs in and exchanges."""
        answer = self.exchange(self.allow(**more)["code"])
        assert answer.status_code == 200, answer.text
        result: dict[str, Any] = answer.json()
        return result


@dataclass
class Practice:
    """Calls to Practice Manager with a token that was got by signing in."""

    box: Sandbox
    token: str
    tenant: str = w.MAIN_TENANT

    def call(self, method: str, path: str, body: str = "", **more: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}", "xero-tenant-id": self.tenant}
        data = body.encode() if body else None
        return requests.request(method, f"{self.box.url('api')}/practicemanager/3.1/{path}", headers=headers, data=data, **more)

    def get(self, path: str) -> Element:
        answer = self.call("GET", path)
        assert answer.status_code == 200, answer.text
        return parse(answer.content)

    def post_cost(
        self, note: str, job: str = "J004521", amount: str = "12.50", code: str = "DISB-GST", **more: Any
    ) -> requests.Response:
        body = (
            f"<Cost><Job>{job}</Job><Date>20260512</Date><Description>A fee</Description><Code>{code}</Code><Note>{note}</Note>"
            f"<Quantity>1</Quantity><UnitCost>{amount}</UnitCost><UnitPrice>{amount}</UnitPrice><Billable>true</Billable></Cost>"
        )
        return self.call("POST", "job.api/cost", body, **more)

    def post_document(self, content: bytes, job: str = "J004521", folder: str = "InfoTrack") -> requests.Response:
        body = (
            f"<Document><Job>{job}</Job><Title>A result</Title><Text>IT-71000123-D-1</Text><Folder>{folder}</Folder>"
            f"<Public>false</Public><FileName>result.pdf</FileName><Content>{base64.b64encode(content).decode()}</Content></Document>"
        )
        return self.call("POST", "job.api/document", body)

    def notes(self, job: str = "J004521") -> list[str]:
        """The notes of the costs that a read shows."""
        return [cost.findtext("Note", "") for cost in self.get(f"job.api/costs/{job}").iter("Cost")]


@dataclass
class Controls:
    """The controls' JSON interface."""

    url: str

    def get(self, path: str, **query: Any) -> Any:
        return self._done(requests.get(f"{self.url}/api/{path}", params=query))

    def post(self, path: str, **body: Any) -> Any:
        return self._done(requests.post(f"{self.url}/api/{path}", json=body))

    def delete(self, path: str) -> Any:
        return self._done(requests.delete(f"{self.url}/api/{path}"))

    def books(self, job: str = "") -> dict[str, Any]:
        """What stands in the main firm's books."""
        tenants = self.get("books", job=job)["tenants"]
        found: dict[str, Any] = next(each for each in tenants if each["tenant_id"] == w.MAIN_TENANT)
        return found

    @staticmethod
    def _done(answer: requests.Response) -> Any:
        assert answer.status_code < 300, answer.text
        return answer.json()


@dataclass
class Supplier:
    """InfoTrack as a program sees it."""

    box: Sandbox
    login: tuple[str, str] = (LOGINS[0].user, LOGINS[0].password)

    def mapping(self, **body: Any) -> requests.Response:
        whole = {"ClientReference": "J004521", "RetailerReference": "ICONNECT1_k7f3q2|xero-practice-manager|x", **body}
        return requests.post(f"{self.box.url('infotrack')}/v1/mapping", json=whole, auth=self.login)

    def feed(self, after: str = "", limit: int = 100) -> dict[str, Any]:
        query = {"limit": str(limit), **({"after": after} if after else {})}
        answer = requests.get(f"{self.box.url('infotrack')}/v1/messages", params=query, auth=self.login)
        assert answer.status_code == 200, answer.text
        result: dict[str, Any] = answer.json()
        return result

    def download(self, order_id: int, **more: Any) -> requests.Response:
        return requests.get(f"{self.box.url('infotrack')}/v1/order/download/{order_id}", auth=self.login, **more)
