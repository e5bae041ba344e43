"""The contract kit on HubSpot, with single calls and with batches."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hubspot_opening import FAST, SINGLY, SPEAKABLE
from suppress_hubspot.calls import calls, reads
from suppress_hubspot.exporter import HubSpot
from suppress_hubspot.settings import Options
from suppress_hubspot.simulator import Scenario, Simulator, bodies

from suppress.config import DestinationSettings
from suppress.plugin.contract import Exporter
from suppress.plugin.kit import HttpExporterContract

_SETTINGS = DestinationSettings("crm", "hubspot")


class _OnHubSpot(HttpExporterContract[Simulator]):
    calls = calls(Options.of(_SETTINGS))
    says_throttled = bodies.too_many("ten_secondly_rolling", "TEN_SECONDLY_ROLLING", "c")
    says_expired = bodies.error(401, "EXPIRED_AUTHENTICATION", "The OAuth token used expired", "c")
    mode = "single"

    def simulator(self, place: Path) -> Simulator:
        started = Simulator(Scenario(enterprise=self.mode == "batch"))
        started.start()
        return started

    def opened(self, place: Path, url: str) -> Exporter:
        options = {**FAST, "api_url": url, "access_token": self.at(place).token, "mode": self.mode}
        return HubSpot(DestinationSettings("crm", "hubspot", options=options), clock=self.clock)

    def writes(self, method: str, path: str) -> bool:
        return not reads(method, path)

    def known(self, place: Path, addresses: Sequence[str]) -> None:
        simulator = self.at(place)
        with simulator.lock:
            simulator.account.add(addresses, simulator.now())

    def mails(self, place: Path, address: str) -> bool:
        return self.at(place).account.would_mail(address)


class TestSingleCalls(_OnHubSpot):
    """What every plan may do."""

    addresses = SINGLY


class TestBatches(_OnHubSpot):
    """What Enterprise may do."""

    addresses = SPEAKABLE
    mode = "batch"
