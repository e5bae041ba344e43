"""What the org refuses as a whole, and what is made of it."""

from __future__ import annotations

import itertools

import pytest
from salesforce_org import opened, org_of, outcomes, told
from suppress_salesforce.simulator import Switches

from suppress.core.suppression import Json
from suppress.errors import DestinationFailed, QuotaExhausted
from suppress.plugin.contract import Job, Outcome, Severity
from suppress.plugin.errors import AuthFailed, PermissionMissing, Transient
from suppress.plugin.kit import POSITION, people

MANY = [f"person{number}@example.com" for number in range(450)]
PAT = MANY[0]


@pytest.mark.parametrize("switch", ["hidden_field", "read_only_field"])
def test_a_hidden_field_stops_the_run_before_anything_is_written(switch: str) -> None:
    """An org whose checkbox cannot be seen must not look like one in which nobody has an address."""
    with org_of(PAT, switches=Switches(**{switch: True})) as simulator:
        exporter = opened(simulator)
        with pytest.raises(PermissionMissing, match="HasOptedOutOfEmail"):
            told(exporter, [PAT])

        assert not [each for each in simulator.exchanges if each.request.method == "PATCH"]
        assert Severity.FAIL in {each.severity for each in exporter.check()}


def test_a_field_that_is_no_checkbox_is_refused() -> None:
    """A text field of that name would not stop mail."""
    with org_of(PAT) as simulator:
        simulator.org.custom = {"Contact": {"Opt_Out__c": "string"}}
        with pytest.raises(PermissionMissing, match="as a checkbox"):
            told(opened(simulator, contact_field="Opt_Out__c"), [PAT])


def test_a_check_says_what_is_there() -> None:
    """Session, allowance, and which fields are used; nothing is written."""
    with org_of(PAT) as simulator:
        findings = list(opened(simulator).check())

    assert [Severity.PASS, Severity.PASS] == [each.severity for each in findings]
    assert "Contact.HasOptedOutOfEmail" in findings[1].message
    assert "Account" not in findings[1].message


def test_a_check_warns_when_nothing_is_left_of_the_day() -> None:
    """Before a run finds out."""
    with org_of(PAT, switches=Switches(daily_requests=100, used_requests=70)) as simulator:
        findings = list(opened(simulator, allowance_percent=20).check())

    assert Severity.WARN is findings[0].severity


def test_a_session_that_ends_mid_run_is_renewed() -> None:
    """Every third request finds it expired; nobody is missed."""
    with org_of(*MANY, switches=Switches(session_requests=3)) as simulator:
        found = outcomes(opened(simulator, mode="composite", at_once=1), MANY)

    assert {Outcome.SUPPRESSED} == set(found.values())
    assert len(MANY) == len(found)


def test_a_session_from_outside_cannot_be_renewed() -> None:
    """It is the person who must bring another."""
    with org_of(*MANY) as simulator:
        exporter = opened(simulator, access_token=simulator.sessions.opened(), client_id="", client_secret="")
        told(exporter, [PAT])
        simulator.sessions.expire()
        with pytest.raises(AuthFailed, match="not valid"):
            told(exporter, MANY)


def test_an_allowance_that_is_used_up_ends_the_run() -> None:
    """403 `REQUEST_LIMIT_EXCEEDED` in the middle: what was done stands, and the next run does the rest."""
    with org_of(*MANY, switches=Switches(daily_requests=6)) as simulator:
        found: list[object] = []
        with pytest.raises(QuotaExhausted):
            found.extend(
                opened(simulator, mode="composite", allowance_percent=200, objects=("Contact",)).push(
                    iter(people(MANY)), POSITION
                )
            )
        simulator.switches.daily_requests = 100_000
        after = outcomes(opened(simulator, mode="composite"), MANY)

    assert 400 == len(found)
    assert {Outcome.SUPPRESSED, Outcome.ALREADY} == set(after.values())
    assert len(MANY) == len(after)


def test_a_share_of_the_allowance_is_left_to_others() -> None:
    """At 80 percent nothing more is sent, by the org's own count, which others have used too."""
    with org_of(*MANY, switches=Switches(daily_requests=1_000, used_requests=797)) as simulator:
        with pytest.raises(QuotaExhausted, match="allowance_percent"):
            told(opened(simulator, mode="composite"), MANY)

        assert simulator.switches.used_requests == 800


def test_an_answer_that_is_lost_after_the_write_costs_nothing() -> None:
    """Setting a checkbox twice is setting it once."""
    with org_of(*MANY, switches=Switches(lost_answers=2, cut_answers=1, failures=2)) as simulator:
        found = outcomes(opened(simulator, mode="composite"), MANY)

    assert {Outcome.SUPPRESSED} == set(found.values())


def test_a_job_that_fails_half_way_is_finished_by_composite_calls() -> None:
    """Unprocessed rows were never tried; few of them are written at once."""
    with org_of(*MANY, switches=Switches(job_fails_after=300)) as simulator:
        found = outcomes(opened(simulator, mode="bulk"), MANY)

        assert not [each for each in MANY if simulator.org.would_mail(each)]
    assert {Outcome.SUPPRESSED} == set(found.values())


def test_many_unprocessed_rows_are_left_to_the_next_run() -> None:
    """They are named as such, never taken as done."""
    with org_of(*MANY, switches=Switches(job_fails_after=10)) as simulator:
        found = outcomes(opened(simulator, mode="bulk", bulk_from=100), MANY)
        mailed = {each for each in MANY if simulator.org.would_mail(each)}

    assert {each for each, outcome in found.items() if outcome is Outcome.RETRY_LATER} == mailed
    assert 440 == len(mailed)


def test_a_job_that_is_lost_is_told_again() -> None:
    """The org does not know it any more: its people are named for the next run."""
    with org_of(*MANY, switches=Switches(lost_jobs=True)) as simulator:
        found = outcomes(opened(simulator, mode="bulk"), MANY)

    assert {Outcome.RETRY_LATER} == set(found.values())


def _job(answers: object) -> Job:
    assert isinstance(answers, list)
    (job,) = [each for each in answers if isinstance(each, Job)]
    return job


def test_a_job_is_polled_until_it_is_done() -> None:
    """Its token outlives the process: another one learns whether it has ended, and reads back the rest."""
    with org_of(*MANY, switches=Switches(job_looks=2)) as simulator:
        job = _job(list(opened(simulator, mode="bulk").push(iter(people(MANY)), POSITION)))
        other = opened(simulator, mode="bulk")
        again = _job(list(other.poll(job)))

        assert job.token == again.token
        assert [] == list(other.poll(again))
        assert not [each for each in MANY if simulator.org.would_mail(each)]


def test_a_job_of_another_run_that_is_gone_is_an_error() -> None:
    """The engine tells its people again."""
    with org_of(PAT) as simulator:
        exporter = opened(simulator)
        job = _job(list(opened(simulator, mode="bulk").push(iter(people([PAT])), POSITION)))
        simulator.jobs.known.clear()
        with pytest.raises(DestinationFailed):
            list(exporter.poll(job))
        with pytest.raises(DestinationFailed, match="token"):
            list(exporter.poll(Job("../limits", "", job.next_poll)))


def test_a_large_job_goes_in_several_files() -> None:
    """Each below the limit, all of them in one token."""
    with org_of(*MANY) as simulator:
        options: dict[str, Json] = {"mode": "bulk", "bulk_bytes": 2_400}
        found = outcomes(opened(simulator, **options), MANY)
        files = [each.request for each in simulator.exchanges if each.request.method == "PUT"]

    assert {Outcome.SUPPRESSED} == set(found.values())
    assert len(files) == 5
    assert all(len(each.body) <= 2_400 for each in files)


def test_many_people_are_told_by_a_job_and_few_by_composite_calls() -> None:
    """`bulk_from` decides."""
    with org_of(*MANY) as simulator:
        outcomes(opened(simulator, bulk_from=400), MANY[:399])
        assert not [each for each in simulator.exchanges if "/jobs/" in each.request.path]
        outcomes(opened(simulator, bulk_from=50), MANY[399:])
        assert [each for each in simulator.exchanges if "/jobs/ingest" in each.request.path]


def test_no_request_is_larger_than_the_org_takes() -> None:
    """Addresses of every script: each query stays below the limit of URI and headers."""
    addresses = [f"{'用户' * 12}{number}@example.com" for number in range(300)]
    with org_of(*addresses) as simulator:
        found = outcomes(opened(simulator, mode="composite"), addresses)

        assert {Outcome.SUPPRESSED} == set(found.values())
        assert not [each for each in simulator.exchanges if each.response.status == 414]


def test_assignment_rules_and_duplicate_rules_are_not_set_off() -> None:
    """Both headers go with every write."""
    with org_of(PAT) as simulator:
        told(opened(simulator), [PAT])
        (write,) = [each.request for each in simulator.exchanges if each.request.method == "PATCH"]

    assert "FALSE" == write.headers["sforce-auto-assign"]
    assert "allowSave=true" == write.headers["sforce-duplicate-rule-header"]


def test_pages_of_a_query_are_followed() -> None:
    """Two thousand rows a page, or two."""
    with org_of(*itertools.repeat(PAT, 7), switches=Switches(page=2)) as simulator:
        told(opened(simulator), [PAT])

        assert not simulator.org.would_mail(PAT)


@pytest.mark.parametrize("cursor", ["no json", "[0]", '[9, "", 0]', '[0, "/limits", 0]', "{}"])
def test_a_cursor_of_a_sweep_that_is_none_is_refused(cursor: str) -> None:
    """It names a page of a query and nothing else."""
    with org_of(PAT) as simulator, pytest.raises(DestinationFailed, match="cursor"):
        opened(simulator).sweep(cursor)


def test_a_bulk_query_that_never_ends_is_said() -> None:
    """Without whom it would have shown nobody is told."""
    with (
        org_of(PAT, switches=Switches(job_looks=1_000)) as simulator,
        pytest.raises(Transient, match="did not end"),
    ):
        told(opened(simulator, mode="bulk"), [PAT])
