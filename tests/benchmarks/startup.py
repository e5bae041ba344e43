"""How long a command takes before it does anything, against Typer's own start-up."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from suppress.core.address import Address
from suppress.core.suppression import OptOut, Origin, Reason
from suppress.ledger import Ledger
from tests.benchmarks import interleaved, table

HELLO = """\
import typer
app = typer.Typer()
@app.command()
def hello(name: str):
    print(name)
app()
"""


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        hello = folder / "hello.py"
        hello.write_text(HELLO)
        url = f"sqlite:///{folder / 'suppress.db'}"
        Ledger.create(url, keys=folder / "suppress.keys")
        with Ledger.open(url) as ledger:
            for start in range(0, 100_000, 10_000):
                ledger.append([_person(number) for number in range(start, start + 10_000)], actor="benchmark")
        script = str(Path(sys.executable).with_name("suppress"))
        found = interleaved(
            {
                "python -c pass": _process(folder, sys.executable, "-c", "pass"),
                "typer hello": _process(folder, sys.executable, str(hello), "x"),
                "typer hello --help": _process(folder, sys.executable, str(hello), "--help"),
                "suppress --help": _process(folder, script, "--help"),
                "suppress check (100k people)": _process(folder, script, "check", "person7@example.com"),
            },
            rounds=15,
        )
        table("start-up", found, against="typer hello")


def _person(number: int) -> OptOut:
    address = Address.parse(f"person{number}@example.com")
    return OptOut(address, "main", Origin.PLATFORM, Reason.UNSUBSCRIBED, facts=(str(number),))


def _process(folder: Path, *arguments: str) -> Callable[[], object]:
    env = {key: value for key, value in os.environ.items() if not key.startswith("SUPPRESS_")}
    env.pop("PYTHONDONTWRITEBYTECODE", None)  # it doubles start-up, and users do not set it
    return lambda: subprocess.run(arguments, cwd=folder, env=env, capture_output=True, check=False)


if __name__ == "__main__":
    main()
