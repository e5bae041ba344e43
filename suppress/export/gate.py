"""What personal data may leave for, to whom, and on what basis: asked before anything is read or sent."""

from __future__ import annotations

from collections.abc import Mapping

from suppress.errors import BadUsage

PURPOSES: Mapping[str, str] = {
    "suppression compliance": "the recipient stops mailing these people",
    "compliance audit": "an auditor examines whether requests were honoured",
    "regulator request": "an authority asked for the list",
    "court order": "a court asked for the list",
}
"""The only purposes that the list may leave for."""

BASIS = "compliance with law, 15 U.S.C. 7704(a)(4)(A)(iv)"
"""The exception that admits these purposes, where no law or contract of one's own is named."""
LONGEST = 200
"""Characters of a recipient or a basis."""


def require_compliance(purpose: str, recipient: str, basis: str) -> None:
    """Refuse what the law does not admit, and what may not be written into the ledger for good.

    Raises:
        BadUsage: A purpose that is none of `PURPOSES`; a recipient or a basis that is empty, no plain text,
            or holds an address.
    """
    if purpose not in PURPOSES:
        raise BadUsage(
            f"{purpose!r} is no purpose that these addresses may leave for; the law admits only compliance",
            remedy=f"--purpose with one of: {', '.join(PURPOSES)}",
        )
    if not _writable(recipient):
        raise BadUsage("a recipient is an organisation or system, not a person's address")
    if not _writable(basis):
        raise BadUsage(
            "a basis is the name of a law or a contract, without anybody's address",
            remedy='--basis "data processing agreement of 2026-03-01"',
        )


def _writable(text: str) -> bool:
    return bool(text.strip()) and text.isprintable() and "@" not in text and len(text) <= LONGEST
