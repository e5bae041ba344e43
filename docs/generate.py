"""Writes the reference pages and the sample report: `python docs/generate.py`; with `--check`, only compares.

A page here is never edited by hand. `tests/docs/test_generated.py` fails when one differs from the code.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import json
import pkgutil
import re
import sys
import typing
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

REFERENCE = Path(__file__).parent / "reference"
NOTICE = "<!-- Written by docs/generate.py from the code; change the code, then run it. -->\n"


def commands() -> str:
    """Every command with its arguments, options and exit codes, in the groups of `suppress --help`."""
    import typer.main

    from suppress.cli.app import app

    root = typing.cast("typing.Any", typer.main.get_command(app))
    lines = ["# Commands", "", "Options before the command's name:", "", *_parameters(root)]
    panels: dict[str, list[tuple[str, typing.Any]]] = {}
    for name, command in root.commands.items():
        panels.setdefault(command.rich_help_panel or "Other", []).append((name, command))
    for panel, members in panels.items():
        lines += ["", f"## {panel}"]
        for name, command in members:
            lines += _command(f"suppress {name}", command)
    lines += ["", "## Exit codes", "", *_exit_codes()]
    return "\n".join(lines) + "\n"


def _command(title: str, command: typing.Any) -> Iterator[str]:
    yield from ("", f"### {title}", "", inspect.cleandoc(command.help or "").replace("\f", ""))
    if getattr(command, "commands", None):
        for name, inner in command.commands.items():
            yield from _command(f"{title} {name}", inner)
        return
    table = list(_parameters(command))
    if table:
        yield from ("", *table)


def _parameters(command: typing.Any) -> Iterator[str]:
    rows = []
    for parameter in command.params:
        if getattr(parameter, "hidden", False) or parameter.name == "help":
            continue
        if parameter.param_type_name == "argument":
            shown = f"`{(parameter.metavar or parameter.name.upper())}`"
        else:
            names = ", ".join([*parameter.opts, *parameter.secondary_opts])
            value = "" if parameter.is_flag else f" {parameter.name.upper()}"
            shown = f"`{names}{value}`"
        rows.append(f"| {shown} | {(parameter.help or '').replace('|', chr(92) + '|')} |")
    if rows:
        yield from ("| | |", "|---|---|", *rows)


def _exit_codes() -> Iterator[str]:
    yield "| code | meaning |"
    yield "|---|---|"
    for code, meaning in EXIT_CODES.items():
        yield f"| {code} | {meaning} |"


EXIT_CODES: Mapping[int, str] = {
    0: "clean",
    1: "findings: `check` withheld someone or wants review, `verify` found tampering, "
    "`report` or `status` found an overdue request or drift, `import` could not take every row, "
    "`revert` left what people did",
    2: "wrong usage or a bad input file",
    3: "`verify`: verified, but nothing kept outside was compared",
    4: "sign-in needed",
    5: "a source or destination failed or is incomplete",
    10: "no ledger",
    11: "the ledger is locked",
    12: "migration needed",
    70: "internal error, damaged ledger, or failed storage",
    130: "interrupted",
    141: "whoever read our output went away",
}


def errors() -> str:
    """Every error: exit code, meaning, and what to do."""
    import suppress
    from suppress.errors import SuppressError

    for module in pkgutil.walk_packages(suppress.__path__, "suppress."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)  # errors of rooms and platforms join the tree
    lines = [
        "# Errors",
        "",
        "Every failure is one of these.",
        "With `--json`, stderr holds one object: "
        '`{"schema": "suppress/error@1", "error", "message", "remedy", "exit_code"}`.',
        "Treat an exit code that is not listed as a failure.",
    ]
    for error in _tree(SuppressError):
        lines += ["", f"## {error.__name__}", "", f"Exit code {error.exit_code}.", _first(error)]
        if error.default_remedy:
            lines.append(f"What to do: {_code(error.default_remedy)}.")
    return "\n".join(lines) + "\n"


def _tree(root: type) -> Iterator[typing.Any]:
    yield root
    # Plugins that are loaded beside us have errors of their own, which their manuals tell.
    ours = (each for each in root.__subclasses__() if each.__module__.partition(".")[0] == "suppress")
    for child in ours:
        yield from _tree(child)


def _code(remedy: str) -> str:
    return f"`{remedy}`" if remedy.startswith("suppress ") else remedy


def entries() -> str:
    """The kinds of ledger entry and their fields, then the database's tables."""
    from suppress.core import entry
    from suppress.ledger import tables

    lines = [
        "# Ledger format",
        "",
        "An entry is canonical JSON (RFC 8785) and is hashed and kept as exactly those bytes.",
        "Every entry has `v` (1), `type`, `id`, `at` and `actor`; the rest depends on its type.",
    ]
    for kind, body in entry.BODIES.items():
        lines += ["", f"## `{kind}`", "", _first(body), "", "| field | kind |", "|---|---|"]
        hints = typing.get_type_hints(body)
        lines += [f"| `{each.name}` | {_kind(hints[each.name])} |" for each in dataclasses.fields(body)]
    lines += ["", "# Tables"]
    for table in tables.metadata.sorted_tables:
        lines += [
            "",
            f"## `{table.name}`",
            "",
            table.comment or "",
            "",
            "| column | type | null |",
            "|---|---|---|",
        ]
        lines += [
            f"| `{column.name}` | {column.type} | {'yes' if column.nullable else 'no'} |"
            for column in table.columns
        ]
    return "\n".join(lines) + "\n"


def _kind(hint: object) -> str:
    text = re.sub(r"\b(?:[a-z_]+\.)+", "", inspect.formatannotation(hint))
    return f"`{text}`".replace("|", "or").replace("datetime", "time")


def hooks() -> str:
    """What a plugin implements, with a whole example each."""
    from suppress.plugin import hookspec

    lines = ["# Plugin hooks", "", inspect.cleandoc(hookspec.__doc__ or "")]
    for name, function in vars(hookspec).items():
        if name.startswith("suppress_") and callable(function):
            signature = str(inspect.signature(function)).replace("'", "")
            lines += ["", f"## `{name}{signature}`", "", inspect.cleandoc(function.__doc__ or "")]
    return "\n".join(lines) + "\n"


def report_schema() -> str:
    """The JSON Schema of `suppress report --format json`."""
    from suppress.report.schema import schema

    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def import_profiles() -> str:
    """Every profile of `suppress import`: what it needs, and which rows are opt-outs."""
    from suppress.intake.profiles import profiles

    lines = [
        "# Import profiles",
        "",
        "What `suppress import` knows of the exports of other systems.",
        "Headings are matched by name, in any order and case; other columns are ignored.",
        "A status that is not named here is an unknown one: its rows are listed and not imported.",
        "Few vendors document their exports: where the named page does not list the columns, they are those "
        "of the vendor's API, or of files that users have published.",
    ]
    for each in profiles():
        named = "" if each.found or each.refused else f" Only with `--profile {each.name}`."
        lines += ["", f"## {each.title}", "", f"Profile `{each.name}`.{named}", "", "| | |", "|---|---|"]
        rows = [
            ("headings", each.needed),
            ("opt-outs", each.opt_outs),
            ("not opt-outs", each.others),
            ("listed, not imported", ", ".join(f"yes in “{one}”" for one in each.partial)),
            ("dates without a zone", each.zone or ("that of the settings" if each.date else "")),
            ("3/4/2024, where a file allows both", {"mdy": "March 4th"}.get(each.order or "", "")),
            ("what it cannot show", "; ".join(each.warnings)),
            ("refused", each.refused or ""),
            ("facts from", each.facts),
        ]
        lines += [f"| {what} | {text.replace('|', chr(92) + '|')} |" for what, text in rows if text]
    return "\n".join(lines) + "\n"


def _first(thing: typing.Any) -> str:
    return inspect.cleandoc(thing.__doc__ or "").replace("\n", " ").replace("  ", " ")


PAGES: Mapping[str, Callable[[], str]] = {
    "commands.md": commands,
    "errors.md": errors,
    "ledger-format.md": entries,
    "hooks.md": hooks,
    "import-profiles.md": import_profiles,
    "report.schema.json": report_schema,
}


def render(page: str) -> str:
    """The text of one generated page."""
    return (NOTICE if page.endswith(".md") else "") + PAGES[page]()


def main() -> int:
    """Write the pages, or with `--check` name those that differ. Returns the exit code."""
    differing = [
        page
        for page in PAGES
        if not (REFERENCE / page).exists() or (REFERENCE / page).read_text() != render(page)
    ]
    if "--check" in sys.argv:
        print("\n".join(f"docs/reference/{page} differs from the code" for page in differing))
        return 1 if differing else 0
    for page in differing:
        (REFERENCE / page).write_text(render(page))
    return importlib.import_module("sample").main()  # the sample report beside this file


if __name__ == "__main__":
    sys.exit(main())
