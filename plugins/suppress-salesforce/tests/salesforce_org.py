"""Opens the exporter for a simulated org, as the tests here need it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from suppress_salesforce.exporter import Salesforce
from suppress_salesforce.simulator import Org, Simulator, Switches
from suppress_salesforce.simulator.sign_in import CLIENT_ID, CLIENT_SECRET

from suppress.config import DestinationSettings
from suppress.core.suppression import Json
from suppress.plugin.contract import Job, Outcome, Pushed, Result
from suppress.plugin.kit import POSITION, people
from suppress.plugin.kit.line import Hurry


def destination(url: str, **options: Json) -> DestinationSettings:
    """Its settings; a session by client credentials unless `options` sign in otherwise."""
    given: dict[str, Json] = {
        "instance_url": url,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "poll_seconds": 0,
        **options,
    }
    return DestinationSettings("crm", "salesforce", options=given)


class Watched(Simulator):
    """An org that closes the exporters that were opened for it."""

    def __init__(self, org: Org) -> None:
        super().__init__(org)
        self.exporters: list[Salesforce] = []

    def close(self) -> None:
        for exporter in self.exporters:
            exporter.close()
        super().close()


def opened(simulator: Watched, **options: Json) -> Salesforce:
    """The exporter; it waits for nothing."""
    exporter = Salesforce(destination(simulator.url, **options), clock=Hurry().clock)
    simulator.exporters.append(exporter)
    return exporter


def org_of(*addresses: str, switches: Switches | None = None) -> Watched:
    """An org with a contact for each address."""
    org = Org(switches or Switches())
    for address in addresses:
        org.add("Contact", Email=address)
    return Watched(org)


def told(exporter: Salesforce, addresses: Sequence[str], *, polls: int = 20) -> dict[str, Result]:
    """What became of each address, jobs waited for."""
    found: dict[str, Result] = {}
    jobs = _sorted_in(exporter.push(iter(people(addresses)), POSITION), found)
    for _ in range(polls):
        jobs = [again for job in jobs for again in _sorted_in(exporter.poll(job), found)]
    assert not jobs, "a job did not end"
    return found


def outcomes(exporter: Salesforce, addresses: Sequence[str]) -> dict[str, Outcome]:
    """The outcomes alone."""
    return {address: result.outcome for address, result in told(exporter, addresses).items()}


def _sorted_in(answers: Iterable[Pushed], found: dict[str, Result]) -> list[Job]:
    jobs: list[Job] = []
    for each in answers:
        if isinstance(each, Job):
            jobs.append(each)
        else:
            assert isinstance(each, Result)
            assert each.address not in found
            found[each.address] = each
    return jobs
