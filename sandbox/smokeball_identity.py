"""Smokeball's sign-in: authorize, token and logout, with the habits of the hosted sign-in service that it uses.

What a script or a robot finds on the pages (identifiers of elements), as on Xero's:
  sign-in     form #sign-in-form: #user, #password (both filled in), button #sign-in
  consent     form #consent-form: buttons #allow and #cancel
  error page  titled "400", nothing is redirected; the words are in #error
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from flask import Flask, jsonify, redirect, render_template, request, session

from sandbox.smokeball_sign_ins import SCOPES, SignIn, SmokeballApp, SmokeballSignIns

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue


class _Refused(Exception):
    """The token endpoint says no, with this word."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


def make_smokeball_identity(signs: SmokeballSignIns, demo_person: str) -> Flask:
    """The application of the sign-in host. The sign-in page is filled in for `demo_person` (an e-mail address)."""
    app = Flask("sandbox.smokeball_identity", static_folder=None, template_folder="pages", root_path=str(Path(__file__).parent))
    app.secret_key = secrets.token_hex(32)
    app.config["SESSION_COOKIE_NAME"] = "sandbox_smokeball"

    def error_page(words: str) -> ResponseReturnValue:
        return render_template("error.html", brand="Smokeball sign-in", title="400", words=words, status=400), 400

    @app.route("/oauth2/authorize", methods=["GET", "POST"])
    def authorize() -> ResponseReturnValue:
        asked = request.args
        known = signs.apps.get(asked.get("client_id", ""))
        if known is None:
            return error_page("invalid_client : there is no such app")
        back = asked.get("redirect_uri", "")
        if back not in known.redirects:  # to the letter: port, path, query and trailing slash
            return error_page("redirect_mismatch : the redirect address is not registered")
        trouble = _trouble(known, asked)
        if trouble:
            return _back(back, {"error": trouble, **_state(asked)})
        step = request.form.get("step", "") if request.method == "POST" else ""
        query = request.query_string.decode()
        if step == "sign-in":
            found = signs.people.get(request.form.get("user", "").strip().lower())
            if found is None or found.password != request.form.get("password"):
                return _page("sign_in.html", query=query, user=request.form.get("user", ""), password="", wrong=True)
            session["person"] = found.email
        person = signs.people.get(session.get("person", ""))
        if person is None:
            demo = signs.people[demo_person]
            return _page("sign_in.html", query=query, user=demo.email, password=demo.password, wrong=False)
        scopes = asked.get("scope", "").split() or sorted(SCOPES)
        if step != "consent":
            return _page("smokeball_consent.html", query=query, person=person, scopes=scopes, firm=signs.firm_name)
        if request.form.get("answer") != "allow":
            return _back(back, {"error": "access_denied", **_state(asked)})
        code = signs.new_code(person, known, back, scopes, asked.get("code_challenge", ""))
        return _back(back, {"code": code, **_state(asked)})

    @app.post("/oauth2/token")
    def token() -> ResponseReturnValue:
        if request.mimetype != "application/x-www-form-urlencoded":
            return jsonify(error="invalid_request"), 400
        try:
            answer = _exchange(signs, request.form)
        except _Refused as no:
            return jsonify(error=no.word), 400
        response = jsonify(answer)
        response.headers["Cache-Control"] = "no-store"
        return response

    @app.get("/logout")
    @app.get("/oauth2/logout")
    def logout() -> ResponseReturnValue:
        """Ends the browser's sign-in, not the tokens. The documentation has both paths."""
        known = signs.apps.get(request.args.get("client_id", ""))
        if known is None:
            return error_page("invalid_client : there is no such app")
        session.clear()
        back = request.args.get("logout_uri", "")
        if not back:
            return render_template("error.html", brand="Smokeball sign-in", title="Signed out", words="You are signed out."), 200
        return redirect(back) if back in known.redirects else error_page("redirect_mismatch : the address is not registered")

    return app


def _page(name: str, **values: object) -> str:
    return render_template(name, brand="Smokeball sign-in", **values)


def _trouble(known: SmokeballApp, asked: Mapping[str, str]) -> str:
    """Why an authorize request is sent back, as its error word; empty if it is not."""
    if asked.get("response_type") != "code":
        return "unsupported_response_type"
    challenge, method = asked.get("code_challenge", ""), asked.get("code_challenge_method", "")
    if (known.public and not challenge) or (challenge and method != "S256"):
        return "invalid_request"
    return "" if set(asked.get("scope", "").split()) <= SCOPES else "invalid_scope"


def _state(asked: Mapping[str, str]) -> dict[str, str]:
    return {"state": asked["state"]} if "state" in asked else {}


def _back(address: str, values: dict[str, str]) -> ResponseReturnValue:
    joint = "&" if urlsplit(address).query else "?"
    return redirect(f"{address}{joint}{urlencode(values)}")


def _exchange(signs: SmokeballSignIns, form: Mapping[str, str]) -> dict[str, object]:
    kind = form.get("grant_type", "")
    if kind not in ("authorization_code", "refresh_token", "client_credentials"):
        raise _Refused("unsupported_grant_type")
    code = signs.take_code(form.get("code", "")) if kind == "authorization_code" else None  # used up, whatever comes of it
    known = _client(signs, form)
    if kind == "client_credentials":
        if known.public or not signs.switches.smokeball_client_credentials:
            raise _Refused("unauthorized_client")
        return signs.answer(SignIn(None, known.client_id, frozenset(form.get("scope", "").split() or SCOPES)))
    if kind == "refresh_token":
        old = signs.find_refresh(form.get("refresh_token", ""), known)
        if old is None:
            raise _Refused("invalid_grant")
        return signs.answer(old.sign_in, refresh=signs.rotate(old) if signs.switches.smokeball_refresh_rotated else None)
    if code is None or code.sign_in.client_id != known.client_id or code.redirect_uri != form.get("redirect_uri"):
        raise _Refused("invalid_grant")
    if code.challenge and not secrets.compare_digest(code.challenge, _s256(form.get("code_verifier", ""))):
        raise _Refused("invalid_grant")
    return signs.answer(code.sign_in, refresh=signs.new_refresh(code.sign_in, signs.clock.now()))


def _client(signs: SmokeballSignIns, form: Mapping[str, str]) -> SmokeballApp:
    """The app that asks. One with a secret sends Basic and its id again in the body; one without sends the id alone."""
    given = request.authorization
    known = signs.apps.get(form.get("client_id", ""))
    if known is None:
        raise _Refused("invalid_request" if not form.get("client_id") else "invalid_client")
    if known.public:
        if given is not None or "client_secret" in form:
            raise _Refused("invalid_client")
        return known
    if given is not None:
        right = given.type == "basic" and given.username == known.client_id and given.password == known.secret
    else:
        right = signs.switches.smokeball_body_secret and form.get("client_secret") == known.secret
    if not right:
        raise _Refused("invalid_client")
    return known


def _s256(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
