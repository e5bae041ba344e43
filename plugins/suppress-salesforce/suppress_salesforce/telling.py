"""Which addresses wait for which records, and what the org's answers mean for them.

An address is done when each of its records is, and what became of it is the worst of what became of them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field

from suppress.plugin.contract import Evidence, Outcome, Remote, Result
from suppress_salesforce.jobs import UNPROCESSED
from suppress_salesforce.records import Found, Record
from suppress_salesforce.wire import LOCKED

AGAIN = frozenset({LOCKED, UNPROCESSED, "SERVER_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED"})
"""Codes of records that may be taken later."""
_CONVERTED = "CANNOT_UPDATE_CONVERTED_LEAD"
_NO_MATTER = frozenset({_CONVERTED, "ENTITY_IS_DELETED"})
"""Codes of records that nobody is mailed by: a lead that was converted meanwhile, a record that is gone."""
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Waiting:
    address: str
    found: Found
    left: set[str]
    codes: list[str | None] = field(default_factory=list)
    evidence: Evidence | None = None


class Telling:
    """One part of a push: hand each record's end to `done`, and yield the results that it brings."""

    def __init__(self) -> None:
        self.records: dict[str, Record] = {}
        """What is to be written, by the first 15 characters of its id."""
        self._by_record: dict[str, list[_Waiting]] = {}

    def add(self, address: str, found: Found) -> None:
        """An address of which some records are still to be written."""
        waiting = _Waiting(address, found, {each.ident[:15] for each in found.to_write})
        for each in found.to_write:
            self.records[each.ident[:15]] = each
            self._by_record.setdefault(each.ident[:15], []).append(waiting)

    def knows(self, ident: str) -> bool:
        """Whether this record was handed over and has not ended."""
        return ident[:15] in self._by_record

    def done(self, ident: str, code: str | None, evidence: Evidence) -> Iterator[Result]:
        """One record has ended, with the vendor's `code` if it was refused."""
        if code is not None and code not in _NO_MATTER:
            # A person has to mend the record, and finds it by its id; ids are nobody's address.
            kind = self.records[ident[:15]].kind
            _log.warning("Salesforce refused to opt out %s %s: %s", kind, ident, code)
            evidence = _named(evidence, f"{evidence.endpoint} {code} {kind} {ident}")
        for waiting in self._by_record.pop(ident[:15]):
            waiting.left.discard(ident[:15])
            waiting.codes.append(code)
            if waiting.evidence is None or code is not None:
                waiting.evidence = evidence
            if not waiting.left:
                yield Result(
                    waiting.address, _outcome(waiting), before=Remote.MAILABLE, evidence=waiting.evidence
                )

    def unanswered(self) -> list[str]:
        """Records of which nothing was said."""
        return [self.records[each].ident for each in self._by_record]


def _named(evidence: Evidence, endpoint: str) -> Evidence:
    return Evidence(
        endpoint,
        status=evidence.status,
        request_id=evidence.request_id,
        request_digest=evidence.request_digest,
        response_digest=evidence.response_digest,
        vendor_time=evidence.vendor_time,
        attempts=evidence.attempts,
    )


def _outcome(waiting: _Waiting) -> Outcome:
    refused = [code for code in waiting.codes if code is not None and code not in _NO_MATTER]
    if any(code not in AGAIN for code in refused):
        return Outcome.REJECTED_PERMANENT
    if refused:
        return Outcome.RETRY_LATER
    if any(code is None for code in waiting.codes):
        return Outcome.SUPPRESSED
    # All that was to be written is converted or gone; what is left decides when it is read back.
    left = len(waiting.found.records) > len(waiting.codes) or _CONVERTED in waiting.codes
    return Outcome.NOT_MAILABLE if left else Outcome.SKIPPED_UNKNOWN
