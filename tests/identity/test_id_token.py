"""Which ID tokens are believed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.services.identity.id_token import XERO_ISSUER, check_id_token, issuer_rule
from desktop.services.identity.model import Person, SignInFailed
from tests.identity.fake_authorization_server import jwt, unpadded

NOW = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
CLIENT, NONCE = "A1B2C3", "a-nonce"
XERO = issuer_rule("https://identity.xero.com/connect/token", "https://login.xero.com/identity/connect/authorize")
SECONDS = int(NOW.timestamp())
GOOD: dict[str, Any] = {
    "iss": XERO_ISSUER,
    "aud": CLIENT,
    "sub": "ab" * 16,
    "iat": SECONDS,
    "exp": SECONDS + 300,
    "nonce": NONCE,
    "xero_userid": "u-1",
    "given_name": "Mere",
    "family_name": "Tūī",
    "email": "mere@kowhai.example",
}


def check(token: str, *, now: datetime = NOW) -> Person:
    return check_id_token(token, client_id=CLIENT, nonce=NONCE, accepts_issuer=XERO, began=now - timedelta(minutes=2), now=now)


def changed(**claims: Any) -> str:
    return jwt({name: value for name, value in (GOOD | claims).items() if value is not None})


def test_a_right_token_says_who_signed_in() -> None:
    assert check(jwt(GOOD)) == Person(id="u-1", name="Mere Tūī", email="mere@kowhai.example")
    assert check(changed(xero_userid=None)).id == "ab" * 16
    assert check(changed(aud=[CLIENT])).name == "Mere Tūī"
    assert check(changed(aud=[CLIENT, "other"], azp=CLIENT, name="Mere T")).name == "Mere T"


FORGED = {
    "alg none": jwt(GOOD, {"alg": "none"}),
    "alg none without signature": jwt(GOOD, {"alg": "none"}, ""),
    "alg nOnE": jwt(GOOD, {"alg": "nOnE"}),
    "HMAC": jwt(GOOD, {"alg": "HS256"}),
    "HMAC 512": jwt(GOOD, {"alg": "HS512"}),
    "no alg": jwt(GOOD, {"typ": "JWT"}),
    "alg list": jwt(GOOD, {"alg": ["RS256"]}),
    "critical header": jwt(GOOD, {"alg": "RS256", "crit": ["b64"], "b64": False}),
    "no signature": jwt(GOOD, None, ""),
    "two parts": jwt(GOOD).rsplit(".", 1)[0],
    "five parts": jwt(GOOD) + ".a.b",
    "empty": "",
    "not base64": "a.$$$.c",
    "not JSON": "eyJhbGciOiJSUzI1NiJ9." + unpadded(b"{") + ".c2ln",
    "not an object": "eyJhbGciOiJSUzI1NiJ9." + unpadded(b"[]") + ".c2ln",
    "repeated claim": "eyJhbGciOiJSUzI1NiJ9." + unpadded((json.dumps(GOOD)[:-1] + ', "aud": "x"}').encode()) + ".c2ln",
    "deep": "eyJhbGciOiJSUzI1NiJ9." + unpadded(b"[" * 100_000) + ".c2ln",
    "other issuer": changed(iss="https://evil.example"),
    "issuer with a slash": changed(iss=XERO_ISSUER + "/"),
    "issuer is a prefix": changed(iss=XERO_ISSUER + ".evil.example"),
    "login issuer": changed(iss="https://login.xero.com"),
    "no issuer": changed(iss=None),
    "issuer list": changed(iss=[XERO_ISSUER]),
    "other audience": changed(aud="other"),
    "no audience": changed(aud=None),
    "audience list without us": changed(aud=["other"]),
    "audience with others, no azp": changed(aud=[CLIENT, "other"]),
    "azp of another": changed(aud=[CLIENT, "other"], azp="other"),
    "azp of another, single audience": changed(azp="other"),
    "odd audience": changed(aud=[CLIENT, 7], azp=CLIENT),
    "no nonce": changed(nonce=None),
    "other nonce": changed(nonce="another"),
    "surrogate nonce": changed(nonce="\ud800"),
    "nonce list": changed(nonce=[NONCE]),
    "no subject": changed(sub=None),
    "empty subject": changed(sub=""),
    "no exp": changed(exp=None),
    "no iat": changed(iat=None),
    "text exp": changed(exp=str(SECONDS + 300)),
    "true exp": changed(exp=True),
    "huge exp": changed(exp=1e300),
    "infinite exp": changed(exp=float("inf")),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_token_is_refused(name: str) -> None:
    """A14: algorithm pinned, none and HMAC refused, each claim altered in turn."""
    with pytest.raises(SignInFailed, match="Nothing was stored"):
        check(FORGED[name])


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"exp": SECONDS - 301}, "ahead of"),
        ({"iat": SECONDS + 301}, "behind"),
        ({"nbf": SECONDS + 301}, "behind"),
        ({"iat": SECONDS - 120 - 301}, "ahead of"),
        ({"iat": SECONDS - 864_000, "exp": SECONDS - 863_700}, "ahead of"),
        ({"iat": SECONDS + 864_000, "exp": SECONDS + 864_300}, "behind"),
    ],
)
def test_times_that_do_not_fit_are_blamed_on_the_clock(claims: dict[str, Any], words: str) -> None:
    """A15: a clock off by ten days, either way, is told as «check the computer's clock»."""
    with pytest.raises(SignInFailed, match="check the computer's clock") as told:
        check(changed(**claims))
    assert words in str(told.value)


@pytest.mark.parametrize(
    "claims",
    [{"exp": SECONDS - 299}, {"iat": SECONDS + 299}, {"nbf": SECONDS + 299}, {"iat": SECONDS - 120 - 299}, {"iat": SECONDS + 0.5}],
)
def test_five_minutes_of_skew_are_tolerated(claims: dict[str, Any]) -> None:
    """A15."""
    assert check(changed(**claims)).id == "u-1"


def test_on_xeros_hosts_only_xeros_issuer_speaks() -> None:
    """A13: pinned."""
    assert XERO(XERO_ISSUER)
    assert not XERO("https://login.xero.com")
    assert not XERO("https://identity.xero.com:443")


def test_another_server_may_speak_for_itself_or_as_xero() -> None:
    rule = issuer_rule("http://localhost:9000/connect/token", "http://127.0.0.1:9001/authorize")
    for issuer in ("http://localhost:9000", "http://127.0.0.1:9000/", "http://localhost:9001/identity", XERO_ISSUER):
        assert rule(issuer), issuer
    for issuer in ("http://localhost:9002", "https://localhost:9000", "https://evil.example", "", "http://[", "http://localhost:x"):
        assert not rule(issuer), issuer


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_noise_is_refused_with_a_sentence(header: bytes, claims: bytes) -> None:
    with pytest.raises(SignInFailed):
        check(f"{unpadded(header)}.{unpadded(claims)}.c2ln")


@given(st.text(max_size=200))
def test_any_text_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(SignInFailed):
        check(text)
