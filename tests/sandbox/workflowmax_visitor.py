"""A person who signs in to the WorkflowMax stand-in, and the app that calls its interfaces."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit
from xml.etree.ElementTree import Element

import requests

from sandbox import world as w
from sandbox.house import Sandbox
from sandbox.workflowmax import CLIENT_ID, CLIENT_SECRET
from sandbox.workflowmax_books import MAIN_ORGANISATION
from tests.sandbox.visitors import Controls, parse

SCOPES = "openid profile email workflowmax offline_access"


@dataclass
class Person:
    """A person with a browser."""

    box: Sandbox
    browser: requests.Session = field(default_factory=requests.Session)

    @property
    def redirect_uri(self) -> str:
        return f"http://localhost:{self.box.workflowmax_port}/callback"

    def address(self, **changes: str) -> str:
        values = {
            "response_type": "code",
            "client_id": CLIENT_ID,
            "redirect_uri": self.redirect_uri,
            "scope": SCOPES,
            "state": "some-state",
            "prompt": "consent",
            **changes,
        }
        wanted = {name: value for name, value in values.items() if value}
        return f"{self.box.url('workflowmax-identity')}/oauth/authorize?{urlencode(wanted)}"

    def to_consent(self, person: str = w.DEMO_PERSON, **changes: str) -> tuple[str, str]:
        """Signs in; the consent page's address and text."""
        address = self.address(**changes)
        page = self.browser.get(address).text
        if "sign-in-form" in page:
            page = self.browser.post(address, data={"step": "sign-in", "user": person, "password": w.PASSWORD}).text
        return address, page

    def answer(self, answer: str, organisations: tuple[str, ...], person: str, **changes: str) -> dict[str, str]:
        """What comes back in the redirect."""
        address, _page = self.to_consent(person, **changes)
        form = {"step": "consent", "answer": answer, "tenant": organisations}
        return came_back(self.browser.post(address, data=form, allow_redirects=False))

    def allow(
        self, organisations: tuple[str, ...] = (MAIN_ORGANISATION,), person: str = w.DEMO_PERSON, **changes: str
    ) -> dict[str, str]:
        """Consents; what comes back in the redirect."""
        return self.answer("allow", organisations, person, **changes)

    def token(self, values: dict[str, str], **more: Any) -> requests.Response:
        """The token endpoint, with the credentials in the body."""
        body = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, **values}
        return requests.post(f"{self.box.url('workflowmax-identity')}/oauth/token", data=body, **more)

    def exchange(self, code: str, **changes: str) -> requests.Response:
        """The code for tokens."""
        return self.token({"grant_type": "authorization_code", "code": code, "redirect_uri": self.redirect_uri, **changes})

    def refresh(self, token: str) -> requests.Response:
        """A refresh token for a new pair."""
        return self.token({"grant_type": "refresh_token", "refresh_token": token})

    def tokens(self, **more: Any) -> dict[str, Any]:
        """Signs in and exchanges."""
        answer = self.exchange(self.allow(**more)["code"])
        assert answer.status_code == 200, answer.text
        result: dict[str, Any] = answer.json()
        return result


def came_back(answer: requests.Response) -> dict[str, str]:
    """The query of a redirect."""
    assert answer.status_code == 302, answer.text
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def claims(token: str) -> dict[str, Any]:
    """What an access token says."""
    part = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


@dataclass
class App:
    """Calls with a token that was got by signing in."""

    box: Sandbox
    token: str
    headers: dict[str, str] = field(default_factory=lambda: {"account-id": MAIN_ORGANISATION})

    def call(self, method: str, path: str, **more: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}", **self.headers, **more.pop("headers", {})}
        return requests.request(method, f"{self.box.url('workflowmax')}/{path}", headers=headers, **more)

    def xml(self, path: str) -> Element:
        answer = self.call("GET", path)
        assert answer.status_code == 200, answer.text
        return parse(answer.content)

    def json(self, path: str, **query: Any) -> Any:
        answer = self.call("GET", path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def uuid(self, number: str = "J004521") -> str:
        return str(self.json(f"v2/jobs/{quote(number, safe='')}")["uuid"])

    def post_v1(
        self, note: str, job: str = "J004521", amount: str = "12.50", code: str = "DISB-GST", date: str = "20260512"
    ) -> requests.Response:
        body = (
            f"<Cost><Job>{job}</Job><Date>{date}</Date><Description>A fee</Description><Code>{code}</Code><Note>{note}</Note>"
            f"<Quantity>1</Quantity><UnitCost>{amount}</UnitCost><UnitPrice>{amount}</UnitPrice><Billable>true</Billable></Cost>"
        )
        return self.call("POST", "job.api/cost", data=body.encode(), headers={"Content-Type": "application/xml"})

    def post_v2(self, note: str, job: str = "J004521", **changes: Any) -> requests.Response:
        body = {
            "costName": "A fee",
            "date": "2026-05-12",
            "actual": True,
            "type": "Service",
            "quantity": 1,
            "unitCost": 12.5,
            "unitPrice": 18.5,
            "billable": True,
            "note": note,
            **changes,
        }
        return self.call("POST", f"v2/jobs/{quote(job, safe='')}/costs", json=body)

    def notes_v1(self, job: str = "J004521") -> list[str]:
        return [cost.findtext("Note", "") for cost in self.xml(f"job.api/costs/{job}").iter("Cost")]

    def notes_v2(self, job: str = "J004521") -> list[str]:
        return [row["note"] for row in self.json(f"v2/jobs/{self.uuid(job)}/costs")["data"] if row["actual"]]


def books(controls: Controls, job: str = "") -> dict[str, Any]:
    [found] = controls.get("books", job=job, tenant=MAIN_ORGANISATION)["tenants"]
    assert found["system"] == "workflowmax"
    return dict(found)


def verdict(answer: requests.Response) -> str:
    """`OK`, or the sentence of the error."""
    root = parse(answer.content)
    return root.findtext("ErrorDescription", "") or root.findtext("Status", "")
