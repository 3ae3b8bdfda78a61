"""Within `keras_gen.data`, imports go in one direction."""

import ast
import pathlib

import pytest

from keras_gen import data

PACKAGE = pathlib.Path(data.__file__).parent
# every part imports only itself and parts of smaller rank
RANKS = {
    **dict.fromkeys(("value_range", "choices", "slices", "tokenizer", "orientation"), 0),
    **dict.fromkeys(("info", "resize"), 1),
    "cache": 2,
    "sources": 3,
    **dict.fromkeys(("shapes", "transforms", "pipeline", "options"), 4),
    "resolve": 5,
    "pixels": 6,
    "loading": 7,
    "__init__": 8,
}
FILES = sorted(PACKAGE.rglob("*.py"))


def part_of(parts: tuple[str, ...]) -> str:
    return parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_in_one_direction(path):
    source = path.relative_to(PACKAGE).parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            parts = (*source[: len(source) - node.level], *(node.module or "").split("."))
            part = part_of(parts)
            assert part == part_of(source) or RANKS[part] < RANKS[part_of(source)], f"line {node.lineno} imports {part}"
