"""Names of splits in folders and arrays: the usual ones, in any case, and what each is called here."""

import re

# as written on disk, in lower case -> as `keras_gen.data.load` calls it
SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "test": "test",
    "testing": "test",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
}
_DOMAIN = re.compile(rf"^({'|'.join(SPLIT_NAMES)})([ab])$", re.IGNORECASE)
_NAME = re.compile(r"(?<![\w.-])[A-Za-z]+(?=\[|\+|\s|$)")


def split_name(text: str) -> str | None:
    """The split that a name stands for, or None: `"Testing"` -> `"test"`, `"cats"` -> None."""
    return SPLIT_NAMES.get(text.lower())


def domain_name(text: str) -> tuple[str, str] | None:
    """Split and domain that a name stands for, or None: `"TrainA"` -> `("train", "A")`."""
    match = _DOMAIN.match(text)
    return match and (SPLIT_NAMES[match[1].lower()], match[2].upper())


def rename_splits(split: str, known) -> str:
    """Replaces other names of the known splits in a split description.

    Args:
        split: as `keras_gen.data.load` takes it.
        known: names of the splits that there are; names that are among them, or stand for none of them, stay.

    Example:
        >>> rename_splits("val[:10%]+Train", ["train", "validation"])
        'validation[:10%]+train'
    """

    def renamed(match: re.Match) -> str:
        name = split_name(match[0])
        return name if match[0] not in known and name in known else match[0]

    return _NAME.sub(renamed, str(split))
