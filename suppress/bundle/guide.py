"""`VERIFY.txt`: what a bundle shows and how to check it, for somebody who has never seen this program."""

from __future__ import annotations

from suppress.bundle.layout import Grade

_SHOWS = {
    Grade.WHOLE: """
This bundle holds every entry of the ledger, and nobody's address: an entry names a person by a random
number, and commits to what they sent without revealing it.
""",
    Grade.OPEN: """
This bundle holds every entry of the ledger, and for each what it commits to: addresses and evidence.
It is personal data; keep it as such.
""",
    Grade.ENTRIES: """
This bundle holds chosen entries of the ledger, what they commit to (addresses and evidence), and the
proof that each of them stands in the ledger at its number. It is personal data; keep it as such.
Of all other entries it has only hashes, from which nothing can be read.
""",
    Grade.PERSON: """
This bundle holds what the ledger has recorded about one person, and the proof that each of these
entries stands in the ledger at its number. It is personal data; keep it as such.
Of everybody else it has only hashes, from which nothing can be read.
""",
}


def guide(grade: Grade, vkey: str, *, previous: bool) -> str:
    """The text for a bundle of this grade, signed with this key."""
    parts = [
        _HEAD,
        _SHOWS[grade],
        _KEY.format(vkey=vkey),
        _COMMANDS,
        _SIGNATURE,
        _WHOLE if grade.is_whole else _CHOSEN,
        *([_OPENINGS] if grade.opens else []),
        _PREVIOUS if previous else _FIRST,
        _LIMITS,
    ]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


_HEAD = """
HOW TO CHECK THIS BUNDLE

It is part of a ledger of requests not to be mailed. Whoever runs the ledger made this bundle. You can
check it on your own machine, without a network, without asking them, and without their program.
"""

_KEY = """
THE KEY

Everything here is worth as much as the key that signed it. Take the key that you were given when the
ledger was opened, or at your last visit; the one in this bundle (log.vkey, and log.pem for openssl) may
be anybody's. Compare them first. This bundle says:

    {vkey}
"""

_COMMANDS = """
THE CHECK

With openssl 3, sha256sum, base64, od and xxd (or awk), in a terminal, in this folder:

    sh verify.sh -k /path/to/the/key/you/were/given.pem

Add -c FILE for a checkpoint that you kept from earlier: its entries must still be the first ones.
Without -k it takes the key in this bundle, says so, and ends with 3 instead of 0. It ends with 1 when
something is wrong, and says what. verify.sh is short: read it, or take a copy of your own and add -d with
this folder's name.

With the program itself, which also reads every entry strictly and looks at every file:

    suppress verify THIS-FOLDER --key "THE KEY YOU WERE GIVEN" --previous YOUR-LAST-BUNDLE
"""

_SIGNATURE = """
BY HAND

Signature: the lines of `checkpoint` above the empty line are the signed text; the last word of the line
below it is base64 of 4 bytes of key id and 64 bytes of Ed25519 signature.

    sed '/^$/,$d' checkpoint > text
    sed '1,/^$/d' checkpoint | sed -n '1s/.* //p' | base64 -d | tail -c 64 > signature
    openssl pkeyutl -verify -pubin -inkey log.pem -rawin -in text -sigfile signature
"""

_WHOLE = """
Entries: line 1 of entries.ndjson is entry 0. The hash of a leaf is SHA-256 of a zero byte and the line
without its end; the tree over them is that of RFC 6962, and its root is the third line of `checkpoint` in
base64. The folder tile/ with `checkpoint` is a log as https://c2sp.org/tlog-tiles lays it out: other
tools read it. verify.sh holds its files only against SHA256SUMS, and computes the root from the entries.
"""

_CHOSEN = """
Entries: the lines of entries.ndjson belong to the files in proofs/, in the order of their numbers. The
hash of a leaf is SHA-256 of a zero byte and the line without its end; a proof
(https://c2sp.org/tlog-proof) leads from it to the root in `checkpoint`, as RFC 6962 says.
"""

_OPENINGS = """
Content: a line of payloads.ndjson opens the commitment `pii` of its entry. That is SHA-256 of the text
suppress/payload/v1, a zero byte, the salt as 32 bytes, and everything after "body": but the last brace.
An entry without such a line was erased on request, by an entry that names it and is here too.
A line of subjects.ndjson opens `sid`: SHA-256 of suppress/subject/v1, a zero byte, the salt, the key's
name, a zero byte, and the index. That is HMAC-SHA-256 of the address under a key that stays with whoever
runs the ledger: they can show you how the index comes about.
"""

_PREVIOUS = """
SINCE LAST TIME

checkpoint.previous is the head of an earlier bundle, and `consistency` proves that its entries are still
the first ones, unchanged. Compare checkpoint.previous with the checkpoint that you kept yourself: -c does.
"""

_FIRST = """
NEXT TIME

Keep `checkpoint`. Whoever holds it can be shown next time that nothing before it was changed.
"""

_LIMITS = """
WHAT THIS CANNOT SHOW

- A request that never reached the ledger. Compare its counts with those of the sources.
- That a date which somebody claimed is true. `at` is when the ledger learned of it, and those are in order.
- Without a checkpoint of your own: that nobody else was shown another ledger, signed with the same key.
- What manifest.json, verify.sh and this text say about who made the bundle, when and for whom is the word
  of whoever made it.
"""
