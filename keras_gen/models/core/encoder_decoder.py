"""Models with an encoder and a decoder: their shapes, conditions and endpoints."""

from collections.abc import Callable, Mapping
from typing import Any

import keras
import tensorflow as tf

from .class_conditional import ClassConditional
from .endpoint import Endpoint, Port, noise_ports
from .generative_model import GenerativeModel
from .inputs import Shape


class EncoderDecoder(ClassConditional, GenerativeModel):
    """A model that encodes images into codes and decodes codes into images.

    Args:
        encoder: Images [batch, height, width, channels] -> [batch, ...]; with `num_classes`, [images, one-hot labels].
            Any Keras model; a subclassed one must have been called once, so that its sizes are known.
        decoder: Codes [batch, size] -> parameters of the image; with `num_classes`, [codes, one-hot labels].
        num_classes: Number of classes to condition on, or None.
        **kwargs: As for `ClassConditional`.

    Attributes:
        image_shape: (height, width, channels) of the encoder's input.
        latent_size: Size of a code.
    """

    def __init__(self, encoder: keras.Model, decoder: keras.Model, *, num_classes: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        encoder, decoder = _with_inputs("encoder", encoder), _with_inputs("decoder", decoder)
        self.encoder, self.decoder, self.num_classes = encoder, decoder, num_classes
        num_inputs = 2 if num_classes else 1
        for role, network in (("an encoder", encoder), ("a decoder", decoder)):
            if len(network.inputs) != num_inputs:
                raise ValueError(
                    f"Expected {role} with {num_inputs} input(s) for num_classes={num_classes} "
                    f"({'the one-hot label is the second' if num_classes else 'no label'}); received one with "
                    f"{len(network.inputs)}"
                )
        shape = tuple(encoder.inputs[0].shape[1:])
        if len(shape) != 3 or None in shape:
            raise ValueError(
                f"Expected an encoder of images (height, width, channels) of fixed size; received one of {shape}"
            )
        for role, shapes in (("encoder that returns", encoder.output_shape), ("decoder of", decoder.input_shape)):
            vector = shapes[0] if isinstance(shapes, list) else shapes
            if len(vector) != 2 or vector[1] is None:
                raise ValueError(f"Expected an {role} one vector [batch, size] for each image; received {vector}")
        self.image_shape, self.latent_size = shape, int(decoder.inputs[0].shape[-1])

    # what a system declares

    def code_of(self, encoded: Any) -> tf.Tensor:
        """Returns the code of each image, [batch, size], from the encoder's output."""
        raise NotImplementedError

    def image_of(self, decoded: tf.Tensor) -> tf.Tensor:
        """Returns images in [0, 1] from the decoder's output."""
        raise NotImplementedError

    # data

    @property
    def optional_image_fields(self) -> dict[str, Shape | None]:
        """`target`: the images to reconstruct from `image`, which are the y of `fit(x, y)`."""
        return {"target": self.image_shape}

    def target_of(self, batch: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Returns the images to reconstruct: a batch's `target`, or else its `image`."""
        return batch.get("target", batch["image"])

    # encode, decode, reconstruct, generate

    def encoded(self, image: Any, label: Any = None, training: bool = False) -> Any:
        """Returns the encoder's output in float32.

        Args:
            image: [batch, height, width, channels] in [0, 1].
            label: One-hot [batch, num_classes], for a conditional model.
            training: Whether the encoder runs in training mode.
        """
        inputs = [tf.convert_to_tensor(image), tf.convert_to_tensor(label)] if self.num_classes else image
        return tf.cast(self.encoder(inputs, training=training), tf.float32)

    def decoded(self, z: Any, label: Any = None, training: bool = False) -> tf.Tensor:
        """Returns the decoder's output in float32.

        Args:
            z: Codes, [batch, size].
            label: One-hot [batch, num_classes], for a conditional model.
            training: Whether the decoder runs in training mode.
        """
        inputs = [tf.convert_to_tensor(z), tf.convert_to_tensor(label)] if self.num_classes else z
        return tf.cast(self.decoder(inputs, training=training), tf.float32)

    def encode(self, image: Any, label: Any = None) -> tf.Tensor:
        """Returns the codes of images, float32 [batch, size].

        Args:
            image: [batch, height, width, channels] in [0, 1].
            label: One-hot [batch, num_classes], for a conditional model.

        Raises:
            ValueError: For images outside [0, 1], or of another shape.
        """
        return self.code_of(self.encoded(self.images_of("image", image, in_graph=False), label))

    def decode(self, z: Any, label: Any = None) -> tf.Tensor:
        """Returns the images of codes, float32 [batch, height, width, channels] in [0, 1].

        Args:
            z: Codes, [batch, size].
            label: One-hot [batch, num_classes], for a conditional model.
        """
        return self.image_of(self.decoded(z, label))

    def reconstruct(self, image: Any, label: Any = None) -> tf.Tensor:
        """Returns the images that the decoder computes from the images' codes, of the same shape, in [0, 1].

        Args:
            image: [batch, height, width, channels] in [0, 1].
            label: One-hot [batch, num_classes], for a conditional model.

        Raises:
            ValueError: For images outside [0, 1], or of another shape.
        """
        return self.decode(self.encode(image, label), label)

    def call(self, inputs: Any, training: bool = False) -> tf.Tensor:
        """Returns reconstructions of images or of a batch dict, as an export computes them."""
        batch = self._named_fields(inputs)
        return self.reconstruct(batch["image"], self.label_of(batch))

    def generate_from(self, noise: dict[str, tf.Tensor], label: Any = None) -> tf.Tensor:
        """Returns the images of codes from the prior; see `GenerativeModel.generate_from`."""
        return self.decode(self.codes_from(noise), label)

    def codes_from(self, noise: dict[str, tf.Tensor]) -> tf.Tensor:
        """Returns codes from the prior, [num, size], computed from base noise {input: [num, ...]}."""
        return self.sampler()(noise)

    def sampler(self) -> Callable[[dict[str, tf.Tensor]], tf.Tensor]:
        """Returns `codes_from` for an export: what does not depend on the noise is computed now, once."""
        return self.prior.sampler(self.posterior_of)

    def posterior_of(self, image: Any) -> Any:
        """Returns the distribution of images' codes, for priors that consist of posteriors; None if there is none."""
        return None

    def endpoints(self) -> list[Endpoint]:
        """Returns `encode`, `decode`, `reconstruct` and `generate`, each also of `label` in a conditional model."""
        image, code = Port(self.image_shape, "image"), Port((self.latent_size,), "latent")
        label = {"label": Port((self.num_classes,), "label")} if self.num_classes else {}
        noise = noise_ports(self.noise())
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
        """Returns the further outputs of `encode`, {name: Port}."""
        return {}

    def code_details(self, encoded: Any) -> dict[str, tf.Tensor]:
        """Returns the tensors of `code_ports`, from the encoder's output."""
        return {}


def _with_inputs(role: str, network: keras.Model) -> keras.Model:
    """Returns a network with inputs and outputs: a subclassed model is wrapped in a functional one."""
    if getattr(network, "inputs", None):
        return network
    shapes = (network.get_build_config() or {}).get("input_shape")
    if shapes is None:
        raise ValueError(
            f"Expected the {role} as a model whose sizes are known; received one that has not been called: call it "
            f"once on a batch, e.g. {role}(keras.ops.zeros((1, ...))), or start it with a keras.Input"
        )
    inputs = keras.tree.map_shape_structure(lambda shape: keras.Input(shape[1:]), shapes)
    return keras.Model(inputs, network(inputs), name=role)
