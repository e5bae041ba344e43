"""Accounts to ask: the simulator in virtual time, and a bare one whose every answer a test decides."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

from suppress.config import SourceSettings
from suppress.core.reconcile import Observed, Permission
from suppress.core.suppression import Channel, Json
from suppress.platforms.constant_contact import ConstantContact
from suppress.platforms.constant_contact.simulator import Clock as SimulatedClock
from suppress.platforms.constant_contact.simulator import Scenario, Simulator
from suppress.plugin.contract import Census, Page, Summary, Window
from suppress.plugin.pace import Clock
from suppress.plugin.transport import Patience
from tests.plugin.serving import Asked, Says, Serving
from tests.plugin.virtual import NOON, VirtualTime

CALM = Patience(jitter=lambda: 0.5)


@dataclass(slots=True)
class Pulled:
    """Everything that one pull yielded."""

    pages: list[Page] = field(default_factory=list)
    summary: Summary | None = None

    @property
    def observed(self) -> list[Observed]:
        return [each for page in self.pages for each in page.observed]

    @property
    def opted_out(self) -> set[str]:
        """Addresses as spelled, of those who may not get e-mail."""
        return {
            each.address.raw
            for each in self.observed
            if each.permission is Permission.OPTED_OUT
            and each.channel is Channel.EMAIL
            and each.address is not None
        }

    @property
    def done(self) -> Summary:
        assert self.summary is not None, "the pull was cut short"
        return self.summary


def pulled(source: ConstantContact, what: Window | Census, into: Pulled | None = None) -> Pulled:
    """Pull it all; what was yielded before a failure stays in `into`."""
    into = Pulled() if into is None else into
    for item in source.pull(what):
        if isinstance(item, Summary):
            into.summary = item
        else:
            assert into.summary is None, "a page came after the summary"
            into.pages.append(item)
    return into


@dataclass(frozen=True, slots=True)
class Account:
    """A simulated account and a source that asks it; time passes only while the source waits."""

    simulator: Simulator
    state: Path
    options: Mapping[str, Json] = field(default_factory=dict)

    def source(self, *, token: str | None = None, token_file: Path | None = None) -> ConstantContact:
        """Another start of the program, with the same state folder."""
        clock = self.simulator.clock
        given = self.simulator.token if token is None and token_file is None else token
        settings = SourceSettings(
            "main",
            "constant-contact",
            access_token=given,
            access_token_file=token_file,
            options={"api_url": self.simulator.url, "client_id": "acme", **self.options},
        )
        timing = Clock(clock.monotonic, lambda: clock.now().timestamp(), clock.advance)
        return ConstantContact(settings, self.state, now=clock.now, clock=timing, patience=CALM)

    def pull(self, what: Window | Census) -> Pulled:
        source = self.source()
        try:
            return pulled(source, what)
        finally:
            source.close()

    def census(self) -> Pulled:
        return self.pull(Census())

    def first_window(self) -> Pulled:
        source = self.source()
        try:
            return pulled(source, source.window(None, self.simulator.clock.now()))
        finally:
            source.close()


@contextmanager
def account(scenario: Scenario, state: Path, **options: Json) -> Iterator[Account]:
    """A simulated account at noon."""
    clock = SimulatedClock(NOON, frozen=True)
    with Simulator(scenario, clock=clock) as simulator:
        yield Account(simulator, state, options)


Row = Mapping[str, object]


def person(number: int, permission: str = "explicit", *, deleted: bool = False, **fields: object) -> Row:
    """A bare contact."""
    email: dict[str, object] = {"address": f"p{number}@example.com", "permission_to_send": permission}
    if permission == "unsubscribed":
        email |= {"opt_out_source": "Contact", "opt_out_date": "2024-06-08T01:31:05Z"}
    row: dict[str, object] = {
        "contact_id": f"id-{number:05}",
        "email_address": email,
        "created_at": "2019-03-02T15:20:11Z",
    }
    return row | ({"deleted_at": "2024-07-01"} if deleted else {}) | fields


Choose = Callable[[Sequence[Row], Mapping[str, str], int], Sequence[Row]]
Count = Callable[[Sequence[Row], Mapping[str, str], int], int | None]


def _as_chosen(rows: Sequence[Row], _query: Mapping[str, str], _page: int) -> Sequence[Row]:
    return rows


def _counted(rows: Sequence[Row], _query: Mapping[str, str], _page: int) -> int | None:
    return len(rows)


@dataclass(slots=True)
class Bare:
    """Pages of `people`; `lose` may drop rows of a page, `count` may say anything."""

    people: Sequence[Row]
    lose: Choose = _as_chosen
    count: Count = _counted

    def __call__(self, asked: Asked, _number: int) -> Says:
        if asked.target.endswith("/account/user/privileges"):
            return Says.json([{"privilege_id": 1, "privilege_name": "contacts:read"}])
        given = dict(parse_qsl(urlsplit(asked.target).query))
        if "cursor" in given:
            given = dict(parse_qsl(base64.b64decode(given["cursor"]).decode()))
        page, limit = int(given.get("next", "1")), int(given["limit"])
        matching = [row for row in self.people if _matches(row, given)]
        rows = matching[(page - 1) * limit : page * limit]
        body: dict[str, object] = {"contacts": list(self.lose(rows, given, page)), "_links": {}}
        if (count := self.count(matching, given, page)) is not None:
            body["contacts_count"] = count
        if page * limit < len(matching):
            inside = urlencode({**given, "next": str(page + 1)}).encode()
            href = f"/v3/contacts?cursor={base64.b64encode(inside).decode()}"
            body["_links"] = {"next": {"href": href}}
        return Says.json(body)


def _matches(row: Row, given: Mapping[str, str]) -> bool:
    email = row.get("email_address")
    assert isinstance(email, dict)
    unsubscribed = email["permission_to_send"] == "unsubscribed"
    deleted = "deleted_at" in row
    if "optout_after" in given and not given["optout_after"] < str(email.get("opt_out_date", "")):
        return False
    match given["status"]:
        case "all":
            return True
        case "unsubscribed":
            return unsubscribed and not deleted
        case _:
            return deleted


@contextmanager
def serving(
    answers: Callable[[Asked, int], Says], state: Path, *, time: VirtualTime | None = None, **settings: object
) -> Iterator[tuple[Serving, ConstantContact]]:
    """A server that answers what a test says, and a source that asks it."""
    time = VirtualTime() if time is None else time
    with Serving(answers, monotonic=time.monotonic, pass_=time.pass_) as server:
        given: dict[str, object] = {"access_token": "tok-4f9a-secret", **settings}
        prefix = given.pop("prefix", "")
        source = ConstantContact(
            SourceSettings(
                "main",
                "constant-contact",
                options={"api_url": f"{server.url}{prefix}"},
                **given,  # type: ignore[arg-type]  # each test gives what it is about
            ),
            state,
            now=time.now,
            clock=time.clock,
            patience=CALM,
        )
        try:
            yield server, source
        finally:
            source.close()


def window() -> Window:
    """The first window, at noon."""
    return Window(after=NOON.replace(year=2000), before=NOON - timedelta(minutes=5))
