"""Spellings of one address, and addresses that only look like one: a corpus for every room that compares.

`VARIANTS` holds (suppressed, variant): a check of `variant` must find `suppressed` in the exact tier.
`CELLS` holds (suppressed, cell): a contact file's cell that holds it among other things.
`GUESSED` holds the same where no rule of mail says so, but what lists are made by.
`DIFFERENT` holds pairs of different mailboxes that must not be taken for one.
"""

from __future__ import annotations

import unicodedata

from tests.strategies import INVISIBLE, SPACES

PAT = "pat.smith@example.com"


def _of(address: str, *variants: str) -> list[tuple[str, str]]:
    return [(address, variant) for variant in variants]


_CASE = [
    *_of(
        PAT,
        "Pat.Smith@Example.COM",
        "PAT.SMITH@EXAMPLE.COM",
        "pAT.sMITH@eXAMPLE.cOM",
        "Pat.Smith@example.com",
    ),
    *_of("istanbul@example.com", "İSTANBUL@example.com", "ISTANBUL@EXAMPLE.COM", "ıstanbul@example.com"),
    *_of("ışık@example.com", "IŞIK@example.com", "ışık@EXAMPLE.COM", "isik@example.com".replace("s", "ş")),
    *_of("straße@example.com", "STRASSE@EXAMPLE.COM", "STRAẞE@example.com", "strasse@example.com"),
    *_of("οδυσσευς@example.com", "ΟΔΥΣΣΕΥΣ@example.com", "οδυσσευσ@example.com", "Οδυσσεύς@example.com"),
    *_of("νίκος@example.com", "ΝΊΚΟΣ@example.com", "ΝΙΚΟΣ@example.com", "Νίκος@example.com"),
    *_of("ᾳδης@example.com", "ᾼΔΗΣ@example.com", "ΑΙΔΗΣ@example.com"),
    *_of("fitz@example.com", "ﬁtz@example.com", "FITZ@example.com"),
    *_of("first@example.com", "firﬆ@example.com", "firſt@example.com"),
    *_of("kelvin@example.com", "\u212aelvin@example.com", "KELVIN@example.com"),
    *_of("иван@example.com", "ИВАН@example.com", "Иван@EXAMPLE.com"),
    *_of("ŉ@example.com", "ʼN@example.com", "'n@example.com"),
    *_of("ǆ@example.com", "ǅ@example.com", "Ǆ@example.com", "dž@example.com"),
]

_FORMS = [
    *(
        ("jörg.müller@example.com", unicodedata.normalize(form, text))
        for form in ("NFC", "NFD", "NFKC", "NFKD")
        for text in ("jörg.müller@example.com", "JÖRG.MÜLLER@EXAMPLE.COM")
    ),
    *_of("ế@example.com", "e\u0302\u0301@example.com", "ê\u0301@example.com", "Ế@example.com"),
    *_of("한국@example.com", unicodedata.normalize("NFD", "한국@example.com")),
    *_of("ガ@example.com", "カ\u3099@example.com", "ｶﾞ@example.com"),
    *_of(
        "ab1@example.com",
        "ＡＢ１@example.com",
        "ａｂ１＠ｅｘａｍｐｌｅ．ｃｏｍ",
        "𝐚𝐛𝟏@example.com",
        "ⓐⓑ①@example.com",
    ),
    *_of(
        PAT,
        "pat.smith＠example.com",
        "pat.smith﹫example.com",
        "pat．smith@example。com",
        "pat.smith@example｡com",
    ),
    *_of("a.b@example.com", "a․b@example.com", "a。b@example.com"),
    *_of("o'brien@example.com", "o’brien@example.com", "o‘brien@example.com", "oʼbrien@example.com"),
    *_of(
        "o'brien@example.com",
        "o´brien@example.com",
        "o`brien@example.com",
        "O＇BRIEN@example.com",
        "o′brien@example.com",
    ),
    *_of("mary-jane@example.com", "mary‐jane@example.com", "mary‑jane@example.com", "mary–jane@example.com"),
    *_of(
        "mary-jane@my-shop.com",
        "mary−jane@my–shop.com",
        "mary－jane@my－shop.com",
        "mary\u00ad-jane@my-shop.com",
    ),
]

_INVISIBLE = [
    *((PAT, f"{hidden}pat.smith@example.com") for hidden in INVISIBLE),
    *((PAT, f"pat.smith@example.com{hidden}") for hidden in INVISIBLE),
    *((PAT, f"pat.{hidden}smith@exam{hidden}ple.com") for hidden in INVISIBLE),
    *_of(
        PAT,
        "\u202dpat.smith@example.com\u202c",
        "\u2068pat.smith@example.com\u2069",
        "\ufeff\ufeffpat.smith@example.com",
    ),
    *_of(
        PAT,
        "pat.smith@example.com\U000e0041",
        "pat\U000e0100.smith@example.com",
        "pat.smith\ufffc@example.com",
    ),
    *_of(PAT, "\x00p\x00a\x00t\x00.\x00s\x00m\x00i\x00t\x00h\x00@example.com", "ï»¿pat.smith@example.com"),
    *_of("❤@example.com", "❤️@example.com", "❤︎@example.com"),
]

_SPACE = [
    *((PAT, f"{space}pat.smith@example.com") for space in SPACES),
    *((PAT, f"pat.smith@example.com{space}{space}") for space in SPACES),
    *((PAT, f"pat.smith{space}@{space}example.com") for space in SPACES),
    *((PAT, f"pat{space}.{space}smith@example{space}.{space}com") for space in SPACES),
    *_of(
        PAT,
        "pat.smith@example.com\r\n",
        "\tpat.smith@example.com",
        "pat.smith@\r\n example.com",
        "pat.smi th@example.com",
    ),
    *_of(PAT, "\u2800pat.smith@example.com\u2800", "pat.smith@exam ple.com", "\u3164pat.smith@example.com"),
]

_PAIRS = [
    "<>",
    '""',
    "''",
    "()",
    "[]",
    "{}",
    "``",
    "“”",
    "‘’",
    "„“",
    "«»",
    "‹›",
    "„”",
    "‚‘",
    "「」",
    "『』",
    "【】",
    "《》",
    "〈〉",
    "⟨⟩",
    "＜＞",
    "（）",
    "［］",
    "＂＂",
]

_WRAPPED = [
    *((PAT, f"{pair[0]}{PAT}{pair[1]}") for pair in _PAIRS),
    *_of(PAT, *(f"{PAT}{mark}" for mark in ".,;:!?>)]}\"'`/\\|*&=#…、。，；：")),
    *_of(PAT, *(f"{mark}{PAT}" for mark in "<([{,;:\"'`@•→“‘„«")),
    *_of(
        PAT,
        f"'{PAT}",
        f'="{PAT}"',
        f'""{PAT}""',
        f'"""{PAT}"""',
        f"<<{PAT}>>",
        f"<'{PAT}'>",
        f"'<{PAT}>'",
        f"({PAT});",
    ),
    *_of(
        PAT,
        f"**{PAT}**",
        f"__{PAT}__",
        f"|{PAT}|",
        f"~~{PAT}~~",
        f"*{PAT}*",
        f"/{PAT}/",
        f"{{{{{PAT}}}}}",
        f"[{{<{PAT}>}}]",
    ),
    *_of(
        PAT,
        f"{PAT}..",
        f"{PAT}.,;",
        f"{PAT}_x000D_",
        f"{PAT}_x000d__x000a_",
        f"• {PAT}",
        f"→{PAT}",
        f"✉ {PAT}",
        f"{PAT} ✓",
    ),
]

_DRESSED = [
    *_of(
        PAT,
        f"Pat <{PAT}>",
        f"Pat Smith <{PAT}>",
        f'"Smith, Pat" <{PAT}>',
        f"'Smith, Pat' <{PAT}>",
        f"<{PAT}> Pat",
    ),
    *_of(
        PAT,
        f'"b@y.example" <{PAT}>',
        f"b@y.example <{PAT}>",
        f"{PAT} <Pat>",
        f"Pat <{PAT}",
        f"{PAT}>",
        f"Pat<{PAT}>",
    ),
    *_of(
        PAT, f"=?utf-8?Q?P=C3=A4t?= <{PAT}>", f'"\\"Pat\\" Smith" <{PAT}>', f'"Pat" {PAT}', f"“Pat” <{PAT}>"
    ),
    *_of(
        PAT,
        f"(home) {PAT}",
        f"{PAT} (home)",
        f"{PAT}(Pat (at work))",
        "pat.smith(comment)@(other)example.com",
    ),
    *_of(PAT, f"(a\\)b) {PAT}", f"{PAT} (Pat", f"Pat ({PAT})", f"(({PAT}))", "pat(a).smith@example(b).com"),
    *_of(
        PAT,
        f"mailto:{PAT}",
        f"MAILTO:{PAT}",
        f"MailTo: {PAT}",
        f"<mailto:{PAT}>",
        f"mailto://{PAT}",
        f"mailto:{PAT}?subject=Bye",
    ),
    *_of(
        PAT,
        "mailto:pat.smith%40example.com?cc=b@y.example&body=%0A",
        "mailto:pat%2Esmith%40example%2Ecom",
        f"mailto:mailto:{PAT}",
    ),
    *_of(
        PAT,
        "pat.smith%40example.com",
        f"{PAT}?subject=x",
        f"smtp:{PAT}",
        f"SMTP:{PAT}",
        f"E-mail: {PAT}",
        f"Email:{PAT}",
    ),
    *_of(
        PAT,
        f"EMAIL;TYPE=INTERNET:{PAT}",
        f"Team: {PAT};",
        f"<@relay.example,@b.example:{PAT}>",
        f"@{PAT}",
        "pat.smith@@example.com",
    ),
    *_of(
        PAT,
        f"&lt;{PAT}&gt;",
        "pat.smith&#64;example.com",
        "pat.smith&#x40;example.com",
        f"{PAT}&nbsp;",
        "pat.smith&commat;example&period;com",
    ),
    *_of(
        PAT,
        "pat.smith\\u0040example.com",
        f"\\u003c{PAT}\\u003e",
        f'<a href="mailto:{PAT}">{PAT}</a>',
        f"<b>{PAT}</b><br>",
    ),
    *_of(
        PAT,
        f"[{PAT}](mailto:{PAT})",
        f"{PAT} <mailto:{PAT}>",
        "pat.smith [at] example [dot] com",
        "pat.smith(at)example(dot)com",
    ),
    *_of("a+b@example.com", "mailto:a+b@example.com", "mailto:a%2Bb@example.com", "A+B@example.com"),
]

_QUOTED = [
    *_of(
        PAT,
        '"pat.smith"@example.com',
        '"Pat.Smith"@Example.com',
        '"pat\\.smith"@example.com',
        'pat."smith"@example.com',
    ),
    *_of(
        PAT,
        '"pat"."smith"@example.com',
        '"\\p\\a\\t.smith"@example.com',
        "pat\\.smith@example.com",
        "pat.smith\\@example.com",
    ),
    *_of(
        PAT,
        '" pat.smith "@example.com',
        '<"pat.smith"@example.com>',
        'Pat <"pat.smith"@example.com>',
        "“pat.smith”@example.com",
    ),
    *_of(
        '"john doe"@example.com',
        '"John Doe"@EXAMPLE.com',
        '"john  doe"@example.com',
        "john\\ doe@example.com",
        '<"john doe"@example.com>',
    ),
    *_of('"a@b"@example.com', '"A\\@B"@example.com', "a\\@b@example.com", '"a@b"@example.com.'),
    *_of("_underscore@example.com", "\\_underscore@example.com", '"_underscore"@example.com'),
    *_of("jo..hn@example.com", "JO..HN@example.com", '"jo..hn"@example.com', " jo..hn@example.com "),
]

_DOMAINS = [
    *_of(
        "a@bücher.example",
        "a@xn--bcher-kva.example",
        "A@BÜCHER.EXAMPLE",
        "a@XN--BCHER-KVA.EXAMPLE",
        "a@xn--Bcher-KVA.example",
    ),
    *_of(
        "a@bücher.example",
        "a@bu\u0308cher.example",
        "a@bücher.example.",
        "a@ｂücher。example",
        "a@www@bücher.example".replace("www@", ""),
    ),
    *_of(
        "a@bücher.почта.example",
        "a@xn--bcher-kva.почта.example",
        "a@bücher.xn--80a1acny.example",
        "a@BÜCHER.ПОЧТА.EXAMPLE",
    ),
    *_of("a@例え.テスト", "a@xn--r8jz45g.xn--zckzah", "a@例え。テスト", "a@例え．テスト"),
    *_of("иван@почта.рф", "ИВАН@ПОЧТА.РФ", "иван@xn--80a1acny.xn--p1ai", "Иван@XN--80A1ACNY.xn--P1AI"),
    *_of(
        "a@straße.example",
        "a@xn--strae-oqa.example",
        "a@STRAẞE.example",
        "a@STRASSE.EXAMPLE",
        "a@strasse.example",
    ),
    *_of("a@i❤.ws", "a@xn--i-7iq.ws", "a@I❤️.WS", "a@i\u2764\ufe0f.ws"),
    *_of("a@ex_ample.com", "A@EX_AMPLE.com", "a@ex_ample.com.", "a@ex＿ample.com"),
    *_of("a@_dmarc.bücher_x.com", "a@_DMARC.BÜCHER_X.com", "a@_dmarc.xn--bcher_x-n2a.com"),
    *_of("a@-x-.example.com", "A@-X-.Example.com", "a@-x-.example.com."),
    *_of("a@xn--zzzzz9.com", "A@XN--ZZZZZ9.COM", "a@xn--zzzzz9.com."),
    *_of(
        "a@example.com",
        "a@example.com.",
        "a@example..com",
        "a@.example.com",
        "a@example.com...",
        "a@example.com/",
        "a@example.com:25",
    ),
    *_of("a@[192.0.2.1]", "A@[192.0.2.1]", "a@192.0.2.1", "<a@[192.0.2.1]>", "[a@[192.0.2.1]]"),
    *_of("a@[IPv6:2001:db8::1]", "a@[ipv6:2001:DB8:0:0:0:0:0:1]", "a@[IPV6:2001:db8:0::1]"),
    *_of("a@localhost", "A@LocalHost", "<a@localhost>"),
]

_BROKEN = [
    *_of("a@b@example.com", "A@B@example.com", "<a@b@example.com>", " a@b@example.com"),
    *_of("nobody", "NOBODY", " nobody ", "<nobody>", "“nobody”", "nobody."),
    *_of("@example.com", "@EXAMPLE.COM", '""@example.com', "<@example.com>"),
    *_of("pat@", "PAT@", "<pat@>", " pat @ "),
    *_of("a" * 300 + "@example.com", "A" * 300 + "@example.com", "<" + "a" * 300 + "@example.com>"),
    *_of("a@" + "b" * 80 + ".com", "a@" + "B" * 80 + ".com"),
    *_of("jörg@example.com", "j\udcf6rg@example.com", "J\udcd6RG@example.com", "j\udcc3\udcb6rg@example.com"),
    *_of("pat@example.com", "pat@example.com\udca0", "\udc93pat@example.com\udc94"),
    *_of("😀@example.com", "\ud83d\ude00@example.com"),
    *_of("a\ud800@example.com", "A\udbff@example.com", "a\ufffd@example.com"),
]

VARIANTS: list[tuple[str, str]] = list(
    dict.fromkeys(
        [
            *_CASE,
            *_FORMS,
            *_INVISIBLE,
            *_SPACE,
            *_WRAPPED,
            *_DRESSED,
            *_QUOTED,
            *_DOMAINS,
            *_BROKEN,
        ]
    )
)

CELLS: list[tuple[str, str]] = [
    *_of(
        PAT,
        f"{PAT}; b@y.example",
        f"b@y.example, {PAT}",
        f"b@y.example {PAT}",
        f"b@y.example|{PAT}",
        f"b@y.example/{PAT}",
    ),
    *_of(
        PAT,
        f"Pat <{PAT}>; B <b@y.example>",
        f"B <b@y.example>, Pat <{PAT}>",
        f"{PAT}\nb@y.example",
        f"<{PAT}> <b@y.example>",
    ),
    *_of(
        PAT,
        f"Pat {PAT}",
        f"{PAT} Pat Smith",
        f"{PAT} - unsubscribed",
        f"1. {PAT}",
        f"- {PAT}",
        f"{PAT} {PAT}",
        f"b @ y.example; {PAT}",
    ),
    *_of(
        PAT,
        f"b@y.example (was {PAT})",
        f"mailto:{PAT},b@y.example?subject=x",
        f'=HYPERLINK("mailto:{PAT}","{PAT}")',
    ),
    *_of(
        PAT,
        f"b@y.example；{PAT}",
        f"b@y.example、{PAT}",
        f"b@y.example<br>{PAT}",
        f"b@y.example&nbsp;{PAT}",
        f"c@d@{PAT}; {PAT}",
    ),
]

GUESSED: list[tuple[str, str]] = [
    *_of(
        PAT,
        f"email={PAT}",
        f"https://example.org/leave?email={PAT}&id=7",
        f"https://example.org/leave/{PAT}",
        f"mailto:b@y.example?cc={PAT}&bcc=c@y.example",
        f"uid=7,mail={PAT},ou=people",
        f"CN=Pat Smith/emailAddress={PAT}",
        f"+{PAT}",
        f"={PAT}",
    ),
    *_of(
        PAT,
        f"Pat^{PAT}^Bonn",
        f"Pat~{PAT}~Bonn",
        f"Pat#{PAT}#Bonn",
        f"Pat\x01{PAT}\x01Bonn",
        f"Pat\\{PAT}\\Bonn",
        f"Pat¦{PAT}¦Bonn",
    ),
    *_of(
        PAT,
        f"b@y.example;#{PAT}",
        f"b@y.example•{PAT}",
        f"b@y.example·{PAT}",
        f"b@y.example・{PAT}",
        f"b@y.example&{PAT}",
        f"{{b@y.example}}{{{PAT}}}",
        f"b@y.example—{PAT}",
        f"b@y.example…{PAT}",
        f"b@y.example. {PAT}",
        f"b@y.example.\n{PAT}",
        f"b@y.example\\n{PAT}",
        f"b@y.example\\r\\n{PAT}",
        f"b@y.example_x000D_{PAT}",
        f"_x000D_{PAT}",
        f"\\n{PAT}\\n",
        f'\\"{PAT}\\"',
    ),
    *_of(PAT, f"{PAT}¹", f"{PAT}™", f"{PAT}@", "pat.smith[@]example.com", "pat.smith(@)example.com"),
    *_of("a/b@example.com", "b@y.example; a/b@example.com", "a/b@example.com b@y.example"),
    *_of("a|b@example.com", "b@y.example; a|b@example.com"),
    *_of("o'brien@example.com", "o''brien@example.com", "'o''brien@example.com'"),
    *_of("jörg@example.com", "jÃ¶rg@example.com", "JÃ–RG@example.com", "jÃƒÂ¶rg@example.com"),
    *_of("ána@example.com", "Ã\x81na@example.com", "Ana <Ã\x81na@example.com>"),
]

DIFFERENT: list[tuple[str, str]] = [
    ("pat.smith@example.com", "patsmith@example.com"),
    ("pat.smith@gmail.com", "patsmith@gmail.com"),
    ("pat@gmail.com", "pat+news@gmail.com"),
    ("pat@gmail.com", "pat@googlemail.com"),
    ("pat@example.com", "pat+tag@example.com"),
    ("pat@example.com", "pat@example.org"),
    ("pat@example.com", "pat@mail.example.com"),
    ("pat@example.com", "spat@example.com"),
    ("pat@example.com", "pat-@example.com"),
    ("pat@example.com", "_pat@example.com"),
    ("pat@example.com", "pat.@example.com"),
    ("a..b@example.com", "a.b@example.com"),
    ("o'brien@example.com", "brien@example.com"),
    ("o'brien@example.com", "obrien@example.com"),
    ("mary-jane@example.com", "maryjane@example.com"),
    ("mary_jane@example.com", "mary-jane@example.com"),
    ("jose@example.com", "josé@example.com"),
    ("jorg@example.com", "jörg@example.com"),
    ("joerg@example.com", "jörg@example.com"),
    ("pat@example.com", "рat@example.com"),  # Cyrillic er
    ("ο@example.com", "o@example.com"),  # Greek omicron
    ("a@bücher.example", "a@bucher.example"),
    ("a@example.com", "a@exämple.com"),
    ("a@ex_ample.com", "a@example.com"),
    ("a@ex-ample.com", "a@example.com"),
    ("dept/pat@example.com", "pat@example.com"),
    ('"a@b"@example.com', "b@example.com"),
    ('"a@b"@example.com', "a@b"),
    ("a@[192.0.2.1]", "a@[192.0.2.2]"),
    ("1.pat@example.com", "pat@example.com"),
    ("@example.com", "a@example.com"),
    ("a@xn--zzzzz9.com", "a@zzzzz9.com"),
]
