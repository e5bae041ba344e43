"""`suppress ledger …`: the database itself. Schema now; each further command is one function here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from suppress.cli.console import Screen, agreed, emit, note
from suppress.cli.options import AsJson, Yes, actor, quoted, settings
from suppress.errors import BadFile, BadUsage

if TYPE_CHECKING:
    from suppress.ledger.restoring import Restoration

ledger_app = typer.Typer(
    no_args_is_help=True, help="The ledger's database: its schema, copies, and going on from one."
)


@ledger_app.command("current")
def current(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Say which schema the ledger has, and which one this program needs.

    suppress ledger current
    """
    from suppress.ledger import schema
    from suppress.ledger.place import place_of

    place = place_of(settings(ctx).ledger)
    revision = schema.read_revision(place)
    facts = {
        "ledger": str(place),
        "revision": revision,
        "needed": schema.HEAD,
        "up_to_date": revision == schema.HEAD,
    }

    def draw(screen: Screen) -> None:
        screen.fields([("Ledger", str(place)), ("Schema", revision), ("Needed", schema.HEAD)])
        if revision in schema.OLDER:
            screen.line(f"Next: {schema.UPGRADE}")

    emit("ledger-current", facts, as_json=as_json, human=draw)


@ledger_app.command("upgrade")
def upgrade(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Bring the ledger to this program's schema. A file is copied first; entries are never touched.

    A database of a server is brought up to date in one transaction, and is for you to back up before:

        suppress ledger upgrade
    """
    from suppress.ledger import Keys, schema
    from suppress.ledger.place import place_of

    chosen = settings(ctx)
    place = place_of(chosen.ledger)
    before = schema.read_revision(place)
    done, copy = schema.upgrade(place, Keys.load(chosen.keys))
    facts = {
        "ledger": str(place),
        "before": before,
        "revision": schema.HEAD,
        "copy": None if copy is None else str(copy),
    }

    def draw(screen: Screen) -> None:
        if not done:
            screen.line(f"{place} has schema {schema.HEAD} already; nothing was changed.")
            return
        screen.line(f"{place} was brought from schema {before} to {schema.HEAD}.")
        if copy is not None:
            screen.line(f"The ledger as it was before: {copy}")
        screen.line("Next: suppress verify")

    emit("ledger-upgrade", facts, as_json=as_json, human=draw)


@ledger_app.command("backup")
def backup(
    ctx: typer.Context,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="The file to write.")],
    as_json: AsJson = False,
) -> None:
    """Copy the ledger, verify the copy, and put its checkpoint beside it. Nothing is ever overwritten.

    The copy holds addresses: keep it as you keep the ledger, and its keys somewhere else.

        suppress ledger backup -o backups/suppress-2026-11-23.db
    """
    from suppress.ledger import Ledger

    chosen = settings(ctx)
    with Ledger.open(chosen.ledger, keys=chosen.keys, read_only=True) as ledger:
        made = ledger.backup(output)
    facts = {
        "file": str(made.file),
        "checkpoint": str(made.checkpoint),
        "bytes": made.file.stat().st_size,
        "size": made.head.size,
        "root": made.head.root.hex(),
    }

    def draw(screen: Screen) -> None:
        screen.heading(f"{made.file} holds {made.head.size:,} entries and verifies.")
        screen.fields([("Root", made.head.root.hex()), ("Checkpoint", str(made.checkpoint))])
        screen.line(
            f"Back up {chosen.keys} too, apart from this file: without the keys nobody is recognised."
        )

    emit("ledger-backup", facts, as_json=as_json, human=draw)


@ledger_app.command("restored")
def restored(
    ctx: typer.Context,
    anchor: Annotated[
        list[Path] | None,
        typer.Option("--anchor", metavar="NOTE", help="A checkpoint of the history that is lost."),
    ] = None,
    erasures: Annotated[
        list[Path] | None,
        typer.Option("--erasures", metavar="FOLDER", help="Another copy of the keys folder's erasures."),
    ] = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Go on from a backup that you have put in the ledger's place. Only when the newer ledger is lost.

    It is recorded how far the backup reached; whoever was erased since is erased again; then entries can be
    appended. Checkpoints of the lost entries will not fit this ledger, and verify will say so:

        suppress ledger restored
    """
    from suppress.ledger import Ledger

    chosen = settings(ctx)
    notes = [_text(path) for path in anchor or ()]
    question = "Go on from this copy, and give up what was recorded after it was made?"
    if not agreed(question, yes=yes):
        note("nothing was changed")
        raise typer.Exit(130)
    with Ledger.open(chosen.ledger, keys=chosen.keys) as ledger:
        done = ledger.restored(actor=actor(), anchors=notes, records=tuple(erasures or ()))
        head = ledger.head()
    facts = {
        "backup": {"size": done.size},
        "signed": done.signed,
        "lost": done.lost,
        "seq": done.seq,
        "new": done.new,
        "erased_again": done.erased,
        "forgotten_again": done.forgotten,
        "ledger": quoted(head),
    }
    emit("ledger-restored", facts, as_json=as_json, human=lambda screen: _draw_restored(screen, done))


def _draw_restored(screen: Screen, done: Restoration) -> None:
    if done.seq is None:
        screen.line(f"This ledger is no older copy: no more than its {done.size:,} entries were ever signed.")
        return
    screen.heading(f"The ledger goes on from a copy of {done.size:,} entries: entry {done.seq} records it.")
    if not done.new:
        screen.line("An earlier run had recorded it; entries can be appended now.")
    screen.fields(
        [
            ("entries lost", done.lost),
            ("people erased again", done.erased),
            ("people forgotten again", done.forgotten),
        ]
    )
    screen.line("Checkpoints of what is lost do not fit this ledger; tell whoever holds one.")
    screen.line("Next: suppress sync --full, import and add again what came since the backup, then export")


@ledger_app.command("copy")
def copy(
    ctx: typer.Context,
    to: Annotated[str, typer.Option("--to", metavar="URL", help="An empty database, or a new file.")],
    as_json: AsJson = False,
) -> None:
    """Move the ledger to another database: the same entries, the same root, the same keys.

    The copy is verified before it counts; a copy that is interrupted leaves nothing. Then name the new place
    in suppress.toml. The old one stays as it was, and is refused as an older copy once the new one is used:

        suppress ledger copy --to postgresql+psycopg://suppress@db.example/suppress
        suppress ledger copy --to suppress.db
    """
    from suppress.ledger import Ledger

    chosen = settings(ctx)
    with Ledger.open(chosen.ledger, keys=chosen.keys, read_only=True) as ledger:
        place, head = ledger.copy(to)
    facts = {"to": str(place), "keys": str(chosen.keys), "ledger": quoted(head)}

    def draw(screen: Screen) -> None:
        screen.heading(f"{place} holds {head.size:,} entries and verifies.")
        screen.fields([("Root", head.root.hex()), ("Keys", f"{chosen.keys} (the same)")])
        screen.line("Next: name it by `ledger` in suppress.toml, the keys by `keys`, then: suppress verify")

    emit("ledger-copy", facts, as_json=as_json, human=draw)


@ledger_app.command("grant")
def grant(
    ctx: typer.Context,
    writer: Annotated[
        list[str] | None,
        typer.Option("--writer", metavar="ROLE", help="May append and erase, and never change an entry."),
    ] = None,
    reader: Annotated[
        list[str] | None, typer.Option("--reader", metavar="ROLE", help="May look up and verify.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print the SQL.")] = False,
    as_json: AsJson = False,
) -> None:
    """Give roles of a PostgreSQL server their rights on the ledger, and no others. Run it as the owner.

    The roles must be there: CREATE ROLE suppress_writer LOGIN. After an upgrade, run it again.

        suppress ledger grant --writer suppress_writer --reader suppress_reader
    """
    from suppress.ledger.granting import grant as give

    if not writer and not reader:
        raise BadUsage("no role was named", remedy="suppress ledger grant --writer ROLE --reader ROLE")
    statements = give(settings(ctx).ledger, writers=writer or (), readers=reader or (), dry_run=dry_run)

    def draw(screen: Screen) -> None:
        for statement in statements if dry_run else ():
            screen.line(f"{statement};")
        if not dry_run:
            screen.line(f"Rights were given to {', '.join([*(writer or ()), *(reader or ())])}.")

    facts = {"writers": writer or [], "readers": reader or [], "statements": statements, "dry_run": dry_run}
    emit("ledger-grant", facts, as_json=as_json, human=draw)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as refused:
        raise BadFile(f"{path} cannot be read as a checkpoint") from refused


@ledger_app.command("rotate-key")
def rotate_key(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Sign with a new key from now on. The old one signs the entry that says so, and is then removed.

    Whoever verifies may go on pinning any key that the ledger has had: verify follows the entries in which
    one hands over to the next. Do this when somebody who knew the key has left, and give the new one to your
    auditor:

        suppress ledger rotate-key
    """
    from suppress.ledger import Ledger

    chosen = settings(ctx)
    with Ledger.open(chosen.ledger, keys=chosen.keys) as ledger:
        receipt = ledger.rotate_signing_key(actor=actor())
        head, vkey = ledger.head(), ledger.vkey
    facts = {
        "entry": receipt.seq,
        "new": receipt.new,
        "vkey": vkey,
        "keys": str(chosen.keys),
        "ledger": quoted(head),
    }

    def draw(screen: Screen) -> None:
        screen.line(f"The ledger is signed with a new key since entry {receipt.seq:,}.")
        screen.fields([("Public key", vkey), ("Keys", str(chosen.keys))])
        screen.line(
            "Back the keys up again, apart from the ledger, and destroy copies of the old signing key."
        )
        screen.line("A backup of the ledger from before this can be used only with the keys of that time.")
        screen.line("Next: give the new public key to your auditor, and keep a checkpoint: suppress anchor")

    emit("ledger-rotate-key", facts, as_json=as_json, human=draw)


@ledger_app.command("rotate-index-key")
def rotate_index_key(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Index new people under a new key from now on. The old keys stay, for they find everybody before.

    An erased person can be recognised by no other means than the key under which they were indexed: never
    remove an index key.

        suppress ledger rotate-index-key
    """
    from suppress.ledger import Ledger

    chosen = settings(ctx)
    with Ledger.open(chosen.ledger, keys=chosen.keys) as ledger:
        receipt = ledger.rotate_index_key(actor=actor())
        head, ids = ledger.head(), ledger.index_keys
    facts = {
        "entry": receipt.seq,
        "key": ids[-1],
        "live": ids,
        "keys": str(chosen.keys),
        "ledger": quoted(head),
    }

    def draw(screen: Screen) -> None:
        screen.line(f"New people are indexed under key {ids[-1]} since entry {receipt.seq:,}.")
        screen.line(f"All of these are needed, and none may be removed: {', '.join(ids)}")
        screen.line(f"Next: back up {chosen.keys}, apart from the ledger.")

    emit("ledger-rotate-index-key", facts, as_json=as_json, human=draw)
