"""The ledger: leaves, checkpoints, head, erasable tables, projections, and the append-only guards."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SEQ = sa.BigInteger().with_variant(sa.Integer, "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
STRICT = {"sqlite_strict": True}
TREE = {"sqlite_strict": True, "sqlite_with_rowid": False}

GUARDS = (
    "CREATE TRIGGER ledger_in_order BEFORE INSERT ON ledger "
    "WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), -1) + 1 FROM ledger) "
    "BEGIN SELECT RAISE(ABORT, 'ledger: entries are appended in order, without gaps'); END",
    "CREATE TRIGGER ledger_no_update BEFORE UPDATE ON ledger "
    "BEGIN SELECT RAISE(ABORT, 'ledger: entries are never changed'); END",
    "CREATE TRIGGER ledger_no_delete BEFORE DELETE ON ledger "
    "BEGIN SELECT RAISE(ABORT, 'ledger: entries are never deleted'); END",
    "CREATE TRIGGER checkpoint_only_new BEFORE INSERT ON checkpoint "
    "WHEN EXISTS (SELECT 1 FROM checkpoint WHERE size = NEW.size) "
    "BEGIN SELECT RAISE(ABORT, 'checkpoint: rows are not replaced'); END",
    "CREATE TRIGGER checkpoint_no_update BEFORE UPDATE ON checkpoint "
    "BEGIN SELECT RAISE(ABORT, 'checkpoint: checkpoints are never changed'); END",
    "CREATE TRIGGER checkpoint_no_delete BEFORE DELETE ON checkpoint "
    "BEGIN SELECT RAISE(ABORT, 'checkpoint: checkpoints are never deleted'); END",
    "CREATE TRIGGER head_one_row BEFORE INSERT ON head WHEN EXISTS (SELECT 1 FROM head) "
    "BEGIN SELECT RAISE(ABORT, 'head: there is one head'); END",
    "CREATE TRIGGER head_only_grows BEFORE UPDATE ON head WHEN NEW.size < OLD.size "
    "BEGIN SELECT RAISE(ABORT, 'head: a ledger only grows'); END",
    "CREATE TRIGGER head_no_delete BEFORE DELETE ON head "
    "BEGIN SELECT RAISE(ABORT, 'head: the head stays'); END",
    "CREATE TRIGGER subject_only_new BEFORE INSERT ON subject "
    "WHEN EXISTS (SELECT 1 FROM subject WHERE key_id = NEW.key_id AND blind_index = NEW.blind_index) "
    "BEGIN SELECT RAISE(ABORT, 'subject: rows are not replaced'); END",
    "CREATE TRIGGER subject_no_update BEFORE UPDATE ON subject "
    "BEGIN SELECT RAISE(ABORT, 'subject: rows are never changed'); END",
    "CREATE TRIGGER payload_only_new BEFORE INSERT ON payload "
    "WHEN EXISTS (SELECT 1 FROM payload WHERE seq = NEW.seq) "
    "BEGIN SELECT RAISE(ABORT, 'payload: rows are not replaced'); END",
    "CREATE TRIGGER payload_no_update BEFORE UPDATE ON payload "
    "BEGIN SELECT RAISE(ABORT, 'payload: rows are never changed'); END",
)

FUNCTIONS = {
    "suppress_refuse": (
        "BEGIN RAISE EXCEPTION '%: %', TG_TABLE_NAME, TG_ARGV[0] "
        "USING ERRCODE = 'integrity_constraint_violation'; END"
    ),
    "suppress_in_order": (
        "DECLARE low bigint; high bigint; many bigint; "
        "BEGIN SELECT min(seq), max(seq), count(*) INTO low, high, many FROM added; "
        "IF many > 0 AND (high - low + 1 <> many "
        "OR low <> (SELECT coalesce(max(seq), -1) + 1 FROM ledger WHERE seq < low)) "
        "THEN RAISE EXCEPTION 'ledger: entries are appended in order, without gaps' "
        "USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NULL; END"
    ),
    "suppress_one_head": (
        "BEGIN IF (SELECT count(*) FROM head) > 1 THEN RAISE EXCEPTION 'head: there is one head' "
        "USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NULL; END"
    ),
    "suppress_only_grows": (
        "BEGIN IF NEW.size < OLD.size THEN RAISE EXCEPTION 'head: a ledger only grows' "
        "USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NEW; END"
    ),
}
NEVER = {
    "ledger": ("entries are never changed or deleted", ("UPDATE", "DELETE", "TRUNCATE")),
    "checkpoint": ("checkpoints are never changed or deleted", ("UPDATE", "DELETE", "TRUNCATE")),
    "head": ("the head stays", ("DELETE", "TRUNCATE")),
    "subject": ("rows are never changed", ("UPDATE", "TRUNCATE")),
    "payload": ("rows are never changed", ("UPDATE", "TRUNCATE")),
}
TRIGGERS = (
    (
        "ledger_in_order",
        "ledger",
        "AFTER INSERT ON ledger REFERENCING NEW TABLE AS added FOR EACH STATEMENT",
        "suppress_in_order()",
    ),
    ("head_one_row", "head", "AFTER INSERT ON head FOR EACH STATEMENT", "suppress_one_head()"),
    ("head_only_grows", "head", "BEFORE UPDATE ON head FOR EACH ROW", "suppress_only_grows()"),
    *(
        (
            f"{table}_no_{action.lower()}",
            table,
            f"BEFORE {action} ON {table} FOR EACH STATEMENT",
            f"suppress_refuse('{why}')",
        )
        for table, (why, actions) in NEVER.items()
        for action in actions
    ),
)
"""PostgreSQL: name, table, when it fires, what it calls."""
SECRET = (("payload", "salt"), ("payload", "body"), ("subject", "salt"))
"""PostgreSQL: what ANALYZE, and autovacuum with it, must not copy into the server's statistics.

There a sample of the values would outlive the erasure of the rows. No query looks for any of them.
"""


def upgrade() -> None:
    """Create everything."""
    _authoritative()
    _projections()
    if op.get_bind().dialect.name == "postgresql":
        _guard_server()
        for table, column in SECRET:
            op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS 0")
        return
    for guard in GUARDS:
        op.execute(guard)


def _guard_server() -> None:
    """Functions that look only at the schema of the tables; triggers that no setting switches off."""
    schema = op.get_bind().exec_driver_sql("SELECT quote_ident(current_schema())").scalar_one()
    for name, body in FUNCTIONS.items():
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql "
            f"SET search_path = {schema}, pg_temp AS $body${body}$body$"
        )
    for name, table, fires, call in TRIGGERS:
        op.execute(f"CREATE TRIGGER {name} {fires} EXECUTE FUNCTION {call}")
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")


def _authoritative() -> None:
    op.create_table(
        "ledger",
        sa.Column("seq", SEQ, autoincrement=False, nullable=False),
        sa.Column("leaf", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_ledger"),
        **STRICT,
    )
    op.create_table(
        "checkpoint",
        sa.Column("size", SEQ, autoincrement=False, nullable=False),
        sa.Column("note", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("size", name="pk_checkpoint"),
        **STRICT,
    )
    op.create_table(
        "head",
        sa.Column("size", SEQ, autoincrement=False, nullable=False),
        sa.Column("frontier", sa.LargeBinary, nullable=False),
        sa.Column("last_at", TEXT, nullable=False),
        sa.Column("note", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("size", name="pk_head"),
        **STRICT,
    )
    op.create_table(
        "subject",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("key_id", TEXT, nullable=False),
        sa.Column("blind_index", sa.LargeBinary, nullable=False),
        sa.Column("salt", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("key_id", "blind_index", name="pk_subject"),
        **TREE,
    )
    op.create_table(
        "payload",
        sa.Column("seq", SEQ, autoincrement=False, nullable=False),
        sa.Column("salt", sa.LargeBinary, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_payload"),
        **STRICT,
    )


def _projections() -> None:
    op.create_table(
        "event",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("seq", SEQ, nullable=False),
        sa.Column("mark", SEQ, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_event"),
        **TREE,
    )
    op.create_table(
        "about",
        sa.Column("person", SEQ, nullable=False),
        sa.Column("seq", SEQ, nullable=False),
        sa.PrimaryKeyConstraint("person", "seq", name="pk_about"),
        **TREE,
    )
    op.create_table(
        "standing",
        sa.Column("person", SEQ, nullable=False),
        sa.Column("channel", TEXT, nullable=False),
        sa.Column("scope", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("since", TEXT),
        sa.Column("latest", TEXT, nullable=False),
        sa.Column("source", TEXT, nullable=False),
        sa.Column("seq", SEQ, nullable=False),
        sa.Column("visibility", TEXT),
        sa.PrimaryKeyConstraint("person", "channel", "scope", name="pk_standing"),
        **TREE,
    )
    op.create_table(
        "lift",
        sa.Column("person", SEQ, nullable=False),
        sa.Column("channel", TEXT, nullable=False),
        sa.Column("scope", TEXT, nullable=False),
        sa.Column("at", TEXT, nullable=False),
        sa.Column("seq", SEQ, nullable=False),
        sa.PrimaryKeyConstraint("person", "channel", "scope", name="pk_lift"),
        **TREE,
    )
    op.create_table(
        "alias",
        sa.Column("key_id", TEXT, nullable=False),
        sa.Column("alias_index", sa.LargeBinary, nullable=False),
        sa.Column("person", SEQ, nullable=False),
        sa.PrimaryKeyConstraint("key_id", "alias_index", "person", name="pk_alias"),
        **TREE,
    )
    op.create_table(
        "topic",
        sa.Column("type", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("seq", SEQ, nullable=False),
        sa.PrimaryKeyConstraint("type", "name", "seq", name="pk_topic"),
        **TREE,
    )
    op.create_table(
        "built",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("version", SEQ, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_built"),
        **TREE,
    )
