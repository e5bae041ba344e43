"""Exports of other systems: every opt-out is taken, nobody else is, and what is not understood is listed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suppress.core.address import Address
from suppress.core.mailing import Mailing
from suppress.core.suppression import Channel, Reason
from suppress.core.verdict import Ruling
from suppress.errors import BadFile, BadUsage
from suppress.files.contacts import ContactFile
from suppress.files.dates import zone_named
from suppress.intake import Imported, import_file, layout_of
from suppress.intake.profiles import Profile, Profiled, profile_names, profiles
from suppress.intake.recognising import recognised_by
from suppress.ledger import Ledger
from tests.small_ledger import made

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
AT = datetime(2024, 3, 5, 10, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """An empty ledger."""
    with Ledger.open(made(tmp_path), keys=tmp_path / "suppress.keys") as opened:
        yield opened


def imported(ledger: Ledger, folder: Path, text: str, profile: str | None = None, **more: Any) -> Imported:
    """Import a file of this text."""
    path = folder / more.pop("name", "export.csv")
    path.write_text(text)
    with ContactFile.open(str(path), need_addresses=False) as contacts:
        layout = layout_of(contacts, profile=profile, mapping=())
        return import_file(ledger, contacts, layout, zone=UTC, now=NOW, actor="test", **more)


def recorded(ledger: Ledger) -> dict[str, tuple[str, datetime | None]]:
    """Who is suppressed, why, and since when."""
    return {
        each.key.partition("@")[0]: (each.suppression.reason.value, each.suppression.since)
        for each in ledger.suppressed()
    }


FILES: dict[str, tuple[str | None, str, dict[str, tuple[str, datetime | None]]]] = {
    "mailchimp, unsubscribed": (
        None,
        "Email Address,First Name,OPTIN_TIME,UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_REASON,LEID,EUID\n"
        "a@x.com,A,2020-01-01 00:00:00,2024-03-05 10:00:00,News,NORMAL,1,e\n"
        "b@x.com,B,,2024-03-05 10:00:00,News,N/A (Unsubscribed by admin),2,f\n",
        {"a": ("unsubscribed", AT), "b": ("account", AT)},
    ),
    "mailchimp, cleaned": (
        None,
        "Email Address,CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,LEID,EUID\na@x.com,2024-03-05 10:00:00,News,1,e\n",
        {"a": ("bounced", AT)},
    ),
    "sendgrid, bounces": (
        None,
        "status,reason,email,created\n5.1.1,550 no such user,a@x.com,1709632800\n",
        {"a": ("bounced", AT)},
    ),
    "sendgrid, unsubscribes": (
        "sendgrid",
        "email,created\na@x.com,1709632800\n",
        {"a": ("unsubscribed", AT)},
    ),
    "sendgrid, spam reports": (
        "sendgrid",
        "ip,email,created\n,a@x.com,1709632800\n",
        {"a": ("complaint", AT)},
    ),
    "mailgun, unsubscribes": (
        None,
        'address,tags,created_at\na@x.com,*,"Tue, 05 Mar 2024 10:00:00 UTC"\n',
        {"a": ("unsubscribed", AT)},
    ),
    "mailgun, bounces": (
        None,
        'address,code,error,created_at\na@x.com,550,gone,"Tue, 05 Mar 2024 10:00:00 UTC"\n',
        {"a": ("bounced", AT)},
    ),
    "mailgun, complaints": (
        "mailgun",
        'address,created_at\na@x.com,"Tue, 05 Mar 2024 10:00:00 UTC"\n',
        {"a": ("complaint", AT)},
    ),
    "klaviyo, profiles": (
        None,
        "Email,Email Marketing Consent,Email Suppressions,Email Marketing Consent Timestamp\n"
        "a@x.com,UNSUBSCRIBED,,2024-03-05T10:00:00\nb@x.com,SUBSCRIBED,,2024-03-05T10:00:00\n"
        'c@x.com,SUBSCRIBED,"[""USER_SUPPRESSED"", ""HARD_BOUNCE""]",\nd@x.com,NEVER_SUBSCRIBED,[],\n',
        {"a": ("unsubscribed", AT), "c": ("account", None)},
    ),
    "klaviyo, suppressed": (
        "klaviyo",
        "Email,Reason,Timestamp\na@x.com,SPAM_COMPLAINT,2024-03-05T10:00:00+00:00\n",
        {"a": ("complaint", AT)},
    ),
    "hubspot, unsubscribes and bounces": (
        None,
        "Email,Portal Bounce,Portal Unsubscribe,Portal Spam Report,Global Bounce,Marketing Information\n"
        "a@x.com,FALSE,TRUE,FALSE,FALSE,FALSE\nb@x.com,TRUE,FALSE,FALSE,FALSE,FALSE\n"
        "c@x.com,FALSE,TRUE,TRUE,TRUE,TRUE\nd@x.com,FALSE,FALSE,FALSE,FALSE,FALSE\n",
        {"a": ("unsubscribed", None), "b": ("bounced", None), "c": ("complaint", None)},
    ),
    "hubspot, contacts": (
        None,
        "Record ID,Email,Unsubscribed from all email\n1,a@x.com,Yes\n2,b@x.com,No\n3,c@x.com,\n",
        {"a": ("unsubscribed", None)},
    ),
    "salesforce": (
        None,
        '"Contact ID","Email","Email Opt Out"\n"003","a@x.com","1"\n"004","b@x.com","0"\n\n'
        '"Opted Out Contacts Report"\n"Copyright (c) 2000-2024 salesforce.com, inc. All rights reserved."\n'
        '"Confidential Information - Do Not Distribute"\n"Generated By:  Kim  2024-03-05"\n',
        {"a": ("account", None)},
    ),
    "optizmo": ("optizmo", "a@x.com\nb@x.com\n", {"a": ("unsubscribed", None), "b": ("unsubscribed", None)}),
    "listmonk": (
        None,
        "uuid,email,name,attributes,status,created_at,updated_at\n1,a@x.com,A,{},blocklisted,2020-01-01,\n"
        "2,b@x.com,B,{},enabled,2020-01-01,\n3,c@x.com,C,{},disabled,2020-01-01,\n",
        {"a": ("unknown", None), "c": ("account", None)},
    ),
    "mautic": (
        None,
        "Email,Reason,Channel,Date added\na@x.com,1,email,2024-03-05 10:00:00\n"
        "b@x.com,2,email,2024-03-05 10:00:00\nc@x.com,3,email,2024-03-05 10:00:00\nd@x.com,0,email,\n",
        {"a": ("unsubscribed", AT), "b": ("bounced", AT), "c": ("account", AT)},
    ),
    "phplist": (
        None,
        "id\tEmail\tIs this subscriber confirmed (1/0)\tIs this subscriber blacklisted (1/0)\n"
        "1\ta@x.com\t1\t1\n2\tb@x.com\t1\t0\n",
        {"a": ("unknown", None)},
    ),
    "phplist, the table": ("phplist", "email,added\na@x.com,2024-03-05 10:00:00\n", {"a": ("unknown", AT)}),
}


@pytest.mark.parametrize("case", list(FILES))
def test_each_export_gives_its_opt_outs_and_nobody_else(ledger: Ledger, tmp_path: Path, case: str) -> None:
    """With their reasons and dates; a second import adds nothing."""
    profile, text, expected = FILES[case]
    done = imported(ledger, tmp_path, text, profile)
    again = imported(ledger, tmp_path, text, profile)

    assert expected == recorded(ledger)
    assert case.partition(",")[0] == done.profile
    assert ({}, 0) == (done.unknown, done.rejected)
    assert (0, len(expected)) == (again.accepted, again.duplicate)
    assert sum(done.reasons.values()) == len(expected)


@pytest.mark.parametrize("name", sorted({case.partition(",")[0] for case in FILES} | {"constant-contact"}))
def test_every_profile_of_the_table_is_tried(name: str) -> None:
    """And has a title, a source and the place where its facts are written."""
    assert set(profile_names()) == {case.partition(",")[0] for case in FILES} | {"constant-contact"}
    for each in profiles():
        if each.name == name:
            assert all((each.title, each.source, each.facts, each.address, each.opt_outs))


def test_the_table_is_of_the_right_kinds() -> None:
    """What mypy cannot see: each value is of the kind that the code expects, each pattern compiles."""
    for each in profiles():
        patterns = (
            each.address,
            each.needs,
            each.without,
            each.status,
            each.partial,
            each.footers,
            each.date,
        )
        for pattern in (
            *(one for many in patterns for one in many),
            *each.flags,
            *each.reason,
            *each.channel,
        ):
            re.compile(pattern)
            assert pattern == pattern.casefold() or "\\" in pattern
        assert all(isinstance(one, Reason | None) for one in each.words.values())
        assert each.order in (None, "mdy", "dmy")
        zone_named(each.zone or "UTC")
        assert all(word == word.casefold().strip() for word in (*each.words, *each.reasons))
        assert each.refused or each.every or each.status or each.flags


def test_people_who_may_be_mailed_are_refused_where_the_file_shows_it(ledger: Ledger, tmp_path: Path) -> None:
    """Mailchimp's three files have the same look; this one must not be taken for opt-outs."""
    with pytest.raises(BadFile, match=r"holds no opt-outs: these are Mailchimp's members who may be mailed"):
        imported(ledger, tmp_path, "Email Address,OPTIN_TIME,LEID,EUID\na@x.com,2020-01-01,1,e\n")


@pytest.mark.parametrize(
    ("text", "suggested"),
    [
        ("email,created\na@x.com,1709632800\n", "--profile sendgrid"),
        ("address,created_at\na@x.com,2024-03-05\n", "--profile mailgun"),
        ("email,reason,timestamp\na@x.com,x,2024-03-05\n", "--profile klaviyo"),
        ("email,name\na@x.com,A\n", "--map email=COLUMN"),
    ],
)
def test_what_a_list_of_customers_may_look_like_is_taken_only_when_it_is_named(
    ledger: Ledger, tmp_path: Path, text: str, suggested: str
) -> None:
    """The message has the command to say so."""
    with pytest.raises(BadFile, match="nothing says which of its rows are opt-outs") as refused:
        imported(ledger, tmp_path, text)

    assert suggested in (refused.value.remedy or "")
    assert {} == recorded(ledger)


STATUS = "uuid,email,status\n1,a@x.com,{}\n"


@pytest.mark.parametrize("word", ["inactive", "not unsubscribed", "activ", "aktiv", "enabled2", "pending"])
def test_a_status_that_nobody_knows_is_listed_and_taken_for_neither(
    ledger: Ledger, tmp_path: Path, word: str
) -> None:
    """ "Inactive" is not "active"; the row is counted by its word."""
    done = imported(ledger, tmp_path, STATUS.format(word))

    assert ({word: 1}, 1, 0) == (done.unknown, done.rejected, done.ignored)
    assert f"the status “{word}” is not known to the profile listmonk" in done.remarks[0].text
    assert {} == recorded(ledger)


def test_what_stands_in_a_status_is_not_told_where_it_may_be_an_address(
    ledger: Ledger, tmp_path: Path
) -> None:
    """A column that slipped must not carry people into a message."""
    done = imported(ledger, tmp_path, STATUS.format("pat@example.com"))

    assert {"(other text)": 1} == done.unknown
    assert "pat@" not in done.remarks[0].text


@pytest.mark.parametrize(
    "word", ["Unsubscribed by link", "opt-out", "OptedOut", "Do Not Email me", "suppressed"]
)
def test_what_plainly_begins_like_an_opt_out_is_one(ledger: Ledger, tmp_path: Path, word: str) -> None:
    """Though nobody has written that very word down."""
    imported(ledger, tmp_path, STATUS.format(word))

    assert {"a"} == recorded(ledger).keys()


def test_an_opt_out_of_less_than_all_mail_is_listed(ledger: Ledger, tmp_path: Path) -> None:
    """HubSpot's subscription types: taken neither for an opt-out of all mail nor for none."""
    head = "Email,Portal Bounce,Portal Unsubscribe,Portal Spam Report,Global Bounce,Marketing Information\n"
    done = imported(ledger, tmp_path, head + "a@x.com,FALSE,FALSE,FALSE,FALSE,TRUE\n")
    odd = imported(ledger, tmp_path, head + "a@x.com,FALSE,perhaps,FALSE,FALSE,FALSE\n")

    assert ({"only marketing information": 1}, {"perhaps": 1}) == (done.unknown, odd.unknown)


def test_channels_never_answer_for_one_another(ledger: Ledger, tmp_path: Path) -> None:
    """Mautic lists who may not be texted in the same report; a channel that we do not keep is listed."""
    text = "Email,Reason,Channel\na@x.com,1,sms\nb@x.com,1,email\nc@x.com,1,notification\n"
    done = imported(ledger, tmp_path, text)
    texted = Mailing(Channel.SMS)

    assert {"b"} == recorded(ledger).keys()
    assert Ruling.SUPPRESSED is ledger.check("a@x.com", texted).ruling
    assert Ruling.CLEAR is ledger.check("b@x.com", texted).ruling
    assert {"notification": 1} == done.unknown


def test_json_lines_and_tabs_are_read_by_the_same_profiles(ledger: Ledger, tmp_path: Path) -> None:
    """A profile is about names, not about a format."""
    lines = (
        '{"uuid":"1","email":"a@x.com","status":"blocklisted"}\n'
        '{"uuid":"2","email":"b@x.com","status":"enabled"}\n'
    )
    imported(ledger, tmp_path, lines, name="export.jsonl")
    imported(ledger, tmp_path, "uuid\temail\tstatus\n3\tc@x.com\tblocklisted\n", name="export.tsv")

    assert {"a", "c"} == recorded(ledger).keys()


def test_an_unknown_profile_and_one_that_does_not_fit_are_refused(ledger: Ledger, tmp_path: Path) -> None:
    """With the names that there are, and the columns that are needed."""
    with pytest.raises(
        BadUsage, match="there is no profile 'mailchump'; there is constant-contact, mailchimp"
    ):
        imported(ledger, tmp_path, "a,b\n1,2\n", "mailchump")
    with pytest.raises(
        BadFile, match="is no export of listmonk: it needs the columns “uuid”, “email”, “status”"
    ):
        imported(ledger, tmp_path, "email,state\na@x.com,blocklisted\n", "listmonk")


def test_what_a_file_was_recognised_by_is_said(tmp_path: Path) -> None:
    """Name, kind of file and headings."""
    (tmp_path / "l.csv").write_text(STATUS.format("enabled"))
    with ContactFile.open(str(tmp_path / "l.csv"), need_addresses=False) as contacts:
        layout = layout_of(contacts, profile=None, mapping=())
        mapped = layout_of(contacts, profile=None, mapping=["email=email"])

    assert "listmonk (listmonk: subscribers) by its headings “uuid”, “email”, “status”" == recognised_by(
        layout
    )
    assert "map" == recognised_by(mapped)


HEADINGS = {"constant-contact": "Email Status", "klaviyo": "REASON", "listmonk": "status", "mautic": "Reason"}

words = st.sampled_from(
    [(each, word) for each in profiles() for word in each.words if len(each.status) == 1 and each.needs]
)


@settings(suppress_health_check=list(HealthCheck), max_examples=60)
@given(words, st.sampled_from([str.upper, str.title, str.lower]), st.sampled_from(["", " ", "  "]))
def test_case_and_blanks_change_no_status(case: tuple[Profile, str], spelled: Any, blanks: str) -> None:
    """What a word means, it means in any spelling."""
    kind, word = case
    names = ["email address" if kind.name == "constant-contact" else "email", HEADINGS[kind.name]]
    claim = Profiled.of(kind, names).claim(["a@x.com", f"{blanks}{spelled(word)}{blanks}"])

    assert claim.opted_out is (kind.words[word] is not None)
    assert "" == claim.unknown
    assert [Address.parse("a@x.com")] == Profiled.of(kind, names).addresses(claim.cells)
