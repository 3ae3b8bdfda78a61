"""A text encoder that runs on devices: embedded words, convolutions along the sentence, the sum over it."""

import keras
from keras import layers

from keras_gen.layers import WordMask


def text_encoder(
    num_words: int, length: int, size: int, *, base_filters: int = 128, convolutions: int = 2, kernel: int = 3
) -> keras.Model:
    """Tokens, integers [batch, length] -> [batch, size], unbounded.

    The sum over the words of an embedding of each and of what convolutions say of it in its neighbourhood. So words
    that never stood together in training still give what each of them gives. A row's filling (token 0) changes
    nothing: the same words in a longer row have the same embedding. A character-level convolutional-recurrent encoder,
    as in the paper, wants a recurrent network on the device; words and convolutions run in every precision.

    Args:
        num_words: words of the vocabulary; tokens are 0 (filling), 1 (unknown) and 2 to num_words + 1.
        length: tokens in a row.
        size: of the embedding.
        base_filters: channels of the convolutions.
        convolutions: how many, >= 1; the last one sees `1 + convolutions * (kernel - 1)` neighboring words.
        kernel: words that each sees.

    Raises:
        ValueError: for convolutions < 1.

    Reference:
        Kim 2014, Convolutional Neural Networks for Sentence Classification, arXiv:1408.5882 (words and convolutions).
        Iyyer, Manjunatha, Boyd-Graber, Daume III 2015, Deep Unordered Composition Rivals Syntactic Methods for Text
        Classification (sums of word vectors). Reed, Akata, Schiele, Lee 2016, arXiv:1605.05395 (text encoders for
        images).
    """
    if convolutions < 1:
        raise ValueError(f"convolutions must be >= 1; received {convolutions}")
    tokens = keras.Input((length,), dtype="int32", name="tokens")
    mask = WordMask()(tokens)
    words = layers.Embedding(num_words + 2, size, embeddings_initializer=keras.initializers.RandomNormal(stddev=0.3))
    x = words = layers.Multiply()([words(tokens), mask])
    for _ in range(convolutions):
        x = layers.Conv1D(base_filters, kernel, padding="same", activation="relu", kernel_initializer="he_normal")(x)
        x = layers.Multiply()([x, mask])
    heard = layers.Multiply()([layers.Add()([words, layers.Dense(size)(x)]), mask])
    # the mean over the whole row times its length: the filling counts nothing
    mean = layers.GlobalAveragePooling1D(dtype="float32")(heard)
    return keras.Model(tokens, layers.Rescaling(float(length), dtype="float32")(mean), name="text_encoder")
