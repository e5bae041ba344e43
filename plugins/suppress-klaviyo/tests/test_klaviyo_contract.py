"""The contract kit on Klaviyo, with unknown addresses left alone and with profiles made of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from klaviyo_opening import FAST, SPEAKABLE
from suppress_klaviyo.calls import calls
from suppress_klaviyo.exporter import Klaviyo
from suppress_klaviyo.settings import Options
from suppress_klaviyo.simulator import Scenario, Simulator, bodies

from suppress.config import DestinationSettings
from suppress.plugin.contract import Exporter
from suppress.plugin.kit import HttpExporterContract


class _OnKlaviyo(HttpExporterContract[Simulator]):
    calls = calls(Options.of(DestinationSettings("shop", "klaviyo")))
    addresses = SPEAKABLE
    says_throttled = bodies.error(429, "throttled", "Request was throttled.")
    says_expired = bodies.error(401, "not_authenticated", "Incorrect authentication credentials.")
    unknown = "skip"

    def simulator(self, place: Path) -> Simulator:
        started = Simulator(Scenario(polls=2))
        started.start()
        return started

    def opened(self, place: Path, url: str) -> Exporter:
        options = {**FAST, "api_url": url, "api_key": self.at(place).key, "unknown": self.unknown}
        return Klaviyo(DestinationSettings("shop", "klaviyo", options=options), clock=self.clock)

    def mails(self, place: Path, address: str) -> bool:
        return self.at(place).account.would_mail(address)


class TestKnownPeople(_OnKlaviyo):
    """Who has no profile is not mailed, and gets none."""

    def known(self, place: Path, addresses: Sequence[str]) -> None:
        simulator = self.at(place)
        with simulator.lock:
            simulator.account.add(addresses)


class TestPeopleWhoAreMadeProfiles(_OnKlaviyo):
    """Suppressed from their first moment."""

    unknown = "create_suppressed"
