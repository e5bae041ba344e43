"""Campaign reports: who clicked which unsubscribe link, and whose mailbox does not exist, deleted people too.

Rules kept here:

* They are evidence, and a second word: what contacts show themselves outweighs them, and a run is complete
  without them. What keeps them from being read is a note, not a failure.
* No more than the configured number of requests a run, the newest campaign first. A campaign is read again
  only when the platform counts more of its opt-outs or bounces than were read.
* How far they were read is written down only once the ledger has it: `Found.settle`.
* Opt-outs that staff, an upload or the API made have no campaign: that a report lacks somebody says nothing.
* Of bounces only `B` (non-existent) and `S` (suspended for it): the others pass.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from suppress.core.address import Address
from suppress.core.reconcile import Observed, Permission
from suppress.core.suppression import Json, Reason
from suppress.errors import QuotaExhausted, SourceFailed, StorageFailed
from suppress.platforms.constant_contact import wire
from suppress.platforms.constant_contact.client import REPORTING, SUMMARIES, Client
from suppress.platforms.constant_contact.dates import moment
from suppress.platforms.constant_contact.options import Options
from suppress.plugin.lock import private

_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
_ROLES = ("primary_email", "resend")
_KEPT = (
    "contact_id", "email_address", "campaign_activity_id", "tracking_activity_type", "opt_out_reason",
    "created_time", "deleted_at", "bounce_code", "current_email_address",
)  # fmt: skip


def _nothing() -> None:
    """Nothing was read, so nothing has to be remembered."""


@dataclass(slots=True)
class Found:
    """What the reports of one run named. `settle` remembers how far they were read."""

    clicks: dict[str, Observed] = field(default_factory=dict)
    """Contact id → its newest click on an unsubscribe link."""
    bounced: dict[str, Observed] = field(default_factory=dict)
    """Contact id → its bounce."""
    notes: tuple[str, ...] = ()
    settle: Callable[[], None] = _nothing

    def beside(self, observed: Observed) -> Observed | None:
        """The click of this contact under this address, which is then not told again."""
        contact = observed.fingerprint[0]
        click = self.clicks.get(contact)
        same = click is not None and observed.address is not None and click.address is not None
        if not same or click is None or click.address is None or observed.address is None:
            return None
        return self.clicks.pop(contact) if click.address.key == observed.address.key else None


@dataclass(frozen=True, slots=True)
class _Campaign:
    id: str
    sent: str
    counts: tuple[int, int]
    """Opt-outs and bounces, of those that are asked for."""


class _Enough(Exception):
    """The run's requests for reports are used up."""


class Reports:
    """The reports of one account."""

    def __init__(
        self, client: Client, options: Options, state: Path, ledger: str, now: Callable[[], datetime]
    ) -> None:
        whole = "\n".join([options.origin + options.prefix, options.client_id, ledger, client.source])
        self._file = state / f"constant-contact-reports-{sha256(whole.encode()).hexdigest()[:16]}.json"
        self._client = client
        self._options = options
        self._now = now
        self._found = Found()
        self._began = 0

    def read(self) -> Found:
        """Everything that is new and that the budget allows.

        Raises:
            SignInNeeded: There is no token, or the platform refuses it.
        """
        self._found, self._began = Found(), self._client.requests
        done = self._remembered()
        read: dict[str, list[int]] = {}
        campaigns: list[_Campaign] = []
        why = ""
        try:
            campaigns = [each for each in self._campaigns() if list(each.counts) != done.get(each.id)]
            for campaign in campaigns:
                self._campaign(campaign)
                read[campaign.id] = list(campaign.counts)
        except _Enough:
            why = f"evidence_budget allows {self._options.evidence_budget:,} requests a run"
        except (QuotaExhausted, SourceFailed) as failure:
            why = failure.message
        if why:
            self._found.notes = (
                f"of {len(campaigns):,} campaigns with news, the reports of {len(read):,} were read; "
                f"the next run goes on: {why}",
            )
        self._found.settle = lambda: self._remember({**done, **read})
        return self._found

    def _campaigns(self) -> list[_Campaign]:
        """Those with an opt-out or bounce that is asked for, newest first."""
        rows = self._rows(SUMMARIES, {"limit": "500"}, "bulk_email_campaign_summaries")
        found = [_campaign(row, self._options) for row in rows]
        return sorted((each for each in found if any(each.counts)), key=lambda each: each.sent, reverse=True)

    def _campaign(self, campaign: _Campaign) -> None:
        opted_out, bounced = campaign.counts
        for activity in self._activities(campaign.id):
            report = f"/v3/reports/email_reports/{activity}/tracking"
            if opted_out:
                for row in self._rows(f"{report}/optouts", {"limit": "500"}, "tracking_activities"):
                    self._clicked(row, campaign.id)
            if bounced:
                wanted: dict[str, str | tuple[str, ...]] = {"limit": "500", "bounce_code": ("B", "S")}
                for row in self._rows(f"{report}/bounces", wanted, "tracking_activities"):
                    self._bounced(row, campaign.id)

    def _activities(self, campaign: str) -> list[str]:
        told = self._asked(lambda: self._client.told(f"/v3/emails/{campaign}", {}, needs=REPORTING))
        listed = told.get("campaign_activities") if isinstance(told, dict) else None
        rows = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
        return [self._id(each.get("campaign_activity_id")) for each in rows if each.get("role") in _ROLES]

    def _rows(
        self, path: str, parameters: Mapping[str, str | tuple[str, ...]], name: str
    ) -> Iterator[Mapping[str, object]]:
        told = self._asked(lambda: self._client.told(path, parameters, needs=REPORTING))
        followed: set[str] = set()
        while True:
            table = told if isinstance(told, dict) else {}
            listed = table.get(name)
            if not isinstance(listed, list):
                raise self._client.failed(f"expected a list as {name}, found {wire.kind_of(listed)}")
            yield from (each for each in listed if isinstance(each, dict))
            try:
                href = wire.next_link(table.get("_links"))
            except wire.NotAsPromised as wrong:
                raise self._client.failed(str(wrong)) from None
            if href is None:
                return
            if href in followed:
                raise self._client.failed("the pages lead in a circle")
            followed.add(href)
            told = self._asked(lambda at=href: self._client.told_next(at, path, needs=REPORTING))  # type: ignore[misc]

    def _asked(self, ask: Callable[[], object]) -> object:
        if self._client.requests - self._began >= self._options.evidence_budget:
            raise _Enough
        return ask()

    def _id(self, value: object) -> str:
        if isinstance(value, str) and _ID.fullmatch(value):
            return value
        raise self._client.failed(f"expected the id of a campaign, found {wire.kind_of(value)}")

    def _clicked(self, row: Mapping[str, object], campaign: str) -> None:
        found = self._observed(row, campaign, "em_optouts", Reason.UNSUBSCRIBED, again=True)
        known = self._found.clicks.get(found.fingerprint[0])
        if found.address is not None and (known is None or _later(found, known)):
            self._found.clicks[found.fingerprint[0]] = found

    def _bounced(self, row: Mapping[str, object], campaign: str) -> None:
        found = self._observed(row, campaign, "em_bounces", Reason.BOUNCED, again=False)
        if found.address is not None:
            self._found.bounced.setdefault(found.fingerprint[0], found)

    def _observed(
        self, row: Mapping[str, object], campaign: str, kind: str, reason: Reason, *, again: bool
    ) -> Observed:
        address = wire.as_text(row.get("email_address"))
        evidence: dict[str, Json] = {key: wire.raw(row[key]) for key in _KEPT if row.get(key) is not None}
        at = self._now().isoformat().replace("+00:00", "Z")
        return Observed(
            source=self._client.source,
            address=_address(address),
            permission=Permission.OPTED_OUT,
            word=kind,
            deleted=bool(row.get("deleted_at")),
            reason=reason,
            opted_out_at=moment(row.get("created_time")),
            fingerprint=(wire.as_text(row.get("contact_id")) or address, kind),
            evidence={**evidence, "campaign_id": campaign, "query": kind, "fetched_at": at},
            again=again,
        )

    def _remembered(self) -> dict[str, list[int]]:
        try:
            facts = json.loads(self._file.read_bytes())
        except (OSError, ValueError, RecursionError):
            return {}
        return facts if isinstance(facts, dict) else {}

    def _remember(self, facts: Mapping[str, list[int]]) -> None:
        scratch = self._file.with_suffix(".new")
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with private(scratch, "wb") as file:
                file.write(json.dumps(facts).encode())
            scratch.replace(self._file)
        except OSError as refused:
            raise StorageFailed(
                f"how far reports were read cannot be kept in {self._file.parent}: "
                f"{refused.strerror or type(refused).__name__}"
            ) from None


def _campaign(row: Mapping[str, object], options: Options) -> _Campaign:
    found = row.get("unique_counts")
    counts = found if isinstance(found, dict) else {}
    clicks = wire.count(counts.get("optouts")) or 0
    bounces = wire.count(counts.get("bounces")) or 0
    id_ = row.get("campaign_id")
    usable = isinstance(id_, str) and _ID.fullmatch(id_) is not None
    return _Campaign(
        id_ if usable and isinstance(id_, str) else "",
        wire.as_text(row.get("last_sent_date")),
        (clicks if usable and options.campaign_evidence else 0, bounces if usable and options.bounces else 0),
    )


def _later(one: Observed, other: Observed) -> bool:
    if one.opted_out_at is None or other.opted_out_at is None:
        return other.opted_out_at is None
    return one.opted_out_at > other.opted_out_at


def _address(text: str) -> Address | None:
    try:
        return Address.parse(text)
    except ValueError:
        return None
