"""InfoTrack's interface for programs: the mapping call, the message feed, and result files. HTTP Basic on each call."""

from __future__ import annotations

import secrets
import threading
import urllib.parse
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, jsonify, redirect, request

from sandbox.clock import Clock
from sandbox.mishaps import LOGIN_PAGE
from sandbox.orders import Login, Order, OrderDesk
from sandbox.outbox import Outbox
from sandbox.switches import Switches

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

TOP_LEVEL = frozenset(
    [
        "ClientReference",
        "RetailerReference",
        "EntryPoint",
        "State",
        "MatterType",
        "LawyerDetail",
        "PropertyDetails",
        "Individuals",
        "Organisations",
        "CourtDetails",
    ]
)
WORD_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@dataclass(slots=True)
class Link:
    """A one-time link and what is behind it."""

    login: Login
    body: dict[str, Any]
    issued: float


@dataclass(slots=True)
class Landing:
    """Links, the hand-overs between hosts, and the site's sign-ins, each by its random name."""

    logins: dict[str, Login]
    links: dict[str, Link] = field(default_factory=dict)
    handovers: dict[str, Link] = field(default_factory=dict)
    visits: dict[str, Link] = field(default_factory=dict)
    mappings: list[dict[str, Any]] = field(default_factory=list)
    strangers: list[dict[str, Any]] = field(default_factory=list)  # what the host outside InfoTrack was sent
    hostile: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def clear(self) -> None:
        """Everybody is signed out."""
        with self.lock:
            for kept in (self.links, self.handovers, self.visits):
                kept.clear()
            for told in (self.mappings, self.strangers, self.hostile):
                told.clear()


def make_api(clock: Clock, switches: Switches, landing: Landing, desk: OrderDesk, outbox: Outbox, elsewhere: str) -> Blueprint:
    """The calls under /v1. `elsewhere` is the address of a host that is not InfoTrack's."""
    pages = Blueprint("infotrack_api", __name__)

    def signed_in() -> Login | None:
        given = request.authorization
        if given is None or given.type != "basic":
            return None
        login = landing.logins.get(given.username or "")
        return login if login is not None and login.password == given.password else None

    def refused() -> Response:
        return Response("Authorization has been denied for this request.", 401, {"WWW-Authenticate": 'Basic realm="v1"'})

    @pages.post("/mapping")
    def mapping() -> ResponseReturnValue:
        login = signed_in()
        if login is None:
            return refused()
        body = request.get_json(silent=True)
        trouble = _trouble(body)
        if trouble or body is None:
            return Response(trouble, 400, content_type="text/plain; charset=utf-8")
        token = secrets.token_urlsafe(24)
        with landing.lock:
            landing.links[token] = Link(login, body, clock.now())
            landing.mappings.append({"user": login.user, "body": body, "unknown": sorted(set(body) - TOP_LEVEL), "at": clock.now()})
        url = f"{desk.api_url}/landing?t={token}"
        match switches.mapping_keys:
            case "camel":
                return jsonify({"token": token, "url": url})
            case "lower":
                return jsonify({"TOKEN": token, "URL": url})
            case "none":
                return jsonify({"Token": token})
        return jsonify({"Token": token, "Url": url})

    @pages.get("/messages")
    def messages() -> ResponseReturnValue:
        login = signed_in()
        if login is None or login.user == switches.feed_login:
            return refused()
        after, limit = request.args.get("after", "0"), request.args.get("limit", "100")
        if not after.isdigit() or not limit.isdigit() or int(limit) < 1:
            return Response("after and limit want numbers", 400, content_type="text/plain")
        rows, following = outbox.page(int(after), min(int(limit), 500))
        return jsonify({"messages": rows, "next": str(following)})

    @pages.get("/order/download/<int:order_id>")
    def download(order_id: int) -> ResponseReturnValue:
        if signed_in() is None:
            return refused()
        order = desk.orders.get(order_id)
        if order is None or not order.marks:
            return Response("There is no such file.", 404, content_type="text/plain")
        how = order.download or switches.download
        if how == "redirect":
            return redirect(f"{elsewhere}/files/{order_id}?{urllib.parse.urlencode({'name': 'result.pdf'})}")
        if how == "redirect_inside" and request.cookies.get("sandbox_file") != str(order_id):
            response = redirect(f"/v1/order/download/{order_id}?again=1")
            response.set_cookie("sandbox_file", str(order_id))
            return response
        return file_response(desk, order, how)

    return pages


def file_response(desk: OrderDesk, order: Order, how: str) -> Response:
    """The newest file of an order, whole or spoilt."""
    content = desk.file_of(order, as_word=how == "docx")
    match how:
        case "html":
            return Response(LOGIN_PAGE, 200, content_type="text/html; charset=utf-8")
        case "html_as_pdf":
            return Response(LOGIN_PAGE, 200, content_type="application/pdf")
        case "empty":
            return Response(b"", 200, content_type="application/pdf")
        case "truncated":  # the length is honest, the file is not whole
            return Response(content[: len(content) // 2], 200, content_type="application/pdf")
        case "docx":
            return Response(content, 200, content_type=WORD_TYPE)
        case "octet":
            return Response(content, 200, content_type="application/octet-stream")
        case "missing":
            return Response("The file is not there yet.", 404, content_type="text/plain")
    return Response(content, 200, content_type="application/pdf")


def make_elsewhere(desk: OrderDesk, landing: Landing) -> Blueprint:
    """A host that is not InfoTrack's, to which a download may lead. It notes whether it was sent what it must not see."""
    pages = Blueprint("elsewhere", __name__)

    @pages.get("/files/<int:order_id>")
    def stored(order_id: int) -> ResponseReturnValue:
        seen = {"order_id": order_id, "authorization": "Authorization" in request.headers, "cookie": "Cookie" in request.headers}
        with landing.lock:
            landing.strangers.append(seen)
        order = desk.orders.get(order_id)
        return file_response(desk, order, "pdf") if order is not None else Response("not found", 404)

    return pages


def _trouble(body: object) -> str:
    """Why a mapping is refused, as a sentence for a person; empty if it is not."""
    if not isinstance(body, dict):
        return "The request is not a JSON object."
    for name in ("ClientReference", "RetailerReference"):
        if not isinstance(body.get(name), str) or not body[name]:
            return f"{name} is required."
    if len(body["RetailerReference"]) > 200:
        return "RetailerReference is too long."
    return _wrong_leaf(body, "")


def _wrong_leaf(value: object, where: str) -> str:
    if isinstance(value, dict):
        return next((found for name, inner in value.items() if (found := _wrong_leaf(inner, f"{where}/{name}"))), "")
    if isinstance(value, list):
        return next((found for inner in value if (found := _wrong_leaf(inner, where))), "")
    return "" if isinstance(value, str) else f"{where.strip('/')} must be text."
