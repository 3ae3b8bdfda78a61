"""The factors of the built-in dataset `shapes`: their classes, sampling and counterfactual changes.

An image is determined by eleven factors with named classes. Four of them also have measures within their class
(radius of the size, x and y of the position, angle of the rotation, shade of the background). There is a gap between
neighboring classes, so that every class is recognizable in the image. Invisible factors have fixed classes: a circle is
upright, a plain object has the first angle, period, phase and second color, and the angles of dots and checks repeat
after 90 degrees.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

FACTORS: dict[str, tuple[str, ...]] = {
    "shape": ("circle", "square", "triangle", "star", "heart", "cross"),
    "color": ("red", "orange", "yellow", "green", "cyan", "blue", "purple", "pink"),
    "texture": ("plain", "striped", "dotted", "checked"),
    "size": ("small", "medium", "large"),
    "position": (
        *("top left", "top", "top right"),
        *("left", "center", "right"),
        *("bottom left", "bottom", "bottom right"),
    ),
    "rotation": ("upright", "turned left", "turned right"),
    "background": ("black", "dark gray", "light gray", "white"),
    "texture_angle": ("0 degrees", "45 degrees", "90 degrees", "135 degrees"),
    "texture_period": ("fine", "coarse"),
    "texture_phase": ("centered", "shifted"),
    "texture_color": ("pale", "dark"),
}
# Center of each class, and the maximum offset of a measure from it. Lengths are in units of the image size.
RADIUS = (np.array([14.25, 17.125, 20.0]) / 64, 0.4 / 64)
OFFSET = (np.array([21.7, 32.0, 42.3]) / 64, 1.25 / 64)  # x from the left, y from the top
ANGLE = (np.array([0.0, 20.0, -20.0]), 3.0)  # degrees, counterclockwise
SHADE = (np.array([0.06, 0.35, 0.65, 0.94]), 0.04)  # 0 black to 1 white
MEASURES = ("radius", "x", "y", "angle", "shade")
# Pairs of shape and color that are left out of the splits `train_seen` and `test_seen`, which have every shape and
# every color.
HELD_OUT = tuple((FACTORS["shape"][i % 6], color) for i, color in enumerate(FACTORS["color"]))


@dataclasses.dataclass(frozen=True)
class Factors:
    """Factors of n images: the class of each factor (integer [n]), and five measures (float [n]).

    Attributes:
        shape: Class of the shape; the names of all classes are in `FACTORS`.
        color: Class of the color.
        texture: Class of the texture.
        size: Class of the size.
        position: Class of the position.
        rotation: Class of the rotation.
        background: Class of the background.
        texture_angle: Class of the angle of the texture.
        texture_period: Class of the period of the texture.
        texture_phase: Class of the phase of the texture.
        texture_color: Class of the second color of the texture.
        radius: Radius within the class of `size`, in units of the image size.
        x: Horizontal position within the class of `position`, from 0 (left) to 1.
        y: Vertical position within the class of `position`, from 0 (top) to 1.
        angle: Angle within the class of `rotation`, in degrees, counterclockwise.
        shade: Gray value within the class of `background`, from 0 (black) to 1.

    Example:
        >>> from keras_gen.data import render_shapes
        >>> star = Factors.named(shape="star", color="red", texture="striped", size="small", position="top left")
        >>> pair = render_shapes(star), render_shapes(star.change(color="blue"))
    """

    shape: np.ndarray
    color: np.ndarray
    texture: np.ndarray
    size: np.ndarray
    position: np.ndarray
    rotation: np.ndarray
    background: np.ndarray
    texture_angle: np.ndarray
    texture_period: np.ndarray
    texture_phase: np.ndarray
    texture_color: np.ndarray
    radius: np.ndarray
    x: np.ndarray
    y: np.ndarray
    angle: np.ndarray
    shade: np.ndarray

    def __len__(self) -> int:
        return len(self.shape)

    def __getitem__(self, rows: slice | np.ndarray) -> "Factors":
        return Factors(**{field: value[rows] for field, value in self.as_dict().items()})

    def as_dict(self) -> dict[str, np.ndarray]:
        """Returns every field by name."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    @classmethod
    def named(cls, **names: str) -> "Factors":
        """Returns the factors of one image; a factor that is not passed has its first class (a plain red circle).

        Args:
            **names: Factor -> name of a class.

        Returns:
            Factors with n = 1 and the measures at the centers of their classes.

        Raises:
            ValueError: For an unknown factor or class.
        """
        first = {factor: np.zeros(1, np.int32) for factor in FACTORS}
        first["position"] = np.array([FACTORS["position"].index("center")], np.int32)
        return cls(**first, **_measures(first, {name: np.zeros(1) for name in MEASURES})).change(**names)

    @classmethod
    def from_batch(cls, batch: Mapping[str, Any]) -> "Factors":
        """Returns the factors in a batch of `load("shapes", ...)`, with tensors or arrays.

        Raises:
            ValueError: If a field is missing.
        """
        missing = [field.name for field in dataclasses.fields(cls) if field.name not in batch]
        if missing:
            raise ValueError(
                f"Expected a batch with all factors; received no {', '.join(missing)}. Load shapes without `fields`."
            )
        return cls(**{field.name: np.asarray(batch[field.name]) for field in dataclasses.fields(cls)})

    @classmethod
    def draw(cls, count: int, seed: int) -> "Factors":
        """Samples factors: the classes of all visible factors are uniform and independent.

        Args:
            count: Number of images.
            seed: Any non-negative integer; the same seed results in the same factors on every machine.

        Returns:
            Factors with n = count.
        """
        numbers = np.random.Generator(np.random.Philox(key=seed)).random((count, len(FACTORS) + len(MEASURES)))
        classes = {
            factor: np.floor(numbers[:, i] * len(names)).astype(np.int32)
            for i, (factor, names) in enumerate(FACTORS.items())
        }
        offsets = {name: 2 * numbers[:, len(FACTORS) + i] - 1 for i, name in enumerate(MEASURES)}
        return cls(**classes, **_measures(classes, offsets))._visible()

    def change(self, **names: str | int | np.ndarray) -> "Factors":
        """Returns the factors of the counterfactual images, in which some factors change and the others do not.

        A measure keeps its offset from the center of its class. A factor that becomes invisible (such as the angle of
        a texture that becomes plain) has its fixed class, as in every other image.

        Args:
            **names: Factor -> name or number of a class, or numbers [n].

        Returns:
            New factors.

        Raises:
            ValueError: For an unknown factor or class.
        """
        classes = {factor: getattr(self, factor) for factor in FACTORS}
        for factor, value in names.items():
            classes[factor] = np.broadcast_to(_class(factor, value), self.shape.shape).astype(np.int32)
        return Factors(**classes, **_measures(classes, self._offsets()))._visible()

    def held_out(self) -> np.ndarray:
        """Returns which images have a pair of shape and color from `HELD_OUT`, bool [n]."""
        pairs = {(FACTORS["shape"].index(shape), FACTORS["color"].index(color)) for shape, color in HELD_OUT}
        return np.array([(int(s), int(c)) in pairs for s, c in zip(self.shape, self.color, strict=True)], bool)

    def attributes(self) -> np.ndarray:
        """Returns all classes as one-hot vectors, float32 [n, 47], in the order of `attribute_names()`."""
        ones = {factor: np.eye(len(names), dtype=np.float32) for factor, names in FACTORS.items()}
        return np.concatenate([rows[getattr(self, factor)] for factor, rows in ones.items()], axis=1)

    def _offsets(self) -> dict[str, np.ndarray]:
        centers = _measures({factor: getattr(self, factor) for factor in FACTORS}, dict.fromkeys(MEASURES, 0.0))
        reach = {"radius": RADIUS[1], "x": OFFSET[1], "y": OFFSET[1], "angle": ANGLE[1], "shade": SHADE[1]}
        return {name: (getattr(self, name) - centers[name]) / reach[name] for name in MEASURES}

    def _visible(self) -> "Factors":
        """Returns the factors with the fixed classes of invisible factors."""
        plain = self.texture == FACTORS["texture"].index("plain")
        striped = self.texture == FACTORS["texture"].index("striped")
        circle = self.shape == FACTORS["shape"].index("circle")
        fixed = {f: np.where(plain, 0, getattr(self, f)).astype(np.int32) for f in FACTORS if f.startswith("texture_")}
        fixed["texture_angle"] = np.where(striped, self.texture_angle, fixed["texture_angle"] % 2).astype(np.int32)
        rotation = np.where(circle, 0, self.rotation).astype(np.int32)
        angle = np.where(circle, 0.0, self.angle).astype(np.float32)
        return dataclasses.replace(self, **fixed, rotation=rotation, angle=angle)


def attribute_names() -> tuple[str, ...]:
    """Returns the names of the entries of the attribute vector: "shape=circle", ..., "texture_color=dark"."""
    return tuple(f"{factor}={name}" for factor, names in FACTORS.items() for name in names)


def _measures(classes: dict[str, np.ndarray], offsets: dict[str, Any]) -> dict[str, np.ndarray]:
    row, column = classes["position"] // 3, classes["position"] % 3
    exact = {
        "radius": RADIUS[0][classes["size"]] + RADIUS[1] * offsets["radius"],
        "x": OFFSET[0][column] + OFFSET[1] * offsets["x"],
        "y": OFFSET[0][row] + OFFSET[1] * offsets["y"],
        "angle": ANGLE[0][classes["rotation"]] + ANGLE[1] * offsets["angle"],
        "shade": SHADE[0][classes["background"]] + SHADE[1] * offsets["shade"],
    }
    return {name: value.astype(np.float32) for name, value in exact.items()}


def _class(factor: str, value: Any) -> Any:
    if factor not in FACTORS:
        raise ValueError(f"Expected a factor among {', '.join(FACTORS)}; received {factor!r}.")
    names = FACTORS[factor]
    if isinstance(value, str):
        if value not in names:
            raise ValueError(f"Expected {factor} among {', '.join(names)}; received {value!r}.")
        return names.index(value)
    if np.any(np.asarray(value) < 0) or np.any(np.asarray(value) >= len(names)):
        raise ValueError(f"Expected {factor} from 0 to {len(names) - 1} ({', '.join(names)}); received {value!r}.")
    return value
