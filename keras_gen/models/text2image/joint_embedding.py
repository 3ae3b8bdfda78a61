"""A joint embedding of images and captions: it pretrains the text encoder, and scores how well an image fits a text."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from keras_gen.losses import joint_embedding

from ..core.endpoint import Endpoint, Port
from ..core.generative_model import GenerativeModel
from ..core.global_batch import BatchNoise, GlobalBatch
from ..core.text_conditional import TextConditional
from .preset import LOSS, TEMPERATURE


@keras.saving.register_keras_serializable("keras_gen")
class JointEmbedding(TextConditional, GenerativeModel):
    """A text encoder and an image encoder, trained so that an image and its caption score higher than mismatched pairs.

    With `loss="contrastive"`, the score of an image and a caption is the cosine similarity of their embeddings divided
    by the temperature; with `"structured"`, it is their inner product. Each image is compared with every caption of the
    global batch and each caption with every image; equal captions do not count as mismatched. The contrastive loss is
    the mean over both directions, the structured one their sum, as in its paper.

    The model reports the loss, `image_accuracy` (the share of images with the highest score for their own caption in
    the batch) and `text_accuracy` (the share of captions with the highest score for their own image).

    Args:
        text_encoder: Tokens, integers [batch, length] -> [batch, size].
        image_encoder: Images [batch, height, width, channels] in [0, 1] -> [batch, n].
        projection: Embeddings of texts [batch, size] -> [batch, n], which are compared with images, or None to compare
            the embeddings themselves. What is compared retains only what distinguishes the captions of a batch; before
            the projection, the embedding retains every word, which a generator needs.
        vocabulary: Words in the order of their tokens; see `keras_gen.data.Tokenizer`.
        loss: `"contrastive"` or `"structured"`, see `keras_gen.losses.joint_embedding`.
        temperature: Temperature of the contrastive loss, > 0.
        image_noise: Standard deviation, >= 0, of normal noise added to the images while training, in units of their
            range [0, 1]. The gradients of an encoder that was trained with noise resemble what its captions describe,
            which helps a generator that is trained with them, see `Text2Image`.
        seed: Seed of the noise; None draws one.
        **kwargs: Keras's `name` and `dtype`.

    Raises:
        ValueError: For an unknown loss, a temperature or noise out of range, or encoders of different sizes.

    Reference:
        Reed, Akata, Schiele, Lee 2016, arXiv:1605.05395 (structured). Chen, Kornblith, Norouzi, Hinton 2020,
        arXiv:2002.05709, section 4.2 (the representation before the projection is better). Radford et al. 2021,
        arXiv:2103.00020 (contrastive). Kaur, Cohen, Lipton 2019, arXiv:1910.08640 (gradients of classifiers trained
        with noise).
    """

    tracked = ("loss", "image_accuracy", "text_accuracy")
    image_shape: tuple[int, int, int]

    def __init__(
        self,
        text_encoder: keras.Model,
        image_encoder: keras.Model,
        projection: keras.Model | None = None,
        *,
        vocabulary: Sequence[str],
        loss: str = LOSS,
        temperature: float = TEMPERATURE,
        image_noise: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(seed=seed, **kwargs)
        self.set_text_encoder(text_encoder, vocabulary)
        self.projection = projection
        self.image_encoder, self.loss, self.temperature = image_encoder, loss, temperature
        self.image_noise = image_noise
        self.image_shape = tuple(image_encoder.input_shape[1:])
        if loss not in joint_embedding.LOSSES:
            raise ValueError(f"Expected loss as one of {', '.join(joint_embedding.LOSSES)}; received {loss!r}")
        if not temperature > 0 or not image_noise >= 0:
            raise ValueError(
                f"Expected temperature > 0 and image_noise >= 0; received {temperature!r} and {image_noise!r}"
            )
        check_joint_space(self.embedding_size, image_encoder, projection)

    def losses_of(
        self, batch: dict, batch_noise: BatchNoise, global_batch: GlobalBatch, training: bool
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        tokens = self.tokens_of(batch)
        image = add_noise(batch["image"], self.image_noise if training else 0.0, batch_noise)
        image, text = self.embed_image(image, training), project(self.projection, self.embed(tokens, training))
        own, same = caption_targets(tokens, global_batch)
        loss_of = joint_embedding.LOSSES[self.loss]
        losses, metrics = [], {}
        for name, queries, candidates in (
            ("image", image, global_batch.gather(text)),
            ("text", text, global_batch.gather(image)),
        ):
            scores = self._scores(queries[:, None], candidates[None])
            losses.append(loss_of(scores, own, same))
            # an equal caption counts as correct, as in the loss
            best = tf.argmax(scores, axis=1, output_type=tf.int32)
            metrics[f"{name}_accuracy"] = tf.cast(tf.gather(same, best, batch_dims=1), tf.float32)
        return losses[0] + losses[1] if self.loss == "structured" else (losses[0] + losses[1]) / 2, metrics

    def embed_image(self, image: Any, training: bool = False) -> tf.Tensor:
        """Returns the embeddings of images [batch, height, width, channels] in [0, 1], float32 [batch, n]."""
        return tf.cast(self.image_encoder(image, training=training), tf.float32)

    def score(self, image: tf.Tensor, text: tf.Tensor) -> tf.Tensor:
        """Returns the scores [...] of embeddings of images [..., n] and of texts [..., size], which broadcast."""
        return self._scores(image, project(self.projection, text))

    def _scores(self, image: tf.Tensor, text: tf.Tensor) -> tf.Tensor:
        if self.loss == "structured":
            return tf.reduce_sum(image * text, axis=-1)
        return tf.reduce_sum(tf.nn.l2_normalize(image, -1) * tf.nn.l2_normalize(text, -1), axis=-1) / self.temperature

    def call(self, inputs: Any, training: bool = False) -> tf.Tensor:
        """Returns the score of each image with its own caption [batch], from a batch with `image` and `tokens`."""
        image = self.embed_image(inputs["image"], training)
        return self.score(image, self.embed(self.tokens_of(inputs), training))

    def endpoints(self) -> list[Endpoint]:
        """Returns `embed(tokens) -> embedding` and `embed_image(image) -> embedding`."""
        outputs = {"embedding": Port(tuple(self.image_encoder.output_shape[1:]), "value")}

        def embed_image(image):
            return {"embedding": self.embed_image(image)}

        image = {"image": Port(self.image_shape, "image")}
        return [self.embed_endpoint(), Endpoint("embed_image", embed_image, image, outputs)]


def check_joint_space(size: int, image_encoder: keras.Model, projection: keras.Model | None) -> None:
    """Validates that texts, after the projection if there is one, and images are embedded in one space.

    Args:
        size: Dimensions of a text's embedding.
        image_encoder: Images -> [batch, n].
        projection: Embeddings of texts -> [batch, n], or None.

    Raises:
        ValueError: For embeddings of different shapes.
    """
    image_shape = tuple(image_encoder.output_shape[1:])
    if projection is None:
        if image_shape != (size,):
            raise ValueError(
                f"Expected an image_encoder with embeddings of the text_encoder's shape {(size,)}; received one with "
                f"{image_shape}: change its size, or add a projection"
            )
        return
    shapes = tuple(projection.input_shape[1:]), tuple(projection.output_shape[1:])
    if shapes != ((size,), image_shape):
        raise ValueError(
            f"Expected a projection from the text_encoder's {(size,)} to the image_encoder's {image_shape}; received "
            f"one from {shapes[0]} to {shapes[1]}"
        )


def project(projection: keras.Model | None, text: Any) -> tf.Tensor:
    """Returns the projected embeddings of texts, float32 [..., n].

    Args:
        projection: [batch, size] -> [batch, n], or None for the embeddings themselves.
        text: Embeddings [..., size].
    """
    text = tf.convert_to_tensor(text)
    if projection is None:
        return tf.cast(text, tf.float32)
    rows = tf.cast(projection(tf.reshape(text, [-1, text.shape[-1]])), tf.float32)
    return tf.reshape(rows, [*tf.unstack(tf.shape(text)[:-1]), rows.shape[-1]])


def add_noise(image: tf.Tensor, stddev: float, batch_noise: BatchNoise) -> tf.Tensor:
    """Returns images with normal noise of a standard deviation >= 0, float32; 0 draws no noise."""
    image = tf.cast(image, tf.float32)
    return image + stddev * batch_noise.normal(image.shape[1:]) if stddev else image


def caption_targets(tokens: tf.Tensor, global_batch: GlobalBatch) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the correct captions of each row among all captions of the global batch.

    Args:
        tokens: Captions of this replica's rows, [rows, length].
        global_batch: The position of these rows in the global batch.

    Returns:
        The index of the row's own caption, int32 [rows]; and which captions are equal to it, bool [rows, total].
    """
    tokens = tf.cast(tokens, tf.float32)
    same = tf.reduce_all(tokens[:, None] == global_batch.gather(tokens)[None], axis=-1)
    # a replica without examples computes on a row of zeros, whose index would exceed the last one
    return tf.minimum(global_batch.first + tf.range(tf.shape(tokens)[0]), global_batch.total - 1), same
