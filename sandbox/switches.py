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

    keep_requests: bool = False  # what the practice systems are sent, for `python -m sandbox.against_specs`

    # WorkflowMax, sign-in
    workflowmax_basic: str = "refused"  # Basic at the token endpoint; "no_organisation": a token that names none
    workflowmax_token_json: bool = True  # the token endpoint also reads JSON
    workflowmax_pkce: str = "checked"  # if sent; "ignored", "refused"
    workflowmax_org_ids: str = "chosen"  # in the token: "reversed", "all" of the person's, "none"
    workflowmax_no_privilege: str = "consent"  # fails at: "consent", "calls"
    workflowmax_refresh_life: str = "fresh"  # or "from_consent": rotation does not lengthen it

    # WorkflowMax, both interfaces
    workflowmax_account_header: str = "either"  # "account_id", "account-id"
    workflowmax_drops_underscores: bool = False  # as some proxies do with header names
    workflowmax_refusals: str = "own"  # body of 401 and 403: "own" (XML or JSON), "json", "xml", "html", "empty"
    workflowmax_rate_headers: bool = False  # X-RateLimit-*
    workflowmax_cost_answer: str = "bare"  # v1: "record", "empty"
    workflowmax_document_answer: str = "bare"  # v1: "record", "empty"
    workflowmax_filename: str = "Filename"  # in v1's lists; or "FileName"
    workflowmax_web_url: str = "WebURL"  # or "WebUrl"
    workflowmax_states: str = "codes"  # in v1: "labels"
    workflowmax_current_pages: bool = False  # whether job.api/current obeys `page`
    workflowmax_list_days: int = 364
    workflowmax_strict_order: bool = False  # elements out of the documented order are refused
    workflowmax_v1_estimates: bool = False  # whether v1 lists estimates among the costs
    workflowmax_single: str = "bare"  # v2: one record as it is; "data": wrapped
    workflowmax_v2_answer: str = "record"  # to a cost or document posted: "uuid", "empty"
    workflowmax_v2_created: int = 201
    workflowmax_v2_refused: int = 400
    workflowmax_v2_page: str = "obeyed"  # "ignored": the whole list each time; "overlaps": a row comes on two pages
    workflowmax_page_size: int = 50  # where none is asked for
    workflowmax_cost_name: str = "places"  # `description` in lists, `name` nested, `costName` in answers; or "costName" everywhere
    workflowmax_lists_by_number: bool = False  # v2 lists costs and documents also by the job's number
    workflowmax_keeps_note: bool = True  # whether v2 keeps `note` of a cost posted
    workflowmax_keeps_code: bool = True  # whether v2 keeps `costCode` of a cost posted
    workflowmax_put_blanks: bool = False  # a change in v2 empties what it leaves out

    # Smokeball, sign-in
    smokeball_access_seconds: float = 3600
    smokeball_code_seconds: float = 300
    smokeball_refresh_days: float = 30  # from the sign-in, however often it is used
    smokeball_refresh_rotated: bool = False  # a new refresh token with each refresh, for what is left of the days
    smokeball_body_secret: bool = False  # the secret in the body is accepted in place of Basic
    smokeball_client_credentials: bool = True  # the confidential app may act on its own account

    # Smokeball, interface
    smokeball_region: str = "au"  # "uk", "us": decides which tax fields are allowed
    smokeball_wrong_region: str = ""  # "403", "404": the firm lives in another region, so every call is refused
    smokeball_scope_status: int = 403  # or 401: a scope is missing
    smokeball_parent_scope: bool = False  # expenses want matters/read as well
    smokeball_gateway_errors: str = "problem"  # or "message": how 401, 403 and 429 look
    smokeball_errors_shape: str = "code_message"  # "property", "map", "none": what stands in `errors`
    smokeball_nulls: bool = True  # members without a value are null, or left out
    smokeball_rate: float = 5  # calls a second for each app and endpoint; 0: no limit
    smokeball_burst: int = 5
    smokeball_retry_after: bool = False  # a 429 says when to come again
    smokeball_async_seconds: float = 1.5  # from a 202 to the record
    smokeball_list_seconds: float = 0  # so much longer until a list shows it, too
    smokeball_late_failures: float = 0  # the part of the accepted writes that never take effect
    smokeball_upload_seconds: float = 1  # from the PUT of the bytes to isUploaded
    smokeball_link_seconds: float = 900  # life of a signed link
    smokeball_content_type_needed: bool = False  # the PUT must have an empty Content-Type; else it may also have none
    smokeball_closed_answer: str = ""  # an expense on a matter that is not open: accepted; "400"; "late": 202 and then nothing
    smokeball_refuse_negative: bool = False
    smokeball_deleted_listed: bool = True  # deleted expenses and files stay in the lists, marked
    smokeball_expense_dates: str = "utc"  # how a date is read back: "as_sent", "day"
    smokeball_moving_rows: int = 0  # so many matters on either side of a page's end change after each page

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
