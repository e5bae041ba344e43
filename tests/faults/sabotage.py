"""Faults seeded into the code that verifies: each makes it believe something, and some test must find out.

A row is a file of the package, a piece of its text that stands there exactly once, what it becomes, and the
test that fails then. Rows are written by hand: a mutation of every operator would mostly change messages.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

MERKLE = "tests/core/test_merkle.py::"
NOTES = "tests/core/test_checkpoint.py::"
ENTRY = "tests/core/test_entry.py::"
AUDIT = "tests/test_audit.py::"
OPERATOR = "tests/faults/test_operator.py::test_an_attack_is_caught_as_the_page_says"
BUNDLE = "tests/bundle/test_checking.py::"
SCRIPT = "tests/bundle/test_script.py::"


class Row(NamedTuple):
    """One sabotage."""

    what: str
    file: str
    old: str
    new: str
    killer: str


@dataclass(frozen=True, slots=True)
class Sabotage:
    """A fault, where it is seeded, and the test that must fail."""

    row: Row

    @property
    def name(self) -> str:
        return self.row.what.replace(" ", "-")

    def applied(self, text: str) -> str:
        """The sabotaged text of the file."""
        assert text.count(self.row.old) == 1, f"{self.row.file} does not hold exactly once: {self.row.old}"
        return text.replace(self.row.old, self.row.new)


def ignored(what: str, file: str, condition: str, killer: str) -> Row:
    """An `if` that is never true."""
    bracketed = "if (" + condition.removeprefix("if ").removesuffix(":") + ") and False:"
    return Row(what, file, condition, bracketed, killer)


PROOFS = [
    Row(
        "ignore trailing nodes of an inclusion proof",
        "core/merkle.py",
        "    if len(proof) != inner + border:\n        return False\n    found = leaf_hash\n"
        "    for level, sibling in enumerate(proof):",
        "    if len(proof) < inner + border:\n        return False\n    found = leaf_hash\n"
        "    for level, sibling in enumerate(proof[: inner + border]):",
        MERKLE + "test_no_mutated_inclusion_proof_is_accepted[7]",
    ),
    Row(
        "ignore trailing nodes of a consistency proof",
        "core/merkle.py",
        "    if len(proof) != 1 + inner + border:\n        return False\n    old = new = proof[0]\n"
        "    for level, sibling in enumerate(proof[1:]):",
        "    if len(proof) < 1 + inner + border:\n        return False\n    old = new = proof[0]\n"
        "    for level, sibling in enumerate(proof[1 : 1 + inner + border]):",
        MERKLE + "test_no_mutated_consistency_proof_is_accepted[7]",
    ),
    ignored(
        "take a node for a leaf where the proof is short",
        "core/merkle.py",
        "if len(proof) != inner + border:",
        MERKLE + "test_a_node_is_not_taken_for_a_leaf",
    ),
    Row(
        "let anything follow from the empty tree",
        "core/merkle.py",
        "return not proof and old_root == EMPTY_ROOT",
        "return not proof",
        MERKLE + "test_the_empty_tree_begins_every_tree_and_nothing_else_fits_it",
    ),
    Row(
        "let two roots of one size differ",
        "core/merkle.py",
        "return not proof and old_root == new_root and",
        "return not proof and",
        MERKLE + "test_the_empty_tree_begins_every_tree_and_nothing_else_fits_it",
    ),
    Row(
        "forget the old root of a consistency proof",
        "core/merkle.py",
        "return old == old_root and new == new_root",
        "return new == new_root",
        MERKLE + "test_no_mutated_consistency_proof_is_accepted[7]",
    ),
    Row(
        "forget the new root of a consistency proof",
        "core/merkle.py",
        "return old == old_root and new == new_root",
        "return old == old_root",
        MERKLE + "test_no_mutated_consistency_proof_is_accepted[7]",
    ),
    Row(
        "prove leaves beyond the tree",
        "core/merkle.py",
        "proof) and index < size):",
        "proof)):",
        MERKLE + "test_a_leaf_behind_the_end_is_not_proven",
    ),
    Row(
        "hash leaves like nodes",
        "core/merkle.py",
        'return sha256(b"\\x00" + data).digest()',
        'return sha256(b"\\x01" + data).digest()',
        MERKLE + "test_the_prefixes_keep_leaves_and_nodes_apart",
    ),
    Row(
        "believe values that lie about themselves",
        "core/merkle.py",
        "return all(type(each) is bytes and len(each) == HASH_SIZE for each in (*hashes, *proof))",
        "return all(isinstance(each, bytes) and len(each) == HASH_SIZE for each in (*hashes, *proof))",
        MERKLE + "test_the_verifiers_answer_false_to_whatever_a_stranger_sends",
    ),
]

SIGNED = [
    Row(
        "do not verify signatures",
        "core/checkpoint.py",
        "or not check(key, line.signature, self.text.encode()):",
        "or False:",
        NOTES + "test_one_false_line_of_a_pinned_key_refuses_the_whole_note",
    ),
    ignored(
        "take a note that no pinned key signed",
        "core/checkpoint.py",
        "if not found:",
        NOTES + "test_a_note_without_a_pinned_signature_is_refused",
    ),
    ignored(
        "take the checkpoint of another log",
        "core/checkpoint.py",
        "if all(key.name != checkpoint.origin for key in signers):",
        NOTES + "test_a_checkpoint_of_another_log_is_refused_although_our_key_signed_it",
    ),
    Row(
        "take sizes with signs and zeros before them",
        "core/checkpoint.py",
        '_SIZE = re.compile(r"0|[1-9][0-9]{0,19}")',
        '_SIZE = re.compile(r"[+]?[0-9]{1,20}")',
        NOTES + "test_a_size_in_any_other_form_is_refused",
    ),
    ignored(
        "take another spelling of base64",
        "core/checkpoint.py",
        "if _base64(content) != text:",
        NOTES + "test_base64_with_spare_bits_is_refused",
    ),
    ignored(
        "take control characters in notes",
        "core/checkpoint.py",
        "if _CONTROL.search(note):",
        NOTES + "test_a_note_in_any_other_form_is_refused",
    ),
    ignored(
        "take any number of signatures",
        "core/checkpoint.py",
        "if len(lines) > MAX_SIGNATURES:",
        NOTES + "test_a_note_in_any_other_form_is_refused",
    ),
    Row(
        "let a retired key sign on",
        "core/keychain.py",
        "if needed not in signers or any(key not in (needed, *heirs) for key in signers):",
        "if not signers:",
        OPERATOR + "[sqlite-sign-with-a-retired-key]",
    ),
    ignored(
        "hand over to a key of another log",
        "core/keychain.py",
        "if key.name != self.keys[0].name:",
        "tests/core/test_keychain.py::test_a_chain_that_cannot_be_is_refused",
    ),
]

LEAVES = [
    ignored(
        "take a leaf in any spelling",
        "core/leaf.py",
        "if canonical(raw) != leaf:",
        ENTRY + "test_reordered_fields_are_refused",
    ),
    ignored(
        "take a leaf of any format",
        "core/leaf.py",
        "if type(version) is not int or version != FORMAT:",
        ENTRY + "test_a_leaf_that_was_not_written_by_us_is_refused",
    ),
    Row(
        "take leaves with more fields",
        "core/leaf.py",
        "if raw.keys() != expected:",
        "if not raw.keys() >= expected:",
        ENTRY + "test_a_leaf_that_was_not_written_by_us_is_refused",
    ),
    Row(
        "take common leaves with unknown values",
        "core/leaf.py",
        "_read_choices(pattern.body.type, tuple(map(found.__getitem__, pattern.choices)))",
        "_read_choices",
        ENTRY + "test_what_is_no_leaf_is_refused_both_ways",
    ),
    ignored(
        "take common leaves with days that there are not",
        "core/leaf.py",
        "if found[name] is not None:",
        ENTRY + "test_what_is_no_leaf_is_refused_both_ways",
    ),
]

LEDGER = [
    Row(
        "do not look at tables and indexes",
        "ledger/inspection.py",
        "return shape.problem(connection)",
        "return None",
        OPERATOR + "[sqlite-put-a-view-in-the-place-of-a-table]",
    ),
    Row(
        "let others have triggers",
        "ledger/inspection.py",
        "for name in found:\n        return",
        "for name in list(found)[:0]:\n        return",
        OPERATOR + "[sqlite-add-a-trigger]",
    ),
    ignored(
        "do not compare the head with its note",
        "ledger/inspection.py",
        "if (signed.size, signed.root) != (tip.size, tip.tree.root()):",
        OPERATOR + "[sqlite-damage-the-frontier]",
    ),
    ignored(
        "do not compare the root of all leaves",
        "ledger/inspection.py",
        "if tree.root() != self.facts.root:",
        OPERATOR + "[sqlite-edit-the-newest-entry]",
    ),
    ignored(
        "let a checkpoint be ahead",
        "ledger/inspection.py",
        "if checkpoint.size > self.facts.size:",
        OPERATOR + "[sqlite-put-back-an-older-copy]",
    ),
    Row(
        "let every checkpoint fit",
        "ledger/inspection.py",
        "anchor.result = HOLDS if anchor.root == root else FORKED",
        "anchor.result = HOLDS",
        OPERATOR + "[sqlite-fork-from-an-older-copy]",
    ),
    Row(
        "do not look behind the head",
        "ledger/inspection.py",
        "or self._ahead() or self._beyond()",
        "or self._ahead()",
        OPERATOR + "[sqlite-append-an-entry-unsigned]",
    ),
    Row(
        "do not ask for the checkpoint that hands over",
        "ledger/inspection.py",
        "climb.forked or self._handed_over(climb) or",
        "climb.forked or",
        OPERATOR + "[sqlite-delete-the-checkpoint-that-hands-over]",
    ),
    Row(
        "trust the key that the ledger names",
        "ledger/inspection.py",
        "return self._chain is None or any(key in self._chain.keys for key in self.keys)",
        "return True",
        OPERATOR + "[sqlite-begin-a-new-ledger-under-a-new-key]",
    ),
    Row(
        "forget the high-water mark",
        "audit.py",
        "for note in _highwater(folder)]",
        "for note in _highwater(folder)[:0]]",
        OPERATOR + "[sqlite-put-back-an-older-copy]",
    ),
    ignored(
        "let times go back",
        "ledger/replaying.py",
        "if now < page.at:",
        OPERATOR + "[sqlite-backdate-an-entry-and-sign-anew]",
    ),
    Row(
        "do not open the commitments to payloads",
        "ledger/replaying.py",
        "if not is_bytes(salt, body) or payload_commitment(salt, body) != commitment:",
        "if not is_bytes(salt, body):",
        OPERATOR + "[sqlite-change-evidence]",
    ),
    ignored(
        "let payloads be missing",
        "ledger/replaying.py",
        "if not _erased(connection, seq, subject):",
        OPERATOR + "[sqlite-delete-a-payload]",
    ),
    Row(
        "skip the check for orphans",
        "ledger/replaying.py",
        'return Bad(seq, f"entry {seq} has a payload, and its leaf does not commit to one")',
        "continue",
        AUDIT + "test_a_changed_commitment_is_found",
    ),
    ignored(
        "let erased payloads come back",
        "ledger/replaying.py",
        "if revived is not None:",
        OPERATOR + "[sqlite-bring-back-an-erased-payload]",
    ),
    Row(
        "let any erasure excuse anybody",
        "ledger/replaying.py",
        "projections.topics(connection, kind.type, subject)",
        "projections.topics(connection, kind.type, None)",
        "tests/test_erasure.py::test_an_erasure_covers_only_the_person_it_names",
    ),
    Row(
        "do not open the commitments to people",
        "ledger/people.py",
        'or subject_commitment(salt, key_id, index) != told.get("sid"):',
        "or False:",
        OPERATOR + "[sqlite-change-a-blind-index]",
    ),
    Row(
        "do not ask what the other process found",
        "ledger/inspection.py",
        "or people.first_bad(self, crowd.result())",
        "or None",
        "tests/ledger/test_apart.py::test_the_same_is_found_first_in_two_processes",
    ),
    ignored(
        "do not count people",
        "ledger/people.py",
        "if crowd.seen != expected:",
        OPERATOR + "[sqlite-drop-a-person]",
    ),
    ignored(
        "let the forgotten come back",
        "ledger/people.py",
        "if id_ in forgotten:",
        OPERATOR + "[sqlite-bring-back-somebody-forgotten]",
    ),
    Row(
        "look only for what is missing from a list",
        "ledger/people.py",
        "wrong = stored ^ expected[table]",
        "wrong = expected[table] - stored",
        OPERATOR + "[sqlite-invent-a-consent]",
    ),
    Row(
        "look only for what is too much in a list",
        "ledger/people.py",
        "wrong = stored ^ expected[table]",
        "wrong = stored - expected[table]",
        OPERATOR + "[sqlite-remove-somebody-from-the-list]",
    ),
    ignored(
        "do not compare the index keys",
        "ledger/replaying.py",
        "if key.id == body.index_key_id and key.commitment != body.index_key_commitment:",
        OPERATOR + "[sqlite-swap-the-index-key]",
    ),
    ignored(
        "sign on from an older copy",
        "ledger/heads.py",
        "if highest.size > tip.size:",
        "tests/faults/test_operator.py::test_an_older_copy_is_not_continued",
    ),
    ignored(
        "sign over damage",
        "ledger/heads.py",
        "if (signed.size, signed.root) != (tip.size, tip.tree.root()):",
        "tests/faults/test_operator.py::test_nothing_is_signed_over_a_damaged_frontier",
    ),
    ignored(
        "sign what the database did not keep",
        "ledger/appending.py",
        "if (seq, leaf) != ours:",
        "tests/ledger/test_appending.py::test_leaves_are_hashed_as_the_database_gives_them_back",
    ),
]

BUNDLES = [
    ignored(
        "trust the key in the bundle",
        "bundle/checking.py",
        "if self.pinned and not any(key in chain.keys for key in self.pinned):",
        BUNDLE + "test_another_key_is_wrong",
    ),
    Row(
        "do not verify proofs of inclusion",
        "bundle/checking.py",
        "if proof.index != seq or not merkle.verify_inclusion(",
        "if proof.index != seq or not merkle.verify_inclusion and merkle.verify_inclusion(",
        BUNDLE + "test_what_does_not_fit_is_named",
    ),
    Row(
        "do not verify growth",
        "bundle/checking.py",
        "not merkle.verify_consistency(",
        "not merkle.verify_consistency and merkle.verify_consistency(",
        BUNDLE + "test_what_does_not_fit_is_named",
    ),
    ignored(
        "let a kept checkpoint differ",
        "bundle/checking.py",
        "if ours is not None and ours != checkpoint.root:",
        BUNDLE + "test_a_fork_signed_with_the_real_key_is_caught_by_a_checkpoint_that_was_kept",
    ),
    ignored(
        "do not compare the root of the entries",
        "bundle/checking.py",
        "if (tree.size, tree.root()) != (head.size, head.root):",
        BUNDLE + "test_entries_with_their_tiles_but_another_root_are_wrong",
    ),
    ignored(
        "do not compare tiles",
        "bundle/checking.py",
        "if self.files.content(name) != content:",
        BUNDLE + "test_every_changed_byte_is_found",
    ),
    ignored(
        "let a bundle about one person be about two",
        "bundle/checking.py",
        "if self.grade is Grade.PERSON and len(opened.people) > 1:",
        BUNDLE + "test_a_bundle_about_one_person_holds_nobody_else",
    ),
    ignored(
        "do not open people in bundles",
        "bundle/checking.py",
        "if subject_commitment(subject.salt, subject.key, subject.index) != sid:",
        BUNDLE + "test_what_does_not_fit_is_named",
    ),
    ignored(
        "do not open payloads in bundles",
        "bundle/reading.py",
        "if payload_commitment(payload.salt, payload.body) != pii:",
        BUNDLE + "test_what_does_not_fit_is_named",
    ),
    ignored(
        "let files be added to a bundle",
        "bundle/checking.py",
        'if name not in known and name.partition("/")[0] not in folders:',
        BUNDLE + "test_files_that_are_missing_or_do_not_belong_are_wrong",
    ),
    ignored(
        "do not compare digests",
        "bundle/reader.py",
        'if hashlib.file_digest(stream, "sha256").hexdigest() != digest:',
        BUNDLE + "test_every_changed_byte_is_found",
    ),
    Row(
        "let the script pass over a wrong signature",
        "bundle/verify.sh",
        'signed "$t/key" checkpoint || wrong',
        'signed "$t/key" checkpoint || true || wrong',
        SCRIPT + "test_another_key_is_wrong",
    ),
    Row(
        "let the script pass over a wrong root",
        "bundle/verify.sh",
        '[ "$(top "$t/leaves")" = "$root" ] || wrong',
        '[ "$(top "$t/leaves")" = "$root" ] || true || wrong',
        SCRIPT + "test_a_change_with_new_digests_is_wrong",
    ),
    Row(
        "let the script pass over a wrong opening",
        "bundle/verify.sh",
        '*) wrong "$1 does not open entry $number";;',
        "*) true;;",
        SCRIPT + "test_proofs_and_openings_cannot_change_places",
    ),
]

SABOTAGES = [Sabotage(row) for row in (*PROOFS, *SIGNED, *LEAVES, *LEDGER, *BUNDLES)]
