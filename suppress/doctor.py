"""`suppress doctor`: what is right and what is wrong with this installation, and what to do about it.

Rules kept here:

* It only looks. Nothing is created, mended or appended, and nothing secret or personal is said. What it asks
  platforms is counted against the day's requests, and a sign-in that has run out renews itself.
* Comparing queries may cost many requests: it is done when asked for, announced with their number, and left
  out where they are more than what is left of the day.
* One trouble never hides another: whatever breaks becomes a finding, and the examination goes on.
* The exit code tells scripts where the trouble is. With several, the first of these holds: 2 the
  configuration, 10, 11, 12 or 70 the ledger and its disk, 5 a source or destination. Warnings leave it at 0.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from suppress.config import Settings, SourceSettings, is_secret, load, redacted
from suppress.errors import BadUsage, ConfigWrong, SourceFailed, StorageFailed, SuppressError
from suppress.ledger import Ledger, precautions
from suppress.plugin.contract import Compared, Comparing, Exporter, Finding, Severity, Source
from suppress.plugin.registry import Registry
from suppress.plugin.signing import Origin, SignedIn

CRAMPED, FULL = 500_000_000, 50_000_000
"""Bytes left on the ledger's disk: little, and too little to go on."""
LAPSING = 30
"""Days left of a sign-in below which it is worth a warning: unused that long, it lapses for good."""


@dataclass(frozen=True, slots=True)
class Examined:
    """A finding, the part of the installation that it is about, and the exit code if it is a failure."""

    area: str
    finding: Finding
    exit_code: int
    compared: tuple[Compared, ...] = ()
    """The queries that were asked side by side, if the finding is about them."""

    @property
    def failed(self) -> bool:
        """Whether this is a failure, not a warning."""
        return self.finding.severity is Severity.FAIL


def examine(
    *,
    config: Path | None = None,
    ledger: str | None = None,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    announce: Callable[[str, int], None] | None = None,
) -> Iterator[Examined]:
    """Findings as they are made; asking sources and destinations takes a few requests each.

    With `announce`, queries are compared too; it is called with the source and the requests that this takes.
    """
    try:
        settings = load(config=config, ledger=ledger, environ=environ, cwd=cwd)
    except ConfigWrong as wrong:
        yield _failure("configuration", wrong)
        settings = None
    registry = Registry.load(environ=environ)
    if settings is not None:
        yield from _of("configuration", BadUsage.exit_code, _configuration(settings))
        yield from _of("configuration", BadUsage.exit_code, _state(settings.state))
        yield from _ledger(settings)
    yield from _of("plugins", BadUsage.exit_code, _plugins(registry))
    if settings is not None:
        yield from _accounts(settings, registry, announce)


def exit_code(examined: Iterable[Examined]) -> int:
    """What the command ends with."""
    failures = [each.exit_code for each in examined if each.failed]
    order = (2, 10, 12, 11, 70, 5)
    return next((code for code in order if code in failures), max(failures, default=0))


def _failure(
    area: str, failure: SuppressError, *, subject: str | None = None, code: int | None = None
) -> Examined:
    finding = Finding(subject or area, Severity.FAIL, failure.message, failure.remedy)
    return Examined(area, finding, failure.exit_code if code is None else code)


def _of(area: str, code: int, findings: Iterable[Finding]) -> Iterator[Examined]:
    return (Examined(area, finding, code) for finding in findings)


def _configuration(settings: Settings) -> Iterator[Finding]:
    if settings.file is None:
        yield Finding(
            "settings", Severity.PASS, "no file; environment and defaults", "suppress init writes one"
        )
    else:
        yield Finding("settings", Severity.PASS, f"read from {settings.file}")
        in_file = [
            key for key, origin in settings.origins.items()
            if is_secret(key.rpartition(".")[2]) and not origin.startswith(("variable", "-", "default"))
        ]  # fmt: skip
        if in_file and _open_to_others(settings.file):
            yield Finding(
                "settings",
                Severity.WARN,
                f"others may read {settings.file}, which holds {', '.join(in_file)}",
                f"chmod 600 {settings.file}",
            )
    for variable in settings.unknown:
        yield Finding("environment", Severity.WARN, f"{variable} is no setting and does nothing")
    for name, variable in settings.nameless.items():
        yield Finding(
            f"destination {name}",
            Severity.WARN,
            f"only {variable} speaks of it, and it names no platform, so nobody is told there",
            f"add [destinations.{name}] with a platform to suppress.toml, or unset the variable",
        )
    if not settings.sources:
        yield Finding(
            "sources", Severity.WARN, "no source is configured", "add [sources.main] to suppress.toml"
        )


def _state(folder: Path) -> Iterator[Finding]:
    """Request counts, and sign-ins that are kept in files, lie there."""
    if not folder.is_dir():
        return
    exposed = [each for each in (folder, *sorted(folder.rglob("*"))) if _open_to_others(each)]
    for each in exposed:
        mode = "700" if each.is_dir() else "600"
        yield Finding("state", Severity.WARN, f"others may read {each}", f"chmod {mode} {each}")
    if not exposed:
        yield Finding("state", Severity.PASS, f"{folder}: private")


def _ledger(settings: Settings) -> Iterator[Examined]:
    place = redacted(settings.ledger)
    try:
        with Ledger.open(settings.ledger, keys=settings.keys, read_only=True) as ledger:
            size = ledger.head().size
    except SuppressError as failure:
        yield _failure("ledger", failure)
    else:
        passed = Finding("ledger", Severity.PASS, f"{place}: {size:,} entries, schema current")
        yield Examined("ledger", passed, 0)
        yield from _of("ledger", BadUsage.exit_code, _keys(settings.keys))
        yield from _of("ledger", StorageFailed.exit_code, _server(settings.ledger))
    if settings.ledger.startswith("sqlite:///"):
        file = Path(settings.ledger.removeprefix("sqlite:///"))
        if _open_to_others(file):
            open_ = Finding("ledger", Severity.WARN, f"others may read {file}", f"chmod 600 {file}")
            yield Examined("ledger", open_, 0)
        yield from _of("ledger", StorageFailed.exit_code, _disk(file.parent))


def _server(ledger: str) -> Iterator[Finding]:
    for doubt, hint in precautions.doubts(ledger):
        yield Finding("server", Severity.WARN, doubt, hint)


def _keys(folder: Path) -> Iterator[Finding]:
    if not folder.is_dir():
        yield Finding(
            "keys",
            Severity.FAIL,
            f"{folder} is missing: the ledger can be verified, not used",
            "restore the folder from your backup, or name it by `keys` in suppress.toml",
        )
        return
    exposed = [
        each for each in (folder, *sorted(folder.iterdir())) if _is_private(each) and _open_to_others(each)
    ]
    for each in exposed:
        mode = "700" if each == folder else "600"
        yield Finding("keys", Severity.FAIL, f"others may read {each}", f"chmod {mode} {each}")
    if not exposed:
        yield Finding("keys", Severity.PASS, f"{folder}: private; keep a copy apart from the ledger's")


def _is_private(path: Path) -> bool:
    # What is public in the folder (the verifying key) may be read by anyone who gets that far.
    return path.is_dir() or path.name == "signing.pem" or path.name.startswith("index.")


def _open_to_others(path: Path) -> bool:
    try:
        return bool(stat.S_IMODE(path.stat().st_mode) & 0o077)
    except OSError:
        return False


def _disk(folder: Path) -> Iterator[Finding]:
    if not folder.is_dir():
        yield Finding("disk", Severity.FAIL, f"the folder {folder} does not exist", f"mkdir -p {folder}")
        return
    if not os.access(folder, os.W_OK):
        yield Finding("disk", Severity.FAIL, f"{folder} may not be written to: nothing can be recorded")
    free = shutil.disk_usage(folder).free
    severity = Severity.FAIL if free < FULL else Severity.WARN if free < CRAMPED else Severity.PASS
    hint = None if severity is Severity.PASS else "free some space: a full disk stops every sync"
    yield Finding("disk", severity, f"{free // 1_000_000:,} MB are free in {folder}", hint)


def _plugins(registry: Registry) -> Iterator[Finding]:
    for plugin in registry.plugins():
        if plugin.failure is None:
            yield Finding(str(plugin), Severity.PASS, "loaded")
        else:
            hint = f"update or uninstall {plugin.distribution}"
            yield Finding(str(plugin), Severity.WARN, f"did not load: {plugin.failure}", hint)
    for double in registry.doubles():
        yield Finding(
            "platforms", Severity.WARN, double, "uninstall one, or name the others in SUPPRESS_LOAD_PLUGINS"
        )


def _accounts(
    settings: Settings, registry: Registry, announce: Callable[[str, int], None] | None
) -> Iterator[Examined]:
    for source in settings.sources.values():
        yield from _account(
            f"source {source.name}",
            partial(registry.source, source, settings.state),
            partial(_signed_in, registry, source, settings.state),
            announce,
        )
    for destination in settings.destinations.values():
        yield from _account(f"destination {destination.name}", partial(registry.exporter, destination))


def _signed_in(registry: Registry, source: SourceSettings, state: Path) -> SignedIn | None:
    signing = registry.sign_in(source, state)
    return None if signing is None else signing.status()


def _account(
    area: str,
    opened: Callable[[], Source | Exporter],
    signed_in: Callable[[], SignedIn | None] = lambda: None,
    announce: Callable[[str, int], None] | None = None,
) -> Iterator[Examined]:
    code = SourceFailed.exit_code
    try:
        with closing(opened()) as account:
            signed = signed_in()
            if signed is not None:
                yield Examined(area, age(signed), code)
            # Whoever is not signed in is not answered, so nothing more is asked.
            if signed is None or not signed.needed:
                findings = list(account.check())
                yield from _of(area, code, findings)
                answers = not any(each.severity is Severity.FAIL for each in findings)
                if announce is not None and answers and isinstance(account, Comparing):
                    yield _compared(area, account, announce)
    except ConfigWrong as wrong:
        yield _failure(area, wrong)
    except SuppressError as failure:
        yield _failure(area, failure, code=code)
    except Exception as broken:
        # A plugin's own trouble; its words are left out, for they may hold a token or an address.
        finding = Finding(area, Severity.FAIL, f"broke while it was looked at: {type(broken).__name__}")
        yield Examined(area, finding, code)


def age(signed: SignedIn) -> Finding:
    """Where the token is and how long it will do, as far as this machine knows."""
    place = signed.place or "nowhere"
    if signed.problem is not None:
        return Finding("token", Severity.FAIL, signed.problem, signed.remedy)
    if signed.origin is not Origin.GRANT:
        ends = f"; it ends at {signed.expires_at:%Y-%m-%d %H:%M} UTC" if signed.expires_at else ""
        return Finding("token", Severity.PASS, f"from {place}; nothing here renews it{ends}")
    kept = f"kept in {place}{', in plain text' if signed.plain_text else ''}"
    renewed = f", renewed {signed.renewed_at:%Y-%m-%d %H:%M} UTC" if signed.renewed_at else ""
    left = "" if signed.days_left is None else f"; {signed.days_left} days left unless it is renewed before"
    soon = not signed.renews or (signed.days_left is not None and signed.days_left < LAPSING)
    return Finding(
        "token",
        Severity.WARN if soon else Severity.PASS,
        f"{kept}{renewed}{left}" + ("" if signed.renews else "; it cannot be renewed"),
        f"suppress login {signed.source}" if soon else None,
    )


def _compared(area: str, source: Comparing, announce: Callable[[str, int], None]) -> Examined:
    code = SourceFailed.exit_code
    try:
        cost = source.comparison_cost()
        announce(area, cost)
        compared = source.compare()
    except SuppressError as failure:
        return _failure(area, failure, subject="queries", code=code)
    asked = sum(each.requests for each in compared)
    first = compared[0]
    finding = Finding(
        "queries",
        Severity.PASS,
        f"{first.query} misses {first.missed:,} of {first.found + first.missed:,} contacts that opted out, "
        f"as {len(compared)} queries show together ({asked:,} requests)",
    )
    return Examined(area, finding, code, compared)
