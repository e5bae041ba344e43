"""The compliance report: entries of the ledger become facts, and facts become html, json or csv.

Every format renders the same frozen `Facts`, so the same ledger, options and instant give the same bytes.
The facts are gathered in one pass over the entries, part by part:

    people        who stands suppressed, person by person; the other parts build on it
    rollforward   opening + new + re-asserted - re-consented - corrected - forgotten = closing
    deadlines     each request against each destination and policy: met, late, open, overdue, inherited
    coverage      which sources were read and which destinations were told, and when
    census        what a source showed, counted several ways that must agree
    drift         suppressed people whom a source reported as mailable
    activity      imports, checks, disclosures, consents, corrections, erasures
    integrity     what verifying the ledger said
    exposure      the maximum penalty by law, which is not a forecast
    verdict       five numbers, and what needs action

`facts.gather` runs the pass, `issue.issue` is the verb: gather, render, write, leave an entry.

How facts become files:

    contents      facts become tables; every format renders each of them
    sections      tables, figures and what is said before them, in the order of reading
    rendering     one file, or a folder of all formats with their digests
"""
