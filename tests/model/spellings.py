"""Every wire that the simulation speaks: a further practice system takes part with one class and one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.model.json_remote import WorkflowMaxJsonSpelling
from tests.model.remote import PracticeManagerSpelling, Spelling, WorkflowMaxSpelling
from tests.model.smokeball_remote import SmokeballSpelling

SPELLINGS: Mapping[str, Callable[[], Spelling]] = {
    "xero-practice-manager": PracticeManagerSpelling,
    "workflowmax-v1": WorkflowMaxSpelling,
    "workflowmax-v2": WorkflowMaxJsonSpelling,
    "smokeball": SmokeballSpelling,
}
