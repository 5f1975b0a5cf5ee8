"""The platform file and the person's own settings, checked and frozen.

The platform file (contracts, section 1) is deployed by IT; the person's own file is written by the Settings window and
may override what `Own` lists. Every error names the file, the key, and what is expected.
"""

from __future__ import annotations

import math
import os
import re
import string
import tomllib
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Literal, get_args, get_type_hints
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from desktop.places import Places
from desktop.private_files import open_private

SystemName = Literal["xero-practice-manager", "workflowmax", "smokeball"]
SYSTEMS: tuple[SystemName, ...] = ("xero-practice-manager", "workflowmax", "smokeball")


class SettingsError(Exception):
    """Names file, key and cure. The command line ends with status 2 on it."""


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class Practice(_Section, frozen=True):
    system: SystemName


class Xero(_Section, frozen=True):
    client_id: str = ""
    client_secret: str = ""
    scopes: tuple[str, ...] = (
        "openid",
        "profile",
        "email",
        "offline_access",
        "practicemanager.job",
        "practicemanager.client.read",
        "practicemanager.staff.read",
    )
    redirect_ports: tuple[int, ...] = (28761, 28762, 28763, 28764, 28765)
    authorize_url: str = "https://login.xero.com/identity/connect/authorize"
    token_url: str = "https://identity.xero.com/connect/token"
    revocation_url: str = "https://identity.xero.com/connect/revocation"
    connections_url: str = "https://api.xero.com/connections"
    api_url: str = "https://api.xero.com/practicemanager/3.1/"


class WorkflowMax(_Section, frozen=True):
    client_id: str = ""
    client_secret: str = ""
    api: Literal["v1", "v2"] = "v2"
    redirect_uri: str = ""
    authorize_url: str = "https://oauth.workflowmax2.com/oauth/authorize"
    token_url: str = "https://oauth.workflowmax2.com/oauth/token"
    api_url: str = "https://api.workflowmax2.com/"


class Smokeball(_Section, frozen=True):
    region: Literal["au", "us", "uk"] = "au"
    client_id: str = ""
    client_secret: str = ""
    api_key: str = ""
    redirect_uri: str = ""
    auth_url: str = ""
    api_url: str = ""


class InfoTrack(_Section, frozen=True):
    api_url: str = "https://api.infotrack.com.au/v1/"
    hosts: tuple[str, ...] = ("infotrack.com.au",)
    retailer_tag: str = "ICONNECT1"
    timezone: str = "Australia/Sydney"


class Results(_Section, frozen=True):
    folder: str = ""
    pull_url: str = ""
    poll_seconds: float = 60
    takeover_minutes: float = 30


class Costs(_Section, frozen=True):
    code_taxed: str = ""
    code_untaxed: str = ""
    amounts: Literal["ex_gst", "inc_gst"] = "ex_gst"
    markup_percent: float = 0
    billable: bool = True
    description: str = "{service} - {reference}"
    file_name: str = "{service} {reference} {order_id}"
    folder: str = "InfoTrack"
    review: Literal["never", "differences", "always"] = "never"


class Delivery(_Section, frozen=True):
    quiet_seconds: float = 180
    reread_seconds: float = 30
    connect_timeout_seconds: float = 10
    read_timeout_seconds: float = 60


KEPT_AT_LEAST = 12
_KEPT_AT_MOST = 1200


class Audit(_Section, frozen=True):
    """How long this PC keeps the steps of its audit trail."""

    keep_months: int | Literal["forever"] = "forever"
    person_may_choose: bool = False

    @property
    def months(self) -> int | None:
        """None: for ever."""
        return self.keep_months if isinstance(self.keep_months, int) else None


class Settings(_Section, frozen=True):
    """What the rest of the house reads. `practice.system` alone is required."""

    practice: Practice
    xero: Xero = Xero()
    workflowmax: WorkflowMax = WorkflowMax()
    smokeball: Smokeball = Smokeball()
    infotrack: InfoTrack = InfoTrack()
    results: Results = Results()
    costs: Costs = Costs()
    delivery: Delivery = Delivery()
    audit: Audit = Audit()


class Own(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True, omit_defaults=True):
    """What the person chose in the Settings window. None: as the platform file says."""

    system: SystemName | None = None
    results_folder: str | None = None
    code_taxed: str | None = None
    code_untaxed: str | None = None
    amounts: Literal["ex_gst", "inc_gst"] | None = None
    markup_percent: float | None = None
    billable: bool | None = None
    description: str | None = None
    file_name: str | None = None
    folder: str | None = None
    review: Literal["never", "differences", "always"] | None = None
    notifications: Literal["none", "errors", "all"] = "errors"
    start_at_sign_in: bool = False
    shortcut: str = ""
    """The keys that bring the picker forward, such as Ctrl+Alt+I; empty for none."""
    matters_in_notices: bool = False
    invoice_columns: dict[str, str] = {}
    """How the supplier's invoice names its columns: our name to the file's own."""
    audit_keep_months: int | Literal["forever"] | None = None
    """Counts only where the platform file says `audit.person_may_choose = true`."""


def find_platform_file(named: str | None, where: Places, environment: Mapping[str, str]) -> Path:
    """The file to read, by the contract's order. Raises SettingsError naming every place that was looked at."""
    for source, text in (("--platform", named), ("ICONNECT_PLATFORM", environment.get("ICONNECT_PLATFORM"))):
        if text:
            path = Path(text).expanduser().absolute()
            if not path.is_file():
                raise SettingsError(
                    f"{path}: there is no such file ({source} names it). Give the path of the firm's platform.toml."
                )
            return path
    candidates = where.platform_candidates(environment)
    for path in candidates:
        if path.is_file():
            return path
    looked = " nor ".join(str(path) for path in candidates)
    raise SettingsError(
        f"There is no platform file: neither {looked} exists. Ask the firm's IT for platform.toml, put it there, "
        "or name it with --platform FILE. It needs at least [practice] with system = "
        '"xero-practice-manager". To look around without one: iconnect demo'
    )


def read_platform(path: Path) -> Settings:
    """Raises SettingsError with file, key and what is expected."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise SettingsError(f"{path}: can't be read ({error.strerror}). Check the file's permissions.") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: is not UTF-8 text (byte {error.start}). Save it as UTF-8.") from error
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: is not valid TOML: {error}. Correct that line.") from error
    try:
        settings = msgspec.convert(found, Settings, strict=True)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{path}: {_explain(str(error))}") from error
    problem = _first_problem(settings)
    if problem:
        raise SettingsError(f"{path}: {problem}")
    folder = settings.results.folder
    if folder:
        # A relative folder is taken from where the file lies, so that a file and its folder can be moved together.
        absolute = str((path.parent / Path(folder).expanduser()).absolute())
        settings = msgspec.structs.replace(settings, results=msgspec.structs.replace(settings.results, folder=absolute))
    return settings


def read_own(path: Path) -> Own:
    """The person's own choices; all defaults while there is no file. Raises SettingsError."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return Own()
    except OSError as error:
        raise SettingsError(f"{path}: can't be read ({error.strerror}). Check the file's permissions.") from error
    try:
        own = msgspec.json.decode(content, type=Own)
    except msgspec.DecodeError as error:
        raise SettingsError(
            f"{path}: {_explain(str(error))} Correct it, or delete the file to start from the firm's settings."
        ) from error
    problem = _own_problem(own)
    if problem:
        raise SettingsError(f"{path}: {problem}")
    return own


def write_own(path: Path, own: Own) -> None:
    """Checked, then replaced in one step: a crash leaves the old file or the new one."""
    problem = _own_problem(own)
    if problem:
        raise SettingsError(problem)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".new")
    with open_private(beside) as file:
        file.write(msgspec.json.format(msgspec.json.encode(own), indent=2) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def _own_problem(own: Own) -> str:
    problem = _first_problem(overlay(Settings(practice=Practice(system="xero-practice-manager")), own))
    return problem or _months_problem("audit_keep_months", own.audit_keep_months)


def overlay(settings: Settings, own: Own) -> Settings:
    """The firm's settings with the person's own choices laid over them."""
    costs = {name: getattr(own, name) for name in Costs.__struct_fields__ if getattr(own, name, None) is not None}
    replaced = msgspec.structs.replace(settings, costs=msgspec.structs.replace(settings.costs, **costs))
    if own.system is not None:
        replaced = msgspec.structs.replace(replaced, practice=Practice(system=own.system))
    if own.results_folder is not None:
        replaced = msgspec.structs.replace(replaced, results=msgspec.structs.replace(replaced.results, folder=own.results_folder))
    if own.audit_keep_months is not None and settings.audit.person_may_choose:
        kept = msgspec.structs.replace(settings.audit, keep_months=own.audit_keep_months)
        replaced = msgspec.structs.replace(replaced, audit=kept)
    return replaced


def require_client(settings: Settings, system: str, file: Path) -> None:
    """The values that only signing in needs. Raises SettingsError naming the key."""
    section, needed = {
        "xero-practice-manager": (settings.xero, ("client_id", "redirect_ports")),
        "workflowmax": (settings.workflowmax, ("client_id", "redirect_uri")),
        "smokeball": (settings.smokeball, ("client_id", "redirect_uri", "api_key")),
    }[system]
    name = {"xero-practice-manager": "xero"}.get(system, system)
    for key in needed:
        if not getattr(section, key):
            raise SettingsError(
                f"{file}: {name}.{key} is missing. Signing in needs it: enter the value from the vendor's developer portal."
            )


PLACEHOLDERS = frozenset({"service", "reference", "order_id", "state", "ordered_by", "date"})

_EXPECTED = re.compile(r"^(?P<what>.*?)(?: - at `(?P<where>\$[^`]*)`)?$", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `([^`]+)`")
_UNKNOWN = re.compile(r"Object contains unknown field `([^`]+)`")
_HOST = re.compile(r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?$", re.IGNORECASE)


def _explain(message: str) -> str:
    """msgspec's words, with the key named the way it stands in the file."""
    match = _EXPECTED.match(message)
    what, where = (match["what"], match["where"] or "$") if match else (message, "$")
    where = where.removeprefix("$").lstrip(".")
    if missing := _MISSING.search(what):
        key = f"{where}.{missing[1]}" if where else missing[1]
        key = "practice.system" if key == "practice" else key
        return f"{key} is missing. It is required" + (
            ': one of "xero-practice-manager", "workflowmax", "smokeball".' if key == "practice.system" else "."
        )
    if unknown := _UNKNOWN.search(what):
        key = f"{where}.{unknown[1]}" if where else unknown[1]
        section = _SECTIONS.get(where)
        names = section.__struct_fields__ if section else Settings.__struct_fields__
        return f"{key} is not a known key. Expected one of: {', '.join(names)}."
    section_name, _, key = where.partition(".")
    if where in ("audit.keep_months", "audit_keep_months"):
        return f"{where}: expected {_KEPT}."
    choices = get_args(get_type_hints(_SECTIONS[section_name])[key]) if key in _fields(section_name) else ()
    if choices and all(isinstance(choice, str) for choice in choices):
        return f"{where}: expected one of " + ", ".join(f'"{choice}"' for choice in choices) + "."
    for name, words in _WORDS.items():
        what = what.replace(f"`{name}`", words)
    return f"{where or 'the file'}: {what[:1].lower()}{what[1:]}."


def _fields(section_name: str) -> tuple[str, ...]:
    section = _SECTIONS.get(section_name)
    return section.__struct_fields__ if section else ()


_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "object": "a [section]",
    "array": "a list",
}


_SECTIONS: dict[str, type[msgspec.Struct]] = {
    "practice": Practice,
    "xero": Xero,
    "workflowmax": WorkflowMax,
    "smokeball": Smokeball,
    "infotrack": InfoTrack,
    "results": Results,
    "costs": Costs,
    "delivery": Delivery,
    "audit": Audit,
}

_KEPT = f'{KEPT_AT_LEAST} to {_KEPT_AT_MOST} months as a whole number, or "forever"'


def _months_problem(key: str, months: int | str | None) -> str:
    if not isinstance(months, int) or KEPT_AT_LEAST <= months <= _KEPT_AT_MOST:
        return ""
    why = " An audit trail is kept for a year at the least." if months < KEPT_AT_LEAST else ""
    return f"{key}: expected {_KEPT}, found {months}.{why}"


def _first_problem(settings: Settings) -> str:
    """What types can't say. Empty when all is well."""
    for name, section in _SECTIONS.items():
        values = getattr(settings, name)
        for key in section.__struct_fields__:
            value = getattr(values, key)
            if key.endswith("_url") and value and (problem := _url_problem(value)):
                return f"{name}.{key}: {problem}"
            if isinstance(value, float) and not math.isfinite(value):
                return f"{name}.{key}: expected a number."
            if key.endswith("_seconds") and value < 1:
                return f"{name}.{key}: expected 1 or more seconds, found {value:g}."
    if not settings.xero.redirect_ports:
        return "xero.redirect_ports: expected at least one port."
    for port in settings.xero.redirect_ports:
        if not 1 <= port <= 65535:
            return f"xero.redirect_ports: expected ports from 1 to 65535, found {port}."
    if settings.results.takeover_minutes < 0:
        return "results.takeover_minutes: expected 0 or more minutes."
    if settings.costs.markup_percent <= -100:
        return "costs.markup_percent: expected more than -100."
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,32}", settings.infotrack.retailer_tag):
        return "infotrack.retailer_tag: expected 1 to 32 letters, digits, '_', '-' or '.'."
    for host in settings.infotrack.hosts:
        if not _HOST.match(host) and host not in ("::1", "[::1]"):
            return f"infotrack.hosts: expected host names without https:// and path, found {host!r}."
    try:
        ZoneInfo(settings.infotrack.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return f'infotrack.timezone: {settings.infotrack.timezone!r} is unknown. Expected a name like "Australia/Sydney".'
    if problem := _months_problem("audit.keep_months", settings.audit.keep_months):
        return problem
    for key in ("description", "file_name"):
        pattern: str = getattr(settings.costs, key)
        if problem := pattern_problem(pattern):
            return f"costs.{key}: {problem}"
    return ""


def pattern_problem(pattern: str) -> str:
    """What is wrong with a description or file-name pattern; empty when it is fine."""
    try:
        fields = [(name, spec, conversion) for _, name, spec, conversion in string.Formatter().parse(pattern) if name is not None]
    except ValueError:
        return "a { or } is left open. Write names in braces, like {service}."
    for name, spec, conversion in fields:
        if name not in PLACEHOLDERS or spec or conversion:
            return f"{{{name}}} is not known. Expected: " + ", ".join("{" + known + "}" for known in sorted(PLACEHOLDERS)) + "."
    if not pattern.strip():
        return "is empty. Expected a pattern like {service} - {reference}."
    return ""


def _is_loopback(host: str) -> bool:
    """A name that begins with 127. may be anybody's; only the address itself counts."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _url_problem(text: str) -> str:
    try:
        url = urlsplit(text)
        host = url.hostname or ""
        _ = url.port
    except ValueError:
        return f"expected an address, found {text!r}."
    if url.scheme not in ("https", "http") or not host:
        return f"expected an address that begins with https://, found {text!r}."
    if url.username or url.password:
        return "an address may not hold a user name or password."
    if url.scheme == "http" and not _is_loopback(host):
        return "expected https:// (plain http is for this PC's own addresses only), because credentials travel there."
    return ""
