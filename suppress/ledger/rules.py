"""Rules that hold for people whom no entry is about: domain rules, and recipes of partners' digests. No SQL.

They are few, so that whoever answers checks keeps them in memory and reads them anew when an entry came that
may have changed them. They come from the leaves themselves: there is no projection of them that could differ.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from suppress.core.domains import DomainRule, DomainRules
from suppress.core.entry import Corrected, DomainLifted, DomainSuppressed, Entry, HashesTrusted
from suppress.core.hashed import Algorithm, Form, Recipe
from suppress.errors import LedgerDamaged
from suppress.ledger.folding import annulled_by
from suppress.ledger.reading import decoded

MAKERS = (DomainSuppressed.type, DomainLifted.type, HashesTrusted.type)
"""The entries that rules are made of, beside corrections of them."""

CHANGERS = (*MAKERS, Corrected.type)
"""The entries after which rules may be others."""

LEAVES = (
    "WITH RECURSIVE rule (seq) AS ("
    "SELECT seq FROM topic WHERE type IN (?, ?, ?) UNION "
    "SELECT topic.seq FROM topic JOIN rule ON topic.name = CAST(rule.seq AS TEXT) WHERE topic.type = ?"
    ") SELECT ledger.seq, ledger.leaf FROM ledger JOIN rule ON rule.seq = ledger.seq ORDER BY ledger.seq"
)
"""Their leaves and those of all corrections of them, in order; takes `CHANGERS`."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds at one position of a ledger."""

    domains: DomainRules
    recipes: tuple[Recipe, ...] = ()
    """Under which of them a digest of an address is looked for."""

    def __bool__(self) -> bool:
        return bool(self.domains) or bool(self.recipes)

    @classmethod
    def of(cls, leaves: Iterable[tuple[int, bytes]]) -> Rules:
        """From the leaves that `LEAVES` gives.

        Raises:
            LedgerDamaged: One of them cannot be read, or names a hash that there is none of.
        """
        entries = [decoded(seq, leaf) for seq, leaf in leaves]
        annulled = annulled_by(entries)
        standing: dict[int, DomainRule] = {}
        recipes: set[Recipe] = set()
        for entry in entries:
            if entry.seq in annulled:
                continue
            match entry.body:
                case DomainSuppressed() as body:
                    standing[entry.seq] = _rule(entry, body)
                case DomainLifted() as body:
                    standing.pop(body.rule, None)
                case HashesTrusted() as body:
                    recipes.add(_recipe(entry.seq, body))
                case _:
                    pass
        return cls(DomainRules(standing.values()), tuple(sorted(recipes)))


NO_RULES = Rules(DomainRules())


def _rule(entry: Entry, body: DomainSuppressed) -> DomainRule:
    return DomainRule(
        entry.seq,
        body.domain,
        body.subdomains,
        body.channel,
        body.scope,
        body.reason,
        body.source,
        body.note,
        entry.at,
        entry.actor,
    )


def _recipe(seq: int, body: HashesTrusted) -> Recipe:
    try:
        return Recipe(Algorithm(body.algorithm), Form(body.form))
    except ValueError as wrong:
        raise LedgerDamaged(f"entry {seq} trusts digests of a kind that there is none of: {wrong}") from wrong
