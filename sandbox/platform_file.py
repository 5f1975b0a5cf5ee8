"""The platform file (contracts, section 1) that points a product at a running sandbox, and the file of its addresses."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence


def platform_toml(sections: Mapping[str, Mapping[str, object]]) -> str:
    """TOML of tables that hold text, numbers, truth values and lists of them."""
    lines = ["# Written by the sandbox: every address in here is a stand-in on loopback."]
    for name, values in sections.items():
        lines += ["", f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in values.items())]
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(
            value, ensure_ascii=False
        )  # a JSON string is a TOML basic string, but for code points that never occur here
    if isinstance(value, Sequence):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return str(value)


def sections(
    *,
    addresses: Mapping[str, str],
    client_id: str,
    redirect_ports: Sequence[int],
    drop_folder: str,
    practice: str = "xero-practice-manager",
    workflowmax: Mapping[str, object] | None = None,
) -> dict[str, dict[str, object]]:
    """The tables of the platform file for these addresses. Waiting times are short: this is a demo, not a firm.

    `practice` may be `workflowmax-v1`, which is WorkflowMax by its older interface."""
    identity, api, infotrack = addresses["identity"], addresses["api"], addresses["infotrack"]
    others: dict[str, dict[str, object]] = {}
    if workflowmax is not None:
        others["workflowmax"] = {
            "client_id": workflowmax["client_id"],
            "client_secret": workflowmax["client_secret"],
            "api": "v1" if practice == "workflowmax-v1" else "v2",
            "redirect_uri": workflowmax["redirect_uri"],
            "authorize_url": f"{workflowmax['identity']}/oauth/authorize",
            "token_url": f"{workflowmax['identity']}/oauth/token",
            "api_url": f"{workflowmax['api']}/",
        }
    return {
        "practice": {"system": practice.removesuffix("-v1")},
        "xero": {
            "client_id": client_id,
            "redirect_ports": list(redirect_ports),
            "authorize_url": f"{identity}/identity/connect/authorize",
            "token_url": f"{identity}/connect/token",
            "revocation_url": f"{identity}/connect/revocation",
            "connections_url": f"{api}/connections",
            "api_url": f"{api}/practicemanager/3.1/",
        },
        **others,
        "infotrack": {
            "api_url": f"{infotrack}/v1/",
            "hosts": ["127.0.0.1", "localhost"],
            "retailer_tag": "ICONNECT1",
            "timezone": "Australia/Sydney",
        },
        "results": {"folder": drop_folder, "pull_url": f"{infotrack}/v1/messages", "poll_seconds": 2, "takeover_minutes": 30},
        "costs": {"code_taxed": "DISB-GST", "code_untaxed": "DISB-FREE"},
        "delivery": {"quiet_seconds": 3, "reread_seconds": 1, "connect_timeout_seconds": 5, "read_timeout_seconds": 10},
    }
