"""The TFDS builder of `shapes`: importing this module makes `tfds.load("shapes")` known."""

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
    """One object of known shape, color, texture, size, place and rotation on a gray ground, 64x64 RGB.

    `shapes` (20,000 + 2,000 pictures), `shapes/tiny` (their first 600 + 200) and `shapes/placed` (the same objects
    made large, centered and upright: a part tells its place). Rendered, not downloaded. Every pixel is a function of
    the factors that stand beside it, so `render_shapes` draws the same object with one of them changed.
    """

    VERSION = tfds.core.Version("1.0.0")
    BUILDER_CONFIGS = [
        tfds.core.BuilderConfig(name="full", description="20,000 + 2,000 pictures"),
        tfds.core.BuilderConfig(name="placed", description="20,000 + 2,000 pictures, objects large, centered, upright"),
        tfds.core.BuilderConfig(name="tiny", description="600 + 200 pictures, for tests"),
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
            for i, picture in enumerate(render_shapes(part)):
                encoded = io.BytesIO()
                Image.fromarray(picture).save(encoded, "png", compress_level=1)
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
