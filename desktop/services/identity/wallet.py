"""All of this profile's sign-ins: the one object that the rest of the house asks."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from desktop.services.desk import SignInSteps
from desktop.services.errors import NotNow, ServiceError
from desktop.services.http import Http, Limits
from desktop.services.identity.grants import SessionGrant, StoredGrant, credential_lock
from desktop.services.identity.key_holder import KeyHolder
from desktop.services.identity.keys import Backend, KeyringTrouble, Vault, system_backend
from desktop.services.identity.loopback import MakeSocket
from desktop.services.identity.model import ConnectionRecord, SignInFailed, Vendor, WatchRedirect
from desktop.services.identity.oauth import OAuthClient
from desktop.services.identity.sealing import seal
from desktop.services.identity.secret_box import Secrets
from desktop.services.identity.sign_in import SignedIn, SignIn
from desktop.services.identity.store import Fault, IdentityStore, StoredToken
from desktop.services.identity.tokens import Connection, boot_clock
from desktop.services.identity.vendors import client_id_of, lasts, secret_of, title_of, vendor_for
from desktop.services.loggable import error_kind, loggable
from desktop.settings import Settings

_log = logging.getLogger(__name__)

DATABASE = "identity.db"
_REVOKE_LIMITS = Limits(connect=5.0, read=8.0, total=10.0)
_ERASE_AFTER = 0.5


def utc_now() -> datetime:
    return datetime.now(UTC)


class Identity:
    """Safe to use from several threads; several processes may have one on the same profile folder.

    `settings` gives the settings that count now (they may change while the tray runs). All but `sign_in` and `disconnect`
    answer from local data. `watch` opens the sign-in window for vendors whose redirect is an https address."""

    def __init__(
        self,
        profile: Path,
        settings: Callable[[], Settings],
        http: Http,
        *,
        clock: Callable[[], datetime] = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
        boot: Callable[[], float] = boot_clock,
        keyring_backend: Callable[[], Backend] = system_backend,
        keyring_patience: float = 15.0,
        watch: WatchRedirect | None = None,
        make_socket: MakeSocket = socket.socket,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._folder = profile
        self._settings = settings
        self._http = http
        self._clock = clock
        self._monotonic = monotonic
        self._boot = boot
        self._watch = watch
        self._make_socket = make_socket
        self._random = random
        self._store = IdentityStore(profile / DATABASE)
        self._vault = Vault(keyring_backend, patience=keyring_patience)
        self._keys = KeyHolder(self._store, self._vault, random=random)
        self.secrets = Secrets(self._store, self._vault)
        self._lock = threading.Lock()
        self._connections: dict[tuple[str, str], Connection] = {}
        self._sessions: dict[str, SessionGrant] = {}
        self._signing_in: set[str] = set()
        self._notices: dict[str, str] = {}

    # what is known

    def records(self) -> tuple[ConnectionRecord, ...]:
        """Every standing connection, by system; needs no keyring. Raises NotNow when identity.db can't be used."""
        rows = self._store.rows()
        with self._lock:
            for row in rows:
                self._give_way(row)
            sessions = {system: _lapsing(grant.shown(), None) for system, grant in self._sessions.items()}
        stored = {row.record.system: _lapsing(row.record, row.obtained_at) for row in rows}
        return tuple(record for _, record in sorted((stored | sessions).items()))

    def record(self, system: str) -> ConnectionRecord | None:
        return next((record for record in self.records() if record.system == system), None)

    def connecting(self, system: str) -> bool:
        """A sign-in to it is under way in this process."""
        return system in self._signing_in

    def notices(self) -> tuple[str, ...]:
        """Sentences for the person, such as that the sign-in lasts only until the program ends."""
        with self._lock:
            return tuple(self._notices.values())

    def connection(self, system: str) -> Connection | None:
        """None while that system is not connected. One that needs attention is given all the same: its `token()` raises
        SignedOut. It is always the same object for the same organisation, whoever signs in."""
        record = self.record(system)
        if record is None:
            return None
        with self._lock:
            return self._connected(system, record.tenant)

    def mark_problem(self, system: str, text: str, cure: str = "") -> None:
        """Something outside the sign-in is wrong with it, such as a missing right that the API answered with."""
        with self._lock:
            session = self._sessions.get(system)
        if session is not None:
            session.mark(text, cure)
        else:
            self._store.mark(system, Fault.ACCESS, text, cure)

    def clear_problem(self, system: str) -> None:
        """What `mark_problem` noted is over. A sign-in that has ended stays ended."""
        with self._lock:
            session = self._sessions.get(system)
        if session is not None:
            session.mark("", "")
        else:
            self._store.clear(system)

    def keyring_name(self) -> str:
        """The secret store that is in use, by its class. Raises KeyringTrouble when there is none."""
        return self._vault.backend_name()

    def scopes(self, system: str) -> tuple[str, ...]:
        """What will be asked for: to be shown before the browser opens."""
        return self._vendor(system).registration.scopes

    # signing in and out

    def sign_in(self, system: str, steps: SignInSteps) -> ConnectionRecord:
        """Network; at most five minutes. Raises SignInCancelled, SignInFailed, AccessMissing, NotNow, NotSent, AnswerLost,
        BadAnswer, Wait or SignedOut, having stored nothing."""
        with self._lock:
            self._signing_in.add(system)
        try:
            vendor = self._vendor(system)
            attempt = SignIn(
                vendor,
                OAuthClient(vendor.registration, self._http, clock=self._clock),
                steps,
                clock=self._clock,
                monotonic=self._monotonic,
                watch=self._watch,
                make_socket=self._make_socket,
            )
            return self._keep(vendor, attempt.run())
        finally:
            with self._lock:
                self._signing_in.discard(system)

    def disconnect(self, system: str) -> str:
        """Network. Revokes at the vendor, forgets here, and forgets also when revoking fails or takes long. Gives the
        sentence that says which. Raises NotNow only when this PC's own file can't be written."""
        title = title_of(system)
        with self._lock:
            session = self._sessions.pop(system, None)
            self._notices.pop(system, None)
            for (of, _), connection in self._connections.items():
                if of == system:
                    connection.forget()
        row = self._store.row(system)
        if session is None and row is None:
            return f"{title} was not connected."
        with contextlib.ExitStack() as held:
            with contextlib.suppress(NotNow):
                held.enter_context(credential_lock(self._folder, system, seconds=2.0))
                # Another process may have rotated it while we waited.
                row = self._store.row(system)
            revoking = _Revoking(lambda: self._revoke(system, session, row))
            revoking.wait(_ERASE_AFTER)
            if session is not None:
                session.end(f"{title} is not connected any more. Connect again.")
            self._store.erase(system)
        why = revoking.outcome(_REVOKE_LIMITS.total)
        self._forget_key_if_unused()
        if why is None:
            return f"{title} is disconnected: access was revoked there and forgotten on this PC."
        sentence = f"{title} is forgotten on this PC, but access could not be revoked there ({why})."
        return f"{sentence} {_REVOKE_CURE.get(system, '')}".strip()

    def forget_everything(self) -> None:
        """Removes every entry of this profile from the keyring, for when the app's data are removed. Raises KeyringTrouble."""
        for row in self._store.rows():
            self._store.erase(row.record.system)
        self._keys.forget()
        self.secrets.forget_all()

    # inside

    def _vendor(self, system: str) -> Vendor:
        settings = self._settings()
        return vendor_for(system, settings, self._http, clock=self._clock, secret=self._client_secret(system, settings))

    def _client(self, system: str) -> OAuthClient:
        return OAuthClient(self._vendor(system).registration, self._http, clock=self._clock)

    def _client_secret(self, system: str, settings: Settings) -> str:
        """The platform file's; once it has been copied to the keyring, the file may lose it."""
        given = secret_of(system, settings)
        if given:
            return given
        if self._store.value(_secret_note(system)) == client_id_of(system, settings):
            return self.secrets.get(_secret_name(system)) or ""
        return ""

    def _keep(self, vendor: Vendor, signed_in: SignedIn) -> ConnectionRecord:
        system, tokens = vendor.registration.system, signed_in.tokens
        name = secrets.token_hex(8)
        record = ConnectionRecord(
            system=system,
            tenant=signed_in.tenant.id,
            tenant_name=signed_in.tenant.name,
            user=signed_in.person.name or signed_in.person.email,
            since=self._clock(),
            user_id=signed_in.person.id,
            email=signed_in.person.email,
        )
        try:
            with credential_lock(self._folder, system), credential_lock(self._folder, "key"):
                self._copy_client_secret(vendor)
                row = StoredToken(record, name, 1, b"", None, self._clock())
                sealed = seal(self._keys.key_for_sign_in(), tokens.refresh_token, row=row.place(1), random=self._random)
                self._store.put(dataclasses.replace(row, ciphertext=sealed))
        except KeyringTrouble as trouble:
            record = self._keep_for_this_session(vendor, dataclasses.replace(record, session_only=True), name, signed_in, trouble)
        else:
            with self._lock:
                self._replace_session(system, None, record)
        with self._lock:
            connection = self._connected(system, record.tenant)
        connection.seed(tokens, name)
        _log.info("Signed in to %s.", loggable(system))
        return record

    def _keep_for_this_session(
        self, vendor: Vendor, record: ConnectionRecord, name: str, signed_in: SignedIn, trouble: KeyringTrouble
    ) -> ConnectionRecord:
        system = record.system
        client = OAuthClient(vendor.registration, self._http, clock=self._clock)
        stored = self._store.row(system)
        grant = SessionGrant(
            record,
            vendor.registration.title,
            name,
            signed_in.tokens.refresh_token,
            client=lambda: client,
            beside="" if stored is None else stored.sign_in,
        )
        with self._lock:
            self._replace_session(system, grant, record)
            self._notices[system] = (
                f"{trouble} Until then the sign-in to {vendor.registration.title} lasts only as long as this program runs: nothing "
                "was written to the disk."
            )
        return record

    def _copy_client_secret(self, vendor: Vendor) -> None:
        known = vendor.registration
        if known.client_secret and self.secrets.get(_secret_name(known.system)) != known.client_secret:
            self.secrets.set(_secret_name(known.system), known.client_secret)
        if known.client_secret:
            self._store.set_value(_secret_note(known.system), known.client_id)

    def _replace_session(self, system: str, grant: SessionGrant | None, record: ConnectionRecord) -> None:
        """Whoever asks for a token from now on gets the new sign-in's; the one before is over. The lock is held."""
        before = self._sessions.pop(system, None)
        self._notices.pop(system, None)
        if grant is not None:
            self._sessions[system] = grant
        self._connected(system, record.tenant)
        if before is not None:
            before.end(f"{title_of(system)} is now connected to {record.tenant_name} by another sign-in.")

    def _give_way(self, row: StoredToken) -> None:
        """A sign-in that another process stored after ours for the session is the one that counts. The lock is held."""
        session = self._sessions.get(row.record.system)
        if session is not None and session.beside != row.sign_in:
            self._replace_session(row.record.system, None, row.record)

    def _connected(self, system: str, tenant: str) -> Connection:
        """With the grant that counts now. The lock is held."""
        session = self._sessions.get(system)
        if session is not None and session.tenant != tenant:
            session = None
        known = self._connections.get((system, tenant))
        if known is None:
            grant = session or self._stored_grant(system, tenant)
            known = self._connections[system, tenant] = Connection(system, tenant, grant, clock=self._clock, boot=self._boot)
        elif session is not None:
            known.use(session)
        elif isinstance(known.grant, SessionGrant):
            known.use(self._stored_grant(system, tenant))
        return known

    def _stored_grant(self, system: str, tenant: str) -> StoredGrant:
        return StoredGrant(
            system,
            tenant,
            title_of(system),
            store=self._store,
            keys=self._keys,
            client=lambda: self._client(system),
            folder=self._folder,
            clock=self._clock,
        )

    def _revoke(self, system: str, session: SessionGrant | None, row: StoredToken | None) -> None:
        client = self._client(system)
        if not client.can_revoke:
            raise SignInFailed("the vendor offers no way to do it from here")
        # Beneath a sign-in for the session an older one may be stored: access of both ends, and one's failure keeps no other.
        with contextlib.ExitStack() as both:
            if row is not None:
                stored = self._stored_grant(system, row.record.tenant)
                both.callback(lambda: client.revoke(stored.opened(row), limits=_REVOKE_LIMITS))
            if session is not None:
                both.callback(lambda: client.revoke(session.refresh_token(), limits=_REVOKE_LIMITS))

    def _forget_key_if_unused(self) -> None:
        with contextlib.suppress(NotNow), credential_lock(self._folder, "key", seconds=2.0):
            if not self._store.rows():
                self._keys.forget()


def _lapsing(record: ConnectionRecord, obtained_at: datetime | None) -> ConnectionRecord:
    life = lasts(record.system)
    return record if life is None else dataclasses.replace(record, may_lapse=(obtained_at or record.since) + life)


class _Revoking:
    """The revocation, on a thread of its own: the local forgetting does not wait for a server that hangs."""

    def __init__(self, revoke: Callable[[], None]) -> None:
        self._done = threading.Event()
        self._failure = "the vendor did not answer in time"
        self._revoke = revoke
        threading.Thread(target=self._run, name="revocation", daemon=True).start()

    def _run(self) -> None:
        try:
            self._revoke()
            self._failure = ""
        except ServiceError as error:
            self._failure = str(error).rstrip(".")
        except Exception as error:  # noqa: BLE001  # a thread's edge: forgetting must go on
            _log.warning("Revoking failed (%s).", error_kind(error))
            self._failure = "an unexpected problem on this PC"
        finally:
            self._done.set()

    def wait(self, seconds: float) -> None:
        self._done.wait(seconds)

    def outcome(self, seconds: float) -> str | None:
        """None: revoked. Otherwise why not."""
        if not self._done.wait(seconds):
            return "the vendor did not answer in time"
        return self._failure or None


_REVOKE_CURE = {
    "xero-practice-manager": "To end it there, open Connected apps in Xero's settings and disconnect iConnect.",
}


def _secret_name(system: str) -> str:
    return f"client secret {system}"


def _secret_note(system: str) -> str:
    return f"client_secret_of {system}"
