"""The platform file and the person's own settings, checked and frozen.

The platform file (contracts, section 1) is deployed by IT; the person's own file is written by the Settings window and
may override what `OWN_SECTIONS` lists. Every error names the file, the key, and what is expected.
"""

from __future__ import annotations

from typing import Literal

import msgspec

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
