"""What a simulated account holds and how it behaves: people, switches, faults, limits, sign-in.

Where the vendor's documents are silent or contradict each other, a *switch* holds one reading, and tests
prove that a client survives the others. A *fault* is something that goes wrong on the way. Every field is
listed on the page `docs/reference/constant-contact-simulator.md`.

A scenario is a frozen value; `Scenario()` is an empty account with the default reading of everything.
`suppress.platforms.constant_contact.simulator.scenario_file` reads one from TOML or JSON.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum


class WithoutStatus(StrEnum):
    """What a query without `status` returns: contract and guide against support staff."""

    NOT_DELETED = "not_deleted"
    ACTIVE = "active"


class Order(StrEnum):
    """The order of rows, documented nowhere."""

    CONTACT_ID = "contact_id"
    OLDEST = "oldest"
    NEWEST = "newest"
    SHUFFLED = "shuffled"


class Paging(StrEnum):
    """Whether pages are cut from the account as it is, or from a list made for the first page."""

    LIVE = "live"
    SNAPSHOT = "snapshot"


class LastPage(StrEnum):
    """How the end of a walk looks: `"_links": {}`, `"_links": {"next": null}`, or no `_links`."""

    EMPTY = "empty"
    NULL = "null"
    MISSING = "missing"


class Timestamps(StrEnum):
    """`2024-10-30T18:56:35Z`, `2024-10-30T18:56:35.000Z`, or `2024-10-30T14:56:35-04:00`."""

    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"
    OFFSET = "offset"


class ExportDates(StrEnum):
    """How a CSV export writes an instant: ISO 8601, `2024-10-30 18:56:35`, or `10/30/2024 6:56 PM`."""

    ISO = "iso"
    PLAIN = "plain"
    US = "us"


class Refresh(StrEnum):
    """Whether a refresh gives a new refresh token and kills the old one: a choice of each application."""

    ROTATING = "rotating"
    LONG_LIVED = "long_lived"


class FaultKind(StrEnum):
    """What can go wrong with an answer."""

    ERROR = "error"
    """An error status of the vendor: 500 unless `status` says another."""
    HTML = "html"
    """An HTML page instead of JSON, with `status` (502 unless given)."""
    DROP = "drop"
    """The connection ends in the middle of the body."""
    GARBLED = "garbled"
    """A body that is cut short but has a fitting length: broken JSON."""
    SLOW = "slow"
    """The answer comes after `seconds`."""
    DUPLICATE_ROW = "duplicate_row"
    """This page and those after it begin one row early, as if a row had been inserted before them."""
    MISSING_ROW = "missing_row"
    """This page and those after it begin one row late, as if a row before them had gone."""
    THROTTLED = "throttled"
    """429 `throttled`, whatever the request rate."""
    QUOTA_EXCEEDED = "quota_exceeded"
    """429 `quota_exceeded`, whatever was used of the day."""
    TOKEN_EXPIRED = "token_expired"
    """401, as if the token had just run out."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong, on one page of a walk, for the first `times` that it is asked for."""

    kind: FaultKind
    """What happens."""
    page: int = 1
    """The page of the walk, counted from 1."""
    times: int = 1
    """How often it happens."""
    status: int | None = None
    """The status of an `error` or `html` answer."""
    seconds: float = 0.0
    """How late a `slow` answer is."""
    path: str = "/v3/contacts"
    """Which requests it strikes, by exact path. Moved rows are for contacts only."""


@dataclass(frozen=True, slots=True)
class Switches:
    """One reading each of what the vendor leaves open."""

    without_status: WithoutStatus = WithoutStatus.NOT_DELETED
    """What a query without `status` returns."""
    deleted_includes_unsubscribed: bool = True
    """Whether `status=deleted` shows people who had unsubscribed before."""
    active_includes_on_hold: bool = False
    """Whether `status=active` shows `temp_hold` and `pending_confirmation` too."""
    inclusive_bounds: bool = False
    """Whether `…_after` and `…_before` include the instant itself."""
    resubscribed_keep_opt_out_date: bool = False
    """Whether people who came back still show an opt-out date and match `optout_after`."""
    order: Order = Order.CONTACT_ID
    """The order of rows."""
    paging: Paging = Paging.LIVE
    """Whether rows shift between pages when contacts change during a walk."""
    last_page: LastPage = LastPage.EMPTY
    """How the last page of contacts, lists and campaigns looks."""
    report_last_page: LastPage = LastPage.NULL
    """How the last page of a report looks."""
    timestamps: Timestamps = Timestamps.SECONDS
    """How instants are written."""
    deleted_at_has_time: bool = False
    """Whether `deleted_at` is an instant instead of a date."""
    sms_needs_include: bool = False
    """Whether `sms_channel` comes only with `include=sms_channel`."""
    segment_waits: int = 1
    """How many calls for a segment answer 202 before it is ready."""
    counts_include_deleted: bool = False
    """Whether `/contacts/counts` counts deleted people as unsubscribed."""
    revived_keep_opt_out_date: bool = True
    """Whether re-adding a deleted unsubscribe keeps its original date."""
    put_lifts_contact_opt_out: bool = True
    """Whether a PUT may lift an opt-out of the person (V2 answered 400)."""
    resubscribe_again: bool = False
    """Whether a second resubscribe message is accepted instead of 409."""
    visibility_delay: float = 0.0
    """Seconds until a fresh opt-out appears in queries."""
    activity_polls: int = 2
    """How many polls an activity needs until it is completed."""
    activity_seconds: float = 10.0
    """After how many seconds an activity is completed although nobody polls."""
    export_includes_deleted: bool = False
    """Whether an export with `status=unsubscribed` holds deleted people."""
    export_dates: ExportDates = ExportDates.ISO
    """How a CSV export writes instants."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The vendor's request limits, counted by client_id over all of its tokens."""

    per_second: int = 4
    """Requests a second: a bucket of this size that fills at this rate."""
    per_day: int = 10_000
    """Requests a day; the day begins at 00:00:00 UTC."""
    token_per_second: int = 1
    """Requests a second at the token endpoint."""
    queued_activities: int = 1_000
    """Unfinished activities before another one is refused."""
    retry_after: bool = False
    """Whether a 429 carries `Retry-After`, which the vendor does not document."""
    rows_per_page: int = 500
    """The most rows of a page of contacts, whatever `limit` asks for."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """Tokens, grants, and what they may do."""

    client_id: str = "simulated-client"
    """The application's API key."""
    client_secret: str = "simulated-secret"
    """Its secret, for the flow of servers."""
    access_token: str = "simulated-access-token"
    """A token that is valid from the start."""
    access_token_life: int = 3_650 * 86_400
    """Seconds that this one lasts; tokens that sign-in issues last `token_life`."""
    scopes: tuple[str, ...] = ("contact_data", "campaign_data", "account_read", "offline_access")
    """What the token from the start may do, and what a person may grant."""
    privileges: tuple[str, ...] = ("contacts:read", "contacts:write", "ui:campaign:metrics", "campaign:read")
    """What the user who granted it may do."""
    token_life: int = 86_400
    """Seconds an access token lasts that sign-in issued."""
    expires_in_text: bool = False
    """Whether `expires_in` is a string."""
    refresh: Refresh = Refresh.ROTATING
    """Whether refresh tokens rotate."""
    refresh_life: int = 180 * 86_400
    """Seconds after its last use until a refresh token dies."""
    refresh_grace: int = 0
    """Seconds in which a refresh token that was rotated still works; the vendor promises none."""
    code_life: int = 300
    """Seconds an authorization code lasts."""
    device_life: int = 600
    """Seconds a device code lasts."""
    device_interval: int = 5
    """Seconds a device must leave between polls."""
    device_refresh_token: bool = True
    """Whether the device flow issues a refresh token."""
    redirect_uris: tuple[str, ...] = ()
    """Registered redirect addresses; empty: any on loopback."""
    auto_approve: bool = False
    """Whether sign-in is approved without anyone pressing the button."""


@dataclass(frozen=True, slots=True)
class People:
    """How many contacts of each class the account starts with. Everyone is in exactly one class."""

    active: int = 0
    """Mailable, never unsubscribed."""
    unsubscribed: int = 0
    """Clicked an unsubscribe link, still visible."""
    unsubscribed_by_account: int = 0
    """Marked by staff or an upload, visible."""
    complained: int = 0
    """Reported spam; looks like any opt-out."""
    unsubscribed_deleted: int = 0
    """Unsubscribed, deleted one by one later."""
    unsubscribed_cleaned: int = 0
    """Unsubscribed, deleted together in a list cleaning."""
    unsubscribed_by_partner: int = 0
    """Unsubscribed and deleted in one call of a partner, source `System`."""
    without_date: int = 0
    """Unsubscribed with no opt-out date, so that no `optout_after` finds them; every second one deleted."""
    re_added: int = 0
    """Unsubscribed, deleted, then re-added: visible again as unsubscribed."""
    deleted: int = 0
    """Deleted, never unsubscribed."""
    resubscribed: int = 0
    """Opted out once, came back."""
    pending: int = 0
    """`pending_confirmation`."""
    temp_hold: int = 0
    """`temp_hold`."""
    bounced: int = 0
    """Active, with a bounce on record."""
    left_list: int = 0
    """Active, on no list any more."""
    sms_opt_out: int = 0
    """Mailable, unsubscribed from SMS."""
    sms_only: int = 0
    """No e-mail address at all."""
    odd: int = 0
    """Unsubscribed, every third one deleted, with a hostile or unusual address or reason."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """Everything that makes one simulated account."""

    people: People = People()
    seed: int = 2026
    """People and dates follow from it: the same seed, the same account."""
    until: datetime = datetime(2026, 11, 20, tzinfo=UTC)
    """The latest date in the account's history."""
    organisation: str = "Acme Outdoor"
    """The account's name."""
    switches: Switches = Switches()
    limits: Limits = Limits()
    sign_in: SignIn = SignIn()
    faults: tuple[Fault, ...] = ()
    clock: datetime | None = None
    """Where the account's time starts; None: now."""


def demo_scenario() -> Scenario:
    """The account of `suppress demo`: 1,000 contacts, of whom 200 may not be mailed and 120 are visible.

    80 unsubscribed people were deleted, 40 of them in one list cleaning. 10 of the visible ones had been
    deleted and were re-added.
    """
    people = People(
        unsubscribed=85,
        unsubscribed_by_account=20,
        complained=5,
        re_added=10,
        unsubscribed_deleted=40,
        unsubscribed_cleaned=40,
        deleted=50,
        resubscribed=5,
        temp_hold=5,
        sms_only=5,
        active=735,
    )
    return Scenario(people=people)


def large_scenario(contacts: int = 5_000, *, seed: int = 2026) -> Scenario:
    """An account of any size with every class of people, in the proportions of a real, untidy one."""
    shares = {
        "unsubscribed": 120,
        "unsubscribed_by_account": 30,
        "complained": 5,
        "unsubscribed_deleted": 40,
        "unsubscribed_cleaned": 60,
        "unsubscribed_by_partner": 10,
        "without_date": 10,
        "re_added": 10,
        "deleted": 50,
        "resubscribed": 10,
        "pending": 10,
        "temp_hold": 5,
        "bounced": 10,
        "left_list": 10,
        "sms_opt_out": 5,
        "sms_only": 10,
        "odd": 30,
    }
    counts = {name: max(1, contacts * share // 1_000) for name, share in shares.items()}
    active = max(0, contacts - sum(counts.values()))
    return Scenario(people=People(active=active, **counts), seed=seed)
