"""Xero identity: authorize, sign-in, two-factor and consent pages, token, revocation, userinfo, discovery, keys.

What a script or a robot finds on the pages (identifiers of elements):
  sign-in     form #sign-in-form: #user, #password (both filled in), button #sign-in
  two-factor  form #two-factor-form: #code-shown holds the code, field #code, button #confirm
  consent     form #consent-form: check boxes .tenant (#tenant-1, #tenant-2, …; the first practice is ticked), buttons #allow
              and #cancel; #no-practice says that there is no Practice Manager account to connect
  error page  titled "500", nothing is redirected; the words are in #error
"""

from __future__ import annotations

import logging
import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.integrations.flask_oauth2.requests import FlaskOAuth2Payload, FlaskOAuth2Request
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import OAuth2Request, grants
from authlib.oauth2.rfc6749.errors import InvalidClientError, InvalidScopeError
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge
from flask import Flask, Response, jsonify, redirect, render_template, request, session

from sandbox.identity_store import KNOWN_SCOPES, App, Code, Consent, IdentityStore, Person, Refresh
from sandbox.identity_tokens import TokenMaker

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

logging.getLogger("authlib").setLevel(logging.WARNING)  # at debug level it prints whole tokens

PUBLIC_OR_SECRET = ["none", "client_secret_basic", "client_secret_post"]


class _Request(FlaskOAuth2Request):  # type: ignore[misc]
    """A request over loopback http; the library would want https, which a browser on loopback doesn't."""

    def __init__(self, flask_request: Any) -> None:
        uri = flask_request.url.replace("http://", "https://", 1)
        OAuth2Request.__init__(self, method=flask_request.method, uri=uri, headers=flask_request.headers)
        self._request = flask_request
        self.payload = FlaskOAuth2Payload(flask_request)


class _Server(AuthorizationServer):  # type: ignore[misc]
    """The library's server with this vendor's habits: bare errors with 400, and scopes refused as a whole."""

    def __init__(self, store: IdentityStore) -> None:
        super().__init__()
        self.store = store
        self.scopes_supported = None

    def create_oauth2_request(self, request: Any) -> OAuth2Request:
        from flask import request as current

        return _Request(current._get_current_object())  # type: ignore[attr-defined]

    def validate_requested_scope(self, scope: str | None) -> None:
        wanted = set((scope or "").split())
        refused = set(self.store.switches.refuse_scopes.split())
        if not wanted or not wanted <= KNOWN_SCOPES or wanted & refused:
            raise InvalidScopeError

    def handle_error_response(self, request: Any, error: OAuth2Error) -> Any:
        status, body, headers = error(None)
        if isinstance(body, list):
            body = dict(body)
        if isinstance(body, dict) and not self.store.switches.error_descriptions:
            body = {"error": body["error"]}
        return self.handle_response(400 if status in (401, 403) else status, body, headers)


class _CodeGrant(grants.AuthorizationCodeGrant):  # type: ignore[misc]
    TOKEN_ENDPOINT_AUTH_METHODS = PUBLIC_OR_SECRET

    def save_authorization_code(self, code: str, request: Any) -> None:
        consent, event_id = request.user
        data, store = request.payload.data, self.server.store
        item = Code(
            code=code,
            consent=consent,
            redirect_uri=request.payload.redirect_uri,
            scope=" ".join(sorted(consent.scopes)),  # scopes add up over the consents
            nonce=data.get("nonce", ""),
            event_id=event_id,
            code_challenge=data.get("code_challenge", ""),
            code_challenge_method=data.get("code_challenge_method", ""),
            issued=store.clock.now(),
        )
        with store.lock:
            store.codes[code] = item

    def create_authorization_response(self, redirect_uri: str, grant_user: Any) -> Any:
        status, body, headers = super().create_authorization_response(redirect_uri, grant_user)
        consent, _event = grant_user
        extra = urlencode({"scope": " ".join(sorted(consent.scopes)), "session_state": secrets.token_urlsafe(32)})
        return status, body, [(name, f"{value}&{extra}" if name == "Location" else value) for name, value in headers]

    def query_authorization_code(self, code: str, client: App) -> Code | None:
        return self.server.store.take_code(code, client)  # type: ignore[no-any-return]

    def delete_authorization_code(self, authorization_code: Code) -> None:
        """It was used up when it was found."""

    def authenticate_user(self, authorization_code: Code) -> tuple[Consent, str, str]:
        return authorization_code.consent, authorization_code.event_id, authorization_code.nonce


class _RefreshGrant(grants.RefreshTokenGrant):  # type: ignore[misc]
    TOKEN_ENDPOINT_AUTH_METHODS = PUBLIC_OR_SECRET
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token: str) -> Refresh | None:
        return self.server.store.find_refresh(refresh_token)  # type: ignore[no-any-return]

    def authenticate_user(self, refresh_token: Refresh) -> tuple[Consent, str, str]:
        return refresh_token.consent, refresh_token.event_id, ""

    def revoke_old_credential(self, refresh_token: Refresh) -> None:
        self.server.store.rotated(refresh_token)


class _Revocation(RevocationEndpoint):  # type: ignore[misc]
    """Takes a refresh token with Basic (the client id and an empty password will do) or with a client_id field."""

    def authenticate_endpoint_client(self, request: Any) -> App:
        from flask import request as current

        given = current.authorization
        client_id = (given.username if given else None) or current.form.get("client_id") or ""
        secret = (given.password if given else None) or current.form.get("client_secret") or ""
        client = self.server.query_client(client_id)
        if client is None or (client.secret and not client.check_client_secret(secret)):
            raise InvalidClientError
        request.client = client
        return client  # type: ignore[no-any-return]

    def query_token(self, token_string: str, _hint: str | None) -> Refresh | None:
        return self.server.store.refreshes.get(token_string)  # type: ignore[no-any-return]

    def revoke_token(self, token: Refresh, _request: Any) -> None:
        self.server.store.revoke(token.consent)


class _S256Only(CodeChallenge):  # type: ignore[misc]
    """PKCE as documented: S256, and never left out by a public client."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        data = grant.request.payload.data
        client = grant.server.query_client(grant.request.payload.client_id)
        if (not client.secret or data.get("code_challenge")) and (
            not data.get("code_challenge") or data.get("code_challenge_method") != "S256"
        ):
            from authlib.oauth2.rfc6749.errors import InvalidRequestError

            raise InvalidRequestError("code challenge required")
        super().validate_code_challenge(grant, redirect_uri)


def make_identity(store: IdentityStore, maker: TokenMaker, demo_person: str) -> Flask:
    """The application of the identity server. The sign-in page is filled in for `demo_person` (an e-mail address)."""
    app = Flask("sandbox.identity", template_folder="pages", root_path=_pages_root())
    app.secret_key = secrets.token_hex(32)
    app.config["SESSION_COOKIE_NAME"] = "sandbox_identity"
    server = _Server(store)

    def generate(
        grant_type: str,
        client: App,
        user: tuple[Consent, str, str],
        scope: str,
        expires_in: int | None = None,
        include_refresh_token: bool = True,
    ) -> dict[str, Any]:
        consent, event_id, nonce = user
        access = maker.access_token(consent, scope, event_id)
        token: dict[str, Any] = {"access_token": access, "expires_in": int(store.switches.access_seconds), "token_type": "Bearer"}
        scopes = scope.split()
        if "offline_access" in scopes and include_refresh_token:
            token["refresh_token"] = store.new_refresh(consent, scope, event_id)
        if "openid" in scopes:
            token["id_token"] = maker.id_token(consent, scope, nonce, access)
        token["scope"] = scope
        return token

    server.init_app(app, query_client=store.apps.get, save_token=lambda _token, _request: None)
    server.register_token_generator("default", generate)
    server.register_grant(_CodeGrant, [_S256Only(required=True)])
    server.register_grant(_RefreshGrant)
    server.register_endpoint(_Revocation)

    def error_page(error: OAuth2Error) -> ResponseReturnValue:
        words = f"{error.error} : {error.get_error_description() or 'invalid request'}"
        if "Redirect URI" in words:
            words = "unauthorized_client : Invalid redirect_uri"
        return render_template("error.html", title="500", words=words, status=500), 500

    def person_signed_in() -> Person | None:
        return store.people.get(session.get("person", ""))

    @app.route("/identity/connect/authorize", methods=["GET", "POST"])
    def authorize() -> ResponseReturnValue:
        query = request.query_string.decode()
        try:
            grant = server.get_consent_grant()
        except OAuth2Error as error:
            return error_page(error)
        step = request.form.get("step", "") if request.method == "POST" else ""
        if step == "sign-in":
            candidate = store.people.get(request.form.get("user", "").strip().lower())
            if candidate is None or candidate.password != request.form.get("password"):
                return render_template("sign_in.html", query=query, user=request.form.get("user", ""), password="", wrong=True)
            session.clear()
            session["half"], session["code"] = candidate.email, f"{secrets.randbelow(10**6):06d}"
            return render_template("two_factor.html", query=query, code=session["code"], wrong=False)
        if step == "two-factor" and "half" in session:
            if request.form.get("code", "").replace(" ", "") != session["code"]:
                return render_template("two_factor.html", query=query, code=session["code"], wrong=True)
            session["person"] = session.pop("half")
            session.pop("code")
        person = person_signed_in()
        if person is None:
            demo = store.people[demo_person]
            return render_template("sign_in.html", query=query, user=demo.email, password=demo.password, wrong=False)
        choices = store.choices(person)
        if step != "consent":
            first = next((t.id for t in choices if t.kind == "PRACTICEMANAGER"), "")
            scopes = sorted(set(grant.request.scope.split()))
            return render_template("consent.html", query=query, person=person, tenants=choices, first=first, scopes=scopes)
        chosen = [tenant for tenant in choices if tenant.id in request.form.getlist("tenant")]
        if request.form.get("answer") != "allow" or not chosen:
            back = {"error": "access_denied", **({"state": request.args["state"]} if "state" in request.args else {})}
            return redirect(f"{grant.redirect_uri}?{urlencode(back)}")
        allowed = store.consent(person, grant.request.client.client_id, set(grant.request.scope.split()), chosen)
        return server.create_authorization_response(grant_user=allowed, grant=grant)  # type: ignore[no-any-return]

    @app.post("/connect/token")
    def token() -> ResponseReturnValue:
        return server.create_token_response()  # type: ignore[no-any-return]

    @app.post("/connect/revocation")
    def revocation() -> ResponseReturnValue:
        return server.create_endpoint_response("revocation")  # type: ignore[no-any-return]

    @app.get("/connect/userinfo")
    def userinfo() -> ResponseReturnValue:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        access = store.accesses.get(given)
        if access is None or access.expires < store.clock.now():
            return Response(status=401, headers={"WWW-Authenticate": "Bearer error=invalid_token"})
        person = access.consent.person
        return jsonify(
            sub=person.sub,
            xero_userid=person.xero_userid,
            email=person.email,
            given_name=person.given_name,
            family_name=person.family_name,
        )

    @app.get("/.well-known/openid-configuration")
    def discovery() -> ResponseReturnValue:
        base = maker.base
        return jsonify(
            issuer=maker.issuer,
            jwks_uri=f"{base}/.well-known/openid-configuration/jwks",
            authorization_endpoint=f"{base}/identity/connect/authorize",
            token_endpoint=f"{base}/connect/token",
            userinfo_endpoint=f"{base}/connect/userinfo",
            revocation_endpoint=f"{base}/connect/revocation",
            code_challenge_methods_supported=["S256"],
            response_types_supported=["code"],
            id_token_signing_alg_values_supported=["RS256"],
            scopes_supported=sorted(KNOWN_SCOPES),
        )

    @app.get("/.well-known/openid-configuration/jwks")
    def keys() -> ResponseReturnValue:
        return jsonify(maker.keys())

    return app


def _pages_root() -> str:
    from pathlib import Path

    return str(Path(__file__).parent)
