"""A settings door in memory."""

from __future__ import annotations

from desktop.services.desk import ActionFailed
from desktop.ui.own_settings import LoadedSettings, OwnSettings


class FakeSettings:
    def __init__(self, values: OwnSettings | None = None, *, locked: frozenset[str] = frozenset()) -> None:
        self.values = values or OwnSettings("xero-practice-manager", code_taxed="DISB-GST", code_untaxed="DISB-FREE")
        self.locked = locked
        self.problem = ""
        self.saved: list[OwnSettings] = []

    def load(self) -> LoadedSettings:
        return LoadedSettings(
            self.values, ("xero-practice-manager", "workflowmax"), self.locked, "iConnect uses the proxy proxy.firm.example:8080."
        )

    def save(self, values: OwnSettings) -> None:
        if self.problem:
            raise ActionFailed(self.problem)
        self.saved.append(values)
        self.values = values
