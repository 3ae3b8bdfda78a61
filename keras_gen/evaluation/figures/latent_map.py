"""The latent map: codes of images, samples of the prior, and decoded points in between."""

import colorsys
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import scipy.special
import tensorflow as tf
from PIL import Image, ImageDraw, ImageFont

from keras_gen import pictures
from keras_gen.distributions import Prior, draw_noise
from keras_gen.models.core.protocols import HasPosterior

from ..context import EvaluationContext
from ..metrics.log_likelihood import ImageNoise

NUM_IMAGES = 2000
NUM_STEPS = 15
NUM_PRIOR_SAMPLES = 10_000
PANEL_SIZE, LEGEND_WIDTH = 480, 110
MAX_LEGEND = 20

GRAY, DARK_GRAY, BLUE = (205, 205, 205), (110, 110, 110), (30, 90, 200)


def latent_map(context: EvaluationContext) -> np.ndarray:
    """Draws codes of images, colored by label, over samples of the prior in gray.

    A code is a sample of the image's posterior, if the model has one: the samples together should match the prior, the
    posteriors' means should not. With 2 dimensions, the panel shows the plane itself, next to decoded quantiles of the
    prior (the first dimension from left to right, the second from bottom to top; a class-conditional model decodes
    class 0). With more, it shows the plane of the two principal components of the posteriors' means, because samples
    vary in every direction, used or not.

    Returns:
        uint8 [height, width, 3].
    """
    model, batch = context.model, context.batch(NUM_IMAGES)
    means = context.map(model.encode, batch)
    codes = posterior_samples(context, batch) if isinstance(model, HasPosterior) else means
    noise = draw_noise(model.noise(), len(codes), context.seed)
    prior = np.asarray(model.codes_from({name: tf.constant(values) for name, values in noise.items()}))
    size, title = means.shape[1], "codes of images over samples of the prior (gray)"
    if size > 2:
        center, basis, fraction = principal_plane(means)
        codes, prior = (codes - center) @ basis, (prior - center) @ basis
        title += f"; principal components ({fraction:.0%} of the means' variance)"
    elif size == 1:
        codes, prior = (np.concatenate([z, np.zeros_like(z)], axis=1) for z in (codes, prior))
    labels = batch.get("label")
    label_names = context.dataset().info.label_names
    labels = labels if labels is not None and labels.ndim == 1 else None
    panels = {title: scatter(codes, prior, labels, label_names)}
    if size == 2:
        decoded = context.decode(prior_grid(model, NUM_STEPS, context.seed))
        grid = pictures.grid(decoded, columns=NUM_STEPS, scale=context.zoom)
        panels = {"decoded quantiles of the prior": grid, **panels}
    return pictures.hstack(panels)


def posterior_samples(context: EvaluationContext, batch: dict[str, np.ndarray]) -> np.ndarray:
    """Returns one code of each image, sampled from its posterior, float32 [num, size]."""
    seed = tf.constant([context.seed, 2])

    def sample(image: tf.Tensor, label: tf.Tensor | None, indices: tf.Tensor) -> tf.Tensor:
        return context.model.sample_posterior(image, label, ImageNoise(seed, indices), 1)[1][0]

    return context.map(sample, batch, pass_indices=True)


def principal_plane(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Returns the plane with the largest variance of codes.

    Args:
        codes: [num, size].

    Returns:
        the mean [size], the first two principal components [size, 2], and the fraction of the variance that they
        explain.
    """
    center = codes.mean(axis=0)
    _, singular_values, directions = np.linalg.svd(codes - center, full_matrices=False)
    variances = singular_values**2
    fraction = float(variances[:2].sum() / max(variances.sum(), np.finfo(np.float32).tiny))
    return center, directions[:2].T, fraction


def prior_grid(model: Any, steps: int, seed: int = 0) -> np.ndarray:
    """Returns codes on a grid of the prior's quantiles at (i + 1/2) / steps in each of 2 dimensions.

    The quantiles are exact for independent dimensions (`Prior`), from the quantiles of the noise. For another prior (a
    mixture, a flow) they are the marginal quantiles of 10,000 samples.

    Args:
        model: with a `prior` of 2 dimensions.
        steps: codes per dimension.
        seed: seed of the samples.

    Returns:
        [steps * steps, 2], row by row from the top: the second dimension decreases, the first increases within a row.
    """
    levels = (np.arange(steps) + 0.5) / steps
    specification = model.noise()
    if isinstance(model.prior, Prior):
        values = scipy.special.ndtri(levels) if specification["noise"].kind == "normal" else levels
        noise = np.stack(np.meshgrid(values, values[::-1]), axis=-1).reshape(-1, 2)
        return np.asarray(model.prior.transform({"noise": tf.constant(noise, tf.float32)}, model.posterior_of))
    noise = draw_noise(specification, NUM_PRIOR_SAMPLES, seed)
    tensors = {name: tf.constant(values) for name, values in noise.items()}
    samples = np.asarray(model.prior.transform(tensors, model.posterior_of))
    first, second = (np.quantile(samples[:, i], levels) for i in range(2))
    return np.stack(np.meshgrid(first, second[::-1]), axis=-1).reshape(-1, 2).astype(np.float32)


def scatter(
    points: np.ndarray, background: np.ndarray, labels: np.ndarray | None, names: Sequence[str] | None = None
) -> np.ndarray:
    """Draws points of the plane, colored by label with a legend, over gray points.

    Args:
        points: [num, 2]; the second coordinate increases upwards.
        background: gray points [other num, 2].
        labels: integers [num], or None for a single color.
        names: name of each label, or None.

    Returns:
        uint8 [height, width, 3]; both axes have the same scale.
    """
    both = np.concatenate([points, background])
    low, high = np.quantile(both, 0.002, axis=0), np.quantile(both, 0.998, axis=0)
    center, reach = (low + high) / 2, max(float((high - low).max()) / 2 * 1.05, 1e-6)
    values = [] if labels is None else sorted(set(labels.tolist()))[:MAX_LEGEND]
    colors = {value: _legend_color(i, len(values)) for i, value in enumerate(values)}
    image = Image.new("RGB", (PANEL_SIZE + (LEGEND_WIDTH if values else 0), PANEL_SIZE), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(12)

    def draw_dots(coordinates: np.ndarray, dot_colors: Iterable[tuple[int, ...]], radius: float) -> None:
        for (x, y), color in zip((coordinates - center) / reach, dot_colors, strict=True):
            if max(abs(x), abs(y)) <= 1:
                left, top = (x + 1) / 2 * (PANEL_SIZE - 1), (1 - y) / 2 * (PANEL_SIZE - 1)
                draw.ellipse([left - radius, top - radius, left + radius, top + radius], fill=color)

    draw_dots(background, [GRAY] * len(background), 1.5)
    default = DARK_GRAY if values else BLUE
    if labels is None:
        draw_dots(points, [default] * len(points), 2)
    else:
        draw_dots(points, [colors.get(value, default) for value in labels.tolist()], 2)
    draw.rectangle([0, 0, PANEL_SIZE - 1, PANEL_SIZE - 1], outline=(150, 150, 150))
    for row, value in enumerate(values):
        top = 6 + 18 * row
        draw.ellipse([PANEL_SIZE + 10, top + 2, PANEL_SIZE + 20, top + 12], fill=colors[value])
        text = names[value] if names is not None and 0 <= value < len(names) else str(value)
        draw.text((PANEL_SIZE + 26, top), str(text)[:14], fill=(40, 40, 40), font=font)
    return np.asarray(image)


def _legend_color(index: int, count: int) -> tuple[int, ...]:
    rgb = colorsys.hsv_to_rgb(index / max(count, 1), 0.85, 0.85 if index % 2 else 0.65)
    return tuple(int(255 * part) for part in rgb)
