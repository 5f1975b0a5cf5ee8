"""The one key that the refresh tokens are sealed with: 32 bytes, made at the first sign-in, kept in the keyring."""

from __future__ import annotations

import hashlib
import hmac
import os
import threading
from collections.abc import Callable

from desktop.services.identity.keys import KeyringFault, KeyringTrouble, Vault, decode_key, encode_key
from desktop.services.identity.store import IdentityStore

_BACKEND, _PRINT = "backend", "key_print"


class KeyHolder:
    """Remembers the key once read. Every method raises KeyringTrouble or NotNow."""

    def __init__(self, store: IdentityStore, vault: Vault, *, random: Callable[[int], bytes] = os.urandom) -> None:
        self._store = store
        self._vault = vault
        self._random = random
        self._key: bytes | None = None
        self._lock = threading.Lock()

    def service(self) -> str:
        """The keyring entry's name: one for each profile, because one entry's account must not collide with another's."""
        return f"iConnect Desktop {self._store.profile_id()}"

    def key(self) -> bytes:
        """The key that the stored rows were sealed with. A secret store that answers «nothing» is told apart: another one
        than before (CHANGED), or the same one without the entry (MISSING). Neither means «signed out»."""
        with self._lock:
            if self._key is None:
                self._key = self._existing()
            return self._key

    def key_for_sign_in(self) -> bytes:
        """The existing key, or a new one where the person's new sign-in may replace what can't be read any more."""
        with self._lock:
            try:
                self._key = self._existing()
            except KeyringTrouble as trouble:
                if trouble.fault not in (KeyringFault.MISSING, KeyringFault.CHANGED, KeyringFault.GARBLED):
                    raise
                key = self._random(32)
                backend = self._vault.backend_name()
                self._vault.set(self.service(), encode_key(key))
                self._store.set_value(_BACKEND, backend)
                self._store.set_value(_PRINT, _print(key))
                self._key = key
            return self._key

    def forget(self) -> None:
        """Removes the key from the keyring, for when no row is left."""
        with self._lock:
            self._key = None
            self._vault.delete(self.service())
            self._store.drop_value(_BACKEND)
            self._store.drop_value(_PRINT)

    def reread(self) -> None:
        """Another process may have made a new key since."""
        with self._lock:
            self._key = None

    def _existing(self) -> bytes:
        remembered, expected = self._store.value(_BACKEND), self._store.value(_PRINT)
        found = self._vault.get(self.service())
        if found is None:
            if remembered is not None and self._vault.backend_name() != remembered:
                raise KeyringTrouble(KeyringFault.CHANGED)
            raise KeyringTrouble(KeyringFault.MISSING)
        key = decode_key(found)
        if expected is None or not hmac.compare_digest(expected, _print(key)):
            raise KeyringTrouble(KeyringFault.GARBLED)
        return key


def _print(key: bytes) -> str:
    """Recognises the key and gives nothing of it away: it is 32 random bytes."""
    return hashlib.sha256(b"iconnect key print\n" + key).hexdigest()[:32]
