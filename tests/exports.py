"""Exports of Constant Contact's screens, as section 8 of its reference describes them; fictional people."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

PLACES = ("Home", "Work", "Other")

LAYOUT_A = [
    *("Email address", "First name", "Last name", "Company", "Job title", "Email status"),
    *("Email permission status", "Email update source", "Confirmed Opt-Out Date", "Confirmed Opt-Out Source"),
    *("Confirmed Opt-Out Reason", "Salutation", "Phone - home", "Phone - mobile", "Phone - work"),
    *(f"{part} - {place}" for place in PLACES for part in ("Street address line 1", "City", "Country")),
    *("Website", "Birthday", "Shoe size", "Tags", "Email Lists", "Source Name", "Created At", "Updated At"),
]
"""The current contact export. Empty columns are left out of real ones."""

LAYOUT_B = [
    *("First name", "Last name", "Company", "Job title"),
    *(
        f"{part} - {place}"
        for place in ("home", "other", "work")
        for part in ("Email address", "Email status", "Email permission status")
    ),
    *("Phone - fax", "Street address line 1 - Home", "Street address line 1 - Home 2", "Website"),
    *("Custom field 1", "Tags", "Email Lists", "Source Name", "Created At", "Updated At"),
]
"""The older export with several addresses."""

LAYOUT_C = [*LAYOUT_A, "Clicked Link Address", "Clicked At"]
"""A campaign report."""


def export(columns: Sequence[str], people: Sequence[Mapping[str, str]], *, mark: bool = False) -> str:
    """The file as the product writes it; cells that a person lacks are empty."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(people)
    return ("\ufeff" if mark else "") + out.getvalue()


def active(address: str, **more: str) -> dict[str, str]:
    """A contact who may be mailed."""
    return {
        "Email address": address,
        "Email status": "Active",
        "Email permission status": "Express",
        "Email Lists": "News, Offers",
        **more,
    }


def unsubscribed(address: str, date: str = "", source: str = "", reason: str = "") -> dict[str, str]:
    """A contact who opted out."""
    return {
        "Email address": address,
        "Email status": "Unsubscribed",
        "Confirmed Opt-Out Date": date,
        "Confirmed Opt-Out Source": source,
        "Confirmed Opt-Out Reason": reason,
    }
