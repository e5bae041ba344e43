"""A partner's list of digests: believed when its canaries are in it, and then as good as addresses."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from suppress.audit import verify
from suppress.check import check_addresses
from suppress.core.address import Address
from suppress.core.entry import HashesTrusted
from suppress.core.hashed import Form
from suppress.core.verdict import Ruling, Tier
from suppress.errors import BadFile, BadUsage
from suppress.files.contacts import ContactFile
from suppress.intake import Imported, import_file
from suppress.intake.hashed import hashed_layout, refuse_digests, trust
from suppress.ledger import Ledger, Lookup
from tests.core.test_hashed import PARTNERS
from tests.small_ledger import made

SEED = Address.parse("Seed.One@Example.com")
NOW = datetime(2026, 11, 23, tzinfo=UTC)


def hexdigest(text: bytes, algorithm: str = "sha256") -> str:
    """As a partner computes it."""
    return hashlib.new(algorithm, text, usedforsecurity=False).hexdigest()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """An empty ledger."""
    with Ledger.open(made(tmp_path)) as found:
        yield found


def carried(
    ledger: Ledger,
    folder: Path,
    text: str,
    canaries: Sequence[Address] = (SEED,),
    mapping: Sequence[str] = (),
) -> Imported:
    """The whole way of such a list, as the command goes it."""
    path = folder / "partner.csv"
    path.write_text(text)
    with ContactFile.open(str(path), need_addresses=False, twice=True) as contacts:
        layout = hashed_layout(contacts, canaries, mapping)
        trust(ledger, contacts, layout.proof, source="Partners", actor="kim")
        return import_file(ledger, contacts, layout, source="Partners", zone=UTC, now=NOW, actor="kim")


def verdicts(ledger: Ledger, folder: Path, *asked: str) -> list[Tier | None]:
    """By `suppress check`, held against the Python API."""
    with Lookup.open(f"sqlite:///{folder / 'suppress.db'}") as lookup:
        answers = check_addresses(lookup, asked)
    assert [each.verdict for each in answers] == [ledger.check(each) for each in asked]
    return [each.verdict.tier for each in answers]


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256", "sha512"])
@pytest.mark.parametrize("form", [Form.LOWER, Form.UPPER, Form.LINE, Form.WIDE])
def test_whoever_is_in_the_list_is_withheld_in_any_spelling(
    ledger: Ledger, tmp_path: Path, algorithm: str, form: Form
) -> None:
    """And nobody else; whatever the partner hashed, as long as a canary shows it."""
    hashed: Callable[[str], str] = lambda text: hexdigest(PARTNERS[form](text), algorithm)  # noqa: E731
    done = carried(ledger, tmp_path, f"h\n{hashed(SEED.raw)}\n{hashed('victim@partner.example')}\n")

    assert (2, 2, 0) == (done.rows, done.accepted, done.rejected)
    assert [Tier.HASHED, Tier.HASHED, None] == verdicts(
        ledger, tmp_path, " Victim@Partner.Example ", "seed.one@example.com", "other@partner.example"
    )


def test_dates_reasons_and_source_are_those_of_the_list(ledger: Ledger, tmp_path: Path) -> None:
    """Upper-case digests, blanks around, a prefix; a row that is no digest is rejected by its number."""
    rows = [
        f"{hexdigest(b'seed.one@example.com').upper()},2024-05-06,complaint",
        f"  0x{hexdigest(b'victim@partner.example')} ,2023-01-02,unsubscribed",
        "pat@example.com,2023-01-02,unsubscribed",
        f"{hexdigest(b'x', 'md5')},,",
    ]
    mapping = ["email=digest,date=when,reason=why"]
    done = carried(ledger, tmp_path, "\n".join(["digest,when,why", *rows]) + "\n", mapping=mapping)
    verdict = ledger.check("victim@partner.example")

    assert (2, 2) == (done.accepted, done.rejected)
    assert [4, 5] == [each.line for each in done.remarks]
    assert "no digest of a kind that a canary proved" in done.remarks[0].text
    assert ("2023-01-02", "Partners", "unsubscribed", "sha256 of lower case") == (
        f"{verdict.since:%Y-%m-%d}",
        verdict.source,
        verdict.reason,
        verdict.rule,
    )
    assert "proven by 1 canary: sha256 of lower case" in done.warnings
    assert verify(f"sqlite:///{tmp_path / 'suppress.db'}").ok


def test_the_entry_says_what_was_believed_and_why(ledger: Ledger, tmp_path: Path) -> None:
    """Once, however often the list is imported; and no address of the partner's is in the ledger."""
    text = f"h\n{hexdigest(b'seed.one@example.com')}\n"
    carried(ledger, tmp_path, text)
    again = carried(ledger, tmp_path, text)
    (entry,) = ledger.about(HashesTrusted.type)

    assert (
        HashesTrusted("Partners", hashlib.sha256(text.encode()).hexdigest(), "sha256", "lower", 1)
        == entry.body
    )
    assert (0, 1) == (again.accepted, again.duplicate)
    assert [] == list(ledger.suppressed())


def test_a_list_without_its_canary_is_not_believed(ledger: Ledger, tmp_path: Path) -> None:
    """Salted, of another form, or another list. The message says what was tried; nothing is recorded."""
    size = ledger.head().size
    with pytest.raises(
        BadFile, match=r"1 of 2 canaries are not in it.*'Other@x\.test'.*lower case.*md5"
    ) as caught:
        carried(
            ledger,
            tmp_path,
            f"h\n{hexdigest(b'seed.one@example.com')}\n",
            (SEED, Address.parse("Other@x.test")),
        )
    assert "salted" in str(caught.value.remedy)
    with pytest.raises(BadFile, match="1 of 1 canaries"):
        carried(ledger, tmp_path, f"h\n{hexdigest(b'salt' + b'seed.one@example.com')}\n")
    assert size == ledger.head().size


def test_a_list_that_keeps_case_is_believed_with_a_warning(ledger: Ledger, tmp_path: Path) -> None:
    """Somebody whose capitals the partner wrote otherwise cannot be found: said, not hidden."""
    rows = f"h\n{hexdigest(b'Seed.One@Example.com')}\n{hexdigest(b'Vic.Tim@Partner.example')}\n"
    done = carried(ledger, tmp_path, rows)

    assert any("kept the case" in each for each in done.warnings)
    assert [Tier.HASHED, None] == verdicts(
        ledger, tmp_path, "Vic.Tim@Partner.example", "vic.tim@partner.example"
    )


def test_digests_taken_for_addresses_are_refused(tmp_path: Path) -> None:
    """They would be recorded and never match anybody."""
    path = tmp_path / "list.csv"
    path.write_text(f"email,n\n{hexdigest(b'a')},1\n{hexdigest(b'b')},2\n")
    with ContactFile.open(str(path), need_addresses=False, twice=True) as contacts:
        for mapping in ([], ["email=email"]):
            with pytest.raises(BadUsage, match="holds digests, not addresses") as caught:
                refuse_digests(contacts, mapping)
            assert "--canary" in str(caught.value.remedy)
        refuse_digests(contacts, ["email=n"])
    path.write_text("email\npat@example.com\n")
    with ContactFile.open(str(path), need_addresses=False, twice=True) as contacts:
        refuse_digests(contacts, [])
        with pytest.raises(BadFile, match="no column holds MD5"):
            hashed_layout(contacts, [SEED], [])


def test_a_consent_of_the_person_answers_an_older_digest(ledger: Ledger, tmp_path: Path) -> None:
    """They are one person, although the ledger cannot know it before they give their address."""
    from suppress.core.suppression import Consent

    carried(
        ledger,
        tmp_path,
        f"h,when\n{hexdigest(b'seed.one@example.com')},2020-01-01\n",
        mapping=["email=h,date=when"],
    )
    assert Ruling.SUPPRESSED is ledger.check(SEED.raw).ruling
    ledger.append([Consent(SEED, "form", datetime(2025, 1, 1, tzinfo=UTC), approver="Kim")], actor="kim")

    assert [None] == verdicts(ledger, tmp_path, SEED.raw)
