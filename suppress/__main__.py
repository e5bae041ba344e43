"""`python -m suppress`, the same as the installed command."""

from __future__ import annotations

import gc


def main() -> None:
    """Run the command line."""
    # What is loaded stays. To look for garbage in it again and again takes a twentieth of a short command.
    gc.disable()
    from suppress.cli.app import main as run

    gc.freeze()
    gc.enable()
    run()


if __name__ == "__main__":
    main()
