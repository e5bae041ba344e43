"""The people of a simulated account: fictional names, reserved domains, and every class of history.

Everything follows from `Scenario.seed` and `Scenario.until`: the same scenario gives the same account.
Histories are played with the same functions that writes use (`model`), so that a seeded contact is never in
a state that the platform could not have brought about.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from suppress.platforms.constant_contact.simulator import model
from suppress.platforms.constant_contact.simulator.account import Account, Campaign, ContactList
from suppress.platforms.constant_contact.simulator.model import (
    Bounce,
    Contact,
    Details,
    Email,
    Extras,
    OptOut,
    Permission,
    Sms,
)
from suppress.platforms.constant_contact.simulator.scenario import People, Scenario


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


YEARS = 9
"""How far back the account goes."""
FIRST = _words(
    "Ada Amir Anouk Aroha Beatriz Bram Caius Chidi Clea Dario Edda Eero Farah Femi Gwen Halima Hugo Ines "
    "Ivo Jarek Kaia Keanu Lars Leila Lucia Malik Mara Mei Milo Nadia Nils Noor Odile Otto Pia Quinn Rafa "
    "Rhea Sanna Silas Tamsin Tariq Uma Viggo Wanda Xenia Yara Yusuf Zadie Zeno"
)
LAST = _words(
    "Abernathy Ashdown Bellweather Birch Blackwood Calloway Carver Dunmore Eastwick Fairbanks Fenwick "
    "Garrick Greenhalgh Harrowgate Hollis Ingleby Jessop Kettering Larkspur Lindqvist Marlowe Merriweather "
    "Northcote Oakhurst Pemberton Quimby Ravenscroft Rosewood Sandoval Stillwater Thackeray Underhill "
    "Vandermeer Wainwright Westerly Whitlock Winterbourne Yardley Zimmerman"
)
DOMAINS = (
    "example.com",
    "example.org",
    "example.net",
    "mail.example.com",
    "post.example.org",
    "home.test",
    "studio.test",
)
LISTS = ("General Interest", "Newsletter", "Customers", "Events")
REASONS = (
    "No longer interested",
    "Too many emails",
    "I never signed up",
    "The emails are not relevant to me",
)
ODD_REASONS = (
    "<script>alert('no more')</script><b>stop</b>",
    "=cmd|' /C calc'!A0",
    "+1+1 too many, -2 of 10, @all of you",
    'He said "stop", then\nleft; tabs\there, \u202e backwards \u0007',
    "x" * 255,
    "non più, grazie 🙏",
)
ODD_ADDRESSES = (
    "{first}.{last}@Example.COM",
    "{first}+News.{number}@EXAMPLE.org",
    "{FIRST}{number}@STUDIO.TEST",
    "zoë.müller{number}@example.org",
    "{first}{number}@bücher.test",
    "李{number}@example.net",
    "o'{last}{number}@example.com",
    "{first}_{number}%west@example.net",
)

Maker: TypeAlias = "Callable[[_Crowd], Contact]"


def populate(scenario: Scenario) -> Account:
    """The account with which a simulator starts."""
    # A predictable generator is the point here: nothing secret is drawn from it.
    rng = random.Random(scenario.seed)  # noqa: S311
    crowd = _Crowd(rng, scenario.until.astimezone(UTC))
    account = Account(lists=crowd.lists, campaigns=crowd.campaigns)
    for member in fields(People):
        make = _MAKERS[member.name]
        for _ in range(getattr(scenario.people, member.name)):
            account.put(make(crowd))
    return account


def newcomer(account: Account, address: str, at: datetime) -> Contact:
    """A contact that the account adds now, with implicit permission; without an address, by name only."""
    email = Email(address, Permission.IMPLICIT, at, at, opt_in_source="Account", opt_in_date=at)
    return Contact(
        contact_id=str(uuid.uuid4()),
        sequence_id=str(2_000_000_000 + len(account)),
        created_at=at,
        updated_at=at,
        email=email if address else None,
    )


class _Crowd:
    """Draws people and dates; remembers what was drawn so that no address comes twice."""

    def __init__(self, rng: random.Random, until: datetime) -> None:
        self.rng = rng
        self.until = until
        self.since = until - timedelta(days=365 * YEARS)
        self.number = 0
        self._taken: set[str] = set()
        self._sequence = 1_000_000
        # One bulk deletion took about two minutes in a real account's log.
        self.cleaning = until - timedelta(days=47, hours=5)
        self.lists = tuple(ContactList(self.id(), name, self.since) for name in LISTS)
        self.campaigns = tuple(self._campaign(number) for number in range(YEARS * 12))

    def id(self) -> str:
        """A random UUID that follows from the seed."""
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def between(self, after: datetime, before: datetime) -> datetime:
        """A whole second between two instants."""
        span = max(1, int((before - after).total_seconds()) - 1)
        return after + timedelta(seconds=1 + self.rng.randrange(span))

    def campaign_before(self, at: datetime) -> Campaign:
        """The newest campaign that had gone out by then; the first one goes out before anybody joins."""
        return [campaign for campaign in self.campaigns if campaign.sent_at < at][-1]

    def person(self) -> Contact:
        """A mailable contact with an address nobody else has."""
        first, last = self.rng.choice(FIRST), self.rng.choice(LAST)
        return self.contact(self._address(first, last), Details(first_name=first, last_name=last))

    def contact(self, address: str | None, details: Details) -> Contact:
        """A contact that joined some time ago and was edited once at most, before anything else happened."""
        self.number += 1
        self._sequence += self.rng.randrange(1, 40)
        joined = self.between(self.since + timedelta(days=7), self.until - timedelta(days=400))
        edited = self.between(joined, joined + timedelta(days=60)) if self.rng.random() < 0.5 else joined
        contact = Contact(
            contact_id=self.id(),
            sequence_id=str(self._sequence),
            created_at=joined,
            updated_at=edited,
            details=details,
            create_source=self.rng.choice(("Account", "Account", "Contact")),
            lists=tuple(one.list_id for one in self.rng.sample(self.lists, k=self.rng.randrange(1, 3))),
        )
        if address is None:
            return contact
        explicit = contact.create_source == "Contact"
        email = Email(
            address=address,
            permission=Permission.EXPLICIT if explicit else Permission.IMPLICIT,
            created_at=joined,
            updated_at=joined,
            opt_in_source=contact.create_source,
            opt_in_date=joined,
            confirm_status="confirmed" if explicit else "off",
        )
        return replace(contact, email=email)

    def opt_out_of(self, contact: Contact) -> datetime:
        """When somebody opted out: spread over the years, and later than the contact's own clock."""
        return self.between(contact.updated_at, self.until - timedelta(days=60))

    def deleted_at(self, contact: Contact) -> datetime:
        """When somebody was deleted, after everything else."""
        email = contact.email
        last = contact.updated_at if email is None else max(contact.updated_at, email.updated_at)
        return self.between(last, self.until - timedelta(days=30))

    def unique(self, address: str) -> str:
        """The address, numbered if it is taken."""
        local, _, domain = address.partition("@")
        number = 1
        while address.lower() in self._taken:
            number += 1
            address = f"{local}{number}@{domain}"
        self._taken.add(address.lower())
        return address

    def _address(self, first: str, last: str) -> str:
        return self.unique(f"{first}.{last}@{self.rng.choice(DOMAINS)}".lower())

    def _campaign(self, number: int) -> Campaign:
        sent = self.since + timedelta(days=30 * number + 3, hours=15)
        activities = (("primary_email", self.id()), ("permalink", self.id()))
        status = "Removed" if number % 17 == 16 else "Done"
        return Campaign(self.id(), f"Acme Outdoor news {sent:%B %Y}", sent, activities, status)


def _clicked(crowd: _Crowd, contact: Contact, reason: str | None = None) -> Contact:
    at = crowd.opt_out_of(contact)
    activity = crowd.campaign_before(at).primary
    given = reason if reason is not None or crowd.rng.random() < 0.6 else crowd.rng.choice(REASONS)
    return model.unsubscribe(contact, OptOut("Contact", at, at, given, activity))


def _unsubscribed(crowd: _Crowd) -> Contact:
    return _clicked(crowd, crowd.person())


def _by_account(crowd: _Crowd) -> Contact:
    contact = crowd.person()
    at = crowd.opt_out_of(contact)
    return model.unsubscribe(contact, OptOut("Account", at, at))


def _complained(crowd: _Crowd) -> Contact:
    contact = crowd.person()
    at = crowd.opt_out_of(contact)
    activity = crowd.campaign_before(at).primary
    return model.unsubscribe(contact, OptOut("Contact", at, at, campaign=activity, complaint=True))


def _unsubscribed_deleted(crowd: _Crowd) -> Contact:
    contact = _unsubscribed(crowd)
    return model.delete(contact, crowd.deleted_at(contact))


def _cleaned(crowd: _Crowd) -> Contact:
    crowd.cleaning += timedelta(milliseconds=14)
    return model.delete(_unsubscribed(crowd), crowd.cleaning)


def _by_partner(crowd: _Crowd) -> Contact:
    contact = crowd.person()
    at = crowd.opt_out_of(contact)
    return model.delete(model.unsubscribe(contact, OptOut("System", at, at)), at)


def _without_date(crowd: _Crowd) -> Contact:
    contact = crowd.person()
    recorded = crowd.opt_out_of(contact)
    undated = model.unsubscribe(contact, OptOut("Account", None, recorded))
    return model.delete(undated, crowd.deleted_at(undated)) if crowd.number % 2 else undated


def _re_added(crowd: _Crowd) -> Contact:
    return model.revive(_unsubscribed_deleted(crowd))


def _deleted(crowd: _Crowd) -> Contact:
    contact = crowd.person()
    return model.delete(contact, crowd.deleted_at(contact))


def _resubscribed(crowd: _Crowd) -> Contact:
    left = _unsubscribed(crowd)
    back = crowd.deleted_at(left)
    agreed = model.permit(left, Permission.EXPLICIT, at=back, source="Contact")
    return model.join(agreed, (crowd.lists[0].list_id,))


def _with(permission: Permission) -> Maker:
    def make(crowd: _Crowd) -> Contact:
        contact = crowd.person()
        return model.permit(contact, permission, at=crowd.deleted_at(contact), source="Account")

    return make


def _bounced(crowd: _Crowd) -> Contact:
    contact = crowd.person()
    campaign = crowd.campaigns[-1 - crowd.number % 12]
    code = "BDFSVXZ"[crowd.number % 7]
    bounce = Bounce(code, campaign.primary, campaign.sent_at + timedelta(minutes=3))
    return replace(contact, bounces=(bounce,))


def _left_list(crowd: _Crowd) -> Contact:
    contact = crowd.person()
    return model.leave(contact, contact.lists)


def _sms(crowd: _Crowd, joined: datetime, *, opted_out: bool) -> Sms:
    left = crowd.between(joined, crowd.until) if opted_out else None
    return Sms(
        channel_id=crowd.id(),
        # 555-0100 to 555-0199 are the numbers reserved for fiction; the exchange code keeps them apart.
        number=f"{200 + crowd.number % 700:03d}5550{100 + crowd.rng.randrange(100)}",
        permission="unsubscribed" if opted_out else "explicit",
        created_at=joined,
        updated_at=left or joined,
        opt_in_date=None if opted_out else joined,
        opt_out_date=left,
        by_carrier=crowd.number % 3 == 0,
    )


def _sms_opt_out(crowd: _Crowd) -> Contact:
    contact = crowd.person()
    return replace(contact, sms=_sms(crowd, contact.created_at, opted_out=True))


def _sms_only(crowd: _Crowd) -> Contact:
    contact = crowd.contact(None, Details(first_name=crowd.rng.choice(FIRST)))
    return replace(contact, sms=_sms(crowd, contact.created_at, opted_out=crowd.number % 2 == 0))


def _odd(crowd: _Crowd) -> Contact:
    number, rng = crowd.number, crowd.rng
    first, last = rng.choice(FIRST), rng.choice(LAST)
    names = {"first": first, "FIRST": first.upper(), "last": last, "number": number}
    kinds = len(ODD_ADDRESSES) + 1
    if number % kinds == len(ODD_ADDRESSES):
        # 80 characters, the longest address that the platform takes.
        address = crowd.unique(f"{number:038d}@subscribers.of.the.newsletter.example.com")
    else:
        address = crowd.unique(ODD_ADDRESSES[number % kinds].format(**names))
    contact = crowd.contact(address, Details(first_name=first, last_name=last))
    note: dict[str, object] = {"note_id": crowd.id(), "content": "asked to be left alone"}
    contact = replace(contact, extras=Extras(notes=(note,)))
    opted_out = _clicked(crowd, contact, ODD_REASONS[number % len(ODD_REASONS)])
    return model.delete(opted_out, crowd.deleted_at(opted_out)) if number % 3 == 0 else opted_out


_MAKERS: dict[str, Maker] = {
    "active": _Crowd.person,
    "unsubscribed": _unsubscribed,
    "unsubscribed_by_account": _by_account,
    "complained": _complained,
    "unsubscribed_deleted": _unsubscribed_deleted,
    "unsubscribed_cleaned": _cleaned,
    "unsubscribed_by_partner": _by_partner,
    "without_date": _without_date,
    "re_added": _re_added,
    "deleted": _deleted,
    "resubscribed": _resubscribed,
    "pending": _with(Permission.PENDING_CONFIRMATION),
    "temp_hold": _with(Permission.TEMP_HOLD),
    "bounced": _bounced,
    "left_list": _left_list,
    "sms_opt_out": _sms_opt_out,
    "sms_only": _sms_only,
    "odd": _odd,
}
