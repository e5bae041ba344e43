"""How `suppress simulate salesforce` starts an org, and what it tells the person.

A scenario is a file in TOML or JSON:

```toml
people = 1000              # contacts, every third of them a lead instead
[switches]                 # any of `suppress_salesforce.simulator.switches`
row_locks = 3
[[contacts]]
Email = "o'brien@example.com"
[[leads]]
Email = "lee@example.com"
HasOptedOutOfEmail = true
[[accounts]]               # person accounts
Email = "pat@example.com"
```
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path

from suppress.errors import BadFile
from suppress.plugin.simulated import REMEMBERED, Running
from suppress_salesforce.simulator.api import Simulator
from suppress_salesforce.simulator.org import Org
from suppress_salesforce.simulator.sign_in import CLIENT_ID, CLIENT_SECRET
from suppress_salesforce.simulator.switches import NAMES, Switches

LARGE = 20_000
_KINDS = {"contacts": "Contact", "leads": "Lead", "accounts": "Account"}


def launch(port: int, scenario: str | None) -> Running:
    """Start an org on loopback: `demo` (also without a scenario), `large`, or a scenario file.

    Raises:
        BadFile: The scenario file cannot be read.
        OSError: The port cannot be had.
    """
    match scenario:
        case None | "demo":
            org = demo()
        case "large":
            org = built({"people": LARGE}, "large")
        case _:
            org = built(_read(Path(scenario)), scenario)
    simulator = Simulator(org, port=port, keep=REMEMBERED)
    simulator.start()
    rows = simulator.org.rows
    return Running(
        label="Salesforce",
        url=simulator.url,
        token=simulator.sessions.opened(),
        settings=(
            "[destinations.crm]\n"
            'platform = "salesforce"\n'
            f'instance_url = "{simulator.url}"\n'
            f'client_id = "{CLIENT_ID}"\n'
        ),
        environment={"SUPPRESS_DESTINATIONS__CRM__CLIENT_SECRET": CLIENT_SECRET},
        holds={name: len(rows[kind]) for name, kind in _KINDS.items()},
        stop=simulator.close,
    )


def demo() -> Org:
    """A small org with all that is hard: doubles, a converted lead, a person account, an apostrophe."""
    org = Org(Switches(person_accounts=True))
    for address in ("pat@example.com", "Pat@Example.com", "o'brien@example.com", "kim@example.com"):
        org.add("Contact", Email=address)
    org.add("Lead", Email="o'brien@example.com")
    moved = org.add("Contact", Email="lee.new@example.com")
    org.add("Lead", Email="lee@example.com", IsConverted=True, ConvertedContactId=moved.ident)
    org.add("Lead", Email="sam@example.com", HasOptedOutOfEmail=True)
    org.person("robin@example.com")
    return org


def built(scenario: Mapping[str, object], name: str) -> Org:
    """The org that a scenario describes. Raises BadFile."""
    unknown = scenario.keys() - {"people", "switches", *_KINDS}
    switches = scenario.get("switches", {})
    if unknown or not isinstance(switches, dict) or switches.keys() - NAMES:
        wrong = sorted(unknown or (switches.keys() - NAMES if isinstance(switches, dict) else {"switches"}))
        raise BadFile(f"scenario {name!r} has keys that mean nothing here: {', '.join(map(str, wrong))}")
    org = Org(Switches(**switches))
    if scenario.get("accounts"):
        org.switches.person_accounts = True
    people = scenario.get("people", 0)
    for number in range(people if isinstance(people, int) else 0):
        org.add("Lead" if number % 3 == 2 else "Contact", Email=f"person{number}@example.com")
    for key, kind in _KINDS.items():
        rows = scenario.get(key, [])
        for row in rows if isinstance(rows, list) else []:
            _add(org, kind, row, name)
    return org


def _add(org: Org, kind: str, row: object, name: str) -> None:
    if not isinstance(row, dict) or not isinstance(row.get("Email"), str):
        raise BadFile(f"scenario {name!r} has a record without an Email")
    if kind == "Account":
        org.person(row["Email"], opted_out=row.get("HasOptedOutOfEmail") is True)
    else:
        org.add(kind, **row)


def _read(file: Path) -> Mapping[str, object]:
    try:
        text = file.read_text(encoding="utf-8")
        scenario = json.loads(text) if file.suffix == ".json" else tomllib.loads(text)
    except (OSError, ValueError) as wrong:
        why = wrong.strerror if isinstance(wrong, OSError) else "it is neither TOML nor JSON"
        raise BadFile(f"scenario {file} cannot be read: {why}") from None
    if not isinstance(scenario, dict):
        raise BadFile(f"scenario {file} is no table")
    return scenario
