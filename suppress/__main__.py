"""`python -m suppress`, the same as the installed command."""

from __future__ import annotations


def main() -> None:
    """Run the command line."""
    from suppress.cli.app import main as run

    run()


if __name__ == "__main__":
    main()
