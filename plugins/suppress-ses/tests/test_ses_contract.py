"""The contract kit on SES, through AWS's own client."""

from __future__ import annotations

from pathlib import Path

from ses_opening import SECRET, SPEAKABLE, settings_for
from suppress_ses.calls import calls, reads
from suppress_ses.exporter import Ses
from suppress_ses.settings import Options
from suppress_ses.simulator import Simulator

from suppress.plugin.contract import Exporter
from suppress.plugin.kit import HttpExporterContract
from suppress.plugin.loopback import answer


class TestSes(HttpExporterContract[Simulator]):
    """One account in one region."""

    addresses = SPEAKABLE
    calls = calls(Options.of(settings_for("https://email.eu-west-1.amazonaws.com")))
    secrets = (SECRET,)
    says_failed = answer(503, {"message": "unavailable"}, ("x-amzn-ErrorType", "ServiceUnavailable"))
    says_throttled = answer(429, {"message": "slow down"}, ("x-amzn-ErrorType", "TooManyRequestsException"))
    says_expired = answer(403, {"message": "expired"}, ("x-amzn-ErrorType", "ExpiredTokenException"))

    def simulator(self, place: Path) -> Simulator:
        started = Simulator()
        started.start()
        return started

    def opened(self, place: Path, url: str) -> Exporter:
        return Ses(settings_for(url), clock=self.clock)

    def writes(self, method: str, path: str) -> bool:
        return not reads(method, path)

    def mails(self, place: Path, address: str) -> bool:
        return self.at(place).account.would_mail(address)
