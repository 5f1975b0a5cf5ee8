"""WorkflowMax identity: authorize with sign-in and consent pages, and the token endpoint. There is no revocation.

What a script or a robot finds on the pages (identifiers of elements):
  sign-in     form #sign-in-form: #user, #password (both filled in), button #sign-in
  consent     form #consent-form: check boxes .tenant (#tenant-1, #tenant-2, …; the first is ticked), buttons #allow and
              #cancel; #no-practice says that the person lacks the privilege
  error page  nothing is redirected; the words are in #error
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import Flask, Response, jsonify, redirect, render_template, request, session

from sandbox.identity_store import App, Person
from sandbox.workflowmax_tokens import KNOWN_SCOPES, Refused, SignIns

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue


def make_workflowmax_identity(store: SignIns, demo_person: str, pages: str) -> Flask:
    """The application. The sign-in page is filled in for `demo_person`; `pages` is the folder that holds the pages' folder."""
    app = Flask("sandbox.workflowmax_identity", static_folder=None, template_folder="pages", root_path=pages)
    app.secret_key = secrets.token_hex(32)
    app.config["SESSION_COOKIE_NAME"] = "sandbox_workflowmax"
    switches = store.switches

    @app.errorhandler(Refused)
    def refused(problem: Refused) -> ResponseReturnValue:
        answer = jsonify(error=problem.code, error_description=problem.words)
        answer.headers["Cache-Control"] = "no-store"
        return answer, problem.status

    @app.route("/oauth/authorize", methods=["GET", "POST"])
    def authorize() -> ResponseReturnValue:
        query = request.query_string.decode()
        registered = store.apps.get(request.args.get("client_id", ""))
        address = request.args.get("redirect_uri", "")
        if registered is None:
            return _page_of_error("invalid_client: this app is not known")
        if not registered.check_redirect_uri(address):
            return _page_of_error("invalid_request: this redirect address is not registered")

        def back(**values: str) -> ResponseReturnValue:
            if "state" in request.args:
                values["state"] = request.args["state"]
            return redirect(f"{address}{'&' if '?' in address else '?'}{urlencode(values)}")

        trouble = _wrong_request(switches.workflowmax_pkce)
        if trouble:
            return back(error=trouble[0], error_description=trouble[1])
        step = request.form.get("step", "") if request.method == "POST" else ""
        if step == "sign-in":
            candidate = store.people.get(request.form.get("user", "").strip().lower())
            if candidate is None or candidate.password != request.form.get("password"):
                return render_template("sign_in.html", query=query, user=request.form.get("user", ""), password="", wrong=True)
            session.clear()
            session["person"] = candidate.email
        person = store.people.get(session.get("person", ""))
        if person is None:
            demo = store.people[demo_person]
            return render_template("sign_in.html", query=query, user=demo.email, password=demo.password, wrong=False)
        choices = store.choices(person)
        scopes = set(request.args.get("scope", "").split())
        chosen: list[str] = []
        if step == "consent":
            chosen = [each for each in choices if each in request.form.getlist("tenant")]
            if request.form.get("answer") != "allow" or not chosen:
                return back(error="access_denied", error_description="The person did not allow access.")
        elif request.args.get("prompt") != "consent":
            chosen = store.allowed_before(person, registered.client_id, scopes)
        if not chosen:
            return _page_of_consent(query, person, {each: store.organisations()[each] for each in choices}, scopes)
        code = store.new_code(
            person,
            registered.client_id,
            scopes,
            chosen,
            redirect_uri=address,
            challenge=request.args.get("code_challenge", ""),
            method=request.args.get("code_challenge_method", "plain"),
        )
        return back(code=code)

    @app.post("/oauth/token")
    def token() -> ResponseReturnValue:
        values = _fields(json_too=switches.workflowmax_token_json)
        given = request.headers.get("Authorization", "")
        with_organisations = True
        if given:
            if switches.workflowmax_basic == "refused":
                raise Refused(401, "access_denied", "Basic authentication is not supported; send the credentials in the body.")
            values |= _basic(given)
            with_organisations = False
        client = store.apps.get(values.get("client_id", ""))
        if client is None or not client.check_client_secret(values.get("client_secret", "")):
            raise Refused(401, "invalid_client", "The client id or its secret is wrong.")
        match values.get("grant_type"):
            case "authorization_code":
                consent, scopes = _exchange(store, client, values)
            case "refresh_token":
                answer = store.refresh(values.get("refresh_token", ""), client)
                return _tokens(answer)
            case _:
                raise Refused(400, "unsupported_grant_type", "The grant type is not supported.")
        return _tokens(store.new_tokens(consent, scopes, with_organisations=with_organisations))

    return app


def _wrong_request(pkce: str) -> tuple[str, str] | None:
    """What is wrong with an authorize request of a known app with a registered address."""
    scopes = set(request.args.get("scope", "").split())
    if request.args.get("response_type") != "code":
        return "unsupported_response_type", "The response type is not supported."
    if "workflowmax" not in scopes or not scopes <= KNOWN_SCOPES:
        return "invalid_scope", "The scope is not valid."
    if pkce == "refused" and "code_challenge" in request.args:
        return "invalid_request", "A code challenge is not supported."
    return None


def _exchange(store: SignIns, client: App, values: dict[str, str]) -> tuple[Any, frozenset[str]]:
    code = store.take_code(values.get("code", ""), client)
    if code is None or code.redirect_uri != values.get("redirect_uri"):
        raise Refused(400, "invalid_grant", "The code is not valid.")
    if store.switches.workflowmax_pkce == "checked" and code.challenge:
        verifier = values.get("code_verifier", "")
        digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        if code.challenge != (digest if code.method == "S256" else verifier):
            raise Refused(400, "invalid_grant", "The code verifier does not match.")
    return code.consent, code.scopes


def _fields(*, json_too: bool) -> dict[str, str]:
    """The body's fields; empty if it is of another kind."""
    if request.mimetype == "application/json" and json_too:
        body = request.get_json(silent=True)
        return {str(name): str(value) for name, value in body.items()} if isinstance(body, dict) else {}
    if any(len(request.form.getlist(name)) > 1 for name in request.form):
        raise Refused(400, "invalid_request", "A field is there twice.")
    return dict(request.form.items())


def _basic(header: str) -> dict[str, str]:
    given = request.authorization
    if not header.startswith("Basic ") or given is None:
        return {}
    return {"client_id": given.username or "", "client_secret": given.password or ""}


def _tokens(values: dict[str, Any]) -> Response:
    answer = jsonify(values)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _page_of_error(words: str) -> ResponseReturnValue:
    return render_template("error.html", title="This sign-in can't go on", words=words, status=400), 400


def _page_of_consent(query: str, person: Person, organisations: dict[str, str], scopes: set[str]) -> str:
    rows = [{"id": each, "name": name} for each, name in organisations.items()]
    return render_template("workflowmax_consent.html", query=query, person=person, tenants=rows, scopes=sorted(scopes))
