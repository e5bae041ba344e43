"""A plugin that was made for another version of the contract is told from one that fits."""

from __future__ import annotations

import pytest

from suppress import __version__
from suppress.plugin.requirement import unmet


@pytest.mark.parametrize(
    "requirement",
    [
        "suppress-ledger",
        "suppress-ledger>=0.1,<0.2",
        "suppress_ledger >= 0.1.3",
        "suppress-ledger[pdf] (>=0.1.3,<1)",
        "suppress-ledger==0.1.*; python_version >= '3.11'",
        "suppress-ledger!=0.1.2",
        "suppress-ledger~=0.9",
        "suppress-ledger @ file:///somewhere",
        "suppress-ledger-extras>=9",
        "httpx2>=9",
    ],
)
def test_what_fits_or_is_not_understood_is_let_in(requirement: str) -> None:
    """The installer has looked already; only what is certainly wrong is refused."""
    assert None is unmet([requirement], "0.1.3")


@pytest.mark.parametrize(
    ("requirement", "bounds"),
    [
        ("suppress-ledger>=0.2,<0.3", ">=0.2,<0.3"),
        ("suppress-ledger>=0.1,<0.1.3", ">=0.1,<0.1.3"),
        ("Suppress_Ledger (>0.1.3)", ">0.1.3"),
        ("suppress-ledger[pdf]==0.2.*", "==0.2.*"),
        ("suppress-ledger!=0.1.*", "!=0.1.*"),
        ("suppress-ledger<=0.1; python_version >= '3.11'", "<=0.1"),
    ],
)
def test_what_does_not_fit_is_named(requirement: str, bounds: str) -> None:
    """With the bounds as the plugin's author wrote them."""
    assert bounds == unmet(["httpx2>=1", requirement], "0.1.3")


def test_a_plugin_made_today_fits() -> None:
    """The running version is compared, whatever it is."""
    assert None is unmet([f"suppress-ledger=={__version__}"])
    assert "==999" == unmet(["suppress-ledger==999"])
