"""Wrong captions: always another text, all as likely."""

import numpy as np
import tensorflow as tf

from keras_gen.models.text2image.mismatched_captions import mismatched_captions

TOKENS = tf.constant([[2.0, 0.0], [2.0, 0.0], [3.0, 0.0], [2.0, 4.0]])


def test_equal_captions_are_never_wrong_and_the_others_are_as_likely():
    noise = tf.constant(np.random.default_rng(0).uniform(size=(3000, 4, 4)), tf.float32)
    drawn = np.array([mismatched_captions(TOKENS, TOKENS, each)[0] for each in noise])
    for row in (0, 1):
        # 3,000 draws of one in two: the share has standard error .009
        np.testing.assert_allclose(np.bincount(drawn[:, row], minlength=4) / 3000, [0, 0, 0.5, 0.5], atol=0.04)
    np.testing.assert_allclose(np.bincount(drawn[:, 2], minlength=4) / 3000, [1 / 3, 1 / 3, 0, 1 / 3], atol=0.04)


def test_where_all_are_equal_there_is_none():
    chosen, known = mismatched_captions(TOKENS[:2], TOKENS[:2], tf.zeros([2, 2]))
    assert not known.numpy().any() and set(chosen.numpy()) <= {0, 1}
    assert mismatched_captions(TOKENS[:1], TOKENS, tf.zeros([1, 4]))[1].numpy().all()
