"""Inference of a model that translates between two domains: shapes, batches, previews and endpoints."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gen.batching import map_batches

from ..core.adversarial import AdversarialModel
from ..core.endpoint import Endpoint, Port
from ..core.inputs import Shape, check_range

OTHER = {"a": "b", "b": "a"}


class TwoDomains(AdversarialModel):
    """A model with a generator from domain A to domain B and one from B to A.

    Attributes:
        generator_ab: network from images of domain A to images of domain B.
        generator_ba: network from images of domain B to images of domain A.
        crop: (height, width) of the crops to train on, or None for whole images.
        size: (height, width) of whole images, if the generators take any size.
        export_size: (height, width) of the images of the endpoints; None is `size`.
        domain_names: names of domain A and domain B, or None.
    """

    generator_ab: keras.Model
    generator_ba: keras.Model
    crop: tuple[int, ...] | None
    size: tuple[int, ...] | None
    export_size: tuple[int, ...] | None
    domain_names: tuple[str, ...] | None

    @property
    def image_fields(self) -> dict[str, Shape | None]:
        return {f"domain_{domain}": self.shape_of(domain) for domain in "ab"}

    @property
    def call_fields(self) -> dict[str, Shape | None]:
        return {f"domain_{domain}": self._input_shape(domain) for domain in "ab"}

    def shape_of(self, domain: str, size: Sequence[int] | None = None) -> tuple[int, int, int]:
        """Returns the (height, width, channels) of a domain's whole images.

        Args:
            domain: "a" or "b".
            size: (height, width) for generators of any size; None is the size of the data.
        """
        height, width, channels = self._input_shape(domain)
        if height is None or width is None:
            height, width = size or self.size or (0, 0)
        return height, width, channels

    def trained_shape(self, domain: str) -> tuple[int, int, int]:
        """Returns the (height, width, channels) of the images to train on: whole images or crops."""
        if not self.crop:
            return self.shape_of(domain)
        height, width = self.crop
        return height, width, self._input_shape(domain)[-1]

    def translate_to(self, domain: str, images: Any, training: bool = False) -> tf.Tensor:
        """Returns float32 translations of images of the other domain; inference uses the moving average.

        Args:
            domain: domain of the result, "a" or "b".
            images: images [batch, height, width, channels] of the other domain.
            training: passed to the generator.
        """
        name = f"generator_{OTHER[domain]}{domain}"
        network = getattr(self, name) if training else self.inference_network(name)
        return tf.cast(network(images, training=training), tf.float32)

    def a_to_b(self, images: Any, batch_size: int = 32) -> np.ndarray:
        """Translates images of domain A to domain B.

        Args:
            images: float [num, height, width, channels] in [0, 1]. Generators of any size take any size that they can
                halve.
            batch_size: images per forward pass.

        Returns:
            float32 [num, height, width, channels] in [0, 1].

        Raises:
            ValueError: for images of another shape, of integers, or outside [0, 1].
        """
        return self._translate_batches(images, "a", batch_size)

    def b_to_a(self, images: Any, batch_size: int = 32) -> np.ndarray:
        """Translates images of domain B to domain A, as `a_to_b` does in the other direction.

        Args:
            images: float [num, height, width, channels] in [0, 1].
            batch_size: images per forward pass.
        """
        return self._translate_batches(images, "b", batch_size)

    def _translate_batches(self, images, domain: str, batch_size: int) -> np.ndarray:
        images, shape = np.asarray(images), self._input_shape(domain)
        if images.dtype.kind != "f":
            raise ValueError(f"Expected float images in [0, 1]; received {images.dtype} (8-bit images: divide by 255)")
        if images.ndim != 4 or not tf.TensorShape([None, *shape]).is_compatible_with(images.shape) or not len(images):
            expected = ", ".join("any" if side is None else str(side) for side in shape)
            raise ValueError(f"Expected images of domain {domain.upper()} [num, {expected}]; received {images.shape}")
        self._check_size(images.shape[1:], domain)
        check_range(f"domain_{domain}", images)
        return map_batches(lambda rows: self.translate_to(OTHER[domain], images[rows]), len(images), batch_size)

    def _input_shape(self, domain: str) -> tuple[int | None, int | None, int]:
        """Returns the (height, width, channels) of a generator's input, None for any."""
        height, width, channels = getattr(self, f"generator_{domain}{OTHER[domain]}").input_shape[1:]
        return height, width, channels

    def _check_size(self, shape: Sequence[int], domain: str) -> None:
        """Raises a ValueError unless a generator of any size keeps the size of images of this shape."""
        network = getattr(self, f"generator_{domain}{OTHER[domain]}")
        if None not in network.input_shape[1:]:
            return
        height, width = network.compute_output_shape((1, *shape))[1:3]
        if (height, width) != tuple(shape[:2]):
            raise ValueError(
                "Expected images with sides that the generators can halve to whole numbers; received "
                f"{shape[0]}x{shape[1]}, whose translation would have {height}x{width}: crop the images, or pad them"
            )

    def set_names(self, names: Mapping[str, Sequence[str]]) -> None:
        if "domains" in names:
            self.domain_names = tuple(names["domains"])

    def export_description(self) -> dict[str, Any]:
        """Returns `domains`, the names of the domains, if they have any."""
        return {"domains": list(self.domain_names)} if self.domain_names else {}

    def preview_images(self, batch: dict[str, np.ndarray]) -> dict[str, dict[str, np.ndarray]]:
        """Returns the images of each domain, their translations, and the reconstructions of the cycle."""
        panels, names = {}, dict(zip("ab", self.domain_names or "AB", strict=True))
        for domain in "ab":
            other, images = OTHER[domain], batch[f"domain_{domain}"]
            translated = self._translate_batches(images, domain, len(images))
            cycle = self._translate_batches(translated, other, len(images))
            columns = {names[domain]: images, names[other]: translated, "cycle": cycle}
            panels[f"{names[domain]} to {names[other]}"] = columns
        return panels

    def call(self, inputs: Any, training: bool = False) -> tf.Tensor:
        """Returns translations to domain B of a batch or of images of domain A."""
        images = tf.convert_to_tensor(inputs["domain_a"] if isinstance(inputs, dict) else inputs)
        # a replica may receive no image, and reflection padding fails on an empty batch
        rows = tf.shape(images)[0]
        padded = tf.pad(images, [[0, tf.cast(rows == 0, tf.int32)], [0, 0], [0, 0], [0, 0]])
        return self.translate_to("b", padded, training=training)[:rows]

    def endpoints(self) -> list[Endpoint]:
        """Returns `a_to_b` and `b_to_a` for images of `export_size`, or else of the size of the data."""
        shapes = {domain: self.shape_of(domain, self.export_size) for domain in "ab"}
        for domain, shape in shapes.items():
            self._check_size(shape, domain)
        ports = {domain: Port(shape, "image") for domain, shape in shapes.items()}
        return [self._endpoint(domain, ports) for domain in "ab"]

    def _endpoint(self, domain: str, ports: dict[str, Port]) -> Endpoint:
        source, target = f"domain_{domain}", f"domain_{OTHER[domain]}"
        return Endpoint(
            f"{domain}_to_{OTHER[domain]}",
            lambda **inputs: {target: self.translate_to(OTHER[domain], inputs[source])},
            {source: ports[domain]},
            {target: ports[OTHER[domain]]},
        )
