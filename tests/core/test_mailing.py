"""Mailings: what is asked, and what a record says of it."""

from __future__ import annotations

from suppress.core.mailing import ANY_MAIL, Mailing, MessageClass
from suppress.core.suppression import Channel, Reason, Scope


def test_opt_outs_bind_commercial_mail_and_hard_bounces_bind_all() -> None:
    """15 U.S.C. 7702(17): a transactional or relationship message is exempt; a dead mailbox is dead."""
    assert all(MessageClass.COMMERCIAL.bound_by(reason) for reason in Reason)
    assert [Reason.BOUNCED] == [each for each in Reason if MessageClass.TRANSACTIONAL.bound_by(each)]


def test_a_record_names_what_differs_from_the_widest_question() -> None:
    """The widest has nothing to say."""
    narrow = Mailing(Channel.SMS, Scope("Acme"), MessageClass.TRANSACTIONAL, "receipts")

    assert {} == ANY_MAIL.terms
    assert {
        "channel": "sms",
        "scope": "sender:Acme",
        "message_class": "transactional",
        "purpose": "receipts",
    } == narrow.terms
