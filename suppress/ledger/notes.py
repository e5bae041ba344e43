"""Reading a checkpoint that somebody kept: a file with a signed note, or a bundle's folder with one in it."""

from __future__ import annotations

from pathlib import Path

from suppress.core.checkpoint import MAX_NOTE, BadNote, Checkpoint, Note
from suppress.errors import BadFile

CHECKPOINT_FILE = "checkpoint"
"""What the note is called in a bundle."""


def read_note(place: Path) -> str:
    """The note, well-formed and not yet believed.

    Raises:
        BadFile: It cannot be read, or is no checkpoint.
    """
    file = place / CHECKPOINT_FILE if place.is_dir() else place
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_NOTE + 1)
        note = Note.parse(content)
        Checkpoint.parse(note.text)
    except OSError as refused:
        raise BadFile(f"{file} cannot be read: {refused.strerror}") from refused
    except BadNote as wrong:
        raise BadFile(f"{file} is not a checkpoint: {wrong}") from wrong
    return str(note)
