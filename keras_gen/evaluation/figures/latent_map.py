"""The map of a model's codes: where images lie, where the prior puts its draws, and what lies in between."""

import colorsys

import numpy as np
import scipy.special
import tensorflow as tf
from PIL import Image, ImageDraw, ImageFont

from keras_gen import pictures
from keras_gen.distributions import Prior, draw_noise

from ..context import EvaluationContext
from ..metrics.log_likelihood import ImageDraws

IMAGES = 2000
STEPS = 15
SIDE = 480
LEGEND = 20


def latent_map(context: EvaluationContext) -> np.ndarray:
    """Codes of images, colored by label, over draws of the prior in gray.

    A code is a draw of the image's posterior where the model has one: all draws together are what should look like the
    prior, and the posteriors' means are not. With 2 dimensions, the plane itself, beside what its points decode to
    (quantiles of the prior, the first dimension from left to right, the second from bottom to top; a conditional model
    decodes class 0). With more, the plane of the two principal components of the posteriors' means: draws themselves
    vary in every direction, used or not.

    Returns:
        uint8 [height, width, 3].
    """
    model, batch = context.model, context.batch(IMAGES)
    means = context.map(model.encode, batch)
    codes = posterior_draws(context, batch) if hasattr(model, "posterior_draws") else means
    noise = draw_noise(model.noise(), len(codes), context.seed)
    prior = np.asarray(model.codes_from({k: tf.constant(v) for k, v in noise.items()}))
    size, title = means.shape[1], "codes of images over draws of the prior (gray)"
    if size > 2:
        center, basis, share = principal_plane(means)
        codes, prior = (codes - center) @ basis, (prior - center) @ basis
        title += f"; principal components ({share:.0%} of the means' variance)"
    elif size == 1:
        codes, prior = (np.concatenate([z, np.zeros_like(z)], axis=1) for z in (codes, prior))
    labels = batch.get("label")
    names = context.dataset().info.label_names
    panels = {title: scatter(codes, prior, labels if labels is not None and labels.ndim == 1 else None, names)}
    if size == 2:
        decoded = context.decode(prior_grid(model, STEPS, context.seed))
        panels = {"decoded quantiles of the prior": pictures.grid(decoded, columns=STEPS, scale=context.zoom), **panels}
    return pictures.beside(panels)


def posterior_draws(context: EvaluationContext, batch: dict[str, np.ndarray]) -> np.ndarray:
    """One code [size] of each image, drawn from its posterior."""
    seed = tf.constant([context.seed, 2])

    def draw(image, label, indices):
        return context.model.posterior_draws(image, label, ImageDraws(seed, indices), 1)[1][0]

    return context.map(draw, batch, indexed=True)


def principal_plane(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """The plane in which codes [num, size] vary the most.

    Returns:
        Their mean [size], the first two principal components [size, 2], and the share of the variance that these hold.
    """
    center = codes.mean(axis=0)
    _, lengths, directions = np.linalg.svd(codes - center, full_matrices=False)
    squares = lengths**2
    return center, directions[:2].T, float(squares[:2].sum() / max(squares.sum(), np.finfo(np.float32).tiny))


def prior_grid(model, steps: int, seed: int = 0) -> np.ndarray:
    """Codes on a grid of the prior's quantiles at (i + 1/2) / steps in each of 2 dimensions.

    Independent dimensions (`Prior`) get them exactly, from the noise's quantiles; another (a mixture, a flow) from the
    marginal quantiles of 10,000 draws.

    Returns:
        [steps * steps, 2], row by row from the top: the second dimension falls, the first rises within a row.
    """
    levels = (np.arange(steps) + 0.5) / steps
    specification = model.noise()
    if isinstance(model.prior, Prior):
        values = scipy.special.ndtri(levels) if specification["noise"].kind == "normal" else levels
        noise = np.stack(np.meshgrid(values, values[::-1]), axis=-1).reshape(-1, 2)
        return np.asarray(model.prior.draw({"noise": tf.constant(noise, tf.float32)}, model.posterior_of))
    noise = draw_noise(specification, 10_000, seed)
    draws = np.asarray(model.prior.draw({k: tf.constant(v) for k, v in noise.items()}, model.posterior_of))
    first, second = (np.quantile(draws[:, i], levels) for i in range(2))
    return np.stack(np.meshgrid(first, second[::-1]), axis=-1).reshape(-1, 2).astype(np.float32)


def scatter(points: np.ndarray, background: np.ndarray, labels: np.ndarray | None, names=None) -> np.ndarray:
    """Points of the plane, colored by label with a legend, over gray ones.

    Args:
        points, background: [num, 2], the second coordinate pointing up.
        labels: integers [num], or None for one color.
        names: name of each label, or None.

    Returns:
        uint8 [height, width, 3]; both axes have the same scale.
    """
    both = np.concatenate([points, background])
    low, high = np.quantile(both, 0.002, axis=0), np.quantile(both, 0.998, axis=0)
    center, reach = (low + high) / 2, max(float((high - low).max()) / 2 * 1.05, 1e-6)
    values = [] if labels is None else sorted(set(labels.tolist()))[:LEGEND]
    colors = {value: _colour(i, len(values)) for i, value in enumerate(values)}
    image = Image.new("RGB", (SIDE + (110 if values else 0), SIDE), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(12)

    def dots(places, chosen, radius):
        for (x, y), color in zip((places - center) / reach, chosen, strict=True):
            if max(abs(x), abs(y)) <= 1:
                left, top = (x + 1) / 2 * (SIDE - 1), (1 - y) / 2 * (SIDE - 1)
                draw.ellipse([left - radius, top - radius, left + radius, top + radius], fill=color)

    dots(background, [(205, 205, 205)] * len(background), 1.5)
    other = (110, 110, 110) if values else (30, 90, 200)
    dots(points, [other] * len(points) if labels is None else [colors.get(v, other) for v in labels.tolist()], 2)
    draw.rectangle([0, 0, SIDE - 1, SIDE - 1], outline=(150, 150, 150))
    for row, value in enumerate(values):
        top = 6 + 18 * row
        draw.ellipse([SIDE + 10, top + 2, SIDE + 20, top + 12], fill=colors[value])
        text = names[value] if names is not None and 0 <= value < len(names) else str(value)
        draw.text((SIDE + 26, top), str(text)[:14], fill=(40, 40, 40), font=font)
    return np.asarray(image)


def _colour(index: int, count: int) -> tuple[int, int, int]:
    rgb = colorsys.hsv_to_rgb(index / max(count, 1), 0.85, 0.85 if index % 2 else 0.65)
    return tuple(int(255 * part) for part in rgb)
