"""A name that leads elsewhere is found: views, computed columns, further indexes, tables made otherwise."""

from __future__ import annotations

import pytest

from suppress.audit import verify
from tests.ledger.making import Place, opt_out

STANDING = "person, channel, scope, reason, since, latest, source, seq, visibility"
DECLARED = (
    "person INTEGER NOT NULL, channel TEXT NOT NULL, scope TEXT NOT NULL, reason TEXT NOT NULL, since TEXT, "
    "latest TEXT NOT NULL, source TEXT NOT NULL, seq INTEGER NOT NULL, visibility TEXT, "
    "PRIMARY KEY (person, channel, scope)"
)


def changed(place: Place, *statements: str) -> str:
    """What `verify` finds after somebody with the file has run these."""
    place.record(opt_out("pat@example.com"), opt_out("s.am@gmail.com"))
    assert verify(place.url, keys=place.keys).ok
    with place.raw() as connection:
        for statement in statements:
            connection.execute(statement)
    bad = verify(place.url, keys=place.keys).first_bad
    return "" if bad is None else bad.what


def test_a_view_in_the_place_of_a_table_is_found(place: Place) -> None:
    """It shows all that was signed to whoever verifies by day, and hides people by night."""
    what = changed(
        place,
        "ALTER TABLE standing RENAME TO elsewhere",
        f"CREATE VIEW standing AS SELECT {STANDING} FROM elsewhere WHERE strftime('%H', 'now') >= '00'",
    )

    assert "standing is not a table (view)" == what


def test_a_view_beside_the_tables_is_found(place: Place) -> None:
    """Ours are none, so that a view has no honest reason."""
    assert "people is not a table (view)" == changed(place, "CREATE VIEW people AS SELECT id FROM subject")


def test_a_computed_column_is_found(place: Place) -> None:
    """Its values are made when they are read."""
    what = changed(
        place,
        "ALTER TABLE standing RENAME TO elsewhere",
        "CREATE TABLE standing ("
        + DECLARED.replace("visibility TEXT", "visibility TEXT AS (nullif(source, source)) VIRTUAL")
        + ") STRICT, WITHOUT ROWID",
        f"INSERT INTO standing ({STANDING.removesuffix(', visibility')}) "
        f"SELECT {STANDING.removesuffix(', visibility')} FROM elsewhere",
        "DROP TABLE elsewhere",
    )

    assert "the table standing has other columns" == what


@pytest.mark.parametrize("made", ["WITHOUT ROWID", "STRICT"])
def test_a_table_made_in_another_way_is_found(place: Place, made: str) -> None:
    """Not STRICT, or with row ids: it would keep other values, or in another order."""
    what = changed(
        place,
        "ALTER TABLE standing RENAME TO elsewhere",
        f"CREATE TABLE standing ({DECLARED}) {made}",
        "INSERT INTO standing SELECT * FROM elsewhere",
        "DROP TABLE elsewhere",
    )

    assert "the table standing was made in another way" == what


@pytest.mark.parametrize(
    "index",
    ["INDEX more ON standing (person, channel, scope, reason)", "UNIQUE INDEX more ON payload (salt)"],
)
def test_a_further_index_is_found(place: Place, index: str) -> None:
    """A second copy of rows, which a look-up may read and a verification not."""
    assert "there is an index that is not ours: more" == changed(place, f"CREATE {index}")


def test_a_missing_table_is_named(place: Place) -> None:
    """A projection too."""
    assert "the table alias is missing" == changed(place, "DROP TABLE alias")


def test_what_others_keep_beside_ours_is_let_be(place: Place) -> None:
    """A table of their own, and the figures that ANALYZE leaves."""
    assert "" == changed(place, "CREATE TABLE notes (text)", "ANALYZE")
