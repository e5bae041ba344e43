"""The commented `suppress.toml` that `suppress init` writes.

Prose is commented with `# `, settings with `#` alone, so that a test can uncomment them all and load the
result.
"""

from __future__ import annotations

TEMPLATE = """\
# Settings of suppress. A line that begins with "#" and a letter or "[" is a setting that is switched off.
# Every setting can also come from the environment: SUPPRESS_ORGANISATION, SUPPRESS_SOURCES__MAIN__SENDER.
# What is in force, and where each value came from:  suppress config

# Where opt-outs are kept: a SQLite file beside this one, or postgresql+psycopg://user@host/database.
# Keys are kept in suppress.keys beside it: back both up, apart from one another.
#ledger = "suppress.db"

# Named in reports.
#organisation = "Acme Outdoor"

# Counts of requests, which all ledgers of one API key have to share; by default in your own state folder.
#state = "/var/lib/suppress"

# Deadlines count the days of this time zone.
#timezone = "America/New_York"

# The rules that deadlines follow.
#policies = ["us.can-spam", "mbp.google-yahoo"]

# An account that is asked for opt-outs. Call it what you like; "main" is its name in commands and reports.
#[sources.main]
#platform = "constant-contact"
# The legal sender behind the account.
#sender = "Acme"
# How far an opt-out made here reaches: "everything" that anyone mails (the default), or only this "sender".
#scope = "everything"
# Who answers for it, a person or a team: reports name them beside what went wrong. Destinations too.
#owner = "Marketing operations"
#client_id = "the API key of your application at the platform"
# Then sign in once, in a browser:  suppress login main
# Or give a token from outside, never here: in SUPPRESS_SOURCES__MAIN__ACCESS_TOKEN, or in a private file:
#access_token_file = "main.token"

# A system that is told who may not be mailed:  suppress export crm
#[destinations.crm]
#platform = "csv"
#path = "out/suppressed.csv"
# plain, hubspot, mailchimp, klaviyo, sendgrid, ses, or spreadsheet for reading in a spreadsheet program.
#preset = "hubspot"

# Who is told when something is wrong: a webhook, a command, or e-mail.  suppress alerts test ops
#[alerts.ops]
#kind = "email"
#host = "mail.example.com"
#from = "suppress@example.com"
#to = ["ops@example.com"]
#remind = "1d"
"""
