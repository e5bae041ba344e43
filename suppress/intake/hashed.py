"""A partner's list of digests: believed when known addresses are found in it, then recorded like any other.

    suppress import partner.csv --canary Seed.One@Example.com

Rules kept here:

* Nothing of such a list is recorded before every canary was found in it. A canary is an address that is known
  to be in the list, spelled as the partner has it; which algorithm and form it was found under is the recipe.
  Who has no canary may name the form; that it is the right one is then their word, and is said to be.
* A row counts if its digest is of an algorithm that a canary proved; the others are rejected by their number.
* What is recorded is the digest itself, as a person whom nobody can name. It is found by `suppress check`,
  erased and exported like nobody else: no destination can be told about somebody without an address.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from suppress.core.address import Address
from suppress.core.entry import HashesTrusted
from suppress.core.hashed import (
    IN_WORDS,
    KEEPS_CASE,
    Algorithm,
    Digest,
    Form,
    Recipe,
    candidates,
    explained,
    recipes_in,
)
from suppress.errors import BadFile, BadUsage
from suppress.files.columns import listed
from suppress.files.contacts import ContactFile
from suppress.intake.layouts import Claim, Mapped
from suppress.ledger import Event, Ledger

SOURCE = "partner"
_SAMPLE = 200
"""Rows that are looked at to find the column."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What the canaries showed."""

    recipes: tuple[Recipe, ...]
    canaries: int

    @property
    def remarks(self) -> tuple[str, ...]:
        """What was found out, and what the list cannot do."""
        if not self.canaries:
            named = ", ".join(map(str, self.recipes))
            return (f"taken for {named}, as you said; no canary proves it (--canary ADDRESS would)",)
        those = "1 canary" if self.canaries == 1 else f"{self.canaries} canaries"
        said = [f"proven by {those}: {', '.join(map(str, self.recipes))}"]
        if all(each.form in KEEPS_CASE for each in self.recipes):
            said.append(
                "the partner kept the case of its addresses: somebody whose capitals we write otherwise "
                "cannot be recognised; ask for digests of lower-case addresses"
            )
        return tuple(said)


@dataclass(frozen=True, slots=True)
class Hashed:
    """The layout of such a list: a column of digests, and whatever `--map` says besides. Every row counts."""

    rest: Mapped
    proof: Proof
    source: str = SOURCE
    profile: str = "hashed"
    nothing: str = "no digest of a kind that a canary proved"

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the canaries showed."""
        return self.proof.remarks

    @property
    def identity(self) -> str:
        """Fields and columns."""
        return self.rest.identity

    def claim(self, row: Sequence[str]) -> Claim:
        """Every row is an opt-out."""
        return self.rest.claim(row)

    def addresses(self, cells: Sequence[str]) -> list[Address]:
        """The digests of a row, each as the address of somebody whom nobody can name."""
        digests = [digest for cell in cells if (digest := Digest.parse(cell)) is not None]
        proven = {each.algorithm for each in self.proof.recipes}
        return [Address(each.hexadecimal, each.key) for each in digests if each.algorithm in proven]

    def evidence(self, row: Sequence[str]) -> Mapping[str, str]:
        """The mapped cells."""
        return self.rest.evidence(row)


def digest_columns(contacts: ContactFile) -> tuple[int, ...]:
    """The columns in which most of the first rows hold a digest."""
    every = (row.cells for batch in contacts.batches() for row in batch if not row.blank)
    rows = list(itertools.islice(every, _SAMPLE))
    width = max(map(len, rows), default=0)
    return tuple(
        index
        for index in range(width)
        if 2 * sum(len(row) > index and Digest.parse(row[index]) is not None for row in rows) > len(rows)
    )


def refuse_digests(contacts: ContactFile, mapping: Sequence[str]) -> None:
    """Digests are no addresses: taken for some they would be recorded and never match anybody.

    Raises:
        BadUsage: The column that holds the addresses, or would have to, holds digests.
    """
    found = digest_columns(contacts)
    meant = Mapped.of(contacts, mapping).columns["email"] if mapping else found
    if found and (set(found) & set(meant)):
        raise BadUsage(
            f"column {contacts.columns.label(found[0])} of {contacts.name} holds digests, not addresses",
            remedy="name an address known to be among them, as the partner spells it: --canary ADDRESS",
        )


def hashed_layout(contacts: ContactFile, canaries: Sequence[Address], mapping: Sequence[str]) -> Hashed:
    """Find the digests of a list and prove what they are of.

    Raises:
        BadFile: There is no column of digests, or a canary is not in it under any form that we know.
        BadUsage: The mapping cannot be.
    """
    rest = _mapped(contacts, mapping)
    return Hashed(rest, _proven(contacts, rest, canaries))


def _mapped(contacts: ContactFile, mapping: Sequence[str]) -> Mapped:
    """The column of digests, and what was mapped besides. Raises `BadFile`, `BadUsage`."""
    if mapping:
        return Mapped.of(contacts, mapping)
    columns = digest_columns(contacts)
    if not columns:
        raise BadFile(
            f"{contacts.name}: no column holds MD5, SHA-1, SHA-256 or SHA-512 digests; there is "
            f"{listed(contacts.columns.names, contacts.width)}",
            remedy="name it: --map email=COLUMN",
        )
    return Mapped({"email": columns[:1]}, contacts.columns.names)


def named_layout(contacts: ContactFile, form: Form, mapping: Sequence[str]) -> Hashed:
    """A list of digests of a form that the user names, of each algorithm that its first rows show.

    Raises:
        BadFile: There is no column of digests.
        BadUsage: The mapping cannot be.
    """
    rest = _mapped(contacts, mapping)
    every = (row.cells for batch in contacts.batches() for row in batch if not row.blank)
    cells = (cell for row in itertools.islice(every, _SAMPLE) for cell in rest.claim(row).cells)
    met = {digest.algorithm for cell in cells if (digest := Digest.parse(cell)) is not None}
    return Hashed(rest, Proof(tuple(sorted(Recipe(each, form) for each in met)), 0))


def trust(ledger: Ledger, contacts: ContactFile, proof: Proof, *, source: str, actor: str) -> None:
    """Record the recipes, from when on checks try them. The same list proves the same thing once."""
    events = []
    for recipe in proof.recipes:
        parts = ("hashes/v1", contacts.digest, source, recipe.algorithm.value, recipe.form.value)
        body = HashesTrusted(
            source, contacts.digest, recipe.algorithm.value, recipe.form.value, proof.canaries
        )
        events.append(Event(hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32], body))
    ledger.append(events, actor=actor)


def _proven(contacts: ContactFile, rest: Mapped, canaries: Sequence[Address]) -> Proof:
    """Read the list once, looking for the digests of the canaries alone: few, whatever its length."""
    looked_for = {key for canary in canaries for key in candidates(canary)}
    found = explained(canaries, set(_met(contacts, rest, looked_for)))
    missing = [canary.raw for canary, recipes in found.items() if not recipes]
    if missing:
        raise BadFile(
            f"{contacts.name}: {len(missing)} of {len(found)} canaries are not in it, the first being "
            f"{missing[0]!r}; tried were {', '.join(IN_WORDS[form] for form in Form)}, "
            f"in {', '.join(each.value for each in Algorithm)}",
            remedy="give the canary exactly as the partner has it, or ask how the digests were made: salted?",
        )
    return Proof(recipes_in(found.values()), len(found))


def _met(contacts: ContactFile, rest: Mapped, looked_for: set[str]) -> Iterator[str]:
    for batch in contacts.batches():
        for row in batch:
            for cell in rest.claim(row.cells).cells:
                digest = Digest.parse(cell)
                if digest is not None and digest.key in looked_for:
                    yield digest.key
