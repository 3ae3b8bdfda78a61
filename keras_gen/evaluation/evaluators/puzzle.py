"""Puzzle-GAN on a run's data: where the pieces were put, and how the whole compares with the source."""

import functools
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from keras_gen import pictures
from keras_gen.models.puzzlegan.key_patches import covered
from keras_gen.models.puzzlegan.tiles import split

from ..context import EvaluationContext
from ..features.of_run import PYRAMID, extractors
from ..metrics.jigsaw import average_mask, best_constants, inside_error, mask_overlap, tiles_right
from ..metrics.sample_quality import sample_quality
from .reconstruction import quality, ssim_filter_size
from .samples import real_images

# called with (images done, all of them)
Progress = Callable[[int, int], None]
# images compared at a time
CHUNK = 256


def key_patches(context: EvaluationContext) -> tuple[dict, dict]:
    """`patch_scores` of the run's data, and by `sample_quality` how far the restored images lie from real ones."""
    train = context.batch(context.max_images, role="train") if context.model.use_mask else None
    batch = context.batch(context.max_images)
    made, metrics, about = patch_scores(
        context.model, batch, train, seed=context.seed, batch_size=context.batch_size, progress=_restoring(context)
    )
    return _with_the_whole(context, made, metrics, about)


def tile_grid(context: EvaluationContext) -> tuple[dict, dict]:
    """`grid_scores` of the run's data, and by `sample_quality` how far the restored images lie from real ones."""
    images = context.batch(context.max_images)["image"]
    made, metrics, about = grid_scores(
        context.model, images, seed=context.seed, batch_size=context.batch_size, progress=_restoring(context)
    )
    return _with_the_whole(context, made, metrics, about)


def patch_scores(
    model, batch, train, *, seed: int, batch_size: int = 128, progress: Progress = lambda done, total: None
) -> tuple[np.ndarray, dict, dict]:
    """Patches -> image and mask: `mask_iou` and `part_error`, each beside what sees no patch gets; `psnr` and `ssim`.

    `mask_iou_average` is that of the best mask that is the same for all images, made on training images;
    `part_error_constant` the error of the best color for each image, which has seen the image.

    Args:
        model: a `PuzzleGAN`.
        batch, train: of the images that are measured and of training images: field -> [num, ...]; `train` may be None
            for a model without a mask.
        seed: of the noise.
        batch_size: images at a time.
        progress: called with (images done, all of them).

    Returns:
        The restored images, and (metrics, about) as every evaluator.
    """
    made = restore_all(model, model.endpoint_columns(batch), seed, batch_size, progress)
    masks, images = masks_of(model, batch), batch["image"]
    metrics, about = against_source(images, made["image"])
    common = {"images": len(images), "patches": model.num_patches}
    metrics |= {
        "part_error": float(inside_error(images, made["image"], masks).mean()),
        "part_error_constant": float(inside_error(images, best_constants(images, masks), masks).mean()),
    }
    unit = "mean absolute difference inside the true mask, of the range [0, 1]"
    about |= {
        "part_error": {"unit": unit, **common},
        "part_error_constant": {"unit": unit, **common, "note": "the best one color for each image"},
    }
    if model.use_mask:
        average = average_mask(masks_of(model, train))
        metrics |= {
            "mask_iou": float(mask_overlap(masks, made["mask"]).mean()),
            "mask_iou_average": float(mask_overlap(masks, average).mean()),
        }
        note = f"one mask for all images, made on {len(train['image']):,} training images"
        about |= {
            "mask_iou": {"unit": "intersection over union", **common},
            "mask_iou_average": {"unit": "intersection over union", **common, "note": note},
        }
    return made["image"], metrics, about


def grid_scores(
    model, images: np.ndarray, *, seed: int, batch_size: int = 128, progress: Progress = lambda done, total: None
) -> tuple[np.ndarray, dict, dict]:
    """Tiles -> image and scores: the share of tiles placed right and of images solved; `psnr` and `ssim`.

    Once with all tiles and once with the model's `max_missing` missing (`..._missing_2`). A tile is right where the
    tile that belongs to its place is the same pixel by pixel; an image is solved where all of its tiles are right.
    PSNR and SSIM are of the tiles at the places they were given, and of what the model makes where tiles are missing.
    `..._baseline` is what the tiles in their shuffled order, or the mean image, have.

    Args:
        model: a `PuzzleGrid`.
        images: [num, height, width, channels] in [0, 1].
        seed: of the tiles' order, of which are missing, and of the noise.
        batch_size: images at a time.
        progress: called with (images done, all of them).

    Returns:
        The images that the model makes of all tiles, and (metrics, about) as every evaluator.
    """
    whole = split(tf.constant(images), model.grid_size).numpy()
    metrics, about, first = {}, {}, None
    for missing in sorted({0, model.max_missing}):
        tiles, presence, _ = model.shuffled(images, missing, seed)
        made = restore_all(model, {"tiles": tiles, "presence": presence}, seed, batch_size, progress)
        places = model.places(made["scores"])
        right = tiles_right(tiles, whole, places, presence)
        share = (right & (presence > 0)).sum() / presence.sum()
        compared, explained = against_source(images, model.laid_out(tiles, presence, places, made["image"]))
        values = {"tiles_right": float(share), "solved": float(right.all(1).mean()), **compared}
        common = {"images": len(images), "missing": missing}
        notes = {"tiles_right": {"unit": "share of tiles"}, "solved": {"unit": "share of images"}, **explained}
        # every tile where it was in the shuffled order: doing nothing
        lying = tiles_right(tiles, whole, np.broadcast_to(np.arange(places.shape[1]), places.shape), presence)
        values["tiles_right_baseline"] = float((lying & (presence > 0)).sum() / presence.sum())
        values["solved_baseline"] = float(lying.all(1).mean())
        for name in ("tiles_right", "solved"):
            notes[f"{name}_baseline"] = {**notes[name], "note": "the tiles in the order that they were given in"}
        ending = f"_missing_{missing}" if missing else ""
        names = {
            name: name.removesuffix("_baseline") + ending + "_baseline" * name.endswith("_baseline") for name in notes
        }
        metrics |= {names[name]: value for name, value in values.items()}
        about |= {names[name]: {**note, **common} for name, note in notes.items()}
        first = made["image"] if first is None else first
    return first, metrics, about


def against_source(images: np.ndarray, made: np.ndarray) -> tuple[dict, dict]:
    """`psnr` and `ssim` of made images against their sources, and of the sources' mean, means over images."""
    size = ssim_filter_size(*images.shape[1:3])
    notes = {"": "the whole image against its source", "_baseline": "the mean of these images for every one of them"}
    sets = {"": np.clip(made, 0.0, 1.0), "_baseline": np.broadcast_to(images.mean(axis=0), images.shape)}
    metrics, about = {}, {}
    for ending, theirs in sets.items():
        parts = [slice(start, start + CHUNK) for start in range(0, len(images), CHUNK)]
        values = np.concatenate([quality(tf.constant(images[rows]), tf.constant(theirs[rows]), size) for rows in parts])
        metrics |= {f"psnr{ending}": float(values[:, 0].mean()), f"ssim{ending}": float(values[:, 1].mean())}
        common = {"images": len(images), "note": notes[ending]}
        about[f"psnr{ending}"] = {"unit": "dB", **common}
        about[f"ssim{ending}"] = {"unit": "-1 to 1", **common, "note": f"{common['note']}; window {size}"}
    return metrics, about


def masks_of(model, batch: dict[str, np.ndarray]) -> np.ndarray:
    """The true masks of a batch's patches, [num, height, width, 1]."""
    boxes, presence = model.boxes_of({name: tf.constant(value) for name, value in batch.items() if name in (
        "image", "boxes", "presence")})  # fmt: skip
    return covered(boxes, presence, model.image_shape[:2]).numpy()


def restore_all(
    model,
    columns: dict[str, np.ndarray],
    seed: int,
    batch_size: int = 128,
    progress: Progress = lambda done, total: None,
) -> dict[str, np.ndarray]:
    """The outputs of `restore` for given pieces, with the noise of a seed."""
    (endpoint,) = model.endpoints()
    num = len(columns["presence"])
    inputs = {**columns, "z": model.noise_of(num, seed)}
    parts = []
    for start in range(0, num, batch_size):
        progress(start, num)
        rows = slice(start, start + batch_size)
        made = endpoint.function(**{name: tf.constant(inputs[name][rows]) for name in endpoint.inputs})
        parts.append({name: value.numpy() for name, value in made.items()})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def restorations(context: EvaluationContext) -> np.ndarray:
    """16 sources, what was given of them, and what was made of it, as a picture."""
    (columns,) = context.model.examples(context.batch(16)).values()
    return pictures.beside(
        {title: pictures.grid(images, columns=2, scale=context.zoom) for title, images in columns.items()}
    )


def _restoring(context: EvaluationContext) -> Progress:
    return functools.partial(context.progress, "restoring images")


def _with_the_whole(context: EvaluationContext, made: np.ndarray, metrics: dict, about: dict) -> tuple[dict, dict]:
    """Add how far all restored images lie from real ones, by `sample_quality`."""
    real = real_images(context)
    order = np.random.default_rng(context.seed).permutation(len(made))
    values, notes = sample_quality(
        made[order],
        real.judged,
        real.floor,
        extractors(context),
        pyramid=PYRAMID in context.features,
        split=context.split,
        seed=context.seed,
        progress=context.progress,
    )
    return metrics | values, about | notes
