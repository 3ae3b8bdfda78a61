"""All metrics of sample quality of one set of generated images, each with its floor of real images."""

import functools
from collections.abc import Mapping

import numpy as np

from ..features.extractors import Features
from ..types import About, Metrics, ProgressReport, no_report
from .feature_scores import Score, attempt, feature_scores, missing_scores
from .laplacian_swd import laplacian_swd
from .ms_ssim import pair_similarity
from .names import score_name

# (metric, features) -> score
Scores = dict[tuple[str, str], Score]


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
    progress: ProgressReport = no_report,
) -> tuple[Metrics, About]:
    """Computes scores by features, distances between patches of Laplacian pyramids, and MS-SSIM of pairs.

    For each kind of features there are Frechet, kernel and sliced Wasserstein distance, precision, recall, density and
    coverage. All sets are truncated to the size of the smallest, which is part of every name. Each score is followed by
    its floor, the value of real images that are not in `real`: `fd_classifier_10k_test`,
    `fd_classifier_10k_test_floor`. A generator at the floor is indistinguishable from real images by this metric.
    Scores that cannot be computed for these images, their number or their features are None, with the reason.

    Args:
        generated: generated images, float32 [num, height, width, channels] in [0, 1]; any prefix must be a random
            choice, as of the next two.
        real: real images of the same shape, any number.
        floor_real: real images of the same shape, any number, none of which is in `real`.
        features: name -> extractor, see `keras_gen.evaluation.feature_extractor`, or the reason why it is missing.
        pyramid: whether to compare patches of Laplacian pyramids, which is the slowest.
        split: the split of `real`, in the names: `"test"`, `"validation"` or `"train"`.
        floor_split: the split of `floor_real`, in the notes.
        seed: seed of subsets, positions, directions and pairs.
        progress: called with (activity, steps done, total).

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
    candidates = {"": generated, "_floor": floor_real}
    scores: dict[str, Scores] = {"": {}, "_floor": {}}
    for name, extractor in features.items():
        score_features = name if isinstance(extractor, str) else extractor.name
        for suffix, values in _feature_scores(name, extractor, candidates, real, seed, progress).items():
            scores[suffix] |= {(metric, score_features): score for metric, score in values.items()}
    if pyramid:
        for suffix, images in candidates.items():
            scores[suffix] |= _pyramid_scores(images, real, seed, progress)
    for suffix, images in {"": generated, "_floor": real}.items():
        scores[suffix] |= _pair_scores(images, seed, progress)

    metrics: Metrics = {}
    about: About = {}
    for metric, score_features in scores[""]:
        single_set = metric == "ms_ssim"
        name = score_name(metric, score_features, num, None if single_set else split)
        for suffix, samples in {"": "samples", "_floor": f"{num} {floor_split} images"}.items():
            value, notes = scores[suffix][metric, score_features]
            compared = f"{samples} to {num} {split} images"
            if single_set:
                compared = "pairs of samples" if suffix == "" else f"pairs of {split} images"
            note = f"{compared}; {notes['note']}" if "note" in notes else compared
            metrics[name + suffix] = value
            about[name + suffix] = {**notes, "images": num, "samples": num, "note": note}
    return metrics, about


def _feature_scores(
    name: str,
    extractor: Features | str,
    candidates: dict[str, np.ndarray],
    real: np.ndarray,
    seed: int,
    progress: ProgressReport,
) -> dict[str, dict[str, Score]]:
    if isinstance(extractor, str):
        return {suffix: missing_scores(extractor) for suffix in candidates}

    def extract(images: np.ndarray, images_name: str) -> np.ndarray:
        return extractor(images, progress=functools.partial(progress, f"features {name} of {images_name}"))

    try:
        real_features, scores = extract(real, "real images"), {}
        for suffix, images in candidates.items():
            features = extract(images, "other real images" if suffix else "samples")
            activity = f"scores by {name}" + (" of other real images" if suffix else "") + ", percent"
            scores[suffix] = feature_scores(
                features,
                real_features,
                seed=seed,
                frechet=extractor.frechet,
                full_rank=extractor.full_rank,
                progress=functools.partial(progress, activity),
            )
    except ValueError as error:
        return {suffix: missing_scores(str(error), extractor.frechet) for suffix in candidates}
    for values in scores.values():
        for _, notes in values.values():
            notes["features"] = extractor.identity
        if extractor.how_to_read:
            values[extractor.frechet][1].update(better="lower", how_to_read=extractor.how_to_read)
    return scores


def _pyramid_scores(samples: np.ndarray, real: np.ndarray, seed: int, progress: ProgressReport) -> Scores:
    def measure() -> dict[str, Score]:
        report = functools.partial(progress, "patches of Laplacian pyramids")
        distances = laplacian_swd(samples, real, seed=seed, progress=report)
        notes = {"note": "patches of 7x7 pixels, normalized per channel"}
        return {f"pyramid_{height}": (value, notes) for height, value in distances.items()}

    scores = attempt((f"pyramid_{real.shape[1]}",), measure)
    return {("swd", name): (value, {"unit": "x 1000", **notes}) for name, (value, notes) in scores.items()}


def _pair_scores(images: np.ndarray, seed: int, progress: ProgressReport) -> Scores:
    def measure() -> dict[str, Score]:
        pairs = pair_similarity(images, seed=seed, progress=functools.partial(progress, "MS-SSIM of pairs"))
        return {f"{pairs.scales}_scales": (pairs.value, {"standard_error": pairs.error, "pairs": pairs.pairs})}

    unit = "0 to 1, lower is more diverse"
    scores = attempt(("0_scales",), measure)
    return {("ms_ssim", name): (value, {"unit": unit, **notes}) for name, (value, notes) in scores.items()}
