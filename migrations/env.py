"""How Alembic runs here: on the connection that `suppress.ledger.schema` hands over, inside its transaction.

There is no ini file. `suppress ledger upgrade` is the only caller; see README.md beside this file.
"""

from __future__ import annotations

from alembic import context

from suppress.ledger.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
