"""A file of one's own policies: read like the shipped table, or refused with the line that is wrong."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suppress.core.calendars import due, observed
from suppress.core.deadline import Deadline
from suppress.core.policy import WEEK, DayZero, Unit
from suppress.core.policy_file import PolicyWrong, read

MINE = """\
# What we promise.
[[policy]]
id = "acme.two-days"
version = 1
title = "Two days"
regime = "Acme privacy notice, section 4"
trigger = "received"
n = 2
unit = "business_days"
strict = { weekend = ["sunday"] }
lenient = { weekend = [
    "saturday", "sunday",
], holidays = "US" }
source = "https://acme.example/privacy"
verified_on = 2026-01-01
effective_to = 2026-06-30

[[policy]]
id = "acme.two-days"
version = 2
title = "One day"
regime = "Acme privacy notice, section 4"
trigger = "received"
n = 1
unit = "business_days"
source = "https://acme.example/privacy"
verified_on = 2026-06-01
effective_from = 2026-07-01
[policy.strict]
weekend = ["sunday"]
[policy.lenient]
weekend = ["saturday", "sunday"]
"""

LENIENT = 'lenient = { weekend = [\n    "saturday", "sunday",\n], holidays = "US" }'


def test_a_file_reads_like_the_shipped_table() -> None:
    """Two versions of one rule, each with its own days."""
    (versions,) = read(MINE).values()
    old, new = versions

    assert [(each.id, each.version, each.n) for each in versions] == [
        ("acme.two-days", 1, 2),
        ("acme.two-days", 2, 1),
    ]
    # Thursday 2025-12-24 is received; Christmas and the weekend do not count.
    assert due(old, date(2025, 12, 24)) == Deadline(date(2025, 12, 26), date(2025, 12, 29))
    assert due(new, date(2026, 7, 3)) == Deadline(date(2026, 7, 4), date(2026, 7, 6))


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("n = 2\n", 'n = "2"\n', 8, "n must be a whole number from 0 to 3,650"),
        ("n = 2\n", "n = true\n", 8, "n must be a whole number"),
        ("n = 2\n", "n = -1\n", 8, "n must be a whole number"),
        ("n = 2\n", "", 2, "the policy lacks 'n'"),
        ("n = 1\nunit", "nn = 1\nunit", 24, "unknown key 'nn'; did you mean 'n'?"),
        ('trigger = "received"', 'trigger = "arrived"', 7, "trigger must be one of received, sent"),
        ('unit = "business_days"', 'unit = "weeks"', 9, "unit must be one of business_days, calendar_days"),
        ('"saturday", "sunday",', '"saturday", "sonday",', 11, "weekend of other words"),
        ('"saturday", "sunday",', ", ".join(f'"{day}"' for day in WEEK), 11, "leaves no day of the week"),
        ('holidays = "US"', 'holidays = "Utopia"', 11, "whose public holidays are not known"),
        ('holidays = "US"', "region = 1", 11, "must be like"),
        (LENIENT, "", 10, "strict leaves out a day"),
        ('strict = { weekend = ["sunday"] }', 'strict = { weekend = [], holidays = "CA" }', 10, "strict le"),
        ("verified_on = 2026-01-01", 'verified_on = "2026-01-01"', 15, "must be a day"),
        ("verified_on = 2026-01-01", "verified_on = 2026-01-01T12:00:00Z", 15, "must be a day"),
        ('title = "Two days"', 'title = " "', 5, "title must be text"),
        ('id = "acme.two-days"', 'id = "Acme Two Days"', 3, "id must be small letters"),
        ('id = "acme.two-days"', 'id = "us.can-spam"', 3, "is a shipped policy"),
        ("version = 2", "version = 1", 18, "acme.two-days has version 1 twice"),
        ("effective_to = 2026-06-30\n", "", 17, "version 2 must begin"),
        ("effective_from = 2026-07-01", "effective_from = 2026-06-30", 18, "version 2 must begin"),
        ("effective_to = 2026", "effective_from = 2026-07-02\neffective_to = 2026", 17, "is before"),
        ('strict = { weekend = ["sunday"] }', "strict = [1]", 10, "strict must be like"),
        ("# What we promise.", "versoin = 2", 1, "unknown key 'versoin'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_with_its_line(old: str, new: str, line: int, says: str) -> None:
    """The line of the value, or of the table where a value is missing."""
    assert old in MINE
    with pytest.raises(PolicyWrong) as refused:
        read(MINE.replace(old, new, 1))

    assert says in refused.value.says
    assert refused.value.line == line


def test_calendar_days_have_no_calendars() -> None:
    """Every day counts, so a weekend would say something that is not done."""
    with pytest.raises(PolicyWrong, match="no meaning with calendar_days") as refused:
        read(MINE.replace('unit = "business_days"', 'unit = "calendar_days"', 1))

    assert refused.value.line == 10


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", None),
        ("policy = 3", 1),
        ("policy = []", 1),
        ('[[policy]]\nid = "a\n', 2),
        ("[[policy]]\n\n[policy.strict\n", 3),
    ],
)
def test_what_is_no_file_of_policies_is_refused(text: str, line: int | None) -> None:
    """Nothing, another shape, or no TOML."""
    with pytest.raises(PolicyWrong) as refused:
        read(text)

    assert refused.value.line == line


def test_a_day_that_does_not_count_can_be_put_off() -> None:
    """Received on a Saturday: with `first_counting_day` the count begins after the next counting day."""
    text = MINE.replace("n = 2\n", 'n = 2\nday_zero = "first_counting_day"\n', 1)
    put_off, plain = read(text)["acme.two-days"][0], read(MINE)["acme.two-days"][0]

    assert put_off.day_zero is DayZero.FIRST_COUNTING_DAY
    assert due(plain, date(2026, 3, 7)) == Deadline(date(2026, 3, 10), date(2026, 3, 10))
    # Strict counts Saturday, so that its day zero is Saturday; lenient puts it off to Monday.
    assert due(put_off, date(2026, 3, 7)) == Deadline(date(2026, 3, 10), date(2026, 3, 11))


def test_a_longer_time_than_a_year_has_its_holidays() -> None:
    """600 business days reach into the third year after."""
    text = MINE.replace("n = 2\n", "n = 600\n", 1)
    last = due(read(text)["acme.two-days"][0], date(2026, 1, 1)).lenient
    kept = {day for year in (2026, 2027, 2028) for day in observed("US", year)}
    days = [date(2026, 1, 1) + timedelta(each) for each in range(1, (last - date(2026, 1, 1)).days + 1)]

    assert last.year == 2028
    assert sum(day.weekday() < 5 and day not in kept for day in days) == 600


def test_equal_rules_have_equal_fingerprints_and_others_do_not() -> None:
    """So that a report shows which text it counted with."""
    one, two = read(MINE)["acme.two-days"]

    assert one.fingerprint == read(MINE.replace("# What", "# Once more what"))["acme.two-days"][0].fingerprint
    assert one.fingerprint != two.fingerprint
    changed = read(MINE.replace('"saturday", "sunday",', '"sunday",', 1))["acme.two-days"][0]
    assert changed.fingerprint != one.fingerprint


@settings(max_examples=150)
@given(st.text(alphabet='[]{}="\n policy.idn0123,#', max_size=80))
def test_no_text_breaks_the_reader(noise: str) -> None:
    """It is read, or refused with a line of the file or none."""
    text = MINE + noise
    try:
        assert "acme.two-days" in read(text)
    except PolicyWrong as refused:
        assert refused.line is None or 1 <= refused.line <= text.count("\n") + 1


@settings(max_examples=100)
@given(
    st.sets(st.sampled_from(WEEK), max_size=3),
    st.sets(st.sampled_from(WEEK), max_size=3),
    st.integers(0, 40),
    st.sampled_from(DayZero),
    st.dates(date(2020, 1, 1), date(2035, 1, 1)),
)
def test_whatever_a_file_says_strict_is_not_after_lenient(
    fewer: set[str], more: set[str], n: int, zero: DayZero, received: date
) -> None:
    """For every policy that is accepted."""
    lenient = sorted(fewer | more)
    row = f'day_zero = "{zero}"\nn = {n}\nunit = "{Unit.BUSINESS_DAYS}"\n'
    row += f"strict = {{ weekend = {sorted(fewer)} }}\nlenient = {{ weekend = {lenient}, holidays = 'US' }}\n"
    text = f'[[policy]]\nid = "a"\ntitle = "t"\nregime = "r"\ntrigger = "sent"\n{row}source = "s"\n'
    (rule,) = read(text + "verified_on = 2026-01-01")["a"]
    found = due(rule, received)

    assert received <= found.strict <= found.lenient
