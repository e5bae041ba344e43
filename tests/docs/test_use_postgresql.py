"""The set-up on the page about PostgreSQL, as it stands there, against a real server."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import pytest

from tests import backends
from tests.conftest import Command

PAGE = (Path(__file__).parents[2] / "docs/how-to/use-postgresql.md").read_text("utf-8")


@pytest.mark.server_only
def test_the_set_up_works_as_it_is_written(command: Command) -> None:
    """Roles, database, init, grant, a first opt-out by the writer, and verify by the reader."""
    own = f"t{os.getpid()}"
    page = re.sub(r"suppress_(owner|writer|reader)", rf"{own}_\1", PAGE)
    statements, vacuum = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    backends.NOW.databases["page"] = database = f"{own}_db"
    backends.NOW.roles.extend(f"{own}_{name}" for name in ("owner", "writer", "reader"))
    backends.administer(*_each(statements.replace("DATABASE suppress ", f"DATABASE {database} ")))
    url = backends.url_of(database).replace("postgres:@", r"\1@")
    exits = []
    for step in re.findall(r"^\$ suppress (.*)$", page, re.MULTILINE):
        arguments = re.sub(r"postgresql\+psycopg://(\w+)@db\.example/suppress", url, step)
        exits.append(command(*shlex.split(arguments)).exit_code)

    assert [0, 0, 0, 3] == exits
    backends.run(backends.url_of(database), *_each(vacuum))


def _each(statements: str) -> list[str]:
    return [each for each in statements.split(";") if each.strip()]
