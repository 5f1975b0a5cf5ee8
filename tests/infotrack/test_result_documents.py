"""Result files: where the login goes, and what counts as a file."""

from __future__ import annotations

import io
import logging
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from desktop.services.desk import ConnectionState
from desktop.services.errors import AnswerLost, BadAnswer, NotSent, Refused, SignedOut, Wait
from desktop.services.http import Http
from desktop.services.infotrack import proof
from desktop.services.infotrack.cookies import Cookies
from desktop.services.infotrack.credentials import Credentials
from desktop.services.infotrack.documents import Documents
from desktop.services.infotrack.trusted import Trusted
from tests.infotrack.scripted_server import KeptSecrets, Reply, Request, ScriptedServer, our_log

PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\n" + b"x" * 9000 + b"\nstartxref\n9\n%%EOF\n"
GOOD = Reply(200, PDF, "application/pdf")


def archive(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as zipped:
        for name in names:
            # With no date of its own it would take today's, and each test process would name its tests otherwise.
            zipped.writestr(zipfile.ZipInfo(name), "content" * 50)
    return file.getvalue()


class World:
    """InfoTrack is 127.0.0.1 here; `localhost` plays a host that is somebody else's."""

    def __init__(self, folder: Path) -> None:
        self.answer: Callable[[Request], Reply] = lambda _request: GOOD
        self.foreign_answer: Callable[[Request], Reply] = lambda _request: GOOD
        self.server = ScriptedServer(lambda request: self.answer(request))
        self.foreign = ScriptedServer(lambda request: self.foreign_answer(request), host="localhost")
        self.credentials = Credentials(folder / "infotrack.json", KeptSecrets())
        self.credentials.keep("clerk", "password")
        self.trusted = Trusted(("127.0.0.1", "infotrack.com.au"), f"{self.server.url}/v1/")
        self.documents = Documents(Http(), self.credentials, self.trusted, cap=1_000_000)
        self.url = f"{self.server.url}/v1/order/download/71000123"

    def always(self, reply: Reply) -> None:
        self.answer = lambda _request: reply


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    with ExitStack() as stack:
        stack.enter_context(world.server)
        stack.enter_context(world.foreign)
        yield world


def redirect(to: str, status: int = 302, cookie: str = "") -> Reply:
    return Reply(status, headers=[("Location", to), *([("Set-Cookie", cookie)] if cookie else [])])


def test_a_file_is_fetched_with_the_login(world: World) -> None:
    found = world.documents.fetch(world.url)
    assert (found.content, found.extension, found.content_type) == (PDF, ".pdf", "application/pdf")
    assert world.server.requests[0].headers["authorization"] == "Basic Y2xlcms6cGFzc3dvcmQ="


def test_an_address_without_a_host_belongs_to_the_api(world: World) -> None:
    world.documents.fetch("/v1/order/download/5")
    assert world.server.requests[0].path == "/v1/order/download/5"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed_with_cookies_and_login(world: World, status: int) -> None:
    world.answer = lambda request: GOOD if request.path == "/file" else redirect("/file", status, "s=abc; Path=/; HttpOnly")
    assert world.documents.fetch(world.url).content == PDF
    last = world.server.requests[-1].headers
    assert (last["cookie"], "authorization" in last) == ("s=abc", True)


def test_cookies_end_with_the_exchange(world: World) -> None:
    world.answer = lambda request: GOOD if request.path == "/file" else redirect("/file", cookie="s=abc; Path=/")
    world.documents.fetch(world.url)
    world.documents.fetch(f"{world.server.url}/file")
    assert "cookie" not in world.server.requests[-1].headers


def test_the_login_never_follows_to_another_host(world: World) -> None:
    world.always(redirect(f"{world.foreign.url}/blob", cookie="s=abc"))
    assert world.documents.fetch(world.url).content == PDF
    (request,) = world.foreign.requests
    assert "authorization" not in request.headers
    assert "cookie" not in request.headers


def test_the_login_does_not_follow_to_another_port_of_this_pc(world: World) -> None:
    with ScriptedServer(lambda _request: GOOD) as other:
        world.always(redirect(f"{other.url}/blob"))
        world.documents.fetch(world.url)
        assert "authorization" not in other.requests[0].headers


def test_an_address_on_a_foreign_host_gets_no_login_at_all(world: World) -> None:
    assert world.documents.fetch(f"{world.foreign.url}/file").content == PDF
    assert "authorization" not in world.foreign.requests[0].headers


def test_a_foreign_host_that_asks_for_a_login_gets_none_and_ours_stays_good(world: World) -> None:
    world.foreign_answer = lambda _request: Reply(401, headers=[("WWW-Authenticate", "Basic realm=x")])
    with pytest.raises(BadAnswer):
        world.documents.fetch(f"{world.foreign.url}/file")
    assert world.credentials.state().state is ConnectionState.CONNECTED
    assert len(world.foreign.requests) == 1


def test_a_way_back_from_a_foreign_host_is_given_the_login_by_its_own_right_only_over_https(world: World) -> None:
    world.answer = lambda request: GOOD if request.path == "/back" else redirect(f"{world.foreign.url}/")
    world.foreign_answer = lambda _request: redirect(f"{world.server.url}/back")
    world.documents.fetch(world.url)
    assert "authorization" not in world.server.requests[-1].headers


def test_a_rejected_login_is_used_once_and_no_more(world: World) -> None:
    world.always(Reply(401))
    for _ in range(3):
        with pytest.raises(SignedOut):
            world.documents.fetch(world.url)
    assert len(world.server.requests) == 1
    assert world.credentials.state().state is ConnectionState.ATTENTION


@pytest.mark.parametrize(
    "address",
    [
        "http://infotrack.com.au/file", "ftp://infotrack.com.au/file", "file:///etc/passwd", "https://user@infotrack.com.au/",
        "https://evil.example\\@infotrack.com.au/", "https://infotrack.com.au /x", "https:///x", "https://[::1", "https://x:99999/",
        "https://infotrack.com.aü/x", "https://infotrack.com.au\u3002evil.example/",
    ],
)  # fmt: skip
def test_an_address_that_is_not_safe_is_not_asked(world: World, address: str) -> None:
    with pytest.raises(BadAnswer, match="not one that may be asked"):
        world.documents.fetch(address)
    if " " not in address and "\u3002" not in address:
        # A header holds neither.
        world.always(redirect(address))
        with pytest.raises(BadAnswer):
            world.documents.fetch(world.url)


def test_a_message_can_not_make_a_real_installation_ask_this_pcs_own_services() -> None:
    real = Trusted(("infotrack.com.au",), "https://api.infotrack.com.au/v1/")
    assert not real.reachable("http://127.0.0.1:28761/callback")
    assert not real.reachable("https://localhost/")
    assert real.reachable("https://files.example/blob")
    assert not real.login("https://files.example/blob")


@pytest.mark.parametrize(
    ("url", "page", "login"),
    [
        ("https://infotrack.com.au/", True, True),
        ("https://search.infotrack.com.au:8443/x", True, True),
        ("https://SEARCH.InfoTrack.com.au./x", True, True),
        ("http://search.infotrack.com.au/", False, False),
        ("https://evilinfotrack.com.au/", False, False),
        ("https://infotrack.com.au.evil.example/", False, False),
        ("https://evil.example/?infotrack.com.au", False, False),
        ("https://evil.example#@infotrack.com.au", False, False),
        ("https://infotrack.com.au@evil.example/", False, False),
        ("https://infotrack.com.au\t.evil.example/", False, False),
        ("javascript:alert(1)", False, False),
        ("https://127.0.0.1/", False, False),
        ("http://127.0.0.1:5001/x", True, True),
        ("http://127.0.0.1:5002/x", False, False),
        ("http://localhost:7000/v1/mapping", False, True),
        ("http://localhost:7001/v1/mapping", False, False),
        ("", False, False),
    ],
)
def test_which_addresses_are_infotracks(url: str, page: bool, login: bool) -> None:
    trusted = Trusted(("infotrack.com.au", "127.0.0.1:5001"), "http://localhost:7000/v1/")
    assert (trusted.page(url), trusted.login(url)) == (page, login)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(200, b"", "application/pdf"), BadAnswer),
        (Reply(204, b"", ""), BadAnswer),
        (Reply(202, b"", ""), BadAnswer),
        (Reply(206, PDF, "application/pdf"), BadAnswer),
        (Reply(404, b"Not found", "text/plain"), Refused),
        (Reply(403, b"", "text/plain"), Refused),
        (Reply(410, b"", ""), Refused),
        (Reply(500, b"", ""), AnswerLost),
        (Reply(504, b"", ""), AnswerLost),
        (Reply(408, b"", ""), AnswerLost),
        (Reply(429, b"", "", headers=[("Retry-After", "9")]), Wait),
        (Reply(503, b"", ""), Wait),
        (Reply(302, b"", ""), BadAnswer),
        (replace(GOOD, cut=5000), AnswerLost),
        (Reply(200, PDF[:5000], "application/pdf", length=False), BadAnswer),
        (Reply(200, b"%PDF-1.4 short and cut", "application/pdf", length=False), BadAnswer),
        (Reply(200, b"%PDF-" + b"x" * 1_100_000, "application/pdf"), BadAnswer),
        (Reply(200, b"<!DOCTYPE html><form><input type=password></form>", "text/html"), BadAnswer),
        (Reply(200, b"\xef\xbb\xbf <html><title>Login</title></html>", "application/pdf"), BadAnswer),
        (Reply(200, b'{"Message": "Error"}', "application/json"), BadAnswer),
        (Reply(200, b"plain words", "application/octet-stream"), BadAnswer),
        (Reply(200, archive("a.txt")[:-30], "application/zip"), BadAnswer),
        (Reply(200, b"\x00" * 500, "application/pdf"), BadAnswer),
    ],
    ids=lambda value: f"{value.status} {value.body[:14]!r}" if isinstance(value, Reply) else value.__name__,
)
def test_what_is_not_the_file_has_a_typed_reason(world: World, reply: Reply, error: type[Exception]) -> None:
    """D3: each class of answer to a download has its meaning; none of them is filed as a document."""
    world.always(reply)
    with pytest.raises(error) as raised:
        world.documents.fetch(world.url)
    assert str(raised.value).endswith(".")
    if error is Wait and reply.headers:
        assert isinstance(raised.value, Wait)
        assert raised.value.after == timedelta(seconds=9)


def test_a_sign_in_page_is_called_one_and_the_login_is_not_blamed(world: World) -> None:
    world.always(Reply(200, b"<html><form><input type='password'></form></html>", "text/html"))
    with pytest.raises(BadAnswer, match="sign-in page"):
        world.documents.fetch(world.url)
    assert world.credentials.state().state is ConnectionState.CONNECTED


def test_endless_redirects_end(world: World) -> None:
    world.always(redirect("/again"))
    with pytest.raises(BadAnswer, match="too often"):
        world.documents.fetch(world.url)
    assert len(world.server.requests) == 6


def test_a_server_that_is_not_there_was_sent_nothing(world: World) -> None:
    """D3: refused."""
    with ScriptedServer(lambda _request: GOOD) as gone:
        url = gone.url
    with pytest.raises(NotSent):
        world.documents.fetch(url)


@pytest.mark.parametrize(
    ("content", "kind", "extension"),
    [
        (PDF, "application/octet-stream", ".pdf"),
        (PDF, "text/html", ".pdf"),
        (b"junk before\n" + PDF + b"\x00\x00\r\n", "application/pdf; charset=binary", ".pdf"),
        (b"%PDF-1.4 a short one", "application/pdf", ".pdf"),
        (archive("[Content_Types].xml", "word/document.xml"), "application/octet-stream", ".docx"),
        (archive("[Content_Types].xml", "xl/workbook.xml"), "", ".xlsx"),
        (archive("a.pdf", "word/x"), "application/zip", ".zip"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, "application/msword", ".doc"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, "application/vnd.ms-excel", ".xls"),
        (b"{\\rtf1 text}", "application/rtf", ".rtf"),
        (b"II*\x00....", "image/tiff", ".tif"),
        (b"MM\x00*....", "image/tiff", ".tif"),
        (b"\x89PNG\r\n\x1a\n....", "image/png", ".png"),
        (b"\xff\xd8\xff\xe0....", "image/jpeg", ".jpg"),
        (b"a,b\r\n1,2\r\n", "text/csv", ".csv"),
        (b"some words", "text/plain; charset=utf-8", ".txt"),
    ],
)
def test_the_extension_comes_from_the_bytes(content: bytes, kind: str, extension: str) -> None:
    """G6: neither an address nor a header chooses the type of the file that is kept."""
    assert proof.extension(content, kind, length_proved=True) == extension


def test_a_large_pdf_without_its_end_is_incomplete_even_when_the_length_is_right() -> None:
    with pytest.raises(BadAnswer, match="incomplete"):
        proof.extension(PDF[:6000], "application/pdf", length_proved=True)


def test_logs_hold_no_address_of_a_file(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """J1"""
    caplog.set_level(logging.DEBUG)
    world.answer = lambda request: GOOD if "signed" in request.path else redirect("/file?signed=canary", cookie="s=canary")
    world.documents.fetch(world.url + "?canary=1")
    world.always(Reply(404, b"see https://canary.example/?t=canary", "text/plain"))
    with pytest.raises(Refused) as raised:
        world.documents.fetch(world.url + "?canary=1")
    assert "canary" not in our_log(caplog) + str(raised.value)


def test_cookies_go_only_where_they_belong() -> None:
    jar = Cookies(("infotrack.com.au",))
    here = "https://api.infotrack.com.au/v1/x"
    jar.learn(here, "own=1, shared=2; Domain=.infotrack.com.au; Expires=Wed, 09 Jun 2100 10:18:14 GMT; Path=/, deep=3; Path=/v1")
    jar.learn(here, "stolen=4; Domain=example.com")
    jar.learn(here, "wide=5; Domain=com.au")
    jar.learn(here, "safe=6; Secure")
    assert jar.header(here) == "own=1; shared=2; deep=3; safe=6"
    assert jar.header("https://api.infotrack.com.au/v2") == "own=1; shared=2; safe=6"
    assert jar.header("http://api.infotrack.com.au/v2") == "own=1; shared=2"
    assert jar.header("https://files.infotrack.com.au/") == "shared=2"
    assert jar.header("https://example.com/") == ""
    jar.learn(here, "own=; Max-Age=0")
    assert "own" not in jar.header(here)


def test_a_cookie_can_not_break_a_header() -> None:
    jar = Cookies()
    jar.learn("https://a.example/", "a=b\r\nX-Evil: 1")
    jar.learn("https://a.example/", "no value, =, b=ü")
    assert jar.header("https://a.example/") == ""


def test_one_message_s_address_can_not_end_the_login_for_every_order(world: World) -> None:
    world.trusted = replace(world.trusted, api_url="https://api.infotrack.com.au/v1/")
    documents = Documents(Http(), world.credentials, world.trusted, cap=1_000_000)
    world.always(Reply(401))
    with pytest.raises(Refused, match="did not accept"):
        documents.fetch(world.url)
    assert world.credentials.state().state is ConnectionState.CONNECTED
