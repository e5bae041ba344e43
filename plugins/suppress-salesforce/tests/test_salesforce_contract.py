"""The whole contract of an exporter over HTTP, by composite calls and by bulk jobs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from salesforce_org import destination
from suppress_salesforce import settings
from suppress_salesforce.calls import org_calls, sign_in_calls
from suppress_salesforce.exporter import Salesforce
from suppress_salesforce.simulator import Simulator
from suppress_salesforce.simulator.bulk import refused
from suppress_salesforce.simulator.sign_in import CLIENT_SECRET

from suppress.core.suppression import Json
from suppress.plugin.contract import Exporter
from suppress.plugin.kit import HttpExporterContract
from suppress.plugin.loopback import Response


class _Contract(HttpExporterContract[Simulator]):
    options: ClassVar[dict[str, Json]]
    calls = (
        *sign_in_calls(),
        *org_calls("66.0", settings.read(destination("https://acme.my.salesforce.com")).targets),
    )
    secrets = (CLIENT_SECRET,)
    says_failed: Response = refused(503, "SERVER_UNAVAILABLE", "unavailable")
    says_throttled: Response = refused(429, "TOO_MANY_REQUESTS", "too many requests")
    says_expired: Response = refused(401, "INVALID_SESSION_ID", "Session expired or invalid")

    def simulator(self, place: Path) -> Simulator:
        simulator = Simulator(clock=self.clock.epoch)
        simulator.start()
        return simulator

    def opened(self, place: Path, url: str) -> Exporter:
        return Salesforce(destination(url, **self.options), clock=self.clock)

    def writes(self, method: str, path: str) -> bool:
        return method != "GET" and not path.endswith(("/oauth2/token", "/jobs/query"))

    def known(self, place: Path, addresses: Sequence[str]) -> None:
        org = self.at(place).org
        have = {str(each.values["Email"]) for each in org.rows["Contact"].values()}
        for number, address in enumerate(addresses):
            if address not in have:
                org.add("Contact", Email=address)
                if number % 2:
                    org.add("Lead", Email=address.upper() if address.isascii() else address)

    def archived(self, place: Path, addresses: Sequence[str]) -> bool:
        """A converted lead is what comes nearest: hidden, read-only, mailed no more."""
        for address in addresses:
            self.at(place).org.add("Lead", Email=address, IsConverted=True)
        return True

    def mails(self, place: Path, address: str) -> bool:
        return self.at(place).org.would_mail(address)


class TestComposite(_Contract):
    """With composite calls."""

    options: ClassVar[dict[str, Json]] = {"mode": "composite"}


class TestBulk(_Contract):
    """With Bulk API 2.0, for reading too."""

    options: ClassVar[dict[str, Json]] = {"mode": "bulk", "bulk_page": 7}
