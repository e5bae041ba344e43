"""What the tests of this plugin share: settings, entries, and an exporter that talks to a simulator."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager

from suppress_mailchimp.exporter import Mailchimp
from suppress_mailchimp.simulator import Fault, People, Scenario, Simulator, Switches

from suppress.config import DestinationSettings
from suppress.core.suppression import Json
from suppress.plugin.contract import Outcome, Pushed, Result
from suppress.plugin.kit import POSITION, people
from suppress.plugin.kit.line import Hurry
from suppress.plugin.tally import Tally

AUDIENCE = "a1b2c3d4e5"
KEY = Scenario().key
_OPENED = ExitStack()


def settings(url: str, **more: Json) -> DestinationSettings:
    """One audience of the account at `url`."""
    options: Mapping[str, Json] = {"audience": AUDIENCE, "api_url": url, "api_key": KEY, **more}
    return DestinationSettings("news", "mailchimp", options={k: v for k, v in options.items() if v != ""})


def opened(simulator: Simulator, **more: Json) -> Mailchimp:
    """An exporter for that account, on a clock on which waiting takes no time; `account` closes it."""
    exporter = Mailchimp(settings(simulator.url, **more), clock=Hurry().clock)
    _OPENED.callback(exporter.close)
    return exporter


@contextmanager
def account(
    *audiences: People, switches: Switches | None = None, faults: Sequence[Fault] = (), key: str = KEY
) -> Iterator[Simulator]:
    """A platform that runs."""
    chosen = audiences or (People(AUDIENCE),)
    scenario = Scenario(chosen, switches or Switches(), tuple(faults), key)
    with closing(Simulator(scenario)) as simulator, _OPENED:
        yield simulator


def numbered(count: int) -> list[str]:
    """Addresses of the made-up subscribers of an audience."""
    return [f"person-{number}@example.com" for number in range(count)]


def pushed(exporter: Mailchimp, addresses: Iterable[str]) -> dict[str, Result]:
    """What became of each address, jobs waited for; the counts add up."""
    tally = Tally(exporter.name, exporter.capabilities.unit)
    found: dict[str, Result] = {}

    def noted(answers: Iterable[Pushed]) -> Iterator[Pushed]:
        for each in answers:
            if isinstance(each, Result):
                found[each.address] = each
            yield each

    tally.take(noted(exporter.push(tally.handing(people(addresses)), POSITION)))
    while tally.jobs:
        jobs, tally.jobs = tally.jobs, []
        tally.take(noted(answer for job in jobs for answer in exporter.poll(job)))
    tally.close()
    return found


def outcomes(exporter: Mailchimp, addresses: Iterable[str]) -> dict[str, Outcome]:
    """The same without the evidence."""
    return {address: each.outcome for address, each in pushed(exporter, addresses).items()}


def asked(simulator: Simulator, method: str = ".") -> list[str]:
    """The calls that the account saw, as `METHOD path`, those of one method or all."""
    return [
        f"{each.request.method} {each.request.path}"
        for each in simulator.exchanges
        if method in (".", each.request.method)
    ]
