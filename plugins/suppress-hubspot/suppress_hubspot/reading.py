"""What HubSpot's words mean: who is opted out of everything, and what a write changed. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from suppress.plugin.contract import Evidence, Observation, Outcome, Remote
from suppress.plugin.errors import ContractBroken
from suppress_hubspot import wire


def observed(
    address: str, found: Sequence[wire.Wide], unit: int | None, evidence: Evidence | None
) -> Observation:
    """What an account holds for an address, by its opt-outs of everything.

    Only the opt-out of the whole account stops the whole account. One of a brand stops that brand, and counts
    where this brand is all that the destination is about.
    """
    for each in found:
        portal = each.kind == wire.PORTAL_WIDE
        brand = unit is not None and each.kind == wire.BUSINESS_UNIT_WIDE and each.unit == unit
        if each.status == wire.UNSUBSCRIBED and (portal or brand):
            return Observation(address, Remote.SUPPRESSED, each.kind, each.at, evidence)
    # The preference belongs to the address. Without one it is mailed as soon as somebody makes a contact.
    return Observation(address, Remote.MAILABLE, evidence=evidence)


def settled(found: Sequence[wire.Status]) -> Outcome | None:
    """What a write did by its own answer; None where the answer does not say, so that it must be read.

    Raises:
        ContractBroken: It says that somebody was subscribed.
    """
    if any(each.change == wire.RESUBSCRIBED for each in found):
        raise ContractBroken(
            "HubSpot says that an opt-out subscribed somebody; look at this account's history"
        )
    if not found or any(each.status != wire.UNSUBSCRIBED for each in found):
        return None
    unchanged = all(each.change == wire.NO_CHANGE for each in found)
    return Outcome.ALREADY if unchanged else Outcome.SUPPRESSED
