"""The TFDS builder of `shapes`: importing this module registers `tfds.load("shapes")`."""

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow_datasets as tfds
from PIL import Image

from .captions import caption_shapes
from .factors import FACTORS, MEASURES, attribute_names
from .renderer import render_shapes
from .splits import SIZES, draw_split


class Shapes(tfds.core.GeneratorBasedBuilder):
    """One object of known shape, color, texture, size, position and rotation on a gray background, 64x64 RGB.

    The configurations are `shapes` (20,000 + 2,000 images), `shapes/tiny` (the first 600 + 200 of them),
    `shapes/placed` (the same objects, but large, centered and upright, so that a patch determines its position) and
    `shapes/plain` (the same objects, but without textures, centered and upright on white, so that a small model learns
    them in minutes). The images are rendered, not downloaded. They are a function of the factors in each example, so
    `render_shapes` renders the same object with one factor changed.
    """

    VERSION = tfds.core.Version("1.0.0")
    BUILDER_CONFIGS = [
        tfds.core.BuilderConfig(name="full", description="20,000 + 2,000 images"),
        tfds.core.BuilderConfig(name="placed", description="20,000 + 2,000 images, objects large, centered, upright"),
        tfds.core.BuilderConfig(name="plain", description="20,000 + 2,000 images, plain objects, centered, on white"),
        tfds.core.BuilderConfig(name="tiny", description="600 + 200 images, for tests"),
    ]

    def _info(self) -> tfds.core.DatasetInfo:
        label = {factor: tfds.features.ClassLabel(names=list(names)) for factor, names in FACTORS.items()}
        return tfds.core.DatasetInfo(
            builder=self,
            description=type(self).__doc__,
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(64, 64, 3), encoding_format="png"),
                    "label": tfds.features.ClassLabel(names=list(FACTORS["shape"])),
                    "caption": tfds.features.Text(),
                    "attributes": tfds.features.Tensor(shape=(len(attribute_names()),), dtype=np.float32),
                    **label,
                    **{name: tfds.features.Scalar(dtype=np.float32) for name in MEASURES},
                    "held_out": tfds.features.Scalar(dtype=np.bool_),
                }
            ),
            supervised_keys=("image", "label"),
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Iterator]:
        return {name: self._generate_examples(name, count) for name, count in SIZES[self.builder_config.name].items()}

    def _generate_examples(self, split: str, count: int) -> Iterator[tuple[int, dict[str, Any]]]:
        factors, forms = draw_split(split, self.builder_config.name)
        for start in range(0, count, 512):
            part = factors[start : min(start + 512, count)]
            captions = caption_shapes(part, forms[start : start + len(part)])
            attributes, held_out = part.attributes(), part.held_out()
            columns = part.as_dict()
            for i, image in enumerate(render_shapes(part)):
                encoded = io.BytesIO()
                Image.fromarray(image).save(encoded, "png", compress_level=1)
                encoded.seek(0)
                yield (
                    start + i,
                    {
                        "image": encoded,
                        "label": int(part.shape[i]),
                        "caption": captions[i],
                        "attributes": attributes[i],
                        **{field: column[i].item() for field, column in columns.items()},
                        "held_out": bool(held_out[i]),
                    },
                )
