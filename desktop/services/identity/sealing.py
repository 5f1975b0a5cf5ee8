"""Refresh tokens at rest: AES-256-GCM, bound to the row that they belong to."""

from __future__ import annotations

import os
from collections.abc import Callable

from desktop.services.identity.keys import KeyringFault, KeyringTrouble

NONCE_BYTES = 12


def seal(key: bytes, token: str, *, row: tuple[str, str, str, int], random: Callable[[int], bytes] = os.urandom) -> bytes:
    """`row` is system, tenant, sign-in and generation: a ciphertext that was moved elsewhere does not open."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = random(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, token.encode(), _identity(row))


def unseal(key: bytes, sealed: bytes, *, row: tuple[str, str, str, int]) -> str:
    """Raises KeyringTrouble (damaged) when this key does not open it."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _identity(row)).decode()
    except (InvalidTag, ValueError) as error:
        raise KeyringTrouble(KeyringFault.GARBLED) from error


def _identity(row: tuple[str, str, str, int]) -> bytes:
    system, tenant, sign_in, generation = row
    return "\n".join(("iconnect token 1", system, tenant, sign_in, str(generation))).encode()
