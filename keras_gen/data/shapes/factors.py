"""The factors of the built-in `shapes`: what each can be, how they are drawn, and how one is changed.

A picture is given by eleven factors, each with named classes. Four of them have a measure inside their class as well
(the size's radius, the position's x and y, the rotation's angle, the background's shade), drawn with a gap between
neighboring classes, so that every class can be read from the picture without doubt. What cannot be seen is fixed: a
circle is upright, a plain object has the first angle, period, phase and second color, dots and checks repeat after 90
degrees.
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
# Middle of each class, and how far a measure may lie from it. Lengths are parts of the image's side.
RADIUS = (np.array([14.25, 17.125, 20.0]) / 64, 0.4 / 64)
OFFSET = (np.array([21.7, 32.0, 42.3]) / 64, 1.25 / 64)  # x from the left, y from the top
ANGLE = (np.array([0.0, 20.0, -20.0]), 3.0)  # degrees, counterclockwise
SHADE = (np.array([0.06, 0.35, 0.65, 0.94]), 0.04)  # 0 black to 1 white
MEASURES = ("radius", "x", "y", "angle", "shade")
# Pairs of shape and color that the splits `train_seen` and `test_seen` leave out: every shape and every color stays
# in them, these combinations do not.
HELD_OUT = tuple((FACTORS["shape"][i % 6], color) for i, color in enumerate(FACTORS["color"]))


@dataclasses.dataclass(frozen=True)
class Factors:
    """Factors of n pictures: a class (integer [n]) of each factor, and the five measures (float [n]).

    The measures belong to their classes: `radius` to `size`, `x` and `y` to `position`, `angle` to `rotation` and
    `shade` to `background`.

    Example:
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
        """Return every field by name."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    @classmethod
    def named(cls, **names: str) -> "Factors":
        """Make one picture's factors from names; what is not given is the first class (a plain red circle, ...).

        Args:
            names: factor -> name of a class.

        Returns:
            Factors with n = 1 and the measures at the middle of their classes.

        Raises:
            ValueError: an unknown factor or class.
        """
        first = {factor: np.zeros(1, np.int32) for factor in FACTORS}
        first["position"] = np.array([FACTORS["position"].index("center")], np.int32)
        return cls(**first, **_measures(first, {name: np.zeros(1) for name in MEASURES})).change(**names)

    @classmethod
    def from_batch(cls, batch: Mapping[str, Any]) -> "Factors":
        """Take the factors out of a batch of `load("shapes", ...)`, as tensors or arrays."""
        missing = [field.name for field in dataclasses.fields(cls) if field.name not in batch]
        if missing:
            raise ValueError(f"The batch has no {', '.join(missing)}; load shapes without `fields` to keep them all.")
        return cls(**{field.name: np.asarray(batch[field.name]) for field in dataclasses.fields(cls)})

    @classmethod
    def draw(cls, count: int, seed: int) -> "Factors":
        """Draw pictures: every class equally likely and independent, as far as it can be seen.

        Args:
            count: pictures.
            seed: any non-negative integer; the same seed gives the same factors on every machine.

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
        """Change factors and keep all others: the true counterpart of a picture.

        A measure keeps its distance from the middle of its class. Where the new object cannot show a factor (the angle
        of a texture that became plain), that factor is fixed as in every other picture.

        Args:
            names: factor -> name or number of a class, or numbers [n].

        Returns:
            New factors.

        Raises:
            ValueError: an unknown factor or class.
        """
        classes = {factor: getattr(self, factor) for factor in FACTORS}
        for factor, value in names.items():
            classes[factor] = np.broadcast_to(_class(factor, value), self.shape.shape).astype(np.int32)
        return Factors(**classes, **_measures(classes, self._offsets()))._visible()

    def held_out(self) -> np.ndarray:
        """Say which pictures show a pair of shape and color from `HELD_OUT`: bool [n]."""
        pairs = {(FACTORS["shape"].index(shape), FACTORS["color"].index(color)) for shape, color in HELD_OUT}
        return np.array([(int(s), int(c)) in pairs for s, c in zip(self.shape, self.color, strict=True)], bool)

    def attributes(self) -> np.ndarray:
        """Return all classes as ones and zeros: float32 [n, 47], in the order of `attribute_names()`."""
        ones = {factor: np.eye(len(names), dtype=np.float32) for factor, names in FACTORS.items()}
        return np.concatenate([rows[getattr(self, factor)] for factor, rows in ones.items()], axis=1)

    def _offsets(self) -> dict[str, np.ndarray]:
        middles = _measures({factor: getattr(self, factor) for factor in FACTORS}, dict.fromkeys(MEASURES, 0.0))
        reach = {"radius": RADIUS[1], "x": OFFSET[1], "y": OFFSET[1], "angle": ANGLE[1], "shade": SHADE[1]}
        return {name: (getattr(self, name) - middles[name]) / reach[name] for name in MEASURES}

    def _visible(self) -> "Factors":
        """Fix what the picture does not show."""
        plain = self.texture == FACTORS["texture"].index("plain")
        striped = self.texture == FACTORS["texture"].index("striped")
        circle = self.shape == FACTORS["shape"].index("circle")
        fixed = {f: np.where(plain, 0, getattr(self, f)).astype(np.int32) for f in FACTORS if f.startswith("texture_")}
        fixed["texture_angle"] = np.where(striped, self.texture_angle, fixed["texture_angle"] % 2).astype(np.int32)
        rotation = np.where(circle, 0, self.rotation).astype(np.int32)
        angle = np.where(circle, 0.0, self.angle).astype(np.float32)
        return dataclasses.replace(self, **fixed, rotation=rotation, angle=angle)


def attribute_names() -> tuple[str, ...]:
    """Name the entries of the attribute vector: "shape=circle", ..., "texture_color=dark"."""
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
        raise ValueError(f"There is no factor {factor!r}; known: {', '.join(FACTORS)}.")
    names = FACTORS[factor]
    if isinstance(value, str):
        if value not in names:
            raise ValueError(f"{factor} has no class {value!r}; known: {', '.join(names)}.")
        return names.index(value)
    if np.any(np.asarray(value) < 0) or np.any(np.asarray(value) >= len(names)):
        raise ValueError(f"{factor} has the classes 0 to {len(names) - 1} ({', '.join(names)}); got {value!r}.")
    return value
