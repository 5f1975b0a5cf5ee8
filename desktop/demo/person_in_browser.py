"""The demo's stand-in for a person with a browser: opens the sandbox's sign-in address, fills in its forms, allows access.

The program opens it as the system's browser (BROWSER names it), so that its real way of opening one is what runs. It talks to
this PC alone.
"""

from __future__ import annotations

import socket
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.client import HTTPConnection, HTTPResponse
from http.cookiejar import CookieJar
from urllib.parse import urlencode, urljoin, urlsplit
from urllib.request import HTTPCookieProcessor, HTTPHandler, ProxyHandler, Request, build_opener


@dataclass
class _Form:
    id: str
    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: dict[str, tuple[str, str]] = field(default_factory=dict)


class _Connection(HTTPConnection):
    """Browsers take `localhost` for this PC without asking anybody (RFC 6761), also where no hosts file names it."""

    def connect(self) -> None:
        host = "127.0.0.1" if self.host == "localhost" else self.host
        self.sock = socket.create_connection((host, self.port), self.timeout)


class _Handler(HTTPHandler):
    def http_open(self, req: Request) -> HTTPResponse:
        return self.do_open(_Connection, req)


class _Page(HTMLParser):
    """The forms of a page, and the text of the elements that have an id."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[_Form] = []
        self.texts: dict[str, str] = {}
        self._open: str = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(_Form(found.get("id", ""), found.get("action", "")))
        elif tag == "input" and self.forms and "name" in found:
            if found.get("type") != "checkbox" or "checked" in found:
                self.forms[-1].fields[found["name"]] = found.get("value", "")
        elif tag == "button" and self.forms:
            self.forms[-1].buttons[found.get("id", "")] = (found.get("name", ""), found.get("value", ""))
        elif "id" in found:
            self._open = found["id"]

    def handle_data(self, data: str) -> None:
        if self._open:
            self.texts[self._open] = self.texts.get(self._open, "") + data.strip()

    def handle_endtag(self, tag: str) -> None:
        self._open = ""


def sign_in(address: str, *, most_pages: int = 10) -> str:
    """Goes from page to page until one has no form left to answer; gives that page's host."""
    opener = build_opener(HTTPCookieProcessor(CookieJar()), ProxyHandler({}), _Handler())
    request = Request(address)  # noqa: S310  # checked by the caller
    for _ in range(most_pages):
        with opener.open(request, timeout=20) as answer:
            url, text = answer.geturl(), answer.read(1_000_000).decode("utf-8", "replace")
        page = _Page()
        page.feed(text)
        form = next((form for form in page.forms if form.id in ("sign-in-form", "two-factor-form", "consent-form")), None)
        if form is None:
            return str(urlsplit(url).netloc)
        if form.id == "two-factor-form":
            form.fields["code"] = page.texts.get("code-shown", "")
        if form.id == "consent-form":
            name, value = form.buttons["allow"]
            form.fields[name] = value
        request = Request(urljoin(url, form.action), data=urlencode(form.fields).encode())  # noqa: S310  # as above
    return ""


def main() -> int:
    address = sys.argv[1]
    if (urlsplit(address).hostname or "") not in ("127.0.0.1", "localhost", "::1"):
        print("This stand-in opens the sandbox's pages only.", file=sys.stderr)  # noqa: T201  # a program of its own
        return 2
    sign_in(address)
    return 0


if __name__ == "__main__":
    sys.exit(main())
