"""Text to image: a GAN conditioned on a caption, with a discriminator that reads it too (GAN-CLS, GAN-INT)."""

from collections.abc import Sequence

import keras
import tensorflow as tf

from keras_gen.distributions.noise import Noise
from keras_gen.losses import adversarial

from ..core.diagnostics import diagnose_discriminator
from ..core.endpoint import Endpoint, Port
from ..core.player import Player
from ..core.text_conditional import TextConditional
from .captioned_vae import CaptionedVAE
from .joint_embedding import JointEmbedding
from .text_game import TextGame
from .validation import check


@keras.saving.register_keras_serializable("keras_gen")
class Text2Image(TextConditional, TextGame):
    """A generator draws what a caption says; a discriminator judges image and caption together.

    The text encoder is trained before, with images, in a `JointEmbedding`, and frozen here. With s_r, s_w and s_f the
    discriminator's logits of {real image, its caption}, {real image, another image's caption} and {generated image,
    the caption it was made for}, the discriminator minimizes, with `matching_aware`,

        D(s_r, s_f) / 2 + D(s_r, s_w) / 2,

    D being the objective's loss of a real and a generated logit; for the paper's objective this is
    -log sigmoid(s_r) - (log(1 - sigmoid(s_w)) + log(1 - sigmoid(s_f))) / 2. Without `matching_aware` it is D(s_r, s_f).
    The generator minimizes the objective's loss of s_f and, with `interpolate`, also that of an image made for the mean
    of two captions' embeddings, judged with this mean, for which there is no real image.

    A wrong caption is drawn from all captions of the global batch that differ from the image's own; where none
    differs, the image is judged without. A caption that differs may still be true (a shorter description): where data
    describe images in several ways, this is noise in the discriminator's task.

    With `matching_weight` > 0, which the paper does not have, the generator also minimizes so many times the
    contrastive loss of a frozen image encoder, trained with the text encoder: a generated image is to be closer to its
    own caption than to the others of the batch.

    With a `style_encoder`, which the paper trains afterwards, the generator remains the decoder of a `CaptionedVAE`
    while it plays: together they also minimize `style_weight` times minus the ELBO of the real images, in nats, for
    normal pixels with a standard deviation of `style_scale`.

    Reported: both losses; `discriminator_accuracy` (real against generated, 1/2 where it cannot tell),
    `match_accuracy` (right against wrong captions of real images, also without `matching_aware`), and
    `sample_diversity` as in `GAN`; with a `style_encoder` also `style_error`, the mean absolute error of real images
    that are drawn again, and `style_kl`, in nats.

    Args:
        generator: [noise [batch, n], embeddings [batch, size]] -> images [batch, height, width, channels] in [0, 1].
        trunk: images -> features; sees no text.
        head: [features, embeddings [batch, size]] -> logits [batch, 1].
        text_encoder: tokens, integers [batch, length] -> embeddings [batch, size]; it is frozen.
        vocabulary: words, in the order of their tokens; see `keras_gen.data.Tokenizer`.
        matching_aware: teach the discriminator wrong captions (GAN-CLS).
        interpolate: teach the generator embeddings between captions (GAN-INT).
        objective, penalty: as `GAN`'s; a penalty is taken with the image's own caption.
        image_encoder: images -> [batch, n], for `matching_weight`; it is frozen.
        projection: embeddings of texts -> [batch, n], where they are compared with those of images, or None; it is
            frozen. See `JointEmbedding`.
        matching_weight: of the contrastive loss for the generator, >= 0.
        matching_noise: standard deviation, >= 0, of normal noise on the images that the frozen encoder is given, in
            units of their range; it should have been trained with as much (`JointEmbedding`'s `image_noise`).
        temperature: of that loss, > 0.
        style_encoder: [images, embeddings] -> mean and raw scale of the noise, [batch, 2 n], or None.
        style_weight: >= 0.
        style_scale: > 0.
        ema: decay of the generator's moving average, or None.
        seed: of all noise.

    Raises:
        ValueError: for unknown names, a missing vocabulary, or networks that do not fit.

    Reference:
        Reed, Akata, Yan, Logeswaran, Schiele, Lee 2016, Generative Adversarial Text to Image Synthesis,
        arXiv:1605.05396, algorithm 1 (GAN-CLS), equation 5 (GAN-INT, beta = 0.5) and section 4.4 (style encoder). Xu et
        al. 2018, AttnGAN, arXiv:1711.10485 (a matching loss of encoders trained before, for the generator). Bao et al.
        2017, CVAE-GAN, arXiv:1703.10155 (a VAE's terms beside the game's).
    """

    averaged_networks = ("generator",)
    shared_networks = ("generator",)
    tracked = (
        *("discriminator_loss", "generator_loss", "discriminator_accuracy"),
        *("match_accuracy", "sample_diversity"),
    )

    def __init__(
        self,
        generator: keras.Model,
        trunk: keras.Model,
        head: keras.Model,
        text_encoder: keras.Model,
        *,
        vocabulary: Sequence[str],
        matching_aware: bool = True,
        interpolate: bool = True,
        objective: str | dict = "non_saturating",
        penalty: str | dict | None = None,
        image_encoder: keras.Model | None = None,
        projection: keras.Model | None = None,
        matching_weight: float = 0.0,
        matching_noise: float = 0.0,
        temperature: float = 0.1,
        style_encoder: keras.Model | None = None,
        style_weight: float = 0.01,
        style_scale: float = 0.1,
        ema: float | None = 0.999,
        seed: int | None = None,
        **kwargs,
    ):
        if style_encoder is not None:
            self.tracked = (*Text2Image.tracked, "style_error", "style_kl")
            self.shared_networks = ("generator", "style_encoder")
        super().__init__(ema=ema, seed=seed, **kwargs)
        self.take_text(text_encoder, vocabulary)
        text_encoder.trainable = False
        self.image_encoder, self.matching_weight, self.temperature = image_encoder, matching_weight, temperature
        self.matching_noise = matching_noise
        self.projection = projection
        for network in (image_encoder, projection):
            if network is not None:
                network.trainable = False
        self.generator, self.trunk, self.head = generator, trunk, head
        self.style_encoder, self.style_weight, self.style_scale = style_encoder, style_weight, style_scale
        self.matching_aware, self.interpolate = bool(matching_aware), bool(interpolate)
        self.image_shape = tuple(generator.output_shape[1:])
        check(self)
        self.latent_size = int(generator.inputs[0].shape[-1])
        self.take_penalty(penalty)
        self.objective, self._objective = objective, adversarial.get(objective)
        self.average()

    def players(self):
        return [
            Player("discriminator", (self.trunk, self.head), self.discriminator_loss),
            Player("generator", tuple(getattr(self, name) for name in self.shared_networks), self.generator_loss),
        ]

    def diagnose(self, logs):
        return diagnose_discriminator(logs, critic=self._objective.name == "wasserstein")

    # use

    def load_pretrained(self, learned: JointEmbedding | CaptionedVAE) -> None:
        """Take over what another model has learned of the same captions, before training.

        Of a joint embedding, the text encoder, the image encoder and the projection; and the trunk, if the joint
        embedding's image encoder begins with one of the same structure: the discriminator then starts with features
        that captions speak of. Of a VAE, the text encoder, the generator, which was its decoder, and the style encoder.

        Raises:
            ValueError: for another vocabulary, or networks of another structure.
        """
        if learned.vocabulary != self.vocabulary or learned.length != self.length:
            raise ValueError(
                f"Expected a model of the same vocabulary and length, {len(self.vocabulary)} words and "
                f"{self.length}; received {len(learned.vocabulary)} words and {learned.length}"
            )
        self.text_encoder.set_weights(learned.text_encoder.get_weights())
        if isinstance(learned, CaptionedVAE):
            for network in (self.generator, *self.ema_networks.values()):
                network.set_weights(learned.decoder.get_weights())
            if self.style_encoder is not None:
                self.style_encoder.set_weights(learned.encoder.get_weights())
            return
        if self.image_encoder is not None:
            self.image_encoder.set_weights(learned.image_encoder.get_weights())
            if (self.projection is None) != (learned.projection is None):
                raise ValueError("Expected a joint embedding with a projection if, and only if, this model has one")
            if self.projection is not None:
                self.projection.set_weights(learned.projection.get_weights())
        trunk = next((layer for layer in learned.image_encoder.layers if layer.name == self.trunk.name), None)
        if trunk is not None and _shapes(trunk) == _shapes(self.trunk):
            self.trunk.set_weights(trunk.get_weights())

    def generated(self, z, embedding, training: bool = False, network: keras.Model | None = None) -> tf.Tensor:
        """Noise [batch, n] and embeddings -> images float32 in [0, 1], by the generator that is trained or another."""
        inputs = [tf.convert_to_tensor(z), tf.convert_to_tensor(embedding)]
        return tf.cast((network or self.generator)(inputs, training=training), tf.float32)

    def noise(self):
        """z, standard normal."""
        return {"z": Noise("normal", (self.latent_size,))}

    def generate_from(self, noise, embedding):
        return self.generated(noise["z"], embedding, network=self.inference_network("generator"))

    def conditions_of(self, num: int, *, caption=None, tokens=None, embedding=None, **unknown) -> dict:
        """The text as `embedding` float32 [num, size]; given as one `caption`, or `num` of them, or `tokens`
        [num, length], or `embedding` [num, size] (a single row stands for all).
        """
        if unknown:
            raise ValueError(f"This model takes a text alone; received {', '.join(sorted(unknown))}")
        return {"embedding": self.embedding_of(num, caption=caption, tokens=tokens, embedding=embedding)}

    def call(self, inputs, training: bool = False) -> tf.Tensor:
        """The deploy path: `z` [batch, n] with `embedding`, or `tokens` -> images."""
        embedding = inputs["embedding"] if "embedding" in inputs else self.embed(self.tokens_of(inputs))
        return self.generate_from({"z": inputs["z"]}, embedding)

    def new_text_image_scorer(self, seed: int) -> JointEmbedding:
        """Returns an untrained joint embedding with default networks, for the evaluation of text-to-image generation.

        It shares no weights with this model.

        Args:
            seed: seed of its weights; use another one than the model's.
        """
        from .preset import joint_embedding

        return joint_embedding(self.image_shape, seed, vocabulary=self.vocabulary, length=self.length)

    def endpoints(self):
        """`embed(tokens) -> embedding` and `generate(embedding, z) -> image`."""
        inputs = {"embedding": Port((self.embedding_size,), "value"), "z": Port((self.latent_size,), "normal")}

        def generate(embedding, z):
            return {"image": self.generate_from({"z": z}, embedding)}

        image = {"image": Port(self.image_shape, "image")}
        return [self.embed_endpoint(), Endpoint("generate", generate, inputs, image)]

    def get_config(self) -> dict:
        own = (
            *("matching_aware", "interpolate", "objective", "ema"),
            *("matching_weight", "matching_noise", "temperature", "style_weight", "style_scale"),
        )
        parts = ("generator", "trunk", "head", "text_encoder")
        return {
            **super().get_config(),
            **{name: getattr(self, name) for name in own},
            **{name: keras.saving.serialize_keras_object(getattr(self, name)) for name in parts},
            **{
                name: getattr(self, name) and keras.saving.serialize_keras_object(getattr(self, name))
                for name in ("image_encoder", "projection", "style_encoder")
            },
            "vocabulary": list(self.vocabulary),
        }


def _shapes(network: keras.Model) -> list[tuple[int, ...]]:
    return [tuple(weight.shape) for weight in network.weights]
