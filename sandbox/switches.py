"""What the vendors' facts leave open, or what differs from firm to firm: one switch each, changed while the servers run."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass, fields


@dataclass(slots=True)
class Switches:
    """Every switch with its value at start. `change` checks names and types."""

    # identity
    issuer: str = "https://identity.xero.com"  # or "self": the address of the stand-in
    access_seconds: float = 1800
    code_seconds: float = 300
    refresh_grace_seconds: float = 1800
    refresh_unused_days: float = 60
    error_descriptions: bool = False
    refuse_scopes: str = ""  # space separated: an authorize request that holds one fails as a whole
    id_token_flaw: str = ""  # "", "issuer", "audience", "nonce", "expired", "none", "hs256"
    userinfo_email: str = ""  # the login's e-mail instead of the seeded one

    # gateway and Practice Manager
    privilege_lost_status: int = 403
    cost_scope: str = ""  # a scope that cost.api wants; empty: any practicemanager scope reaches it
    uuid_in_summaries: bool = True
    wrap_lists: bool = True  # costs and documents inside a Response, or bare
    cost_answer: str = "bare"  # or "record"
    document_answer: str = "bare"  # or "record"
    refuse_unknown_code: bool = False
    refuse_negative: bool = False
    refuse_zero_quantity: bool = False
    refuse_closed: bool = True
    document_cap_bytes: int = 10_000_000  # of the request body
    document_cap_answer: str = "413"  # or "error"
    unknown_folder_refused: bool = False
    stale_seconds: float = 0  # a write is invisible to reads for so long
    filename_spelling: str = "FileName"  # or "Filename"

    # InfoTrack
    results: str = "feed"  # "feed", "folder", "both", "none"
    delay_seconds: float = 2
    order_flow: str = "together"  # "together", "fees_first", "document_first"
    announce: bool = True  # a first message while the order is still open
    dialect: str = "flat"  # "flat", "wrapped", "strings", "mixed"
    dates: str = "utc"  # "utc", "local"
    folder_format: str = "xml"  # "json", "mixed"
    folder_encoding: str = "utf-8"  # "utf-8-sig", "utf-16", "windows-1252", "mixed"
    folder_slow_seconds: float = 0  # above 0: each file grows in pieces for so long
    link_seconds: float = 120
    mapping_keys: str = "pascal"  # "camel", "lower", "none"
    feed_repeat_every: int = 0  # n: after each n messages an old one comes once more
    feed_login: str = ""  # a login whose feed is refused with 401
    download: str = "pdf"  # "redirect", "redirect_inside", "html", "empty", "truncated", "docx", "octet", "missing"
    session_seconds: float = 1800

    def change(self, values: dict[str, object]) -> None:
        """Sets the named switches. Raises ValueError naming the first unknown name or wrong type; then nothing is changed."""
        known = {field.name: type(getattr(self, field.name)) for field in fields(self)}
        checked: dict[str, object] = {}
        for name, value in values.items():
            kind = known.get(name)
            if kind is None:
                raise ValueError(f"there is no switch called {name}")
            if kind is float and isinstance(value, int) and not isinstance(value, bool):
                value = float(value)
            if kind is int and isinstance(value, float) and value.is_integer():
                value = int(value)
            if (kind in (int, float) and isinstance(value, bool)) or not isinstance(value, float if kind is float else kind):
                raise ValueError(f"{name} wants {kind.__name__}")
            checked[name] = value
        with _lock:
            for name, value in checked.items():
                setattr(self, name, value)

    def as_json(self) -> dict[str, object]:
        """Every switch by name."""
        return asdict(self)


_lock = threading.Lock()
