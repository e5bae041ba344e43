"""Which records of an org an address has, and what becomes of it when they are told."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from salesforce_org import Watched, opened, org_of, outcomes, told
from suppress_salesforce.simulator import Org, Switches

from suppress.core.suppression import Json
from suppress.plugin.contract import Intent, Outcome, Remote
from suppress.plugin.kit import people

PAT, KIM, SAM = "pat@example.com", "kim@example.com", "sam@example.com"
WAYS: list[dict[str, Json]] = [{"mode": "composite"}, {"mode": "bulk"}]


@pytest.fixture(params=WAYS, ids=["composite", "bulk"])
def way(request: pytest.FixtureRequest) -> Iterator[dict[str, Json]]:
    """Both ways of telling an org."""
    yield request.param


def test_every_record_of_an_address_is_opted_out(way: dict[str, Json]) -> None:
    """Three contacts and a lead, in capitals too, are one person; somebody else's contact is left alone."""
    with org_of(PAT, "PAT@EXAMPLE.COM", PAT, KIM) as simulator:
        simulator.org.add("Lead", Email="Pat@Example.com")
        found = outcomes(opened(simulator, **way), [PAT])

        assert {PAT: Outcome.SUPPRESSED} == found
        assert not simulator.org.would_mail(PAT)
        assert simulator.org.would_mail(KIM)


def test_one_contact_that_may_be_mailed_makes_the_address_mailable() -> None:
    """Who is opted out on one of two contacts is mailed by the other: that is told, not taken as done."""
    with org_of(PAT) as simulator:
        simulator.org.add("Contact", Email=PAT, HasOptedOutOfEmail=True)
        exporter = opened(simulator)
        before = [each.state for each in exporter.read_back([PAT])]
        planned = [each.intent for each in exporter.plan(people([PAT]))]

        assert ([Remote.MAILABLE], [Intent.SUPPRESS]) == (before, planned)
        assert {PAT: Outcome.SUPPRESSED} == outcomes(exporter, [PAT])


def test_who_is_out_already_is_not_written(way: dict[str, Json]) -> None:
    """Nothing is sent to an org that holds it."""
    with org_of() as simulator:
        simulator.org.add("Contact", Email=PAT, HasOptedOutOfEmail=True)

        assert {PAT: Outcome.ALREADY} == outcomes(opened(simulator, **way), [PAT])
        assert not [each for each in simulator.exchanges if each.request.method in ("PATCH", "PUT")]


def test_nobody_is_created(way: dict[str, Json]) -> None:
    """An address without a record is left alone, and reads back as unknown."""
    with org_of(KIM) as simulator:
        exporter = opened(simulator, **way)

        assert {PAT: Outcome.SKIPPED_UNKNOWN} == outcomes(exporter, [PAT])
        assert [Remote.UNKNOWN] == [each.state for each in exporter.read_back([PAT])]
        assert 1 == len(simulator.org.rows["Contact"])


def test_a_person_account_is_told_through_the_account(way: dict[str, Json]) -> None:
    """Its contact follows and is never written itself."""
    with org_of(switches=Switches(person_accounts=True)) as simulator:
        account = simulator.org.person(PAT)

        assert {PAT: Outcome.SUPPRESSED} == outcomes(opened(simulator, **way), [PAT])
        assert account.values["PersonHasOptedOutOfEmail"] is True
        assert not simulator.org.would_mail(PAT)


def test_a_person_account_beside_the_configured_objects_is_no_success() -> None:
    """With `objects` that leave accounts out, the contact half cannot be written: that is said."""
    with org_of(switches=Switches(person_accounts=True)) as simulator:
        simulator.org.person(PAT)
        exporter = opened(simulator, objects=("Contact",))

        assert {PAT: Outcome.REJECTED_PERMANENT} == outcomes(exporter, [PAT])
        assert [Intent.BLOCKED] == [each.intent for each in exporter.plan(people([PAT]))]


def test_the_contact_that_a_lead_became_is_opted_out(way: dict[str, Json]) -> None:
    """A converted lead is read-only; the contact is the same person, whatever its address is now."""
    with org_of() as simulator:
        contact = simulator.org.add("Contact", Email="pat.new@example.com")
        simulator.org.add("Lead", Email=PAT, IsConverted=True, ConvertedContactId=contact.ident)

        assert {PAT: Outcome.SUPPRESSED} == outcomes(opened(simulator, **way), [PAT])
        assert contact.values["HasOptedOutOfEmail"] is True


def test_a_converted_lead_alone_is_not_mailable(way: dict[str, Json]) -> None:
    """It is skipped, not failed, and reads back with the reason."""
    with org_of() as simulator:
        simulator.org.add("Lead", Email=PAT, IsConverted=True)
        exporter = opened(simulator, **way)

        assert {PAT: Outcome.NOT_MAILABLE} == outcomes(exporter, [PAT])
        seen = next(exporter.read_back([PAT]))
        assert (Remote.NOT_MAILABLE, "converted lead") == (seen.state, seen.reason)


def test_a_lead_that_is_converted_between_reading_and_writing_is_skipped(way: dict[str, Json]) -> None:
    """The org refuses it with `CANNOT_UPDATE_CONVERTED_LEAD`, which is no failure."""

    class Converting(Org):
        def update(self, kind: str, ident: str, changes: object) -> object:  # type: ignore[override]
            self.rows[kind][ident[:15]].values["IsConverted"] = True
            return super().update(kind, ident, changes)  # type: ignore[arg-type]

    org = Converting()
    org.add("Lead", Email=PAT)
    with Watched(org) as simulator:
        assert {PAT: Outcome.NOT_MAILABLE} == outcomes(opened(simulator, **way), [PAT])


def test_a_record_that_is_deleted_meanwhile_is_unknown(way: dict[str, Json]) -> None:
    """`ENTITY_IS_DELETED`: nobody is mailed by what is gone."""

    class Deleting(Org):
        def update(self, kind: str, ident: str, changes: object) -> object:  # type: ignore[override]
            self.rows[kind].clear()
            return super().update(kind, ident, changes)  # type: ignore[arg-type]

    org = Deleting()
    org.add("Contact", Email=PAT)
    with Watched(org) as simulator:
        assert {PAT: Outcome.SKIPPED_UNKNOWN} == outcomes(opened(simulator, **way), [PAT])


def test_mixed_success_is_told_apart(way: dict[str, Json], caplog: pytest.LogCaptureFixture) -> None:
    """A validation rule refuses one record of three; a person finds it by its id, in log and evidence."""
    with org_of(KIM, PAT, SAM, switches=Switches(validation_rule=2)) as simulator:
        with caplog.at_level(logging.WARNING):
            found = told(opened(simulator, **way), [PAT, KIM, SAM])
        refused = simulator.org.rows["Contact"][sorted(simulator.org.rows["Contact"])[1]]

    assert [Outcome.REJECTED_PERMANENT, Outcome.SUPPRESSED, Outcome.SUPPRESSED] == [
        found[address].outcome for address in (PAT, KIM, SAM)
    ]
    evidence = found[PAT].evidence
    assert evidence is not None
    assert f"FIELD_CUSTOM_VALIDATION_EXCEPTION Contact {refused.ident}" in evidence.endpoint
    assert refused.ident in caplog.text
    assert PAT not in caplog.text


def test_one_refused_record_is_a_failure_of_the_address(way: dict[str, Json]) -> None:
    """The other contact was opted out; the person may still be mailed by this one."""
    with org_of(PAT, PAT, switches=Switches(validation_rule=2)) as simulator:
        exporter = opened(simulator, **way)

        assert {PAT: Outcome.REJECTED_PERMANENT} == outcomes(exporter, [PAT])
        assert [Remote.MAILABLE] == [each.state for each in exporter.read_back([PAT])]


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_locked_row_is_tried_again(way: dict[str, Json], wrapped: bool) -> None:
    """Twice locked, then taken; the lock may come inside another code."""
    with org_of(PAT, switches=Switches(row_locks=2, wrapped_locks=wrapped)) as simulator:
        assert {PAT: Outcome.SUPPRESSED} == outcomes(opened(simulator, **way), [PAT])


def test_a_row_that_stays_locked_is_told_again_later(way: dict[str, Json]) -> None:
    """After some tries it is left to the next run, which takes it."""
    with org_of(PAT, switches=Switches(row_locks=100)) as simulator:
        assert {PAT: Outcome.RETRY_LATER} == outcomes(opened(simulator, **way), [PAT])
        simulator.switches.row_locks = 0
        assert {PAT: Outcome.SUPPRESSED} == outcomes(opened(simulator, **way), [PAT])


@pytest.mark.parametrize(
    "address",
    [
        "o'brien@example.com",
        "back\\slash'@example.com",
        "a+b%c@example.com",
        "' OR Email != null OR Email = '@example.com",
        "büro@bücher.example",
        "x" * 3_000 + "@example.com",
    ],
)
def test_an_address_stays_inside_its_quotes(address: str) -> None:
    """Apostrophes, backslashes and statements in an address find this address and nobody else."""
    with org_of(address, KIM) as simulator:
        assert {address: Outcome.SUPPRESSED} == outcomes(opened(simulator), [address])
        assert simulator.org.would_mail(KIM)


def test_an_address_that_no_field_holds_is_unknown() -> None:
    """One that is longer than a literal may be is not asked for."""
    address = "x" * 5_000 + "@example.com"
    with org_of(KIM) as simulator:
        assert {address: Outcome.SKIPPED_UNKNOWN} == outcomes(opened(simulator), [address])


def test_custom_fields_are_used_as_configured(way: dict[str, Json]) -> None:
    """A checkbox and a second address field of one's own."""
    custom = {"Contact": {"Do_Not_Mail__c": "boolean", "Private_Email__c": "email"}}
    org = Org(custom=custom)
    row = org.add("Contact", Email=KIM, Private_Email__c=PAT)
    with Watched(org) as simulator:
        options: dict[str, Json] = {
            "contact_field": "Do_Not_Mail__c",
            "contact_email_fields": ("Email", "Private_Email__c"),
            **way,
        }
        found = outcomes(opened(simulator, **options), [PAT])

    assert {PAT: Outcome.SUPPRESSED} == found
    assert (True, False) == (row.values["Do_Not_Mail__c"], row.values["HasOptedOutOfEmail"])


def test_reading_back_says_who_changed_a_record_and_when() -> None:
    """For a patrol: the record that decides, by the user's id."""
    with org_of(PAT) as simulator:
        exporter = opened(simulator)
        mailable = next(exporter.read_back([PAT]))
        told(exporter, [PAT])
        suppressed = next(exporter.read_back([PAT]))

    assert ("user 005000000000002AAA", "user 005000000000001AAA") == (mailable.by, suppressed.by)
    assert mailable.at is not None
    assert suppressed.at is not None
    assert mailable.at < suppressed.at


def test_a_sweep_shows_who_opted_out_there() -> None:
    """Page by page, object by object, also those that we never told."""
    with org_of(PAT, switches=Switches(person_accounts=True, page=2)) as simulator:
        for number in range(5):
            simulator.org.add("Lead", Email=f"lead{number}@example.com", HasOptedOutOfEmail=True)
        simulator.org.person(SAM, opted_out=True)
        exporter = opened(simulator)
        cursor, found = None, list[str]()
        for _ in range(20):
            page, cursor = exporter.sweep(cursor)
            found += [each.address for each in page]
            if cursor is None:
                break

    assert cursor is None
    assert {SAM, *(f"lead{number}@example.com" for number in range(5))} == set(found)
