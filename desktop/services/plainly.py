"""Every expected failure of the services as one sentence for a person (desk.ActionFailed)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from desktop.services.desk import ActionFailed, NotConnected
from desktop.services.errors import AccessMissing, ServiceError, SignedOut
from desktop.services.identity.model import SignInFailed
from desktop.services.infotrack.messages import MessageUnreadable
from desktop.services.infotrack.typed import TypedResultWrong
from desktop.services.ledger.errors import ActionRefused, LedgerError


@contextlib.contextmanager
def plainly() -> Iterator[None]:
    """Turns what the rooms raise on purpose into ActionFailed or NotConnected; anything else is a fault and passes."""
    try:
        yield
    except (SignedOut, SignInFailed) as error:
        raise NotConnected(str(error)) from error
    except AccessMissing as error:
        raise NotConnected(f"{error} {error.cure}".strip()) from error
    except (ActionRefused, LedgerError, MessageUnreadable, ServiceError, TypedResultWrong) as error:
        raise ActionFailed(str(error)) from error
