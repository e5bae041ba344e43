"""What a contact says of SMS: an opt-out of its own channel, which says nothing about e-mail.

Rules kept here:

* Permissions of the two channels never answer for one another: only `sms_channel` is read here.
* The subject is the person's e-mail address, as everywhere; a contact without one is counted and said, since
  nothing could find the entry again. Why: `docs/decisions/0013-sms-and-campaigns.md`.
* One consent that says `unsubscribed` is enough; its number and dates go into the evidence as received.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b

from suppress.core.reconcile import Observed, Permission
from suppress.core.suppression import Channel, Json, Reason
from suppress.platforms.constant_contact.dates import moment
from suppress.platforms.constant_contact.wire import NotAsPromised, Row, as_text, kind_of, raw

CHANNEL = "sms_channel"
_OF_CHANNEL = ("sms_channel_id", "sms_address", "dial_code", "country_code", "create_source", "update_source")
_PERMISSIONS: Mapping[str, Permission] = {
    "unsubscribed": Permission.OPTED_OUT,
    "explicit": Permission.MAILABLE,
}
_REASONS: Mapping[str, Reason] = {"contact": Reason.UNSUBSCRIBED, "account": Reason.ACCOUNT}


def observed(contact: object, row: Row) -> Observed | None:
    """What the contact of `row` says of SMS; None if it says nothing.

    Raises:
        NotAsPromised: A consent is no object, or its permission is of another kind than text.
    """
    channel = contact.get(CHANNEL) if isinstance(contact, dict) else None
    if channel is None:
        return None
    if not isinstance(channel, dict):
        raise NotAsPromised(f"expected an {CHANNEL} object, found {kind_of(channel)}")
    consents = channel.get("sms_channel_consents")
    found = [_consent(each) for each in consents] if isinstance(consents, list) else []
    if not found:
        return None
    # The strictest first; of two opt-outs, the one that came first.
    permission, consent = min(found, key=lambda each: (_ORDER[each[0]], str(each[1].get("opt_out_date"))))
    if row.observed.deleted and permission is Permission.MAILABLE:
        permission = Permission.HELD
    contact_id = row.observed.fingerprint[:1]
    evidence = {name: value for name, value in row.observed.evidence.items() if name in _OF_ROW}
    return replace(
        row.observed,
        channel=Channel.SMS,
        permission=permission,
        word=as_text(consent.get("sms_consent_permission")),
        reason=_REASONS.get(as_text(channel.get("update_source")).strip().casefold(), Reason.UNKNOWN),
        opted_out_at=moment(consent.get("opt_out_date")),
        changed_at=moment(consent.get("updated_at")),
        fingerprint=(*contact_id, "sms", as_text(consent.get("opt_out_date"))),
        evidence={**evidence, **_evidence(channel, consent)},
    )


_ORDER = {Permission.OPTED_OUT: 0, Permission.HELD: 1, Permission.MAILABLE: 2}
_OF_ROW = ("contact_id", "address", "deleted_at", "query", "fetched_at")


def _consent(value: object) -> tuple[Permission, Mapping[str, object]]:
    if not isinstance(value, dict):
        raise NotAsPromised(f"expected an SMS consent, found {kind_of(value)}")
    word = value.get("sms_consent_permission")
    if word is not None and not isinstance(word, str):
        raise NotAsPromised(f"expected a text as sms_consent_permission, found {kind_of(word)}")
    return _PERMISSIONS.get((word or "").strip().casefold(), Permission.HELD), value


def _evidence(channel: Mapping[str, object], consent: Mapping[str, object]) -> dict[str, Json]:
    found: dict[str, Json] = {
        f"sms.{name.removeprefix('sms_')}": raw(channel[name])
        for name in _OF_CHANNEL
        if channel.get(name) is not None
    }
    for name, value in consent.items():
        if value is not None:
            found[f"sms.{name}"] = raw(value)
    return found


@dataclass(slots=True)
class Texts:
    """Everyone of whom a run heard something about SMS."""

    seen: set[int] = field(default_factory=set)
    """Digests of what was said, so that a second walk says nothing again."""
    opted_out: set[int] = field(default_factory=set)
    without_address: set[int] = field(default_factory=set)
    unshown: int = 0
    """Rows of a query for SMS that hid what they were found by."""

    def hear(self, contact: object, row: Row) -> Observed | None:
        """What to pass on of this row: nothing that this run knows, nor anything without an address.

        Raises:
            NotAsPromised: What it says of SMS cannot be read.
        """
        found = observed(contact, row)
        if found is None or found.permission is Permission.HELD:
            return None
        key, said = _digest(row.identity), _digest(f"{row.identity}\n{found.word}\n{found.fingerprint}")
        if found.permission is Permission.OPTED_OUT:
            self.opted_out.add(key)
            if found.address is None:
                self.without_address.add(key)
        if found.address is None or said in self.seen:
            return None
        self.seen.add(said)
        return found


def _digest(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")
