"""InfoGAN: a GAN whose generator learns a categorical and continuous latent codes without labels."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf
import tensorflow_probability as tfp

from keras_gen.distributions.noise import Noise

from ..core.endpoint import Endpoint, Port
from ..core.global_batch import BatchNoise, GlobalBatch
from ..core.player import Player
from ..gan.model import GAN

tfd = tfp.distributions

# Q's smallest standard deviation of a code, which has the range [-1, 1]: a miss by 1 costs 50 nats, and 10 levels of a
# code can be distinguished
MIN_CODE_SCALE = 0.1
UNINFORMED_CATEGORY = 0.05  # below this part of the possible information, the category is ignored
# information of a code in nats, log 2 - log(2 pi e / 3) / 2, if Q is the best normal distribution without the image
UNINFORMED = math.log(2.0) - 0.5 * math.log(2.0 * math.pi * math.e / 3.0)


@keras.saving.register_keras_serializable("keras_gen")
class InfoGAN(GAN):
    """A GAN with a categorical and continuous codes that are learned without labels.

    The input of the generator is the concatenation of noise z, a category c1 ~ OneHotCategorical(1 / K) and codes
    c2 ~ Uniform(-1, 1). Q(c | x), a head on the discriminator's trunk, infers category and codes from the image. With
    the lower bound of the mutual information

        I(c; G(z, c)) >= L = E[log Q(c | G(z, c))] + H(c),

    the paper solves min over G, Q, max over D of V(D, G) - lambda L(G, Q). Because D and Q share the trunk, both losses
    include the term, as in the authors' code: the discriminator's player updates trunk, D and Q by the objective's
    loss - lambda L, and the generator's player updates G by its loss - lambda L with Q fixed. In both players, lambda
    therefore weighs information against the adversarial loss.

    Besides the metrics of `GAN`, the model reports `category_information` (at most log K) and `code_information`, the
    two parts of L in nats, and `information_loss`, the term - lambda L of both losses.

    For a code, log Q is the log-density of a normal distribution with mean m(x) and scale s(x) of the network. It is at
    most -log s - log(2 pi) / 2, and -(c - m)^2 / (2 s^2) has no lower bound as s approaches 0: a single image for which
    Q is certain and wrong outweighs a batch (an error of 0.5 with s = 0.01 is -1,250 nats). The scale is therefore at
    least 0.1, so that a code has at most 2.08 nats. L is below 0 where Q predicts worse than the prior; the best Q that
    ignores the image has -0.18 nats for each code. The authors' code for MNIST avoids the problem with a fixed scale of
    1, and then Q does not measure how well a code is recognized.

    Args:
        generator: [batch, noise + categories + codes] -> images in [0, 1].
        trunk: Images -> features.
        discriminator_head: Features -> logits [batch, 1].
        q_head: Features -> [batch, categories + 2 * codes]: logits, means and unconstrained scales; see `recognize`.
        num_categories: Number K of categories, >= 2.
        num_codes: Number of continuous codes, >= 0.
        category_weight: lambda of the category, >= 0; 1 in the paper.
        code_weight: lambda of the continuous codes, >= 0; below 1 in the paper (section 6).
        **kwargs: The other arguments of `GAN`, except `packing`, `num_classes` and `prior`. With `augment`, Q sees
            images without augmentation.

    Raises:
        ValueError: As `GAN`, for weights below 0, or networks that do not fit.

    Reference:
        Chen, Duan, Houthooft, Schulman, Sutskever, Abbeel 2016, InfoGAN, arXiv:1606.03657, eq. 5 and 6.
    """

    tracked = (*GAN.tracked, "information_loss", "category_information", "code_information")
    label_setting = None  # categories are learned without labels
    config_attributes = dict.fromkeys(("discriminator", "prior", "packing", "num_classes"))  # not its own arguments

    def __init__(
        self,
        generator: keras.Model,
        trunk: keras.Model,
        discriminator_head: keras.Model,
        q_head: keras.Model,
        *,
        num_categories: int,
        num_codes: int,
        category_weight: float,
        code_weight: float,
        **kwargs: Any,
    ):
        if refused := sorted({"packing", "num_classes", "prior"} & set(kwargs)):
            raise ValueError(
                "Expected none of packing, num_classes and prior, as an InfoGAN learns its categories without labels "
                f"and has a prior of its own; received {', '.join(refused)}: leave them out"
            )
        discriminator = keras.Model(trunk.inputs[0], discriminator_head(trunk.outputs[0]), name="discriminator")
        super().__init__(generator, discriminator, **kwargs)
        self.trunk, self.discriminator_head, self.q_head = trunk, discriminator_head, q_head
        self.recognizer = keras.Model(trunk.inputs[0], q_head(trunk.outputs[0]), name="recognizer")
        self.num_categories, self.num_codes = num_categories, num_codes
        self.category_weight, self.code_weight = category_weight, code_weight
        self.noise_size = self.latent_size - num_categories - num_codes
        if num_categories < 2 or num_codes < 0 or self.noise_size < 1:
            raise ValueError(
                "Expected a generator with at least 1 input of noise besides num_categories (>= 2) and num_codes (>= 0)"
                f"; received {self.latent_size} inputs, num_categories={num_categories} and num_codes={num_codes}"
            )
        for name in ("category_weight", "code_weight"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ValueError(f"Expected {name} >= 0; received {getattr(self, name)!r}")
        num_outputs = num_categories + 2 * num_codes
        if q_head.output_shape[-1] != num_outputs:
            raise ValueError(
                f"Expected a q_head with {num_outputs} outputs: {num_categories} logits, and mean and scale of "
                f"{num_codes} codes; received one with {q_head.output_shape[-1]}"
            )

    # training

    def players(self) -> list[Player]:
        discriminator, generator = super().players()
        return [dataclasses.replace(discriminator, networks=(self.discriminator, self.q_head)), generator]

    def shared_forward(self, batch: dict, batch_noise: BatchNoise, training: bool) -> dict[str, tf.Tensor]:
        noise = batch_noise.noise(self.noise())
        generated = self.run_generator(_concatenate(noise), training=training)
        logits = self.shared_logits(batch, generated, batch_noise, training)
        # category and code depend on no variable: no gradient flows back through them
        return {"generated": generated, "category": noise["category"], "code": noise["code"], **logits}

    def discriminator_loss(
        self, batch: dict, shared: dict, batch_noise: BatchNoise, global_batch: GlobalBatch, training: bool
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Returns the objective's loss with its penalty minus the weighted information [batch], and metrics."""
        losses, metrics = super().discriminator_loss(batch, shared, batch_noise, global_batch, training)
        information_loss, information = self._information(shared, training)
        return losses + information_loss, metrics | {"information_loss": information_loss} | information

    def generator_loss(
        self, batch: dict, shared: dict, batch_noise: BatchNoise, global_batch: GlobalBatch, training: bool
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Returns the objective's loss minus the weighted information [batch], and no metrics."""
        losses, metrics = super().generator_loss(batch, shared, batch_noise, global_batch, training)
        return losses + self._information(shared, training)[0], metrics

    def _information(self, shared: dict, training: bool) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Returns minus the weighted lower bound of the mutual information, and its parts in nats: [batch] each."""
        category, code = self.recognize(shared["generated"], training)
        category_information = category.log_prob(shared["category"]) + self._category_prior().entropy()
        code_information = code.log_prob(shared["code"]) + self._code_prior().entropy()
        loss = -(self.category_weight * category_information + self.code_weight * code_information)
        return loss, {"category_information": category_information, "code_information": code_information}

    def recognize(self, images: Any, training: bool = False) -> tuple[tfd.Distribution, tfd.Distribution]:
        """Returns Q(c | x): a OneHotCategorical over the categories and independent normals over the codes.

        The scale of a code is 0.1 + softplus(output).

        Args:
            images: [batch, height, width, channels] in [0, 1].
            training: Passed to the networks.
        """
        parameters = tf.cast(self.recognizer(images, training=training), tf.float32)
        logits, mean, raw = tf.split(parameters, [self.num_categories, self.num_codes, self.num_codes], axis=-1)
        category = tfd.OneHotCategorical(logits=logits, dtype=tf.float32)
        return category, tfd.Independent(tfd.Normal(mean, MIN_CODE_SCALE + tf.nn.softplus(raw)), 1)

    def _category_prior(self) -> tfd.Distribution:
        return tfd.OneHotCategorical(logits=tf.zeros([self.num_categories]))

    def _code_prior(self) -> tfd.Distribution:
        return tfd.Independent(tfd.Uniform(-tf.ones([self.num_codes]), tf.ones([self.num_codes])), 1)

    def diagnose(self, logs: Mapping[str, float]) -> dict[str, str]:
        """Adds to the diagnoses of `GAN` that Q predicts categories or codes no better than without the image."""
        diagnoses = super().diagnose(logs)
        possible = math.log(self.num_categories)
        category_information = logs.get("category_information", possible)
        if self.category_weight and category_information < UNINFORMED_CATEGORY * possible:
            diagnoses["Q does not recognize the categories"] = (
                f"category_information is {category_information:.2g} nats of the {possible:.2g} that are possible: the "
                f"images do not depend on the category. More epochs or a larger category_weight (now "
                f"{self.category_weight:g}) may help"
            )
        information = min(logs.get(name, 0.0) for name in ("code_information", "val_code_information"))
        if self.num_codes and self.code_weight and information < self.num_codes * UNINFORMED:
            diagnoses["Q does not recognize the codes"] = (
                f"code_information is {information:.3g} nats, below the {self.num_codes * UNINFORMED:.2g} of a Q that "
                "ignores the image: Q is certain of codes that are wrong. A smaller learning rate, a larger "
                "code_weight or normalization='layer' may help"
            )
        return diagnoses

    # generation and inference

    def noise(self) -> dict[str, Noise]:
        """Returns z, category and code; `generate(num, category=3, code=[0.5, 0])` fixes some and samples the rest."""
        return {
            "z": Noise("normal", (self.noise_size,)),
            "category": Noise("one_hot", (self.num_categories,)),
            "code": Noise("uniform_symmetric", (self.num_codes,)),
        }

    def generate_from(self, noise: dict, label: Any = None) -> tf.Tensor:
        return self.run_generator(_concatenate(noise), network=self.inference_network("generator"))

    def infer(self, image: Any) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the probabilities of the categories [batch, categories] and the means of the codes [batch, codes].

        Args:
            image: [batch, height, width, channels] in [0, 1].

        Raises:
            ValueError: For images outside [0, 1], or of another shape.
        """
        image = self.images_of("image", image, in_graph=False)
        category, code = self.recognize(tf.convert_to_tensor(image))
        return category.probs_parameter(), code.mean()

    def endpoints(self) -> list[Endpoint]:
        """Returns `generate(z, category, code) -> image` and `infer(image) -> category, code`."""
        image = Port(self.image_shape, "image")
        outputs = {"category": Port((self.num_categories,), "label"), "code": Port((self.num_codes,), "value")}

        def infer(image):
            return dict(zip(outputs, self.infer(image), strict=True))

        return [*super().endpoints(), Endpoint("infer", infer, {"image": image}, outputs)]


def _concatenate(noise: dict) -> tf.Tensor:
    return tf.concat([noise["z"], noise["category"], noise["code"]], axis=-1)
