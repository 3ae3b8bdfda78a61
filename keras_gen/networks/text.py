"""A text encoder for devices: word embeddings and convolutions along the sentence, summed over the words."""

import keras
from keras import layers

from keras_gen.layers import WordMask


def text_encoder(
    num_words: int, length: int, size: int, *, base_filters: int = 128, convolutions: int = 2, kernel: int = 3
) -> keras.Model:
    """Returns a text encoder: tokens, integers [batch, length] -> [batch, size], unbounded.

    The output is the sum over the words of their embeddings and of convolutional features of their neighborhoods, so
    words that never occurred together in training keep their own contributions. Padding (token 0) has no effect: the
    same words in a longer row have the same embedding. The paper's character-level convolutional-recurrent encoder
    would need a recurrent network on the device; words and convolutions run in every precision.

    Args:
        num_words: words of the vocabulary; tokens are 0 (padding), 1 (unknown) and 2 to num_words + 1.
        length: tokens in a row.
        size: dimensions of the embedding.
        base_filters: channels of the convolutions.
        convolutions: number of convolutions, >= 1; the receptive field is `1 + convolutions * (kernel - 1)` words.
        kernel: size of the kernels, in words.

    Raises:
        ValueError: for convolutions < 1.

    Reference:
        Kim 2014, Convolutional Neural Networks for Sentence Classification, arXiv:1408.5882 (words and convolutions).
        Iyyer, Manjunatha, Boyd-Graber, Daume III 2015, Deep Unordered Composition Rivals Syntactic Methods for Text
        Classification (sums of word vectors). Reed, Akata, Schiele, Lee 2016, arXiv:1605.05395 (text encoders for
        images).
    """
    if convolutions < 1:
        raise ValueError(f"Expected convolutions >= 1; received {convolutions}")
    tokens = keras.Input((length,), dtype="int32", name="tokens")
    mask = WordMask()(tokens)
    embedding = layers.Embedding(
        num_words + 2, size, embeddings_initializer=keras.initializers.RandomNormal(stddev=0.3)
    )
    x = words = layers.Multiply()([embedding(tokens), mask])
    for _ in range(convolutions):
        x = layers.Conv1D(base_filters, kernel, padding="same", activation="relu", kernel_initializer="he_normal")(x)
        x = layers.Multiply()([x, mask])
    encoded = layers.Multiply()([layers.Add()([words, layers.Dense(size)(x)]), mask])
    # the mean over the whole row times its length is the sum, in which padding is 0
    mean = layers.GlobalAveragePooling1D(dtype="float32")(encoded)
    return keras.Model(tokens, layers.Rescaling(float(length), dtype="float32")(mean), name="text_encoder")
