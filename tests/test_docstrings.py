"""Docstrings parse in Google style: one argument per entry, each of them in the signature and with a type."""

import logging
import pathlib

import griffe

ROOT = pathlib.Path(__file__).parents[1]


def warnings_of(package: str, folder: pathlib.Path) -> list[str]:
    """Returns the messages of the docstring parser for a package."""
    messages = []
    handler = logging.Handler()
    handler.emit = lambda record: messages.append(record.getMessage())
    logger = logging.getLogger("griffe")
    logger.addHandler(handler)
    try:
        _parse(griffe.load(package, search_paths=[folder], docstring_parser="google"))
    finally:
        logger.removeHandler(handler)
    return messages


def _parse(item: griffe.Object | griffe.Alias) -> None:
    if item.is_alias:
        return
    if item.docstring:
        _ = item.docstring.parsed
    for member in item.members.values():
        _parse(member)


def test_grouped_arguments_are_detected(tmp_path):
    (tmp_path / "grouped").mkdir()
    (tmp_path / "grouped" / "__init__.py").write_text(
        'def f(a: int, b: int):\n    """Adds.\n\n    Args:\n        a, b: summands.\n    """\n'
    )
    assert any("a, b" in message for message in warnings_of("grouped", tmp_path))


def test_docstrings_of_the_package_are_valid():
    assert warnings_of("keras_gen", ROOT) == []
