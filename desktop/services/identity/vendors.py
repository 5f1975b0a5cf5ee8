"""Which vendor stands behind which practice system's contract name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from desktop.services.http import Http
from desktop.services.identity import xero
from desktop.services.identity.model import Vendor
from desktop.settings import Settings

_TITLES = {xero.SYSTEM: xero.TITLE, "workflowmax": "WorkflowMax", "smokeball": "Smokeball"}


def title_of(system: str) -> str:
    return _TITLES[system]


def client_id_of(system: str, settings: Settings) -> str:
    return {
        xero.SYSTEM: settings.xero.client_id,
        "workflowmax": settings.workflowmax.client_id,
        "smokeball": settings.smokeball.client_id,
    }[system]


def secret_of(system: str, settings: Settings) -> str:
    return {
        xero.SYSTEM: settings.xero.client_secret,
        "workflowmax": settings.workflowmax.client_secret,
        "smokeball": settings.smokeball.client_secret,
    }[system]


def vendor_for(system: str, settings: Settings, http: Http, *, clock: Callable[[], datetime], secret: str) -> Vendor:
    """Raises KeyError for a name that is none of the contract's."""
    return {xero.SYSTEM: lambda: xero.vendor(settings.xero, http, clock=clock, secret=secret)}[system]()
