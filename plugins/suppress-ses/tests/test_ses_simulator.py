"""The simulated account itself, as AWS's own client without a guard sees it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator
from ses_opening import REGION, account, outcomes
from suppress_ses.simulator import Fault, Scenario, Simulator, Trap, launch
from suppress_ses.simulator.scenario import load

from suppress.errors import BadFile
from suppress.plugin.contract import Outcome, Remote

PAT = "pat@example.com"


@contextmanager
def client(platform: Simulator, key: str = "AKIASIMULATED") -> Iterator[Any]:
    """boto3 as anybody has it; it holds what it sends to the published service model."""
    session = boto3.session.Session(key, "secret", region_name=REGION)
    config = Config(retries={"total_max_attempts": 1}, proxies={})
    with closing(session.client("sesv2", endpoint_url=platform.url, config=config)) as made:
        yield made


def refusal(call: Any, **given: Any) -> tuple[int, str]:
    """Status and name of an error."""
    with pytest.raises(ClientError) as refused:
        call(**given)
    response = refused.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


def test_answers_are_of_the_published_shapes() -> None:
    """Each is held to the service model that AWS ships: types, and members that are required."""
    scenario = Scenario(complaints=(PAT,), sets={"news": ("COMPLAINT",)})
    with Simulator(scenario) as platform, client(platform) as them:
        answers = {
            "PutSuppressedDestination": them.put_suppressed_destination(EmailAddress=PAT, Reason="COMPLAINT"),
            "GetSuppressedDestination": them.get_suppressed_destination(EmailAddress=PAT),
            "ListSuppressedDestinations": them.list_suppressed_destinations(PageSize=1),
            "GetAccount": them.get_account(),
            "ListConfigurationSets": them.list_configuration_sets(),
            "GetConfigurationSet": them.get_configuration_set(ConfigurationSetName="news"),
        }
        for name, found in answers.items():
            found.pop("ResponseMetadata")
            shape = them.meta.service_model.operation_model(name).output_shape
            report = ParamValidator().validate(found, shape)

            assert not report.has_errors(), report.generate_report()
            assert found or name == "PutSuppressedDestination"


def test_refusals_have_the_names_that_aws_gives_them() -> None:
    """404, 400, 403 and 429."""
    scenario = Scenario(forbidden=("GetAccount",), refused=("bad@example.com",))
    with Simulator(scenario) as platform, client(platform) as them, client(platform, "AKIAOTHER") as others:
        get, put = them.get_suppressed_destination, them.put_suppressed_destination
        assert refusal(get, EmailAddress=PAT) == (404, "NotFoundException")
        assert refusal(put, EmailAddress="no-at-sign", Reason="COMPLAINT") == (400, "BadRequestException")
        assert refusal(put, EmailAddress="bad@example.com", Reason="BOUNCE") == (400, "BadRequestException")
        assert refusal(put, EmailAddress=PAT, Reason="UNSUBSCRIBE") == (400, "BadRequestException")
        assert refusal(put, EmailAddress=PAT, Reason="BOUNCE", TenantName="x") == (404, "NotFoundException")
        assert refusal(them.list_suppressed_destinations, NextToken="x") == (400, "BadRequestException")
        assert refusal(them.get_account) == (403, "AccessDeniedException")
        assert refusal(them.get_configuration_set, ConfigurationSetName="x") == (404, "NotFoundException")
        assert refusal(them.list_contact_lists) == (404, "UnknownOperationException")
        assert refusal(others.get_account) == (403, "UnrecognizedClientException")


def test_too_many_requests_in_a_second_are_refused() -> None:
    """And let in again in the next one."""
    now = [datetime(2026, 11, 1, tzinfo=UTC)]
    with Simulator(Scenario(per_second=1), clock=lambda: now[0]) as platform, client(platform) as them:
        them.get_account()
        assert refusal(them.get_account) == (429, "TooManyRequestsException")
        now[0] = datetime(2026, 11, 1, 0, 0, 2, tzinfo=UTC)
        assert them.get_account()["SendingEnabled"]


def test_a_request_that_is_not_signed_is_refused() -> None:
    """And one whose body is no JSON."""

    def spoiled(request: Any, **_: object) -> None:
        request.body = b"{" * len(request.body or b"")

    def unsigned(request: Any, **_: object) -> None:
        del request.headers["Authorization"]

    with Simulator() as platform, client(platform) as them:
        events = them.meta.events
        events.register("before-send.sesv2", spoiled)
        put = {"EmailAddress": PAT, "Reason": "BOUNCE"}
        assert refusal(them.put_suppressed_destination, **put) == (400, "BadRequestException")
        events.register("before-send.sesv2", unsigned)
        assert refusal(them.get_account) == (403, "MissingAuthenticationTokenException")


def test_what_others_delete_reads_back_as_mailable() -> None:
    """The drift that a patrol is for."""
    with account() as (platform, exporter), client(platform) as them:
        assert outcomes(exporter, PAT) == {PAT: Outcome.SUPPRESSED}
        them.delete_suppressed_destination(EmailAddress=PAT)
        (seen,) = exporter.read_back([PAT])

        assert seen.state is Remote.MAILABLE
        assert refusal(them.delete_suppressed_destination, EmailAddress=PAT) == (404, "NotFoundException")


def test_its_clock_may_be_ahead() -> None:
    """By which it dates what is put on the list."""
    now = datetime(2026, 11, 1, tzinfo=UTC)
    with Simulator(Scenario(clock_skew=60), clock=lambda: now) as platform, client(platform) as them:
        them.put_suppressed_destination(EmailAddress=PAT, Reason="COMPLAINT")
        found = them.get_suppressed_destination(EmailAddress=PAT)["SuppressedDestination"]

    assert (found["LastUpdateTime"] - now).total_seconds() == 60


def test_a_scenario_file_sets_every_switch(tmp_path: Path) -> None:
    """With the names of the fields."""
    file = tmp_path / "s.toml"
    file.write_text(
        'regions = ["us-east-1"]\nreasons = ["BOUNCE"]\nper_second = 9\n'
        '[[faults]]\ntrap = "throttled"\ncall = "GetAccount"\nafter = 2\n'
    )
    found = load(str(file))

    assert found == Scenario(
        regions=("us-east-1",),
        reasons=("BOUNCE",),
        per_second=9,
        faults=(Fault(Trap.THROTTLED, "GetAccount", after=2),),
    )
    assert [found.faults[0].strikes("GetAccount") for _ in range(4)] == [False, False, True, False]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nonsense = 1", "nonsense: there is no such key"),
        ("faults = 7", "faults: must be a list"),
        ('[[faults]]\ntrap = "boredom"', "trap: must be one of error, page"),
        ("not toml", "Expected '=' after a key"),
    ],
)
def test_a_scenario_that_is_none_is_said(tmp_path: Path, text: str, words: str) -> None:
    """One line, with what is wrong."""
    file = tmp_path / "s.toml"
    file.write_text(text)
    with pytest.raises(BadFile, match=words):
        load(str(file))


def test_a_scenario_that_is_not_there_names_those_that_are(tmp_path: Path) -> None:
    """By name."""
    with pytest.raises(BadFile, match="scenarios by name: demo, off"):
        load(str(tmp_path / "none.toml"))


def test_what_is_launched_says_how_to_use_it() -> None:
    """The table to paste, and the secret to set."""
    running = launch(0, None)
    try:
        assert f'region = "{REGION}"' in running.settings
        assert running.environment == {"SUPPRESS_DESTINATIONS__SES__SECRET_ACCESS_KEY": running.token}
        assert (running.label, running.holds["suppressed addresses"]) == ("Amazon SES", 2)
    finally:
        running.close()
