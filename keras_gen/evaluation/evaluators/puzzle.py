"""Metrics of solved puzzles: where the pieces were placed, and how the restored image compares with its source."""

import functools
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gen import pictures
from keras_gen.batching import batch_slices, map_batches
from keras_gen.distributions import draw_noise
from keras_gen.models.core.protocols import RestoresFromPatches, RestoresFromTiles

from ..context import EvaluationContext
from ..features.of_run import PYRAMID, extractors
from ..metrics.jigsaw import average_mask, best_constants, correct_tiles, mask_iou, masked_error
from ..metrics.sample_quality import sample_quality
from ..types import About, Metrics, Progress, no_progress
from .reconstruction import psnr_and_ssim, ssim_filter_size
from .samples import real_images

# images that are compared at a time
COMPARE_BATCH = 256


def key_patches(context: EvaluationContext) -> tuple[Metrics, About]:
    """Computes the `patch_scores` of the run's data, and `sample_quality` of the restored images."""
    train = context.batch(context.max_images, role="train") if context.model.use_mask else None
    restored, metrics, about = patch_scores(
        context.model,
        context.batch(context.max_images),
        train,
        seed=context.seed,
        batch_size=context.batch_size,
        progress=_progress(context),
    )
    return _with_sample_quality(context, restored, metrics, about)


def tile_grid(context: EvaluationContext) -> tuple[Metrics, About]:
    """Computes the `grid_scores` of the run's data, and `sample_quality` of the restored images."""
    restored, metrics, about = grid_scores(
        context.model,
        context.batch(context.max_images)["image"],
        seed=context.seed,
        batch_size=context.batch_size,
        progress=_progress(context),
    )
    return _with_sample_quality(context, restored, metrics, about)


def patch_scores(
    model: RestoresFromPatches,
    batch: dict[str, np.ndarray],
    train: dict[str, np.ndarray] | None,
    *,
    seed: int,
    batch_size: int = 128,
    progress: Progress = no_progress,
) -> tuple[np.ndarray, Metrics, About]:
    """Measures images and masks that are restored from patches: `mask_iou`, `part_error`, `psnr` and `ssim`.

    `mask_iou_average` is the value of the best mask that is the same for all images, fitted to training images;
    `part_error_constant` is the error of the best single color for each image, fitted to the image itself.

    Args:
        model: a model that restores images from patches.
        batch: evaluated images: field -> [num, ...].
        train: training images: field -> [num, ...]; None for a model without a mask.
        seed: seed of the noise.
        batch_size: images per batch.
        progress: called with (images done, total).

    Returns:
        the restored images, and (metrics, about) as every evaluator.
    """
    restored = restore_all(model, model.endpoint_columns(batch), seed, batch_size, progress)
    masks, images = model.patch_masks(batch), batch["image"]
    metrics, about = source_metrics(images, restored["image"])
    common: dict[str, Any] = {"images": len(images), "patches": model.num_patches}
    constants = best_constants(images, masks)
    metrics |= {
        "part_error": float(masked_error(images, restored["image"], masks).mean()),
        "part_error_constant": float(masked_error(images, constants, masks).mean()),
    }
    unit = "mean absolute difference inside the true mask, of the range [0, 1]"
    about |= {
        "part_error": {"unit": unit, **common},
        "part_error_constant": {"unit": unit, **common, "note": "the best single color for each image"},
    }
    if model.use_mask and train is not None:
        average = average_mask(model.patch_masks(train))
        metrics |= {
            "mask_iou": float(mask_iou(masks, restored["mask"]).mean()),
            "mask_iou_average": float(mask_iou(masks, average).mean()),
        }
        note = f"one mask for all images, fitted to {len(train['image']):,} training images"
        about |= {
            "mask_iou": {"unit": "intersection over union", **common},
            "mask_iou_average": {"unit": "intersection over union", **common, "note": note},
        }
    return restored["image"], metrics, about


def grid_scores(
    model: RestoresFromTiles,
    images: np.ndarray,
    *,
    seed: int,
    batch_size: int = 128,
    progress: Progress = no_progress,
) -> tuple[np.ndarray, Metrics, About]:
    """Measures images that are restored from shuffled tiles: `tile_accuracy`, `solved`, `psnr` and `ssim`.

    `tile_accuracy` is the fraction of tiles at a correct position, `solved` the fraction of images with all tiles
    correct. Both are measured with all tiles and with the model's `max_missing` tiles missing (`..._missing_2`). A tile
    is correct if it equals the tile that belongs to its position pixel by pixel. PSNR and SSIM compare the source with
    the tiles at their predicted positions, and with generated pixels where tiles are missing. `..._baseline` is the
    value of the tiles in shuffled order, or of the mean image.

    Args:
        model: a model that restores images from tiles.
        images: [num, height, width, channels] in [0, 1].
        seed: seed of the order of the tiles, of which are missing, and of the noise.
        batch_size: images per batch.
        progress: called with (images done, total).

    Returns:
        the images that the model restores from all tiles, and (metrics, about) as every evaluator.
    """
    source_tiles = model.cut_tiles(images)
    metrics: Metrics = {}
    about: About = {}
    restored_from_all = None
    for missing in sorted({0, model.max_missing}):
        tiles, presence, _ = model.shuffled(images, missing, seed)
        restored = restore_all(model, {"tiles": tiles, "presence": presence}, seed, batch_size, progress)
        positions = model.positions(restored["scores"])
        shuffled_positions = np.broadcast_to(np.arange(positions.shape[1]), positions.shape)
        values, notes = source_metrics(images, model.assemble(tiles, presence, positions, restored["image"]))
        for suffix, predicted in (("", positions), ("_baseline", shuffled_positions)):
            correct = correct_tiles(tiles, source_tiles, predicted, presence)
            accuracy = (correct & (presence > 0)).sum() / presence.sum()
            note = {"note": "the tiles in their shuffled order"} if suffix else {}
            values |= {f"tile_accuracy{suffix}": float(accuracy), f"solved{suffix}": float(correct.all(1).mean())}
            notes |= {
                f"tile_accuracy{suffix}": {"unit": "fraction of tiles", **note},
                f"solved{suffix}": {"unit": "fraction of images", **note},
            }
        for name, value in values.items():
            # the number of missing tiles comes before the suffix of the baseline
            metric, baseline = name.removesuffix("_baseline"), "_baseline" if name.endswith("_baseline") else ""
            full_name = metric + (f"_missing_{missing}" if missing else "") + baseline
            metrics[full_name] = value
            about[full_name] = {**notes[name], "images": len(images), "missing": missing}
        restored_from_all = restored["image"] if restored_from_all is None else restored_from_all
    return np.asarray(restored_from_all), metrics, about


def source_metrics(images: np.ndarray, restored: np.ndarray) -> tuple[Metrics, About]:
    """Computes `psnr` and `ssim` of restored images against their sources, and of the mean source as baseline.

    Args:
        images: sources, [num, height, width, channels] in [0, 1].
        restored: the same shape; values are clipped to [0, 1].

    Returns:
        (metrics, about), means over images.
    """
    size = ssim_filter_size(*images.shape[1:3])
    notes = {"": "the whole image against its source", "_baseline": "the mean image as every restoration"}
    restorations = {"": np.clip(restored, 0.0, 1.0), "_baseline": np.broadcast_to(images.mean(axis=0), images.shape)}
    metrics: Metrics = {}
    about: About = {}
    for suffix, candidates in restorations.items():
        values = map_batches(
            lambda rows, candidates=candidates: psnr_and_ssim(
                tf.constant(images[rows]), tf.constant(candidates[rows]), size
            ),
            len(images),
            COMPARE_BATCH,
        )
        metrics |= {f"psnr{suffix}": float(values[:, 0].mean()), f"ssim{suffix}": float(values[:, 1].mean())}
        note = notes[suffix]
        about[f"psnr{suffix}"] = {"unit": "dB", "images": len(images), "note": note}
        about[f"ssim{suffix}"] = {"unit": "-1 to 1", "images": len(images), "note": f"{note}; window {size}"}
    return metrics, about


def restore_all(
    model: Any,
    columns: dict[str, np.ndarray],
    seed: int,
    batch_size: int = 128,
    progress: Progress = no_progress,
) -> dict[str, np.ndarray]:
    """Returns the outputs of the endpoint `restore` for given pieces, with the noise of a seed.

    Args:
        model: with an endpoint `restore`.
        columns: the pieces and their `presence`: input -> [num, ...].
        seed: seed of the noise.
        batch_size: images per batch.
        progress: called with (images done, total).
    """
    endpoint = next(endpoint for endpoint in model.endpoints() if endpoint.name == "restore")
    num = len(columns["presence"])
    inputs = {**columns, **draw_noise(model.noise(), num, seed)}
    outputs = [
        endpoint.function(**{name: tf.constant(inputs[name][rows]) for name in endpoint.inputs})
        for rows in batch_slices(num, batch_size, progress)
    ]
    return {name: np.concatenate([part[name] for part in outputs]) for name in outputs[0]}


def restoration_picture(context: EvaluationContext) -> np.ndarray:
    """Draws 16 source images with their pieces and restorations: uint8 [height, width, channels]."""
    (columns,) = context.model.preview_images(context.batch(16)).values()
    return pictures.hstack(
        {title: pictures.grid(images, columns=2, scale=context.zoom) for title, images in columns.items()}
    )


def _progress(context: EvaluationContext) -> Progress:
    return functools.partial(context.progress, "restoring images")


def _with_sample_quality(
    context: EvaluationContext, restored: np.ndarray, metrics: Metrics, about: About
) -> tuple[Metrics, About]:
    """Adds the `sample_quality` of all restored images."""
    real = real_images(context)
    order = np.random.default_rng(context.seed).permutation(len(restored))
    values, notes = sample_quality(
        restored[order],
        real.reference,
        real.floor,
        extractors(context),
        pyramid=PYRAMID in context.features,
        split=context.split,
        seed=context.seed,
        progress=context.progress,
    )
    return metrics | values, about | notes
