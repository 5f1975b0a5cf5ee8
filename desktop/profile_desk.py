"""One profile's desk for the windows: opened on a worker thread, and the door to the person's settings.

What opening needs is imported when the desk is opened, so that it adds nothing to the windows' start.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

from desktop.places import Places
from desktop.services.desk import ActionFailed, Desk
from desktop.ui.own_settings import LoadedSettings, Notifications, OwnSettings

if TYPE_CHECKING:
    from desktop.services.office import Office
    from desktop.services.order_desk import WindowOptions
    from desktop.settings import Own, Settings


class ProfileDesk:
    """Opens one profile's desk, and is the door to its settings (SettingsDoor)."""

    def __init__(self, platform: str | None, where: Places, *, window: WindowOptions | None = None) -> None:
        self._platform = platform
        self.where = where
        self._window = window
        self.office: Office | None = None
        self._notifications: Notifications = "errors"
        self._shortcut = ""
        self._matters_in_notices = False

    def open(self, changed: Callable[[], None]) -> Desk:
        """On a worker thread, after the icon shows. Raises ActionFailed with a sentence."""
        from desktop.logs import log_to, report_crashes_to
        from desktop.services.errors import ServiceError
        from desktop.services.ledger.errors import LedgerError
        from desktop.services.office import open_office
        from desktop.settings import SettingsError, find_platform_file, overlay

        log_to(self.where.logs, "tray")
        report_crashes_to(self.where.crashes)
        try:
            file = find_platform_file(self._platform, self.where, os.environ)
            firm, own = self._read()
            self._remember(own)
            office = open_office(overlay(firm, own), file, self.where, changed=changed, window=self._window, proxy=_system_proxy)
        except (SettingsError, LedgerError, ServiceError) as error:
            raise ActionFailed(str(error)) from error
        self.office = office
        office.start_background()
        return office

    def close(self) -> None:
        if self.office is not None:
            self.office.close()

    def come_to_rest(self) -> int:
        """On a worker thread. Begins no delivery for a while; gives how many things are in flight (Background.come_to_rest)."""
        background = self.office.background if self.office is not None else None
        return background.come_to_rest() if background is not None else 0

    def notices_wanted(self) -> Notifications:
        """The person's wish as it is now; from memory."""
        return self._notifications

    def shortcut_wanted(self) -> str:
        """The keys that the person chose, empty for none; from memory."""
        return self._shortcut

    def matters_in_notices(self) -> bool:
        """Whether tray notices may name matters; from memory."""
        return self._matters_in_notices

    def _remember(self, own: Own) -> None:
        self._notifications = own.notifications
        self._shortcut = own.shortcut
        self._matters_in_notices = own.matters_in_notices

    # the settings' door

    def load(self) -> LoadedSettings:
        from desktop import autostart
        from desktop.services.identity.vendors import client_id_of
        from desktop.settings import SYSTEMS, SettingsError, overlay

        try:
            firm, own = self._read()
        except SettingsError as error:
            raise ActionFailed(str(error)) from error
        settings = overlay(firm, own)
        costs = settings.costs
        values = OwnSettings(
            system=settings.practice.system,
            code_taxed=costs.code_taxed,
            code_untaxed=costs.code_untaxed,
            amounts=costs.amounts,
            markup_percent=Decimal(str(costs.markup_percent)),
            billable=costs.billable,
            description=costs.description,
            file_name=costs.file_name,
            folder=costs.folder,
            review=costs.review,
            results_folder=settings.results.folder,
            notifications=own.notifications,
            # As the PC does it: setup, IT or the desktop's own settings may have switched it.
            start_at_sign_in=autostart.starts_at_sign_in(),
            shortcut=own.shortcut,
            matters_in_notices=own.matters_in_notices,
        )
        # Those that IT has set up; the firm's own is offered in any case, so that what is missing can be told.
        set_up = tuple(system for system in SYSTEMS if client_id_of(system, settings))
        return LoadedSettings(
            values,
            tuple(dict.fromkeys((firm.practice.system, *set_up))),
            locked=frozenset({"start_at_sign_in"}) if autostart.is_decided_for_everybody() else frozenset(),
            proxy=_proxy_words(settings.infotrack.api_url),
        )

    def save(self, values: OwnSettings) -> None:
        import msgspec

        from desktop import autostart
        from desktop.settings import SettingsError, overlay, write_own

        try:
            firm, before = self._read()
            own = msgspec.structs.replace(
                own_of(values, firm), invoice_columns=before.invoice_columns, audit_keep_months=before.audit_keep_months
            )
            write_own(self.where.own_settings, own)
        except SettingsError as error:
            raise ActionFailed(str(error)) from error
        except OSError as error:
            raise ActionFailed(
                f"The settings could not be stored ({error.strerror}). Look whether the disk is full, then save again."
            ) from error
        self._remember(own)
        if self.office is not None:
            self.office.use(overlay(firm, own))
        try:
            if own.start_at_sign_in != autostart.starts_at_sign_in():
                autostart.set_autostart(own.start_at_sign_in)
        except OSError as error:
            raise ActionFailed(
                f"The settings are stored; only whether iConnect starts when you sign in could not be changed ({error.strerror}). "
                "Ask your firm's IT."
            ) from error

    def _read(self) -> tuple[Settings, Own]:
        from desktop.settings import find_platform_file, read_own, read_platform

        file = find_platform_file(self._platform, self.where, os.environ)
        return read_platform(file), read_own(self.where.own_settings)


def own_of(values: OwnSettings, firm: Settings) -> Own:
    """What the person chose otherwise than the firm: only that is stored, so that a later change by IT reaches the rest."""
    import msgspec

    from desktop.settings import Own

    chosen: dict[str, object] = {
        name: getattr(values, name) for name in ("notifications", "start_at_sign_in", "shortcut", "matters_in_notices")
    }
    firm_values = {
        "system": firm.practice.system,
        "results_folder": firm.results.folder,
        **{
            name: getattr(firm.costs, name)
            for name in ("code_taxed", "code_untaxed", "amounts", "billable", "description", "file_name", "folder", "review")
        },
    }
    for name, firms in firm_values.items():
        value = getattr(values, name)
        if value != firms:
            chosen[name] = value
    if values.markup_percent != Decimal(str(firm.costs.markup_percent)):
        chosen["markup_percent"] = float(values.markup_percent)
    return msgspec.convert(chosen, Own)


def _proxy_words(address: str) -> str:
    proxy = _system_proxy(address)
    if proxy is None:
        return "This PC's own settings name no proxy: iConnect connects directly."
    return f"iConnect uses the proxy that this PC's own settings name: {proxy.removeprefix('http://')}."


def _system_proxy(address: str) -> str | None:
    """The proxy that the operating system (also by a PAC file) names for this address; None: go direct."""
    from PySide6.QtCore import QUrl
    from PySide6.QtNetwork import QNetworkProxy, QNetworkProxyFactory, QNetworkProxyQuery

    for proxy in QNetworkProxyFactory.systemProxyForQuery(QNetworkProxyQuery(QUrl(address))):
        if proxy.type() == QNetworkProxy.ProxyType.NoProxy:
            return None
        if proxy.type() in (QNetworkProxy.ProxyType.HttpProxy, QNetworkProxy.ProxyType.HttpCachingProxy):
            return f"http://{proxy.hostName()}:{proxy.port()}"
    return None
