"""Which vendor stands behind which practice system's contract name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from desktop.services.errors import NotNow
from desktop.services.http import Http
from desktop.services.identity import smokeball, workflowmax, xero
from desktop.services.identity.model import Vendor
from desktop.settings import Settings, Smokeball, WorkflowMax, Xero

_TITLES = {xero.SYSTEM: xero.TITLE, workflowmax.SYSTEM: workflowmax.TITLE, smokeball.SYSTEM: smokeball.TITLE}


def title_of(system: str) -> str:
    return _TITLES.get(system, system)


def lasts(system: str) -> timedelta | None:
    """How long a refresh token is promised to live from its issue, whatever is done with it; None where use prolongs it."""
    return smokeball.LASTS if system == smokeball.SYSTEM else None


def client_id_of(system: str, settings: Settings) -> str:
    return _section(system, settings).client_id


def secret_of(system: str, settings: Settings) -> str:
    return _section(system, settings).client_secret


def vendor_for(system: str, settings: Settings, http: Http, *, clock: Callable[[], datetime], secret: str) -> Vendor:
    """Raises NotNow for a name that is none of the contract's."""
    section = _section(system, settings)
    if isinstance(section, Xero):
        return xero.vendor(section, http, clock=clock, secret=secret)
    if isinstance(section, WorkflowMax):
        return workflowmax.vendor(section, http, clock=clock, secret=secret)
    return smokeball.vendor(section, http, clock=clock, secret=secret)


def _section(system: str, settings: Settings) -> Xero | WorkflowMax | Smokeball:
    if system == xero.SYSTEM:
        return settings.xero
    if system == workflowmax.SYSTEM:
        return settings.workflowmax
    if system == smokeball.SYSTEM:
        return settings.smokeball
    raise NotNow(f"There is no practice system called {system}. Expected one of: {', '.join(_TITLES)}.")
