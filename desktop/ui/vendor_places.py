"""Where in a vendor's own menus the things are that iConnect asks a person to change, and where an account comes from.

The ways are the vendors' and other products' published ones; screens change, so each is shown beside the words of the cure.
"""

from __future__ import annotations

from dataclasses import dataclass

from desktop.ui.language import tr


@dataclass(frozen=True, slots=True)
class Way:
    """`steps` are menu entries in the order of clicking; `then` says what to do at the end; `who` is allowed to."""

    steps: tuple[str, ...]
    then: str
    who: str


@dataclass(frozen=True, slots=True)
class VendorPlace:
    """What a firm needs of one practice system. `account`: where an account comes from. `once`: what IT does once for the
    firm. `ways`: what an administrator does for each person. `sign_in`: what the person will be asked for."""

    account: str
    once: str
    ways: tuple[Way, ...]
    sign_in: str


_PLACES = {
    "xero-practice-manager": VendorPlace(
        account=tr(
            "Practice Manager belongs to a Xero practice: your firm's Xero administrator invites you, and Xero sends the "
            "invitation by e-mail. Firms without it find it in the Xero App Store."
        ),
        once=tr(
            "IT registers one app of the kind «mobile or desktop app» at developer.xero.com and puts its client id into the "
            "platform file."
        ),
        ways=(
            Way(
                ("Business", "Settings", "Staff", tr("your name"), "API access privileges"),
                tr("Tick «Full» and «Authorise 3rd Party Full Access»."),
                tr("a Practice Manager administrator, for each person"),
            ),
            Way(
                ("Staff", tr("your name"), "Permissions", "Practice administration"),
                tr("On newer screens: switch on «Connect third-party add-ons»."),
                tr("a Practice Manager administrator, for each person"),
            ),
        ),
        sign_in=tr("Xero asks for your password and for the code of your authenticator app, then which practice iConnect may use."),
    ),
    "workflowmax": VendorPlace(
        account=tr(
            "Your firm's WorkflowMax administrator adds you as staff and sends the invitation. Firms without WorkflowMax "
            "sign up with the vendor."
        ),
        once=tr(
            "IT registers one app in WorkflowMax's developer portal and puts its client id, client secret and redirect address "
            "into the platform file."
        ),
        ways=(
            Way(
                ("Business", "Settings", "Staff", tr("your name"), "Privileges"),
                tr("Tick «Authorise 3rd Party Full Access»."),
                tr("a WorkflowMax administrator, for each person"),
            ),
        ),
        sign_in=tr(
            "WorkflowMax asks for your password, for a code where your firm uses one, and which organisation iConnect may use."
        ),
    ),
    "smokeball": VendorPlace(
        account=tr("Your firm's Smokeball administrator adds you as a user; sign in to Smokeball once before you connect."),
        once=tr(
            "IT registers one app at console.smokeball.com and puts its client id, client secret, API key, redirect address and "
            "the firm's region into the platform file."
        ),
        ways=(
            Way(
                ("console.smokeball.com", tr("the app"), "Scopes"),
                tr("Allow the scopes that the test names, then connect again."),
                tr("the firm's IT, once"),
            ),
            Way(
                ("File", "Smokeball Settings", "Integrated Searching", "InfoTrack", "Authorise"),
                tr("Where the firm also orders from inside Smokeball: authorise InfoTrack there."),
                tr("each person"),
            ),
        ),
        sign_in=tr("Smokeball asks for your password and for a code where your firm uses one."),
    ),
}


def vendor_place(system: str) -> VendorPlace | None:
    """None for a practice system that nothing is known of."""
    return _PLACES.get(system)
