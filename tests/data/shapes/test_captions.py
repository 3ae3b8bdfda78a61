import re

import numpy as np
import pytest

from keras_gen.data.shapes.captions import FORMS, caption_shapes
from keras_gen.data.shapes.factors import FACTORS, Factors

DRAWN = Factors.draw(400, 5)


def one_of(factor):
    return f"(?P<{factor}>{'|'.join(sorted(FACTORS[factor], key=len, reverse=True))})"


THING = f"a {one_of('size')} {one_of('texture')} {one_of('color')} {one_of('shape')}"
PLACE = f"(at the {one_of('position')}|in the center)"
GRAMMAR = (
    f"{THING} {PLACE}",
    f"{THING} {one_of('rotation')} {PLACE}",
    f"{THING} {PLACE} on a {one_of('background')} background",
    f"{PLACE}, {THING}",
)


@pytest.mark.parametrize("form", range(FORMS))
def test_captions_follow_the_grammar_and_match_their_factors(form):
    for i, sentence in enumerate(caption_shapes(DRAWN, form)):
        match = re.fullmatch(GRAMMAR[form], sentence)
        assert match, sentence
        names = {factor: name or "center" for factor, name in match.groupdict().items()}
        assert names == {factor: FACTORS[factor][getattr(DRAWN, factor)[i]] for factor in names}


def test_caption_of_named_factors():
    star = Factors.named(shape="star", color="red", texture="striped", size="small", position="top left")
    assert caption_shapes(star) == ["a small striped red star at the top left"]


def test_forms_can_differ_per_caption_and_unknown_forms_raise():
    mixed = caption_shapes(DRAWN, np.arange(400) % FORMS)
    assert mixed[3] == caption_shapes(DRAWN[3:4], 3)[0] and mixed[4] == caption_shapes(DRAWN[4:5], 0)[0]
    with pytest.raises(ValueError, match="form from 0 to 3; received 4"):
        caption_shapes(DRAWN, 4)
