"""Short secrets of other rooms, each an entry of its own in the keyring."""

from __future__ import annotations

import json
import threading
from typing import Protocol

from desktop.services.identity.keys import KeyringFault, KeyringTrouble, Vault
from desktop.services.identity.store import IdentityStore

_BACKEND = "secret_backend "


class SecretBox(Protocol):
    """What a room needs that keeps a password. Every method raises KeyringTrouble (a NotNow), having erased nothing; none may
    be called on the GUI thread."""

    def get(self, name: str) -> str | None:
        """None: no such secret was kept. Another secret store than the one that holds it raises instead."""
        ...

    def set(self, name: str, secret: str) -> None:
        """At most 1,000 characters."""
        ...

    def delete(self, name: str) -> None: ...


class Secrets:
    """A SecretBox over the system's keyring. Which secret went into which secret store is noted in identity.db, so that
    another store's «nothing» is not taken for «never had one»."""

    def __init__(self, store: IdentityStore, vault: Vault) -> None:
        self._store = store
        self._vault = vault
        self._lock = threading.Lock()

    def get(self, name: str) -> str | None:
        found = self._vault.get(self._service(name))
        remembered = self._store.value(_BACKEND + name)
        if found is None and remembered is not None:
            raise KeyringTrouble(KeyringFault.CHANGED if self._vault.backend_name() != remembered else KeyringFault.MISSING)
        return found

    def set(self, name: str, secret: str) -> None:
        with self._lock:
            self._vault.set(self._service(name), secret)
            self._store.set_value(_BACKEND + name, self._vault.backend_name())
            self._note(name, present=True)

    def delete(self, name: str) -> None:
        with self._lock:
            self._vault.delete(self._service(name))
            self._store.drop_value(_BACKEND + name)
            self._note(name, present=False)

    def forget_all(self) -> None:
        for name in self._names():
            self.delete(name)

    def _service(self, name: str) -> str:
        return f"iConnect Desktop {self._store.profile_id()} {name}"

    def _names(self) -> list[str]:
        found = json.loads(self._store.value("secrets") or "[]")
        return [str(name) for name in found]

    def _note(self, name: str, *, present: bool) -> None:
        names = set(self._names()) - {name} | ({name} if present else set())
        self._store.set_value("secrets", json.dumps(sorted(names)))
