"""A whole sign-in against a server that checks, and what it leaves behind."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest

from desktop.services.desk import SignInSteps
from desktop.services.errors import AccessMissing, AnswerLost, BadAnswer, NotNow, ServiceError, SignedOut, Wait
from desktop.services.identity.model import SignInCancelled, SignInFailed
from desktop.services.identity.sign_in import fresh_attempt
from tests.identity.fake_authorization_server import practice
from tests.identity.identity_rig import XPM, Person, Rig, get

TENANT = "c3b2a190-0000-4000-8000-0000000feed1"


def connected(rig: Rig) -> bool:
    return bool(rig.identity().records())


def test_a_sign_in_gives_a_connection_that_another_process_can_use(rig: Rig) -> None:
    record = rig.identity().sign_in(XPM, rig.person.steps())
    assert (record.tenant_name, record.user, record.email) == ("Kowhai & Rata Accountants", "Mere Tūī", "mere@kowhai.example")
    assert record.user_id == "11111111-2222-4333-8444-555555555555"
    assert [tenant.name for tenant in rig.person.shown] == ["Kowhai & Rata Accountants"]
    assert rig.person.offered == []

    other = rig.identity()
    assert other.records() == (record,)
    connection = other.connection(XPM)
    assert connection is not None
    assert connection.tenant == TENANT
    assert connection.token() in rig.server.issued
    assert rig.server.count("/connect/token", "refresh_token") == 1


def test_the_token_of_the_sign_in_is_used_without_asking_again(rig: Rig) -> None:
    connection = rig.signed_in().connection(XPM)
    assert connection is not None
    assert connection.token() in rig.server.issued
    assert rig.server.count("/connect/token") == 1


def test_the_authorize_address_asks_for_what_the_platform_file_says(rig: Rig) -> None:
    """A1, A25: the system's own browser gets it; exactly the configured scopes, challenge and no secret of ours."""
    identity = rig.signed_in()
    asked = urlsplit(rig.person.visits[0])
    pairs = parse_qsl(asked.query)
    assert [name for name, _ in pairs] == [
        "response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge", "code_challenge_method",
    ]  # fmt: skip
    given = dict(pairs)
    assert (
        given["scope"]
        == "openid profile email offline_access practicemanager.job practicemanager.client.read practicemanager.staff.read"
    )
    assert given["scope"].split() == list(identity.scopes(XPM))
    assert given["redirect_uri"] == f"http://localhost:{rig.ports[0]}/callback"
    assert len(given["state"]) == 43
    exchange = rig.server.forms("/connect/token")[0]
    assert exchange["code_verifier"] not in asked.query
    assert set(exchange) == {"grant_type", "code", "redirect_uri", "code_verifier", "client_id"}


def test_every_attempt_has_secrets_of_its_own() -> None:
    """A2, A3: 1,000 attempts, all verifiers, states and nonces distinct, of 43 to 128 letters of the right kind."""
    attempts = [fresh_attempt() for _ in range(1_000)]
    for name in ("verifier", "state", "nonce"):
        values = {getattr(attempt, name) for attempt in attempts}
        assert len(values) == 1_000
        assert all(re.fullmatch(r"[A-Za-z0-9\-._~]{43,128}", value) for value in values)


def test_a_server_that_swaps_the_challenge_makes_the_sign_in_fail(rig: Rig) -> None:
    """A2: the verifier proves that the code is ours."""

    def swap(_: str) -> None:
        for code in rig.server.codes.values():
            code.challenge = "A" * 43

    rig.person.before_callback = swap
    with pytest.raises(SignInFailed, match="invalid_grant"):
        rig.signed_in()
    assert not connected(rig)


@pytest.mark.parametrize("change", [{"state": "wrong"}, {"state": None}, {"code": None}, {"iss": "https://evil.example"}])
def test_a_wrong_callback_causes_no_token_request(rig: Rig, change: dict[str, str | None]) -> None:
    """A3, A13: wrong, missing state and wrong issuer: nothing leaves; the true callback then still works."""
    seen: list[int] = []

    def knock(address: str) -> None:
        parts = urlsplit(address)
        wrong: dict[str, Any] = dict(parse_qsl(parts.query)) | change
        query = urlencode({name: value for name, value in wrong.items() if value is not None})
        seen.append(get(f"http://{parts.netloc}{parts.path}?{query}").status)
        seen.append(rig.server.count("/connect/token"))

    rig.person.before_callback = knock
    rig.signed_in()
    assert seen == [400, 0]
    assert rig.server.count("/connect/token") == 1


def test_the_state_of_an_earlier_attempt_counts_for_nothing(rig: Rig) -> None:
    """A3: one use, bound to its attempt."""
    rig.signed_in()
    earlier = next(visit for visit in rig.person.visits if "/callback" in visit)
    statuses: list[int] = []
    again = Person(before_callback=lambda _: statuses.append(get(earlier).status))
    rig.identity().sign_in(XPM, again.steps())
    assert statuses == [400]


def test_the_issuer_in_the_callback_may_be_the_servers_own(rig: Rig) -> None:
    """A13."""
    rig.server.callback_extra = {"iss": rig.server.origin}
    rig.signed_in()
    assert connected(rig)


def test_the_browser_ends_on_the_clean_page(rig: Rig) -> None:
    """A12."""
    rig.signed_in()
    for thread in rig.person.threads:
        thread.join(5)
    assert rig.person.visits[-1] == f"http://localhost:{rig.ports[0]}/return-to-iconnect"
    assert rig.person.pages[-1].status == 200


def test_saying_no_on_the_vendors_page_ends_the_sign_in_plainly(rig: Rig) -> None:
    rig.server.deny = True
    with pytest.raises(SignInCancelled, match="Access was not allowed"):
        rig.signed_in()
    rig.server.deny = False
    rig.signed_in()


def test_no_browser_is_a_clear_message_and_frees_the_port(rig: Rig) -> None:
    """A10."""
    steps = SignInSteps(lambda _: False, lambda tenants: tenants[0], lambda _: None, lambda: False)
    with pytest.raises(SignInFailed, match="No web browser could be opened"):
        rig.identity().sign_in(XPM, steps)
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", rig.ports[0]))


def test_a_sign_in_that_nobody_finishes_ends_after_five_minutes(rig: Rig) -> None:
    """A10: bounded by a clock that the test owns; a callback that comes a moment before counts."""
    now = [1_000.0]
    opened = threading.Event()
    ended: list[ServiceError] = []

    def open_browser(_: str) -> bool:
        opened.set()
        return True

    steps = SignInSteps(open_browser, lambda tenants: tenants[0], lambda _: None, lambda: False)

    def attempt() -> None:
        try:
            rig.identity(monotonic=lambda: now[0]).sign_in(XPM, steps)
        except ServiceError as error:
            ended.append(error)

    thread = threading.Thread(target=attempt)
    thread.start()
    assert opened.wait(10)
    now[0] += 299
    thread.join(0.3)
    assert thread.is_alive()
    now[0] += 2
    thread.join(5)
    assert isinstance(ended[0], SignInFailed)
    assert "took too long" in str(ended[0])


def test_a_hundred_cancelled_attempts_leak_nothing(rig: Rig) -> None:
    """A10: begun again at once on the first port, without a leaked socket or thread."""
    identity = rig.identity()
    before = {thread.ident for thread in threading.enumerate()}
    addresses: list[str] = []
    for _ in range(100):
        cancel = threading.Event()

        def open_and_cancel(address: str, cancel: threading.Event = cancel) -> bool:
            addresses.append(address)
            cancel.set()
            return True

        with pytest.raises(SignInCancelled):
            identity.sign_in(XPM, SignInSteps(open_and_cancel, lambda t: t[0], lambda _: None, cancel.is_set))
    assert {parse_qs(urlsplit(address).query)["redirect_uri"][0] for address in addresses} == {
        f"http://localhost:{rig.ports[0]}/callback"
    }
    assert {thread.ident for thread in threading.enumerate()} <= before
    assert not identity.connecting(XPM)


@pytest.mark.parametrize("path", ["/connect/token", "/connections"])
def test_cancelling_does_not_wait_for_a_server_that_hangs(rig: Rig, path: str) -> None:
    """A10: at each network step."""
    let_go = threading.Event()

    def hang(asked: str, _: dict[str, str]) -> tuple[int, bytes] | None:
        if asked == path:
            rig.person.cancel.set()
            let_go.wait(10)
        return None

    rig.server.fault = hang
    began = time.monotonic()
    with pytest.raises(SignInCancelled):
        rig.signed_in()
    assert time.monotonic() - began < 4
    let_go.set()
    assert not connected(rig)


def test_cancelling_while_choosing_or_after_being_shown_the_organisation_stores_nothing(rig: Rig) -> None:
    """A10."""
    rig.server.connections = [practice("a", "A", event=rig.server.event), practice("b", "B", event=rig.server.event)]
    rig.person.choice = lambda _: None
    with pytest.raises(SignInCancelled):
        rig.signed_in()
    rig.person.choice = lambda tenants: tenants[1]
    steps = rig.person.steps()
    late = SignInSteps(steps.open_browser, steps.choose_tenant, lambda _: rig.person.cancel.set(), steps.cancelled)
    with pytest.raises(SignInCancelled):
        rig.identity().sign_in(XPM, late)
    assert not connected(rig)


# which organisation


MICRO = "2026-02-03T04:05:06."


@pytest.mark.parametrize(
    ("event", "rows", "expected"),
    [
        ("e1", [practice("a", "A", event="e0", updated="2026-03-01T00:00:00"), practice("b", "B", event="e1")], "b"),
        ("", [practice("a", "A", updated=f"{MICRO}7912341"), practice("b", "B", updated=f"{MICRO}7912340")], "a"),
        ("e9", [practice("a", "A", updated="2026-02-03T04:05:07"), practice("b", "B", updated=f"{MICRO}9999999")], "a"),
        ("", [practice("a", "A", updated="2026-02-03T04:05:06Z"), practice("b", "B", updated="nonsense")], "a"),
        ("", [practice("o", "O", kind="ORGANISATION", updated="2027-01-01T00:00:00"), practice("b", "B")], "b"),
        ("", [practice("p", "HQ", kind="PRACTICE", updated="2027-01-01T00:00:00"), practice("b", "B")], "b"),
        ("E1", [practice("a", "A", event="e1"), practice("b", "B", updated="2027-01-01T00:00:00")], "a"),
    ],
)
def test_the_facts_decide_which_practice_it_is(rig: Rig, event: str, rows: list[dict[str, Any]], expected: str) -> None:
    rig.server.event, rig.server.connections = event, rows
    record = rig.identity().sign_in(XPM, rig.person.steps())
    assert record.tenant == expected
    assert rig.person.offered == []


def test_a_tie_is_put_to_the_person(rig: Rig) -> None:
    rig.server.event = ""
    rig.server.connections = [practice("a", "A"), practice("b", "B"), practice("c", "C", updated="2020-01-01T00:00:00")]
    rig.person.choice = lambda tenants: tenants[1]
    record = rig.identity().sign_in(XPM, rig.person.steps())
    assert [tenant.id for tenant in rig.person.offered[0]] == ["a", "b"]
    assert record.tenant == "b"
    assert [tenant.id for tenant in rig.person.shown] == ["b"]


def test_an_opaque_access_token_is_no_obstacle(rig: Rig) -> None:
    rig.server.opaque_access = True
    assert rig.identity().sign_in(XPM, rig.person.steps()).tenant == TENANT


def test_no_practice_is_told_with_the_administrators_steps(rig: Rig) -> None:
    rig.server.connections = [practice("o", "O", kind="ORGANISATION"), {"tenantType": "PRACTICEMANAGER"}, "odd"]  # type: ignore[list-item]
    with pytest.raises(AccessMissing) as told:
        rig.signed_in()
    assert "Business > Settings > Staff" in told.value.cure
    assert "Authorise 3rd Party Full Access" in told.value.cure
    assert not connected(rig)


def test_the_connections_list_is_asked_for_with_the_bearer_alone(rig: Rig) -> None:
    rig.signed_in()
    _, _, headers = next(asked for asked in rig.server.asked if asked[0] == "/connections")
    assert headers["authorization"].startswith("Bearer ")
    assert "xero-tenant-id" not in headers


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, b"", SignedOut),
        (403, b"", AccessMissing),
        (429, b"", Wait),
        (500, b"", AnswerLost),
        (302, b"", AnswerLost),
        (200, b"<html>", BadAnswer),
        (200, b"{}", BadAnswer),
    ],
)
def test_a_connections_list_that_cannot_be_had_stores_nothing(
    rig: Rig, status: int, body: bytes, error: type[ServiceError]
) -> None:
    rig.server.fault = lambda path, _: (status, body) if path == "/connections" else None
    with pytest.raises(error):
        rig.signed_in()
    assert not connected(rig)


# scopes and proof of identity


def test_more_scopes_than_asked_for_are_fine(rig: Rig) -> None:
    rig.server.granted = "openid profile email offline_access practicemanager accounting.transactions"
    rig.signed_in()
    assert connected(rig)


def test_a_missing_practice_scope_is_named(rig: Rig) -> None:
    rig.server.granted = "openid profile email offline_access practicemanager.job.read practicemanager.client"
    with pytest.raises(AccessMissing, match=r"practicemanager\.job, practicemanager\.staff\.read"):
        rig.signed_in()
    assert not connected(rig)


@pytest.mark.parametrize(
    "claims", [{"iss": "https://evil.example"}, {"aud": "other"}, {"nonce": "other"}, {"exp": 1}, {"iat": None}, {"azp": "x"}]
)
def test_a_wrong_id_token_stores_nothing(rig: Rig, claims: dict[str, Any]) -> None:
    """A14."""
    rig.server.claims = claims
    with pytest.raises(SignInFailed):
        rig.signed_in()
    assert not connected(rig)
    assert rig.server.count("/connections") == 0


@pytest.mark.parametrize("header", [{"alg": "none"}, {"alg": "HS256"}])
def test_an_id_token_of_another_algorithm_stores_nothing(rig: Rig, header: dict[str, Any]) -> None:
    """A14."""
    rig.server.header = header
    with pytest.raises(SignInFailed):
        rig.signed_in()


def test_an_id_token_that_was_asked_for_must_come(rig: Rig) -> None:
    rig.server.sends_id_token = False
    with pytest.raises(SignInFailed, match="did not say who signed in"):
        rig.signed_in()
    rig.xero = {"scopes": ("offline_access", "practicemanager.job")}
    rig.server.granted = "offline_access practicemanager.job"
    assert rig.identity().sign_in(XPM, rig.person.steps()).user == ""
    assert "nonce" not in parse_qs(urlsplit(rig.person.visits[-3]).query)


def test_a_clock_ten_days_off_is_named(rig: Rig) -> None:
    """A15."""
    real = rig.server.wall
    for days in (-10, 10):
        rig.server.wall = lambda days=days: real() + days * 86_400  # type: ignore[misc]
        with pytest.raises(SignInFailed, match="check the computer's clock"):
            rig.signed_in()


# the client, and trouble at the token endpoint


def test_a_web_apps_secret_travels_as_basic_and_lives_on_in_the_keyring(rig: Rig) -> None:
    rig.server.client_secret = "s3cret-of-the-app"
    rig.xero = {"client_secret": "s3cret-of-the-app"}
    rig.signed_in()
    rig.xero = {}
    connection = rig.identity().connection(XPM)
    assert connection is not None
    assert connection.token() in rig.server.issued
    assert "s3cret-of-the-app" not in str([form for _, form, _ in rig.server.asked])


def test_a_wrong_client_is_named_as_its_matter(rig: Rig) -> None:
    rig.server.client_secret = "expects one"
    with pytest.raises(SignInFailed, match="client id and secret"):
        rig.signed_in()


@pytest.mark.parametrize(
    "answer",
    [
        (500, b""),
        (503, b"{}"),
        (200, b"<html>busy</html>"),
        (200, b"[]"),
        (200, b"{}"),
        (302, b""),
        (403, b"<html>"),
        (0, b""),
        (429, b""),
    ],
)
def test_trouble_at_the_token_endpoint_ends_the_attempt_and_nothing_else(rig: Rig, answer: tuple[int, bytes]) -> None:
    rig.server.fault = lambda path, _: answer if path == "/connect/token" else None
    with pytest.raises((SignInFailed, BadAnswer)):
        rig.signed_in()
    assert not connected(rig)
    assert rig.server.count("/connect/token") == 1


def test_all_ports_taken_is_told_before_any_browser_opens(rig: Rig) -> None:
    """A7."""
    held = []
    for port in rig.ports:
        sock = socket.socket()
        sock.bind(("127.0.0.1", port))
        sock.listen()
        held.append(sock)
    try:
        with pytest.raises(NotNow, match="needs one of the ports"):
            rig.signed_in()
    finally:
        for sock in held:
            sock.close()
    assert rig.person.visits == []


def test_signing_in_as_another_organisation_parks_the_old_ones_connection(rig: Rig) -> None:
    """A23: what was queued for the old organisation can't leave through the new sign-in."""
    identity = rig.signed_in()
    old = identity.connection(XPM)
    assert old is not None
    rig.server.connections = [practice("other-tenant", "Another Firm", event=rig.server.event)]
    identity.sign_in(XPM, rig.person.steps())
    new = identity.connection(XPM)
    assert new is not None
    assert new.tenant == "other-tenant"
    with pytest.raises(SignedOut, match="another organisation"):
        old.token()


def test_signing_in_again_as_the_same_organisation_keeps_the_connection(rig: Rig) -> None:
    identity = rig.signed_in()
    old = identity.connection(XPM)
    assert old is not None
    first = old.token()
    rig.identity().sign_in(XPM, rig.person.steps())
    assert old.token() != first


def test_the_organisation_is_shown_before_anything_is_stored(rig: Rig) -> None:
    seen: list[bool] = []
    steps = rig.person.steps()
    show: Callable[[Any], None] = lambda _: seen.append(connected(rig))  # noqa: E731
    rig.identity().sign_in(XPM, SignInSteps(steps.open_browser, steps.choose_tenant, show, steps.cancelled))
    assert seen == [False]
