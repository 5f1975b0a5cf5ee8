"""Where a practice system shows a matter in the browser. Only addresses that were seen somewhere: a guessed one would lead a
person to nowhere, or to another firm's page.

Smokeball: seen in the links of its Australian web application. Xero Practice Manager gives an address with single records
only, which the local copy does not hold; WorkflowMax documents none."""

from __future__ import annotations

import re

_MATTER_PAGES = {("smokeball", "au"): "https://app.smokeball.com.au/#/billing/view-matter/{id}"}


def job_address(system: str, matter_id: str, *, region: str = "") -> str:
    """Empty where no address is known."""
    page = _MATTER_PAGES.get((system, region))
    if page is None or not re.fullmatch(r"[A-Za-z0-9-]{1,64}", matter_id):
        return ""
    return page.format(id=matter_id)
