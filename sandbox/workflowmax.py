"""The WorkflowMax stand-in as a whole: its sign-ins and organisations for the controls, and the application of its interfaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask, Response, jsonify, request

from sandbox.firm import Firm
from sandbox.gateway import Meter
from sandbox.identity_store import App
from sandbox.mishaps import LOGIN_PAGE
from sandbox.workflowmax_books import MAIN_ORGANISATION, OTHER_ORGANISATION, SYSTEM, Organisation, Organisations
from sandbox.workflowmax_gateway import check_access
from sandbox.workflowmax_tokens import SignIns
from sandbox.workflowmax_v1 import make_v1
from sandbox.workflowmax_v2 import make_v2
from sandbox.workflowmax_xml import fail
from sandbox.xpm_xml import BadBody

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from sandbox.world import World

CLIENT_ID = "wfm-sandbox-5a0d80c0"
CLIENT_SECRET = "sandbox-workflowmax-secret"
HTTPS_REDIRECT = "https://iconnect.example/callback"  # for a sign-in window that watches for it; nothing answers there


class WorkflowMax:
    """What runs beside the first practice system; a `sandbox.neighbour.Neighbour`."""

    system = SYSTEM
    main_tenant = MAIN_ORGANISATION

    def __init__(self, world: World, members: dict[str, list[tuple[str, str, bool]]], redirects: list[str]) -> None:
        """`members` has (name, e-mail, privilege) of those who may sign in, by organisation."""
        self._members = members
        self.organisations = Organisations(world.clock, lambda: (world.matters, world.seed), members)
        self.meter = Meter(world.clock, world.limits)
        self.store = SignIns(
            world.clock,
            world.switches,
            people=world.identity.people,
            apps={CLIENT_ID: App(CLIENT_ID, CLIENT_SECRET, list(redirects))},
            organisations=self.organisations.names,
            members=lambda each, email: any(email == known for _name, known, _api in members[each]),
            may_connect=self._may_connect,
        )

    def _may_connect(self, organisation_id: str, email: str) -> bool:
        firm = self.organisations.get(organisation_id)
        return firm is not None and any(member.email == email and member.api for member in firm.staff)

    def names(self) -> dict[str, str]:
        """Organisations by id."""
        return self.organisations.names()

    def firm(self, tenant_id: str) -> Organisation | None:
        """One organisation."""
        return self.organisations.get(tenant_id)

    def made(self) -> list[Firm]:
        """Those that exist so far."""
        return self.organisations.made()

    def reset(self) -> None:
        """As at start."""
        self.organisations.clear()
        self.store.clear()
        self.meter.clear()

    def expire_access(self) -> int:
        """Every access token is an expired one."""
        return self.store.expire_access()

    def revoke_all(self) -> int:
        """Every consent ends."""
        return self.store.revoke_all()

    def register_redirects(self, addresses: list[str]) -> None:
        """Further redirect addresses."""
        for app in self.store.apps.values():
            app.redirects += [address for address in addresses if address not in app.redirects]

    def registered(self) -> dict[str, list[str]]:
        """Redirect addresses by client id."""
        return {client_id: app.redirects for client_id, app in self.store.apps.items()}

    def description(self, identity: str, api: str, *, user: str, two: str, without: str, password: str) -> dict[str, object]:
        """What the file of addresses tells."""
        [app] = self.store.apps.values()
        return {
            "identity": identity,
            "api": api,
            "client_id": app.client_id,
            "client_secret": app.secret,
            "redirect_uri": app.redirects[0],
            "https_redirect_uri": HTTPS_REDIRECT,
            "user": user,
            "password": password,
            "user_of_two_organisations": two,
            "user_without_privilege": without,
            "organisation_id": MAIN_ORGANISATION,
            "organisation_name": self.names()[MAIN_ORGANISATION],
            "other_organisation_id": OTHER_ORGANISATION,
        }


def make_workflowmax_api(world: World, house: WorkflowMax) -> Flask:
    """Both interfaces on one host, over the same books."""
    app = Flask("sandbox.workflowmax", static_folder=None)
    check = check_access(house.store, house.organisations)
    for pages in (make_v1(world.clock, world.switches), make_v2(world.clock, world.switches, house.store)):
        pages.before_request(check)
        app.register_blueprint(pages)

    @app.get("/files/<document_id>/<key>")
    def file(document_id: str, key: str) -> ResponseReturnValue:
        """Where a document's download address leads; whoever has the address may fetch it."""
        for firm in house.made():
            for document in [d for documents in firm.documents.values() for d in documents]:
                if document.uuid == document_id and document.sha256.startswith(key) and len(key) == 16:
                    return Response(firm.contents[document.sha256], content_type="application/octet-stream")
        return jsonify(message="There is no such file"), 404

    @app.get("/<any('screens', 'job', 'staff'):_where>/<path:_what>")
    def screens(_where: str, _what: str) -> Response:
        """Where addresses in the older interface's answers lead: screens for people."""
        return Response(LOGIN_PAGE, content_type="text/html; charset=utf-8")

    @app.errorhandler(BadBody)
    def bad_body(_problem: BadBody) -> Response:
        answer = fail("The request could not be read")
        answer.status_code = 400
        return answer

    @app.errorhandler(404)
    def not_found(_problem: Exception) -> ResponseReturnValue:
        if request.path.startswith("/v2/"):
            return jsonify(message="Not found", statusCode=404), 404
        return Response("Not Found", 404, content_type="text/plain")

    return app
