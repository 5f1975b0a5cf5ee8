"""The controls: a page for people and a JSON interface under /api/ for scripts. README.md has the table."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, jsonify, redirect, render_template, request

from sandbox.faults import NAMES
from sandbox.identity_store import IdentityStore
from sandbox.infotrack_api import Landing
from sandbox.neighbour import AnyFirm, Neighbour
from sandbox.order_messages import Field
from sandbox.orders import Login, Order, OrderDesk
from sandbox.outbox import Outbox
from sandbox.services import SERVICES
from sandbox.world import World

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

FEE_NAMES = {"retailer_fee": "retailer", "retailer_gst": "retailer_gst", "supplier_fee": "supplier", "supplier_gst": "supplier_gst"}


class BadRequest(Exception):
    """What was asked makes no sense; the text says why."""


def make_controls(
    world: World, desk: OrderDesk, outbox: Outbox, landing: Landing, describe: Callable[[], dict[str, object]], pages: str
) -> Flask:
    """The application of the controls. `describe` gives the addresses; `pages` is the folder that holds the pages' folder."""
    app = Flask("sandbox.controls", static_folder=None, template_folder="pages", root_path=pages)

    @app.errorhandler(BadRequest)
    def bad_request(problem: BadRequest) -> ResponseReturnValue:
        return jsonify(error=str(problem)), 400

    @app.errorhandler(ValueError)
    def bad_value(problem: ValueError) -> ResponseReturnValue:
        return jsonify(error=str(problem)), 400

    _books(app, world)
    _orders(app, world, desk, landing)
    _weather(app, world, desk, outbox, landing)

    @app.get("/")
    def page() -> ResponseReturnValue:
        return render_template(
            "controls.html",
            brand="Sandbox controls",
            where=describe(),
            switches=world.switches.as_json(),
            faults=world.faults.all(),
            names=NAMES,
            orders=sorted(desk.orders.values(), key=lambda order: -order.id),
            services=SERVICES.values(),
            firms=world.books(),
            calls=world.calls.as_json(last=0),
            limits=world.limits.as_json(),
        )

    @app.get("/api/where")
    def where() -> ResponseReturnValue:
        return jsonify(describe())

    @app.post("/form/<path:what>")
    def form(what: str) -> ResponseReturnValue:
        """What the page's buttons do: the form's fields as JSON to the interface, then back to the page."""
        values: dict[str, Any] = {}
        for name, text in request.form.items():
            values[name] = _guess(text, world.switches.as_json().get(name) if what == "switches" else None)
        with app.test_client() as client:
            answer = client.post(f"/api/{what}", json={name: value for name, value in values.items() if value != ""})
        return (
            redirect("/")
            if answer.status_code < 400
            else Response(answer.get_data(as_text=True), answer.status_code, content_type="text/plain")
        )

    return app


def _books(app: Flask, world: World) -> None:
    @app.get("/api/books")
    def books() -> ResponseReturnValue:
        wanted = {name: request.args.get(name, "") for name in ("job", "tenant", "system")}
        return jsonify(tenants=world.books(**wanted))

    @app.get("/api/documents/<sha256>")
    def document(sha256: str) -> ResponseReturnValue:
        for firm in world.all_firms():
            if sha256 in firm.contents:
                return Response(firm.contents[sha256], content_type="application/octet-stream")
        return jsonify(error="there is no such document"), 404

    @app.get("/api/jobs")
    def jobs() -> ResponseReturnValue:
        firm = _firm(world)
        return jsonify(firm.rows(int(request.args.get("limit", "100"))))

    @app.post("/api/jobs/<path:number>/<any(close,open,refuse,accept):what>")
    def change(number: str, what: str) -> ResponseReturnValue:
        stands = _firm(world).work(number, what, world.clock.utc())
        if stands is None:
            raise BadRequest(f"there is no job {number}")
        return jsonify(stands)

    @app.post("/api/costs/<uuid>/note")
    def note(uuid: str) -> ResponseReturnValue:
        """What staff do: words added around a note, or the whole note replaced."""
        text = str(_body().get("note", ""))
        for firm in world.all_firms():
            if firm.change_cost(uuid, {"note": text}) is not None:
                return jsonify(note=text)
        raise BadRequest("there is no such cost")

    @app.delete("/api/costs/<uuid>")
    def remove(uuid: str) -> ResponseReturnValue:
        """What a person does by hand in the vendor's own screens."""
        for firm in world.all_firms():
            if firm.remove_cost(uuid):
                return jsonify(removed=uuid)
        raise BadRequest("there is no such cost")

    @app.post("/api/staff/privilege")
    def privilege() -> ResponseReturnValue:
        body = _body()
        tenant = str(body.get("tenant") or world.main_tenant(str(body.get("system", ""))))
        if not world.set_privilege(tenant, str(body.get("email", "")), bool(body.get("allowed", True))):
            raise BadRequest("there is no such member of staff")
        return jsonify(email=body.get("email"), allowed=bool(body.get("allowed", True)))

    def _firm(world: World) -> AnyFirm:
        firm = world.firm(request.args.get("tenant") or world.main_tenant(request.args.get("system", "")))
        if firm is None:
            raise BadRequest("there is no such tenant")
        return firm


def _orders(app: Flask, world: World, desk: OrderDesk, landing: Landing) -> None:
    @app.get("/api/orders")
    def orders() -> ResponseReturnValue:
        return jsonify(orders=[_order_json(desk, order) for order in list(desk.orders.values())])

    @app.post("/api/orders")
    def place() -> ResponseReturnValue:
        body = _body()
        service = SERVICES.get(str(body.get("service", "qld-title")))
        if service is None:
            raise BadRequest(f"there is no service {body.get('service')!r}; there are {', '.join(SERVICES)}")
        matter = str(body.get("matter", ""))
        delay = body.get("delay")
        order = desk.place(
            service,
            login=_login(landing, str(body.get("user", ""))),
            client_reference=str(body.get("client_reference", matter)),
            retailer_reference=str(body.get("retailer_reference", "")),
            reference=str(body.get("reference", service.example)),
            parent_id=int(body.get("parent_id", 0)),
            delay=None if delay is None else float(delay),
            fees=service.fees.with_changes(_amounts(body)),
            removed=tuple(body.get("without", ())),
        )
        order.download = str(body.get("download", ""))
        return jsonify(_order_json(desk, order)), 201

    def find(order_id: int) -> Order:
        order = desk.orders.get(order_id)
        if order is None:
            raise BadRequest(f"there is no order {order_id}")
        return order

    @app.post("/api/orders/<int:order_id>/price")
    def price(order_id: int) -> ResponseReturnValue:
        order, body = find(order_id), _body()
        desk.change_price(order, _amounts(body), send=bool(body.get("send", True)))
        return jsonify(_order_json(desk, order))

    @app.post("/api/orders/<int:order_id>/refund")
    def refund(order_id: int) -> ResponseReturnValue:
        kind = str(_body().get("kind", "same"))
        if kind not in ("same", "new"):
            raise BadRequest('kind is "same" (the order with no fees) or "new" (a new order with negative fees)')
        return jsonify(_order_json(desk, desk.refund(find(order_id), as_new_order=kind == "new")))

    @app.post("/api/orders/<int:order_id>/version")
    def version(order_id: int) -> ResponseReturnValue:
        order = find(order_id)
        desk.new_version(order)
        return jsonify(_order_json(desk, order))

    @app.post("/api/orders/<int:order_id>/download")
    def download(order_id: int) -> ResponseReturnValue:
        order = find(order_id)
        order.download = str(_body().get("how", ""))
        return jsonify(_order_json(desk, order))

    @app.post("/api/orders/<int:order_id>/children")
    def children(order_id: int) -> ResponseReturnValue:
        parent, body = find(order_id), _body()
        made = [
            desk.place(
                SERVICES[str(body.get("service", "qld-title"))],
                login=parent.ordered_by,
                client_reference=parent.client_reference,
                retailer_reference=parent.retailer_reference,
                reference=f"{parent.reference}/{number}",
                parent_id=parent.id,
                delay=0,
            )
            for number in range(1, int(body.get("count", 1)) + 1)
        ]
        return jsonify(orders=[_order_json(desk, order) for order in made]), 201

    @app.post("/api/orders/<int:order_id>/message")
    def message(order_id: int) -> ResponseReturnValue:
        """Sends again what `repeat` names ("first", "last", "all"), or a new message with other `fields` and less `without`."""
        order, body = find(order_id), _body()
        sent = [each for each in desk.messages if each.order_id == order_id]
        if "repeat" in body:
            which = {"first": sent[:1], "last": sent[-1:], "all": sent}.get(str(body["repeat"]))
            if which is None:
                raise BadRequest('repeat is "first", "last" or "all"')
            for each in which:
                desk.repeat(each)
            return jsonify(sent=len(which))
        fields: dict[str, Field] = {**desk.fields_of(order), **body.get("fields", {})}
        for name in body.get("without", ()):
            fields.pop(name, None)
        return jsonify(sequence=desk.send(order, fields).sequence, sent=1)

    @app.get("/api/messages")
    def messages() -> ResponseReturnValue:
        rows = [{"sequence": m.sequence, "order_id": m.order_id, "at": m.at, "fields": m.fields} for m in list(desk.messages)]
        return Response(_plain(rows), content_type="application/json")

    @app.get("/api/mappings")
    def mappings() -> ResponseReturnValue:
        return jsonify(landing.mappings)


def _weather(app: Flask, world: World, desk: OrderDesk, outbox: Outbox, landing: Landing) -> None:
    """Faults, limits, switches, clock, tokens, counts, and starting anew."""

    @app.get("/api/faults")
    def faults() -> ResponseReturnValue:
        return jsonify(faults=[fault.as_json() for fault in world.faults.all()], names=NAMES)

    @app.post("/api/faults")
    def add_fault() -> ResponseReturnValue:
        return jsonify(world.faults.add(_body()).as_json()), 201

    @app.delete("/api/faults")
    def remove_faults() -> ResponseReturnValue:
        wanted = request.args.get("id")
        return jsonify(removed=world.faults.remove(int(wanted) if wanted else None))

    @app.post("/api/faults/clear")
    def clear_faults() -> ResponseReturnValue:
        return jsonify(removed=world.faults.remove())

    @app.route("/api/limits", methods=["GET", "POST"])
    def limits() -> ResponseReturnValue:
        if request.method == "POST":
            world.limits.change(_body())
        return jsonify(world.limits.as_json())

    @app.route("/api/switches", methods=["GET", "POST"])
    def switches() -> ResponseReturnValue:
        if request.method == "POST":
            world.switches.change(_body())
        return jsonify(world.switches.as_json())

    @app.route("/api/calls", methods=["GET", "DELETE"])
    def calls() -> ResponseReturnValue:
        if request.method == "DELETE":
            world.calls.clear()
        return jsonify(world.calls.as_json(int(request.args.get("last", "100"))))

    @app.post("/api/clock")
    def clock() -> ResponseReturnValue:
        world.clock.advance(float(_body().get("advance", 0)))
        return jsonify(now=world.clock.utc().isoformat())

    @app.post("/api/tokens/<any(expire,revoke):what>")
    def tokens(what: str) -> ResponseReturnValue:
        places: list[IdentityStore | Neighbour] = [world.identity, *world.neighbours]
        return jsonify(count=sum(place.expire_access() if what == "expire" else place.revoke_all() for place in places))

    @app.post("/api/redirects")
    def redirects() -> ResponseReturnValue:
        world.register_redirects([str(each) for each in _body().get("add", ())])
        known = {app_id: registered.redirects for app_id, registered in world.identity.apps.items()}
        for neighbour in world.neighbours:
            known |= neighbour.registered()
        return jsonify(known)

    @app.get("/api/connections")
    def connections() -> ResponseReturnValue:
        rows = [
            {"id": c.id, "tenant_id": c.tenant.id, "kind": c.tenant.kind, "person": c.person.email}
            for c in world.identity.connections
        ]
        return jsonify(connections=rows)

    @app.get("/api/strangers")
    def strangers() -> ResponseReturnValue:
        return jsonify(requests=landing.strangers)

    @app.get("/api/hostile")
    def hostile() -> ResponseReturnValue:
        return jsonify(worked=landing.hostile)

    @app.get("/api/pending")
    def pending() -> ResponseReturnValue:
        return jsonify(pending=world.agenda.pending(), feed=outbox.length())

    @app.post("/api/reset")
    def reset() -> ResponseReturnValue:
        body = _body()
        world.reset(body.get("matters"), body.get("seed"))
        desk.clear()
        outbox.clear()
        landing.clear()
        return jsonify(matters=world.matters, seed=world.seed)


def _body() -> dict[str, Any]:
    if not request.get_data():
        return {}
    body = request.get_json(force=True, silent=True)
    if not isinstance(body, dict):
        raise BadRequest("the body wants to be a JSON object")
    return body


def _amounts(body: dict[str, Any]) -> dict[str, Decimal]:
    try:
        return {part: Decimal(str(body[name])).quantize(Decimal("0.01")) for name, part in FEE_NAMES.items() if name in body}
    except InvalidOperation:
        raise BadRequest("a fee wants an amount such as 12.50") from None


def _login(landing: Landing, user: str) -> Login:
    if not user:
        return next(iter(landing.logins.values()))
    if user not in landing.logins:
        raise BadRequest(f"there is no login {user}")
    return landing.logins[user]


def _order_json(desk: OrderDesk, order: Order) -> dict[str, object]:
    return {
        "id": order.id,
        "parent_id": order.parent_id,
        "client_reference": order.client_reference,
        "retailer_reference": order.retailer_reference,
        "reference": order.reference,
        "service": order.service.code,
        "status": order.status,
        "completed": order.completed,
        "fees": {name: str(getattr(order.fees, part)) for name, part in FEE_NAMES.items()},
        "total": str(order.fees.total),
        "versions": len(order.marks),
        "file_hash": order.marks[-1] if order.marks else "",
        "messages": sum(1 for message in list(desk.messages) if message.order_id == order.id),
    }


def _plain(value: object) -> str:
    import json

    return json.dumps(value, default=str, ensure_ascii=False)


def _guess(text: str, like: object) -> object:
    """A form's text as the JSON value that the interface wants."""
    if isinstance(like, str):
        return text
    if text in ("true", "false"):
        return text == "true"
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        return text
