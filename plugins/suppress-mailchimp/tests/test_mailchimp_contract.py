"""The plugin keeps the contract of exporters, told in each of its ways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from mailchimp_platform import AUDIENCE, KEY, settings
from suppress_mailchimp.calls import calls
from suppress_mailchimp.exporter import Mailchimp
from suppress_mailchimp.settings import Options
from suppress_mailchimp.simulator import People, Scenario, Simulator
from suppress_mailchimp.simulator.account import Member, Refused
from suppress_mailchimp.simulator.shape import refusal

from suppress.core.suppression import Json
from suppress.plugin.contract import Exporter
from suppress.plugin.guard import Call
from suppress.plugin.kit import HttpExporterContract


class _Told(HttpExporterContract[Simulator]):
    """One account whose two audiences know everybody, and the exporter with `more` settings."""

    more: ClassVar[Mapping[str, Json]] = {}
    secrets = (KEY,)
    says_failed = refusal(Refused(500, "Internal Server Error", "A deep, internal error has occurred."))
    says_throttled = refusal(Refused(429, "Too Many Requests", "10 simultaneous connections."))
    says_expired = refusal(Refused(401, "API Key Invalid", "Your API key may be invalid."))

    @property
    def calls(self) -> Sequence[Call]:  # type: ignore[override]  # made from the settings
        return calls(Options.of(settings("http://127.0.0.1:1", **self.more)))

    def simulator(self, place: Path) -> Simulator:
        return Simulator(Scenario((People(AUDIENCE), People("f6e7d8c9b0", "Shop"))))

    def opened(self, place: Path, url: str) -> Exporter:
        return Mailchimp(settings(url, **self.more), clock=self.clock)

    def known(self, place: Path, addresses: Sequence[str]) -> None:
        platform = self.at(place)
        with platform.lock:
            for audience in platform.account.audiences.values():
                for address in addresses:
                    if audience.find(address) is None:
                        audience.place(Member(address, "subscribed", platform.now()))

    def mails(self, place: Path, address: str) -> bool:
        return self.at(place).mails(address, audience=None if self.more.get("audience") else AUDIENCE)

    def archived(self, place: Path, addresses: Sequence[str]) -> bool:
        self.known(place, addresses)
        platform = self.at(place)
        with platform.lock:
            for audience in platform.account.audiences.values():
                for address in addresses:
                    audience.archive(address, platform.now())
        return True

    def widened(self, place: Path, addresses: Sequence[str]) -> Sequence[str]:
        platform = self.at(place)
        return [each for each in addresses if not platform.mails(each, audience="f6e7d8c9b0")]

    def remove_target(self, place: Path) -> bool:
        if self.more.get("audience"):
            return False
        platform = self.at(place)
        with platform.lock:
            del platform.account.audiences[AUDIENCE]
        return True


class TestToldByListCalls(_Told):
    """In list calls of three, of an audience that is read in pages of four, unknown people created."""

    more: ClassVar[Mapping[str, Json]] = {
        "method": "list",
        "list_call_size": 3,
        "page_size": 4,
        "unknown": "create_suppressed",
    }


class TestToldInBatches(_Told):
    """As jobs."""

    more: ClassVar[Mapping[str, Json]] = {"method": "batches", "batch_size": 2}


class TestEveryAudienceIsTold(_Told):
    """An opt-out reaches each audience of the account; few people one by one, more by the list call."""

    more: ClassVar[Mapping[str, Json]] = {"audience": "all"}
