"""What of the asked-for scopes must have been granted for a sign-in to be of use."""

from __future__ import annotations

import pytest

from desktop.services.errors import AccessMissing
from desktop.services.identity.model import TokenSet
from desktop.services.identity.xero import check_granted
from desktop.settings import Xero

ASKED = Xero().scopes


def granted(*scopes: str) -> TokenSet:
    return TokenSet("opaque", "refresh", "", 1800, frozenset(scopes))


def test_clients_and_staff_are_a_convenience() -> None:
    check_granted(ASKED, granted("openid", "offline_access", "practicemanager.job"))


def test_the_old_broad_scope_covers_all() -> None:
    check_granted(ASKED, granted("openid", "offline_access", "practicemanager"))


def test_without_jobs_nothing_can_be_delivered() -> None:
    with pytest.raises(AccessMissing, match=r"practicemanager\.job"):
        check_granted(ASKED, granted("openid", "offline_access", "practicemanager.staff.read"))
