"""`suppress domain …`: rules for whole domains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from suppress.cli.console import Screen, emit
from suppress.cli.options import AsJson, DryRun, actor, quoted, scope_of, settings

if TYPE_CHECKING:
    from suppress.core.domains import DomainRule
    from suppress.intake.domains import RuleMade, RulesLifted

domain_app = typer.Typer(no_args_is_help=True, help="Rules for whole domains: nobody there may be mailed.")

Domain = Annotated[str, typer.Argument(metavar="DOMAIN", help="example.com, or *.example.com.")]
Note = Annotated[str, typer.Option(help="Why, in a sentence. It stays in the ledger for good.")]


@domain_app.command("add")
def add(
    ctx: typer.Context,
    domain: Domain,
    note: Note = "",
    subdomains: Annotated[
        bool, typer.Option("--subdomains", help="Whatever lies below the domain too.")
    ] = False,
    reason: Annotated[
        Literal["requested", "complaint", "account", "bounced", "unknown"],
        typer.Option(
            help="What kind: bounced (nobody is reached there) binds all mail, the others commercial."
        ),
    ] = "requested",
    channel: Annotated[Literal["email", "sms"], typer.Option(help="What must stop.")] = "email",
    sender: Annotated[str | None, typer.Option(help="Only mail of this sender. [default: all mail]")] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also for a public suffix or a provider of free mail.")
    ] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Withhold everybody at a domain. Refused where strangers share it, unless it is forced.

    suppress domain add example.com --note "their counsel wrote to us" --subdomains
    """
    from suppress.core.suppression import Channel, Reason
    from suppress.intake.domains import suppress_domain
    from suppress.ledger import Ledger

    chosen = settings(ctx)
    with Ledger.open(chosen.ledger, keys=chosen.keys, read_only=dry_run) as ledger:
        made = suppress_domain(
            ledger,
            domain,
            note=note,
            subdomains=subdomains,
            reason=Reason(reason),
            channel=Channel(channel),
            scope=scope_of(sender),
            force=force,
            actor=actor(),
            dry_run=dry_run,
        )
        head = ledger.head()
    facts = {
        "domain": made.domain,
        "subdomains": made.subdomains,
        "new": made.new,
        "seq": made.seq,
        "overruled": list(made.objections),
        "suffix_list": made.suffix_list,
        "dry_run": dry_run,
        "ledger": quoted(head),
    }
    emit("domain-add", facts, as_json=as_json, human=lambda screen: _draw_made(screen, made))


@domain_app.command("lift")
def lift(
    ctx: typer.Context, domain: Domain, note: Note = "", dry_run: DryRun = False, as_json: AsJson = False
) -> None:
    """End the rules for a domain. Whoever opted out there themselves stays suppressed.

    suppress domain lift example.com --note "the contract ended"
    """
    from suppress.intake.domains import lift_domain
    from suppress.ledger import Ledger

    chosen = settings(ctx)
    with Ledger.open(chosen.ledger, keys=chosen.keys, read_only=dry_run) as ledger:
        lifted = lift_domain(ledger, domain, note=note, actor=actor(), dry_run=dry_run)
        head = ledger.head()
    facts = {
        "lifted": [_rule(each) for each in lifted.rules],
        "entries": list(lifted.entries),
        "dry_run": dry_run,
        "ledger": quoted(head),
    }
    emit("domain-lift", facts, as_json=as_json, human=lambda screen: _draw_lifted(screen, lifted))


@domain_app.command("list")
def list_(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the rules that hold, each with who made it and why.

    suppress domain list
    """
    from suppress.intake.domains import suffix_list_version
    from suppress.ledger import Ledger

    chosen = settings(ctx)
    with Ledger.open(chosen.ledger, keys=chosen.keys, read_only=True) as ledger:
        rules, head = ledger.domain_rules(), ledger.head()
    facts = {
        "rules": [_rule(each) for each in rules],
        "suffix_list": suffix_list_version(),
        "ledger": quoted(head),
    }
    emit("domain-list", facts, as_json=as_json, human=lambda screen: _draw_rules(screen, rules))


def _rule(rule: DomainRule) -> Mapping[str, object]:
    return {
        "domain": rule.domain,
        "subdomains": rule.subdomains,
        "channel": rule.channel,
        "scope": str(rule.scope),
        "reason": rule.reason,
        "since": rule.since,
        "source": rule.source,
        "note": rule.note,
        "actor": rule.actor,
        "seq": rule.seq,
    }


def _draw_made(screen: Screen, made: RuleMade) -> None:
    if made.seq is None:
        screen.heading(f"Nobody at {made.pattern} would be mailed (dry run: nothing was written)")
    elif made.new:
        screen.heading(f"Nobody at {made.pattern} may be mailed: entry {made.seq}")
    else:
        screen.heading(f"{made.pattern}: this rule was already recorded, as entry {made.seq}")
    for each in made.objections:
        screen.line(f"Overruled: {each}", style="yellow")
    screen.line("Other systems take addresses, not rules: check every list with suppress check")


def _draw_lifted(screen: Screen, lifted: RulesLifted) -> None:
    for place, rule in enumerate(lifted.rules):
        entry = f": entry {lifted.entries[place]}" if lifted.entries else " (dry run: nothing was written)"
        screen.line(f"The rule of entry {rule.seq} for {rule.pattern} holds no longer{entry}")


def _draw_rules(screen: Screen, rules: tuple[DomainRule, ...]) -> None:
    if not rules:
        screen.line("There are no rules for domains.")
        return
    rows = [
        (
            each.pattern,
            str(each.scope),
            each.reason.value,
            f"{each.since:%Y-%m-%d}",
            each.actor,
            each.note,
            each.seq,
        )
        for each in rules
    ]
    screen.table(("domain", "scope", "reason", "since", "made by", "why", "entry"), rows)
