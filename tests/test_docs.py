"""References of the documentation to the repository are valid."""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parents[1]
PAGES = sorted(ROOT.glob("docs/*.md"))
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_referenced_tests_exist(page):
    missing = [
        f"{file}::{name}"
        for file, name in TEST.findall(page.read_text())
        if not (ROOT / file).is_file() or f"def {name}(" not in (ROOT / file).read_text()
    ]
    assert not missing


def test_pages_reference_tests():
    assert sum(len(TEST.findall(page.read_text())) for page in PAGES) > 30
