"""InfoGAN: a GAN whose generator keeps information about part of its input, which a network reads off the image."""

import dataclasses
import warnings

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from keras_gen.distributions.noise import Noise
from keras_gen.distributions.posteriors import positive

from ..core.endpoint import Endpoint, Port
from ..gan.model import GAN

tfd = tfp.distributions


@keras.saving.register_keras_serializable("keras_gen")
class InfoGAN(GAN):
    """A GAN with a categorical and continuous codes, found without labels.

    The generator takes noise z, a category c1 ~ OneHotCategorical(1 / K) and codes c2 ~ Uniform(-1, 1), joined in this
    order. Q(c | x), a head on the discriminator's trunk, guesses them from the image. With the lower bound of their
    mutual information,

        I(c; G(z, c)) >= L = E[log Q(c | G(z, c))] + H(c),

    the paper's game is min over G, Q, max over D of V(D, G) - lambda L(G, Q). Since D and Q share the trunk, both
    losses have the term, as in the authors' code: the discriminator's player moves trunk, D and Q by the objective's
    loss - lambda L, and the generator's moves G by its loss - lambda L, with Q held fixed. A lambda thus weighs
    information against the adversarial loss of either player.

    Reported: `category_information` (at most log K) and `code_information`, the two parts of L in nats, and
    `information_loss`, - lambda L, which both players' losses contain.

    Args:
        generator: [batch, noise + categories + codes] -> images in [0, 1].
        trunk: images -> features.
        discriminator_head: features -> logits [batch, 1].
        q_head: features -> [batch, categories + 2 * codes]: logits, means, raw scales.
        num_categories: K >= 2.
        num_codes: continuous codes, >= 0.
        category_weight, code_weight: lambda of the two parts, >= 0; the paper has 1 for categories, less for codes.
        **options: as `GAN`'s, without `prior`, `packing` and `num_classes`. Q sees images without `augment`.

    Raises:
        ValueError: as `GAN`, for weights below 0, or networks that do not fit.

    Reference:
        Chen, Duan, Houthooft, Schulman, Sutskever, Abbeel 2016, InfoGAN, arXiv:1606.03657, eq. 5 and 6.
    """

    tracked = (*GAN.tracked, "information_loss", "category_information", "code_information")

    def __init__(
        self,
        generator: keras.Model,
        trunk: keras.Model,
        discriminator_head: keras.Model,
        q_head: keras.Model,
        *,
        num_categories: int = 10,
        num_codes: int = 2,
        category_weight: float = 1.0,
        code_weight: float = 0.1,
        **options,
    ):
        if options.get("packing", 1) != 1 or options.get("num_classes"):
            raise ValueError(
                "InfoGAN judges images one by one and finds classes itself: leave out packing and num_classes"
            )
        discriminator = keras.Model(trunk.inputs[0], discriminator_head(trunk.outputs[0]), name="discriminator")
        super().__init__(generator, discriminator, **options)
        self.trunk, self.discriminator_head, self.q_head = trunk, discriminator_head, q_head
        self.recognizer = keras.Model(trunk.inputs[0], q_head(trunk.outputs[0]), name="recognizer")
        self.num_categories, self.num_codes = num_categories, num_codes
        self.category_weight, self.code_weight = category_weight, code_weight
        self.noise_size = self.latent_size - num_categories - num_codes
        if num_categories < 2 or num_codes < 0 or self.noise_size < 1:
            raise ValueError(
                f"The generator takes {self.latent_size} numbers; expected at least 1 of noise besides num_categories="
                f"{num_categories} (>= 2) and num_codes={num_codes} (>= 0)"
            )
        for name in ("category_weight", "code_weight"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ValueError(f"Expected {name} >= 0; received {getattr(self, name)!r}")
        wanted = num_categories + 2 * num_codes
        if q_head.output_shape[-1] != wanted:
            raise ValueError(
                f"q_head must give {wanted} numbers: {num_categories} logits, and mean and scale of {num_codes} codes; "
                f"it gives {q_head.output_shape[-1]}"
            )

    # training

    def players(self):
        discriminator, generator = super().players()
        return [dataclasses.replace(discriminator, networks=(self.discriminator, self.q_head)), generator]

    def shared_forward(self, batch, batch_noise, training):
        noise = batch_noise.noise(self.noise())
        shared = {"generated": self.generated(_joined(noise), training=training)}
        # constants for every player: only what the networks make has a gradient to carry
        return (
            shared
            | self.logits_made(batch, shared, batch_noise, training)
            | {f"given_{k}": v for k, v in noise.items()}
        )

    def discriminator_loss(self, batch, shared, batch_noise, global_batch, training):
        """The objective and its penalty less the weighted information, for trunk, D and Q."""
        losses, metrics = super().discriminator_loss(batch, shared, batch_noise, global_batch, training)
        information, of_parts = self._information(shared, training)
        return losses + information, metrics | {"information_loss": information} | of_parts

    def generator_loss(self, batch, shared, batch_noise, global_batch, training):
        """What the objective asks of the generator, less the weighted information."""
        losses, metrics = super().generator_loss(batch, shared, batch_noise, global_batch, training)
        return losses + self._information(shared, training)[0], metrics

    def _information(self, shared, training: bool) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Minus the weighted lower bound of the mutual information, and its parts in nats: [rows] each."""
        category, code = self.guess(shared["generated"], training)
        of_category = category.log_prob(shared["given_category"]) + self._category_prior().entropy()
        of_code = code.log_prob(shared["given_code"]) + self._code_prior().entropy()
        loss = -(self.category_weight * of_category + self.code_weight * of_code)
        return loss, {"category_information": of_category, "code_information": of_code}

    def guess(self, images, training: bool = False) -> tuple[tfd.Distribution, tfd.Distribution]:
        """Q(c | x): a OneHotCategorical over categories and independent normals over the codes."""
        parameters = tf.cast(self.recognizer(images, training=training), tf.float32)
        logits, mean, raw = tf.split(parameters, [self.num_categories, self.num_codes, self.num_codes], axis=-1)
        return tfd.OneHotCategorical(logits=logits, dtype=tf.float32), tfd.Independent(
            tfd.Normal(mean, positive(raw)), 1
        )

    def _category_prior(self) -> tfd.Distribution:
        return tfd.OneHotCategorical(logits=tf.zeros([self.num_categories]))

    def _code_prior(self) -> tfd.Distribution:
        return tfd.Independent(tfd.Uniform(-tf.ones([self.num_codes]), tf.ones([self.num_codes])), 1)

    def compile_from_config(self, config: dict):
        """As `AdversarialModel.compile_from_config`; a file that has a third optimizer, "information", is opened too.

        Such a file is of the time when the information had a player of its own, whose Adam cancelled the weights. It
        serves as before; to train it further is to begin with the discriminator's optimizer anew.
        """
        optimizers = dict(config["optimizer"])
        if optimizers.pop("information", None) is not None:
            warnings.warn(
                "This InfoGAN was trained with an optimizer for the information alone. Its networks are restored; "
                "further training minimizes other losses and begins with a new state of the discriminator's optimizer",
                stacklevel=2,
            )
        super().compile_from_config({**config, "optimizer": optimizers})

    # use

    def noise(self):
        """z, category and code; `generate(num, category=3, code=[0.5, 0])` takes what is given and draws the rest."""
        return {
            "z": Noise("normal", (self.noise_size,)),
            "category": Noise("one_hot", (self.num_categories,)),
            "code": Noise("uniform_symmetric", (self.num_codes,)),
        }

    def generate_from(self, noise, label=None):
        return self.generated(_joined(noise), network=self.inference_network("generator"))

    label_setting = None  # it finds classes itself

    def infer(self, image) -> tuple[tf.Tensor, tf.Tensor]:
        """Images -> probabilities of the categories [batch, categories], and the means of the codes [batch, codes].

        Raises:
            ValueError: for images outside [0, 1], or of another shape.
        """
        image = self.images_of("image", image, everywhere=False)
        category, code = self.guess(tf.convert_to_tensor(image))
        return category.probs_parameter(), code.mean()

    def endpoints(self):
        """`generate(z, category, code)` and `infer(image) -> category, code`."""
        image = Port(self.image_shape, "image")
        outputs = {"category": Port((self.num_categories,), "label"), "code": Port((self.num_codes,), "value")}

        def infer(image):
            return dict(zip(outputs, self.infer(image), strict=True))

        return [*super().endpoints(), Endpoint("infer", infer, {"image": image}, outputs)]

    def get_config(self) -> dict:
        config = super().get_config()
        for name in ("discriminator", "prior", "packing", "num_classes"):
            del config[name]
        own = ("num_categories", "num_codes", "category_weight", "code_weight")
        parts = ("trunk", "discriminator_head", "q_head")
        return {
            **config,
            **{name: getattr(self, name) for name in own},
            **{name: keras.saving.serialize_keras_object(getattr(self, name)) for name in parts},
        }


def _joined(noise: dict) -> tf.Tensor:
    return tf.concat([noise["z"], noise["category"], noise["code"]], axis=-1)
