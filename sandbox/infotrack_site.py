"""InfoTrack's ordering site, on `localhost`; the one-time link lands on `127.0.0.1` and leads on, as between the vendor's hosts.

What a script or a robot finds on the pages (identifiers of elements); every page shows #matter, the matter's reference:
  home         #services, with a link #service-<code> for each service (codes in services.py); #all-orders; #price-list (new window)
  form         form #order-form: #client-reference (read only), #reference (filled in where the matter told enough), #continue
  confirm      table #fees; form #confirm-form: button #place-order, link #back
  placed       #order-number; links #see-order, #all-orders, #another
  order        #status; links #open-result (a new window), #download (a file), only when there is a result; the page reloads itself
  orders       table #orders with a row #order-<id> for each
  ended        titled "Session ended"; a used or old link: titled "Link no longer valid"
  /hostile     a page that tries what a page must not be able to do; what succeeded is told to the controls
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, g, redirect, render_template, request

from sandbox.clock import Clock
from sandbox.infotrack_api import Landing, Link, file_response
from sandbox.orders import Order, OrderDesk
from sandbox.services import SERVICES, Service, by_entry_point
from sandbox.switches import Switches

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

COOKIE = "sandbox_visit"
OPEN_PAGES = {
    "infotrack_site.landing_page",
    "infotrack_site.arrive",
    "infotrack_site.ended",
    "infotrack_site.hostile",
    "infotrack_site.hit",
}


def make_site(clock: Clock, switches: Switches, landing: Landing, desk: OrderDesk) -> Blueprint:
    """The pages. All but the landing, the session's end and the hostile page need the cookie that the landing gave."""
    pages = Blueprint("infotrack_site", __name__, template_folder="pages")

    def page(name: str, **values: Any) -> str:
        visit: Link | None = g.get("visit")
        matter = visit.body["ClientReference"] if visit else ""
        return render_template(name, brand="Search ordering", matter=matter, who=visit.login.name if visit else "", **values)

    def pass_on(kept: dict[str, Link], name: str) -> Link | None:
        """Takes a link or a hand-over: once, and not when it is old."""
        with landing.lock:
            link = kept.pop(name, None)
        return link if link is not None and clock.now() - link.issued <= switches.link_seconds else None

    @pages.before_request
    def signed_in() -> ResponseReturnValue | None:
        visit = landing.visits.get(request.cookies.get(COOKIE, ""))
        if visit is not None and clock.now() - visit.issued <= switches.session_seconds:
            g.visit = visit
            return None
        return None if request.endpoint in OPEN_PAGES else redirect("/session-ended")

    @pages.get("/landing")
    def landing_page() -> ResponseReturnValue:
        link = pass_on(landing.links, request.args.get("t", ""))
        if link is None:
            return page("used_link.html"), 410
        name = secrets.token_urlsafe(24)
        with landing.lock:
            landing.handovers[name] = link
        return redirect(f"{desk.site_url}/arrive?h={name}")

    @pages.get("/arrive")
    def arrive() -> ResponseReturnValue:
        link = pass_on(landing.handovers, request.args.get("h", ""))
        if link is None:
            return page("used_link.html"), 410
        name = secrets.token_urlsafe(24)
        link.issued = clock.now()
        with landing.lock:
            landing.visits[name] = link
        response = redirect("/" + str(link.body.get("EntryPoint") or "home").lstrip("/\\"))
        response.set_cookie(COOKIE, name, httponly=True, samesite="Lax")
        return response

    @pages.get("/session-ended")
    def ended() -> ResponseReturnValue:
        return page("session_ended.html")

    @pages.get("/sign-out")
    def sign_out() -> ResponseReturnValue:
        with landing.lock:
            landing.visits.pop(request.cookies.get(COOKIE, ""), None)
        response = redirect("/session-ended")
        response.delete_cookie(COOKIE)
        return response

    @pages.get("/")
    @pages.get("/home")
    def home() -> ResponseReturnValue:
        return page("services.html", services=SERVICES.values())

    @pages.get("/prices")
    def prices() -> ResponseReturnValue:
        return page("prices.html", services=SERVICES.values())

    @pages.get("/service/<code>")
    def form(code: str) -> ResponseReturnValue:
        return order_form(SERVICES[code]) if code in SERVICES else (page("services.html", services=SERVICES.values()), 404)

    def order_form(service: Service) -> str:
        return page("order_form.html", service=service, reference=_known(service, g.visit.body), wrong="")

    @pages.post("/service/<code>")
    def confirm(code: str) -> ResponseReturnValue:
        service, reference = SERVICES[code], request.form.get("reference", "").strip()
        if not reference:
            return page("order_form.html", service=service, reference="", wrong=f"{service.asks} is needed.")
        return page("confirm.html", service=service, reference=reference, form=secrets.token_urlsafe(16))

    @pages.post("/order/<code>")
    def place(code: str) -> ResponseReturnValue:
        link: Link = g.visit
        order = desk.place(
            SERVICES[code],
            login=link.login,
            client_reference=link.body["ClientReference"],
            retailer_reference=link.body["RetailerReference"],
            reference=request.form.get("reference", "")[:200],
            form=request.form.get("form", ""),
        )
        return redirect(f"/orders/{order.id}/placed")

    def mine(order_id: int) -> Order | None:
        return desk.orders.get(order_id)

    @pages.get("/orders")
    def orders() -> ResponseReturnValue:
        return page("orders.html", orders=sorted(desk.orders.values(), key=lambda order: -order.id))

    @pages.get("/orders/<int:order_id>/placed")
    def placed(order_id: int) -> ResponseReturnValue:
        order = mine(order_id)
        return page("placed.html", order=order) if order else redirect("/orders")

    @pages.get("/orders/<int:order_id>")
    def order_page(order_id: int) -> ResponseReturnValue:
        order = mine(order_id)
        return page("order.html", order=order) if order else redirect("/orders")

    @pages.get("/orders/<int:order_id>/view")
    @pages.get("/orders/<int:order_id>/file")
    def result(order_id: int) -> ResponseReturnValue:
        order = mine(order_id)
        if order is None or not order.marks:
            return Response("There is no result yet.", 404, content_type="text/plain")
        response = file_response(desk, order, "pdf")
        kind = "inline" if request.path.endswith("/view") else "attachment"
        response.headers.set("Content-Disposition", kind, filename=f"{order.description.replace('/', '_')}.pdf")
        return response

    @pages.get("/hostile")
    def hostile() -> ResponseReturnValue:
        return page("hostile.html")

    @pages.get("/hostile/hit")
    def hit() -> ResponseReturnValue:
        with landing.lock:
            landing.hostile.append(request.args.get("what", "")[:100])
        return "", 204

    @pages.get("/<path:entry>")
    def entry_point(entry: str) -> ResponseReturnValue:
        service = by_entry_point(entry)
        return order_form(service) if service else page("services.html", services=SERVICES.values())

    return pages


def _known(service: Service, body: dict[str, Any]) -> str:
    """What the matter told that this service asks for."""
    properties = [each for each in body.get("PropertyDetails", []) if isinstance(each, dict)]
    if service.asks.startswith("Company"):
        return next((str(each.get("Acn") or each.get("AcnOrAbn") or "") for each in body.get("Organisations", [])), "")
    if service.asks.startswith("Name"):
        person: dict[str, Any] = next(iter(body.get("Individuals", [])), {})
        return " ".join(str(person[name]) for name in ("GivenName", "Surname") if person.get(name))
    if service.asks == "Address":
        address: dict[str, Any] = next((each.get("PropertyAddress", {}) for each in properties), {})
        return " ".join(str(address[name]) for name in ("StreetNumber", "StreetName", "StreetType", "Suburb") if address.get(name))
    for each in properties:
        for plan in each.get("LotPlans", []):
            return str(plan.get("TitleReference") or f"{plan.get('Lot', '')}{plan.get('PlanType', '')}{plan.get('PlanNumber', '')}")
        for folio in each.get("VolumeFolios", []):
            return f"{folio.get('Volume', '')}/{folio.get('Folio', '')}"
    return ""
