"""Compressed bytes: read from any place, in any cut, as what they were."""

from __future__ import annotations

import gzip
import io
import sys
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from suppress.errors import ExtraMissing
from suppress.files import packing, source
from suppress.files.contacts import ContactFile
from suppress.files.packing import Packing, Unpacked, packer


def packed(how: Packing, parts: list[bytes]) -> bytes:
    """Members, one after the other, made by the libraries themselves."""
    if how is Packing.GZIP:
        return b"".join(gzip.compress(part, mtime=0) for part in parts)
    return b"".join(zstandard.ZstdCompressor().compress(part) for part in parts)


@given(
    st.sampled_from(Packing),
    st.lists(st.binary(max_size=3_000), min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(0, 12_000), st.integers(1, 4_000)), max_size=6),
)
def test_unpacked_bytes_are_the_bytes(how: Packing, parts: list[bytes], jumps: list[tuple[int, int]]) -> None:
    """From start to end, and from wherever a reader jumps to."""
    content = b"".join(parts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packing, "_READ", 700)
        patch.setattr(source, "RECENT", 900)
        found = Unpacked(io.BytesIO(packed(how, parts)), how, "list.csv")
        read = b"".join(iter(lambda: found.read(500), b""))

        assert content == read
        for offset, size in jumps:
            found.seek(offset)
            some = found.read(size)
            assert content[offset : offset + len(some)] == some
            assert some or offset >= len(content)


@given(st.sampled_from(Packing), st.lists(st.binary(max_size=500), max_size=5))
def test_what_is_packed_is_unpacked_by_others(how: Packing, parts: list[bytes]) -> None:
    """The results are read by the tools that everybody has."""
    found = packer(how)
    content = b"".join(map(found.compress, parts)) + found.flush()
    inverse = gzip.decompress if how is Packing.GZIP else _unzstd

    assert b"".join(parts) == inverse(content)


def _unzstd(content: bytes) -> bytes:
    return zstandard.ZstdDecompressor().stream_reader(io.BytesIO(content)).read()


@pytest.mark.parametrize(
    ("library", "content", "extra"),
    [
        ("zstandard", zstandard.ZstdCompressor().compress(b"email\na@example.com\n"), "zstd"),
        ("pyarrow.parquet", b"PAR1", "parquet"),
    ],
)
def test_a_missing_library_is_named_by_its_extra(
    library: str, content: bytes, extra: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line that says what to install."""
    path = tmp_path / "list"
    path.write_bytes(content)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ExtraMissing, match=f"extra “{extra}”") as missing:
        ContactFile.open(str(path))

    assert f"suppress-ledger[{extra}]" in (missing.value.remedy or "")
