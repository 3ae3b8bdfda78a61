"""All measures of sample quality of one set of generated images, each beside its real-against-real floor."""

from collections.abc import Callable

import numpy as np

from .features import Features
from .frechet_distance import frechet_distance
from .kernel_distance import kernel_distance
from .ms_ssim import WINDOW, pair_similarity
from .precision_recall import precision_recall
from .pyramid import SMALLEST, pyramid_distance
from .scores import score_name

SHARE = "share, 0 to 1"

# what one measurement gives: the value, or None with a reason, and what to say about it
Measured = dict[tuple[str, str], tuple[float | None, dict]]


def sample_quality(
    generated: np.ndarray,
    real: np.ndarray,
    floor_real: np.ndarray,
    features: Features,
    *,
    split: str = "test",
    floor_split: str = "train",
    seed: int = 0,
    progress: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> tuple[dict, dict]:
    """Frechet and kernel distance, precision, recall, density, coverage; pyramid distances and MS-SSIM of pairs.

    All sets are cut to as many images as the smallest has, and this number stands in every name. Each score is
    followed by its floor, what real images that are not in `real` get in the place of generated ones:
    `fd_classifier_10k_test`, `fd_classifier_10k_test_floor`. A generator at the floor cannot be told from real images
    by this measure. Scores that the images or their number do not allow are None, with the reason.

    Args:
        generated, real, floor_real: float32 [num, height, width, channels] in [0, 1], one shape; a prefix of each must
            be a random choice. `real` and `floor_real` share no image.
        features: extractor for the first six, see `keras_gen.evaluation.feature_extractor`.
        split: what `real` is called in the names: `"test"`, `"validation"` or `"train"`.
        floor_split: what `floor_real` is called in the notes.
        seed: of subsets, places, directions and pairs.
        progress: called with (what, done, total).

    Returns:
        (metrics, about): {score's name: number or None}, {score's name: {"unit", "images", "samples", "note", ...}},
        with `features` (the extractor's identity), `standard_error` and `reason` where they apply.

    Raises:
        ValueError: for sets of different shape or fewer than 20 images.
    """
    shapes = {np.shape(images)[1:] for images in (generated, real, floor_real)}
    num = min(len(generated), len(real), len(floor_real))
    if len(shapes) != 1 or len(next(iter(shapes))) != 3 or num < 20:
        received = ", ".join(str(np.shape(images)) for images in (generated, real, floor_real))
        raise ValueError(f"Expected three sets of 20 or more images of one shape; received {received}")
    generated, real, floor_real = (images[:num] for images in (generated, real, floor_real))
    kinds = {"": (generated, "samples"), "_floor": (floor_real, f"{num} {floor_split} images")}
    steps, done, measured = 7, 0, {}

    def step(what: str) -> None:
        nonlocal done
        progress(what, done, steps)
        done += 1

    step("features of real images")
    real_features = features(real)
    for suffix, (images, _) in kinds.items():
        step(f"scores by {features.name}")
        measured[suffix] = _by_features(features(images), real_features, features, seed)
    del real_features
    for suffix, (images, _) in kinds.items():
        step("pyramids of patches")
        measured[suffix] |= _by_pyramid(images, real, seed)
    for suffix, images in {"": generated, "_floor": real}.items():
        step("similarity of pairs")
        measured[suffix] |= _by_pairs(images, seed)
    progress("similarity of pairs", steps, steps)

    metrics, about = {}, {}
    for metric, what in measured[""]:
        alone = metric == "ms_ssim"
        name = score_name(metric, what, num, None if alone else split)
        for suffix, (_, samples) in kinds.items():
            value, notes = measured[suffix][metric, what]
            against = f"{samples} to {num} {split} images"
            if alone:
                against = "pairs of samples" if suffix == "" else f"pairs of {split} images"
            note = f"{against}; {notes['note']}" if "note" in notes else against
            metrics[name + suffix] = value
            about[name + suffix] = {**notes, "images": num, "samples": num, "note": note}
    return metrics, about


def _by_features(samples: np.ndarray, real: np.ndarray, features: Features, seed: int) -> Measured:
    size = real.shape[1]
    common = {"features": features.identity}
    scores: Measured = {}
    if len(real) > size:
        note = {"note": "not the FID: other features"}
        scores["fd", features.name] = frechet_distance(samples, real), {"unit": "squared feature", **common, **note}
    else:
        reason = f"{len(real)} samples give no covariance of full rank for {size} features"
        scores["fd", features.name] = None, {"unit": "squared feature", **common, "reason": reason}
    kernel = kernel_distance(samples, real, seed=seed)
    notes = {"standard_error": kernel.error, "note": f"standard error over {kernel.subsets} disjoint subsets"}
    scores["kid", features.name] = kernel.value, {"unit": "squared kernel distance", **common, **notes}
    shares = precision_recall(real, samples)
    for metric, value in shares._asdict().items():
        neighbours = 3 if metric in ("precision", "recall") else 5
        unit = "1 for real images" if metric == "density" else SHARE
        scores[metric, features.name] = value, {"unit": unit, **common, "note": f"{neighbours} nearest neighbours"}
    return scores


def _by_pyramid(samples: np.ndarray, real: np.ndarray, seed: int) -> Measured:
    smallest = min(real.shape[1:3])
    if smallest < SMALLEST:
        notes = {"unit": "x 1000", "reason": f"patches need images of {SMALLEST} pixels; these have {smallest}"}
        return {("swd", f"pyramid_{real.shape[1]}"): (None, notes)}
    notes = {"unit": "x 1000", "note": "patches of 7x7 pixels, normalized per channel"}
    distances = pyramid_distance(samples, real, seed=seed)
    return {("swd", f"pyramid_{height}"): (value, notes) for height, value in distances.items()}


def _by_pairs(images: np.ndarray, seed: int) -> Measured:
    smallest = min(images.shape[1:3])
    if smallest < WINDOW:
        reason = f"its window needs images of {WINDOW} pixels; these have {smallest}"
        return {("ms_ssim", "0_scales"): (None, {"unit": "0 to 1, lower is more diverse", "reason": reason})}
    found = pair_similarity(images, seed=seed)
    notes = {"unit": "0 to 1, lower is more diverse", "standard_error": found.error, "pairs": found.pairs}
    return {("ms_ssim", f"{found.scales}_scales"): (found.value, notes)}
