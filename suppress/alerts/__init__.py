"""What to tell the people who run this: found from the ledger and what is kept beside it (`finding`), told
once and again only when it changes or lasts (`memory`), by every way that is configured (`sending`)."""
