"""Bundles: what an auditor gets, and checks with tools that are not ours.

`making` writes one, `checking` verifies one, `layout` says what lies in it; `verify.sh` goes with each.
Three grades of showing: the whole ledger without openings, chosen entries with theirs, or one person's record
with proof and nothing of anybody else (`layout.Grade`).
"""

from suppress.bundle.layout import Grade
from suppress.bundle.making import Made, Wanted, bundle

__all__ = ["Grade", "Made", "Wanted", "bundle"]
