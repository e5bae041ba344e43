"""What an author starts from is typed as strictly as we are: examples, skeleton, the guide's plugin."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from suppress.plugin.skeleton import skeleton
from tests.docs.test_write_an_exporter import PAGE
from tests.plugin.test_hookspec import HOOKS, code


def test_examples_skeleton_and_guide_pass_a_strict_type_check(tmp_path: Path) -> None:
    """An editor that checks types shows an author nothing that is not theirs."""
    for hook in HOOKS:
        (tmp_path / f"example_{hook}.py").write_text(code(hook), encoding="utf-8")
    skeleton("fresh", tmp_path).write()
    written = skeleton("crm", tmp_path)
    written.write()
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL):
        path = re.match(r"# (\S+)", block)
        assert path is not None
        (written.folder / path[1]).write_text(block, encoding="utf-8")
    checked = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent"),
            *("--cache-dir", str(tmp_path / "cache"), "--no-error-summary", str(tmp_path)),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ("", 0) == (checked.stdout, checked.returncode)
