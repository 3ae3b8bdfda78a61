"""What `load` can be asked to do to images, by name; checked without TensorFlow, which does it."""

from collections.abc import Iterable

AUGMENTATIONS = ("flip", "crop", "shift", "color")
# "auto" is "dynamic" where the images are nearly binary, else None
AUTO = "auto"
BINARIZATIONS = (None, "dynamic", "threshold", AUTO)


def check_augmentations(names: Iterable[str] | str | None) -> tuple[str, ...]:
    """The names as a tuple.

    Raises:
        ValueError: for an unknown name; lists the known ones.
    """
    names = (names,) if isinstance(names, str) else tuple(names or ())
    for name in names:
        if name not in AUGMENTATIONS:
            raise ValueError(f"augment={name!r} is unknown; known: {', '.join(AUGMENTATIONS)}.")
    return names


def check_binarization(how: str | None) -> str | None:
    """The way to binarize, as it was given.

    Raises:
        ValueError: for an unknown one; lists the known ones.
    """
    if how not in BINARIZATIONS:
        known = ", ".join(repr(way) for way in BINARIZATIONS)
        raise ValueError(f"binarize={how!r} is unknown; known: {known}.")
    return how
