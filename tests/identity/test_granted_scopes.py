"""What of the asked-for scopes must have been granted for a sign-in to be of use."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

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


@pytest.mark.parametrize("spelled", [list, " ".join], ids=["list", "text"])
def test_where_the_answer_names_no_scopes_the_token_s_own_count(spelled: Callable[[list[str]], object]) -> None:
    def told(*scopes: str) -> TokenSet:
        claims = base64.urlsafe_b64encode(json.dumps({"scope": spelled(list(scopes))}).encode()).rstrip(b"=").decode()
        return TokenSet(f"e30.{claims}.c2ln", "refresh", "", 1800, None)

    check_granted(ASKED, told("openid", "offline_access", "practicemanager.job"))
    with pytest.raises(AccessMissing, match=r"practicemanager\.job"):
        check_granted(ASKED, told("openid", "offline_access", "practicemanager.staff.read"))
