"""What a system says of itself, which training, evaluation, export and demos go by."""

from collections.abc import Mapping, Sequence

import numpy as np

from .endpoint import Endpoint


class Offering:
    """What a model takes, offers and shows; a system overrides what is different.

    Attributes:
        label_setting: the argument that conditions the model on the labels of `fit(x, y)`, or None.
    """

    label_setting: str | None = None

    def endpoints(self) -> list[Endpoint]:
        """What can be exported: functions without random operations."""
        raise NotImplementedError

    @property
    def image_fields(self) -> dict[str, tuple[int, int, int] | None]:
        """Fields of a batch that hold images, each with its (height, width, channels); the first counts the rows."""
        return {"image": self.image_shape}

    @property
    def optional_image_fields(self) -> dict[str, tuple[int, int, int] | None]:
        """As `image_fields`: fields that a batch may have besides."""
        return {}

    @property
    def call_fields(self) -> dict[str, tuple[int | None, int | None, int] | None]:
        """As `image_fields`, of `call` and `predict`; a tensor alone is the first; empty where they take no images."""
        return self.image_fields | self.optional_image_fields

    @property
    def label_classes(self) -> int | None:
        """Classes of a batch's `label`, which `fit(x, y)` gives as y; None for a model that does not use it."""
        return None

    def data_stages(self, batch_size: int) -> list[dict]:
        """What data are to be, stage after stage, as `image_shape` and `batch_size`; empty where they never change.

        Args:
            batch_size: examples in a step of the last stage.
        """
        return []

    def take_names(self, names: Mapping[str, Sequence[str]]) -> None:
        """Keeps the names of the data's values, by field, as far as the model is asked for them by name.

        Args:
            names: `label` -> names of the classes, `domains` -> names of domain A and domain B, ...
        """

    def described(self) -> dict:
        """What an export's model.json says of the system besides: `text`, `attributes`, ... -> JSON."""
        return {}

    def examples(self, batch: dict[str, np.ndarray]) -> dict[str, dict[str, np.ndarray]]:
        """What it makes of given examples, to be looked at: panel -> {column: images [rows, height, width, channels]}.

        Empty where the endpoints show it already, as `generate` and `reconstruct` do.
        """
        return {}

    def endpoint_columns(self, columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Inputs of endpoints that the data does not have as they are, such as patches of its images.

        Args:
            columns: what the data has, name -> [num, ...].

        Returns:
            Input -> [num, ...]; they calibrate an int8 file and are what exports are compared on.
        """
        return {}
