"""What a model of two domains, with a generator each way, does outside training."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from ..core.endpoint import Endpoint, Port
from ..core.inputs import check_range

OTHER = {"a": "b", "b": "a"}


class TwoDomains:
    """Translation between domains A and B, by `generator_ab` and `generator_ba`, or their ema.

    Attributes:
        crop: (height, width) that is trained on, or None for whole images.
        size: (height, width) of whole images, where the generators take any.
        export_size: (height, width) that the endpoints take, where it is another.
        domain_names: names of domain A and domain B, or None.
    """

    @property
    def image_fields(self):
        return {f"domain_{domain}": self.shape_of(domain) for domain in "ab"}

    @property
    def call_fields(self):
        return {f"domain_{domain}": self._taken(domain) for domain in "ab"}

    def shape_of(self, domain: str, size: Sequence[int] | None = None) -> tuple[int, int, int]:
        """(height, width, channels) of a domain's whole images; of a given size where the generators take any."""
        *sides, channels = self._taken(domain)
        return (*(size or self.size), channels) if None in sides else (*sides, channels)

    def trained_shape(self, domain: str) -> tuple[int, int, int]:
        """(height, width, channels) of what is trained on: whole images or crops."""
        return (*self.crop, self._taken(domain)[-1]) if self.crop else self.shape_of(domain)

    def translated(self, images, to: str, training: bool = False) -> tf.Tensor:
        """Images of the other domain -> images of domain `to`, float32 tensors; outside training by the ema."""
        name = f"generator_{OTHER[to]}{to}"
        network = getattr(self, name) if training else self.inference_network(name)
        return tf.cast(network(images, training=training), tf.float32)

    def a_to_b(self, images, batch_size: int = 32) -> np.ndarray:
        """Images of domain A -> of domain B.

        Args:
            images: float [num, height, width, channels] in [0, 1]. Generators of any size take any that they can
                halve.
            batch_size: images at a time.

        Returns:
            float32 [num, height, width, channels] in [0, 1].

        Raises:
            ValueError: for images of another shape, of integers, or outside [0, 1].
        """
        return self._in_batches(images, "a", batch_size)

    def b_to_a(self, images, batch_size: int = 32) -> np.ndarray:
        """Images of domain B -> of domain A; as `a_to_b`."""
        return self._in_batches(images, "b", batch_size)

    def _in_batches(self, images, domain: str, batch_size: int) -> np.ndarray:
        images, wanted = np.asarray(images), self._taken(domain)
        if images.dtype.kind != "f":
            raise ValueError(f"Expected float images in [0, 1]; received {images.dtype} (8-bit images: divide by 255)")
        if images.ndim != 4 or not tf.TensorShape([None, *wanted]).is_compatible_with(images.shape) or not len(images):
            shape = ", ".join("any" if side is None else str(side) for side in wanted)
            raise ValueError(f"Expected images of domain {domain.upper()} [num, {shape}]; received {images.shape}")
        self._check_size(images.shape[1:], domain)
        check_range(f"domain_{domain}", images)
        parts = (images[start : start + batch_size] for start in range(0, len(images), batch_size))
        return np.concatenate([self.translated(part, to=OTHER[domain]).numpy() for part in parts])

    def _taken(self, domain: str) -> tuple:
        """(height, width, channels) that a domain's generator takes, None for any."""
        return tuple(getattr(self, f"generator_{domain}{OTHER[domain]}").input_shape[1:])

    def _check_size(self, shape: Sequence[int], domain: str) -> None:
        """Whether a generator of any size gives images of this one back as large as they were."""
        network = getattr(self, f"generator_{domain}{OTHER[domain]}")
        if None not in network.input_shape[1:]:
            return
        made = network.compute_output_shape((1, *shape))[1:3]
        if tuple(made) != tuple(shape[:2]):
            raise ValueError(
                f"Images of {shape[0]}x{shape[1]} would come back as {made[0]}x{made[1]}: both sides must be halved to "
                "whole numbers as often as the generators halve them; crop the images, or add a border"
            )

    def take_names(self, names):
        if "domains" in names:
            self.domain_names = tuple(names["domains"])

    def described(self):
        """`domains`: their names, where they have any."""
        return {"domains": list(self.domain_names)} if self.domain_names else {}

    def examples(self, batch):
        """Each domain's images, translated, and back again."""
        panels, names = {}, dict(zip("ab", self.domain_names or "AB", strict=True))
        for domain in "ab":
            other, images = OTHER[domain], batch[f"domain_{domain}"]
            there = self._in_batches(images, domain, len(images))
            back = self._in_batches(there, other, len(images))
            panels[f"{names[domain]} to {names[other]}"] = {names[domain]: images, names[other]: there, "back": back}
        return panels

    def call(self, inputs, training: bool = False) -> tf.Tensor:
        """The deploy path: a batch, or images of domain A alone -> images of domain B."""
        images = tf.convert_to_tensor(inputs["domain_a"] if isinstance(inputs, dict) else inputs)
        # a replica may be left without an image, of which there is no mirror image
        rows = tf.shape(images)[0]
        filled = tf.pad(images, [[0, tf.cast(rows == 0, tf.int32)], [0, 0], [0, 0], [0, 0]])
        return self.translated(filled, to="b", training=training)[:rows]

    def endpoints(self):
        """`a_to_b` and `b_to_a`, for images of `export_size`, or else of the data's."""
        shapes = {domain: self.shape_of(domain, self.export_size) for domain in "ab"}
        for domain, shape in shapes.items():
            self._check_size(shape, domain)
        ports = {domain: Port(shape, "image") for domain, shape in shapes.items()}
        return [self._endpoint(domain, ports) for domain in "ab"]

    def _endpoint(self, domain: str, ports: dict) -> Endpoint:
        given, made = f"domain_{domain}", f"domain_{OTHER[domain]}"
        return Endpoint(
            f"{domain}_to_{OTHER[domain]}",
            lambda **inputs: {made: self.translated(inputs[given], to=OTHER[domain])},
            {given: ports[domain]},
            {made: ports[OTHER[domain]]},
        )
