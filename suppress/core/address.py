"""E-mail addresses and their *match key*, the form under which two spellings of one address are equal.

Rules kept here:

* The raw text is kept as received; the key is derived, and `KEY_VERSION` numbers the rules, so that a ledger
  can be re-keyed.
* A false negative is a violation of the law, a false positive a lost contact: where two readings are
  possible, the key joins. It never joins what a mailbox provider keeps apart: dots and tags are the business
  of `aliases`.
* Every text gets a key, however malformed. `Address.flaws` says what a mail system may refuse; no row is
  ever dropped for it. RFC 5321 lets local parts differ by case; systems that obeyed kept mailing people.
* The key is a fixed point: `match_key(match_key(x)) == match_key(x)`, and case never changes it.

The key of a domain is its A-labels in lower case. Labels are folded and put into Punycode (RFC 3492) without
the refusals of IDNA 2008, so that also a label that no registry takes (an emoji, an underscore) is equal in
both its forms. `folding` has the rules for characters; the next module to read is `suppression`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from unicodedata import category

from suppress.core.folding import fold

KEY_VERSION = 1
"""Raised whenever a rule here or in `folding` changes a key."""

MAX_ADDRESS, MAX_LOCAL, MAX_LABEL = 254, 64, 63
"""Octets: RFC 5321 sections 4.5.3.1.1 and 4.5.3.1.3 (a path of 256 less its brackets), RFC 1035 2.3.4."""
MAX_CONSTANT_CONTACT = 80
"""Characters: the longest `email_address.address` that Constant Contact's V3 API keeps."""


@dataclass(frozen=True, slots=True)
class Address:
    """An address as received and the key under which it is compared."""

    raw: str
    key: str

    @classmethod
    def parse(cls, raw: str) -> Address:
        """Raises ValueError when nothing is left to compare."""
        key = match_key(raw)
        if not key:
            raise ValueError("no address")
        return cls(raw, key)

    @property
    def flaws(self) -> tuple[str, ...]:
        """Why a mail system may refuse it, in words. A flawed address is compared like any other."""
        return tuple(_flaws(self.raw, self.key))

    @property
    def sound(self) -> bool:
        """Whether it has no flaw. Quicker than to name them all."""
        return next(_flaws(self.raw, self.key), None) is None


_PLAIN = re.compile(r"[a-z0-9!#$*+/=?^_~.-]+@(?:[a-z0-9_-]+\.)*[a-z](?:[a-z0-9_-]*[a-z0-9])?")
"""Addresses that are their own key, but for A-labels: nearly all there are."""
_IS_PLAIN = _PLAIN.fullmatch


_WORDY = re.compile(r"\w+(?:[.+-]\w+)*@[^\W_](?:[\w.-]*[^\W_])?")
"""Folded addresses of which only the domain is to be read: one name, one `@`, and no mark that means anything
(an underscore does at the end, where one at the start mirrors it)."""
_IS_WORDY = _WORDY.fullmatch


def match_key(text: str) -> str:
    """The form in which spellings of one address are equal; empty when nothing is left to compare.

    Read as one address: for a cell that may hold several use `addresses_in`.
    """
    if (found := key_at_once(text)) is not None:
        return found
    rounds = len(text) + 10  # each but the last few takes something away
    while rounds and (shorter := _read(text)) != text:
        text = shorter
        if _IS_PLAIN(text) and "xn--" not in text:
            break
        rounds -= 1
    return text


def key_at_once(text: str) -> str | None:
    """The match key of a text that is one address and nothing else; None where it has to be read to know.

    Nearly all addresses of any list end here. It says nothing that reading would not say.
    """
    plain = text.strip().lower()
    foreign = "xn--" in plain
    if not foreign and _IS_PLAIN(plain):
        return plain
    if (plain.isascii() and not foreign) or len(plain) > MAX_ADDRESS:
        return None
    folded = fold(text).strip(" ")
    if not _IS_WORDY(folded):
        return None
    local, _, labels = folded.partition("@")
    domain = _domain(labels)
    return f"{local}@{domain}" if domain and _domain(domain) == domain else None


def alias_key(key: str) -> str | None:
    """The looser key of a match key by the provider table; None where the provider has no alias rule."""
    from suppress.core.aliases import alias_of

    found = alias_of(key)
    return found.key if found else None


_BETWEEN = re.compile(r"[\s;,<>()\[\]:?]+")
_BETWEEN_SEVERAL = re.compile(r"[\s;,<>()\[\]:?|/]+")


def addresses_in(cell: str) -> tuple[Address, ...]:
    """Every address that a cell may hold, without doubles: first the cell read as one, then its pieces.

    The pieces are what has an `@` between white space, brackets, `;`, `,`, `:` and `?`, and, in a cell with
    several `@`, between `|` and `/`, which may also stand in a name. Empty when nothing is left to compare.
    """
    if (only := key_at_once(cell)) is not None:
        return (Address(cell, only),)
    whole = match_key(cell)
    if not whole:
        return ()
    found = {whole: Address(cell, whole)}
    for piece in _pieces(cell):
        key = match_key(piece)
        local, _, domain = key.rpartition("@")
        if local and domain:
            found.setdefault(key, Address(piece, key))
    return tuple(found.values())


def _pieces(cell: str) -> Iterator[str]:
    """The pieces, but for one that is the whole cell as it is read first, and so has the same key."""
    text = whole = decoded(fold(cell))
    if "@" not in masked(text):  # =HYPERLINK("mailto:p@x.com")
        text = text.replace('"', " ")
    if numbered := _NUMBERED.match(text):
        yield text[numbered.end() :]
    text = _AROUND_AT.sub(r"\1", text)
    mask = masked(text)
    start = 0
    for between in (_BETWEEN_SEVERAL if mask.count("@") > 1 else _BETWEEN).finditer(mask + " "):
        piece = text[start : between.start()]
        if "@" in mask[start : between.start()] and piece != whole:
            yield piece
        start = between.end()


# --- Reading one address ---------------------------------------------------------------------------------

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*+"|\\.')
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,30});")
_PERCENT = re.compile(r"(?:%(?:25)*[0-9a-f]{2})+")
_JSON = re.compile(r"\\u([0-9a-f]{4})")
_SPELLED_AT = re.compile(r"\s*[\[({<]\s*at\s*[\])}>]\s*")
_SPELLED_DOT = re.compile(r"\s*[\[({<]\s*dot\s*[\])}>]\s*")
_ANGLES = re.compile(r"<([^<>]*)>?")
_PARENTHESES = re.compile(r"[()]")
_DISPLAY = re.compile(r"^.*\x00 +(?=[^ .])")
_LOCAL = re.compile(r'"((?:[^"\\]|\\.)*+)"|\\(.)|([^"\\]+)|.')
_NUMBERED = re.compile(r" *[0-9]{1,6}[.)] ")
_AROUND_AT = re.compile(r" *([.@]) *")
_UNSAFE = re.compile(r'[()<>\[\]:;@\\," ]')
_AROUND = "'<>,;:()[]{}|@ "
_MIRROR = {"{": "}", "[": "]", **{mark: mark for mark in "'|*_~/#=-!$%+^?&"}}
_DECODED_UP_TO = 2_000
"""Characters. Encodings can nest; in a longer text they are left as they are."""


def _read(text: str) -> str:
    """One round of reading; at the end of the rounds, the key."""
    text = fold(text)
    for rule in (decoded, _unwrapped, _without_comments, _without_angles):
        changed = rule(text)
        if changed != text:
            return changed
    mask = masked(text)
    first = mask.find("@")
    if first < 0:
        return _without_at(text)
    query = mask.find("?", first)
    if query >= 0:
        text, mask = text[:query], mask[:query]
    at = mask.rfind("@")
    local, domain = _local(text[:at], mask[:at]), _domain(text[at + 1 :])
    return f"{local}@{domain}" if local or domain else ""


def masked(text: str) -> str:
    """The text with quoted strings blanked by NUL and escapes by SOH, neither of which `fold` leaves."""
    if '"' not in text and "\\" not in text:
        return text
    return _QUOTED.sub(
        lambda found: ("\x00" if found.group()[0] == '"' else "\x01") * len(found.group()), text
    )


def decoded(text: str) -> str:
    """What HTML, a URL, JSON or a shy author made of it."""
    if len(text) > _DECODED_UP_TO:
        return text
    if "\\u" in text:
        text = _JSON.sub(lambda found: chr(int(found[1], 16)), text)
    if "&" in text:
        text = _ENTITY.sub(_entity, text)
    if "%" in text:
        text = _PERCENT.sub(_percent, text)
    if "@" not in text:
        text = (
            _SPELLED_DOT.sub(".", _SPELLED_AT.sub("@", text, count=1)) if _SPELLED_AT.search(text) else text
        )
    return text


def _entity(found: re.Match[str]) -> str:
    import html

    return html.unescape(found.group())


def _percent(found: re.Match[str]) -> str:
    codes = re.findall(r"%(?:25)*([0-9a-f]{2})", found.group())
    try:
        return bytes.fromhex("".join(codes)).decode()
    except UnicodeDecodeError:
        return found.group()


def _unwrapped(text: str) -> str:
    """Without marks that stand around the whole, such as `*` or braces: no domain ends in one."""
    low, high = 0, len(text)
    while high - low > 2:
        if text[low] == " ":
            low += 1
        elif text[high - 1] == " ":
            high -= 1
        elif _MIRROR.get(text[low]) == text[high - 1]:
            low, high = low + 1, high - 1
        else:
            break
    return text[low:high].strip(" ")


def _without_comments(text: str) -> str:
    """RFC 5322 comments, nested or not closed. An address that stands only inside one is taken from there."""
    mask = masked(text)
    if "(" not in mask:
        return text
    spans, depth, start = [], 0, 0
    for found in _PARENTHESES.finditer(mask):
        if found.group() == "(":
            start = start if depth else found.start()
            depth += 1
        elif depth:
            depth -= 1
            if not depth:
                spans.append((start, found.end()))
    if depth:
        spans.append((start, len(text)))
    rest = _outside(text, spans)
    if "@" in masked(rest):
        return rest
    at = mask.rfind("@")
    if at < 0:
        return text
    start = max(mask.rfind("(", 0, at), mask.rfind(")", 0, at)) + 1
    found_end = _PARENTHESES.search(mask, at)
    return text[start : found_end.start() if found_end else None]


def _without_angles(text: str) -> str:
    """`Pat <p@x.com>`: what stands in angle brackets, if it has an `@`; else what stands outside."""
    mask = masked(text)
    if "<" not in mask:
        return text
    pieces = list(_ANGLES.finditer(mask))
    for where in (mask, text):
        inside = [piece.span(1) for piece in pieces if "@" in where[slice(*piece.span(1))]]
        rest = _outside(text, [piece.span() for piece in pieces])
        if inside and (where is mask or "@" not in masked(rest)):
            return text[slice(*inside[-1])]
    return rest if "@" in rest else text.replace("<", " ").replace(">", " ")


def _outside(text: str, spans: list[tuple[int, int]]) -> str:
    kept, end = [], 0
    for start, stop in spans:
        kept.append(text[end:start])
        end = stop
    return "".join([*kept, text[end:]])


def _without_at(text: str) -> str:
    """No `@` outside quotes: `"p@x.com"`, `="p@x.com"`, `p\\@x.com`, or no address at all."""
    if "@" in text:
        return text.replace('"', "").replace("\\", "").lstrip("=")
    return text.replace('"', "").replace("\\", "").replace(" ", "").strip(_AROUND + ".")


def _local(text: str, mask: str) -> str:
    display = _DISPLAY.match(mask)
    start = display.end() if display else 0
    # A colon ends a scheme, a label, a group's name or a source route: mailto:, SMTP:, E-mail:, @relay:
    colon = mask.rfind(":", start)
    text = text[colon + 1 :].lstrip().removeprefix("//") if colon >= 0 else text[start:]
    content = _undecorated("".join(_contents(text)).strip(_AROUND))
    if not _UNSAFE.search(content):
        return content
    return '"' + content.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _contents(local: str) -> Iterator[str]:
    """What quoting and escapes stand for. Unquoted white space and a stray quote stand for nothing."""
    for found in _LOCAL.finditer(local):
        quoted, escaped, plain = found.groups()
        if quoted is not None:
            yield " ".join(re.sub(r"\\(.)", r"\1", quoted).split())
        elif escaped is not None:
            yield escaped
        elif plain is not None:
            yield plain.replace(" ", "")


def _undecorated(local: str) -> str:
    """Without bullets, arrows and envelopes in front, as long as a name follows."""
    start = 0
    while start < len(local) and local[start] > "\x7f" and category(local[start])[0] in "PS":
        start += 1
    return local[start:] or local


# --- Domains ---------------------------------------------------------------------------------------------

_NOT_HOST = re.compile(r"[\x00-,/:-^`{-\x7f]")
"""ASCII other than letters, digits, dot, hyphen and underscore (a negated set would take 4 ms to compile)."""
_SPREADSHEET = re.compile(r"(?:_x00(?:0[9ad]|a0)_)+$")
"""A line break or tab at the end of a cell, as some readers of .xlsx spell it (ECMA-376, ST_Xstring)."""
_PUNYCODE_UP_TO = 255
"""Characters of a label. Punycode takes time squared in the length; no label has over 63."""


@lru_cache(maxsize=65_536)
def _domain(text: str) -> str:
    text = text.replace(" ", "").replace('"', "").replace("\\", "").strip("<>'")
    if text.startswith("["):
        return _literal(text[1:].partition("]")[0])
    text = _SPREADSHEET.sub("", text)
    junk = _NOT_HOST.search(text)
    if junk and "." in text[: junk.start()]:
        text = text[: junk.start()]
    end = len(text)
    while end and category(text[end - 1])[0] in "PSZ":
        end -= 1
    labels = [_label(label) for label in text[:end].split(".") if label]
    domain = ".".join(labels)
    return _literal(domain) if domain[-1:].isdigit() and _ip(domain) else domain


def _label(label: str) -> str:
    if len(label) > _PUNYCODE_UP_TO:
        return label
    if label.startswith("xn--") and label.isascii():
        try:
            unicode = fold(label[4:].encode().decode("punycode"))
        except (ValueError, OverflowError):
            return label
        if not unicode or _NOT_HOST.search(unicode) or "." in unicode:
            return label
        label = unicode
    return label if label.isascii() else "xn--" + label.encode("punycode").decode()


def _literal(text: str) -> str:
    return f"[{_ip(text) or text}]"


def _ip(text: str) -> str | None:
    import ipaddress

    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        try:
            return f"ipv6:{ipaddress.IPv6Address(text.removeprefix('ipv6:'))}"
        except ValueError:
            return None


_HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")


# --- Flaws -----------------------------------------------------------------------------------------------


def _flaws(raw: str, key: str) -> Iterator[str]:
    local, at, domain = key.rpartition("@")
    if not at:
        yield "there is no @"
        return
    yield from _local_flaws(local)
    yield from _domain_flaws(domain)
    if len(key.encode()) > MAX_ADDRESS:
        yield f"longer than {MAX_ADDRESS} bytes (RFC 5321)"
    if len(raw.strip()) > MAX_CONSTANT_CONTACT:
        yield f"longer than the {MAX_CONSTANT_CONTACT} characters that Constant Contact keeps"
    if _HIDDEN.search(raw.strip()):
        yield "a control character, an invisible one, or a byte that is no text"


def _local_flaws(local: str) -> Iterator[str]:
    if not local:
        yield "nothing before the @"
        return
    if not local.isascii():
        yield "characters outside ASCII before the @ (needs SMTPUTF8)"
    if len(local.encode()) > MAX_LOCAL:
        yield f"more than {MAX_LOCAL} bytes before the @ (RFC 5321)"
    if "@" in local:
        yield "more than one @"
    elif local.startswith('"'):
        yield "characters before the @ that need quotes"
    elif ".." in local:
        yield "two dots in a row before the @"
    elif local.startswith(".") or local.endswith("."):
        yield "a dot at the start or directly before the @"


@lru_cache(maxsize=4_096)
def _domain_flaws(domain: str) -> tuple[str, ...]:
    found = []
    if not domain:
        found.append("nothing after the @")
    elif domain.startswith("["):
        found.append("a domain literal instead of a domain")
    elif "." not in domain:
        found.append("a domain without a dot")
    labels = domain.split(".") if not domain.startswith("[") else []
    if any(len(label) > MAX_LABEL for label in labels):
        found.append(f"a domain label over {MAX_LABEL} bytes (RFC 1035)")
    if any(re.search(r"[^a-z0-9-]|^-|-$", label) for label in labels):
        found.append("a domain label that is no host name")
    return tuple(found)
