"""Captions of `shapes` from a small grammar.

sentence   = object place | object turn place | object place ground | place "," object
object     = "a" size texture color shape
place      = "at the" position | "in the center"
turn       = "upright" | "turned left" | "turned right"
ground     = "on a" background "background"
"""

import numpy as np

from .factors import FACTORS, Factors

FORMS = 4


def caption_shapes(factors: Factors, form: int | np.ndarray = 0) -> list[str]:
    """Returns captions of images.

    Args:
        factors: Factors of n images.
        form: 0 is the plain sentence ("a small striped red star at the top left"), 1 adds the rotation, 2 adds the
            background, 3 starts with the position; one number or [n].

    Returns:
        n sentences in lower case.

    Raises:
        ValueError: For an unknown form.

    Example:
        >>> caption_shapes(Factors.named(shape="star", size="small", position="top left"), 2)
        ['a small plain red star at the top left on a black background']
    """
    forms = np.broadcast_to(form, (len(factors),))
    if ((forms < 0) | (forms >= FORMS)).any():
        raise ValueError(f"Expected form from 0 to {FORMS - 1}; received {form!r}.")
    words = {factor: [names[i] for i in getattr(factors, factor)] for factor, names in FACTORS.items()}
    each = ({factor: named[i] for factor, named in words.items()} for i in range(len(factors)))
    return [_sentence(word, int(number)) for word, number in zip(each, forms, strict=True)]


def _sentence(word: dict[str, str], form: int) -> str:
    thing = f"a {word['size']} {word['texture']} {word['color']} {word['shape']}"
    place = "in the center" if word["position"] == "center" else f"at the {word['position']}"
    if form == 1:
        return f"{thing} {word['rotation']} {place}"
    if form == 2:
        return f"{thing} {place} on a {word['background']} background"
    return f"{place}, {thing}" if form == 3 else f"{thing} {place}"
