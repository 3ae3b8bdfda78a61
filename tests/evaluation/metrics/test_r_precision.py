"""R-precision: known ranks, candidates, chance."""

import numpy as np
import pytest

from keras_gen.data import Factors, caption_shapes
from keras_gen.evaluation.evaluators.captions import caption_classes
from keras_gen.evaluation.metrics.r_precision import r_precision


def test_known_ranks():
    # image 0 prefers its own text, image 1 text 0, image 2 has two equally good ones
    scores = np.array([[3.0, 1.0, 2.0], [5.0, 4.0, 0.0], [1.0, 7.0, 7.0]])
    precision = r_precision(scores, np.arange(3), candidates=3)
    assert precision.value == pytest.approx((1 + 0 + 0.5) / 3)
    assert precision.chance == pytest.approx(1 / 3)
    assert precision.standard_error == pytest.approx(np.sqrt(0.5 * 0.5 / 3))


def test_a_text_of_the_same_class_is_not_a_candidate():
    scores = np.array([[1.0, 9.0, 0.0], [9.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    assert r_precision(scores, np.array([0, 0, 1]), candidates=2).value == 1
    assert r_precision(scores, np.array([0, 1, 2]), candidates=3).value == pytest.approx(1 / 3)


def test_random_scores_give_chance_level():
    generator = np.random.default_rng(0)
    scores = generator.normal(size=(2000, 2000))
    precision = r_precision(scores, np.arange(2000), candidates=10, seed=1)
    # standard error sqrt(.1 * .9 / 2000) = .0067
    assert abs(precision.value - 0.1) < 0.03 and precision.standard_error == pytest.approx(0.0067, rel=0.15)


def test_too_few_mismatched_texts():
    with pytest.raises(ValueError, match="Expected 2 texts of other classes for each image; received 1 for one"):
        r_precision(np.zeros((3, 3)), np.array([0, 0, 1]), candidates=3)
    with pytest.raises(ValueError, match=r"Expected scores \[num, num\]"):
        r_precision(np.zeros((3, 2)), np.arange(3))


def test_classes_of_shapes_do_not_depend_on_the_wording():
    star = Factors.named(shape="star", color="red", background="white", rotation="turned left")
    pair = [star, star.change(background="black"), star.change(color="blue")]
    captions = [caption_shapes(each, form)[0].encode() for each, form in zip(pair, (3, 2, 0), strict=True)]
    batch = {"caption": np.array(captions, object)}
    assert len(set(caption_classes(batch))) == 3  # without factors, the wording counts
    factors = {name: np.concatenate([getattr(each, name) for each in pair]) for name in star.as_dict()}
    classes = caption_classes({**batch, **factors})
    assert classes[0] == classes[1] != classes[2]


def test_classes_of_other_captions_are_their_words():
    classes = caption_classes({"caption": np.array([b"A cat", b"a  CAT!", b"a dog"], object)})
    assert classes[0] == classes[1] != classes[2]
