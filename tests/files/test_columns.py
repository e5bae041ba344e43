"""Address columns are found by name, else by content, and what was overlooked is said."""

from __future__ import annotations

import pytest

from suppress.errors import BadUsage
from suppress.files.columns import chosen, decided, is_header, listed

ADDRESS_NAMES = [
    *(
        "Email",
        "E-mail",
        "EMAIL",
        "e mail",
        "eMail",
        "email_address",
        "EmailAddress",
        "Email:",
        "\ufeffEmail",
        "Mail",
    ),
    *("Email address - home", "Email address - work 2", "E-mail 1 - Value", "Primary Email", "contactEmail"),
    *("E-Mail-Adresse", "Courriel", "Correo electrónico", "Email (required)", "Spouse email"),
    *("proxyAddresses", "UserPrincipalName"),
]
OTHER_NAMES = [
    *(
        "Email status",
        "Email permission status - home",
        "E-mail 1 - Type",
        "Email Lists",
        "Email opt-in date",
    ),
    *("Mailing Street", "Owner email", "Email update source", "Created by email", "Address", "Phone - home"),
]


@pytest.mark.parametrize("name", ADDRESS_NAMES)
def test_a_name_that_means_an_address_is_taken(name: str) -> None:
    """As exports of the common platforms and spreadsheets write it."""
    found = decided(["Name", name], [["Al", "a@example.com"]])

    assert found is not None
    assert ((1,), "by name") == (found.addresses, found.how)


@pytest.mark.parametrize("name", OTHER_NAMES)
def test_a_name_about_email_is_not_an_address_column(name: str) -> None:
    """Even where it holds addresses, next to a column that is one; but then it is said."""
    found = decided([name, "Email"], [["boss@example.com", "a@example.com"]])

    assert found is not None
    assert ((1,), (0,)) == (found.addresses, found.overlooked)


def test_every_address_column_counts() -> None:
    """A person with a suppressed second address must not come back through it, even if rarely filled."""
    found = decided(["Email", "Name", "Email 2"], [["a@example.com", "Al", ""]])

    assert found is not None
    assert (0, 2) == found.addresses


def test_a_column_called_email_that_holds_yes_and_no_is_not_trusted() -> None:
    """What stands in the rows outweighs the name; the named column is still looked at."""
    found = decided(["Email", "Contact"], [["yes", "a@example.com"], ["no", "b@example.com"]])

    assert found is not None
    assert ((0, 1), "by content") == (found.addresses, found.how)


def test_without_names_the_columns_that_hold_addresses_are_taken() -> None:
    """Half of the filled cells are enough; when no column reaches that, the best one is taken."""
    by_half = decided([], [["1", "a@example.com"], ["2", "b@example.com"], ["3", ""]])
    by_best = decided([], [["1", "a@example.com"], ["2", "n/a"], ["3", "none"]])

    assert by_half is not None
    assert by_best is not None
    assert ((1,), (1,)) == (by_half.addresses, by_best.addresses)


def test_a_named_column_without_any_row_or_address_is_still_the_one() -> None:
    """An empty list, and a list of broken addresses, have their column."""
    empty, broken = decided(["Name", "Email"], []), decided(["Name", "Email"], [["Al", "al"]])

    assert empty is not None
    assert broken is not None
    assert ((1,), (1,)) == (empty.addresses, broken.addresses)


def test_nothing_like_an_address_is_no_answer() -> None:
    """The caller refuses the file rather than letting it pass unread."""
    assert decided(["Name", "Town"], [["Al", "Reno"]]) is None


def test_a_first_row_with_an_address_is_no_header() -> None:
    """Otherwise the first person of a headerless list would never be checked."""
    assert not is_header(["Al", "a@example.com"])
    assert is_header(["Name", "Email"])


def test_a_column_is_chosen_by_name_or_number() -> None:
    """Names are compared without case and accents; every column of that name is meant."""
    names = ["Émail", "Name", "email"]

    assert (0, 2) == chosen(["EMAIL"], names, 3)
    assert (1, 0) == chosen(["2", "1"], names, 3)
    assert (2,) == chosen(["3", "3"], [], 3)


@pytest.mark.parametrize("wanted", ["Fax", "0", "4"])
def test_a_column_that_is_not_there_is_refused_with_those_that_are(wanted: str) -> None:
    """So that the next try succeeds."""
    with pytest.raises(BadUsage, match="there is no column") as refused:
        chosen([wanted], ["Email", "Name", "Town"], 3)

    assert "the file has the columns “Email”, “Name”, “Town”" == refused.value.remedy


def test_a_wide_file_is_not_listed_to_the_end() -> None:
    """A hundred columns would push the message off the screen; a headerless row is about a person."""
    assert listed([f"c{number}" for number in range(14)], 14).endswith("“c11” and 2 more")
    assert "3 columns without names" == listed([], 3)
    assert "1 column without names" == listed([], 1)
