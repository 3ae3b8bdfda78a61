"""What every model with an encoder and a decoder shares: shapes, conditions, endpoints."""

from collections.abc import Callable

import keras
import tensorflow as tf

from .class_conditional import ClassConditional
from .endpoint import Endpoint, Port
from .generative_model import GenerativeModel


class EncoderDecoder(ClassConditional, GenerativeModel):
    """A model that encodes images into codes and decodes codes into images.

    Args:
        encoder: images [batch, height, width, channels] -> [batch, ...]; with `num_classes`, [images, one-hot labels].
            Any Keras model; one that is subclassed must have been called once, so that its sizes are known.
        decoder: codes [batch, size] -> parameters of the image; with `num_classes`, [codes, one-hot labels].
        num_classes: classes to condition on, or None.
    """

    def __init__(self, encoder: keras.Model, decoder: keras.Model, *, num_classes: int | None = None, **kwargs):
        super().__init__(**kwargs)
        encoder, decoder = _with_inputs("encoder", encoder), _with_inputs("decoder", decoder)
        self.encoder, self.decoder, self.num_classes = encoder, decoder, num_classes
        wanted = 2 if num_classes else 1
        for role, network in (("encoder", encoder), ("decoder", decoder)):
            if len(network.inputs) != wanted:
                raise ValueError(
                    f"num_classes={num_classes}: the {role} must take {wanted} input(s) "
                    f"({'the one-hot label second' if num_classes else 'no label'}); it takes {len(network.inputs)}"
                )
        shape = tuple(encoder.inputs[0].shape[1:])
        if len(shape) != 3 or None in shape:
            raise ValueError(f"The encoder must take images (height, width, channels) of fixed size; it takes {shape}")
        for what, shapes in (("encoder must give", encoder.output_shape), ("decoder must take", decoder.input_shape)):
            vector = shapes[0] if isinstance(shapes, list) else shapes
            if len(vector) != 2 or vector[1] is None:
                raise ValueError(f"The {what} one vector [batch, size] for each image; its shape is {vector}")
        self.image_shape, self.latent_size = shape, int(decoder.inputs[0].shape[-1])

    # what a system writes

    def code_of(self, encoded: tf.Tensor) -> tf.Tensor:
        """The encoder's output -> the code [batch, size] that stands for the image."""
        raise NotImplementedError

    def image_of(self, decoded: tf.Tensor) -> tf.Tensor:
        """The decoder's output -> images in [0, 1]."""
        raise NotImplementedError

    # data

    @property
    def optional_image_fields(self):
        """`target`: what is to be made of `image`, as `fit(x, y)` gives it."""
        return {"target": self.image_shape}

    def target_of(self, batch: dict) -> tf.Tensor:
        """The images to be made of a batch's: `target`, or else the images themselves."""
        return batch.get("target", batch["image"])

    # encode, decode, reconstruct, generate

    def encoded(self, image, label=None, training: bool = False) -> tf.Tensor:
        """The encoder's output in float32; `label` one-hot [batch, num_classes] where the model is conditional."""
        inputs = [tf.convert_to_tensor(image), tf.convert_to_tensor(label)] if self.num_classes else image
        return tf.cast(self.encoder(inputs, training=training), tf.float32)

    def decoded(self, z, label=None, training: bool = False) -> tf.Tensor:
        """The decoder's output in float32."""
        inputs = [tf.convert_to_tensor(z), tf.convert_to_tensor(label)] if self.num_classes else z
        return tf.cast(self.decoder(inputs, training=training), tf.float32)

    def encode(self, image, label=None) -> tf.Tensor:
        """Images [batch, height, width, channels] in [0, 1] -> codes float32 [batch, size].

        Raises:
            ValueError: for images outside [0, 1], or of another shape.
        """
        return self.code_of(self.encoded(self.images_of("image", image, everywhere=False), label))

    def decode(self, z, label=None) -> tf.Tensor:
        """Codes [batch, size] -> images float32 [batch, height, width, channels] in [0, 1]."""
        return self.image_of(self.decoded(z, label))

    def reconstruct(self, image, label=None) -> tf.Tensor:
        """Images -> what the model makes of their codes, same shape, in [0, 1]; raises as `encode`."""
        return self.decode(self.encode(image, label), label)

    def call(self, inputs, training: bool = False) -> tf.Tensor:
        """The deploy path: a batch dict or images -> reconstructions."""
        batch = self._named(inputs)
        return self.reconstruct(batch["image"], self.label_of(batch))

    def generate_from(self, noise: dict, label=None) -> tf.Tensor:
        return self.decode(self.codes_from(noise), label)

    def codes_from(self, noise: dict) -> tf.Tensor:
        """Base noise {name: [num, ...]} -> draws of the prior [num, size]."""
        return self.sampler()(noise)

    def sampler(self) -> Callable[[dict], tf.Tensor]:
        """`codes_from` as it is exported: what does not depend on the noise is computed now, once."""
        return self.prior.sampler(self.posterior_of)

    def posterior_of(self, image) -> object:
        """Images -> their distribution over codes, for priors that are made of posteriors; None where there is none."""
        return None

    def endpoints(self) -> list[Endpoint]:
        """`encode`, `decode`, `reconstruct` and `generate`; each also takes `label` where the model is conditional."""
        image, code = Port(self.image_shape, "image"), Port((self.latent_size,), "latent")
        label = {"label": Port((self.num_classes,), "label")} if self.num_classes else {}
        noise = {name: Port(noise.shape, noise.kind) for name, noise in self.noise().items()}
        outputs = {"z": code, **self.code_ports()}

        def encode(image, label=None):
            encoded = self.encoded(image, label)
            return {"z": self.code_of(encoded), **self.code_details(encoded)}

        codes_from = self.sampler()

        def generate(label=None, **noise):
            return {"image": self.decode(codes_from(noise), label)}

        return [
            Endpoint("encode", encode, {"image": image, **label}, outputs),
            Endpoint("decode", lambda z, label=None: {"image": self.decode(z, label)}, {"z": code, **label},
                     {"image": image}),
            Endpoint("reconstruct", lambda image, label=None: {"image": self.reconstruct(image, label)},
                     {"image": image, **label}, {"image": image}),
            Endpoint("generate", generate, {**noise, **label}, {"image": image}),
        ]  # fmt: skip

    def code_ports(self) -> dict[str, Port]:
        """What `encode` gives besides `z`: name -> Port."""
        return {}

    def code_details(self, encoded: tf.Tensor) -> dict[str, tf.Tensor]:
        """The tensors of `code_ports`, from the encoder's output."""
        return {}

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "decoder": keras.saving.serialize_keras_object(self.decoder),
            "num_classes": self.num_classes,
        }


def _with_inputs(role: str, network: keras.Model) -> keras.Model:
    """A network that states its inputs and outputs: a subclassed one is wrapped in a functional model."""
    if getattr(network, "inputs", None):
        return network
    shapes = (network.get_build_config() or {}).get("input_shape")
    if shapes is None:
        raise ValueError(
            f"The {role}'s sizes are not known yet: call it once on a batch, e.g. {role}(keras.ops.zeros((1, ...))), "
            "or start it with a keras.Input"
        )
    inputs = keras.tree.map_shape_structure(lambda shape: keras.Input(shape[1:]), shapes)
    return keras.Model(inputs, network(inputs), name=role)
