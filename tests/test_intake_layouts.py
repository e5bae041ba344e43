"""What a row of an old list says: opted out or not, when, why; recognised by headings in any order."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from suppress.core.suppression import Reason
from suppress.errors import BadFile, BadUsage
from suppress.files.contacts import ContactFile
from suppress.intake import Layout, layout_of
from suppress.intake.layouts import Claim, reason_in
from tests.exports import LAYOUT_A, LAYOUT_B, LAYOUT_C, active, export, unsubscribed


def read(folder: Path, text: str, profile: str | None = None, *mapping: str) -> tuple[Layout, list[Claim]]:
    """The layout that is found for a file of this text, and what each row claims."""
    path = folder / "export.csv"
    path.write_text(text, newline="")
    with ContactFile.open(str(path), need_addresses=False) as contacts:
        layout = layout_of(contacts, profile=profile, mapping=mapping)
        return layout, [layout.claim(row.cells) for batch in contacts.batches() for row in batch]


@pytest.mark.parametrize("columns", [LAYOUT_A, LAYOUT_C])
@pytest.mark.parametrize("shuffled", [False, True])
def test_contact_exports_and_campaign_reports_are_recognised(
    tmp_path: Path, columns: list[str], shuffled: bool
) -> None:
    """Layouts A and C: headings in any order and case, unknown columns ignored."""
    order = random.Random(7).sample(columns, len(columns)) if shuffled else columns
    text = export(
        order, [active("a@example.com"), unsubscribed("b@example.com", "2024-03-05", "Contact", "no")]
    )
    head, _, rest = text.partition("\r\n")
    layout, claims = read(tmp_path, f"{head.upper() if shuffled else head}\r\n{rest}")

    assert "constant-contact" == layout.profile
    assert [False, True] == [claim.opted_out for claim in claims]
    assert (
        Claim(
            cells=("b@example.com",),
            opted_out=True,
            reason=Reason.UNSUBSCRIBED,
            date="2024-03-05",
            received="2024-03-05",
            texts=("Contact", "no"),
        )
        == claims[1]
    )


def test_the_older_export_opts_out_every_address_of_a_row(tmp_path: Path) -> None:
    """Layout B: one unsubscribed address of a person stands for home, work and other."""
    person = {
        "Email address - home": "home@example.com",
        "Email status - home": "Active",
        "Email address - work": "work@example.com",
        "Email status - work": "Unsubscribed",
        "Email address - other": "other@example.com",
        "Email status - other": "Active",
    }
    layout, (claim,) = read(tmp_path, export(LAYOUT_B, [person], mark=True))

    assert "constant-contact" == layout.profile
    assert claim.opted_out
    assert {"home@example.com", "work@example.com", "other@example.com"} == set(claim.cells)


def test_numbered_columns_of_the_older_export_count_too(tmp_path: Path) -> None:
    """A trailing ` 2` is a second address of the same kind."""
    _, (claim,) = read(
        tmp_path,
        "Email address - home,Email address - home 2,Email status - home 2\n"
        "a@example.com,b@example.com,Unsubscribed\n",
    )

    assert (True, ("a@example.com", "b@example.com")) == (claim.opted_out, claim.cells)


@pytest.mark.parametrize(
    ("status", "date", "expected"),
    [
        ("Unsubscribed", "", True),
        ("unsubscribed", "", True),
        (" UNSUBSCRIBED ", "", True),
        ("Opted out", "", True),
        ("OPTOUT", "", True),
        ("Unsubscribed by link", "", True),
        ("Active", "2024-03-05", True),
        ("", "sometime last year", True),
        ("Active", "", False),
        ("Active", " ", False),
        ("Active", "N/A", False),
        ("Inactive", "", False),
        ("Awaiting confirmation", "", False),
        ("Temporary hold", "", False),
        ("", "", False),
    ],
)
def test_status_or_date_makes_an_opt_out(tmp_path: Path, status: str, date: str, expected: bool) -> None:
    """Either is enough. "Inactive" is neither active nor an opt-out."""
    _, (claim,) = read(
        tmp_path, export(LAYOUT_A, [{**unsubscribed("a@example.com", date), "Email status": status}])
    )

    assert expected is claim.opted_out


def test_the_permission_column_counts_as_a_status(tmp_path: Path) -> None:
    """Vendors moved the word between the two."""
    _, (claim,) = read(
        tmp_path, "Email address,Email status,Email permission status\na@example.com,Active,Unsubscribed\n"
    )

    assert claim.opted_out


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("Contact", Reason.UNSUBSCRIBED),
        ("Account", Reason.ACCOUNT),
        ("", Reason.UNKNOWN),
        ("Mars", Reason.UNKNOWN),
    ],
)
def test_who_entered_it_becomes_the_reason(tmp_path: Path, source: str, reason: Reason) -> None:
    """What the person typed as a reason is their words: "spam!" there is no complaint to a provider."""
    _, (claim,) = read(
        tmp_path, export(LAYOUT_A, [unsubscribed("a@example.com", "", source, "too much spam")])
    )

    assert reason is claim.reason


def test_an_export_of_active_people_has_nothing_to_tell(tmp_path: Path) -> None:
    """Its empty columns were left out; it is recognised all the same."""
    layout, claims = read(
        tmp_path,
        export(
            ["Email address", "First name", "Email status"],
            [{"Email address": "a@x.example", "Email status": "Active"}],
        ),
    )

    assert ("constant-contact", [False]) == (layout.profile, [claim.opted_out for claim in claims])


def test_evidence_is_what_decides_and_no_more(tmp_path: Path) -> None:
    """The person's name and street are not needed to prove a request."""
    path = tmp_path / "export.csv"
    person = {
        **unsubscribed("a@example.com", "3/5/2024", "Contact"),
        "First name": "Pat",
        "City - Home": "Reno",
    }
    path.write_text(export(LAYOUT_A, [person]), newline="")
    with ContactFile.open(str(path)) as contacts:
        layout = layout_of(contacts, profile=None, mapping=())
        ((row,),) = contacts.batches()

    assert {
        "Email address": "a@example.com",
        "Email status": "Unsubscribed",
        "Confirmed Opt-Out Date": "3/5/2024",
        "Confirmed Opt-Out Source": "Contact",
    } == layout.evidence(row.cells)


def test_such_an_export_is_said_to_lack_deleted_contacts(tmp_path: Path) -> None:
    """Whoever relies on it alone loses the people this tool exists for."""
    layout, _ = read(tmp_path, export(LAYOUT_A, [active("a@example.com")]))

    assert "cannot hold deleted contacts" in layout.warnings[0]
    assert "suppress sync --full" in layout.warnings[0]


# --- Mapped ----------------------------------------------------------------------------------------------


def test_every_row_of_a_mapped_list_is_an_opt_out(tmp_path: Path) -> None:
    """By name or number, a field from several columns, options repeated."""
    layout, claims = read(
        tmp_path,
        "Mail,Second,When,Got,Why,From\n"
        "a@example.com,b@example.com,2024-03-05,2024-03-06,asked by phone,shop\n"
        "c@example.com\n",
        None,
        "email=mail,email=2,date=When",
        "received=Got, reason=Why ,source=From",
    )

    assert ("map", "import") == (layout.profile, layout.source)
    assert [
        Claim(
            ("a@example.com", "b@example.com"),
            True,
            Reason.REQUESTED,
            "2024-03-05",
            "2024-03-06",
            ("asked by phone", "shop"),
        ),
        Claim(("c@example.com", ""), True, Reason.UNKNOWN, "", "", ("", "")),
    ] == claims


def test_a_mapping_wins_over_a_header_that_fits_a_profile(tmp_path: Path) -> None:
    """Somebody may have filtered the export to opt-outs already."""
    layout, (claim,) = read(
        tmp_path, export(LAYOUT_A, [active("a@example.com")]), None, "email=Email address"
    )

    assert ("map", True) == (layout.profile, claim.opted_out)


def test_a_list_without_a_header_is_mapped_by_number(tmp_path: Path) -> None:
    """Its cells are named by number in the evidence."""
    path = tmp_path / "export.csv"
    path.write_text("a@example.com;2024-03-05\n")
    with ContactFile.open(str(path)) as contacts:
        layout = layout_of(contacts, profile=None, mapping=("email=1,date=2",))
        ((row,),) = contacts.batches()

    assert {"column 1": "a@example.com", "column 2": "2024-03-05"} == layout.evidence(row.cells)


def test_another_mapping_of_the_same_file_is_another_import(tmp_path: Path) -> None:
    """The first may have been wrong."""
    text = "a,b\nx@example.com,y@example.com\n"
    one, other = (read(tmp_path, text, None, f"email={name}")[0] for name in "ab")

    assert one.identity != other.identity


@pytest.mark.parametrize(
    ("profile", "mapping", "message"),
    [
        ("constant-contact", ("email=1",), "give one of them"),
        ("mailchump", (), "there is no profile 'mailchump'"),
        (None, ("email",), "not FIELD=COLUMN"),
        (None, ("email=",), "not FIELD=COLUMN"),
        (None, ("phone=1",), "not FIELD=COLUMN"),
        (None, ("date=When",), "names no column of addresses"),
        (None, ("email=Nowhere",), "there is no column 'Nowhere'"),
        (None, ("email=9",), "there is no column '9'"),
    ],
)
def test_a_mapping_that_cannot_mean_anything_is_refused(
    tmp_path: Path, profile: str | None, mapping: tuple[str, ...], message: str
) -> None:
    """With what would have worked."""
    with pytest.raises(BadUsage, match=message) as refused:
        read(tmp_path, "Mail,When\na@example.com,2024-03-05\n", profile, *mapping)

    assert refused.value.remedy


@pytest.mark.parametrize("profile", [None, "constant-contact"])
def test_a_file_that_does_not_say_who_opted_out_is_refused(tmp_path: Path, profile: str | None) -> None:
    """Taking every row for an opt-out must be asked for."""
    with pytest.raises(BadFile, match="“Email address”, “First name”") as refused:
        read(tmp_path, "Email address,First name\na@example.com,A\n", profile)

    assert "--map email=COLUMN" in (refused.value.remedy or "")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", Reason.UNKNOWN),
        ("because", Reason.UNKNOWN),
        ("Requested", Reason.REQUESTED),
        ("Spam complaint", Reason.COMPLAINT),
        ("marked as spam", Reason.COMPLAINT),
        ("reported spam", Reason.COMPLAINT),
        ("ABUSE", Reason.COMPLAINT),
        ("Unsubscribed via link", Reason.UNSUBSCRIBED),
        ("opt-out", Reason.UNSUBSCRIBED),
        ("one-click", Reason.UNSUBSCRIBED),
        ("called the shop", Reason.REQUESTED),
        ("uploaded by staff", Reason.ACCOUNT),
        ("Hard bounce", Reason.BOUNCED),
        ("invalid address", Reason.BOUNCED),
        ("unsubscribed after a bounce", Reason.UNSUBSCRIBED),
    ],
)
def test_words_of_old_lists_become_reasons(text: str, reason: Reason) -> None:
    """A person's own act outweighs a bounce in the same words; what we do not know stays unknown."""
    assert reason is reason_in(text)
