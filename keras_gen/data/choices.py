"""Names of augmentations and binarizations; importing and checking them does not import TensorFlow."""

from collections.abc import Iterable

AUGMENTATIONS = ("flip", "crop", "shift", "color")
# "auto" is "dynamic" if the images are nearly binary, otherwise None
AUTO = "auto"
BINARIZATIONS = (None, "dynamic", "threshold", AUTO)


def check_augmentations(names: Iterable[str] | str | None) -> tuple[str, ...]:
    """Returns the names of augmentations as a tuple.

    Raises:
        ValueError: For an unknown name.
    """
    names = (names,) if isinstance(names, str) else tuple(names or ())
    for name in names:
        if name not in AUGMENTATIONS:
            raise ValueError(f"Expected augment as names among {', '.join(AUGMENTATIONS)}; received {name!r}.")
    return names


def check_binarization(binarize: str | None) -> str | None:
    """Returns the binarization unchanged.

    Raises:
        ValueError: For an unknown one.
    """
    if binarize not in BINARIZATIONS:
        expected = ", ".join(map(repr, BINARIZATIONS))
        raise ValueError(f"Expected binarize as one of {expected}; received {binarize!r}.")
    return binarize
