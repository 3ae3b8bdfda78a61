"""The autoencoder: a baseline that reconstructs images but has no distribution to sample codes from."""

from typing import Any

import keras
import tensorflow as tf

from keras_gen.distributions import Prior
from keras_gen.losses import reconstruction

from ..core.encoder_decoder import EncoderDecoder
from ..core.global_batch import BatchNoise, GlobalBatch
from .preset import LOSS


@keras.saving.register_keras_serializable("keras_gen")
class Autoencoder(EncoderDecoder):
    """An autoencoder, trained with a reconstruction loss alone.

    `fit(x, y)` trains a denoising autoencoder (Vincent et al. 2008): it encodes the images x and reconstructs the
    images y.

    The distribution of the codes is unconstrained. `generate` decodes samples of a standard normal, as for a VAE; these
    codes lie where no image was encoded, and the evaluation compares the samples with those of a VAE.

    Args:
        encoder: network from images to codes [batch, size].
        decoder: network from codes to logits [batch, height, width, channels]; the image is their sigmoid.
        loss: "mse" (squared error of the sigmoid, summed over pixels) or "bernoulli" (cross-entropy in nats).
        num_classes: number of classes to condition on, or None; see `EncoderDecoder`.
        seed: seed of the model's noise (dropout in the networks, if any); None draws one.

    Raises:
        ValueError: for an unknown loss, or networks whose sizes do not match.

    Example:
        >>> from keras_gen import networks
        >>> encoder = networks.mlp_encoder((8, 8, 1), 2)
        >>> model = Autoencoder(encoder, networks.mlp_decoder(2, (8, 8, 1)), seed=0)
        >>> model.reconstruct(np.zeros((3, 8, 8, 1), np.float32)).shape
        TensorShape([3, 8, 8, 1])

    Reference:
        Hinton, Salakhutdinov 2006, Reducing the Dimensionality of Data with Neural Networks, Science 313.
    """

    tracked = ("loss", "reconstruction")
    config_attributes = {"loss": "reconstruction_loss"}

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        *,
        loss: str = LOSS,
        num_classes: int | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(encoder, decoder, num_classes=num_classes, seed=seed, **kwargs)
        units, outputs = self.encoder.output_shape[-1], tuple(self.decoder.output_shape[1:])
        if units != self.latent_size:
            raise ValueError(
                f"Expected an encoder with {self.latent_size} outputs, the size of the decoder's codes; received "
                f"{units}"
            )
        if outputs != self.image_shape:
            raise ValueError(
                f"Expected a decoder with outputs {self.image_shape}, the shape of the encoder's images; received "
                f"{outputs}"
            )
        self.reconstruction_loss, self._reconstruction_loss = loss, reconstruction.get(loss)
        self.prior = Prior(size=self.latent_size)

    def losses_of(
        self, batch: dict, batch_noise: BatchNoise, global_batch: GlobalBatch, training: bool
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        image, label = batch["image"], self.label_of(batch)
        logits = self.decoded(self.encoded(image, label, training), label, training)
        losses = self._reconstruction_loss(self.target_of(batch), logits)
        return losses, {"reconstruction": losses}

    def code_of(self, encoded: tf.Tensor) -> tf.Tensor:
        return encoded

    def image_of(self, decoded: tf.Tensor) -> tf.Tensor:
        return tf.nn.sigmoid(decoded)
