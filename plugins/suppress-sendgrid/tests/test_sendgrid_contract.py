"""The contract kit on SendGrid, with the global list and with a group."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sendgrid_opening import FAST, GROUP, SCOPES, SPEAKABLE, settings_for
from suppress_sendgrid.calls import calls, reads
from suppress_sendgrid.exporter import SendGrid
from suppress_sendgrid.settings import Options
from suppress_sendgrid.simulator import Simulator

from suppress.config import DestinationSettings
from suppress.plugin.contract import Exporter
from suppress.plugin.kit import HttpExporterContract
from suppress.plugin.loopback import answer


class _OnSendGrid(HttpExporterContract[Simulator]):
    addresses = SPEAKABLE
    says_throttled = answer(429, {"errors": [{"field": None, "message": "too many requests"}]})
    says_expired = answer(401, {"errors": [{"field": None, "message": "authorization required"}]})
    scope = "global"
    group: int | None = None

    def simulator(self, place: Path) -> Simulator:
        started = Simulator()
        started.start()
        return started

    def opened(self, place: Path, url: str) -> Exporter:
        options = {**FAST, **SCOPES[self.scope], "api_url": url, "api_key": self.at(place).token}
        return SendGrid(DestinationSettings("mail", "sendgrid", options=options), clock=self.clock)

    def writes(self, method: str, path: str) -> bool:
        return not reads(method, path)

    def mails(self, place: Path, address: str) -> bool:
        return self.at(place).account.would_mail(address, self.group)


class TestTheGlobalList(_OnSendGrid):
    """All mail of the account."""

    calls = calls(Options.of(settings_for("https://api.sendgrid.com", "global")))


class TestAGroup(_OnSendGrid):
    """One unsubscribe group."""

    calls = calls(Options.of(settings_for("https://api.sendgrid.com", "group")))
    scope = "group"
    group = GROUP

    def widened(self, place: Path, addresses: Sequence[str]) -> Sequence[str]:
        return [each for each in addresses if each in self.at(place).account.globally]

    def remove_target(self, place: Path) -> bool:
        self.at(place).account.groups.clear()
        return True
