"""Images and their captions in one space: the text encoder's teacher, and the judge of what a text's images show."""

from collections.abc import Sequence

import keras
import tensorflow as tf

from keras_gen.losses import joint_embedding

from ..core.endpoint import Endpoint, Port
from ..core.generative_model import GenerativeModel
from ..core.global_batch import GlobalBatch
from ..core.text_conditional import TextConditional


@keras.saving.register_keras_serializable("keras_gen")
class JointEmbedding(TextConditional, GenerativeModel):
    """Trains a text encoder and an image encoder so that an image and its caption score higher than any mismatch.

    The score of an image and a caption is, with `loss="contrastive"`, the cosine of their embeddings divided by the
    temperature; with `"structured"`, their inner product. Each image is compared with every caption of the global
    batch and each caption with every image; equal captions do not count as mismatches. Contrastive: the mean of both
    directions; structured: their sum, as in its paper.

    Reported: the loss; `image_accuracy` and `text_accuracy`, how often an image scores highest with its own caption
    (and a caption with its own image) in the batch.

    Args:
        text_encoder: tokens, integers [batch, length] -> [batch, size].
        image_encoder: images [batch, height, width, channels] in [0, 1] -> [batch, n].
        projection: a text's embedding [batch, size] -> [batch, n], where it is compared with images, or None where the
            embedding is compared itself. Comparing keeps only what tells the batch's captions apart; before the
            projection the text encoder keeps every word, of which a generator has more.
        vocabulary: words, in the order of their tokens; see `keras_gen.data.Tokenizer`.
        loss: `"contrastive"` or `"structured"`, see `keras_gen.losses.joint_embedding`.
        temperature: of the contrastive loss, > 0.
        image_noise: standard deviation, >= 0, of normal noise that images get in training, in units of their range
            [0, 1]. The gradients of an encoder that has seen noise look more like what its captions name: of use to a
            model that follows them, see `Text2Image`.
        seed: of the noise.

    Raises:
        ValueError: for an unknown loss, a temperature or noise out of range, or encoders of different sizes.

    Reference:
        Reed, Akata, Schiele, Lee 2016, arXiv:1605.05395 (structured). Chen, Kornblith, Norouzi, Hinton 2020,
        arXiv:2002.05709, section 4.2 (what stands before the projection serves better than what is compared). Radford
        et al. 2021, arXiv:2103.00020 (contrastive). Kaur, Cohen, Lipton 2019, arXiv:1910.08640
        (gradients of classifiers trained with noise).
    """

    tracked = ("loss", "image_accuracy", "text_accuracy")

    def __init__(
        self,
        text_encoder: keras.Model,
        image_encoder: keras.Model,
        projection: keras.Model | None = None,
        *,
        vocabulary: Sequence[str],
        loss: str = "contrastive",
        temperature: float = 0.1,
        image_noise: float = 0.0,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, **kwargs)
        self.take_text(text_encoder, vocabulary)
        self.projection = projection
        self.image_encoder, self.loss, self.temperature = image_encoder, loss, temperature
        self.image_noise = image_noise
        self.image_shape = tuple(image_encoder.input_shape[1:])
        if loss not in joint_embedding.LOSSES:
            raise ValueError(f"Unknown loss {loss!r}: expected one of {', '.join(joint_embedding.LOSSES)}")
        if not temperature > 0 or not image_noise >= 0:
            raise ValueError(
                f"temperature must be > 0 and image_noise >= 0; received {temperature!r} and {image_noise!r}"
            )
        check_compared(self)

    def losses_of(self, batch, batch_noise, global_batch, training):
        tokens = self.tokens_of(batch)
        image = noisy(batch["image"], self.image_noise if training else 0.0, batch_noise)
        image, text = self.embed_image(image, training), project(self.projection, self.embed(tokens, training))
        own, same = own_and_same(tokens, global_batch)
        formula = joint_embedding.LOSSES[self.loss]
        rows, metrics = [], {}
        for name, ours, theirs in (
            ("image", image, global_batch.gather(text)),
            ("text", text, global_batch.gather(image)),
        ):
            scores = self._scores(ours[:, None], theirs[None])
            rows.append(formula(scores, own, same))
            # by the loss's own rule: an equal caption is no mistake
            best = tf.argmax(scores, axis=1, output_type=tf.int32)
            right = tf.gather(same, best, batch_dims=1)
            metrics[f"{name}_accuracy"] = tf.cast(right, tf.float32)
        return rows[0] + rows[1] if self.loss == "structured" else (rows[0] + rows[1]) / 2, metrics

    def embed_image(self, image, training: bool = False) -> tf.Tensor:
        """Images -> embeddings float32 [batch, size]."""
        return tf.cast(self.image_encoder(image, training=training), tf.float32)

    def score(self, image: tf.Tensor, text: tf.Tensor) -> tf.Tensor:
        """Scores of embeddings of images [..., n] and of texts [..., size], which broadcast: [...]."""
        return self._scores(image, project(self.projection, text))

    def _scores(self, image: tf.Tensor, text: tf.Tensor) -> tf.Tensor:
        if self.loss == "structured":
            return tf.reduce_sum(image * text, axis=-1)
        return tf.reduce_sum(tf.nn.l2_normalize(image, -1) * tf.nn.l2_normalize(text, -1), axis=-1) / self.temperature

    def call(self, inputs, training: bool = False) -> tf.Tensor:
        """A batch with `image` and `tokens` -> the score of each image with its own caption [batch]."""
        image = self.embed_image(inputs["image"], training)
        return self.score(image, self.embed(self.tokens_of(inputs), training))

    def endpoints(self):
        """`embed(tokens) -> embedding` and `embed_image(image) -> embedding`."""
        embedding = {"embedding": Port((self.embedding_size,), "value")}
        return [
            self.embed_endpoint(),
            Endpoint(
                "embed_image",
                lambda image: {"embedding": self.embed_image(image)},
                {"image": Port(self.image_shape, "image")},
                embedding,
            ),
        ]

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "text_encoder": keras.saving.serialize_keras_object(self.text_encoder),
            "image_encoder": keras.saving.serialize_keras_object(self.image_encoder),
            "projection": self.projection and keras.saving.serialize_keras_object(self.projection),
            "vocabulary": list(self.vocabulary),
            "loss": self.loss,
            "temperature": self.temperature,
            "image_noise": self.image_noise,
        }


def project(projection: keras.Model | None, text) -> tf.Tensor:
    """Embeddings of texts [..., size] -> [..., n], where they are compared with images: float32."""
    text = tf.convert_to_tensor(text)
    if projection is None:
        return tf.cast(text, tf.float32)
    rows = tf.cast(projection(tf.reshape(text, [-1, text.shape[-1]])), tf.float32)
    return tf.reshape(rows, [*tf.unstack(tf.shape(text)[:-1]), rows.shape[-1]])


def check_compared(model) -> None:
    """Raise a ValueError unless texts, behind the `projection` where there is one, and images meet in one space."""
    size, images = model.embedding_size, tuple(model.image_encoder.output_shape[1:])
    if model.projection is None:
        if images != (size,):
            raise ValueError(
                f"The text_encoder gives {size} numbers; the image_encoder gives {images}: expected as many, or a "
                "projection between them"
            )
        return
    found = tuple(model.projection.input_shape[1:]), tuple(model.projection.output_shape[1:])
    if found != ((size,), images):
        raise ValueError(
            f"The projection must go from the text_encoder's {(size,)} to the image_encoder's {images}; it goes from "
            f"{found[0]} to {found[1]}"
        )


def noisy(image: tf.Tensor, deviation: float, batch_noise) -> tf.Tensor:
    """Images with normal noise of a standard deviation; 0 leaves them as they are."""
    image = tf.cast(image, tf.float32)
    return image + deviation * batch_noise.normal(image.shape[1:]) if deviation else image


def own_and_same(tokens: tf.Tensor, global_batch: GlobalBatch) -> tuple[tf.Tensor, tf.Tensor]:
    """Where each row's own caption stands among all of the global batch, and which of them are equal to it.

    Args:
        tokens: of this replica's rows, [rows, length].
        global_batch: where these lie.

    Returns:
        int32 [rows], and bool [rows, total].
    """
    tokens = tf.cast(tokens, tf.float32)
    same = tf.reduce_all(tokens[:, None] == global_batch.gather(tokens)[None], axis=-1)
    # a replica without examples computes on a row of zeros, whose place would lie behind the last
    return tf.minimum(global_batch.first + tf.range(tf.shape(tokens)[0]), global_batch.total - 1), same
