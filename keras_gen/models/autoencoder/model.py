"""The autoencoder, the counter-example: it reconstructs, and it is not a generative model."""

import keras
import tensorflow as tf

from keras_gen.distributions import Prior
from keras_gen.losses import bernoulli_cross_entropy, squared_error

from ..core.encoder_decoder import EncoderDecoder

LOSSES = ("mse", "bernoulli")


@keras.saving.register_keras_serializable("keras_gen")
class Autoencoder(EncoderDecoder):
    """Encodes an image into a code and decodes it back; the loss asks for nothing but the image.

    With `fit(x, y)` it makes the images y of the images x, as a denoising autoencoder does (Vincent et al. 2008).

    Nothing shapes the distribution of the codes. `generate` decodes draws of a standard normal all the same, as
    one decodes a VAE's: the draws fall where no image was ever encoded, and the evaluation shows it beside the VAE.

    Args:
        encoder: images -> codes [batch, size].
        decoder: codes -> logits [batch, height, width, channels]; the image is their sigmoid.
        loss: `"mse"` (squared error of the sigmoid, summed over pixels) or `"bernoulli"` (cross-entropy in nats).
        num_classes: classes to condition on, or None; see `EncoderDecoder`.
        seed: seed of the model's noise (dropout in the networks, if any).

    Reference:
        Hinton, Salakhutdinov 2006, Reducing the Dimensionality of Data with Neural Networks, Science 313.
    """

    tracked = ("loss", "reconstruction")
    config_attributes = {"loss": "reconstruction_loss"}

    def __init__(self, encoder: keras.Model, decoder: keras.Model, *, loss: str = "mse", **kwargs):
        super().__init__(encoder, decoder, **kwargs)
        encoder, decoder = self.encoder, self.decoder
        if loss not in LOSSES:
            raise ValueError(f"Unknown loss {loss!r}: expected one of {', '.join(LOSSES)}")
        if encoder.output_shape[-1] != self.latent_size:
            raise ValueError(
                f"The encoder gives {encoder.output_shape[-1]} units and the decoder takes codes of "
                f"{self.latent_size}; they must be equal"
            )
        if tuple(decoder.output_shape[1:]) != self.image_shape:
            raise ValueError(
                f"The decoder's outputs have the shape {tuple(decoder.output_shape[1:])}; the encoder takes images "
                f"{self.image_shape}"
            )
        self.reconstruction_loss = loss
        self.prior = Prior(size=self.latent_size)

    def losses_of(self, batch, batch_noise, global_batch, training):
        image, label = batch["image"], self.label_of(batch)
        logits = self.decoded(self.encoded(image, label, training), label, training)
        target = self.target_of(batch)
        if self.reconstruction_loss == "mse":
            losses = squared_error(target, tf.nn.sigmoid(logits))
        else:
            losses = bernoulli_cross_entropy(target, logits)
        return losses, {"reconstruction": losses}

    def code_of(self, encoded):
        return encoded

    def image_of(self, decoded):
        return tf.nn.sigmoid(decoded)
