"""Other people's log tools read the tiles: aics-tlog where it runs, and here a second small reader."""

from __future__ import annotations

from base64 import b64decode
from hashlib import sha256

import pytest

from suppress.bundle import Grade, layout
from suppress.bundle.layout import Growth, Proof
from tests.bundle.books import SIZES, shelf


@pytest.mark.parametrize("size", [*SIZES, 256, 512])
def test_a_second_reader_finds_the_signed_root(size: int) -> None:
    """From the tiles alone, as https://c2sp.org/tlog-tiles says, with none of our code for trees."""
    folder = shelf(size)[Grade.WHOLE]
    _, count, root, *_ = (folder / layout.CHECKPOINT).read_text().split("\n")
    total = int(count)
    expected = set()
    level, width = 0, total
    hashes: list[bytes] = []
    while width:
        row = []
        for index in range(0, width, 256):
            wide = min(256, width - index)
            name = f"{level}/{_number(index // 256)}{'' if wide == 256 else f'.p/{wide}'}"
            expected.add(f"tile/{name}")
            content = (folder / "tile" / name).read_bytes()
            assert 32 * wide == len(content)
            row += [content[at : at + 32] for at in range(0, len(content), 32)]
        if level:
            assert [_over(hashes[at : at + 256]) for at in range(0, 256 * width, 256)] == row
        else:
            first = row
        hashes, level, width = row, level + 1, width // 256
    leaves = []
    for index in range(0, total, 256):
        wide = min(256, total - index)
        name = f"tile/entries/{_number(index // 256)}{'' if wide == 256 else f'.p/{wide}'}"
        expected.add(name)
        leaves += _entries((folder / name).read_bytes())

    assert (folder / layout.ENTRIES).read_bytes().splitlines() == leaves
    assert [sha256(b"\0" + leaf).digest() for leaf in leaves] == first
    assert b64decode(root) == _over(first)
    assert expected == {
        str(file.relative_to(folder)) for file in (folder / "tile").rglob("*") if file.is_file()
    }


@pytest.mark.parametrize("size", [1, 7, 256, 257, 1400])
def test_an_independent_auditor_agrees(size: int) -> None:
    """PyPI's aics-tlog, by another author: each tile and entry, our proofs, growth between two bundles."""
    aics = pytest.importorskip("aics_tlog", reason="aics-tlog needs Python 3.12")
    made = shelf(size)
    heads = {}
    for grade in (Grade.WHOLE, Grade.OPEN):
        note = aics.parse_note((made[grade] / layout.CHECKPOINT).read_bytes())
        heads[grade] = aics.verify_checkpoint(note, aics.parse_vkey(made.vkey.strip()))
        assert heads[grade].ok, heads[grade].error
        aics.audit_tiles(aics.FileSystemTileReader(made[grade]), heads[grade].size, heads[grade].root)
    old, new = heads[Grade.WHOLE], heads[Grade.OPEN]
    growth = Growth.parse((made[Grade.OPEN] / layout.CONSISTENCY).read_text())

    assert aics.verify_consistency(old.size, new.size, old.root, new.root, list(growth.hashes))
    lines = (made[Grade.ENTRIES] / layout.ENTRIES).read_bytes().splitlines()
    proofs = [Proof.parse(file.read_text()) for file in (made[Grade.ENTRIES] / layout.PROOFS).iterdir()]
    for leaf, proof in zip(lines, sorted(proofs, key=lambda proof: proof.index), strict=True):
        _, count, root, *_ = proof.checkpoint.split("\n")
        assert aics.verify_leaf_inclusion(leaf, proof.index, int(count), list(proof.hashes), b64decode(root))


def _number(index: int) -> str:
    digits = f"{index:03}"
    assert len(digits) == 3, "trees of this test are smaller"
    return digits


def _over(hashes: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, by its own words."""
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while 2 * split < len(hashes):
        split *= 2
    return sha256(b"\1" + _over(hashes[:split]) + _over(hashes[split:])).digest()


def _entries(content: bytes) -> list[bytes]:
    found = []
    while content:
        size = int.from_bytes(content[:2], "big")
        found.append(content[2 : 2 + size])
        content = content[2 + size :]
    return found
