"""What the page about signing in needs: a vendor who approves, and a browser that goes where it is sent.

`python -m tests.docs.signing ADDRESS` is that browser.
"""

from __future__ import annotations

import sys
import urllib.request
from dataclasses import replace
from pathlib import Path

from suppress.platforms.constant_contact.simulator import Simulator


def environment(platform: Simulator) -> dict[str, str]:
    """The settings of a source that nobody has signed in to, on a machine without a keyring."""
    grants = platform.backend.grants
    grants.sign_in = replace(grants.sign_in, auto_approve=True)
    return {
        "SUPPRESS_SOURCES__MAIN__API_URL": platform.url,
        "SUPPRESS_SOURCES__MAIN__AUTH_URL": platform.url,
        "SUPPRESS_SOURCES__MAIN__REDIRECT_PORT": "0",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "BROWSER": f"{sys.executable} -m tests.docs.signing %s",
    }


if __name__ == "__main__":
    urllib.request.urlopen(sys.argv[1]).close()
