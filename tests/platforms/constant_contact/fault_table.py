"""Everything that can be set in the simulator's scenario, and how a sync must end where it is set.

The rows are written by hand, one for each reading of each knob; `knobs` looks into the scenario for what
there is. So a knob that somebody adds to the simulator has no row, and the test that compares both fails.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any, get_type_hints

from suppress.platforms.constant_contact.simulator import (
    Fault,
    FaultKind,
    Limits,
    People,
    Refresh,
    Scenario,
    SignIn,
    Switches,
)

CONTACTS = "/v3/contacts"
TOKEN = "/oauth2/default/v1/token"
EVERY = 1_000
"""Times: more often than anybody asks."""
PEOPLE = People(
    active=5,
    unsubscribed=6,
    unsubscribed_by_account=1,
    unsubscribed_deleted=3,
    unsubscribed_cleaned=2,
    without_date=2,
    re_added=1,
    deleted=2,
    resubscribed=2,
    temp_hold=1,
    sms_only=1,
)
BASE = Scenario(people=PEOPLE, limits=Limits(rows_per_page=4))
"""With pages of four, a window has four and a census of everyone has seven."""


@dataclass(frozen=True, slots=True)
class Row:
    """One reading of one knob: the scenario, and how the first and the next day's run end.

    `words` is part of what a failure must say. `given`: a token from outside is used in place of a sign-in.
    """

    knob: str
    value: str
    scenario: Scenario
    code: int = 0
    words: str = ""
    next_code: int = 0
    given: bool = False

    @property
    def on_the_way(self) -> bool:
        """Whether it is something that goes wrong with the answer to a request for contacts."""
        return any(fault.path == CONTACTS for fault in self.scenario.faults)

    def __str__(self) -> str:
        return f"{self.knob}={self.value}"


def knobs() -> set[str]:
    """Everything that a scenario can set, and each value of what can be one of several."""
    found = {f"fault.{kind}" for kind in FaultKind}
    found |= {f"fault.{member.name}" for member in fields(Fault)} - {"fault.kind"}
    for table, kind in (
        ("switches", Switches),
        ("limits", Limits),
        ("sign_in", SignIn),
        ("people", People),
    ):
        found |= {f"{table}.{member.name}" for member in fields(kind)}
    return found


def readings(kind: type[Any], table: str) -> set[str]:
    """What must be tried of truth values and of enums: everything but the default."""
    hints, found = get_type_hints(kind), set()
    for member in fields(kind):
        hint = hints[member.name]
        values = [True, False] if hint is bool else list(hint) if issubclass(hint, StrEnum) else []
        found |= {f"{table}.{member.name}={value}" for value in values if value != member.default}
    return found


def rows() -> list[Row]:
    """The whole table."""
    return [*_faults(), *_switches(), *_limits(), *_sign_in(), *_people()]


# --- What goes wrong on the way --------------------------------------------------------------------------


def _fault(value: str, *faults: Fault, knob: str = "", code: int = 0, words: str = "") -> Row:
    scenario = replace(BASE, faults=faults)
    return Row(knob or f"fault.{faults[0].kind}", value, scenario, code=code, words=words)


def _faults() -> Iterator[Row]:
    kinds = FaultKind
    for status in (500, 502, 503, 504):
        yield _fault(f"{status} twice", Fault(kinds.ERROR, status=status, times=2))
        down = Fault(kinds.ERROR, status=status, times=EVERY)
        yield _fault(f"{status} for good", down, code=5, words=f"answered {status} (6 tries)")
    for page in (1, 2, 4):
        late = Fault(kinds.ERROR, status=503, page=page, times=EVERY)
        yield _fault(f"{page}", late, knob="fault.page", code=5, words="503 (6 tries)")
    yield _fault("5, then well", Fault(kinds.ERROR, times=5), knob="fault.times")
    yield _fault("6", Fault(kinds.ERROR, times=6), knob="fault.times", code=5, words="500 (6 tries)")
    for status, words in ((400, "answered 400"), (403, "contact_data"), (404, "404"), (409, "409")):
        refused = Fault(kinds.ERROR, status=status)
        yield _fault(f"{status}", refused, knob="fault.status", code=5, words=words)
    for status in (502, 200):
        yield _fault(f"{status} once", Fault(kinds.HTML, status=status))
        page_of_it = Fault(kinds.HTML, page=2, status=status, times=EVERY)
        yield _fault(f"{status} for good", page_of_it, code=5, words="a web page")
    yield _fault("once", Fault(kinds.DROP, page=2))
    yield _fault("for good", Fault(kinds.DROP, page=2, times=EVERY), code=5, words="cannot reach")
    yield _fault("once", Fault(kinds.GARBLED, page=3))
    yield _fault("for good", Fault(kinds.GARBLED, page=3, times=EVERY), code=5, words="unreadable")
    yield _fault("a moment", Fault(kinds.SLOW, page=2, seconds=0.05))
    yield _fault("0.1", Fault(kinds.SLOW, seconds=0.1), knob="fault.seconds")
    for kind in (kinds.DUPLICATE_ROW, kinds.MISSING_ROW):
        yield _fault("on page 2", Fault(kind, page=2))
        yield _fault("on page 3, in each walk", Fault(kind, page=3, times=2))
    yield _fault("thrice", Fault(kinds.THROTTLED, page=2, times=3))
    yield _fault("for good", Fault(kinds.THROTTLED, times=EVERY), code=5, words="too many requests")
    yield _fault("on page 2", Fault(kinds.QUOTA_EXCEEDED, page=2), code=5, words="00:00 UTC")
    yield _fault("once", Fault(kinds.TOKEN_EXPIRED, page=2))
    yield _fault("for good", Fault(kinds.TOKEN_EXPIRED, page=2, times=EVERY), code=4, words="refused")
    elsewhere = Fault(kinds.ERROR, times=EVERY, path="/v3/contacts/counts")
    yield _fault("what no sync asks", elsewhere, knob="fault.path")
    for refresh, next_code in (("long_lived", 0), ("rotating", 4)):
        # What a rotating token was exchanged for is lost with the answer, and nobody can have it again.
        sign_in = replace(BASE.sign_in, token_life=1, refresh=Refresh(refresh))
        scenario = replace(BASE, faults=tuple(_well_then_down()), sign_in=sign_in)
        yield Row("fault.path", f"sign-in, {refresh}", scenario, 5, "503", next_code)


def _well_then_down() -> Iterator[Fault]:
    """The first answer of the token endpoint is good, the next ones are not."""
    yield Fault(FaultKind.SLOW, path=TOKEN, seconds=0.0)
    yield Fault(FaultKind.ERROR, path=TOKEN, status=503, times=EVERY)


# --- How the platform may be read ------------------------------------------------------------------------

SWITCHES: dict[str, list[Any]] = {
    "without_status": ["active"],
    "deleted_includes_unsubscribed": [False],
    "active_includes_on_hold": [True],
    "inclusive_bounds": [True],
    "resubscribed_keep_opt_out_date": [True],
    "order": ["oldest", "newest", "shuffled"],
    "paging": ["snapshot"],
    "last_page": ["null", "missing"],
    "report_last_page": ["empty", "missing"],
    "timestamps": ["milliseconds", "offset"],
    "deleted_at_has_time": [True],
    "sms_needs_include": [True],
    "segment_waits": [9],
    "counts_include_deleted": [True],
    "revived_keep_opt_out_date": [False],
    "put_lifts_contact_opt_out": [False],
    "resubscribe_again": [True],
    "visibility_delay": [90.0, 600.0, 86_400.0],
    "activity_polls": [9],
    "activity_seconds": [9_999.0],
    "export_includes_deleted": [True],
    "export_dates": ["plain", "us"],
}
"""Values that are not the default. Each of them must make no difference to what is found."""


def _switches() -> Iterator[Row]:
    hints = get_type_hints(Switches)
    for name, values in SWITCHES.items():
        for value in values:
            given = hints[name](value)
            yield Row(
                f"switches.{name}",
                str(value),
                replace(BASE, switches=replace(Switches(), **{name: given})),
            )


def _limits() -> Iterator[Row]:
    def limited(name: str, value: str, code: int = 0, words: str = "", **given: Any) -> Row:
        limits = replace(BASE.limits, **given)
        return Row(f"limits.{name}", value, replace(BASE, limits=limits), code=code, words=words)

    yield limited("per_second", "1", per_second=1)
    yield limited("retry_after", "True", per_second=1, retry_after=True)
    yield limited("per_day", "3", 5, "the day's requests are used up", per_day=3)
    yield limited("token_per_second", "2", token_per_second=2)
    yield limited("queued_activities", "0", queued_activities=0)
    yield limited("rows_per_page", "1", rows_per_page=1)


# --- Who is signed in ------------------------------------------------------------------------------------


def _sign_in() -> Iterator[Row]:
    def signed(
        name: str,
        value: str,
        code: int = 0,
        words: str = "",
        *,
        next_code: int = 0,
        outside: bool = False,
        **given: Any,
    ) -> Row:
        scenario = replace(BASE, sign_in=replace(BASE.sign_in, **given))
        return Row(f"sign_in.{name}", value, scenario, code, words, next_code, outside)

    yield signed("client_id", "the simulator's own", client_id="simulated-client")
    yield signed("client_secret", "unused by a public client", client_secret="other")
    yield signed("access_token", "another", outside=True, access_token="another-token")
    yield signed(
        "access_token_life",
        "0",
        4,
        "refused the access token",
        next_code=4,
        outside=True,
        access_token_life=0,
    )
    yield signed(
        "scopes", "none for contacts", 5, "contact_data", next_code=5, outside=True, scopes=("account_read",)
    )
    yield signed("privileges", "none", 5, "contacts:read", next_code=5, privileges=())
    yield signed("token_life", "1", token_life=1)
    yield signed("token_life", "ten years", token_life=3_650 * 86_400)
    yield signed("expires_in_text", "True", expires_in_text=True)
    yield signed("refresh", "long_lived", refresh=Refresh.LONG_LIVED)
    yield signed("refresh_life", "an hour", next_code=4, refresh_life=3_600)
    yield signed("refresh_grace", "600", refresh_grace=600)
    yield signed("code_life", "1", code_life=1)
    yield signed("device_life", "30", device_life=30)
    yield signed("device_interval", "60", device_interval=60)
    yield signed("device_refresh_token", "False", next_code=4, device_refresh_token=False)
    yield signed("redirect_uris", "one", redirect_uris=("http://127.0.0.1:8351/callback",))
    yield signed("auto_approve", "True", auto_approve=True)


def _people() -> Iterator[Row]:
    """Each class alone, with five mailable people who must not be suppressed."""
    for member in fields(People):
        people = replace(People(active=5), **{member.name: 18 if member.name == "odd" else 6})
        yield Row(f"people.{member.name}", "", replace(BASE, people=people))
