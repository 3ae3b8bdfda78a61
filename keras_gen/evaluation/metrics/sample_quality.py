"""All measures of sample quality of one set of generated images, each beside its real-against-real floor."""

import functools
from collections.abc import Callable, Mapping

import numpy as np

from ..features import random_conv
from ..features.extractors import Features
from .feature_scores import Score, attempt, feature_scores, missing_scores
from .laplacian_swd import pyramid_distance
from .ms_ssim import pair_similarity
from .names import score_name

# metric and what it is computed from, as in a score's name
Scores = dict[tuple[str, str], Score]
# called with (what, done, total)
Report = Callable[[str, int, int], None]


def sample_quality(
    generated: np.ndarray,
    real: np.ndarray,
    floor_real: np.ndarray,
    features: Mapping[str, Features | str],
    *,
    pyramid: bool = True,
    split: str = "test",
    floor_split: str = "train",
    seed: int = 0,
    progress: Report = lambda what, done, total: None,
) -> tuple[dict, dict]:
    """Scores by features, distances between pyramids of patches, and MS-SSIM of pairs.

    First the distance that every set of two or more images has, `random_conv_distance`. By each kind of features:
    Frechet, kernel and sliced Wasserstein distance, precision, recall, density, coverage.
    All sets are cut to as many images as the smallest has, and this number stands in every name. Each score is
    followed by its floor, what real images that are not in `real` get in the place of generated ones:
    `fd_classifier_10k_test`, `fd_classifier_10k_test_floor`. A generator at the floor cannot be told from real images
    by this measure. Scores that the images, their number or their features do not allow are None, with the reason; the
    others are not touched by it.

    Args:
        generated, real, floor_real: float32 [num, height, width, channels] in [0, 1], one shape; a prefix of each must
            be a random choice. `real` and `floor_real` share no image.
        features: name -> extractor, see `keras_gen.evaluation.feature_extractor`, or the reason why there is none.
        pyramid: whether to compare patches of pyramids, which takes longest.
        split: what `real` is called in the names: `"test"`, `"validation"` or `"train"`.
        floor_split: what `floor_real` is called in the notes.
        seed: of subsets, places, directions and pairs.
        progress: called with (what, done, total).

    Returns:
        (metrics, about): {score's name: number or None}, {score's name: {"unit", "images", "samples", "note", ...}},
        with `features` (the extractor's identity), `standard_error` and `reason` where they apply.

    Raises:
        ValueError: for sets of different shape, or an empty one.
    """
    shapes = {np.shape(images)[1:] for images in (generated, real, floor_real)}
    num = min(len(generated), len(real), len(floor_real))
    if len(shapes) != 1 or len(next(iter(shapes))) != 3 or num == 0:
        received = ", ".join(str(np.shape(images)) for images in (generated, real, floor_real))
        raise ValueError(f"Expected three sets of images of one shape; received {received}")
    generated, real, floor_real = (images[:num] for images in (generated, real, floor_real))
    kinds = {"": generated, "_floor": floor_real}
    measured: dict[str, Scores] = {"": {}, "_floor": {}}
    for done, (suffix, images) in enumerate(kinds.items()):
        progress("distance by random convolutions", done, len(kinds))
        measured[suffix] |= _by_random_conv(images, real)
    for name, extractor in features.items():
        what = name if isinstance(extractor, str) else extractor.name
        for suffix, scores in _by_features(name, extractor, kinds, real, seed, progress).items():
            measured[suffix] |= {(metric, what): score for metric, score in scores.items()}
    if pyramid:
        for suffix, images in kinds.items():
            measured[suffix] |= _by_pyramid(images, real, seed, progress)
    for suffix, images in {"": generated, "_floor": real}.items():
        measured[suffix] |= _by_pairs(images, seed, progress)

    metrics, about = {}, {}
    for metric, what in measured[""]:
        alone = metric == "ms_ssim"
        name = score_name(metric, what, num, None if alone else split)
        for suffix, samples in {"": "samples", "_floor": f"{num} {floor_split} images"}.items():
            value, notes = measured[suffix][metric, what]
            against = f"{samples} to {num} {split} images"
            if alone:
                against = "pairs of samples" if suffix == "" else f"pairs of {split} images"
            note = f"{against}; {notes['note']}" if "note" in notes else against
            metrics[name + suffix] = value
            about[name + suffix] = {**notes, "images": num, "samples": num, "note": note}
    return metrics, about


def _by_random_conv(samples: np.ndarray, real: np.ndarray) -> Scores:
    def measure():
        notes = {"features": random_conv.IDENTITY, "how_to_read": random_conv.HOW_TO_READ}
        return {"fd": (random_conv.random_conv_distance(samples, real), notes)}

    unit = "variances of real images, a feature"
    value, notes = attempt(("fd",), measure)["fd"]
    return {("fd", "random_conv"): (value, {"unit": unit, **notes})}


def _by_features(
    name: str, extractor: Features | str, kinds: dict[str, np.ndarray], real: np.ndarray, seed: int, progress: Report
) -> dict[str, dict[str, Score]]:
    if isinstance(extractor, str):
        return {suffix: missing_scores(extractor) for suffix in kinds}

    def features_of(images: np.ndarray, which: str) -> np.ndarray:
        return extractor(images, progress=functools.partial(progress, f"features {name} of {which}"))

    try:
        of_real, found = features_of(real, "real images"), {}
        for suffix, images in kinds.items():
            samples = features_of(images, "other real images" if suffix else "samples")
            which = f"scores by {name}" + (" of other real images" if suffix else "") + ", percent"
            found[suffix] = feature_scores(
                samples, of_real, seed=seed, frechet=extractor.frechet, progress=functools.partial(progress, which)
            )
    except ValueError as error:
        return {suffix: missing_scores(str(error), extractor.frechet) for suffix in kinds}
    for _, notes in (score for scores in found.values() for score in scores.values()):
        notes["features"] = extractor.identity
    return found


def _by_pyramid(samples: np.ndarray, real: np.ndarray, seed: int, progress: Report) -> Scores:
    def measure():
        report = functools.partial(progress, "patches of pyramids")
        distances = pyramid_distance(samples, real, seed=seed, progress=report)
        notes = {"note": "patches of 7x7 pixels, normalized per channel"}
        return {f"pyramid_{height}": (value, notes) for height, value in distances.items()}

    scores = attempt((f"pyramid_{real.shape[1]}",), measure)
    return {("swd", what): (value, {"unit": "x 1000", **notes}) for what, (value, notes) in scores.items()}


def _by_pairs(images: np.ndarray, seed: int, progress: Report) -> Scores:
    def measure():
        found = pair_similarity(images, seed=seed, progress=functools.partial(progress, "similarity of pairs"))
        return {f"{found.scales}_scales": (found.value, {"standard_error": found.error, "pairs": found.pairs})}

    unit = "0 to 1, lower is more diverse"
    scores = attempt(("0_scales",), measure)
    return {("ms_ssim", what): (value, {"unit": unit, **notes}) for what, (value, notes) in scores.items()}
