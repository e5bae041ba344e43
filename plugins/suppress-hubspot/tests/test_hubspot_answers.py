"""Answers that no HubSpot should give, and what is made of them: nobody is taken who was not named."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from hubspot_opening import settings_for
from suppress_hubspot.exporter import HubSpot
from suppress_hubspot.simulator.bodies import record_error, status, wide
from suppress_hubspot.simulator.server import name_of

from suppress.core.suppression import Json
from suppress.plugin.contract import Outcome, Remote, Result
from suppress.plugin.errors import ContractBroken
from suppress.plugin.kit import POSITION, people
from suppress.plugin.loopback import Loopback, Request, Response, answer
from tests.plugin.virtual import VirtualTime

PAT, SAM = "pat@example.com", "sam@example.com"
NOW = datetime(2026, 11, 23, tzinfo=UTC)
NOBODY: dict[str, object] = {"status": "COMPLETE", "results": []}


def statuses(address: str, said: str = "UNSUBSCRIBED") -> list[object]:
    """What a write answers for an address."""
    return [{**status(address, 1, "REQUESTED_CHANGE_OCCURRED", NOW), "status": said}]


@contextmanager
def answering(write: object, read: object = NOBODY, **options: Json) -> Iterator[HubSpot]:
    """An exporter whose writes and readings are always answered so."""

    def answered(request: Request) -> Response:
        return answer(200, read if name_of(request).endswith("read") else write)

    with Loopback(answered) as server:
        exporter = HubSpot(settings_for(server.url, **options), clock=VirtualTime().clock)
        try:
            yield exporter
        finally:
            exporter.close()


def outcomes(exporter: HubSpot, *addresses: str) -> dict[str, Outcome]:
    """What became of these addresses."""
    found = exporter.push(iter(people(addresses)), POSITION)
    return {each.address: each.outcome for each in found if isinstance(each, Result)}


@pytest.mark.parametrize("mode", ["single", "batch"])
@pytest.mark.parametrize("write", [[], {"status": "COMPLETE"}, {"status": "COMPLETE", "results": [7]}])
def test_a_write_that_is_not_answered_as_promised_is_told_again(write: object, mode: str) -> None:
    """It may have been carried out; telling again does no harm."""
    with answering(write, mode=mode) as exporter:
        assert outcomes(exporter, PAT) == {PAT: Outcome.RETRY_LATER}


def test_an_answer_about_somebody_else_is_told_again() -> None:
    """Whose answer it is cannot be known, so that it is nobody's."""
    stranger = {"status": "COMPLETE", "results": statuses(SAM)}
    with answering(stranger) as exporter:
        assert outcomes(exporter, PAT) == {PAT: Outcome.RETRY_LATER}


def test_a_batch_that_names_a_stranger_stops_the_run() -> None:
    """A platform that mixes people up must not be told of more of them."""
    stranger = {"status": "COMPLETE", "results": [{"subscriberIdString": SAM, "statuses": statuses(SAM)}]}
    with answering(stranger, mode="batch") as exporter, pytest.raises(ContractBroken, match="was not sent"):
        outcomes(exporter, PAT)


def test_a_write_that_is_still_running_is_settled_by_reading() -> None:
    """HubSpot's envelope can say PROCESSING; what it lists then is not final."""
    running = {"status": "PROCESSING", "results": statuses(PAT)}
    out = {"status": "COMPLETE", "results": [wide(PAT, 0, NOW)]}
    with answering(running, out) as exporter:
        assert outcomes(exporter, PAT) == {PAT: Outcome.SUPPRESSED}
    with answering(running) as exporter:
        assert outcomes(exporter, PAT) == {PAT: Outcome.RETRY_LATER}


@pytest.mark.parametrize("mode", ["single", "batch"])
def test_a_newsletter_that_still_goes_out_is_no_success(mode: str) -> None:
    """One type of mail says SUBSCRIBED after an opt-out of everything."""
    still = statuses(PAT, "SUBSCRIBED")
    results: list[object] = still if mode == "single" else [{"subscriberIdString": PAT, "statuses": still}]
    with answering({"status": "COMPLETE", "results": results}, mode=mode) as exporter:
        assert outcomes(exporter, PAT) == {PAT: Outcome.RETRY_LATER}


def test_an_error_outweighs_a_result_and_errors_about_nobody_count_for_nobody() -> None:
    """Both for one address, and one for somebody who was not sent."""
    both = {
        "status": "COMPLETE",
        "results": [{"subscriberIdString": PAT, "statuses": statuses(PAT)}],
        "errors": [record_error("VALIDATION_ERROR", PAT), record_error("VALIDATION_ERROR", "x@example.com")],
    }
    with answering(both, mode="batch") as exporter:
        assert outcomes(exporter, PAT) == {PAT: Outcome.REJECTED_PERMANENT}


def test_a_batch_reading_about_strangers_leaves_the_question_open() -> None:
    """Whoever was asked for is then asked for alone, which fails here as well."""
    odd = {
        "status": "COMPLETE",
        "results": [{"subscriberIdString": SAM, "wideStatuses": []}],
        "errors": [record_error("INTERNAL_ERROR", SAM)],
    }
    with answering(NOBODY, odd, mode="batch") as exporter:
        (seen,) = exporter.read_back([PAT])

    assert seen.state is Remote.UNREADABLE
