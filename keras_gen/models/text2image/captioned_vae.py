"""A variational autoencoder of images that is told their captions: where a generator of images may begin."""

import dataclasses
from collections.abc import Sequence

import keras

from ..core.endpoint import Endpoint, Port
from ..core.text_conditional import TextConditional
from ..vae.model import VAE


@keras.saving.register_keras_serializable("keras_gen")
class CaptionedVAE(TextConditional, VAE):
    """A VAE conditioned on a text's embedding: the code is left with what the caption does not say.

    Its decoder may be the generator of a `Text2Image`, which takes it over (`Text2Image.load_pretrained`): it then draws what
    captions name before the game begins.

    Args:
        encoder: [images [batch, height, width, channels] in [0, 1], embeddings [batch, size]] -> parameters of the
            posterior.
        decoder: [codes, embeddings] -> images in [0, 1].
        text_encoder: tokens, integers [batch, length] -> embeddings; it is frozen.
        vocabulary: words, in the order of their tokens; see `keras_gen.data.Tokenizer`.
        scale: standard deviation of the normal distribution of pixels around the decoder's image, > 0.
        **kwargs: `VAE`'s, but for `head` and `num_classes`.

    Raises:
        ValueError: as `VAE`.

    Reference:
        Sohn, Lee, Yan 2015, Learning Structured Output Representation using Deep Conditional Generative Models
        (conditional VAE). Larsen, Sonderby, Larochelle, Winther 2016, arXiv:1512.09300, and Bao et al. 2017, CVAE-GAN,
        arXiv:1703.10155 (a decoder that is a generator too; they train both at once).
    """

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        text_encoder: keras.Model,
        *,
        vocabulary: Sequence[str],
        scale: float = 0.1,
        **kwargs,
    ):
        size = int(text_encoder.output_shape[-1])
        super().__init__(
            encoder, decoder, head={"name": "normal", "scale": scale, "squash": False}, num_classes=size, **kwargs
        )
        self.take_text(text_encoder, vocabulary)
        text_encoder.trainable = False
        self.scale = scale

    # what the networks take in the place of a label is the text
    label_classes = label_setting = None

    def label_of(self, batch):
        return self.embed(self.tokens_of(batch))

    def conditions_of(self, num: int, **text) -> dict:
        """The text as `label`, float32 [num, size]: see `TextConditional.embedding_of`."""
        return {"label": self.embedding_of(num, **text)}

    def endpoints(self):
        """`VAE`'s, which take an `embedding`, and `embed(tokens)`."""
        return [self.embed_endpoint(), *(self._description(endpoint) for endpoint in super().endpoints())]

    def _description(self, endpoint: Endpoint) -> Endpoint:
        inputs = {name: port for name, port in endpoint.inputs.items() if name != "label"}
        inputs["embedding"] = Port((self.embedding_size,), "value")
        function = lambda embedding, **others: endpoint.function(label=embedding, **others)  # noqa: E731
        return dataclasses.replace(endpoint, function=function, inputs=inputs)

    def get_config(self) -> dict:
        config = super().get_config()
        for name in ("head", "num_classes"):
            del config[name]
        return {
            **config,
            "text_encoder": keras.saving.serialize_keras_object(self.text_encoder),
            "vocabulary": list(self.vocabulary),
            "scale": self.scale,
        }
