"""Controls of the WorkflowMax stand-in beside those that all systems share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask, jsonify, request

from sandbox.workflowmax_books import MAIN_ORGANISATION, Draft, Organisation, Organisations

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue


def add_workflowmax_controls(controls: Flask, organisations: Organisations) -> None:
    """Deleting and restoring a job, and planting an estimate among its costs."""

    @controls.post("/api/jobs/<path:number>/<any(delete,restore):what>")
    def delete(number: str, what: str) -> ResponseReturnValue:
        firm = _firm(organisations)
        job = firm.job(number)
        if job is None:
            raise ValueError(f"there is no job {number}")
        firm.delete_job(job.number, back=what == "restore")
        return jsonify(number=job.number, deleted=job.number in firm.deleted)

    @controls.post("/api/jobs/<path:number>/estimate")
    def estimate(number: str) -> ResponseReturnValue:
        """An estimate with any note at all, a delivery key included."""
        firm, body = _firm(organisations), request.get_json(force=True, silent=True) or {}
        job = firm.job(number)
        if job is None:
            raise ValueError(f"there is no job {number}")
        amount = str(body.get("amount", "40.00"))
        day = f"{job.created:%Y%m%d}"
        draft = Draft(day, "Searches, estimated", "", str(body.get("note", "")), "1", amount, amount, actual=False)
        return jsonify(uuid=firm.post(job, draft, "Sam Reid").uuid), 201


def _firm(organisations: Organisations) -> Organisation:
    firm = organisations.get(request.args.get("tenant", MAIN_ORGANISATION))
    if firm is None:
        raise ValueError("there is no such organisation")
    return firm
