"""`python -m suppress`, the same as the installed command."""

from __future__ import annotations

from suppress.cli.loading import loading


def main() -> None:
    """Run the command line."""
    with loading():
        from suppress.cli.app import main as run
    run()


if __name__ == "__main__":
    main()
