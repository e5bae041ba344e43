"""Checkpoints and signed notes: one text for one head, believed only under a pinned key."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from suppress.core.checkpoint import (
    MAX_NOTE,
    BadNote,
    Checkpoint,
    Key,
    Note,
    encode_vkey,
    open_checkpoint,
    parse_vkey,
    signed_note,
)

# The example of Go's golang.org/x/mod/sumdb/note, where the format was first written down.
NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NEUMANN_NOTE = """If you think cryptography is the answer to your problem,
then you don't know what your problem is.

— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
"""


def private(seed: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)


def key(seed: int, name: str = "example.com/log") -> Key:
    return Key(name, private(seed).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))


KEY, OTHER = key(1), key(2)
SIGN = private(1).sign
HEAD = Checkpoint("example.com/log", 20_852_163, sha256(b"head").digest())
NOTE = HEAD.signed(KEY, SIGN)


# --- Agreement with others -------------------------------------------------------------------------------


def test_a_note_of_another_implementation_verifies() -> None:
    """Go's published example, with its published key."""
    neumann = parse_vkey(NEUMANN)

    assert Note.parse(NEUMANN_NOTE).verified_by([neumann]) == (neumann,)
    assert str(neumann) == NEUMANN


def test_our_note_is_the_bytes_that_anyone_can_build() -> None:
    """Origin, size, root, empty line, em dash, name, and base64 of four bytes of key id and the signature."""
    root = b64encode(sha256(b"head").digest()).decode()
    text = f"example.com/log\n20852163\n{root}\n"
    key_id = sha256(b"example.com/log\n\x01" + KEY.public).digest()[:4]
    signature = b64encode(key_id + private(1).sign(text.encode())).decode()

    assert NOTE == f"{text}\n— example.com/log {signature}\n"


@settings(max_examples=100)
@given(
    st.integers(0, 2**64 - 1),
    st.binary(min_size=32, max_size=32),
    st.lists(st.text("abc +=—é", min_size=1, max_size=10), max_size=3),
)
def test_what_is_signed_is_what_is_opened(size: int, root: bytes, extensions: list[str]) -> None:
    """Any size and root, with or without extension lines, as text and as bytes."""
    head = Checkpoint("example.com/log", size, root, tuple(extensions))
    note = head.signed(KEY, SIGN)

    assert open_checkpoint(note, [KEY]) == open_checkpoint(note.encode(), [OTHER, KEY]) == head
    assert str(Note.parse(note)) == note
    assert Checkpoint.parse(head.text) == head


# --- Who signed ------------------------------------------------------------------------------------------


def line(seed: int, text: str, name: str = "example.com/log") -> str:
    signed = signed_note(text, key(seed, name), private(seed).sign)
    return signed.rpartition("\n\n")[2]


def test_lines_of_unknown_keys_are_ignored() -> None:
    """Witnesses may add their signatures; they prove nothing to whoever has not pinned them."""
    note = line(7, HEAD.text, "witness.example/w1") + NOTE.rpartition("\n\n")[2] + line(8, HEAD.text)

    assert open_checkpoint(f"{HEAD.text}\n{note}", [KEY]) == HEAD


def test_every_pinned_key_that_signed_is_named() -> None:
    """After a rotation both keys sign for a while."""
    both = Note.parse(NOTE + line(2, HEAD.text))

    assert both.verified_by([OTHER, KEY]) == (KEY, OTHER)


def test_a_note_without_a_pinned_signature_is_refused() -> None:
    """A good signature by somebody else is none."""
    with pytest.raises(BadNote, match="not signed by a key that we trust"):
        open_checkpoint(NOTE, [OTHER])
    with pytest.raises(BadNote, match="not signed by a key that we trust"):
        open_checkpoint(NOTE, [])


def test_a_pinned_key_under_another_name_is_another_key() -> None:
    """Name and id belong together."""
    with pytest.raises(BadNote, match="not signed by a key that we trust"):
        open_checkpoint(NOTE, [key(1, "example.com/other")])


def test_one_false_line_of_a_pinned_key_refuses_the_whole_note() -> None:
    """Although another pinned key signed it well."""
    false = line(2, "another text\n")

    with pytest.raises(BadNote, match=r"signature of example\.com/log does not belong to this text"):
        open_checkpoint(NOTE + false, [KEY, OTHER])
    assert open_checkpoint(NOTE + false, [KEY]) == HEAD


def test_a_short_signature_of_a_pinned_key_is_refused() -> None:
    """It is not handed to the verifier."""
    short = f"— example.com/log {b64encode(KEY.id + bytes(63)).decode()}\n"

    with pytest.raises(BadNote, match="does not belong"):
        open_checkpoint(f"{HEAD.text}\n{short}", [KEY], lambda *_: True)


def test_a_key_with_the_same_id_does_not_verify() -> None:
    """An id is four bytes: whoever finds a second key for it gains nothing."""
    assert open_checkpoint(NOTE, [KEY], lambda pinned, *_: pinned == KEY) == HEAD
    with pytest.raises(BadNote, match="does not belong"):
        open_checkpoint(NOTE, [KEY], lambda *_: False)


def test_a_checkpoint_of_another_log_is_refused_although_our_key_signed_it() -> None:
    """A key speaks for the log of its name only."""
    other = Checkpoint("example.com/other", 1, bytes(32))
    note = signed_note(other.text, KEY, SIGN)

    with pytest.raises(BadNote, match="of another log"):
        open_checkpoint(note, [KEY])
    with pytest.raises(BadNote, match="origin and key name differ"):
        other.signed(KEY, SIGN)


@settings(max_examples=300)
@given(st.integers(0, len(NOTE.encode()) * 8 - 1))
def test_no_flipped_bit_is_believed(bit: int) -> None:
    """Any one bit of a signed checkpoint, text or signature, changed."""
    changed = bytearray(NOTE.encode())
    changed[bit // 8] ^= 1 << bit % 8

    with pytest.raises(BadNote):
        open_checkpoint(bytes(changed), [KEY])


@settings(max_examples=300)
@given(st.one_of(st.text(), st.binary(), st.text("0123\n — =+/Aé\r\t\x00", max_size=60)))
def test_anything_else_is_refused_and_nothing_else_is_raised(note: str | bytes) -> None:
    """Whatever a stranger hands over."""
    with pytest.raises(BadNote):
        open_checkpoint(note, [KEY])


# --- One text for one note -------------------------------------------------------------------------------

TEXT, SIGNATURES = HEAD.text, NOTE.rpartition("\n\n")[2]
ENCODED = SIGNATURES.split(" ")[2].strip()


@pytest.mark.parametrize(
    ("note", "problem"),
    [
        (NOTE[:-1], "a last newline"),
        (NOTE + "\n", "a last newline"),
        (NOTE + " ", "a last newline"),
        (TEXT + SIGNATURES, "an empty line"),
        ("\n\n" + SIGNATURES, "not a signed note"),
        (SIGNATURES, "not a signed note"),
        ("", "not a signed note"),
        (NOTE.replace("\n", "\r\n"), "control characters"),
        (NOTE.replace("example", "exa\tmple"), "control characters"),
        (NOTE.replace("example", "exa\x00mple"), "control characters"),
        (NOTE.replace("example", "exa\ud800mple"), "control characters"),
        (NOTE.encode().replace(b"example", b"ex\xffample"), "not UTF-8"),
        (NOTE.replace("—", "-"), "a signature line is"),
        (NOTE.replace("— ", "—"), "a signature line is"),
        (NOTE.replace("— example.com/log", "— "), "a signature line is"),
        (NOTE.replace("— example.com/log", "— example.com+log"), "a signature line is"),
        (NOTE.replace("— example.com/log", "— example.com/\u00a0log"), "a signature line is"),
        (NOTE.replace(ENCODED, ""), "without a signature"),
        (NOTE.replace(ENCODED, "AAAAAA=="), "without a signature"),
        (NOTE.replace(ENCODED, ENCODED[:-1]), "not base64"),
        (NOTE.replace(ENCODED, ENCODED + "\u00e9"), "not base64"),
        (NOTE.replace(ENCODED, ENCODED + " "), "not base64"),
        (NOTE.replace(ENCODED, ENCODED.replace("=", "")), "base64"),
        (NOTE.replace(ENCODED, "-_" + ENCODED[2:]), "not base64"),
        (NOTE + SIGNATURES * 16, "over 16 signatures"),
        ("x" * MAX_NOTE + "\n\n" + SIGNATURES, "over 65,536 characters"),
    ],
)
def test_a_note_in_any_other_form_is_refused(note: str | bytes, problem: str) -> None:
    """Readers that take more than one spelling are how two people come to see two different notes."""
    with pytest.raises(BadNote, match=problem):
        Note.parse(note)


def test_sixteen_signatures_are_read() -> None:
    """As many as the specification asks verifiers to take."""
    assert open_checkpoint(NOTE + SIGNATURES * 15, [KEY]) == HEAD


def test_base64_with_spare_bits_is_refused() -> None:
    """`QQ==` and `QR==` decode alike; only the first is written."""
    root = b64encode(HEAD.root).decode()
    spare = root[:-2] + chr(ord(root[-2]) + 1) + "="

    with pytest.raises(BadNote, match="the root is not canonical base64"):
        Checkpoint.parse(TEXT.replace(root, spare))


ROOT = b64encode(HEAD.root).decode()


@pytest.mark.parametrize(
    "size", ["+5", "05", "00", "-1", "", " 5", "5 ", "5.0", "0x5", "1_000", "٥", "1e3", str(2**64), "9" * 40]
)
def test_a_size_in_any_other_form_is_refused(size: str) -> None:
    """Plain decimal digits, no sign, no leading zero, no other script."""
    with pytest.raises(BadNote):
        Checkpoint.parse(f"example.com/log\n{size}\n{ROOT}\n")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        f"example.com/log\n5\n{ROOT}",
        f"example.com/log\n5\n{ROOT}\n\n",
        "example.com/log\n5\n",
        f"\n5\n{ROOT}\n",
        f"example.com/log\n\n5\n{ROOT}\n",
        "example.com/log\n5\nAAAA\n",
        "example.com/log\n5\n!!!!\n",
        f"example.com/log\n5\n{ROOT}\n\nextension\n",
    ],
)
def test_a_checkpoint_in_any_other_form_is_refused(text: str) -> None:
    """Three lines that are not empty, extension lines that are not empty, a last newline."""
    with pytest.raises(BadNote):
        Checkpoint.parse(text)


@pytest.mark.parametrize(
    "head",
    [
        Checkpoint("example.com/log", -1, bytes(32)),
        Checkpoint("example.com/log", 2**64, bytes(32)),
        Checkpoint("example.com/log", 1, bytes(31)),
        Checkpoint("example.com/log", 1, bytes(32), ("",)),
        Checkpoint("example.com/log", 1, bytes(32), ("two\nlines",)),
        Checkpoint("example.com/log", 1, bytes(32), ("tab\t",)),
    ],
)
def test_what_could_not_be_read_back_is_not_signed(head: Checkpoint) -> None:
    """A signature over an unreadable checkpoint cannot be taken back."""
    with pytest.raises(BadNote):
        head.signed(KEY, SIGN)


@pytest.mark.parametrize("text", ["", "no newline", "\n", "tab\t\n", "x" * MAX_NOTE + "\n"])
def test_a_text_that_cannot_be_a_note_is_not_signed(text: str) -> None:
    """Nor a text that would not survive reading."""
    with pytest.raises(BadNote):
        signed_note(text, KEY, SIGN)


def test_a_text_that_would_be_taken_for_signatures_is_not_signed() -> None:
    """It would read back as another text under two signatures."""
    with pytest.raises(BadNote, match="cannot stand in a note"):
        signed_note(f"text\n\n{SIGNATURES}"[:-1], KEY, SIGN)


def test_a_signer_that_returns_something_else_is_refused() -> None:
    """For instance a signature of another algorithm."""
    with pytest.raises(BadNote, match="64 bytes, not 70"):
        signed_note("text\n", KEY, lambda _: bytes(70))


# --- Keys ------------------------------------------------------------------------------------------------


@settings(max_examples=100)
@given(
    st.text(
        st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"], exclude_characters="+"), min_size=1
    ),
    st.binary(min_size=32, max_size=32),
)
def test_a_vkey_reads_back_to_its_key(name: str, public: bytes) -> None:
    """With the newline of a file around it."""
    assert parse_vkey(encode_vkey(name, public) + "\n") == Key(name, public)


@pytest.mark.parametrize(
    ("vkey", "problem"),
    [
        ("", "not a verifier key"),
        ("name", "not a verifier key"),
        ("name+00000000", "not a verifier key"),
        (NEUMANN.replace("c74f20a3", "c74f20a4"), "id belongs to another key"),
        (NEUMANN.replace("c74f20a3", "C74F20A3"), "id belongs to another key"),
        (NEUMANN.replace("PeterNeumann", "PeterNewmann"), "id belongs to another key"),
        (NEUMANN.replace("ARpc", "ARpd"), "id belongs to another key"),
        (NEUMANN.replace("+ARpc", "+AhpC"), "not an Ed25519 key"),
        (NEUMANN + "+x", "not base64"),
        (NEUMANN[:-4], "32 bytes, not 29"),
        ("+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "a key's name"),
        ("a b+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "a key's name"),
    ],
)
def test_a_damaged_vkey_is_refused(vkey: str, problem: str) -> None:
    """A pinned key that lost a letter must not quietly become another key."""
    with pytest.raises(BadNote, match=problem):
        parse_vkey(vkey)
