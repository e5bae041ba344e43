"""The oracle: it looks for names in what was kept, however they may be written there, and knows nothing else.

It shares no code with the product: bytes are read in every encoding that fits, archives are opened with the
standard library, and text is folded by taking out whatever no mail system looks at.
"""

from __future__ import annotations

import gzip
import html
import io
import json
import re
import unicodedata
import zipfile
from urllib.parse import unquote

import zstandard

NAMES = ("pat@example.com", "info@bücher.example", "info@xn--bcher-kva.example", "quit@gmail.com")


def leaked(kept: bytes) -> list[str]:
    """The suppressed people who can be found in a kept file."""
    found = []
    for text in _texts(kept):
        folded = _folded(text)
        found += [name for name in NAMES if _stands_alone(name, folded)]
    return found


def _texts(content: bytes) -> list[str]:
    """Everything that the bytes may say."""
    if content.startswith(b"\x1f\x8b"):
        return _texts(gzip.decompress(content))
    if content.startswith(b"\x28\xb5\x2f\xfd"):
        return _texts(zstandard.ZstdDecompressor().stream_reader(io.BytesIO(content)).read())
    if content.startswith(b"PAR1"):
        import pyarrow.parquet as pq

        table = pq.read_table(io.BytesIO(content))
        # Moments of nanoseconds are more than Python has; nobody hides in them.
        kept = [field.name for field in table.schema if "timestamp" not in str(field.type)]
        return [json.dumps(table.select(kept).to_pylist(), default=str, ensure_ascii=False)]
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [archive.read(name).decode() for name in archive.namelist()]
        return [re.sub(r"<[^>]*>", " ", html.unescape(each)) for each in members]
    texts = []
    for encoding in (
        "utf-8",
        "utf-16-le",
        "utf-16-be",
        "utf-32-le",
        "utf-32-be",
        "cp1252",
        "cp500",
        "shift_jis",
    ):
        text = content.decode(encoding, "ignore")
        texts += [text, unquote(text), html.unescape(text), _unescaped(text)]
    return texts


def _unescaped(text: str) -> str:
    r"""Text with JSON's escapes resolved: `\u0040` is an at sign."""
    return re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text)


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).casefold()
    # U+3002 separates the labels of a domain as a dot does (UTS 46, section 2.3).
    return "".join(
        each for each in plain if unicodedata.category(each) not in ("Cf", "Cc") or each in "\n\t"
    ).replace("。", ".")


def _stands_alone(name: str, text: str) -> bool:
    """Whether a name stands there with nothing around it that would make it another name."""
    return re.search(rf"(?<![\w.+-]){re.escape(name)}(?![\w-]|\.\w)", text) is not None
