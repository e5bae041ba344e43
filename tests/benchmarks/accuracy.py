"""Who is missed and who is withheld needlessly, on labelled spellings: ours against what people use instead.

    uv run python -m tests.benchmarks.accuracy

prints the tables of `docs/explanation/how-addresses-are-compared.md`; a test holds the page to them. The
corpus is `tests/core/address_variants.py` and the pairs below: each a suppressed address, what stands in the
list that is checked, and whether the two are one mailbox.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from suppress.core.address import alias_key, match_key
from suppress.core.possible import possible_in
from tests.core import address_variants as corpus

Pair = tuple[str, str]
Method = Callable[[Sequence[Pair]], list[bool]]

PAT, GMAIL = "pat.smith@example.com", "pat.smith@gmail.com"

SAME: dict[str, list[Pair]] = {
    "letter case": corpus._CASE,
    "Unicode forms": corpus._FORMS,
    "invisible characters": corpus._INVISIBLE,
    "white space": corpus._SPACE,
    "marks around it": corpus._WRAPPED,
    "display names, links, labels": corpus._DRESSED,
    "quoting and comments": corpus._QUOTED,
    "domains, also international": corpus._DOMAINS,
    "damaged text": corpus._BROKEN,
    "several in one cell": corpus.CELLS,
    "what only a guess tells": corpus.GUESSED,
}
"""Kind → pairs that are one mailbox, whatever the provider."""

ALIASES: dict[str, list[Pair]] = {
    "dots at gmail": [
        (GMAIL, "patsmith@gmail.com"),
        (GMAIL, "p.a.t.s.m.i.t.h@gmail.com"),
        ("patsmith@googlemail.com", GMAIL),
    ],
    "plus and other tags": [
        (GMAIL, "pat.smith+news@gmail.com"),
        ("pat@outlook.com", "pat+shop@outlook.com"),
        ("pat@icloud.com", "pat+shop@me.com"),
        ("pat@fastmail.com", "pat+news@fastmail.com"),
        ("pat@fastmail.com", "news@pat.fastmail.com"),
        ("pat-shop@yahoo.com", "pat-news@yahoo.com"),
    ],
    "two domains of one provider": [
        ("pat@gmail.com", "pat@googlemail.com"),
        ("pat@icloud.com", "pat@mac.com"),
        ("pat@proton.me", "pat@pm.me"),
        ("pat@ya.ru", "pat@yandex.com"),
    ],
}
"""Kind → pairs that one provider delivers to one mailbox: likely the same person, never certain."""

HOMOGRAPHS: list[Pair] = [
    ("pat@example.com", "рat@example.com"),
    ("pat@example.com", "pаt@example.com"),
    ("pat@example.com", "pat@exаmple.com"),
    ("ο@example.com", "o@example.com"),
    ("a@bücher.example", "a@bucher.example"),
    ("jose@example.com", "josé@example.com"),
]

DIFFERENT: dict[str, list[Pair]] = {
    "homographs": HOMOGRAPHS,
    "dots where they count": [
        ("pat.smith@outlook.com", "patsmith@outlook.com"),
        ("pat.smith@yahoo.com", "patsmith@yahoo.com"),
        (PAT, "patsmith@example.com"),
    ],
    "plus where it counts": [("pat@example.com", "pat+tag@example.com"), ("pat@aol.com", "pat+x@aol.com")],
    "joined on purpose": [
        ("Pat@example.com", "pat@example.com"),
        ("straße@example.com", "strasse@example.com"),
        ("pat@faß.example", "pat@fass.example"),
        ("νίκος@example.com", "νικος@example.com"),
        ("ışık@example.com", "işik@example.com"),
    ],
    "other neighbours": [
        pair
        for pair in corpus.DIFFERENT
        if pair not in HOMOGRAPHS and alias_key(match_key(pair[0])) is None and "+" not in pair[1]
    ],
}
"""Kind → pairs of two mailboxes, or of what may be two where a mail system keeps the spellings apart."""


# --- What people use -------------------------------------------------------------------------------------


def by_text(pairs: Sequence[Pair]) -> list[bool]:
    """`csv` and a set: the very same text."""
    return [one == other for one, other in pairs]


def by_lower(pairs: Sequence[Pair]) -> list[bool]:
    """`strip().lower()`."""
    return [one.strip().lower() == other.strip().lower() for one, other in pairs]


def by_validator(pairs: Sequence[Pair]) -> list[bool]:
    """email-validator's normal form, compared in lower case; what it rejects is not found."""
    from email_validator import EmailNotValidError, validate_email

    def normal(text: str) -> str | None:
        try:
            found = validate_email(
                text, check_deliverability=False, test_environment=True, allow_quoted_local=True,
                allow_display_name=True, allow_domain_literal=True,
            )  # fmt: skip
        except (EmailNotValidError, UnicodeError):
            return None
        return found.normalized.lower()

    return [(form := normal(one)) is not None and form == normal(other) for one, other in pairs]


def by_duckdb(pairs: Sequence[Pair]) -> list[bool]:
    """DuckDB, `lower(trim(…))`."""
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE pair (place INTEGER, one VARCHAR, other VARCHAR)")
        rows = [(place, _utf8(one), _utf8(other)) for place, (one, other) in enumerate(pairs)]
        connection.executemany("INSERT INTO pair VALUES (?, ?, ?)", rows)
        found = connection.execute(
            "SELECT lower(trim(one)) = lower(trim(other)) FROM pair ORDER BY place"
        ).fetchall()
    return [bool(each) for (each,) in found]


def by_polars(pairs: Sequence[Pair]) -> list[bool]:
    """Polars, `str.strip_chars().str.to_lowercase()`."""
    import polars

    frame = polars.DataFrame(
        {"one": [_utf8(one) for one, _ in pairs], "other": [_utf8(other) for _, other in pairs]}
    )
    same = frame.select(
        *(polars.col(name).str.strip_chars().str.to_lowercase() for name in ("one", "other"))
    ).select(same=polars.col("one") == polars.col("other"))
    return [bool(each) for each in same["same"]]


def _utf8(text: str) -> str:
    """Those two take no lone surrogates: as a file would hold it."""
    return text.encode("utf-8", "replace").decode()


# --- Ours ------------------------------------------------------------------------------------------------


def by_exact(pairs: Sequence[Pair]) -> list[bool]:
    """Withheld: the match key of an address in the cell is that of the suppressed one."""
    return [match_key(one) in {each.key for each in possible_in(other)} for one, other in pairs]


def by_alias(pairs: Sequence[Pair]) -> list[bool]:
    """Withheld or to be reviewed: the alias tier added."""
    certain = by_exact(pairs)
    return [sure or _aliased(one, other) for sure, (one, other) in zip(certain, pairs, strict=True)]


def _aliased(one: str, other: str) -> bool:
    wanted = alias_key(match_key(one))
    return wanted is not None and wanted in {alias_key(each.key) for each in possible_in(other)}


METHODS: dict[str, Method] = {
    "suppress, withheld": by_exact,
    "suppress, or review": by_alias,
    "csv and a set": by_text,
    "strip, lower": by_lower,
    "email-validator": by_validator,
    "DuckDB": by_duckdb,
    "Polars": by_polars,
}


def tables() -> Iterator[str]:
    """The tables as Markdown, a line each."""
    yield from _table("missed (false negatives)", SAME, expected=True)
    yield ""
    yield from _table("one person by the provider's rule, missed", ALIASES, expected=True)
    yield ""
    yield from _table("somebody else, found (false positives)", DIFFERENT, expected=False)


def _table(title: str, kinds: dict[str, list[Pair]], *, expected: bool) -> Iterator[str]:
    yield f"| {title} | pairs | {' | '.join(METHODS)} |"
    yield f"|---|{'---:|' * (len(METHODS) + 1)}"
    sums = dict.fromkeys(METHODS, 0)
    total = 0
    for kind, pairs in kinds.items():
        wrong = {
            name: sum(each is not expected for each in method(pairs)) for name, method in METHODS.items()
        }
        sums = {name: sums[name] + count for name, count in wrong.items()}
        total += len(pairs)
        yield f"| {kind} | {len(pairs)} | {' | '.join(map(str, wrong.values()))} |"
    yield f"| **all** | {total} | {' | '.join(f'**{count}**' for count in sums.values())} |"


def main() -> None:
    """Print them."""
    print("\n".join(tables()))


if __name__ == "__main__":
    main()
