"""What `suppress doctor` looks at in an org: session, fields, editing, and what is left of the day."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from suppress.errors import SuppressError
from suppress.plugin.contract import Finding, Severity
from suppress_salesforce.client import Client
from suppress_salesforce.lookup import Lookup
from suppress_salesforce.settings import Options


def findings(name: str, client: Client, lookup: Lookup, options: Options) -> Iterator[Finding]:
    """One finding for each thing; a session that cannot be had ends it."""
    signed_in = _tried(name, lambda: _allowance(name, client, options))
    yield signed_in
    if signed_in.severity is Severity.FAIL:
        return
    yield _tried(name, lambda: _fields(name, lookup))


def _tried(name: str, look: Callable[[], Finding]) -> Finding:
    try:
        return look()
    except SuppressError as refused:
        return Finding(name, Severity.FAIL, refused.message, hint=refused.remedy)


def _allowance(name: str, client: Client, options: Options) -> Finding:
    reply = client.asked("GET", "/limits")
    limits = reply.json if reply.is_json else None
    daily = limits.get("DailyApiRequests") if isinstance(limits, dict) else None
    match daily:
        case {"Max": int(most), "Remaining": int(left)} if most > 0:
            usable = max(0, left - most * (100 - options.allowance_percent) // 100)
            message = (
                f"signed in; {left:,} of {most:,} requests are left of 24 hours, {usable:,} of them for us"
            )
            # A thousand people: queries in each object, going out and reading back, and composite calls.
            queries = -(-1_000 // options.query_addresses) * len(options.targets) * 2
            per_thousand = queries + -(-1_000 // 200)
            people = f"about {usable // per_thousand * 1_000:,} people by composite calls"
            return Finding(name, Severity.PASS if usable else Severity.WARN, f"{message}: {people}")
        case _:
            return Finding(name, Severity.WARN, "signed in; what is left of the day's requests is not shown")


def _fields(name: str, lookup: Lookup) -> Finding:
    objects = lookup.objects
    lookup.require_editable()
    boxes = ", ".join(f"{each.target.name}.{each.target.opt_out}" for each in objects)
    return Finding(name, Severity.PASS, f"may be looked for and opted out by {boxes}")
