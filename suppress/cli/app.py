"""The command `suppress`: its commands in three groups, and the one place where errors become exits.

Typer exits with 1 for an uncaught exception, which here means *findings*; so `main` runs the app outside
Typer's standalone mode and maps every failure itself (`suppress.errors`).
"""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from suppress import __version__
from suppress.cli import (
    add,
    alerts,
    anchor,
    bundle,
    check,
    commands,
    config,
    consent,
    correct,
    demo,
    doctor,
    domain,
    erase,
    export,
    forget,
    import_,
    init,
    ledger,
    login,
    logout,
    patrol,
    plugin,
    plugins,
    report,
    revert,
    show,
    simulate,
    snapshot,
    status,
    sync,
    trace,
    verify,
    waiver,
)
from suppress.cli.console import Appearance, printable
from suppress.cli.options import Root
from suppress.errors import StorageFailed, SuppressError

EVERYDAY = "Everyday"
EVIDENCE = "Evidence and audit"
SETUP = "Set-up and administration"

app = typer.Typer(
    name="suppress",
    cls=commands.Commands,
    help="Keep every opt-out, tell every system, check every import, prove it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="First time here? Run: suppress demo",
)


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"suppress {__version__}\n")
        raise typer.Exit


@app.callback()
def root(
    ctx: typer.Context,
    config_file: Annotated[
        Path | None, typer.Option("--config", help="Read this file instead of suppress.toml.")
    ] = None,
    ledger_url: Annotated[
        str | None, typer.Option("--ledger", help="The ledger's URL or SQLite file.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no hints.")] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="No colour.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show a traceback when something fails.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Keep every opt-out, tell every system, check every import, prove it."""
    del version
    ctx.obj = Root(config_file, ledger_url, debug, Appearance(quiet=quiet, color=not no_color))


commands.add(EVERYDAY, "sync", sync.sync)
commands.add(EVERYDAY, "add", add.add)
commands.add(EVERYDAY, "import", import_.import_)
commands.add(EVERYDAY, "consent", consent.consent)
commands.add(EVERYDAY, "correct", correct.correct)
commands.add(EVERYDAY, "revert", revert.revert)
commands.add(EVERYDAY, "check", check.check)
commands.add(EVERYDAY, "show", show.show)
commands.add(EVERYDAY, "export", export.export)
commands.add(EVERYDAY, "patrol", patrol.patrol)
commands.add(EVERYDAY, "status", status.status)
commands.add(EVERYDAY, "snapshot", snapshot.snapshot)
commands.add(EVIDENCE, "report", report.report)
commands.add(EVIDENCE, "verify", verify.verify)
commands.add(EVIDENCE, "anchor", anchor.anchor)
commands.add(EVIDENCE, "bundle", bundle.bundle)
commands.add(EVIDENCE, "trace", trace.trace)
commands.add(SETUP, "init", init.init)
commands.add(SETUP, "login", login.login)
commands.add(SETUP, "logout", logout.logout)
commands.add(SETUP, "erase", erase.erase)
commands.add(SETUP, "forget", forget.forget)
commands.add(SETUP, "doctor", doctor.doctor)
commands.add(SETUP, "config", config.config)
commands.add(SETUP, "plugins", plugins.plugins)
commands.add(SETUP, "demo", demo.demo)
commands.add(SETUP, "simulate", simulate.simulate)
commands.add(EVERYDAY, "domain", domain.domain_app)
commands.add(EVERYDAY, "waiver", waiver.waiver_app)
commands.add(SETUP, "alerts", alerts.alerts_app)
commands.add(SETUP, "ledger", ledger.ledger_app)
commands.add(SETUP, "plugin", plugin.plugin_app)


def main() -> NoReturn:
    """Run the command line and exit with the documented code."""
    arguments = sys.argv[1:]
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that lacks a letter is no failure
    try:
        code = app(args=arguments, prog_name="suppress", standalone_mode=False)
        sys.stdout.flush()
    except BaseException as failure:
        _leave(_failed(failure, arguments))
    _leave(code if isinstance(code, int) else 0)


def _failed(failure: BaseException, arguments: list[str]) -> int:
    if "--debug" in arguments and not isinstance(failure, (KeyboardInterrupt, SystemExit)):
        import traceback

        traceback.print_exception(failure)
    match failure:
        case SuppressError():
            return _said(failure, arguments)
        case KeyboardInterrupt() | typer.Abort():
            sys.stderr.write("interrupted; everything acknowledged is kept\n")
            return 130
        case BrokenPipeError():
            # The reader of our output went away; that is no finding and no success.
            return 141
        case SystemExit(code=1):
            # Our commands never exit like this; Click and Rich do when the reader of stdout went away.
            return 141
        case SystemExit():
            return failure.code if isinstance(failure.code, int) else 70
        case OSError():
            return _said(StorageFailed(_storage(failure)), arguments)
        case _ if hasattr(failure, "show") and hasattr(failure, "exit_code"):
            failure.show()
            return int(failure.exit_code)
        case MemoryError():
            return _said(StorageFailed("out of memory"), arguments)
        case _:
            name = type(failure).__name__
            internal = SuppressError(
                f"internal error ({name}); nothing that was acknowledged is lost",
                remedy="run it again with --debug before the command and report what it prints",
            )
            return _said(internal, arguments)


def _storage(failure: OSError) -> str:
    where = f" {failure.filename}" if isinstance(failure.filename, str) else ""
    return f"the system refused{where}: {failure.strerror or type(failure).__name__}"


def _said(error: SuppressError, arguments: list[str]) -> int:
    if "--json" in arguments:
        import json

        facts = {
            "schema": "suppress/error@1",
            "error": type(error).__name__,
            "message": error.message,
            "remedy": error.remedy,
            "exit_code": error.exit_code,
        }
        sys.stderr.write(json.dumps(facts, ensure_ascii=False) + "\n")
    else:
        sys.stderr.write(f"suppress: {printable(error.message)}\n")
        if error.remedy is not None:
            sys.stderr.write(f"  what to do: {printable(error.remedy)}\n")
    return error.exit_code


def _leave(code: int) -> NoReturn:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # Python would complain again when it closes stdout on the way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = code or 141
    sys.exit(code)
