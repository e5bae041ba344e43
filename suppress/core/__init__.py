"""The pure core: no clock, no database, no network; time and randomness come in as values.

Start with `suppression` (reasons, scopes, channels), then `standing` (what holds now), `reconcile` (what a
platform's report means for it), `entry` (the exact bytes of the ledger) and `merkle` (why they cannot be
quietly changed).
"""
