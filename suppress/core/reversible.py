"""Which entries a correction may strike out: what staff made, never what a person did. Pure.

Rules kept here:

* What people did themselves (an unsubscribe link, a complaint) and what a platform reports is ended by their
  own consent and by nothing else, whoever says that it was a mistake.
* The same goes for a request that somebody took by phone or letter, as far as there is evidence of it. Where
  the word of whoever typed it is all there is, that word may be taken back: the wrong Pat was typed in.
* A row of a list is what the list says. Where it says that people asked, they did; so does another system's
  own export, also where it does not say who acted. Where a list that somebody mapped says nothing, or any
  list that staff or a bounce put them there, it is the claim of whoever brought it.
* Striking out a consent, or a correction of an opt-out, suppresses again. That is always allowed.
"""

from __future__ import annotations

from collections.abc import Mapping

from suppress.core.entry import (
    Body,
    Corrected,
    DomainSuppressed,
    OptInRecorded,
    OptOutRecorded,
    WaiverRecorded,
)
from suppress.core.suppression import Json, Origin, Reason

STAFF_MADE = frozenset({Reason.ACCOUNT, Reason.UNKNOWN, Reason.BOUNCED})
"""Reasons that are nobody's own act."""

CONSENT = "suppress consent ADDRESS --at … --evidence FILE --approver NAME"


def is_staff_made(body: OptOutRecorded, payload: Mapping[str, Json]) -> bool:
    """Whether an opt-out is the claim of staff, and no act of the person."""
    match body.origin:
        case Origin.PLATFORM:
            return False
        case Origin.PERSON:
            return body.reason in STAFF_MADE or body.reason is Reason.REQUESTED
        case Origin.FILE:
            exported = _evidence(payload).get("profile") is not None
            return body.reason in STAFF_MADE and not (exported and body.reason is Reason.UNKNOWN)


def objection(
    body: Body, payload: Mapping[str, Json] | None, corrected: Body | None
) -> tuple[str, str] | None:
    """Why an entry may not be struck out, and what to do instead; None when it may.

    `payload` is that of the entry, `corrected` the entry that it corrects, if it is a correction.
    """
    match body:
        case OptOutRecorded() if body.origin is Origin.PLATFORM:
            return f"the platform of the source {body.source!r} reported it, and will again", CONSENT
        case OptOutRecorded():
            return _objection(body, payload)
        case OptInRecorded():
            return None
        case Corrected() if isinstance(corrected, OptOutRecorded):
            return None
        case Corrected() if isinstance(corrected, OptInRecorded):
            return "it struck out a consent, which would lift again", CONSENT
        case DomainSuppressed():
            return "it is a rule for a domain", "suppress domain lift DOMAIN"
        case WaiverRecorded():
            return "it is a waiver", "suppress waiver end ADDRESS"
        case _:
            return f"an entry of type {body.type} is a record of what was done", "suppress show ADDRESS"


def _objection(body: OptOutRecorded, payload: Mapping[str, Json] | None) -> tuple[str, str] | None:
    if payload is None:
        return "the person was erased, so nothing shows any more what it was", CONSENT
    if not is_staff_made(body, payload):
        return f"it is what the person did ({body.reason}); only their later consent lifts it", CONSENT
    if body.origin is Origin.PERSON and _evidence(payload).get("sha256"):
        return "there is evidence that the person asked for it; only their later consent lifts it", CONSENT
    return None


def _evidence(payload: Mapping[str, Json]) -> Mapping[str, Json]:
    found = payload.get("evidence")
    return found if isinstance(found, Mapping) else {}
