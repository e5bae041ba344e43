"""The policies that settings or a flag name: shipped ones by id, others by the file that holds them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from suppress.core.policy import Chosen, choose
from suppress.errors import BadFile, ConfigWrong

LARGEST = 131_072
"""Bytes. A larger file is no file of policies."""


def is_file(name: str) -> bool:
    """Whether the name of a policy is that of a file: ids hold no slash and do not end in .toml."""
    return "/" in name or os.sep in name or name.endswith(".toml")


def chosen(names: Sequence[str]) -> tuple[Chosen, ...]:
    """The policies of these names, each once, in order; a file stands for all policies in it.

    Raises:
        ConfigWrong: A shipped policy that does not exist, or one id that two files define.
        BadFile: A file that cannot be read or holds something that is no policy; with the line.
    """
    found: dict[str, Chosen] = {}
    for name in dict.fromkeys(names):
        for each in _of_file(Path(name)) if is_file(name) else (choose(name),):
            known = found.setdefault(each.id, each)
            if known != each:
                raise ConfigWrong(f"policy {each.id!r} is given twice, by {known.table} and by {each.table}")
    return tuple(found.values())


@cache
def _of_file(path: Path) -> tuple[Chosen, ...]:
    # Reading checks holidays, whose library takes a third of a second to import.
    from hashlib import sha256

    from suppress.core.policy_file import PolicyWrong, read

    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as refused:
        raise BadFile(f"{path}: cannot be read: {refused.strerror or type(refused).__name__}") from None
    if len(content) > LARGEST:
        raise BadFile(f"{path}: is larger than {LARGEST:,} bytes, so it is no file of policies")
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as wrong:
        line = content.count(b"\n", 0, wrong.start) + 1
        raise BadFile(f"{path}, line {line}: is not UTF-8 text", line=line) from None
    try:
        policies = read(text)
    except PolicyWrong as wrong:
        place = str(path) if wrong.line is None else f"{path}, line {wrong.line}"
        raise BadFile(f"{place}: {wrong.says}", line=wrong.line) from None
    digest = sha256(content).hexdigest()
    return tuple(Chosen(id_, versions, path.name, digest) for id_, versions in policies.items())
