"""What is to be sent: the question that a check asks of everybody in a list.

Rules kept here:

* An opt-out binds commercial mail. Mail that only completes or confirms what the person themselves began,
  or tells about their account, is exempt (*transactional or relationship message*, 15 U.S.C. 7702(17)); it
  is for the sender to classify, and the check's entry says who did.
* A hard bounce is no opt-out: the mailbox does not exist, and no message reaches it. It binds all mail.
* The default question is the widest: commercial mail, of any sender, for no purpose that a waiver names.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from suppress.core.suppression import EVERYTHING, Channel, Reason, Scope


class MessageClass(StrEnum):
    """What kind of message the law takes it for."""

    COMMERCIAL = "commercial"
    TRANSACTIONAL = "transactional"

    def bound_by(self, reason: Reason) -> bool:
        """Whether a suppression for this reason forbids such a message."""
        return self is MessageClass.COMMERCIAL or reason is Reason.BOUNCED


@dataclass(frozen=True, slots=True)
class Mailing:
    """One kind of mail: over which channel, of which sender, of which class, for which purpose."""

    channel: Channel = Channel.EMAIL
    target: Scope = EVERYTHING
    message_class: MessageClass = MessageClass.COMMERCIAL
    purpose: str | None = None
    """In the words of a waiver. Without it no waiver counts."""

    @property
    def terms(self) -> dict[str, str]:
        """How it differs from the widest question, by name: what the record of a check says."""
        said = {
            "channel": self.channel.value,
            "scope": str(self.target),
            "message_class": self.message_class.value,
            "purpose": self.purpose or "",
        }
        return {name: text for name, text in said.items() if text != _USUAL[name]}


_USUAL = {
    "channel": Channel.EMAIL.value,
    "scope": str(EVERYTHING),
    "message_class": MessageClass.COMMERCIAL.value,
    "purpose": "",
}

ANY_MAIL = Mailing()
