"""Role accounts: addresses of an office, not of a person, such as `info@` and `abuse@`.

Only a tag. Whether a list of subscribers should hold such an address is for the sender to judge; nobody is
withheld for it. The names are those of RFC 2142, those that Mailchimp refuses in an import
(https://mailchimp.com/help/limits-on-role-based-addresses/, read 2026-11-23), and a few of every office.
"""

from __future__ import annotations

from collections.abc import Iterable

_RFC_2142 = (
    "info marketing sales support abuse noc security postmaster hostmaster usenet news webmaster www uucp ftp"
)
_MAILCHIMP = (
    "admin billing compliance devnull dns inoc ispfeedback ispsupport list list-request "
    "maildaemon no-reply noreply null phish phishing privacy registrar root spam sysadmin tech "
    "undisclosed-recipients unsubscribe"
)
_OFFICE = "all contact everyone hello jobs office team"
ROLES = frozenset(f"{_RFC_2142} {_MAILCHIMP} {_OFFICE}".split())
_ENCODED = frozenset(each.encode() for each in ROLES)


def is_role(key: str) -> bool:
    """Whether the address of this match key names an office."""
    local, at, _ = key.rpartition("@")
    return bool(at) and local.partition("+")[0] in ROLES


def plain_roles(keys: Iterable[bytes]) -> list[bool]:
    """The same of many match keys, each of which holds one `@`."""
    return [key.partition(b"@")[0].partition(b"+")[0] in _ENCODED for key in keys]
