"""Cells in which an address hides, or only seems to be."""

from __future__ import annotations

from tests.files.torture.case import Case, case

WITHHELD = {
    "capitals": "PAT@EXAMPLE.COM",
    "spaces around": "  pat@example.com  ",
    "no-break spaces around": "\u00a0pat@example.com\u00a0",
    "a tab behind": "pat@example.com\t",
    "a zero-width space behind": "pat@example.com\u200b",
    "a zero-width space inside": "pat@exam\u200bple.com",
    "a zero-width joiner inside": "p\u200dat@example.com",
    "a byte order mark in front": "\ufeffpat@example.com",
    "a soft hyphen inside": "pat@exam\u00adple.com",
    "a direction mark in front": "\u200epat@example.com",
    "an isolate around": "\u2068pat@example.com\u2069",
    "a word joiner inside": "pat\u2060@example.com",
    "wide letters": "ｐａｔ＠ｅｘａｍｐｌｅ．ｃｏｍ",
    "a wide at sign": "pat＠example.com",
    "an ideographic full stop": "pat@example。com",
    "a trailing dot": "pat@example.com.",
    "angle brackets": "<pat@example.com>",
    "a display name": "Pat Smith <pat@example.com>",
    "a display name in quotes": '"""Smith, Pat"" <pat@example.com>"',
    "mailto": "mailto:pat@example.com",
    "MAILTO with a subject": "MAILTO:pat@example.com?subject=hi",
    "mailto with percent signs": "mailto:pat%40example.com",
    "two addresses with a semicolon": "new@example.com; pat@example.com",
    "two addresses with a comma": '"new@example.com, pat@example.com"',
    "two addresses with a slash": "new@example.com / pat@example.com",
    "two addresses with a space": "new@example.com pat@example.com",
    "two addresses with a bar": "new@example.com | pat@example.com",
    "three names with addresses": '"N <new@example.com>, P <pat@example.com>, F <fine@example.org>"',
    "a comment": "pat@example.com (work)",
    "a name in parentheses": "(Pat) pat@example.com",
    "Excel's text prefix": "'pat@example.com",
    "Excel's formula prefix": '="pat@example.com"',
    "Excel's formula prefix, quoted": '"=""pat@example.com"""',
    "smart quotes": "“pat@example.com”",
    "a comma behind": '"pat@example.com,"',
    "a semicolon behind": "pat@example.com;",
    "an IDN": "info@bücher.example",
    "an IDN in capitals": "INFO@BÜCHER.EXAMPLE",
    "an IDN as it is sent": "info@xn--bcher-kva.example",
    "an IDN in decomposed form": "info@bu\u0308cher.example",
    "an IDN as sent, in capitals": "info@XN--BCHER-KVA.EXAMPLE",
    "a no-break space in the middle of a name": "Pat\u00a0Smith <pat@example.com>",
    "brackets": "[pat@example.com]",
    "an HTML entity": "pat&#64;example.com",
    "percent signs": "pat%40example.com",
    "a colon in front": "email: pat@example.com",
}
"""Cells that hold a suppressed address, whatever is around it."""

TO_REVIEW = {
    "dots at gmail": "q.u.i.t@gmail.com",
    "a tag at gmail": "quit+news@gmail.com",
    "googlemail": "quit@googlemail.com",
    "capitals and dots at gmail": "Q.Uit@GMail.com",
}
"""Cells that reach a suppressed mailbox by another spelling."""

KEPT = {
    "another name": "patricia@example.com",
    "another domain": "pat@example.org",
    "a subdomain": "pat@mail.example.com",
    "the name with a dot": "p.at@example.com",
    "the name with a tag": "pat+x@example.com",
    "the name in front of another": "xpat@example.com",
    "the domain in front of another": "pat@example.com.au",
    "a homograph": "pаt@example.com",
    "nothing": "",
    "n/a": "n/a",
    "an at sign": "@",
    "no domain": "pat@",
    "no name": "@example.com",
    "a date": "2024-01-01",
    "a formula": "=1+1",
    "an error of Excel": "#N/A",
    "a telephone number": "+1 555 0100",
    "another mailbox at gmail": "quitter@gmail.com",
}
"""Cells of people who may be mailed, or of nobody."""


def _cases() -> list[Case]:
    tables = {"W": WITHHELD, "R": TO_REVIEW, "K": KEPT}
    return [
        case(f"cell: {name}", f"id;email;name\n1;new@example.com;N\n2;{_quoted(cell)};X\n", f"K{letter}")
        for letter, table in tables.items()
        for name, cell in table.items()
    ]


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if ";" in cell and not cell.startswith('"') else cell


CELLS = _cases()
