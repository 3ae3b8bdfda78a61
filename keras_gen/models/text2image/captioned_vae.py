"""A variational autoencoder of images that is conditioned on captions, as pretraining of a text-to-image generator."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gen.distributions import LatentPrior
from keras_gen.distributions.posteriors import DIAGONAL_NORMAL

from ..core.endpoint import Endpoint, Port
from ..core.text_conditional import TextConditional
from ..vae.model import VAE


@keras.saving.register_keras_serializable("keras_gen")
class CaptionedVAE(TextConditional, VAE):
    """A VAE conditioned on a text's embedding, so that its code describes only what the caption does not.

    Its decoder can initialize the generator of a `Text2Image` (`Text2Image.load_pretrained`), which then generates what
    captions describe from the first step of adversarial training.

    Args:
        encoder: [images [batch, height, width, channels] in [0, 1], embeddings [batch, size]] -> parameters of the
            posterior.
        decoder: [codes, embeddings] -> images in [0, 1].
        text_encoder: Tokens, integers [batch, length] -> embeddings [batch, size]; frozen.
        vocabulary: Words in the order of their tokens; see `keras_gen.data.Tokenizer`.
        scale: Standard deviation of the normal distribution of the pixels around the decoder's image, > 0.
        prior: See `VAE`.
        posterior: See `VAE`.
        beta: See `VAE`.
        kl_warmup_steps: See `VAE`.
        free_bits: See `VAE`.
        num_samples: See `VAE`.
        seed: See `VAE`.
        **kwargs: Keras's `name` and `dtype`.

    Raises:
        ValueError: As `VAE`, or for a missing vocabulary.

    Reference:
        Sohn, Lee, Yan 2015, Learning Structured Output Representation using Deep Conditional Generative Models
        (conditional VAE). Larsen, Sonderby, Larochelle, Winther 2016, arXiv:1512.09300, and Bao et al. 2017, CVAE-GAN,
        arXiv:1703.10155 (a decoder that is also a generator; they train both at once).
    """

    config_attributes = {"head": None, "num_classes": None}
    label_classes = label_setting = None  # the networks are conditioned on the text instead of a label

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        text_encoder: keras.Model,
        *,
        vocabulary: Sequence[str],
        scale: float = 0.1,
        prior: LatentPrior | None = None,
        posterior: str = DIAGONAL_NORMAL.name,
        beta: float = 1.0,
        kl_warmup_steps: int = 0,
        free_bits: float = 0.0,
        num_samples: int = 1,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(
            encoder,
            decoder,
            prior=prior,
            head={"name": "normal", "scale": scale, "squash": False},
            posterior=posterior,
            beta=beta,
            kl_warmup_steps=kl_warmup_steps,
            free_bits=free_bits,
            num_samples=num_samples,
            num_classes=int(text_encoder.output_shape[-1]),
            seed=seed,
            **kwargs,
        )
        self.set_text_encoder(text_encoder, vocabulary)
        text_encoder.trainable = False
        self.scale = scale

    def label_of(self, batch: Mapping[str, Any]) -> tf.Tensor:
        """Returns the embeddings of a batch's texts, float32 [batch, size]."""
        return self.embed(self.tokens_of(batch))

    def conditions_of(self, num: int, **text: Any) -> dict[str, np.ndarray]:
        """Returns the text as `label`, float32 [num, size]: see `TextConditional.embedding_of`."""
        return {"label": self.embedding_of(num, **text)}

    def endpoints(self) -> list[Endpoint]:
        """Returns `embed(tokens)`, and the endpoints of `VAE` with the input `embedding`."""
        return [self.embed_endpoint(), *(self._conditioned_on_text(endpoint) for endpoint in super().endpoints())]

    def _conditioned_on_text(self, endpoint: Endpoint) -> Endpoint:
        """Returns an endpoint of `VAE` whose input `label` is named `embedding`."""
        inputs = {name: port for name, port in endpoint.inputs.items() if name != "label"}
        inputs["embedding"] = Port((self.embedding_size,), "value")

        def function(embedding, **others):
            return endpoint.function(label=embedding, **others)

        return dataclasses.replace(endpoint, function=function, inputs=inputs)
