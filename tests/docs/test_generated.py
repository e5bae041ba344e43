"""The reference pages say what the code does now."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from suppress import errors

ROOT = Path(__file__).parents[2]


def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATE = _generator()


@pytest.mark.parametrize("page", sorted(GENERATE.PAGES))
def test_the_page_is_what_the_generator_writes(page: str) -> None:
    """After a change of the code: python docs/generate.py."""
    assert GENERATE.render(page) == (GENERATE.REFERENCE / page).read_text(encoding="utf-8")


def test_every_exit_code_of_an_error_is_documented() -> None:
    """Cron jobs branch on these."""
    codes = {error.exit_code for error in GENERATE._tree(errors.SuppressError)}

    assert codes <= GENERATE.EXIT_CODES.keys()
    assert 1 not in codes


def test_every_link_inside_the_docs_leads_somewhere() -> None:
    """A reader who follows a link arrives."""
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
        if not target.startswith(("http:", "https:", "mailto:")) and not (page.parent / target).exists()
    ]

    assert [] == broken
