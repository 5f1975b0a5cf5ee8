"""A grant is the right to get access tokens: a refresh token, on disk or, without a keyring, in this process's memory."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Protocol

from desktop.services.errors import AnswerLost, BadAnswer, NotNow, SignedOut
from desktop.services.http import Limits
from desktop.services.identity.key_holder import KeyHolder
from desktop.services.identity.keys import KeyringFault, KeyringTrouble
from desktop.services.identity.model import ClientRefused, ConnectionRecord, GrantRefused, TokenSet
from desktop.services.identity.oauth import OAuthClient
from desktop.services.identity.sealing import seal, unseal
from desktop.services.identity.store import Fault, IdentityStore, StoredToken
from desktop.services.loggable import loggable

_log = logging.getLogger(__name__)

REFRESH_LIMITS = Limits(connect=10.0, read=30.0, total=60.0)
LOCK_SECONDS = 90.0
_MOST_ROUNDS = 4


class Grant(Protocol):
    """Where a connection's refresh token lives."""

    def standing(self) -> str:
        """The name of the sign-in that stands for this connection now. Raises SignedOut when none does, NotNow."""
        ...

    def renew(self) -> TokenSet:
        """A fresh access token; a rotated refresh token is safe before this returns. Raises SignedOut, NotNow, NotSent, Wait or
        AnswerLost; after the last four the connection still stands."""
        ...


@contextlib.contextmanager
def credential_lock(folder: Path, system: str, *, seconds: float = LOCK_SECONDS) -> Iterator[None]:
    """One process at a time touches a system's credential. The operating system lets go when a process dies; the file
    that stays behind means nothing. Raises NotNow."""
    import filelock

    lock = filelock.FileLock(str(folder / f"identity-{system}.lock"), timeout=seconds)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock.acquire()
    except filelock.Timeout as error:
        raise NotNow("Another iConnect program on this PC is still renewing the sign-in. Try again in a minute.") from error
    except (OSError, NotImplementedError) as error:
        # The latter: a drive that knows no locks.
        raise NotNow(f"The folder {folder} can't be written. Check its permissions and the disk, and try again.") from error
    try:
        yield
    finally:
        lock.release()


def ended(title: str, *, reused: bool) -> str:
    """What is told of a sign-in that the vendor has ended."""
    why = "revoked, lapsed or replaced"
    if reused:
        why = "its key for renewing had been used before, as happens when an answer is lost on the way or a profile is copied"
    return f"{title} has ended the sign-in ({why}). Nothing waiting was lost."


class StoredGrant:
    """The refresh token in identity.db. Any number of processes and threads may hold one for the same row."""

    def __init__(
        self,
        system: str,
        tenant: str,
        title: str,
        *,
        store: IdentityStore,
        keys: KeyHolder,
        client: Callable[[], OAuthClient],
        folder: Path,
        clock: Callable[[], datetime],
    ) -> None:
        self._system = system
        self._tenant = tenant
        self._title = title
        self._store = store
        self._keys = keys
        self._client = client
        self._folder = folder
        self._clock = clock
        self._unsaved: tuple[str, int, str] | None = None

    def standing(self) -> str:
        return self._row().sign_in

    def renew(self) -> TokenSet:
        with credential_lock(self._folder, self._system):
            for _ in range(_MOST_ROUNDS):
                row = self._row()
                if row.fault is Fault.ENDED:
                    raise SignedOut(row.record.problem)
                row = self._saved(row)
                tokens = self._ask(row)
                if tokens is not None:
                    return tokens
        raise AnswerLost(f"The sign-in at {self._title} kept changing while it was renewed.")

    def _row(self) -> StoredToken:
        row = self._store.row(self._system)
        if row is None:
            raise SignedOut(f"{self._title} is not connected any more. Connect again.")
        if row.record.tenant != self._tenant:
            raise SignedOut(f"{self._title} is now connected to another organisation ({row.record.tenant_name}).")
        return row

    def _ask(self, row: StoredToken) -> TokenSet | None:
        """None: the row changed under us, so look again."""
        try:
            return self._kept(row, self._unsealed(row, row.ciphertext, row.generation))
        except GrantRefused as refusal:
            if refusal.code != "invalid_grant":
                raise self._client_refused(row, refusal) from refusal
            reused = refusal.reused
        # «invalid_grant» mostly means that somebody rotated the token meanwhile: look before concluding anything.
        now = self._row()
        if (now.sign_in, now.generation) != (row.sign_in, row.generation):
            return None
        if row.previous is not None:
            with contextlib.suppress(GrantRefused, KeyringTrouble):
                return self._kept(row, self._unsealed(row, row.previous, row.generation - 1))
        problem = ended(self._title, reused=reused)
        self._store.mark(self._system, Fault.ENDED, problem, "Connect again.", sign_in=row.sign_in)
        _log.warning("The grant for %s has ended.", loggable(self._system))
        raise SignedOut(f"{problem} Connect again.")

    def _kept(self, row: StoredToken, refresh_token: str) -> TokenSet | None:
        try:
            tokens = self._client().refresh(refresh_token, limits=REFRESH_LIMITS)
        except BadAnswer as error:
            raise AnswerLost(str(error)) from error
        current = self._unsealed(row, row.ciphertext, row.generation)
        if tokens.refresh_token and tokens.refresh_token != current:
            self._unsaved = (row.sign_in, row.generation, tokens.refresh_token)
            if not self._save(row, tokens.refresh_token):
                return None
        elif row.fault is Fault.CLIENT:
            self._store.mark(self._system, Fault.NOTHING, "", "", sign_in=row.sign_in)
        return tokens

    def _save(self, row: StoredToken, refresh_token: str) -> bool:
        sealed = seal(self._keys.key(), refresh_token, row=row.place(row.generation + 1))
        saved = self._store.rotate(row, sealed, self._clock())
        self._unsaved = None
        return saved

    def _saved(self, row: StoredToken) -> StoredToken:
        """A token that the disk refused last time goes there first: it is newer than the row's."""
        if self._unsaved is not None:
            sign_in, generation, refresh_token = self._unsaved
            if (row.sign_in, row.generation) == (sign_in, generation):
                self._save(row, refresh_token)
                return self._row()
            self._unsaved = None
        return row

    def _unsealed(self, row: StoredToken, sealed: bytes, generation: int) -> str:
        try:
            return unseal(self._keys.key(), sealed, row=row.place(generation))
        except KeyringTrouble as trouble:
            if trouble.fault is not KeyringFault.GARBLED:
                raise
            self._keys.reread()
            return unseal(self._keys.key(), sealed, row=row.place(generation))

    def _client_refused(self, row: StoredToken, refusal: GrantRefused) -> ClientRefused:
        problem = f"{self._title} does not accept this app ({refusal.code})."
        cure = "Ask IT to compare the client id and secret in platform.toml with the vendor's developer portal."
        self._store.mark(self._system, Fault.CLIENT, problem, cure, sign_in=row.sign_in)
        return ClientRefused(f"{problem} {cure}")

    def opened(self, row: StoredToken) -> str:
        """The row's refresh token, for revoking. Raises NotNow."""
        return self._unsealed(row, row.ciphertext, row.generation)


class SessionGrant:
    """The refresh token in memory, for a PC without a usable keyring: gone when this process ends.

    `beside` names the stored sign-in that stood when this one was made; it does not count meanwhile, a later one does."""

    def __init__(
        self,
        record: ConnectionRecord,
        title: str,
        sign_in: str,
        refresh_token: str,
        *,
        client: Callable[[], OAuthClient],
        beside: str = "",
    ) -> None:
        self.tenant = record.tenant
        self.beside = beside
        self._record = record
        self._title = title
        self._sign_in = sign_in
        self._refresh_token = refresh_token
        self._client = client
        self._ended = ""
        self._lock = threading.Lock()

    def standing(self) -> str:
        if self._ended:
            raise SignedOut(self._ended)
        return self._sign_in

    def renew(self) -> TokenSet:
        with self._lock:
            if self._ended:
                raise SignedOut(self._ended)
            try:
                tokens = self._client().refresh(self._refresh_token, limits=REFRESH_LIMITS)
            except BadAnswer as error:
                raise AnswerLost(str(error)) from error
            except GrantRefused as refusal:
                if refusal.code != "invalid_grant":
                    raise ClientRefused(
                        f"{self._title} does not accept this app ({refusal.code}). Ask IT to check the client id in platform.toml."
                    ) from refusal
                self.end(f"{ended(self._title, reused=refusal.reused)} Connect again.")
                raise SignedOut(self._ended) from refusal
            self._refresh_token = tokens.refresh_token or self._refresh_token
            return tokens

    def refresh_token(self) -> str:
        return self._refresh_token

    def end(self, sentence: str) -> None:
        self._ended = sentence

    def mark(self, problem: str, cure: str) -> None:
        self._record = dataclasses.replace(self._record, problem=problem, cure=cure)

    def shown(self) -> ConnectionRecord:
        if self._ended:
            return dataclasses.replace(self._record, problem=self._ended, cure="Connect again.")
        return self._record
