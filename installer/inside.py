"""Asked of the built program itself (`iconnect -m installer.inside`): which versions of the C libraries lie in it, as JSON.

Asked of the bundle and not of the build machine, because what matters is what was shipped."""

from __future__ import annotations

import json
import sys


def versions() -> dict[str, str]:
    """Library by library, the version it tells of itself."""
    import pyexpat
    import ssl

    import apsw
    from cryptography.hazmat.backends.openssl.backend import backend
    from PySide6.QtCore import qVersion
    from PySide6.QtWebEngineCore import qWebEngineChromiumSecurityPatchVersion, qWebEngineChromiumVersion

    return {
        "Python": ".".join(map(str, sys.version_info[:3])),
        "Qt": qVersion(),
        "Chromium": _text(qWebEngineChromiumVersion()),
        "Chromium security patches up to": _text(qWebEngineChromiumSecurityPatchVersion()),
        "SQLite": apsw.sqlite_lib_version(),
        "OpenSSL in cryptography": backend.openssl_version_text(),
        "OpenSSL of Python": ssl.OPENSSL_VERSION,
        "Expat": pyexpat.EXPAT_VERSION,
    }


def _text(told: object) -> str:
    # Text, though the binding's types say bytes.
    return told.decode("ascii") if isinstance(told, bytes) else str(told)


def main() -> None:
    json.dump(versions(), sys.stdout, indent=1)


if __name__ == "__main__":
    main()
